import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { surveyArrays, withArray } from "../../src/arrays/live/fetch.ts";
import { kernelPython, pathNamed } from "../../src/arrays/live/kernel.ts";
import type { RunningPython } from "../../src/arrays/live/python.ts";
import type { ArrayError, NdArray } from "../../src/arrays/ndarray.ts";
import { root } from "../../scripts/lib/root.mjs";
import { oraclePython } from "./environment.ts";
import { KernelSession } from "./kernelSession.ts";

const reader = readFileSync(join(root, "media/python/array_reader.py"), "utf8");
const client = join(root, "test/oracle/kernel_client.py");

describe("arrays of a real Jupyter kernel", function () {
  this.timeout(120_000);
  let kernel: KernelSession;
  let python: RunningPython;

  beforeEach(async () => {
    kernel = await KernelSession.launch(await oraclePython(), client);
    python = kernelPython(
      (code) => kernel.execute(code),
      () => assert.fail("nothing is held back"),
    );
    await kernel.run("import numpy as np, torch\nnp.random.seed(0)\ntorch.manual_seed(0)");
  });
  afterEach(() => kernel.close());

  function fetched(expression: string): Promise<NdArray> {
    return withArray(python, reader, expression, (held) => held.read());
  }

  it("arrive whole, and leave no name, no number and no history behind", async () => {
    await kernel.run(
      "y_pred = torch.rand(2, 3, 300, 400, requires_grad=True)\n" +
        "y_true = np.random.rand(6, 4)[::2].astype(np.float16)\n" +
        "y_pred.sum().backward()",
    );
    const trace =
      "import sys; print(sorted(globals()), len(In), len(Out), get_ipython().execution_count, " +
      "[m for m in sys.modules if 'dice' in m])";
    const before = await kernel.run(trace);
    for (const [expression, bytes] of [
      ["y_pred", "y_pred.detach().numpy()"],
      ["y_pred.grad[0]", "y_pred.grad[0].numpy()"],
      ["y_true", "y_true"],
    ] as const) {
      const { data } = await fetched(expression);
      const hash = `import hashlib as h; print(h.sha256(np.ascontiguousarray(${bytes}).tobytes()).hexdigest()); del h`;
      const found = createHash("sha256")
        .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
        .digest("hex");
      assert.equal(found, (await kernel.run(hash)).trim(), expression);
    }
    assert.equal(await kernel.run(trace), before);
  });

  it("are found by name in the kernel's variables", async () => {
    await kernel.run("a = np.ones((2, 3)); b = torch.ones(4); c = 'text'; _hidden = np.ones(2)");
    const variables =
      "{name: value for name, value in list(globals().items()) if not name.startswith('_')}";
    const found = await surveyArrays(python, reader, variables);
    assert.deepEqual([...found.keys()].sort(), ["a", "b"]);
  });

  it("elements of dictionaries are found as Jupyter's list of variables names them", async () => {
    await kernel.run(
      "batch = {'mask': np.ones(3), 'cases': [{'y pred': np.ones(2)}], 'keys': np.ones(1)}\n" +
        "class Model: pass\nmodel = Model(); model.weights = {'größe': np.ones(4)}",
    );
    const paths = new Map([
      ["batch.mask", "batch['mask']"],
      ["batch.cases[0].y pred", "batch['cases'][0]['y pred']"],
      ["model.weights.größe", "model.weights['größe']"],
      ["model.weights", "model.weights"],
      // Python's own attribute comes first: so Jupyter shows it.
      ["batch.keys", "batch.keys"],
    ]);
    for (const [named, path] of paths) {
      assert.equal(await python.evaluate(pathNamed(named)!), path);
    }
    assert.deepEqual((await fetched("batch['cases'][0]['y pred']")).shape, [2]);
    await assert.rejects(python.evaluate(pathNamed("batch.logits")!), /KeyError: 'logits'/);
    for (const text of ["batch", "batch..mask", "f(x).y", "batch['mask']", ""]) {
      assert.equal(pathNamed(text), null, text);
    }
  });

  it("a name that is not there is told from one that holds no array", async () => {
    await assert.rejects(fetched("y_pred"), (error: Error) => {
      assert.match(error.message, /^The kernel has no y_pred\.$/);
      return true;
    });
    await kernel.run("y_pred = {'mask': np.ones(3)}");
    await assert.rejects(fetched("y_pred"), /y_pred is a dict/);
    await assert.rejects(fetched("y_pred['logits']"), /could not evaluate it: KeyError: 'logits'/);
  });

  it("what a Jupyter server holds back is asked for again, and given up in words", async () => {
    await kernel.run("y_pred = np.random.rand(1000, 300)");
    const notice =
      "IOPub data rate exceeded.\nThe Jupyter server will temporarily stop sending output\n" +
      "to the client in order to avoid crashing it.\n";
    let pauses = 0;
    /** A server that is overrun by large outputs until somebody has waited so often. */
    const behind = (waits: number): RunningPython =>
      kernelPython(
        async function* (code) {
          for await (const output of kernel.execute(code)) {
            const isLarge = output.items.some(({ data }) => data.length > 100_000);
            const data = new TextEncoder().encode(notice);
            const held = { items: [{ mime: "application/vnd.code.notebook.stderr", data }] };
            yield isLarge && pauses < waits ? held : output;
          }
        },
        () => {
          pauses += 1;
          return Promise.resolve();
        },
      );
    const read = (python: RunningPython): Promise<NdArray> =>
      withArray(python, reader, "y_pred", (held) => held.read());
    assert.deepEqual((await read(behind(2))).shape, [1000, 300]);
    assert.equal(pauses, 2);
    await assert.rejects(read(behind(100)), (error: ArrayError) => {
      assert.match(error.message, /The Jupyter server holds the array back/);
      assert.match(error.remedy ?? "", /iopub_data_rate_limit/);
      return true;
    });
  });

  it("a kernel that ends meanwhile gives no answer, and that is said", async () => {
    const asked = fetched("__import__('time').sleep(600)");
    await Promise.all([
      assert.rejects(asked, /The kernel gave no answer/),
      kernel.busy().then(() => kernel.kill()),
    ]);
  });
});
