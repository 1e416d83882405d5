/** Entries of arrays in memory as lanes, and lanes as entries. */
import { type Entries, isStored } from "../typedArrays.ts";
import type { Lanes, Vector } from "./lanes.ts";
import { OP, SIMD } from "./opcodes.ts";

export type ElementType = "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | "f32" | "f64";

/** Logarithm to base 2 of the bytes that an entry takes. */
export const ELEMENT_SHIFT: Readonly<Record<ElementType, number>> = {
  i8: 0,
  u8: 0,
  i16: 1,
  u16: 1,
  i32: 2,
  u32: 2,
  f32: 2,
  f64: 3,
};

const BY_NAME: Readonly<Record<string, ElementType>> = {
  Int8Array: "i8",
  Uint8Array: "u8",
  Uint8ClampedArray: "u8",
  Int16Array: "i16",
  Uint16Array: "u16",
  Int32Array: "i32",
  Uint32Array: "u32",
  Float32Array: "f32",
  Float64Array: "f64",
};

export function elementTypeOf(array: Entries): ElementType {
  const like = isStored(array) ? array.like : array;
  return BY_NAME[like[Symbol.toStringTag]]!;
}

/** Small whole numbers, whose sums are exact. */
export function isSmallInteger(type: ElementType): boolean {
  return type === "i8" || type === "u8" || type === "i16" || type === "u16";
}

/** Types whose every value is a float32 number. */
export function fitsFloat32(type: ElementType): boolean {
  return type === "f32" || isSmallInteger(type);
}

/** Loads one entry, so many bytes behind the address on the stack, into every lane. */
export function loadOne(v: Lanes, type: ElementType, offset = 0): Vector {
  const { body } = v;
  const single = v.type === "float32";
  if (type === "f64" && !single) body.simdMemory(SIMD.load64Splat, offset);
  else if (type === "f32") {
    body.simdMemory(SIMD.load32Splat, offset);
    if (!single) body.simd(SIMD.f64x2PromoteLow);
  } else {
    switch (type) {
      case "f64":
        body.memory(OP.f64Load, offset);
        break;
      case "u32":
        body.memory(OP.i32Load, offset);
        body.op(OP.f64ConvertI32U);
        break;
      default:
        body.memory(INTEGER_LOADS[type], offset);
        body.op(OP.f64ConvertI32S);
    }
    if (single) {
      body.op(OP.f32DemoteF64);
      body.simd(SIMD.f32x4Splat);
    } else body.simd(SIMD.f64x2Splat);
  }
  return v.result();
}

const INTEGER_LOADS = {
  i8: OP.i32Load8S,
  u8: OP.i32Load8U,
  i16: OP.i32Load16S,
  u16: OP.i32Load16U,
  i32: OP.i32Load,
} as const;

/** Loads as many neighbouring entries as there are lanes; the address is pushed by `address`. */
export function loadRow(v: Lanes, type: ElementType, address: () => void, offset: number): Vector {
  const { body } = v;
  const single = v.type === "float32";
  address();
  switch (type) {
    case "f64":
      body.simdMemory(SIMD.load, offset);
      if (!single) break;
      body.simd(SIMD.f32x4DemoteF64x2);
      address();
      body.simdMemory(SIMD.load, offset + 16);
      body.simd(SIMD.f32x4DemoteF64x2);
      body.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
      break;
    case "f32":
      body.simdMemory(single ? SIMD.load : SIMD.load64Zero, offset);
      if (!single) body.simd(SIMD.f64x2PromoteLow);
      break;
    case "i32":
    case "u32":
      body.simdMemory(single ? SIMD.load : SIMD.load64Zero, offset);
      convertIntegers(v, type === "i32");
      break;
    case "i16":
    case "u16": {
      const signed = type === "i16";
      if (single) body.simdMemory(signed ? SIMD.load16x4S : SIMD.load16x4U, offset);
      else {
        body.simdMemory(SIMD.load32Zero, offset);
        body.simd(signed ? SIMD.i32x4ExtendLowI16x8S : SIMD.i32x4ExtendLowI16x8U);
      }
      convertIntegers(v, true);
      break;
    }
    case "i8":
    case "u8": {
      const signed = type === "i8";
      body.simdMemory(single ? SIMD.load32Zero : SIMD.load16Splat, offset);
      body.simd(signed ? SIMD.i16x8ExtendLowI8x16S : SIMD.i16x8ExtendLowI8x16U);
      body.simd(signed ? SIMD.i32x4ExtendLowI16x8S : SIMD.i32x4ExtendLowI16x8U);
      convertIntegers(v, true);
      break;
    }
  }
  return v.result();
}

/** Whole numbers, which `push` leaves on the stack lane by lane, as a vector. */
export function fromIntegers(v: Lanes, push: (lane: number) => void, signed = true): Vector {
  const { body } = v;
  for (let lane = 0; lane < v.width; lane++) {
    push(lane);
    if (lane === 0) body.simd(SIMD.i32x4Splat);
    else body.lane(SIMD.i32x4ReplaceLane, lane);
  }
  convertIntegers(v, signed);
  return v.result();
}

/** Lanes as whole numbers of 32 bits, those below 0 as 0 and those above `most` as that. */
export function wholeNumbers(v: Lanes, x: Vector, most: number): Vector {
  const single = v.type === "float32";
  const whole = v.raw(single ? SIMD.i32x4TruncSatF32x4S : SIMD.i32x4TruncSatF64x2SZero, x);
  const all = (n: number): Vector => v.bytes(new Uint8Array(Int32Array.of(n, n, n, n).buffer));
  return v.raw(SIMD.i32x4MinS, v.raw(SIMD.i32x4MaxS, whole, all(0)), all(most));
}

/** Loads an entry for each lane, from the address that `address` pushes for it. */
export function gather(v: Lanes, type: ElementType, address: (lane: number) => void): Vector {
  const { body } = v;
  const single = v.type === "float32";
  if (type === "f64") {
    const low = gatherRow(v, SIMD.load64Zero, SIMD.load64Lane, 2, address);
    if (!single) return low;
    const high = gatherRow(v, SIMD.load64Zero, SIMD.load64Lane, 2, (k) => {
      address(k + 2);
    });
    const halves = [low, high].map((x) => v.raw(SIMD.f32x4DemoteF64x2, x));
    for (const x of halves) body.get(x);
    body.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
    return v.result();
  }
  if (type === "f32") {
    const loaded = gatherRow(v, SIMD.load32Zero, SIMD.load32Lane, v.width, address);
    return single ? loaded : v.raw(SIMD.f64x2PromoteLow, loaded);
  }
  const load = INTEGER_LOADS[type === "u32" ? "i32" : type];
  const push = (lane: number): void => {
    address(lane);
    body.memory(load);
  };
  return fromIntegers(v, push, type !== "u32");
}

/** Loads lanes as they are, the first with an instruction that makes the others zero. */
function gatherRow(
  v: Lanes,
  first: number,
  others: number,
  lanes: number,
  address: (lane: number) => void,
): Vector {
  address(0);
  v.body.simdMemory(first);
  let loaded = v.result();
  for (let lane = 1; lane < lanes; lane++) {
    address(lane);
    v.body.get(loaded);
    v.body.simdMemory(others, 0, lane);
    loaded = v.result();
  }
  return loaded;
}

function convertIntegers(v: Lanes, signed: boolean): void {
  if (v.type === "float32") {
    v.body.simd(signed ? SIMD.f32x4ConvertI32x4S : SIMD.f32x4ConvertI32x4U);
  } else v.body.simd(signed ? SIMD.f64x2ConvertLowI32x4S : SIMD.f64x2ConvertLowI32x4U);
}

/** A vector as vectors of float64 numbers: itself, or its two halves. */
export function inFloat64(v: Lanes, x: Vector): Vector[] {
  if (v.type === "float64") return [x];
  const { body } = v;
  const low = v.raw(SIMD.f64x2PromoteLow, x);
  body.get(x);
  body.get(x);
  body.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
  body.simd(SIMD.f64x2PromoteLow);
  return [low, v.result()];
}

/** The number that all lanes of a float64 vector have, in lanes of `v`. */
export function fromFloat64(v: Lanes, x: Vector): Vector {
  if (v.type === "float64") return x;
  const { body } = v;
  const demoted = v.raw(SIMD.f32x4DemoteF64x2, x);
  body.get(demoted);
  body.get(demoted);
  body.shuffle([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
  return v.result();
}

/** Stores every lane at the address that `address` pushes for it. */
export function scatter(
  v: Lanes,
  type: "f32" | "f64",
  x: Vector,
  address: (lane: number) => void,
): void {
  const { body } = v;
  const wide = type === "f64";
  const narrow = (): Vector => (v.type === "float32" ? x : v.raw(SIMD.f32x4DemoteF64x2, x));
  const parts = wide ? inFloat64(v, x) : [narrow()];
  for (let lane = 0; lane < v.width; lane++) {
    address(lane);
    body.get(wide ? parts[lane >> 1]! : parts[0]!);
    body.simdMemory(wide ? SIMD.store64Lane : SIMD.store32Lane, 0, wide ? lane & 1 : lane);
  }
}

/** Stores all lanes (or the first alone) from the address on. Arrays that are written hold floats. */
export function store(
  v: Lanes,
  type: "f32" | "f64",
  x: Vector,
  address: () => void,
  offset: number,
  firstOnly: boolean,
): void {
  const { body } = v;
  if (type === "f64") {
    inFloat64(v, x).forEach((half, k) => {
      if (firstOnly && k > 0) return;
      address();
      body.get(half);
      if (firstOnly) body.simdMemory(SIMD.store64Lane, offset, 0);
      else body.simdMemory(SIMD.store, offset + 16 * k);
    });
    return;
  }
  const single = v.type === "float32" ? x : v.raw(SIMD.f32x4DemoteF64x2, x);
  address();
  body.get(single);
  if (firstOnly) body.simdMemory(SIMD.store32Lane, offset, 0);
  else if (v.type === "float64") body.simdMemory(SIMD.store64Lane, offset, 0);
  else body.simdMemory(SIMD.store, offset);
}
