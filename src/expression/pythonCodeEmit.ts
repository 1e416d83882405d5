/**
 * Statements that compute expressions. Positions and broadcasting are NumPy's in the graph already,
 * so each node has one counterpart; what is left is to write it as a person would: brackets only
 * where they are needed, one name for what is used twice.
 */
import { sameAxis } from "./axis.ts";
import { type Names, pythonIdentifier } from "./names.ts";
import { type Expr, annotationOf, isPositions } from "./node.ts";
import { type Dialect, plain } from "./pythonCodeDialects.ts";
import { CannotWrite, Shapes, insertedUnits, range } from "./pythonCodeShapes.ts";
import { topological } from "./walk.ts";

/** A quantity with a name (its node stands in formulas), and what it is. */
export interface Definition {
  readonly node: Expr;
  readonly value: Expr;
}

/** Code and how tightly it binds. */
interface Code {
  readonly text: string;
  readonly level: number;
}

const Level = { any: 0, compare: 1, add: 2, mul: 3, negative: 4, pow: 5, atom: 6 };

const SYMBOLS: Readonly<Record<string, string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

const MAX_LINE = 88;

export class Emitter {
  readonly lines: string[] = [];
  readonly shapes: Shapes;
  private readonly dialect: Dialect;
  private readonly names: Names;
  private readonly like: string;
  private readonly variables = new Map<Expr, string>();
  private readonly taken: Set<string>;
  private readonly pure = new Map<Expr, boolean>();
  private shared = new Set<Expr>();

  /** @param arrays inputs whose shapes the code may ask for; the first one is of the result's type */
  constructor(dialect: Dialect, names: Names, arrays: readonly Expr[]) {
    this.dialect = dialect;
    this.names = names;
    this.shapes = new Shapes(arrays, (e) => this.nameOf(e));
    this.taken = new Set(names.pythonNames());
    this.like = this.nameOf(arrays[0]!);
  }

  /** Statements for all definitions that `targets` need, but for those that are `known` already. */
  define(
    targets: readonly Expr[],
    definitions: readonly Definition[],
    known: ReadonlySet<Expr>,
  ): void {
    const values = new Map(definitions.map((d) => [d.node, d.value]));
    const needed = new Set<Expr>();
    const visit = (root: Expr): void => {
      for (const e of topological(root)) {
        const value = values.get(e);
        if (value === undefined || needed.has(e) || known.has(e)) continue;
        needed.add(e);
        visit(value);
      }
    };
    targets.forEach(visit);
    const order = definitions.filter((d) => needed.has(d.node));
    this.shared = this.sharedAmong([...order.map((d) => d.value), ...targets]);
    for (const d of order) this.assign(this.nameOf(d.node), d.value);
  }

  assign(name: string, e: Expr): void {
    this.lines.push(...this.statement(`${name} = `, e));
  }

  /** `return …`, with `before` in front of the value. */
  statement(before: string, e: Expr): string[] {
    const { text } = this.code(e);
    if (before.length + text.length <= MAX_LINE || !this.isSum(e)) return [before + text];
    const [first, ...rest] = this.signedTerms(e);
    const inner = [
      `    ${first!.negative ? "-" : ""}${first!.text}`,
      ...rest.map((t) => `    ${t.negative ? "-" : "+"} ${t.text}`),
    ];
    return [`${before}(`, ...inner, ")"];
  }

  private nameOf(e: Expr): string {
    const symbol = this.names.symbolOf(e);
    if (symbol === undefined) throw new CannotWrite("a quantity has no name");
    return symbol.python;
  }

  private fresh(wish: string): string {
    const base = pythonIdentifier(wish);
    let name = base;
    for (let n = 2; this.taken.has(name); n++) name = `${base}_${n}`;
    this.taken.add(name);
    return name;
  }

  /** What several statements or places use and is too long to be written twice. */
  private sharedAmong(roots: readonly Expr[]): Set<Expr> {
    const uses = new Map<Expr, number>();
    for (const r of roots) uses.set(r, (uses.get(r) ?? 0) + 1);
    for (const e of topological(...roots)) {
      if (this.names.symbolOf(e) !== undefined) continue;
      for (const a of e.args) uses.set(a, (uses.get(a) ?? 0) + 1);
    }
    const isShort = (e: Expr): boolean =>
      e.args.length === 0 || this.names.symbolOf(e) !== undefined;
    return new Set(
      [...uses]
        .filter(([e, n]) => n > 1 && !isShort(e) && !this.isPlain(e))
        .filter(([e]) => e.kind === "reduce" || e.kind === "softmax" || !e.args.every(isShort))
        .map(([e]) => e),
    );
  }

  /** Depends on no array, so it is a plain Python number. */
  private isPlain(e: Expr): boolean {
    const known = this.pure.get(e);
    if (known !== undefined) return known;
    for (const x of topological(e)) {
      const isArray =
        x.kind === "input" || (this.names.symbolOf(x) !== undefined && x.kind !== "parameter");
      const made = x.shape.length > 0 || isArray || x.args.some((a) => !this.pure.get(a));
      this.pure.set(x, !made);
    }
    return this.pure.get(e)!;
  }

  private code(e: Expr): Code {
    const variable = this.variables.get(e);
    if (variable !== undefined) return atom(variable);
    if (this.names.symbolOf(e) !== undefined) return atom(this.nameOf(e));
    const code = this.fullCode(e);
    if (!this.shared.has(e)) return code;
    const name = this.fresh(annotationOf(e)?.label ?? "term");
    this.variables.set(e, name);
    this.lines.push(`${name} = ${code.text}`);
    return atom(name);
  }

  private at(e: Expr, least: number): string {
    const { text, level } = this.code(e);
    return level >= least ? text : `(${text})`;
  }

  private text(e: Expr): string {
    return this.code(e).text;
  }

  /** The argument of arithmetic: truth values count as 0 and 1. */
  private numeric(e: Expr): Code {
    if (e.type !== "bool") return this.code(e);
    if (this.isPlain(e)) return atom(`float(${this.text(e)})`);
    return atom(this.dialect.toFloat(this.text(e), this.like));
  }

  private fullCode(e: Expr): Code {
    const d = this.dialect;
    const x = e.args[0];
    switch (e.kind) {
      case "const":
        return this.number(e.value);
      case "parameter":
      case "input":
        return atom(
          isPositions(e) ? d.range(this.shapes.sizeCode(e.shape[0]!), this.like) : this.nameOf(e),
        );
      case "size":
        return this.product(e);
      case "unary": {
        if (e.op === "neg") return this.product(e);
        const name = (this.isPlain(e) ? plain : d).unary[e.op];
        if (name === undefined) throw new CannotWrite(e.op);
        const asTruth = e.op === "not" || e.op === "isnan" || e.op === "isfinite";
        return called(name(asTruth ? this.text(x!) : this.numeric(x!).text));
      }
      case "binary":
        return this.binary(e);
      case "where":
        return this.where(e);
      case "clamp":
        return this.clamp(e);
      case "cast":
        if (e.to === "bool") {
          return x!.type === "bool" ? this.code(x!) : compared(`${this.at(x!, Level.add)} != 0`);
        }
        if (x!.type === "bool") return this.numeric(x!);
        if (e.to !== "int" || x!.type === "int") return this.code(x!);
        return this.isPlain(e)
          ? atom(`math.trunc(${this.text(x!)})`)
          : atom(`${d.name === "numpy" ? "np" : "torch"}.trunc(${this.text(x!)})`);
      case "stopGradient":
        return this.code(x!);
      case "reduce": {
        const all = e.dims.length === x!.shape.length;
        // Reducing over no axis at all leaves the array as it is.
        if (e.dims.length === 0) return this.code(x!);
        const asTruth = e.op === "any" || e.op === "all";
        let of = asTruth ? this.text(x!) : this.numeric(x!).text;
        if (e.op === "mean" && x!.type === "int") of = d.toFloat(of, this.like);
        const dims = all && !(e.keepDims && d.name === "torch") ? null : e.dims;
        if (!all || e.keepDims) this.shapes.usesPositions = true;
        return atom(d.reduce(e.op, of, dims, e.keepDims));
      }
      case "argReduce":
        this.shapes.usesPositions = true;
        return atom(d.argReduce(e.op, this.text(x!), e.dim, e.keepDims));
      case "softmax":
        this.shapes.usesPositions = true;
        return atom(d.softmax(this.text(x!), e.dim, e.log));
      case "reshape":
        return this.reshape(e);
      case "transpose":
        this.shapes.usesPositions = true;
        return atom(d.transpose(this.array(x!), `(${e.perm.join(", ")})`));
      case "expand":
        return this.isPlain(x!)
          ? atom(d.full(this.shapes.shape(e.shape), this.text(x!), this.like))
          : atom(d.expand(this.text(x!), this.shapes.shape(e.shape)));
      case "index":
        // x[-1] arrives as the last position there is.
        if (x!.shape[e.dim]!.size === e.at + 1 && e.at > 0) this.shapes.fix(x!.shape[e.dim]!);
        return atom(`${this.at(x!, Level.atom)}[${this.shapes.position(e.dim, String(e.at))}]`);
      case "slice": {
        const count = e.shape[e.dim]!.size;
        const total = x!.shape[e.dim]!.size;
        if (count === null) throw new CannotWrite("a slice of unknown length");
        if (total !== null && (e.start > 1 || e.start + count * e.step < total))
          this.shapes.fix(x!.shape[e.dim]!);
        return atom(
          `${this.at(x!, Level.atom)}[${this.shapes.position(e.dim, range(e, count, total))}]`,
        );
      }
      case "place":
      case "spread": {
        const name = this.fresh("placed");
        // What is written into a part of an array stretches by itself.
        const of = this.numeric(x!.kind === "expand" ? x.args[0]! : x!).text;
        this.lines.push(`${name} = ${d.zeros(this.shapes.shape(e.shape), this.like)}`);
        const total = e.shape[e.dim]!.size;
        const count = e.kind === "spread" ? x!.shape[e.dim]!.size : 1;
        if (count === null) throw new CannotWrite("a slice of unknown length");
        const where = e.kind === "place" ? String(e.at) : range(e, count, total);
        this.lines.push(`${name}[${this.shapes.position(e.dim, where)}] = ${of}`);
        return atom(name);
      }
      case "slide": {
        const name = this.fresh("slid");
        const k = this.fresh("k");
        const [moved, first, end] = ["moved", "first", "end"].map((wish) => this.fresh(wish));
        const [n, m] = [x!, e].map((y) => this.shapes.sizeCode(y.shape[e.dim]!));
        const parts = (along: string): string =>
          Array.from({ length: Math.max(e.dim, e.by) + 1 }, (_, d) =>
            d === e.dim ? along : d === e.by ? k : ":",
          ).join(", ");
        this.shapes.usesPositions = true;
        this.shapes.fix(e.shape[e.by]!);
        const factor = Math.abs(e.factor) === 1 ? k : `${Math.abs(e.factor)} * ${k}`;
        const offset = e.start === 0 ? "" : ` ${e.start < 0 ? "-" : "+"} ${Math.abs(e.start)}`;
        this.lines.push(
          `${name} = ${d.zeros(this.shapes.shape(e.shape), this.like)}`,
          `for ${k} in range(${this.shapes.sizeCode(e.shape[e.by]!)}):`,
          `    ${moved} = ${e.factor < 0 ? "-" : ""}${factor}${offset}`,
          `    ${first} = max(0, -${moved})`,
          `    ${end} = max(${first}, min(${m}, ${n} - ${moved}))`,
          `    ${name}[${parts(`${first}:${end}`)}] = ${this.at(x!, Level.atom)}[${parts(
            `${first} + ${moved}:${end} + ${moved}`,
          )}]`,
        );
        return atom(name);
      }
      case "stack":
      case "concat": {
        this.shapes.fix(e.shape[e.dim]!);
        this.shapes.usesPositions = true;
        const items = e.args.map((a) => {
          const text = this.isPlain(a) ? d.scalar(this.text(a), this.like) : this.numeric(a).text;
          if (e.kind === "concat") return text;
          const full = a.shape.every((s, k) => sameAxis(s, e.args[0]!.shape[k]!));
          if (!full) throw new CannotWrite("stacking arrays that broadcast");
          return text;
        });
        return atom(
          e.kind === "stack" ? d.stack(items.join(", "), e.dim) : d.concat(items.join(", "), e.dim),
        );
      }
      case "oneHot": {
        const classes = this.shapes.sizeCode(e.shape[e.dim]!);
        const after = e.shape.length - 1 - e.dim;
        const numbers = d.range(classes, this.like);
        const along = after === 0 ? numbers : `${numbers}.reshape(-1${", 1".repeat(after)})`;
        const lifted = `${this.at(x!, Level.atom)}[${this.shapes.position(e.dim, "None")}]`;
        return atom(d.toFloat(`${lifted} == ${along}`, this.like));
      }
    }
  }

  /** An argument that must be an array, not a Python number. */
  private array(e: Expr): string {
    return this.isPlain(e) ? this.dialect.scalar(this.text(e), this.like) : this.text(e);
  }

  private binary(e: Expr & { readonly kind: "binary" }): Code {
    const [x, y] = e.args as [Expr, Expr];
    switch (e.op) {
      case "add":
      case "sub": {
        const text = this.signedTerms(e)
          .map((t, k) => (k === 0 ? (t.negative ? "-" : "") : t.negative ? " - " : " + ") + t.text)
          .join("");
        return { text, level: Level.add };
      }
      case "mul":
      case "div":
      case "pow":
        return this.product(e);
      case "eq":
      case "ne":
      case "lt":
      case "le":
      case "gt":
      case "ge":
        return compared(`${this.at(x, Level.add)} ${SYMBOLS[e.op]} ${this.at(y, Level.add)}`);
      default: {
        if (this.isPlain(e)) return atom(plain.binary[e.op]!(this.text(x), this.text(y)));
        const asTruth = e.op === "and" || e.op === "or";
        const of = (a: Expr): string => (asTruth ? this.text(a) : this.numeric(a).text);
        if (this.dialect.name === "torch" && (this.isPlain(x) || this.isPlain(y))) {
          const scalar = this.isPlain(x) ? x : y;
          const other = scalar === x ? y : x;
          if (e.op === "max") return atom(`torch.clamp(${of(other)}, min=${this.text(scalar)})`);
          if (e.op === "min") return atom(`torch.clamp(${of(other)}, max=${this.text(scalar)})`);
          if (asTruth) throw new CannotWrite("a condition that holds for all entries");
        }
        return atom(this.dialect.binary[e.op]!(of(x), of(y)));
      }
    }
  }

  private where(e: Expr): Code {
    const [c, a, b] = e.args as [Expr, Expr, Expr];
    if (this.isPlain(e)) {
      const text = `${this.at(a, Level.compare)} if ${this.at(c, Level.compare)} else ${this.at(b, Level.compare)}`;
      return { text: `(${text})`, level: Level.atom };
    }
    // Two Python numbers would make an array of the library's default type.
    const both = this.isPlain(a) && this.isPlain(b);
    const of = (v: Expr): string =>
      both ? this.dialect.scalar(this.numeric(v).text, this.like) : this.numeric(v).text;
    if (c.type !== "bool") throw new CannotWrite("a condition that is a number");
    const condition = this.isPlain(c) ? this.dialect.truth(this.text(c)) : this.text(c);
    return atom(this.dialect.where(condition, of(a), of(b)));
  }

  private clamp(e: Expr): Code {
    const [x, lo, hi] = e.args as [Expr, Expr, Expr];
    const bound = (b: Expr, open: number): string | null =>
      b.kind === "const" && b.value === open ? null : this.text(b);
    const low = bound(lo, -Infinity);
    const high = bound(hi, Infinity);
    if (low === null && high === null) return this.code(x);
    if (this.isPlain(e)) {
      const raised = low === null ? this.text(x) : `max(${this.text(x)}, ${low})`;
      return atom(high === null ? raised : `min(${raised}, ${high})`);
    }
    const scalars = this.isPlain(lo) && this.isPlain(hi);
    if (!scalars && this.dialect.name === "torch") {
      const mixed = [
        [lo, low],
        [hi, high],
      ].some(([b, text]) => text !== null && this.isPlain(b as Expr));
      if (mixed || this.isPlain(x)) throw new CannotWrite("bounds of two kinds");
    }
    return atom(this.dialect.clip(this.array(x), low, high, scalars));
  }

  private isSum(e: Expr): boolean {
    return this.isOwn(e) && e.kind === "binary" && (e.op === "add" || e.op === "sub");
  }

  /** Written out in place: neither named nor kept in a variable. */
  private isOwn(e: Expr): boolean {
    return this.names.symbolOf(e) === undefined && !this.variables.has(e) && !this.shared.has(e);
  }

  private signedTerms(e: Expr): { readonly negative: boolean; readonly text: string }[] {
    const terms: { negative: boolean; text: string }[] = [];
    const collect = (x: Expr, negative: boolean, isRoot: boolean): void => {
      if ((isRoot || this.isOwn(x)) && x.kind === "binary" && (x.op === "add" || x.op === "sub")) {
        collect(x.args[0]!, negative, false);
        collect(x.args[1]!, (x.op === "sub") !== negative, false);
        return;
      }
      const code = this.numeric(x);
      const flips = code.text.startsWith("-") && code.level >= Level.mul;
      const text = flips ? code.text.slice(1) : code.text;
      terms.push({
        negative: negative !== flips,
        text: code.level >= Level.mul ? text : `(${text})`,
      });
    };
    collect(e, false, true);
    return terms;
  }

  /** A product with its divisions as one fraction, squares as powers, and its sign in front. */
  private product(root: Expr): Code {
    const sign = { negative: false };
    const numbers: [string[], string[]] = [[], []];
    const factors = new Map<Expr, number>();
    const collect = (x: Expr, exponent: number, isRoot: boolean): void => {
      if (isRoot || this.isOwn(x)) {
        if (x.kind === "unary" && x.op === "neg") {
          if (exponent % 2 !== 0) sign.negative = !sign.negative;
          collect(x.args[0]!, exponent, false);
          return;
        }
        if (x.kind === "binary" && (x.op === "mul" || x.op === "div")) {
          collect(x.args[0]!, exponent, false);
          collect(x.args[1]!, x.op === "mul" ? exponent : -exponent, false);
          return;
        }
        if (x.kind === "binary" && x.op === "pow" && Math.abs(exponent) === 1) {
          const p = x.args[1]!;
          if (p.kind === "const" && Number.isFinite(p.value)) {
            factors.set(x.args[0]!, (factors.get(x.args[0]!) ?? 0) + p.value * exponent);
            return;
          }
        }
        if (x.kind === "const" && Math.abs(exponent) === 1 && Number.isFinite(x.value)) {
          if (x.value < 0) sign.negative = !sign.negative;
          const v = Math.abs(x.value);
          if (v !== 1) numbers[exponent > 0 ? 0 : 1].push(this.positive(v));
          return;
        }
        if (x.kind === "size") {
          for (const a of x.axes) numbers[exponent > 0 ? 0 : 1].push(this.shapes.sizeCode(a));
          return;
        }
      }
      factors.set(x, (factors.get(x) ?? 0) + exponent);
    };
    collect(root, 1, true);
    const top = [...numbers[0]];
    const bottom = [...numbers[1]];
    for (const [x, exponent] of factors) {
      if (exponent === 0) continue;
      (exponent > 0 ? top : bottom).push(this.power(x, Math.abs(exponent), x === root));
    }
    const head = top.length === 0 ? "1" : top.join(" * ");
    const text =
      bottom.length === 0
        ? head
        : bottom.length === 1
          ? `${head} / ${bottom[0]}`
          : `${head} / (${bottom.join(" * ")})`;
    const isSingle = bottom.length === 0 && top.length <= 1;
    if (sign.negative) return { text: `-${text}`, level: isSingle ? Level.negative : Level.mul };
    if (!isSingle) return { text, level: Level.mul };
    return { text, level: /^[\w.]+$/.test(text) ? Level.atom : Level.pow };
  }

  private power(x: Expr, exponent: number, isRoot: boolean): string {
    // `x` raised to an exponent that is an expression itself.
    if (x.kind === "binary" && x.op === "pow" && (isRoot || this.isOwn(x))) {
      const base = this.numeric(x.args[0]!);
      const inner = `${base.level >= Level.atom ? base.text : `(${base.text})`}**${this.at(x.args[1]!, Level.negative)}`;
      return exponent === 1 ? inner : `(${inner})**${exponent}`;
    }
    const code = this.numeric(x);
    if (exponent === 1) return code.level >= Level.pow ? code.text : `(${code.text})`;
    if (exponent === 0.5) {
      const root = (this.isPlain(x) ? plain : this.dialect).unary.sqrt!;
      return root(code.text);
    }
    const base = code.level >= Level.atom ? code.text : `(${code.text})`;
    return `${base}**${String(exponent)}`;
  }

  private number(value: number): Code {
    if (Number.isNaN(value)) return atom('float("nan")');
    if (value === Infinity) return atom('float("inf")');
    if (value === -Infinity) return { text: '-float("inf")', level: Level.negative };
    if (Object.is(value, -0)) return { text: "-0.0", level: Level.negative };
    const text = this.positive(Math.abs(value));
    if (value < 0) return { text: `-${text}`, level: Level.negative };
    return text.startsWith("(") ? { text: text.slice(1, -1), level: Level.mul } : atom(text);
  }

  /** A positive number; thirds and the like as the fraction whose nearest neighbour it is. */
  private positive(v: number): string {
    const text = pythonNumber(v);
    if (text.replace(/e.*|\D/g, "").length > 12) {
      for (let n = 1; n <= 12; n++) {
        const d = Math.round(n / v);
        if (d > 1 && d < 1e12 && n / d === v) return `(${n} / ${d})`;
      }
    }
    return text;
  }

  private reshape(e: Expr): Code {
    const x = e.args[0]!;
    const inserted = insertedUnits(x.shape, e.shape);
    if (inserted !== null) {
      if (inserted === "") return this.code(x);
      this.shapes.usesPositions = true;
      return atom(`${this.isPlain(x) ? this.scalarArray(x) : this.at(x, Level.atom)}[${inserted}]`);
    }
    return atom(this.dialect.reshape(this.array(x), this.shapes.shape(e.shape, true)));
  }

  private scalarArray(x: Expr): string {
    const text = this.dialect.scalar(this.text(x), this.like);
    return this.dialect.name === "numpy" ? `np.asarray(${text}, dtype=float)` : text;
  }
}

/** A finite number as Python reads it back exactly. */
export function pythonNumber(v: number): string {
  return v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential() : String(v);
}

const atom = (text: string): Code => ({ text, level: Level.atom });
const compared = (text: string): Code => ({ text, level: Level.compare });
const called = (text: string): Code =>
  text.startsWith("-") ? { text, level: Level.negative } : atom(text);
