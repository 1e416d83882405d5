import assert from "node:assert/strict";
import { join } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import type { Comparison, Report } from "../../../src/report/schema.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellLanguage, CellOutput, Failure } from "../../../src/session/protocol.ts";

const DICE = `import numpy as np
def dice(y_true, y_pred, epsilon=1e-7):
    total = np.sum(y_true) + np.sum(y_pred)
    return 1 - (2 * np.sum(y_true * y_pred) + epsilon) / (total + epsilon)
t = np.array([1, 0, 1, 0])
p = np.array([0.9, 0.2, 0.6, 0.4])`;

describe("a notebook session", () => {
  let session: NotebookSession;
  let cells = 0;

  beforeEach(async () => {
    cells = 0;
    session = new NotebookSession(
      await loadParserFromDisk(),
      filesWith(new ModuleFinder([])),
      join(root, "media/example"),
    );
  });

  function run(
    source: string,
    language: CellLanguage = "python",
    isCancelled: () => boolean = () => false,
  ): { ok: boolean; outputs: CellOutput[] } {
    const outputs: CellOutput[] = [];
    cells++;
    const ok = session.execute(
      { language, source, file: `Cell ${String(cells)}` },
      (o) => outputs.push(o),
      { onProgress: () => undefined, isCancelled },
    );
    return { ok, outputs };
  }

  function failure(source: string, language: CellLanguage = "python"): Failure {
    const { ok, outputs } = run(source, language);
    assert.equal(ok, false);
    const [only, ...more] = outputs;
    assert.ok(only?.kind === "failure" && more.length === 0, JSON.stringify(outputs));
    assert.notEqual(only.failure.name, "Internal error", only.failure.message);
    return only.failure;
  }

  function report(source: string, language: CellLanguage = "python"): Report {
    const { outputs } = run(source, language);
    const [only] = outputs;
    assert.ok(only?.kind === "report", JSON.stringify(outputs));
    return only.drawn.report as Report;
  }

  it("derives a loss for arrays of the shapes that a cell names", () => {
    const r = report(`${DICE}\nshapes(dice, y_pred=(2, 1, 64, 64), y_true="b,c,h,w", epsilon=1.0)`);
    assert.deepEqual(r.gradient.shape, [2, 1, 64, 64]);
    assert.equal(r.check.verdict, "not-checked");
    assert.ok(r.assumptions.includes("y_pred is taken to be (2, 1, 64, 64): as you set it"));
  });

  it("derives the loss that a function makes, with its settings as they are by default", () => {
    const r = report(`import numpy as np
def tversky(alpha=0.7):
    def loss(t, p):
        tp = np.sum(t * p)
        return 1 - tp / (tp + alpha * np.sum(t * (1 - p)) + (1 - alpha) * np.sum((1 - t) * p))
    return loss
tversky`);
    assert.equal(r.function.name, "tversky");
    assert.equal(r.function.line, 2);
    assert.match(r.loss.text, /α/);
  });

  it("asks for the arguments of a function that makes a loss of them", () => {
    const f = failure("def weighted(weights):\n    return lambda t, p: weights * t * p\nweighted");
    assert.match(f.message, /weighted makes a loss/);
    assert.match(f.remedy ?? "", /Give its arguments: weighted\(weights\)/);
  });

  it("says in every form which input gets no gradient, and through which line", () => {
    const { outputs } = run(
      `${DICE}\ndef hard(t, p):\n    h = np.round(p)\n    return 1 - 2 * np.sum(h * t)\nhard(t, p)`,
    );
    const [only] = outputs;
    assert.ok(only?.kind === "report", JSON.stringify(outputs));
    const { report: json, html, plain, markdown } = only.drawn;
    const said = "p gets no gradient: round() on line 8 stops it";
    assert.deepEqual(
      (json as Report).diagnostics.map((d) => [d.severity, d.message, d.location?.line]),
      [["warning", said, 8]],
    );
    for (const form of [html, plain, markdown]) assert.ok(form.includes("on line 8 stops it"));
  });

  it("says where a clamp is flat", () => {
    const r = report(
      `${DICE}\ndef limited(t, p):\n    return 1 - 2 * np.sum(np.clip(p, 0.5, 1) * t)\nlimited(t, p)`,
    );
    assert.deepEqual(
      r.diagnostics.map((d) => [d.severity, d.message]),
      [["information", "p gets no gradient through clamp() outside its bounds (line 8)"]],
    );
  });

  it("says how shapes are written where they are not", () => {
    for (const [call, message] of [
      ["shapes(dice, y_pred=7)", /y_pred is not a shape such as \(2, 3, 64, 64\)/],
      ["shapes(dice, y_pred=(2, 0))", /neither a size nor a letter: 0/],
      ['shapes(dice, y_pred="b,b")', /two axes of one letter/],
      ["shapes(dice, (2, 3))", /shapes\(\) takes a function and the shapes of its arrays by name/],
      ["shapes(dice, nothing=(2, 3))", /has no parameter 'nothing'/],
    ] as const) {
      assert.match(failure(`${DICE}\n${call}`).message, message);
    }
  });

  it("explains how a gradient behaves where a cell asks for it", () => {
    const r = report(`${DICE}\nexplain(dice(t, p))`);
    assert.equal(r.check.verdict, "agrees");
    assert.deepEqual(
      r.behaviour!.smoothing.map((s) => [s.name, s.place, s.lines]),
      [
        ["epsilon", "numerator", [4]],
        ["epsilon", "denominator", [4]],
      ],
    );
    assert.deepEqual(
      r.claims!.map((c) => c.id),
      ["quotient-rule", "epsilon", "library"],
    );
    const { outputs } = run("explain(dice(t, p))");
    assert.ok(outputs[0]?.kind === "report");
    const { plain, markdown, html } = outputs[0].drawn;
    for (const text of [plain, markdown, html]) {
      assert.match(text, /How the gradient behaves/);
      assert.match(text, /Three claims/);
    }
    assert.equal(report("dice(t, p)").behaviour, undefined);
  });

  it("explains a loss that is not called on sample arrays", () => {
    const r = report(`${DICE}\nexplain(dice)`);
    assert.match(r.behaviour!.assumed!, /sample arrays/);
  });

  it("stops explaining when it is cancelled", () => {
    run(DICE);
    let asked = 0;
    const { ok, outputs } = run("explain(dice(t, p))", "python", () => asked++ > 100);
    assert.equal(ok, false);
    const [only] = outputs;
    assert.ok(only?.kind === "failure");
    assert.match(only.failure.name, /Interrupted|Cancelled/i);
  });

  it("draws a report for a cell that ends in the call of a loss", () => {
    const r = report(`${DICE}\ndice(t, p)`);
    assert.equal(r.check.verdict, "agrees");
    assert.equal(r.function.name, "dice");
    assert.deepEqual([r.function.file, r.function.line], ["Cell 1", 2]);
    assert.equal(r.gradient.wrt, "y_pred");
    assert.equal(r.gradient.values?.length, 4);
    assert.equal(r.numbers?.rows.length, 4);
    assert.deepEqual(
      r.arrays.map((a) => [a.name, a.role, a.dtype]),
      [
        ["y_true", "target", "int64"],
        ["y_pred", "prediction", "float64"],
      ],
    );
  });

  it("takes the dtype of a literal as the library rounds to it", () => {
    run(DICE);
    for (const dtype of ["float16", "float32", "float64"]) {
      const r = report(`dice(t, np.array([0.1, 0.25, 0.5, 0.75], dtype=np.${dtype}))`);
      const y = r.arrays[1]!;
      assert.deepEqual([y.dtype, y.max], [dtype, 0.75]);
      const smallest = { float16: 0.0999755859375, float32: Math.fround(0.1), float64: 0.1 }[dtype];
      assert.equal(y.min, smallest);
    }
    const cast = report("dice(t, np.array([0.1, 0.25, 0.5, 0.75]).astype(np.float16))").arrays[1]!;
    assert.deepEqual([cast.dtype, cast.min], ["float16", 0.0999755859375]);
    assert.equal(run("np.array([3, 200], dtype=np.uint16).sum()").outputs[0]?.kind, "text");
  });

  it("derives a loss that is named and not called, and says which shapes it assumed", () => {
    run(DICE);
    const r = report("dice");
    assert.equal(r.check.verdict, "not-checked");
    assert.equal(r.gradient.text, "∂L/∂ŷ[i] = (2·I+ε)/(G+P+ε)² − 2·y[i]/(G+P+ε)");
    assert.ok(
      r.assumptions.some((a) => a.includes("(i,)")),
      r.assumptions.join("\n"),
    );
    run("from losses import DiceLoss");
    assert.equal(report("DiceLoss(smooth=2.0)").gradient.wrt, "logits");
    assert.equal(run("np.sum").outputs[0]?.kind, "text");
  });

  it("names the lines of the loss itself, also where another loss has the same terms", () => {
    run(DICE);
    report("dice(t, p)");
    const r = report(
      "def other(y_true, y_pred):\n    a = np.sum(y_true * y_pred)\n    return -2 * a / (np.sum(y_true) + np.sum(y_pred))\nother(t, p)",
    );
    for (const step of r.gradient.steps) {
      for (const line of step.lines ?? []) assert.ok(line === 2 || line === 3, step.title);
    }
    assert.ok(r.gradient.steps.some((s) => s.lines?.includes(2)));
  });

  it("shows other values as Python would, and prints in order", () => {
    const { outputs } = run("print('a', 1)\nx = 2\nprint(x)\nx + 1");
    assert.deepEqual(
      outputs.map((o) => o.kind === "text" && o.text),
      ["a 1\n2\n", "3\n"],
    );
  });

  it("compares two losses on the same arrays, and says that equal ones are the same function", () => {
    run(DICE);
    run(
      "def by_counts(y_true, y_pred, epsilon=1e-7):\n    tp = (y_true*y_pred).sum(); fp = ((1-y_true)*y_pred).sum(); fn = (y_true*(1-y_pred)).sum()\n    return 1 - (2*tp + epsilon)/(2*tp + fp + fn + epsilon)",
    );
    const { outputs } = run("compare(dice(t, p), by_counts(t, p), dice(t, p, epsilon=1.0))");
    const [only] = outputs;
    assert.ok(only?.kind === "report");
    const c = only.drawn.report as Comparison;
    assert.equal(c.reports.length, 3);
    assert.deepEqual(
      c.pairs.map((x) => x.equal),
      ["exactly", "no"],
    );
    assert.match(c.pairs[1]!.sentence, /epsilon=1e-7.*epsilon=1\b/);
    assert.ok(c.pairs[1]!.differences[0]!.maxAbsDifference! > 0.01);
  });

  it("finds one common factor between two gradients", () => {
    run(DICE);
    run("def half(y_true, y_pred, epsilon=1e-7):\n    return 0.5 * dice(y_true, y_pred, epsilon)");
    const { outputs } = run("compare(dice(t, p), half(t, p))");
    const [only] = outputs;
    assert.ok(only?.kind === "report");
    const [difference] = (only.drawn.report as Comparison).pairs[0]!.differences;
    assert.ok(Math.abs(difference!.commonFactor! - 2) < 1e-12);
  });

  it("says that gradients are of different arrays, beside what the code does", () => {
    run(DICE);
    run(
      "import torch\ndef by_logits(logits, target):\n    return dice(target, torch.sigmoid(logits))",
    );
    const { outputs } = run("compare(dice(t, p), by_logits(p, t))");
    assert.ok(outputs[0]?.kind === "report");
    run("z = np.array([0.5, -1.0, 2.0, 0.0])");
    const [only] = run("compare(dice(t, p), by_logits(z, t))").outputs;
    assert.ok(only?.kind === "report");
    const [pair] = (only.drawn.report as Comparison).pairs;
    assert.deepEqual(
      pair!.differences.map((d) => d.id),
      ["other-arrays", "activation"],
    );
  });

  it("differentiates by the argument that check names", () => {
    run(DICE);
    const r = report('check(dice, t * 1.0, p, wrt="y_true")');
    assert.equal(r.gradient.wrt, "y_true");
    assert.equal(r.check.verdict, "agrees");
    assert.match(failure('check(dice, t, p, wrt="nothing")').remedy!, /y_true, y_pred/);
  });

  describe("asked how it uses a function", () => {
    const usage = (): unknown => session.usage("dice", ["y_true", "y_pred"]);

    it("does not know it before its cell has run, nor arrays before there are some", () => {
      assert.deepEqual(usage(), { isDefined: false, call: null });
      run(DICE);
      assert.deepEqual(usage(), { isDefined: true, call: null });
    });

    it("gives the call as a cell has it, also where that stands in a comparison", () => {
      run(DICE);
      run("dice(t, p, epsilon=0)");
      assert.deepEqual(usage(), { isDefined: true, call: "dice(t, p, epsilon=0)" });
      run("compare(dice(t[:2],\n    p[:2]), dice(t[:2], p[:2], epsilon=1))");
      assert.deepEqual(usage(), { isDefined: true, call: "dice(t[:2], p[:2], epsilon=1)" });
    });

    it("takes variables that are called as its parameters, if all are arrays", () => {
      run(`${DICE}\ny_true = t`);
      assert.deepEqual(usage(), { isDefined: true, call: null });
      run("y_pred = p * 1.0");
      assert.deepEqual(usage(), { isDefined: true, call: "dice(y_true=y_true, y_pred=y_pred)" });
    });
  });

  it("binds the names of a formula cell to the notebook's arrays", () => {
    run(DICE);
    const r = report(
      "q = p\neps = 1\n1 - (2*dot(q, t) + eps) / (sum(q) + sum(t) + eps)",
      "dice-formula",
    );
    assert.equal(r.check.verdict, "agrees");
    assert.equal(r.gradient.wrt, "q");
    const alike = report("dice(t, p, epsilon=1)");
    assert.deepEqual(r.gradient.values, alike.gradient.values);
  });

  it("reads arrays relative to the notebook's folder, and modules beside it", () => {
    const r = report(
      'import numpy as np\nimport torch\nfrom losses import dice_loss_torch\ncase = np.load("slice.npz")\ndice_loss_torch(torch.from_numpy(case["logits"]), torch.from_numpy(case["mask"]))',
    );
    assert.equal(r.check.verdict, "agrees");
    assert.deepEqual(r.gradient.shape, [96, 96]);
    assert.equal(r.function.file, "losses.py");
    assert.ok(!JSON.stringify(r).includes(root), "a saved report names a folder of this machine");
    assert.equal(r.images?.length, 3);
  });

  it("says that 0/0 is undefined when both masks are empty, and is finite with epsilon", () => {
    run(DICE);
    const empty = report("dice(np.zeros(5), np.zeros(5), epsilon=0)");
    assert.equal(empty.check.verdict, "undefined");
    assert.equal(empty.loss.value, null);
    const smooth = report("dice(np.zeros(5), np.zeros(5))");
    assert.equal(smooth.check.verdict, "agrees");
    assert.equal(smooth.loss.value, 0);
    for (const g of smooth.gradient.values!) assert.ok(Math.abs(g! - 1e7) < 1e-2);
  });

  it("shows no gradient where autograd has NaN, though a where() saves the loss", () => {
    run(`import torch
def guarded(p, t):
    total = p.sum(1) + t.sum(1)
    return torch.where(total > 0, 1 - 2 * (p * t).sum(1) / total, torch.zeros_like(total)).mean()`);
    const r = report(
      "guarded(torch.tensor([[0.0, 0.0], [0.5, 0.25]]), torch.tensor([[0.0, 0.0], [1.0, 0.0]]))",
    );
    assert.equal(r.check.verdict, "undefined");
    assert.match(r.check.sentence, /^the gradient is NaN at \[0, 0\] and 1 more because .*total/);
    assert.deepEqual(r.gradient.values!.slice(0, 2), [null, null]);
    const analytic = r.numbers!.columns.indexOf("analytic gradient");
    assert.deepEqual(
      r.numbers!.rows.map(({ values }) => values[analytic] === null),
      [true, true, false, false],
    );
  });

  it("divides a row of zeros by eps alone in F.normalize, as PyTorch does", () => {
    run(`import torch
import torch.nn.functional as F
def similar(p, t):
    return 1 - (F.normalize(p) * t).sum(1).mean()`);
    const r = report(
      "similar(torch.tensor([[0.0, 0.0], [0.5, 0.25]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))",
    );
    assert.equal(r.check.verdict, "agrees");
    assert.ok(Math.abs(r.gradient.values![0]! + 0.5e12) < 1);
    assert.equal(r.gradient.values![1], 0);
  });

  it("keeps what was known before a failing statement, and nothing of it", () => {
    run("a = 1");
    const f = failure("a = 2\nb = unknown + a\na = 3");
    assert.deepEqual([f.file, f.line, f.column], ["Cell 2", 2, 5]);
    assert.match(f.caretText!, /\^{7}/);
    assert.equal(run("a").outputs.map((o) => o.kind === "text" && o.text)[0], "2\n");
  });

  it("is interrupted inside a loop, and inside a computation", () => {
    run(DICE);
    let asked = 0;
    const { ok, outputs } = run("while True:\n    x = 1", "python", () => ++asked > 1000);
    assert.equal(ok, false);
    assert.ok(outputs[0]?.kind === "failure" && outputs[0].failure.name === "Interrupted");
    const second = run("dice(t, p)", "python", () => true);
    assert.ok(second.outputs[0]?.kind === "failure");
    assert.equal(second.outputs[0].failure.name, "Interrupted");
    assert.equal(report("dice(t, p)").check.verdict, "agrees");
  });

  for (const [what, source, message] of [
    ["empty arrays", "dice(np.array([]), np.array([]))", /y_true is empty/],
    ["shapes that do not fit", "dice(t, np.ones(3))", /\(4,\).*\(3,\)/],
    ["a missing argument", "dice(t)", /y_pred/],
    ["complex numbers", "dice(t, p * 1j)", /complex/],
    ["objects in an array", "np.array([{}])", /dict/],
    ["ragged rows", "np.array([[1, 2], [3]])", /rows/],
    ["endless recursion", "def f(a):\n    return f(a)\nf(t)", /recursion/],
    ["a file that is no array", 'np.load("losses.py")', /\.py/],
  ] as const) {
    it(`refuses ${what} in one clear message`, () => {
      run(DICE);
      assert.match(failure(source).message, message);
    });
  }

  describe("compare() of losses that were given", () => {
    const LOGIT_DICE = `import torch
class DiceLoss(torch.nn.Module):
    def forward(self, y_pred, y_true, epsilon=1e-7):
        p = torch.sigmoid(y_pred)
        n = 2 * (p * y_true).sum() + epsilon
        return 1 - n / (p.sum() + y_true.sum() + epsilon)
x = np.array([2.0, 0.5, -1.0, -2.0])
q = 1 / (1 + np.exp(-x))`;

    function pair(source: string): Comparison["pairs"][number] {
      run(DICE);
      run(LOGIT_DICE);
      const { outputs } = run(source);
      const [only] = outputs;
      assert.ok(only?.kind === "report", JSON.stringify(outputs));
      return (only.drawn.report as Comparison).pairs[0]!;
    }
    const ids = (of: Comparison["pairs"][number]): unknown[] => of.differences.map((d) => d.id);
    const total = (of: Comparison["pairs"][number]): number =>
      of.differences.reduce((sum, d) => sum + d.share!, 0);

    it("the same computed array takes it for the same", () => {
      const found = pair("compare(dice(t, q), dice(t, q, epsilon=1.0))");
      assert.deepEqual(ids(found), ["smoothing"]);
    });

    it("arrays of another float type takes them for the same", () => {
      const found = pair(
        "compare(dice(t, p), DiceLoss()(torch.tensor(p, dtype=torch.float32), torch.tensor(t)))",
      );
      assert.deepEqual(ids(found), ["activation"]);
    });

    it("probabilities and the logits that they come from names the chain rule", () => {
      const found = pair("compare(dice(t, q), DiceLoss()(torch.tensor(x), torch.tensor(t)))");
      assert.deepEqual(ids(found), ["chain-rule"]);
      assert.equal(found.complete, true);
      const [d] = found.differences;
      assert.ok(Math.abs(d!.share! - 1) < 1e-9);
      // p (1 - p) of the logits 0.5 and -2, -1: between these.
      assert.ok(Math.abs(d!.factor!.least! - 0.10499358540350662) < 1e-12);
      assert.ok(Math.abs(d!.factor!.most! - 0.2350037122015945) < 1e-12);
    });

    it("logits and their probabilities names it too, the other way round, beside the code's reasons", () => {
      const found = pair("compare(DiceLoss()(x, t), dice(t, q, epsilon=1.0))");
      assert.deepEqual(ids(found), ["smoothing", "chain-rule"]);
      assert.equal(found.complete, true);
      assert.ok(Math.abs(total(found) - 1) < 1e-9);
    });

    it("another target says so, and does not charge the code with it", () => {
      const found = pair("compare(dice(t, p), dice(1 - t, p, epsilon=1e-6))");
      assert.deepEqual(ids(found), ["other-arrays", "smoothing"]);
      assert.match(found.differences[0]!.reason, /y_true \(4 of 4 entries differ, by at most 1\)/);
      assert.ok(found.differences[0]!.share! > 0.99);
      assert.ok(Math.abs(total(found) - 1) < 1e-9);
    });

    it("arrays of other shapes says which", () => {
      const found = pair("compare(dice(t, p), dice(t[None], p[None]))");
      assert.equal(found.equal, "cannot be decided");
      assert.match(found.sentence, /y_pred, \(4,\) and y_pred, \(1, 4\).*in the same shape/);
    });
  });
});
