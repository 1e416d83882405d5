/**
 * The mathematics of a derivation: names for the parts of the loss, the derivative of the loss by
 * each of them, and from these the gradient. `stepsWriting.ts` writes it down.
 */
import { fitsShape } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { Index } from "../expression/indices.ts";
import { affine, sameIndex } from "../expression/indices.ts";
import { Names, type Wish, namesFor, plainWish, wishFor } from "../expression/names.ts";
import { FormulaTooLong, Notation } from "../expression/notation.ts";
import { type Expr, annotationOf } from "../expression/node.ts";
import { simplify } from "../expression/simplify.ts";
import { dependsOn, leaves, substitute, topological } from "../expression/walk.ts";
import { derive } from "./derive.ts";
import { jointAxes } from "./jointAxes.ts";
import { type Outline, type Part, outline } from "./outline.ts";
import { fixedPlace, nameSum } from "./sumNames.ts";

export interface PlanOptions {
  readonly names?: Names;
  /** The reference segmentation among the inputs; guessed when not given. */
  readonly target?: Expr | null;
}

/** How an elementwise derivative ∂Y/∂X stands at an element of X. */
export interface LocalDerivative {
  readonly value: Expr;
  /** Indices of the only element of Y that an element of X takes part in. */
  readonly indexOf: (x: readonly Index[]) => Index[];
}

export interface Plan {
  /** As it was written. */
  readonly loss: Expr;
  /** What is taken apart: the loss, or the same with its loops over classes written as sums. */
  readonly base: Expr;
  readonly wrt: Expr;
  readonly outline: Outline;
  readonly names: Names;
  readonly joint: readonly (readonly string[])[];
  /** ∂L/∂(part), in terms of parts, for those through which the loss depends on the input. */
  readonly byPart: ReadonlyMap<Expr, Expr>;
  /** The gradient with numerators and denominators by name. */
  readonly gradient: Expr;
  /** The gradient written in the sums, as the final formula shows it. */
  readonly final: Expr;
  /**
   * Where the activation couples elements (softmax), the final formula mentions ∂L/∂p as one
   * quantity: this node, standing for this expression in the sums.
   */
  readonly inner: { readonly node: Expr; readonly of: Part; readonly value: Expr } | null;
  /** The final formula in the inputs alone. */
  readonly gradientExpr: Expr;
  readonly simplify: (e: Expr) => Expr;
}

export function makePlan(loss: Expr, wrt: Expr, options: PlanOptions): Plan {
  const base = rolledUp(loss);
  const o = outline(base, wrt);
  const names = options.names ?? new Names();
  nameParts(base, wrt, o, names, options.target);
  const nonzero = o.quotients.map((q) => q.denominator);
  const known = knownForms(o);
  const tidy = (e: Expr): Expr => {
    const simple = simplify(e, { nonzero, dropStops: true });
    const named = substitute(simple, known);
    const again = named === simple ? simple : simplify(named, { nonzero, dropStops: true });
    return keepShape(again, e);
  };

  const byPart = new Map<Expr, Expr>();
  const byNode = (node: Expr): Expr | null => {
    const shares: Expr[] = dependsOn(o.loss, node) ? [derive(o.loss, node)] : [];
    for (const part of o.parts) {
      const seed = byPart.get(part.node);
      if (seed === undefined || !dependsOn(part.value, node)) continue;
      shares.push(substitute(derive(part.value, node, seed), new Map([[part.value, part.node]])));
    }
    const first = shares[0];
    return first === undefined ? null : tidy(shares.slice(1).reduce((x, y) => b.add(x, y), first));
  };
  const varying = new Set<Expr>([wrt]);
  for (const part of o.parts) {
    if ([...varying].some((v) => dependsOn(part.value, v))) varying.add(part.node);
  }
  for (const part of o.parts.toReversed()) {
    if (!varying.has(part.node)) continue;
    const adjoint = byNode(part.node);
    if (adjoint !== null) byPart.set(part.node, adjoint);
  }
  const zero = b.expand(b.ZERO, wrt.shape);
  const gradient = byNode(wrt) ?? (wrt.shape.length === 0 ? b.ZERO : zero);

  const finalOf = (e: Expr): Expr => o.inSums(withoutLeadingNumber(e, tidy));
  const inner = coupledActivation(wrt, o, names, byPart, finalOf);
  let final: Expr;
  let gradientExpr: Expr;
  if (inner === null) {
    final = finalOf(gradient);
    gradientExpr = o.expand(final);
  } else {
    const chained = derive(inner.of.value, wrt, inner.node);
    final = tidy(substitute(chained, new Map([[inner.of.value, inner.of.node]])));
    gradientExpr = o.expand(substitute(final, new Map([[inner.node, inner.value]])));
  }
  return {
    loss,
    base,
    wrt,
    outline: o,
    names,
    joint: jointAxes(loss === base ? [loss] : [loss, base], wrt),
    byPart,
    gradient,
    final,
    inner,
    gradientExpr: keepShape(gradientExpr, wrt),
    simplify: tidy,
  };
}

/** Sums from which on a loss is looked through for a loop that was unrolled. */
const MANY_SUMS = 5;

/** A loss that adds up one term for each class, as a sum over the classes. */
function rolledUp(loss: Expr): Expr {
  const sums = (e: Expr): number => topological(e).filter((x) => x.kind === "reduce").length;
  if (sums(loss) < MANY_SUMS || positionsTaken(loss).size === 0) return loss;
  const rolled = simplify(loss);
  return sums(rolled) < sums(loss) && rolled.shape.length === loss.shape.length ? rolled : loss;
}

/** Axes of which single entries are taken at two or more positions, as a loop over classes does. */
export function positionsTaken(e: Expr): Map<string, Set<number>> {
  const taken = new Map<string, Set<number>>();
  for (const x of topological(e)) {
    if (x.kind !== "index") continue;
    const { name } = x.args[0]!.shape[x.dim]!;
    taken.set(name, (taken.get(name) ?? new Set()).add(x.at));
  }
  return new Map([...taken].filter(([, at]) => at.size > 1));
}

/** Simplified forms in which a part can turn up again, with the node that stands for it. */
function knownForms(o: Outline): Map<Expr, Expr> {
  const forms = new Map<Expr, Expr>();
  for (const { kind, value, node } of o.parts) {
    if (kind !== "activation" && kind !== "sum") continue;
    forms.set(simplify(value), node);
    if (value.kind === "reduce" && value.keepDims) {
      const bare = b.reduce(value.op, value.args[0]!, value.dims);
      forms.set(simplify(bare), b.reshape(node, bare.shape));
    }
  }
  // A part that simplifies to a number or a bare input is not told apart from it.
  for (const e of forms.keys()) if (e.args.length === 0) forms.delete(e);
  return forms;
}

/** 2a + 2b for 2·(a + b): a whole number in front of a sum of fractions hides their numerators. */
function withoutLeadingNumber(e: Expr, tidy: (e: Expr) => Expr): Expr {
  if (e.kind !== "binary" || e.op !== "mul") return e;
  const [factor, sum] = e.args as [Expr, Expr];
  const isWhole = factor.kind === "const" && Number.isInteger(factor.value);
  if (!isWhole || sum.kind !== "binary" || (sum.op !== "add" && sum.op !== "sub")) return e;
  const term = (x: Expr): Expr =>
    x.kind === "binary" && (x.op === "add" || x.op === "sub")
      ? b.binary(x.op, term(x.args[0]!), term(x.args[1]!))
      : tidy(b.mul(factor, x));
  return term(sum);
}

function keepShape(e: Expr, like: Expr): Expr {
  return e.shape.length === like.shape.length && fitsShape(e.shape, like.shape)
    ? e
    : b.expand(e, like.shape);
}

/** The single activation, when an element of it depends on several of the input's. */
function coupledActivation(
  wrt: Expr,
  o: Outline,
  names: Names,
  byPart: ReadonlyMap<Expr, Expr>,
  finalOf: (e: Expr) => Expr,
): Plan["inner"] {
  const activations = o.parts.filter((p) => p.kind === "activation" && byPart.has(p.node));
  const [only] = activations;
  if (only === undefined || activations.length > 1) return null;
  const rest = o.parts.filter((p) => p !== only && dependsOn(p.value, wrt));
  if (rest.length > 0 || dependsOn(o.loss, wrt)) return null;
  if (localDerivative(only.value, wrt, names, []) !== null) return null;
  const node = b.input("⟨inner⟩", only.node.shape);
  const symbol = names.symbolOf(only.node)!;
  names.define(node, {
    latex: "L",
    text: "L",
    python: `${symbol.python}_gradient`,
    derivativeOf: symbol,
  });
  return { node, of: only, value: finalOf(byPart.get(only.node)!) };
}

/**
 * The derivative of `y` by each element of `x` when that element takes part in one element of `y`
 * only (which one is the same in every place it is used); null otherwise, and where that would take
 * too long to tell.
 */
export function localDerivative(
  y: Expr,
  x: Expr,
  names: Names,
  joint: readonly (readonly string[])[],
): LocalDerivative | null {
  if (!dependsOn(y, x)) return null;
  const places: (readonly Index[])[] = [];
  const whole: Expr[] = []; // read as a whole somewhere
  const notation = new Notation(names, {
    joint,
    onSymbol: (e, indices, coupled) => {
      if (e !== x) return;
      places.push(indices);
      if (coupled) whole.push(e);
    },
  });
  const own = notation.allocate(y.shape, new Set()).indices;
  try {
    notation.element(y, own);
  } catch (error) {
    if (error instanceof FormulaTooLong) return null; // windows over windows: places without end
    throw error;
  }
  if (whole.length > 0 || places.length === 0) return null;
  const sources = own.map((i) => (i.kind === "at" ? null : sourceOf(places, i)));
  if (sources.some((s, d) => s === null && own[d]!.kind !== "at")) return null;
  const ones = y.shape.length === 0 ? b.ONE : b.expand(b.ONE, y.shape);
  return {
    value: derive(y, x, ones),
    indexOf: (at) =>
      sources.map((s, d) => (s === null ? own[d]! : affine(at[s.position]!, s.scale, s.offset))),
  };
}

/** Where in the indices of x an index of y can be read off, and how. */
interface Source {
  readonly position: number;
  readonly scale: number;
  readonly offset: number;
}

function sourceOf(places: readonly (readonly Index[])[], i: Index): Source | null {
  const wanted = linear(i);
  const first = places[0]!.findIndex((j) => sameIndex(linear(j).of, wanted.of));
  if (first < 0 || !places.every((p) => sameIndex(p[first]!, places[0]![first]!))) return null;
  const there = linear(places[0]![first]!);
  const scale = wanted.scale / there.scale;
  return { position: first, scale, offset: wanted.offset - there.offset * scale };
}

function linear(i: Index): { of: Index; scale: number; offset: number } {
  return i.kind === "affine" ? i : { of: i, scale: 1, offset: 0 };
}

function nameParts(
  loss: Expr,
  wrt: Expr,
  o: Outline,
  names: Names,
  givenTarget: Expr | null | undefined,
): void {
  names.reserve({ latex: "L", text: "L", python: "loss" });
  const activations = o.parts.filter((p) => p.kind === "activation");
  const squashes = activations.some((p) =>
    topological(p.value).some(
      (e) => e.kind === "softmax" || (e.kind === "unary" && e.op === "sigmoid"),
    ),
  );
  // `inputs` or `pred` that a sigmoid is applied to are raw scores: z, so that p is left.
  if (wrt.kind === "input" && squashes && names.symbolOf(wrt) === undefined) {
    const own = wishFor(wrt.name);
    if (own.text === "p" && wrt.name !== "p") names.define(wrt, plainWish("z", own.python), own);
  }
  namesFor([loss, wrt], names);
  for (const part of activations) {
    const label = annotationOf(part.original)?.label;
    const own = label === undefined ? null : wishFor(label);
    const isUsual = own !== null && ["p", "ŷ", "q"].includes(own.text);
    // `logits = sigmoid(logits)`: the name is the input's already.
    const python = own === null || names.pythonNames().has(own.python) ? "probability" : own.python;
    const wishes: Wish[] = isUsual ? [own] : [];
    names.define(
      part.node,
      ...([...wishes, plainWish("p", python)] as [Wish]),
      plainWish("q", python),
    );
  }
  const target = givenTarget === undefined ? guessTarget(loss, wrt) : givenTarget;
  const predictions = new Set(activations.map((p) => p.node));
  if (predictions.size === 0) predictions.add(wrt);
  const first = [...predictions][0]!;
  const naming = {
    predictions,
    target,
    predictionName: names.symbolOf(first)!.python,
    // The loss may leave out its target.
    targetName: (target === null ? undefined : names.symbolOf(target))?.python ?? "target",
  };
  for (const part of o.parts) if (part.kind === "sum") nameSum(part, naming, names);
  for (const [kind, letter] of [
    ["numerator", "N"],
    ["denominator", "U"],
  ] as const) {
    const own = o.parts.filter((p) => p.kind === kind);
    own.forEach((part, k) => {
      const label = annotationOf(part.original)?.label;
      const python = label === undefined ? kind : wishFor(label).python;
      const place = fixedPlace(o.expand(part.value));
      const sub = own.length === 1 ? "" : place === "" ? String(k + 1) : place;
      const variable = sub === "" ? python : `${python}_${sub}`;
      names.define(part.node, plainWish(letter, variable, sub));
    });
  }
}

/** The array beside the prediction: one that is called like a target, else the first of its rank. */
function guessTarget(loss: Expr, wrt: Expr): Expr | null {
  const others = leaves(loss).filter((e) => e.kind === "input" && e !== wrt && e.shape.length > 0);
  const called = others.find(
    (e) => e.kind === "input" && ["y", "g"].includes(wishFor(e.name).text),
  );
  return called ?? others.find((e) => e.shape.length === wrt.shape.length) ?? null;
}
