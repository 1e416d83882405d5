/** Losses of every form that a derivation meets, with arrays to try them on. */
import { type Shape, axis, flattenAxes, sizesOf } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { BoundArray } from "../../../src/expression/evaluate.ts";
import { inputAxes } from "../../../src/expression/inputAxes.ts";
import { type Expr, annotate } from "../../../src/expression/node.ts";
import { uniform } from "./data.ts";

export interface LossCase {
  readonly name: string;
  readonly loss: Expr;
  readonly wrt: Expr;
  readonly bindings: ReadonlyMap<string, BoundArray>;
}

type Kind = "probability" | "mask" | "score" | "labels";

function array(shape: Shape, kind: Kind, seed: number): BoundArray {
  const random = uniform(seed);
  const sizes = sizesOf(shape);
  const n = sizes.reduce((x, y) => x * y, 1);
  const draw: Record<Kind, () => number> = {
    probability: () => 0.05 + 0.9 * random(),
    mask: () => (random() < 0.4 ? 1 : 0),
    score: () => 4 * random() - 2,
    labels: () => Math.floor(3 * random()),
  };
  return { shape: sizes, data: Array.from({ length: n }, () => draw[kind]()) };
}

const TWO = b.constant(2);
const one = (x: Expr): Expr => b.sub(b.ONE, x);
const flat = (x: Expr): Expr => b.reshape(x, [flattenAxes(x.shape)]);
const image = inputAxes([3, 4]);
const batch = inputAxes([2, 3, 2, 2]);
const single = inputAxes([2, 1, 2, 3]);
const rows: Shape = [axis("b", 2, "batch"), axis("c", 3, "class"), axis("i", 4)];

function pair(
  [wrtName, targetName]: readonly [string, string],
  shape: Shape,
  kinds: readonly [Kind, Kind],
  build: (p: Expr, g: Expr) => Expr,
): Omit<LossCase, "name"> {
  const p = b.input(wrtName, shape);
  const isLabels = kinds[1] === "labels";
  const targetShape = isLabels ? shape.filter((_, d) => d !== 1) : shape;
  const g = b.input(targetName, targetShape, isLabels ? "int" : "float");
  return {
    loss: build(p, g),
    wrt: p,
    bindings: new Map([
      [wrtName, array(shape, kinds[0], 1)],
      [targetName, array(targetShape, kinds[1], 2)],
    ]),
  };
}

const Y = ["y_pred", "y_true"] as const;
const Z = ["logits", "targets"] as const;
const P = ["p", "g"] as const;
const plain = ["probability", "mask"] as const;
const raw = ["score", "mask"] as const;

/** (2 Σ p g + a) / (Σ p + Σ g + b), over `dims`. */
function dice(p: Expr, g: Expr, a: Expr | null, dims: number[] | null = null): Expr {
  const twice = b.mul(TWO, b.sum(b.mul(p, g), dims));
  const size = b.add(b.sum(p, dims), b.sum(g, dims));
  return a === null ? b.div(twice, size) : b.div(b.add(twice, a), b.add(size, a));
}

function tversky(p: Expr, g: Expr): Expr {
  const [alpha, beta] = [b.parameter("alpha", 0.3), b.parameter("beta", 0.7)];
  const smooth = b.parameter("smooth", 1);
  const tp = annotate(b.sum(b.mul(p, g)), undefined, "tp");
  const fp = b.sum(b.mul(p, one(g)));
  const fn = b.sum(b.mul(one(p), g));
  const size = b.add(b.add(tp, b.mul(alpha, fp)), b.mul(beta, fn));
  return b.div(b.add(tp, smooth), b.add(size, smooth));
}

function generalized(p: Expr, g: Expr): Expr {
  const size = b.sum(g, [0, 2]);
  const w = b.div(b.ONE, b.add(b.pow(size, TWO), b.constant(1e-6)));
  const top = b.mul(TWO, b.sum(b.mul(w, b.sum(b.mul(p, g), [0, 2]))));
  return one(b.div(top, b.sum(b.mul(w, b.add(b.sum(p, [0, 2]), size)))));
}

function loop(p: Expr, g: Expr): Expr {
  const s = b.parameter("smooth", 1e-5);
  const terms = [0, 1, 2].map((c) => one(dice(b.index(p, 1, c), b.index(g, 1, c), s)));
  return b.div(
    terms.reduce((x, y) => b.add(x, y)),
    b.constant(3),
  );
}

const eps = b.constant(1e-7);
const epsilon = b.parameter("epsilon", 1e-7);
const smooth = b.parameter("smooth", 1e-5);

const CASES: Readonly<Record<string, Omit<LossCase, "name">>> = {
  dice: pair(Y, image, plain, (p, g) => one(dice(p, g, null))),
  dice_smooth: pair(Y, image, plain, (p, g) => one(dice(p, g, eps))),
  dice_logits: pair(Z, single, raw, (z, g) => one(dice(flat(b.sigmoid(z)), flat(g), epsilon))),
  squared: pair(Y, image, plain, (p, g) =>
    one(b.div(b.mul(TWO, b.sum(b.mul(p, g))), b.add(b.sum(b.mul(p, p)), b.sum(b.pow(g, TWO))))),
  ),
  tversky: pair(Y, image, plain, (p, g) => one(tversky(p, g))),
  focal_tversky: pair(Y, image, plain, (p, g) =>
    b.pow(one(tversky(p, g)), b.parameter("gamma", 0.75)),
  ),
  jaccard: pair(Y, image, plain, (p, g) => {
    const i = b.sum(b.mul(p, g));
    const union = b.sub(b.add(b.sum(p), b.sum(g)), i);
    return one(b.div(b.add(i, b.ONE), b.add(union, b.ONE)));
  }),
  log_dice: pair(Y, image, plain, (p, g) => b.neg(b.log(dice(p, g, eps)))),
  log_cosh: pair(Y, image, plain, (p, g) => b.log(b.unary("cosh", one(dice(p, g, null))))),
  mean_over_classes: pair(P, rows, plain, (p, g) => b.mean(one(dice(p, g, smooth, [2])))),
  one_number_over_each_class: pair(P, rows, plain, (p, g) =>
    one(b.mean(b.add(b.sum(b.mul(p, g), [2]), b.div(eps, b.add(b.sum(b.add(p, g), [2]), eps))))),
  ),
  batch_dice: pair(P, batch, plain, (p, g) => one(b.mean(dice(p, g, smooth, [0, 2, 3])))),
  generalized: pair(P, rows, plain, generalized),
  softmax: pair(["logits", "target"], batch, ["score", "labels"], (z, g) =>
    one(b.mean(dice(b.softmax(z, 1), b.oneHot(g, batch[1]!, 1), smooth, [0, 2, 3]))),
  ),
  without_background: pair(["logits", "target"], batch, ["score", "labels"], (z, g) => {
    const foreground = (x: Expr): Expr => b.slice(x, 1, 1, null);
    const p = foreground(b.softmax(z, 1));
    return b.mean(one(dice(p, foreground(b.oneHot(g, batch[1]!, 1)), smooth, [2, 3])));
  }),
  foreground_channel: pair(P, batch, raw, (z, g) =>
    one(dice(b.index(b.softmax(z, 1), 1, 1), b.index(g, 1, 1), smooth)),
  ),
  loop_over_classes: pair(P, rows, plain, loop),
  normalised: pair(P, rows, plain, (p, g) => {
    const share = b.div(p, b.sum(p, [1], true));
    return one(b.div(b.mul(TWO, b.sum(b.mul(share, g))), b.add(b.sum(share), b.sum(g))));
  }),
  cross_entropy: pair(Y, image, plain, (p, g) =>
    b.neg(b.mean(b.add(b.mul(g, b.log(p)), b.mul(one(g), b.log(one(p)))))),
  ),
  cross_entropy_and_dice: pair(Z, single, raw, (z, g) => {
    const ce = b.mean(b.sub(b.unary("softplus", z), b.mul(z, g)));
    return b.add(ce, one(dice(b.sigmoid(z), g, smooth)));
  }),
  clamped: pair(Y, image, plain, (p, g) =>
    one(b.div(b.mul(TWO, b.sum(b.mul(p, g))), b.clamp(b.add(b.sum(p), b.sum(g)), eps, null))),
  ),
  clipped_prediction: pair(Y, image, raw, (p, g) =>
    one(dice(b.clamp(p, b.constant(0.1), b.constant(0.9)), g, eps)),
  ),
  tanh_activation: pair(["x", "target"], image, raw, (x, g) =>
    one(dice(b.mul(b.constant(0.5), b.add(b.unary("tanh", x), b.ONE)), g, eps)),
  ),
  absent_classes: pair(P, rows, plain, (p, g) => {
    const size = b.sum(g, [0, 2]);
    const present = b.cast(b.binary("gt", size, b.ZERO), "float32");
    return b.div(b.sum(b.mul(one(dice(p, g, smooth, [0, 2])), present)), b.sum(present));
  }),
  means: pair(Y, image, plain, (p, g) =>
    one(b.div(b.mul(TWO, b.mean(b.mul(p, g))), b.add(b.mean(p), b.mean(g)))),
  ),
  class_weights: {
    ...pair(P, rows, plain, (p, g) => {
      const w = b.input("weight", [axis("c", 3, "class")]);
      return b.sum(b.mul(w, b.mean(one(dice(p, g, smooth, [2])), [0])));
    }),
    bindings: new Map([
      ["p", array(rows, "probability", 1)],
      ["g", array(rows, "mask", 2)],
      ["weight", array([axis("c", 3, "class")], "probability", 3)],
    ]),
  },
  hard_threshold: pair(Y, image, plain, (p, g) =>
    one(dice(b.cast(b.binary("gt", p, b.constant(0.5)), "float32"), g, eps)),
  ),
  largest: pair(Y, image, plain, (p, g) => b.reduce("max", b.abs(b.sub(p, g)), null)),
  detached_size: pair(Y, image, plain, (p, g) => {
    const top = b.add(b.mul(TWO, b.sum(b.mul(p, g))), eps);
    return one(b.div(top, b.stopGradient(b.add(b.add(b.sum(p), b.sum(g)), eps))));
  }),
};

export const LOSSES: readonly LossCase[] = Object.entries(CASES).map(([name, c]) => ({
  name,
  ...c,
}));

export function lossNamed(name: string): LossCase {
  return LOSSES.find((l) => l.name === name)!;
}
