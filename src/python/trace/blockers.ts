/** Where a traced loss keeps gradient from its inputs: what the code says, and what has no slope. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import type { Blocker } from "../interpreter/recorder.ts";

/** A place that stops the gradient on its way to some inputs. */
export interface TraceBlocker extends Blocker {
  /** Names of the inputs behind it, in the order of the function's parameters. */
  readonly inputs: readonly string[];
  /** It lets the gradient of some entries through (a clamp: of those inside its bounds). */
  readonly partial: boolean;
}

/**
 * @param stated what the code itself cuts off (`detach()`, …), as far as it is in the loss
 * @param spans where each node was made; what has no place of its own gets that of what it is in
 */
export function blockersOf(
  loss: Expr,
  inputs: readonly Expr[],
  stated: readonly Blocker[],
  spans: ReadonlyMap<Expr, SourceSpan>,
  chosen: ReadonlySet<Expr>,
): TraceBlocker[] {
  const order = topological(loss);
  const behind = inputsBehind(order, inputs);
  const names = (e: Expr): string[] =>
    inputs.flatMap((x) => (x.kind === "input" && behind.get(e)!.has(x) ? [x.name] : []));
  const saidSo = new Map(stated.map((b) => [b.node, b]));
  const found = stated.map((b): TraceBlocker => ({ ...b, inputs: names(b.node), partial: false }));
  // From the loss down, along what passes gradient; every node knows the nearest place above it.
  const places = new Map<Expr, SourceSpan | undefined>([[loss, spans.get(loss)]]);
  const isSought = (e: Expr): boolean => names(e).length > 0;
  for (const e of order.toReversed()) {
    if (!places.has(e) || chosen.has(e)) continue;
    const place = spans.get(e) ?? places.get(e);
    const isSettled = saidSo.has(e);
    const flat = isSettled ? null : flatPart(e, isSought);
    const how = isSettled ? null : (flat ?? stopOf(e, isSought));
    if (how !== null && place !== undefined && isSought(e)) {
      found.push({ how, span: place, node: e, inputs: names(e), partial: flat !== null });
    }
    e.args.forEach((arg, k) => {
      if (passes(e, k, isSought) && !places.has(arg)) places.set(arg, spans.get(arg) ?? place);
    });
  }
  return found;
}

function inputsBehind(order: readonly Expr[], inputs: readonly Expr[]): Map<Expr, Set<Expr>> {
  const wanted = new Set(inputs.filter((x) => x.type === "float"));
  const behind = new Map<Expr, Set<Expr>>();
  for (const e of order) {
    const own = new Set<Expr>(wanted.has(e) ? [e] : []);
    for (const arg of e.args) for (const x of behind.get(arg)!) own.add(x);
    behind.set(e, own);
  }
  return behind;
}

const UNARY: Readonly<Record<string, string>> = {
  round: "round()",
  floor: "floor()",
  ceil: "ceil()",
  sign: "sign()",
  isnan: "isnan()",
  isfinite: "isfinite()",
};
const BINARY: Readonly<Record<string, string>> = {
  floordiv: "//",
  eq: "the comparison ==",
  ne: "the comparison !=",
  lt: "the comparison <",
  le: "the comparison <=",
  gt: "the comparison >",
  ge: "the comparison >=",
};

/** What to call the part of a node in which its value is a bound, whatever its argument is. */
function flatPart(e: Expr, isSought: (x: Expr) => boolean): string | null {
  if (e.kind === "clamp") return "clamp() outside its bounds";
  if (e.kind === "unary" && e.op === "relu") return "relu() below 0";
  if (e.kind !== "binary" || (e.op !== "max" && e.op !== "min") || e.args.every(isSought)) {
    return null;
  }
  return e.op === "max"
    ? "a maximum where the bound is larger"
    : "a minimum where the bound is smaller";
}

/** What to call a node that stops gradient; null for the others. */
function howItStops(e: Expr): string | null {
  switch (e.kind) {
    case "unary":
      return UNARY[e.op] ?? null;
    case "binary":
      return BINARY[e.op] ?? null;
    case "cast":
      return e.to === "int"
        ? "the conversion to integers"
        : e.to === "bool"
          ? "the conversion to truth values"
          : null;
    case "argReduce":
      return `${e.op}()`;
    default:
      return null;
  }
}

/** Gradient is stopped where real numbers turn into others; what is done with those is no matter. */
function stopOf(e: Expr, isSought: (x: Expr) => boolean): string | null {
  return e.args.some((x) => x.type === "float" && isSought(x)) ? howItStops(e) : null;
}

/** Whether gradient flows from a node to its argument number `k`, be that what it may. */
export const passesGradient = (e: Expr, k: number): boolean => passes(e, k, () => true);

function passes(e: Expr, k: number, isSought: (x: Expr) => boolean): boolean {
  if (e.kind === "stopGradient") return false;
  if (e.kind === "where") return k > 0;
  return stopOf(e, isSought) === null;
}
