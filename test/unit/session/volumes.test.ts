import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import type { Report } from "../../../src/report/schema.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellOutput } from "../../../src/session/protocol.ts";
import { nifti } from "./niftiBytes.ts";

describe("volumes that their files place in space", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-volumes-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  async function assumed(masks: string): Promise<readonly string[]> {
    const parser = await loadParserFromDisk();
    const session = new NotebookSession(parser, filesWith(new ModuleFinder([])), folder);
    const outputs: CellOutput[] = [];
    const source = `import numpy as np
def dice(y_true, y_pred):
    return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true) + np.sum(y_pred))
dice(np.load("${masks}"), np.load("pred.nii"))
`;
    const watch = { onProgress: () => undefined, isCancelled: () => false };
    session.execute({ language: "python", source, file: "Cell" }, (o) => outputs.push(o), watch);
    const [output] = outputs;
    assert.ok(output?.kind === "report", JSON.stringify(output));
    const { assumptions } = output.drawn.report as Report;
    return assumptions.filter((a) => a.includes("by their files"));
  }

  it("are compared as they are stored, and a report says where that is not one place", async () => {
    writeFileSync(join(folder, "pred.nii"), nifti(2, [1, 0, 1, 1, 0, 0, 1, 0]));
    writeFileSync(join(folder, "same.nii"), nifti(2, [1, 0, 1, 0, 0, 0, 1, 0]));
    writeFileSync(join(folder, "flipped.nii"), nifti(-2, [0, 1, 0, 1, 0, 0, 0, 1]));
    assert.deepEqual(await assumed("same.nii"), []);
    assert.deepEqual(await assumed("flipped.nii"), [
      "y_true and y_pred are compared element by element as they are stored, though by their files they lie up to 4 mm apart: axis 0 runs the other way",
    ]);
  });
});
