/** What computing an entry of a node costs. */
import type { Expr } from "../../expression/node.ts";

/** Rough price of computing one entry of a node, in additions. */
export function costOf(e: Expr): number {
  if (e.kind === "unary") return UNARY_COST[e.op] ?? 1;
  if (e.kind === "binary") {
    if (e.op === "pow") return isSmallInteger(e.args[1]!) ? 2 : 30;
    return e.op === "div" || e.op === "mod" || e.op === "floordiv" ? 4 : 1;
  }
  return 1;
}
/** From this price on, an entry is better loaded than computed again. */
export const COSTLY = 10;

const UNARY_COST: Partial<Record<string, number>> = {
  exp: 15,
  log: 15,
  log1p: 20,
  expm1: 20,
  sigmoid: 20,
  logsigmoid: 35,
  softplus: 35,
  tanh: 25,
  cosh: 30,
  sinh: 30,
  sin: 15,
  cos: 15,
  sqrt: 4,
};

/** Exponents that are written as products. */
export function isSmallInteger(e: Expr): boolean {
  return e.kind === "const" && Number.isInteger(e.value) && Math.abs(e.value) <= 4;
}
