import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { nested, sizesFor, valuesFor } from "../../../src/editor/inline/sampleArrays.ts";
import type { CatalogueFormula } from "../../../src/report/catalogue.ts";
import type { Comparison, Report, ReportOutput } from "../../../src/report/schema.ts";
import { catalogueFormula, catalogueList } from "../../../src/session/catalogue.ts";
import { filesFor } from "../../../src/session/files.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { DerivedInput } from "../../../src/session/inline/protocol.ts";
import type { CellOutput } from "../../../src/session/protocol.ts";

const watch = { onProgress: () => undefined, isCancelled: () => false };

describe("the catalogue's losses as a page shows them", function () {
  this.timeout(120_000);

  it("are found by words of their names, libraries, parameters and traps", () => {
    const ids = (text: string): string[] => catalogueList(text).map((x) => x.id);
    assert.equal(ids("monai dice")[0], "monai.losses.DiceLoss");
    assert.ok(ids("smooth_nr").every((id) => id.startsWith("monai.")));
    assert.deepEqual(ids("no such loss"), []);
    assert.equal(new Set(ids("")).size, ids("").length);
  });

  it("have a source that a browser opens safely, and a default or none for each parameter", () => {
    for (const item of catalogueList("")) {
      assert.match(item.url, /^https:\/\/\S+$/, item.id);
      for (const p of item.parameters) assert.ok(p.default === null || p.default !== "", p.name);
    }
  });

  it("have a formula, a gradient and PyTorch code", () => {
    for (const { id } of catalogueList("")) {
      const formula = catalogueFormula(id);
      assert.match(formula.loss.latex, /=/, id);
      assert.match(formula.gradient.latex, /partial/, id);
      assert.notEqual(formula.code, null, id);
    }
  });

  it("run in a cell as the page writes them, one of each library", async () => {
    const libraries = new Map(catalogueList("").map((x) => [x.library, x.id]));
    for (const id of libraries.values()) {
      const formula = catalogueFormula(id);
      const report = (await inCell(formula, (call) => call)) as Report;
      assert.notEqual(report.check.verdict, "differs", id);
      assert.notEqual(report.check.verdict, "not-checked", id);
    }
  });

  it("are written for a call's settings and the arrays at hand", async () => {
    const arrays = {
      prediction: [2, 3, 4, 4],
      target: { shape: [2, 3, 4, 4], type: "float" },
    } as const;
    const formula = catalogueFormula("monai.losses.DiceLoss(softmax=True)", arrays);
    assert.equal(formula.call, "monai.losses.DiceLoss(softmax=True)");
    assert.deepEqual(
      formula.inputs.map((x) => [x.role, x.shape]),
      [
        ["prediction", [2, 3, 4, 4]],
        ["target", [2, 3, 4, 4]],
      ],
    );
    const compared = (await inCell(
      formula,
      (call) => `compare(${call}, "${formula.call}")`,
    )) as Comparison;
    assert.equal(compared.pairs[0]!.equal, "exactly");
  });

  const typical = [
    "monai.losses.DiceLoss",
    "nnunetv2.training.loss.compound_losses.DC_and_BCE_loss",
    "keras.losses.Tversky",
    "papers.generalized_dice",
  ];
  for (const id of typical) {
    it(`have code that is the loss by the exact test: ${id}`, async () => {
      const formula = catalogueFormula(id);
      const standard = formula.call.replaceAll('"', "'");
      const drawn = await inCell(formula, (call) => `compare(${call}, "${standard}")`);
      assert.equal((drawn as Comparison).pairs[0]!.equal, "exactly");
    });
  }
});

/** What a cell shows that defines the loss, makes arrays for it, and ends as `last` says. */
async function inCell(
  { code, inputs }: CatalogueFormula,
  last: (call: string) => string,
): Promise<ReportOutput> {
  assert.ok(code !== null);
  const arrays = inputs.map((x, k) => {
    const array: DerivedInput = { ...x, library: "torch" };
    const values = valuesFor(array, { logits: false, classes: 3, seed: k + 1 });
    return `${x.name} = torch.tensor(${nested(values, sizesFor(array), x.type)})`;
  });
  const call = `${code.name}(${inputs.map((x) => x.name).join(", ")})`;
  const outputs: CellOutput[] = [];
  const session = new NotebookSession(await loadParserFromDisk(), filesFor(null), "/");
  const source = [code.text, ...arrays, last(call)].join("\n");
  session.execute({ language: "python", source, file: "Cell 1" }, (o) => outputs.push(o), watch);
  const [first] = outputs;
  assert.ok(first?.kind === "report", `${code.name}: ${JSON.stringify(first)}`);
  return first.drawn.report;
}
