/**
 * Writes a pass down as a JavaScript function.
 *
 * Why `new Function`: an expression is known only at run time, and a loop that the engine compiles
 * as a whole is an order of magnitude faster than calling a function for every operation and entry.
 * The code is made of node kinds, numbers and variables that are counted through here; no name from
 * a user's program gets into it. (Inputs arrive as arguments, by position.)
 */
import type { CastTarget } from "../../expression/node.ts";
import { EXP_LIMIT, tables } from "./elementary.ts";
import type { IndexForm } from "./indexForm.ts";
import {
  BINARY_TERMS,
  UNARY_TERMS,
  inPlaceStatements,
  isInPlace,
  literal,
  powerTerm,
} from "./javascriptTerms.ts";
import type {
  Accumulator,
  Block,
  Computation,
  Effect,
  Instruction,
  Loop,
  LoopNest,
  Operand,
  Test,
} from "./loops.ts";
import { scalarFunctions } from "./scalar.ts";
import { isSingle, isStraight, straightened } from "./straight.ts";

/** Runs loops over the given bounds: arrays, then parameters, then from and to of each bound. */
export type PassFunction = (...args: unknown[]) => void;

export interface EmitOptions {
  /** Array types of the inputs by buffer: sums of small integers need no compensation. */
  readonly types: ReadonlyMap<number, string>;
  /** Whether casts round to the precision they name. */
  readonly roundCasts: boolean;
}

export function compilePass(nest: LoopNest, options: EmitOptions): PassFunction {
  const source = passSource(nest, options);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- see above
  return new Function("functions", ...Object.keys(tables()), source)(
    scalarFunctions,
    ...Object.values(tables()),
  ) as PassFunction;
}

/** The body of a function that returns the pass. */
export function passSource(nest: LoopNest, options: EmitOptions): string {
  return new Writer(nest, options).source();
}

const INTEGRAL_TYPES = new Set([
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
]);

/** Steps of an innermost loop that are written out and whose terms are added before the sum. */
const MOST_STEPS = 4;
/** Longer bodies gain nothing: their values no longer fit in the processor's registers. */
const MOST_INSTRUCTIONS_AT_ONCE = 80;

class Writer {
  private readonly nest: LoopNest;
  private readonly options: EmitOptions;
  private readonly lines: string[] = [];
  /** Registers that hold an entry of an array of small integers. */
  private readonly integral = new Set<number>();
  /** Variables of the step being written, and what tells them from those of other steps. */
  private readonly local = new Set<string>();
  private step = 0;

  constructor(nest: LoopNest, options: EmitOptions) {
    this.nest = nest;
    this.options = options;
  }

  source(): string {
    const { buffers, parameters, bounded, block } = this.nest;
    const args = [
      ...buffers.map((b) => `b${b.id}`),
      ...parameters.map((_, k) => `p${k}`),
      ...bounded.flatMap((_, k) => [`l${k}`, `h${k}`]),
    ];
    // The array types stand in the source so that functions for different types share no
    // type feedback, which the engine keeps by source text.
    const types = buffers.map((b) => this.options.types.get(b.id) ?? "Float64Array");
    this.lines.push(
      `"use strict"; // ${types.join(" ")}`,
      "const { log, log1p, expm1, sqrt, abs, sign, tanh, cosh, sinh, sin, cos } = Math;",
      "const { floor, ceil, max, min, trunc, fround } = Math;",
      `const { ${Object.keys(scalarFunctions).join(", ")} } = functions;`,
      `return function (${args.join(", ")}) {`,
    );
    this.block(block, 0);
    this.lines.push("};");
    return this.lines.join("\n");
  }

  private block(block: Block, depth: number): void {
    for (const a of block.accumulators) this.declare(a);
    for (const i of block.instructions) this.instruction(i);
    for (const loop of block.loops) this.loop(loop, depth);
    for (const e of block.effects) this.effect(e, [this.turn(e)]);
    for (const a of block.accumulators) this.flush(a);
  }

  private loop(loop: Loop, depth: number): void {
    if (isSingle(loop)) {
      this.lines.push("{");
      this.block(loop.body, depth + 1);
      this.lines.push("}");
      return;
    }
    const i = `i${loop.variable}`;
    let start = String(loop.from);
    let end = String(loop.to);
    if (loop.bounded) [start, end] = [`l${depth}`, `h${depth}`];
    this.lines.push(`{ let ${i} = ${start}; const e = ${end};`);
    const steps = stepsAtOnce(loop.body);
    if (steps > 1) {
      this.lines.push(`for (const last = e - ${steps - 1}; ${i} < last; ${i} += ${steps}) {`);
      this.severalSteps(loop, steps);
      this.lines.push("}");
    }
    this.lines.push(`for (; ${i} < e; ${i}++) {`);
    this.block(loop.body, depth + 1);
    this.lines.push("} }");
  }

  /** Several steps of a straight loop: all is read before anything is written. */
  private severalSteps(loop: Loop, steps: number): void {
    const { instructions, effects } = straightened(loop.body);
    const turns = effects.map((): Turn[] => []);
    for (let k = 0; k < steps; k++) {
      this.step = k;
      if (k > 0) {
        this.local.add(`i${loop.variable}`);
        this.lines.push(`const i${loop.variable}_${k} = i${loop.variable} + ${k} | 0;`);
      }
      for (const i of instructions) this.instruction(i);
      effects.forEach((e, n) => turns[n]!.push(this.turn(e)));
    }
    this.local.clear();
    this.step = 0;
    effects.forEach((e, n) => {
      this.effect(e, turns[n]!);
    });
  }

  // --- variables ---

  /** A variable as the step being written calls it. */
  private name(base: string): string {
    return this.step > 0 && this.local.has(base) ? `${base}_${this.step}` : base;
  }

  private newName(base: string): string {
    if (this.step > 0) this.local.add(base);
    return this.name(base);
  }

  private define(id: number, value: string): void {
    this.lines.push(`const ${this.newName(`v${id}`)} = ${value};`);
  }

  private number(o: Operand): string {
    if (typeof o === "number") return literal(o);
    const v = this.name(`v${o.id}`);
    return o.boolean ? `(${v} ? 1 : 0)` : v;
  }

  private truth(o: Operand): string {
    if (typeof o === "number") return o === 0 ? "false" : "true";
    const v = this.name(`v${o.id}`);
    return o.boolean ? v : `(${v} !== 0)`;
  }

  private index(form: IndexForm): string {
    const parts = form.terms.map(({ variable, factor }) => {
      const v = this.name(`i${variable}`);
      return factor === 1 ? v : `${factor} * ${v}`;
    });
    if (form.constant !== 0 || parts.length === 0) parts.push(String(form.constant));
    // Wrapping to 32 bits spares the engine an overflow check; positions are below 2^31.
    return parts.length === 1 && !parts[0]!.includes("*") ? parts[0]! : `${parts.join(" + ")} | 0`;
  }

  // --- instructions ---

  private instruction(i: Instruction): void {
    switch (i.kind) {
      case "load":
        if (INTEGRAL_TYPES.has(this.options.types.get(i.from.id) ?? "")) this.integral.add(i.to.id);
        this.define(i.to.id, `b${i.from.id}[${this.index(i.index)}]`);
        break;
      case "parameter":
        this.define(i.to.id, `p${this.nest.parameters.indexOf(i.name)}`);
        break;
      case "compute":
        this.compute(i.to.id, i.computation, i.args);
        break;
      case "position":
        this.define(i.to.id, this.index(i.index));
        break;
      case "index": {
        const form = this.index(i.form);
        const value =
          i.part === "whole"
            ? form
            : i.part === "quotient"
              ? `(${form}) / ${i.by} | 0`
              : `(${form}) % ${i.by}`;
        this.lines.push(`const ${this.newName(`i${i.variable}`)} = ${value};`);
        break;
      }
      case "lookup":
        this.lines.push(
          `const ${this.newName(`i${i.variable}`)} = ` +
            `min(max(${this.number(i.place)} | 0, 0), ${i.size - 1});`,
        );
        break;
      case "choose": {
        const to = this.newName(`v${i.to.id}`);
        this.lines.push(`let ${to} = 0;`);
        i.cases.forEach(({ test, body, value }, k) => {
          this.lines.push(`${k === 0 ? "" : "else "}if (${this.condition(test)}) {`);
          for (const inner of body) this.instruction(inner);
          this.lines.push(`${to} = ${this.number(value)};`, "}");
        });
        break;
      }
    }
  }

  private condition({ coordinate, first, end, step }: Test): string {
    const c = `(${this.index(coordinate)})`;
    const inside = end - first === 1 ? `${c} === ${first}` : `${c} >= ${first} && ${c} < ${end}`;
    return step === 1 ? inside : `${inside} && (${c} - ${first}) % ${step} === 0`;
  }

  private compute(to: number, c: Computation, args: readonly Operand[]): void {
    if (c.kind !== "unary" || !isInPlace(c.op)) {
      this.define(to, this.term(c, args));
      return;
    }
    const x = this.number(args[0]!);
    const result = this.newName(`v${to}`);
    this.lines.push(
      `let ${result}; if (${x} < ${EXP_LIMIT} && ${x} > -${EXP_LIMIT}) {`,
      `${inPlaceStatements(c.op, result, x)} }`,
      `else ${result} = ${c.op}(${x});`,
    );
  }

  private term(c: Computation, args: readonly Operand[]): string {
    const [x, y] = args as [Operand, Operand];
    switch (c.kind) {
      case "unary":
        if (isInPlace(c.op)) throw new Error(`${c.op} is not a single term`);
        return UNARY_TERMS[c.op](c.op === "not" ? this.truth(x) : this.number(x));
      case "binary":
        if (c.op === "and") return `${this.truth(x)} && ${this.truth(y)}`;
        if (c.op === "or") return `${this.truth(x)} || ${this.truth(y)}`;
        if (c.op === "pow" && typeof y === "number") return powerTerm(this.number(x), y);
        return BINARY_TERMS[c.op](this.number(x), this.number(y));
      case "where":
        return `${this.truth(x)} ? ${this.number(y)} : ${this.number(args[2]!)}`;
      case "clamp": {
        const raised =
          y === -Infinity ? this.number(x) : `max(${this.number(x)}, ${this.number(y)})`;
        return args[2] === Infinity ? raised : `min(${raised}, ${this.number(args[2]!)})`;
      }
      case "cast":
        return this.cast(c.to, x);
      case "first": {
        const list = args.map((a) => this.number(a)).join(", ");
        return `${c.op === "argmax" ? "firstLargest" : "firstSmallest"}([${list}])`;
      }
    }
  }

  private cast(to: CastTarget, x: Operand): string {
    if (to === "bool") return this.truth(x);
    if (to === "int") return `trunc(${this.number(x)})`;
    if (!this.options.roundCasts || to === "float64") return this.number(x);
    return `${to === "float32" ? "fround" : to}(${this.number(x)})`;
  }

  // --- effects ---

  private turn(e: Effect): Turn {
    if (e.kind === "store") {
      return { value: this.number(e.value), place: this.index(e.index), into: ["", ""] };
    }
    const a = e.into;
    const wantsTruth = a.op === "any" || a.op === "all";
    return {
      value: wantsTruth ? this.truth(e.value) : this.number(e.value),
      place: this.number(e.position),
      into: a.direct ? this.places(a) : [`s${a.id}`, `c${a.id}`],
    };
  }

  private effect(e: Effect, turns: readonly Turn[]): void {
    if (e.kind === "store") {
      for (const t of turns) this.lines.push(`b${e.buffer.id}[${t.place}] = ${t.value};`);
      return;
    }
    const a = e.into;
    if (a.op !== "sum") {
      for (const t of turns) this.combine(a, t);
      return;
    }
    const exact = a.exact || (typeof e.value !== "number" && this.integral.has(e.value.id));
    // Steps that go into one sum are added first: fewer compensated additions, in pairs.
    const groups = a.direct ? turns.map((t) => [t]) : [turns];
    for (const group of groups) {
      const value = inPairs(group.map((t) => t.value));
      const [result, errors] = group[0]!.into;
      if (exact) this.lines.push(`${result} += ${value};`);
      else this.addCompensated(result, errors, value, "");
    }
  }

  private declare(a: Accumulator): void {
    if (a.direct) return;
    const start = ACCUMULATOR_START[a.op];
    this.lines.push(`let s${a.id} = ${start[0]}, c${a.id} = ${start[1]};`);
  }

  private flush(a: Accumulator): void {
    if (a.direct) return;
    const into = this.places(a);
    const value = `s${a.id}`;
    if (a.op === "sum") this.addCompensated(into[0], into[1], value, ` + c${a.id}`);
    else if (a.op === "argmax" || a.op === "argmin") {
      this.combine(a, { value: `c${a.id}`, place: value, into });
    } else {
      const isTruth = a.op === "any" || a.op === "all";
      this.combine(a, { value: isTruth ? `${value} !== 0` : value, place: "0", into });
    }
  }

  /** Where the result of a reduction and what accompanies it stand. */
  private places(a: Accumulator): [string, string] {
    const at = this.index(a.index);
    return [`b${a.buffer.id}[${at}]`, a.second === null ? "" : `b${a.second.id}[${at}]`];
  }

  /**
   * The rounding error of an addition is itself a float64 (Knuth's two-sum); it is summed apart.
   * Infinities make that NaN, which the run ignores where the sum is not finite.
   */
  private addCompensated(result: string, errors: string, value: string, more: string): void {
    this.lines.push(
      `{ const s = ${result}, x = ${value}, t = s + x, z = t - s;`,
      `${errors} += (s - (t - z)) + (x - z)${more}; ${result} = t; }`,
    );
  }

  private combine(a: Accumulator, { value, place, into: [result, second] }: Turn): void {
    switch (a.op) {
      case "sum":
      case "mean":
        throw new Error("sums are compensated");
      case "prod":
        this.lines.push(`${result} *= ${value};`);
        break;
      case "max":
      case "min":
        this.lines.push(`${result} = ${a.op}(${result}, ${value});`);
        break;
      case "any":
        this.lines.push(`if (${value}) ${result} = 1;`);
        break;
      case "all":
        this.lines.push(`if (!(${value})) ${result} = 0;`);
        break;
      case "argmax":
      case "argmin":
        // The first largest wins, and the first NaN over everything.
        this.lines.push(
          `{ const x = ${value}, o = ${second};`,
          `if (x ${a.op === "argmax" ? ">" : "<"} o || (x !== x && o === o)) {`,
          `${second} = x; ${result} = ${place}; } }`,
        );
        break;
    }
  }
}

/** What one step contributes to an effect. */
interface Turn {
  readonly value: string;
  /** Index to store at, or position along the axis of an argmax. */
  readonly place: string;
  /** The running result, and what accompanies it. */
  readonly into: readonly [string, string];
}

/** First values of a running result and of what accompanies it. */
const ACCUMULATOR_START: Readonly<Record<Accumulator["op"], readonly [string, string]>> = {
  sum: ["0", "0"],
  mean: ["0", "0"],
  prod: ["1", "0"],
  max: ["-Infinity", "0"],
  min: ["Infinity", "0"],
  any: ["0", "0"],
  all: ["1", "0"],
  argmax: ["0", "-Infinity"],
  argmin: ["0", "Infinity"],
};

/** How many steps of a loop to write at once: several where that saves compensated additions. */
function stepsAtOnce(body: Block): number {
  if (!isStraight(body)) return 1;
  const { instructions, effects } = straightened(body);
  const sums = effects.filter(
    (e) => e.kind === "accumulate" && e.into.op === "sum" && !e.into.direct,
  );
  if (sums.length === 0) return 1;
  for (let steps = MOST_STEPS; steps > 1; steps /= 2) {
    if (steps * instructions.length <= MOST_INSTRUCTIONS_AT_ONCE) return steps;
  }
  return 1;
}

function inPairs(terms: readonly string[]): string {
  if (terms.length === 1) return terms[0]!;
  const half = terms.length / 2;
  return `(${inPairs(terms.slice(0, half))} + ${inPairs(terms.slice(half))})`;
}
