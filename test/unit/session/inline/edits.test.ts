import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../../src/python/parser.node.ts";
import type { PythonParser } from "../../../../src/python/parser.ts";
import { filesFor } from "../../../../src/session/files.node.ts";
import { InlineDocument } from "../../../../src/session/inline/document.ts";
import { uniform } from "../../gradient/data.ts";

const WATCH = { onProgress: () => undefined, isCancelled: () => false };

/** Losses that share helpers and constants, each with a finding or near to one. */
const FILE = `import torch
from torch import nn

EPS = 1e-6
SMOOTH = 1.0

def flat(x):
    return x.reshape(-1)

def overlap(a, b):
    a, b = flat(a), flat(b)
    return (a * b).sum()

def dice_loss(y_pred, y_true):
    total = y_pred.sum() + y_true.sum()
    return 1 - 2 * overlap(y_pred, y_true) / total

# the same with smoothing
def smooth_dice_loss(y_pred, y_true):
    total = y_pred.sum() + y_true.sum() + SMOOTH
    return 1 - (2 * overlap(y_pred, y_true) + SMOOTH) / (total + EPS)

def hard_dice_loss(y_pred, y_true):
    mask = (y_pred > 0.5).float()
    return 1 - (2 * overlap(mask, y_true) + SMOOTH) / (mask.sum() + y_true.sum() + SMOOTH)

class DiceLoss(nn.Module):
    def __init__(self, smooth=SMOOTH):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, target):
        p = torch.sigmoid(logits)
        p = torch.sigmoid(p)
        total = p.sum() + target.sum()
        return 1 - (2 * overlap(p, target) + self.smooth) / (total + self.smooth)

class HalfDiceLoss(DiceLoss):
    def forward(self, logits, target):
        return super().forward(logits.half(), target.half())
`;

/** Changes as people make them; the text after each may be broken. */
const CHANGES: readonly (readonly [RegExp, string])[] = [
  [/SMOOTH = [\d.e-]+/, "SMOOTH = 0.0"],
  [/SMOOTH = [\d.e-]+/, "SMOOTH = 1e-9"],
  [/SMOOTH = [\d.e-]+/, "SMOOTH = 100.0"],
  [/EPS = [\d.e-]+/, "EPS = 1e-3"],
  [/return x.reshape\(-1\)/, "return x.detach().reshape(-1)"],
  [/return x.reshape\(-1\)/, "return (x > 0.5).float().reshape(-1)"],
  [/return x.detach\(\).reshape\(-1\)/, "return x.reshape(-1)"],
  [/def flat/, "def flatten"],
  [/def flatten/, "def flat"],
  [/\n\ndef overlap/, "\n# a remark\n\n\ndef overlap"],
  [/# a remark\n\n\n/, ""],
  [/ {8}p = torch.sigmoid\(p\)\n/, ""],
  [/total = p.sum\(\)/, "p[target == 255] = 0\n        total = p.sum()"],
  [/mask = .*/, "mask = (y_pred > 0.5).float()  # dice-gradient: ignore[DG008]"],
  [/mask = .*/, "mask = (y_pred > 0.5).float()"],
  [/mask = .*/, "mask = (y_pred >"],
  [/# the same with smoothing/, "# dice-gradient: ignore"],
  [/# dice-gradient: ignore\n/, "# the same with smoothing\n"],
  [/class HalfDiceLoss\(DiceLoss\)/, "class HalfDiceLoss(nn.Module)"],
  [/class HalfDiceLoss\(nn.Module\)/, "class HalfDiceLoss(DiceLoss)"],
  [/import torch\n/, "import torch\nimport numpy as np\n"],
  [/import numpy as np\n/, ""],
  [/\n$/, "\nDiceLoss.forward = HalfDiceLoss.forward\n"],
  [/DiceLoss.forward = HalfDiceLoss.forward\n/, ""],
  [/\n$/, "\ndef overlap(a, b):\n    return (a * b).mean()\n"],
];

describe("after each of many edits", () => {
  let parser: PythonParser;
  let other: PythonParser;
  before(async () => {
    [parser, other] = [await loadParserFromDisk(), await loadParserFromDisk()];
  });

  function all(document: InlineDocument, text: string): unknown {
    const candidates = document.update([{ file: "losses.py", text }], {});
    return candidates.map((c) => [c, document.derive(c.name, WATCH)]);
  }

  it("what is said of a file's losses is what is said of a file that is opened then", () => {
    const random = uniform(1);
    const edited = new InlineDocument(parser, filesFor(), "/nowhere");
    let text = FILE;
    const said = new Set<string>();
    for (let k = 0; k < 60; k++) {
      const [from, to] = CHANGES[Math.floor(random() * CHANGES.length)]!;
      const next = text.replace(from, to);
      if (next === text) continue;
      text = next.split("\n").length > 90 ? FILE : next;
      const now = all(edited, text);
      other.parse("", "losses.py");
      const fresh = all(new InlineDocument(other, filesFor(), "/nowhere"), text);
      assert.deepEqual(now, fresh, text);
      for (const [code] of JSON.stringify(now).matchAll(/DG\d{3}/g)) said.add(code);
    }
    assert.ok(said.size >= 5, [...said].join(", "));
  });
});
