/**
 * Random expressions: programs of small steps over a few arrays, so that every node kind meets
 * every other. All axes have the same size, so an index letter tells its extent.
 */
import fc from "fast-check";
import { type Axis, axis, sizesOf } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { BoundArray } from "../../../src/expression/evaluate.ts";
import type { Expr } from "../../../src/expression/node.ts";

export const N = 3;
const B = axis("b", N, "batch");
const C = axis("c", N, "class");
const I = axis("i", N, "element");

export const ARRAYS = new Map<string, BoundArray>();
function array(name: string, axes: readonly Axis[], seed: number): Expr {
  const sizes = sizesOf(axes);
  const count = sizes.reduce((a, n) => a * n, 1);
  const data = Array.from(
    { length: count },
    (_, k) => 0.6 + 0.4 * Math.sin(12.9 * k + 78.2 * seed),
  );
  ARRAYS.set(name, { shape: sizes, data });
  return b.input(name, axes);
}
export const LEAVES: readonly Expr[] = [
  array("p", [B, C, I], 1),
  array("g", [B, C, I], 2),
  array("x", [B, C, I], 5),
  array("w", [C, I], 3),
  array("u", [I], 4),
  b.parameter("alpha", 0.7),
  b.constant(2),
  b.constant(-0.25),
  b.constant(1 / 3),
];

/** A program of small steps over a stack of expressions; steps that do not fit change nothing. */
export function runProgram(program: readonly (readonly [number, number, number])[]): Expr {
  const made: Expr[] = [...LEAVES];
  const pick = (n: number): Expr => made[made.length - 1 - (n % made.length)]!;
  for (const [op, m, n] of program) {
    try {
      made.push(step(op, pick(m), pick(n), m, n));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "ShapeError") throw error;
    }
  }
  return made.at(-1)!;
}

function step(op: number, x: Expr, y: Expr, m: number, n: number): Expr {
  const rank = x.shape.length;
  const dim = rank === 0 ? 0 : n % rank;
  switch (op) {
    case 0:
      return b.add(x, y);
    case 1:
      return b.sub(x, y);
    case 2:
    case 3:
      return b.mul(x, y);
    case 4:
      return b.div(x, b.add(b.mul(y, y), b.ONE));
    case 5:
      return b.neg(x);
    case 6:
      return b.sigmoid(x);
    case 7:
      return b.pow(x, b.constant(2));
    case 8:
      return b.sum(x, rank === 0 ? null : [dim]);
    case 9:
      return b.sum(x, rank === 0 ? null : [dim], true);
    case 10:
      return b.mean(x, rank < 2 ? null : [0, dim === 0 ? 1 : dim]);
    case 11:
      return b.where(b.binary("gt", x, b.constant(0.5123)), y, x);
    case 12:
      return b.clamp(x, b.constant(-0.5), b.constant(0.75));
    case 13:
      return b.index(x, dim, n % 3);
    case 14:
      return b.place(x, dim, n % 3, [B, C, I][n % 3]!);
    case 15:
      return b.slice(x, dim, 1, null);
    case 16:
      return rank === 3 && x.shape.every((a) => a.name.length === 1)
        ? b.softmax(n % 2 === 0 ? x : b.add(x, y), dim)
        : x;
    case 17:
      return b.binary("max", x, y);
    case 18:
      return b.abs(b.sub(x, y));
    case 19:
      return b.unsqueeze(x, dim);
    case 20:
      return b.stack([x, y, b.neg(x)], dim, [B, C, I][n % 3]);
    case 21:
      return b.sum(x);
    case 22:
      return b.pow(b.add(b.abs(x), b.ONE), b.parameter("alpha", 0.7));
    case 23:
      return rank > 1
        ? b.transpose(
            x,
            x.shape.map((_, d) => (d + 1) % rank),
          )
        : x;
    case 24:
      return b.mul(b.binary("le", x, b.add(y, b.constant(0.0123))), b.exp(b.neg(b.mul(x, x))));
    case 25:
      return b.reduce(n % 2 === 0 ? "max" : "prod", x, rank === 0 ? null : [dim]);
    case 26:
      return b.spread(
        b.slice(x, dim, n % 2, null, 1 + (m % 2)),
        dim,
        n % 2,
        1 + (m % 2),
        x.shape[dim]!,
      );
    case 27:
      return b.concat([b.slice(x, dim, 0, 1), b.slice(y, dim, 1, null)], dim);
    case 28:
      return b.oneHot(b.argReduce("argmax", x, dim), [B, C, I][n % 3]!, dim);
    case 29:
      return b.div(b.binary("mod", x, b.constant(0.3127)), b.constant(1e-3));
    case 30: {
      const other = (dim + 1) % rank;
      return rank > 1 ? b.slide(x, dim, other, [1, -1, 2][n % 3]!, (m % 4) - 2, x.shape[dim]!) : x;
    }
    default:
      return b.sqrt(b.add(b.mul(x, x), b.ONE));
  }
}

export const programs = fc.array(fc.tuple(fc.nat(31), fc.nat(12), fc.nat(12)), {
  minLength: 1,
  maxLength: 9,
});
