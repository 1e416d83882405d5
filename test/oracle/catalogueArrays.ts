/** Arrays for catalogue losses: logits or probabilities, and targets of the kinds that matter. */
import { generator } from "../../src/expression/equalityPoints.ts";
import type { TargetForm } from "../../src/losses/entry.ts";

export interface Filled {
  readonly shape: readonly number[];
  readonly data: number[];
  readonly type: "float" | "int";
}

/** What the target holds: anything, no foreground at all, a class missing, labels between 0 and 1. */
export type TargetKind = "hard" | "background only" | "class missing" | "soft" | "ignored labels";

const count = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);

export function prediction(
  shape: readonly number[],
  kind: "logits" | "probabilities",
  seed: number,
): Filled {
  const next = generator(seed);
  const data = Array.from({ length: count(shape) }, () =>
    kind === "logits" ? 4 * (next() - 0.5) : 0.02 + 0.96 * next(),
  );
  return { shape, data, type: "float" };
}

/** A mask of zeros and ones with the prediction's axes but a single channel. */
export function mask(shape: readonly number[], channel: number, seed: number): Filled {
  const next = generator(seed);
  const one = shape.map((n, d) => (d === channel ? 1 : n));
  return {
    shape: one,
    data: Array.from({ length: count(one) }, () => Number(next() < 0.7)),
    type: "float",
  };
}

/** A target for a prediction of this shape, whose axis `channel` holds the classes (-1: none). */
export function target(
  shape: readonly number[],
  channel: number,
  form: TargetForm,
  kind: TargetKind,
  seed: number,
  ignored = NO_CLASS,
): Filled {
  const next = generator(seed);
  const classes = channel < 0 ? 1 : shape[channel]!;
  if (form === "like the prediction" && (kind === "soft" || classes === 1)) {
    const draw = kind === "soft" ? () => next() : () => Number(next() < 0.4);
    const empty = kind === "background only" || kind === "class missing";
    return {
      shape,
      data: Array.from({ length: count(shape) }, () => (empty ? 0 : draw())),
      type: "float",
    };
  }
  const flat = shape.filter((_, d) => d !== channel);
  const labels = Array.from({ length: count(flat) }, () => {
    if (kind === "background only") return 0;
    const label = Math.floor(next() * classes);
    if (kind === "class missing" && label === classes - 1) return 0;
    return kind === "ignored labels" && next() < 0.3 ? ignored : label;
  });
  if (form === "labels") return { shape: flat, data: labels, type: "int" };
  if (form === "labels with a channel") {
    return { shape: shape.map((n, d) => (d === channel ? 1 : n)), data: labels, type: "int" };
  }
  const inner = count(shape.slice(channel + 1));
  const data = Array.from({ length: count(shape) }, (_, k) => {
    const c = Math.floor(k / inner) % classes;
    const outer = Math.floor(k / inner / classes);
    return Number(labels[outer * inner + (k % inner)] === c);
  });
  return { shape, data, type: "float" };
}

/** A label that no class has. */
const NO_CLASS = 7;
