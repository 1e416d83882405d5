/** Every diagnostics rule, on the example that breaks it: page, severity, silence, and what its fix promises. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { generator } from "../../../src/expression/equalityPoints.ts";
import { smallSizes } from "../../../src/expression/equalitySizes.ts";
import { sizesOf } from "../../../src/expression/axis.ts";
import { type BoundArray, evaluate } from "../../../src/expression/evaluate.ts";
import { resize } from "../../../src/expression/walk.ts";
import { RULES } from "../../../src/explain/rules/table.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { PythonProgram, type Trace } from "../../../src/python/program.ts";
import { parseTolerantly } from "../../../src/python/tolerant.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { SessionHost } from "../../../src/session/host.ts";
import type { Engine } from "../../../src/session/jobs.ts";
import { type LintFinding, lintSource } from "../../../src/session/lint.ts";
import { SEVERITIES, withSeverities } from "../../../src/session/severities.ts";
import { definitionAt, withEdits } from "./pythonText.ts";

const FILE = "test/rules/bad.py";
const MENDED = "test/rules/mended.py";
const bad = readFileSync(FILE, "utf8");
const mended = readFileSync(MENDED, "utf8");
const watch = { onProgress: () => undefined, isCancelled: () => false };

/** Rules whose finding has a second place: where the first activation is, what saves the array, … */
const WITH_RELATED = ["DG003", "DG005", "DG006", "DG010", "DG012", "DG014"];

describe("each diagnostics rule", () => {
  let engine: Engine;
  let found: readonly LintFinding[];
  const lint = (text: string): readonly LintFinding[] =>
    lintSource(text, FILE, process.cwd(), engine, watch).findings;

  before(async () => {
    engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
    found = lint(bad);
  });

  for (const { code, name, severity } of RULES) {
    const own = (): LintFinding[] => found.filter((f) => f.code === code);

    it(`${code} (${name}) has the page that its code leads to, which says when it fires and what to do`, () => {
      const page = readFileSync(join(root, `media/rules/${code}.md`), "utf8");
      assert.ok(page.startsWith(`# ${code}: ${RULES.find((r) => r.code === code)!.title}\n`));
      assert.match(page, /```python/);
    });

    it(`${code} (${name}) has the severity that is set`, () => {
      assert.ok(own().some((f) => f.severity === severity));
      for (const wanted of SEVERITIES) {
        const set = withSeverities(own(), { [code]: wanted });
        assert.equal(set.length, wanted === "off" ? 0 : own().length);
        assert.ok(set.every((f) => f.severity === wanted));
      }
    });

    it(`${code} (${name}) is silenced by a comment at its line, and by none for another rule`, () => {
      const { line } = own()[0]!.location!;
      const alone = definitionAt(bad, line!);
      const other = code === "DG001" ? "DG002" : "DG001";
      const commented = (codes: string): boolean =>
        lint(
          alone
            .split("\n")
            .map((l, k) => (k === line! - 1 ? `${l}  # dice-gradient: ignore[${codes}]` : l))
            .join("\n"),
        ).some((f) => f.code === code && f.location!.line === line);
      assert.equal(commented(other), true);
      assert.equal(commented(code), false);
      assert.equal(commented(`${other}, ${code}`), false);
    });

    if (WITH_RELATED.includes(code)) {
      it(`${code} (${name}) shows its second place`, () => {
        const related = own().flatMap((f) => f.related ?? []);
        assert.ok(related.length > 0);
        for (const r of related) assert.ok(r.location.line! >= 1 && r.message !== "");
      });
    }
  }

  const traced = (text: string, file: string, name: string): Trace => {
    const host = new SessionHost(engine.files, process.cwd(), () => undefined, watch.isCancelled);
    const program = new PythonProgram(engine.parser, host, { file });
    program.loadModule(parseTolerantly(engine.parser, text, file).module);
    return program.trace(name);
  };

  /** The gradient by the prediction at random numbers, and the loss up to a constant. */
  const gradientOf = (trace: Trace): { readonly shape: number[]; readonly values: number[] } => {
    const sizes = smallSizes([trace.loss])[0] ?? new Map<string, number>();
    const next = generator(11);
    const bindings = new Map<string, BoundArray>();
    for (const { node, parameter } of trace.inputs) {
      const shape = sizesOf(resize(node, sizes).shape);
      const length = shape.reduce((n, s) => n * s, 1);
      // Between 0 and 1, so that hard and soft labels differ.
      bindings.set(parameter, { shape, data: Array.from({ length }, () => 0.05 + 0.9 * next()) });
    }
    const prediction = trace.inputs.find((x) => x.role === "prediction")!.node;
    const gradient = evaluate(resize(derive(trace.loss, prediction), sizes), bindings);
    return { shape: gradient.shape, values: [...gradient.data] };
  };

  for (const [k, text] of bad.split("\n").entries()) {
    const [, codes] = /#\s+(DG\d{3}.*), fixed$/.exec(text) ?? [];
    if (codes === undefined) continue;
    it(`${codes} at line ${k + 1}: after the fix the gradient is that of the loss written right`, () => {
      const alone = definitionAt(bad, k + 1);
      const finding = lint(alone).find((f) => f.code === codes && f.location!.line === k + 1)!;
      const fixed = withEdits(alone, finding.fix!.edits);
      const [own, right] = [
        gradientOf(traced(fixed, FILE, finding.function)),
        gradientOf(traced(mended, MENDED, finding.function)),
      ];
      assert.deepEqual(own.shape, right.shape);
      assert.ok(right.values.some((v) => v !== 0));
      own.values.forEach((v, i) => {
        const wanted = right.values[i]!;
        assert.ok(Math.abs(v - wanted) <= 1e-12 * Math.abs(wanted) + 1e-15, `${v} for ${wanted}`);
      });
    });
  }
});
