/**
 * Expressions of arrays that do not fit in memory: .npy files, read part by part as often as they take
 * passes (a loss that is a plain function of sums takes one, its gradient another), a result of their
 * size written part by part.
 */
import type { Expr } from "../expression/node.ts";
import { leaves } from "../expression/walk.ts";
import { compileKernel } from "../numbers/kernel.ts";
import type { TypedArray, Watch } from "../numbers/typedArrays.ts";
import { type StoredFile, createNpy, storedNpy } from "./stored.node.ts";

export interface StreamedRequest {
  readonly scalars: readonly Expr[];
  /** A result that is written to a .npy file, e.g. the gradient. */
  readonly written: { readonly expr: Expr; readonly path: string } | null;
  /** Paths of .npy files by the names of inputs. */
  readonly files: ReadonlyMap<string, string>;
  /** Inputs that are in memory. */
  readonly arrays?: ReadonlyMap<string, TypedArray>;
  /** float32: terms and what is written in float32, sums in float64. */
  readonly arithmetic: "float32" | "float64";
}

/**
 * The scalars' values; what is written is in its file when this returns.
 * @throws ArrayError for a file that cannot be read so
 * @throws BindingError for a file whose array does not fit, or an input without one
 * @throws NotStreamable for a loss that needs its arrays in memory
 * @throws Cancelled
 */
export function evaluateStreamed(request: StreamedRequest, watch: Watch): number[] {
  const { scalars, written, arithmetic } = request;
  const outputs = [...scalars, ...(written === null ? [] : [written.expr])];
  const open: StoredFile[] = [];
  try {
    const stored = new Map<string, StoredFile>();
    for (const e of new Set(outputs.flatMap(leaves))) {
      const path = e.kind === "input" ? request.files.get(e.name) : undefined;
      if (e.kind !== "input" || path === undefined) continue;
      const file = storedNpy(path);
      open.push(file);
      stored.set(e.name, file);
    }
    // Nothing waits in the written array between passes: it would be written and read again.
    const limits = { leastKept: Infinity, mostTemporary: 0 };
    const kernel = compileKernel(outputs, { vectors: "always", arithmetic, limits });
    const into: (StoredFile | undefined)[] = scalars.map(() => undefined);
    if (written !== null) {
      const like = arithmetic === "float32" ? new Float32Array(0) : new Float64Array(0);
      const shape = written.expr.shape.map((a) => a.size!);
      const file = createNpy(written.path, shape, like);
      open.push(file);
      into.push(file);
    }
    const bindings = request.arrays ?? new Map<string, TypedArray>();
    const run = kernel.run(bindings, { ...watch, stored, into });
    return scalars.map((_, k) => run.outputs[k]!.data[0]!);
  } finally {
    for (const file of open) file.close();
  }
}
