/** Numeric derivatives of a loss by single elements at one point, each computed once. */
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { substitute, topological } from "../expression/walk.ts";
import { throwIfCancelled } from "../numbers/interruption.ts";
import type { ReferenceOutput } from "../numbers/reference.ts";
import { type TypedArray, boundArray, boundValue } from "../numbers/typedArrays.ts";
import { holdBranches } from "./branches.ts";
import { type DD, doubleDouble } from "./doubleDouble.ts";
import { type DifferenceSource, type ElementDerivative, elementDerivative } from "./elements.ts";
import { layoutOf } from "./entries.ts";
import type { LossPoint } from "./lossPoint.ts";
import { Perturbation, type Reach } from "./perturb.ts";

/** Error of a loss in double-double beside its terms, with room for a few thousand operations. */
const PRECISION = 2 ** -96;
/** Entries that whole-array evaluations may compute altogether, in double-double. */
const BUDGET = 4e6;

export class ElementDifferences {
  private readonly point: LossPoint;
  private readonly sums: ReadonlyMap<Expr, ReferenceOutput> | null;
  private readonly known = new Map<number, ElementDerivative | null>();
  private sparse: Perturbation<DD> | null = null;
  private whole: ((element: number, step: number) => DD) | null = null;
  private budget = BUDGET;

  /** @param sums the loss's reductions in double-double, where they are known already */
  constructor(point: LossPoint, sums: ReadonlyMap<Expr, ReferenceOutput> | null = null) {
    this.point = point;
    this.sums = sums;
  }

  /** What to evaluate, best together with other things, to spare the first element the work. */
  static reductions(loss: Expr): Expr[] {
    return Perturbation.reductions(loss);
  }

  /** Elements with a numeric derivative so far. */
  get count(): number {
    let n = 0;
    for (const d of this.known.values()) if (d !== null) n++;
    return n;
  }

  /** Null where the loss cannot be evaluated, or only at too great a cost. @throws Cancelled */
  at(element: number): ElementDerivative | null {
    let d = this.known.get(element);
    if (d === undefined) this.known.set(element, (d = this.compute(element)));
    return d;
  }

  private compute(element: number): ElementDerivative | null {
    throwIfCancelled();
    const sparse = (this.sparse ??= this.perturbation());
    const reach = sparse.reach(element);
    const source = (
      valueAt: (element: number, step: number) => DD | null,
    ): DifferenceSource<DD> => ({
      on: doubleDouble,
      toNumber: (x) => x.hi,
      noise: PRECISION * Math.max(1, this.point.lossTerms),
      entry: (k) => Number(this.point.base[k]),
      valueAt,
    });
    if (reach !== null) {
      const own: Reach = reach;
      const d = elementDerivative(
        source((_, step) => sparse.value(own, { hi: step, lo: 0 })),
        element,
      );
      if (d !== null) return d;
    }
    return elementDerivative(
      source((k, step) => this.valueOfWhole(k, step)),
      element,
    );
  }

  private perturbation(): Perturbation<DD> {
    const { point } = this;
    const sums = this.sums ?? this.evaluatedSums();
    const dd = (hi: number, lo = 0): DD => ({ hi, lo });
    return new Perturbation<DD>(point.loss, point.wrt, doubleDouble, {
      input: (e, at) => dd(Number(boundArray(e, point.bindings)[at])),
      reduction: (e, at) => dd(sums.get(e)!.hi[at]!, sums.get(e)!.lo[at]),
      parameter: (e) => dd(e.kind === "parameter" ? boundValue(e, point.bindings) : NaN),
    });
  }

  private evaluatedSums(): ReadonlyMap<Expr, ReferenceOutput> {
    const reductions = Perturbation.reductions(this.point.loss);
    const values = reductions.length === 0 ? [] : this.point.reference(reductions);
    return new Map(reductions.map((e, k) => [e, values[k]!]));
  }

  /** The loss from whole arrays, where one element reaches too much for changes to be followed. */
  private valueOfWhole(element: number, step: number): DD | null {
    this.budget -= costOf(this.point.loss);
    if (this.budget < 0) return null;
    this.whole ??= this.wholeEvaluation();
    return this.whole(element, step);
  }

  private wholeEvaluation(): (element: number, step: number) => DD {
    const { point } = this;
    const held = holdBranches(point.loss, point.wrt, (e) => point.values(e), "detached");
    // The step is added inside the expression, where double-double keeps all of it.
    const shift = b.input("·step", point.wrt.shape);
    const moved = substitute(held.loss, new Map([[point.wrt, b.add(point.wrt, shift)]]));
    const steps = new Float64Array(layoutOf(shift).count);
    const more = new Map<string, TypedArray>(held.arrays).set("·step", steps);
    return (element, step) => {
      steps[element] = step;
      const value = point.reference([moved], more)[0]!;
      steps[element] = 0;
      return { hi: value.hi[0]!, lo: value.lo[0]! };
    };
  }
}

function costOf(loss: Expr): number {
  return topological(loss).reduce((n, e) => n + layoutOf(e).count, 0);
}
