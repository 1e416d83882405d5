import assert from "node:assert/strict";
import { namesFor } from "../../../src/expression/names.ts";
import { toText } from "../../../src/expression/text.ts";
import { deriveSteps } from "../../../src/gradient/steps.ts";
import { array, session, traceOf } from "./session.ts";

/** Printed for [1, 2, 4], as the libraries print it. */
const SUMS: readonly (readonly [expression: string, printed: string])[] = [
  ["np.cumsum(a)", "[1.0, 3.0, 7.0]"],
  ["np.cumsum(np.array([[1, 2], [3, 4]]))", "[1, 3, 6, 10]"],
  ["np.cumsum([True, False, True])", "[1, 1, 2]"],
  ["torch.tensor([[1., 2.], [4., 8.]]).cumsum(0)", "[[1.0, 2.0], [5.0, 10.0]]"],
  ["jnp.cumsum(jnp.array(a))", "[1.0, 3.0, 7.0]"],
  ["tf.cumsum(t).numpy()", "[1.0, 3.0, 7.0]"],
  ["tf.cumsum(t, exclusive=True).numpy()", "[0.0, 1.0, 3.0]"],
  ["tf.cumsum(t, reverse=True).numpy()", "[7.0, 6.0, 4.0]"],
  ["tf.math.cumsum(t, exclusive=True, reverse=True).numpy()", "[6.0, 4.0, 0.0]"],
  ["keras.ops.cumsum(t).numpy()", "[1.0, 3.0, 7.0]"],
];

const LOSS = "import torch\n\ndef loss(z):\n    return (z.cumsum(0) ** 2).sum()\n";

describe("Running sums", () => {
  for (const [expression, printed] of SUMS) {
    it(`${expression} is ${printed}`, async () => {
      const { run, host } = await session();
      run(`
import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf
import torch
a = np.array([1., 2., 4.])
t = tf.constant([1., 2., 4.])
print((${expression}).tolist())`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  it("are written with the positions they go up to, and so is the code of their gradient", async () => {
    const trace = await traceOf(LOSS, "loss", { z: array([3], [1, 2, 4]) });
    const [wrt] = trace.inputs.map((x) => x.node);
    const steps = deriveSteps(trace.loss, wrt!, { functionName: "loss" });
    assert.equal(steps.loss.text, "L = Σ_i (Σ_j [j ≤ i]·z[j])²");
    assert.equal(steps.gradient.text, "∂L/∂z[i] = 2·Σ_j S₁[j]·[i ≤ j]");
    assert.ok(steps.symbols.every((e) => !e.name.includes("positions")));
    assert.match(steps.python?.numpy ?? "", /^def loss_gradient\(z\):/m);
    assert.match(steps.python?.torch ?? "", /torch\.arange/);
  });

  it("of more entries than could be compared with one another are traced as well", async () => {
    const n = 100_000;
    const z = array([n], new Array<number>(n).fill(1));
    const trace = await traceOf(LOSS, "loss", { z });
    assert.equal(toText(trace.loss, namesFor([trace.loss])), "Σ_i (Σ_j [j ≤ i]·z[j])²");
  });
});
