/** Where in the code a reason stands: the nodes of the traced loss that make it, by their lines. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { type FamilySpec, type Scalar, valueOf } from "../../losses/spec.ts";
import type { Subject } from "../recognize/subject.ts";
import type { ReasonId } from "./groups.ts";

/** The lines of the code that a reason concerns, first to last; empty when none is known. */
export function linesOf(
  id: ReasonId,
  spec: FamilySpec,
  { loss, prediction, target }: Subject,
  spans: ReadonlyMap<Expr, SourceSpan>,
  file: string,
): number[] {
  const nodes = topological(loss);
  const own = nodes.filter((e) => isPart(id, e, spec));
  const found = lines(own, spans, file);
  if (found.length > 0) return found;
  // Nothing of it is there: where it would stand.
  if (OUTERMOST.has(id)) return lines([loss], spans, file);
  const taken = TAKES[id];
  if (taken !== undefined) {
    const leaf = taken === "prediction" ? prediction : target;
    const users = nodes.filter((e) => e.args.includes(leaf));
    const [first] = lines(users, spans, file);
    if (first !== undefined) return [first];
  }
  const ratio = nodes.filter(isRatio);
  const fallback = lines(ratio, spans, file);
  return fallback.length > 0 ? fallback.slice(-1) : lines([loss], spans, file);
}

/** What happens to the value of the loss last, and to its arrays first. */
const OUTERMOST: ReadonlySet<ReasonId> = new Set(["constant-factor", "further-terms"]);
const TAKES: Readonly<Partial<Record<ReasonId, "prediction" | "target">>> = {
  activation: "prediction",
  clipping: "prediction",
  "target-encoding": "target",
  "target-smoothing": "target",
};

function lines(
  nodes: readonly Expr[],
  spans: ReadonlyMap<Expr, SourceSpan>,
  file: string,
): number[] {
  const found = nodes.flatMap((e) => {
    const span = spans.get(e);
    return span?.file === file ? [span.line] : [];
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

function isPart(id: ReasonId, e: Expr, spec: FamilySpec): boolean {
  switch (id) {
    case "activation":
      return (
        e.kind === "softmax" ||
        (e.kind === "unary" && ["sigmoid", "logsigmoid", "tanh", "relu"].includes(e.op))
      );
    case "smoothing":
      return addsNumber(e, [spec.smoothNumerator, spec.smoothDenominator]);
    case "denominator-floor":
      return limits(e, [spec.denominatorFloor]);
    case "clipping":
      return limits(e, [spec.predictionClip, spec.targetClip]);
    case "powers":
      return (
        e.kind === "binary" &&
        (e.op === "pow" || (e.op === "mul" && e.args[0] === e.args[1])) &&
        !isOutside(e)
      );
    case "region":
      return e.kind === "reduce" && e.op === "sum" && !isOutside(e);
    case "class-reduction":
      if (e.kind === "binary" && e.op === "add" && e.args.every(isOutside)) return true;
      return e.kind === "reduce" && isOutside(e);
    case "batch-reduction":
      return e.kind === "reduce" && isOutside(e);
    case "target-encoding":
      return e.kind === "oneHot" || (e.kind === "binary" && e.op === "eq");
    case "classes":
      return e.kind === "slice" || e.kind === "index";
    case "absent-classes":
    case "empty-regions":
      return e.kind === "where" || (e.kind === "binary" && ["gt", "eq", "ne"].includes(e.op));
    case "outer-function":
      return (
        (e.kind === "binary" && e.op === "pow" && isOutside(e)) ||
        (e.kind === "unary" && (e.op === "cosh" || e.op === "log"))
      );
    case "loss-of-score":
      return (
        (e.kind === "unary" && (e.op === "log" || e.op === "neg")) ||
        (e.kind === "binary" && e.op === "sub" && isOne(e.args[0]!))
      );
    case "detached":
      return e.kind === "stopGradient";
    case "thresholded":
      return (
        (e.kind === "unary" && e.op === "round") ||
        (e.kind === "binary" && (e.op === "gt" || e.op === "ge"))
      );
    case "overlap":
      return e.kind === "unary" && e.op === "abs";
    case "constant-factor":
      return multiplies(e, spec.factor);
    case "further-terms":
      return e.kind === "unary" && ["log", "softplus", "logsigmoid"].includes(e.op);
    default:
      return false;
  }
}

/** Whether it multiplies what comes of the ratios by a number. */
function multiplies(e: Expr, by: Scalar): boolean {
  if (e.kind !== "binary" || e.shape.length > 0 || valueOf(by) === 1) return false;
  return e.op === "mul" && e.args.some((a) => isNumber(a, [by])) && isOutside(e);
}

/** A quotient of sums. */
function isRatio(e: Expr): boolean {
  if (e.kind !== "binary" || e.op !== "div") return false;
  return topological(e.args[1]!).some((n) => n.kind === "reduce");
}

/** Whether a quotient of sums lies below it: it works on ratios, not on arrays. */
function isOutside(e: Expr): boolean {
  return topological(e).some((n) => n !== e && isRatio(n));
}

function isOne(e: Expr): boolean {
  return e.kind === "const" && e.value === 1;
}

function isNumber(e: Expr, among: readonly Scalar[]): boolean {
  if (e.kind !== "const" && e.kind !== "parameter") return false;
  return among.some((s) => valueOf(s) !== 0 && numbersOf(s).includes(e.value ?? NaN));
}

/** The number itself, and what it is a multiple of. */
function numbersOf(s: Scalar): number[] {
  return typeof s === "number" ? [s, s / 2, s * 2] : [s.value, valueOf(s)];
}

function addsNumber(e: Expr, among: readonly Scalar[]): boolean {
  return e.kind === "binary" && e.op === "add" && e.args.some((a) => isNumber(a, among));
}

function limits(e: Expr, among: readonly Scalar[]): boolean {
  const bounds = e.kind === "clamp" ? e.args.slice(1) : e.args;
  const limiting = e.kind === "clamp" || (e.kind === "binary" && e.op === "max");
  return limiting && bounds.some((b) => isNumber(b, among));
}
