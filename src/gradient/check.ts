/**
 * Is this the gradient of that loss at this point? A verdict with its bound.
 *
 * Every element is compared with the derived gradient evaluated in double-double, in units of the
 * rounding that right code makes there (`compareGradients.ts`). The derived gradient itself is
 * confirmed by values of the loss alone: along its sign (`directional.ts`) and element by element
 * (`elements.ts`). A gradient that is off is judged along the sign of its difference, where the two
 * claims lie furthest apart: the numeric derivative must exclude the one and include the other,
 * else the verdict is that it cannot be decided.
 */
import { ShapeError, formatShape } from "../expression/axis.ts";
import type { Expr, Input } from "../expression/node.ts";
import { filled, parts } from "../numbers/interruption.ts";
import { type Bindings, boundArray } from "../numbers/typedArrays.ts";
import {
  type GradientComparison,
  type GradientType,
  ROUNDING,
  compareGradients,
  differenceAt,
} from "./compareGradients.ts";
import { type Findings, type Reference, type WithoutReference, prepare } from "./checkReference.ts";
import * as words from "./checkWords.ts";
import type { Directional } from "./directional.ts";
import { sampleElements, withWorst } from "./elements.ts";
import { layoutOf, unravel } from "./entries.ts";
import { frameworkNotes } from "./frameworks.ts";
import type { Tied } from "./kinks.ts";
import { LossPoint } from "./lossPoint.ts";

export type CheckVerdict =
  "agrees" | "differs" | "cannot-be-decided" | "undefined" | "not-differentiable";

export interface CheckedElement {
  readonly index: readonly number[];
  readonly analytic: number | null;
  /** What right code of its type may be off by: `bound` rounding units of this element. */
  readonly analyticError: number | null;
  readonly numeric: number | null;
  /**
   * The derivative lies within ± this much of `numeric`; left out where the loss was not evaluated
   * for this element alone, because too much depends on it.
   */
  readonly numericError?: number | null;
}

export interface CheckResult {
  readonly verdict: CheckVerdict;
  /** What was compared with what, in plain words. */
  readonly method: string;
  readonly maxAbsError: number | null;
  readonly maxRelError: number | null;
  /** Largest scaled error allowed. */
  readonly bound: number | null;
  /** Largest error in units of the rounding that right code makes; Infinity for a NaN. */
  readonly maxScaledError: number | null;
  readonly worst: CheckedElement | null;
  readonly sentence: string;
  readonly notes: readonly string[];
  /** What right code may be off by in all elements together; null where that is not known. */
  readonly gradientError: ErrorTotals | null;
  /** The loss in float64 is at most this far from its exact value; null where that is not known. */
  readonly lossError: number | null;
  /** The numeric gradient: at every element of a small array, at a sample of a large one. */
  readonly elements: readonly CheckedElement[];
  /**
   * Where some of the gradient is no finite number: what the loss's own operations give, as autograd
   * performs them. A simplified formula may have a value there all the same.
   */
  readonly performed: Float64Array | null;
}

/** Bounds of the errors of a gradient's elements. */
export interface ErrorTotals {
  readonly largest: number;
  readonly sum: number;
  /** Euclidean. */
  readonly norm: number;
}

export interface CheckRequest {
  /** A scalar. */
  readonly loss: Expr;
  /** The input to differentiate by. */
  readonly wrt: Expr;
  readonly bindings: Bindings;
  /** The derived gradient, where it has been derived already: it is doubted as any other. */
  readonly gradient?: Expr;
  /** The gradient to judge; by default the derived one evaluated in float64. */
  readonly candidate?: ArrayLike<number>;
  /**
   * The type it was computed in, whose rounding is allowed for; by default float32 for a
   * Float32Array, else float64.
   */
  readonly candidateDtype?: GradientType;
  /** What was sorted, in the order that the loss holds, where entries are equal. */
  readonly tied?: readonly Tied[];
  /** Inputs that hold what the code computed from others: in a coarser type they carry its rounding. */
  readonly computed?: readonly Input[];
  /**
   * Most elements whose reference is evaluated in double-double, which takes 16 bytes an element for
   * every array on the way; beyond it the reference is the compiled gradient, with compensated sums.
   */
  readonly largestReference?: number;
  /** From 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
  readonly isCancelled?: () => boolean;
}

/**
 * Judges one gradient.
 * @throws ShapeError when the loss is no scalar, `wrt` no input, or the gradient of another size
 * @throws BindingError when an array is missing or does not fit
 * @throws Cancelled
 */
export function checkGradient(request: CheckRequest): CheckResult {
  const { candidate, candidateDtype, ...point } = request;
  const checker = new GradientChecker(point);
  try {
    return checker.judge(candidate ?? null, candidateDtype);
  } finally {
    checker.release();
  }
}

/**
 * Several gradients of one loss at one point: what they share is computed once, and kept in the
 * kernels' memory until it is released.
 */
export class GradientChecker {
  private readonly request: Omit<CheckRequest, "candidate" | "candidateDtype">;
  private readonly wrt: Input;
  private readonly count: number;
  private known: { readonly point: LossPoint; findings: Findings | null } | null = null;

  constructor(request: Omit<CheckRequest, "candidate" | "candidateDtype">) {
    const { loss, wrt } = request;
    if (loss.shape.length !== 0) {
      throw new ShapeError(`the loss has shape ${formatShape(loss.shape)}; a scalar is needed`);
    }
    if (wrt.kind !== "input") {
      throw new ShapeError("a gradient is checked by an input, and this is a computed value");
    }
    this.request = request;
    this.wrt = wrt;
    this.count = layoutOf(wrt).count;
  }

  /** @param candidate the derived gradient in float64 when null */
  judge(
    candidate: ArrayLike<number> | null,
    type: GradientType = candidate instanceof Float32Array ? "float32" : "float64",
  ): CheckResult {
    if (candidate !== null && candidate.length !== this.count) {
      throw new ShapeError(
        `the gradient has ${candidate.length} entries, ${this.wrt.name} has ${this.count}`,
      );
    }
    const findings = this.findings();
    if (findings.kind !== "reference") return this.withoutReference(findings, candidate);
    const result = this.compare(findings.reference, candidate, type);
    this.request.onProgress?.(1);
    return result;
  }

  /** Gives back what was kept; a later judgement computes it anew. */
  release(): void {
    this.known?.point.release();
    this.known = null;
  }

  private findings(): Findings {
    const { request, wrt } = this;
    this.known ??= {
      point: new LossPoint(request.loss, wrt, request.bindings, request),
      findings: null,
    };
    return (this.known.findings ??= prepare(this.known.point, request));
  }

  private withoutReference(
    findings: WithoutReference,
    candidate: ArrayLike<number> | null,
  ): CheckResult {
    const all = sampleElements(candidate ?? new Float64Array(this.count), []);
    const given = (k: number): number | null =>
      candidate === null ? (findings.kind === "blocked" ? 0 : null) : finite(candidate[k]!);
    const blocked = findings.kind === "blocked";
    return {
      verdict: blocked ? "not-differentiable" : "undefined",
      method: findings.method,
      maxAbsError: null,
      maxRelError: null,
      bound: null,
      maxScaledError: null,
      worst: null,
      sentence: blocked ? words.blockedSentence(findings.words, candidate) : findings.words,
      notes: [],
      gradientError: null,
      lossError: this.known?.point.lossError ?? null,
      performed: findings.gradient,
      elements: all.map((k) => ({
        index: this.indexOf(k),
        analytic: given(k),
        analyticError: null,
        numeric: null,
        numericError: null,
      })),
    };
  }

  private compare(
    reference: Reference,
    candidate: ArrayLike<number> | null,
    type: GradientType,
  ): CheckResult {
    const g = candidate ?? reference.float64();
    const { bound } = reference;
    const comparison = compareGradients(
      g,
      reference.gradient,
      reference.scale,
      type,
      bound,
      reference.excluded,
    );
    const chosen = withWorst(reference.sample, this.count, comparison.worstFew);
    const elementAt = (k: number): CheckedElement => ({
      index: this.indexOf(k),
      analytic: finite(g[k]!),
      analyticError: finite(bound * ROUNDING[type].unit * reference.scale[k]!),
      ...numericAt(reference, k),
    });
    const elements = chosen.map(elementAt);
    const doubt = reference.doubt(chosen);
    const decided = this.decide(reference, g, type, comparison, doubt, chosen);
    const worst = comparison.worst;
    return {
      ...decided,
      maxAbsError: comparison.compared === 0 ? null : comparison.maxAbs,
      maxRelError: comparison.compared === 0 ? null : comparison.maxRel,
      bound,
      maxScaledError:
        comparison.compared === 0
          ? null
          : comparison.notFinite > 0
            ? Infinity
            : comparison.maxScaled,
      worst: worst < 0 ? null : elementAt(worst),
      notes: [...decided.notes, ...frameworkNotes(reference.figures)],
      gradientError: totalsOf(reference.scale, bound * ROUNDING[type].unit),
      lossError: this.known?.point.lossError ?? null,
      performed: null,
      elements,
    };
  }

  private decide(
    reference: Reference,
    g: ArrayLike<number>,
    type: GradientType,
    comparison: GradientComparison,
    doubt: string | null,
    chosen: readonly number[],
  ): Pick<CheckResult, "verdict" | "sentence" | "method" | "notes"> {
    const facts: words.Facts = {
      reference,
      comparison,
      type,
      chosen: chosen.length,
      index: (k) => this.indexOf(k),
      given: (k) => g[k]!,
      total: this.count,
    };
    const notes = [...reference.notes];
    if (type !== "float64") notes.push(words.resolutionNote(type, reference.bound));
    const method = words.methodWords(facts);
    if (doubt !== null) {
      return { verdict: "cannot-be-decided", sentence: words.doubtSentence(doubt), method, notes };
    }
    if (comparison.maxScaled <= reference.bound && comparison.notFinite === 0) {
      const kinks = reference.kinks.length > 0;
      return {
        verdict: kinks ? "not-differentiable" : "agrees",
        sentence: kinks ? words.kinkSentence(facts) : words.agreesSentence(facts),
        method,
        notes,
      };
    }
    if (reference.kinks.length > 0) notes.push(words.kinkNote(facts));
    const computed = comparison.notFinite > 0 ? null : this.roundedIn(type);
    if (computed !== null) {
      const sentence = words.computedSentence(facts, computed);
      return { verdict: "cannot-be-decided", sentence, method, notes };
    }
    const ruling = this.adjudicate(reference, g, type, comparison, chosen);
    notes.push(...ruling.notes);
    return {
      verdict: ruling.verdict,
      sentence:
        ruling.verdict === "differs"
          ? words.differsSentence(facts, ruling)
          : words.undecidedSentence(facts, ruling),
      method,
      notes,
    };
  }

  /**
   * An input that the code computed from others, in this type with errors that the scale of the
   * gradient knows nothing of: what a loss holds of sorted entries is a number like any other to it.
   */
  private roundedIn(type: GradientType): Input | null {
    if (type === "float64") return null;
    const { computed = [], bindings } = this.request;
    return computed.find((x) => boundArray(x, bindings).some((v) => Math.fround(v) !== v)) ?? null;
  }

  /** Which of the two, the given gradient and the derived one, does the loss itself support? */
  private adjudicate(
    reference: Reference,
    g: ArrayLike<number>,
    type: GradientType,
    comparison: GradientComparison,
    chosen: readonly number[],
  ): words.Ruling {
    if (comparison.notFinite > 0) {
      return { verdict: "differs", trial: null, element: null, notes: [] };
    }
    const { hi } = reference.gradient;
    const difference = filled(new Float64Array(this.count), (k) =>
      reference.excluded?.[k] === 1 ? 0 : differenceAt(g, reference.gradient, k),
    );
    // Where it is beyond rounding, the difference is no noise: there the claims lie furthest apart.
    const beyond = filled(new Uint8Array(this.count), (k) =>
      difference[k] !== 0 && comparison.scaledError(k) > reference.bound ? 1 : 0,
    );
    const trial = (d: Directional): words.Trial => reference.tryOut(d, difference);
    let first = trial(reference.probe.along(difference, beyond));
    if (first.gap === 0) first = trial(reference.probe.along(difference));
    const trials = [first];
    if (first.outcome !== "reference" && first.directional.part) {
      trials.push(trial(reference.probe.ridders(difference)));
    }
    const decisive = trials.find((t) => t.outcome === "reference");
    if (decisive !== undefined) {
      return { verdict: "differs", trial: decisive, element: null, notes: [] };
    }
    // Single elements are evaluated in double-double: they tell what float64 sums cannot.
    if (first.outcome !== "given") {
      const unit = ROUNDING[type].unit;
      const element = chosen.find((k) => {
        const numeric = reference.numericAt(k);
        if (numeric === null || reference.excluded?.[k] === 1) return false;
        if (!(comparison.scaledError(k) > reference.bound)) return false;
        const own = numeric.bar + 8 * ROUNDING.float64.unit * reference.scale[k]!;
        return (
          Math.abs(numeric.numeric - hi[k]!) <= own &&
          Math.abs(numeric.numeric - g[k]!) > own + unit * reference.scale[k]!
        );
      });
      if (element !== undefined) {
        return { verdict: "differs", trial: first, element, notes: [] };
      }
    }
    return { verdict: "cannot-be-decided", trial: first, element: null, notes: [] };
  }

  private indexOf(k: number): number[] {
    return unravel(k, layoutOf(this.wrt));
  }
}

/** Of errors that are each so many times an element's scale. */
function totalsOf(scale: Float64Array, times: number): ErrorTotals | null {
  let [largest, sum, square] = [0, 0, 0];
  for (const [first, end] of parts(scale.length)) {
    for (let k = first; k < end; k++) {
      const x = scale[k]!;
      if (x > largest) largest = x;
      sum += x;
      square += x * x;
    }
  }
  const totals = { largest: times * largest, sum: times * sum, norm: times * Math.sqrt(square) };
  // NaN and the infinities are in the sum too.
  return Number.isFinite(sum) && Number.isFinite(square) ? totals : null;
}

/** Null at a kink, where there is no derivative, and where it cannot be had. */
function numericAt(
  reference: Reference,
  element: number,
): Pick<CheckedElement, "numeric" | "numericError"> {
  const d = reference.numericAt(element);
  if (d === null) return { numeric: null };
  if (d.kink || !Number.isFinite(d.numeric)) {
    return { numeric: null, numericError: null };
  }
  return { numeric: d.numeric, numericError: finite(d.bar) };
}

function finite(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}
