/** DG010 and DG011: sums over what should be kept apart, and shapes that broadcast against each other. */
import { type Axis, elementCount, formatShape } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import { leaves } from "../../expression/walk.ts";
import { type Finding, shortText } from "./rule.ts";
import type { View } from "./view.ts";

/** DG010: the classes of a softmax, summed into one ratio: their sum is the number of voxels. */
export function mergedClasses(view: View): Finding[] {
  const { spans, source, areShapesTold } = view.subject;
  const below = new Set<Expr>();
  for (const e of view.order) {
    if (e.kind === "binary" && e.op === "div") for (const x of sumsIn(e.args[1]!)) below.add(x);
  }
  return [...below].flatMap((e): Finding[] => {
    if (e.kind !== "reduce" || (e.op !== "sum" && e.op !== "mean")) return [];
    // Which of several axes the classes stand on is known where shapes are told.
    if (!areShapesTold && e.dims.length < e.args[0]!.shape.length) return [];
    const softmax = softmaxSummed(e);
    const span = spans.get(e);
    if (softmax === null || span === undefined) return [];
    const at = spans.get(softmax);
    return [
      {
        span,
        message: `${shortText(source, span) ?? "This sum"} adds up the softmax over its classes, which is 1 for every voxel: the denominator is the number of voxels whatever is predicted. This is not a Dice of the classes; background rules it.`,
        remedy: "Keep the class axis out of the sums, and average the classes' ratios.",
        related: at === undefined ? [] : [{ span: at, message: "the softmax" }],
        fix: null,
      },
    ];
  });
}

/** Sums that a denominator is made of by adding. */
function sumsIn(denominator: Expr): Expr[] {
  const found: Expr[] = [];
  const stack = [denominator];
  for (const at of stack) {
    if (at.kind === "reduce") found.push(at);
    else if (at.kind === "binary" && (at.op === "add" || at.op === "sub" || at.op === "mul"))
      stack.push(...at.args);
    else if (at.kind === "where") stack.push(at.args[1]!, at.args[2]!);
    else if (at.kind === "clamp" || at.kind === "reshape") stack.push(at.args[0]!);
  }
  return found;
}

/** The softmax whose class axis is among the summed ones, entries otherwise unchanged. */
function softmaxSummed(e: Extract<Expr, { kind: "reduce" }>): Expr | null {
  const summed = e.dims.flatMap((d) => partsOf(e.args[0]!.shape[d]!));
  for (const term of addends(e.args[0]!)) {
    // What another array stretches over further axes is no sum over the softmax's own.
    if (term.shape.length !== e.args[0]!.shape.length) continue;
    const softmax = evenlyWeighted(term);
    if (softmax.kind !== "softmax" || softmax.log) continue;
    const classes = softmax.args[0]!.shape[softmax.dim]!;
    if (summed.some((a) => a.name === classes.name)) return softmax;
  }
  return null;
}

/** What a softmax is multiplied by, a mask of voxels or plain ones, is the same for all classes. */
function evenlyWeighted(e: Expr): Expr {
  let at = e;
  for (;;) {
    if (at.kind === "reshape" || at.kind === "transpose" || at.kind === "cast") at = at.args[0]!;
    else if (at.kind === "binary" && at.op === "mul") {
      const [a, b] = at.args as [Expr, Expr];
      if (isEven(b)) at = a;
      else if (isEven(a)) at = b;
      else return at;
    } else return at;
  }
}

function isEven(factor: Expr): boolean {
  let at = factor;
  while (at.kind === "reshape" || at.kind === "expand" || at.kind === "cast") at = at.args[0]!;
  return at.kind === "const" || factor.shape.every((a) => a.size === 1 || a.role !== "class");
}

function addends(e: Expr): Expr[] {
  if (e.kind === "cast") return addends(e.args[0]!);
  return e.kind === "binary" && e.op === "add" ? e.args.flatMap(addends) : [e];
}

function partsOf(a: Axis): readonly Axis[] {
  return a.parts.length > 0 ? a.parts : [a];
}

/** DG011: (N,1,H,W) with (N,H,W) gives (N,N,H,W): every sample with every other's target. */
export function mixedShapes(view: View): Finding[] {
  const { spans, source, inputs, areShapesTold } = view.subject;
  // Shapes that are only the usual ones may be none that the function is ever given.
  if (!areShapesTold) return [];
  const arrays = new Set<Expr>(inputs.map((x) => x.node));
  return view.order.flatMap((e): Finding[] => {
    if (e.kind !== "binary") return [];
    const [a, b] = e.args as [Expr, Expr];
    if (!isOuter(a, b, e) || isPairing(a, b)) return [];
    const own = (x: Expr): string[] =>
      leaves(x).flatMap((l) => (arrays.has(l) ? [(l as { name: string }).name] : []));
    const mixed =
      own(a).some((n) => !own(b).includes(n)) && own(b).some((n) => !own(a).includes(n));
    const span = spans.get(e);
    if (span === undefined || !mixed) return [];
    return [
      {
        span,
        message: `${shortText(source, span) ?? "This"} broadcasts ${formatShape(a.shape)} with ${formatShape(b.shape)} to ${formatShape(e.shape)}: every sample meets every other's entries.`,
        remedy: "Give both the same shape first, e.g. by unsqueeze(1) or squeeze(1).",
        related: [],
        fix: null,
      },
    ];
  });
}

/**
 * All pairs are meant where both sides have as many axes, or where the axis of size 1 was put in
 * here: (N,1) with (1,M), x[:, None] with y.
 */
function isPairing(a: Expr, b: Expr): boolean {
  const [m, n] = [a.shape.length, b.shape.length];
  const longer = m > n ? a : b;
  const ownAxes = leaves(longer).map((l) => l.shape.length);
  return m === n || Math.max(...ownAxes) < longer.shape.length;
}

/** Both sides are stretched: along known sizes, or each over the other's samples. */
function isOuter(a: Expr, b: Expr, result: Expr): boolean {
  const samples = (x: Expr): number =>
    x.shape.filter((axis) => axis.role === "batch" && axis.size !== 1).length;
  if (samples(a) === 1 && samples(b) === 1 && samples(result) > 1) return true;
  const [m, n, r] = [a, b, result].map((x) => elementCount(x.shape) ?? 0);
  return m! > 1 && n! > 1 && r! > Math.max(m!, n!);
}
