import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../../src/python/parser.node.ts";
import { PythonProgram, type Trace } from "../../../../src/python/program.ts";
import { narrowerOf } from "../../../../src/session/autograd/narrower.ts";
import { filesWith } from "../../../../src/session/files.node.ts";
import { SessionHost } from "../../../../src/session/host.ts";
import { ModuleFinder } from "../../../../src/session/modules.node.ts";
import { performTrace } from "../../../../src/session/precision.ts";
import { RUNGS } from "../../../../src/numbers/precision/rungs.ts";

const LOSSES = `import torch
from torch import nn

def plain(p, t):
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum() + 0.1)

def cast(p, t):
    total = p.sum() + t.sum()
    return 1 - 2 * (p.float() * t).sum() / total

def logged(p, t):
    print(p.float().sum())
    return plain(p, t)

def mask(p, t):
    return plain(p, (t > 0.5).float())

def weighted(p, t):
    return (torch.tensor([0.3, 0.7, 0.1]) * (p - t) ** 2).sum()

class Smooth(nn.Module):
    def __init__(self, smooth=torch.tensor(0.1)):
        super().__init__()
        self.register_buffer("smooth", smooth)
    def forward(self, p, t):
        total = p.sum() + t.sum()
        return total * self.smooth

smooth = Smooth()
double = Smooth(torch.tensor(0.1, dtype=torch.float64))
half = Smooth(torch.tensor(0.1, dtype=torch.float16))
p = torch.tensor([0.2, 0.9, 0.4], dtype=torch.float64)
t = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
`;

describe("where a loss computes in a coarser type than its arrays have", () => {
  let program: PythonProgram;
  let host: SessionHost;

  before(async () => {
    const files = filesWith(new ModuleFinder([]));
    host = new SessionHost(
      files,
      "/",
      () => undefined,
      () => false,
    );
    program = new PythonProgram(await loadParserFromDisk(), host, { file: "/losses.py" });
    program.load(LOSSES, "/losses.py");
  });

  const traced = (loss: string): Trace =>
    program.tapeOfCall(program.callOf(`${loss}(p, t)`)!, (x) => x.dtype);

  /** The type, and the text of its line. */
  function narrower(loss: string, type: "float64" | "float32" = "float64"): string | null {
    const found = narrowerOf(traced(loss).tape!, type);
    return found === null
      ? null
      : `${found.type}: ${LOSSES.split("\n")[found.span.line - 1]!.trim()}`;
  }

  it("is the first line of the coarsest type", () => {
    assert.equal(narrower("cast"), "float32: return 1 - 2 * (p.float() * t).sum() / total");
    assert.equal(
      narrower("weighted"),
      "float32: return (torch.tensor([0.3, 0.7, 0.1]) * (p - t) ** 2).sum()",
    );
  });

  it("is where a number of a module is used that is held in that type", () => {
    assert.equal(narrower("smooth"), "float32: return total * self.smooth");
    assert.equal(narrower("half"), "float16: return total * self.smooth");
    assert.equal(narrower("double"), null);
  });

  it("is nowhere in what the loss does not depend on, or in masks", () => {
    assert.equal(narrower("plain"), null);
    assert.equal(narrower("logged"), null);
    assert.equal(narrower("mask"), null);
  });

  it("is not where the arrays are as coarse", () => {
    assert.equal(narrower("cast", "float32"), null);
    assert.equal(narrower("half", "float32"), "float16: return total * self.smooth");
  });

  it("is performed as such: a number of a module is rounded to its type", () => {
    const [float64] = RUNGS;
    const value = (loss: string): number =>
      performTrace(traced(loss), host, float64!).result.data[0]!;
    const total = 0.2 + 0.9 + 0.4 + 1;
    assert.equal(value("smooth"), total * Math.fround(0.1));
    assert.equal(value("double"), total * 0.1);
  });
});
