/** Distances, components, erosion and dilation against real SciPy, over random masks. */
import assert from "node:assert/strict";
import {
  type Structure,
  components,
  cross,
  dilated,
  distancesToZero,
  eroded,
  structureFrom,
} from "../../src/python/tensors/morphology.ts";
import { runOracle } from "./environment.ts";

interface MaskCase {
  readonly shape: readonly number[];
  readonly mask: readonly number[];
  readonly distances: readonly number[];
  readonly sampling: readonly number[];
  readonly sampled: readonly number[];
  readonly labels: Readonly<Record<"full" | "around", readonly number[]>>;
  readonly counts: Readonly<Record<"full" | "around", number>>;
  readonly shifted: readonly {
    readonly structure: readonly number[];
    readonly times: number;
    readonly outside: number;
    readonly eroded: readonly number[];
    readonly dilated: readonly number[];
  }[];
}

const never = (): void => undefined;

describe("morphology as SciPy has it", function () {
  this.timeout(120_000);
  let cases: MaskCase[] = [];

  before(async () => {
    const printed = await runOracle("test/oracle/morphology.py", []);
    const json = printed.slice(printed.lastIndexOf('{"scipy"'));
    ({ cases } = JSON.parse(json) as { cases: MaskCase[] });
    assert.ok(cases.length > 40);
  });

  it("distances are the same number for number, with and without sampling", () => {
    for (const { shape, mask, distances, sampling, sampled } of cases) {
      const ones = shape.map(() => 1);
      assert.deepEqual([...distancesToZero(mask, shape, ones, never)], distances);
      const own = distancesToZero(mask, shape, sampling, never);
      sampled.forEach((d, k) => {
        assert.ok(Math.abs(own[k]! - d) <= 1e-15 * d, `${own[k]} for ${d}`);
      });
    }
  });

  it("components have the same numbers, by faces and by corners", () => {
    for (const { shape, mask, labels, counts } of cases) {
      const cube = shape.map(() => 3);
      const all = structureFrom(Array(3 ** shape.length).fill(1), cube);
      for (const [name, structure] of [
        ["around", cross(shape.length)],
        ["full", all],
      ] as const) {
        const own = components(mask, shape, structure, never);
        assert.deepEqual([[...own.labels], own.count], [labels[name], counts[name]]);
      }
    }
  });

  it("erosion and dilation are the same, with any structure, border and number of steps", () => {
    for (const { shape, mask, shifted } of cases) {
      for (const c of shifted) {
        const structure: Structure = structureFrom(
          c.structure,
          shape.map(() => 3),
        );
        const how = { outside: c.outside === 1, times: c.times };
        assert.deepEqual([...eroded(mask, shape, structure, how, never)], c.eroded);
        assert.deepEqual([...dilated(mask, shape, structure, how, never)], c.dilated);
      }
    }
  });
});
