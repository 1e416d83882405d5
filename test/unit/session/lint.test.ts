/** Diagnostics rules on example losses: what is found, where, and that the fixes put it right. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { RULES } from "../../../src/explain/rules/table.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import type { Engine } from "../../../src/session/jobs.ts";
import { type LintFinding, lintSource } from "../../../src/session/lint.ts";
import { withSeverities } from "../../../src/session/severities.ts";
import { definitionAt, withEdits } from "./pythonText.ts";

const FILE = "test/rules/bad.py";
const text = readFileSync(FILE, "utf8");
const watch = { onProgress: () => undefined, isCancelled: () => false };

/** `# DG001, DG007` at the end of a line: these are found there; "fixed": a quick fix mends it. */
const expected = text.split("\n").flatMap((line, k) => {
  const [, marked] = /#\s+(DG\d{3}.*)$/.exec(line) ?? [];
  return (marked?.match(/DG\d{3}/g) ?? []).map((code) => ({
    code,
    line: k + 1,
    fixed: marked!.includes("fixed"),
  }));
});

describe("diagnostics of a file", () => {
  let engine: Engine;
  let found: readonly LintFinding[];
  const lint = (source: string): readonly LintFinding[] => {
    const result = lintSource(source, FILE, process.cwd(), engine, watch);
    assert.deepEqual(result.untraced, []);
    return result.findings;
  };

  before(async () => {
    engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
    found = lint(text);
  });

  it("finds what is marked, at the marked lines, and nothing else", () => {
    const lines = (all: readonly { code: string; line: number }[]): string[] =>
      all.map((f) => `${f.line} ${f.code}`).sort();
    const own = found.map((f) => ({ code: f.code, line: f.location!.line! }));
    assert.deepEqual([...new Set(lines(own))], lines(expected));
  });

  it("has an example for every rule", () => {
    const seen = new Set(expected.map((e) => e.code));
    const without = RULES.map((r) => r.code).filter((code) => !seen.has(code));
    assert.deepEqual(without, []);
  });

  it("has a page for every rule, which shows what it finds and what to do", () => {
    for (const { code, title } of RULES) {
      const page = readFileSync(`media/rules/${code}.md`, "utf8");
      assert.ok(page.startsWith(`# ${code}: ${title}\n`), code);
      assert.match(page, /```python/, code);
    }
  });

  for (const { code, line, fixed } of expected) {
    if (!fixed) continue;
    it(`${code} at line ${line} is silent after its fix, and no other finding comes of it`, () => {
      const alone = definitionAt(text, line);
      const ownFindings = lint(alone);
      const finding = ownFindings.find((f) => f.code === code && f.location!.line === line);
      const edits = finding?.fix?.edits ?? [];
      assert.ok(edits.length > 0, "a fix is offered");
      const earlier = ownFindings.map((f) => keyOf(f));
      const mended = withEdits(alone, edits);
      // Lines that the fix puts in move what stands below them.
      const put = mended.split("\n").length - alone.split("\n").length;
      const after = lint(mended).map((f) => keyOf(f, f.location!.line! > line ? put : 0));
      assert.ok(after.length < earlier.length, "the finding is gone");
      assert.deepEqual(
        after.filter((k) => !earlier.includes(k)),
        [],
      );
    });
  }

  it("tells the values that trigger a finding", () => {
    const [first] = found;
    assert.equal(
      first?.message,
      "When y_pred is all 0 and y_true empty, the denominator np.sum(y_pred) + np.sum(y_true) " +
        "is zero: the loss is NaN, and so is its gradient.",
    );
  });

  it("gives findings the severity that is set, and leaves out what is off", () => {
    const all = withSeverities(found, { DG001: "error", DG002: "off" });
    assert.ok(all.every((f) => f.code !== "DG002"));
    assert.ok(all.filter((f) => f.code === "DG001").every((f) => f.severity === "error"));
  });

  it("looks at no function that is not named like a loss, and at no file without arrays", () => {
    const ratio = "import numpy as np\ndef share(a, b):\n    return a / b\n";
    assert.equal(lintSource(ratio, "a.py", ".", engine, watch).losses, 0);
    const plain = "def loss(y_pred, y_true):\n    return y_pred / y_true\n";
    assert.equal(lintSource(plain, "a.py", ".", engine, watch).losses, 0);
  });

  it("reads what it can of a file with a syntax error, and says where that is", () => {
    const result = lintSource(`def broken(:\n\n\n${text}`, "a.py", ".", engine, watch);
    assert.equal(result.faults[0]?.line, 1);
    assert.equal(result.findings.length, found.length);
  });
});

/** Several sums of one line are findings of their own; a fix moves what stands behind it. */
function keyOf(f: LintFinding, down = 0): string {
  return `${f.location!.line! - down} ${f.code}`;
}
