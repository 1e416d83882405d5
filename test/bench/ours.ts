/** Our side of volumes.ts: ways to evaluate loss and gradient of whole volumes. */
import * as b from "../../src/expression/build.ts";
import type { Input } from "../../src/expression/node.ts";
import { derive } from "../../src/gradient/derive.ts";
import { useCrew } from "../../src/numbers/crew.ts";
import { usePlainCopies } from "../../src/numbers/copies.node.ts";
import { startCrew } from "../../src/numbers/crew.node.ts";
import { type Kernel, compileKernel } from "../../src/numbers/kernel.ts";
import type { TypedArray } from "../../src/numbers/typedArrays.ts";
import { Arena } from "../../src/numbers/wasm/arena.ts";
import { heap } from "../../src/numbers/wasm/heap.ts";
import { threadFile } from "../threadFile.ts";
import type { Answer } from "./answers.ts";
import { type Way, timed } from "./timing.ts";
import { type Loss, fill, shapeOf } from "./volumeLosses.ts";

export const THREADS = 2;

usePlainCopies();

export interface Ours {
  /** float32, arrays in the kernels' memory, the result's memory reused. */
  readonly reused: Way;
  readonly threads: Way;
  /** float32, arrays where the reader left them, copied to an arena with the result, as checks do. */
  readonly check: Way;
  /** The same with a result in memory that was never used before. */
  readonly fresh: Way;
  /** As a report runs it: the same in float64. */
  readonly report: Way;
  readonly memory: Way;
  readonly release: () => void;
}

export function ours(loss: Loss, n: number): Ours {
  const shape = shapeOf(loss, n);
  const [x, t] = [b.input("x", shape) as Input, b.input("t", shape)];
  const e = loss.of(x, t);
  const outputs = [e, derive(e, x)];
  const kernel = compileKernel(outputs, { vectors: "always", arithmetic: "float32" });
  const double = compileKernel(outputs, { vectors: "always" });
  const traffic = compileKernel([b.add(x, t)], { vectors: "always", arithmetic: "float32" });
  const on = heap();
  const xs = on.array(Float32Array, n);
  const ts = on.array(Float32Array, n);
  const gradient = on.array(Float32Array, n);
  fill(loss, xs, ts);
  const resident = new Map<string, TypedArray>([
    ["x", xs],
    ["t", ts],
  ]);
  const outside = new Map<string, TypedArray>([
    ["x", xs.slice()],
    ["t", ts.slice()],
  ]);
  const inArena = (): number => {
    const arena = new Arena(on, Infinity);
    try {
      const inside = new Map([...outside].map(([name, a]) => [name, arena.resident(a)]));
      return kernel.run(inside, { arena }).outputs[0]!.data[0]!;
    } finally {
      arena.release();
    }
  };
  const once = (k: Kernel<Float32Array | Float64Array>, reused: boolean): Promise<Answer> =>
    timed(() => {
      const options = reused ? { into: [undefined, gradient] } : {};
      return k.run(reused ? resident : outside, options).outputs[0]!.data[0]!;
    });
  const crew = startCrew(THREADS, threadFile());
  return {
    check: () => timed(inArena),
    fresh: () => once(kernel, false),
    reused: () => once(kernel, true),
    report: () => once(double, false),
    threads: async () => {
      useCrew(crew);
      try {
        return await once(kernel, true);
      } finally {
        useCrew(null);
      }
    },
    memory: () => timed(() => traffic.run(resident, { into: [gradient] }).outputs[0]!.data[0]!),
    release: () => {
      for (const a of [xs, ts, gradient]) on.release(a.byteOffset);
      void crew?.stop();
    },
  };
}
