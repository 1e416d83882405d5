/**
 * The derivative of a loss along the sign of a vector, from values of the loss alone: by the
 * known-degree probe where the loss's structure and two unused values allow, else by Ridders'.
 */
import type { Expr } from "../expression/node.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import { type Held, holdBranches } from "./branches.ts";
import { SEVERAL, labelsOf } from "./cells.ts";
import { layoutOf } from "./entries.ts";
import type { LossPoint } from "./lossPoint.ts";
import { type Path, type SizeOfEntries, pathAlong, sizeOfEntries, straightPath } from "./paths.ts";
import {
  type FitDegree,
  type Noise,
  UNIT_ROUNDOFF,
  rationalProbe,
  relativeNoise,
} from "./probe.ts";
import { ridders } from "./ridders.ts";
import { strongestScope } from "./scope.ts";
import { type Cells, type Structure, structureOf } from "./structure.ts";

export type DirectionalMethod = "moebius" | "quadratic" | "ridders";

export interface Directional {
  readonly method: DirectionalMethod;
  readonly derivative: number;
  readonly bar: number;
  /**
   * Derivative of the input by the step: a gradient g claims Σ g·velocity. It holds until another
   * direction is probed.
   */
  readonly velocity: Float64Array;
  /** Whether only one part of the input (a sample, a class) moves. */
  readonly part: boolean;
  readonly evaluations: number;
  /** Misfit at two unused steps in units of what rounding explains; null without a fit. */
  readonly residual: number | null;
  /** The slopes on both sides where they differ. */
  readonly kink: { readonly left: number; readonly right: number } | null;
}

export class DirectionalProbe {
  readonly held: Held;
  readonly structure: Structure;
  private readonly point: LossPoint;
  private readonly labels = new Map<Cells, Int32Array>();
  private readonly size: SizeOfEntries;
  /** Sum of the absolute terms of the loss: what its rounding is in proportion to. */
  private readonly terms: number;
  /** Rounding of the moved inputs themselves, as an error of the loss. */
  private inputNoise = 0;

  constructor(point: LossPoint) {
    this.point = point;
    this.held = holdBranches(point.loss, point.wrt, (exprs) => point.values(exprs));
    this.structure = structureOf(this.held.loss, point.wrt);
    this.size = sizeOfEntries(point.base, point.quietly);
    this.terms = point.lossTerms;
  }

  /**
   * Tells the probe the gradient's size, so that bars hold the rounding of moved inputs too.
   * @param sizeOfMoved Σ |gx| over the entries x of the input
   */
  expectGradient(sizeOfMoved: number): void {
    this.inputNoise = UNIT_ROUNDOFF * sizeOfMoved;
  }

  /** By the known-degree probe if the loss has that form along some path, else by Ridders'. */
  along(toward: TypedArray, among: Uint8Array | null = null): Directional {
    return this.rational(toward, among) ?? this.ridders(toward, among);
  }

  /**
   * By Ridders', whatever the loss's form: every chosen entry moves.
   * @param first largest step, at most 1
   */
  ridders(toward: TypedArray, among: Uint8Array | null = null, first = 1): Directional {
    const path = straightPath({
      base: this.point.base,
      size: this.size,
      toward,
      scope: among,
      options: this.point.beginPath(),
    });
    const r = ridders(this.function(path, 1), this.noise, first);
    return {
      method: "ridders",
      derivative: r.derivative,
      bar: r.bar,
      velocity: path.velocity,
      part: false,
      evaluations: r.evaluations,
      residual: null,
      kink: r.kink,
    };
  }

  /** By a known-degree fit that its residual confirms; null when there is none. */
  rational(toward: TypedArray, among: Uint8Array | null = null): Directional | null {
    const { degree, cells } = this.structure;
    if (degree !== null) return this.fit(toward, among, degree, false);
    for (const part of cells) {
      const labels = this.labelsFor(part);
      const masked = among === null ? labels : labels.map((l, i) => (among[i] === 0 ? SEVERAL : l));
      const scope = strongestScope(
        masked,
        toward,
        this.structure.moving,
        part.degree === 1 ? 2 : 1,
      );
      if (scope === null) continue;
      const found = this.fit(toward, scope.mask, scope.cells === 2 ? 2 : part.degree, true);
      if (found !== null) return found;
    }
    return null;
  }

  private fit(
    toward: TypedArray,
    scope: Uint8Array | null,
    degree: FitDegree,
    part: boolean,
  ): Directional | null {
    const path = pathAlong({
      base: this.point.base,
      size: this.size,
      toward,
      moving: this.structure.moving,
      scope,
      mayLeaveDomain: true,
      options: this.point.beginPath(),
    });
    // A shorter path may keep clear of a pole, or of a kink that was overlooked.
    for (const scale of [1, 1 / 16]) {
      const probe = rationalProbe(this.function(path, scale), degree, this.noise);
      if (probe.residual > 1 || !Number.isFinite(probe.bar)) continue;
      return {
        method: degree === 1 ? "moebius" : "quadratic",
        derivative: probe.derivative / scale,
        bar: probe.bar / scale,
        velocity: path.velocity,
        part,
        evaluations: probe.evaluations,
        residual: probe.residual,
        kink: null,
      };
    }
    return null;
  }

  private function(path: Path, scale: number): (x: number) => number {
    const { loss, arrays } = this.held;
    const value = this.point.along(loss, path, arrays);
    // Every path begins at the point.
    return (x) => (x === 0 ? this.point.value : value(x * scale));
  }

  private get noise(): Noise {
    const relative = relativeNoise(this.point.base.length);
    const { terms, inputNoise } = this;
    return (f) => relative * Math.max(terms, Math.abs(f), Math.abs(1 - f)) + inputNoise;
  }

  private labelsFor(part: Cells): Int32Array {
    let labels = this.labels.get(part);
    if (labels === undefined) {
      const seeds = new Map<Expr, Int32Array>();
      for (const e of part.others) seeds.set(e, new Int32Array(layoutOf(e).count).fill(SEVERAL));
      for (const e of part.nodes) {
        seeds.set(
          e,
          Int32Array.from({ length: layoutOf(e).count }, (_, k) => k + 1),
        );
      }
      labels = labelsOf(this.structure.moving.node, seeds);
      this.labels.set(part, labels);
    }
    return labels;
  }
}
