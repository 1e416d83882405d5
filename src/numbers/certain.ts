/**
 * Numbers for reports, which print a few digits without a bound: where the rounding of float64 could
 * reach these digits, as where nearly equal terms cancel, the number is evaluated in double-double.
 */
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import {
  float64Bound,
  magnitude,
  operationDepth,
  reductionDepth,
  referenceBound,
} from "./errorScale.ts";
import { parts, filled } from "./interruption.ts";
import { type Kernel, compileKernel } from "./kernel.ts";
import { evaluateReference } from "./reference.ts";
import { type Bindings, type Watch, within } from "./typedArrays.ts";

/** Five digits: reports print at most four of such numbers. */
const CERTAIN = 2 ** -17;
/** Ten digits, of factors of which eight are printed. */
const CERTAIN_ENTRY = 1e-10;
/** Arrays up to this many entries are evaluated in double-double if one entry needs it. */
const FEW = 2 ** 16;
/** Of the time that it takes where some of it is done again in double-double. */
const KERNEL_SHARE = 0.3;

/** Errors in units of the sum of absolute terms. */
interface Bounds {
  readonly float64: number;
  readonly pairs: number;
}

function boundsOf(e: Expr): Bounds {
  return { float64: float64Bound(e), pairs: referenceBound(reductionDepth(e), operationDepth(e)) };
}

/** @param size the sum of the value's absolute terms */
function isCertain(
  value: number,
  size: number,
  { float64 }: Bounds,
  certain: number = CERTAIN,
): boolean {
  const error = float64 * size;
  return !Number.isFinite(error) || error <= certain * Math.abs(value);
}

/** The same scalars, evaluated again and again on other arrays. */
export class CertainScalars {
  private readonly scalars: readonly Expr[];
  private readonly kernel: Kernel;
  private readonly bounds: readonly Bounds[];

  /** @param scalars expressions without axes */
  constructor(scalars: readonly Expr[]) {
    this.scalars = scalars;
    this.kernel = compileKernel([...scalars, ...scalars.map(magnitude)]);
    this.bounds = scalars.map(boundsOf);
  }

  /**
   * Each with five digits that are certain; 0 where even double-double cannot tell it from 0. What is
   * not finite, or has no bound, is as float64 gives it.
   * @throws Cancelled
   */
  at(bindings: Bindings, watch: Watch = {}): number[] {
    const { outputs } = this.kernel.run(bindings, within(watch, 0, KERNEL_SHARE));
    const found = outputs.map((o) => o.data[0]!);
    const size = (k: number): number => found[this.scalars.length + k]!;
    const unsure = this.scalars.flatMap((_, k) =>
      isCertain(found[k]!, size(k), this.bounds[k]!) ? [] : [k],
    );
    const values = found.slice(0, this.scalars.length);
    if (unsure.length === 0) return values;
    const exact = evaluateReference(
      unsure.map((k) => this.scalars[k]!),
      bindings,
      within(watch, KERNEL_SHARE, 1),
    );
    unsure.forEach((k, n) => {
      const value = exact[n]!.hi[0]!;
      values[k] = Math.abs(value) <= this.bounds[k]!.pairs * size(k) ? 0 : value;
    });
    return values;
  }
}

/** Largest magnitude of the entries. */
function most(e: Expr): Expr {
  return b.reduce("max", b.abs(e), null);
}

/**
 * Arrays whose entries are certain to five digits of the largest of them.
 * @throws Cancelled
 */
export function certainArrays(
  arrays: readonly Expr[],
  bindings: Bindings,
  watch: Watch = {},
): Float64Array[] {
  const sizes = arrays.map((e) => most(magnitude(e)));
  const outputs = compileKernel([...arrays, ...arrays.map(most), ...sizes])
    .run(bindings, within(watch, 0, KERNEL_SHARE))
    .outputs.map((o) => o.data);
  const n = arrays.length;
  const again = (k: number): Watch =>
    within(
      watch,
      KERNEL_SHARE + ((1 - KERNEL_SHARE) * k) / n,
      KERNEL_SHARE + ((1 - KERNEL_SHARE) * (k + 1)) / n,
    );
  return arrays.map((e, k) =>
    isCertain(outputs[n + k]![0]!, outputs[2 * n + k]![0]!, boundsOf(e))
      ? outputs[k]!
      : evaluateReference([e], bindings, again(k))[0]!.hi,
  );
}

/**
 * Arrays with ten digits that are certain in each entry; NaN for those of large arrays that rounding
 * leaves fewer of, unless it leaves fewer of the largest, and for those that even double-double does.
 * @throws Cancelled
 */
export function certainEntries(
  arrays: readonly Expr[],
  bindings: Bindings,
  watch: Watch = {},
): Float64Array[] {
  const outputs = compileKernel([...arrays, ...arrays.map(magnitude)])
    .run(bindings, watch)
    .outputs.map((o) => o.data);
  return arrays.map((e, k) => {
    const [values, sizes] = [outputs[k]!, outputs[arrays.length + k]!];
    const { float64, pairs } = boundsOf(e);
    const unsure = (at: number, x: number, unit: number): boolean =>
      !isCertain(x, sizes[at]!, { float64: unit, pairs }, CERTAIN_ENTRY);
    let largest = 0;
    let doubts = 0;
    for (const [first, end] of parts(values.length)) {
      for (let at = first; at < end; at++) {
        if (Math.abs(values[at]!) > Math.abs(values[largest]!)) largest = at;
        doubts += Number(unsure(at, values[at]!, float64));
      }
    }
    if (doubts === 0) return values;
    const again = values.length <= FEW || unsure(largest, values[largest]!, float64);
    const found = again ? evaluateReference([e], bindings, watch)[0]!.hi : values;
    const unit = again ? pairs : float64;
    return filled(new Float64Array(found.length), (at) =>
      unsure(at, found[at]!, unit) ? NaN : found[at]!,
    );
  });
}

/** How far two arrays are apart, and how large their entries are. */
export interface Apart {
  readonly largest: number;
  readonly size: number;
}

/**
 * How far two arrays are apart; null where an entry of their difference is no finite number.
 * @throws Cancelled
 */
export function difference(x: Expr, y: Expr, bindings: Bindings, watch: Watch = {}): Apart | null {
  return differences(x, [y], bindings, watch)[0]!;
}

/**
 * The same of one array and each of several, which are evaluated together: they mostly have much in
 * common.
 * @throws Cancelled
 */
export function differences(
  x: Expr,
  others: readonly Expr[],
  bindings: Bindings,
  watch: Watch = {},
): (Apart | null)[] {
  const bad = others.map((y) => b.sum(b.where(b.unary("isfinite", b.sub(x, y)), b.ZERO, b.ONE)));
  const counts = compileKernel(bad).run(bindings, within(watch, 0, 0.1)).outputs;
  const good = others.filter((_, k) => counts[k]!.data[0] === 0);
  const scalars = new CertainScalars([
    ...good.map((y) => most(b.sub(x, y))),
    most(x),
    ...good.map(most),
  ]);
  const found = good.length === 0 ? [] : scalars.at(bindings, within(watch, 0.1, 1));
  const own = found[good.length]!;
  return others.map((y) => {
    const k = good.indexOf(y);
    return k < 0 ? null : { largest: found[k]!, size: Math.max(own, found[good.length + 1 + k]!) };
  });
}
