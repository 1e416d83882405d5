import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { UsageError } from "../../../src/cli/arguments.ts";
import { parseLint } from "../../../src/cli/lintArguments.ts";
import { pythonFilesIn } from "../../../src/cli/lintFiles.ts";
import { toSarif } from "../../../src/cli/sarif.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { lintSource } from "../../../src/session/lint.ts";

const require = createRequire(import.meta.url);
const watch = { onProgress: () => undefined, isCancelled: () => false };

const TWO_LOSSES = `import numpy as np
import torch


def dice_loss(y_pred, y_true):
    intersection = np.sum(y_pred * y_true)
    return 1 - 2 * intersection / (np.sum(y_pred) + np.sum(y_true))


def twice_dice_loss(logits: torch.Tensor, target: torch.Tensor, smooth=1.0):
    p = torch.sigmoid(logits)
    p = torch.sigmoid(p)
    intersection = (p * target).sum()
    return 1 - (2 * intersection + smooth) / (p.sum() + target.sum() + smooth)
`;

describe("dice-gradient lint", () => {
  it("reads its options, with severities by rule", () => {
    const o = parseLint([
      "src",
      "--format=sarif",
      "--ignore",
      "DG004,DG013",
      "--severity=DG001=error",
    ]);
    assert.deepEqual(o.paths, ["src"]);
    assert.equal(o.format, "sarif");
    assert.deepEqual(o.severities, { DG004: "off", DG013: "off", DG001: "error" });
  });

  describe("on a notebook", () => {
    const cell = (source: string): unknown => ({
      cell_type: "code",
      source: source.split(/(?<=\n)/),
      outputs: [],
      metadata: {},
    });
    const notebook = (...cells: unknown[]): string =>
      JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 });
    const loss = (end = ""): string =>
      `def dice_loss(p, target):\n    return 1 - 2 * overlap(p, target) / (np.sum(p) + np.sum(target))${end}\n`;
    const helper =
      "%matplotlib inline\nimport numpy as np\ndef overlap(a, b):\n    return np.sum(a * b)\n";
    const lint = async (text: string): Promise<ReturnType<typeof lintSource>> => {
      const engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
      return lintSource(text, "nb.ipynb", process.cwd(), engine, watch);
    };

    it("reads the cells as one program, and gives cell and line", async () => {
      const text = { cell_type: "markdown", source: ["# Dice"], metadata: {} };
      const { findings, losses } = await lint(notebook(text, cell(helper), cell(loss())));
      assert.equal(losses, 1);
      assert.deepEqual(
        findings.map((f) => [f.code, f.location?.file, f.location?.line]),
        [["DG001", "nb.ipynb:cell 3", 2]],
      );
      const [result] = toSarif(findings, "1.0.0", (f) => f).runs[0]!.results!;
      assert.match(result!.message.text!, /^Cell 3, line 2: /);
      assert.deepEqual(result!.locations![0]!.physicalLocation, {
        artifactLocation: { uri: "nb.ipynb" },
      });
      assert.equal(result!.fixes, undefined, "an edit of a cell is no edit of its file");
    });

    it("is silent where a comment in the cell says so", async () => {
      const { findings } = await lint(
        notebook(cell(helper), cell(loss("  # dice-gradient: ignore[DG001]"))),
      );
      assert.deepEqual(findings, []);
    });

    it("leaves out notebooks of other languages, and refuses what is none", async () => {
      const julia = JSON.stringify({
        cells: [cell(helper), cell(loss())],
        metadata: { language_info: { name: "julia" } },
      });
      assert.deepEqual((await lint(julia)).findings, []);
      await assert.rejects(lint("import numpy; dice_loss = 1"), /it is no notebook/);
    });
  });

  for (const argv of [
    [],
    ["src", "--format", "xml"],
    ["src", "--ignore", "DG999"],
    ["src", "--severity", "DG001=fatal"],
    ["src", "--severity"],
    ["src", "--bad"],
  ]) {
    it(`says what is wrong with: ${argv.join(" ") || "nothing"}`, () => {
      assert.throws(() => parseLint(argv), UsageError);
    });
  }

  it("looks below folders, without installed packages, hidden folders and links that lead back", () => {
    const root = mkdtempSync(join(tmpdir(), "lint-"));
    try {
      for (const folder of ["a", "venv", ".hidden", "node_modules"]) {
        mkdirSync(join(root, folder));
        writeFileSync(join(root, folder, "losses.py"), "");
      }
      writeFileSync(join(root, "a", "notes.txt"), "");
      symlinkSync(root, join(root, "a", "back"));
      assert.deepEqual(pythonFilesIn([root]), [join(root, "a", "losses.py")]);
      assert.deepEqual(pythonFilesIn([join(root, "venv")]), [join(root, "venv", "losses.py")]);
      assert.throws(() => pythonFilesIn([join(root, "gone")]), /There is no file or folder/);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("writes SARIF that the official schema accepts, with rules, places and fixes", async () => {
    const engine = { parser: await loadParserFromDisk(), files: filesFor(null) };
    const { findings } = lintSource(TWO_LOSSES, "two losses.py", ".", engine, watch);
    const log = toSarif(findings, "0.1.0", encodeURI);

    const schema = require.resolve("schemastore/schemas/json/sarif-2.1.0.json");
    const ajv = new Ajv({ strict: false, unicodeRegExp: false });
    (addFormats as unknown as { default: (a: Ajv) => void }).default(ajv);
    const isValid = ajv.compile(JSON.parse(readFileSync(schema, "utf8")) as object);
    assert.ok(isValid(log), JSON.stringify(isValid.errors));

    const [zero, twice] = log.runs[0]!.results!;
    assert.equal(zero!.ruleId, "DG001");
    const place = zero!.locations?.[0]?.physicalLocation;
    assert.equal(place?.artifactLocation?.uri, "two%20losses.py");
    assert.deepEqual(place.region, { startLine: 7, startColumn: 16, endLine: 7, endColumn: 68 });
    assert.equal(twice!.ruleId, "DG006");
    assert.equal(twice!.relatedLocations?.[0]?.physicalLocation?.region?.startLine, 11);
    const change = twice!.fixes?.[0]?.artifactChanges[0]?.replacements[0];
    assert.equal(change?.insertedContent?.text, "p");
  });
});
