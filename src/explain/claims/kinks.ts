/**
 * Where libraries may differ by right: at a kink a function has no derivative, and each library has
 * a convention of its own. Measured with PyTorch 2.13, TensorFlow 2.21, JAX 0.10.2 and HIPS Autograd
 * 1.9.1; a test measures them again.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { tiesOf } from "../../gradient/branches.ts";
import { nodeWords } from "../../gradient/nodeWords.ts";
import { compileKernel } from "../../numbers/kernel.ts";
import type { Watch } from "../../numbers/typedArrays.ts";
import type { BehaviourSubject } from "../behaviour/subject.ts";

export type AutodiffLibrary = "PyTorch" | "TensorFlow" | "JAX" | "HIPS Autograd";

export interface Convention {
  /** What it is about, as in "the absolute value at 0". */
  readonly what: string;
  /** The slope that each takes there. */
  readonly slopes: Readonly<Record<AutodiffLibrary, number>>;
}

const abs: Convention = {
  what: "an absolute value at 0",
  slopes: { PyTorch: 0, TensorFlow: 0, JAX: 1, "HIPS Autograd": 0 },
};
const relu: Convention = {
  what: "a ReLU at 0 (HIPS Autograd: maximum(x, 0))",
  slopes: { PyTorch: 0, TensorFlow: 0, JAX: 0, "HIPS Autograd": 0.5 },
};
const extreme: Convention = {
  what: "the first argument of a maximum or minimum of two equal numbers",
  slopes: { PyTorch: 0.5, TensorFlow: 1, JAX: 0.5, "HIPS Autograd": 0.5 },
};
const clamp: Convention = {
  what: "a clamped value on its bound",
  slopes: { PyTorch: 1, TensorFlow: 1, JAX: 0.5, "HIPS Autograd": 0 },
};

export const CONVENTIONS = { abs, relu, extreme, clamp } as const;

/** A kink of the loss at which the libraries have different conventions. */
export interface KinkFound {
  readonly convention: Convention;
  readonly words: string;
  /** Entries that sit on it, on these arrays. */
  readonly entries: number;
  readonly lines: readonly number[];
}

function conventionOf(e: Expr): Convention | null {
  if (e.kind === "clamp") return clamp;
  if (e.kind === "unary") return e.op === "abs" ? abs : e.op === "relu" ? relu : null;
  return e.kind === "binary" && (e.op === "max" || e.op === "min") ? extreme : null;
}

/** @throws Cancelled */
export function conventionsIn(
  { loss, wrt, bindings, spans, file }: BehaviourSubject,
  watch: Watch,
): KinkFound[] {
  const ties = tiesOf(loss, wrt).flatMap((tie) => {
    const convention = conventionOf(tie.node);
    return convention === null ? [] : [{ ...tie, convention }];
  });
  if (ties.length === 0) return [];
  const { outputs } = compileKernel(ties.map((t) => b.sum(b.cast(t.at, "float64")))).run(
    bindings,
    watch,
  );
  return ties.map(({ node, convention }, k) => {
    const span = spans?.get(node);
    return {
      convention,
      words: nodeWords(node),
      entries: outputs[k]!.data[0]!,
      lines: span !== undefined && span.file === file ? [span.line] : [],
    };
  });
}

/** "PyTorch 0.5, TensorFlow 1, …" */
export function slopesWords({ slopes }: Convention): string {
  return Object.entries(slopes)
    .map(([library, slope]) => `${library} ${slope}`)
    .join(", ");
}
