/**
 * Expressions of arrays that do not fit in memory: files, read part by part as often as they take
 * passes (a loss that is a plain function of sums takes one, its gradient another), a result of their
 * size written part by part. Arrays whose first axis is the fastest are gone through as they lie.
 */
import type { Expr } from "../expression/node.ts";
import { leaves } from "../expression/walk.ts";
import { inFileOrder } from "../numbers/fileOrder.ts";
import { compileKernel } from "../numbers/kernel.ts";
import { inOwnOrder, madeOf } from "../numbers/laid.ts";
import type { TypedArray, Watch } from "../numbers/typedArrays.ts";
import { type NewStoredFile, type StoredFile, createNpy } from "./stored.node.ts";

export interface StreamedRequest {
  readonly scalars: readonly Expr[];
  /** A result that is written to a .npy file, e.g. the gradient. */
  readonly written: { readonly expr: Expr; readonly path: string } | null;
  /** By the names of inputs. */
  readonly files: ReadonlyMap<string, StoredFile>;
  /** Inputs that are in memory. */
  readonly arrays?: ReadonlyMap<string, TypedArray>;
  /** float32: terms and what is written in float32, sums in float64. */
  readonly arithmetic: "float32" | "float64";
}

/**
 * The scalars' values; what is written is in its file when this returns, and in none when it throws.
 * @throws ArrayError for a file that cannot be read so
 * @throws BindingError for a file whose array does not fit, or an input without one
 * @throws NotStreamable for a loss that needs its arrays in memory
 * @throws Cancelled
 */
export function evaluateStreamed(request: StreamedRequest, watch: Watch): number[] {
  return streamedEvaluation(request)(watch);
}

/**
 * {@link evaluateStreamed}, to be run several times with other values of parameters.
 * @throws as it does, but what a run throws
 */
export function streamedEvaluation(
  request: StreamedRequest,
): (watch: Watch, parameters?: ReadonlyMap<string, number>) => number[] {
  const { scalars, written, arithmetic } = request;
  const outputs = [...scalars, ...(written === null ? [] : [written.expr])];
  const stored = new Map<string, StoredFile>();
  for (const e of new Set(outputs.flatMap(leaves))) {
    const file = e.kind === "input" ? request.files.get(e.name) : undefined;
    if (e.kind === "input" && file !== undefined) stored.set(e.name, file);
  }
  const laid = asTheyLie(outputs, stored);
  // Nothing waits in the written array between passes: it would be written and read again.
  const limits = { leastKept: Infinity, mostTemporary: 0 };
  const exprs = laid.map((x) => x.expr);
  const kernel = compileKernel(exprs, {
    vectors: "always",
    arithmetic,
    limits,
    isStreamed: true,
  });
  return (watch, parameters = new Map()) => {
    const into: (NewStoredFile | undefined)[] = scalars.map(() => undefined);
    if (written !== null) {
      const like = arithmetic === "float32" ? new Float32Array(0) : new Float64Array(0);
      const shape = written.expr.shape.map((a) => a.size!);
      into.push(createNpy(written.path, shape, like, laid.at(-1)!.isReversed));
    }
    try {
      const bindings = new Map<string, TypedArray | number>([
        ...(request.arrays ?? []),
        ...parameters,
      ]);
      const run = kernel.run(bindings, { ...watch, stored, into });
      for (const file of into) file?.finish();
      return scalars.map((_, k) => run.outputs[k]!.data[0]!);
    } finally {
      for (const file of into) file?.close();
    }
  };
}

interface Output {
  readonly expr: Expr;
  /** Its entries come in the order of the reversed axes. */
  readonly isReversed: boolean;
}

function asTheyLie(outputs: readonly Expr[], stored: ReadonlyMap<string, StoredFile>): Output[] {
  const reversed = new Set([...stored].filter(([, f]) => f.isReversed).map(([name]) => name));
  if (reversed.size === 0) return outputs.map((expr) => ({ expr, isReversed: false }));
  return inFileOrder(outputs, reversed).map((laid, k) => {
    const { shape } = outputs[k]!;
    const order = laid.axes.flat();
    const isWhole = shape.every((a, d) => laid.axes[d]!.length < 2 && madeOf(laid, d) === a.size);
    const isReversed =
      isWhole && order.length > 1 && order.every((p, i) => i === 0 || order[i - 1]! > p);
    return { expr: isReversed ? laid.expr : inOwnOrder(laid, shape), isReversed };
  });
}
