/** Why a value is not a finite number: the first operation that made it so, and on what. */
import { float64 } from "../expression/evaluate.ts";
import type { Expr } from "../expression/node.ts";
import type { LossPoint } from "./lossPoint.ts";
import { type TypedArray, boundArray, boundValue } from "../numbers/typedArrays.ts";
import { lineOffsets, sourceEntry } from "./entries.ts";
import { countWords, nodeWords, placeWords } from "./nodeWords.ts";
import { LONG, Perturbation } from "./perturb.ts";

export interface Cause {
  readonly node: Expr;
  /** Flat entry of the node. */
  readonly at: number;
  /** e.g. "the denominator `union` is 0" or "the argument of log is 0 at [0, 3]". */
  readonly words: string;
}

/**
 * Follows a value that is not finite back to the operation whose arguments still are.
 * @param at the flat entry of `root` that is not finite
 */
export function causeOf(root: Expr, at: number, point: LossPoint): Cause {
  const reductions = Perturbation.reductions(root);
  const values = reductions.length === 0 ? [] : point.values(reductions);
  const sums = new Map(reductions.map((e, k) => [e, values[k]!]));
  const entries = new Perturbation<number>(root, point.wrt, float64, {
    input: (e, k) => Number(boundArray(e, point.bindings)[k]),
    reduction: (e, k) => sums.get(e)![k]!,
    parameter: (e) => (e.kind === "parameter" ? boundValue(e, point.bindings) : NaN),
  });
  let node = root;
  let k = at;
  for (;;) {
    const next = badArgument(node, k, entries, point);
    if (next === null) {
      const words =
        node.kind === "input"
          ? inputWords(node, k, boundArray(node, point.bindings))
          : explain(node, k, entries);
      return { node, at: k, words };
    }
    node = next.node;
    k = next.at;
  }
}

function badArgument(
  e: Expr,
  k: number,
  entries: Perturbation<number>,
  point: LossPoint,
): { node: Expr; at: number } | null {
  const chosen =
    e.kind === "where" ? [entries.at(e.args[0]!, sourceEntry(e, 0, k)) === 0 ? 2 : 1] : null;
  for (let which = 0; which < e.args.length; which++) {
    if (chosen !== null && !chosen.includes(which)) continue;
    const node = e.args[which]!;
    if (node.kind === "const") continue;
    const first = sourceEntry(e, which, k);
    if (first < 0) continue;
    const line = e.kind === "reduce" || e.kind === "argReduce" || e.kind === "softmax";
    const offsets = line ? lineOffsets(e) : [0];
    // A long line is evaluated whole; single entries are computed one by one.
    const whole = offsets.length > LONG ? point.values([node])[0]! : null;
    for (const o of offsets) {
      const v = whole === null ? entries.at(node, first + o) : whole[first + o]!;
      if (!Number.isFinite(v)) return { node, at: first + o };
    }
  }
  return null;
}

function explain(e: Expr, k: number, entries: Perturbation<number>): string {
  const arg = (which: number): number => entries.at(e.args[which]!, sourceEntry(e, which, k));
  const where = (which: number): string => placeWords(e.args[which]!, sourceEntry(e, which, k));
  const value = entries.at(e, k);
  if (e.kind === "binary" && e.op === "div" && arg(1) === 0) {
    const both = arg(0) === 0 ? ", and so is the numerator" : "";
    return `the denominator ${nodeWords(e.args[1]!)} is 0${where(1)}${both}`;
  }
  if (e.kind === "binary" && e.op === "pow") {
    const base = arg(0);
    if (base === 0)
      return `0 is raised to the power ${arg(1)}: ${nodeWords(e.args[0]!)} is 0${where(0)}`;
    if (base < 0) {
      return `a negative number is raised to the power ${arg(1)}: ${nodeWords(e.args[0]!)} is ${base}${where(0)}`;
    }
  }
  if (e.kind === "unary" && (e.op === "log" || e.op === "log1p" || e.op === "sqrt")) {
    return `the argument ${nodeWords(e.args[0]!)} of ${e.op} is ${arg(0)}${where(0)}`;
  }
  if (e.kind === "reduce" && e.op === "mean" && Number.isNaN(value)) {
    return `${nodeWords(e)} is the mean of no entries`;
  }
  return `${nodeWords(e)} overflows${placeWords(e, k)}`;
}

function inputWords(e: Expr, at: number, data: TypedArray): string {
  let bad = 0;
  for (const x of data) if (!Number.isFinite(x)) bad++;
  const more = bad > 1 ? ` (and at ${countWords(bad - 1)} more places)` : "";
  return `${nodeWords(e)} is ${data[at]!}${placeWords(e, at)}${more}`;
}
