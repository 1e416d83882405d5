import assert from "node:assert/strict";
import { printAsPython, unindented } from "./programs.ts";
import {
  type TestArray,
  argumentsOf,
  array,
  close,
  errorOf,
  probabilities,
  session,
  slopes,
  traceOf,
  valueOf,
} from "./session.ts";

const HEADER = "import autograd.numpy as np\nfrom autograd import grad, value_and_grad\n";
const p = array([2, 3], probabilities(6));
const total = p.data.reduce((a, b) => a + b);

async function refusal(source: string, inputs: Readonly<Record<string, TestArray>>) {
  const { program } = await session();
  program.load(HEADER + unindented(source), "losses.py");
  return errorOf(() => program.trace("loss", argumentsOf(inputs)));
}

describe("HIPS Autograd", () => {
  it("has NumPy's functions and rules", async () => {
    const trace = await traceOf(
      `${HEADER}from autograd.scipy.special import expit
def loss(p):
    return np.sum(expit(p).astype(np.float64), axis=(0, 1)) + np.mean(p.T[0])`,
      "loss",
      { p },
    );
    const sigmoid = p.data.reduce((s, x) => s + 1 / (1 + Math.exp(-x)), 0);
    close(valueOf(trace, { p }), sigmoid + (p.data[0]! + p.data[3]!) / 2);
    assert.equal(trace.inputs[0]!.library, "autograd");
  });

  it("clips without a slope on the bounds, whose values stay", async () => {
    const x = array([4], [0, 0.5, 1, 2]);
    const trace = await traceOf(
      `${HEADER}def loss(x):\n    return np.sum(np.clip(x, 0, 1))`,
      "loss",
      {
        x,
      },
    );
    assert.equal(valueOf(trace, { x }), 2.5);
    assert.deepEqual(slopes(trace, { x }), [0, 1, 0, 0]);
  });

  it("fills arrays that hold no part of the input", async () => {
    const source = `${HEADER}def loss(p):
    w = np.zeros(3)
    w[1:] = 2.0
    w += 1
    return np.sum(p * w)`;
    const trace = await traceOf(source, "loss", { p });
    const w = [1, 3, 3];
    close(
      valueOf(trace, { p }),
      p.data.reduce((s, x, k) => s + x * w[k % 3]!, 0),
    );
  });

  for (const [what, body] of [
    ["of the input's values into another array", "out = np.zeros(3)\n    out[0] = p[0, 0]"],
    ["into the input itself", "out = p\n    out[0] = 0.0"],
    ["in place, of the input's values", "out = np.zeros((2, 3))\n    out += p"],
  ] as const) {
    it(`says that it cannot follow an assignment ${what}`, async () => {
      const e = await refusal(`def loss(p):\n    ${body}\n    return np.sum(out)`, { p });
      assert.match(e.message, /HIPS Autograd cannot follow an assignment into an array/);
      assert.match(e.remedy ?? "", /np\.where/);
    });
  }

  it("binds the name anew where the input's values are changed in place", async () => {
    const source = `${HEADER}def loss(p):
    q = p
    q *= 2
    return np.sum(p) + np.sum(q)`;
    close(valueOf(await traceOf(source, "loss", { p }), { p }), 3 * total);
  });

  it("takes a gradient inside of a loss for an error, and a value beside it for the loss", async () => {
    const e = await refusal("def loss(p):\n    return np.sum(grad(np.sum)(p))", { p });
    assert.match(e.message, /autograd\.grad\(…\) is not known here/);
    const source = `${HEADER}def loss(p):
    value, slope = value_and_grad(np.sum)(p)
    return value`;
    close(valueOf(await traceOf(source, "loss", { p }), { p }), total);
  });
});

describe("scipy.special", () => {
  printAsPython([
    [
      "works on NumPy's arrays",
      `
      import numpy as np
      from scipy.special import expit, logit, xlogy, logsumexp, softmax
      x = np.array([0.25, 0.5])
      print(expit(np.zeros(2)).tolist(), logit(x[1:]).tolist(), xlogy(np.array([0.0, 2.0]), np.array([0.0, 1.0])).tolist())
      print(logsumexp(np.zeros((2, 4)), axis=1, b=0.25).tolist(), softmax(np.zeros((1, 4)), axis=1).tolist())
      `,
      `
      [0.5, 0.5] [0.0] [0.0, 0.0]
      [0.0, 0.0] [[0.25, 0.25, 0.25, 0.25]]
      `,
    ],
  ]);
});
