/** Sums in every number type, bit for bit as real PyTorch and NumPy add on the CPU. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNpy } from "../../src/arrays/npy.ts";
import type { ElementType } from "../../src/expression/tape.ts";
import { type Held, countOf, held, isHalf } from "../../src/numbers/precision/held.ts";
import { numpySum } from "../../src/numbers/precision/numpySum.ts";
import { torchSum } from "../../src/numbers/precision/torchSum.ts";
import { runOracle } from "./environment.ts";

interface SumCase {
  readonly library: "torch" | "numpy";
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Of each axis, before the permutation. */
  readonly slices: readonly (readonly [start: number, step: number])[];
  /** Axes whose first entry is repeated, before the permutation. */
  readonly expanded: readonly number[];
  readonly permutation: readonly number[];
  readonly dims: readonly number[];
  readonly sums: readonly number[];
}

describe("sums as the libraries add them", function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-sums-"));
  let numbers = new Float64Array();
  let cases: SumCase[] = [];

  before(async () => {
    const printed = await runOracle("test/oracle/precision_sums.py", [folder]);
    const json = printed.slice(printed.lastIndexOf('\n{"cases"') + 1);
    ({ cases } = JSON.parse(json) as { cases: SumCase[] });
    const file = new Uint8Array(readFileSync(join(folder, "numbers.npy")));
    numbers = readNpy(file, "numbers").data as Float64Array<ArrayBuffer>;
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [library, dtypes] of [
    ["torch", ["float64", "float32", "float16", "bfloat16"]],
    ["numpy", ["float64", "float32", "float16"]],
  ] as const) {
    for (const dtype of dtypes) {
      it(`${library} ${dtype}: every sum over every axis and layout, bit for bit`, () => {
        const own = cases.filter((c) => c.library === library && c.dtype === dtype);
        assert.ok(own.length > 100);
        const wrong = own.filter((c) => !equal(ours(c), c.sums));
        assert.deepEqual(
          wrong.map(({ shape, slices, expanded, permutation, dims }) => ({
            shape,
            slices,
            expanded,
            permutation,
            dims,
          })),
          [],
        );
      });
    }
  }

  function ours(c: SumCase): Float64Array {
    const drawn = numbers.subarray(0, countOf(c.shape));
    // PyTorch converts to half precision by way of float32.
    const given = c.library === "torch" && isHalf(c.dtype) ? Float32Array.from(drawn) : drawn;
    const x = permuted(sliced(held(c.dtype, c.shape, given), c), c);
    return c.library === "torch" ? torchSum(x, c.dims) : numpySum(x, c.dims);
  }
});

function sliced(x: Held, { slices, expanded }: SumCase): Held {
  return {
    ...x,
    shape: x.shape.map((n, d) => Math.ceil((n - slices[d]![0]) / slices[d]![1])),
    strides: x.strides.map((s, d) => (expanded.includes(d) ? 0 : s * slices[d]![1])),
    offset: slices.reduce((at, [start], d) => at + start * x.strides[d]!, 0),
  };
}

function permuted(x: Held, { permutation }: SumCase): Held {
  return {
    ...x,
    shape: permutation.map((d) => x.shape[d]!),
    strides: permutation.map((d) => x.strides[d]!),
  };
}

function equal(a: ArrayLike<number>, b: readonly number[]): boolean {
  return a.length === b.length && b.every((x, k) => x === a[k]);
}
