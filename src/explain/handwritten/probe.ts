/**
 * Numbers at a few points, to see quickly which of many candidates can be a given gradient. It only
 * ever rules candidates out: that two gradients are the same is decided by `decideEqual`.
 */
import { elementCount } from "../../expression/axis.ts";
import { decideEqual } from "../../expression/equality.ts";
import {
  type PointPlan,
  drawnPoint,
  generator,
  guessRange,
} from "../../expression/equalityPoints.ts";
import { smallSizes } from "../../expression/equalitySizes.ts";
import { type BoundArray, evaluate } from "../../expression/evaluate.ts";
import type { Expr } from "../../expression/node.ts";
import { resize, topological } from "../../expression/walk.ts";

const POINTS = 2;
const TOLERANCE = 1e-9;

export class Probe {
  private readonly sizes: ReadonlyMap<string, number>;
  private readonly points: readonly ReadonlyMap<string, BoundArray>[];
  private readonly count: number;
  private readonly known = new Map<Expr, Float64Array | null>();

  /** @param like a gradient: candidates have its shape; `roots` have all inputs that will occur */
  constructor(roots: readonly Expr[], like: Expr) {
    this.sizes = smallSizes(roots)[0] ?? new Map();
    const sized = roots.map((e) => resize(e, this.sizes));
    const all = topological(...sized);
    const inputs = all.filter((e) => e.kind === "input");
    const plan: PointPlan = {
      inputs,
      parameters: all.filter((e) => e.kind === "parameter"),
      ranges: new Map(inputs.map((x) => [x.name, guessRange(x, sized)])),
      free: false,
    };
    const next = generator(11);
    this.points = Array.from({ length: POINTS }, () => drawnPoint(plan, next).bindings);
    this.count = elementCount(resize(like, this.sizes).shape) ?? 1;
  }

  /** Entries at all points, one after another; null where it has another shape or is undefined. */
  values(e: Expr): Float64Array | null {
    const known = this.known.get(e);
    if (known !== undefined) return known;
    const found = this.evaluate(e);
    this.known.set(e, found);
    return found;
  }

  private evaluate(e: Expr): Float64Array | null {
    const all = new Float64Array(POINTS * this.count);
    try {
      const sized = resize(e, this.sizes);
      for (const [k, bindings] of this.points.entries()) {
        const { data } = evaluate(sized, bindings);
        if (data.length !== this.count && data.length !== 1) return null;
        for (let n = 0; n < this.count; n++) {
          all[k * this.count + n] = data[data.length === 1 ? 0 : n]!;
        }
      }
    } catch {
      return null; // shapes that do not go together: no candidate
    }
    return all.every(Number.isFinite) ? all : null;
  }

  /** Whether `candidate` may be `e`: they agree at the points. */
  mayBe(candidate: Expr, e: Expr): boolean {
    const [a, b] = [this.values(candidate), this.values(e)];
    return a !== null && b !== null && sameNumbers(a, b);
  }

  /** Whether e may be `of` times a quantity that is one number for all entries. */
  isMultiple(e: Expr, of: Expr): boolean {
    const [a, b] = [this.values(e), this.values(of)];
    if (a === null || b === null) return false;
    return this.points.every((_, p) => {
      const [x, y] = [a, b].map((v) => v.subarray(p * this.count, (p + 1) * this.count));
      const k = y!.reduce((best, v, n) => (Math.abs(v) > Math.abs(y![best]!) ? n : best), 0);
      const c = x![k]! / y![k]!;
      return (
        Number.isFinite(c) &&
        c !== 0 &&
        sameNumbers(
          x!,
          y!.map((v) => c * v),
        )
      );
    });
  }

  /** The number c for which e = c·of may hold, if there is one. */
  factor(e: Expr, of: Expr): number | null {
    const [a, b] = [this.values(e), this.values(of)];
    if (a === null || b === null) return null;
    let k = 0;
    for (let n = 1; n < b.length; n++) if (Math.abs(b[n]!) > Math.abs(b[k]!)) k = n;
    if (b[k] === 0) return null;
    const c = a[k]! / b[k]!;
    return c !== 0 &&
      sameNumbers(
        a,
        b.map((v) => c * v),
      )
      ? c
      : null;
  }
}

export function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  let scale = 0;
  for (const v of a) scale = Math.max(scale, Math.abs(v));
  for (const v of b) scale = Math.max(scale, Math.abs(v));
  return a.every((v, k) => Math.abs(v - b[k]!) <= TOLERANCE * scale);
}

/** Whether two gradients are the same function where the loss is defined. */
export const sameGradient = (a: Expr, b: Expr): boolean =>
  decideEqual(a, b, { degenerate: false }).equal === true;
