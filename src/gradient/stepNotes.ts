/** The plain sentences beside the steps. Each is said only where it was found to be true. */
import { ShapeError, elementCount } from "../expression/axis.ts";
import { smallSizes } from "../expression/equalitySizes.ts";
import { type BoundArray, evaluate } from "../expression/evaluate.ts";
import type { Expr } from "../expression/node.ts";
import { number } from "../expression/term.ts";
import { textOf } from "../expression/text.ts";
import { dependsOn, leaves, resize, substitute, topological } from "../expression/walk.ts";
import { type BlockerReason, blockers, receivesGradient } from "./derive.ts";
import { scalarDerivatives } from "./outer.ts";
import type { Plan } from "./stepsPlan.ts";
import { Writer } from "./stepsWriting.ts";

/** The note for a step by its id; empty when there is nothing to say. */
export function stepNotes(plan: Plan): (id: string) => string {
  const writer = new Writer(plan.names, plan.joint);
  return (id) => {
    switch (id) {
      case "loss":
        return plan.base === plan.loss
          ? ""
          : "What the code adds up class by class is the same as one sum over the classes.";
      case "sums":
        return denominatorNote(plan, writer);
      case "outer":
        return outerNote(plan, writer);
      case "elementwise":
        return elementNote(plan);
      case "activation":
        return activationNote(plan);
      case "assemble":
        return "Every sum the element takes part in passes on its share.";
      case "final":
        return blockedNote(plan);
      default:
        return "";
    }
  };
}

function outerNote(plan: Plan, writer: Writer): string {
  const { outline, byPart } = plan;
  const fixed = outline.parts
    .filter((p) => p.kind === "sum" && !byPart.has(p.node))
    .map((p) => writer.written(p.node).text);
  const sentences = [
    outline.quotients.length === 0
      ? "The sums are treated as variables."
      : "The sums are treated as variables, and the quotient rule (N'U − NU')/U² is applied.",
  ];
  if (fixed.length > 0) {
    const verb = fixed.length === 1 ? "does" : "do";
    sentences.push(`${fixed.join(", ")} ${verb} not depend on ${nameOf(plan.wrt)}.`);
  }
  const confirmed = confirmedPart(plan);
  if (confirmed !== null) sentences.push(`mathjs differentiates the ${confirmed} to the same.`);
  return sentences.join(" ");
}

/** What mathjs, too, differentiates by all the sums to the same: the loss, or its quotient. */
function confirmedPart({ outline, byPart }: Plan): string | null {
  const written = new Map(
    outline.parts
      .filter((p) => p.kind === "numerator" || p.kind === "denominator")
      .map((p) => [p.node, p.value]),
  );
  const sums = outline.parts.filter((p) => p.kind === "sum" && byPart.has(p.node));
  const isSame = (part: Expr): boolean => {
    const outer = substitute(part, written);
    if (outer.args.length === 0 || sums.some((p) => !dependsOn(outer, p.node))) return false;
    const symbols = sums.map((p) => p.node);
    return scalarDerivatives(outer, symbols).every((d) => d.engine === "mathjs");
  };
  if (sums.length === 0) return null;
  if (isSame(outline.loss)) return "outer function";
  const [quotient, ...others] = outline.quotients;
  return quotient !== undefined && others.length === 0 && isSame(quotient.node) ? "quotient" : null;
}

function elementNote(plan: Plan): string {
  const rule = "In each sum, only the term of this element depends on it.";
  const sums = plan.outline.parts.filter((p) => p.kind === "sum" && plan.byPart.has(p.node));
  const isNested = sums.some((p) => sums.some((q) => dependsOn(p.value, q.node)));
  return isNested ? `${rule} What has a name of its own is held fixed in it.` : rule;
}

function activationNote(plan: Plan): string {
  const kinds = plan.outline.parts
    .filter((p) => p.kind === "activation")
    .flatMap((p) => topological(p.value));
  if (kinds.some((e) => e.kind === "softmax")) {
    return "A softmax couples the classes: each probability depends on all scores at its position.";
  }
  if (kinds.some((e) => e.kind === "unary" && e.op === "sigmoid")) {
    return "The sigmoid's derivative is σ(z)(1 − σ(z)): largest, 1/4, at z = 0 and vanishing where p comes near 0 or 1.";
  }
  if (kinds.some((e) => e.kind === "clamp")) {
    return "Clipping passes the gradient on between its bounds and stops it outside.";
  }
  return "";
}

/** What the denominator is when all its sums are zero: tried, not guessed. */
function denominatorNote(plan: Plan, writer: Writer): string {
  const { outline } = plan;
  const [only, ...others] = outline.quotients.map((q) => q.denominator);
  if (only === undefined || others.length > 0) return "";
  const value = outline.parts.find((p) => p.node === only)?.value ?? only;
  const atZero = withEmptySums(plan, value);
  if (atZero === null || atZero.length === 0) return "";
  const shown = textOf(writer.term(value));
  const sums = outline.parts.filter((p) => p.kind === "sum" && dependsOn(value, p.node));
  const when = sums.every((p) => vanishesOnZeros(p.value))
    ? "prediction and target are both empty (all zeros)"
    : "its sums are all zero";
  if (atZero.every((v) => v === 0)) {
    return `The quotient is undefined where ${shown} = 0, as when ${when}.`;
  }
  if (atZero.every((v) => v > 0)) {
    return `When ${when}, the denominator ${shown} still is ${textOf(number(atZero[0]!))}, so the quotient is defined there.`;
  }
  return "";
}

/** The values of an expression with every sum over the arrays zero; null when that says nothing. */
function withEmptySums(plan: Plan, value: Expr): number[] | null {
  const sums = plan.outline.parts.filter((p) => p.kind === "sum");
  const inputs = leaves(value);
  if (inputs.some((e) => e.kind === "parameter" && e.value === null)) return null;
  if (inputs.some((e) => e.kind === "input" && !sums.some((p) => p.node === e))) return null;
  return valuesAtZero(value);
}

/** Whether a sum is zero where prediction (after the activation) and target are. */
function vanishesOnZeros(sum: Expr): boolean {
  if (leaves(sum).some((e) => e.kind === "parameter" && e.value === null)) return false;
  if (topological(sum).some((e) => e.kind === "oneHot")) return false;
  return valuesAtZero(sum)?.every((v) => v === 0) ?? false;
}

/** Entries of the largest array that is looked at for a sentence. */
const MOST_ENTRIES = 1 << 16;

/** Null where it would take arrays of some size to tell. */
function valuesAtZero(e: Expr): number[] | null {
  // Two entries an axis show as much as a whole volume.
  const axes = topological(e).flatMap((x) =>
    x.shape.flatMap((a) => (a.parts.length > 0 ? a.parts : [a])),
  );
  const small = new Map(
    axes.flatMap((a) => (a.size === null || a.size > 2 ? [[a.name, 2] as const] : [])),
  );
  const shrunk = tryResize(e, small) ?? tryResize(e, smallSizes([e])[0]!) ?? e;
  if (topological(shrunk).some((x) => (elementCount(x.shape) ?? 0) > MOST_ENTRIES)) return null;
  const bindings = new Map<string, BoundArray>();
  for (const x of leaves(shrunk)) if (x.kind === "input") bindings.set(x.name, zeros(x));
  return Array.from(evaluate(shrunk, bindings).data);
}

function tryResize(e: Expr, sizes: ReadonlyMap<string, number>): Expr | null {
  try {
    return resize(e, sizes);
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}

/** An array of zeros of the input's own shape, with 2 where a size is not known. */
function zeros(e: Expr): BoundArray {
  const shape = e.shape.map((a) => a.size ?? 2);
  return { shape, data: new Float64Array(shape.reduce((n, s) => n * s, 1)) };
}

/** What stops gradient, by the reason that `blockers` gives. */
const STOPPERS: Readonly<Record<BlockerReason, string>> = {
  "stop-gradient": "a stop-gradient (detach)",
  rounding: "rounding",
  comparison: "a comparison",
  sign: "a sign",
  argmax: "an argmax",
  "one-hot": "a one-hot encoding",
  "integer-cast": "a cast to integers",
  clamp: "a clamp",
  other: "an operation without a derivative",
};

function blockedNote({ loss, wrt }: Plan): string {
  const name = nameOf(wrt);
  if (!dependsOn(loss, wrt)) return `The loss does not depend on ${name}.`;
  // What only decides between two branches is no way for gradient to come.
  const nodes = topological(loss);
  const decides = (x: Expr): boolean =>
    nodes.every((e) => e.args.every((a, k) => a !== x || (e.kind === "where" && k === 0)));
  const stops = blockers(loss, wrt).filter((x) => !x.partial && !decides(x.node));
  if (stops.length === 0) return "";
  const by = [...new Set(stops.map((x) => STOPPERS[x.reason]))].join(", ");
  return receivesGradient(loss, wrt)
    ? `Part of what the loss depends on ${name} by passes no gradient: it is stopped by ${by}.`
    : `No gradient reaches ${name}: it is stopped by ${by}.`;
}

function nameOf(e: Expr): string {
  return e.kind === "input" ? e.name : "the input";
}
