import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import type { PythonParser } from "../../../src/python/parser.ts";
import type { Code } from "../../../src/python/syntax.ts";
import { parseTolerantly } from "../../../src/python/tolerant.ts";
import { uniform } from "../gradient/data.ts";

const FILE = `"""Losses."""
import torch
from torch import nn  # layers
# a remark between

EPS = 1e-6; SMOOTH = 1.0
WEIGHTS = {
    "a": [1, 2, 3],
    # inside
    "b": (4, 5),
}


@torch.jit.script
def overlap(a, b,
            axis=None):
    """Text with def in it:
def nothing(): pass
"""
    return (a * b).sum(axis) + \\
        0.0


if SMOOTH:
    def smooth(x):
        return x + SMOOTH
elif EPS:
    smooth = lambda x: x
else:
    raise ValueError(f"{EPS=} {'a' if EPS else 'b'}")

try:
    import numpy as np
except ImportError:
    np = None
finally:
    pass


class Dice(nn.Module):
    weight: float = 1.0

    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, p, t):
        for c in range(3):
            if c == 1:
                continue
        total = p.sum() + t.sum()  # dice
        return 1 - (2 * overlap(p, t) + self.smooth) / (total + self.smooth)

%matplotlib inline
for k in range(3): print(k)
match EPS:
    case 0: pass
    case _: pass
x = y = 1
`;

const PIECES = ["(", ")", ":", "\n", "\n\n", '"', "'''", "#", " ", "    ", "@", "x", ".", "=", "1"];
PIECES.push(
  "def f(a):\n    return a\n",
  "else:\n    pass\n",
  "return 1\n",
  "é",
  "\\\n",
  "\r\n",
  "# é\n",
);

/** One change as people make them: a piece in or out, a line twice, gone, moved or indented. */
function edited(text: string, random: () => number): string {
  const below = (limit: number): number => Math.floor(random() * limit);
  const lines = text.split("\n");
  const k = below(lines.length);
  const at = below(text.length);
  switch (below(8)) {
    case 0:
    case 1:
      return text.slice(0, at) + PIECES[below(PIECES.length)]! + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + below(4));
    case 3:
      return lines.toSpliced(k, 0, lines[k]!).join("\n");
    case 4:
      return lines.toSpliced(k, 1).join("\n");
    case 5:
      return lines.toSpliced(k, 1).toSpliced(below(lines.length), 0, lines[k]!).join("\n");
    case 6:
      return lines.with(k, (below(2) === 0 ? "    " : " ") + lines[k]!).join("\n");
    default:
      return lines.toSpliced(k, 0, ["", "# remark", "EPS = 2"][below(3)]!).join("\n");
  }
}

/** All that a file's syntax says, with the bodies of functions, which are read when asked for. */
function shown(value: unknown): unknown {
  if (value instanceof Set) return [...value];
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  if ("docstring" in value && "parameters" in value && "isGenerator" in value) {
    const code = value as unknown as Code;
    try {
      return { code: [code.parameters, code.body, code.locals].map(shown) };
    } catch (e) {
      return { refused: (e as Error).message };
    }
  }
  const parts = Object.entries(value).filter(([name]) => name !== "source");
  return Object.fromEntries(parts.map(([name, part]) => [name, shown(part)]));
}

describe("a file that is being edited", () => {
  let parser: PythonParser;
  let other: PythonParser;
  before(async () => {
    [parser, other] = [await loadParserFromDisk(), await loadParserFromDisk()];
  });

  /** The syntax and the mistakes of a text. */
  function read(by: PythonParser, text: string): unknown {
    const { module, faults } = parseTolerantly(by, text, "losses.py");
    return {
      lines: module.source.lines,
      body: shown(module.body),
      faults: faults.map((f) => [f.message, f.line, f.column]),
    };
  }

  it("is read after each edit as if it had never been another", () => {
    const random = uniform(5);
    let broken = 0;
    for (let round = 0; round < 80; round++) {
      let text = FILE;
      read(parser, text);
      for (let edit = 0; edit < 3; edit++) {
        text = edited(text, random);
        const now = read(parser, text);
        // What was read before of a file of that name is of no use to the other.
        other.parse("", "losses.py");
        assert.deepEqual(now, read(other, text), text);
        if ((now as { faults: unknown[] }).faults.length > 0) broken++;
      }
    }
    assert.ok(broken > 80 && broken < 200, `${broken} of 240 texts were broken`);
  });
});
