import assert from "node:assert/strict";
import { binary, constant, input, mul, oneHot, reduce } from "../../../src/expression/build.ts";
import { PythonProgram } from "../../../src/python/program.ts";
import { axis } from "../../../src/expression/axis.ts";
import {
  TestHost,
  array,
  close,
  errorOf,
  handleOf,
  probabilities,
  session,
  sharedParser,
  traceOf,
  valueOf,
} from "./session.ts";

/** What each prints with real NumPy. */
const PRINTED: readonly (readonly [what: string, source: string, printed: string])[] = [
  ["sums over axes", "a = np.array([[1., 2., 3.], [4., 5., 6.]])\nprint(a.sum(), a.sum(axis=0), a.sum(1, keepdims=True).shape, a.mean(axis=(0, 1)), a.max(0), a.min(axis=1))", "21.0 [5. 7. 9.] (2, 1) 3.5 [4. 5. 6.] [1. 4.]"],
  ["subscripts", "a = np.arange(6).reshape(2, 3)\nprint(a[0], a[:, 1], a[1, 2], a[0, 1:], a[-1], a[..., 0], a[None].shape, a[:, None].shape, a[:, ::2].shape)", "[0 1 2] [1 4] 5 [1 2] [3 4 5] [0 3] (1, 2, 3) (2, 1, 3) (2, 2)"],
  ["assignment to subscripts", "a = np.zeros((2, 2))\na[0, :] = [1, 2]\na[:, 1] = 5\na[a == 0] = -1\nprint(a.tolist())", "[[1.0, 5.0], [-1.0, 5.0]]"],
  ["views that share memory", "a = np.arange(4.)\nv = a[1:]\nv *= 2\nr = a.reshape(2, 2)\nr[0, 0] = 9\na += 1\nprint(a, v, r.tolist())", "[10. 3. 5. 7.] [3. 5. 7.] [[10.0, 3.0], [5.0, 7.0]]"],
  ["copies that do not", "a = np.arange(3.)\nb = a.copy()\nc = a + 0\nb += 1\nc[0] = 5\nprint(a)", "[0. 1. 2.]"],
  ["names that share an array", "a = np.array([1., 2.])\nb = a\nb += 1\nb = b + 1\nprint(a, b)", "[2. 3.] [3. 4.]"],
  ["scalars, which are immutable", "a = np.array([1., 2.])\ns = a.sum()\nt = s\ns += 1\nprint(s, t)", "4.0 3.0"],
  ["dtypes", "a = np.array([1, 2])\nprint(a.dtype, (a / 2).dtype, (a > 1).dtype, (a > 1).sum().dtype, a.astype(np.float32).dtype, (a.astype('float32') * 2.0).dtype)", "int64 float64 bool int64 float32 float32"],
  ["booleans", "m = np.array([True, False])\nprint(m + m, m * m, ~m, m & True, m | m, (m * 1.5).tolist())", "[True False] [True False] [False True] [True False] [True False] [1.5, 0.0]"],
  ["products", "print(np.dot([1., 2.], [3., 4.]), (np.ones((2, 3)) @ np.ones(3)), np.einsum('ij,ij->i', np.ones((2, 3)), np.ones((2, 3))), np.outer([1, 2], [3, 4]).tolist())", "11.0 [3. 3.] [3. 3.] [[3, 4], [6, 8]]"],
  ["an outer difference", "x = np.array([1., 2., 4.])\nprint((x[:, None] - x[None, :]).sum(axis=1))", "[-4. -1. 5.]"],
  ["one-hot rows of an identity matrix", "print(np.eye(3)[np.array([2, 0])].tolist())", "[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]"],
  ["choices and limits", "a = np.array([1., 5., 9.])\nprint(np.where(a > 2, a, 0), np.clip(a, 2, 6), np.maximum(a, 4), a.clip(max=3))", "[0. 5. 9.] [2. 5. 6.] [4. 5. 9.] [1. 3. 3.]"],
  ["joining and shapes", "a = np.ones((2, 3, 4))\nprint(np.stack([a, a], axis=1).shape, np.concatenate([a, a]).shape, a.transpose(2, 0, 1).shape, a.T.shape, np.expand_dims(a, 0).shape, a.reshape(2, -1).shape, np.moveaxis(a, 0, -1).shape)", "(2, 2, 3, 4) (4, 3, 4) (4, 2, 3) (4, 3, 2) (1, 2, 3, 4) (2, 12) (3, 4, 2)"],
  ["statistics", "x = np.array([[1., 2.], [3., 4.]])\nprint(x.var(), x.var(axis=0, ddof=1), x.argmax(), x.argmin(axis=1), np.count_nonzero(x > 1), np.linalg.norm(x) ** 2)", "1.25 [2. 2.] 3 [0 0] 3 30.0"],
  ["numbers out of arrays", "x = np.array([3., 1.])\nprint(float(x[0]), int(x[1]), x[0].item(), f'{x.sum():.2f}', 'big' if x.sum() > 3 else 'small', max(x[0], x[1]))", "3.0 1 3.0 4.00 big 3.0"],
]; // prettier-ignore

describe("Arrays", () => {
  for (const [what, source, printed] of PRINTED) {
    it(`does ${what} as NumPy does`, async () => {
      const { run, host } = await session();
      run(`import numpy as np\n${source}`);
      const plain = (s: string): string => s.replace(/\s+/g, " ").replace(/\[ /g, "[").trim();
      assert.equal(plain(host.printed.join("")), printed);
    });
  }

  it("reads .npy files and .npz archives through the host", async () => {
    const { run, host } = await session((h) => {
      h.files.set("mask.npy", array([2], [0, 1]));
      h.archives.set("case.npz", new Map([["prob", array([2], [0.25, 0.5])]]));
    });
    run(
      "import numpy as np\nm = np.load('mask.npy')\nz = np.load('case.npz')\nprint(list(z), (m * z['prob']).sum(), z.files)",
    );
    assert.deepEqual(host.printed, ["['prob'] 0.5 ['prob']\n"]);
    const e = errorOf(() => run("x = 1\ny = np.load('nothing.npy')"));
    assert.equal(e.headline, "OSError: there is no file nothing.npy");
    assert.equal(e.line, 2);
    assert.equal(errorOf(() => run("z['other']")).headline, "KeyError: 'other'");
  });

  it("names both shapes where they do not fit", async () => {
    const { run } = await session();
    const e = errorOf(() => run("import numpy as np\nx = np.ones(3)\ny = x + np.ones(4)"));
    assert.equal(e.line, 3);
    assert.equal(e.caretText, "y = x + np.ones(4)\n    ^^^^^^^^^^^^^^");
    assert.match(e.message, /\(3,\) and \(4,\)/);
  });

  /** Source, message and what the remedy mentions. */
  const REFUSED: readonly (readonly [source: string, message: RegExp])[] = [
    ["np.fft.fft(x)", /numpy\.fft\.fft is not known/],
    ["x.tobytes()", /\.tobytes of NumPy arrays is not known/],
    ["np.sum(x, where=x > 0)", /argument 'where' of sum\(\) is not supported/],
    ["np.sum(x, dim=0)", /unexpected keyword argument 'dim'/],
    ["x.sum(axis=5)", /axis 5 is out of range/],
    ["np.size(x, 1)", /axis 1 is out of range/],
    ["x.reshape(2, 2)", /cannot reshape array of size 3 into shape \(2, 2\)/],
    ["x - [1, 2]", /do not broadcast/],
    ["x + 'a'", /unsupported operand type\(s\) for \+: 'numpy.ndarray' and 'str'/],
    ["bool(x)", /truth value of an array/],
    ["if x:\n    pass", /truth value of an array/],
    ["x[0, 0]", /too many indices/],
    ["x[7]", /out of range/],
    ["x[::-1]", /negative step/],
    ["x[1.5]", /only integers/],
    ["(x > 0) - (x > 1)", /boolean arrays cannot be subtracted/],
    ["x += np.ones((2, 3))", /cannot change its shape in place/],
    ["i = np.array([1, 2])\ni += 0.5", /cannot be stored in an integer array/],
    ["np.array([[1, 2], [3]])", /rows of this array differ in length/],
    ["import torch\ntorch.sigmoid(0.5)", /must be Tensor/],
    ["import torch\ntorch.tensor([1, 2]).mean()", /could not infer output dtype/],
    ["import torch\ntorch.softmax(torch.ones(3))", /missing required argument 'dim'/],
    ["import torch\ntorch.ones(3).backward()", /backward\(\) is not run/],
    ["import torch.nn.functional as F\nimport torch\nF.one_hot(torch.ones(3), 3)", /only applicable to index tensor/],
  ]; // prettier-ignore
  for (const [source, message] of REFUSED) {
    it(`refuses ${JSON.stringify(source)}`, async () => {
      const { run } = await session();
      const e = errorOf(() => run(`import numpy as np\nx = np.array([1., 2., 3.])\n${source}`));
      assert.match(e.message, message);
      assert.ok(e.line >= 3);
      assert.notEqual(e.caretText, "");
    });
  }

  it("refuses to change an array in place through memory it may or may not share", async () => {
    const { run } = await session();
    const e = errorOf(() =>
      run("import torch\nx = torch.ones(2, 3)\ny = x.t().reshape(-1)\ny += 1\nprint(x)"),
    );
    assert.match(e.message, /changed in place while another shares/);
  });

  it("refuses a loop over every voxel instead of making a formula of it", async () => {
    const program = new PythonProgram(await sharedParser(), new TestHost(), {
      file: "main.py",
      limits: { tensorOperations: 2000 },
    });
    const source =
      "import numpy as np\nx = np.ones(100)\ns = 0\nfor k in range(10_000_000):\n    s = s + x[k % 100]";
    const e = errorOf(() => program.execute(source, "cell"));
    assert.match(e.message, /stopped after 2,000 array operations/);
    assert.equal(e.line, 5);
  });
});

describe("PyTorch functions", () => {
  const x = [-1.5, 0.25, 2, -0.5, 1, 3];
  const data = array([2, 3], x);
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  const total = (f: (v: number) => number): number => x.reduce((s, v) => s + f(v), 0);

  /** An expression in x, and its value. */
  const VALUES: readonly (readonly [expression: string, value: number])[] = [
    ["x.sigmoid().sum()", total(sigmoid)],
    ["F.logsigmoid(x).sum()", total((v) => Math.log(sigmoid(v)))],
    ["torch.relu(x).sum()", total((v) => Math.max(v, 0))],
    ["F.leaky_relu(x, 0.1).sum()", total((v) => (v > 0 ? v : 0.1 * v))],
    ["x.clamp(min=0.5, max=2).sum()", total((v) => Math.min(Math.max(v, 0.5), 2))],
    ["torch.softmax(x, dim=1)[0, 2]", Math.exp(2) / (Math.exp(-1.5) + Math.exp(0.25) + Math.exp(2))],
    ["x.log_softmax(1)[0, 2]", 2 - Math.log(Math.exp(-1.5) + Math.exp(0.25) + Math.exp(2))],
    ["torch.logsumexp(x, 1)[0]", Math.log(Math.exp(-1.5) + Math.exp(0.25) + Math.exp(2))],
    ["x.max()", 3],
    ["x.max(dim=1)[0].sum()", 5],
    ["x.max(1).values[0] + x.max(1).indices[1]", 4],
    ["x.pow(2).sum() + (x ** 2).sum() + torch.square(x).sum()", 3 * total((v) => v * v)],
    ["x.view(-1)[4] + x.flatten()[5] + x.reshape(3, 2)[1, 0]", 1 + 3 + 2],
    ["x.t()[2, 0] + x.permute(1, 0)[2, 1] + x.transpose(0, 1)[0, 0]", 2 + 3 - 1.5],
    ["x.unsqueeze(1).squeeze(1).sum(dim=(0, 1), keepdim=True).squeeze()", total((v) => v)],
    ["torch.stack([x[0], x[1]], dim=1)[2, 1] + torch.cat([x, x], 1)[0, 5]", 3 + 2],
    ["sum(c.sum() for c in torch.unbind(x, 0)) + torch.chunk(x, 3, 1)[1].sum()", total((v) => v) + 1.25],
    ["torch.where(x > 0, x, torch.zeros_like(x)).sum()", total((v) => Math.max(v, 0))],
    ["x.masked_fill(x < 0, 7.0).sum()", 14 + 0.25 + 2 + 1 + 3],
    ["torch.einsum('bc->b', x)[1]", 3.5],
    ["x.std() ** 2 - x.var()", 0],
    ["torch.norm(x) ** 2 - x.norm(2) ** 2 + x.norm(p=1)", total(Math.abs)],
    ["torch.dot(x.view(-1), x.view(-1))", total((v) => v * v)],
    ["(x @ x.t())[0, 1] - torch.matmul(x[0], x[1])", 0],
    ["x.mul(2).add(1).sub(x, alpha=2).sum()", 6],
    ["x.size(0) * x.size()[1] + x.numel() + x.dim() + len(x) + x.ndim", 6 + 6 + 2 + 2 + 2],
    ["F.mse_loss(x, torch.zeros_like(x), reduction='sum')", total((v) => v * v)],
    ["nn.L1Loss()(x, torch.zeros_like(x)) * 6", total(Math.abs)],
    ["F.binary_cross_entropy(x.sigmoid(), torch.ones_like(x), reduction='sum')", total((v) => -Math.log(sigmoid(v)))],
    ["nn.BCEWithLogitsLoss(reduction='sum')(x, torch.ones_like(x))", total((v) => -Math.log(sigmoid(v)))],
    ["F.cross_entropy(x, torch.tensor([2, 0])) * 2", -(2 - Math.log(Math.exp(-1.5) + Math.exp(0.25) + Math.exp(2))) - (-0.5 - Math.log(Math.exp(-0.5) + Math.exp(1) + Math.exp(3)))],
    ["F.one_hot(torch.tensor([2, 0]), 3).float()[0, 2]", 1],
    ["torch.zeros(2, 3).scatter_(1, torch.tensor([[2], [0]]), 1).sum()", 2],
    ["torch.eye(3)[torch.tensor([2, 0])][0, 2]", 1],
    ["nn.Sequential(nn.Sigmoid(), nn.Identity())(x).sum()", total(sigmoid)],
    ["x.expand_as(torch.ones(2, 2, 3)).sum()", 2 * total((v) => v)],
    ["x.gt(0).sum() + (x >= 1).float().sum() + (~(x > 0)).sum()", 4 + 3 + 2],
  ]; // prettier-ignore
  for (const [expression, value] of VALUES) {
    it(expression, async () => {
      const source = `import torch\nfrom torch import nn\nimport torch.nn.functional as F\ndef f(x):\n    return ${expression}\n`;
      const trace = await traceOf(source, "f", { x: data });
      const captured = Object.fromEntries(
        trace.captured.map((c) => [c.name, c.handle.token as typeof data]),
      );
      close(valueOf(trace, { x: data, ...captured }), value);
    });
  }

  it("in-place methods change the tensor that they are called on", async () => {
    const source = `
import torch
def f(x):
    y = x.clone()
    z = y.view(-1)
    y.mul_(2)
    z[0] = 10
    y += 1
    return y.sum() + x.sum()
`;
    const trace = await traceOf(source, "f", { x: data });
    close(valueOf(trace, { x: data }), 2 * total((v) => v) + 3 + 10 + 6 + total((v) => v));
  });

  it("knows functions under any import alias", async () => {
    const source = `
import torch as th, numpy as anything
from torch import sigmoid as sg, nn as layers
from torch.nn import functional
import torch.nn.functional as FF
def f(x):
    return sg(x).sum() + functional.relu(x).sum() + FF.relu(x).sum() + th.abs(x).sum() + layers.functional.relu(x).sum()
`;
    const trace = await traceOf(source, "f", { x: data });
    const relu = total((v) => Math.max(v, 0));
    close(valueOf(trace, { x: data }), total(sigmoid) + 3 * relu + total(Math.abs));
  });

  it("rounds to float32 where integers become floats", async () => {
    const source = "import torch\ndef f(x, t):\n    return (x * (t.sum() / 3)).sum()\n";
    const t = handleOf(array([2], [1, 1]), "int64");
    const trace = await traceOf(source, "f", { x: array([2], [1, 2]), t });
    const casts = trace.loss.args[0]!.args[1]!;
    assert.ok(casts.kind === "cast" && casts.to === "float32");
  });

  it("makes one-hot targets as expressions of the class map", async () => {
    const source =
      "import torch.nn.functional as F\ndef f(p, t):\n    return (p * F.one_hot(t, 3)).sum()\n";
    const t = handleOf(array([2], [1, 2]), "int64");
    const trace = await traceOf(source, "f", { p: array([2, 3], probabilities(6)), t });
    const p = trace.inputs[0]!.node;
    const map = input("t", [p.shape[0]!], "int");
    const expected = reduce("sum", mul(p, oneHot(map, axis("k", 3, "class"), 1)), null);
    assert.equal(trace.loss, expected);
  });

  it("notes that small integers are taken not to overflow", async () => {
    const t = handleOf(array([2], [0, 1]), "uint8");
    const trace = await traceOf("def f(a, b):\n    return (a * b).sum()\n", "f", { a: t, b: t });
    assert.match(trace.assumptions.join(), /uint8 is taken not to overflow/);
  });

  it("keeps what was written and does not simplify", async () => {
    const trace = await traceOf("def f(x):\n    return x.sum() * 1 + 0\n", "f");
    const sum = reduce("sum", trace.inputs[0]!.node, null);
    const times = binary("mul", sum, constant(1, "int"));
    assert.equal(trace.loss, binary("add", times, constant(0, "int")));
  });
});
