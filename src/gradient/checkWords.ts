/** The check's findings in sentences a report can print. */
import type { Input } from "../expression/node.ts";
import type { GradientComparison, GradientType } from "./compareGradients.ts";
import type { Reference, Summary } from "./checkReference.ts";
import type { Kink } from "./kinks.ts";
import type { Directional, DirectionalMethod } from "./directional.ts";
import { ROUNDING } from "./compareGradients.ts";
import { countWords, indexWords, nodeWords, number } from "./nodeWords.ts";

export interface Facts {
  readonly reference: Reference;
  readonly comparison: GradientComparison;
  readonly type: GradientType;
  /** Elements with a numeric derivative of their own. */
  readonly chosen: number;
  readonly total: number;
  readonly index: (element: number) => readonly number[];
  readonly given: (element: number) => number;
}

/** Two claims about one directional derivative against its numeric value. */
export interface Trial {
  readonly directional: Directional;
  /** What the derived and the given gradient claim. */
  readonly ours: number;
  readonly theirs: number;
  readonly gap: number;
  readonly bar: number;
  /** Whose claim alone lies within the bar. */
  readonly outcome: "reference" | "given" | "neither";
}

export interface Ruling {
  readonly verdict: "differs" | "cannot-be-decided";
  readonly trial: Trial | null;
  /** An element whose own numeric derivative decided; null when the trial did. */
  readonly element: number | null;
  readonly notes: readonly string[];
}

const METHOD: Readonly<Record<DirectionalMethod, string>> = {
  moebius: "a Möbius probe",
  quadratic: "a five-point rational probe",
  ridders: "Ridders extrapolation",
};

function unitsOf(type: GradientType): string {
  return type === "float64" ? "rounding units" : `${type} rounding units`;
}

function errorWords({ comparison, reference, type }: Facts): string {
  return `largest error ${number(comparison.maxScaled)} of ${number(reference.bound)} ${unitsOf(type)} (${number(comparison.maxAbs)} absolute)`;
}

function elementsWords(n: number, of: string): string {
  return n === 1 ? `the one ${of}` : `all ${countWords(n)} ${of}s`;
}

function referenceWords({ gradient }: Reference): string {
  return gradient.lo === null ? "float64" : "double-double";
}

export function agreesSentence(facts: Facts): string {
  const { confirmation } = facts.reference;
  const along =
    confirmation === null
      ? ""
      : `, and along the gradient's sign by ${METHOD[confirmation.method]}`;
  return (
    `${errorWords(facts)}, checked at ${elementsWords(facts.comparison.compared, "element")} ` +
    `against the ${referenceWords(facts.reference)} reference${along}`
  );
}

export function kinkSentence(facts: Facts): string {
  const rest =
    facts.comparison.compared === 0
      ? ""
      : `; at the other ${countWords(facts.comparison.compared)} the gradient agrees: ${errorWords(facts)}`;
  return `${kinkWords(facts)}${rest}`;
}

export function kinkNote(facts: Facts): string {
  return `the loss is not differentiable ${kinkWords(facts)}; those were left out`;
}

function kinkWords({ reference, total, index }: Facts): string {
  const at = Math.min(...reference.kinks.map((k) => k.elements[0]!));
  const count = reference.kinked;
  const where =
    count === total
      ? "at any element"
      : `at ${countWords(count)} of ${countWords(total)} elements, first at ${indexWords(index(at))}`;
  // Of several of a kind the first is named.
  const named = (["switches", "tied order"] as const).flatMap(
    (kind) => reference.kinks.find((k) => k.kind === kind) ?? [],
  );
  return `${where}: ${named.map(whyKink).join("; or ")}`;
}

function whyKink({ kind, node, left, right }: Kink): string {
  const [a, b] = [number(left), number(right)];
  if (kind === "tied order") {
    return `equal entries of ${nodeWords(node)} are sorted there, and each of their places gives another derivative (${a} to ${b} among some)`;
  }
  const known = Number.isFinite(left) && Number.isFinite(right);
  const slopes = known ? ` (slope ${a} from the left, ${b} from the right)` : "";
  return `${nodeWords(node)} switches there${slopes}`;
}

export function differsSentence(facts: Facts, ruling: Ruling): string {
  const { comparison, reference, type, index, given } = facts;
  const { worst } = comparison;
  const place = indexWords(index(worst));
  if (comparison.notFinite > 0) {
    return (
      `${countWords(comparison.notFinite)} of ${countWords(comparison.compared)} elements ${comparison.notFinite === 1 ? "is" : "are"} not finite, ` +
      `first at ${place}, where the derivative is ${number(reference.gradient.hi[worst]!, 4)}`
    );
  }
  const { element, trial } = ruling;
  const amount = `at ${countWords(comparison.beyond)} of ${countWords(comparison.compared)} elements the error is beyond rounding`;
  const largest =
    `largest at ${place}: ${number(given(worst), 6)} where the derivative is ${number(reference.gradient.hi[worst]!, 6)} ` +
    `(${number(comparison.maxScaled)} ${unitsOf(type)}, ${number(reference.bound)} allowed)`;
  const evidence =
    element !== null
      ? `; the numeric derivative at ${indexWords(index(element))} excludes it`
      : trial !== null
        ? `; along the sign of the difference ${METHOD[trial.directional.method]} of the loss gives ` +
          claimWords(trial)
        : "";
  return `${amount}, ${largest}${evidence}`;
}

/** The numeric derivative and the claim it excludes, with digits enough to tell them apart. */
function claimWords({ directional, theirs, bar }: Trial): string {
  const gap = Math.abs(directional.derivative - theirs);
  const ratio = Math.max(Math.abs(theirs), Math.abs(directional.derivative)) / gap;
  const digits = Math.min(17, Math.max(4, 2 + Math.ceil(Math.log10(ratio))));
  return `${number(directional.derivative, digits)} ± ${number(bar)}, and this gradient claims ${number(theirs, digits)}`;
}

function beyondWords({ comparison, reference, type }: Facts): string {
  return `the largest error is ${number(comparison.maxScaled)} ${unitsOf(type)} where ${number(reference.bound)} are allowed`;
}

export function computedSentence(facts: Facts, computed: Input): string {
  return (
    `${beyondWords(facts)} for an exact ${computed.name}, but the code computes ${computed.name} in ${facts.type} ` +
    `from the arrays, with rounding of which no bound is known; float64 arrays would decide`
  );
}

export function undecidedSentence(facts: Facts, ruling: Ruling): string {
  const { total, type } = facts;
  const start = beyondWords(facts);
  const { trial } = ruling;
  if (trial === null) return start;
  if (trial.outcome === "given") {
    return `${start}, but the loss itself supports this gradient and not the derived one; the derivation may be at fault`;
  }
  const short = trial.bar / trial.gap;
  if (!Number.isFinite(short)) {
    return `${start}, and the loss could not be evaluated along the difference`;
  }
  if (short < 1) return `${start}, and the numeric derivative supports neither gradient`;
  const fewer = Math.floor(total / short);
  const remedy =
    type !== "float64"
      ? "the same gradient in float64 would decide"
      : fewer >= 2
        ? `about ${countWords(fewer)} elements or fewer would decide`
        : "beside the loss the gradient is too small here for values of the loss to decide";
  return (
    `${start}, and the difference changes the derivative along its sign by ${number(trial.gap)}, ` +
    `less than the numeric derivative's own error ${number(trial.bar)}; ${remedy}`
  );
}

export function doubtSentence(doubt: string): string {
  return `the derived gradient and the numeric derivative of the loss disagree (${doubt})`;
}

export function blockedSentence(why: string, candidate: ArrayLike<number> | null): string {
  let largest = 0;
  for (let k = 0; k < (candidate?.length ?? 0); k++) {
    largest = Math.max(largest, Math.abs(candidate![k]!));
  }
  const surrogate =
    largest > 0
      ? `; the given gradient (up to ${number(largest)}) is not the derivative of this loss`
      : "";
  return `${why}${surrogate}`;
}

/** What a gradient of low precision cannot show. */
export function resolutionNote(type: GradientType, bound: number): string {
  const relative = bound * ROUNDING[type].unit;
  return (
    `in ${type} a defect below ${number(relative)} of an element's terms is rounding; ` +
    "a check in float64 sees smaller ones"
  );
}

export function methodWords({ reference, comparison, chosen, total }: Facts): string {
  const arithmetic =
    reference.gradient.lo === null ? "float64 with compensated sums" : "double-double arithmetic";
  const which =
    comparison.compared === total ? "every element" : `${countWords(comparison.compared)} elements`;
  const parts = [`${which} against the derived gradient in ${arithmetic}`];
  const { confirmation, secondOpinion } = reference;
  if (confirmation !== null) parts.push(directionalWords(confirmation));
  if (secondOpinion !== null) parts.push(directionalWords(secondOpinion));
  if (reference.numericCount > 0) {
    parts.push(
      `central differences of the loss at ${chosen >= total ? "every element" : `${countWords(chosen)} elements`}`,
    );
  }
  return parts.join("; ");
}

function directionalWords(d: Summary): string {
  const what = {
    moebius: "Möbius probe (harmonic mean of forward and backward difference)",
    quadratic: "rational probe through five points",
    ridders: "Ridders extrapolation of central differences",
  }[d.method];
  const scope = d.part ? " in the part where it is largest" : "";
  return `${what} along the gradient's sign${scope}, ${d.evaluations} evaluations of the loss`;
}

export function residualNote(d: Summary): string | null {
  return d.residual === null
    ? null
    : `two further values of the loss fit the form that its formula promises: misfit ${number(d.residual)} of what rounding explains`;
}
