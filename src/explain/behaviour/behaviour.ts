/**
 * How a gradient behaves as predictions go to 0 and 1 and as the foreground shrinks, on the user's
 * arrays. Everything is computed from the loss's own expression: the derived gradient is evaluated
 * along paths that start at, or lead through, the arrays given.
 */
import { gradient as derived } from "../../gradient/gradient.ts";
import type { Chart } from "./chart.ts";
import { type Domain, domainOf } from "./domain.ts";
import { type Factors, factorsOf } from "./factors.ts";
import { type Here, lookHere } from "./here.ts";
import { type Limit, limitsOf } from "./limits.ts";
import { type Shrinking, shrinkingOf, sweepShrinking } from "./shrink.ts";
import { type SmoothingConstant, smoothingOf, withoutSmoothing } from "./smoothing.ts";
import { type BehaviourSubject, type BehaviourWatch, type Groups, groupsOf } from "./subject.ts";
import { type Gradients, sweepAll, sweepOne } from "./sweeps.ts";

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
  const here = lookHere(subject, gradients, bareLoss, factors, groups, watch);
  const domain = domainOf(factors.activation, bindings.get(wrt.name)!);
  const shrinking = groups === null ? null : shrinkingOf(subject, groups);
  const { foreground, background } = here.typical;
  const coupled = factors.activation?.kind === "softmax";
  const charts: Chart[] = [];
  const parts: ((part: BehaviourWatch) => Chart)[] = [];
  for (const [group, element] of [
    ["foreground", foreground],
    ["background", background],
  ] as const) {
    if (element >= 0) {
      parts.push((w) => sweepOne(subject, gradients, factors, domain, element, group, w));
    }
  }
  const all = (toward: boolean) => (w: BehaviourWatch) =>
    sweepAll(subject, gradients, factors, domain, groups, toward, w);
  if (!coupled) parts.push(all(false));
  if (groups !== null) parts.push(all(true));
  if (shrinking !== null) {
    parts.push((w) => sweepShrinking(subject, gradients, shrinking, false, w));
    parts.push((w) => sweepShrinking(subject, gradients, shrinking, true, w));
  }
  const work = parts.length + 1;
  parts.forEach((make, k) => {
    charts.push(
      make({
        onProgress: (f) => {
          watch.onProgress((k + f) / work);
        },
        isCancelled: () => watch.isCancelled(),
      }),
    );
  });
  const limits = limitsOf(
    {
      subject,
      gradients,
      domain,
      groups,
      shrinking,
      coupled,
      foreground,
      background,
      largest: here.largest,
    },
    watch,
  );
  watch.onProgress(1);
  return {
    subject, domain, factors, groups, smoothing, gradients, here, shrinking, charts, limits,
  }; // prettier-ignore
}
