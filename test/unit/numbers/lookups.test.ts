import assert from "node:assert/strict";
import { type Axis, UNIT, axis, elementCount } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { usePlainCopies } from "../../../src/numbers/copies.node.ts";
import { type CompileOptions, compileKernel } from "../../../src/numbers/kernel.ts";
import { evaluateNodeByNode } from "../../../src/numbers/reference.ts";
import { heap, typeOf } from "../../../src/numbers/wasm/heap.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";

/** However short the axis is. */
const ALWAYS = { mostInlined: 1, leastSingle: 1 };

const WAYS: Readonly<Record<string, CompileOptions>> = {
  "in JavaScript": { vectors: "never" },
  "on vectors": { vectors: "always" },
  "in float32": { vectors: "always", arithmetic: "float32" },
  "in small pieces": { vectors: "always", limits: { leastChunk: 3 } },
};

/** Positions of entries of `n`, some of them twice, and two that no entry has. */
function positionsBelow(n: number, count: number): Int32Array {
  const places = Int32Array.from({ length: count }, (_, k) => (k * k * 7 + 3 * k) % n);
  if (count > 4) [places[1], places[4]] = [n, -1];
  return places;
}

const values = (n: number, scale: number): Float64Array =>
  Float64Array.from({ length: n }, (_, k) => Math.fround(Math.sin(k * scale) + 0.25));

const units = (rank: number): Axis[] => Array.from({ length: rank }, () => UNIT);

/** x[…, k, …]: entries of x along `dim`, those at the places of one list for all other axes. */
function picked(x: Expr, k: Expr, dim: number): Expr {
  const along = axis("j", x.shape[dim]!.size);
  const { shape } = x;
  const hot = b.oneHot(k, along, 1);
  const after = shape.slice(dim + 1);
  const table = b.reshape(x, [...shape.slice(0, dim), UNIT, along, ...after]);
  const chosen = b.reshape(hot, [...units(dim), k.shape[0]!, along, ...units(after.length)]);
  return b.reduce("sum", b.mul(chosen, table), [dim + 1]);
}

/** Each entry at the place that its own position array names, as `gather` takes them. */
function gathered(x: Expr, k: Expr, dim: number): Expr {
  const hot = b.oneHot(k, axis("j", x.shape[dim]!.size), dim + 1);
  const shape = [...x.shape.slice(0, dim), UNIT, hot.shape[dim + 1]!, ...x.shape.slice(dim + 1)];
  return b.reduce("sum", b.mul(hot, b.reshape(x, shape)), [dim + 1]);
}

/** Entries of x added up at the places along a new first axis. */
function added(x: Expr, k: Expr, n: number): Expr {
  const hot = b.oneHot(k, axis("j", n), 0);
  return b.reduce(
    "sum",
    b.mul(hot, b.reshape(x, [UNIT, ...x.shape])),
    [...x.shape.keys()].map((d) => d + 1),
  );
}

interface Case {
  readonly outputs: readonly Expr[];
  readonly arrays: ReadonlyMap<string, TypedArray>;
}

function made(
  shape: readonly number[],
  places: readonly number[],
  of: (x: Expr, k: Expr) => Expr,
  below: number,
): Case {
  const x = b.input(
    "x",
    shape.map((n, d) => axis("abcd"[d]!, n)),
  );
  const k = b.input(
    "k",
    places.map((n, d) => axis("pqrs"[d]!, n)),
    "int",
  );
  const result = of(b.unary("sigmoid", x), k);
  const loss = b.reduce("sum", b.mul(result, result), null);
  const count = elementCount(x.shape)!;
  const arrays = new Map<string, TypedArray>([
    ["x", values(count, 0.7)],
    ["k", positionsBelow(below, elementCount(k.shape)!)],
  ]);
  return { outputs: [result, derive(loss, x)], arrays };
}

const CASES: Readonly<Record<string, Case>> = {
  "entries of a list": made([40], [13], (x, k) => picked(x, k, 0), 40),
  "rows of a matrix": made([19, 7], [11], (x, k) => picked(x, k, 0), 19),
  "columns of rows": made([3, 23, 5], [6], (x, k) => picked(x, k, 1), 23),
  "gather along the last axis": made([6, 31], [6, 9], (x, k) => gathered(x, k, 1), 31),
  "gather along the middle axis": made([2, 21, 8], [2, 5, 8], (x, k) => gathered(x, k, 1), 21),
  "sums at places": made([57], [57], (x, k) => added(x, k, 18), 18),
  "sums of all rows at places": made([4, 30], [4, 30], (x, k) => added(x, k, 25), 25),
  "entries of what was picked": made(
    [40],
    [40],
    (x, k) => picked(b.mul(picked(x, k, 0), x), k, 0),
    40,
  ),
  "sums of what was picked": made([40], [40], (x, k) => added(picked(x, k, 0), k, 40), 40),
};

/** Numbers that look random, the same in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Σ of a product of an array, of one or two one-hot encodings and of arrays along their classes. */
function randomProduct(below: (n: number) => number): Case {
  const of = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const axes = Array.from({ length: 1 + below(3) }, (_, d) => axis("abc"[d]!, of([2, 3, 5, 7, 1])));
  const x = b.input("x", axes);
  const arrays = new Map<string, TypedArray>([["x", values(elementCount(axes)!, 1.3)]]);
  const classes = Array.from({ length: 1 + below(2) }, (_, h) => axis("pq"[h]!, of([2, 3, 4, 6])));
  const alone = (h: number): Axis[] => classes.map((a, g) => (g === h ? a : UNIT));
  let product = b.reshape(b.unary("tanh", x), [...axes, ...units(classes.length)]);
  classes.forEach((along, h) => {
    const n = along.size!;
    const k = b.input(
      `k${h}`,
      axes.map((a) => (below(3) > 0 ? a : UNIT)),
      "int",
    );
    const places = Array.from({ length: elementCount(k.shape)! }, () => below(n + 2) - 1);
    arrays.set(`k${h}`, Int32Array.from(places));
    const hot = b.reshape(b.oneHot(k, along, axes.length), [...k.shape, ...alone(h)]);
    product = b.mul(product, hot);
    if (below(2) === 0) return;
    const t = b.input(`t${h}`, [along]);
    arrays.set(`t${h}`, values(n, 0.4));
    product = b.mul(b.reshape(t, [...units(axes.length), ...alone(h)]), product);
  });
  const order = [...product.shape.keys()].sort(() => below(3) - 1);
  if (below(4) === 0) product = b.transpose(product, order);
  const dims = order.filter(() => below(2) === 0).sort((p, q) => p - q);
  const result = dims.length === 0 ? product : b.reduce("sum", product, dims, below(4) === 0);
  const loss = b.sum(b.mul(result, result));
  return { outputs: [result, loss, derive(loss, x)], arrays };
}

describe("entries looked up at positions", () => {
  for (const [name, { outputs, arrays }] of Object.entries(CASES)) {
    const want = evaluateNodeByNode(outputs, arrays).map((o) => o.hi);
    for (const [way, options] of Object.entries(WAYS)) {
      it(`${name}, ${way}`, () => {
        const kernel = compileKernel(outputs, {
          ...options,
          limits: { ...ALWAYS, ...options.limits },
        });
        const isSingle = options.arithmetic === "float32";
        for (const bindings of [arrays, inHeap(arrays)]) {
          const got = kernel.run(bindings).outputs;
          want.forEach((w, k) => {
            assertClose(got[k]!.data, w, isSingle ? 3e-6 : 1e-13, name);
          });
        }
      });
    }

    it(`${name}, in double-double`, () => {
      const options = { arithmetic: "double-double", limits: ALWAYS } as const;
      const got = compileKernel(outputs, options).run(arrays).outputs;
      want.forEach((w, k) => {
        assertClose(got[k]!.data.subarray(0, w.length), w, 1e-15, name);
      });
    });
  }

  it("give what going through all of them gives, in random products", () => {
    const below = numbersFrom(7);
    for (let run = 0; run < 150; run++) {
      const { outputs, arrays } = randomProduct(below);
      const want = evaluateNodeByNode(outputs, arrays).map((o) => o.hi);
      for (const options of Object.values(WAYS)) {
        const limits = {
          mostInlined: 1 + below(3),
          leastInlinedResult: [1, 8, 256][below(3)]!,
          leastSingle: 1,
          leastKept: 2,
          smallResult: 4,
          ...options.limits,
        };
        const got = compileKernel(outputs, { ...options, limits }).run(arrays).outputs;
        const most = options.arithmetic === "float32" ? 2e-5 : 1e-12;
        want.forEach((w, k) => {
          assertClose(got[k]!.data, w, most, `run ${run}, output ${k}`);
        });
      }
    }
  });

  it("takes no more steps than there are places", () => {
    const { outputs } = made([50_000], [60_000], (x, k) => picked(x, k, 0), 50_000);
    const most = Math.max(...compileKernel(outputs).passes.map((p) => p.total));
    assert.equal(most, 60_000);
  });

  it("leaves out NaN in entries that no place names", () => {
    const x = b.input("x", [axis("a", 20)]);
    const k = b.input("k", [axis("p", 3)], "int");
    const arrays = new Map<string, TypedArray>([
      ["x", values(20, 1).fill(NaN, 7, 8)],
      ["k", Int32Array.of(3, 19, 6)],
    ]);
    const [got] = compileKernel([picked(x, k, 0)]).run(arrays).outputs;
    assert.ok(
      got!.data.every((v) => Number.isFinite(v)),
      got!.data.join(),
    );
  });

  it("finds arrays of many pieces, in the heap or not", () => {
    const n = 300_000;
    const { outputs, arrays } = made([n], [n], (x, k) => picked(x, k, 0), n);
    const kernel = compileKernel(outputs, { vectors: "always" });
    const x = arrays.get("x")!;
    const k = arrays.get("k")!;
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    usePlainCopies();
    for (const bindings of [arrays, inHeap(arrays)]) {
      const [result, gradient] = kernel.run(bindings).outputs.map((o) => o.data);
      const sums = new Float64Array(n);
      k.forEach((place, at) => {
        const p = place < 0 || place >= n ? 0 : sigmoid(x[place]!);
        assert.ok(Math.abs(result![at]! - p) < 1e-15, `entry ${at}`);
        if (p > 0) sums[place] = sums[place]! + 2 * p * p * (1 - p);
      });
      assertClose(gradient!, sums, 1e-13, "gradient");
    }
  });
});

function inHeap(arrays: ReadonlyMap<string, TypedArray>): Map<string, TypedArray> {
  return new Map(
    [...arrays].map(([name, a]) => {
      const own = heap().array(typeOf(a), a.length);
      own.set(a);
      return [name, own];
    }),
  );
}

function assertClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  most: number,
  what: string,
): void {
  assert.equal(got.length, want.length, what);
  const scale = Math.max(1, ...Array.from(want, Math.abs).slice(0, 5000));
  for (let k = 0; k < want.length; k++) {
    const off = Math.abs(got[k]! - want[k]!);
    assert.ok(off <= most * scale, `${what}: entry ${k} is ${got[k]}, not ${want[k]}`);
  }
}
