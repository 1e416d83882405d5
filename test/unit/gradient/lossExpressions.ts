/** Dice-family losses as expressions, for tests of the numeric check. */
import { type Shape, axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";

export const c = (x: number): Expr => b.constant(x);

export function inputOf(name: string, shape: Shape): Input {
  return b.input(name, shape) as Input;
}

export function vector(name: string, n: number): Input {
  return inputOf(name, [axis("i", n)]);
}

/** Arrays of shape (batch, class, voxels). */
export function volume(name: string, batch: number, classes: number, n: number): Input {
  return inputOf(name, [axis("b", batch, "batch"), axis("c", classes, "class"), axis("i", n)]);
}

export interface DiceOptions {
  readonly smooth?: number;
  readonly squared?: boolean;
  /** Reduced axes; all when absent. */
  readonly dims?: readonly number[];
}

/** (2I + s)/(U + s) for each remaining axis. */
export function diceScore(p: Expr, t: Expr, options: DiceOptions = {}): Expr {
  const { smooth = 1e-5, squared = false, dims = null } = options;
  const i = b.sum(b.mul(p, t), dims);
  const size = (x: Expr): Expr => b.sum(squared ? b.mul(x, x) : x, dims);
  const u = b.add(size(p), size(t));
  return smooth === 0
    ? b.div(b.mul(c(2), i), u)
    : b.div(b.add(b.mul(c(2), i), c(smooth)), b.add(u, c(smooth)));
}

export function diceLoss(p: Expr, t: Expr, options: DiceOptions = {}): Expr {
  const score = diceScore(p, t, options);
  return b.sub(c(1), score.shape.length === 0 ? score : b.mean(score));
}

export function tverskyScore(p: Expr, t: Expr, alpha = 0.3, beta = 0.7, smooth = 1e-5): Expr {
  const one = c(1);
  const tp = b.sum(b.mul(p, t));
  const fp = b.sum(b.mul(p, b.sub(one, t)));
  const fn = b.sum(b.mul(b.sub(one, p), t));
  const den = b.add(tp, b.add(b.mul(c(alpha), fp), b.mul(c(beta), fn)));
  return b.div(b.add(tp, c(smooth)), b.add(den, c(smooth)));
}

/** (1 − Tversky)^gamma. */
export function focalTversky(p: Expr, t: Expr, gamma = 0.75): Expr {
  return b.pow(b.sub(c(1), tverskyScore(p, t)), c(gamma));
}

export function logCoshDice(p: Expr, t: Expr): Expr {
  return b.log(b.unary("cosh", diceLoss(p, t)));
}

export function iouLoss(p: Expr, t: Expr): Expr {
  const i = b.sum(b.mul(p, t));
  return b.sub(c(1), b.div(i, b.sub(b.add(b.sum(p), b.sum(t)), i)));
}

/** One ratio a sample, with class weights 1/(Σt)² from the labels alone. */
export function generalizedDice(p: Expr, t: Expr): Expr {
  const space = [p.shape.length - 1];
  const w = b.div(c(1), b.add(b.pow(b.sum(t, space), c(2)), c(1e-5)));
  const classes = [1];
  const i = b.sum(b.mul(w, b.sum(b.mul(p, t), space)), classes);
  const u = b.sum(b.mul(w, b.sum(b.add(p, t), space)), classes);
  return b.sub(c(1), b.mean(b.div(b.mul(c(2), i), u)));
}
