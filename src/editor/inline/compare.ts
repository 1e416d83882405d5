/** *Compare This Loss with…*: chooses the other loss, and shows the comparison. */
import * as vscode from "vscode";
import type { NotebookController } from "../controller.ts";
import type { DerivedInput } from "../../session/inline/protocol.ts";
import { code, run, selectKernel } from "../notebooks.ts";
import { type Other, pickOther } from "./comparePicker.ts";
import { type InlineDocuments, notebookOf } from "./documents.ts";
import {
  type DerivedLoss,
  arraysCell,
  callOf,
  definitionOf,
  derivedOrSaid,
  requiredOf,
  sampleLines,
  showInspection,
} from "./inspection.ts";
import { type Target, type TargetArgument, targetOf } from "./target.ts";

/** Marks a cell as the comparison of a loss, so that comparing it again changes that cell. */
const MARK = "dice-gradient-compares";

/** The second loss of a comparison in Python. */
interface Second {
  /** What makes it known; null where nothing has to. */
  readonly target: Target | null;
  readonly derived: DerivedLoss | null;
  /** The argument of `compare`, on arrays that are called as the first loss's are. */
  readonly argument: string;
}

export class Comparisons {
  private readonly documents: InlineDocuments;
  private readonly controller: NotebookController;
  private readonly memory: vscode.Memento;
  /** For arrays that are made to compare on. */
  private readonly storage: vscode.Uri;

  constructor(
    documents: InlineDocuments,
    controller: NotebookController,
    context: vscode.ExtensionContext,
  ) {
    this.documents = documents;
    this.controller = controller;
    this.memory = context.workspaceState;
    this.storage = context.globalStorageUri;
  }

  async compare(argument: unknown): Promise<void> {
    const { documents } = this;
    const target = await targetOf(documents, argument);
    if (target === null) return;
    const derivation = derivedOrSaid(documents, target);
    const other = await pickOther(documents, this.memory, { target, derivation });
    const derived = await derivation;
    if (other !== null && derived !== null) await this.show(target, derived, other);
  }

  /** *Compare…* on the catalogue's page: a loss of the user's with one of the catalogue. */
  async compareWith({ uri, name }: TargetArgument, call: string): Promise<void> {
    const target = await targetOf(this.documents, { uri, name });
    const derived = target === null ? null : await derivedOrSaid(this.documents, target);
    if (target === null || derived === null) return;
    await this.show(target, derived, { kind: "catalogue", call });
  }

  private async show(target: Target, derived: DerivedLoss, other: Other): Promise<void> {
    const second = await this.secondOf(other, derived);
    if (second === null) return;
    const notebook = notebookOf(target.document);
    if (notebook !== null && this.controller.isAtHomeIn(notebook)) {
      const editor = vscode.window.visibleNotebookEditors.find((e) => e.notebook === notebook);
      if (editor !== undefined) await selectKernel(editor, notebook);
      await this.showInNotebook(notebook, target, derived, second);
    } else await this.showBeside(target, derived, second);
  }

  private async secondOf(other: Other, first: DerivedLoss): Promise<Second | null> {
    if (other.kind === "catalogue") {
      return { target: null, derived: null, argument: quoted(other.call) };
    }
    const { uri, name } = other.loss;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri)).then(
      (d) => d,
      () => null,
    );
    if (document === null) {
      await vscode.window.showInformationMessage(`The file of ${name} is not there any more.`);
      return null;
    }
    const target = { document, name };
    const derived = await derivedOrSaid(this.documents, target);
    if (derived === null) return null;
    const required = requiredOf(this.documents, target);
    const argument = callOf(name, required, derived, (input) => twinOf(input, first));
    return { target, derived, argument };
  }

  /** In a notebook of its own beside the code, on arrays made for it. */
  private async showBeside(target: Target, derived: DerivedLoss, second: Second): Promise<void> {
    const lines = await sampleLines(target.name, derived, this.storage);
    const definitions = new Set([await definitionOf(target, derived)]);
    const all = [derived];
    if (second.target !== null && second.derived !== null) {
      definitions.add(await definitionOf(second.target, second.derived));
      all.push(second.derived);
      // Arrays that only the other loss takes.
      for (const [name, line] of await sampleLines(
        second.target.name,
        second.derived,
        this.storage,
      )) {
        const twin = twinOf(
          second.derived.inputs.find((x) => x.name === name)!,
          derived,
        );
        if (!lines.has(twin)) lines.set(name, line);
      }
    }
    const first = callOf(target.name, requiredOf(this.documents, target), derived);
    await showInspection([
      [...definitions].join("\n"),
      arraysCell(all, lines),
      comparison(first, second.argument),
    ]);
  }

  /** In a cell below the loss, on the notebook's own arrays where it has some. */
  private async showInNotebook(
    notebook: vscode.NotebookDocument,
    target: Target,
    derived: DerivedLoss,
    second: Second,
  ): Promise<void> {
    const parameters = derived.inputs.map((x) => x.name);
    await this.define(notebook, target.name, derived);
    const { call } = await this.controller.usage(notebook, target.name, parameters);
    const required = requiredOf(this.documents, target);
    const given = call === null ? null : arraysOf(call, required.parameters);
    const sources: string[] = [];
    let other = second.argument;
    if (second.target !== null && second.derived !== null) {
      if (notebookOf(second.target.document) === notebook) {
        await this.define(notebook, second.target.name, second.derived);
      } else sources.push(await definitionOf(second.target, second.derived));
      other = callOf(
        second.target.name,
        requiredOf(this.documents, second.target),
        second.derived,
        (input) => given?.get(twinOf(input, derived)) ?? twinOf(input, derived),
      );
    }
    if (call === null) {
      const lines = await sampleLines(target.name, derived, this.storage);
      sources.unshift(arraysCell([derived], lines));
    }
    const first = call ?? callOf(target.name, required, derived);
    const source = [...sources, comparison(first, other)].join("\n\n");
    const index = await placeCell(notebook, target, source);
    await run(notebook, index);
    reveal(notebook, index);
  }

  /** Runs the cells that define a loss, if the notebook does not know it. */
  private async define(
    notebook: vscode.NotebookDocument,
    name: string,
    derived: DerivedLoss,
  ): Promise<void> {
    if ((await this.controller.usage(notebook, name, [])).isDefined) return;
    for (const file of derived.files) {
      const index = Number(/^Cell (\d+)$/.exec(file)?.[1]) - 1;
      if (index >= 0 && index < notebook.cellCount) await run(notebook, index);
    }
  }
}

/** The array of the first loss that an input of the second one stands for. */
function twinOf(input: DerivedInput, first: DerivedLoss): string {
  return first.inputs.find((x) => x.role === input.role)?.name ?? input.name;
}

/** What a call gives for each parameter, as Python. */
function arraysOf(call: string, parameters: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  argumentsIn(call).forEach((text, k) => {
    const keyword = /^([A-Za-z_]\w*)\s*=(?!=)\s*/.exec(text);
    const name = keyword?.[1] ?? parameters[k];
    if (name !== undefined) given.set(name, text.slice(keyword?.[0].length ?? 0));
  });
  return given;
}

/** The arguments of a call; of `DiceLoss(1.0)(p, t)` those in the last brackets. */
function argumentsIn(call: string): string[] {
  let depth = 0;
  let end = call.length;
  const found: string[] = [];
  const strings = [...call.matchAll(/"[^"]*"|'[^']*'/g)].map((m) => [
    m.index,
    m.index + m[0].length,
  ]);
  const isInString = (k: number): boolean => strings.some(([a, b]) => a! <= k && k < b!);
  for (let k = call.length - 1; k >= 0; k--) {
    const c = call[k]!;
    if (isInString(k)) continue;
    if (")]}".includes(c) && ++depth === 1) end = k;
    else if (c === "," && depth === 1) {
      found.unshift(call.slice(k + 1, end).trim());
      end = k;
    } else if ("([{".includes(c) && --depth === 0) {
      return [call.slice(k + 1, end).trim(), ...found].filter((a) => a !== "");
    }
  }
  return found;
}

/** The call that compares two, in Python. */
export function comparison(first: string, second: string): string {
  return `compare(\n    ${first},\n    ${second},\n)`;
}

/** A string in Python; the quotes of the call stay as they are where they can. */
export function quoted(text: string): string {
  return text.includes('"') && !text.includes("'") ? `'${text}'` : JSON.stringify(text);
}

/** Writes the cell of a loss's comparison: the one that is there already, else a new one below the loss. */
async function placeCell(
  notebook: vscode.NotebookDocument,
  target: Target,
  source: string,
): Promise<number> {
  const cells = notebook.getCells();
  const edit = new vscode.WorkspaceEdit();
  const known = cells.find((c) => markOf(c) === target.name);
  if (known !== undefined) {
    const { document } = known;
    const all = new vscode.Range(0, 0, document.lineCount, 0);
    edit.replace(document.uri, document.validateRange(all), source);
    await vscode.workspace.applyEdit(edit);
    return known.index;
  }
  const own = cells.find((c) => c.document === target.document)?.index ?? cells.length - 1;
  const data = code(source);
  data.metadata = { metadata: { [MARK]: target.name } };
  edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(own + 1, [data])]);
  await vscode.workspace.applyEdit(edit);
  return own + 1;
}

function markOf(cell: vscode.NotebookCell): unknown {
  const { metadata } = cell.metadata as { metadata?: Record<string, unknown> };
  return metadata?.[MARK];
}

function reveal(notebook: vscode.NotebookDocument, index: number): void {
  const range = new vscode.NotebookRange(index, index + 1);
  const shown = vscode.window.visibleNotebookEditors.find((e) => e.notebook === notebook);
  if (shown === undefined) return;
  shown.selections = [range];
  shown.revealRange(range, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
}
