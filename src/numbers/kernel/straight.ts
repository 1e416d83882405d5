/** Blocks without real loops, which innermost loops are made of. */
import type { Block, Effect, Instruction, Loop } from "./loops.ts";

/** A loop of one turn, whose index is known. */
export function isSingle(loop: Loop): boolean {
  return !loop.bounded && loop.to - loop.from === 1;
}

export function isStraight(block: Block): boolean {
  return (
    block.accumulators.every((a) => a.direct) &&
    block.loops.every((l) => isSingle(l) && isStraight(l.body))
  );
}

/** The instructions and effects of a block without loops, in order. */
export function straightened(block: Block): { instructions: Instruction[]; effects: Effect[] } {
  const parts = block.loops.map((l) => straightened(l.body));
  return {
    instructions: [...block.instructions, ...parts.flatMap((p) => p.instructions)],
    effects: [...parts.flatMap((p) => p.effects), ...block.effects],
  };
}
