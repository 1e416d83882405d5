/** The operators and functions of the formula language: one line says what each means. */
import * as build from "../expression/build.ts";
import type { BinaryOp, Expr, ReduceOp, UnaryOp } from "../expression/node.ts";

/** An argument as read: an expression, or a bare word such as the `keep` of sum(p, 1, keep). */
export type Argument = Expr | string;

type Make = (args: readonly Argument[]) => Expr;

const elementwise =
  (op: BinaryOp) =>
  (a: Expr, b: Expr): Expr =>
    build.binary(op, a, b);

export const OPERATORS: Readonly<Record<string, (a: Expr, b: Expr) => Expr>> = {
  "+": elementwise("add"),
  "-": elementwise("sub"),
  "*": elementwise("mul"),
  ".*": elementwise("mul"),
  "/": elementwise("div"),
  "./": elementwise("div"),
  "^": elementwise("pow"),
  ".^": elementwise("pow"),
  "==": elementwise("eq"),
  "!=": elementwise("ne"),
  "<": elementwise("lt"),
  "<=": elementwise("le"),
  ">": elementwise("gt"),
  ">=": elementwise("ge"),
  and: elementwise("and"),
  or: elementwise("or"),
  "%": elementwise("mod"),
  mod: elementwise("mod"),
};

function expression(a: Argument | undefined, what: string): Expr {
  if (a === undefined) throw new TypeError(`${what} is missing`);
  if (typeof a === "string") throw new TypeError(`"${a}" is not ${what}`);
  return a;
}

function exactly(args: readonly Argument[], n: number): Expr[] {
  if (args.length !== n)
    throw new TypeError(`needs ${n} argument${n === 1 ? "" : "s"}, got ${args.length}`);
  return args.map((a) => expression(a, "an array or a number"));
}

function integer(a: Argument | undefined, what: string): number {
  const e = expression(a, what);
  const value =
    e.kind === "const"
      ? e.value
      : e.kind === "unary" && e.op === "neg" && e.args[0]!.kind === "const"
        ? -e.args[0].value
        : NaN;
  if (!Number.isInteger(value)) throw new TypeError(`${what} must be a whole number`);
  return value;
}

const unary =
  (op: UnaryOp): Make =>
  (args) =>
    build.unary(op, exactly(args, 1)[0]!);

/** sum(x), sum(x, axis, …), sum(x, axis, …, keep): axes count from 0, negative ones from the end. */
const reduction =
  (op: ReduceOp): Make =>
  (args) => {
    const keep = args.at(-1) === "keep";
    const rest = keep ? args.slice(0, -1) : args;
    const x = expression(rest[0], "an array");
    const dims = rest.slice(1).map((a) => integer(a, "an axis"));
    return build.reduce(op, x, dims.length === 0 ? null : dims, keep);
  };

/** max(x) is the largest entry; max(a, b) is elementwise. Along an axis it is maxover(x, axis). */
const extreme =
  (op: "max" | "min"): Make =>
  (args) => {
    if (args.length === 1) return reduction(op)(args);
    const [a, b] = exactly(args, 2);
    return build.binary(op, a!, b!);
  };

const softmax =
  (log: boolean): Make =>
  (args) => {
    const x = expression(args[0], "an array");
    if (args.length > 2) throw new TypeError("needs an array and an axis");
    const dim = args.length === 2 ? integer(args[1], "the axis") : x.shape.length > 1 ? 1 : 0;
    return build.softmax(x, dim, log);
  };

export const FUNCTIONS: Readonly<Record<string, Make>> = {
  sum: reduction("sum"),
  mean: reduction("mean"),
  prod: reduction("prod"),
  maxover: reduction("max"),
  minover: reduction("min"),
  max: extreme("max"),
  min: extreme("min"),
  dot: (args) => {
    const [a, b] = exactly(args, 2);
    return build.sum(build.mul(a!, b!));
  },
  sigmoid: unary("sigmoid"),
  logsigmoid: unary("logsigmoid"),
  softmax: softmax(false),
  logsoftmax: softmax(true),
  softplus: unary("softplus"),
  relu: unary("relu"),
  tanh: unary("tanh"),
  exp: unary("exp"),
  log: unary("log"),
  log1p: unary("log1p"),
  expm1: unary("expm1"),
  sqrt: unary("sqrt"),
  abs: unary("abs"),
  sign: unary("sign"),
  cosh: unary("cosh"),
  sinh: unary("sinh"),
  sin: unary("sin"),
  cos: unary("cos"),
  round: unary("round"),
  floor: unary("floor"),
  ceil: unary("ceil"),
  square: (args) => {
    const [x] = exactly(args, 1);
    return build.pow(x!, build.constant(2));
  },
  pow: (args) => {
    const [a, b] = exactly(args, 2);
    return build.pow(a!, b!);
  },
  where: (args) => {
    const [c, a, b] = exactly(args, 3);
    return build.where(c!, a!, b!);
  },
  clamp: (args) => {
    const [x, lo, hi] = exactly(args, 3);
    return build.clamp(x!, lo!, hi!);
  },
  stopgrad: (args) => build.stopGradient(exactly(args, 1)[0]!),
  flatten: (args) => {
    const [x] = exactly(args, 1);
    return build.flatten(x!);
  },
  index: (args) => {
    if (args.length !== 3) throw new TypeError("needs an array, an axis and a position");
    const x = expression(args[0], "an array");
    return build.index(x, integer(args[1], "the axis"), integer(args[2], "the position"));
  },
};
