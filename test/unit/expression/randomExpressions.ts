/** Random expressions over small arrays, for properties that must hold of all of them. */
import fc from "fast-check";
import { UNIT, axis, flattenAxes, isUnit } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { BinaryOp, Expr, UnaryOp } from "../../../src/expression/node.ts";

const B = axis("b", 2, "batch");
const C = axis("c", 3, "class");
const N = axis("n", 2, "space");

export const prediction = b.input("p", [B, C, N]);
export const target = b.input("g", [B, C, N]);
export const weights = b.input("w", [C, UNIT]);
const epsilon = b.parameter("eps", 1e-3);

const leaf: fc.Arbitrary<Expr> = fc.constantFrom(
  prediction,
  prediction,
  target,
  weights,
  epsilon,
  b.ONE,
  b.constant(2),
  b.constant(0.5),
  b.constant(-3),
  b.ZERO,
  b.size([N]),
);

const smooth: UnaryOp[] = [
  "neg",
  "exp",
  "sigmoid",
  "tanh",
  "logsigmoid",
  "softplus",
  "neg",
  "cosh",
];
const kinked: UnaryOp[] = ["abs", "relu", "sign"];
const arithmetic: BinaryOp[] = ["add", "sub", "mul", "mul", "add", "sub", "div"];

/** One more operation on top of two expressions, whatever their shapes allow. */
function grown(x: Expr, y: Expr, choice: number, detail: number): Expr {
  const rank = x.shape.length;
  const dim = rank === 0 ? 0 : detail % rank;
  const wide = x.shape[dim] !== undefined && !isUnit(x.shape[dim]);
  switch (choice) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: {
      const op = arithmetic[detail % arithmetic.length]!;
      // Divisors away from zero: 1 + y².
      const right = op === "div" ? b.add(b.ONE, b.mul(y, y)) : y;
      return b.binary(op, x, right);
    }
    case 5:
      return b.unary(smooth[detail % smooth.length]!, b.mul(b.constant(0.5), x));
    case 6:
      return b.unary(kinked[detail % kinked.length]!, x);
    case 7:
      return b.pow(x, b.constant(2 + (detail % 2)));
    case 8:
      return rank === 0 ? x : b.sum(x, detail % 3 === 0 ? null : [dim], detail % 2 === 0);
    case 9:
      return rank === 0 ? x : b.mean(x, [dim], detail % 2 === 1);
    case 10:
      return b.reshape(x, [flattenAxes(x.shape)]);
    case 11:
      return b.transpose(
        x,
        [...Array(rank).keys()].map((d) => (d + detail) % Math.max(rank, 1)),
      );
    case 12:
      return wide ? b.index(x, dim, detail % x.shape[dim]!.size!) : x;
    case 13:
      return rank === 0 ? x : b.softmax(x, dim, detail % 2 === 0);
    case 14:
      return b.where(b.binary("gt", x, b.constant(0.3)), x, detail % 2 === 0 ? b.ZERO : y);
    case 15:
      return b.clamp(x, b.constant(-0.5), detail % 2 === 0 ? null : b.constant(0.7));
    case 16:
      return rank === 0 ? x : b.unsqueeze(x, detail % (rank + 1));
    case 17:
      return wide
        ? b.place(b.index(x, dim, 0), dim, detail % x.shape[dim]!.size!, x.shape[dim]!)
        : x;
    case 18:
      return b.stack([x, b.mul(x, x)], detail % (rank + 1));
    case 19:
      return rank === 0 ? x : b.concat([x, b.exp(b.mul(b.constant(0.1), x))], dim);
    case 20:
      return wide && x.shape[dim]!.size! > 1 ? b.slice(x, dim, 1, null) : x;
    case 21:
      return b.cast(b.binary("gt", x, y), "float32");
    case 22:
      return rank === 0 ? x : b.reduce("max", x, [dim], detail % 2 === 0);
    case 23:
      return b.binary(detail % 2 === 0 ? "max" : "min", x, y);
    default:
      return x;
  }
}

const step = fc.tuple(fc.nat(30), fc.nat(30), fc.nat(24), fc.nat(50));

/** Expressions of up to about twenty operations; steps whose shapes do not fit are left out. */
export const expressions: fc.Arbitrary<Expr> = fc
  .tuple(
    fc.array(leaf, { minLength: 2, maxLength: 4 }),
    fc.array(step, { minLength: 1, maxLength: 14 }),
  )
  .map(([leaves, steps]) => {
    const pool = [...leaves];
    for (const [i, j, choice, detail] of steps) {
      try {
        // The newest is the likeliest: expressions grow deep as well as wide.
        const x = pool[Math.max(0, pool.length - 1 - (i % 5))]!;
        const made = grown(x, pool[j % pool.length]!, choice, detail);
        if (made.shape.reduce((n, a) => n * a.size!, 1) <= 64) pool.push(made);
      } catch (error) {
        if (!(error instanceof Error && error.name === "ShapeError")) throw error;
      }
    }
    return pool.at(-1)!;
  });
