/** Sizes, shapes and subscripts in generated code, and what they bind the code to. */
import { type Axis, type Shape, isUnit, sameAxis, sameShape } from "./axis.ts";
import { cutOf } from "./indices.ts";
import type { Expr } from "./node.ts";

/** Thrown for what has no certain counterpart in the library; no code is better than wrong code. */
export class CannotWrite extends Error {
  override readonly name = "CannotWrite";
}

export class Shapes {
  /** Axes (by name) whose sizes stand in the code as numbers, or decide what it does. */
  readonly fixedAxes = new Set<string>();
  /** The code names axes by their positions, so it is right for arrays of this rank alone. */
  usesPositions = false;
  private readonly arrays: readonly Expr[];
  private readonly nameOf: (array: Expr) => string;

  /** @param arrays inputs whose sizes the code may ask for */
  constructor(arrays: readonly Expr[], nameOf: (array: Expr) => string) {
    this.arrays = arrays;
    this.nameOf = nameOf;
  }

  /** The tuple of sizes; `free` allows a single -1 for a size that has no simple name. */
  shape(shape: Shape, free = false): string {
    const twin = this.arrays.find((a) => a.shape.length > 0 && sameShape(a.shape, shape));
    if (twin !== undefined) return `${this.nameOf(twin)}.shape`;
    // One axis that takes what there is, (-1,), holds for any rank.
    if (shape.length !== 1) this.usesPositions = true;
    const flattened = shape.filter((a) => !isUnit(a) && this.lookup(a) === null);
    const wild = free && flattened.length === 1 ? flattened[0] : undefined;
    const sizes = shape.map((a) => (a === wild ? "-1" : this.sizeCode(a)));
    return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(", ")})`;
  }

  /** Code for the size of an axis: read off an array that has it, else the number itself. */
  sizeCode(a: Axis): string {
    if (isUnit(a) && a.role === "unit") return "1";
    const found = this.lookup(a);
    if (found !== null) return found;
    const cut = cutOf(a);
    const base = cut?.step === 1 ? this.lookupNamed(cut.base, cut.start + (a.size ?? NaN)) : null;
    if (base !== null) return `(${base} - ${cut!.start})`;
    if (a.size !== null) {
      this.fix(a);
      return String(a.size);
    }
    if (a.parts.length > 0) return a.parts.map((p) => this.sizeCode(p)).join(" * ");
    throw new CannotWrite(`the size of axis ${a.name} is not known`);
  }

  /** `what` at position `dim` of a subscript. */
  position(dim: number, what: string): string {
    this.usesPositions = true;
    return ":, ".repeat(dim) + what;
  }

  fix(a: Axis): void {
    for (const part of a.parts.length > 0 ? a.parts : [a]) {
      if (!isUnit(part) || part.role !== "unit") this.fixedAxes.add(part.name.split(/[′⁺]/)[0]!);
    }
  }

  private lookupNamed(name: string, size: number): string | null {
    for (const x of this.arrays) {
      const d = x.shape.findIndex((s) => s.name === name && s.size === size);
      if (d >= 0) return this.sizeAt(x, d);
    }
    return null;
  }

  private sizeAt(x: Expr, d: number): string {
    this.usesPositions = true;
    return `${this.nameOf(x)}.shape[${d}]`;
  }

  private lookup(a: Axis): string | null {
    for (const x of this.arrays) {
      const d = x.shape.findIndex((s) => sameAxis(s, a));
      if (d >= 0) return this.sizeAt(x, d);
    }
    return null;
  }
}

/** Python's start:stop:step of a slice; open where it goes to the end. */
export function range(
  e: { readonly start: number; readonly step: number },
  count: number,
  total: number | null,
): string {
  const stop = count === 0 ? e.start : e.start + (count - 1) * e.step + 1;
  const end = total !== null && stop + e.step - 1 >= total ? "" : String(stop);
  return `${e.start === 0 ? "" : e.start}:${end}${e.step === 1 ? "" : `:${e.step}`}`;
}

/** A subscript that only adds or drops axes of size 1, e.g. `:, None`; null if more happens. */
export function insertedUnits(from: Shape, to: Shape): string | null {
  const parts: string[] = [];
  let k = 0;
  for (const a of to) {
    while (k < from.length && isUnit(from[k]!) && !sameAxis(from[k]!, a)) {
      parts.push("0");
      k++;
    }
    if (k < from.length && sameAxis(from[k]!, a)) {
      parts.push(":");
      k++;
    } else if (isUnit(a)) parts.push("None");
    else return null;
  }
  for (; k < from.length; k++) {
    if (!isUnit(from[k]!)) return null;
    parts.push("0");
  }
  while (parts.at(-1) === ":") parts.pop();
  return parts.join(", ");
}
