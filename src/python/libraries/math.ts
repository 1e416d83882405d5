/** Python's math module: functions of numbers. */
import type { UnaryOp } from "../../expression/node.ts";
import { knownInteger, knownNumber } from "../interpreter/known.ts";
import { binaryOperation } from "../interpreter/operators.ts";
import { iterate } from "../interpreter/iterate.ts";
import { type NumberValue, type Value, bool, float, int } from "../values.ts";
import { numberUnary } from "./common.ts";
import { itemOf } from "./convert.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

/** math functions take tensors of one entry, as Python numbers without a gradient. */
function number(c: CallContext, name = "x"): NumberValue {
  const v = c.value(name);
  const n = v.kind === "tensor" ? itemOf(c.vm, v, `${c.name}()`) : v;
  return n.kind === "number" ? n : c.bad(name, "a number");
}

const real =
  (op: UnaryOp): Meaning =>
  (c) => {
    const x = number(c);
    const outside =
      x.value !== null && ((op === "log" && x.value <= 0) || (op === "sqrt" && x.value < 0));
    if (outside) c.vm.fail("ValueError", "math domain error");
    return numberUnary(x, op, "float");
  };

const whole =
  (f: (x: number) => number): Meaning =>
  (c) =>
    int(f(knownNumber(c.vm, number(c), `${c.name}()`)));

const test =
  (f: (x: number) => boolean): Meaning =>
  (c) =>
    bool(f(knownNumber(c.vm, number(c), `${c.name}()`)));

export const mathFunctions: Table = {
  exp: ["x", real("exp")],
  expm1: ["x", real("expm1")],
  log: ["x, base=None", logarithm],
  log1p: ["x", real("log1p")],
  log2: ["x", (c) => quotient(c, numberUnary(number(c), "log", "float"), Math.LN2)],
  log10: ["x", (c) => quotient(c, numberUnary(number(c), "log", "float"), Math.LN10)],
  sqrt: ["x", real("sqrt")],
  sin: ["x", real("sin")],
  cos: ["x", real("cos")],
  tanh: ["x", real("tanh")],
  sinh: ["x", real("sinh")],
  cosh: ["x", real("cosh")],
  fabs: ["x", real("abs")],
  pow: ["x, y", (c) => binaryOperation(c.vm, "**", asFloat(number(c)), asFloat(number(c, "y")))],
  floor: ["x", whole(Math.floor)],
  ceil: ["x", whole(Math.ceil)],
  trunc: ["x", whole(Math.trunc)],
  isnan: ["x", test(Number.isNaN)],
  isinf: ["x", test((x) => Math.abs(x) === Infinity)],
  isfinite: ["x", test(Number.isFinite)],
  prod: ["iterable, *, start=1", product],
  gcd: [
    "a, b",
    (c) =>
      int(
        gcd(knownInteger(c.vm, c.value("a"), "gcd()"), knownInteger(c.vm, c.value("b"), "gcd()")),
      ),
  ],
};

const mathConstants: Readonly<Record<string, Value>> = {
  pi: float(Math.PI),
  e: float(Math.E),
  tau: float(2 * Math.PI),
  inf: float(Infinity),
  nan: float(NaN),
};

function asFloat(n: NumberValue): NumberValue {
  return { ...n, type: "float" };
}

function quotient(c: CallContext, x: NumberValue, by: number): Value {
  return binaryOperation(c.vm, "/", x, float(by));
}

function logarithm(c: CallContext): Value {
  const top = real("log")(c);
  if (!c.given("base")) return top;
  return binaryOperation(c.vm, "/", top, numberUnary(number(c, "base"), "log", "float"));
}

function product(c: CallContext): Value {
  let total = c.value("start");
  for (const v of iterate(c.vm, c.value("iterable"))) total = binaryOperation(c.vm, "*", total, v);
  return total;
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

/** math.pi and the like, which numpy and torch have too. */
export function mathConstant(name: string): Value | undefined {
  return Object.hasOwn(mathConstants, name) ? mathConstants[name] : undefined;
}
