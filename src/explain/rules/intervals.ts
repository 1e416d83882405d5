/**
 * Between which bounds every node's entries lie, given bounds of the inputs: interval arithmetic
 * over the graph (Moore, Interval Analysis, 1966). Bounds are safe, not tight: what they exclude
 * cannot happen; what they allow need not.
 */
import type { BinaryOp, Expr, Reduce, UnaryOp } from "../../expression/node.ts";
import { elementCount } from "../../expression/axis.ts";
import { topological } from "../../expression/walk.ts";

export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

export const ANY: Interval = { lo: -Infinity, hi: Infinity };
const UNIT: Interval = { lo: 0, hi: 1 };

export function contains(x: Interval, value: number): boolean {
  return x.lo <= value && value <= x.hi;
}

/**
 * Bounds of every node below `root`.
 * @param inputs bounds of inputs, where one that is left out may be anything, and of parameters,
 *   which else have the values that they are known by
 */
export function intervalsOf(
  root: Expr,
  inputs: ReadonlyMap<Expr, Interval>,
): ReadonlyMap<Expr, Interval> {
  const found = new Map<Expr, Interval>();
  for (const e of topological(root)) {
    const own = intervalOf(e, (a) => found.get(a) ?? ANY, inputs);
    found.set(e, Number.isNaN(own.lo) || Number.isNaN(own.hi) ? ANY : own);
  }
  return found;
}

function intervalOf(
  e: Expr,
  of: (a: Expr) => Interval,
  inputs: ReadonlyMap<Expr, Interval>,
): Interval {
  const x = e.args[0] === undefined ? ANY : of(e.args[0]);
  switch (e.kind) {
    case "const":
      return { lo: e.value, hi: e.value };
    case "parameter":
      return inputs.get(e) ?? (e.value === null ? ANY : { lo: e.value, hi: e.value });
    case "input":
      return inputs.get(e) ?? (e.type === "bool" ? UNIT : ANY);
    case "size":
      return { lo: 1, hi: elementCount(e.axes) ?? Infinity };
    case "unary":
      return unary(e.op, x);
    case "binary":
      return e.args[0] === e.args[1] && e.op === "mul"
        ? square(x)
        : binary(e.op, x, of(e.args[1]!));
    case "where":
      return union(of(e.args[1]!), of(e.args[2]!));
    case "clamp":
      return within(x, of(e.args[1]!), of(e.args[2]!));
    case "cast":
      return e.to === "bool" ? UNIT : e.to === "int" ? rounded(x) : x;
    case "reduce":
      return reduced(e, x);
    case "argReduce":
      return { lo: 0, hi: (e.args[0]!.shape[e.dim]!.size ?? Infinity) - 1 };
    case "softmax":
      return e.log ? { lo: -Infinity, hi: 0 } : UNIT;
    case "oneHot":
      return UNIT;
    case "place":
    case "spread":
    case "slide":
      return union(x, { lo: 0, hi: 0 });
    case "stack":
    case "concat":
      return e.args.map(of).reduce(union);
    default:
      return x;
  }
}

function union(a: Interval, b: Interval): Interval {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
}

function within(x: Interval, lo: Interval, hi: Interval): Interval {
  return {
    lo: Math.min(Math.max(x.lo, lo.lo), hi.lo),
    hi: Math.min(Math.max(x.hi, lo.hi), hi.hi),
  };
}

function rounded(x: Interval): Interval {
  return { lo: Math.floor(x.lo), hi: Math.ceil(x.hi) };
}

function square(x: Interval): Interval {
  const ends = [x.lo * x.lo, x.hi * x.hi];
  return { lo: contains(x, 0) ? 0 : Math.min(...ends), hi: Math.max(...ends) };
}

/** 0 · ∞ is 0 here: no entry is infinite, bounds are. */
function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function reduced(e: Reduce, x: Interval): Interval {
  switch (e.op) {
    case "any":
    case "all":
      return UNIT;
    case "sum": {
      const n = elementCount(e.dims.map((d) => e.args[0]!.shape[d]!));
      const [few, many] = n === null ? [1, Infinity] : [n, n];
      return { lo: times(x.lo, x.lo < 0 ? many : few), hi: times(x.hi, x.hi > 0 ? many : few) };
    }
    case "prod":
      return x.lo >= 0 && x.hi <= 1 ? UNIT : x.lo >= 0 ? { lo: 0, hi: Infinity } : ANY;
    default:
      return x;
  }
}

const MONOTONE: Partial<Record<UnaryOp, (x: number) => number>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  tanh: Math.tanh,
  sinh: Math.sinh,
  relu: (x) => Math.max(x, 0),
  sign: Math.sign,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  logsigmoid: (x) => (x < -30 ? x : -Math.log1p(Math.exp(-x))),
  softplus: (x) => (x > 30 ? x : Math.log1p(Math.exp(x))),
  floor: Math.floor,
  ceil: Math.ceil,
  log: (x) => Math.log(Math.max(x, 0)),
  log1p: (x) => Math.log1p(Math.max(x, -1)),
  sqrt: (x) => Math.sqrt(Math.max(x, 0)),
};

function unary(op: UnaryOp, x: Interval): Interval {
  const f = MONOTONE[op];
  if (f !== undefined) return { lo: f(x.lo), hi: f(x.hi) };
  switch (op) {
    case "neg":
      return { lo: -x.hi, hi: -x.lo };
    case "abs":
      return {
        lo: contains(x, 0) ? 0 : Math.min(Math.abs(x.lo), Math.abs(x.hi)),
        hi: Math.max(Math.abs(x.lo), Math.abs(x.hi)),
      };
    case "cosh":
      return { lo: 1, hi: Math.max(Math.cosh(x.lo), Math.cosh(x.hi)) };
    case "round":
      return rounded(x);
    case "sin":
    case "cos":
      return { lo: -1, hi: 1 };
    case "not":
    case "isnan":
    case "isfinite":
      return UNIT;
    default:
      return ANY;
  }
}

function binary(op: BinaryOp, a: Interval, b: Interval): Interval {
  switch (op) {
    case "add":
      return { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case "sub":
      return { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case "mul":
      return hull(a, b, times);
    case "div":
      return b.lo > 0 || b.hi < 0
        ? hull(a, { lo: 1 / b.hi, hi: 1 / b.lo }, times)
        : b.lo >= 0 && a.lo >= 0
          ? { lo: 0, hi: Infinity }
          : ANY;
    case "pow":
      return power(a, b);
    case "max":
      return { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    case "min":
      return { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case "mod":
      return b.lo > 0 ? { lo: 0, hi: b.hi } : ANY;
    case "floordiv":
      return b.lo >= 1 && a.lo >= 0 ? { lo: 0, hi: a.hi } : ANY;
    default:
      return UNIT;
  }
}

function hull(a: Interval, b: Interval, f: (x: number, y: number) => number): Interval {
  const ends = [f(a.lo, b.lo), f(a.lo, b.hi), f(a.hi, b.lo), f(a.hi, b.hi)];
  return { lo: Math.min(...ends), hi: Math.max(...ends) };
}

function power(a: Interval, b: Interval): Interval {
  if (a.lo >= 0) {
    const ends = [a.lo ** b.lo, a.lo ** b.hi, a.hi ** b.lo, a.hi ** b.hi];
    return { lo: Math.min(...ends), hi: Math.max(...ends) };
  }
  if (b.lo !== b.hi || !Number.isInteger(b.lo)) return ANY;
  if (b.lo % 2 !== 0) return b.lo > 0 ? { lo: a.lo ** b.lo, hi: a.hi ** b.lo } : ANY;
  const ends = [a.lo ** b.lo, a.hi ** b.lo];
  return b.lo > 0 && contains(a, 0)
    ? { lo: 0, hi: Math.max(...ends) }
    : { lo: 0, hi: contains(a, 0) ? Infinity : Math.max(...ends) };
}
