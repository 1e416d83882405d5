import assert from "node:assert/strict";
import { namesFor } from "../../../src/expression/names.ts";
import { toText } from "../../../src/expression/text.ts";
import { array, session, traceOf } from "./session.ts";

/** Printed for m = [[1, 2, 3], [4, 5, 6]], as the libraries print it. */
const MATRICES: readonly (readonly [expression: string, printed: string])[] = [
  ["np.tril(m)", "[[1, 0, 0], [4, 5, 0]]"],
  ["np.triu(m, k=1)", "[[0, 2, 3], [0, 0, 6]]"],
  ["np.tril(m, -1)", "[[0, 0, 0], [4, 0, 0]]"],
  ["np.diag(m)", "[1, 5]"],
  ["np.diag([1., 2.])", "[[1.0, 0.0], [0.0, 2.0]]"],
  ["t.tril()", "[[1, 0, 0], [4, 5, 0]]"],
  ["torch.triu(t, diagonal=1)", "[[0, 2, 3], [0, 0, 6]]"],
  ["t.float().tril_(-1)", "[[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]]"],
  ["torch.tril(t > 1)", "[[False, False, False], [True, True, False]]"],
  ["torch.triu(torch.stack([t, t]))[1]", "[[1, 2, 3], [0, 5, 6]]"],
  ["torch.diag(t)", "[1, 5]"],
  ["torch.diag(torch.tensor([1., 2.]))", "[[1.0, 0.0], [0.0, 2.0]]"],
  ["torch.diag_embed(t)", "[[[1, 0, 0], [0, 2, 0], [0, 0, 3]], [[4, 0, 0], [0, 5, 0], [0, 0, 6]]]"],
  ["jnp.triu(j)", "[[1, 2, 3], [0, 5, 6]]"],
  ["jnp.diag(jnp.array([1, 2]))", "[[1, 0], [0, 2]]"],
  ["torch.tril(torch.tensor([[1., float('nan')], [2., 3.]]))", "[[1.0, 0.0], [2.0, 3.0]]"],
]; // prettier-ignore

describe("Triangles and diagonals of matrices", () => {
  for (const [expression, printed] of MATRICES) {
    it(`${expression} is ${printed}`, async () => {
      const { run, host } = await session();
      run(`
import jax.numpy as jnp
import numpy as np
import torch
m = np.array([[1, 2, 3], [4, 5, 6]])
t, j = torch.tensor(m), jnp.array(m)
print((${expression}).tolist())`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  it("are written with the positions of rows and columns", async () => {
    const source = "import torch\n\ndef loss(z):\n    return torch.triu(z, diagonal=1).sum()\n";
    const trace = await traceOf(source, "loss", { z: array([2, 2], [1, 2, 3, 4]) });
    assert.equal(toText(trace.loss, namesFor([trace.loss])), "Σ_{n,j} (z[n,j] if j−1 ≥ n else 0)");
  });
});
