/**
 * Which entries of each array a piece of a sweep touches. Arrays that are not in the kernels'
 * memory are copied in window by window, so that a sweep needs little more memory than the arrays.
 */
import { type IndexForm, type Range, indexRange } from "../kernel/indexForm.ts";
import type { Block, LoopNest } from "../kernel/loops.ts";
import { isSingle } from "../kernel/straight.ts";
import { type Entries, isStored } from "../typedArrays.ts";
import { ELEMENT_SHIFT } from "./elements.ts";
import type { EmittedPass } from "./emitted.ts";
import { type Heap, typeOf } from "./heap.ts";
import type { Access } from "./survey.ts";

/** Entries [first, end) of an array that a piece touches. */
export interface Window {
  readonly array: Entries;
  readonly first: number;
  readonly end: number;
  readonly shift: number;
  /** By position in the pass. */
  readonly accesses: readonly number[];
  readonly reads: boolean;
  readonly writes: boolean;
}

/** What a window takes of the heap. */
export function bytesOf(w: Window): number {
  return Math.ceil((((w.end - w.first) << w.shift) + 16) / 64) * 64;
}

export function copyIn(on: Heap, { array, first, end }: Window, address: number): void {
  const view = on.view(typeOf(array), address, end - first);
  if (isStored(array)) array.read(first, view);
  else view.set(array.subarray(first, end));
}

export function copyOut(on: Heap, { array, first, end }: Window, address: number): void {
  const view = on.view(typeOf(array), address, end - first);
  if (isStored(array)) array.write(first, view);
  else array.set(view, first);
}

export class Footprint {
  /** Accesses, by position in the pass, whose place another array says: any entry may be meant. */
  readonly lookups: ReadonlySet<number>;
  private readonly pass: EmittedPass;
  private readonly boundedVariables: readonly number[];
  private readonly ranges = new Map<number, Range>();

  constructor(nest: LoopNest, pass: EmittedPass) {
    this.pass = pass;
    const bounded: number[] = [];
    const visit = (block: Block): void => {
      for (const l of block.loops) {
        if (l.bounded) {
          if (!bounded.includes(l.variable)) bounded.push(l.variable);
        } else if (!isSingle(l)) {
          const [lo, hi] = this.ranges.get(l.variable) ?? [l.from, l.to - 1];
          this.ranges.set(l.variable, [Math.min(lo, l.from), Math.max(hi, l.to - 1)]);
        }
        visit(l.body);
      }
    };
    visit(nest.block);
    this.boundedVariables = bounded;
    const lookedUp = new Set<number>();
    const isLookedUp = (form: IndexForm): boolean =>
      form.terms.some((t) => lookedUp.has(t.variable));
    for (const d of pass.definitions) {
      if (d.kind === "lookup" || isLookedUp(d.form)) lookedUp.add(d.variable);
    }
    this.lookups = new Set(pass.accesses.flatMap((a, k) => (isLookedUp(a.form) ? [k] : [])));
  }

  /**
   * Windows of the arrays that are not resident, for a piece between bounds (from and to of each
   * bounded loop).
   */
  windows(bounds: readonly number[], arrays: readonly (Entries | null)[]): Window[] {
    this.boundedVariables.forEach((v, k) => {
      this.ranges.set(v, [bounds[2 * k]!, bounds[2 * k + 1]! - 1]);
    });
    const rangeOf = (v: number): Range => this.ranges.get(v)!;
    for (const d of this.pass.definitions) {
      if (d.kind === "lookup") {
        this.ranges.set(d.variable, [0, d.size - 1]);
        continue;
      }
      const [lo, hi] = indexRange(d.form, rangeOf);
      const [first, last] = [Math.floor(lo / d.by), Math.floor(hi / d.by)];
      let range: Range = [lo, hi];
      if (d.part === "quotient") range = [first, last];
      if (d.part === "remainder") range = first === last ? [lo % d.by, hi % d.by] : [0, d.by - 1];
      this.ranges.set(d.variable, range);
    }
    const byArray = new Map<Entries, { at: number; range: Range }[]>();
    this.pass.accesses.forEach((access, at) => {
      const array = arrays[at];
      if (array === null || array === undefined) return;
      const list = byArray.get(array) ?? [];
      byArray.set(array, list);
      list.push({ at, range: indexRange(access.form, rangeOf) });
    });
    return [...byArray].flatMap(([array, list]) => this.merged(array, list, rangeOf));
  }

  private merged(
    array: Entries,
    list: { at: number; range: Range }[],
    rangeOf: (v: number) => Range,
  ): Window[] {
    const windows: Window[] = [];
    list.sort((p, q) => p.range[0] - q.range[0]);
    for (const { at, range } of list) {
      const access = this.pass.accesses[at]!;
      const last = windows.at(-1);
      const shift = ELEMENT_SHIFT[access.type];
      // In loops over several parts, forms may range over what no part visits.
      const first = Math.max(range[0], 0);
      const end = Math.min(range[1] + 1, array.length);
      // A case that does not hold in this piece.
      if (end <= first) continue;
      const reads = access.reads || !isCovered(access, rangeOf);
      if (last !== undefined && first < last.end) {
        const accesses = [...last.accesses, at];
        windows[windows.length - 1] = {
          ...last,
          end: Math.max(end, last.end),
          accesses,
          reads: last.reads || reads || first !== last.first || end !== last.end,
          writes: last.writes || access.writes,
        };
      } else {
        windows.push({ array, first, end, shift, accesses: [at], reads, writes: access.writes });
      }
    }
    return windows;
  }
}

/** Whether the piece visits every entry between the first and the last that it visits. */
function isCovered(access: Access, rangeOf: (v: number) => Range): boolean {
  const moving = access.form.terms.filter((t) => {
    const [lo, hi] = rangeOf(t.variable);
    return lo !== hi;
  });
  return moving.length === 0 || (moving.length === 1 && Math.abs(moving[0]!.factor) === 1);
}
