/** Where in the code a reason stands: the nodes of the traced loss that make it, by their lines. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { type FamilySpec, type Scalar, valueOf } from "../../losses/spec.ts";
import { withoutMask } from "../recognize/masks.ts";
import { PASSING } from "../recognize/passing.ts";
import { type Subject, rolesOf } from "../recognize/subject.ts";
import type { ReasonId } from "./groups.ts";

/** The lines of the code that a reason concerns, first to last; empty when none is known. */
export function linesOf(
  id: ReasonId,
  spec: FamilySpec,
  subject: Subject,
  spans: ReadonlyMap<Expr, SourceSpan>,
  file: string,
): number[] {
  const view = new View(subject, spec);
  const own =
    id === "mask"
      ? (withoutMask(subject)?.places ?? [])
      : view.nodes.filter((e) => isPart(id, e, view));
  const found = lines(own, spans, file);
  if (found.length > 0) return found;
  // Nothing of it is there: where it would stand.
  if (OUTERMOST.has(id)) return lines([subject.loss], spans, file);
  const stead = view.nodes.filter((e) => isStead(id, e, view));
  const [first] = lines(stead, spans, file);
  if (first !== undefined) return [first];
  const ratio = lines(view.nodes.filter(isRatio), spans, file);
  return ratio.length > 0 ? ratio.slice(-1) : lines([subject.loss], spans, file);
}

/** What happens to the value of the loss last. */
const OUTERMOST: ReadonlySet<ReasonId> = new Set(["constant-factor", "further-terms"]);

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

/** The nodes of a loss, and what lies below each of them. */
class View {
  readonly spec: FamilySpec;
  readonly subject: Subject;
  readonly nodes: readonly Expr[];
  /** Nodes over sums, and nodes over quotients of sums. */
  readonly summed: ReadonlySet<Expr>;
  readonly outside: ReadonlySet<Expr>;
  readonly ofPrediction: ReadonlySet<Expr>;
  readonly ofTarget: ReadonlySet<Expr>;
  /** The target's entries times numbers plus numbers, the target itself included. */
  readonly smoothed: ReadonlySet<Expr>;

  constructor(subject: Subject, spec: FamilySpec) {
    this.spec = spec;
    this.subject = subject;
    const { loss, prediction, target } = subject;
    this.nodes = topological(loss);
    this.summed = this.above((e) => e.kind === "reduce");
    this.outside = this.above(isRatio);
    this.ofPrediction = new Set([prediction, ...this.above((e) => e === prediction)]);
    this.ofTarget = new Set([target, ...this.above((e) => e === target)]);
    this.smoothed = this.smoothedFrom(target);
  }

  /** Nodes that depend on one that is so. */
  private above(isSo: (e: Expr) => boolean): Set<Expr> {
    const found = new Set<Expr>();
    for (const e of this.nodes) if (e.args.some((a) => isSo(a) || found.has(a))) found.add(e);
    return found;
  }

  private smoothedFrom(target: Expr): Set<Expr> {
    const found = new Set<Expr>([target]);
    for (const e of this.nodes) {
      const passes = PASSING.has(e.kind) || e.kind === "oneHot";
      if (!e.args.some((a) => found.has(a))) continue;
      if (passes || isAffine(e, this.ofPrediction, found)) found.add(e);
    }
    return found;
  }

  /** Whether a reduction over axes with this role; such as are known by their names. */
  reduces(e: Expr, role: "batch" | "class"): boolean {
    if (e.kind !== "reduce" || !this.outside.has(e)) return false;
    const roles = rolesOf(this.subject);
    const roleOf = (name: string): string | undefined =>
      roles[this.subject.prediction.shape.findIndex((a) => a.name === name.split("′")[0])];
    const reduced = e.dims.map((d) => roleOf(e.args[0]!.shape[d]!.name));
    return reduced.some((r) => r === role) || reduced.every((r) => r === undefined);
  }
}

function isAffine(e: Expr, ofPrediction: ReadonlySet<Expr>, smoothed: ReadonlySet<Expr>): boolean {
  return (
    e.kind === "binary" &&
    ["add", "sub", "mul", "div"].includes(e.op) &&
    !ofPrediction.has(e) &&
    e.args.filter((a) => smoothed.has(a)).length === 1 &&
    e.args.every((a) => smoothed.has(a) || a.shape.length === 0)
  );
}

function isPart(id: ReasonId, e: Expr, view: View): boolean {
  const { spec, outside, summed } = view;
  switch (id) {
    case "activation":
      return (
        e.kind === "softmax" ||
        (e.kind === "unary" && ["sigmoid", "logsigmoid", "tanh", "relu"].includes(e.op)) ||
        (e.kind === "unary" && e.op === "exp" && !summed.has(e))
      );
    case "smoothing":
      return (
        summed.has(e) &&
        !outside.has(e) &&
        addsNumber(e, [spec.smoothNumerator, spec.smoothDenominator])
      );
    case "denominator-floor":
      return limits(e, [spec.denominatorFloor]);
    case "clipping":
      return !summed.has(e) && limits(e, [spec.predictionClip, spec.targetClip]);
    case "powers":
      return (
        e.kind === "binary" &&
        (e.op === "pow" || (e.op === "mul" && e.args[0] === e.args[1])) &&
        !summed.has(e)
      );
    case "region":
      return e.kind === "reduce" && e.op === "sum" && !outside.has(e);
    case "class-reduction":
      return (isSumOfTerms(e, view) && !view.reduces(e, "batch")) || view.reduces(e, "class");
    case "batch-reduction":
      return view.reduces(e, "batch");
    case "target-encoding":
      return e.kind === "oneHot" || (e.kind === "binary" && e.op === "eq" && !summed.has(e));
    case "target-smoothing":
      return view.smoothed.has(e) && e.kind === "binary" && spec.targetSmoothing.kind !== "none";
    case "classes":
      return (e.kind === "slice" || e.kind === "index") && !summed.has(e);
    case "absent-classes":
      return asksSums(e, view) && !view.ofPrediction.has(e);
    case "empty-regions":
      return asksSums(e, view);
    case "outer-function":
      return (
        outside.has(e) &&
        ((e.kind === "binary" && e.op === "pow") ||
          (e.kind === "unary" && (e.op === "cosh" || e.op === "log")))
      );
    case "loss-of-score":
      return (
        outside.has(e) &&
        ((e.kind === "unary" && (e.op === "log" || e.op === "neg")) ||
          (e.kind === "binary" && e.op === "sub" && isOne(e.args[0]!)))
      );
    case "overlap":
      return (e.kind === "unary" && e.op === "abs") || isWrittenAbs(e);
    case "overlap-factor":
      return isDoubled(e, view);
    case "class-weights":
      return isWeighing(e, view);
    case "constant-factor":
      return multiplies(e, spec.factor, view);
    case "further-terms":
      return (
        e.kind === "unary" && ["log", "softplus", "logsigmoid"].includes(e.op) && !outside.has(e)
      );
    default:
      return false;
  }
}

/** Where a reason would stand of which there is nothing. */
function isStead(id: ReasonId, e: Expr, view: View): boolean {
  const { prediction, target } = view.subject;
  const isSum = e.kind === "reduce" && !view.outside.has(e);
  const [p, t] = [view.ofPrediction.has(e), view.ofTarget.has(e)];
  switch (id) {
    case "activation":
    case "clipping":
    case "mask":
      return e.args.includes(prediction);
    case "target-encoding":
    case "target-smoothing":
      return e.args.includes(target);
    case "overlap":
      return isSum && p && t;
    case "powers":
      return isSum && p !== t;
    case "outer-function":
    case "loss-of-score":
      return isPart("loss-of-score", e, view);
    default:
      return false;
  }
}

/** A quotient of sums. */
function isRatio(e: Expr): boolean {
  if (e.kind !== "binary" || e.op !== "div") return false;
  return topological(e.args[1]!).some((n) => n.kind === "reduce");
}

/** A condition on sums, or a choice by one. */
function asksSums(e: Expr, view: View): boolean {
  if (e.kind === "where") return asksSums(e.args[0]!, view);
  return view.summed.has(e) && e.kind === "binary" && ["gt", "eq", "ne"].includes(e.op);
}

/** The terms of classes, added one to another. */
function isSumOfTerms(e: Expr, { outside }: View): boolean {
  return e.kind === "binary" && e.op === "add" && e.args.every((a) => outside.has(a) || isZero(a));
}

/** |x| as a choice between x and -x. */
function isWrittenAbs(e: Expr): boolean {
  if (e.kind !== "where") return false;
  const [, a, b] = e.args as readonly [Expr, Expr, Expr];
  return (
    (a.kind === "unary" && a.op === "neg" && a.args[0] === b) ||
    (b.kind === "unary" && b.op === "neg" && b.args[0] === a)
  );
}

/** A sum over both arrays, times a number. */
function isDoubled(e: Expr, { summed, outside, ofPrediction, ofTarget }: View): boolean {
  if (e.kind !== "binary" || e.op !== "mul" || outside.has(e)) return false;
  const [a, b] = [e.args[0]!, e.args[1]!];
  const isOverlap = (x: Expr): boolean => summed.has(x) && ofPrediction.has(x) && ofTarget.has(x);
  const isCount = (x: Expr): boolean => x.kind === "const" || x.kind === "parameter";
  return (isCount(a) && isOverlap(b)) || (isCount(b) && isOverlap(a));
}

/** What a score or a loss of a class is multiplied by, and what the target's sums weigh. */
function isWeighing(e: Expr, { spec, outside, summed, ofTarget, ofPrediction }: View): boolean {
  if (spec.classWeighting === "none" || e.kind !== "binary") return false;
  const [a, b] = [e.args[0]!, e.args[1]!];
  if (spec.classWeighting === "volume") {
    return e.op === "div" && summed.has(e) && ofTarget.has(e) && !ofPrediction.has(e);
  }
  if (e.op !== "mul") return false;
  const weights = spec.weights === "input" ? [] : spec.weights;
  const isWeight = (x: Expr): boolean =>
    x.kind === "stack" || (x.kind === "const" && weights.includes(x.value));
  const of = (w: Expr, rest: Expr): boolean => isWeight(w) && (outside.has(rest) || isRatio(rest));
  return of(a, b) || of(b, a);
}

/** Whether it multiplies what comes of the ratios by a number. */
function multiplies(e: Expr, by: Scalar, { outside }: View): boolean {
  if (e.kind !== "binary" || e.shape.length > 0 || valueOf(by) === 1) return false;
  return e.op === "mul" && e.args.some((a) => isNumber(a, [by])) && outside.has(e);
}

const isOne = (e: Expr): boolean => e.kind === "const" && e.value === 1;
const isZero = (e: Expr): boolean => e.kind === "const" && e.value === 0;

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
