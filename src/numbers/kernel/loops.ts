/**
 * The intermediate form of a pass: loops, straight-line instructions at the level where their
 * operands are known, and effects in the innermost loop. It says nothing of the language it will be
 * written in; `javascript.ts` prints it.
 */
import type { ArgReduce, BinaryOp, CastTarget, Reduce, UnaryOp } from "../../expression/node.ts";
import type { IndexForm } from "./indexForm.ts";
import type { Buffer } from "./plan.ts";

/** A value that is computed once and never changes. */
export interface Register {
  readonly id: number;
  /** A truth value, not yet the number 1 or 0. */
  readonly boolean: boolean;
  /** 0 before all loops; n inside the n-th loop from outside. */
  readonly level: number;
}

export type Operand = Register | number;

export type Computation =
  /** @property ofNonPositive whether the argument is known to be at most 0, or NaN */
  | { readonly kind: "unary"; readonly op: UnaryOp; readonly ofNonPositive?: boolean }
  | { readonly kind: "binary"; readonly op: BinaryOp }
  | { readonly kind: "cast"; readonly to: CastTarget }
  | { readonly kind: "where" }
  | { readonly kind: "clamp" }
  /** Position of the first largest or smallest of the operands. */
  | { readonly kind: "first"; readonly op: ArgReduce["op"] };

/** first ≤ coordinate < end, and coordinate − first a multiple of step. */
export interface Test {
  readonly coordinate: IndexForm;
  readonly first: number;
  readonly end: number;
  readonly step: number;
}

export interface Case {
  readonly test: Test;
  readonly body: readonly Instruction[];
  readonly value: Operand;
}

export type Instruction =
  | {
      readonly kind: "load";
      readonly to: Register;
      readonly from: Buffer;
      readonly index: IndexForm;
    }
  | { readonly kind: "parameter"; readonly to: Register; readonly name: string }
  | {
      readonly kind: "compute";
      readonly to: Register;
      readonly computation: Computation;
      readonly args: readonly Operand[];
    }
  /** The position itself as a number. */
  | { readonly kind: "position"; readonly to: Register; readonly index: IndexForm }
  /** A new index variable: a part of a position that only the loops know. */
  | {
      readonly kind: "index";
      readonly variable: number;
      readonly form: IndexForm;
      readonly by: number;
      readonly part: "quotient" | "remainder" | "whole";
    }
  /** A new index variable: a place that an array holds, brought into 0 … size − 1. */
  | {
      readonly kind: "lookup";
      readonly variable: number;
      readonly place: Operand;
      readonly size: number;
    }
  /** The value of the first case whose test holds, else 0. */
  | { readonly kind: "choose"; readonly to: Register; readonly cases: readonly Case[] };

/** A running reduction that stays in registers while deeper loops run. */
export interface Accumulator {
  readonly id: number;
  readonly op: Reduce["op"] | ArgReduce["op"];
  readonly buffer: Buffer;
  readonly second: Buffer | null;
  /** Where the result goes. */
  readonly index: IndexForm;
  /** The result's place changes in the innermost loop: no use keeping it in registers. */
  readonly direct: boolean;
  /** Whole numbers, whose sum needs no compensation. */
  readonly exact: boolean;
}

export type Effect =
  | {
      readonly kind: "store";
      readonly buffer: Buffer;
      readonly index: IndexForm;
      readonly value: Operand;
    }
  | {
      readonly kind: "accumulate";
      readonly into: Accumulator;
      readonly value: Operand;
      /** Position along the axis, for argmax and argmin. */
      readonly position: Operand;
    };

export interface Loop {
  readonly variable: number;
  readonly from: number;
  readonly to: number;
  /** The run gives bounds too: it sweeps in chunks. */
  readonly bounded: boolean;
  readonly body: Block;
}

export interface Block {
  readonly instructions: readonly Instruction[];
  readonly accumulators: readonly Accumulator[];
  readonly loops: readonly Loop[];
  readonly effects: readonly Effect[];
}

/** A pass ready to be written down as code. */
export interface Pass {
  readonly total: number;
  /**
   * Parts of the index space, each with code of its own: in one function, the engine would optimise
   * for the part it has seen and start over with every next one.
   */
  readonly nests: readonly LoopNest[];
  /** Sums and the rounding errors to be added to them once the pass is over. */
  readonly compensated: readonly { readonly result: Buffer; readonly errors: Buffer }[];
  /** What the pass consists of instead of loops. */
  readonly running: Running | null;
}

/** Sums of the entries up to each along the middle one of three axes. */
export interface Running {
  readonly source: Buffer;
  readonly result: Buffer;
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  /** From the entry on rather than up to it. */
  readonly isReverse: boolean;
  /** Without the entry itself. */
  readonly isExclusive: boolean;
}

/** Loops over a part of the index space. */
export interface LoopNest {
  readonly block: Block;
  /** Where the loops whose bounds the run gives start and end, outermost first. */
  readonly bounded: readonly (readonly [number, number])[];
  /** Entries swept by one step of the last bounded loop. */
  readonly inner: number;
  readonly buffers: readonly Buffer[];
  readonly parameters: readonly string[];
  /** Instructions in the innermost loop, a measure of the pass's duration. */
  readonly weight: number;
}
