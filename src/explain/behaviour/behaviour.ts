/**
 * How a gradient behaves as predictions go to 0 and 1 and as the foreground shrinks, on the user's
 * arrays. Everything is computed from the loss's own expression: the derived gradient is evaluated
 * along paths that start at, or lead through, the arrays given.
 */
import { gradient as derived } from "../../gradient/gradient.ts";
import type { Chart } from "./chart.ts";
import { type Domain, Mover, domainOf } from "./domain.ts";
import { type Factors, factorsOf } from "./factors.ts";
import { type Here, lookHere } from "./here.ts";
import { type Limit, limitsOf } from "./limits.ts";
import { type Shrinking, shrinkingOf, sweepShrinking } from "./shrink.ts";
import { type SmoothingConstant, smoothingOf, withoutSmoothing } from "./smoothing.ts";
import { type BehaviourSubject, type BehaviourWatch, type Groups, groupsOf } from "./subject.ts";
import { type Gradients, sweepAll, sweepOne } from "./sweeps.ts";
import { type Watch, within } from "../../numbers/typedArrays.ts";

export interface Measured {
  readonly subject: BehaviourSubject;
  readonly domain: Domain;
  readonly factors: Factors;
  readonly groups: Groups | null;
  readonly smoothing: readonly SmoothingConstant[];
  readonly gradients: Gradients;
  readonly here: Here;
  readonly shrinking: Shrinking | null;
  readonly charts: readonly Chart[];
  readonly limits: readonly Limit[];
}

/** From where on, of all the work, charts are made, and until where. */
const CHARTS_SHARE = [0.1, 0.75] as const;

/** The axis of a softmax runs over classes, whatever it is called. */
function softmaxDim({ activation }: Factors): number | null {
  const node = activation?.node;
  return node?.kind === "softmax" ? node.dim : null;
}

/**
 * @throws Cancelled
 * @throws BindingError when an array is missing or does not fit
 */
export function measureBehaviour(subject: BehaviourSubject, watch: BehaviourWatch): Measured {
  const { loss, wrt, bindings } = subject;
  const factors = factorsOf(subject);
  const groups = groupsOf(subject, softmaxDim(factors));
  const smoothing = subject.isSurrogate === true ? [] : smoothingOf(subject);
  const bareLoss = smoothing.length === 0 ? null : withoutSmoothing(loss, smoothing);
  const gradients: Gradients = {
    own: subject.gradient,
    bare: bareLoss === null ? null : derived(bareLoss, wrt),
  };
  let reached = 0;
  const step = (what: string, from: number, to: number): Watch => {
    const onProgress = (f: number): void => {
      // Evaluations within a step may begin anew.
      reached = Math.max(reached, f);
      watch.onProgress(reached, what);
    };
    onProgress(from);
    return within({ onProgress, isCancelled: () => watch.isCancelled() }, from, to);
  };
  const [begin, end] = CHARTS_SHARE;
  const first = step("the gradient as it is", 0, begin);
  const here = lookHere(subject, gradients, bareLoss, factors, groups, first);
  const domain = domainOf(factors.activation, bindings.get(wrt.name)!);
  const mover = new Mover(bindings.get(wrt.name)!, domain, subject.arena);
  step("the order in which a mask shrinks", begin, begin);
  const shrinking = groups === null ? null : shrinkingOf(subject, groups);
  const { foreground, background } = here.typical;
  const coupled = factors.activation?.kind === "softmax";
  const charts: Chart[] = [];
  const parts: { readonly what: string; readonly make: (watch: Watch) => Chart }[] = [];
  for (const [group, element] of [
    ["foreground", foreground],
    ["background", background],
  ] as const) {
    if (element >= 0) {
      parts.push({
        what: `one ${group} entry moved`,
        make: (w) => sweepOne(subject, gradients, factors, domain, mover, element, group, w),
      });
    }
  }
  const all = (toward: boolean) => (w: Watch) =>
    sweepAll(subject, gradients, factors, domain, mover, groups, toward, w);
  if (!coupled) parts.push({ what: "all predictions moved", make: all(false) });
  if (groups !== null) parts.push({ what: "all moved toward the target", make: all(true) });
  if (shrinking !== null) {
    for (const follows of [false, true]) {
      parts.push({
        what: follows ? "a smaller mask, predicted as well" : "a smaller mask",
        make: (w) => sweepShrinking(subject, gradients, shrinking, follows, w),
      });
    }
  }
  parts.forEach(({ what, make }, k) => {
    const [from, to] = [k, k + 1].map((n) => begin + ((end - begin) * n) / parts.length);
    charts.push(make(step(what, from!, to!)));
  });
  const limits = limitsOf(
    {
      subject,
      gradients,
      domain,
      mover,
      groups,
      shrinking,
      coupled,
      foreground,
      background,
      largest: here.largest,
    },
    step("the limits at the ends", end, 1),
  );
  return {
    subject, domain, factors, groups, smoothing, gradients, here, shrinking, charts, limits,
  }; // prettier-ignore
}
