/**
 * Three things that people say of Dice losses and automatic differentiation, each settled on the
 * user's own code and arrays: by what was computed, not by what is usual.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { dependsOn } from "../../expression/walk.ts";
import { derive } from "../../gradient/derive.ts";
import { countWords, number } from "../../gradient/nodeWords.ts";
import { CertainScalars } from "../../numbers/certain.ts";
import { parts } from "../../numbers/interruption.ts";
import { compileKernel } from "../../numbers/kernel.ts";
import { type Watch, within } from "../../numbers/typedArrays.ts";
import type { Measured } from "../behaviour/behaviour.ts";
import { limitWords, percent, relativeChange, relativeChanges } from "../behaviour/finding.ts";
import { smoothingOnset } from "../behaviour/smoothingFindings.ts";
import { smoothingWords, withoutSmoothing } from "../behaviour/smoothing.ts";
import { type Claim, type ClaimFacts, list, runWords } from "./claim.ts";
import { library } from "./library.ts";

/** @throws Cancelled */
export function claimsOf(facts: ClaimFacts): Claim[] {
  return [quotientRule(facts), epsilon(facts), library(facts)];
}

const QUOTIENT = "Automatic differentiation mishandles the quotient rule.";

function quotientRule(facts: ClaimFacts): Claim {
  const { measured, check, handwritten, runs, askAutograd } = facts;
  const made = (
    verdict: Claim["verdict"],
    sentence: string,
    evidence: readonly string[],
    needs: string | null,
    lines: readonly number[] = [],
  ): Claim => ({ id: "quotient-rule", claim: QUOTIENT, verdict, sentence, evidence, needs, lines });
  const wrong = handwritten.filter((h) => h.wrong);
  if (wrong.length > 0) {
    return made(
      "true-only-when",
      `the gradient is written by hand, as here: ${wrong.map((h) => h.name).join(" and ")} ${wrong.length === 1 ? "is" : "are"} used instead of automatic differentiation, and wrong`,
      wrong.map((h) => `${h.sentence}.`),
      null,
      wrong.flatMap((h) => [...h.lines]),
    );
  }
  const evidence = missingTerm(measured, within(facts.watch, 0, 0.3));
  if (check.units !== null && check.bound !== null) {
    evidence.push(
      `The gradient that reverse-mode differentiation of your code gives, computed in float64, is within ${number(check.units)} units of rounding of its value in twice the precision, where right code may be off by ${number(check.bound)}; values of the loss alone confirm it.`,
    );
  }
  const ran = runs.filter((r) => r.failure === null);
  evidence.push(...ran.map(runWords), ...runs.filter((r) => r.failure !== null).map(runWords));
  const disagree = ran.find((r) => r.agrees === false);
  if (disagree !== undefined) {
    return made(
      "true",
      `${disagree.name}'s gradient is not the derivative of your loss on these arrays`,
      evidence,
      null,
    );
  }
  const unsettled = ran.some((r) => r.agrees === null);
  if (unsettled || !["agrees", "differs"].includes(check.verdict)) {
    return made(
      "not-settled",
      check.sentence,
      evidence,
      "Arrays on which the gradient has a value that can be told from rounding.",
    );
  }
  if (ran.length > 0) {
    return made(
      "false",
      `${list(ran.map((r) => r.name))} ${ran.length === 1 ? "gives" : "give"} the derivative of your loss to within rounding`,
      evidence,
      null,
    );
  }
  return made(
    "false",
    "differentiating your code operation by operation, as automatic differentiation does, gives the derivative of your loss to within rounding",
    evidence,
    `That is about the method. ${askAutograd} to measure your own library as well.`,
  );
}

/** How far off the gradient would be without N·U′/U², the term that is said to be lost. */
function missingTerm({ subject, gradients }: Measured, watch: Watch): string[] {
  const { loss, wrt, bindings } = subject;
  const isVarying = (e: Expr): boolean => dependsOn(e, wrt);
  let quotients = 0;
  const halved = derive(loss, wrt, undefined, (_a, e, k) => {
    if (e.kind !== "binary" || e.op !== "div" || k !== 1 || !isVarying(e.args[1]!))
      return undefined;
    quotients++;
    return null;
  });
  if (quotients === 0) {
    return [`The loss has no quotient whose denominator depends on ${wrt.name}.`];
  }
  const change = relativeChange(gradients.own, halved, bindings, watch);
  if (change === null || change === 0) return [];
  return [
    `Were the quotient rule's second term, N·U′/U², left out, the gradient would be off by ${percent(change)} of its largest entry: a mistake of that kind could not be overlooked here.`,
  ];
}

const EPSILON = "The epsilon (smoothing) causes the difference.";

function epsilon({ measured, dtype, watch }: ClaimFacts): Claim {
  const { smoothing, here, limits } = measured;
  const lines = [...new Set(smoothing.flatMap((s) => s.lines))];
  const made = (verdict: Claim["verdict"], sentence: string, evidence: readonly string[]): Claim => ({
    id: "epsilon", claim: EPSILON, verdict, sentence, evidence, needs: null, lines,
  }); // prettier-ignore
  const empties = limits.filter((l) => l.id === "both-empty" || l.id === "empty-mask");
  if (smoothing.length === 0) {
    return made(
      "false",
      "your loss has no epsilon and no smoothing",
      empties.map((l) => `Where ${l.what}, the gradient of an element is ${limitWords(l.own)}.`),
    );
  }
  const evidence = [...effects(measured, dtype, within(watch, 0.3, 1))];
  for (const l of empties) {
    if (l.bare === null) continue;
    evidence.push(
      `Where ${l.what}, the gradient of an element is ${limitWords(l.own)} with it and ${limitWords(l.bare)} without.`,
    );
  }
  const change = here.smoothingChange;
  const names = smoothingWords(smoothing);
  if (change === null) {
    return made("true", `without ${names} the gradient has no value on these arrays`, evidence);
  }
  if (change >= 0.01) {
    return made(
      "true",
      `${names} changes the gradient on these arrays by up to ${percent(change)} of its largest entry`,
      evidence,
    );
  }
  const empty = empties.some((l) => l.bare !== null && limitWords(l.own) !== limitWords(l.bare));
  const small = smoothingOnset(measured);
  if (!empty && small === null) {
    return made(
      "false",
      `${names} changes the gradient on these arrays by ${change === 0 ? "nothing" : `at most ${percent(change)} of its largest entry`}, and no empty or smaller mask changes that`,
      evidence,
    );
  }
  const whens = [
    ...(empty ? ["a mask is empty"] : []),
    ...(small === null
      ? []
      : [`mask and prediction shrink to about ${countWords(small)} voxels or fewer`]),
  ];
  return made(
    "true-only-when",
    `${whens.join(", or ")}; on these arrays it changes the gradient by ${change === 0 ? "nothing" : `at most ${percent(change)} of its largest entry`}`,
    evidence,
  );
}

/** What each constant does alone, on these arrays, and whether the arrays' own type can hold it. */
function effects(
  { subject, smoothing, gradients, here }: Measured,
  dtype: string,
  watch: Watch,
): string[] {
  const { loss, wrt, bindings } = subject;
  // Together, as what they are without one constant or another has nearly all in common.
  const bareLosses = smoothing.map((c) => withoutSmoothing(loss, [c]));
  const kept = smoothing.map((c) => c.node.args[c.kept]!);
  const rests = compileKernel(kept).run(bindings, within(watch, 0, 0.1)).outputs;
  watch.onProgress?.(0.1);
  const lossChanges = new CertainScalars(bareLosses.map((bare) => b.abs(b.sub(loss, bare)))).at(
    bindings,
    within(watch, 0.1, 0.4),
  );
  const bareGradients = bareLosses.map((bare) => derive(bare, wrt));
  watch.onProgress?.(0.4);
  const changes = relativeChanges(gradients.own, bareGradients, bindings, within(watch, 0.4, 1));
  return smoothing.map((c, k) => {
    const rest = rests[k]!.data;
    const lossChange = lossChanges[k]!;
    const change = changes[k] ?? null;
    const where = c.lines.length === 0 ? "" : ` (line ${c.lines.join(", ")})`;
    const what =
      c.kind === "added"
        ? `${smoothingWords([c])} added in the ${c.place}${where}`
        : c.kind === "floor"
          ? `The floor ${number(c.value, 6)} of the ${c.place}${where}`
          : `The limits of the prediction at ${number(c.value, 6)} from its ends${where}`;
    const lossWords = Number.isFinite(lossChange)
      ? `changes the loss by ${number(lossChange)} (${percent(here.loss === 0 ? 0 : lossChange / Math.abs(here.loss))})`
      : "keeps the loss from being 0/0";
    const gradientWords =
      change === null
        ? "keeps the gradient from having no value"
        : `the gradient by at most ${change === 0 ? "nothing" : percent(change)} of its largest entry`;
    return `${what} ${lossWords}, ${gradientWords}${absorbed(c.kind, rest, c.value, dtype)}.`;
  });
}

function absorbed(kind: string, rest: Float64Array, value: number, dtype: string): string {
  if (kind !== "added" || (dtype !== "float32" && dtype !== "float64")) return "";
  const round = dtype === "float32" ? Math.fround : (x: number): number => x;
  let lost = 0;
  for (const [first, end] of parts(rest.length)) {
    for (let k = first; k < end; k++) {
      const x = round(rest[k]!);
      if (round(x + round(value)) === x) lost++;
    }
  }
  if (lost === 0) return "";
  return lost === rest.length
    ? `; in ${dtype} it disappears in the addition`
    : `; in ${dtype} it disappears in ${countWords(lost)} of ${countWords(rest.length)} additions`;
}
