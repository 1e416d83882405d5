/**
 * Loops rolled up again. Code that runs over classes leaves one term a class, alike but for the
 * entry each takes; together they are one expression over the axis that the entries were taken from.
 */
import { type Axis, UNIT, axis } from "./axis.ts";
import * as b from "./build.ts";
import { spend } from "./effort.ts";
import type { Expr, Index } from "./node.ts";
import { sameSizes } from "./simplifyShape.ts";

const ELEMENTWISE = new Set(["unary", "binary", "where", "clamp", "cast", "stopGradient"]);

export function isElementwise(e: Expr): boolean {
  return ELEMENTWISE.has(e.kind);
}

/** What expressions that a loop left have in common: everything but positions taken. */
export class Skeletons {
  private readonly known = new Map<Expr, number>();
  private readonly ids = new Map<string, number>();
  private readonly taking = new Map<Expr, boolean>();

  /** Whether `e` takes an entry of anything, as what a loop leaves does. */
  takes(e: Expr): boolean {
    let known = this.taking.get(e);
    if (known === undefined) {
      known = e.kind === "index" || isClassNumber(e, 1) || e.args.some((a) => this.takes(a));
      this.taking.set(e, known);
    }
    return known;
  }

  of(e: Expr): number {
    const found = this.known.get(e);
    if (found !== undefined) return found;
    const args = e.args.map((a, k) => (isClassNumber(e, k) ? "#" : this.of(a)));
    spend(2);
    const key = `${ownKey(e)}(${args.join()})${e.shape.map((a) => a.size ?? a.name).join()}`;
    let id = this.ids.get(key);
    if (id === undefined) this.ids.set(key, (id = this.ids.size));
    this.known.set(e, id);
    return id;
  }
}

function ownKey(e: Expr): string {
  if (e.kind === "index") return `index ${e.dim}`;
  if (e.args.length === 0) return `= ${e.id}`;
  const { id: _id, args: _args, shape: _shape, ...own } = e;
  return JSON.stringify(own);
}

/** The k of `labels == k`. */
function isClassNumber(e: Expr, k: number): boolean {
  return k === 1 && e.kind === "binary" && e.op === "eq" && e.args[1]!.kind === "const";
}

/** The positions that an expression takes, in one fixed order for all of one skeleton. */
export function positionsIn(e: Expr): number[] {
  const found: number[] = [];
  const seen = new Set<Expr>();
  const visit = (node: Expr): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "index") found.push(node.at);
    const y = node.args[1];
    if (isClassNumber(node, 1) && y?.kind === "const") found.push(y.value);
    node.args.forEach(visit);
  };
  visit(e);
  return found;
}

/**
 * Expressions of one skeleton split into runs over one axis: each sorted by the position its terms
 * take there, and alike in all others. Nested loops give a run per inner loop.
 */
export function runsOf(list: readonly Expr[]): Expr[][] {
  const positions = new Map(list.map((e) => [e, positionsIn(e)]));
  const first = positions.get(list[0]!)!;
  if ([...positions.values()].some((p) => p.length !== first.length)) return [];
  const columns = first.map((_, k) => list.map((e) => positions.get(e)![k]!).join());
  const varying = columns.flatMap((c, k) => (new Set(c.split(",")).size > 1 ? [k] : []));
  const inner = varying.at(-1);
  if (inner === undefined) return [];
  const others = varying.filter((k) => columns[k] !== columns[inner]);
  const runs = new Map<string, Expr[]>();
  for (const e of list) {
    const key = others.map((k) => positions.get(e)![k]).join();
    runs.set(key, [...(runs.get(key) ?? []), e]);
  }
  const at = (e: Expr): number => positions.get(e)![inner]!;
  return [...runs.values()].map((run) => run.sort((x, y) => at(x) - at(y)));
}

/**
 * One expression with a leading axis whose k-th entry is `list[k]`, if the entries that the list
 * takes are all of an axis in order, or some that follow each other; `null` otherwise.
 */
export function rolled(list: readonly Expr[]): Expr | null {
  if (list.length < 2) return null;
  const lifted = new Lifting(list.length).lift(list);
  return lifted?.varies === true ? lifted.e : null;
}

interface Lifted {
  readonly e: Expr;
  /** It has the leading axis; otherwise it is the same for all. */
  readonly varies: boolean;
}

class Lifting {
  private readonly known = new Map<string, Lifted | null>();
  private along: Axis | null = null;
  private readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  lift(list: readonly Expr[]): Lifted | null {
    const first = list[0]!;
    if (list.every((e) => e === first)) return { e: first, varies: false };
    const key = list.map((e) => e.id).join();
    let result = this.known.get(key);
    if (result === undefined) {
      result = this.liftNew(list);
      this.known.set(key, result);
    }
    return result;
  }

  private liftNew(list: readonly Expr[]): Lifted | null {
    const first = list[0]!;
    if (list.some((e) => e.kind !== first.kind || !sameSizes(e.shape, first.shape))) return null;
    if (first.args.length === 0) return null;
    const taken = this.entriesOf(list) ?? this.oneHotOf(list);
    if (taken !== null) return { e: taken, varies: true };
    if (list.some((e) => ownKey(e) !== ownKey(first) || e.args.length !== first.args.length)) {
      return null;
    }
    if (first.kind === "index" && list.some((e) => (e as Index).at !== first.at)) return null;
    const args: Lifted[] = [];
    for (const k of first.args.keys()) {
      const lifted = this.lift(list.map((e) => e.args[k]!));
      if (lifted === null) return null;
      args.push(lifted);
    }
    const e = this.withLeadingAxis(first, args);
    return e === null ? null : { e, varies: true };
  }

  /** The axis that the entries were taken along, moved to the front. */
  private entriesOf(list: readonly Expr[]): Expr | null {
    const first = list[0]!;
    if (first.kind !== "index") return null;
    const source = first.args[0]!;
    const { dim, at } = first;
    const inOrder = list.every(
      (e, k) => e.kind === "index" && e.args[0] === source && e.dim === dim && e.at === at + k,
    );
    const n = source.shape[dim]!.size;
    if (!inOrder || n === null) return null;
    const part = b.slice(source, dim, at, at + this.count);
    if (!this.agree(part.shape[dim]!)) return null;
    const order = [dim, ...part.shape.flatMap((_, d) => (d === dim ? [] : [d]))];
    return b.transpose(part, order);
  }

  /** labels == 0, labels == 1, …: the one-hot form of the labels. */
  private oneHotOf(list: readonly Expr[]): Expr | null {
    const labels = list[0]!.args[0]!;
    const inOrder = list.every((e, k) => {
      const y = e.args[1];
      return isClassNumber(e, 1) && e.args[0] === labels && y?.kind === "const" && y.value === k;
    });
    if (!inOrder) return null;
    return b.oneHot(labels, this.along ?? axis("c", this.count, "class"), 0);
  }

  private agree(a: Axis): boolean {
    this.along ??= a;
    return this.along.size === a.size;
  }

  private withLeadingAxis(e: Expr, args: readonly Lifted[]): Expr | null {
    // Of one argument, under axes of other names: not entries of anything.
    const front = args.find((a) => a.varies)?.e.shape[0];
    if (front === undefined) return null;
    const x = args[0]!.e;
    if (isElementwise(e)) {
      return b.withArgs(
        e,
        args.map((a) => aligned(a, e.shape.length)),
      );
    }
    switch (e.kind) {
      case "reduce":
        return b.reduce(
          e.op,
          x,
          e.dims.map((d) => d + 1),
          e.keepDims,
        );
      case "argReduce":
        return b.argReduce(e.op, x, e.dim + 1, e.keepDims);
      case "softmax":
        return b.softmax(x, e.dim + 1, e.log);
      case "reshape":
        return b.reshape(x, [front, ...e.shape]);
      case "transpose":
        return b.transpose(x, [0, ...e.perm.map((p) => p + 1)]);
      case "expand":
        return b.expand(aligned(args[0]!, e.shape.length), [front, ...e.shape]);
      case "index":
        return b.index(x, e.dim + 1, e.at);
      case "stack":
        return b.stack(
          args.map((a) => (a.varies ? a.e : b.expand(a.e, [front, ...a.e.shape]))),
          e.dim + 1,
          e.shape[e.dim],
        );
      default:
        return null;
    }
  }
}

/** An operand with a leading axis, padded so that its others stay opposite the operation's. */
function aligned(a: Lifted, rank: number): Expr {
  const missing = rank - (a.e.shape.length - 1);
  if (!a.varies || missing <= 0) return a.e;
  const [front, ...rest] = a.e.shape;
  return b.reshape(a.e, [front!, ...Array<Axis>(missing).fill(UNIT), ...rest]);
}
