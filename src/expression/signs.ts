/** What can be said of an expression's sign for certain, whatever its inputs are. */
import type { Expr } from "./node.ts";
import { topological } from "./walk.ts";

export type Sign = "positive" | "nonnegative" | "unknown";

/**
 * The sign of `e`, remembered in `known`. Named parameters count with their value: an epsilon above
 * zero is positive. Mathematical values are meant: eˣ is positive where float64 gives 0.
 */
export function signOf(e: Expr, known: Map<Expr, Sign>): Sign {
  const found = known.get(e);
  if (found !== undefined) return found;
  for (const node of topological(e)) {
    if (!known.has(node))
      known.set(
        node,
        ownSign(
          node,
          node.args.map((a) => known.get(a)!),
        ),
      );
  }
  return known.get(e)!;
}

const POSITIVE = new Set(["exp", "sigmoid", "softplus", "cosh"]);
const NONNEGATIVE = new Set(["sqrt", "abs", "relu"]);

function ownSign(e: Expr, args: readonly Sign[]): Sign {
  const all = weakest(args);
  switch (e.kind) {
    case "const":
    case "parameter":
      return e.value === null
        ? "unknown"
        : e.value > 0
          ? "positive"
          : e.value === 0
            ? "nonnegative"
            : "unknown";
    case "size":
      return "positive";
    case "input":
    case "oneHot":
    case "argReduce":
      return e.type === "bool" || e.kind !== "input" ? "nonnegative" : "unknown";
    case "unary":
      if (POSITIVE.has(e.op)) return "positive";
      if (NONNEGATIVE.has(e.op))
        return e.op === "relu" || e.op === "abs"
          ? kept(args[0]!)
          : args[0] === "positive"
            ? "positive"
            : "nonnegative";
      return e.type === "bool" ? "nonnegative" : "unknown";
    case "binary":
      return binarySign(e, args, all);
    case "where":
      return weakest(args.slice(1));
    case "clamp":
      return args[1] === "unknown" ? "unknown" : weakest([args[1]!, args[2]!]);
    case "softmax":
      return e.log ? "unknown" : "positive";
    case "reduce":
      return e.op === "any" || e.op === "all" ? "nonnegative" : all;
    case "place":
    case "spread":
    case "slide":
      return all === "positive" ? "nonnegative" : all;
    case "cast":
      return e.to === "int" && all === "positive" ? "nonnegative" : all;
    default:
      return all;
  }
}

function binarySign(e: Extract<Expr, { kind: "binary" }>, args: readonly Sign[], all: Sign): Sign {
  switch (e.op) {
    case "sub": {
      // 1 − σ is positive, 1 − softmax not negative.
      const [one, y] = [e.args[0]!, e.args[1]!];
      if (one.kind !== "const" || one.value !== 1) return "unknown";
      if (y.kind === "softmax" && !y.log) return "nonnegative";
      return y.kind === "unary" && y.op === "sigmoid" ? "positive" : "unknown";
    }
    case "add":
      return all === "unknown" ? all : args.includes("positive") ? "positive" : "nonnegative";
    case "mul":
      if (e.args[0] === e.args[1]) return kept(args[0]!);
      return all;
    case "div":
      return args[1] === "positive" ? args[0]! : "unknown";
    case "pow": {
      const n = e.args[1]!;
      const even = n.kind === "const" && n.value > 0 && n.value % 2 === 0;
      return args[0] !== "unknown" ? args[0]! : even ? "nonnegative" : "unknown";
    }
    case "max":
      return args.includes("positive")
        ? "positive"
        : args.includes("nonnegative")
          ? "nonnegative"
          : "unknown";
    case "min":
      return all;
    default:
      return e.type === "bool" ? "nonnegative" : "unknown";
  }
}

/** The sign of |x|: positive where x is. */
function kept(x: Sign): Sign {
  return x === "positive" ? "positive" : "nonnegative";
}

function weakest(signs: readonly Sign[]): Sign {
  if (signs.includes("unknown")) return "unknown";
  return signs.includes("nonnegative") ? "nonnegative" : "positive";
}
