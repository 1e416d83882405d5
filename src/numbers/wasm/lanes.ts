/**
 * Arithmetic on vectors of float32 or float64 numbers, as instructions appended to a function.
 * Values are local variables that are set once.
 */
import type { FunctionBody } from "./assembler.ts";
import { F32X4, F64X2, type LaneOpcodes, OP, SIMD } from "./opcodes.ts";

/** A local variable that holds a vector. */
export type Vector = number;

export type LaneType = "float32" | "float64";

/** What the terms of a pass are computed in: lanes, or pairs of float64 lanes. */
export type TermType = LaneType | "double-double";

/**
 * Vectors that functions load once at their start. As literals they would be made anew at every use,
 * which costs as much as the arithmetic.
 */
export class ConstantPool {
  private readonly offsets = new Map<string, number>();
  private readonly data: Uint8Array[] = [];
  private size = 0;

  /** Where the vector (or a table of several) stands, in bytes from the start of the pool. */
  offsetOf(bytes: Uint8Array): number {
    const key = bytes.join();
    let offset = this.offsets.get(key);
    if (offset === undefined) {
      offset = this.size;
      this.offsets.set(key, offset);
      this.data.push(bytes);
      this.size += bytes.length;
    }
    return offset;
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const d of this.data) {
      all.set(d, at);
      at += d.length;
    }
    return all;
  }
}

/** What all vectors of a function have in common. */
export interface LaneContext {
  readonly body: FunctionBody;
  readonly pool: ConstantPool;
  /** Local variable with the pool's address. */
  readonly poolAddress: number;
  readonly relaxed: boolean;
  /** Index of an imported function. */
  readonly functionIndex: (name: string, parameters: number) => number;
  /** Constants that this function has loaded. */
  readonly loaded: Map<string, Vector>;
}

const F32_BITS = { bits: 32, mantissa: 23, bias: 127 } as const;
const F64_BITS = { bits: 64, mantissa: 52, bias: 1023 } as const;

/** Coefficients from which on a polynomial is split in two. */
const LONG_POLYNOMIAL = 6;

export class Lanes {
  readonly type: LaneType;
  /** How many numbers a vector holds. */
  readonly width: number;
  readonly format: typeof F32_BITS | typeof F64_BITS;
  readonly context: LaneContext;
  readonly body: FunctionBody;
  private readonly codes: LaneOpcodes;
  private readonly constants = new Map<number, Vector>();

  constructor(type: LaneType, context: LaneContext) {
    this.type = type;
    this.width = type === "float32" ? 4 : 2;
    this.format = type === "float32" ? F32_BITS : F64_BITS;
    this.codes = type === "float32" ? F32X4 : F64X2;
    this.context = context;
    this.body = context.body;
  }

  /** A vector with the same number in every lane. */
  constant(value: number): Vector {
    // −0 would be taken for 0 here.
    const known = value === 0 ? undefined : this.constants.get(value);
    if (known !== undefined) return known;
    const { width } = this;
    const array = width === 4 ? new Float32Array(4).fill(value) : new Float64Array(2).fill(value);
    const made = this.bytes(new Uint8Array(array.buffer));
    if (value !== 0) this.constants.set(value, made);
    return made;
  }

  /** The same whole number in every lane, as bits. */
  bits(value: bigint): Vector {
    const wrapped =
      this.width === 4
        ? new BigUint64Array(2).fill(BigInt.asUintN(32, value) | (BigInt.asUintN(32, value) << 32n))
        : new BigUint64Array(2).fill(BigInt.asUintN(64, value));
    return this.bytes(new Uint8Array(wrapped.buffer));
  }

  /** Different numbers in the lanes. */
  row(values: readonly number[]): Vector {
    const array = this.width === 4 ? Float32Array.from(values) : Float64Array.from(values);
    return this.bytes(new Uint8Array(array.buffer));
  }

  /** All bits of lane 0 and none of the others. */
  firstLane(): Vector {
    return this.bytes(new Uint8Array(16).fill(255, 0, 16 / this.width));
  }

  /** Any vector that is known beforehand. */
  bytes(bytes: Uint8Array): Vector {
    const { body, pool, poolAddress, loaded } = this.context;
    const key = bytes.join();
    let local = loaded.get(key);
    if (local === undefined) {
      const made = (local = body.local("v128"));
      loaded.set(key, made);
      body.first(() => {
        body.get(poolAddress);
        body.simdMemory(SIMD.load, pool.offsetOf(bytes));
        body.set(made);
      });
    }
    return local;
  }

  /** The result of an operation on vectors. */
  of(operation: Exclude<keyof LaneOpcodes, "madd">, ...args: readonly Vector[]): Vector {
    return this.raw(this.codes[operation], ...args);
  }

  raw(opcode: number, ...args: readonly Vector[]): Vector {
    for (const a of args) this.body.get(a);
    this.body.simd(opcode);
    return this.result();
  }

  /** What stands on the stack, as a variable. */
  result(): Vector {
    const to = this.body.local("v128");
    this.body.set(to);
    return to;
  }

  /** a·b + c; rounded once where the engine can. */
  madd(a: Vector, b: Vector, c: Vector): Vector {
    return this.context.relaxed
      ? this.raw(this.codes.madd, a, b, c)
      : this.of("add", this.of("mul", a, b), c);
  }

  /** Lanes of `yes` where the mask is set, else of `no`. */
  select(mask: Vector, yes: Vector, no: Vector): Vector {
    return this.raw(SIMD.bitselect, yes, no, mask);
  }

  /** A mask of the conditions (1 or 0) that `push` leaves on the stack; one alone is that of all. */
  mask(lanes: number, push: (lane: number) => void): Vector {
    const { body } = this;
    const single = this.width === 4;
    for (let lane = 0; lane < lanes; lane++) {
      body.i32(0);
      push(lane);
      body.op(OP.i32Sub);
      if (!single) body.op(OP.i64ExtendI32S);
      if (lane === 0) body.simd(single ? SIMD.i32x4Splat : SIMD.i64x2Splat);
      else body.lane(single ? SIMD.i32x4ReplaceLane : SIMD.i64x2ReplaceLane, lane);
    }
    return this.result();
  }

  /** One lane of a vector, in all lanes. */
  spread(x: Vector, lane: number): Vector {
    const bytes = 16 / this.width;
    this.body.get(x);
    this.body.get(x);
    this.body.shuffle(Array.from({ length: 16 }, (_, k) => lane * bytes + (k % bytes)));
    return this.result();
  }

  /** The halves of a vector in the other order. */
  swapped(x: Vector): Vector {
    this.body.get(x);
    this.body.get(x);
    this.body.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]);
    return this.result();
  }

  and(a: Vector, b: Vector): Vector {
    return this.raw(SIMD.and, a, b);
  }

  or(a: Vector, b: Vector): Vector {
    return this.raw(SIMD.or, a, b);
  }

  not(a: Vector): Vector {
    return this.raw(SIMD.not, a);
  }

  /** Addition of lanes as whole numbers. */
  addBits(a: Vector, b: Vector): Vector {
    return this.raw(this.width === 4 ? SIMD.i32x4Add : SIMD.i64x2Add, a, b);
  }

  subBits(a: Vector, b: Vector): Vector {
    return this.raw(this.width === 4 ? SIMD.i32x4Sub : SIMD.i64x2Sub, a, b);
  }

  shiftLeft(a: Vector, by: number): Vector {
    return this.shift(this.width === 4 ? SIMD.i32x4Shl : SIMD.i64x2Shl, a, by);
  }

  shiftRight(a: Vector, by: number): Vector {
    return this.shift(this.width === 4 ? SIMD.i32x4ShrU : SIMD.i64x2ShrU, a, by);
  }

  private shift(opcode: number, a: Vector, by: number): Vector {
    this.body.get(a);
    this.body.i32(by);
    this.body.simd(opcode);
    return this.result();
  }

  /**
   * Σ cₖ·xᵏ, k = 0 …: long ones as two shorter ones in x², because what takes the time is that each
   * step waits for the one before.
   */
  polynomial(x: Vector, coefficients: readonly number[]): Vector {
    if (coefficients.length < LONG_POLYNOMIAL) return this.horner(x, coefficients);
    const square = this.of("mul", x, x);
    const [even, odd] = [0, 1].map((parity) =>
      this.horner(
        square,
        coefficients.filter((_, k) => k % 2 === parity),
      ),
    );
    return this.madd(odd!, x, even!);
  }

  private horner(x: Vector, coefficients: readonly number[]): Vector {
    let sum = this.constant(coefficients.at(-1)!);
    for (let k = coefficients.length - 2; k >= 0; k--) {
      sum = this.madd(sum, x, this.constant(coefficients[k]!));
    }
    return sum;
  }

  /** x, but at least `least` and at most `most`; NaN stays. The bounds are not 0. */
  between(x: Vector, least: number, most: number): Vector {
    const raised = least === -Infinity ? x : this.of("pmax", x, this.constant(least));
    return most === Infinity ? raised : this.of("pmin", raised, this.constant(most));
  }

  /** A function of float64 numbers that JavaScript computes, lane by lane. */
  imported(name: string, args: readonly Vector[]): Vector {
    const { body } = this;
    const index = this.context.functionIndex(name, args.length);
    const single = this.width === 4;
    // The vector stands on the stack while its lanes are replaced one by one.
    for (let lane = 0; lane < this.width; lane++) {
      for (const a of args) {
        body.get(a);
        body.lane(single ? SIMD.f32x4ExtractLane : SIMD.f64x2ExtractLane, lane);
        if (single) body.op(OP.f64PromoteF32);
      }
      body.call(index);
      if (single) body.op(OP.f32DemoteF64);
      if (lane === 0) body.simd(single ? SIMD.f32x4Splat : SIMD.f64x2Splat);
      else body.lane(single ? SIMD.f32x4ReplaceLane : SIMD.f64x2ReplaceLane, lane);
    }
    return this.result();
  }
}
