/** The stand-alone check of the referee's devices; where there is CUDA, it runs on that too. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { root } from "../../scripts/lib/root.mjs";
import { run } from "../../scripts/lib/process.mjs";
import { oraclePython } from "./environment.ts";

interface Summary {
  readonly cuda: string;
  readonly cases: readonly {
    readonly loss: string;
    readonly dtype: string;
    readonly device: string;
    readonly value: number;
  }[];
}

describe("the referee on the CPU and on CUDA", function () {
  this.timeout(300_000);

  it("gives a plain script's bits on each device that is there, and refuses CUDA where it is not", async () => {
    const { code, output } = await run(await oraclePython(), [
      join(root, "test/oracle/cuda_referee.py"),
    ]);
    assert.equal(code, 0, output);
    const { cuda, cases } = JSON.parse(output.slice(output.indexOf("{"))) as Summary;
    const onCuda = cases.filter((c) => c.device.startsWith("cuda"));
    if (cuda === "ran") assert.equal(onCuda.length, cases.length / 2);
    else assert.match(cuda, /^PyTorch sees no CUDA device here/);
    const onCpu = cases.filter((c) => c.device === "cpu");
    assert.equal(onCpu.length, 8);
    assert.deepEqual([...new Set(onCpu.map((c) => c.dtype))].sort(), [
      "bfloat16",
      "float16",
      "float32",
      "float64",
    ]);
    for (const c of onCpu) assert.ok(c.value > 0 && c.value < 1, `${c.loss}: ${c.value}`);
  });
});
