import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import { array, close, session, slopes, traceOf, valueOf } from "./session.ts";

/** For m = [[1, 2, 4], [3, 1, 0]], whose rows have the variances 7/3 and the covariance -13/6. */
const VALUES: readonly (readonly [expression: string, values: readonly number[]])[] = [
  ["np.cov(m)", [7 / 3, -13 / 6, -13 / 6, 7 / 3]],
  ["np.cov(m[0], m[1])", [7 / 3, -13 / 6, -13 / 6, 7 / 3]],
  ["np.cov(m, rowvar=False)", [2, -1, -4, -1, 0.5, 2, -4, 2, 8]],
  ["np.cov(m, bias=True)", [14 / 9, -13 / 9, -13 / 9, 14 / 9]],
  ["np.cov(m, ddof=0)", [14 / 9, -13 / 9, -13 / 9, 14 / 9]],
  ["np.cov(m[0])", [7 / 3]],
  ["np.cov(np.array([[1, 2], [3, 5]]))", [0.5, 1, 1, 2]],
  ["np.cov(m[:, :1])", [NaN, NaN, NaN, NaN]],
  ["np.corrcoef(m)", [1, -13 / 14, -13 / 14, 1]],
  ["np.corrcoef(m[0], m[1])", [1, -13 / 14, -13 / 14, 1]],
  ["np.corrcoef(m[0])", [1]],
  ["torch.cov(t)", [7 / 3, -13 / 6, -13 / 6, 7 / 3]],
  ["t.cov(correction=0)", [14 / 9, -13 / 9, -13 / 9, 14 / 9]],
  ["torch.cov(t[0])", [7 / 3]],
  ["torch.corrcoef(t)", [1, -13 / 14, -13 / 14, 1]],
  ["t.corrcoef()", [1, -13 / 14, -13 / 14, 1]],
  ["torch.corrcoef(t[0])", [1]],
  ["jnp.cov(j)", [7 / 3, -13 / 6, -13 / 6, 7 / 3]],
  ["jnp.corrcoef(j)", [1, -13 / 14, -13 / 14, 1]],
];

describe("Covariances and correlations", () => {
  for (const [expression, values] of VALUES) {
    it(`${expression} is ${values.map((v) => v.toFixed(3)).join(", ")}`, async () => {
      const { run, host } = await session();
      run(`
import jax.numpy as jnp
import numpy as np
import torch
m = np.array([[1., 2., 4.], [3., 1., 0.]])
t, j = torch.tensor(m), jnp.array(m)
print(np.array(${expression}).ravel().tolist())`);
      const printed = host.printed
        .join("")
        .match(/-?[\d.]+(e-?\d+)?|nan/g)!
        .map(Number);
      assert.equal(printed.length, values.length);
      for (const [k, v] of values.entries()) {
        assert.ok(Object.is(printed[k], v) || Math.abs(printed[k]! - v) < 1e-12, printed.join());
      }
    });
  }

  it("have a gradient without what moves all entries alike, or along the prediction itself", async () => {
    const source =
      "import torch\n\ndef loss(z, t):\n    return 1 - torch.corrcoef(torch.stack([z, t]))[0, 1]\n";
    const inputs = { z: array([3], [1, 2, 4]), t: array([3], [3, 1, 0]) };
    const trace = await traceOf(source, "loss", inputs);
    close(valueOf(trace, inputs), 1 + 13 / 14);
    // The deviations from the means are a and b, both of squared length 14/3, with a·b = -13/3.
    const [a, b] = [
      [-4 / 3, -1 / 3, 5 / 3],
      [5 / 3, -1 / 3, -4 / 3],
    ];
    slopes(trace, inputs).forEach((g, k) => {
      close(g, (-3 / 14) * (b[k]! + (13 / 14) * a[k]!));
    });
  });

  it("of more than two axes are refused", async () => {
    const source = "import torch\n\ndef loss(z):\n    return torch.cov(z).sum()\n";
    await assert.rejects(traceOf(source, "loss", { z: array([1, 1, 2], [1, 2]) }), (e) => {
      assert.ok(e instanceof PythonError);
      assert.match(e.message, /takes one or two axes, not 3/);
      return true;
    });
  });
});
