/** What can be done with a loss of the catalogue: put it into a notebook, compare it. */
import * as vscode from "vscode";
import type { CatalogueFormula, CatalogueItem } from "../../report/catalogue.ts";
import type { NotebookController } from "../controller.ts";
import { comparison, quoted } from "../inline/compare.ts";
import { pickOther } from "../inline/comparePicker.ts";
import { type TakesArrays, arraysCell, callOf, sampleLines } from "../inline/inspection.ts";
import type { Inline } from "../inline/register.ts";
import { code, insertAndRun, notebookInUse } from "../notebooks.ts";

export class CatalogueActions {
  private readonly controller: NotebookController;
  private readonly inline: Pick<Inline, "documents" | "comparisons">;
  private readonly memory: vscode.Memento;
  private readonly storage: vscode.Uri;

  constructor(
    controller: NotebookController,
    inline: Pick<Inline, "documents" | "comparisons">,
    context: vscode.ExtensionContext,
  ) {
    this.controller = controller;
    this.inline = inline;
    this.memory = context.workspaceState;
    // For arrays that are made to compare on.
    this.storage = context.globalStorageUri;
  }

  /** *Use in a Cell*: the loss written out, arrays for it, and its call, run at once. */
  async use(item: CatalogueItem, formula: CatalogueFormula): Promise<void> {
    const cells = await this.cellsOf(item, formula);
    if (cells !== null) await this.insert([`${cells.definition}\n\n${cells.arrays}`, cells.call]);
  }

  /** *Compare…*: a loss of the user's with it, or it with another of the catalogue. */
  async compare(item: CatalogueItem, formula: CatalogueFormula): Promise<void> {
    const { documents, comparisons } = this.inline;
    const other = await pickOther(documents, this.memory, item.id);
    if (other === null) return;
    if (other.kind === "loss") {
      await comparisons.compareWith(other.loss, formula.call);
      return;
    }
    const cells = await this.cellsOf(item, formula);
    if (cells === null) return;
    const compared = comparison(cells.call, quoted(other.call));
    await this.insert([`${cells.definition}\n\n${cells.arrays}`, compared]);
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
