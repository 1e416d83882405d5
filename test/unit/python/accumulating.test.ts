import assert from "node:assert/strict";
import { namesFor } from "../../../src/expression/names.ts";
import { toText } from "../../../src/expression/text.ts";
import { PythonError } from "../../../src/python/errors.ts";
import { array, handleOf, session, traceOf } from "./session.ts";

/**
 * Printed for y = [0, 2, 0, 2] and p = [.5, 1, 2, 3], as the libraries print it; `at` is np.add.at
 * to zeros.
 */
const SUMS: readonly (readonly [expression: string, printed: string])[] = [
  ["torch.zeros(3).scatter_add(0, y, p)", "[2.5, 0.0, 4.0]"],
  ["torch.ones(3).scatter_add_(0, y, p)", "[3.5, 1.0, 5.0]"],
  ["torch.scatter_add(torch.zeros(2, 3), 1, torch.tensor([[0, 2, 2], [1, 1, 1]]), torch.ones(2, 3))", "[[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]"],
  ["torch.zeros(3, 2).scatter_add(0, torch.tensor([[0, 1], [2, 1]]), rows)", "[[1.0, 0.0], [0.0, 6.0], [3.0, 0.0]]"],
  ["torch.zeros(3, 3).scatter_add(0, torch.tensor([[2]]), rows)", "[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]"],
  ["torch.zeros(3).scatter_add(0, y[y > 0], p[y > 0])", "[0.0, 0.0, 4.0]"],
  ["torch.zeros(3).scatter_reduce(0, y, p, 'sum')", "[2.5, 0.0, 4.0]"],
  ["torch.zeros(3, dtype=torch.long).scatter_add(0, y, torch.ones_like(y))", "[2, 0, 2]"],
  ["torch.zeros(3, 2).index_add(0, y, rows)", "[[6.0, 8.0], [0.0, 0.0], [10.0, 12.0]]"],
  ["torch.zeros(3, 2).index_add_(0, y, rows, alpha=-1)", "[[-6.0, -8.0], [0.0, 0.0], [-10.0, -12.0]]"],
  ["torch.index_add(torch.zeros(2, 3), 1, y, rows.T)", "[[6.0, 0.0, 10.0], [8.0, 0.0, 12.0]]"],
  ["torch.zeros(3, 2).index_add(0, y[y > 0], rows[y > 0])", "[[0.0, 0.0], [0.0, 0.0], [10.0, 12.0]]"],
  ["torch.scatter(torch.zeros(2, 3), 1, torch.tensor([[2], [0]]), 1.)", "[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]"],
  ["at(3, a, w)", "[2.5, 0.0, 4.0]"],
  ["at(3, a, 1)", "[2.0, 0.0, 2.0]"],
  ["at(3, [0, 0, 1], [1., 2., 3.])", "[3.0, 3.0, 0.0]"],
  ["at((2, 2), ([0, 0, 1], [1, 1, 0]), [1., 2., 3.])", "[[0.0, 3.0], [3.0, 0.0]]"],
  ["at((3, 2), a, rows.numpy())", "[[6.0, 8.0], [0.0, 0.0], [10.0, 12.0]]"],
  ["at((3, 2), a, 1)", "[[2.0, 2.0], [0.0, 0.0], [2.0, 2.0]]"],
  ["at(3, np.array([[0, 1], [1, 1]]), 1)", "[1.0, 3.0, 0.0]"],
  ["at(3, slice(1, None), 1)", "[0.0, 1.0, 1.0]"],
  ["at(4, a > 0, 1)", "[0.0, 1.0, 0.0, 1.0]"],
  ["at(3, a[:0], 1)", "[0.0, 0.0, 0.0]"],
  ["at(3, [0, -1, -1], 1)", "[1.0, 0.0, 2.0]"],
  ["jnp.zeros(3).at[jnp.array([-1, 0])].add(1)", "[1.0, 0.0, 1.0]"],
  ["jnp.zeros(3).at[j].add(w)", "[2.5, 0.0, 4.0]"],
  ["jnp.ones(3).at[j].subtract(1)", "[-1.0, 1.0, -1.0]"],
  ["jnp.zeros((3, 2)).at[j, 0].add(w)", "[[2.5, 0.0], [0.0, 0.0], [4.0, 0.0]]"],
  ["jnp.zeros((2, 3)).at[jnp.array([0, 1]), jnp.array([2, 2])].add(1)", "[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]"],
  ["jnp.zeros(2).at[j].add(1)", "[2.0, 0.0]"],
  ["jax.ops.segment_sum(jnp.array(w), j)", "[2.5, 0.0, 4.0]"],
  ["jax.ops.segment_sum(jnp.array(rows), j, num_segments=2)", "[[6.0, 8.0], [0.0, 0.0]]"],
  ["tf.math.unsorted_segment_sum(w, t, 4).numpy()", "[2.5, 0.0, 4.0, 0.0]"],
  ["tf.math.segment_sum(w, [0, 0, 1, 1]).numpy()", "[1.5, 5.0]"],
  ["tf.math.unsorted_segment_sum(rows.numpy(), t, 3).numpy()", "[[6.0, 8.0], [0.0, 0.0], [10.0, 12.0]]"],
  ["tf.math.unsorted_segment_sum(rows.numpy(), tf.reshape(tf.constant([0, 1, 1, 1, 0, 0, 0, 0]), [4, 2]), 2).numpy()", "[27.0, 9.0]"],
]; // prettier-ignore

const FAILURES: readonly (readonly [body: string, message: RegExp])[] = [
  ["torch.zeros(2).scatter_add(0, torch.tensor([0, 2]), z)", /index 2 is out of bounds for an axis with size 2/],
  ["torch.zeros(2).scatter_add(0, z, z)", /array of integers \(int64\) as 'index'/],
  ["torch.zeros(2, 2).scatter_add(0, y, z)", /same number of dimensions as self tensor/],
  ["torch.zeros(2).scatter_add(0, torch.tensor([0, 0, 1]), z)", /Expected index to be no larger than src/],
  ["torch.zeros(2, dtype=torch.long).scatter_add(0, torch.tensor([0, 1]), z)", /Expected self.dtype to be equal to src.dtype/],
  ["torch.zeros(2, 2).index_add(0, torch.tensor([[0, 1]]), z)", /Index is supposed to be a vector/],
  ["torch.zeros(2, 2).index_add(0, y, torch.ones(1, 2))", /source has to be of shape \[2, 2\].* not \[1, 2\]/],
  ["torch.zeros(2).scatter_reduce(0, torch.tensor([0, 1]), z, 'amax')", /reduce="amax" is not supported/],
]; // prettier-ignore

describe("What is added up where an index says", () => {
  for (const [expression, printed] of SUMS) {
    it(`${expression} is ${printed}`, async () => {
      const { run, host } = await session();
      run(`
import jax
import jax.numpy as jnp
import numpy as np
import tensorflow as tf
import torch
y = torch.tensor([0, 2, 0, 2])
p = torch.tensor([.5, 1., 2., 3.])
rows = torch.tensor([[1., 2.], [3., 4.], [5., 6.], [7., 8.]])
a, w = np.array([0, 2, 0, 2]), np.array([.5, 1., 2., 3.])
j, t = jnp.array(a), tf.constant(a)
def at(n, *args):
    x = np.zeros(n)
    np.add.at(x, *args)
    return x
print((${expression}).tolist())`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  for (const [body, message] of FAILURES) {
    it(`${body} is refused`, async () => {
      const source = `import torch\n\ndef loss(z, y):\n    return (${body}).sum()\n`;
      const inputs = { z: array([2], [1, 2]), y: handleOf(array([2], [0, 1]), "int64") };
      await assert.rejects(traceOf(source, "loss", inputs), (e) => {
        assert.ok(e instanceof PythonError);
        assert.match(e.message, message);
        return true;
      });
    });
  }

  it("takes what a mask picks, be it not known how many that are", async () => {
    const source =
      "import torch\n\ndef loss(z, y):\n    return torch.zeros(3).index_add(0, y[y != 1], z[y != 1]).square().sum()\n";
    const trace = await traceOf(source, "loss");
    assert.match(toText(trace.loss, namesFor([trace.loss])), /Σ_j/);
  });

  it("is a formula of the index, whatever its values are", async () => {
    const source =
      "import torch\n\ndef loss(z, y):\n    return (torch.zeros(3).scatter_add(0, y, z) ** 2).sum()\n";
    const z = array([4], [0.5, 1, 2, 3]);
    const trace = await traceOf(source, "loss", {
      z,
      y: handleOf(array([4], [0, 2, 0, 2]), "int64"),
    });
    assert.deepEqual([trace.assumptions, trace.captured], [[], []]);
    assert.equal(toText(trace.loss, namesFor([trace.loss])), "Σ_i (0+Σ_j [y[j] = i]·z[j])²");
  });
});
