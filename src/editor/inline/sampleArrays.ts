/** Arrays to try a loss on when the user has none at hand: small, random, the same every time. */
import type { DerivedInput } from "../../session/inline/protocol.ts";

/** Sizes for axes that the code leaves open. */
const SIZES: Readonly<Record<string, number>> = { b: 2, c: 3, d: 2, h: 4, w: 4, i: 6, j: 4, k: 3 };
const OTHER_SIZE = 3;

/** The sizes that are taken for an input. */
export function sizesFor(input: DerivedInput): number[] {
  return input.shape.map((n) => (typeof n === "number" ? n : (SIZES[n] ?? OTHER_SIZE)));
}

export function elementsOf(sizes: readonly number[]): number {
  return sizes.reduce((n, size) => n * size, 1);
}

/** Numbers of one seed, uniform in [0, 1): Marsaglia's xorshift with 32 bits. */
function uniform(seed: number): () => number {
  let x = seed === 0 ? 1 : seed | 0;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/**
 * Values of one input, row-major, of two decimals: probabilities or logits for a prediction, a mask
 * (or class numbers, for integers) for a target, positive numbers for anything else.
 * @param classes how many classes integers may name
 * @param seed differs from input to input
 */
export function valuesFor(
  input: DerivedInput,
  options: { readonly logits: boolean; readonly classes: number; readonly seed: number },
): number[] {
  const next = uniform(options.seed * 7919 + 104729);
  const share = (low: number, high: number): number =>
    Math.round((low + (high - low) * next()) * 100) / 100;
  const one = (): number => {
    if (input.type === "bool") return Number(next() < 0.5);
    if (input.type === "int") return Math.floor(next() * options.classes);
    if (input.role === "prediction") return options.logits ? share(-2, 2) : share(0.05, 0.95);
    return input.role === "target" ? Number(next() < 0.5) : share(0.5, 1.5);
  };
  return Array.from({ length: elementsOf(sizesFor(input)) }, one);
}

/** A Python list of lists; floats have a point. */
export function nested(
  values: readonly number[],
  sizes: readonly number[],
  type: DerivedInput["type"],
): string {
  const one = (v: number): string =>
    type === "bool"
      ? v === 0
        ? "False"
        : "True"
      : type === "int" || !Number.isInteger(v)
        ? String(v)
        : v.toFixed(1);
  const [size, ...rest] = sizes;
  if (size === undefined) return one(values[0]!);
  const step = elementsOf(rest);
  const parts = Array.from({ length: size }, (_, k) =>
    nested(values.slice(k * step, (k + 1) * step), rest, type),
  );
  return `[${parts.join(", ")}]`;
}

/** The call that makes an array of that library from a Python expression. */
export function arrayCall(library: DerivedInput["library"], inner: string): string {
  switch (library) {
    case "torch":
      return `torch.tensor(${inner})`;
    case "tensorflow":
      return `tf.constant(${inner})`;
    case "jax":
      return `jnp.array(${inner})`;
    case "numpy":
    case "autograd":
      return `np.array(${inner})`;
  }
}

/** NumPy reads the file; other libraries take the array over. */
export function arrayFromFile(library: DerivedInput["library"], load: string): string {
  if (library === "numpy" || library === "autograd") return load;
  return library === "torch" ? `torch.from_numpy(${load})` : arrayCall(library, load);
}

/** The line that imports what {@link arrayCall} uses. */
export function importOf(library: DerivedInput["library"]): string {
  switch (library) {
    case "torch":
      return "import torch";
    case "tensorflow":
      return "import tensorflow as tf";
    case "jax":
      return "import jax.numpy as jnp";
    case "numpy":
    case "autograd":
      return "import numpy as np";
  }
}
