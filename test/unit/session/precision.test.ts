import assert from "node:assert/strict";
import { join } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { toMarkdown, toPlain } from "../../../src/report/plain.ts";
import { toHtml } from "../../../src/report/html.ts";
import type { Comparison, Precision, Report } from "../../../src/report/schema.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellOutput } from "../../../src/session/protocol.ts";

const DICE = `import torch
def dice(logits, target, eps=1e-8):
    p = torch.sigmoid(logits)
    inter = (p * target).sum()
    total = p.sum() + target.sum()
    return 1 - (2 * inter + eps) / (total + eps)
z = torch.tensor([[0.3, -1.2, 2.0], [0.5, 0.1, -3.0]])
t = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])`;

describe("precision(…)", () => {
  let session: NotebookSession;

  beforeEach(async () => {
    session = new NotebookSession(
      await loadParserFromDisk(),
      filesWith(new ModuleFinder([])),
      join(root, "media/example"),
    );
  });

  function run(source: string): CellOutput {
    const outputs: CellOutput[] = [];
    const watch = { onProgress: () => undefined, isCancelled: () => false };
    session.execute({ language: "python", source, file: "Cell" }, (o) => outputs.push(o), watch);
    return outputs.at(-1)!;
  }

  function report(source: string): Report {
    const output = run(source);
    assert.ok(output.kind === "report", JSON.stringify(output));
    return output.drawn.report as Report;
  }

  function precision(source: string): Precision {
    const found = report(source).precision;
    assert.ok(found !== undefined);
    return found;
  }

  it("performs a loss in four number types, each less exact than the one before", () => {
    const { rungs } = precision(`${DICE}\nprecision(dice(z, t))`);
    assert.deepEqual(
      rungs.map((r) => [r.name, r.verdict]),
      [
        ["float64", "reference"],
        ["float32", "fine"],
        ["bfloat16", "fine"],
        ["float16", "fine"],
      ],
    );
    const errors = rungs.map((r) => r.gradientError!);
    assert.ok(errors[0]! < 1e-14 && errors[1]! < 1e-6 && errors[2]! < 0.02 && errors[3]! < 0.003);
  });

  describe("of a NumPy loss", () => {
    const NUMPY = `import numpy as np
def dice(p, t, eps=1e-7):
    inter = np.sum(p * t, axis=(0, 1))
    card = np.sum(p, axis=(0, 1)) + np.sum(t, axis=(0, 1))
    return 1 - np.mean((2 * inter + eps) / (card + eps))
p = np.ones((60, 60, 2))
t = np.ones((60, 60, 2))`;

    it("performs it in the types that NumPy has", () => {
      const { as, rungs } = precision(`${NUMPY}\nprecision(dice(p[:2], t[:2]))`);
      assert.deepEqual(
        rungs.map((r) => [r.name, r.verdict]),
        [
          ["float64", "reference"],
          ["float32", "fine"],
          ["float16", "fine"],
        ],
      );
      assert.equal(as, "NumPy, with the derived gradient in the same types");
    });

    it("says where a sum over the leading axes stops counting, with NumPy's own fix", () => {
      const { findings } = precision(`${NUMPY}\nprecision(dice(p, t))`);
      const stopped = findings.find((f) => f.id === "accumulation")!;
      assert.equal(
        stopped.sentence,
        "adding 3,600 numbers in float16 one after the other stops at 2,048, where the numbers of " +
          "float16 are 2 apart, so that adding what is left changes nothing; the sum is 3,600",
      );
      assert.deepEqual(stopped.lines, [3, 4]);
      assert.equal(stopped.fix, "Add in float64: x.sum(dtype=np.float64), then convert the sum.");
      // Along the trailing axes NumPy adds in pairs, and nothing stops.
      const trailing = NUMPY.replaceAll("axis=(0, 1)", "axis=(1, 2)").replaceAll(
        "60, 60, 2",
        "2, 60, 60",
      );
      const pairs = precision(`${trailing}\nprecision(dice(p, t))`);
      assert.deepEqual(
        pairs.findings.filter((f) => f.id === "accumulation"),
        [],
      );
    });

    it("has no autocast, and says so", () => {
      const output = run(`${NUMPY}\nprecision(dice(p, t), autocast=True)`);
      assert.ok(output.kind === "failure", JSON.stringify(output));
      assert.match(
        output.failure.message,
        /^autocast is PyTorch's, and dice is written with NumPy/,
      );
      assert.equal(output.failure.remedy, "Leave autocast out.");
    });
  });

  it("adds autocast where it is asked for", () => {
    const { rungs } = precision(`${DICE}\nprecision(dice(z, t), autocast=True)`);
    assert.deepEqual(
      rungs.slice(4).map((r) => r.name),
      ["autocast bfloat16", "autocast float16"],
    );
  });

  it("has the types of a GPU's autocast, which adds in float32, and says whose autocast it is", () => {
    const losses = `import torch
import torch.nn.functional as F
def total(p, t):
    return (p * t).sum() / (p * p).sum()
def entropy(p, t):
    return F.binary_cross_entropy(p, t)
p = torch.full((70000,), 0.9965)
t = torch.ones(70000)`;
    const named = (code: string): Map<string, string> =>
      new Map(precision(`${losses}\n${code}`).rungs.map((r) => [r.name, r.verdict]));
    assert.equal(named("precision(total(p, t), autocast=True)").get("autocast float16"), "wrong");
    const onCuda = named('precision(total(p, t), autocast="cuda")');
    assert.deepEqual(
      ["float16", "CUDA autocast bfloat16", "CUDA autocast float16"].map((n) => onCuda.get(n)),
      ["not-a-number", "fine", "fine"],
    );
    const { rungs, findings } = precision(`${losses}\nprecision(entropy(p, t), autocast="cuda")`);
    const refused = rungs.at(-1)!;
    assert.equal(refused.verdict, "refused");
    const [why] = findings;
    assert.deepEqual([why!.id, why!.lines], ["refused", [6]]);
    assert.deepEqual(why!.rungs, ["CUDA autocast bfloat16", "CUDA autocast float16"]);
    assert.match(why!.fix!, /binary_cross_entropy_with_logits/);
    assert.match(
      refused.sentence,
      /^PyTorch refuses binary_cross_entropy \(BCELoss\) below CUDA's/,
    );
    const { notes } = precision(`${losses}\nprecision(total(p, t), autocast=True)`);
    assert.ok(notes.some((n) => n.includes('as autocast="cuda" shows')));
    const other = run(`${losses}\nprecision(total(p, t), autocast="tpu")`);
    assert.ok(other.kind === "failure");
    assert.match(other.failure.message, /^autocast is True for the CPU's, or "cuda"/);
  });

  it("says that an epsilon is zero in float16 and absorbed in float32, with its line", () => {
    const { findings } = precision(`${DICE}\nprecision(dice(z, t))`);
    const zero = findings.find((f) => f.id === "epsilon-zero");
    assert.deepEqual(zero?.rungs, ["float16"]);
    assert.match(zero.sentence, /^1e-8 is zero in float16/);
    assert.deepEqual(zero.lines, [6]);
    assert.match(zero.fix!, /1e-4/);
    const absorbed = findings.filter((f) => f.id === "absorbed");
    assert.ok(absorbed.some((f) => f.rungs.includes("float32")));
  });

  it("finds the sum that overflows in float16, and says that the gradient is NaN", () => {
    const large = "torch.ones(300, 300)";
    const { rungs, findings } = precision(`${DICE}\nprecision(dice(3 * ${large}, ${large}))`);
    const half = rungs.find((r) => r.name === "float16");
    assert.equal(half?.verdict, "not-a-number");
    assert.equal(half.notFinite, 90_000);
    const [first] = findings;
    assert.equal(first?.id, "overflow");
    assert.match(first.sentence, /the sum is 85,\d{3}, and float16 ends at 65,504/);
    assert.match(first.sentence, /the gradient is NaN/);
    assert.match(first.fix!, /torch\.float32/);
  });

  it("tells entries that are too small from those of operations that gave 0", () => {
    const lost = (body: string, type: string) => {
      const code = `import torch\ndef loss(z):\n    return ${body}\nz = torch.full((40,), 12.0)`;
      const { findings } = precision(`${code}\nprecision(loss(z))`);
      return findings.find((f) => f.id === "underflow" && f.rungs.includes(type));
    };
    // Scaling the loss brings these back, and .float() within it does not.
    const small = lost("z.sum() * 1e-9", "float16");
    assert.match(small!.sentence, /^40 of 40 .*: they are below 5\.9605e-8/);
    assert.match(small!.fix!, /GradScaler; or give the loss a prediction that is float32/);
    // The other way round: 1 - p is 0 in bfloat16, which has numbers far below p(1 - p).
    const zero = lost("torch.sigmoid(z).sum()", "bfloat16");
    assert.match(zero!.sentence, /: they come of operations that gave 0 in this type$/);
    assert.equal(zero!.fix, "Compute the loss in float32: loss(x.float(), t.float()).");
  });

  it("stays silent about overflow where the code sums in float32", () => {
    const code = DICE.replace("torch.sigmoid(logits)", "torch.sigmoid(logits.float())");
    const large = "torch.ones(300, 300)";
    const cast = code.replaceAll("target.sum()", "target.sum(dtype=torch.float32)");
    const { findings } = precision(`${cast}\nprecision(dice(3 * ${large}, ${large}))`);
    assert.ok(findings.every((f) => f.id !== "overflow"));
  });

  it("says when a bound of a clamp is exactly 1", () => {
    const code = DICE.replace("torch.sigmoid(logits)", "torch.sigmoid(logits).clamp(0, 1 - 1e-7)");
    const { findings } = precision(`${code}\nprecision(dice(z, t))`);
    const gone = findings.filter((f) => f.id === "guard-gone");
    assert.match(gone[0]!.sentence, /^0\.9999999 is exactly 1 in (bfloat16|float16)/);
  });

  it("is drawn as text, Markdown and HTML", () => {
    const made = report(`${DICE}\nprecision(dice(z, t))`);
    for (const text of [toPlain(made), toMarkdown(made), toHtml(made)]) {
      assert.match(text, /bfloat16/);
      assert.match(text, /1e-8 is zero in float16/);
    }
  });

  it("refuses arrays of other libraries with what to do", () => {
    const output = run(
      "import tensorflow as tf\ndef f(p, t):\n    return 1 - tf.reduce_sum(p * t)\n" +
        "precision(f(tf.constant([0.5, 0.25]), tf.constant([1.0, 0.0])))",
    );
    assert.ok(output.kind === "failure");
    assert.match(
      output.failure.message,
      /PyTorch's operations or NumPy's, and p is an array of tens/,
    );
    assert.match(output.failure.remedy!, /PyTorch's tensors or NumPy's arrays/);
  });

  it("refuses what would take more memory than it may, with what to do", () => {
    const long = `import torch
def chain(p):
    for _ in range(20):
        p = p * 0.5 + 0.1
    return p.sum()`;
    const output = run(`${long}\nprecision(chain(torch.zeros(2000, 2000)))`);
    assert.ok(output.kind === "failure", JSON.stringify(output));
    assert.match(output.failure.message, /^performing chain on 4,000,000 entries.* takes 4 GB/);
    assert.match(output.failure.remedy!, /Give a part of the arrays/);
  });

  it("joins the reasons of a comparison where the arrays themselves are half precision", () => {
    const plain = DICE.replace("def dice", "def other").replace("1 - (2", "1 - 0.5 * (2");
    const cell = `${DICE}\n${plain}\nx, y = (3 * torch.ones(300, 300)).half(), torch.ones(300, 300).half()`;
    const output = run(`${cell}\ncompare(dice(x, y), other(x, y))`);
    assert.ok(output.kind === "report", JSON.stringify(output));
    const { pairs } = output.drawn.report as Comparison;
    const reason = pairs[0]!.differences.find((d) => d.id === "precision");
    assert.match(reason!.reason, /the arrays of dice are float16: the whole gradient is NaN/);
    assert.match(reason!.fix!, /float32/);
  });
});
