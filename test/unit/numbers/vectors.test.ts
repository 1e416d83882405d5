import assert from "node:assert/strict";
import fc from "fast-check";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input, UnaryOp } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { type CompileOptions, compileKernel } from "../../../src/numbers/kernel.ts";
import { evaluateReference } from "../../../src/numbers/reference.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";
import { usePlainCopies } from "../../../src/numbers/copies.node.ts";
import { Arena, copyWith } from "../../../src/numbers/wasm/arena.ts";
import { heap, typeOf } from "../../../src/numbers/wasm/heap.ts";
import { randomCase } from "./randomExpression.ts";

/** On small arrays, the ways of large ones. */
const EAGER = {
  leastInlinedResult: 1,
  leastKept: 2,
  leastChunk: 3,
  smallResult: 4,
  deepestRegion: 9,
  leastSingle: 1,
};

/** Largest distance from the reference in units in the last place of the numbers' type. */
function worstUlps(
  got: ArrayLike<number>,
  want: { hi: Float64Array; lo: Float64Array },
  digits: number,
  least: number,
): number {
  let worst = 0;
  for (let k = 0; k < got.length; k++) {
    const hi = want.hi[k]!;
    const exponent = Math.max(Math.floor(Math.log2(Math.abs(hi))), least);
    const unit = 2 ** (exponent - digits + 1);
    if (got[k] !== hi) worst = Math.max(worst, Math.abs(got[k]! - hi - want.lo[k]!) / unit);
  }
  return worst;
}

/** Bounds of single functions, in units in the last place. */
const ULPS: Partial<Record<UnaryOp, number>> = {
  exp: 1.5,
  sigmoid: 3,
  softplus: 2.5,
  logsigmoid: 2.5,
  log: 1.5,
  log1p: 2.5,
  expm1: 2.5,
  tanh: 3,
  sqrt: 0.51,
};

function argumentsFor(op: UnaryOp, range: number): Float32Array {
  return Float32Array.from({ length: 20_000 }, (_, k) => {
    const x = Math.sin(k * 1.37) * [1e-3, 0.5, 4, 40, range][k % 5]!;
    if (op === "log" || op === "sqrt") return Math.abs(x) * 2 ** ((k % 61) - 30);
    return op === "log1p" ? (x > -0.9 ? x : x * x) : x;
  });
}

function dice(p: Expr, t: Expr, dims: readonly number[] | null): Expr {
  const eps = b.constant(1e-5);
  const shared = b.mul(b.constant(2), b.sum(b.mul(p, t), dims));
  return b.div(b.add(shared, eps), b.add(b.add(b.sum(p, dims), b.sum(t, dims)), eps));
}

/** Losses that people have, of logits (or probabilities) `x` and a mask `t`. */
const LOSSES: Readonly<Record<string, (x: Expr, t: Expr) => Expr>> = {
  "Dice of a sigmoid": (x, t) => b.sub(b.ONE, dice(b.sigmoid(x), t, null)),
  "cross-entropy and Dice": (x, t) =>
    b.add(
      b.mean(b.sub(b.unary("softplus", x), b.mul(x, t))),
      b.sub(b.ONE, dice(b.sigmoid(x), t, null)),
    ),
  "Dice of a softmax": (x, t) => b.sub(b.ONE, b.mean(dice(b.softmax(x, 1), t, [0, 2]))),
  "focal and squared Dice": (x, t) => {
    const p = b.sigmoid(x);
    const focal = b.mean(b.mul(b.pow(b.sub(b.ONE, p), b.constant(2)), b.unary("softplus", x)));
    const squares = b.add(b.sum(b.mul(p, p)), b.sum(t));
    return b.add(focal, b.sub(b.ONE, b.div(b.sum(b.mul(p, t)), squares)));
  },
};

interface LossCase {
  readonly outputs: readonly Expr[];
  readonly arrays: Map<string, TypedArray>;
}

function lossCase(loss: (x: Expr, t: Expr) => Expr, entries: number): LossCase {
  const shape = [axis("b", 2), axis("c", 3), axis("i", entries)];
  const x = b.input("x", shape) as Input;
  const e = loss(x, b.input("t", shape));
  const n = 6 * entries;
  return {
    outputs: [e, derive(e, x)],
    arrays: new Map<string, TypedArray>([
      ["x", Float32Array.from({ length: n }, (_, k) => Math.sin(k * k) * 6)],
      ["t", Uint8Array.from({ length: n }, (_, k) => (k % 7 === 0 ? 1 : 0))],
    ]),
  };
}

describe("kernels on vectors", () => {
  it("give what kernels in JavaScript give for random expressions", () => {
    const same = (limits: CompileOptions["limits"]): void => {
      const chunks = fc.constantFrom(1, 4, 17, 4000);
      fc.assert(
        fc.property(randomCase, chunks, ({ outputs, arrays }, chunk) => {
          const options = limits === undefined ? {} : { limits };
          const plain = compileKernel(outputs, { ...options, vectors: "never" });
          const want = plain.run(arrays, { chunk }).outputs.map((o) => o.data);
          const got = compileKernel(outputs, { ...options, vectors: "always" });
          const scale = want.reduce(
            (top, data) =>
              data.reduce((m, v) => (Math.abs(v) < 1e300 ? Math.max(m, Math.abs(v)) : m), top),
            1,
          );
          got.run(arrays, { chunk }).outputs.forEach(({ data }, k) => {
            data.forEach((g, n) => {
              const w = want[k]![n]!;
              const close = Object.is(g, w) || g === w || Math.abs(g - w) <= 1e-11 * scale;
              assert.ok(close, `output ${k}, entry ${n}: ${g}, expected ${w}\n${plain.source()}`);
            });
          });
        }),
        { numRuns: 100, endOnFailure: true },
      );
    };
    same(undefined);
    same(EAGER);
  });

  it("compute functions to one or two units in the last place, in float64 and in float32", () => {
    for (const [op, bound] of Object.entries(ULPS) as [UnaryOp, number][]) {
      const x = b.input("x", [axis("i", 20_000)]);
      const e = [b.unary(op, x)];
      const wide = new Map([["x", Float64Array.from(argumentsFor(op, 600))]]);
      const narrow = new Map([["x", argumentsFor(op, 80)]]);
      const double = compileKernel(e, { vectors: "always" }).run(wide).outputs[0]!.data;
      const single = compileKernel(e, { vectors: "always", arithmetic: "float32" });
      const reached = [
        worstUlps(double, evaluateReference(e, wide)[0]!, 53, -1022),
        worstUlps(single.run(narrow).outputs[0]!.data, evaluateReference(e, narrow)[0]!, 24, -126),
      ];
      assert.ok(Math.max(...reached) <= bound, `${op}: ${reached.join(" and ")} units`);
    }
  });

  it("compute sigmoids of x and −x and their logarithms as exactly where they share a power", () => {
    const ends = [0, -0, 87.2, 87.4, 104, 708.3, 709, 745, Infinity, NaN];
    const arrays = [Float64Array, Float32Array].map((type) =>
      type.from([...argumentsFor("sigmoid", 80), ...ends, ...ends.map((v) => -v)]),
    );
    const x = b.input("x", [axis("i", arrays[0]!.length)]);
    const ops = ["sigmoid", "softplus", "logsigmoid"] as const;
    const e = ops.flatMap((op) => [b.unary(op, x), b.unary(op, b.neg(x))]);
    arrays.forEach((array, k) => {
      const bindings = new Map([["x", array]]);
      const arithmetic = (["float64", "float32"] as const)[k]!;
      const got = compileKernel(e, { vectors: "always", arithmetic }).run(bindings).outputs;
      const [digits, least] = [[53, -1022] as const, [24, -126] as const][k]!;
      evaluateReference(e, bindings).forEach((want, n) => {
        const { data } = got[n]!;
        const name = `${arithmetic} ${ops[n >> 1]!} of ${n % 2 === 0 ? "x" : "−x"}`;
        data.forEach((g, i) => {
          const hi = want.hi[i]!;
          const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(hi))), least) - digits + 1);
          // Below the smallest normal number only that much is promised.
          const bound = Math.max(3 * unit, Math.abs(hi) < 1.01 * 2 ** least ? 2 ** least : 0);
          const close = g === hi || Math.abs(g - hi - want.lo[i]!) <= bound;
          assert.ok(Object.is(g, hi) || close, `${name} at ${array[i]!}: ${g}, not ${hi}`);
        });
      });
    });
  });

  it("follow IEEE 754 where functions end", () => {
    const special = [
      NaN,
      Infinity,
      -Infinity,
      0,
      -0,
      1e-310,
      -745,
      -710,
      709.7,
      711,
      1e300,
      -1e300,
    ];
    const x = b.input("x", [axis("i", special.length)]);
    const arrays = new Map([["x", Float64Array.from(special)]]);
    for (const op of [...Object.keys(ULPS), "sign", "round", "relu"] as UnaryOp[]) {
      const [plain, vectors] = (["never", "always"] as const).map(
        (way) => compileKernel([b.unary(op, x)], { vectors: way }).run(arrays).outputs[0]!.data,
      );
      plain!.forEach((w, k) => {
        const g = vectors![k]!;
        const close = Math.abs(g - w) <= Math.max(1e-15 * Math.abs(w), 2 ** -1021);
        assert.ok(Object.is(g, w) || g === w || close, `${op}(${special[k]}): ${g}, not ${w}`);
      });
    }
  });

  it("bound values by any literal as JavaScript does, NaN and both zeros included", () => {
    const payload = new Float64Array(Uint32Array.of(0x1234, 0x7ff80001).buffer)[0]!;
    const special = [NaN, payload, Infinity, -Infinity, 0, -0, 0.25, -0.25, 3, -3, 1e-310];
    const x = b.input("x", [axis("i", special.length)]);
    const arrays = new Map([["x", Float64Array.from(special)]]);
    const bounds = [0, -0, 0.25, -0.25, 1e-50, Infinity, -Infinity, NaN];
    const bounded = [
      b.unary("relu", x),
      ...bounds.flatMap((c) => [
        b.binary("max", x, b.constant(c)),
        b.binary("max", b.constant(c), x),
        b.binary("min", x, b.constant(c)),
        b.binary("min", b.constant(c), x),
        ...bounds.map((d) => b.clamp(x, b.constant(c), b.constant(d))),
      ]),
    ];
    const [plain, vectors] = (["never", "always"] as const).map((way) =>
      compileKernel(bounded, { vectors: way })
        .run(arrays)
        .outputs.map((o) => [...o.data]),
    );
    assert.deepEqual(vectors, plain);
    // In float32 a literal may be 0; a value stays NaN through every function.
    const exps: Expr[] = (["exp", "sigmoid", "softplus", "tanh", "expm1"] as const).map((op) =>
      b.unary(op, x),
    );
    exps.push(b.binary("max", b.neg(x), x), b.binary("min", b.mul(x, x), x));
    for (const arithmetic of ["float32", "float64"] as const) {
      const options = { vectors: "always", arithmetic, limits: EAGER } as const;
      for (const { data } of compileKernel(exps, options).run(arrays).outputs) {
        assert.ok(Number.isNaN(data[0]) && Number.isNaN(data[1]));
      }
    }
  });

  it("find the largest and the smallest entry, and any NaN, wherever it stands", () => {
    const n = 203;
    const x = b.input("x", [axis("i", n)]);
    const ends = [b.reduce("max", x, null), b.reduce("min", x, null)];
    for (const arithmetic of ["float32", "float64"] as const) {
      const kernel = compileKernel(ends, { vectors: "always", arithmetic, limits: EAGER });
      for (let k = 0; k < n; k++) {
        const values = Float32Array.from({ length: n }, (_, i) => Math.sin(i));
        const endsWith = (v: number): number[] => {
          values[k] = v;
          return kernel.run(new Map([["x", values]])).outputs.map((o) => o.data[0]!);
        };
        assert.equal(endsWith(7)[0], 7);
        assert.equal(endsWith(-7)[1], -7);
        assert.deepEqual(endsWith(NaN), [NaN, NaN]);
      }
    }
  });

  it("compute the powers of a softmax to the last places, down to the smallest numbers", () => {
    // Class 0 is the largest: 0; the other one is at most that.
    const n = 20_000;
    const x = b.input("x", [axis("c", 2), axis("i", n)]);
    const powers = [b.exp(b.sub(x, b.reduce("max", x, [0], true)))];
    for (const [arithmetic, range, digits, least] of [
      ["float64", 760, 53, -1022],
      ["float32", 110, 24, -126],
    ] as const) {
      const array = arithmetic === "float32" ? new Float32Array(2 * n) : new Float64Array(2 * n);
      for (let k = 1; k <= n; k++) array[n + k - 1] = -range * (k / n) ** 2;
      const arrays = new Map([["x", array]]);
      const options = { vectors: "always", arithmetic, limits: EAGER } as const;
      const { data } = compileKernel(powers, options).run(arrays).outputs[0]!;
      const want = evaluateReference(powers, arrays)[0]!;
      const worst = worstUlps(data, want, digits, least);
      assert.ok(worst <= 1.5, `${arithmetic}: ${worst} ulp`);
      assert.equal(data.at(-1), 0);
      // One NaN among its classes makes an entry NaN in all of them, whichever class has it.
      const p = compileKernel([b.softmax(x, 0)], options);
      for (const [nan, infinite] of [
        [0, n],
        [n, 0],
      ] as const) {
        const special = array.slice();
        special[nan] = NaN;
        special[infinite + 1] = -Infinity;
        const { data: got } = p.run(new Map([["x", special]])).outputs[0]!;
        assert.deepEqual([got[0], got[n], got[infinite + 1]], [NaN, NaN, 0]);
      }
    }
  });

  it("do not depend on where arrays lie", () => {
    const on = heap();
    for (const loss of Object.values(LOSSES)) {
      const { outputs, arrays } = lossCase(loss, 9001);
      const kernel = compileKernel(outputs, { vectors: "always" });
      const away = kernel.run(arrays).outputs;
      const resident = new Map<string, TypedArray>();
      for (const [name, a] of arrays) {
        const copy = on.array(typeOf(a), a.length);
        copy.set(a);
        resident.set(name, copy);
      }
      const gradient = on.array(Float64Array, arrays.get("x")!.length);
      const here = kernel.run(resident, { into: [undefined, gradient] }).outputs;
      assert.equal(here[1]!.data, gradient);
      here.forEach((o, k) => {
        assert.deepEqual(o.data, away[k]!.data);
      });
      for (const a of [...resident.values(), gradient]) on.release(a.byteOffset);
    }
  });

  it("are the same however arrays are copied into an arena", () => {
    const { outputs, arrays } = lossCase(LOSSES["Dice of a softmax"]!, 30_000);
    const kernel = compileKernel(outputs, { vectors: "always" });
    const values = (): Float64Array[] => {
      const arena = new Arena();
      const inside = new Map([...arrays].map(([name, a]) => [name, arena.resident(a)]));
      assert.ok([...inside.values()].every((a) => heap().addressOf(a) !== null));
      const found = kernel.run(inside).outputs.map((o) => o.data.slice());
      arena.release();
      return found;
    };
    const set = values();
    usePlainCopies();
    try {
      assert.deepEqual(values(), set);
    } finally {
      copyWith((to, from) => {
        to.set(from);
      });
    }
  });

  it("are the same where an arena keeps them, which is used again once it is released", () => {
    const n = 1 << 17;
    const { outputs, arrays } = lossCase(Object.values(LOSSES)[0]!, n);
    const kernel = compileKernel(outputs, { vectors: "always" });
    const apart = kernel.run(arrays).outputs;
    const places = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const arena = new Arena();
      const resident = new Map([...arrays].map(([name, a]) => [name, arena.resident(a)]));
      const kept = kernel.run(resident, { arena }).outputs;
      kept.forEach((o, k) => {
        assert.deepEqual(o.data, apart[k]!.data);
      });
      places.add(heap().addressOf(kept[1]!.data)!);
      arena.release();
    }
    assert.deepEqual([...places].length, 1, "memory that was given back is used again");
    assert.ok(!places.has(null!));
  });

  it("are outside the kernels' memory where an arena has no room for them", () => {
    const arena = new Arena(heap(), 0);
    const most = Math.max(1 << 16, heap().memory.buffer.byteLength / 8);
    const large = arena.array(Float64Array, most);
    assert.equal(heap().addressOf(large), null);
    const small = arena.array(Float64Array, 10);
    assert.equal(heap().addressOf(small), null);
    arena.release();
  });

  it("read every array type as it is, whatever the lanes", () => {
    const i = axis("i", 11);
    const [x, y] = [b.input("x", [i]), b.input("y", [i])];
    const e = [b.sum(b.mul(x, y)), b.add(x, y), b.reduce("max", x, null)];
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
    for (const arithmetic of ["float64", "float32"] as const) {
      const kernel = compileKernel(e, { vectors: "always", arithmetic, limits: EAGER });
      for (const first of types) {
        for (const second of types) {
          const arrays = new Map<string, TypedArray>([
            ["x", first.from([1, 2, 3, 100, 0, 5, 6, 7, 8, 9, 10])],
            ["y", second.from([4, 3, 2, 1, 7, 0, 0, 0, 1, 1, 120])],
          ]);
          const [dot, sum, top] = kernel.run(arrays).outputs;
          assert.deepEqual([...dot!.data], [1333]);
          assert.deepEqual([...sum!.data], [5, 5, 5, 101, 7, 5, 6, 7, 9, 10, 130]);
          assert.deepEqual([...top!.data], [100]);
        }
      }
    }
  });

  it("keep float32 losses and gradients within a few units of rounding of the reference", () => {
    for (const [name, loss] of Object.entries(LOSSES)) {
      const { outputs, arrays } = lossCase(loss, 20_011);
      const kernel = compileKernel(outputs, { vectors: "always", arithmetic: "float32" });
      const [value, gradient] = kernel.run(arrays).outputs;
      const [wantValue, want] = evaluateReference(outputs, arrays);
      assert.ok(gradient!.data instanceof Float32Array);
      assert.ok(value!.data instanceof Float64Array);
      const relative = Math.abs(value!.data[0]! - wantValue!.hi[0]!) / wantValue!.hi[0]!;
      assert.ok(relative <= 8 * 2 ** -24, `${name}: the loss is off by ${relative}`);
      const scale = want!.hi.reduce((m, g) => Math.max(m, Math.abs(g)), 0);
      gradient!.data.forEach((g, k) => {
        const gap = Math.abs(g - want!.hi[k]!) / scale;
        assert.ok(gap <= 16 * 2 ** -24, `${name}: entry ${k} is off by ${gap}`);
      });
    }
  });
});
