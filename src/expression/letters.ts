/** Index letters for the axes of an array: fresh ones, so that no sum captures an index in use. */
import type { Axis } from "./axis.ts";
import {
  type Index,
  affine,
  at,
  cutOf,
  isDropped,
  letterIndex,
  partOf,
  tupleOf,
} from "./indices.ts";
import type { Names } from "./names.ts";
import type { Binder } from "./term.ts";

/** Letters in use around a place. */
export type Scope = ReadonlySet<string>;

/** Letters of an array's axes and the ranges they run over. */
export interface Allocation {
  readonly indices: Index[];
  readonly binders: Binder[];
}

export class Letters {
  private readonly names: Names;
  private readonly joint: readonly (readonly string[])[];

  /** @param joint runs of axes (by name) that go by one letter */
  constructor(names: Names, joint: readonly (readonly string[])[]) {
    this.names = names;
    this.joint = joint;
  }

  /** Letters for the axes of `shape`, avoiding those in `scope` and those that are symbols. */
  allocate(shape: readonly (Axis | null)[], scope: Scope): Allocation {
    const taken = new Set(scope);
    const indices: Index[] = [];
    const binders: Binder[] = [];
    for (let d = 0; d < shape.length; d++) {
      const a = shape[d] ?? null;
      const run = this.jointRun(shape, d);
      if (run > 0) {
        const axes = (shape.slice(d, d + run) as Axis[]).flatMap((x) =>
          x.parts.length > 0 ? x.parts : [x],
        );
        const letter = this.freshLetter("i", taken);
        binders.push({ letter });
        let k = 0;
        for (const x of shape.slice(d, d + run) as Axis[]) {
          const width = Math.max(1, x.parts.length);
          const parts = Array.from({ length: width }, (_, n) =>
            partOf(letterIndex(letter), axes, k + n),
          );
          indices.push(tupleOf(parts, x.parts.length > 0 ? x.parts : [x]));
          k += width;
        }
        d += run - 1;
      } else if (a === null || isDropped(a)) indices.push(at(0));
      else {
        const cut = cutOf(a);
        const letter = this.freshLetter(baseLetter(a), taken);
        if (cut?.step === 1 && a.size !== null) {
          binders.push({ letter, from: cut.start, to: cut.start + a.size - 1 });
          indices.push(affine(letterIndex(letter), 1, -cut.start));
        } else {
          binders.push({ letter });
          indices.push(letterIndex(letter));
        }
      }
    }
    return { indices, binders };
  }

  /** Number of axes from `d` on that together are one of the joint runs; 0 if none starts here. */
  private jointRun(shape: readonly (Axis | null)[], d: number): number {
    for (const names of this.joint) {
      let seen: string[] = [];
      for (let n = d; n < shape.length && seen.length < names.length; n++) {
        const a = shape[n];
        if (a === null || a === undefined) break;
        seen = seen.concat(a.parts.length > 0 ? a.parts.map((p) => p.name) : [a.name]);
        if (seen.length === names.length && seen.every((s, k) => s === names[k])) return n - d + 1;
      }
    }
    return 0;
  }

  private freshLetter(base: string, taken: Set<string>): string {
    const pool = LETTERS[base] ?? base;
    const letters = base.length > 1 ? [base] : Array.from(pool);
    for (let primes = 0; ; primes++) {
      for (const l of letters) {
        const letter = l + "'".repeat(primes);
        if (taken.has(letter) || (primes === 0 && this.names.isTaken(letter))) continue;
        taken.add(letter);
        return letter;
      }
    }
  }
}

/** What to call an index when the first choice is taken; after these come primes. */
const LETTERS: Readonly<Record<string, string>> = {
  i: "ijklmnqr",
  j: "jklmnqr",
  k: "klmnqr",
  c: "ck",
};

function baseLetter(a: Axis): string {
  const name = a.name.split(/[′⁺]/)[0]!; // past what slicing and joining added
  if (/^[A-Za-z]\d{0,2}$/.test(name)) return name;
  if (a.role === "class") return "c";
  if (a.role === "batch") return "b";
  return "i";
}
