import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { BinaryOp, Input, UnaryOp } from "../../../src/expression/node.ts";
import type { ElementType } from "../../../src/expression/tape.ts";
import {
  binaryFunction,
  powerFunction,
  unaryFunction,
} from "../../../src/numbers/precision/functions.ts";
import { type Performance, perform } from "../../../src/numbers/precision/forward.ts";
import {
  arithmeticRounder,
  broadcastTo,
  combined,
  converted,
  held,
  mapped,
  rounder,
  valuesOf,
} from "../../../src/numbers/precision/held.ts";
import {
  type BinaryFunction,
  type UnaryFunction,
  sigmoidSlope,
} from "../../../src/numbers/precision/loops.ts";

const TYPES: readonly ElementType[] = ["float64", "float32", "bfloat16", "float16"];

/** Zeros, infinities, ties, subnormal and largest numbers of every type, and ordinary ones. */
const NUMBERS = [
  0, -0, NaN, Infinity, -Infinity, 1, -1, 2049, 2051, 65519, 65520, 1 + 2 ** -8, 1 + 3 * 2 ** -8,
  2 ** -14, 2 ** -24, 2 ** -25, 3 * 2 ** -25, 2 ** -133, 2 ** -149, 2 ** -150, 3e38, 3.4e38, 1e300,
  5e-324, 0.1, -0.7, 20.5, 1e-8,
]; // prettier-ignore
const PAIRS = NUMBERS.flatMap((x) => NUMBERS.map((y) => [x, y] as const));
const [LEFT, RIGHT] = [0, 1].map((k) => Float64Array.from(PAIRS, (p) => p[k]!)) as [
  Float64Array,
  Float64Array,
];

function assertSame(found: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  for (let k = 0; k < wanted.length; k++) {
    assert.ok(Object.is(found[k], wanted[k]), `${what} at ${k}: ${found[k]}, not ${wanted[k]}`);
  }
}

/** The entries from `at` on, with others before them. */
function shifted(values: Float64Array, at: number): Float64Array {
  const all = new Float64Array(at + values.length).fill(NaN);
  all.set(values, at);
  return all;
}

describe("loops over entries in number types", () => {
  const unary: readonly (readonly [string, (dtype: ElementType) => UnaryFunction])[] = [
    ["rounding", rounder],
    ["rounding of arithmetic", arithmeticRounder],
    ...(["exp", "log", "sigmoid", "softplus", "neg"] satisfies UnaryOp[]).map(
      (op) => [op, (dtype: ElementType) => unaryFunction(op, dtype)] as const,
    ),
    ...[2, 0.5, -1, 1.5].map(
      (p) => [`power ${p}`, (dtype: ElementType) => powerFunction(p, dtype)] as const,
    ),
  ];
  for (const [name, make] of unary) {
    it(`give the bits of their function: ${name}`, () => {
      for (const dtype of TYPES) {
        const f = make(dtype);
        const out = new Float64Array(NUMBERS.length);
        assert.ok(f.loop !== undefined, `${dtype} has a loop`);
        f.loop(out, shifted(Float64Array.from(NUMBERS), 3), 3, 0, 10);
        f.loop(out, shifted(Float64Array.from(NUMBERS), 3), 3, 10, NUMBERS.length);
        assertSame(out, NUMBERS.map(f), dtype);
      }
    });
  }

  const binary: readonly (readonly [string, (dtype: ElementType) => BinaryFunction])[] = [
    ...(["add", "sub", "mul", "div", "max", "pow"] satisfies BinaryOp[]).map(
      (op) => [op, (dtype: ElementType) => binaryFunction(op, dtype)] as const,
    ),
    [
      "the slope of a sigmoid",
      (dtype) => sigmoidSlope(arithmeticRounder(dtype), arithmeticRounder(dtype)),
    ],
  ];
  for (const [name, make] of binary) {
    it(`give the bits of their function of two entries: ${name}`, () => {
      for (const dtype of TYPES) {
        const f = make(dtype);
        const out = new Float64Array(PAIRS.length);
        assert.ok(f.loop !== undefined, `${dtype} has a loop`);
        f.loop(out, shifted(LEFT, 2), 2, shifted(RIGHT, 5), 5, 0, PAIRS.length);
        const wanted = PAIRS.map(([x, y]) => f(x, y));
        assertSame(out, wanted, dtype);
      }
    });
  }

  it("take a number that is repeated along an axis for what it is", () => {
    const shape = [NUMBERS.length, 40_000];
    const count = shape[0]! * shape[1]!;
    const one = broadcastTo(held("float32", [1, 1], [0.3]), shape);
    const whole = held("float32", shape, new Float64Array(count).fill(0.3));
    const other = held(
      "float32",
      shape,
      Float64Array.from({ length: count }, (_, k) => Math.sin(k)),
    );
    const f = binaryFunction("div", "float32");
    for (const [a, b, p, q] of [
      [one, other, whole, other],
      [other, one, other, whole],
      [one, one, whole, whole],
    ] as const) {
      const [found, wanted] = [combined(a, b, "float32", f), combined(p, q, "float32", f)];
      assert.deepEqual(found.strides, wanted.strides);
      assertSame(valuesOf(found), valuesOf(wanted), "quotient");
    }
    const exp = unaryFunction("exp", "float32");
    assertSame(
      valuesOf(mapped(one, "float32", exp)),
      valuesOf(mapped(whole, "float32", exp)),
      "exponential",
    );
  });

  it("share the memory of numbers that a wider type has as well, and round all others", () => {
    const x = held("float16", [3], [1, 2 ** -24, 65504]);
    assert.equal(converted(x, "float32").data, x.data);
    assert.equal(converted(x, "float32").dtype, "float32");
    const bits = held("uint8", [2], [1, 255]);
    for (const dtype of TYPES) assert.deepEqual([...valuesOf(converted(bits, dtype))], [1, 255]);
    assert.deepEqual([...valuesOf(converted(x, "bfloat16"))], [1, 2 ** -24, 65536]);
    assert.deepEqual([...valuesOf(converted(held("int64", [1], [257]), "bfloat16"))], [256]);
  });
});

describe("a formula of which only the result is wanted", () => {
  it("gives back what came before it, and is the same number", () => {
    const x = b.input("x", [axis("i", 3)]) as Input;
    const p = b.sigmoid(x);
    const result = b.div(b.mul(p, p), b.add(b.sum(p), b.exp(p)));
    const arrays = new Map([[x, held("float32", [3], [0.3, -1.2, 2])]]);
    const whole = perform({ entries: [], result }, arrays);
    const only = perform({ entries: [], result }, arrays, { resultOnly: true });
    assertSame(valuesOf(only.result), valuesOf(whole.result), "result");
    const kept = (performance: Performance): number => performance.performed[0]!.values.size;
    assert.equal(kept(only), 1);
    assert.ok(kept(whole) > 6);
  });
});
