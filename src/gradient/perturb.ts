/**
 * The value of a loss when one element of an input moves, without evaluating whole arrays: only the
 * entries that depend on the element are computed again, and a sum over a volume changes by the
 * change of its terms. Works over any kind of number, so that the change of one voxel in 10⁷ can be
 * told exactly in double-double.
 *
 * This evaluates the loss itself, node by node as it was written. Nothing is differentiated.
 */
import { type Arithmetic, positionOfBest } from "../expression/interpret.ts";
import type { Expr, Input } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { layoutOf, lineOf, lineOffsets, sourceEntry, targetEntries } from "./entries.ts";
import { dependents } from "./structure.ts";

/** Values of whole nodes at the point. */
export interface BaseValues<T> {
  /** Entry `at` of an input. */
  input(e: Input, at: number): T;
  /** Entry `at` of a reduction over many terms; asked for reductions longer than `LONG` only. */
  reduction(e: Expr, at: number): T;
  parameter(e: Expr): T;
}

/** Reductions of more terms than this are not summed again but changed. */
export const LONG = 64;
/** Most entries of any node that may depend on one element. */
const WIDEST = 256;

/** One element's entries throughout the graph. */
export interface Reach {
  readonly element: number;
  /** Affected entries of every dependent node. */
  readonly entries: ReadonlyMap<Expr, readonly number[]>;
}

export class Perturbation<T> {
  private readonly order: readonly Expr[];
  private readonly wrt: Input;
  private readonly on: Arithmetic<T>;
  private readonly base: BaseValues<T>;
  private readonly known = new Map<Expr, Map<number, T>>();
  private readonly loss: Expr;

  constructor(loss: Expr, wrt: Input, on: Arithmetic<T>, base: BaseValues<T>) {
    const order = topological(loss);
    const depends = dependents(order, wrt);
    this.order = order.filter((e) => depends.has(e));
    this.loss = loss;
    this.wrt = wrt;
    this.on = on;
    this.base = base;
    // Scalars first, in order: an unrolled loop's chain of them is deeper than the call stack.
    for (const e of order) if (layoutOf(e).count === 1) this.at(e, 0);
  }

  /** The reductions whose values `BaseValues.reduction` may be asked for. */
  static reductions(loss: Expr): Expr[] {
    return topological(loss).filter((e) => e.kind === "reduce" && lineLength(e) > LONG);
  }

  /** What depends on one element; null when too much does, so that whole arrays must be evaluated. */
  reach(element: number): Reach | null {
    const entries = new Map<Expr, readonly number[]>([[this.wrt, [element]]]);
    for (const e of this.order) {
      if (e === this.wrt || e.kind === "stopGradient") continue;
      const found = new Set<number>();
      for (let which = 0; which < e.args.length; which++) {
        const moved = entries.get(e.args[which]!);
        if (moved === undefined) continue;
        for (const at of moved) {
          const targets = targetEntries(e, which, at, WIDEST);
          if (targets === null) return null;
          for (const t of targets) found.add(t);
        }
        if (found.size > WIDEST) return null;
      }
      if (found.size > 0) entries.set(e, [...found]);
    }
    return { element, entries };
  }

  /** The loss with the element moved by `step`; null when it cannot be told from changes alone. */
  value(reach: Reach, step: T): T | null {
    const moved = new Map<Expr, ReadonlyMap<number, T>>();
    const own = this.on.binary("add", this.at(this.wrt, reach.element), step);
    moved.set(this.wrt, new Map([[reach.element, own]]));
    for (const e of this.order) {
      const affected = reach.entries.get(e);
      if (affected === undefined || e === this.wrt) continue;
      const values = new Map<number, T>();
      for (const k of affected) {
        const v =
          e.kind === "reduce" && lineLength(e) > LONG
            ? this.changed(e, k, reach, moved)
            : this.compute(e, k, (arg, at) => moved.get(arg)?.get(at) ?? this.at(arg, at));
        if (v === null) return null;
        values.set(k, v);
      }
      moved.set(e, values);
    }
    return moved.get(this.loss)?.get(0) ?? this.at(this.loss, 0);
  }

  /** Entry `at` of `e` at the point itself. */
  at(e: Expr, at: number): T {
    if (e.kind === "input") return this.base.input(e, at);
    let values = this.known.get(e);
    if (values === undefined) this.known.set(e, (values = new Map<number, T>()));
    let v = values.get(at);
    if (v === undefined) {
      v =
        e.kind === "reduce" && lineLength(e) > LONG
          ? this.base.reduction(e, at)
          : this.compute(e, at, (arg, k) => this.at(arg, k));
      // What one element needs is seldom needed by the next.
      if (values.size > 32 * WIDEST) values.clear();
      values.set(at, v);
    }
    return v;
  }

  /** A long reduction, from its value at the point and the changes of its terms. */
  private changed(
    e: Expr & { readonly kind: "reduce" },
    k: number,
    reach: Reach,
    moved: ReadonlyMap<Expr, ReadonlyMap<number, T>>,
  ): T | null {
    const x = e.args[0]!;
    const { on } = this;
    const before = this.base.reduction(e, k);
    const terms = (reach.entries.get(x) ?? []).filter((at) => lineOf(e, at) === k);
    let result = before;
    for (const at of terms) {
      const was = this.at(x, at);
      const is = moved.get(x)!.get(at)!;
      switch (e.op) {
        case "sum":
        case "mean": {
          const change = on.binary("sub", is, was);
          const n = e.op === "mean" ? on.of(lineLength(e)) : null;
          result = on.binary("add", result, n === null ? change : on.binary("div", change, n));
          break;
        }
        case "prod":
          if (!on.truthy(was)) return null;
          result = on.binary("mul", result, on.binary("div", is, was));
          break;
        case "max":
        case "min":
          // Another entry may take over when the extreme one moves inward.
          if (on.truthy(on.binary("eq", was, before))) return null;
          result = on.binary(e.op, result, is);
          break;
        case "any":
        case "all":
          return null;
      }
    }
    return result;
  }

  private compute(e: Expr, k: number, value: (arg: Expr, at: number) => T): T {
    const { on } = this;
    const arg = (which: number): T => value(e.args[which]!, sourceEntry(e, which, k));
    switch (e.kind) {
      case "const":
        return on.of(e.value);
      case "parameter":
        return this.base.parameter(e);
      case "size":
        return on.of(layoutOfAxes(e));
      case "input":
        return this.base.input(e, k);
      case "unary":
        return on.unary(e.op, arg(0));
      case "binary":
        return on.binary(e.op, arg(0), arg(1));
      case "where":
        return on.truthy(arg(0)) ? arg(1) : arg(2);
      case "clamp":
        return on.binary("min", on.binary("max", arg(0), arg(1)), arg(2));
      case "cast": {
        const v = arg(0);
        if (e.to === "bool") return on.of(on.truthy(v) ? 1 : 0);
        if (e.to !== "int") return v;
        return on.unary(on.truthy(on.binary("lt", v, on.of(0))) ? "ceil" : "floor", v);
      }
      case "reduce":
        return this.reduced(e, k, value);
      case "argReduce":
      case "softmax":
        return this.lineValue(e, k, value);
      case "stack":
      case "concat": {
        const which = e.args.findIndex((_, w) => sourceEntry(e, w, k) >= 0);
        return arg(which);
      }
      case "place":
      case "spread":
      case "slide":
        return sourceEntry(e, 0, k) < 0 ? on.of(0) : arg(0);
      case "oneHot": {
        const stride = layoutOf(e).strides[e.dim]!;
        const position = Math.floor(k / stride) % layoutOf(e).sizes[e.dim]!;
        return on.of(on.toNumber(arg(0)) === position ? 1 : 0);
      }
      default:
        return arg(0);
    }
  }

  private reduced(
    e: Expr & { readonly kind: "reduce" },
    k: number,
    value: (arg: Expr, at: number) => T,
  ): T {
    const { on } = this;
    const terms = this.line(e, k, value);
    switch (e.op) {
      case "any":
        return on.of(terms.some((v) => on.truthy(v)) ? 1 : 0);
      case "all":
        return on.of(terms.every((v) => on.truthy(v)) ? 1 : 0);
      case "sum":
        return terms.reduce((a, v) => on.binary("add", a, v), on.of(0));
      case "mean":
        return on.binary(
          "div",
          terms.reduce((a, v) => on.binary("add", a, v), on.of(0)),
          on.of(terms.length),
        );
      case "prod":
        return terms.reduce((a, v) => on.binary("mul", a, v), on.of(1));
      case "max":
      case "min": {
        const op = e.op;
        return terms.reduce((a, v) => on.binary(op, a, v));
      }
    }
  }

  private lineValue(e: Expr, k: number, value: (arg: Expr, at: number) => T): T {
    const { on } = this;
    const terms = this.line(e, k, value);
    if (e.kind === "argReduce") {
      return on.of(positionOfBest(e.op === "argmax" ? "gt" : "lt", terms, on));
    }
    const own = value(e.args[0]!, k);
    const largest = terms.reduce((a, v) => on.binary("max", a, v));
    const powers = terms.map((v) => on.unary("exp", on.binary("sub", v, largest)));
    const total = powers.reduce((a, v) => on.binary("add", a, v));
    const shifted = on.binary("sub", own, largest);
    return e.kind === "softmax" && e.log
      ? on.binary("sub", shifted, on.unary("log", total))
      : on.binary("div", on.unary("exp", shifted), total);
  }

  private line(e: Expr, k: number, value: (arg: Expr, at: number) => T): T[] {
    const first = sourceEntry(e, 0, k);
    return offsetsOf(e).map((o) => value(e.args[0]!, first + o));
  }
}

const offsets = new WeakMap<Expr, readonly number[]>();
function offsetsOf(e: Expr): readonly number[] {
  let o = offsets.get(e);
  if (o === undefined) offsets.set(e, (o = lineOffsets(e)));
  return o;
}

function lineLength(e: Expr): number {
  const own = layoutOf(e).count;
  return own === 0 ? 0 : layoutOf(e.args[0]!).count / own;
}

function layoutOfAxes(e: Expr & { readonly kind: "size" }): number {
  return e.axes.reduce((n, a) => n * (a.size ?? NaN), 1);
}
