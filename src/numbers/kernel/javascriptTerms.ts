/** Single operations as JavaScript terms. Operands are variables or literals in parentheses. */
import type { BinaryOp, UnaryOp } from "../../expression/node.ts";
import { expStatements, log1pStatements } from "./elementary.ts";

export function literal(value: number): string {
  if (Object.is(value, -0)) return "(-0)";
  return value < 0 ? `(${value})` : String(value);
}

/** Small whole exponents as products, which are faster and as exact. */
export function powerTerm(x: string, exponent: number): string {
  switch (exponent) {
    case 1:
      return x;
    case 2:
      return `${x} * ${x}`;
    case 3:
      return `${x} * ${x} * ${x}`;
    case 4:
      return `(${x} * ${x}) * (${x} * ${x})`;
    case -1:
      return `1 / ${x}`;
    case -2:
      return `1 / (${x} * ${x})`;
    default:
      return `pow(${x}, ${literal(exponent)})`;
  }
}

/** Functions that are written out, because calls of them would take most of the time. */
type InPlace = "exp" | "sigmoid" | "softplus" | "logsigmoid";

export function isInPlace(op: UnaryOp): op is InPlace {
  return op === "exp" || op === "sigmoid" || op === "softplus" || op === "logsigmoid";
}

/** Sets `result` to the function of `x` for |x| < EXP_LIMIT; both are variables (or a literal). */
export function inPlaceStatements(op: InPlace, result: string, x: string): string {
  switch (op) {
    case "exp":
      return `${expStatements("y", x)} ${result} = y;`;
    case "sigmoid":
      return `const a = -${x}; ${expStatements("y", "a")} ${result} = 1 / (1 + y);`;
    case "softplus":
      return (
        `const a = -abs(${x}); ${expStatements("e", "a")} ${log1pStatements("y", "e")} ` +
        `${result} = max(${x}, 0) + y;`
      );
    case "logsigmoid":
      return (
        `const a = -abs(${x}); ${expStatements("e", "a")} ${log1pStatements("y", "e")} ` +
        `${result} = min(${x}, 0) - y;`
      );
  }
}

export const UNARY_TERMS: Readonly<Record<Exclude<UnaryOp, InPlace>, (x: string) => string>> = {
  neg: (x) => `-${x}`,
  log: (x) => `log(${x})`,
  log1p: (x) => `log1p(${x})`,
  expm1: (x) => `expm1(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  abs: (x) => `abs(${x})`,
  sign: (x) => `sign(${x})`,
  tanh: (x) => `tanh(${x})`,
  relu: (x) => `max(${x}, 0)`,
  cosh: (x) => `cosh(${x})`,
  sinh: (x) => `sinh(${x})`,
  sin: (x) => `sin(${x})`,
  cos: (x) => `cos(${x})`,
  round: (x) => `roundHalfEven(${x})`,
  floor: (x) => `floor(${x})`,
  ceil: (x) => `ceil(${x})`,
  not: (x) => `!${x}`,
  isnan: (x) => `${x} !== ${x}`,
  isfinite: (x) => `${x} - ${x} === 0`,
};

export const BINARY_TERMS: Readonly<
  Record<Exclude<BinaryOp, "and" | "or">, (x: string, y: string) => string>
> = {
  add: (x, y) => `${x} + ${y}`,
  sub: (x, y) => `${x} - ${y}`,
  mul: (x, y) => `${x} * ${y}`,
  div: (x, y) => `${x} / ${y}`,
  pow: (x, y) => `pow(${x}, ${y})`,
  max: (x, y) => `max(${x}, ${y})`,
  min: (x, y) => `min(${x}, ${y})`,
  mod: (x, y) => `mod(${x}, ${y})`,
  floordiv: (x, y) => `floor(${x} / ${y})`,
  eq: (x, y) => `${x} === ${y}`,
  ne: (x, y) => `${x} !== ${y}`,
  lt: (x, y) => `${x} < ${y}`,
  le: (x, y) => `${x} <= ${y}`,
  gt: (x, y) => `${x} > ${y}`,
  ge: (x, y) => `${x} >= ${y}`,
};
