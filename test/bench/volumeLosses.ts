/** The losses that whole volumes are timed with, and their arrays. */
import { axis } from "../../src/expression/axis.ts";
import * as b from "../../src/expression/build.ts";
import type { Expr } from "../../src/expression/node.ts";

const EPS = 1e-5;
const CLASSES = 4;

function dice(p: Expr, t: Expr, dims: readonly number[] | null): Expr {
  const shared = b.mul(b.constant(2), b.sum(b.mul(p, t), dims));
  const both = b.add(b.sum(p, dims), b.sum(t, dims));
  return b.div(b.add(shared, b.constant(EPS)), b.add(both, b.constant(EPS)));
}

export const LOSSES = [
  {
    key: "sigmoid",
    title: "binary, sigmoid",
    of: (x: Expr, t: Expr) => b.sub(b.ONE, dice(b.sigmoid(x), t, null)),
  },
  {
    key: "probabilities",
    title: "binary, probabilities",
    of: (x: Expr, t: Expr) => b.sub(b.ONE, dice(x, t, null)),
  },
  {
    key: "softmax",
    title: "softmax, 4 classes",
    of: (x: Expr, t: Expr) => b.sub(b.ONE, b.mean(dice(b.softmax(x, 0), t, [1]))),
  },
] as const;

export type Loss = (typeof LOSSES)[number];

export function shapeOf(loss: Loss, n: number): ReturnType<typeof axis>[] {
  return loss.key === "softmax" ? [axis("c", CLASSES), axis("i", n / CLASSES)] : [axis("i", n)];
}

export function fill(loss: Loss, x: Float32Array, t: Float32Array): void {
  let state = 1;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let k = 0; k < x.length; k++) {
    x[k] = loss.key === "probabilities" ? random() : (random() - 0.5) * 8;
    t[k] = random() < 0.1 ? 1 : 0;
  }
}
