/** Numbers from a gradient: single entries, means and largest magnitudes, by compiled kernels. */
import { axis } from "../../expression/axis.ts";
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { layoutOf } from "../../gradient/entries.ts";
import { CertainScalars } from "../../numbers/certain.ts";
import { type Bindings, type Watch, within } from "../../numbers/typedArrays.ts";

/** One entry of an expression, by its flat position. */
export function entryOf(e: Expr, at: number): Expr {
  const { count } = layoutOf(e);
  return b.index(b.reshape(e, [axis("entry", count)]), 0, at);
}

/** Mean magnitude over the entries where `chosen` is not 0; `count` is how many these are. */
export function meanMagnitude(e: Expr, chosen: Expr, count: Expr): Expr {
  return b.div(b.sum(b.where(chosen, b.abs(e), b.ZERO)), count);
}

/** Evaluates the same scalars again and again on other arrays. */
export class Scalars {
  private readonly scalars: CertainScalars;

  constructor(scalars: readonly Expr[]) {
    this.scalars = new CertainScalars(scalars);
  }

  at(bindings: Bindings, watch: Watch): number[] {
    return this.scalars.at(bindings, watch);
  }

  /** At one point after the other, in order. */
  along(points: readonly number[], bound: (point: number) => Bindings, watch: Watch): number[][] {
    return points.map((point, k) => {
      const [from, to] = [k / points.length, (k + 1) / points.length];
      watch.onProgress?.(from);
      return this.at(bound(point), within(watch, from, to));
    });
  }
}
