import assert from "node:assert/strict";
import fc from "fast-check";
import { UNIT, axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { type EvaluatedArray, evaluateAll } from "../../../src/expression/evaluate.ts";
import type { Expr, ReduceOp, UnaryOp } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import {
  type CompileOptions,
  type RunOptions,
  compileKernel,
} from "../../../src/numbers/kernel.ts";
import { evaluateReference } from "../../../src/numbers/reference.ts";
import { BindingError, Cancelled, type TypedArray } from "../../../src/numbers/typedArrays.ts";
import { boundArrays } from "./plainly.ts";
import { randomCase } from "./randomExpression.ts";

/** On small arrays, the ways of large ones: everything is inlined, kept and cut in chunks. */
const EAGER: CompileOptions = {
  limits: { leastInlinedResult: 1, leastKept: 2, leastChunk: 3, smallResult: 4, deepestRegion: 9 },
};

/** Plain values of the expressions, and the largest number on the way to them. */
function plainly(
  outputs: readonly Expr[],
  arrays: ReadonlyMap<string, TypedArray>,
): { values: EvaluatedArray[]; scale: number } {
  const all = topological(...outputs);
  const values = evaluateAll(all, boundArrays(outputs, arrays));
  let scale = 1;
  for (const { data } of values) {
    for (const v of data) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  }
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

  it("keep one array alone in an output that is asked for twice", () => {
    const x = b.input("x", [axis("i", 40)]);
    const [s, t] = [b.exp(x), b.sigmoid(x)];
    const total = b.sum(b.mul(s, t));
    const gradient = b.mul(b.add(s, b.mul(t, total)), total);
    const again = b.reshape(gradient, [axis("j", 40)]);
    const array = Float64Array.from({ length: 40 }, (_, k) => Math.sin(k));
    assertSameValues([gradient, again, total], new Map([["x", array]]), EAGER);
  });

  it("read every array type as it is", () => {
    const i = axis("i", 5);
    const x = b.input("x", [i]);
    const y = b.input("y", [i]);
    const e = [b.sum(b.mul(x, y)), b.add(x, y), b.sum(x)];
    const kernel = compileKernel(e);
    const types = [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
    ];
    for (const first of types) {
      for (const second of types) {
        const arrays = new Map<string, TypedArray>([
          ["x", first.from([1, 2, 3, 100, 0])],
          ["y", second.from([4, 3, 2, 1, 7])],
        ]);
        const [dot, sum, total] = kernel.run(arrays).outputs;
        assert.deepEqual([...dot!.data], [116]);
        assert.deepEqual([...sum!.data], [5, 5, 5, 101, 7]);
        assert.deepEqual([...total!.data], [106]);
      }
    }
  });

  it("add ten million numbers to the last bit, and to 3u of their absolute sum if they cancel", () => {
    const n = 1e7;
    const x = b.input("x", [axis("i", n)]);
    const outputs = [b.sum(x), b.mean(b.mul(x, x)), b.sum(b.abs(x))];
    const kernel = compileKernel(outputs);
    let state = 12345;
    const wild = Float64Array.from({ length: n }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state / 2 ** 32 - 0.5) * 2 ** (state & 31);
    });
    for (const array of [new Float64Array(n).fill(0.1), wild]) {
      const arrays = new Map([["x", array]]);
      const got = kernel.run(arrays).outputs.map((o) => o.data[0]!);
      const [sum, mean, absolute] = evaluateReference(outputs, arrays).map((o) => o.hi[0]!);
      assert.ok(Math.abs(got[0]! - sum!) <= 3 * 2 ** -53 * absolute!);
      if (array !== wild) assert.ok(Math.abs(got[0]! - sum!) <= 2 ** -52 * sum!);
      assert.ok(Math.abs(got[1]! - mean!) <= 2 ** -52 * mean!);
      assert.ok(Math.abs(got[2]! - absolute!) <= 2 ** -52 * absolute!);
    }
  });

  it("compute functions to about one unit in the last place", () => {
    const ulps: Partial<Record<UnaryOp, number>> = {
      exp: 1.25,
      sigmoid: 2.5,
      softplus: 2.5,
      logsigmoid: 2.5,
      log: 1.5,
      log1p: 1.5,
      expm1: 1.5,
      tanh: 2,
      sqrt: 0.51,
      sinh: 2.5,
      cosh: 2,
    };
    const n = 20_000;
    const x = b.input("x", [axis("i", n)]);
    const positive = (op: UnaryOp): boolean => op === "log" || op === "sqrt";
    for (const [op, bound] of Object.entries(ulps) as [UnaryOp, number][]) {
      const e = b.unary(op, positive(op) ? b.abs(x) : op === "log1p" ? b.mul(x, x) : x);
      const array = Float64Array.from({ length: n }, (_, k) => {
        const spread = [1e-3, 0.5, 4, 40, 600][k % 5]!;
        return Math.sin(k * 1.37) * spread;
      });
      const arrays = new Map([["x", array]]);
      const got = compileKernel([e]).run(arrays).outputs[0]!.data;
      const { hi, lo } = evaluateReference([e], arrays)[0]!;
      let worst = 0;
      got.forEach((g, k) => {
        const unit = 2 ** (Math.floor(Math.log2(Math.abs(hi[k]!))) - 52);
        if (g !== hi[k]) worst = Math.max(worst, Math.abs(g - hi[k]! - lo[k]!) / unit);
      });
      assert.ok(worst <= bound, `${op}: ${worst} units`);
    }
  });

  it("take two passes over the data for a loss that is a function of sums, and its gradient", () => {
    const i = axis("i", 100_000);
    const x = b.input("x", [i]);
    const t = b.input("t", [i]);
    const p = b.sigmoid(x);
    const union = b.add(b.add(b.sum(p), b.sum(t)), b.constant(1e-5));
    const loss = b.div(b.mul(b.constant(2), b.sum(b.mul(p, t))), union);
    const gradient = b.mul(b.mul(b.div(b.sub(loss, t), union), p), b.sub(b.ONE, p));
    const kernel = compileKernel([loss, gradient]);
    assert.deepEqual(
      kernel.passes.map((pass) => pass.total),
      [100_000, 1, 100_000],
    );
    // The sigmoid is computed once and waits in the gradient's array.
    assert.equal(kernel.source().split("roots[").length - 1, 4 + 1);
    const arrays = new Map<string, TypedArray>([
      ["x", Float64Array.from({ length: 100_000 }, (_, k) => Math.sin(k) * 5)],
      ["t", new Uint8Array(100_000).fill(1, 0, 7000)],
    ]);
    const got = kernel.run(arrays).outputs;
    const want = evaluateReference([loss, gradient], arrays);
    got.forEach(({ data }, k) => {
      data.forEach((g, n) => {
        assert.ok(Math.abs(g - want[k]!.hi[n]!) <= 1e-14 * Math.max(Math.abs(g), 1e-6));
      });
    });
  });

  it("compute a function once for an argument and for the negative of its negative", () => {
    const x = b.input("x", [axis("i", 10)]);
    const bits = [b.sigmoid(x), b.sigmoid(b.neg(b.neg(x)))];
    assertSameValues(bits, new Map([["x", Float64Array.of(0, -0, 1, -1, 2, 3, 4, 5, 6, NaN)]]));
    const [once, twice] = [bits.slice(0, 1), bits].map(
      (e) => compileKernel(e).source().split("roots[").length,
    );
    assert.equal(twice, once);
  });

  it("take two passes for a softmax over classes, without arrays for its parts", () => {
    const shape = [axis("b", 2), axis("c", 4), axis("h", 50), axis("w", 61)];
    const x = b.input("x", shape);
    const t = b.input("t", shape);
    const p = b.softmax(x, 1);
    const dice = b.div(b.sum(b.mul(p, t), [2, 3]), b.add(b.sum(p, [2, 3]), b.sum(t, [2, 3])));
    const loss = b.sub(b.ONE, b.mean(dice));
    const weight = b.reshape(dice, [shape[0]!, shape[1]!, UNIT, UNIT]);
    const slope = b.mul(weight, b.sub(t, p));
    const gradient = b.mul(p, b.sub(slope, b.sum(b.mul(p, slope), [1], true)));
    const kernel = compileKernel([loss, gradient]);
    assert.equal(kernel.passes.filter((pass) => pass.total > 100).length, 2);
    const n = 2 * 4 * 50 * 61;
    const arrays = new Map<string, TypedArray>([
      ["x", Float32Array.from({ length: n }, (_, k) => Math.sin(k) * 3)],
      ["t", Uint8Array.from({ length: n }, (_, k) => (k % 5 === 0 ? 1 : 0))],
    ]);
    const got = kernel.run(arrays).outputs;
    const want = evaluateReference([loss, gradient], arrays);
    got.forEach(({ data }, k) => {
      data.forEach((g, at) => {
        assert.ok(Math.abs(g - want[k]!.hi[at]!) <= 1e-14, `${k}, ${at}`);
      });
    });
  });

  it("read a class that is picked out of a loop over classes in place", () => {
    const shape = [axis("b", 3), axis("c", 5), axis("i", 40)];
    const x = b.input("x", shape);
    const p = b.softmax(x, 1);
    const parts = [0, 1, 2, 3, 4].map((c) =>
      b.place(b.mul(b.index(p, 1, c), b.constant(c)), 1, c, shape[1]!),
    );
    const e = parts.reduce((s, part) => b.add(s, part));
    const array = Float64Array.from({ length: 600 }, (_, k) => Math.cos(k));
    assertSameValues([e, b.sum(e)], new Map([["x", array]]));
    const source = compileKernel([e]).source();
    assert.ok(!source.includes("% ") && !source.includes("else if"), "nothing is tested by entry");
  });

  it("do not overwrite what they still have to read", () => {
    const x = b.input("x", [axis("a", 70), axis("i", 70)]);
    const p = b.sigmoid(x);
    const total = b.sum(b.mul(p, p));
    const outputs = [
      // Reads the sigmoid where it has been overwritten if it waits in this very array.
      b.mul(b.add(p, b.transpose(p, [1, 0])), total),
      // A small output that reads it from a pass of its own.
      b.mul(b.index(b.index(p, 0, 3), 0, 5), total),
      b.div(p, total),
      total,
    ];
    const array = Float64Array.from({ length: 4900 }, (_, k) => Math.sin(k * k) * 3);
    assertSameValues(outputs, new Map([["x", array]]));
    for (const e of outputs) assertSameValues([e], new Map([["x", array]]));
  });

  it("follow transposes with axes of size 1 between", () => {
    const x = b.input("x", [axis("a", 3), axis("c", 4), axis("d", 5), axis("e", 1)]);
    const e = b.transpose(x, [0, 3, 2, 1]);
    const array = Float64Array.from({ length: 60 }, (_, k) => k);
    assertSameValues([e, b.sum(e, [2]), b.mul(e, e)], new Map([["x", array]]), EAGER);
  });

  it("combine nothing to 0, 1 or NaN, and refuse the largest of nothing", () => {
    const x = b.input("x", [axis("a", 3), axis("i", 0)]);
    const arrays = new Map([["x", new Float64Array(0)]]);
    const of = (op: ReduceOp): number[] => {
      const { shape, data } = compileKernel([b.reduce(op, x, [1])]).run(arrays).outputs[0]!;
      assert.deepEqual(shape, [3]);
      return [...data];
    };
    assert.deepEqual(of("sum"), [0, 0, 0]);
    assert.deepEqual(of("prod"), [1, 1, 1]);
    assert.deepEqual(of("mean"), [NaN, NaN, NaN]);
    assert.deepEqual(of("any"), [0, 0, 0]);
    assert.deepEqual(of("all"), [1, 1, 1]);
    assert.throws(() => compileKernel([b.reduce("max", x, [1])]), /max of no entries/);
    const [nothing] = compileKernel([b.exp(x)]).run(arrays).outputs;
    assert.deepEqual(nothing!.shape, [3, 0]);
  });

  it("follow IEEE 754 where numbers end", () => {
    const x = b.input("x", [axis("i", 6)]);
    const array = Float64Array.of(0, -0, Infinity, -Infinity, NaN, 1e308);
    const outputs = [
      b.div(x, x),
      b.div(b.ONE, x),
      b.log(x),
      b.sum(x),
      b.mul(x, b.constant(10)),
      b.pow(x, b.ZERO),
      b.reduce("max", x, null),
      b.argReduce("argmax", x, 0),
      b.sigmoid(x),
      b.exp(b.neg(x)),
      b.sqrt(b.neg(x)),
      b.clamp(x, b.constant(-1), null),
      b.unary("sign", x),
      b.binary("lt", x, b.ONE),
      b.unary("softplus", x),
      b.where(x, b.ONE, b.neg(b.ONE)),
    ];
    assertSameValues(outputs, new Map([["x", array]]));
    const y = b.input("y", [axis("i", 2)]);
    const infinite = compileKernel([b.sum(y)]).run(new Map([["y", Float64Array.of(Infinity, 1)]]));
    assert.equal(infinite.outputs[0]!.data[0], Infinity);
  });

  it("keep the mathematical value in casts to floats, and round if told to", () => {
    const x = b.input("x", [axis("i", 8)]);
    const array = Float64Array.of(0.1, 1 / 3, 65519.9, 65520, 1e-8, -0.1, 3e38, 2049);
    const arrays = new Map([["x", array]]);
    const casts = [b.cast(x, "float32"), b.cast(x, "float16"), b.cast(x, "bfloat16")];
    for (const { data } of compileKernel(casts).run(arrays).outputs) {
      assert.deepEqual([...data], [...array]);
    }
    const [single, half, brain] = compileKernel(casts, { roundCasts: true }).run(arrays).outputs;
    assert.deepEqual([...single!.data], [...array].map(Math.fround));
    assert.deepEqual(
      [...half!.data],
      [0.0999755859375, 0.333251953125, 65504, Infinity, 0, -0.0999755859375, Infinity, 2048],
    );
    assert.deepEqual([...brain!.data.subarray(0, 3)], [0.10009765625, 0.333984375, 65536]);
    assert.equal(brain!.data[7], 2048);
  });

  it("take parameters from their node, or from the bindings", () => {
    const e = b.mul(b.parameter("smooth", 2), b.input("x", [axis("i", 2)]));
    const kernel = compileKernel([e]);
    const x = Float64Array.of(1, 3);
    assert.deepEqual([...kernel.run(new Map([["x", x]])).outputs[0]!.data], [2, 6]);
    const bound = new Map<string, TypedArray | number>([
      ["x", x],
      ["smooth", 5],
    ]);
    assert.deepEqual([...kernel.run(bound).outputs[0]!.data], [5, 15]);
    const open = compileKernel([b.mul(b.parameter("gamma", null), b.input("x", [axis("i", 2)]))]);
    assert.throws(() => open.run(new Map([["x", x]])), /the parameter gamma has no value/);
  });

  it("take parameters of one name for what each of them is", () => {
    const x = b.input("x", [axis("i", 3)]);
    const [one, other] = [1, 1e-6].map((v) => b.add(b.sum(x), b.parameter("smooth", v)));
    const arrays = new Map([["x", Float64Array.of(1, 2, 3)]]);
    const apart = compileKernel([one!, other!, b.sub(one!, other!)]).run(arrays).outputs;
    assert.deepEqual(
      apart.map((o) => o.data[0]),
      [7, 6 + 1e-6, 7 - (6 + 1e-6)],
    );
  });

  it("write small whole exponents as products, for the values that parameters are bound to", () => {
    const x = b.input("x", [axis("i", 3)]);
    const gamma = b.parameter("gamma", 2);
    const power = b.pow(x, gamma);
    const slope = b.mul(gamma, b.pow(x, b.sub(gamma, b.ONE)));
    const kernel = compileKernel([power, slope]);
    assert.doesNotMatch(kernel.source(), /pow\(/);
    const run = (value: number): number[][] => {
      const bound = new Map<string, TypedArray | number>([
        ["x", Float64Array.of(0.5, 3, -2)],
        ["gamma", value],
      ]);
      return kernel.run(bound).outputs.map((o) => [...o.data]);
    };
    assert.deepEqual(run(2), [
      [0.25, 9, 4],
      [1, 6, -4],
    ]);
    assert.deepEqual(run(1), [
      [0.5, 3, -2],
      [1, 1, 1],
    ]);
    const root = Math.sqrt(0.5);
    assert.deepEqual(run(1.5)[0], [0.5 ** 1.5, 3 ** 1.5, NaN]);
    assert.ok(Math.abs(run(1.5)[1]![0]! - 1.5 * root) < 1e-15);
    assert.deepEqual(run(2)[0], [0.25, 9, 4]);
    const open = compileKernel([b.pow(x, b.parameter("alpha", null))]);
    assert.throws(() => open.run(new Map([["x", new Float64Array(3)]])), /alpha has no value/);
  });

  it("refuse arrays that are missing, of another length, or of 64-bit integers", () => {
    const kernel = compileKernel([b.sum(b.input("mask", [axis("i", 4)]))]);
    assert.throws(() => kernel.run(new Map()), BindingError);
    assert.throws(
      () => kernel.run(new Map([["mask", new Uint8Array(5)]])),
      /the input mask has 4 entries \(4\), its array 5/,
    );
    const big = new Map([["mask", new BigInt64Array(4) as unknown as TypedArray]]);
    assert.throws(() => kernel.run(big), /64-bit integers/);
    assert.throws(() => compileKernel([b.input("x", [axis("i", null)])]), /not known/);
  });

  it("contain no name from the expression", () => {
    const name = "x; throw new Error(`injected`) //";
    const x = b.input(name, [axis("}]);", 2)]);
    const kernel = compileKernel([b.mul(x, b.parameter("`${1}", 3))]);
    assert.ok(!/injected|throw/.test(kernel.source()));
    assert.deepEqual(
      [...kernel.run(new Map([[name, Float64Array.of(1, 2)]])).outputs[0]!.data],
      [3, 6],
    );
  });

  it("write into arrays that are given, and give an output asked for twice in two arrays", () => {
    const x = b.input("x", [axis("i", 3)]);
    const e = b.mul(x, x);
    const kernel = compileKernel([e, e, b.sum(e), x]);
    const arrays = new Map([["x", Float64Array.of(1, 2, 3)]]);
    const into = [new Float64Array(3).fill(9), undefined, new Float64Array(1).fill(9)];
    const { outputs } = kernel.run(arrays, { into });
    assert.equal(outputs[0]!.data, into[0]);
    assert.equal(outputs[2]!.data, into[2]);
    assert.notEqual(outputs[0]!.data, outputs[1]!.data);
    assert.deepEqual(
      outputs.map((o) => [...o.data]),
      [[1, 4, 9], [1, 4, 9], [14], [1, 2, 3]],
    );
    outputs[3]!.data[0] = 7;
    assert.equal(arrays.get("x")![0], 1);
    assert.deepEqual([...kernel.run(arrays, { into }).outputs[2]!.data], [14]);
  });

  it("evaluate graphs thousands of operations deep", () => {
    const x = b.input("x", [axis("i", 3)]);
    let e: Expr = x;
    for (let k = 0; k < 5000; k++) e = b.add(e, b.mul(x, b.constant(k)));
    let s: Expr = b.sum(x);
    for (let k = 0; k < 5000; k++) s = b.add(s, b.ONE);
    const [sum, scalar] = compileKernel([e, s]).run(
      new Map([["x", Float64Array.of(1, 2, 3)]]),
    ).outputs;
    assert.deepEqual(
      [...sum!.data],
      [1, 2, 3].map((v) => v * (1 + (5000 * 4999) / 2)),
    );
    assert.equal(scalar!.data[0], 5006);
  });

  it("give the same bits every time", () => {
    const x = b.input("x", [axis("i", 50_000)]);
    const e = b.sum(b.exp(x));
    const arrays = new Map([["x", Float64Array.from({ length: 50_000 }, (_, k) => Math.sin(k))]]);
    const kernel = compileKernel([e]);
    const first = kernel.run(arrays).outputs[0]!.data[0]!;
    for (let k = 0; k < 20; k++) assert.equal(kernel.run(arrays).outputs[0]!.data[0]!, first);
    assert.equal(compileKernel([e]).run(arrays).outputs[0]!.data[0]!, first);
  });

  it("say how far they are, and stop when asked to", () => {
    // Enough work for vectors to be asked several times, which happens every 10 ms.
    const n = 16_000_000;
    const x = b.input("x", [axis("c", 2), axis("i", n / 2)]);
    const kernel = compileKernel([b.sum(b.unary("tanh", x), [1])]);
    const arrays = new Map([["x", new Float32Array(n).fill(0.3)]]);
    const seen: number[] = [];
    kernel.run(arrays, { onProgress: (f) => seen.push(f), chunk: 1000 });
    assert.ok(seen.length > 0);
    assert.ok(seen.every((f, k) => f > (seen[k - 1] ?? 0) && f <= 1));
    let asked = 0;
    const isCancelled = (): boolean => ++asked > 1;
    assert.throws(() => kernel.run(arrays, { isCancelled }), Cancelled);
    assert.equal(asked, 2);
  });
});

describe("the account of a kernel", () => {
  const sumOver = (n: number): Expr => b.sum(b.mul(b.input("p", [axis("i", n)]), b.constant(3)));

  it("says in what order sums are made and how exact they are, for small arrays and large ones", () => {
    assert.match(compileKernel([sumOver(30)]).account!, /in the order of the array.*3 × 2⁻⁵³/);
    const large = compileKernel([sumOver(1 << 20)]);
    assert.match(large.account!, /1,048,576 entries are made in pieces.*3 × 2⁻⁵³/);
    const single = compileKernel([sumOver(1 << 20)], { arithmetic: "float32" });
    assert.match(single.account!, /3\.01 × 2⁻²⁴/);
  });

  it("is true where terms cancel, in the order of the array", () => {
    const values = Float64Array.from({ length: 3000 }, (_, k) => Math.sin(k * k) * 10 ** (k % 17));
    const both = Float64Array.from([...values, ...values.map((x) => -x), 1]);
    const total = b.sum(b.input("p", [axis("i", both.length)]));
    const sum = compileKernel([total]).run(new Map([["p", both]])).outputs[0]!.data[0]!;
    const terms = both.reduce((s, x) => s + Math.abs(x), 0);
    assert.ok(Math.abs(sum - 1) <= 3 * 2 ** -53 * terms, `${sum}`);
  });

  it("has nothing to say of a formula without long sums", () => {
    assert.equal(compileKernel([b.add(b.input("x", []), b.ONE)]).account, null);
  });
});
