/** Walking through two arrays at once, along any axes. */
import { stridesOf } from "../expression/axis.ts";

/** A stretch of entries: from `a` in steps of `da` in one array, from `b` in steps of `db`. */
export type Run = (a: number, b: number, n: number, da: number, db: number) => void;

const LONGEST_RUN = 1 << 15;

/**
 * Calls `run` for stretches that together are all positions of an index space, in row-major order.
 * `aSteps` and `bSteps` say how far a step along each axis moves in the two arrays.
 */
export function forEachRun(
  sizes: readonly number[],
  aSteps: readonly number[],
  bSteps: readonly number[],
  aStart: number,
  bStart: number,
  run: Run,
): void {
  if (sizes.includes(0)) return;
  const axes = merged(sizes, aSteps, bSteps);
  const last = axes.pop() ?? { n: 1, a: 0, b: 0 };
  const at = axes.map(() => 0);
  let a = aStart;
  let b = bStart;
  for (;;) {
    for (let from = 0; from < last.n; from += LONGEST_RUN) {
      const n = Math.min(LONGEST_RUN, last.n - from);
      run(a + from * last.a, b + from * last.b, n, last.a, last.b);
    }
    let d = axes.length - 1;
    for (; d >= 0; d--) {
      const axis = axes[d]!;
      a += axis.a;
      b += axis.b;
      if (++at[d]! < axis.n) break;
      a -= axis.a * axis.n;
      b -= axis.b * axis.n;
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

interface StridedAxis {
  n: number;
  a: number;
  b: number;
}

/** Neighbouring axes that both arrays run through evenly become one. */
function merged(
  sizes: readonly number[],
  aSteps: readonly number[],
  bSteps: readonly number[],
): StridedAxis[] {
  const axes: StridedAxis[] = [];
  sizes.forEach((n, d) => {
    if (n === 1) return;
    const a = aSteps[d]!;
    const b = bSteps[d]!;
    const outer = axes.at(-1);
    if (outer?.a === a * n && outer.b === b * n) {
      outer.n *= n;
      outer.a = a;
      outer.b = b;
    } else axes.push({ n, a, b });
  });
  return axes;
}

/** Steps through an array of shape `from` for each axis of `to`, to which it broadcasts. */
export function broadcastSteps(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  const shift = to.length - from.length;
  return to.map((_, d) => (d < shift || from[d - shift] === 1 ? 0 : strides[d - shift]!));
}
