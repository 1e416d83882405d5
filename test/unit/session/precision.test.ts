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

  it("adds autocast where it is asked for", () => {
    const { rungs } = precision(`${DICE}\nprecision(dice(z, t), autocast=True)`);
    assert.deepEqual(
      rungs.slice(4).map((r) => r.name),
      ["autocast bfloat16", "autocast float16"],
    );
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

  it("refuses arrays of NumPy with what to do", () => {
    const output = run(
      "import numpy as np\ndef f(p, t):\n    return 1 - np.sum(p * t)\n" +
        "precision(f(np.array([0.5, 0.25]), np.array([1.0, 0.0])))",
    );
    assert.ok(output.kind === "failure");
    assert.match(output.failure.message, /PyTorch's operations/);
    assert.match(output.failure.remedy!, /torch\.tensor/);
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
