/**
 * Writes the loops of a pass down as a WebAssembly function: the innermost loops on vectors, what
 * stands outside them on vectors whose lanes are all the same.
 *
 * An innermost loop takes several vectors a turn, then one a turn, and the entries that are left
 * one by one with the same instructions, so that an entry's value does not depend on where a
 * sweep was cut. What does not fit lanes (a test that depends on the loop itself, argmax) is
 * `Unsupported`; JavaScript does those passes.
 */
import type { IndexForm } from "../kernel/indexForm.ts";
import type {
  Accumulator,
  Block,
  Effect,
  Instruction,
  Loop,
  LoopNest,
  Operand,
} from "../kernel/loops.ts";
import { isSingle, isStraight, straightened } from "../kernel/straight.ts";
import type { Buffer } from "../kernel/plan.ts";
import { type Address, type ReductionWriter, Reductions, type Running } from "./accumulators.ts";
import { FunctionBody, type ValueType } from "./assembler.ts";
import type { EmitOptions, EmittedPass, IndexDefinition } from "./emitted.ts";
import { DoubleDoubles } from "./doubledouble.ts";
import { PairReductions } from "./doubledoubleReductions.ts";
import { pairTerm } from "./doubledoubleTerms.ts";
import {
  ELEMENT_SHIFT,
  type ElementType,
  fromFloat64,
  isSmallInteger,
  loadOne,
  loadRow,
  store,
} from "./elements.ts";
import { type LaneContext, Lanes, type Vector } from "./lanes.ts";
import { OP, SIMD } from "./opcodes.ts";
import { type Access, Survey, Unsupported, accessKey, endOf, stepsAtOnce } from "./survey.ts";
import { term } from "./terms.ts";

/** Vectors whose instructions stand in turns. More do not fit in the processor's registers. */
const IN_TURNS = 4;
/** Entries whose positions float32 numbers hold exactly. */
const EXACT_POSITIONS = 1 << 24;

/** @throws Unsupported */
export function emitPass(nest: LoopNest, options: EmitOptions): EmittedPass {
  const { accesses, accumulators } = new Survey(nest, options.elementType);
  return { ...new Writer(nest, options, accesses).write(), accumulators };
}

interface Value {
  readonly vector: Vector;
  readonly lanes: Lanes;
  readonly boolean: boolean;
}

/** One turn of an innermost loop: which step of it is written, and whether one entry at a time. */
interface Turn {
  readonly loop: Loop;
  /** Variable that counts entries. */
  readonly counter: number;
  readonly one: boolean;
  step: number;
}

class Writer {
  private readonly nest: LoopNest;
  private readonly options: EmitOptions;
  private readonly accesses: ReadonlyMap<string, Access>;
  private readonly body: FunctionBody;
  private readonly uniform: Lanes;
  private readonly inner: Lanes;
  /** The lanes, where numbers are pairs. */
  private readonly pairs: DoubleDoubles | null;
  private readonly reductions: ReductionWriter;
  private readonly pointers = new Map<string, number>();
  private readonly parameters = new Map<string, number>();
  private readonly bounds: { readonly from: number; readonly to: number }[] = [];
  private readonly definitions: IndexDefinition[] = [];
  /** Index variables of loops and definitions, as local variables. */
  private readonly indices = new Map<number, number>();
  private readonly values = new Map<number, Value>();
  /** Those from outside the present innermost loop, in the lanes of its terms. */
  private readonly converted = new Map<number, Value>();
  private readonly integral = new Set<number>();
  private readonly running = new Map<number, Running>();
  private turn: Turn | null = null;

  constructor(nest: LoopNest, options: EmitOptions, accesses: ReadonlyMap<string, Access>) {
    this.nest = nest;
    this.options = options;
    this.accesses = accesses;
    const types: ValueType[] = ["i32"];
    for (const key of accesses.keys()) this.pointers.set(key, types.push("i32") - 1);
    for (const name of nest.parameters) this.parameters.set(name, types.push("f64") - 1);
    for (const _ of nest.bounded) {
      this.bounds.push({ from: types.push("i32") - 1, to: types.push("i32") - 1 });
    }
    this.body = new FunctionBody(types);
    const context: LaneContext = {
      body: this.body,
      pool: options.pool,
      poolAddress: 0,
      relaxed: options.relaxed,
      functionIndex: options.functionIndex,
      loaded: new Map(),
    };
    this.pairs = options.lanes === "double-double" ? new DoubleDoubles(context) : null;
    this.uniform = this.pairs ?? new Lanes("float64", context);
    this.inner = options.lanes === "float32" ? new Lanes("float32", context) : this.uniform;
    this.reductions =
      this.pairs === null
        ? new Reductions(this.inner, this.uniform)
        : new PairReductions(this.pairs);
  }

  write(): Omit<EmittedPass, "accumulators"> {
    this.block(this.nest.block, 0);
    this.pairs?.end();
    return {
      body: this.body,
      accesses: [...this.accesses.values()],
      definitions: this.definitions,
      pairs: this.pairs !== null,
    };
  }

  private block(block: Block, depth: number): void {
    if (block.effects.length > 0 && this.pairs === null) {
      throw new Unsupported("nothing to do on vectors");
    }
    for (const i of block.instructions) this.instruction(i);
    for (const a of block.accumulators) {
      if (!a.direct) this.running.set(a.id, this.reductions.start(a));
    }
    for (const loop of block.loops) this.loop(loop, depth);
    for (const e of block.effects) this.effect(e, [this.effectValue(e)]);
    for (const a of block.accumulators) {
      if (a.direct) continue;
      const { address, second } = this.places(a);
      this.reductions.flush(this.running.get(a.id)!, address, second);
    }
  }

  private loop(loop: Loop, depth: number): void {
    if (isSingle(loop)) {
      this.block(loop.body, depth + 1);
      return;
    }
    const { body } = this;
    const counter = body.local("i32");
    const end = body.local("i32");
    this.indices.set(loop.variable, counter);
    const bounds = loop.bounded ? this.bounds[depth] : undefined;
    if (bounds === undefined) {
      body.i32(loop.from);
      body.set(counter);
      body.i32(loop.to);
      body.set(end);
    } else {
      body.get(bounds.from);
      body.set(counter);
      body.get(bounds.to);
      body.set(end);
    }
    if (isStraight(loop.body)) {
      this.innermost(loop, counter, end);
      return;
    }
    body.repeat(counter, end, 1, () => {
      this.block(loop.body, depth + 1);
    });
  }

  private innermost(loop: Loop, counter: number, end: number): void {
    const { body } = this;
    const { instructions, effects } = straightened(loop.body);
    this.before(loop, instructions, effects);
    const { width } = this.inner;
    const steps = stepsAtOnce(instructions, effects, this.options.lanes);
    const turns = new Map([
      [steps * width, false],
      [width, false],
      [1, true],
    ]);
    for (const [count, one] of turns) {
      body.repeat(counter, end, count, () => {
        this.turn = { loop, counter, one, step: 0 };
        const contributions = effects.map((): Vector[] => []);
        const steps = Array.from({ length: one ? 1 : count / width }, (_, step) => () => {
          this.turn!.step = step;
          for (const i of instructions) if (i.kind !== "index") this.instruction(i);
          effects.forEach((e, k) => contributions[k]!.push(this.effectValue(e)));
        });
        for (let k = 0; k < steps.length; k += IN_TURNS) body.inTurns(steps.slice(k, k + IN_TURNS));
        effects.forEach((e, k) => {
          this.effect(e, contributions[k]!);
        });
        this.turn = null;
      });
    }
  }

  /** What stays the same during the loop: index variables, and numbers in the lanes of its terms. */
  private before(
    loop: Loop,
    instructions: readonly Instruction[],
    effects: readonly Effect[],
  ): void {
    for (const i of instructions) {
      if (i.kind !== "index") continue;
      if (i.form.terms.some((t) => t.variable === loop.variable)) throw new Unsupported();
      this.instruction(i);
    }
    this.converted.clear();
    if (this.inner === this.uniform) return;
    const operands: Operand[] = [
      ...instructions.flatMap((i) => (i.kind === "compute" ? i.args : [])),
      ...effects.map((e) => e.value),
    ];
    for (const o of operands) {
      const value = typeof o === "number" ? undefined : this.values.get(o.id);
      if (typeof o === "number" || value?.lanes !== this.uniform) continue;
      const vector = fromFloat64(this.inner, this.numberOf(value));
      this.converted.set(o.id, { vector, lanes: this.inner, boolean: false });
    }
  }

  // --- places ---

  /** Pushes Σ factor·variable + constant, with or without the turn's own variable. */
  private index(form: IndexForm, without: number | null = null): void {
    const { body } = this;
    body.i32(form.constant);
    for (const { variable, factor } of form.terms) {
      if (variable === without) continue;
      const local = this.indices.get(variable);
      if (local === undefined) throw new Unsupported();
      body.get(local);
      if (factor !== 1) {
        body.i32(factor);
        body.op(OP.i32Mul);
      }
      body.op(OP.i32Add);
    }
  }

  /** Pushes the address of an entry: in a turn that of its first entry, `lane` entries further. */
  private address(buffer: Buffer, form: IndexForm, lane = 0): void {
    const { body } = this;
    const pointer = this.pointers.get(accessKey(buffer, form));
    if (pointer === undefined) throw new Unsupported();
    body.get(pointer);
    this.index(form);
    if (lane !== 0) {
      body.i32(lane);
      body.op(OP.i32Add);
    }
    const shift = ELEMENT_SHIFT[this.options.elementType(buffer)];
    if (shift > 0) {
      body.i32(shift);
      body.op(OP.i32Shl);
    }
    body.op(OP.i32Add);
  }

  /** How far the entry moves with the turn's variable. */
  private strideIn(form: IndexForm): number {
    const variable = this.turn!.loop.variable;
    return form.terms.find((t) => t.variable === variable)?.factor ?? 0;
  }

  /** Bytes from the turn's first vector to the one of the present step. */
  private stepOffset(type: ElementType): number {
    return (this.turn!.step * this.inner.width) << ELEMENT_SHIFT[type];
  }

  private places(a: Accumulator): { address: Address; second: Address } {
    return {
      address: () => {
        this.address(a.buffer, a.index);
      },
      second: () => {
        this.address(a.second!, a.index);
      },
    };
  }

  // --- instructions ---

  private instruction(i: Instruction): void {
    const { turn } = this;
    const v = turn === null ? this.uniform : this.inner;
    switch (i.kind) {
      case "load": {
        const type = this.options.elementType(i.from);
        if (isSmallInteger(type)) this.integral.add(i.to.id);
        this.define(i.to.id, this.load(v, type, i.from, i.index), false);
        break;
      }
      case "parameter":
        this.body.get(this.parameters.get(i.name)!);
        this.body.simd(SIMD.f64x2Splat);
        this.define(i.to.id, fromFloat64(v, this.uniform.result()), false);
        break;
      case "compute": {
        const operands = {
          number: (k: number) => this.number(v, i.args[k]!),
          truth: (k: number) => this.truth(v, i.args[k]!),
          literal: (k: number) => {
            const o = i.args[k]!;
            return typeof o === "number" ? o : null;
          },
          count: i.args.length,
        };
        const result =
          this.pairs === null
            ? term(v, i.computation, operands, this.options.roundCasts)
            : pairTerm(this.pairs, i.computation, operands);
        if (result === null) throw new Unsupported();
        this.define(i.to.id, result, i.to.boolean);
        break;
      }
      case "position":
        this.define(i.to.id, this.position(v, i.index), false);
        break;
      case "index":
        this.defineIndex(i);
        break;
      case "choose":
        throw new Unsupported();
    }
  }

  private defineIndex(i: IndexDefinition): void {
    const { body } = this;
    this.index(i.form);
    if (i.part !== "whole") {
      body.i32(i.by);
      body.op(i.part === "quotient" ? OP.i32DivS : OP.i32RemS);
    }
    const local = body.local("i32");
    body.set(local);
    this.indices.set(i.variable, local);
    this.definitions.push(i);
  }

  private load(v: Lanes, type: ElementType, from: Buffer, form: IndexForm): Vector {
    const hi = this.loadPart(v, type, from, form, 0);
    if (this.pairs === null || from.role === "input") return hi;
    const lo = this.loadPart(v, type, from, form, lowPart(from));
    return this.pairs.joined({ hi, lo });
  }

  /** @param part bytes from an entry to the part of it that is loaded */
  private loadPart(
    v: Lanes,
    type: ElementType,
    from: Buffer,
    form: IndexForm,
    part: number,
  ): Vector {
    const { turn } = this;
    if (turn === null || turn.one || this.strideIn(form) === 0) {
      this.address(from, form);
      return loadOne(v, type, part);
    }
    const stride = this.strideIn(form);
    if (stride === 1) {
      const address = (): void => {
        this.address(from, form);
      };
      return loadRow(v, type, address, this.stepOffset(type) + part);
    }
    let row: Vector | null = null;
    for (let lane = 0; lane < v.width; lane++) {
      this.address(from, form, (turn.step * v.width + lane) * stride);
      const one = loadOne(v, type, part);
      row = row === null ? one : v.select(this.laneMask(v, lane), one, row);
    }
    return row!;
  }

  private laneMask(v: Lanes, lane: number): Vector {
    const bytes = 16 / v.width;
    const mask = new Uint8Array(16).fill(255, lane * bytes, (lane + 1) * bytes);
    return v.bytes(mask);
  }

  private position(v: Lanes, form: IndexForm): Vector {
    const { turn, body } = this;
    if (v.type === "float32" && endOf(this.nest) > EXACT_POSITIONS) throw new Unsupported();
    this.index(form);
    const stride = turn === null || turn.one ? 0 : this.strideIn(form);
    if (stride !== 0) {
      body.i32(turn!.step * v.width * stride);
      body.op(OP.i32Add);
    }
    body.op(OP.f64ConvertI32S);
    body.simd(SIMD.f64x2Splat);
    const first = fromFloat64(v, this.uniform.result());
    if (stride === 0) return first;
    return v.of("add", first, v.row(Array.from({ length: v.width }, (_, k) => k * stride)));
  }

  // --- operands ---

  private define(id: number, vector: Vector, boolean: boolean): void {
    const lanes = this.turn === null ? this.uniform : this.inner;
    this.values.set(id, { vector, lanes, boolean });
  }

  private numberOf(value: Value): Vector {
    if (!value.boolean) return value.vector;
    return value.lanes.and(value.vector, value.lanes.constant(1));
  }

  private number(v: Lanes, o: Operand): Vector {
    return typeof o === "number" ? v.constant(o) : this.numberOf(this.valueIn(v, o.id));
  }

  private truth(v: Lanes, o: Operand): Vector {
    if (typeof o !== "number") {
      const value = this.valueIn(v, o.id);
      if (value.boolean) return value.vector;
    }
    return v.of("ne", this.number(v, o), v.constant(0));
  }

  private valueIn(v: Lanes, id: number): Value {
    const value = this.values.get(id);
    if (value?.lanes === v) return value;
    const converted = v === this.inner ? this.converted.get(id) : undefined;
    if (converted === undefined) throw new Unsupported();
    return converted;
  }

  // --- effects ---

  private effectValue(e: Effect): Vector {
    const v = this.inner;
    const isTruth = e.kind === "accumulate" && (e.into.op === "any" || e.into.op === "all");
    return isTruth ? v.and(this.truth(v, e.value), v.constant(1)) : this.number(v, e.value);
  }

  private effect(e: Effect, values: readonly Vector[]): void {
    const { turn } = this;
    const exact = this.isExact(e);
    const one = turn?.one ?? true;
    if (e.kind === "accumulate" && !e.into.direct) {
      this.reductions.add(this.running.get(e.into.id)!, values, exact, one);
      return;
    }
    const buffer = e.kind === "store" ? e.buffer : e.into.buffer;
    const form = e.kind === "store" ? e.index : e.into.index;
    if (turn !== null && this.strideIn(form) !== 1) throw new Unsupported();
    const type = this.options.elementType(buffer);
    if (type !== "f32" && type !== "f64") throw new Unsupported();
    values.forEach((value, step) => {
      if (turn !== null) turn.step = step;
      const offset = turn === null ? 0 : this.stepOffset(type);
      if (e.kind === "store") {
        const address = (): void => {
          this.address(buffer, form);
        };
        store(this.inner, type, value, address, offset, one);
        if (this.pairs === null) return;
        const low = this.pairs.low(value) ?? this.pairs.constant(0);
        store(this.pairs, type, low, address, offset + lowPart(buffer), one);
        return;
      }
      const { address, second } = this.places(e.into);
      this.reductions.addInMemory(e.into, value, exact, address, second, offset, one);
    });
  }

  private isExact(e: Effect): boolean {
    if (e.kind !== "accumulate") return false;
    return e.into.exact || (typeof e.value !== "number" && this.integral.has(e.value.id));
  }
}

/** Bytes from an entry's high part to its low part: those stand behind all high ones. */
function lowPart(buffer: Buffer): number {
  return 8 * buffer.count;
}
