/** Every elementwise operation of the expression graph in double-double. */
import type { BinaryOp, UnaryOp } from "../expression/node.ts";
import {
  LOW,
  addDD,
  ceilDD,
  compareDD,
  divDD,
  floorDD,
  floorDivDD,
  modDD,
  mulDD,
  roundDD,
  sqrtDD,
  subDD,
} from "./doubledouble.ts";
import {
  cosDD,
  coshDD,
  expDD,
  expm1DD,
  log1pDD,
  logDD,
  logsigmoidDD,
  powDD,
  sigmoidDD,
  sinDD,
  sinhDD,
  softplusDD,
  tanhDD,
} from "./doubledoubleFunctions.ts";

export type UnaryDD = (xh: number, xl: number) => number;
export type BinaryDD = (xh: number, xl: number, yh: number, yl: number) => number;

function result(hi: number, lo = 0): number {
  LOW[0] = lo;
  return hi;
}
const truth = (is: boolean): number => result(is ? 1 : 0);

export const UNARY_DD: Readonly<Record<UnaryOp, UnaryDD>> = {
  neg: (xh, xl) => result(-xh, -xl),
  exp: expDD,
  log: logDD,
  log1p: log1pDD,
  expm1: expm1DD,
  sqrt: sqrtDD,
  abs: (xh, xl) => (xh < 0 ? result(-xh, -xl) : result(Math.abs(xh), xl)),
  sign: (xh) => result(Math.sign(xh)),
  sigmoid: sigmoidDD,
  logsigmoid: logsigmoidDD,
  softplus: softplusDD,
  tanh: tanhDD,
  relu: (xh, xl) => (xh > 0 ? result(xh, xl) : result(Math.max(xh, 0))),
  cosh: coshDD,
  sinh: sinhDD,
  sin: sinDD,
  cos: cosDD,
  round: roundDD,
  floor: floorDD,
  ceil: ceilDD,
  not: (xh) => truth(xh === 0),
  isnan: (xh) => truth(Number.isNaN(xh)),
  isfinite: (xh) => truth(Number.isFinite(xh)),
};

function larger(xh: number, xl: number, yh: number, yl: number): number {
  if (xh === yh) return result(Math.max(xh, yh), Math.max(xl, yl));
  const m = Math.max(xh, yh);
  return result(m, m === xh ? xl : m === yh ? yl : 0);
}

function smaller(xh: number, xl: number, yh: number, yl: number): number {
  if (xh === yh) return result(Math.min(xh, yh), Math.min(xl, yl));
  const m = Math.min(xh, yh);
  return result(m, m === xh ? xl : m === yh ? yl : 0);
}

export const BINARY_DD: Readonly<Record<BinaryOp, BinaryDD>> = {
  add: addDD,
  sub: subDD,
  mul: mulDD,
  div: divDD,
  pow: powDD,
  max: larger,
  min: smaller,
  mod: modDD,
  floordiv: floorDivDD,
  eq: (xh, xl, yh, yl) => truth(xh === yh && xl === yl),
  ne: (xh, xl, yh, yl) => truth(xh !== yh || xl !== yl),
  lt: (xh, xl, yh, yl) => truth(compareDD(xh, xl, yh, yl) < 0),
  le: (xh, xl, yh, yl) => truth(compareDD(xh, xl, yh, yl) <= 0),
  gt: (xh, xl, yh, yl) => truth(compareDD(xh, xl, yh, yl) > 0),
  ge: (xh, xl, yh, yl) => truth(compareDD(xh, xl, yh, yl) >= 0),
  and: (xh, _xl, yh) => truth(xh !== 0 && yh !== 0),
  or: (xh, _xl, yh) => truth(xh !== 0 || yh !== 0),
};
