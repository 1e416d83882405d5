/**
 * From the graph to index notation: one element of an expression as a term. Axes become letters,
 * broadcasting and changes of shape disappear into the indices, reductions bind fresh letters.
 */
import { type Axis, type Shape } from "./axis.ts";
import {
  type Index,
  affine,
  alignIndices,
  at,
  cutOf,
  indexKey,
  isDropped,
  letterIndex,
  lettersOf,
  partOf,
  reshapeIndices,
  sameIndex,
  shownIndices,
  tupleOf,
} from "./indices.ts";
import type { Names } from "./names.ts";
import type { Expr, Reduce, Softmax } from "./node.ts";
import { gcd, numeralOf } from "./numerals.ts";
import {
  type Binder,
  type BigOp,
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

/** Letters of an array's axes and the ranges they run over. */
export interface Allocation {
  readonly indices: Index[];
  readonly binders: Binder[];
}

/** A formula with more terms than anybody reads; the graph shares what a formula must repeat. */
export class FormulaTooLong extends Error {
  override readonly name = "FormulaTooLong";
}
const MAX_TERMS = 4000;

const RELATIONS = new Set<string>(["eq", "ne", "lt", "le", "gt", "ge"]);
const isRelation = (op: string): op is RelationOp => RELATIONS.has(op);

type Scope = ReadonlySet<string>;

/** A factor of a product, raised to `exponent`. */
interface Factor {
  readonly x: Expr;
  readonly i: readonly Index[];
  exponent: number;
  /** A mean whose 1/N already stands among the numbers. */
  readonly asSum: boolean;
}

export class Notation {
  private terms = 0;
  private readonly names: Names;
  private readonly joint: readonly (readonly string[])[];
  private readonly asWritten: boolean;
  private readonly onSymbol: NotationOptions["onSymbol"];
  /** How many functions of whole arrays are being written around the current place. */
  private coupled = 0;

  constructor(names: Names, options: NotationOptions = {}) {
    this.names = names;
    this.joint = options.joint ?? [];
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
    const taken = new Set(scope);
    const indices: Index[] = [];
    const binders: Binder[] = [];
    for (let d = 0; d < shape.length; d++) {
      const a = shape[d] ?? null;
      const run = this.jointRun(shape, d);
      if (run > 0) {
        const axes = (shape.slice(d, d + run) as Axis[]).flatMap((x) =>
          x.parts.length > 0 ? x.parts : [x],
        );
        const letter = this.freshLetter("i", taken);
        binders.push({ letter });
        let k = 0;
        for (const x of shape.slice(d, d + run) as Axis[]) {
          const width = Math.max(1, x.parts.length);
          const parts = Array.from({ length: width }, (_, n) =>
            partOf(letterIndex(letter), axes, k + n),
          );
          indices.push(tupleOf(parts, x.parts.length > 0 ? x.parts : [x]));
          k += width;
        }
        d += run - 1;
      } else if (a === null || isDropped(a)) indices.push(at(0));
      else {
        const cut = cutOf(a);
        const letter = this.freshLetter(baseLetter(a), taken);
        if (cut?.step === 1 && a.size !== null) {
          binders.push({ letter, from: cut.start, to: cut.start + a.size - 1 });
          indices.push(affine(letterIndex(letter), 1, -cut.start));
        } else {
          binders.push({ letter });
          indices.push(letterIndex(letter));
        }
      }
    }
    return { indices, binders };
  }

  /** Number of axes from `d` on that together are one of the joint runs; 0 if none starts here. */
  private jointRun(shape: readonly (Axis | null)[], d: number): number {
    for (const names of this.joint) {
      let seen: string[] = [];
      for (let n = d; n < shape.length && seen.length < names.length; n++) {
        const a = shape[n];
        if (a === null || a === undefined) break;
        seen = seen.concat(a.parts.length > 0 ? a.parts.map((p) => p.name) : [a.name]);
        if (seen.length === names.length && seen.every((s, k) => s === names[k])) return n - d + 1;
      }
    }
    return 0;
  }

  private freshLetter(base: string, taken: Set<string>): string {
    const pool = LETTERS[base] ?? base;
    const letters = base.length > 1 ? [base] : Array.from(pool);
    for (let primes = 0; ; primes++) {
      for (const l of letters) {
        const letter = l + "'".repeat(primes);
        if (taken.has(letter) || (primes === 0 && this.names.isTaken(letter))) continue;
        taken.add(letter);
        return letter;
      }
    }
  }

  private count(): void {
    if (++this.terms > MAX_TERMS) throw new FormulaTooLong("the formula is too long to be written");
  }

  /** Past everything that only moves entries about, with the indices in what is underneath. */
  private peel(start: Expr, indices: readonly Index[]): [Expr, readonly Index[]] {
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

  private value(e0: Expr, idx0: readonly Index[], scope: Scope): Term {
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
        return this.product(e, idx, scope);
      case "input":
      case "parameter":
        throw new Error(`${e.kind} ${e.name} has no symbol`);
      case "unary":
        switch (e.op) {
          case "neg":
            return this.product(e, idx, scope);
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
            return this.product(e, idx, scope);
          case "pow":
            return this.product(e, idx, scope);
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
        return this.cases(e, idx, scope);
      case "clamp":
        return this.clamp(e, idx, scope);
      case "cast":
        return e.to === "int"
          ? call("trunc", arg(0))
          : { kind: "bracket", of: this.truth(e, idx, scope) };
      case "stopGradient":
        return call("sg", arg(0));
      case "reduce":
        return e.op === "mean"
          ? this.product(e, idx, scope)
          : e.op === "any" || e.op === "all"
            ? { kind: "bracket", of: this.truth(e, idx, scope) }
            : this.reduction(e, e.op, idx, scope);
      case "argReduce": {
        const x = e.args[0]!;
        if (isDropped(x.shape[e.dim]!)) return number(0); // the only position there is
        const arrived = x.shape.map((a, d) => (d === e.dim ? a : null));
        const { indices, binders } = this.allocate(arrived, this.withLetters(scope, idx));
        const inner = spliceIndices(x.shape, idx, [e.dim], e.keepDims, indices);
        this.coupled++;
        const body = this.value(x, inner, this.withLetters(scope, inner));
        this.coupled--;
        return { kind: "big", op: e.op, over: binders, body };
      }
      case "softmax":
        return this.softmax(e, idx, scope);
      case "place":
      case "spread":
        return this.placed(e, idx, scope);
      case "stack":
      case "concat":
        return this.joined(e, idx, scope);
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

  private withLetters(scope: Scope, indices: readonly Index[]): Scope {
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

  private product(e: Expr, idx: readonly Index[], scope: Scope): Term {
    let negative = false;
    const factors = new Map<string, Factor>();
    const numbers: [Term[], Term[]] = [[], []];
    let zero = false;
    const collect = (x0: Expr, at0: readonly Index[], exponent: number): void => {
      const [x, i] = this.peel(x0, at0);
      const side = (k: number): readonly Index[] => alignIndices(x.shape, i, x.args[k]!.shape);
      if (this.names.symbolOf(x) === undefined) {
        if (x.kind === "const" && Math.abs(exponent) === 1) {
          if (x.value < 0) negative = !negative;
          this.number(Math.abs(x.value), exponent > 0 ? numbers : [numbers[1], numbers[0]]);
          return;
        }
        if (x.kind === "unary" && x.op === "neg" && Number.isInteger(exponent)) {
          if (exponent % 2 !== 0) negative = !negative;
          collect(x.args[0]!, side(0), exponent);
          return;
        }
        if (
          x.kind === "binary" &&
          (x.op === "mul" || x.op === "div") &&
          Number.isInteger(exponent)
        ) {
          collect(x.args[0]!, side(0), exponent);
          collect(x.args[1]!, side(1), x.op === "mul" ? exponent : -exponent);
          return;
        }
        if (x.kind === "size" && Math.abs(exponent) === 1) {
          numbers[exponent > 0 ? 0 : 1].push(...this.sizeTerms(x.axes));
          return;
        }
        if (x.kind === "binary" && x.op === "pow") {
          const p = x.args[1]!;
          if (
            p.kind === "const" &&
            Number.isFinite(p.value) &&
            (exponent === 1 || exponent === -1)
          ) {
            const power = p.value * exponent;
            const base = x.args[0]!;
            // A product under a power stays in its brackets: (ab)², not a²b².
            add(base, side(0), power);
            return;
          }
        }
        if (x.kind === "reduce" && x.op === "mean" && exponent === 1) {
          const gone = x.dims.map((d) => x.args[0]!.shape[d]!).filter((a) => !isDropped(a));
          numbers[1].push(...this.sizeTerms(gone));
          add(x, i, 1, true);
          return;
        }
      }
      add(x, i, exponent);
    };
    const add = (x: Expr, i: readonly Index[], exponent: number, asSum = false): void => {
      const key = `${x.id}@${i.map(indexKey).join()}${asSum ? "Σ" : ""}`;
      const known = factors.get(key);
      if (known === undefined) factors.set(key, { x, i, exponent, asSum });
      else known.exponent += exponent;
    };
    collect(e, idx, 1);
    const top: Term[] = [];
    const bottom: Term[] = [];
    for (const { x, i, exponent, asSum } of factors.values()) {
      let term: Term;
      if (asSum && x.kind === "reduce") {
        term = this.reduction(x, "sum", i, scope);
      } else if (this.isPower(x)) {
        // Its exponent is itself an expression; `collect` cannot take it apart any further.
        term = this.power(x, i, scope);
      } else term = this.value(x, i, scope);
      if (exponent === 0) continue;
      if (term.kind === "negative" && Number.isInteger(exponent)) {
        if (exponent % 2 !== 0) negative = !negative;
        term = term.of;
      }
      if (term.kind === "number" && term.value === 0 && exponent > 0) zero = true;
      const raised = raise(term, Math.abs(exponent));
      if (raised.kind === "product" && raised.denominator.length > 0) {
        // A mean, or a placed fraction, inside a product: one fraction for the whole.
        (exponent > 0 ? top : bottom).push(...raised.numerator);
        (exponent > 0 ? bottom : top).push(...raised.denominator);
      } else if (raised.kind === "product") (exponent > 0 ? top : bottom).push(...raised.numerator);
      else (exponent > 0 ? top : bottom).push(raised);
    }
    if (zero) return number(0);
    if (!this.asWritten) reduceNumbers(numbers);
    return productOf(negative, [...numbers[0], ...top], [...numbers[1], ...bottom]);
  }

  private isPower(e: Expr): boolean {
    return e.kind === "binary" && e.op === "pow" && this.names.symbolOf(e) === undefined;
  }

  private power(e: Expr, idx: readonly Index[], scope: Scope): Term {
    const part = (k: number): Term => {
      const x = e.args[k]!;
      return this.value(x, alignIndices(e.shape, idx, x.shape), scope);
    };
    return { kind: "power", base: part(0), exponent: part(1) };
  }

  private number(v: number, [top, bottom]: readonly [Term[], Term[]]): void {
    if (v === 1) return;
    const numeral = numeralOf(v);
    if (numeral.kind === "fraction") {
      top.push(number(Number(numeral.numerator)));
      bottom.push(number(Number(numeral.denominator)));
    } else top.push(number(v));
  }

  /** The number of entries over these axes: what is known as one number, a letter for each other. */
  private sizeTerms(axes: readonly Axis[]): Term[] {
    const flat = axes.flatMap((a) => (a.size === null && a.parts.length > 0 ? a.parts : [a]));
    const known = flat.reduce((n, a) => n * (a.size ?? 1), 1);
    const unknown = flat
      .filter((a) => a.size === null)
      .map((a): Term => ({
        kind: "symbol",
        symbol: this.names.sizeOf(a),
        indices: [],
        isSize: true,
      }));
    return known === 1 ? unknown : [number(known), ...unknown];
  }

  private reduction(e: Reduce, op: BigOp, idx: readonly Index[], scope: Scope): Term {
    const x = e.args[0]!;
    const gone = new Set(e.dims);
    const reduced = x.shape.map((a, d) => (gone.has(d) ? a : null));
    const outer = this.withLetters(scope, idx);
    const { indices, binders } = this.allocate(reduced, outer);
    const inner = spliceIndices(x.shape, idx, e.dims, e.keepDims, indices);
    const within = this.withLetters(outer, inner);
    const truth = op === "any" || op === "all";
    const body = truth ? this.truth(x, inner, within) : this.value(x, inner, within);
    if (binders.length === 0) return body;
    if (body.kind === "number" && body.value === 0 && op === "sum") return body;
    if (body.kind === "big" && body.op === op) {
      return { kind: "big", op, over: [...binders, ...body.over], body: body.body };
    }
    if (body.kind === "negative" && op === "sum") {
      return negated({ kind: "big", op, over: binders, body: body.of });
    }
    return { kind: "big", op, over: binders, body };
  }

  private softmax(e: Softmax, idx: readonly Index[], scope: Scope): Term {
    const x = e.args[0]!;
    if (isDropped(e.shape[e.dim]!)) return number(e.log ? 0 : 1); // of a single entry
    const along = idx[e.dim]!;
    const own: Index =
      along.kind === "letter"
        ? along
        : this.allocate([e.shape[e.dim]!], this.withLetters(scope, idx)).indices[0]!;
    const name = e.log ? "log softmax" : "softmax";
    const over: Term[] = [{ kind: "index", index: own }];
    const inner = idx.map((i, d) => (d === e.dim ? own : i));
    this.coupled++;
    const argument = this.value(x, inner, this.withLetters(scope, inner));
    this.coupled--;
    if (argument.kind === "symbol" && argument.indices.some((i) => sameIndex(i, own))) {
      const whole: Term = { ...argument, indices: [] };
      const indices = argument.indices.map((i) => (sameIndex(i, own) ? along : i));
      return { kind: "call", name, args: [whole], over, indices };
    }
    const indices = along.kind === "letter" ? {} : { indices: [along] };
    return { kind: "call", name, args: [argument], over, ...indices };
  }

  private clamp(e: Expr, idx: readonly Index[], scope: Scope): Term {
    const [x, lo, hi] = e.args.map((a) =>
      this.value(a, alignIndices(e.shape, idx, a.shape), scope),
    );
    const open = (k: number, v: number): boolean => {
      const bound = e.args[k]!;
      return bound.kind === "const" && bound.value === v;
    };
    if (open(2, Infinity)) {
      return open(1, -Infinity) ? x! : { kind: "call", name: "max", args: [x!, lo!] };
    }
    if (open(1, -Infinity)) return { kind: "call", name: "min", args: [x!, hi!] };
    return { kind: "call", name: "clip", args: [x!], over: [lo!, hi!] };
  }

  private cases(e: Expr, idx: readonly Index[], scope: Scope): Term {
    const [c, a, b] = e.args as [Expr, Expr, Expr];
    const value = (x: Expr): Term => this.value(x, alignIndices(e.shape, idx, x.shape), scope);
    const condition = this.truth(c, alignIndices(e.shape, idx, c.shape), scope);
    const branch = { value: value(a), condition };
    const rest = value(b);
    return signedCases(
      rest.kind === "cases" ? [branch, ...rest.branches] : [branch],
      rest.kind === "cases" ? rest.otherwise : rest,
    );
  }

  private placed(
    e: Expr & { readonly kind: "place" | "spread" },
    idx: readonly Index[],
    scope: Scope,
  ): Term {
    const x = e.args[0]!;
    const here = idx[e.dim]!;
    const shown = unshift(here, e.shape[e.dim]!);
    if (e.kind === "place") {
      if (here.kind === "at" && here.at !== e.at) return number(0);
      const rest = idx.filter((_, d) => d !== e.dim);
      const value = this.value(x, rest, scope);
      if (here.kind === "at") return value;
      return indicator([relate("eq", shown, number(unshifted(e.at, e.shape[e.dim]!)))], value);
    }
    const count = x.shape[e.dim]!.size;
    const total = e.shape[e.dim]!.size;
    const own = affine(here, 1 / e.step, -e.start / e.step);
    if (own.kind === "at" && (!Number.isInteger(own.at) || own.at < 0 || own.at >= (count ?? 0))) {
      return number(0);
    }
    const value = this.value(
      x,
      idx.map((i, d) => (d === e.dim ? own : i)),
      scope,
    );
    if (own.kind === "at") return value;
    const conditions: Term[] = [];
    const last = count === null ? null : e.start + (count - 1) * e.step;
    const offset = unshifted(0, e.shape[e.dim]!);
    if (e.start > 0) conditions.push(relate("ge", shown, number(e.start + offset)));
    if (last !== null && (total === null || last + e.step - 1 < total - 1)) {
      conditions.push(relate("le", shown, number(last + offset)));
    }
    if (e.step > 1) {
      const rest: Term = { kind: "call", name: "mod", args: [shown, number(e.step)] };
      conditions.push(relate("eq", rest, number((e.start + offset) % e.step)));
    }
    return indicator(conditions, value);
  }

  private joined(
    e: Expr & { readonly kind: "stack" | "concat" },
    idx: readonly Index[],
    scope: Scope,
  ): Term {
    const here = idx[e.dim]!;
    const shown = unshift(here, e.shape[e.dim]!);
    let start = 0;
    const pieces = e.args.map((x) => {
      const length = e.kind === "stack" ? 1 : x.shape[e.dim]!.size;
      if (length === null || Number.isNaN(start)) start = NaN;
      const own =
        e.kind === "stack"
          ? idx.filter((_, d) => d !== e.dim)
          : idx.map((i, d) => (d === e.dim ? affine(i, 1, -start) : i));
      const piece = { x, own, start, end: start + (length ?? NaN) };
      start = piece.end;
      return piece;
    });
    if (pieces.some((p) => Number.isNaN(p.end))) {
      const args = e.args.map((x) => this.value(x, idx, scope));
      return { kind: "call", name: "concat", args, indices: [here] };
    }
    if (here.kind === "at") {
      const piece = pieces.find((p) => here.at >= p.start && here.at < p.end)!;
      return this.value(piece.x, piece.own, scope);
    }
    const offset = unshifted(0, e.shape[e.dim]!);
    const values = pieces.map((p) => this.value(p.x, p.own, scope));
    const branches = pieces.slice(0, -1).map((p, k) => ({
      value: values[k]!,
      condition:
        p.end - p.start === 1
          ? relate("eq", shown, number(p.start + offset))
          : relate("lt", shown, number(p.end + offset)),
    }));
    const otherwise = values.at(-1)!;
    return branches.length === 0 ? otherwise : { kind: "cases", branches, otherwise };
  }

  /** `e` as a statement that holds or not. */
  private truth(e0: Expr, idx0: readonly Index[], scope: Scope): Term {
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
    return relate("ne", this.value(e, idx, scope), number(0));
  }
}

const plus = (term: Term): SignedTerm => ({ negative: false, term });
const minus = (term: Term): SignedTerm => ({ negative: true, term });

function relate(op: RelationOp, left: Term, right: Term): Term {
  return { kind: "relation", op, left, right };
}

function indicator(conditions: readonly Term[], value: Term): Term {
  if (conditions.length === 0) return value;
  if (value.kind === "number" && value.value === 0) return value;
  const of: Term =
    conditions.length === 1 ? conditions[0]! : { kind: "logic", op: "and", args: conditions };
  const bracket: Term = { kind: "bracket", of };
  if (value.kind === "negative") return negated(indicator(conditions, value.of));
  if (value.kind === "product") {
    return productOf(false, [bracket, ...value.numerator], value.denominator);
  }
  return productOf(false, [bracket, value], []);
}

/** Cases with their common minus in front. */
function signedCases(
  branches: readonly { readonly value: Term; readonly condition: Term }[],
  otherwise: Term,
): Term {
  const values = [...branches.map((b) => b.value), otherwise];
  const isZero = (t: Term): boolean => t.kind === "number" && t.value === 0;
  const isNegative = values.every((t) => t.kind === "negative" || isZero(t));
  if (!isNegative || values.every(isZero)) return { kind: "cases", branches, otherwise };
  const flipped = (t: Term): Term => (t.kind === "negative" ? t.of : t);
  return negated({
    kind: "cases",
    branches: branches.map((b) => ({ ...b, value: flipped(b.value) })),
    otherwise: flipped(otherwise),
  });
}

/** Whole numbers above and below the line multiplied out, without their common factor. */
function reduceNumbers([top, bottom]: readonly [Term[], Term[]]): void {
  const product = (terms: Term[]): number => {
    let n = 1;
    for (let k = terms.length - 1; k >= 0; k--) {
      const t = terms[k]!;
      const isWhole = t.kind === "number" && Number.isInteger(t.value) && t.value > 0;
      if (!isWhole || n * t.value > Number.MAX_SAFE_INTEGER) continue;
      n *= t.value;
      terms.splice(k, 1);
    }
    return n;
  };
  const [n, d] = [product(top), product(bottom)];
  const common = gcd(n, d);
  if (n !== common) top.unshift(number(n / common));
  if (d !== common) bottom.unshift(number(d / common));
}

function raise(term: Term, exponent: number): Term {
  if (exponent === 1) return term;
  if (exponent === 0.5) return { kind: "root", of: term };
  return { kind: "power", base: term, exponent: number(exponent) };
}

/** The position in the whole axis, where `a` is a part of it. */
const unshifted = (n: number, a: Axis): number => {
  const cut = cutOf(a);
  return cut?.step === 1 ? n + cut.start : n;
};
const unshift = (i: Index, a: Axis): Term => ({
  kind: "index",
  index: affine(i, 1, unshifted(0, a)),
});

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

/** What to call an index when the first choice is taken; after these come primes. */
const LETTERS: Readonly<Record<string, string>> = {
  i: "ijklmnqr",
  j: "jklmnqr",
  k: "klmnqr",
  c: "ck",
};

function baseLetter(a: Axis): string {
  const name = a.name.split(/[′⁺]/)[0]!; // past what slicing and joining added
  if (/^[A-Za-z]\d{0,2}$/.test(name)) return name;
  if (a.role === "class") return "c";
  if (a.role === "batch") return "b";
  return "i";
}
