/** DG006, DG007, DG012: activations applied twice, left out, or over the wrong axis. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { moved, passedOn } from "./passing.ts";
import { type Finding, type Fix, type Written, replace, shortText } from "./rule.ts";
import type { View } from "./view.ts";

/** DG006 */
export function doubledActivations(view: View): Finding[] {
  const { source } = view.subject;
  return view.order.flatMap((outer): Finding[] => {
    if (!isActivation(outer) || !view.onPrediction.has(outer)) return [];
    const inner = passedOn(outer.args[0]!);
    if (!isActivation(inner) || isHarmless(outer, inner)) return [];
    const span = view.spanOf(outer);
    const first = view.spanOf(inner);
    if (span === undefined || sameSpan(span, first)) return [];
    const text = shortText(source, span) ?? "This";
    return [
      {
        span,
        message: `${text} applies ${nameOf(outer)} to what ${nameOf(inner)} has already made: ${effectOf(outer, inner)}`,
        remedy: "Apply one activation: leave this one out, or give it logits.",
        related:
          first === undefined ? [] : [{ span: first, message: `${nameOf(inner)} is applied here` }],
        fix: withoutCall(view, source.writtenAt(span), span),
      },
    ];
  });
}

/** softmax(log softmax x) is softmax x, and a softmax's own logarithm is no second activation. */
function isHarmless(outer: Expr, inner: Expr): boolean {
  const isLog = (e: Expr): boolean =>
    (e.kind === "softmax" && e.log) || (e.kind === "unary" && e.op === "logsigmoid");
  return isLog(inner) && outer.kind === "softmax";
}

function isActivation(e: Expr): boolean {
  if (e.kind === "softmax") return true;
  return e.kind === "unary" && ["sigmoid", "logsigmoid", "softplus"].includes(e.op);
}

function nameOf(e: Expr): string {
  if (e.kind === "softmax") return e.log ? "log-softmax" : "softmax";
  if (e.kind !== "unary") return e.kind;
  // With logits, binary cross-entropy is written by softplus or log-sigmoid.
  return e.op === "sigmoid" ? "a sigmoid" : "a sigmoid (inside a loss of logits)";
}

function effectOf(outer: Expr, inner: Expr): string {
  const from = inner.kind === "softmax" && inner.log ? "a logarithm" : "values between 0 and 1";
  if (outer.kind === "softmax") {
    return `of ${from}, it cannot give one class more than e times the share of another, and the gradient shrinks.`;
  }
  return from === "a logarithm"
    ? "of logarithms, it stays below 1/2."
    : "of values between 0 and 1, it stays between 0.5 and 0.731, and the gradient is at most a quarter of the single sigmoid's.";
}

/** `torch.sigmoid(x)` → `x`. */
function withoutCall(view: View, written: Written | null, span: SourceSpan): Fix | null {
  if (written?.kind !== "call" || !/^(log_?)?(sigmoid|softmax|expit)$/i.test(written.name))
    return null;
  const inner = written.parts[0];
  const text = inner === undefined ? null : view.subject.source.textOf(inner);
  if (text === null) return null;
  return { title: "Apply the activation once", edits: [replace(span, text)] };
}

/** DG007 */
export function missingActivations(view: View): Finding[] {
  const { prediction } = view;
  if (prediction === null || !/logit/i.test(prediction.name)) return [];
  if (view.ranges.get(prediction.node) === "logit") return [];
  // Used as they are in a sum that a ratio divides by: the denominators of probabilities are positive.
  const below = view.order.find(
    (e) => e.kind === "binary" && e.op === "div" && sumsPlainly(e.args[1]!, prediction.node),
  );
  const span = below === undefined ? undefined : view.subject.spans.get(below);
  if (span === undefined) return [];
  return [
    {
      span,
      message: `${prediction.name} are summed as they are: logits are any numbers, so the denominator can be zero or negative and the loss leaves [0, 1].`,
      remedy: `Apply the activation first: ${prediction.name} = torch.sigmoid(${prediction.name}), or softmax over the classes.`,
      related: [],
      fix: null,
    },
  ];
}

function sumsPlainly(e: Expr, input: Expr): boolean {
  return topological(e).some(
    (at) => at.kind === "reduce" && at.op === "sum" && moved(at.args[0]!) === input,
  );
}

/** DG012 */
export function wrongAxes(view: View): Finding[] {
  return [...softmaxAcross(view), ...oneHotAcross(view)];
}

/** A one-hot encoding whose classes meet another axis of the prediction than its classes. */
function oneHotAcross(view: View): Finding[] {
  const { spans, source, areShapesTold } = view.subject;
  // Of a matrix, or of points, the last axis may be the very one of the classes.
  if (!areShapesTold) return [];
  const encodings = view.order.filter((e) => e.kind === "oneHot");
  return encodings.flatMap((encoding): Finding[] => {
    const span = view.spanOf(encoding);
    const meeting = view.order.find((e) => e.kind === "binary" && acrossOf(view, encoding, e));
    if (span === undefined || meeting === undefined) return [];
    const { own, classes, rank } = acrossOf(view, encoding, meeting)!;
    const at = spans.get(meeting);
    return [
      {
        span,
        message: `${shortText(source, span) ?? "The one-hot encoding"} has its classes on axis ${own} of ${rank}, and meets a prediction whose classes stand on axis ${classes}: classes are multiplied with places.`,
        remedy: `Move them before: .permute(${moveAxis(rank, own, classes).join(", ")}) in PyTorch, or moveaxis(…, ${own}, ${classes}).`,
        related: at === undefined ? [] : [{ span: at, message: "where the two meet" }],
        fix: null,
      },
    ];
  });
}

/** Where an encoding and the prediction's classes stand in an operation on both; null if alike. */
function acrossOf(
  view: View,
  encoding: Expr,
  meeting: Expr,
): { readonly own: number; readonly classes: number; readonly rank: number } | null {
  const names = encoding.kind === "oneHot" ? encoding.shape[encoding.dim]!.name : "";
  const [a, b] = meeting.args as [Expr, Expr];
  for (const [target, prediction] of [
    [a, b],
    [b, a],
  ] as const) {
    const rank = target.shape.length;
    if (rank < 3 || prediction.shape.length !== rank || passedOn(target) !== encoding) continue;
    if (!view.onPrediction.has(prediction)) continue;
    const own = target.shape.findIndex((x) => x.name === names);
    const classes = classesOf(prediction);
    if (own >= 0 && classes >= 0 && own !== classes) return { own, classes, rank };
  }
  return null;
}

/** The axis of a prediction's classes: that of its softmax, or the one that is known as such. */
function classesOf(prediction: Expr): number {
  const inner = passedOn(prediction);
  const name =
    inner.kind === "softmax"
      ? inner.shape[inner.dim]!.name
      : prediction.shape.find((x) => x.role === "class")?.name;
  return prediction.shape.findIndex((x) => x.name === name);
}

/** The order of axes with one of them moved. */
function moveAxis(rank: number, from: number, to: number): number[] {
  const order = Array.from({ length: rank }, (_, k) => k).filter((k) => k !== from);
  order.splice(to, 0, from);
  return order;
}

/** A softmax over samples or places. */
function softmaxAcross(view: View): Finding[] {
  const { spans, source, areShapesTold } = view.subject;
  // A single image, or points, may have their classes on any axis.
  if (!areShapesTold) return [];
  return view.order.flatMap((e): Finding[] => {
    if (e.kind !== "softmax" || !view.onPrediction.has(e)) return [];
    const shape = e.args[0]!.shape;
    const axis = shape[e.dim]!;
    const classes = shape.findIndex((a) => a.role === "class");
    const isBatch = axis.role === "batch" && shape.length >= 3;
    // Over the last axis it says that the classes stand there, whatever was assumed.
    const isSpace = axis.role === "space" && classes >= 0 && e.dim < shape.length - 1;
    const span = spans.get(e);
    if (span === undefined || (!isBatch && !isSpace)) return [];
    const over = isBatch ? "the samples of the batch" : `the spatial axis ${axis.name}`;
    return [
      {
        span,
        message: `${shortText(source, span) ?? "This softmax"} runs over axis ${e.dim} (${over}), not over the classes: a voxel's class probabilities do not add up to 1${isBatch ? ", and what one sample predicts depends on the others" : ""}.`,
        remedy:
          classes >= 0 ? `Give it the class axis: dim=${classes}.` : "Give it the class axis.",
        related: [],
        fix: classes < 0 ? null : overClasses(view, span, classes),
      },
    ];
  });
}

function overClasses(view: View, span: SourceSpan, classes: number): Fix | null {
  const { source } = view.subject;
  const written = source.writtenAt(span);
  const given =
    written?.keywords.get("dim") ?? written?.keywords.get("axis") ?? written?.parts[1] ?? null;
  const isNumber = given !== null && /^-?\d+$/.test(source.textOf(given) ?? "");
  if (!isNumber) return null;
  return { title: `Use the class axis, ${classes}`, edits: [replace(given, String(classes))] };
}

function sameSpan(a: SourceSpan, b: SourceSpan | undefined): boolean {
  return a.file === b?.file && a.line === b.line && a.column === b.column;
}
