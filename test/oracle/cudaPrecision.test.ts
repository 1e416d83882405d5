/**
 * The precision ladder against real PyTorch on CUDA, as one run there left it (cuda_precision.py).
 * A GPU adds in an order of its own: numbers are the same up to a few roundings of the lower type;
 * number types, overflows and what autocast runs in which type are the same.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { input } from "../../src/expression/build.ts";
import { TORCH } from "../../src/numbers/precision/arithmetic.ts";
import {
  type Autocast,
  RefusedByAutocast,
  autocastType,
  refuseBelow,
} from "../../src/numbers/precision/autocast.ts";
import { isHalf, valuesOf } from "../../src/numbers/precision/held.ts";
import { RUNGS, type Rung, autocastRungs } from "../../src/numbers/precision/rungs.ts";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import type { PythonParser } from "../../src/python/parser.ts";
import { root } from "../../scripts/lib/root.mjs";
import { corpusFiles } from "./corpus.ts";
import { type Case, Program, casesOf, number } from "./ladderCases.ts";

interface Ran {
  readonly loss: readonly string[];
  readonly dtype: string;
  readonly notFinite: number;
  readonly largest: string;
  /** Entries of the gradient. */
  readonly first: readonly string[];
  readonly error?: string;
}

interface Golden {
  readonly torch: string;
  readonly device: string;
  readonly functions: Readonly<Record<string, readonly [plain: string, autocast: string]>>;
  readonly cases: readonly {
    readonly file: string;
    readonly case: string;
    readonly rungs: Readonly<Record<string, Ran>>;
  }[];
}

const golden = JSON.parse(
  readFileSync(join(root, "test/golden/cuda_precision.json"), "utf8"),
) as Golden;

const ON_CUDA: readonly Rung[] = [
  ...RUNGS.filter((r) => isHalf(r.prediction)),
  ...autocastRungs("cuda"),
];

const FLOAT16_ON_CUDA: Autocast = { device: "cuda", lower: "float16" };

const UNITS: Readonly<Record<string, number>> = { bfloat16: 2 ** -8, float16: 2 ** -11 };
/** Between neighbours among the smallest numbers. */
const SPACING: Readonly<Record<string, number>> = { bfloat16: 2 ** -133, float16: 2 ** -24 };

/** Why gradients, and the losses of some, are others there. */
const DEVIATIONS: readonly { readonly cases: RegExp; readonly reason: string }[] = [
  {
    cases:
      /^(lovasz_|partial_likelihood|list_likelihood|sorted_distance|spacing|share_of_all|changed_in_order)/,
    reason: "entries that are equal in the lower type are sorted into another order",
  },
  { cases: /^earth_mover/, reason: "running sums are rounded at other places" },
  {
    cases: /^einsum_dice\(simplex/,
    reason: "ones_like makes an array of the type that the code has without autocast",
  },
];

describe(`the precision ladder on CUDA (PyTorch ${golden.torch}, ${golden.device})`, function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-cuda-"));
  const known = new Set(golden.cases.map((c) => c.file));
  const files = corpusFiles()
    .get("torch")!
    .filter((f) => known.has(basename(f)));
  let parser: PythonParser;
  let cases: Case[] = [];
  const seen = new Set<string>();

  before(async () => {
    parser = await loadParserFromDisk();
    ({ cases } = await casesOf(folder, "arrays", files));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const isRefused = (name: string): boolean => {
    try {
      refuseBelow(name, FLOAT16_ON_CUDA, { file: "", line: 1, column: 1 });
      return false;
    } catch (e) {
      assert.ok(e instanceof RefusedByAutocast);
      return true;
    }
  };

  it("functions run in float32 below autocast that do there, and no others", () => {
    const half = input("x", []);
    const wrong = Object.entries(golden.functions).flatMap(([expression, [plain, autocast]]) => {
      const name = /^(?:x|F|torch(?:\.linalg|\.special)?)\.(\w+)\([^()]*\)$/.exec(expression)?.[1];
      if (name === undefined || plain !== "float16" || expression.includes("dtype=")) return [];
      const refused = autocast.includes("unsafe to autocast");
      assert.equal(isRefused(name), refused, name);
      if (refused) return [];
      // What takes float32 arrays alone gives float32 without a rule.
      const ours = autocastType(name, [half], FLOAT16_ON_CUDA) ?? plain;
      return ours === autocast ? [] : `${expression}: ${ours}, not ${autocast}`;
    });
    assert.deepEqual(wrong, []);
  });

  for (const file of files) {
    it(`${basename(file)}: the same types, overflows and, up to a few roundings, numbers`, () => {
      const own = golden.cases.filter((c) => c.file === basename(file));
      const program = new Program(parser, file, TORCH);
      const wrong = own.flatMap(({ case: text, rungs }) => {
        const c = cases.find((x) => x.file === file && x.case === text);
        if (c === undefined) return [`${text} is no case any more`];
        return ON_CUDA.flatMap((rung) => {
          const found = judge(program, c, rung, rungs[rung.name]!);
          const listed = DEVIATIONS.find((d) => d.cases.test(text));
          if (found === null) return [];
          if (listed !== undefined) {
            seen.add(listed.reason);
            return [];
          }
          return `${text} in ${rung.name}: ${found}`;
        });
      });
      assert.equal(wrong.length, 0, `\n${wrong.join("\n")}`);
    });
  }

  it("every listed deviation is one", () => {
    assert.deepEqual([...seen].sort(), DEVIATIONS.map((d) => d.reason).sort());
  });
});

/** What is wrong with one case on one rung; `null`: nothing. */
function judge(program: Program, c: Case, rung: Rung, theirs: Ran): string | null {
  if (theirs.error !== undefined) {
    if (!theirs.error.includes("unsafe to autocast")) return null;
    assert.throws(() => program.run(c, rung), RefusedByAutocast);
    return null;
  }
  const { loss, gradient } = program.run(c, rung);
  if (loss.dtype !== theirs.dtype) return `the loss is ${loss.dtype}, not ${theirs.dtype}`;
  const unit = UNITS[rung.prediction]!;
  const ours = valuesOf(loss);
  const off = theirs.loss.findIndex(
    (v, k) => !near(ours[k]!, number(v), 8 * unit * Math.abs(number(v))),
  );
  if (off >= 0) return `the loss is ${ours.join()}, not ${theirs.loss.join()}`;
  const g = valuesOf(gradient);
  const notFinite = g.filter((v) => !Number.isFinite(v)).length;
  if (notFinite !== theirs.notFinite) return `${notFinite} are NaN, not ${theirs.notFinite}`;
  const largest = number(theirs.largest);
  const least = Math.max(16 * unit * largest, 2 * SPACING[rung.prediction]!);
  const at = theirs.first.findIndex((v, k) => !near(g[k]!, number(v), least));
  return at < 0 ? null : `gradient[${at}] is ${g[at]!}, not ${theirs.first[at]!} (of ${largest})`;
}

function near(a: number, b: number, within: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= within || a === b;
}
