/** What can be done with a loss of the catalogue: put it into a notebook, compare it. */
import * as vscode from "vscode";
import type { CatalogueFormula, CatalogueItem } from "../../report/catalogue.ts";
import type { Engine } from "../engine.ts";
import type { NotebookController } from "../controller.ts";
import { type TakesArrays, arraysCell, callOf, sampleLines } from "../inline/inspection.ts";
import { code, insertAndRun, notebookInUse } from "../notebooks.ts";

export class CatalogueActions {
  private readonly controller: NotebookController;
  private readonly storage: vscode.Uri;

  /** @param storage a folder of the extension's own for arrays it makes */
  constructor(controller: NotebookController, storage: vscode.Uri) {
    this.controller = controller;
    this.storage = storage;
  }

  /** *Use in a Cell*: the loss written out, arrays for it, and its call, run at once. */
  async use(item: CatalogueItem, formula: CatalogueFormula): Promise<void> {
    const cells = await this.cellsOf(item, formula);
    if (cells !== null) await this.insert([`${cells.definition}\n\n${cells.arrays}`, cells.call]);
  }

  /** *Compare…*: a loss of the user's with it, or it with another of the catalogue. */
  async compare(item: CatalogueItem, formula: CatalogueFormula, engine: Engine): Promise<void> {
    const others = (await catalogueItems(engine)).filter((x) => x.id !== item.id);
    const separator = (label: string): vscode.QuickPickItem[] => [
      { label, kind: vscode.QuickPickItemKind.Separator },
    ];
    type Pick = vscode.QuickPickItem & { readonly other?: string };
    const picks: Pick[] = [
      ...separator("the catalogue"),
      ...others.map((x) => ({ label: x.title, description: x.id, other: x.id })),
    ];
    const picked = await vscode.window.showQuickPick(picks, {
      title: `Compare ${item.id} with`,
      placeHolder: "Which loss?",
      matchOnDescription: true,
    });
    if (picked?.other !== undefined) {
      const cells = await this.cellsOf(item, formula);
      if (cells === null) return;
      const second = await engine.catalogue({ formula: picked.other });
      if (!("formula" in second)) return;
      // In a string of Python's, whose quotes are those that the call has none of.
      const call = second.formula.call.replaceAll('"', "'");
      const compared = `compare(\n    ${cells.call},\n    "${call}",\n)`;
      await this.insert([`${cells.definition}\n\n${cells.arrays}`, compared]);
    }
  }

  private async cellsOf(
    item: CatalogueItem,
    { call, code: written, inputs, loss }: CatalogueFormula,
  ): Promise<{ definition: string; arrays: string; call: string } | null> {
    if (written === null) {
      await vscode.window.showInformationMessage(
        `${item.id} cannot be written as one function. Compare a loss of yours with it instead.`,
      );
      return null;
    }
    const taken: TakesArrays = {
      inputs: inputs.map((x) => ({ ...x, library: "torch" })),
      report: { loss },
    };
    const lines = await sampleLines(written.name, taken, this.storage);
    const arrays = arraysCell([taken], lines).replace(/^import torch\n+/, "");
    return {
      definition: `# ${call}, written out\n# ${item.source}\n${written.text.trimEnd()}`,
      arrays: `\n${arrays}`,
      call: callOf(written.name, { parameters: [], settings: null }, taken),
    };
  }

  /** Into the notebook that is open with our kernel, below what is selected; else into a new one. */
  private async insert(sources: readonly string[]): Promise<void> {
    const cells = sources.map((source) => code(source));
    await insertAndRun(this.controller, notebookInUse(this.controller), cells);
  }
}

async function catalogueItems(engine: Engine): Promise<readonly CatalogueItem[]> {
  const answer = await engine.catalogue({ search: "" });
  return "items" in answer ? answer.items : [];
}
