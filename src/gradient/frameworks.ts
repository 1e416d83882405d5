/**
 * What the usual gradient checkers could see at this size. Each compares with an absolute tolerance,
 * and a voxel's share of a Dice gradient shrinks as 2/(sum of both masks): from some size on every
 * gradient passes, one of all zeros included.
 *
 * Tolerances and criteria are the defaults in the projects' own sources (2026): PyTorch's gradcheck,
 * JAX's and HIPS autograd's check_grads, NVIDIA Warp's gradcheck. TensorFlow's compute_gradient has
 * no criterion of its own; 1e-4 on the largest error is the usual assertion.
 */

import { number } from "./nodeWords.ts";

export interface GradientFigures {
  readonly elements: number;
  /** Largest absolute entry, Euclidean norm, and mean of the gradient. */
  readonly maxAbs: number;
  readonly norm: number;
  readonly mean: number;
  readonly loss: number;
  /** Whether the input's array is float32. */
  readonly isFloat32: boolean;
}

export interface FrameworkView {
  readonly checker: string;
  /** The figure of this gradient that the checker's tolerance is compared with, and its value. */
  readonly figure: string;
  readonly value: number;
  /** Absolute and relative tolerance. */
  readonly atol: number;
  readonly rtol: number;
  /** Relative error of that figure that still passes. */
  readonly accepted: number;
  /** A gradient of all zeros passes. */
  readonly acceptsZero: boolean;
  readonly sentence: string;
}

interface Checker {
  readonly name: string;
  readonly figure: string;
  readonly value: (g: GradientFigures) => number;
  readonly atol: number;
  readonly rtol: number;
}

const largest = { figure: "largest entry", value: (g: GradientFigures) => g.maxAbs };
/** A direction with normally distributed entries gives a directional derivative of about the norm. */
const along = {
  figure: "norm",
  value: (g: GradientFigures) => g.norm,
};

const CHECKERS: readonly Checker[] = [
  { name: "torch.autograd.gradcheck", ...largest, atol: 1e-5, rtol: 1e-3 },
  {
    // The direction has no negative entries and the tolerance grows with its sum.
    name: "torch.autograd.gradcheck(fast_mode=True)",
    figure: "mean entry",
    value: (g) => Math.abs(g.mean),
    atol: 1e-5,
    rtol: 1e-3,
  },
  { name: "jax.test_util.check_grads in float32", ...along, atol: 2e-3, rtol: 2e-3 },
  { name: "jax.test_util.check_grads in float64", ...along, atol: 1e-5, rtol: 1e-5 },
  { name: "tf.test.compute_gradient with errors up to 1e-4", ...largest, atol: 1e-4, rtol: 0 },
  { name: "HIPS autograd's check_grads", ...along, atol: 1e-6, rtol: 1e-6 },
  { name: "warp.autograd.gradcheck", ...largest, atol: 1e-3, rtol: 1e-2 },
];

/** What each checker would accept on a gradient with these figures. */
export function frameworkViews(g: GradientFigures): FrameworkView[] {
  return CHECKERS.map(({ name, figure, value, atol, rtol }) => {
    const v = value(g);
    const accepted = rtol + atol / v;
    const acceptsZero = v * (1 - rtol) <= atol;
    const sentence = acceptsZero
      ? `${name} accepts even a gradient of all zeros here: the ${figure} ${number(v)} is within its tolerance ${number(atol)}`
      : `${name} accepts errors up to ${percent(accepted)} of the ${figure} (${number(v)}) here`;
    return { checker: name, figure, value: v, atol, rtol, accepted, acceptsZero, sentence };
  });
}

/**
 * Sentences for a report: those that are blind here together, then how much the others let pass.
 * Empty for a gradient that is zero.
 */
export function frameworkNotes(g: GradientFigures): string[] {
  if (!(g.maxAbs > 0)) return [];
  const views = frameworkViews(g);
  const blind = views.filter((v) => v.acceptsZero);
  const notes: string[] = [];
  const torch = views[0]!;
  if (blind.length > 0) {
    const names = blind.map((v) => v.checker);
    notes.push(
      blind.length === 1
        ? blind[0]!.sentence
        : `${list(names)} would accept even a gradient of all zeros here: ` +
            `the largest entry is ${number(g.maxAbs)}, and their tolerances are absolute`,
    );
  }
  if (!torch.acceptsZero) notes.push(torch.sentence);
  const noise = 2 ** -24 * Math.max(Math.abs(g.loss), 2 ** -10);
  if (g.isFloat32 && noise / 1e-6 > torch.atol + torch.rtol * g.maxAbs) {
    notes.push(
      "in float32 gradcheck would reject a right gradient: with its step of 1e-6, " +
        `rounding of the loss alone makes numeric entries of about ${number(noise / 1e-6)}`,
    );
  }
  return notes;
}

function percent(x: number): string {
  return x >= 0.0995 ? `${Math.round(x * 100)} %` : `${number(x * 100)} %`;
}

function list(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}
