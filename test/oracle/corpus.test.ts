/**
 * Every loss of test/corpus, run through its real library and through the inspector: loss and
 * gradient agree to 1e-10, relative, in float64. What passed is written into test/corpus/README.md.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { format } from "prettier";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import type { PythonParser } from "../../src/python/parser.ts";
import {
  type CorpusCase,
  CorpusProgram,
  TOLERANCE,
  corpusFiles,
  corpusFolder,
  runCorpus,
  worstError,
} from "./corpus.ts";

const folder = mkdtempSync(join(tmpdir(), "dice-gradient-corpus-"));
const table = join(corpusFolder, "README.md");
const passed = new Map<string, Map<string, number>>();
let failures = 0;

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the corpus", function () {
  this.timeout(1_200_000);
  let parser: PythonParser;
  before(async () => {
    parser = await loadParserFromDisk();
  });

  for (const [library, files] of corpusFiles()) {
    describe(library, () => {
      let cases: CorpusCase[] = [];
      before(async () => {
        cases = await runCorpus(library, files, folder);
      });

      for (const file of files) {
        it(`${basename(file)}: every loss and gradient is the library's`, () => {
          const own = cases.filter((c) => file.endsWith(c.file));
          assert.ok(own.length > 0, "there is no case in the file");
          const wrong = checkFile(parser, library, own);
          failures += wrong.length;
          assert.equal(wrong.length, 0, `\n${wrong.join("\n")}`);
        });
      }
    });
  }

  // After the groups above, in whose course it is counted.
  describe("its table of what passes", () => {
    it("is up to date", async function () {
      if (failures > 0) this.skip();
      const text = await format(tableText(), { parser: "markdown", printWidth: 100 });
      if (process.env["UPDATE_CORPUS_TABLE"] !== undefined) writeFileSync(table, text);
      assert.equal(
        readFileSync(table, "utf8"),
        text,
        "Run it with UPDATE_CORPUS_TABLE=1 to write it anew.",
      );
    });
  });
});

/** What is wrong with a file's cases, a line each. */
function checkFile(parser: PythonParser, library: string, cases: readonly CorpusCase[]): string[] {
  const program = new CorpusProgram(parser, cases[0]!.file);
  const wrong: string[] = [];
  for (const c of cases) {
    const problem = check(program, c);
    if (problem === null) count(library, c);
    else wrong.push(`${c.file}:${c.line}: ${c.case}\n    ${problem}`);
  }
  return wrong;
}

function check(program: CorpusProgram, c: CorpusCase): string | null {
  if (c.error !== undefined) return `the library fails: ${c.error}`;
  try {
    const worst = worstError(c, program.evaluate(c));
    return worst <= TOLERANCE ? null : `relative error ${worst.toExponential(2)}`;
  } catch (e) {
    return e instanceof Error ? `${e.name}: ${e.message}` : String(e);
  }
}

/** The function or class of a case: `dice` of `dice(…)`, `Dice` of `Dice(smooth=1)(…)`. */
function nameOf(c: CorpusCase): string {
  return /^[\w.]+/.exec(c.case)?.[0] ?? c.case;
}

function count(library: string, c: CorpusCase): void {
  const group = `${library}/${basename(c.file)}`;
  const counts = passed.get(group) ?? new Map<string, number>();
  passed.set(group, counts);
  counts.set(nameOf(c), (counts.get(nameOf(c)) ?? 0) + 1);
}

function tableText(): string {
  const functions = [...passed.values()].reduce((n, counts) => n + counts.size, 0);
  const total = [...passed.values()].flatMap((m) => [...m.values()]).reduce((a, b) => a + b, 0);
  const rows = [...passed].map(([group, counts]) => {
    const names = [...counts].map(([name, n]) => (n === 1 ? `\`${name}\`` : `\`${name}\` ×${n}`));
    return `| ${group} | ${counts.size} | ${names.join(", ")} |`;
  });
  return [
    "# Corpus",
    "",
    "Losses as people write them. `npm run test:oracle` runs each case through its real library and",
    "through the inspector, and compares loss and gradient: relative error at most 1e-10 in float64,",
    "without exceptions. The tests write this page.",
    "",
    `${functions} losses pass in ${total} cases.`,
    "",
    "| file | losses | names, and numbers of cases |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
