import assert from "node:assert/strict";
import type { Trace } from "../../../src/python/program.ts";
import { axis, flattenAxes } from "../../../src/expression/axis.ts";
import {
  add,
  constant,
  div,
  input,
  mul,
  parameter,
  reshape,
  sigmoid,
  stopGradient,
  sub,
  sum,
} from "../../../src/expression/build.ts";
import { decideEqual } from "../../../src/expression/equality.ts";
import { topological } from "../../../src/expression/walk.ts";
import {
  array,
  binary,
  close,
  errorOf,
  handleOf,
  probabilities,
  session,
  traceOf,
  valueOf,
} from "./session.ts";

const NUMPY = `
import numpy as np

def plain(y_true, y_pred):
    intersection = np.sum(y_true * y_pred)
    return 1 - 2 * intersection / (np.sum(y_true) + np.sum(y_pred))

def smooth(y_true, y_pred, epsilon=1e-7):
    intersection = np.sum(y_true * y_pred)
    return 1 - (2 * intersection + epsilon) / (np.sum(y_true) + np.sum(y_pred) + epsilon)
`;

const TORCH = `
import torch
from torch import nn
import torch.nn.functional as F

def dice(logits, target, epsilon=1e-7):
    p = torch.sigmoid(logits).view(-1)
    target = target.view(-1)
    intersection = (p * target).sum()
    return 1 - (2 * intersection + epsilon) / (p.sum() + target.sum() + epsilon)

class DiceLoss(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, target):
        return dice(logits, target, self.smooth)
`;

const i = axis("i", null);

describe("Tracing", () => {
  it("makes the expression that was written, in NumPy", async () => {
    const trace = await traceOf(NUMPY, "smooth");
    const g = input("y_true", [i]);
    const p = input("y_pred", [i]);
    const eps = parameter("epsilon", 1e-7);
    const two = constant(2, "int");
    const one = constant(1, "int");
    const top = add(mul(two, sum(mul(g, p))), eps);
    const expected = sub(one, div(top, add(add(sum(g), sum(p)), eps)));
    assert.equal(trace.loss, expected);
    assert.equal(trace.name, "smooth");
    assert.equal(trace.line, 8);
  });

  it("makes the expression that was written, in PyTorch", async () => {
    const volume = array([2, 3, 4], probabilities(24));
    const trace = await traceOf(TORCH, "dice", { logits: volume, target: volume });
    const axes = [axis("i", 2, "space"), axis("j", 3, "space"), axis("k", 4, "space")];
    const flat = [flattenAxes(axes)];
    const z = input("logits", axes);
    const p = reshape(sigmoid(z), flat);
    const g = reshape(input("target", axes), flat);
    const eps = parameter("epsilon", 1e-7);
    const top = add(mul(constant(2, "int"), sum(mul(p, g))), eps);
    const expected = sub(constant(1, "int"), div(top, add(add(sum(p), sum(g)), eps)));
    assert.equal(trace.loss, expected);
  });

  it("knows that a module with the same smoothing is the same loss", async () => {
    const a = await traceOf(TORCH, "dice");
    const b = await traceOf(TORCH, "DiceLoss(smooth=1e-7)");
    assert.equal(b.name, "DiceLoss");
    const same = decideEqual(a.loss, b.loss, { parameters: "valued" });
    assert.equal(same.equal, true);
  });

  it("names inputs after parameters and tells prediction from target by their names", async () => {
    for (const [source, callable, roles] of [
      [NUMPY, "plain", ["target", "prediction"]],
      [TORCH, "dice", ["prediction", "target"]],
    ] as const) {
      const trace = await traceOf(source, callable);
      assert.deepEqual(
        trace.inputs.map((x) => x.role),
        roles,
      );
    }
  });

  it("tells prediction from target by dtype and order where names say nothing", async () => {
    const source = "import numpy as np\ndef f(a, b):\n    return np.sum(a * b)\n";
    const floats = array([3], [0.1, 0.2, 0.3]);
    const byType = await traceOf(source, "f", { a: handleOf(floats, "uint8"), b: floats });
    assert.deepEqual(
      byType.inputs.map((x) => x.role),
      ["target", "prediction"],
    );
    const byOrder = await traceOf(source, "f", { a: floats, b: floats });
    assert.deepEqual(
      byOrder.inputs.map((x) => x.role),
      ["prediction", "target"],
    );
  });

  it("shows a hyperparameter by its name while branches use its value", async () => {
    const source = `
def f(p, t, gamma=2.0, mode="soft"):
    x = (p * t).sum()
    if gamma > 1 and mode == "soft":
        return x ** gamma
    return x
`;
    const trace = await traceOf(source, "f");
    const gamma = trace.loss.args[1];
    assert.ok(gamma?.kind === "parameter");
    assert.equal(gamma.name, "gamma");
    assert.equal(gamma.value, 2);
  });

  it("tells apart two numbers of the same name", async () => {
    const source = `
def inner(x, eps=1e-3):
    return x.sum() + eps
def f(p, t, eps=1e-7):
    return inner(p * t) + eps
`;
    const trace = await traceOf(source, "f");
    const names = topological(trace.loss).flatMap((e) =>
      e.kind === "parameter" ? [[e.name, e.value]] : [],
    );
    assert.deepEqual(names, [
      ["eps", 1e-3],
      ["eps_2", 1e-7],
    ]);
  });

  it("takes constants of the module and of the class by name", async () => {
    const source = `
SMOOTH = 1e-5
class Loss:
    alpha = 0.3
    def __call__(self, p, t):
        return (p * t).sum() * self.alpha + SMOOTH
`;
    const trace = await traceOf(source, "Loss()");
    const names = topological(trace.loss).flatMap((e) => (e.kind === "parameter" ? [e.name] : []));
    assert.deepEqual(names.sort(), ["SMOOTH", "alpha"]);
  });

  it("says where each node comes from and what it is called", async () => {
    const trace = await traceOf(NUMPY, "plain");
    const intersection = topological(trace.loss).find(
      (e) => trace.labels.get(e) === "intersection",
    );
    assert.ok(intersection?.kind === "reduce");
    assert.equal(trace.spans.get(intersection)?.line, 5);
  });

  it("finds shapes that the code takes when there are no arrays", async () => {
    const source = `
import torch.nn.functional as F
def f(logits, target):
    p = F.softmax(logits, dim=1)
    g = F.one_hot(target, num_classes=logits.shape[1]).permute(0, 3, 1, 2).float()
    return 1 - (2 * (p * g).sum(dim=(2, 3)) / (p + g).sum(dim=(2, 3))).mean()
`;
    const trace = await traceOf(source, "f");
    assert.deepEqual(
      trace.inputs.map((x) => [x.parameter, x.node.type, x.node.shape.map((a) => a.name).join("")]),
      [
        ["logits", "float", "bchw"],
        ["target", "int", "bhw"],
      ],
    );
    assert.match(
      trace.assumptions.join(),
      /logits is taken to be \(b, 3, h, w\): dim=\(2, 3\) on line 6/,
    );
  });

  it("unrolls a loop over classes with the number of classes of the arrays", async () => {
    const source = `
import torch
def f(pred, target):
    loss = 0
    for c in range(pred.shape[1]):
        p, t = pred[:, c], target[:, c]
        loss += 1 - 2 * (p * t).sum() / (p.sum() + t.sum())
    return loss / pred.shape[1]
`;
    const p = array([2, 3, 2, 2], probabilities(24));
    const t = array([2, 3, 2, 2], binary(24));
    const trace = await traceOf(source, "f", { pred: p, target: t });
    let expected = 0;
    for (let c = 0; c < 3; c++) {
      let [both, ps, ts] = [0, 0, 0];
      for (let b = 0; b < 2; b++) {
        for (let k = 0; k < 4; k++) {
          const at = b * 12 + c * 4 + k;
          both += p.data[at]! * t.data[at]!;
          ps += p.data[at]!;
          ts += t.data[at]!;
        }
      }
      expected += (1 - (2 * both) / (ps + ts)) / 3;
    }
    close(valueOf(trace, { pred: p, target: t }), expected);
  });

  it("follows the branch that the arrays take, and says so", async () => {
    const source = `
def f(pred, target):
    total = pred.sum() + target.sum()
    if total == 0:
        return total
    return 1 - 2 * (pred * target).sum() / total
`;
    const p = array([3], [0.5, 0.5, 0.5]);
    const trace = await traceOf(source, "f", { pred: p, target: p });
    assert.equal(trace.loss.kind, "binary");
    assert.match(trace.assumptions.join(), /line 4: `if total == 0:` — its condition is false/);
    const { program } = await session();
    program.load(source, "losses.py");
    const e = errorOf(() => program.trace("f"));
    assert.equal(e.line, 4);
    assert.match(e.message, /depends on values that are not known/);
  });

  it("marks where the code cuts the gradient", async () => {
    const source = `
import torch
def f(pred, target):
    w = pred.detach().mean()
    with torch.no_grad():
        v = (pred * target).sum()
    return (pred * target).sum() * w + v + pred.max().item()
`;
    const trace = await traceOf(source, "f");
    assert.deepEqual(
      trace.blockers.map((b) => [b.how, b.span.line]),
      [
        ["detach()", 4],
        ["no_grad", 6],
        [".item()", 7],
      ],
    );
    const pred = trace.inputs[0]!.node;
    assert.ok(topological(trace.loss).includes(stopGradient(pred)));
  });

  it("takes an array of the program as captured, under the name of its variable", async () => {
    const source = `
import numpy as np
weights = np.array([0.2, 0.8])
def f(y_true, y_pred):
    return np.sum(weights * np.sum(y_true * y_pred, axis=0))
`;
    const t = array([3, 2], binary(6));
    const trace = await traceOf(source, "f", { y_true: t, y_pred: t });
    assert.deepEqual(
      trace.captured.map((c) => [c.name, c.handle.shape]),
      [["weights", [2]]],
    );
    const value = valueOf(trace, { y_true: t, y_pred: t, weights: array([2], [0.2, 0.8]) });
    const columns = [0, 1].map((c) => [0, 1, 2].reduce((s, b) => s + t.data[b * 2 + c]! ** 2, 0));
    close(value, 0.2 * columns[0]! + 0.8 * columns[1]!);
  });

  it("leaves out classes by a mask that the program makes of their numbers", async () => {
    const source = `
import torch
def f(y_pred, y_true, ignore_index=1):
    kept = torch.arange(y_pred.shape[1]) != ignore_index
    p = y_pred[:, kept]
    return (p * y_true[:, kept]).sum() / p.shape[1]
`;
    const t = array([1, 3], [1, 10, 100]);
    const trace = await traceOf(source, "f", { y_pred: t, y_true: t });
    assert.deepEqual(trace.captured, []);
    close(valueOf(trace, { y_pred: t, y_true: t }), (1 + 100 ** 2) / 2);
  });

  it("takes a mean over what is a number, as torch.nanmean does", async () => {
    const source = `
import torch
def f(y_pred, y_true):
    score = (y_pred * y_true).sum(1) / y_true.sum(1)
    return torch.nanmean(score) + torch.nansum(score)
`;
    const p = array([3, 2], [1, 2, 3, 4, 5, 6]);
    const t = array([3, 2], [1, 0, 0, 0, 1, 1]);
    const trace = await traceOf(source, "f", { y_pred: p, y_true: t });
    close(valueOf(trace, { y_pred: p, y_true: t }), (1 + 5.5) / 2 + (1 + 5.5));
  });

  it("leaves parameters alone that a partial has given already", async () => {
    const source = `
import torch
from functools import partial
def tversky(y_pred, y_true, alpha, beta):
    tp = (y_pred * y_true).sum()
    return tp / (tp + alpha * (1 - y_true).sum() + beta * (1 - y_pred).sum())
weights = torch.Tensor([0.25, 0.5])
loss = partial(tversky, alpha=weights[0], beta=weights[1])
`;
    const t = array([2], [1, 0]);
    const trace = await traceOf(source, "loss", { y_pred: t, y_true: t });
    const names = trace.inputs.map((x) => x.parameter);
    assert.deepEqual(names, ["y_pred", "y_true"]);
    const weights = array([2], [0.25, 0.5]);
    close(valueOf(trace, { y_pred: t, y_true: t, weights }), 1 / 1.75);
  });

  it("leaves the program as it was", async () => {
    const source = `
calls = []
class Loss:
    def __init__(self):
        self.n = 0
    def __call__(self, p, t):
        self.n += 1
        calls.append(self.n)
        p *= t
        return p.sum()
loss = Loss()
`;
    const { program, run, host } = await session();
    program.load(source, "losses.py");
    program.trace("loss");
    program.trace("loss");
    run("print(calls, loss.n)");
    assert.deepEqual(host.printed, ["[] 0\n"]);
  });

  it("prints nothing while tracing", async () => {
    const { program, host } = await session();
    program.load("def f(p):\n    print('in f')\n    return p.sum()\n", "losses.py");
    program.trace("f");
    assert.deepEqual(host.printed, []);
  });

  it("takes the loss out of a tuple or a dictionary, and says so", async () => {
    const pair = await traceOf("def f(p, t):\n    return 'x', (p * t).sum(), p\n", "f");
    assert.equal(pair.loss.kind, "reduce");
    assert.match(pair.assumptions.join(), /number 2 is taken as the loss/);
    const dict = await traceOf("def f(p, t):\n    return {'a': p.mean(), 'loss': p.sum()}\n", "f");
    assert.ok(dict.loss.kind === "reduce" && dict.loss.op === "sum");
  });

  it("gives the axes of a loss that is not reduced", async () => {
    const p = array([2, 3], probabilities(6));
    const trace = await traceOf("def f(p, t):\n    return 1 - (p * t).sum(1)\n", "f", {
      p,
      t: p,
    });
    assert.deepEqual(
      trace.outputs?.map((a) => a.size),
      [2],
    );
  });

  it("keeps a number without a value as a symbol", async () => {
    const trace = await traceOf("def f(p, t, smooth):\n    return (p * t).sum() + smooth\n", "f");
    assert.equal(trace.loss.args[1], parameter("smooth", null));
  });

  it("refuses names that the function does not have", async () => {
    const { program } = await session();
    program.load(NUMPY, "losses.py");
    const handle = handleOf(array([2], [0, 1]));
    const e = errorOf(() => program.trace("plain", new Map([["mask", { kind: "array", handle }]])));
    assert.match(e.message, /plain has no parameter 'mask'/);
    assert.match(e.remedy ?? "", /y_true, y_pred/);
    assert.match(errorOf(() => program.trace("nothing")).message, /name 'nothing' is not defined/);
    assert.match(errorOf(() => program.trace("3")).message, /is no loss/);
  });

  it("lists the functions and loss classes of a program", async () => {
    const { program } = await session();
    program.load(
      `${NUMPY}\nclass Plain:\n    pass\nclass Sub(Plain):\n    """Doc."""\n    def __init__(self, k=1): pass\n    def forward(self, a, b: float = 0.5): pass\n`,
      "losses.py",
    );
    const found = program.callables();
    assert.deepEqual(
      found.map((c) => [c.name, c.kind, c.line]),
      [
        ["plain", "function", 4],
        ["smooth", "function", 8],
        ["Sub", "class", 14],
      ],
    );
    assert.deepEqual(found[1]!.parameters, [
      { name: "y_true" },
      { name: "y_pred" },
      { name: "epsilon", default: "1e-7" },
    ]);
    assert.deepEqual(found[2]!.parameters, [
      { name: "a" },
      { name: "b", default: "0.5", annotation: "float" },
    ]);
    assert.deepEqual(found[2]!.settings, [{ name: "k", default: "1" }]);
    assert.equal(found[2]!.docstring, "Doc.");
  });
});

describe("A call as a cell's last line", () => {
  const cell = `${NUMPY}
a = np.array([[0., 1.], [1., 0.]])
b = np.array([[.1, .8], [.6, .2]])
`;

  it("is recognized, and traced with the parameters' names", async () => {
    const { run, program } = await session();
    const result = run(`${cell}smooth(a, b * 0.5, epsilon=0.1)`);
    assert.equal(result.call?.name, "smooth");
    const trace = program.traceCall(result.call);
    assert.deepEqual(
      trace.inputs.map((x) => [x.parameter, x.role, x.dtype]),
      [
        ["y_true", "target", "float64"],
        ["y_pred", "prediction", "float64"],
      ],
    );
    assert.equal(trace.inputs[1]!.argument?.kind, "binary");
    const half = array([2, 2], [0.05, 0.4, 0.3, 0.1]);
    const value = valueOf(trace, { y_true: array([2, 2], [0, 1, 1, 0]), y_pred: half });
    close(value, 1 - (2 * 0.7 + 0.1) / (2 + 0.85 + 0.1));
    close(Number(result.text), value);
  });

  it("is not one of a library's functions, nor without arrays", async () => {
    const { run } = await session();
    assert.equal(run(`${cell}np.sum(a)`).call, null);
    assert.equal(run("def one():\n    return 1\none()").call, null);
    assert.equal(run("smooth(a, b) + 1").call, null);
  });

  it("compare(…) and check(…) take calls as they stand", async () => {
    const { run, program } = await session();
    const compared = run(`${cell}compare(plain(a, b), smooth(a, b))`).request;
    assert.deepEqual(
      compared?.calls.map((c) => c.name),
      ["plain", "smooth"],
    );
    assert.equal(program.traceCall(compared.calls[0]!).name, "plain");
    const checked = run('check(smooth, a, b, wrt="y_true", epsilon=1.0)').request;
    assert.equal(checked?.request, "check");
    assert.equal(checked.calls.length, 1);
    assert.deepEqual([...checked.calls[0]!.keywords.keys()], ["epsilon"]);
    assert.deepEqual([...checked.options.keys()], ["wrt"]);
    const wrapped = run('check(smooth(a, b), wrt="y_pred")').request;
    assert.equal(wrapped?.calls[0]!.name, "smooth");
    const e = errorOf(() => run("compare(a, b)"));
    assert.match(e.message, /compare\(\) takes calls of your functions/);
  });

  it("is traced without what carrying it out has changed, which stays", async () => {
    const { run, program, host } = await session();
    const first = run(`
import numpy as np
class Warmed:
    def __init__(self):
        self.steps = []
    def __call__(self, p, t):
        self.steps.append(len(self.steps) + 1)
        p *= 2
        return np.sum(p * t) * self.steps[-1]
loss, p, t = Warmed(), np.array([0.1, 0.2]), np.array([1.0, 0.0])
loss(p, t)`);
    const second = run("loss(p, t)");
    const [once, twice] = [first, second].map(({ call }) => program.traceCall(call!));
    assert.deepEqual([first.text, second.text], ["0.2", "0.8"]);
    const given = (trace: Trace): number[] =>
      Array.from(host.evaluate(trace.inputs[0]!.argument!)!.data);
    const value = (trace: Trace): number =>
      valueOf(trace, { p: array([2], given(trace)), t: array([2], [1, 0]) });
    assert.deepEqual(given(twice!), [0.2, 0.4]);
    close(value(twice!), 0.8);
    assert.equal(run("p.tolist() + loss.steps").text, "[0.4, 0.8, 1, 2]");
    assert.deepEqual(given(once!), [0.1, 0.2]);
  });

  it("follows branches of the arrays that were passed", async () => {
    const { run, program } = await session();
    const result = run(`
import numpy as np
def f(p, t):
    if p.max() > 1:
        p = 1 / (1 + np.exp(-p))
    return np.sum(p * t)
f(np.array([2.0, -1.0]), np.array([1.0, 0.0]))`);
    const trace = program.traceCall(result.call!);
    assert.match(trace.assumptions.join(), /condition is true for these arrays/);
  });
});
