/**
 * The outline of a loss, as a person would take it apart: its activation, its sums over the
 * arrays, and the quotients that the sums stand in. Each part gets a node that stands for it, so
 * that what is left of the loss is a function of a few quantities.
 */
import { isUnit } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { Expr, Reduce } from "../expression/node.ts";
import { substitute, topological } from "../expression/walk.ts";

export type PartKind = "activation" | "sum" | "numerator" | "denominator";

export interface Part {
  readonly kind: PartKind;
  /** The node of the loss. */
  readonly original: Expr;
  /** Stands for it in `value`s, in the outline's loss and in formulas. */
  readonly node: Expr;
  /** What it is, in terms of inputs and earlier parts. */
  readonly value: Expr;
}

export interface Quotient {
  /** The quotient itself, in terms of the parts. */
  readonly node: Expr;
  readonly numerator: Expr;
  readonly denominator: Expr;
}

export interface Outline {
  /** Each after those it is made of. */
  readonly parts: readonly Part[];
  /** The loss in terms of the parts. */
  readonly loss: Expr;
  readonly quotients: readonly Quotient[];
  /** An expression in terms of parts, written in the inputs alone. */
  expand(e: Expr): Expr;
  /** The same with those numerators and denominators written in the sums that stay short. */
  inSums(e: Expr): Expr;
}

const MAX_QUOTIENTS = 4;

export function outline(loss: Expr, wrt: Expr): Outline {
  const activations = findActivations(loss, wrt);
  const reached = reachable(loss, activations);
  const sums = findSums(reached, activations, wrt);
  const parts: Part[] = [];
  const stands = new Map<Expr, Expr>();
  const toOriginal = new Map<Expr, Expr>();

  const addPart = (kind: PartKind, original: Expr, value: Expr): Expr => {
    const node = standIn(`${kind}${parts.length}`, original);
    parts.push({ kind, original, node, value });
    toOriginal.set(node, original);
    return node;
  };
  for (const e of topological(loss)) {
    const rebuilt = b.withArgs(
      e,
      e.args.map((a) => stands.get(a)!),
    );
    if (activations.has(e)) stands.set(e, addPart("activation", e, rebuilt));
    else if (sums.has(e)) stands.set(e, addPart("sum", e, rebuilt));
    else stands.set(e, rebuilt);
  }

  const inParts = stands.get(loss)!;
  const found = findQuotients(loss, wrt, stands, new Set(topological(inParts)));
  const replaced = new Map<Expr, Expr>();
  const inSumsOf = new Map<Expr, Expr>();
  const partFor = (kind: PartKind, original: Expr): Expr => {
    const value = stands.get(original)!;
    if (toOriginal.has(value) || value.args.length === 0) return value;
    const known = replaced.get(value);
    if (known !== undefined) return known;
    const node = addPart(kind, original, value);
    replaced.set(value, node);
    inSumsOf.set(node, value);
    return node;
  };
  const quotients = found.map((q) => {
    const numerator = partFor("numerator", q.args[0]!);
    const denominator = partFor("denominator", q.args[1]!);
    return { node: b.div(numerator, denominator), numerator, denominator };
  });
  return {
    parts,
    loss: substitute(inParts, replaced),
    quotients,
    expand: (e) => substitute(substitute(e, inSumsOf), toOriginal),
    inSums: (e) => substitute(e, shortOf(inSumsOf)),
  };
}

/** Without those that go over classes or samples themselves, which nobody wants to read twice. */
function shortOf(values: ReadonlyMap<Expr, Expr>): Map<Expr, Expr> {
  const isShort = (e: Expr): boolean => topological(e).every((x) => x.kind !== "reduce");
  return new Map([...values].filter(([, value]) => isShort(value)));
}

/** A free variable of the same shape. The name cannot be one of a user's. */
function standIn(name: string, of: Expr): Expr {
  return b.input(`⟨${name}⟩`, of.shape, of.type);
}

/** Nodes on a way from the loss that does not lead through an activation (these included). */
function reachable(loss: Expr, stop: ReadonlySet<Expr>): Expr[] {
  const seen = new Set<Expr>();
  const visit = [loss];
  for (let e = visit.pop(); e !== undefined; e = visit.pop()) {
    if (seen.has(e)) continue;
    seen.add(e);
    if (!stop.has(e)) visit.push(...e.args);
  }
  return topological(loss).filter((e) => seen.has(e));
}

const MOVES_ONLY = new Set(["reshape", "transpose", "cast", "expand", "index", "slice"]);

/** Past what only moves entries about or changes their type. */
export function unmoved(e: Expr): Expr {
  let x = e;
  while (MOVES_ONLY.has(x.kind)) x = x.args[0]!;
  return x;
}

function usersOf(nodes: readonly Expr[]): Map<Expr, Expr[]> {
  const users = new Map<Expr, Expr[]>();
  for (const e of nodes) {
    for (const a of e.args) {
      const known = users.get(a);
      if (known === undefined) users.set(a, [e]);
      else known.push(e);
    }
  }
  return users;
}

/**
 * The reductions that go over the arrays themselves. One over what is left of them, such as the
 * mean over classes of a ratio, stays in the outer function; a sum of a sum is one sum.
 */
function findSums(reached: readonly Expr[], activations: ReadonlySet<Expr>, wrt: Expr): Set<Expr> {
  const users = usersOf(reached);
  const sums = new Set<Expr>();
  const carriesData = new Map<Expr, boolean>();
  for (const e of reached) {
    const below = activations.has(e) || isData(e, wrt) || e.args.some((a) => carriesData.get(a));
    const isSum = e.kind === "reduce" && below && reducesAnything(e) && !goesOn(e, users);
    if (isSum && !activations.has(e)) sums.add(e);
    carriesData.set(e, below && !sums.has(e));
  }
  return sums;
}

/** An array with entries for single voxels, not one of class weights. */
function isData(e: Expr, wrt: Expr): boolean {
  if (e.kind !== "input" || e.shape.length === 0) return false;
  if (e === wrt) return true;
  const isWeights = e.shape.every((a) => a.role === "class" || isUnit(a));
  return !(isWeights && wrt.shape.some((a) => a.role !== "class" && a.role !== "batch"));
}

function reducesAnything(e: Reduce): boolean {
  return e.dims.some((d) => {
    const a = e.args[0]!.shape[d]!;
    return !(isUnit(a) && a.role === "unit");
  });
}

/** Whether all that happens to a sum is being summed up further. */
function goesOn(e: Reduce, users: ReadonlyMap<Expr, readonly Expr[]>): boolean {
  let x: Expr = e;
  for (;;) {
    const next = users.get(x);
    const only = next?.[0];
    if (next?.length !== 1 || only === undefined) return false;
    if (only.kind === "reduce")
      return only.op === e.op && only.op !== "mean" && reducesAnything(only);
    if (!MOVES_ONLY.has(only.kind) || only.kind === "index" || only.kind === "slice") return false;
    x = only;
  }
}

/** Quotients of the outer function whose denominator varies with the input, outermost first. */
function findQuotients(
  loss: Expr,
  wrt: Expr,
  stands: ReadonlyMap<Expr, Expr>,
  outer: ReadonlySet<Expr>,
): Expr[] {
  const varying = new Set<Expr>();
  for (const e of topological(loss)) {
    if (e === wrt || e.args.some((a) => varying.has(a))) varying.add(e);
  }
  const found: Expr[] = [];
  const inside = new Set<Expr>();
  for (const e of topological(loss).toReversed()) {
    if (inside.has(e)) {
      e.args.forEach((a) => inside.add(a));
      continue;
    }
    const isQuotient = e.kind === "binary" && e.op === "div" && varying.has(e.args[1]!);
    if (!isQuotient || !outer.has(stands.get(e)!)) continue;
    found.push(e);
    e.args.forEach((a) => inside.add(a));
  }
  return found.length <= MAX_QUOTIENTS ? found.toReversed() : [];
}

/** Operations that only scale, shift or multiply; alone they make no activation. */
function isArithmetic(e: Expr): boolean {
  if (e.kind === "binary") return ["add", "sub", "mul", "div", "pow"].includes(e.op);
  if (e.kind === "unary") return e.op === "neg";
  return e.args.length === 0 || MOVES_ONLY.has(e.kind) || e.kind === "stopGradient";
}

/**
 * What turns the input into probabilities: the last quantity that is computed from the input alone
 * and through which the loss depends on it. Where the loss uses the input in two ways (logits for
 * a cross-entropy, probabilities for an overlap), its sigmoids and softmaxes.
 */
function findActivations(loss: Expr, wrt: Expr): Set<Expr> {
  const order = topological(loss);
  const fromInput = new Map<Expr, "input" | "constant" | "mixed">();
  const bent = new Set<Expr>(); // not just arithmetic of the input
  for (const e of order) {
    const kinds = e.args.map((a) => fromInput.get(a)!);
    if (e === wrt) fromInput.set(e, "input");
    else if (e.kind === "input" || kinds.includes("mixed") || e.kind === "reduce") {
      fromInput.set(e, "mixed");
    } else fromInput.set(e, kinds.includes("input") ? "input" : "constant");
    const isBent = !isArithmetic(e) && fromInput.get(e) === "input";
    if (isBent || e.args.some((a) => bent.has(a))) bent.add(e);
  }
  const own = (e: Expr): boolean => fromInput.get(e) === "input" && bent.has(e);
  const way = narrowWay(loss, wrt, order).filter(own);
  let last = way.at(-1);
  while (last !== undefined && steppedBack(last) !== null && own(steppedBack(last)!)) {
    last = steppedBack(last)!;
  }
  if (last !== undefined) return new Set([unmoved(last)]);
  return new Set(
    order.filter(
      (e) => own(e) && (e.kind === "softmax" || (e.kind === "unary" && e.op === "sigmoid")),
    ),
  );
}

/** p for p², 1 − p, −p and for p that was only moved about: these belong to the sums. */
function steppedBack(e: Expr): Expr | null {
  if (MOVES_ONLY.has(e.kind) || (e.kind === "unary" && e.op === "neg")) return e.args[0]!;
  if (e.kind !== "binary") return null;
  const [x, y] = e.args as [Expr, Expr];
  if (e.op === "mul" && x === y) return x;
  if (e.op === "pow" && y.args.length === 0) return x;
  if (e.op === "sub" && x.kind === "const") return y;
  return null;
}

/** The nodes that every way from `wrt` to `loss` passes, from the input on (dominators). */
function narrowWay(loss: Expr, wrt: Expr, order: readonly Expr[]): Expr[] {
  const varying = new Set<Expr>();
  for (const e of order) if (e === wrt || e.args.some((a) => varying.has(a))) varying.add(e);
  if (!varying.has(loss)) return [];
  const depth = new Map<Expr, number>([[loss, 0]]);
  const parent = new Map<Expr, Expr>();
  const users = usersOf(order.filter((e) => varying.has(e)));
  for (const e of order.toReversed()) {
    if (!varying.has(e) || e === loss) continue;
    let common: Expr | undefined;
    for (const u of users.get(e) ?? []) {
      if (!depth.has(u)) continue;
      common ??= u;
      let [x, y]: [Expr, Expr] = [common, u];
      while (x !== y) {
        if (depth.get(x)! >= depth.get(y)!) x = parent.get(x)!;
        else y = parent.get(y)!;
      }
      common = x;
    }
    if (common === undefined) continue;
    parent.set(e, common);
    depth.set(e, depth.get(common)! + 1);
  }
  const way: Expr[] = [];
  for (let e = parent.get(wrt); e !== undefined; e = parent.get(e)) way.push(e);
  return way;
}
