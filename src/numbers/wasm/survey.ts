/** What the function of a pass reads and writes, found before it is written. */
import { type IndexForm, indexKey } from "../kernel/indexForm.ts";
import type {
  Accumulator,
  Block,
  Effect,
  Instruction,
  LoopNest,
  Operand,
} from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import { IDENTITY } from "./accumulators.ts";
import type { ElementType } from "./elements.ts";
import type { TermType } from "./lanes.ts";

/** A loop that is not one of vectors. */
export class Unsupported extends Error {}

/**
 * Float32 terms are added in pairs before their sum is made a float64, which takes longer than
 * adding; float64 terms before they are added with their rounding errors.
 */
const MOST_STEPS: Readonly<Record<TermType, number>> = {
  float32: 8,
  float64: 4,
  "double-double": 4,
};
/** Longer bodies gain nothing: their values no longer fit in the processor's registers. */
const MOST_INSTRUCTIONS_AT_ONCE = 160;
/** Instructions on pairs take so many times as many of the engine's as others do. */
const PAIR_WEIGHT = 16;

/** A place in an array that the function reads or writes, with a pointer of its own. */
export interface Access {
  readonly buffer: Buffer;
  readonly form: IndexForm;
  readonly type: ElementType;
  reads: boolean;
  writes: boolean;
}

/** Finds the accesses first, because a function's parameters are counted before its variables. */
export class Survey {
  readonly accesses = new Map<string, Access>();
  readonly accumulators: Accumulator[] = [];
  private readonly elementType: (buffer: Buffer) => ElementType;

  constructor(nest: LoopNest, elementType: (buffer: Buffer) => ElementType) {
    this.elementType = elementType;
    this.block(nest.block);
  }

  private block(block: Block): void {
    this.instructions(block.instructions);
    for (const a of block.accumulators) {
      if (IDENTITY[a.op] === null) throw new Unsupported();
      this.accumulators.push(a);
      this.add(a.buffer, a.index, true, true);
      if (a.second !== null) this.add(a.second, a.index, true, true);
    }
    for (const e of block.effects) {
      if (e.kind === "store") this.add(e.buffer, e.index, false, true);
    }
    for (const l of block.loops) this.block(l.body);
  }

  private instructions(instructions: readonly Instruction[]): void {
    for (const i of instructions) {
      if (i.kind === "load") this.add(i.from, i.index, true, false);
      if (i.kind === "choose") for (const c of i.cases) this.instructions(c.body);
    }
  }

  private add(buffer: Buffer, form: IndexForm, reads: boolean, writes: boolean): void {
    const key = accessKey(buffer, form);
    const known = this.accesses.get(key);
    if (known !== undefined) {
      known.reads ||= reads;
      known.writes ||= writes;
      return;
    }
    const type = this.elementType(buffer);
    this.accesses.set(key, { buffer, form, type, reads, writes });
  }
}

export function accessKey(buffer: Buffer, form: IndexForm): string {
  return `${buffer.id}@${indexKey(form)}`;
}

/** A bound of the positions in a nest. */
export function endOf(nest: LoopNest): number {
  return nest.bounded.reduce((n, [, to]) => n * to, nest.inner);
}

/** What the instructions are made from, those of cases included. */
export function operandsOf(instructions: readonly Instruction[]): Operand[] {
  return instructions.flatMap((i) => {
    if (i.kind === "compute") return i.args;
    if (i.kind === "lookup") return [i.place];
    if (i.kind !== "choose") return [];
    return i.cases.flatMap((c) => [...operandsOf(c.body), c.value]);
  });
}

/** How many vectors of a loop to take at once: several where terms can be added before the sum. */
export function stepsAtOnce(
  instructions: readonly Instruction[],
  effects: readonly Effect[],
  lanes: TermType,
): number {
  if (effects.every((e) => e.kind === "store")) return 1;
  const weight = lanes === "double-double" ? PAIR_WEIGHT : 1;
  for (let steps = MOST_STEPS[lanes]; steps > 1; steps /= 2) {
    if (steps * instructions.length * weight <= MOST_INSTRUCTIONS_AT_ONCE) return steps;
  }
  return 1;
}
