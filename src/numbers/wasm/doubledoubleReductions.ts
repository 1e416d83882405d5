/**
 * Running reductions in double-double. An array that is reduced to holds the low parts of its
 * entries behind all high ones, and so does every slot for a piece of a sweep.
 *
 * Terms go through fewer additions than they do one by one: each of two lanes adds up its own, and
 * pieces are joined in order. The bound of `../reference.ts` holds as it stands.
 */
import type { Accumulator } from "../kernel/loops.ts";
import { type Address, IDENTITY, type ReductionWriter, type Running } from "./accumulators.ts";
import type { DoubleDoubles, Pair } from "./doubledouble.ts";
import type { Vector } from "./lanes.ts";
import { SIMD } from "./opcodes.ts";

export class PairReductions implements ReductionWriter {
  private readonly v: DoubleDoubles;

  constructor(v: DoubleDoubles) {
    this.v = v;
  }

  start(accumulator: Accumulator): Running {
    const { v } = this;
    const [total, errors] = [v.body.local("v128"), v.body.local("v128")];
    this.assign(total, v.constant(IDENTITY[accumulator.op]!));
    this.assign(errors, v.constant(0));
    return { accumulator, total, errors };
  }

  add(running: Running, values: readonly Vector[], _exact: boolean, firstOnly: boolean): void {
    const { v } = this;
    const { accumulator, total, errors } = running;
    const { op } = accumulator;
    const terms = this.inPairs(
      op,
      values.map((x) => v.pair(x)),
    );
    const counted = firstOnly ? v.choose(v.firstLane(), terms, v.exact(IDENTITY[op]!)) : terms;
    const { hi, lo } = this.combined(op, { hi: total, lo: errors }, counted);
    this.assign(total, hi);
    this.assign(errors!, lo!);
  }

  addInMemory(
    a: Accumulator,
    value: Vector,
    _exact: boolean,
    address: Address,
    _second: Address,
    offset: number,
    firstOnly: boolean,
  ): void {
    const total = this.load(a, address, offset, firstOnly);
    this.store(a, this.combined(a.op, total, this.v.pair(value)), address, offset, firstOnly);
  }

  flush({ accumulator, total, errors }: Running, address: Address): void {
    const { op } = accumulator;
    const both: Pair = { hi: total, lo: errors };
    const swapped: Pair = { hi: this.v.swapped(total), lo: this.v.swapped(errors!) };
    const joined = this.combined(op, both, swapped);
    const before = this.load(accumulator, address, 0, true);
    this.store(accumulator, this.combined(op, before, joined), address, 0, true);
  }

  private inPairs(op: Accumulator["op"], terms: readonly Pair[]): Pair {
    if (terms.length === 1) return terms[0]!;
    const half = terms.length / 2;
    const [p, q] = [terms.slice(0, half), terms.slice(half)];
    return this.combined(op, this.inPairs(op, p), this.inPairs(op, q));
  }

  private combined(op: Accumulator["op"], x: Pair, y: Pair): Pair {
    switch (op) {
      case "sum":
      case "mean":
        return this.v.add(x, y);
      case "prod":
        return this.v.mul(x, y);
      case "max":
      case "any":
        return this.v.larger(x, y);
      default:
        return this.v.larger(x, y, "min");
    }
  }

  private assign(to: Vector, value: Vector): void {
    this.v.body.get(value);
    this.v.body.set(to);
  }

  private load(a: Accumulator, address: Address, offset: number, firstOnly: boolean): Pair {
    const { v } = this;
    const [hi, lo] = [0, 8 * a.buffer.count].map((part) => {
      address();
      v.body.simdMemory(firstOnly ? SIMD.load64Splat : SIMD.load, offset + part);
      return v.result();
    }) as [Vector, Vector];
    return { hi, lo };
  }

  private store(
    a: Accumulator,
    x: Pair,
    address: Address,
    offset: number,
    firstOnly: boolean,
  ): void {
    const { body } = this.v;
    const parts: [Vector, number][] = [
      [x.hi, offset],
      [x.lo ?? this.v.constant(0), offset + 8 * a.buffer.count],
    ];
    for (const [part, at] of parts) {
      address();
      body.get(part);
      if (firstOnly) body.simdMemory(SIMD.store64Lane, at, 0);
      else body.simdMemory(SIMD.store, at);
    }
  }
}
