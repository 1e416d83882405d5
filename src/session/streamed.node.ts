/**
 * Loss and gradient of arrays that do not fit in memory: .npy files, read part by part as often as
 * the loss takes passes (two for a plain function of sums), the gradient written part by part.
 */
import type { Expr, Input } from "../expression/node.ts";
import { leaves } from "../expression/walk.ts";
import { derive } from "../gradient/derive.ts";
import { compileKernel } from "../numbers/kernel.ts";
import type { Watch } from "../numbers/typedArrays.ts";
import { type StoredFile, createNpy, storedNpy } from "./stored.node.ts";

export interface StreamedRequest {
  /** A scalar. */
  readonly loss: Expr;
  readonly wrt: Input;
  /** Paths of .npy files by the names of inputs. */
  readonly files: ReadonlyMap<string, string>;
  /** Where to write the gradient; null: the loss alone. */
  readonly out: string | null;
  /** float32: terms and gradient in float32, sums in float64. */
  readonly arithmetic: "float32" | "float64";
}

/**
 * The loss's value; the gradient is in the file when this returns.
 * @throws ArrayError for a file that cannot be read so
 * @throws BindingError for a file whose array does not fit, or an input without one
 * @throws NotStreamable for a loss that needs its arrays in memory
 * @throws Cancelled
 */
export function evaluateStreamed(request: StreamedRequest, watch: Watch): number {
  const { loss, wrt, out, arithmetic } = request;
  const open: StoredFile[] = [];
  try {
    const stored = new Map<string, StoredFile>();
    for (const e of leaves(loss)) {
      const path = e.kind === "input" ? request.files.get(e.name) : undefined;
      if (e.kind !== "input" || path === undefined) continue;
      const file = storedNpy(path);
      open.push(file);
      stored.set(e.name, file);
    }
    const outputs = out === null ? [loss] : [loss, derive(loss, wrt)];
    // Nothing waits in the gradient's array between passes: it would be written and read again.
    const limits = { leastKept: Infinity, mostTemporary: 0 };
    const kernel = compileKernel(outputs, { vectors: "always", arithmetic, limits });
    const like = arithmetic === "float32" ? new Float32Array(0) : new Float64Array(0);
    const shape = wrt.shape.map((a) => a.size!);
    const gradient = out === null ? undefined : createNpy(out, shape, like);
    if (gradient !== undefined) open.push(gradient);
    const run = kernel.run(new Map(), { ...watch, stored, into: [undefined, gradient] });
    return run.outputs[0]!.data[0]!;
  } finally {
    for (const file of open) file.close();
  }
}
