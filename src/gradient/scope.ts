/**
 * Where a path may move so that few denominators change: a part of the input (a sample, a class, a
 * pair of classes for a softmax), by labels of its entries.
 */
import { filled, parts } from "../numbers/interruption.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import { SEVERAL } from "./cells.ts";
import { lineOffsets } from "./entries.ts";
import type { Moving } from "./structure.ts";

/** Where a path may move so that few denominators change. */
export interface Scope {
  readonly mask: Uint8Array;
  /** How many parts of the input move, each with its own denominators. */
  readonly cells: number;
}

/**
 * The part (a sample, a class, a pair of classes for a softmax) in which moving along `toward`
 * changes most. Null when no entry belongs to one part alone.
 * @param most largest number of parts that may move together
 */
export function strongestScope(
  labels: Int32Array,
  toward: TypedArray,
  moving: Moving,
  most: number,
): Scope | null {
  const lines = linesOf(labels, toward, moving);
  const ranked = weighed(lines).ranked();
  const top = ranked[0];
  if (top === undefined) return null;
  if (moving.kind !== "softmax") return { mask: maskOf(labels, [top]), cells: 1 };
  for (const candidate of ranked.slice(0, 8)) {
    const partner = partnerOf(lines, candidate);
    if (partner === null) continue;
    const cells = partner === candidate || partner === 0 ? 1 : 2;
    if (cells <= most) return { mask: maskOf(labels, [candidate, partner]), cells };
  }
  return null;
}

/** Labels, and how far each entry is pushed; entries of one line of a softmax compete. */
interface Lines {
  readonly labels: Int32Array;
  readonly toward: TypedArray;
  /** Entries of a line, and how far apart they stand. */
  readonly classes: number;
  readonly stride: number;
}

function linesOf(labels: Int32Array, toward: TypedArray, { kind, node }: Moving): Lines {
  if (kind !== "softmax") return { labels, toward, classes: 1, stride: 1 };
  const offsets = lineOffsets(node);
  const lines = { labels, toward, classes: offsets.length, stride: offsets[1] ?? 1 };
  return inPlanes(lines) ?? lines;
}

/** The same with one entry for each class's part of a sample; null where those have several labels. */
function inPlanes({ labels, toward, classes, stride }: Lines): Lines | null {
  const count = labels.length / stride;
  const own = new Int32Array(count);
  const sums = new Float64Array(count);
  let [k, entry] = [0, 0];
  for (const [first, end] of parts(labels.length)) {
    for (let at = first; at < end; at++) {
      if (entry === 0) own[k] = labels[at]!;
      else if (labels[at] !== own[k]) return null;
      const w = Math.abs(toward[at]!);
      if (w > 0) sums[k]! += w;
      if (++entry < stride) continue;
      entry = 0;
      k++;
    }
  }
  return { labels: own, toward: sums, classes, stride: 1 };
}

function weighed({ labels, toward }: Lines): LabelWeights {
  const weights = new LabelWeights();
  // Neighbours mostly have the same label.
  let [label, weight] = [0, 0];
  for (const [first, end] of parts(labels.length)) {
    for (let i = first; i < end; i++) {
      const l = labels[i]!;
      const w = Math.abs(toward[i]!);
      if (!(l > 0 && w > 0)) continue;
      if (l !== label) {
        if (weight > 0) weights.add(label, weight);
        [label, weight] = [l, 0];
      }
      weight += w;
    }
  }
  if (weight > 0) weights.add(label, weight);
  return weights;
}

/** Sums by label, of which there are few beside the entries that have them. */
class LabelWeights {
  private readonly sums: number[] = [];
  private readonly labels: number[] = [];

  add(label: number, weight: number): void {
    const before = this.sums[label];
    if (before === undefined) this.labels.push(label);
    this.sums[label] = (before ?? 0) + weight;
  }

  /** The heaviest first. */
  ranked(): number[] {
    return this.labels.toSorted((a, b) => this.sums[b]! - this.sums[a]!);
  }
}

/**
 * Of the labels that share lines with `label`, the one to move against it: itself where it is on a
 * line twice, 0 where an entry that no denominator holds is beside it. Null where there is none.
 */
function partnerOf({ labels, toward, classes, stride }: Lines, label: number): number | null {
  const weights = new LabelWeights();
  const block = stride * classes;
  for (const [begin, end] of parts(labels.length / classes)) {
    for (let line = begin; line < end; line++) {
      const first = Math.floor(line / stride) * block + (line % stride);
      let own = 0;
      for (let at = first; at < first + block; at += stride) if (labels[at] === label) own++;
      if (own === 0) continue;
      if (own > 1) weights.add(label, Infinity);
      for (let at = first; at < first + block; at += stride) {
        const l = labels[at]!;
        if (l === label || l === SEVERAL) continue;
        const w = Math.abs(toward[at]!);
        // An entry that no denominator holds moves for free.
        if (l === 0) weights.add(l, Infinity);
        else if (w >= 0) weights.add(l, w);
      }
    }
  }
  return weights.ranked()[0] ?? null;
}

function maskOf(labels: Int32Array, chosen: readonly number[]): Uint8Array {
  return filled(new Uint8Array(labels.length), (i) => (chosen.includes(labels[i]!) ? 1 : 0));
}
