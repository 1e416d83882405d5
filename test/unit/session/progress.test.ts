import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellOutput } from "../../../src/session/protocol.ts";

const CODE = `import torch
def dice(logits, target, smooth=1e-5):
    p = torch.sigmoid(logits)
    inter = (p * target).sum()
    return 1 - (2 * inter + smooth) / (p.sum() + target.sum() + smooth)
z = torch.tensor([[0.3, -1.2, 2.0], [0.5, 0.1, -3.0]])
t = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])`;

/** What is told while a cell runs, and what it makes. */
interface Told {
  readonly progress: readonly { readonly fraction: number | null; readonly what: string }[];
  readonly outputs: readonly CellOutput[];
}

describe("what long commands tell of themselves", () => {
  let session: NotebookSession;

  before(async () => {
    session = new NotebookSession(
      await loadParserFromDisk(),
      filesWith(new ModuleFinder([])),
      "/nowhere",
    );
    run(CODE);
  });

  /** @param until the step that is told when the run is cancelled */
  function run(source: string, until?: string): Told {
    const progress: Told["progress"][number][] = [];
    const outputs: CellOutput[] = [];
    const watch = {
      onProgress: (fraction: number | null, what: string) => progress.push({ fraction, what }),
      isCancelled: () => until !== undefined && progress.at(-1)?.what === until,
    };
    session.execute({ language: "python", source, file: "Cell" }, (o) => outputs.push(o), watch);
    return { progress, outputs };
  }

  function stepsOf({ progress }: Told): string[] {
    return [...new Set(progress.map((p) => p.what))];
  }

  const STEPS = {
    "explain(dice(z, t))": [
      "explaining: the gradient as it is",
      "explaining: the order in which a mask shrinks",
      "explaining: one foreground entry moved",
      "explaining: one background entry moved",
      "explaining: all predictions moved",
      "explaining: all moved toward the target",
      "explaining: a smaller mask",
      "explaining: a smaller mask, predicted as well",
      "explaining: the limits at the ends",
      "explaining: claims",
    ],
    "precision(dice(z, t), autocast=True)": [
      "performing in float64",
      "performing in float32",
      "performing in bfloat16",
      "performing in float16",
      "performing in autocast-bfloat16",
      "performing in autocast-float16",
    ],
  };

  for (const [source, steps] of Object.entries(STEPS)) {
    it(`which step they are at, and how far: ${source}`, () => {
      const told = run(source);
      assert.deepEqual(
        stepsOf(told).filter((what) => /^(explaining|performing)/.test(what)),
        steps,
      );
      const fractions = told.progress
        .filter(({ what }) => steps.includes(what))
        .map(({ fraction }) => fraction!);
      assert.deepEqual(
        fractions,
        fractions.toSorted((p, q) => p - q),
        "it never falls back",
      );
      const gaps = [...fractions, 1].map((f, k) => f - (fractions[k - 1] ?? 0));
      assert.ok(Math.max(...gaps) < 0.1, `it jumps by ${Math.max(...gaps)}`);
      assert.ok(fractions[0] === 0 && fractions.at(-1)! <= 1);
    });

    it(`and end in whichever step they are cancelled: ${source}`, () => {
      for (const step of ["evaluating", "checking", ...steps]) {
        const told = run(source, step);
        const [only] = told.outputs;
        assert.ok(only?.kind === "failure" && told.outputs.length === 1, step);
        assert.equal(only.failure.name, "Interrupted", only.failure.message);
        assert.equal(stepsOf(told).at(-1), step, "nothing goes on after it was said");
      }
    });
  }
});
