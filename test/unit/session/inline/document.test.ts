import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../../src/python/parser.node.ts";
import type { PythonParser } from "../../../../src/python/parser.ts";
import { filesFor } from "../../../../src/session/files.node.ts";
import type { Files } from "../../../../src/session/files.ts";
import { InlineDocument } from "../../../../src/session/inline/document.ts";
import type { Derived, Part } from "../../../../src/session/inline/protocol.ts";

const WATCH = { onProgress: () => undefined, isCancelled: () => false };

const DICE = `import numpy as np

EPS = 1e-7

def overlap(a, b):
    return np.sum(a * b)

def dice_loss(y_true, y_pred):
    return 1 - (2 * overlap(y_true, y_pred) + EPS) / (np.sum(y_true) + np.sum(y_pred) + EPS)

def squared_dice(y_true, y_pred):
    return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true**2) + np.sum(y_pred**2))
`;

describe("the losses of a document that is being edited", () => {
  let parser: PythonParser;
  before(async () => {
    parser = await loadParserFromDisk();
  });

  /** A document with memory of which texts were in it, and of what had to be derived. */
  function opened(files: Files = filesFor()): {
    readonly document: InlineDocument;
    readonly show: (...cells: string[]) => string[];
    readonly derive: (name: string) => Derived;
  } {
    const document = new InlineDocument(parser, files, "/nowhere");
    return {
      document,
      show: (...cells) => {
        const parts = cells.map((text, k) => ({ file: `part${String(k)}.py`, text }));
        return document.update(parts, {}).map((c) => c.name);
      },
      derive: (name) => document.derive(name, WATCH),
    };
  }

  function gradient(d: Derived): string {
    assert.equal(d.kind, "derived", d.kind === "failed" ? d.failure.message : "");
    return d.report.gradient.text;
  }

  function failure(d: Derived): string {
    assert.equal(d.kind, "failed");
    return `${d.failure.message} at line ${String(d.failure.line)}`;
  }

  it("says what is wrong with a gradient written by hand, until a comment silences it", () => {
    const text = (remark: string): string => `import numpy as np

def dice_loss(y_true, y_pred):
    return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true) + np.sum(y_pred))

def dice_loss_grad(y_true, y_pred):
    return -2 * y_true / (np.sum(y_true) + np.sum(y_pred))${remark}
`;
    const { show, derive } = opened();
    const codes = (): string[] => {
      const derived = derive("dice_loss");
      assert.ok(derived.kind === "derived");
      return derived.report.diagnostics.map((d) => d.code);
    };
    show(text(""));
    assert.ok(codes().includes("DG015"));
    show(text("  # dice-gradient: ignore[DG015]"));
    assert.ok(!codes().includes("DG015"));
  });

  it("finds functions of two arrays and classes that compute a loss, and no other", () => {
    const { show } = opened();
    const names = show(`
import torch
from torch import nn

def to_device(batch): return batch
def dice_score(pred, target): return pred.sum()
def train(model, epochs: int): pass
def test_dice_loss(a, b): pass
def plot_loss(history, axis): pass
class UNet(nn.Module):
    def forward(self, x): return x
class DiceLoss(nn.Module):
    def forward(self, logits, target): return (logits * target).sum()
`);
    assert.deepEqual(names, ["dice_score", "DiceLoss"]);
  });

  it("derives a loss through its helpers and constants", () => {
    const { show, derive } = opened();
    show(DICE);
    assert.match(gradient(derive("dice_loss")), /^∂L\/∂ŷ\[i\] = /);
  });

  it("tells a loss from a function that returns an array", () => {
    const { show, derive } = opened();
    show(`${DICE}\ndef blend(first, second):\n    return 0.5 * first + 0.5 * second\n`);
    const [loss, blend] = ["dice_loss", "blend"].map(derive);
    assert.equal(loss?.kind === "derived" && loss.isLoss, true);
    assert.equal(blend?.kind === "derived" && blend.isLoss, false);
  });

  it("keeps a derivation while another function changes", () => {
    const { document, show, derive } = opened();
    show(DICE);
    const [dice, squared] = ["dice_loss", "squared_dice"].map(derive);
    show(DICE.replace("y_pred**2", "y_pred**4"));
    assert.equal(document.known("dice_loss"), dice);
    assert.equal(document.known("squared_dice"), null);
    assert.notEqual(gradient(derive("squared_dice")), gradient(squared!));
  });

  it("forgets a derivation when a helper, a constant or a setting elsewhere changes", () => {
    const changes: [string, string][] = [
      ["np.sum(a * b)", "np.sum(a * b * b)"],
      ["EPS = 1e-7", "EPS = 1.0"],
      ["EPS = 1e-7\n", "EPS = 1e-7\nEPS += 1\n"],
      ["import numpy as np", "import math as np"],
    ];
    for (const [before, after] of changes) {
      const { document, show, derive } = opened();
      show(DICE);
      derive("dice_loss");
      show(DICE.replace(before, after));
      assert.equal(document.known("dice_loss"), null, after);
    }
  });

  it("moves line numbers with the code instead of deriving it again", () => {
    const { document, show, derive } = opened();
    show(DICE);
    const before = derive("dice_loss");
    show(DICE.replace("EPS =", "# a remark\n\n\nEPS ="));
    const now = document.known("dice_loss");
    assert.ok(before.kind === "derived" && now?.kind === "derived");
    assert.equal(now.report.function.line, before.report.function.line + 3);
    const lines = (d: typeof before): number[] =>
      d.report.gradient.steps.flatMap((s) => s.lines ?? []);
    assert.deepEqual(
      lines(now),
      lines(before).map((l) => l + 3),
    );
  });

  it("reads the rest of a file in which a statement is broken", () => {
    const { show, derive } = opened();
    for (const broken of [
      "def half(",
      "x = [1, 2",
      'text = """never closed',
      "if True\n    y = 1",
    ]) {
      assert.deepEqual(
        show(`${broken}\n\n${DICE}`),
        ["overlap", "dice_loss", "squared_dice"],
        broken,
      );
      gradient(derive("dice_loss"));
    }
  });

  it("says at which line a loss cannot be traced", () => {
    const { show, derive } = opened();
    show(`def dice_loss(y_true, y_pred):\n    async def f(): pass\n    return await f()\n`);
    assert.match(failure(derive("dice_loss")), /`await`.* at line 3$/);
  });

  it("takes a notebook's cells for one program", () => {
    const { show, derive } = opened();
    show(
      "import numpy as np",
      "def dice_loss(y_true, y_pred):\n    return 1 - np.sum(y_true * y_pred)",
    );
    assert.equal(gradient(derive("dice_loss")), "∂L/∂ŷ[i] = −y[i]");
  });

  it("takes from a notebook what defines a loss, not the cells that only show something", () => {
    const { document, derive } = opened();
    const cell = (k: number, text: string): Part => ({ file: `Cell ${String(k)}`, text });
    document.update(
      [
        cell(1, "import numpy as np\nSCALE = 3"),
        cell(2, "volume = np.load('volume.npz')\nvolume['mask'].shape"),
        cell(3, "def dice_loss(y_true, y_pred):\n    return 1 - SCALE * np.sum(y_true * y_pred)"),
        cell(4, "dice_loss(volume['mask'], volume['probability'])"),
      ],
      {},
    );
    const result = derive("dice_loss");
    assert.ok(result.kind === "derived");
    assert.deepEqual(result.files, ["Cell 1", "Cell 3"]);
    assert.doesNotMatch(result.code, /volume/);
  });

  it("gives the places where a loss is used, not those where its name means something else", () => {
    const { document } = opened();
    const [dice] = document.update(
      [
        {
          file: "a.py",
          text:
            "def dice_loss(p, g): return (p * g).sum()\n" +
            "def step(p, g): return dice_loss(p, g)  # dice_loss\n" +
            "def other(dice_loss): return dice_loss + 'dice_loss'\n" +
            "best = min([dice_loss])\n",
        },
      ],
      {},
    );
    assert.deepEqual(
      dice?.uses.map((u) => [u.line, u.column]),
      [
        [2, 24],
        [4, 13],
      ],
    );
  });

  it("follows a helper in another file, and its changes", () => {
    let helper = "def total(a):\n    return a.sum()\n";
    const files: Files = {
      ...filesFor(),
      readModule: (name) => (name === "helper" ? { file: "helper.py", text: helper } : null),
    };
    const { document, show, derive } = opened(files);
    const source =
      "from helper import total\ndef dice_loss(y_true, y_pred):\n    return 1 - total(y_true * y_pred)\n";
    show(source);
    assert.equal(gradient(derive("dice_loss")), "∂L/∂ŷ[i] = −y[i]");
    helper = helper.replace("a.sum()", "3 * a.sum()");
    show(source);
    assert.equal(document.known("dice_loss"), null);
    assert.equal(gradient(derive("dice_loss")), "∂L/∂ŷ[i] = −3·y[i]");
  });

  it("assumes what a class has to be told, and says so", () => {
    const { document, derive } = opened();
    const text = `
class DiceLoss:
    def __init__(self, n_classes, smooth):
        self.n_classes = n_classes
        self.smooth = smooth

    def forward(self, inputs, target):
        loss = 0.0
        for i in range(self.n_classes):
            loss += self.smooth - (inputs[:, i] * target[:, i]).sum()
        return loss / self.n_classes
`;
    const [dice] = document.update([{ file: "a.py", text }], {});
    assert.deepEqual(dice?.settings, ["n_classes", "smooth"]);
    const result = derive("DiceLoss");
    assert.ok(result.kind === "derived");
    assert.ok(result.report.assumptions.includes("n_classes is taken to be 3"));
    assert.ok(result.report.symbols.some((s) => s.name === "smooth"));
  });

  it("offers losses that are imported, at the import and where they are used", () => {
    const files: Files = {
      ...filesFor(),
      readModule: (name) => (name === "losses" ? { file: "losses.py", text: DICE } : null),
    };
    const { document, derive } = opened(files);
    const text = "from losses import dice_loss as criterion, EPS\n\nbest = criterion\n";
    const [imported, ...others] = document.update([{ file: "train.py", text }], {});
    assert.deepEqual(others, []);
    assert.deepEqual([imported?.kind, imported?.place.column], ["imported", 33]);
    assert.deepEqual(imported?.uses, [{ part: 0, line: 3, column: 8 }]);
    gradient(derive("criterion"));
  });

  it("takes the shapes that are set, and says so", () => {
    const { document, derive } = opened();
    const shapes = { dice_loss: { y_true: "2,3", y_pred: "2, 3" } };
    document.update([{ file: "a.py", text: DICE }], shapes);
    const result = derive("dice_loss");
    assert.ok(result.kind === "derived");
    assert.deepEqual(result.report.gradient.shape, [2, 3]);
    assert.deepEqual(result.report.assumptions, [
      "y_true is taken to be (2, 3): as you set it",
      "y_pred is taken to be (2, 3): as you set it",
    ]);
  });

  it("leaves a shape aside whose parameter has been renamed since, and says so", () => {
    const { document, derive } = opened();
    document.update([{ file: "a.py", text: DICE }], {
      dice_loss: { y_true: "2,3", output: "2,3" },
    });
    const result = derive("dice_loss");
    assert.ok(result.kind === "derived");
    assert.deepEqual(result.report.gradient.shape, [2, 3]);
    assert.ok(
      result.report.assumptions.includes(
        "the shape set for output is left aside: dice_loss has no parameter of that name",
      ),
    );
  });

  it("tells what the rules find on a way that values decide, at its line as the text changes", () => {
    const { show, derive } = opened();
    const loss = `
import torch
def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    if y_pred.max() > 0.99:
        return y_pred.mean()
    return 1 - 2 * (y_pred * y_true).sum() / (y_pred.sum() + y_true.sum())
`;
    show(loss);
    const places = (d: Derived): string[] => {
      assert.equal(d.kind, "failed");
      return d.findings.map((f) => `${f.code} ${f.location!.line}`);
    };
    assert.deepEqual(places(derive("dice_loss")), ["DG017 4", "DG001 6"]);
    show(`# A comment above.\n${loss}`);
    assert.deepEqual(places(derive("dice_loss")), ["DG017 5", "DG001 7"]);
  });
});
