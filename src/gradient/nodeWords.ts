/** Nodes and positions in a reader's words, for verdicts and findings. */
import { namesFor } from "../expression/names.ts";
import { type Expr, annotationOf } from "../expression/node.ts";
import { toText } from "../expression/text.ts";
import { layoutOf, unravel } from "./entries.ts";

const LONGEST = 60;

/** The variable that holds the node in the code; else its formula; else what kind of node it is. */
export function nodeWords(e: Expr): string {
  const label = annotationOf(e)?.label;
  if (label !== undefined) return `\`${label}\``;
  if (e.kind === "input" || e.kind === "parameter") return `\`${e.name}\``;
  const text = toText(e, namesFor([e]));
  if (text.length <= LONGEST && !text.startsWith("(too long")) return text;
  return `${/^[aeiou]/.test(operation(e)) ? "an" : "a"} ${operation(e)}`;
}

function operation(e: Expr): string {
  switch (e.kind) {
    case "unary":
    case "binary":
    case "argReduce":
      return NAMES[e.op] ?? e.op;
    case "reduce":
      return NAMES[`reduce ${e.op}`] ?? e.op;
    default:
      return NAMES[e.kind] ?? e.kind;
  }
}

const NAMES: Readonly<Record<string, string>> = {
  abs: "absolute value",
  max: "maximum",
  min: "minimum",
  relu: "ReLU",
  div: "division",
  mul: "product",
  add: "sum",
  sub: "difference",
  pow: "power",
  log: "logarithm",
  log1p: "logarithm",
  sqrt: "square root",
  mod: "remainder",
  floordiv: "whole quotient",
  round: "rounding",
  floor: "rounding down",
  ceil: "rounding up",
  lt: "comparison",
  le: "comparison",
  gt: "comparison",
  ge: "comparison",
  eq: "comparison",
  ne: "comparison",
  where: "choice",
  cast: "conversion to a whole number",
  oneHot: "one-hot encoding",
  stopGradient: "detached value",
  "reduce max": "maximum over an axis",
  "reduce min": "minimum over an axis",
};

/** "at [0, 3]", or nothing for a scalar. */
export function placeWords(e: Expr, at: number): string {
  const index = unravel(at, layoutOf(e));
  return index.length === 0 ? "" : ` at ${indexWords(index)}`;
}

export function indexWords(index: readonly number[]): string {
  return `[${index.join(", ")}]`;
}

export function countWords(n: number): string {
  return n.toLocaleString("en-US");
}

/** To `digits` significant digits, in exponential form where the number is very large or small. */
export function number(x: number, digits = 2): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  return size >= 1e-3 && size < 1e6
    ? String(Number(x.toPrecision(digits)))
    : x
        .toExponential(digits - 1)
        .replace(/(\.\d*?)0+e/, "$1e")
        .replace(".e", "e")
        .replace("e+", "e");
}
