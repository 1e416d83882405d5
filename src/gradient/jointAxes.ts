/**
 * Which axes of an input can go by one index letter. A loss that never tells height from width
 * reads better as p_i than as p_{h,w}: the axes of a run are joined when every node of the loss has
 * all of them, in order, or none.
 */
import type { Axis, Shape } from "../expression/axis.ts";
import { isDropped } from "../expression/indices.ts";
import type { Expr } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";

/** Runs of two or more axis names of `input` that all `roots` treat as one. */
export function jointAxes(roots: readonly Expr[], input: Expr): string[][] {
  const names = namesOf(input.shape);
  if (new Set(names).size !== names.length) return [];
  let blocks: string[][] = [names];
  const cut = (test: (name: string) => boolean): void => {
    blocks = blocks.flatMap((block) => runs(block, test));
  };
  for (const e of topological(...roots)) {
    const own = namesOf(e.shape);
    cut((name) => own.includes(name));
    blocks = blocks.flatMap((block) => (isInOrder(block, own) ? [block] : block.map((n) => [n])));
    for (const alone of singledOut(e)) {
      const apart = namesOf([alone]);
      blocks = blocks.flatMap((block) =>
        block.some((n) => apart.includes(n)) ? runs(block, (n) => apart.includes(n)) : [block],
      );
    }
  }
  // Apart from the case that nothing is told apart at all, samples and classes keep their letters.
  if (blocks.length > 1) {
    const inSpace = new Set(input.shape.filter((a) => a.role === "space").map((a) => a.name));
    cut((name) => inSpace.has(name));
    blocks = blocks.filter((block) => inSpace.has(block[0]!));
  }
  return blocks.filter((block) => block.length > 1);
}

function namesOf(shape: Shape): string[] {
  return shape
    .flatMap((a) => (a.parts.length > 0 ? a.parts : [a]))
    .filter((a) => !isDropped(a))
    .map((a) => a.name);
}

/** The block cut where the test changes its answer. */
function runs(block: readonly string[], test: (name: string) => boolean): string[][] {
  const pieces: string[][] = [];
  let last: boolean | null = null;
  for (const name of block) {
    const now = test(name);
    if (now === last) pieces.at(-1)!.push(name);
    else pieces.push([name]);
    last = now;
  }
  return pieces;
}

/** All of the block stands in `own` side by side and in its order, or none of it does. */
function isInOrder(block: readonly string[], own: readonly string[]): boolean {
  const start = own.indexOf(block[0]!);
  return start < 0 || block.every((name, k) => own[start + k] === name);
}

/** The axes along which a node does something of its own. */
function singledOut(e: Expr): Axis[] {
  switch (e.kind) {
    case "softmax":
    case "argReduce":
      return [e.args[0]!.shape[e.dim]!];
    case "oneHot":
    case "stack":
    case "concat":
    case "place":
    case "spread":
      return [e.shape[e.dim]!];
    case "slide":
      return [e.shape[e.dim]!, e.args[0]!.shape[e.dim]!, e.shape[e.by]!];
    case "index":
    case "slice":
      return [e.args[0]!.shape[e.dim]!];
    default:
      return [];
  }
}
