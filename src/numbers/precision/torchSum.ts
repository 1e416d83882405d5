/**
 * Sums as PyTorch adds on the CPU, entry by entry: in four interleaved partial sums for each lane of
 * the processor's vectors, gathered in up to four levels so that only numbers of like size meet
 * (`cascade_sum` in aten/src/ATen/native/cpu/SumKernel.cpp; measured on 2.13). Half precision is
 * added in float32 and rounded once, at the end. One thread; more threads add up shares of an array
 * of more than 32,768 entries.
 */
import { throwIfCancelled } from "../interruption.ts";
import { type Held, countOf, isHalf, rounder, numpyWalkingOrder, walkingOrder } from "./held.ts";

/** Float32 numbers in one vector: sums use AVX2, also where there is AVX-512. */
const LANES = 8;
/** Short sums between two looks at whether to stop. */
const LOOK = 1 << 10;

export interface Walk {
  readonly n: number;
  /** Steps in the array and in the sums. */
  readonly from: number;
  readonly to: number;
}

/**
 * The axes from the innermost out, neighbours joined where both arrays run through them evenly.
 * PyTorch takes summed axes first and has the sums in row-major order; NumPy goes by the steps in
 * the array alone.
 */
export function reductionWalk(
  x: Held,
  reduced: readonly boolean[],
  library: "torch" | "numpy",
): Walk[] {
  const steps: number[] = [];
  let step = 1;
  for (let d = x.shape.length - 1; d >= 0; d--) {
    steps[d] = reduced[d]! ? 0 : step;
    if (!reduced[d]!) step *= x.shape[d]!;
  }
  const order =
    library === "torch"
      ? walkingOrder(x.shape, [steps, x.strides], reduced)
      : numpyWalkingOrder(x.shape, x.strides);
  const walks: Walk[] = [];
  for (const d of order) {
    const next = { n: x.shape[d]!, from: x.strides[d]!, to: steps[d]! };
    const last = walks.at(-1);
    if (last === undefined) walks.push(next);
    else if (last.n === 1) walks[walks.length - 1] = next;
    else if (next.n === 1) continue;
    else if (last.from * last.n === next.from && last.to * last.n === next.to) {
      walks[walks.length - 1] = { ...last, n: last.n * next.n };
    } else walks.push(next);
  }
  return walks;
}

/** The sum over `dims`, which do not stay; in the array's own number type. */
export function torchSum(x: Held, dims: readonly number[]): Float64Array {
  const reduced = x.shape.map((_, d) => dims.includes(d));
  const out = new Float64Array(countOf(x.shape.filter((_, d) => !reduced[d]!)));
  const [first = { n: 1, from: 0, to: 0 }, second = { n: 1, from: 0, to: 0 }, ...outer] =
    reductionWalk(x, reduced, "torch");
  if (countOf(x.shape) === 0) return out;
  const sums = new Adder(x, out);
  const visit = (level: number, from: number, to: number): void => {
    const walk = outer[level];
    if (walk === undefined) sums.block(first, second, from, to);
    else for (let k = 0; k < walk.n; k++) visit(level + 1, from + k * walk.from, to + k * walk.to);
  };
  // The outermost axis runs slowest.
  outer.reverse();
  visit(0, x.offset, 0);
  if (isHalf(x.dtype)) sums.finish();
  return out;
}

class Adder {
  private readonly data: Float64Array;
  private readonly out: Float64Array;
  /** Rounds partial sums. */
  private readonly partial: (x: number) => number;
  private readonly round: (x: number) => number;
  private readonly lanes: number;
  /** Whether sums are made in float64; else in float32. */
  private readonly wide: boolean;

  constructor(x: Held, out: Float64Array) {
    this.data = x.data;
    this.out = out;
    const wide = x.dtype === "float64";
    this.wide = wide;
    this.partial = rounder(wide ? "float64" : "float32");
    this.round = rounder(x.dtype);
    this.lanes = wide ? LANES / 2 : LANES;
  }

  /** Two loops over the array, one of which (or both) runs over what is summed. */
  block(first: Walk, second: Walk, from: number, to: number): void {
    const [inner, outer] = first.to !== 0 && second.to === 0 ? [second, first] : [first, second];
    if (inner.to !== 0 && outer.to !== 0) {
      for (let j = 0; j < outer.n; j++) {
        throwIfCancelled();
        for (let i = 0; i < inner.n; i++) {
          const at = from + i * inner.from + j * outer.from;
          this.store(to + i * inner.to + j * outer.to, this.data[at]!);
        }
      }
      return;
    }
    if (inner.from === 1 && inner.n >= this.lanes) this.vectorsAlong(inner, outer, from, to);
    else if (outer.from === 1 && outer.n >= this.lanes) this.vectorsAcross(inner, outer, from, to);
    else if (inner.from < outer.from) {
      for (let j = 0; j < outer.n; j++) {
        if (j % LOOK === 0) throwIfCancelled();
        const at = from + j * outer.from;
        this.store(to + j * outer.to, this.row(at, inner.from, inner.n));
      }
    } else this.rowsOfFour(inner, outer, from, to);
  }

  /** Half precision: rounded once, at the end. */
  finish(): void {
    const { out, round } = this;
    for (let k = 0; k < out.length; k++) out[k] = round(out[k]!);
  }

  private store(at: number, sum: number): void {
    this.out[at] = this.partial(this.out[at]! + sum);
  }

  /** What is summed lies side by side: vectors are added, then their lanes, after what is left over. */
  private vectorsAlong(inner: Walk, outer: Walk, from: number, to: number): void {
    const { lanes, data, partial } = this;
    const count = Math.floor(inner.n / lanes);
    for (let j = 0; j < outer.n; j++) {
      if (j % LOOK === 0) throwIfCancelled();
      const start = from + j * outer.from;
      let sum = 0;
      for (let k = count * lanes; k < inner.n; k++) sum = partial(sum + data[start + k]!);
      // As `row` adds each lane, for all lanes in one go through the memory.
      const rows = Math.floor(count / 4);
      const sums = this.cascades(start, 4 * lanes, rows, 4 * lanes);
      for (let lane = 0; lane < lanes; lane++) {
        let total = sums[lane]!;
        for (let i = 4 * rows; i < count; i++)
          total = partial(total + data[start + lane + i * lanes]!);
        for (let k = 1; k < 4; k++) total = partial(total + sums[lane + k * lanes]!);
        sum = partial(sum + total);
      }
      this.store(to + j * outer.to, sum);
    }
  }

  /** The sums lie side by side: four vectors of them are summed at once, then single ones. */
  private vectorsAcross(inner: Walk, outer: Walk, from: number, to: number): void {
    const { lanes } = this;
    const inFours = Math.floor(outer.n / (4 * lanes)) * 4 * lanes;
    for (let j = 0; j < outer.n; j++) {
      if (j % LOOK === 0) throwIfCancelled();
      const at = from + j;
      if (j >= inFours) this.store(to + j * outer.to, this.row(at, inner.from, inner.n));
      else if (j % (4 * lanes) === 0) {
        const sums = this.cascades(at, inner.from, inner.n, 4 * lanes);
        sums.forEach((sum, k) => {
          this.store(to + (j + k) * outer.to, sum);
        });
      }
    }
  }

  private rowsOfFour(inner: Walk, outer: Walk, from: number, to: number): void {
    const inFours = outer.n - (outer.n % 4);
    for (let j = 0; j < outer.n; j++) {
      if (j % LOOK === 0) throwIfCancelled();
      const at = from + j * outer.from;
      const sum =
        j < inFours ? this.cascade(at, inner.from, inner.n) : this.row(at, inner.from, inner.n);
      this.store(to + j * outer.to, sum);
    }
  }

  /** Of `n` numbers, in steps through the array, every fourth goes to one of four partial sums. */
  private row(at: number, step: number, n: number): number {
    const { data, partial } = this;
    const rows = Math.floor(n / 4);
    const sums = [0, 1, 2, 3].map((k) => this.cascade(at + k * step, 4 * step, rows));
    let total = sums[0]!;
    for (let i = 4 * rows; i < n; i++) total = partial(total + data[at + i * step]!);
    for (let k = 1; k < 4; k++) total = partial(total + sums[k]!);
    return total;
  }

  private cascade(at: number, step: number, n: number): number {
    return this.cascades(at, step, n, 1)[0]!;
  }

  /**
   * Sums that lie side by side, each of `n` numbers in steps: chunks of 16 numbers or more, their sums
   * in chunks of as many, and so on through four levels.
   */
  private cascades(at: number, step: number, n: number, width: number): Float64Array {
    const { data, wide } = this;
    const power = Math.max(4, Math.floor(ceilLog2(n) / 4));
    const chunk = 2 ** power;
    const [a, b, c, d] = [0, 1, 2, 3].map(() => new Float64Array(width)) as [
      Float64Array, Float64Array, Float64Array, Float64Array,
    ]; // prettier-ignore
    const add = wide ? addTo : addToSingle;
    const carry = (up: Float64Array, down: Float64Array): void => {
      add(up, down, 0);
      down.fill(0);
    };
    let i = 0;
    while (i + chunk <= n) {
      for (const end = i + chunk; i < end; i++) add(a, data, at + i * step);
      carry(b, a);
      if (i % chunk ** 2 !== 0) continue;
      throwIfCancelled();
      carry(c, b);
      if (i % chunk ** 3 !== 0) continue;
      carry(d, c);
    }
    for (; i < n; i++) add(a, data, at + i * step);
    for (const level of [b, c, d]) add(a, level, 0);
    return a;
  }
}

/** Adds as many neighbouring numbers to these sums. */
function addTo(sums: Float64Array, data: Float64Array, at: number): void {
  for (let k = 0; k < sums.length; k++) sums[k] = sums[k]! + data[at + k]!;
}

function addToSingle(sums: Float64Array, data: Float64Array, at: number): void {
  for (let k = 0; k < sums.length; k++) sums[k] = Math.fround(sums[k]! + data[at + k]!);
}

function ceilLog2(n: number): number {
  return n <= 2 ? 1 : 32 - Math.clz32(n - 1);
}
