/**
 * Indices of array elements as a formula writes them. The graph addresses axes by position; a
 * formula needs, for every array in it, what stands in each position: a letter, a fixed number, a
 * letter with an offset (slices), or one part of a letter that runs over several axes at once
 * (flattened arrays).
 */
import { type Axis, type Shape, isUnit, sameAxis } from "./axis.ts";

export type Index =
  | { readonly kind: "at"; readonly at: number }
  | { readonly kind: "letter"; readonly letter: string }
  /** scale · of + offset */
  | {
      readonly kind: "affine";
      readonly of: Index;
      readonly scale: number;
      readonly offset: number;
    }
  /** left + scale · right + offset */
  | {
      readonly kind: "plus";
      readonly left: Index;
      readonly right: Index;
      readonly scale: number;
      readonly offset: number;
    }
  /** The position along axes[k] of an element whose row-major position over `axes` is `whole`. */
  | {
      readonly kind: "part";
      readonly whole: Index;
      readonly axes: readonly Axis[];
      readonly k: number;
    }
  /** The row-major position of the element at `parts` over `axes`. */
  | { readonly kind: "tuple"; readonly parts: readonly Index[]; readonly axes: readonly Axis[] };

export const at = (n: number): Index => ({ kind: "at", at: n });
export const letterIndex = (letter: string): Index => ({ kind: "letter", letter });

export function affine(of: Index, scale: number, offset: number): Index {
  if (of.kind === "at") return at(of.at * scale + offset);
  if (of.kind === "affine") {
    return affine(of.of, of.scale * scale, of.offset * scale + offset);
  }
  if (of.kind === "plus" && scale === 1) return { ...of, offset: of.offset + offset };
  return scale === 1 && offset === 0 ? of : { kind: "affine", of, scale, offset };
}

/** left + scale · right + offset */
export function plus(left: Index, right: Index, scale: number, offset: number): Index {
  if (right.kind === "at") return affine(left, 1, scale * right.at + offset);
  if (left.kind === "at") return affine(right, scale, left.at + offset);
  if (right.kind === "affine") {
    return plus(left, right.of, scale * right.scale, offset + scale * right.offset);
  }
  if (left.kind === "affine" && left.scale === 1) {
    return plus(left.of, right, scale, offset + left.offset);
  }
  if (left.kind === "plus" && left.offset !== 0) {
    return plus({ ...left, offset: 0 }, right, scale, offset + left.offset);
  }
  return { kind: "plus", left, right, scale, offset };
}

/** Position `k` of `whole` over `axes`. */
export function partOf(whole: Index, axes: readonly Axis[], k: number): Index {
  if (axes.length === 1) return whole;
  if (whole.kind === "tuple" && sameAxes(whole.axes, axes)) return whole.parts[k]!;
  if (whole.kind === "at" && axes.every((a) => a.size !== null)) {
    const stride = axes.slice(k + 1).reduce((n, a) => n * a.size!, 1);
    return at(Math.floor(whole.at / stride) % axes[k]!.size!);
  }
  return { kind: "part", whole, axes, k };
}

/** The row-major position over `axes` of the element at `parts`: the inverse of `partOf`. */
export function tupleOf(parts: readonly Index[], axes: readonly Axis[]): Index {
  if (parts.length === 1) return parts[0]!;
  const first = parts[0];
  if (
    first?.kind === "part" &&
    sameAxes(first.axes, axes) &&
    parts.every((p, k) => p.kind === "part" && p.k === k && sameIndex(p.whole, first.whole))
  ) {
    return first.whole;
  }
  let position = 0;
  for (let k = 0; k < parts.length; k++) {
    const p = parts[k]!;
    const n = axes[k]!.size;
    if (p.kind !== "at" || n === null) return { kind: "tuple", parts, axes };
    position = position * n + p.at;
  }
  return at(position);
}

function sameAxes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return a.length === b.length && a.every((x, k) => sameAxis(x, b[k]!));
}

/** Whether an index is written as a sum. */
export function isSumIndex(i: Index): boolean {
  return i.kind === "affine" || i.kind === "plus";
}

/** A string that is equal for equal indices. */
export function indexKey(i: Index): string {
  switch (i.kind) {
    case "at":
      return String(i.at);
    case "letter":
      return i.letter;
    case "affine":
      return `(${indexKey(i.of)}*${i.scale}+${i.offset})`;
    case "plus":
      return `(${indexKey(i.left)}+${indexKey(i.right)}*${i.scale}+${i.offset})`;
    case "part":
      return `${indexKey(i.whole)}#${i.k}/${i.axes.map((a) => `${a.name}:${a.size}`).join()}`;
    case "tuple":
      return `(${i.parts.map(indexKey).join()})`;
  }
}

export function sameIndex(a: Index, b: Index): boolean {
  return a === b || indexKey(a) === indexKey(b);
}

/** Whether an axis has no index in a formula: it is only there to broadcast. */
export function isDropped(a: Axis): boolean {
  return a.role === "unit" && a.size === 1;
}

/** All letters an index mentions. */
export function lettersOf(i: Index): string[] {
  switch (i.kind) {
    case "at":
      return [];
    case "letter":
      return [i.letter];
    case "affine":
      return lettersOf(i.of);
    case "plus":
      return [...lettersOf(i.left), ...lettersOf(i.right)];
    case "part":
      return lettersOf(i.whole);
    case "tuple":
      return i.parts.flatMap(lettersOf);
  }
}

/** Indices of an operand of shape `arg` in an elementwise operation of shape `out` at `indices`. */
export function alignIndices(out: Shape, indices: readonly Index[], arg: Shape): Index[] {
  const lead = out.length - arg.length;
  return arg.map((a, d) => {
    const stretched = isUnit(a) && !sameAxis(a, out[lead + d]!);
    return stretched ? at(0) : indices[lead + d]!;
  });
}

interface Atom {
  readonly axis: Axis;
  readonly index: Index;
}

/** The axes a flattened axis was made of, with the index of each. */
function atomsOf(shape: Shape, indices: readonly Index[]): Atom[] {
  return shape.flatMap((a, d): Atom[] => {
    const index = indices[d]!;
    if (isDropped(a)) return [];
    if (a.parts.length === 0) return [{ axis: a, index }];
    return a.parts.map((p, k) => ({ axis: p, index: partOf(index, a.parts, k) }));
  });
}

/**
 * Indices into an array of shape `from` of the element that stands at `indices` after reshaping it
 * to `to`. Both are cut into the smallest runs of axes that hold equally many entries; within a run
 * the row-major position carries over.
 */
export function reshapeIndices(to: Shape, indices: readonly Index[], from: Shape): Index[] {
  const have = atomsOf(to, indices);
  const want = from.flatMap((a) => (isDropped(a) ? [] : a.parts.length > 0 ? a.parts : [a]));
  const found = matchAtoms(have, want);
  let next = 0;
  return from.map((a) => {
    if (isDropped(a)) return at(0);
    if (a.parts.length === 0) return found[next++]!;
    const own = a.parts.map(() => found[next++]!);
    return tupleOf(own, a.parts);
  });
}

function matchAtoms(have: readonly Atom[], want: readonly Axis[]): Index[] {
  const result: Index[] = [];
  let h = 0;
  let w = 0;
  while (w < want.length || h < have.length) {
    const x = have[h];
    const y = want[w];
    if (y === undefined) break; // only axes of size 1 are left on the other side
    if (x !== undefined && sameAxis(x.axis, y)) {
      result.push(x.index);
      h++;
      w++;
      continue;
    }
    if (isUnit(y)) {
      result.push(at(0));
      w++;
      continue;
    }
    if (x !== undefined && isUnit(x.axis)) {
      h++;
      continue;
    }
    const [nh, nw] = runLength(have, h, want, w);
    const group = have.slice(h, h + nh).filter((a) => !isUnit(a.axis) || nh === 1);
    const axes = want.slice(w, w + nw);
    const whole = tupleOf(
      group.map((a) => a.index),
      group.map((a) => a.axis),
    );
    axes.forEach((_, k) => result.push(partOf(whole, axes, k)));
    h += nh;
    w += nw;
  }
  return result;
}

/** How many axes of each side make the shortest run with equally many entries. */
function runLength(
  have: readonly Atom[],
  h: number,
  want: readonly Axis[],
  w: number,
): [number, number] {
  let nh = 1;
  let nw = 1;
  let left = have[h]?.axis.size ?? null;
  let right = want[w]!.size;
  while (left !== right || left === null) {
    // Sizes that are not known can only be matched as a whole.
    if (left === null || right === null) return [have.length - h, want.length - w];
    if (left < right && h + nh < have.length) {
      const n: number | null = have[h + nh++]!.axis.size;
      left = n === null ? null : left * n;
    } else if (w + nw < want.length) {
      const n: number | null = want[w + nw++]!.size;
      right = n === null ? null : right * n;
    } else return [have.length - h, want.length - w];
  }
  return [nh, nw];
}

/** The slice an axis is, read from its name (see `slice` in build.ts), or null. */
export function cutOf(a: Axis): { base: string; start: number; step: number } | null {
  const [base, ...cuts] = a.name.split("′");
  if (cuts.length === 0) return null;
  let start = 0;
  let step = 1;
  for (const cut of cuts) {
    const m = /^(\d+):(\d+):(\d+)$/.exec(cut);
    if (m === null) return null;
    start += Number(m[1]) * step;
    step *= Number(m[3]);
  }
  return { base: base!, start, step };
}

/** The subscripts an array of this shape shows: unit axes drop, complete parts become their whole. */
export function shownIndices(shape: Shape, indices: readonly Index[]): Index[] {
  const atoms = shape.flatMap((a, d): Atom[] => {
    if (isDropped(a)) return [];
    const index = indices[d]!;
    if (index.kind !== "tuple") return [{ axis: a, index }];
    return index.parts.map((p, k) => ({ axis: index.axes[k]!, index: p }));
  });
  const shown: Index[] = [];
  for (let n = 0; n < atoms.length; n++) {
    const first = atoms[n]!.index;
    const run = first.kind === "part" ? completeRun(atoms, n, first) : 0;
    if (run > 0 && first.kind === "part") {
      const whole = first.whole;
      shown.push(...(whole.kind === "tuple" ? whole.parts : [whole]));
      n += run - 1;
    } else shown.push(first);
  }
  return shown;
}

/** Number of atoms from `n` on that are all the parts of one whole; missing ones have size 1. */
function completeRun(
  atoms: readonly Atom[],
  n: number,
  first: Index & { readonly kind: "part" },
): number {
  let used = 0;
  for (let k = 0; k < first.axes.length; k++) {
    const x = atoms[n + used]?.index;
    if (x?.kind === "part" && x.k === k && sameIndex(x.whole, first.whole)) used++;
    else if (x?.kind === "at" && first.axes[k]!.size === 1) used++;
    else if (first.axes[k]!.size !== 1) return 0;
  }
  return used;
}
