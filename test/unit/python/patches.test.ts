import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import {
  array,
  binary,
  close,
  probabilities,
  session,
  slopes,
  traceOf,
  valueOf,
} from "./session.ts";

const WITH_NUMPY = `import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

def loss(p, t, shape=(3, 2)):
    p, t = sliding_window_view(p, shape), np.lib.stride_tricks.sliding_window_view(t, shape)
    return np.mean((p * t).sum((-2, -1)) / (p.sum((2, 3)) + t.sum((2, 3)) + 1.0))
`;
const WITH_TORCH = `import torch

def loss(p, t):
    p, t = p.unfold(0, 3, 1).unfold(1, 2, 1), t.unfold(0, 3, 1).unfold(1, 2, 1)
    return ((p * t).sum((-2, -1)) / (p.sum((2, 3)) + t.sum((2, 3)) + 1.0)).mean()
`;

describe("Windows as arrays of their own", () => {
  it("are the same in NumPy and PyTorch", async () => {
    const arrays = { p: array([6, 5], probabilities(30)), t: array([6, 5], binary(30)) };
    const [a, b] = [
      await traceOf(WITH_NUMPY, "loss", arrays),
      await traceOf(WITH_TORCH, "loss", arrays),
    ];
    close(valueOf(a, arrays), valueOf(b, arrays));
    slopes(a, arrays).forEach((s, k) => {
      close(s, slopes(b, arrays)[k]!);
    });
    // The middle entries are in six windows, a corner in one.
    const counts = await traceOf(
      WITH_NUMPY.replace(/np\.mean.*/, "p.sum() + 0 * t.sum()"),
      "loss",
      arrays,
    );
    const found = slopes(counts, arrays);
    assert.deepEqual([found[0], found[12]], [1, 6]);
  });

  for (const [expression, printed] of [
    [
      "torch.arange(7.).unfold(0, 3, 2).tolist()",
      "[[0.0, 1.0, 2.0], [2.0, 3.0, 4.0], [4.0, 5.0, 6.0]]",
    ],
    [
      "F.unfold(torch.arange(8.).view(1, 2, 2, 2), 2).tolist()",
      "[[[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]]]",
    ],
    ["F.unfold(torch.ones(3, 4, 5), 2, padding=1, stride=2).shape", "(12, 9)"],
    [
      "np.lib.stride_tricks.sliding_window_view(np.arange(5), 3).tolist()",
      "[[0, 1, 2], [1, 2, 3], [2, 3, 4]]",
    ],
    ["torch.histc(torch.tensor([1., 2, 3, 4]), 4, min=2, max=2).tolist()", "[1.0, 1.0, 1.0, 1.0]"],
    ["torch.histc(torch.ones(4), 4).tolist()", "[0.0, 0.0, 4.0, 0.0]"],
  ] as const) {
    it(`prints ${printed} for ${expression}`, async () => {
      const { run, host } = await session();
      run(
        `import numpy as np\nimport torch\nimport torch.nn.functional as F\nprint(${expression})`,
      );
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  it("that do not fit are an error", async () => {
    const source = "def loss(p):\n    return p.unfold(0, 9, 1).sum()\n";
    await assert.rejects(traceOf(source, "loss", { p: array([5], probabilities(5)) }), (e) => {
      assert.ok(e instanceof PythonError);
      return e.message.includes("windows of 9 do not fit an axis of 5 entries");
    });
  });
});
