import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import { array, close, handleOf, session, slopes, traceOf, valueOf } from "./session.ts";

/** A cell's print() on arrays that it writes down. */
const PRINTED: readonly (readonly [what: string, source: string, printed: string])[] = [
  ["a set of axes, as integers", "print([int(a) for a in np.unique((3, 2, 2)).astype(int)])", "[2, 3]"],
  ["what unique() counts", "u, i, n = np.unique([5, 1, 5], return_inverse=True, return_counts=True)\nprint(u, i, n)", "[1 5] [1 0 1] [1 2]"],
  ["where each first stands", "print(np.unique([5, 1, 5, 2], return_index=True)[1])", "[1 3 0]"],
  ["sets of two arrays", "print(np.setdiff1d([1, 2, 3], [2]), np.union1d([3], [1]), np.intersect1d([1, 2], [2, 5]))", "[1 3] [1 3] [2]"],
  ["positions an axis", "print(np.nonzero(np.array([[0, 1], [1, 0]])))", "(array([0, 1]), array([1, 0]))"],
  ["rows of positions", "print(torch.nonzero(torch.tensor([0, 2, 3])).tolist(), np.argwhere([0, 4]).tolist())", "[[1], [2]] [[1]]"],
  ["positions of a condition", "print(torch.where(torch.tensor([1., 3.]) > 2)[0].tolist())", "[1]"],
  ["picked entries in another shape", "x = np.array([1., -2., 3.])\nprint(x[x > 0].reshape(2, 1).tolist(), x[x > 5].size)", "[[1.0], [3.0]] 0"],
  ["picked entries beside a whole array", "x = np.array([1., -2., 3.])\nprint(x[x > 0] * np.array([10., 20.]))", "[10. 60.]"],
  ["values put where a mask holds", "x = np.array([1., -2., 3.])\nx[x > 0] = np.array([7., 8.])\nprint(x.tolist())", "[7.0, -2.0, 8.0]"],
  ["a number put at positions", "x = torch.zeros(2, 3)\nx[torch.tensor([0, 1]), torch.tensor([2, 0])] = 5\nprint(x.tolist())", "[[0.0, 0.0, 5.0], [5.0, 0.0, 0.0]]"],
  ["the lower of two middle entries", "print(torch.median(torch.tensor([4., 1., 3., 2.])).item())", "2.0"],
  ["whose tensor it is", "import tensorflow as tf\nprint(tf.is_tensor(torch.zeros(2)), tf.is_tensor(np.zeros(2)), tf.is_tensor(tf.zeros(2)), torch.is_tensor(tf.zeros(2)))", "False False True False"],
  ["a one-hot from several labels a row", "print(torch.zeros(1, 3).scatter(1, torch.tensor([[0, 2]]), 1).tolist())", "[[1.0, 0.0, 1.0]]"],
]; // prettier-ignore

describe("What values decide", () => {
  for (const [what, source, printed] of PRINTED) {
    it(`${what}: ${JSON.stringify(source)}`, async () => {
      const { run, host } = await session();
      run(`import numpy as np\nimport torch\n${source}`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  const PICKED = `
import torch

def loss(z, y):
    valid = y != 2
    e, order = torch.sort(z[valid], descending=True)
    return (e * y[valid][order]).sum() * len(order)
`;

  it("is followed on the arrays at hand, and said to be", async () => {
    const z = array([4], [0.5, 3, 0.25, 2]);
    const y = array([4], [1, 2, 0, 1]);
    const trace = await traceOf(PICKED, "loss", { z, y: handleOf(y, "int64") });
    const inputs = Object.fromEntries(
      trace.captured.map((c) => [c.node.kind === "input" ? c.node.name : "", c.handle.token]),
    ) as Record<string, typeof z>;
    close(valueOf(trace, { ...inputs, z, y }), 7.5);
    slopes(trace, { ...inputs, z, y }).forEach((s, k) => {
      close(s, [3, 0, 0, 3][k]!);
    });
    assert.ok(trace.assumptions.some((a) => a.includes("a boolean array picks entries")));
  });

  const ROWS = `
import torch
import torch.nn.functional as F

def by_mask(z, y):
    valid = y != 2
    p = torch.softmax(z[valid], 1)
    return (p * F.one_hot(y[valid], 2)).sum() + F.cross_entropy(z[valid], y[valid])

def by_positions(z, y):
    valid = (y != 2).nonzero()[:, 0]
    p = torch.softmax(z[valid], 1)
    return (p * F.one_hot(y[valid], 2)).sum() + F.cross_entropy(z[valid], y[valid])
`;

  it("is not needed for functions of rows: they work on all, and no list of positions enters", async () => {
    const z = array([3, 2], [0.5, 3, 0.25, 2, 1, 1]);
    const y = handleOf(array([3], [1, 2, 0]), "int64");
    const [mask, positions] = await Promise.all(
      ["by_mask", "by_positions"].map((name) => traceOf(ROWS, name, { z, y })),
    );
    assert.equal(positions!.loss, mask!.loss);
    assert.deepEqual(mask!.assumptions, []);
    for (const trace of [mask!, positions!]) assert.deepEqual(trace.captured, []);
    await traceOf(ROWS, "by_mask");
  });

  /** Variances of the entries 1, 2 and 6 of rows, and of their columns: mean 3, squares 14. */
  const SPREADS: readonly (readonly [expression: string, value: number])[] = [
    ["x[m].var()", 14 / 2],
    ["x[m].var(unbiased=False)", 14 / 3],
    ["x[m].std(correction=0)", Math.sqrt(14 / 3)],
    ["sum(torch.var_mean(x[m]))", 14 / 2 + 3],
    ["torch.std_mean(x[m], dim=0)[0]", Math.sqrt(14 / 2)],
    ["x.view(2, 1, 2).expand(2, 3, 2).permute(0, 2, 1)[m.view(2, 2)].var(0).sum()", (3 * 14) / 2],
    ["x[m][:, None].expand(-1, 2).var(1).sum()", 0],
    ["np.var(a[k])", 14 / 3],
    ["a[k].std(ddof=1)", Math.sqrt(14 / 2)],
    ["tf.math.reduce_variance(tf.boolean_mask(b, k))", 14 / 3],
    ["tf.math.reduce_std(b[k])", Math.sqrt(14 / 3)],
    ["tf.nn.moments(b[k], [0])[1]", 14 / 3],
    ["jnp.var(j[k], ddof=1)", 14 / 2],
    ["jnp.std(j[k])", Math.sqrt(14 / 3)],
    ["x[x > 6].var()", NaN],
    ["x[x > 5].var()", NaN],
    ["x[:0].var()", NaN],
  ]; // prettier-ignore

  for (const [expression, value] of SPREADS) {
    it(`is not needed for the variance of picked entries: ${expression}`, async () => {
      const { run, host } = await session();
      run(`
import numpy as np
import tensorflow as tf
import torch
import jax.numpy as jnp
x = torch.tensor([1., 2., 5., 6.], dtype=torch.float64)
m = x != 5
a = np.array([1., 2., 5., 6.])
k = a != 5
b = tf.constant(a)
j = jnp.array(a)
print(float(${expression}))`);
      const printed = host.printed.join("").trim();
      if (Number.isNaN(value)) assert.equal(printed, "nan");
      else close(Number(printed), value);
    });
  }

  it("enters no formula of a variance: no list of positions, nothing assumed", async () => {
    const trace = await traceOf("def loss(x):\n    return x[x > 0].std()\n", "loss", {
      x: array([4], [1, 2, -5, 6]),
    });
    assert.deepEqual([trace.assumptions, trace.captured], [[], []]);
  });

  it("without arrays is refused with the advice to give some", async () => {
    const bodies = [
      "z[y == 1].sort()[0].sum()",
      "z[torch.nonzero(y)].sum()",
      "z[0] * len(torch.unique(y))",
    ];
    for (const body of bodies) {
      const source = `import torch\n\ndef loss(z, y):\n    return ${body}\n`;
      await assert.rejects(traceOf(source, "loss"), (e) => {
        assert.ok(e instanceof PythonError);
        assert.equal(e.line, 4);
        assert.match(e.remedy ?? "", /(Give|Bind) arrays/, e.headline);
        return true;
      });
    }
  });

  it("is not looked for in arrays that would fill the memory", async () => {
    const { run } = await session();
    assert.throws(
      () => run("import numpy as np\nprint(np.unique(np.zeros((3200, 256, 256))))"),
      /209,715,200 entries; up to 8,388,608 are looked at/,
    );
  });

  it("names the check that fails, and the values in it", async () => {
    const source = `def loss(p, t, mode="a"):\n    assert mode in ("b", "c")\n    return (p * t).sum()\n`;
    await assert.rejects(traceOf(source, "loss"), (e) => {
      assert.ok(e instanceof PythonError);
      assert.match(e.remedy ?? "", /`mode in \("b", "c"\)` must hold; here mode is 'a'/);
      return true;
    });
  });

  it("makes instances by a class's own __new__", async () => {
    const { run, host } = await session();
    run(`
class Once:
    made = None
    def __new__(cls, n):
        if cls.made is None:
            cls.made = super().__new__(cls)
        return cls.made
    def __init__(self, n):
        self.n = n

first = Once(1)
print(first is Once(2), first.n)
`);
    assert.deepEqual(host.printed.join("").trim(), "True 2");
  });
});
