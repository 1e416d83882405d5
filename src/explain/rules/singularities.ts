/** DG001 and DG002: denominators that can be zero; logarithms and roots at their singularity. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { contains } from "./intervals.ts";
import { moved, passedOn } from "./passing.ts";
import { type Finding, type Fix, type Written, replace, shortText } from "./rule.ts";
import type { Situation } from "./situations.ts";
import type { View } from "./view.ts";

interface Singular {
  readonly node: Expr;
  readonly span: SourceSpan;
  readonly situation: Situation;
  /** The loss itself is no number there; else its gradient is not. */
  readonly inLoss: boolean;
}

export function zeroDenominators(view: View): Finding[] {
  const { source } = view.subject;
  return singular(view, isDivision, (e, s) => hasZero(s.values.get(e.args[1]!))).map(
    ({ node, situation, inLoss, span }) => {
      const written = source.writtenAt(span);
      const below = written?.name === "/" ? shortText(source, written.parts[1]!) : null;
      const what = below === null ? "this divides by zero" : `the denominator ${below} is zero`;
      return {
        span,
        message: inLoss
          ? `When ${situation.words}, ${what}: the loss is ${numberWord(view, situation)}, and so is its gradient.`
          : `When ${situation.words}, ${what}. Another value is taken for the loss there, but autograd multiplies 0 by the infinite derivative of this division: the gradient is NaN.`,
        remedy: inLoss
          ? "Add a smoothing constant to numerator and denominator, or leave such regions out before dividing."
          : "Make the denominator safe before dividing, e.g. divide by torch.where(d == 0, 1, d).",
        related: [],
        fix: inLoss ? smoothing(view, node, written, span) : null,
      };
    },
  );
}

export function singularFunctions(view: View): Finding[] {
  const { source } = view.subject;
  const found = singular(view, isSingularFunction, (e, s) => isAtSingularity(e, s));
  return found.map(({ node, situation, inLoss, span }) => {
    const written = source.writtenAt(span);
    const name = nameOf(node);
    const inner = written === null ? null : argumentOf(written);
    const of = inner === null ? "its argument" : (shortText(source, inner) ?? "its argument");
    const value = node.kind === "unary" && node.op === "log1p" ? "-1" : "0";
    return {
      span,
      message: inLoss
        ? `When ${situation.words}, ${of} is ${value} and its ${name} infinite: the loss is ${numberWord(view, situation)}.`
        : `When ${situation.words}, ${of} is ${value}, where the slope of its ${name} is infinite: the gradient is infinite or NaN.`,
      remedy: `Keep ${of} away from ${value}: add a small constant to it, or clamp it.`,
      related: [],
      fix: apart(view, written),
    };
  });
}

function isDivision(view: View, e: Expr): boolean {
  if (e.kind !== "binary" || e.op !== "div" || !contains(view.interval(e.args[1]!), 0))
    return false;
  return !isNormalization(view, e);
}

/** `p / p.sum(axis)`: what is taken for shares of a whole is not zero everywhere. */
function isNormalization(view: View, { args }: Expr): boolean {
  const sum = passedOn(args[1]!);
  if (sum.kind !== "reduce" || sum.op !== "sum" || sum.dims.length !== 1) return false;
  return sum.args[0] === args[0] && moved(args[0]!) === view.prediction?.node;
}

function isSingularFunction(view: View, e: Expr): boolean {
  const [x, y] = e.args;
  if (x === undefined) return false;
  if (e.kind === "unary") {
    if (e.op === "log") return view.interval(x).lo <= 0 && !isLogSumExp(view, e);
    if (e.op === "log1p") return view.interval(x).lo <= -1;
    return e.op === "sqrt" && view.interval(x).lo <= 0 && view.onPrediction.has(x);
  }
  if (e.kind !== "binary" || e.op !== "pow") return false;
  const exponent = view.interval(y!);
  if (exponent.lo !== exponent.hi || exponent.lo >= 1 || exponent.lo === 0) return false;
  return contains(view.interval(x), 0) && (exponent.lo < 0 || view.onPrediction.has(x));
}

/** A library's logsumexp takes the maximum out before it exponentiates: its sum is never 0. */
function isLogSumExp(view: View, e: Expr): boolean {
  const sum = passedOn(e.args[0]!);
  if (sum.kind !== "reduce" || sum.op !== "sum") return false;
  const exp = sum.args[0]!;
  const span = view.subject.spans.get(e);
  return exp.kind === "unary" && exp.op === "exp" && span !== undefined && !isOwn(view, span);
}

function isAtSingularity(e: Expr, s: Situation): boolean {
  const values = Array.from(s.values.get(e.args[0]!) ?? []);
  return e.kind === "unary" && e.op === "log1p"
    ? values.some((v) => v === -1)
    : values.some((v) => v === 0);
}

/** The first situation that leads each such node to its singularity and spoils loss or gradient. */
function singular(
  view: View,
  isCandidate: (view: View, e: Expr) => boolean,
  isReached: (e: Expr, s: Situation) => boolean,
): Singular[] {
  const { spans, loss } = view.subject;
  return view.order.flatMap((node): Singular[] => {
    const span = spans.get(node);
    if (span === undefined || !isCandidate(view, node)) return [];
    const reached = view.situations.filter((s) => isReached(node, s));
    const spoilt = reached.find((s) => !isFinite(s, loss) && isOrigin(s, node));
    if (spoilt !== undefined && spoils(view, node, spoilt)) {
      return [{ node, situation: spoilt, inLoss: true, span }];
    }
    const steep = reached.find((s) => isFinite(s, loss));
    if (steep === undefined || !view.onPrediction.has(node) || !isOwn(view, span)) return [];
    const spoilsGradient = isFinite(steep, node)
      ? hasInfiniteSlope(node) && !isLaterCut(view, node)
      : isChosenAway(view, node, steep);
    return spoilsGradient ? [{ node, situation: steep, inLoss: false, span }] : [];
  });
}

/** Roots: finite themselves at zero, unlike their slope. */
function hasInfiniteSlope(e: Expr): boolean {
  return (e.kind === "unary" && e.op === "sqrt") || (e.kind === "binary" && e.op === "pow");
}

/** What comes in is finite, and what goes out is not. */
function isOrigin(s: Situation, e: Expr): boolean {
  return !isFinite(s, e) && isFinite(s, ...e.args);
}

/** On some way to the loss nothing is a number; else what is wrong with the loss is not its doing. */
function spoils(view: View, e: Expr, s: Situation): boolean {
  return notFiniteFrom(view, e, s).has(view.subject.loss);
}

/** The node, and what is made of it as long as that is no finite number. */
function notFiniteFrom(view: View, e: Expr, s: Situation): ReadonlySet<Expr> {
  const reached = new Set([e]);
  for (const at of reached) {
    for (const u of view.usersOf(at)) if (!isFinite(s, u)) reached.add(u);
  }
  return reached;
}

/**
 * Whether the operation is written there itself. Library functions that stand for guard and
 * operation at once (divide_no_nan, norm, binary_cross_entropy) have gradients of their own.
 */
function isOwn(view: View, span: SourceSpan): boolean {
  const written = view.subject.source.writtenAt(span);
  return written !== null && OWN_OPERATION.has(written.name);
}
const OWN_OPERATION = new Set(["/", "**", "log", "log2", "log10", "log1p", "sqrt", "pow", "div"]);

/**
 * A where() takes another branch: autograd passes 0 into the branch not taken, and 0 times an
 * infinite derivative is NaN.
 */
function isChosenAway(view: View, e: Expr, s: Situation): boolean {
  if (view.subject.inputs[0]?.library === "numpy") return false;
  return [...notFiniteFrom(view, e, s)].some((at) =>
    view.usersOf(at).some((u) => u.kind === "where" && u.args[0] !== at),
  );
}

/** No gradient comes to it: a detach stands between it and the loss. */
function isLaterCut(view: View, e: Expr): boolean {
  const users = view.usersOf(e);
  return users.length > 0 && users.every((u) => u.kind === "stopGradient");
}

function isFinite(s: Situation, ...nodes: readonly Expr[]): boolean {
  return nodes.every((e) => {
    const values = s.values.get(e);
    return (
      e.kind === "const" || (values !== undefined && Array.from(values).every(Number.isFinite))
    );
  });
}

function hasZero(values: ArrayLike<number> | undefined): boolean {
  return values !== undefined && Array.from(values).some((v) => v === 0);
}

function numberWord(view: View, s: Situation): string {
  const value = s.values.get(view.subject.loss)?.[0] ?? NaN;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "infinite" : "minus infinity";
}

function nameOf(e: Expr): string {
  if (e.kind === "unary") return e.op === "sqrt" ? "square root" : "logarithm";
  return "power";
}

/** `a / b` with a constant added on both sides: 0/0 becomes 1, other values hardly change. */
function smoothing(view: View, node: Expr, written: Written | null, span: SourceSpan): Fix | null {
  if (written?.name !== "/" || written.kind !== "binary") return null;
  const [above, below] = written.parts.map((p) => view.subject.source.textOf(p) ?? "");
  if (above === undefined || below === undefined || above === "" || below === "") return null;
  const numerator = node.args[0]!;
  if (numerator.kind === "const" || numerator.kind === "parameter") {
    const title = "Add a constant of 1e-6 to the denominator";
    return { title, edits: [replace(span, `${above} / (${bare(below)} + 1e-6)`)] };
  }
  return {
    title: "Add a smoothing constant of 1e-6 to numerator and denominator",
    edits: [replace(span, `(${bare(above)} + 1e-6) / (${bare(below)} + 1e-6)`)],
  };
}

/** Without parentheses around the whole. */
function bare(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let k = 0; k < text.length; k++) {
    const c = text[k];
    if (c === "(") depth++;
    if (c === ")" && --depth === 0 && k < text.length - 1) return text;
  }
  return text.slice(1, -1);
}

function argumentOf(written: Written): SourceSpan | null {
  return written.parts[0] ?? null;
}

function apart(view: View, written: Written | null): Fix | null {
  const inner = written === null ? null : argumentOf(written);
  if (written === null || inner === null || !OWN_OPERATION.has(written.name)) return null;
  const text = view.subject.source.textOf(inner);
  if (text === null || (written.kind === "binary" && written.name !== "**")) return null;
  const isBare = written.kind === "call" && !written.isMethod;
  const added = `${text} + 1e-7`;
  return {
    title: "Add 1e-7 to the argument",
    edits: [replace(inner, isBare ? added : `(${added})`)],
  };
}
