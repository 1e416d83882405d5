/** What the function of a pass is written from, and what is known of it afterwards. */
import type { Accumulator, Instruction } from "../kernel/loops.ts";
import type { Buffer } from "../kernel/plan.ts";
import type { FunctionBody } from "./assembler.ts";
import type { ElementType } from "./elements.ts";
import type { ConstantPool, TermType } from "./lanes.ts";
import type { Access } from "./survey.ts";

export interface EmitOptions {
  readonly lanes: TermType;
  readonly relaxed: boolean;
  readonly roundCasts: boolean;
  readonly elementType: (buffer: Buffer) => ElementType;
  readonly pool: ConstantPool;
  readonly functionIndex: (name: string, parameters: number) => number;
}

/** An index variable that is a part of a position. */
export type IndexDefinition = Extract<Instruction, { kind: "index" }>;
/** One that an array gives. */
export type IndexLookup = Extract<Instruction, { kind: "lookup" }>;

/**
 * Takes the constants' address, one pointer an access (where entry 0 of the array would be), the
 * parameters, and from and to of each bounded loop.
 */
export interface EmittedPass {
  readonly body: FunctionBody;
  readonly accesses: readonly Access[];
  readonly definitions: readonly (IndexDefinition | IndexLookup)[];
  readonly accumulators: readonly Accumulator[];
  /** Whether numbers are pairs: arrays that are no inputs hold all high parts, then all low ones. */
  readonly pairs: boolean;
}
