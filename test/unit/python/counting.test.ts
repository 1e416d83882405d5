import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import { array, handleOf, session, traceOf } from "./session.ts";

/** Printed for y = [0, 3, 1, 1], as the libraries print it. */
const COUNTS: readonly (readonly [expression: string, printed: string])[] = [
  ["torch.bincount(y)", "[1, 2, 0, 1]"],
  ["y.bincount(minlength=6)", "[1, 2, 0, 1, 0, 0]"],
  ["torch.bincount(y, minlength=2)", "[1, 2, 0, 1]"],
  ["torch.bincount(y[y != 3], minlength=3)", "[1, 2, 0]"],
  ["torch.bincount(y.view(2, 2)[y.view(2, 2) > 0])", "[0, 2, 0, 1]"],
  ["torch.bincount(y[y > 3], minlength=2)", "[0, 0]"],
  ["torch.bincount(y[:0], minlength=2)", "[0, 0]"],
  ["torch.bincount(y, torch.tensor([.5, 1., 2., 3.]))", "[0.5, 5.0, 0.0, 1.0]"],
  ["torch.histc(y.float(), bins=4, min=0, max=3)", "[1.0, 2.0, 0.0, 1.0]"],
  ["torch.histc(torch.tensor([0., .9, 1., 3., 4., -1.]), 3, 0, 3)", "[2.0, 1.0, 1.0]"],
  ["torch.histc(torch.zeros(2), 3)", "[0.0, 2.0, 0.0]"],
  ["np.bincount(a)", "[1, 2, 0, 1]"],
  ["np.bincount(a[a < 3], minlength=4)", "[1, 2, 0, 0]"],
  ["np.bincount(a, weights=[.5, 1, 2, 3])", "[0.5, 5.0, 0.0, 1.0]"],
  ["np.bincount(a > 0)", "[1, 3]"],
  ["jnp.bincount(jnp.array([0, 3, 1, 1]), length=2)", "[1, 2]"],
  ["jnp.bincount(jnp.array([0, 3, 1, 1]), minlength=5)", "[1, 2, 0, 1, 0]"],
  ["tf.math.bincount(t).numpy()", "[1, 2, 0, 1]"],
  ["tf.math.bincount(t, maxlength=2).numpy()", "[1, 2]"],
  ["tf.math.bincount(t, minlength=6, dtype=tf.float32).numpy()", "[1.0, 2.0, 0.0, 1.0, 0.0, 0.0]"],
  ["tf.math.bincount(tf.reshape(t, [2, 2]), axis=-1).numpy()", "[[1, 0, 0, 1], [0, 2, 0, 0]]"],
  ["tf.math.bincount(tf.reshape(t, [2, 2])).numpy()", "[1, 2, 0, 1]"],
  ["keras.ops.bincount(t).numpy()", "[1, 2, 0, 1]"],
  ["np.histogram(x, bins=2, range=(0, 1))[0]", "[2, 3]"],
  ["np.histogram(x, bins=2, range=(0, 1))[1]", "[0.0, 0.5, 1.0]"],
  ["np.histogram(x, 3)[0]", "[1, 4, 2]"],
  ["np.histogram(x, 3)[1]", "[-1.0, 0.0, 1.0, 2.0]"],
  ["np.histogram(x, bins=[0, .5, 1])[0]", "[2, 3]"],
  ["np.histogram(x[x > .1], 2, (0, 1))[0]", "[1, 3]"],
  ["np.histogram(x, 2, (0, 1), weights=x)[0]", "[0.2, 2.4]"],
  ["np.histogram(x, 2, (0, 1), density=True)[0]", "[0.8, 1.2]"],
  ["np.histogram(np.zeros(2), 2)[1]", "[-0.5, 0.0, 0.5]"],
  ["np.histogram(x > .3, 2)[0]", "[3, 4]"],
  ["np.histogram(a, 4)[0]", "[1, 2, 0, 1]"],
  ["np.histogram([.1, .2, .3, .7, .8], 10, (0, 1))[0]", "[0, 1, 2, 0, 0, 0, 1, 0, 1, 0]"],
  ["jnp.histogram(jnp.array(x), 2, range=(0, 1))[0]", "[2.0, 3.0]"],
  ["jnp.histogram(j, 2)[0]", "[3.0, 1.0]"],
  ["F.one_hot(y)[1]", "[0, 0, 0, 1]"],
  ["F.one_hot(y[y < 3]).sum(0)", "[1, 2]"],
  ["jax.nn.one_hot(j[j < 3], 3).sum(0)", "[1.0, 2.0, 0.0]"],
]; // prettier-ignore

const FAILURES: readonly (readonly [body: string, message: RegExp, remedy: RegExp])[] = [
  ["torch.bincount(y)", /as many entries as the largest/, /minlength=n/],
  ["torch.bincount(torch.tensor([-1, 2]))", /class numbers from 0 on; the smallest here is -1/, /labels >= 0/],
  ["torch.bincount(torch.zeros(2))", /integer type/, /Convert/],
  ["torch.bincount(torch.tensor([[0, 1]]))", /in one dimension/, /Flatten/],
  ["np.histogram(z, 'auto')[0]", /bins="auto" chooses their number/, /Name their number/],
  ["torch.nn.functional.one_hot(y)", /one_hot without num_classes/, /num_classes=n/],
]; // prettier-ignore

const LOSS = `
import torch

def loss(z, y):
    n = torch.bincount(y[y != 2].view(-1), minlength=2).float()
    return (z * n).sum()
`;

describe("Counts of class numbers", () => {
  for (const [expression, printed] of COUNTS) {
    it(`${expression} is ${printed}`, async () => {
      const { run, host } = await session();
      run(`
import jax
import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf
import torch
import torch.nn.functional as F
a = np.array([0, 3, 1, 1])
j = jnp.array(a)
t = tf.constant([0, 3, 1, 1])
x = np.array([0., .2, .5, 1., .9, -1., 2.])
y = torch.tensor([0, 3, 1, 1])
print((${expression}).tolist())`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  for (const [body, message, remedy] of FAILURES) {
    it(`${body} is refused`, async () => {
      const source = `import numpy as np\nimport torch\n\ndef loss(z, y):\n    return (${body}).sum() * z\n`;
      await assert.rejects(traceOf(source, "loss"), (e) => {
        assert.ok(e instanceof PythonError);
        assert.match(e.message, message);
        assert.match(e.remedy ?? "", remedy);
        return true;
      });
    });
  }

  it("are formulas that hold for all labels below the number that is asked for", async () => {
    const z = array([2], [1, 2]);
    const below = await traceOf(LOSS, "loss", { z, y: handleOf(array([3], [0, 1, 2]), "int64") });
    assert.deepEqual([below.assumptions, below.captured], [[], []]);
    const open = await traceOf(LOSS, "loss");
    assert.ok(
      open.assumptions.some((a) => a.includes("is taken to get numbers from 0 to below 2")),
    );
  });

  it("say where the arrays at hand have more labels than were asked for", async () => {
    const source =
      "import torch\n\ndef loss(z, y):\n    return (z * torch.bincount(y, minlength=2)).sum()\n";
    const z = array([3], [1, 2, 3]);
    const trace = await traceOf(source, "loss", { z, y: handleOf(array([2], [0, 2]), "int64") });
    assert.ok(trace.assumptions.some((a) => a.includes("number of classes in torch.bincount()")));
  });
});
