/**
 * The body of a hand-written gradient written anew: the right formula, in the library's own words
 * and with the names that the code at that place can use.
 */
import * as b from "../../expression/build.ts";
import { Names } from "../../expression/names.ts";
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { numpy, torch } from "../../expression/pythonCodeDialects.ts";
import { type Definition, Emitter } from "../../expression/pythonCodeEmit.ts";
import { CannotWrite } from "../../expression/pythonCodeShapes.ts";
import { tensorflow } from "../../expression/pythonCodeTensorflow.ts";
import { leaves, substitute } from "../../expression/walk.ts";
import { gradient } from "../../gradient/gradient.ts";
import { type Plan, makePlan } from "../../gradient/stepsPlan.ts";
import type { WrittenGradient } from "./judge.ts";

export interface Available {
  readonly node: Expr;
  readonly code: string;
}

/** Where the body stands, and what it takes to write it; see the tracer's record of it. */
export interface FixPlace {
  readonly library: "numpy" | "torch" | "tensorflow" | "jax" | "autograd";
  readonly body: SourceSpan;
  readonly isLambda: boolean;
  readonly indent: string;
  readonly available: readonly Available[];
  readonly upstream: readonly (string | null)[];
  readonly count: number;
  readonly position: number | null;
  readonly keep: {
    readonly at: SourceSpan;
    readonly indent: string;
    readonly write: (input: string) => { readonly kept: string; readonly read: string };
  } | null;
  readonly modules: ReadonlyMap<string, string>;
}

export interface FixEdit {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly newText: string;
}

/** An input whose gradient the new body returns, with its place among those returned. */
export interface Wanted {
  readonly node: Expr;
  readonly name: string;
  readonly position: number;
}

/** @returns edits to be made together; null where the formula cannot be written for certain */
export function fixEdits(
  w: WrittenGradient,
  wanted: readonly Wanted[],
  place: FixPlace,
): FixEdit[] | null {
  try {
    return new BodyWriter(w, place).edits(wanted);
  } catch (e) {
    if (e instanceof CannotWrite) return null;
    throw e;
  }
}

class BodyWriter {
  private readonly w: WrittenGradient;
  private readonly place: FixPlace;
  private readonly kept: string[] = [];
  private readonly before: string[] = [];
  /** A single number arrives, which then multiplies the gradient. */
  private readonly arrives: string | null;
  private readonly base: Expr;

  constructor(w: WrittenGradient, place: FixPlace) {
    this.w = w;
    this.place = place;
    const codes = place.upstream;
    if (w.upstream.length > 0 && codes.some((c) => c === null)) throw new CannotWrite("upstream");
    const only = w.upstream.length === 1 && w.upstream[0]!.shape.length === 0;
    this.arrives = only ? codes[0]! : null;
    const parts = w.outputs.map((o, k) => {
      const u = only ? undefined : w.upstream[k];
      const e = u === undefined ? o : b.mul(u, o);
      return e.shape.length === 0 ? e : b.sum(e);
    });
    this.base = this.withKnownNumbers(parts.slice(1).reduce((x, y) => b.add(x, y), parts[0]!));
  }

  edits(wanted: readonly Wanted[]): FixEdit[] {
    const { place } = this;
    const text = place.isLambda ? this.lambda(wanted) : this.statements(wanted);
    const edits = [replacing(place.body, text)];
    if (this.kept.length > 0) {
      const { at, indent } = place.keep!;
      const start = { ...at, endLine: at.line, endColumn: at.column };
      edits.unshift(replacing(start, this.kept.map((l) => `${l}\n${indent}`).join("")));
    }
    return edits;
  }

  private statements(wanted: readonly Wanted[]): string {
    const lines: string[] = [];
    const results = new Map<number, string>();
    for (const { node, name, position } of wanted) {
      const plan = this.plan(node);
      const names = this.named(plan);
      const emitter = this.emitter(names, plan.wrt);
      const definitions: Definition[] = plan.outline.parts.map((p) => ({
        node: p.node,
        value: p.value,
      }));
      if (plan.inner !== null) {
        definitions.push({ node: plan.inner.node, value: plan.byPart.get(plan.inner.of.node)! });
      }
      const formula = plan.inner === null ? plan.gradient : plan.final;
      emitter.define([formula], definitions, new Set());
      const variable = names.freshPython(`grad_${name}`);
      const statement = emitter.statement(`${variable} = `, stretched(formula, node));
      this.refuseFixed(emitter);
      lines.push(...emitter.lines, ...statement);
      results.set(position, this.arrives === null ? variable : `${this.arrives} * ${variable}`);
    }
    refuseAmbiguous(lines);
    lines.push(`return ${this.returned(results)}`);
    const all = [...grouped(this.before, this.place.available), ...new Set(lines)];
    return this.finished(all.join(`\n${this.place.indent}`));
  }

  private lambda(wanted: readonly Wanted[]): string {
    const results = new Map<number, string>();
    for (const { node, position } of wanted) {
      const names = new Names();
      const whole = gradient(this.base, node);
      const plan = makePlan(this.base, node, { names });
      const emitter = this.emitter(this.named(plan), node);
      const [line, ...more] = emitter.statement("", stretched(whole, node));
      this.refuseFixed(emitter);
      if (this.before.length > 0 || emitter.lines.length > 0) throw new CannotWrite("statements");
      const code = [line, ...more.map((l) => l.trim())].join(" ");
      results.set(position, this.arrives === null ? code : `${this.arrives} * (${code})`);
    }
    return this.finished(this.returned(results));
  }

  private plan(node: Expr): Plan {
    const names = new Names();
    for (const code of this.place.upstream) {
      const root = /^\w+/.exec(code ?? "")?.[0];
      if (root !== undefined) names.freshPython(root);
    }
    for (const alias of this.place.modules.values()) names.freshPython(alias);
    return makePlan(this.base, node, { names });
  }

  /** Lines that give inputs and numbers the names that the formula calls them by. */
  private named(plan: Plan): Names {
    for (const leaf of leaves(this.base)) {
      const symbol = plan.names.symbolOf(leaf);
      if (symbol === undefined || this.w.upstream.includes(leaf)) continue;
      const code = this.codeFor(leaf);
      if (code === symbol.python) continue;
      const line = `${symbol.python} = ${code}`;
      if (!this.before.includes(line)) this.before.push(line);
    }
    this.w.upstream.forEach((u, k) => {
      const symbol = plan.names.symbolOf(u);
      const code = this.place.upstream[k];
      if (symbol !== undefined && code !== symbol.python && this.arrives === null) {
        this.before.push(`${symbol.python} = ${code}`);
      }
    });
    return plan.names;
  }

  private codeFor(leaf: Expr): string {
    const { available, keep } = this.place;
    const known = available.filter((a) => a.node === leaf).map((a) => a.code);
    const plain = known.find((c) => /^\w+$/.test(c)) ?? known[0];
    if (plain !== undefined) return plain;
    const input = this.w.inputs.find((x) => x.node === leaf);
    if (input === undefined || keep === null) throw new CannotWrite("a value is not kept");
    const { kept, read } = keep.write(input.name);
    if (!this.kept.includes(kept)) this.kept.push(kept);
    return read;
  }

  /** Numbers that the code cannot get at by a name are written out. */
  private withKnownNumbers(e: Expr): Expr {
    const numbers = new Map<Expr, Expr>();
    for (const leaf of leaves(e)) {
      if (leaf.kind !== "parameter") continue;
      if (this.place.available.some((a) => a.node === leaf)) continue;
      if (leaf.value === null) throw new CannotWrite("a number is not known");
      numbers.set(leaf, b.constant(leaf.value));
    }
    return substitute(e, numbers);
  }

  private emitter(names: Names, x: Expr): Emitter {
    const others = this.w.inputs.map((i) => i.node).filter((n) => n !== x);
    const used = others.filter((n) => names.symbolOf(n) !== undefined);
    return new Emitter(DIALECTS[this.place.library], names, [x, ...used]);
  }

  /** Code that holds for arrays of one size alone is no repair. */
  private refuseFixed(emitter: Emitter): void {
    if (emitter.shapes.fixedAxes.size > 0) throw new CannotWrite("sizes");
  }

  private returned(results: ReadonlyMap<number, string>): string {
    const { position, count } = this.place;
    if (position !== null) return results.get(position) ?? "None";
    const all = Array.from({ length: count }, (_, k) => results.get(k) ?? "None");
    return all.length === 1 ? `(${all[0]},)` : all.join(", ");
  }

  /** Under the names that the file has imported its libraries by. */
  private finished(text: string): string {
    const { library, modules } = this.place;
    const alias = (module: string, usual: string): string => {
      const own = modules.get(module);
      if (own === undefined && new RegExp(`\\b${usual}\\.`).test(text)) {
        throw new CannotWrite(`${module} is not imported`);
      }
      return own ?? usual;
    };
    if (/\bmath\./.test(text)) alias("math", "math");
    if (library === "torch") {
      const named = alias("torch", "torch");
      return text
        .replace(/\btorch\./g, `${named}.`)
        .replace(/\bF\./g, `${modules.get("torch.nn.functional") ?? `${named}.nn.functional`}.`);
    }
    if (library === "tensorflow") return text.replace(/\btf\./g, `${alias("tensorflow", "tf")}.`);
    const arrays =
      library === "jax"
        ? alias("jax.numpy", "np")
        : (modules.get("autograd.numpy") ?? alias("numpy", "np"));
    return text.replace(/\bnp\./g, `${arrays}.`);
  }
}

/** Two gradients in one body must not call two things by one name. */
function refuseAmbiguous(lines: readonly string[]): void {
  const values = new Map<string, string>();
  for (const line of lines) {
    const name = /^(\w+) = /.exec(line)?.[1];
    if (name === undefined) continue;
    if (values.has(name) && values.get(name) !== line)
      throw new CannotWrite("one name, two values");
    values.set(name, line);
  }
}

/** Without helper functions of its own: the body is all that is written. */
const arrayDialect: typeof numpy = {
  ...numpy,
  unary: { ...numpy.unary, sigmoid: (x) => `(1 / (1 + np.exp(-(${x}))))` },
  softmax: (x, dim, log) => {
    if (log) return `(${x} - np.log(np.sum(np.exp(${x}), axis=${dim}, keepdims=True)))`;
    return `(np.exp(${x}) / np.sum(np.exp(${x}), axis=${dim}, keepdims=True))`;
  },
};

const DIALECTS = {
  numpy: arrayDialect,
  autograd: arrayDialect,
  jax: arrayDialect,
  torch,
  tensorflow,
} as const;

function stretched(e: Expr, like: Expr): Expr {
  return e.shape.length === like.shape.length ? e : b.expand(e, like.shape);
}

/** `x, t = saved` for x = saved[0] and t = saved[1], where that is all there is. */
function grouped(lines: readonly string[], available: readonly Available[]): string[] {
  const items = lines.map((line) => /^(\w+) = (.*)\[(\d+)\]$/.exec(line));
  const done: string[] = [];
  const seen = new Set<string>();
  lines.forEach((line, k) => {
    const base = items[k]?.[2];
    if (base === undefined) return done.push(line);
    if (seen.has(base)) return;
    const own = items.filter((m) => m?.[2] === base).map((m) => m!);
    const places = own.map((m) => Number(m[3])).sort((a, b) => a - b);
    const total = available.filter((a) => a.code.replace(/\[\d+\]$/, "") === base).length;
    if (places.length < total || !places.every((p, n) => p === n)) return done.push(line);
    seen.add(base);
    const names = own.sort((a, c) => Number(a[3]) - Number(c[3])).map((m) => m[1]!);
    return done.push(`${names.length === 1 ? `(${names[0]},)` : names.join(", ")} = ${base}`);
  });
  return done;
}

function replacing(span: SourceSpan, newText: string): FixEdit {
  const { file, line, column } = span;
  return {
    file,
    line,
    column,
    endLine: span.endLine ?? line,
    endColumn: span.endColumn ?? column,
    newText,
  };
}
