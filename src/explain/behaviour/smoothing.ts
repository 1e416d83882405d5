/**
 * The small numbers that a loss has been given against division by zero: added to a numerator or a
 * denominator, or a lower limit of one, or limits of a prediction. Each can be taken out, so that
 * what it does to loss and gradient is measured and not guessed.
 */
import * as b from "../../expression/build.ts";
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { rewrite, topological } from "../../expression/walk.ts";
import { nodeWords, number } from "../../gradient/nodeWords.ts";
import { numberOf } from "../recognize/constants.ts";
import type { BehaviourSubject } from "./subject.ts";

export interface SmoothingConstant {
  /** The node of the loss that it stands in. */
  readonly node: Expr;
  /** What is left of the node without it. */
  readonly kept: number;
  readonly kind: "added" | "floor" | "limits";
  /** In the loss: numerator, denominator, logarithm, root, or the prediction itself. */
  readonly place: "numerator" | "denominator" | "logarithm" | "root" | "prediction";
  readonly value: number;
  /** Its name in the code, or the number itself. */
  readonly name: string;
  /** The quantity that it is added to, or limits. */
  readonly of: string;
  readonly lines: readonly number[];
}

/** Every such number of the loss, in the order of its evaluation. */
export function smoothingOf(subject: BehaviourSubject): SmoothingConstant[] {
  const { loss } = subject;
  const places = placesOf(loss);
  const spans = nearestSpans(subject);
  return topological(loss).flatMap((node): SmoothingConstant[] => {
    const found = addedIn(node) ?? floorIn(node);
    if (found === null || found.value === 0) return [];
    const place = found.kind === "limits" ? "prediction" : places.get(node);
    // A number in a sum that is neither divided by, nor divided, nor logarithmed is no smoothing.
    if (place === undefined) return [];
    const span = spans.get(node);
    const lines = span !== undefined && span.file === subject.file ? [span.line] : [];
    const of = nodeWords(node.args[found.kept]!);
    return [{ ...found, node, place, of, lines }];
  });
}

/** Where each node was written; of one that no place is known of, where what uses it was. */
function nearestSpans({ loss, spans = new Map() }: BehaviourSubject): Map<Expr, SourceSpan> {
  const near = new Map<Expr, SourceSpan>();
  for (const e of topological(loss).reverse()) {
    const span = spans.get(e) ?? near.get(e);
    if (span === undefined) continue;
    near.set(e, span);
    for (const a of e.args) if (!near.has(a)) near.set(a, span);
  }
  return near;
}

type Found = Pick<SmoothingConstant, "kept" | "kind" | "value" | "name">;

function addedIn(e: Expr): Found | null {
  if (e.kind !== "binary" || e.op !== "add") return null;
  const which = e.args.findIndex((a) => a.shape.length === 0 && numberOf(a) !== null);
  if (which < 0) return null;
  const kept = 1 - which;
  const rest = e.args[kept]!;
  // 1 + exp(−x) is a sigmoid written out; its 1 holds nothing away from zero.
  if (numberOf(rest) !== null || !holdsData(rest) || isPositive(rest)) return null;
  const value = numberOf(e.args[which]!)!;
  return value > 0 ? { kept, kind: "added", value, name: nameOf(e.args[which]!) } : null;
}

function floorIn(e: Expr): Found | null {
  if (e.kind === "clamp") {
    const [x, low, high] = e.args as [Expr, Expr, Expr];
    const value = numberOf(low);
    if (value === null || !(value > 0) || !holdsData(x)) return null;
    const top = numberOf(high) ?? Infinity;
    const isLimits = top < Infinity && value < 0.5 && top <= 1;
    return { kept: 0, kind: isLimits ? "limits" : "floor", value, name: nameOf(low) };
  }
  if (e.kind !== "binary" || e.op !== "max") return null;
  const which = e.args.findIndex((a) => a.shape.length === 0 && numberOf(a) !== null);
  if (which < 0 || !holdsData(e.args[1 - which]!)) return null;
  const value = numberOf(e.args[which]!)!;
  return value > 0 ? { kept: 1 - which, kind: "floor", value, name: nameOf(e.args[which]!) } : null;
}

function holdsData(e: Expr): boolean {
  return topological(e).some((n) => n.kind === "input");
}

/** Bounded away from zero for all finite arguments. */
function isPositive(e: Expr): boolean {
  return e.kind === "unary" && ["exp", "cosh", "softplus", "sigmoid"].includes(e.op);
}

function nameOf(e: Expr): string {
  const named = topological(e).find((n) => n.kind === "parameter");
  return named?.kind === "parameter" ? named.name : String(numberOf(e));
}

const CARRIES = new Set(["reshape", "transpose", "cast", "expand", "index", "slice", "reduce"]);

/** Where each node enters the next division, logarithm or root above it; nodes that enter none lack. */
function placesOf(loss: Expr): Map<Expr, SmoothingConstant["place"]> {
  const places = new Map<Expr, SmoothingConstant["place"]>();
  const enter = (e: Expr, place: SmoothingConstant["place"]): void => {
    if (!places.has(e)) places.set(e, place);
  };
  for (const e of topological(loss).reverse()) {
    const own = places.get(e);
    if (e.kind === "binary" && e.op === "div") {
      enter(e.args[1]!, "denominator");
      enter(e.args[0]!, "numerator");
    } else if (e.kind === "binary" && e.op === "pow" && (numberOf(e.args[1]!) ?? 1) < 0) {
      enter(e.args[0]!, "denominator");
    } else if (e.kind === "unary" && e.op === "log") enter(e.args[0]!, "logarithm");
    else if (e.kind === "unary" && e.op === "sqrt") enter(e.args[0]!, "root");
    else if (own !== undefined && passesOn(e)) for (const a of e.args) enter(a, own);
  }
  return places;
}

function passesOn(e: Expr): boolean {
  if (e.kind === "binary") return ["add", "sub", "mul", "max", "min"].includes(e.op);
  if (e.kind === "unary") return e.op === "neg";
  return CARRIES.has(e.kind) || e.kind === "clamp" || e.kind === "where" || e.kind === "stack";
}

/** The loss without these numbers. */
export function withoutSmoothing(loss: Expr, constants: readonly SmoothingConstant[]): Expr {
  const kept = new Map(constants.map((c) => [c.node, c.kept]));
  return rewrite(loss, (e, original) => {
    const which = kept.get(original);
    if (which === undefined) return e;
    const rest = e.args[which]!;
    return rest.shape.length === e.shape.length ? rest : b.expand(rest, e.shape);
  });
}

/** "`epsilon` = 1e-7", each constant once. */
export function smoothingWords(constants: readonly SmoothingConstant[]): string {
  const told = new Map(
    constants.map((c) => {
      const isNamed = c.name !== String(c.value);
      return [
        c.name,
        isNamed ? `\`${c.name}\` = ${number(c.value, 6)}` : number(c.value, 6),
      ] as const;
    }),
  );
  return [...told.values()].join(" and ");
}
