/**
 * Opcodes of WebAssembly (core specification 2.0, relaxed SIMD as in 3.0) that kernels are made of.
 * Those of vectors stand behind the prefix 0xfd.
 */

export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  call: 0x10,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8S: 0x2c,
  i32Load8U: 0x2d,
  i32Load16S: 0x2e,
  i32Load16U: 0x2f,
  f64Store: 0x39,
  i32Const: 0x41,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32GtS: 0x4a,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GeS: 0x4e,
  f64Eq: 0x61,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivS: 0x6d,
  i32RemS: 0x6f,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Or: 0x72,
  i32Shl: 0x74,
  f64Add: 0xa0,
  f64Sub: 0xa1,
  i64ExtendI32S: 0xac,
  f64ConvertI32S: 0xb7,
  f64ConvertI32U: 0xb8,
  f32DemoteF64: 0xb6,
  f64PromoteF32: 0xbb,
} as const;

/** Behind the prefix 0xfd. */
export const SIMD = {
  load: 0x00,
  load16x4S: 0x03,
  load16x4U: 0x04,
  load8Splat: 0x07,
  load16Splat: 0x08,
  load32Splat: 0x09,
  load64Splat: 0x0a,
  store: 0x0b,
  const: 0x0c,
  shuffle: 0x0d,
  i32x4Splat: 0x11,
  i64x2Splat: 0x12,
  f32x4Splat: 0x13,
  f64x2Splat: 0x14,
  i32x4ExtractLane: 0x1b,
  i32x4ReplaceLane: 0x1c,
  i64x2ReplaceLane: 0x1e,
  f32x4ExtractLane: 0x1f,
  f32x4ReplaceLane: 0x20,
  f64x2ExtractLane: 0x21,
  f64x2ReplaceLane: 0x22,
  and: 0x4e,
  andNot: 0x4f,
  or: 0x50,
  xor: 0x51,
  not: 0x4d,
  bitselect: 0x52,
  anyTrue: 0x53,
  load32Lane: 0x56,
  load64Lane: 0x57,
  store32Lane: 0x5a,
  store64Lane: 0x5b,
  load32Zero: 0x5c,
  load64Zero: 0x5d,
  f32x4DemoteF64x2: 0x5e,
  f64x2PromoteLow: 0x5f,
  i16x8ExtendLowI8x16S: 0x87,
  i16x8ExtendLowI8x16U: 0x89,
  i32x4ExtendLowI16x8S: 0xa7,
  i32x4ExtendLowI16x8U: 0xa9,
  i32x4Shl: 0xab,
  i32x4ShrS: 0xac,
  i32x4ShrU: 0xad,
  i32x4Add: 0xae,
  i32x4MinS: 0xb6,
  i32x4MaxS: 0xb8,
  i32x4TruncSatF32x4S: 0xf8,
  i32x4TruncSatF64x2SZero: 0xfc,
  i32x4Sub: 0xb1,
  i64x2Shl: 0xcb,
  i64x2ShrS: 0xcc,
  i64x2ShrU: 0xcd,
  i64x2Add: 0xce,
  i64x2Sub: 0xd1,
  f32x4ConvertI32x4S: 0xfa,
  f32x4ConvertI32x4U: 0xfb,
  f64x2ConvertLowI32x4S: 0xfe,
  f64x2ConvertLowI32x4U: 0xff,
} as const;

/** Operations on lanes of floating-point numbers, which both widths have. */
export interface LaneOpcodes {
  readonly eq: number;
  readonly ne: number;
  readonly lt: number;
  readonly gt: number;
  readonly le: number;
  readonly ge: number;
  readonly ceil: number;
  readonly floor: number;
  readonly trunc: number;
  readonly nearest: number;
  readonly abs: number;
  readonly neg: number;
  readonly sqrt: number;
  readonly add: number;
  readonly sub: number;
  readonly mul: number;
  readonly div: number;
  readonly min: number;
  readonly max: number;
  /** b < a ? b : a, one instruction of the processor where `min` takes eight. */
  readonly pmin: number;
  /** a < b ? b : a. */
  readonly pmax: number;
  /** a·b + c, rounded once or twice as the processor likes. */
  readonly madd: number;
}

export const F32X4: LaneOpcodes = {
  eq: 0x41,
  ne: 0x42,
  lt: 0x43,
  gt: 0x44,
  le: 0x45,
  ge: 0x46,
  ceil: 0x67,
  floor: 0x68,
  trunc: 0x69,
  nearest: 0x6a,
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  min: 0xe8,
  max: 0xe9,
  pmin: 0xea,
  pmax: 0xeb,
  madd: 0x105,
};

export const F64X2: LaneOpcodes = {
  eq: 0x47,
  ne: 0x48,
  lt: 0x49,
  gt: 0x4a,
  le: 0x4b,
  ge: 0x4c,
  ceil: 0x74,
  floor: 0x75,
  trunc: 0x7a,
  nearest: 0x94,
  abs: 0xec,
  neg: 0xed,
  sqrt: 0xef,
  add: 0xf0,
  sub: 0xf1,
  mul: 0xf2,
  div: 0xf3,
  min: 0xf4,
  max: 0xf5,
  pmin: 0xf6,
  pmax: 0xf7,
  madd: 0x107,
};
