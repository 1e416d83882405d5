/**
 * Running reductions of a loop of vectors, in float64 lanes whatever lanes the terms have.
 *
 * Terms of several steps that go into one sum are added in pairs first. In float64 the rounding
 * errors of all further additions are carried along (Knuth's two-sum). Sums of float32 terms are
 * added up in float64, where the rounding of a whole block is below 2^-40 of its absolute sum.
 */
import type { Accumulator } from "../kernel/loops.ts";
import { inFloat64 } from "./elements.ts";
import type { Lanes, Vector } from "./lanes.ts";
import { SIMD } from "./opcodes.ts";
import { extreme } from "./terms.ts";

/** What the reduction of nothing is; also what lanes that do not count hold. */
export const IDENTITY: Readonly<Record<Accumulator["op"], number | null>> = {
  sum: 0,
  mean: 0,
  prod: 1,
  max: -Infinity,
  min: Infinity,
  any: 0,
  all: 1,
  argmax: null,
  argmin: null,
};

/** Pushes an address. */
export type Address = () => void;

export interface Running {
  readonly accumulator: Accumulator;
  /** The result so far; a variable that changes. */
  readonly total: Vector;
  /** Its rounding errors; null where there are none to speak of. */
  readonly errors: Vector | null;
}

/** How reductions are written down, in the arithmetic of a pass. */
export interface ReductionWriter {
  start(accumulator: Accumulator): Running;
  /** @param firstOnly whether only the first lane of the values counts */
  add(running: Running, values: readonly Vector[], exact: boolean, firstOnly: boolean): void;
  /** Adds to a result in memory and to what accompanies it, lane by lane. */
  addInMemory(
    a: Accumulator,
    value: Vector,
    exact: boolean,
    address: Address,
    second: Address,
    offset: number,
    firstOnly: boolean,
  ): void;
  /** Joins the lanes of a running result and adds them to the result in memory. */
  flush(running: Running, address: Address, second: Address): void;
}

export class Reductions implements ReductionWriter {
  /** Lanes in which results are kept. */
  private readonly wide: Lanes;
  /** Lanes of the terms. */
  private readonly terms: Lanes;

  constructor(terms: Lanes, wide: Lanes) {
    this.terms = terms;
    this.wide = wide;
  }

  start(accumulator: Accumulator): Running {
    const { wide } = this;
    const { body } = wide;
    const total = body.local("v128");
    body.get(wide.constant(IDENTITY[accumulator.op]!));
    body.set(total);
    if (accumulator.op !== "sum" || this.terms.type === "float32") {
      return { accumulator, total, errors: null };
    }
    const errors = body.local("v128");
    body.get(wide.constant(0));
    body.set(errors);
    return { accumulator, total, errors };
  }

  add(running: Running, values: readonly Vector[], exact: boolean, firstOnly: boolean): void {
    const { wide, terms } = this;
    const { accumulator, total, errors } = running;
    const { op } = accumulator;
    // Products in float32 would be rounded, the larger of two is exact.
    const joined = op === "prod" ? values : [inPairs(terms, op, values)];
    for (const value of joined) {
      inFloat64(terms, value).forEach((half, k) => {
        if (firstOnly && k > 0) return;
        const counted = firstOnly
          ? wide.select(wide.firstLane(), half, wide.constant(IDENTITY[op]!))
          : half;
        if (op === "sum" && errors !== null && !exact) this.addTo(total, errors, counted);
        else this.assign(total, combined(wide, op, total, counted));
      });
    }
  }

  addInMemory(
    a: Accumulator,
    value: Vector,
    exact: boolean,
    address: Address,
    second: Address,
    offset: number,
    firstOnly: boolean,
  ): void {
    const { wide } = this;
    inFloat64(this.terms, value).forEach((half, k) => {
      if (firstOnly && k > 0) return;
      const at = offset + 16 * k;
      const total = this.loadTotal(address, at, firstOnly);
      if (a.op !== "sum" || exact) {
        this.storeTotal(combined(wide, a.op, total, half), address, at, firstOnly);
        return;
      }
      const { sum, error } = twoSum(wide, total, half);
      const errors = wide.of("add", this.loadTotal(second, at, firstOnly), error);
      this.storeTotal(sum, address, at, firstOnly);
      this.storeTotal(errors, second, at, firstOnly);
    });
  }

  flush({ accumulator, total, errors }: Running, address: Address, second: Address): void {
    const { wide } = this;
    const { op } = accumulator;
    const other = this.wide.swapped(total);
    const before = this.loadTotal(address, 0, true);
    if (op !== "sum") {
      const joined = combined(wide, op, total, other);
      this.storeTotal(combined(wide, op, before, joined), address, 0, true);
      return;
    }
    const lanes = twoSum(wide, total, other);
    const sum = twoSum(wide, before, lanes.sum);
    let rest = wide.of("add", lanes.error, sum.error);
    if (errors !== null) {
      rest = wide.of("add", rest, wide.of("add", errors, this.wide.swapped(errors)));
    }
    this.storeTotal(sum.sum, address, 0, true);
    this.storeTotal(wide.of("add", this.loadTotal(second, 0, true), rest), second, 0, true);
  }

  private addTo(total: Vector, errors: Vector, value: Vector): void {
    const { sum, error } = twoSum(this.wide, total, value);
    this.assign(errors, this.wide.of("add", errors, error));
    this.assign(total, sum);
  }

  private assign(to: Vector, value: Vector): void {
    this.wide.body.get(value);
    this.wide.body.set(to);
  }

  private loadTotal(address: Address, offset: number, firstOnly: boolean): Vector {
    address();
    this.wide.body.simdMemory(firstOnly ? SIMD.load64Splat : SIMD.load, offset);
    return this.wide.result();
  }

  private storeTotal(x: Vector, address: Address, offset: number, firstOnly: boolean): void {
    const { body } = this.wide;
    address();
    body.get(x);
    if (firstOnly) body.simdMemory(SIMD.store64Lane, offset, 0);
    else body.simdMemory(SIMD.store, offset);
  }
}

/** The sum and its rounding error, itself a float64 (Knuth). NaN where the sum is not finite. */
function twoSum(v: Lanes, s: Vector, x: Vector): { sum: Vector; error: Vector } {
  const sum = v.of("add", s, x);
  const z = v.of("sub", sum, s);
  const error = v.of("add", v.of("sub", s, v.of("sub", sum, z)), v.of("sub", x, z));
  return { sum, error };
}

function combined(v: Lanes, op: Accumulator["op"], x: Vector, y: Vector): Vector {
  switch (op) {
    case "sum":
    case "mean":
      return v.of("add", x, y);
    case "prod":
      return v.of("mul", x, y);
    case "max":
    case "any":
      return extreme(v, "pmax", x, y);
    default:
      return extreme(v, "pmin", x, y);
  }
}

function inPairs(v: Lanes, op: Accumulator["op"], values: readonly Vector[]): Vector {
  if (values.length === 1) return values[0]!;
  const half = values.length / 2;
  const [p, q] = [values.slice(0, half), values.slice(half)];
  return combined(v, op, inPairs(v, op, p), inPairs(v, op, q));
}
