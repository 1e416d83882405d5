/**
 * Writes the loops of a pass down as a WebAssembly function: the innermost loops on vectors, what
 * stands outside them on vectors whose lanes are all the same.
 *
 * An innermost loop takes several vectors a turn, then one a turn, and the entries that are left
 * one by one with the same instructions, so that an entry's value does not depend on where a
 * sweep was cut. Where entries stand `places.ts` says; cases are all worked out, and one is chosen
 * in each lane. What does not fit lanes (an argmax over a long axis) is `Unsupported`; JavaScript
 * does those passes, and those over one entry.
 */
import type { IndexForm } from "../kernel/indexForm.ts";
import type {
  Accumulator,
  Block,
  Case,
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
import type { EmitOptions, EmittedPass } from "./emitted.ts";
import { DoubleDoubles } from "./doubledouble.ts";
import { PairReductions } from "./doubledoubleReductions.ts";
import { pairTerm } from "./doubledoubleTerms.ts";
import { Exponentials } from "./exponentials.ts";
import {
  ELEMENT_SHIFT,
  type ElementType,
  fromFloat64,
  fromIntegers,
  gather,
  isSmallInteger,
  loadOne,
  loadRow,
  scatter,
  store,
  wholeNumbers,
} from "./elements.ts";
import { type LaneContext, Lanes, type Vector } from "./lanes.ts";
import { OP, SIMD } from "./opcodes.ts";
import { Places, type Turn } from "./places.ts";
import { type Access, Survey, Unsupported, endOf, operandsOf, stepsAtOnce } from "./survey.ts";
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

class Writer {
  private readonly nest: LoopNest;
  private readonly options: EmitOptions;
  private readonly accesses: ReadonlyMap<string, Access>;
  private readonly body: FunctionBody;
  private readonly uniform: Lanes;
  private readonly inner: Lanes;
  /** The lanes, where numbers are pairs. */
  private readonly pairs: DoubleDoubles | null;
  /** Of the terms of innermost loops, and of what stands outside them. */
  private readonly reductions: ReductionWriter;
  private readonly outerReductions: ReductionWriter;
  private readonly places: Places;
  private readonly parameters = new Map<string, number>();
  private readonly bounds: { readonly from: number; readonly to: number }[] = [];
  private readonly values = new Map<number, Value>();
  /** Those from outside the present innermost loop, in the lanes of its terms. */
  private readonly converted = new Map<number, Value>();
  private readonly integral = new Set<number>();
  private readonly running = new Map<number, Running>();
  /** Of the present innermost loop. */
  private exponentials = new Exponentials([]);
  /** Where the present case holds; null outside cases. */
  private guard: Vector | null = null;

  constructor(nest: LoopNest, options: EmitOptions, accesses: ReadonlyMap<string, Access>) {
    this.nest = nest;
    this.options = options;
    this.accesses = accesses;
    const types: ValueType[] = ["i32"];
    const pointers = new Map<string, number>();
    for (const key of accesses.keys()) pointers.set(key, types.push("i32") - 1);
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
    const { pairs } = this;
    const reductions = (terms: Lanes): ReductionWriter =>
      pairs === null ? new Reductions(terms, this.uniform) : new PairReductions(pairs);
    this.reductions = reductions(this.inner);
    this.outerReductions = reductions(this.uniform);
    this.places = new Places(this.body, this.inner.width, pointers, options.elementType);
  }

  private get turn(): Turn | null {
    return this.places.turn;
  }

  /** The lanes of what is written at present. */
  private get v(): Lanes {
    return this.turn === null ? this.uniform : this.inner;
  }

  write(): Omit<EmittedPass, "accumulators"> {
    if (this.pairs === null && isStraight(this.nest.block)) {
      throw new Unsupported("nothing to do on vectors");
    }
    this.block(this.nest.block, 0);
    this.pairs?.end();
    if (!this.body.fits) throw new Unsupported("too long a function");
    return {
      body: this.body,
      accesses: [...this.accesses.values()],
      definitions: this.places.definitions,
      pairs: this.pairs !== null,
    };
  }

  private block(block: Block, depth: number): void {
    for (const i of block.instructions) this.instruction(i);
    for (const a of block.accumulators) {
      if (!a.direct) this.running.set(a.id, this.reductions.start(a));
    }
    for (const loop of block.loops) this.loop(loop, depth);
    for (const e of block.effects) this.effect(e, [this.effectValue(e)]);
    for (const a of block.accumulators) {
      if (a.direct) continue;
      const { address, second } = this.placesOf(a);
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
    this.places.count(loop, counter);
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
        const turn: Turn = { loop, counter, one, step: 0 };
        this.places.turn = turn;
        const contributions = effects.map((): Vector[] => []);
        const steps = Array.from({ length: one ? 1 : count / width }, (_, step) => () => {
          turn.step = step;
          for (const i of instructions) {
            if (i.kind !== "index" || this.places.changes(i.form)) this.instruction(i);
          }
          effects.forEach((e, k) => contributions[k]!.push(this.effectValue(e)));
        });
        for (let k = 0; k < steps.length; k += IN_TURNS) body.inTurns(steps.slice(k, k + IN_TURNS));
        effects.forEach((e, k) => {
          this.effect(e, contributions[k]!);
        });
        this.places.turn = null;
      });
    }
  }

  /** What stays the same during the loop: index variables, and numbers in the lanes of its terms. */
  private before(
    loop: Loop,
    instructions: readonly Instruction[],
    effects: readonly Effect[],
  ): void {
    this.places.enter(
      loop,
      instructions.filter((i) => i.kind === "index" || i.kind === "lookup"),
    );
    this.exponentials = new Exponentials(instructions);
    this.converted.clear();
    if (this.inner === this.uniform) return;
    const operands = [...operandsOf(instructions), ...effects.map((e) => e.value)];
    for (const o of operands) {
      const value = typeof o === "number" ? undefined : this.values.get(o.id);
      if (typeof o === "number" || value?.lanes !== this.uniform) continue;
      const vector = fromFloat64(this.inner, this.numberOf(value));
      this.converted.set(o.id, { vector, lanes: this.inner, boolean: false });
    }
  }

  /** Bytes from the turn's first vector to the one of the present step. */
  private stepOffset(type: ElementType): number {
    return (this.turn!.step * this.inner.width) << ELEMENT_SHIFT[type];
  }

  /** The places of a result and of what accompanies it, in the turn's first entry or a lane. */
  private placesOf(a: Accumulator, lane?: number): { address: Address; second: Address } {
    const at = (buffer: Buffer) => () => {
      if (lane === undefined) this.places.address(buffer, a.index);
      else this.places.laneAddress(buffer, a.index, lane);
    };
    return { address: at(a.buffer), second: at(a.second ?? a.buffer) };
  }

  // --- instructions ---

  private instruction(i: Instruction): void {
    const { v } = this;
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
            ? (this.exponentials.term(v, i, (o) => this.number(v, o)) ??
              term(v, i.computation, operands, this.options.roundCasts))
            : pairTerm(this.pairs, i.computation, operands);
        if (result === null) throw new Unsupported();
        this.define(i.to.id, result, i.to.boolean);
        break;
      }
      case "position":
        this.define(i.to.id, this.position(v, i.index), false);
        break;
      case "index":
        this.places.define(i);
        break;
      case "lookup": {
        if (v.type === "float32" && i.size > EXACT_POSITIONS) {
          throw new Unsupported("positions are no float32 numbers");
        }
        const places = wholeNumbers(v, this.number(v, i.place), i.size - 1);
        this.places.lookUp(i, (lane) => {
          this.body.get(places);
          this.body.lane(SIMD.i32x4ExtractLane, lane);
        });
        break;
      }
      case "choose":
        this.define(i.to.id, this.choose(v, i.cases), false);
        break;
    }
  }

  /** The value of the first case that holds, else 0: all are worked out. */
  private choose(v: Lanes, cases: readonly Case[]): Vector {
    const outside = this.guard;
    const chosen = cases.map(({ test, body, value }) => {
      const holds = this.places.holds(test);
      const mask = v.mask(holds.length, (lane) => {
        this.body.get(holds[lane]!);
      });
      this.guard = outside === null ? mask : v.and(outside, mask);
      this.places.within(holds, () => {
        for (const i of body) this.instruction(i);
      });
      this.guard = outside;
      return { mask, value: this.number(v, value) };
    });
    return chosen.reduceRight((rest, { mask, value }) => {
      if (this.pairs === null) return v.select(mask, value, rest);
      const { pairs } = this;
      return pairs.joined(pairs.choose(mask, pairs.pair(value), pairs.pair(rest)));
    }, v.constant(0));
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
    const { places, guard } = this;
    const stride = places.stride(form);
    if (stride === 1 && guard === null) {
      const address = (): void => {
        places.address(from, form);
      };
      return loadRow(v, type, address, this.stepOffset(type) + part);
    }
    let loaded: Vector;
    if (stride === 1 && places.lanes > 1) {
      const address = (): void => {
        places.rowAddress(from, form, part);
      };
      loaded = loadRow(v, type, address, 0);
    } else if (stride === 0 && (guard === null || places.lanes === 1)) {
      places.laneAddress(from, form, 0, part);
      loaded = loadOne(v, type);
    } else {
      loaded = gather(v, type, (lane) => {
        places.laneAddress(from, form, lane, part);
      });
    }
    return guard === null ? loaded : v.and(loaded, guard);
  }

  private position(v: Lanes, form: IndexForm): Vector {
    const { places, body } = this;
    if (v.type === "float32" && endOf(this.nest) > EXACT_POSITIONS) {
      throw new Unsupported("positions are no float32 numbers");
    }
    const stride = places.stride(form);
    if (stride === null) {
      return fromIntegers(v, (lane) => {
        places.index(form, lane);
      });
    }
    places.index(form, 0);
    body.op(OP.f64ConvertI32S);
    body.simd(SIMD.f64x2Splat);
    const first = fromFloat64(v, this.uniform.result());
    if (stride === 0) return first;
    return v.of("add", first, v.row(Array.from({ length: v.width }, (_, k) => k * stride)));
  }

  // --- operands ---

  private define(id: number, vector: Vector, boolean: boolean): void {
    this.values.set(id, { vector, lanes: this.v, boolean });
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
    const { v } = this;
    const isTruth = e.kind === "accumulate" && (e.into.op === "any" || e.into.op === "all");
    return isTruth ? v.and(this.truth(v, e.value), v.constant(1)) : this.number(v, e.value);
  }

  private effect(e: Effect, values: readonly Vector[]): void {
    const { turn } = this;
    const reductions = turn === null ? this.outerReductions : this.reductions;
    const exact = this.isExact(e);
    const one = turn?.one ?? true;
    if (e.kind === "accumulate" && !e.into.direct) {
      reductions.add(this.running.get(e.into.id)!, values, exact, one);
      return;
    }
    const buffer = e.kind === "store" ? e.buffer : e.into.buffer;
    const form = e.kind === "store" ? e.index : e.into.index;
    const type = this.options.elementType(buffer);
    if (type !== "f32" && type !== "f64") throw new Unsupported("no floats are written");
    const isApart = turn !== null && !one && this.places.stride(form) !== 1;
    values.forEach((value, step) => {
      if (turn !== null) turn.step = step;
      const offset = turn === null || isApart ? 0 : this.stepOffset(type);
      if (e.kind === "store") {
        this.store(e.buffer, e.index, type, value, 0, isApart);
        if (this.pairs === null) return;
        const low = this.pairs.low(value) ?? this.pairs.constant(0);
        this.store(e.buffer, e.index, type, low, lowPart(buffer), isApart);
      } else if (isApart) this.accumulateApart(e.into, value, exact);
      else {
        const { address, second } = this.placesOf(e.into);
        reductions.addInMemory(e.into, value, exact, address, second, offset, one);
      }
    });
  }

  /** @param part bytes from an entry to the part of it that is stored */
  private store(
    buffer: Buffer,
    form: IndexForm,
    type: "f32" | "f64",
    value: Vector,
    part: number,
    isApart: boolean,
  ): void {
    const { places, turn, v } = this;
    if (isApart) {
      scatter(v, type, value, (lane) => {
        places.laneAddress(buffer, form, lane, part);
      });
      return;
    }
    const address = (): void => {
      places.address(buffer, form);
    };
    const offset = (turn === null ? 0 : this.stepOffset(type)) + part;
    store(v, type, value, address, offset, turn?.one ?? true);
  }

  /** Several lanes may go into one result: one after the other. */
  private accumulateApart(a: Accumulator, value: Vector, exact: boolean): void {
    const { inner, pairs } = this;
    for (let lane = 0; lane < inner.width; lane++) {
      const { address, second } = this.placesOf(a, lane);
      const low = pairs?.low(value) ?? null;
      const hi = inner.spread(value, lane);
      const one = low === null ? hi : pairs!.joined({ hi, lo: pairs!.spread(low, lane) });
      this.reductions.addInMemory(a, one, exact, address, second, 0, true);
    }
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
