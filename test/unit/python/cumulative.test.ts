import assert from "node:assert/strict";
import { namesFor } from "../../../src/expression/names.ts";
import { toText } from "../../../src/expression/text.ts";
import { deriveSteps } from "../../../src/gradient/steps.ts";
import { PythonError } from "../../../src/python/errors.ts";
import { type TestArray, array, close, session, slopes, traceOf, valueOf } from "./session.ts";

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

/** Printed for a = [1, 2, 4] and m = [[1, 2], [4, 8]], as the libraries print it. */
const PRODUCTS: readonly (readonly [expression: string, printed: string])[] = [
  ["np.cumprod(a)", "[1.0, 2.0, 8.0]"],
  ["np.cumprod(np.array([[1, 2], [3, 4]]))", "[1, 2, 6, 24]"],
  ["np.array([[1, 2], [3, 4]]).cumprod(1)", "[[1, 2], [3, 12]]"],
  ["m.cumprod(0)", "[[1.0, 2.0], [4.0, 16.0]]"],
  ["torch.cumprod(torch.tensor([2, 0, 3]), 0)", "[2, 0, 0]"],
  ["jnp.cumprod(jnp.array(a))", "[1.0, 2.0, 8.0]"],
  ["tf.math.cumprod(t, exclusive=True).numpy()", "[1.0, 1.0, 2.0]"],
  ["tf.math.cumprod(t, reverse=True).numpy()", "[8.0, 8.0, 4.0]"],
];

const AREAS: readonly (readonly [expression: string, printed: string])[] = [
  ["np.trapezoid(a)", "4.5"],
  ["np.trapz(a, dx=.5)", "2.25"],
  ["np.trapezoid(a, [0., 1., 3.])", "7.5"],
  ["np.trapezoid(m.numpy(), axis=0)", "[2.5, 5.0]"],
  ["np.trapezoid(m.numpy(), [1, 3], axis=0)", "[5.0, 10.0]"],
  ["torch.trapezoid(z)", "4.5"],
  ["torch.trapz(z, torch.tensor([0., 1., 3.]))", "7.5"],
  ["torch.trapezoid(m, dx=2., dim=0)", "[5.0, 10.0]"],
  ["torch.trapezoid(m, torch.tensor([0., 3.]), dim=0)", "[7.5, 15.0]"],
  ["torch.trapezoid(m, m)", "[1.5, 24.0]"],
  ["jnp.trapezoid(jnp.array(a))", "4.5"],
];

/** What it prints, with these arrays bound. */
async function printedOf(expression: string): Promise<string> {
  const { run, host } = await session();
  run(`
import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf
import torch
a = np.array([1., 2., 4.])
t, z = tf.constant([1., 2., 4.]), torch.tensor([1., 2., 4.])
m = torch.tensor([[1., 2.], [4., 8.]])
print((${expression}).tolist())`);
  return host.printed.join("").trim();
}

/** The array that the formulas compare with. */
const positions = (n: number): Record<string, TestArray> => ({
  positions: array(
    [n],
    Array.from({ length: n }, (_, k) => k),
  ),
});

const LOSS = "import torch\n\ndef loss(z):\n    return (z.cumsum(0) ** 2).sum()\n";

describe("Running sums", () => {
  for (const [expression, printed] of SUMS) {
    it(`${expression} is ${printed}`, async () => {
      assert.equal(await printedOf(expression), printed);
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

describe("Running products", () => {
  for (const [expression, printed] of PRODUCTS) {
    it(`${expression} is ${printed}`, async () => {
      assert.equal(await printedOf(expression), printed);
    });
  }

  it("have a gradient where entries are 0", async () => {
    const source = "import torch\n\ndef loss(z):\n    return torch.cumprod(z, 0).sum()\n";
    const inputs = { z: array([3], [2, 0, 5]) };
    const trace = await traceOf(source, "loss", inputs);
    // z₀ + z₀z₁ + z₀z₁z₂
    assert.deepEqual(slopes(trace, { ...inputs, ...positions(3) }), [1, 12, 0]);
    const text = toText(trace.loss, namesFor([trace.loss]));
    assert.equal(text, "Σ_i (Π_j (z[j] if j ≤ i else 1))");
  });

  it("of more entries than are compared with one another are refused", async () => {
    const source = "import torch\n\ndef loss(z):\n    return torch.cumprod(z, 0).sum()\n";
    const z = array([5000], new Array<number>(5000).fill(1));
    await assert.rejects(traceOf(source, "loss", { z }), (e) => {
      assert.ok(e instanceof PythonError);
      assert.match(e.message, /cumprod\(\) over more than 4,096 entries/);
      return true;
    });
  });
});

describe("Logarithms of running sums of exponentials", () => {
  it("are those of the sums", async () => {
    const source = "import torch\n\ndef loss(z):\n    return torch.logcumsumexp(z, dim=0).sum()\n";
    const inputs = { z: array([2], [Math.log(1), Math.log(3)]) };
    const trace = await traceOf(source, "loss", inputs);
    close(valueOf(trace, { ...inputs, ...positions(2) }), Math.log(4));
    slopes(trace, { ...inputs, ...positions(2) }).forEach((g, k) => {
      close(g, [1.25, 0.75][k]!);
    });
  });
});

describe("Areas below curves", () => {
  for (const [expression, printed] of AREAS) {
    it(`${expression} is ${printed}`, async () => {
      assert.equal(await printedOf(expression), printed);
    });
  }
});
