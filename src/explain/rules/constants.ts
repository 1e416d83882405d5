/** DG003, DG004, DG005: constants that the dtype swallows, that change nothing, and sums that overflow. */
import { elementCount } from "../../expression/axis.ts";
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { storedAs } from "./dtypes.ts";
import { type Finding, type Fix, replace, shortText } from "./rule.ts";
import type { View } from "./view.ts";

/** What people mean by an epsilon; larger constants are there for other reasons. */
const MOST_EPSILON = 1e-2;

/** DG003: an epsilon that the dtype in use rounds to zero. */
export function vanishingEpsilons(view: View): Finding[] {
  const stored = storedAs(view);
  return epsilons(view).flatMap(({ node, epsilon, other }): Finding[] => {
    const dtype = stored.get(node) ?? stored.get(other);
    const span = view.subject.spans.get(node);
    if (dtype === undefined || span === undefined || epsilon >= dtype.smallest / 2) return [];
    return [
      {
        span,
        message: `${plain(epsilon)} is 0 in ${dtype.name}, whose smallest positive number is ${plain(dtype.smallest)}: it keeps nothing away from zero.`,
        remedy: `Compute the loss in float32 (x.float()), or use a constant of at least ${plain(dtype.advised)}.`,
        related: stored.get(node) === undefined ? [] : castsIn(view, node),
        fix: inFloat32(view, node),
      },
    ];
  });
}

/**
 * DG004: an epsilon that changes neither what it is added to nor the gradient, whatever smoothing a
 * caller asks for.
 */
export function idleEpsilons(view: View): Finding[] {
  return epsilons(view).flatMap(({ node, epsilon, other }): Finding[] => {
    const span = view.subject.spans.get(node);
    if (span === undefined) return [];
    const text = shortText(view.subject.source, span) ?? "this";
    if (node.kind === "clamp" || (node.kind === "binary" && node.op === "max")) {
      const { lo } = view.intervalOfAnySetting(other);
      if (lo < epsilon) return [];
      return [
        {
          span,
          message: `The bound ${plain(epsilon)} in ${text} has no effect: what it bounds is never below ${plain(lo)}.`,
          remedy: null,
          related: [],
          fix: null,
        },
      ];
    }
    if (offsetOfLoss(view, node)) {
      return [
        {
          span,
          message: `${plain(epsilon)} in ${text} shifts the loss and leaves its gradient as it is: it protects no denominator.`,
          remedy: "Add it to the denominator (and to the numerator), or leave it out.",
          related: [],
          fix: withoutIt(view, node, span),
        },
      ];
    }
    const size = view.intervalOfAnySetting(other);
    const least = Math.max(size.lo, -size.hi, 0);
    if (Math.fround(least + epsilon) !== Math.fround(least) || least === 0) return [];
    return [
      {
        span,
        message: `${plain(epsilon)} in ${text} has no effect in float32: what it is added to is at least ${plain(least)}, and the sum rounds back to it.`,
        remedy: `Use a constant of more than ${plain(least * 2 ** -23)}, or leave it out.`,
        related: [],
        fix: withoutIt(view, node, span),
      },
    ];
  });
}

/** DG005: a float16 sum past 65504. */
export function overflowingSums(view: View): Finding[] {
  const stored = storedAs(view);
  return view.order.flatMap((e): Finding[] => {
    if (e.kind !== "reduce" || e.op !== "sum") return [];
    const dtype = stored.get(e);
    const span = view.subject.spans.get(e);
    const each = view.interval(e.args[0]!).hi;
    if (dtype?.name !== "float16" || span === undefined || each <= 0) return [];
    const count = elementCount(e.dims.map((d) => e.args[0]!.shape[d]!));
    if (count !== null && count * each <= dtype.largest) return [];
    const text = shortText(view.subject.source, span) ?? "this sum";
    const from = Number.isFinite(each)
      ? `with ${Math.ceil(dtype.largest / each).toLocaleString("en")} entries of ${plain(each)}`
      : "where its entries are large";
    return [
      {
        span,
        message: `${text} is a float16, which ends at 65,504: ${from} it is infinite, and the gradient 0 or NaN.`,
        remedy: "Sum in float32: x.float().sum(), or x.sum(dtype=torch.float32).",
        related: castsIn(view, e),
        fix: inFloat32(view, e),
      },
    ];
  });
}

interface Epsilon {
  /** The operation that brings it in. */
  readonly node: Expr;
  readonly epsilon: number;
  readonly other: Expr;
}

/** Small positive constants that are added, or are lower bounds. */
function epsilons(view: View): Epsilon[] {
  return view.order.flatMap((node): Epsilon[] => {
    if (node.kind === "clamp") return asEpsilon(node, node.args[1]!, node.args[0]!);
    if (node.kind !== "binary" || (node.op !== "add" && node.op !== "max")) return [];
    const [a, b] = node.args as [Expr, Expr];
    return [...asEpsilon(node, a, b), ...asEpsilon(node, b, a)];
  });
}

function asEpsilon(node: Expr, constant: Expr, other: Expr): Epsilon[] {
  if (constant.kind !== "const" && constant.kind !== "parameter") return [];
  const { value } = constant;
  const isEpsilon = value !== null && value > 0 && value <= MOST_EPSILON;
  return isEpsilon && other.kind !== "const" ? [{ node, epsilon: value, other }] : [];
}

/** Only added to, subtracted from or scaled by constants on its way to the loss. */
function offsetOfLoss(view: View, e: Expr): boolean {
  if (e.shape.length > 0) return false;
  let at = e;
  while (at !== view.subject.loss) {
    const users = view.usersOf(at);
    const [user] = users;
    if (users.length !== 1 || user === undefined) return false;
    const isLinear =
      (user.kind === "unary" && user.op === "neg") ||
      (user.kind === "binary" && (user.op === "add" || user.op === "sub"));
    if (!isLinear) return false;
    at = user;
  }
  return view.onPrediction.has(e);
}

/** `x + 1e-7` → `x`. */
function withoutIt(view: View, node: Expr, span: SourceSpan): Fix | null {
  const { source } = view.subject;
  const written = source.writtenAt(span);
  if (written?.kind !== "binary" || written.name !== "+" || node.kind !== "binary") return null;
  const constantFirst = node.args[0]!.kind === "const" || node.args[0]!.kind === "parameter";
  const texts = written.parts.map((p) => source.textOf(p));
  const isNumber = texts.map((t) => t !== null && /^[\w.]*(\d|eps|smooth)[\w.+-]*$/i.test(t));
  const kept = isNumber[1] === true ? 0 : isNumber[0] === true && constantFirst ? 1 : null;
  if (kept === null || texts[kept] === null) return null;
  return { title: "Remove the constant", edits: [replace(span, texts[kept]!)] };
}

function castsIn(view: View, e: Expr): Finding["related"] {
  const cast = nearestCast(e);
  const span = cast === null ? undefined : view.subject.spans.get(cast);
  return span === undefined ? [] : [{ span, message: "the values become float16 here" }];
}

function nearestCast(e: Expr): Extract<Expr, { kind: "cast" }> | null {
  const cast = topological(e).findLast((at) => at.kind === "cast" && isHalf(at.to));
  return cast?.kind === "cast" ? cast : null;
}

function isHalf(to: string): boolean {
  return to === "float16" || to === "bfloat16";
}

/** `.half()` → `.float()`, and `torch.float16` → `torch.float32`, where it says so in one place. */
function inFloat32(view: View, e: Expr): Fix | null {
  const cast = nearestCast(e);
  const span = cast === null ? undefined : view.subject.spans.get(cast);
  const text = span === undefined ? null : view.subject.source.textOf(span);
  if (span === undefined || text === null) return null;
  const wide = text
    .replace(/\.(half|bfloat16)\(\)$/, ".float()")
    .replace(/\b(b?float16|half)\b(?=["']?\)$)/, "float32");
  if (wide === text) return null;
  return { title: "Compute in float32", edits: [replace(span, wide)] };
}

function plain(x: number): string {
  return x >= 1e-3 && x < 1e6 ? String(Number(x.toPrecision(6))) : String(Number(x.toPrecision(3)));
}
