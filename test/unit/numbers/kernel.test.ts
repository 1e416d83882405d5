import assert from "node:assert/strict";
import fc from "fast-check";
import { sizesOf } from "../../../src/expression/axis.ts";
import { evaluateAll } from "../../../src/expression/evaluate.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import {
  type CompileOptions,
  type RunOptions,
  compileKernel,
} from "../../../src/numbers/kernel.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";
import { randomCase } from "./randomExpression.ts";

/** On small arrays, the ways of large ones: everything is inlined, kept and cut in chunks. */
const EAGER: CompileOptions = {
  limits: { leastInlinedResult: 1, leastKept: 2, leastChunk: 3, smallResult: 4, deepestRegion: 9 },
};

function plainly(outputs: readonly Expr[], arrays: ReadonlyMap<string, TypedArray>) {
  const shapes = new Map<string, number[]>();
  for (const e of topological(...outputs))
    if (e.kind === "input") shapes.set(e.name, sizesOf(e.shape));
  const bound = new Map(
    [...shapes].map(([name, shape]) => [name, { shape, data: arrays.get(name)! }]),
  );
  const all = topological(...outputs);
  const values = evaluateAll(all, bound);
  // Rounding is judged by the largest number on the way.
  const scale = values
    .flatMap((v) => [...v.data])
    .reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1);
  return { values: outputs.map((e) => values[all.indexOf(e)]!), scale };
}

function assertSameValues(
  outputs: readonly Expr[],
  arrays: ReadonlyMap<string, TypedArray>,
  compile: CompileOptions = {},
  run: RunOptions = {},
): void {
  const { values, scale } = plainly(outputs, arrays);
  const kernel = compileKernel(outputs, compile);
  const got = kernel.run(arrays, run).outputs;
  values.forEach((want, k) => {
    assert.deepEqual(got[k]!.shape, want.shape);
    want.data.forEach((w, i) => {
      const g = got[k]!.data[i]!;
      const close = Object.is(g, w) || g === w || Math.abs(g - w) <= 1e-11 * scale;
      assert.ok(close, `output ${k}, entry ${i}: ${g}, expected ${w}\n${kernel.source()}`);
    });
  });
}

describe("kernels", () => {
  it("give what plain evaluation gives for random expressions", () => {
    fc.assert(
      fc.property(randomCase, ({ outputs, arrays }) => {
        assertSameValues(outputs, arrays);
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it("give the same when small arrays are treated as large ones", () => {
    fc.assert(
      fc.property(randomCase, fc.constantFrom(1, 4, 17), ({ outputs, arrays }, chunk) => {
        assertSameValues(outputs, arrays, EAGER, { chunk });
      }),
      { numRuns: 500, endOnFailure: true },
    );
  });
});
