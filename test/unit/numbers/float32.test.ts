import assert from "node:assert/strict";
import fc from "fast-check";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, UnaryOp } from "../../../src/expression/node.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";

/** Unit roundoff of float32. */
const U = 2 ** -24;
/** Results below the smallest normal number may be 0. */
const LEAST = 2 ** -126;
const N = 37;

/** An expression with its values and the most by which float32 arithmetic may miss each of them. */
interface Item {
  readonly e: Expr;
  readonly values: readonly number[];
  readonly errors: readonly number[];
}

type Pair = readonly [value: number, error: number];

function rounded(value: number, error: number, units = 1): Pair {
  return [value, error + units * U * (Math.abs(value) + error) + LEAST];
}

/** Functions, how steep they are at most, and their own error in units of rounding. */
const FUNCTIONS: readonly {
  readonly op: UnaryOp;
  readonly of: (x: number) => number;
  readonly slope: (x: number) => number;
  readonly units: number;
}[] = [
  { op: "sigmoid", of: (x) => 1 / (1 + Math.exp(-x)), slope: () => 0.25, units: 6 },
  { op: "tanh", of: Math.tanh, slope: () => 1, units: 6 },
  {
    op: "softplus",
    of: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    slope: () => 1,
    units: 5,
  },
  { op: "abs", of: Math.abs, slope: () => 1, units: 0 },
  { op: "relu", of: (x) => Math.max(x, 0), slope: () => 1, units: 0 },
  { op: "neg", of: (x) => -x, slope: () => 1, units: 0 },
];

const OPERATIONS: readonly {
  readonly build: (x: Expr, y: Expr) => Expr;
  readonly of: (x: Pair, y: Pair) => Pair;
}[] = [
  { build: b.add, of: ([x, p], [y, q]) => rounded(x + y, p + q) },
  { build: b.sub, of: ([x, p], [y, q]) => rounded(x - y, p + q) },
  {
    build: b.mul,
    of: ([x, p], [y, q]) => rounded(x * y, Math.abs(x) * q + Math.abs(y) * p + p * q),
  },
  {
    build: (x, y) => b.binary("max", x, y),
    of: ([x, p], [y, q]) => [Math.max(x, y), Math.max(p, q)],
  },
  {
    // The divisor, 1 + |y|, is at least 1.
    build: (x, y) => b.div(x, b.add(b.ONE, b.abs(y))),
    of: ([x, p], [y, q]) => {
      const [d, e] = rounded(1 + Math.abs(y), q);
      return rounded(x / d, (p + (Math.abs(x) / d) * e) / Math.max(d - e, 0.5));
    },
  },
];

const steps = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)), {
  minLength: 3,
  maxLength: 14,
});

function inputs(): { items: Item[]; arrays: Map<string, Float32Array> } {
  const arrays = new Map(
    ["x", "y", "z"].map((name, k) => [
      name,
      Float32Array.from({ length: N }, (_, i) => Math.sin((i + 1) * (k + 1.7)) * 3),
    ]),
  );
  const items = [...arrays].map(([name, data]) => ({
    e: b.input(name, [axis("i", N)]),
    values: Array.from(data),
    errors: new Array<number>(N).fill(0),
  }));
  return { items, arrays };
}

function next(
  items: readonly Item[],
  [what, first, second]: readonly [number, number, number],
): Item {
  const x = items[items.length - 1 - (first % Math.min(items.length, 5))]!;
  const y = items[second % items.length]!;
  const choices = FUNCTIONS.length + OPERATIONS.length;
  const at = what % choices;
  const pairs = (f: (i: number) => Pair): Pick<Item, "values" | "errors"> => {
    const all = x.values.map((_, i) => f(i));
    return { values: all.map((p) => p[0]), errors: all.map((p) => p[1]) };
  };
  if (at < FUNCTIONS.length) {
    const { op, of, slope, units } = FUNCTIONS[at]!;
    const parts = pairs((i) => {
      const [v, p] = [x.values[i]!, x.errors[i]!];
      return units === 0 ? [of(v), slope(v) * p] : rounded(of(v), slope(v) * p, units);
    });
    return { e: b.unary(op, x.e), ...parts };
  }
  const { build, of } = OPERATIONS[at - FUNCTIONS.length]!;
  const parts = pairs((i) => of([x.values[i]!, x.errors[i]!], [y.values[i]!, y.errors[i]!]));
  return { e: build(x.e, y.e), ...parts };
}

describe("float32 kernels", () => {
  it("are within the running error bound of float32 arithmetic for random expressions", () => {
    fc.assert(
      fc.property(steps, (tape) => {
        const { items, arrays } = inputs();
        for (const step of tape) {
          const item = next(items, step);
          if (item.values.every((v) => Math.abs(v) < 1e6)) items.push(item);
        }
        const last = items.at(-1)!;
        const kernel = compileKernel([last.e, b.sum(last.e)], {
          vectors: "always",
          arithmetic: "float32",
          limits: { leastSingle: 1 },
        });
        const [entries, sum] = kernel.run(arrays).outputs;
        last.values.forEach((v, i) => {
          const gap = Math.abs(entries!.data[i]! - v);
          assert.ok(gap <= 1.001 * last.errors[i]! + U * Math.abs(v) + LEAST, `entry ${i}: ${gap}`);
        });
        const exact = last.values.reduce((s, v) => s + v, 0);
        const terms = last.values.reduce((s, v, i) => s + Math.abs(v) + last.errors[i]!, 0);
        const allowed = last.errors.reduce((s, p) => s + p, 0) + 3.01 * U * terms;
        const gap = Math.abs(sum!.data[0]! - exact);
        assert.ok(gap <= 1.001 * allowed, `the sum is off by ${gap}, ${allowed} allowed`);
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it("count masks exactly, far beyond the whole numbers of float32", () => {
    const n = (1 << 24) + 12_345;
    const x = b.input("x", [axis("i", n)]);
    const kernel = compileKernel([b.sum(x)], { vectors: "always", arithmetic: "float32" });
    const ones = new Uint8Array(n).fill(1);
    assert.equal(kernel.run(new Map([["x", ones]])).outputs[0]!.data[0], n);
    assert.equal(kernel.run(new Map([["x", Float32Array.from(ones)]])).outputs[0]!.data[0], n);
  });
});
