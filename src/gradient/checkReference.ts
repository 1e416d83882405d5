/** The derived gradient at a point, and what values of the loss alone say about it. */
import type { Expr, Input } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { errorBound, operationDepth, reductionDepth } from "../numbers/errorScale.ts";
import { parts, filled } from "../numbers/interruption.ts";
import { ROUNDING, type ReferenceGradient } from "./compareGradients.ts";
import * as words from "./checkWords.ts";
import { blockers, derive, receivesGradient } from "./derive.ts";
import { type Directional, DirectionalProbe } from "./directional.ts";
import { type ElementDerivative, sampleElements } from "./elements.ts";
import { ElementDifferences } from "./elementDifferences.ts";
import { layoutOf, unravel } from "./entries.ts";
import type { GradientFigures } from "./frameworks.ts";
import { type Kink, kinksAt } from "./kinks.ts";
import type { EntryFigures, LossPoint } from "./lossPoint.ts";
import { countWords, indexWords, nodeWords, number } from "./nodeWords.ts";
import { causeOf } from "./undefinedAt.ts";

/** The loss or its gradient is not a finite number; or no gradient reaches the input. */
export interface WithoutReference {
  readonly kind: "undefined" | "blocked";
  readonly words: string;
  readonly method: string;
  /** What the loss's own operations give, where it is this that is not finite. */
  readonly gradient: Float64Array | null;
}

export type Findings =
  WithoutReference | { readonly kind: "reference"; readonly reference: Reference };

const LARGEST_REFERENCE = 2 ** 24;

/** Largest steps with which a numeric derivative is tried again. */
const SHORTER_STEPS: readonly number[] = [1 / 16, 1 / 256, 1 / 4096];
/** What a numeric derivative is to be known to, in relation to the derivative. */
const ROUGH = 1e-3;

/** Evaluates, derives, and confirms. What it gives holds until the point is released. */
export function prepare(
  point: LossPoint,
  request: { readonly gradient?: Expr; readonly largestReference?: number },
): Findings {
  const { loss, wrt } = point;
  point.enter(0, 0.1);
  const { value } = point;
  if (!Number.isFinite(value)) {
    const cause = causeOf(loss, 0, point);
    return undefinedFinding(
      `the loss is ${value} because ${cause.words}`,
      "the loss was evaluated",
      null,
    );
  }
  if (!receivesGradient(loss, wrt)) {
    return {
      kind: "blocked",
      words: blockedWords(loss, wrt),
      method: "the loss's formula was followed from its value to the input",
      gradient: null,
    };
  }
  point.enter(0.1, 0.4);
  const gradientExpr = request.gradient ?? derive(loss, wrt);
  const exact = point.base.length <= (request.largestReference ?? LARGEST_REFERENCE);
  // In one go with the loss's sums, which single elements are judged by later.
  const reductions = exact ? ElementDifferences.reductions(loss) : [];
  const [exactGradient, ...sums] = exact ? point.reference([gradientExpr, ...reductions]) : [];
  const gradient: ReferenceGradient = exactGradient ?? {
    hi: point.values([gradientExpr])[0]!,
    lo: null,
  };
  const known = exact ? new Map(reductions.map((e, k) => [e, sums[k]!])) : null;
  const figures = point.figuresOf(gradient.hi);
  if (figures.notFinite > 0) {
    const bad = gradient.hi.findIndex((x) => !Number.isFinite(x));
    const cause = causeOf(gradientExpr, bad, point);
    const index = indexWords(unravel(bad, layoutOf(wrt)));
    const more = figures.notFinite - 1;
    const others = more > 0 ? ` and ${countWords(more)} more` : "";
    return undefinedFinding(
      `the gradient is ${gradient.hi[bad]!} at ${index}${others} because ${cause.words}; the loss itself is ${number(value, 6)}`,
      "the derived gradient was evaluated",
      gradient.hi,
    );
  }
  point.enter(0.4, 0.8);
  const reference = new Reference(
    point,
    gradientExpr,
    gradient,
    figures,
    value,
    new ElementDifferences(point, known),
  );
  point.enter(0.8, 1);
  return { kind: "reference", reference };
}

function undefinedFinding(text: string, method: string, gradient: Float64Array | null): Findings {
  return { kind: "undefined", words: text, method, gradient };
}

function blockedWords(loss: Expr, wrt: Input): string {
  if (!topological(loss).includes(wrt)) {
    return `the loss does not depend on ${nodeWords(wrt)}, so its gradient is zero everywhere`;
  }
  const stopped = blockers(loss, wrt).filter((b) => !b.partial);
  const through = stopped.map((b) => `${nodeWords(b.node)} (${b.reason})`);
  const list = through.length === 0 ? "" : `: all paths end at ${through.join(", ")}`;
  return `no gradient reaches ${nodeWords(wrt)}${list}`;
}

/** A directional derivative without the path, which is as large as the input. */
export type Summary = Omit<Directional, "velocity">;

interface Confirmation {
  readonly directional: Summary;
  readonly claim: number;
  /** How the derived gradient and the loss disagree; null if they do not. */
  readonly doubt: string | null;
}

export class Reference {
  readonly gradient: ReferenceGradient;
  /** Sum of the absolute terms of each element. */
  readonly scale: Float64Array;
  /** Largest scaled error of right code. */
  readonly bound: number;
  readonly probe: DirectionalProbe;
  /** The numeric derivative along the gradient's sign; null where nothing may move. */
  readonly confirmation: Summary | null;
  /** Over the whole input, where the confirmation moves a part of it. */
  readonly secondOpinion: Summary | null;
  readonly kinks: readonly Kink[];
  /** Elements at a kink: how many, and 1 for each. */
  readonly kinked: number;
  readonly excluded: Uint8Array | null;
  /** Elements to look at one by one. */
  readonly sample: readonly number[];
  readonly figures: GradientFigures;
  readonly notes: readonly string[];
  private readonly point: LossPoint;
  private readonly gradientExpr: Expr;
  private readonly differences: ElementDifferences;
  private readonly directionalDoubt: string | null;

  constructor(
    point: LossPoint,
    gradientExpr: Expr,
    gradient: ReferenceGradient,
    figures: EntryFigures,
    value: number,
    differences: ElementDifferences,
  ) {
    this.point = point;
    this.gradientExpr = gradientExpr;
    this.gradient = gradient;
    this.scale = point.errorScale(gradientExpr);
    this.bound = errorBound(reductionDepth(gradientExpr), operationDepth(gradientExpr));
    this.differences = differences;
    this.figures = {
      ...figures,
      elements: gradient.hi.length,
      loss: value,
      isFloat32: point.base instanceof Float32Array,
    };
    this.kinks = kinksAt(point, (k) => this.differences.at(k));
    this.excluded = maskOf(this.kinks, gradient.hi.length);
    this.kinked = this.excluded === null ? 0 : countOf(this.excluded);
    this.sample = sampleElements(gradient.hi, alignedArrays(point));
    this.probe = new DirectionalProbe(point);
    this.probe.expectGradient(figures.sizeOfMoved);
    const free = gradient.hi.length - this.kinked;
    const first = free === 0 ? null : this.confirm("best");
    const second = first?.directional.part === true ? this.confirm("ridders") : null;
    this.confirmation = first?.directional ?? null;
    this.secondOpinion = second?.directional ?? null;
    this.directionalDoubt = first?.doubt ?? second?.doubt ?? null;
    this.notes = this.findings(first);
  }

  /** The derived gradient as float64 arithmetic gives it. */
  float64(): Float64Array {
    return this.point.values([this.gradientExpr])[0]!;
  }

  /** Numeric derivative of the loss by one element; null where it cannot be had. */
  numericAt(element: number): ElementDerivative | null {
    return this.differences.at(element);
  }

  get numericCount(): number {
    return this.differences.count;
  }

  /** Compares what two gradients claim along a path with the numeric derivative there. */
  tryOut(directional: Directional, difference: Float64Array): words.Trial {
    const ours = this.point.claimOf(this.gradient.hi, directional.velocity);
    const gap = this.point.claimOf(difference, directional.velocity);
    const theirs = ours.value + gap.value;
    const bar = directional.bar + ours.rounding + gap.rounding;
    const includesOurs = Math.abs(directional.derivative - ours.value) <= bar;
    const includesTheirs = Math.abs(directional.derivative - theirs) <= bar;
    const outcome =
      includesOurs === includesTheirs ? "neither" : includesOurs ? "reference" : "given";
    return { directional, ours: ours.value, theirs, gap: Math.abs(gap.value), bar, outcome };
  }

  /** What speaks against the derived gradient being the derivative of the loss; null if nothing. */
  doubt(elements: readonly number[]): string | null {
    if (this.directionalDoubt !== null) return this.directionalDoubt;
    let told = 0;
    for (const k of elements) {
      const numeric = this.numericAt(k);
      if (numeric === null || numeric.kink || this.excluded?.[k] === 1) continue;
      told++;
      const allowed = 4 * numeric.bar + this.bound * ROUNDING.float64.unit * this.scale[k]!;
      if (!(Math.abs(numeric.numeric - this.gradient.hi[k]!) > allowed)) continue;
      const index = indexWords(unravel(k, layoutOf(this.point.wrt)));
      return `at ${index} it is ${number(this.gradient.hi[k]!, 6)}, the loss itself gives ${number(numeric.numeric, 6)} ± ${number(numeric.bar)}`;
    }
    const usable = this.confirmation !== null && Number.isFinite(this.confirmation.bar);
    if (!usable && told === 0 && this.kinked < this.gradient.hi.length) {
      return "the loss cannot be evaluated near this point";
    }
    return null;
  }

  /** A numeric derivative along the gradient's sign; a zero gradient is tested where all move. */
  private confirm(by: "best" | "ridders"): Confirmation {
    const { hi } = this.gradient;
    const toward = this.figures.maxAbs === 0 ? new Float64Array(hi.length).fill(1) : hi;
    const { excluded } = this;
    const among =
      excluded === null ? null : filled(new Uint8Array(hi.length), (k) => 1 - excluded[k]!);
    const { velocity, ...found } =
      by === "best" ? this.probe.along(toward, among) : this.probe.ridders(toward, among);
    let directional = found;
    const claim = this.point.claimOf(hi, velocity);
    const excludes = (derivative: number, bar: number): boolean =>
      Math.abs(derivative - claim.value) > bar + claim.rounding;
    let doubted = excludes(directional.derivative, directional.bar);
    // Ridders' estimate of its own error is too small now and then, as beside many roots of nearly
    // nothing: shorter steps must agree, and know it as well.
    for (const first of SHORTER_STEPS) {
      if (!doubted || directional.method !== "ridders") break;
      const { velocity: _same, ...again } = this.probe.ridders(toward, among, first);
      const knows = again.bar <= Math.max(directional.bar, ROUGH * Math.abs(claim.value));
      if (!knows || excludes(again.derivative, again.bar)) continue;
      doubted = false;
      directional = again;
    }
    const { derivative, bar } = directional;
    const doubt = doubted
      ? `along its sign it claims ${number(claim.value, 6)}, the loss itself gives ${number(derivative, 6)} ± ${number(bar)}`
      : null;
    return { directional, claim: claim.value, doubt };
  }

  private findings(confirmation: Confirmation | null): string[] {
    const notes: string[] = [];
    if (confirmation !== null) {
      const { directional, claim } = confirmation;
      const residual = words.residualNote(directional);
      if (residual !== null) notes.push(residual);
      if (claim !== 0 && !(directional.bar < ROUGH * Math.abs(claim))) {
        notes.push(
          `along the gradient's sign the numeric derivative is known to ± ${number(directional.bar)} only, beside ${number(claim)}`,
        );
      }
    }
    const held = this.probe.held.nodes;
    if (held.length > 0) {
      const names = held.slice(0, 4).map(nodeWords).join(", ");
      notes.push(
        `along a direction the loss was evaluated with ${names}${held.length > 4 ? " and others" : ""} held as at this point, as its gradient takes them`,
      );
    }
    return notes;
  }
}

function maskOf(kinks: readonly Kink[], n: number): Uint8Array | null {
  if (kinks.length === 0) return null;
  const mask = new Uint8Array(n);
  for (const { elements } of kinks) {
    for (const [first, end] of parts(elements.length)) {
      for (let j = first; j < end; j++) mask[elements[j]!] = 1;
    }
  }
  return mask;
}

function countOf(mask: Uint8Array): number {
  let count = 0;
  for (const [first, end] of parts(mask.length)) {
    for (let k = first; k < end; k++) count += mask[k]!;
  }
  return count;
}

/** Other arrays of the input's size: the target, weights. */
function alignedArrays(point: LossPoint): ArrayLike<number>[] {
  const found: ArrayLike<number>[] = [];
  for (const e of topological(point.loss)) {
    if (e.kind !== "input" || e === point.wrt) continue;
    const data = point.bindings.get(e.name);
    if (typeof data === "object" && data.length === point.base.length) found.push(data);
  }
  return found;
}
