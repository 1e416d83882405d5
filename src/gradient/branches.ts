/**
 * Clamps, thresholds, maxima and detached parts: held as they are at one point, and where they tie.
 *
 * The gradient that automatic differentiation gives is that of the loss with every branch kept and
 * every detached part constant. Near the point the two are the same function, unless the point sits
 * on a kink; far from it they are not, so a probe with large steps needs the held form. What the
 * branches themselves do is left to the small steps of the element-wise derivatives.
 */
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { filled } from "../numbers/interruption.ts";
import { dependents, isStep } from "./structure.ts";

export interface Held {
  readonly loss: Expr;
  /** Arrays by the names of the inputs that stand for the held parts. */
  readonly arrays: ReadonlyMap<string, Float64Array | Uint8Array>;
  /** The nodes whose branches or values are held. */
  readonly nodes: readonly Expr[];
}

/** Values of expressions at the point. */
export type ValuesOf = (exprs: readonly Expr[]) => readonly ArrayLike<number>[];

interface Hold {
  /** What to evaluate and hold. */
  readonly of: readonly Expr[];
  /** The node without its branch, from its arguments and the held inputs. */
  readonly make: (args: readonly Expr[], held: readonly Expr[]) => Expr;
}

/** Keeps the value of a node as it is. */
const whole = (e: Expr): Hold => ({ of: [e], make: (_args, held) => held[0]! });

function holdOf(e: Expr, depends: ReadonlySet<Expr>): Hold | null {
  const x = e.args[0]!;
  if (isStep(e) || e.kind === "stopGradient") return whole(e);
  switch (e.kind) {
    case "unary":
      if (e.op === "abs") {
        return { of: [b.sign(x)], make: (args, held) => b.mul(args[0]!, held[0]!) };
      }
      if (e.op === "relu") {
        return {
          of: [b.binary("gt", x, b.ZERO)],
          make: (args, held) => b.where(held[0]!, args[0]!, b.ZERO),
        };
      }
      return null;
    case "binary": {
      if (e.op === "max" || e.op === "min") {
        return {
          of: [b.binary(e.op === "max" ? "ge" : "le", x, e.args[1]!)],
          make: (args, held) => b.where(held[0]!, args[0]!, args[1]!),
        };
      }
      if (e.op === "mod") {
        return {
          of: [b.unary("floor", b.div(x, e.args[1]!))],
          make: (args, held) => b.sub(args[0]!, b.mul(args[1]!, held[0]!)),
        };
      }
      return null;
    }
    case "where":
      return depends.has(x)
        ? { of: [x], make: (args, held) => b.where(held[0]!, args[1]!, args[2]!) }
        : null;
    case "clamp":
      return {
        of: [b.binary("lt", x, e.args[1]!), b.binary("gt", x, e.args[2]!)],
        make: (args, held) => b.where(held[0]!, args[1]!, b.where(held[1]!, args[2]!, args[0]!)),
      };
    case "reduce": {
      if (e.op !== "max" && e.op !== "min") return null;
      const at = b.binary("eq", x, b.reduce(e.op, x, e.dims, true));
      return {
        of: [b.div(at, b.sum(at, e.dims, true))],
        make: (args, held) => b.sum(b.mul(args[0]!, held[0]!), e.dims, e.keepDims),
      };
    }
    default:
      return null;
  }
}

/**
 * `loss` with every branch that depends on `wrt` held at the values that `valuesOf` gives; or with
 * nothing held but what is detached.
 */
export function holdBranches(
  loss: Expr,
  wrt: Expr,
  valuesOf: ValuesOf,
  what: "branches" | "detached" = "branches",
): Held {
  const order = topological(loss);
  const depends = dependents(order, wrt);
  const live = what === "branches" ? liveNodes(order, depends) : depends;
  const holds = new Map<Expr, Hold>();
  for (const e of live) {
    if (what === "detached" && e.kind !== "stopGradient") continue;
    const hold = holdOf(e, depends);
    if (hold !== null) holds.set(e, hold);
  }
  const wanted = [...new Set([...holds.values()].flatMap((h) => h.of))];
  const values = wanted.length === 0 ? [] : valuesOf(wanted);
  const arrays = new Map<string, Float64Array | Uint8Array>();
  const stands = new Map<Expr, Expr>();
  wanted.forEach((e, k) => {
    const name = `·held${k + 1}`;
    arrays.set(name, e.type === "bool" ? marksOf(values[k]!) : asFloat64(values[k]!));
    stands.set(e, b.input(name, e.shape, e.type));
  });
  const done = new Map<Expr, Expr>();
  for (const e of order) {
    if (!live.has(e)) continue;
    const args = e.args.map((a) => done.get(a) ?? a);
    const hold = holds.get(e);
    if (hold !== undefined) {
      done.set(
        e,
        hold.make(
          args,
          hold.of.map((h) => stands.get(h)!),
        ),
      );
    } else if (e.kind === "cast" && !isStep(e)) done.set(e, args[0]!);
    else done.set(e, b.withArgs(e, args));
  }
  return { loss: done.get(loss) ?? loss, arrays, nodes: [...holds.keys()] };
}

/** 1 where a value is not 0. */
function marksOf(values: ArrayLike<number>): Uint8Array {
  return filled(new Uint8Array(values.length), (k) => values[k]!);
}

function asFloat64(values: ArrayLike<number>): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

/** Nodes that depend on the input and that gradient reaches. */
export function liveNodes(order: readonly Expr[], depends: ReadonlySet<Expr>): Set<Expr> {
  const live = new Set<Expr>();
  const root = order.at(-1);
  if (root !== undefined && depends.has(root)) live.add(root);
  for (const e of [...order].reverse()) {
    if (!live.has(e) || isStep(e) || e.kind === "stopGradient") continue;
    e.args.forEach((a, k) => {
      if (depends.has(a) && !(e.kind === "where" && k === 0)) live.add(a);
    });
  }
  return live;
}

/** A place where the loss, or its slope, may jump at the point itself. */
export interface Tie {
  readonly node: Expr;
  /** The node, or its argument where that is what ties (the entries of a maximum). */
  readonly of: Expr;
  /** 1 at the entries of `of` that tie. */
  readonly at: Expr;
}

/** Where the branches of `loss` that depend on `wrt` would tie: boolean expressions to evaluate. */
export function tiesOf(loss: Expr, wrt: Expr): Tie[] {
  const order = topological(loss);
  const depends = dependents(order, wrt);
  // What only a detached part depends on does not count.
  const seen = new Set<Expr>();
  const root = order.at(-1);
  if (root !== undefined && depends.has(root)) seen.add(root);
  for (const e of [...order].reverse()) {
    if (!seen.has(e) || e.kind === "stopGradient") continue;
    for (const a of e.args) if (depends.has(a)) seen.add(a);
  }
  return order.flatMap((e) => {
    if (!seen.has(e)) return [];
    const at = tieOf(e);
    const lines = e.kind === "reduce" || e.kind === "argReduce";
    return at === null ? [] : [{ node: e, of: lines ? e.args[0]! : e, at }];
  });
}

function tieOf(e: Expr): Expr | null {
  const x = e.args[0];
  if (x?.type !== "float") return null;
  const isWhole = (v: Expr): Expr => b.binary("eq", v, b.unary("floor", v));
  switch (e.kind) {
    case "unary":
      switch (e.op) {
        case "abs":
        case "relu":
        case "sign":
          return b.binary("eq", x, b.ZERO);
        case "floor":
        case "ceil":
          return isWhole(x);
        case "round":
          return b.binary("eq", b.sub(x, b.unary("floor", x)), b.constant(0.5));
        default:
          return null;
      }
    case "binary": {
      const y = e.args[1]!;
      switch (e.op) {
        case "max":
        case "min":
        case "lt":
        case "le":
        case "gt":
        case "ge":
        case "eq":
        case "ne":
          return b.binary("eq", x, y);
        case "mod":
        case "floordiv":
          return isWhole(b.div(x, y));
        default:
          return null;
      }
    }
    case "clamp":
      return b.binary("or", b.binary("eq", x, e.args[1]!), b.binary("eq", x, e.args[2]!));
    case "cast":
      return e.to === "int" ? isWhole(x) : e.to === "bool" ? b.binary("eq", x, b.ZERO) : null;
    case "argReduce":
      return tiedForLargest(e.op === "argmax" ? "max" : "min", x, [e.dim]);
    case "reduce":
      return e.op === "max" || e.op === "min" ? tiedForLargest(e.op, x, e.dims) : null;
    default:
      return null;
  }
}

/** 1 at the entries that share the largest (smallest) value of their line with another. */
function tiedForLargest(op: "max" | "min", x: Expr, dims: readonly number[]): Expr {
  const at = b.binary("eq", x, b.reduce(op, x, dims, true));
  return b.binary("and", at, b.binary("gt", b.sum(at, dims, true), b.ONE));
}
