/** DG008, DG009, DG013: gradients that do not arrive, hard decisions, targets cut to whole numbers. */
import { receivesGradient } from "../../gradient/derive.ts";
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { MOVING, passedOn } from "./passing.ts";
import { type Cut, type Finding, type Fix, replace, shortText } from "./rule.ts";
import type { View } from "./view.ts";

/** DG008: the loss cannot train the prediction at all. */
export function noGradient(view: View): Finding[] {
  const { prediction, subject } = view;
  if (prediction === null || receivesGradient(subject.loss, prediction.node)) return [];
  // Of hard masks, or taken off the graph, a measure is what it should be, unless one trains with it.
  if (isMeasure(subject.name) && subject.lossUse === null) return [];
  const cuts = onTheWay(view);
  const first = cuts[0];
  return [
    {
      span: first?.span ?? subject.place,
      message: `No gradient reaches ${prediction.name}${first === undefined ? "" : `: ${first.how} cuts it off`}. A network cannot be trained with this loss.`,
      remedy: first === undefined ? null : remedyOf(first),
      related: [
        ...cuts.slice(1).map((c) => ({ span: c.span, message: `${c.how} cuts it off as well` })),
        ...(subject.lossUse === null
          ? []
          : [{ span: subject.lossUse, message: "is used as a loss here" }]),
      ],
      fix: first === undefined ? null : withoutCut(view, first),
    },
  ];
}

function isMeasure(name: string): boolean {
  return !/loss|criterion/i.test(name);
}

/** DG009: some of the prediction's influence goes through a hard decision or a detached value. */
export function hardDecisions(view: View): Finding[] {
  const { prediction, subject } = view;
  if (prediction === null || !receivesGradient(subject.loss, prediction.node)) return [];
  return onTheWay(view).flatMap((cut): Finding[] => {
    if (!decidesOn(prediction.node, cut.node) || isStraightThrough(view, cut)) return [];
    const text = shortText(subject.source, cut.span);
    return [
      {
        span: cut.span,
        message: `${text ?? cut.how} decides, and passes no gradient: what depends on ${prediction.name} through it is a constant to training.`,
        remedy: "Use the probability itself in a loss, and thresholds in metrics only.",
        related: [],
        fix: null,
      },
    ];
  });
}

/**
 * Whether a node makes the prediction itself, entry by entry, into something hard. What is decided
 * by sums (an empty union), by order (a sort) or by what is no number is another matter.
 */
function decidesOn(prediction: Expr, e: Expr): boolean {
  const of = (x: Expr | undefined): boolean => {
    let at = x;
    while (at !== undefined && at !== prediction) at = isSmooth(at) ? at.args[0] : undefined;
    return at === prediction;
  };
  switch (e.kind) {
    case "argReduce":
      return of(e.args[0]);
    case "oneHot":
      return e.args[0]!.kind === "argReduce" && of(e.args[0].args[0]);
    case "cast":
      return e.to !== "bool" ? of(e.args[0]) : decidesOn(prediction, e.args[0]!);
    case "unary":
      return ["round", "floor", "ceil", "sign"].includes(e.op) && of(e.args[0]);
    case "binary":
      return COMPARISONS.has(e.op) && e.args.some(of);
    default:
      return false;
  }
}
const COMPARISONS: ReadonlySet<string> = new Set(["lt", "le", "gt", "ge", "eq", "ne"]);

/** Moves entries or squashes them, one by one or over the classes. */
function isSmooth(e: Expr): boolean {
  return e.kind === "unary" || e.kind === "softmax" || passedOn(e) !== e;
}

/**
 * x + (round(x) - x).detach(), or round(x) + x - x.detach(): hard forward, the plain gradient
 * backward; meant so.
 */
function isStraightThrough(view: View, cut: Cut): boolean {
  return view.order.some(
    (e) =>
      (e.kind === "stopGradient" && topological(e).includes(cut.node)) ||
      (e.kind === "binary" && e.op === "sub" && isSelfWithoutGradient(e)),
  );
}

function isSelfWithoutGradient({ args }: Expr): boolean {
  return args[1]!.kind === "stopGradient" && args[1].args[0] === args[0];
}

function onTheWay(view: View): Cut[] {
  return view.subject.cuts.filter((c) => view.onPrediction.has(c.node));
}

function remedyOf(cut: Cut): string {
  return /round|argmax|comparison|conversion|sign|floor|ceil|one-hot/.test(cut.how)
    ? "Use the probabilities themselves; hard masks are for metrics."
    : `Leave ${cut.how} out.`;
}

/** `x.detach()` → `x`, `x.data` → `x`. */
function withoutCut(view: View, cut: Cut): Fix | null {
  if (!/^\.?(detach|data|numpy|item|cpu)\b/.test(cut.how)) return null;
  const { source } = view.subject;
  const written = source.writtenAt(cut.span);
  const inner = written?.parts[0];
  const text = inner === undefined ? null : source.textOf(inner);
  if (written === null || text === null || (written.kind === "call" && !written.isMethod))
    return null;
  return { title: `Remove ${cut.how}`, edits: [replace(cut.span, text)] };
}

/** DG013: an integer cast that multiplies the prediction: a soft label of 0.9 counts as 0. */
export function truncatedTargets(view: View): Finding[] {
  const { subject, prediction } = view;
  const { spans, source, inputs, loss } = subject;
  // To hard masks, whole numbers are as good.
  if (prediction === null || !receivesGradient(loss, prediction.node)) return [];
  const targets = new Map(
    inputs.flatMap((x) => (x.role === "target" ? [[x.node as Expr, x]] : [])),
  );
  return view.order.flatMap((e): Finding[] => {
    if (e.kind !== "cast" || e.to !== "int") return [];
    const target = targets.get(passedOn(e.args[0]!));
    const span: SourceSpan | undefined = spans.get(e);
    if (target?.node.type !== "float" || span === undefined || !isAmount(view, e)) return [];
    // Whoever uses its fractions beside the whole numbers knows of them.
    if (!view.usersOf(target.node).every((u) => u === e || leadsOnlyTo(view, u, e))) return [];
    return [
      {
        span,
        message: `${shortText(source, span) ?? "This cast"} cuts ${target.name} to whole numbers: soft or resampled labels such as 0.9 count as 0.`,
        remedy: `Keep ${target.name} a float, or round it on purpose.`,
        related: [],
        fix: keptFloat(view, span),
      },
    ];
  });
}

function leadsOnlyTo(view: View, from: Expr, to: Expr): boolean {
  return (
    from === to ||
    (MOVING.has(from.kind) && view.usersOf(from).every((u) => leadsOnlyTo(view, u, to)))
  );
}

/** Multiplies the prediction, and names no class: no one compares, encodes or looks up by it. */
function isAmount(view: View, e: Expr): boolean {
  let multiplies = false;
  const stack = [e];
  for (const at of stack) {
    for (const user of view.usersOf(at)) {
      if (user.kind === "oneHot" || user.kind === "spread" || user.kind === "place") return false;
      if (user.kind === "binary" && (COMPARISONS.has(user.op) || user.op === "max")) return false;
      if (user.kind === "binary" && user.op === "mul") {
        multiplies ||= user.args.some((a) => a !== at && view.onPrediction.has(a));
      }
      if (MOVING.has(user.kind) || user.kind === "expand") stack.push(user);
    }
  }
  return multiplies;
}

function keptFloat(view: View, span: SourceSpan): Fix | null {
  const text = view.subject.source.textOf(span);
  const kept = text?.replace(/\.(long|int)\(\)$/, ".float()") ?? null;
  if (kept === null || kept === text) return null;
  return { title: "Keep the target a float", edits: [replace(span, kept)] };
}
