import assert from "node:assert/strict";
import fc from "fast-check";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { BinaryOp, Expr, Input, UnaryOp } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { useCrew } from "../../../src/numbers/crew.ts";
import { startCrew } from "../../../src/numbers/crew.node.ts";
import {
  type ReferenceOutput,
  evaluateNodeByNode,
  evaluateOnVectors,
  evaluateReference,
} from "../../../src/numbers/reference.ts";
import { Cancelled, type TypedArray } from "../../../src/numbers/typedArrays.ts";
import { Arena } from "../../../src/numbers/wasm/arena.ts";
import { heap } from "../../../src/numbers/wasm/heap.ts";
import { threadFile } from "../../threadFile.ts";
import { randomCase } from "./randomExpression.ts";

const EAGER = { leastInlinedResult: 1, leastKept: 2, leastChunk: 3, smallResult: 4 };
const HARD = [
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  Infinity,
  -Infinity,
  NaN,
  745,
  746,
  -745,
  -746,
  709.8,
  -708.5,
  1e-8,
  -1e-8,
  1e-90,
  1e90,
  -1e150,
  0.4,
  0.39999999999999997,
  1.41,
  0.705,
];

let state = 7;
const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;

/** Hard numbers first, then some of every order of magnitude. An odd number of them. */
function numbers(n: number, scale: number): Float64Array {
  return Float64Array.from({ length: n }, (_, k) => {
    if (k < n / 4) return HARD[Math.floor(random() * HARD.length)]!;
    const magnitude = k % 3 === 0 ? 10 ** Math.floor(random() * 20 - 12) : 1;
    return (random() - 0.5) * scale * magnitude;
  });
}

const isSame = (p: number, q: number): boolean => p === q || (Number.isNaN(p) && Number.isNaN(q));

function assertSameBits(got: ReferenceOutput, want: ReferenceOutput, what: string): void {
  assert.deepEqual(got.shape, want.shape);
  const at = want.hi.findIndex((h, k) => !isSame(got.hi[k]!, h) || got.lo[k] !== want.lo[k]);
  const shown = (r: ReferenceOutput): string => `${r.hi[at]} + ${r.lo[at]}`;
  assert.equal(at, -1, `${what}, entry ${at}: ${shown(got)}, expected ${shown(want)}`);
}

describe("evaluation in double-double on vectors", () => {
  const n = 4097;
  const shape = [axis("i", n)];
  const [x, y] = [b.input("x", shape), b.input("y", shape)];
  const arrays = new Map<string, TypedArray>([
    ["x", numbers(n, 20)],
    ["y", numbers(n, 4)],
  ]);
  // Numbers with low parts, and without.
  const [xs, ys] = [
    [x, b.div(x, b.constant(3))],
    [y, b.div(y, b.constant(7))],
  ] as const;

  function assertSame(e: Expr, what: string): void {
    const got = evaluateOnVectors([e], arrays);
    assert.ok(got !== null, `${what} is not done on vectors`);
    assertSameBits(got[0]!, evaluateNodeByNode([e], arrays)[0]!, what);
  }

  const UNARY: readonly UnaryOp[] = [
    "neg",
    "abs",
    "sign",
    "relu",
    "exp",
    "log",
    "sqrt",
    "sigmoid",
    "softplus",
    "logsigmoid",
    "not",
    "isnan",
    "isfinite",
  ];
  for (const op of UNARY) {
    it(`gives the very bits of ${op} that one number at a time gives`, () => {
      for (const e of xs) assertSame(b.unary(op, e), op);
    });
  }

  const BINARY: readonly BinaryOp[] = [
    "add",
    "sub",
    "mul",
    "div",
    "max",
    "min",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "and",
    "or",
  ];
  for (const op of BINARY) {
    it(`gives the very bits of ${op}, with and without low parts`, () => {
      for (const p of xs) for (const q of ys) assertSame(b.binary(op, p, q), op);
      assertSame(b.binary(op, xs[1], xs[1]), `${op} with itself`);
    });
  }

  it("gives the very bits of whole powers, of choices and of bounds", () => {
    for (const power of [0, 1, 2, 3, 5, 7, 32, -1, -2, -3]) {
      assertSame(b.pow(xs[1], b.constant(power)), `power ${power}`);
    }
    assertSame(b.where(b.binary("gt", x, y), xs[1], y), "where");
    assertSame(b.clamp(xs[1], b.constant(-0.3), ys[1]), "clamp");
    for (const e of [...xs, b.binary("lt", x, y)]) {
      for (const to of ["bool", "int"] as const) assertSame(b.cast(e, to), `cast to ${to}`);
    }
    const thirds = b.mul(xs[1], b.constant(3)); // whole but for the low part
    assertSame(b.cast(thirds, "int"), "cast of what is nearly whole");
    assertSame(b.cast(b.mul(thirds, b.constant(2 ** 60)), "int"), "cast of large numbers");
  });

  it("leaves to one number at a time what splitting a product would overflow on", () => {
    const large = [axis("i", 1 << 16)];
    const [p, q] = [b.input("p", large), b.input("q", large)];
    const bindings = new Map([
      ["p", new Float64Array(1 << 16).fill(1.2345e305)],
      ["q", new Float64Array(1 << 16).fill(1.7e-2)],
    ]);
    const product = b.mul(p, q);
    assert.equal(evaluateOnVectors([product], bindings), null);
    const [got, want] = [evaluateReference, evaluateNodeByNode].map((f) => f([product], bindings));
    assertSameBits(got![0]!, want![0]!, "product");
    assert.notEqual(got![0]!.lo[0], 0);
    // So is a function that vectors have not.
    assert.equal(evaluateOnVectors([b.unary("sin", p)], bindings), null);
  });

  it("gives what evaluation node by node gives for random expressions, to 1e-27 at worst", () => {
    let done = 0;
    fc.assert(
      fc.property(randomCase, ({ outputs, arrays: bindings }) => {
        const got = evaluateOnVectors(outputs, bindings, {}, EAGER);
        if (got === null) return;
        done++;
        evaluateNodeByNode(outputs, bindings).forEach((want, o) => {
          const scale = want.hi.reduce(
            (m, h) => (Number.isFinite(h) ? Math.max(m, Math.abs(h)) : m),
            1,
          );
          want.hi.forEach((h, k) => {
            const off = got[o]!.hi[k]! - h + (got[o]!.lo[k]! - want.lo[k]!);
            const isClose = isSame(got[o]!.hi[k]!, h)
              ? !(Math.abs(off) > 1e-27 * scale)
              : Math.abs(off) <= 1e-27 * scale;
            assert.ok(isClose, `output ${o}, entry ${k}: off by ${off}`);
          });
        });
      }),
      { numRuns: 250, endOnFailure: true },
    );
    assert.ok(done >= 30, `only ${done} of the expressions were done on vectors`);
  });

  describe("for a softmax Dice loss and its gradient", () => {
    const N = 1 << 18;
    const axes = [axis("c", 4), axis("i", N / 4)];
    const z = b.input("z", axes) as Input;
    const t = b.input("t", axes);
    const p = b.softmax(z, 0);
    const ratio = b.div(b.sum(b.mul(p, t), [1]), b.add(b.sum(p, [1]), b.sum(t, [1])));
    const loss = b.sub(b.ONE, b.mean(ratio));
    const outputs = [loss, derive(loss, z)];
    const bindings = new Map<string, TypedArray>([
      ["z", Float32Array.from({ length: N }, (_, k) => Math.sin(k * k) * 5)],
      ["t", Uint8Array.from({ length: N }, (_, k) => (k % 5 === 0 ? 1 : 0))],
    ]);

    it("agrees with evaluation node by node to 1e-27 of the largest entry", () => {
      const got = evaluateOnVectors(outputs, bindings)!;
      evaluateNodeByNode(outputs, bindings).forEach((want, o) => {
        const most = want.hi.reduce((m, h) => Math.max(m, Math.abs(h)), 0);
        want.hi.forEach((h, k) => {
          const off = got[o]!.hi[k]! - h + (got[o]!.lo[k]! - want.lo[k]!);
          assert.ok(Math.abs(off) <= 1e-27 * most, `output ${o}, entry ${k}: off by ${off}`);
        });
      });
    });

    it("gives the very bits that one thread gives, however many there are", async () => {
      const alone = evaluateOnVectors(outputs, bindings)!;
      const crew = startCrew(3, threadFile())!;
      useCrew(crew);
      try {
        for (let k = 0; k < 4; k++) {
          const together = evaluateOnVectors(outputs, bindings)!;
          together.forEach((got, o) => {
            assertSameBits(got, alone[o]!, `output ${o}`);
          });
          // Threads start while this one waits.
          await new Promise((resolve) => setTimeout(resolve, 30));
        }
      } finally {
        useCrew(null);
        await crew.stop();
      }
    });

    it("keeps outputs in an arena if there is one, and gives back all else", () => {
      const arena = new Arena();
      const [, gradient] = evaluateOnVectors(outputs, bindings, { arena })!;
      assert.notEqual(heap().addressOf(gradient!.hi), null);
      const size = heap().memory.buffer.byteLength;
      arena.release();
      for (let k = 0; k < 5; k++) {
        evaluateOnVectors(outputs, bindings, { arena });
        arena.release();
      }
      assert.ok(heap().memory.buffer.byteLength <= 1.25 * size);
    });

    it("stops when asked to", () => {
      assert.throws(
        () => evaluateReference(outputs, bindings, { isCancelled: () => true }),
        Cancelled,
      );
    });
  });
});
