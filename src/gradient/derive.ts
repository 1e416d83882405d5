/**
 * Reverse-mode derivation over the expression graph. Adjoints run from the loss to what it depends
 * on, each node passing its own on to its arguments by the rules of `rules.ts`.
 *
 * What is derived is what was written: nothing is simplified here.
 */
import { type Annotation, type Expr, annotationOf } from "../expression/node.ts";
import { ShapeError, fitsShape, formatShape } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import { topological } from "../expression/walk.ts";
import { rules, unbroadcast } from "./rules.ts";

/**
 * The gradient of `loss` with respect to `wrt`, of the shape of `wrt`; zeros if none arrives. For
 * a loss that is no scalar: of its sum, or of the sum of its entries times those of `seed`.
 *
 * @throws ShapeError when `seed` does not have the loss's shape.
 */
export function derive(loss: Expr, wrt: Expr, seed?: Expr, share?: ShareRule): Expr {
  return adjoints(loss, [wrt], seed, share).get(wrt)!;
}

/**
 * What argument `k` of `e` receives of the adjoint `a`, in the place of the rule: `undefined` where
 * the rule holds, `null` for nothing. With it, what a mistake in a rule would give can be derived.
 */
export type ShareRule = (a: Expr, e: Expr, k: number) => Expr | null | undefined;

/**
 * The derivatives of `loss` by several nodes, each taken as an independent variable: where one of
 * them is computed from another, what flows through it is not counted twice. By the sums of a
 * ratio these are the terms of the quotient rule.
 */
export function adjoints(
  loss: Expr,
  nodes: readonly Expr[],
  seed?: Expr,
  share?: ShareRule,
): Map<Expr, Expr> {
  const { found } = propagate(loss, nodes, seed, share);
  return new Map(nodes.map((n) => [n, found.get(n) ?? zeros(n)]));
}

export type BlockerReason =
  | "stop-gradient"
  | "rounding"
  | "comparison"
  | "sign"
  | "argmax"
  | "one-hot"
  | "integer-cast"
  | "clamp"
  | "other";

/** A node that keeps gradient from passing on its way from the loss. */
export interface Blocker {
  readonly node: Expr;
  readonly reason: BlockerReason;
  /** It stops the gradient at some entries only (a clamp: outside its bounds). */
  readonly partial: boolean;
  readonly annotation: Annotation | undefined;
}

/** The nodes between `loss` and `wrt` at which gradient that was under way is stopped. */
export function blockers(loss: Expr, wrt: Expr): Blocker[] {
  return propagate(loss, [wrt]).stopped.map((node) => ({
    node,
    reason: reasonOf(node),
    partial: node.kind === "clamp",
    annotation: annotationOf(node),
  }));
}

/** Whether any path from `loss` to `wrt` passes gradient; its value may still be zero. */
export function receivesGradient(loss: Expr, wrt: Expr): boolean {
  return propagate(loss, [wrt]).found.has(wrt);
}

interface Propagation {
  readonly found: Map<Expr, Expr>;
  readonly stopped: Expr[];
}

function propagate(
  loss: Expr,
  nodes: readonly Expr[],
  seed?: Expr,
  instead?: ShareRule,
): Propagation {
  const wanted = new Set(nodes);
  const order = topological(loss);
  const onTheWay = leadingTo(wanted, order);
  const found = new Map<Expr, Expr>();
  const stopped = new Set<Expr>();
  if (onTheWay.has(loss)) found.set(loss, seedFor(loss, seed));
  for (const e of order.toReversed()) {
    const a = found.get(e);
    if (a === undefined || wanted.has(e)) continue;
    if (e.kind === "clamp") stopped.add(e);
    e.args.forEach((arg, k) => {
      if (!onTheWay.has(arg)) return;
      const other = instead?.(a, e, k);
      const share = other === undefined ? shareOf(a, e, k) : other;
      if (share === null) {
        stopped.add(e.kind === "where" ? arg : e);
        return;
      }
      const part = unbroadcast(share, arg.shape);
      const known = found.get(arg);
      found.set(arg, known === undefined ? part : b.add(known, part));
    });
  }
  return { found, stopped: [...stopped] };
}

/** The table's rule for a node; the cast only ties each kind to its own rule. */
function shareOf(a: Expr, e: Expr, k: number): Expr | null {
  const rule = rules[e.kind] as (a: Expr, e: Expr, k: number) => Expr | null;
  return rule(a, e, k);
}

/** The nodes of `order` that depend on one of `wanted` (or are one). */
function leadingTo(wanted: ReadonlySet<Expr>, order: readonly Expr[]): Set<Expr> {
  const yes = new Set<Expr>();
  for (const e of order) {
    if (wanted.has(e) || e.args.some((arg) => yes.has(arg))) yes.add(e);
  }
  return yes;
}

function seedFor(loss: Expr, seed: Expr | undefined): Expr {
  const one = seed ?? b.ONE;
  if (seed !== undefined && seed.shape.length > 0 && !fitsShape(seed.shape, loss.shape)) {
    throw new ShapeError(
      `a seed of shape ${formatShape(seed.shape)} does not fit the loss's ${formatShape(loss.shape)}`,
    );
  }
  return stretched(one, loss);
}

function zeros(like: Expr): Expr {
  return stretched(b.ZERO, like);
}

function stretched(x: Expr, like: Expr): Expr {
  return like.shape.length === x.shape.length ? x : b.expand(x, like.shape);
}

function reasonOf(e: Expr): BlockerReason {
  switch (e.kind) {
    case "stopGradient":
      return "stop-gradient";
    case "argReduce":
      return "argmax";
    case "oneHot":
      return "one-hot";
    case "cast":
      return "integer-cast";
    case "clamp":
      return "clamp";
    case "unary":
      return e.op === "sign" ? "sign" : e.type === "bool" ? "comparison" : "rounding";
    case "binary":
      return e.op === "floordiv" ? "rounding" : "comparison";
    case "reduce":
      return "comparison";
    default:
      return "other";
  }
}
