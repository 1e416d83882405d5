/**
 * Parts of an input that meet in one entry of a node: the voxels of one sample and class, the ones
 * a tie concerns. Found by carrying labels backward through the graph.
 */
import type { Expr } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { parts, filled } from "../numbers/interruption.ts";
import { layoutOf, contiguousLine, lineOf, lineOffsets, sourceEntry } from "./entries.ts";

/** Label of an input entry that reaches differently labelled entries. */
export const SEVERAL = -1;

/**
 * A label for each entry of `leaf`: 0 where it reaches no seed, the label of the seeds it reaches
 * where they agree, SEVERAL where they do not. Seeds give a label to every entry of some nodes.
 */
export function labelsOf(leaf: Expr, seeds: ReadonlyMap<Expr, Int32Array>): Int32Array {
  const order = topological(...seeds.keys());
  const reaching = new Set<Expr>([leaf]);
  for (const e of order) if (e.args.some((a) => reaching.has(a))) reaching.add(e);
  const labels = new Map<Expr, Int32Array>();
  for (const [e, seed] of seeds) if (reaching.has(e)) labels.set(e, seed.slice());
  for (const e of order.reverse()) {
    const own = labels.get(e);
    if (own === undefined || e === leaf) continue;
    labels.delete(e);
    e.args.forEach((arg, which) => {
      if (!reaching.has(arg)) return;
      let into = labels.get(arg);
      if (into === undefined) labels.set(arg, (into = new Int32Array(layoutOf(arg).count)));
      carry(e, which, own, into);
    });
  }
  return labels.get(leaf) ?? new Int32Array(layoutOf(leaf).count);
}

function carry(e: Expr, which: number, own: Int32Array, into: Int32Array): void {
  switch (e.kind) {
    case "reduce":
    case "argReduce": {
      const length = contiguousLine(e);
      if (length === null) {
        filled(into, (k) => merge(into[k]!, own[lineOf(e, k)]!));
        return;
      }
      let [line, entry] = [0, 0];
      for (const [first, end] of parts(into.length)) {
        for (let k = first; k < end; k++) {
          into[k] = merge(into[k]!, own[line]!);
          if (++entry < length) continue;
          entry = 0;
          line++;
        }
      }
      return;
    }
    case "softmax": {
      const offsets = lineOffsets(e);
      for (const [start, end] of parts(own.length)) {
        for (let k = start; k < end; k++) {
          const label = own[k]!;
          if (label === 0) continue;
          const first = sourceEntry(e, which, k);
          for (const o of offsets) into[first + o] = merge(into[first + o]!, label);
        }
      }
      return;
    }
    default: {
      const same = own.length === into.length && e.kind !== "transpose" && e.kind !== "slice";
      for (const [first, end] of parts(own.length)) {
        for (let k = first; k < end; k++) {
          const label = own[k]!;
          if (label === 0) continue;
          const from = same ? k : sourceEntry(e, which, k);
          if (from >= 0) into[from] = merge(into[from]!, label);
        }
      }
    }
  }
}

function merge(a: number, b: number): number {
  if (a === b || b === 0) return a;
  return a === 0 ? b : SEVERAL;
}
