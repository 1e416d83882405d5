import assert from "node:assert/strict";
import { array, session, slopes, traceOf } from "./session.ts";

/** Printed for a = [1, 2, 4] and m = [[1, 2], [4, 6]], as the libraries print it. */
const ARRAYS: readonly (readonly [expression: string, printed: string])[] = [
  ["torch.cdist(m, m)", "[[0.0, 5.0], [5.0, 0.0]]"],
  ["torch.cdist(m, m[:1], p=1)", "[[0.0], [7.0]]"],
  ["torch.cdist(torch.stack([m, m]), m.flip(0)[None])[0]", "[[5.0, 0.0], [0.0, 5.0]]"],
  ["torch.kron(m, z)", "[[1.0, 2.0, 4.0, 2.0, 4.0, 8.0], [4.0, 8.0, 16.0, 6.0, 12.0, 24.0]]"],
  ["np.kron([1, 2], [[1, 10]])", "[[1, 10, 2, 20]]"],
  ["torch.kron(m, torch.eye(2))", "[[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 2.0], [4.0, 0.0, 6.0, 0.0], [0.0, 4.0, 0.0, 6.0]]"],
  ["torch.cat([x.sum(0, True) for x in z.tensor_split(2)])", "[3.0, 4.0]"],
  ["torch.cat([x.sum(0, True) for x in torch.tensor_split(z, (1, -1))])", "[1.0, 2.0, 4.0]"],
  ["torch.stack([x.sum() for x in m.tensor_split(2, dim=1)])", "[5.0, 8.0]"],
  ["np.array([x.sum() for x in np.array_split(a, 2)])", "[3.0, 4.0]"],
  ["np.array([x.sum() for x in np.split(a, [-1])])", "[3.0, 4.0]"],
  ["np.array([x.sum() for x in np.split(a, 3)])", "[1.0, 2.0, 4.0]"],
  ["np.array([x.sum() for x in np.split(a, [2, 1])])", "[3.0, 0.0, 6.0]"],
]; // prettier-ignore

describe("Distances and products of rows and blocks, and arrays in parts", () => {
  for (const [expression, printed] of ARRAYS) {
    it(`${expression} is ${printed}`, async () => {
      const { run, host } = await session();
      run(`
import numpy as np
import torch
a, z = np.array([1., 2., 4.]), torch.tensor([1., 2., 4.])
m = torch.tensor([[1., 2.], [4., 6.]])
print((${expression}).tolist())`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  it("no gradient comes from the distance of a row from itself, as in PyTorch", async () => {
    const source = "import torch\n\ndef loss(z):\n    return torch.cdist(z, z).sum()\n";
    const inputs = { z: array([2, 2], [1, 2, 4, 6]) };
    const found = slopes(await traceOf(source, "loss", inputs), inputs);
    found.forEach((g, k) => {
      assert.ok(Math.abs(g - [-1.2, -1.6, 1.2, 1.6][k]!) < 1e-15);
    });
  });
});
