import assert from "node:assert/strict";
import fc from "fast-check";
import { type Axis, UNIT, axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { evaluateAll } from "../../../src/expression/evaluate.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { LIMITS } from "../../../src/numbers/kernel/plan.ts";
import { Scheduler } from "../../../src/numbers/kernel/schedule.ts";
import { evaluateReference } from "../../../src/numbers/reference.ts";
import { boundArrays } from "./plainly.ts";
import { randomCase } from "./randomExpression.ts";

function inPairs(terms: readonly Expr[]): Expr {
  if (terms.length === 1) return terms[0]!;
  const half = terms.length >> 1;
  return b.add(inPairs(terms.slice(0, half)), inPairs(terms.slice(half)));
}

describe("kernels of windows over windows", () => {
  it("give the same when whatever windows look at gets a pass of its own", () => {
    fc.assert(
      fc.property(randomCase, ({ outputs, arrays }) => {
        const plain = compileKernel(outputs).run(arrays).outputs;
        const apart = compileKernel(outputs, { limits: { mostInstructions: 1 } }).run(
          arrays,
        ).outputs;
        plain.forEach(({ data }, k) => {
          const scale = data.reduce(
            (m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m),
            1,
          );
          data.forEach((v, i) => {
            const w = apart[k]!.data[i]!;
            assert.ok(Object.is(v, w) || v === w || Math.abs(v - w) <= 1e-9 * scale, `${v}, ${w}`);
          });
        });
      }),
      { numRuns: 100, seed: 7, endOnFailure: true },
    );
  });

  it("stay within the entries that a part of joined axes has", () => {
    const [c, h, w] = [axis("c", 3), axis("h", 9), axis("w", 10)];
    const [q, r, i, k] = [axis("q", 8), axis("r", 8), axis("i", 2), axis("k", 3)];
    const x = b.input("x", [c, h, w]);
    const added = (e: Expr, by: Axis): Expr =>
      b.expand(b.reshape(e, [...e.shape, UNIT]), [...e.shape, by]);
    const windows = b.slide(added(b.slide(added(x, i), 1, 3, 1, 0, q), k), 2, 4, 1, 0, r);
    // As F.unfold gives them: the entries of all channels' windows along one axis.
    const columns = b.reshape(b.transpose(windows, [0, 3, 4, 1, 2]), [
      axis("j", 18),
      axis("p", 64),
    ]);
    const arrays = new Map([["x", Float64Array.from({ length: 270 }, (_, n) => (n * n) % 17)]]);
    const e = b.sum(columns, [0]);
    const reference = evaluateReference([e], arrays)[0]!.hi;
    for (const vectors of ["never", "always"] as const) {
      assert.deepEqual(compileKernel([e], { vectors }).run(arrays).outputs[0]!.data, reference);
    }
  });

  it("are given in JavaScript where their function is longer than engines take", () => {
    const x = b.input("x", [axis("i", 1300)]);
    const i = axis("q", 100);
    const moved = (k: number): Expr => b.reshape(b.slice(x, 0, k, k + 100), [i]);
    // A parameter for each place that is read, and some forty variables for each sigmoid.
    const wide = inPairs(Array.from({ length: 1100 }, (_, k) => moved(k)));
    const long = inPairs(Array.from({ length: 700 }, (_, k) => b.sigmoid(moved(k))));
    const arrays = new Map([["x", Float64Array.from({ length: 1300 }, (_, k) => Math.sin(k))]]);
    for (const e of [wide, long]) {
      const [plain, vectors] = (["never", "always"] as const).map(
        (way) => compileKernel([e], { vectors: way }).run(arrays).outputs[0]!.data,
      );
      const reference = evaluateReference([e], arrays)[0]!.hi;
      plain!.forEach((v, k) => {
        assert.ok(Math.abs(v - vectors![k]!) <= 1e-12 && Math.abs(v - reference[k]!) <= 1e-12);
      });
    }
  });

  it("need no array of all that windows hold where these slide", () => {
    const [h, w, i, j] = [axis("h", 300), axis("w", 300), axis("i", 7), axis("j", 5)];
    const x = b.input("x", [h, w]);
    const weight = b.input("weight", [i, j]);
    const wide = b.expand(b.reshape(b.sigmoid(x), [h, w, UNIT, UNIT]), [h, w, i, j]);
    const all = b.slide(b.slide(wide, 0, 2, 1, -3, h), 1, 3, 1, -2, w);
    const blurred = b.sum(b.mul(all, weight), [2, 3]);
    const loss = b.mean(b.mul(blurred, blurred));
    const outputs = [loss, derive(loss, x)];
    const { buffers } = new Scheduler(outputs, LIMITS).run(new Set());
    assert.ok(buffers.every((q) => q.count <= 300 * 300));
    const values = (n: number): Float64Array =>
      Float64Array.from({ length: n }, (_, k) => Math.sin(k));
    const arrays = new Map([
      ["x", values(300 * 300)],
      ["weight", values(35)],
    ]);
    const [plain, vectors] = (["never", "always"] as const).map((way) =>
      compileKernel(outputs, { vectors: way })
        .run(arrays)
        .outputs.map((o) => o.data),
    );
    plain!.forEach((data, k) => {
      data.forEach((v, at) => {
        assert.ok(Math.abs(v - vectors![k]![at]!) <= 1e-13);
      });
    });
  });

  it("compute once what is costly and what many windows look at", () => {
    const [h, i] = [axis("h", 3000), axis("i", 21)];
    const [x, weight] = [b.input("x", [h]), b.input("weight", [i])];
    const slid = (e: Expr): Expr =>
      b.slide(b.expand(b.reshape(e, [h, UNIT]), [h, i]), 0, 1, 1, -10, h);
    const blurred = b.sum(b.mul(slid(b.exp(x)), weight), [1]);
    const loss = b.sum(b.div(blurred, b.add(b.constant(1), b.mul(blurred, blurred))));
    const exponentials = (e: Expr): number => compileKernel([e]).source().split("exp(").length - 1;
    assert.equal(exponentials(loss), 1);
    const { buffers, stored } = new Scheduler([loss, derive(loss, x)], LIMITS).run(new Set());
    assert.ok([...stored.keys()].some((e) => e.kind === "reshape" || e.kind === "unary"));
    assert.ok(buffers.every((q) => q.count <= 3000));
  });

  it("give back to each entry what windows some steps apart have of it", () => {
    for (const [size, within, step, padding] of [
      [20, 4, 4, 0],
      [23, 4, 4, 1],
      [21, 5, 2, 2],
      [19, 7, 3, 0],
      [9, 9, 5, 4],
      [17, 2, 5, 0],
    ] as const) {
      const windows = Math.floor((size + 2 * padding - within) / step) + 1;
      const [h, i, j] = [axis("h", size), axis("i", within), axis("j", 3)];
      const all = axis("h⁺", (windows - 1) * step + 1);
      const x = b.input("x", [h]);
      const weight = b.input("weight", [i, j]);
      const wide = b.expand(b.reshape(x, [h, UNIT, UNIT]), [h, i, j]);
      const seen = b.slice(b.slide(wide, 0, 1, 1, -padding, all), 0, 0, null, step);
      const sums = b.sum(b.mul(seen, weight), [1, 2]);
      const gradient = derive(b.sum(b.mul(sums, sums)), x);
      const arrays = new Map([
        ["x", Float64Array.from({ length: size }, (_, k) => Math.sin(k))],
        ["weight", Float64Array.from({ length: 3 * within }, (_, k) => Math.cos(k))],
      ]);
      const want = evaluateAll([gradient], boundArrays([gradient], arrays))[0]!.data;
      for (const vectors of ["never", "always"] as const) {
        const got = compileKernel([gradient], { vectors }).run(arrays).outputs[0]!.data;
        got.forEach((v, k) => {
          assert.ok(Math.abs(v - want[k]!) <= 1e-12, `${size}, ${within}, ${step}: ${k}`);
        });
      }
    }
  });

  it("add up patches that are columns, along the axes that were joined to these", () => {
    for (const [padding, step, inside] of [
      [1, 1, [3, 2]],
      [2, 3, [3, 2]],
      [1, 2, [5, 4]],
      [0, 2, [2, 20]],
    ] as const) {
      const [c, h, w] = [axis("c", 3), axis("h", 9), axis("w", 25)];
      const x = b.input("x", [c, h, w]);
      const counts = inside.map((n, k) => Math.floor(([9, 25][k]! + 2 * padding - n) / step + 1));
      const windows = inside.reduce<Expr>((e, n, k) => {
        const added = b.expand(b.reshape(e, [...e.shape, UNIT]), [...e.shape, axis("ij"[k]!, n)]);
        const all = axis("q", (counts[k]! - 1) * step + 1);
        return b.slice(b.slide(added, k + 1, 3 + k, 1, -padding, all), k + 1, 0, null, step);
      }, x);
      const entries = axis("j", 3 * inside[0] * inside[1]);
      const columns = b.reshape(b.transpose(windows, [0, 3, 4, 1, 2]), [
        entries,
        axis("p", counts[0]! * counts[1]!),
      ]);
      const weight = b.input("weight", [entries, UNIT]);
      const sums = b.sum(b.mul(b.sigmoid(columns), weight), [0]);
      const loss = b.sum(b.mul(sums, sums));
      const arrays = new Map([
        ["x", Float64Array.from({ length: 675 }, (_, k) => Math.sin(k * k))],
        ["weight", Float64Array.from({ length: entries.size! }, (_, k) => Math.cos(k))],
      ]);
      const outputs = [sums, derive(loss, x)];
      const want = evaluateAll(outputs, boundArrays(outputs, arrays));
      for (const vectors of ["never", "always"] as const) {
        const { outputs: got } = compileKernel(outputs, { vectors }).run(arrays);
        got.forEach(({ data }, o) => {
          data.forEach((v, k) => {
            assert.ok(Math.abs(v - want[o]!.data[k]!) <= 1e-12, `${inside.join()}, ${step}: ${k}`);
          });
        });
      }
    }
  });

  it("pool what was pooled twenty times over", () => {
    const [i, w] = [axis("i", 40), axis("w", 3)];
    const wide = axis("q", 42);
    const round = (e: Expr): Expr => {
      const padded = b.spread(e, 0, 1, 1, wide);
      const parts = [0, 1, 2].map((k) => b.reshape(b.slice(padded, 0, k, k + 40), [i]));
      return b.reduce("max", b.mul(b.stack(parts, 1, w), b.constant(0.9)), [1]);
    };
    const x = b.input("x", [i]);
    let e: Expr = x;
    for (let k = 0; k < 20; k++) e = round(e);
    const arrays = new Map([["x", Float64Array.from({ length: 40 }, (_, k) => Math.sin(k * k))]]);
    const outputs = [b.sum(e), b.mean(b.mul(e, e))];
    const { outputs: got } = compileKernel(outputs, { limits: { leastInlinedResult: 1 } }).run(
      arrays,
    );
    evaluateAll(outputs, boundArrays(outputs, arrays)).forEach((want, k) => {
      assert.ok(Math.abs(got[k]!.data[0]! - want.data[0]!) <= 1e-12);
    });
  });
});
