/** *Check Dice Gradient…*: from the arrays that someone points at to a report in a notebook. */
import * as vscode from "vscode";
import { guessRoles } from "../../session/arrays/roles.ts";
import type { NotebookController } from "../controller.ts";
import { comparableLosses } from "../inline/comparable.ts";
import type { InlineDocuments } from "../inline/documents.ts";
import { callOf, definitionOf, derivedOrSaid, requiredOf } from "../inline/inspection.ts";
import { importOf } from "../inline/sampleArrays.ts";
import { code, newNotebook, openNotebook, run } from "../notebooks.ts";
import { ArrayStore } from "./arrayStore.ts";
import { distinctFrom, identifierOf } from "./identifier.ts";
import type { ArrayOffer, PickedArray } from "./pickedArray.ts";
import { expressionOf } from "./expression.ts";

export interface CheckOptions {
  /** Arrays of the same place, asked for when only one was picked. */
  readonly others?: () => Promise<readonly ArrayOffer[]>;
}

export class ArrayChecks {
  private readonly documents: InlineDocuments;
  private readonly store: ArrayStore;

  constructor(
    documents: InlineDocuments,
    _controller: NotebookController,
    context: vscode.ExtensionContext,
  ) {
    this.documents = documents;
    this.store = new ArrayStore(context.globalStorageUri);
  }

  /** Asks what cannot be told from the arrays, and runs the check in a notebook. */
  async checkDiceGradient(
    picked: readonly PickedArray[],
    options: CheckOptions = {},
  ): Promise<void> {
    const all = [...picked];
    if (all.length === 1) {
      const offers = (await options.others?.()) ?? [];
      const other = await vscode.window.showQuickPick(
        offers.map((offer) => ({ label: offer.name, description: offer.description, offer })),
        { title: `Check ${all[0]!.name} together with` },
      );
      const array = await other?.offer.pick();
      if (array === null || array === undefined) return;
      all.push(array);
    }
    const roles = guessRoles(all);
    const prediction = all[roles.prediction ?? 0]!;
    const target = all[roles.target ?? 1]!;
    const losses = await comparableLosses(this.documents, null);
    const loss = await vscode.window.showQuickPick(
      losses.map((l) => ({ label: l.name, description: l.detail, loss: l })),
      { title: "Check Dice Gradient: which loss?" },
    );
    if (loss === undefined) return;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(loss.loss.uri));
    const of = { document, name: loss.loss.name };
    const derived = await derivedOrSaid(this.documents, of);
    if (derived === null) return;
    const notebook = await newNotebook([]);
    const names = new Map<string, string>();
    const lines: string[] = [];
    const library = derived.inputs[0]?.library ?? "numpy";
    for (const [role, array] of [
      ["target", target],
      ["prediction", prediction],
    ] as const) {
      const name = distinctFrom(identifierOf(array.name), new Set([...names.values(), of.name]));
      names.set(role, name);
      const text = await expressionOf(array, library, notebook, this.store);
      lines.push(`# ${array.origin}`, `${name} = ${text}`);
    }
    const definition = await definitionOf(of, derived);
    const imports = [...new Set(["import numpy as np", importOf(library)])];
    const call = callOf(of.name, requiredOf(this.documents, of), derived, (input) => {
      return names.get(input.role) ?? input.name;
    });
    const source = [...imports, definition, "", ...lines, "", call].join("\n");
    await openNotebook(notebook, { viewColumn: vscode.ViewColumn.Beside });
    const edit = new vscode.WorkspaceEdit();
    edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(0, [code(source)])]);
    await vscode.workspace.applyEdit(edit);
    await run(notebook, 0);
  }
}
