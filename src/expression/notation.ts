/**
 * From the graph to index notation: one element of an expression as a term. Axes become letters,
 * broadcasting and changes of shape disappear into the indices, reductions bind fresh letters.
 */
import type { Axis, Shape } from "./axis.ts";
import {
  type Index,
  affine,
  alignIndices,
  at,
  cutOf,
  isDropped,
  lettersOf,
  reshapeIndices,
  shownIndices,
} from "./indices.ts";
import { lettersApart } from "./joinedLetters.ts";
import { largestPicked } from "./largest.ts";
import { type Allocation, Letters, type Scope } from "./letters.ts";
import type { Lowering } from "./lowering.ts";
import type { Names } from "./names.ts";
import { type Expr, type Reduce, isPositions } from "./node.ts";
import {
  cases,
  clamp,
  holds,
  joined,
  placed,
  relate,
  slid,
  softmax,
  unshift,
} from "./notationForms.ts";
import { product } from "./notationProduct.ts";
import {
  type BigOp,
  type Binder,
  type RelationOp,
  type SignedTerm,
  type Term,
  negated,
  number,
  productOf,
  sumOf,
} from "./term.ts";

export interface NotationOptions {
  /** Runs of axes (by name) that go by one letter, e.g. [["h", "w"]] to write p_i for p_{h,w}. */
  readonly joint?: readonly (readonly string[])[];
  /** Leave numbers as the author wrote them: 2·x/6, not x/3. */
  readonly asWritten?: boolean;
  /**
   * Told of every named node met, with its indices position by position; `coupled` where more of
   * the array is read than this element (softmax, argmax).
   */
  readonly onSymbol?: (e: Expr, indices: readonly Index[], coupled: boolean) => void;
}

/** A formula with more terms than anybody reads; the graph shares what a formula must repeat. */
export class FormulaTooLong extends Error {
  override readonly name = "FormulaTooLong";
}
const MAX_TERMS = 4000;

const RELATIONS = new Set<string>(["eq", "ne", "lt", "le", "gt", "ge"]);
const isRelation = (op: string): op is RelationOp => RELATIONS.has(op);

export class Notation implements Lowering {
  private terms = 0;
  readonly names: Names;
  readonly asWritten: boolean;
  private readonly letters: Letters;
  private readonly onSymbol: NotationOptions["onSymbol"];
  /** How many functions of whole arrays are being written around the current place. */
  private coupled = 0;

  constructor(names: Names, options: NotationOptions = {}) {
    this.names = names;
    this.letters = new Letters(names, options.joint ?? []);
    this.asWritten = options.asWritten ?? false;
    this.onSymbol = options.onSymbol;
  }

  /** The element of `e` at `indices` (letters of its own axes when not given). */
  element(e: Expr, indices?: readonly Index[]): Term {
    this.terms = 0;
    this.coupled = 0;
    const own = indices ?? this.allocate(e.shape, new Set()).indices;
    return this.value(e, own, new Set(own.flatMap(lettersOf)));
  }

  /** Letters for the axes of `shape`, avoiding those in `scope` and those that are symbols. */
  allocate(shape: readonly (Axis | null)[], scope: Scope): Allocation {
    return this.letters.allocate(shape, scope);
  }

  private count(): void {
    if (++this.terms > MAX_TERMS) throw new FormulaTooLong("the formula is too long to be written");
  }

  /** Past everything that only moves entries about, with the indices in what is underneath. */
  peel(start: Expr, indices: readonly Index[]): [Expr, readonly Index[]] {
    let e = start;
    let idx = indices;
    while (this.names.symbolOf(e) === undefined) {
      const x = e.args[0];
      if (e.kind === "cast") {
        const silent = e.to === "bool" ? x!.type === "bool" : e.to !== "int" || x!.type !== "float";
        if (!silent) break;
      } else if (e.kind === "expand") idx = alignIndices(e.shape, idx, x!.shape);
      else if (e.kind === "reshape") idx = reshapeIndices(e.shape, idx, x!.shape);
      else if (e.kind === "transpose") {
        const moved: Index[] = [];
        e.perm.forEach((from, d) => (moved[from] = idx[d]!));
        idx = moved;
      } else if (e.kind === "index") {
        idx = [...idx.slice(0, e.dim), at(e.at), ...idx.slice(e.dim)];
      } else if (e.kind === "slice") {
        const { dim, start: from, step } = e;
        idx = idx.map((i, d) => (d === dim ? affine(i, step, from) : i));
      } else break;
      e = x!;
    }
    return [e, idx];
  }

  private symbol(e: Expr, indices: readonly Index[]): Term | null {
    const symbol = this.names.symbolOf(e);
    if (symbol === undefined) return null;
    this.onSymbol?.(e, indices, this.coupled > 0);
    // A named quantity on part of an axis keeps the numbering of the whole axis: I_1, I_2 for c ≥ 1.
    const shifted = indices.map((i, d) => {
      const cut = cutOf(e.shape[d]!);
      return cut?.step === 1 ? affine(i, 1, cut.start) : i;
    });
    return { kind: "symbol", symbol, indices: shownIndices(e.shape, shifted) };
  }

  coupledValue(e: Expr, indices: readonly Index[], scope: Scope): Term {
    this.coupled++;
    const term = this.value(e, indices, scope);
    this.coupled--;
    return term;
  }

  value(e0: Expr, idx0: readonly Index[], scope: Scope): Term {
    this.count();
    const [e, idx] = this.peel(e0, idx0);
    const symbol = this.symbol(e, idx);
    if (symbol !== null) return symbol;
    const arg = (k: number): Term => {
      const x = e.args[k]!;
      return this.value(x, alignIndices(e.shape, idx, x.shape), scope);
    };
    const call = (name: string, ...args: Term[]): Term => ({ kind: "call", name, args });
    switch (e.kind) {
      case "const":
      case "size":
        return product(this, e, idx, scope);
      case "input":
      case "parameter":
        if (isPositions(e)) return { kind: "index", index: idx[0]! };
        throw new Error(`${e.kind} ${e.name} has no symbol`);
      case "unary":
        switch (e.op) {
          case "neg":
            return product(this, e, idx, scope);
          case "not":
          case "isnan":
          case "isfinite":
            return { kind: "bracket", of: this.truth(e, idx, scope) };
          case "sqrt":
            return { kind: "root", of: arg(0) };
          case "abs":
          case "floor":
          case "ceil":
            return { kind: "fence", fence: e.op, of: arg(0) };
          case "log1p":
            return call("log", sumOf([plus(number(1)), plus(arg(0))]));
          case "expm1":
            return sumOf([plus(call("exp", arg(0))), minus(number(1))]);
          case "logsigmoid":
            return call("log", call("sigmoid", arg(0)));
          case "softplus":
            return call("log", sumOf([plus(number(1)), plus(call("exp", arg(0)))]));
          case "relu":
            return call("max", number(0), arg(0));
          default:
            return call(e.op, arg(0));
        }
      case "binary":
        switch (e.op) {
          case "add":
          case "sub":
            return this.sum(e, idx, scope);
          case "mul":
          case "div":
            return product(this, e, idx, scope);
          case "pow":
            return product(this, e, idx, scope);
          case "max":
          case "min":
          case "mod":
            return call(e.op, arg(0), arg(1));
          case "floordiv":
            return { kind: "fence", fence: "floor", of: productOf(false, [arg(0)], [arg(1)]) };
          default:
            return { kind: "bracket", of: this.truth(e, idx, scope) };
        }
      case "where":
        return cases(this, e, idx, scope);
      case "clamp":
        return clamp(this, e, idx, scope);
      case "cast":
        return e.to === "int"
          ? call("trunc", arg(0))
          : { kind: "bracket", of: this.truth(e, idx, scope) };
      case "stopGradient":
        return call("sg", arg(0));
      case "reduce": {
        const largest = largestPicked(e);
        if (largest !== null) return this.reduction(largest, largest.op, idx, scope);
        return e.op === "mean"
          ? product(this, e, idx, scope)
          : e.op === "any" || e.op === "all"
            ? { kind: "bracket", of: this.truth(e, idx, scope) }
            : this.reduction(e, e.op, idx, scope);
      }
      case "argReduce": {
        const x = e.args[0]!;
        if (isDropped(x.shape[e.dim]!)) return number(0); // the only position there is
        const arrived = x.shape.map((a, d) => (d === e.dim ? a : null));
        const { indices, binders } = this.allocate(arrived, this.withLetters(scope, idx));
        const inner = spliceIndices(x.shape, idx, [e.dim], e.keepDims, indices);
        const body = this.coupledValue(x, inner, this.withLetters(scope, inner));
        return { kind: "big", op: e.op, over: binders, body };
      }
      case "softmax":
        return softmax(this, e, idx, scope);
      case "place":
      case "spread":
        return placed(this, e, idx, scope);
      case "slide":
        return slid(this, e, idx, scope);
      case "stack":
      case "concat":
        return joined(this, e, idx, scope);
      case "oneHot":
        return { kind: "bracket", of: this.truth(e, idx, scope) };
      case "reshape":
      case "transpose":
      case "expand":
      case "index":
      case "slice":
        throw new Error(`${e.kind} is read through`);
    }
  }

  withLetters(scope: Scope, indices: readonly Index[]): Scope {
    return new Set([...scope, ...indices.flatMap(lettersOf)]);
  }

  private sum(e: Expr, idx: readonly Index[], scope: Scope): Term {
    const terms: SignedTerm[] = [];
    const collect = (x0: Expr, at0: readonly Index[], negative: boolean): void => {
      const [x, i] = this.peel(x0, at0);
      const named = this.names.symbolOf(x) !== undefined;
      const side = (k: number): readonly Index[] => alignIndices(x.shape, i, x.args[k]!.shape);
      if (!named && x.kind === "binary" && (x.op === "add" || x.op === "sub")) {
        collect(x.args[0]!, side(0), negative);
        collect(x.args[1]!, side(1), (x.op === "sub") !== negative);
        return;
      }
      const term = this.value(x, i, scope);
      // What `place` puts outside its position is nothing to write.
      if (x.kind !== "const" && term.kind === "number" && term.value === 0) return;
      terms.push({ negative, term });
    };
    collect(e, idx, false);
    return sumOf(terms);
  }

  reduction(e: Reduce, op: BigOp, idx: readonly Index[], scope: Scope): Term {
    const x = e.args[0]!;
    const gone = new Set(e.dims);
    const reduced = x.shape.map((a, d) => (gone.has(d) ? a : null));
    const outer = this.withLetters(scope, idx);
    const { indices, binders } = this.allocate(reduced, outer);
    const inner = spliceIndices(x.shape, idx, e.dims, e.keepDims, indices);
    const within = this.withLetters(outer, inner);
    const truth = op === "any" || op === "all";
    const written = truth ? this.truth(x, inner, within) : this.value(x, inner, within);
    if (binders.length === 0) return written;
    const { over, body } = lettersApart(binders, written, outer, (axes, taken) =>
      this.allocate(axes, taken),
    );
    if (body.kind === "number" && body.value === 0 && op === "sum") return body;
    const mirrored = MIRRORED[op];
    if (body.kind === "negative" && mirrored !== undefined) {
      return negated(big(mirrored, over, body.of));
    }
    return big(op, over, body);
  }

  /** `e` as a statement that holds or not. */
  truth(e0: Expr, idx0: readonly Index[], scope: Scope): Term {
    this.count();
    const [e, idx] = this.peel(e0, idx0);
    const symbol = this.symbol(e, idx);
    if (symbol !== null) return e.type === "bool" ? symbol : relate("ne", symbol, number(0));
    const aligned = (k: number): readonly Index[] => alignIndices(e.shape, idx, e.args[k]!.shape);
    if (e.kind === "unary" && e.op === "not") {
      return { kind: "not", of: this.truth(e.args[0]!, aligned(0), scope) };
    }
    if (e.kind === "unary" && (e.op === "isnan" || e.op === "isfinite")) {
      return { kind: "call", name: e.op, args: [this.value(e.args[0]!, aligned(0), scope)] };
    }
    if (e.kind === "binary" && (e.op === "and" || e.op === "or")) {
      const args = [0, 1].map((k) => this.truth(e.args[k]!, aligned(k), scope));
      const op = e.op;
      return {
        kind: "logic",
        op,
        args: args.flatMap((a) => (a.kind === "logic" && a.op === op ? a.args : [a])),
      };
    }
    if (e.kind === "binary" && isRelation(e.op)) {
      const [left, right] = [0, 1].map((k) => this.value(e.args[k]!, aligned(k), scope));
      return relate(e.op, left!, right!);
    }
    if (e.kind === "cast" && e.to === "bool") return this.truth(e.args[0]!, idx, scope);
    if (e.kind === "reduce" && (e.op === "any" || e.op === "all")) {
      return this.reduction(e, e.op, idx, scope);
    }
    if (e.kind === "oneHot") {
      const x = e.args[0]!;
      const rest = idx.filter((_, d) => d !== e.dim);
      return relate("eq", this.value(x, rest, scope), unshift(idx[e.dim]!, e.shape[e.dim]!));
    }
    return holds(this.value(e, idx, scope));
  }
}

/** What an operator becomes where the minus of all its entries stands in front of it. */
const MIRRORED: Partial<Record<BigOp, BigOp>> = { sum: "sum", max: "min", min: "max" };

/** The same operator of itself runs over all their letters at once. */
function big(op: BigOp, over: readonly Binder[], body: Term): Term {
  return body.kind === "big" && body.op === op
    ? { kind: "big", op, over: [...over, ...body.over], body: body.body }
    : { kind: "big", op, over, body };
}

const plus = (term: Term): SignedTerm => ({ negative: false, term });
const minus = (term: Term): SignedTerm => ({ negative: true, term });

/** Indices of a reduction's argument: `bound` at the reduced positions, the result's elsewhere. */
function spliceIndices(
  shape: Shape,
  idx: readonly Index[],
  dims: readonly number[],
  keepDims: boolean,
  bound: readonly Index[],
): Index[] {
  let next = 0;
  return shape.map((_, d) => {
    if (dims.includes(d)) {
      if (keepDims) next++;
      return bound[d]!;
    }
    return idx[next++]!;
  });
}
