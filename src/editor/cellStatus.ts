/** The verdict at a glance: an item in the status bar of cells whose output is a report of ours. */
import * as vscode from "vscode";
import { type Report, type ReportOutput, type Verdict, REPORT_MIME } from "../report/schema.ts";
import { VERDICT_WORDS, isComparison } from "../report/plain.ts";
import { NOTEBOOK_TYPE } from "./controller.ts";
import { SECTION, isStatusBarOn } from "./settings.ts";

/** Told apart by shape and word, not by colour. */
const ICONS: Readonly<Record<Verdict, string>> = {
  agrees: "pass",
  differs: "error",
  "cannot-be-decided": "question",
  undefined: "circle-slash",
  "not-differentiable": "warning",
  "not-checked": "symbol-operator",
};

export class CellVerdicts implements vscode.NotebookCellStatusBarItemProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly disposables: vscode.Disposable[];
  /** What an output says; outputs are replaced, never changed. */
  private readonly known = new WeakMap<vscode.NotebookCellOutputItem, Glance | null>();
  readonly onDidChangeCellStatusBarItems = this.changed.event;

  constructor() {
    this.disposables = [
      vscode.notebooks.registerNotebookCellStatusBarItemProvider(NOTEBOOK_TYPE, this),
      vscode.workspace.onDidChangeNotebookDocument((e) => {
        if (e.cellChanges.some((c) => c.outputs !== undefined)) this.changed.fire();
      }),
      vscode.workspace.onDidChangeConfiguration((e) => {
        if (e.affectsConfiguration(SECTION)) this.changed.fire();
      }),
    ];
  }

  dispose(): void {
    for (const d of this.disposables) d.dispose();
    this.changed.dispose();
  }

  provideCellStatusBarItems(cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem[] {
    if (!isStatusBarOn(cell.notebook.uri)) return [];
    return cell.outputs
      .flatMap((o) => o.items.filter((i) => i.mime === REPORT_MIME))
      .flatMap((item) => {
        const glance = this.glanceAt(item);
        return glance === null ? [] : [statusItem(cell, glance)];
      });
  }

  private glanceAt(item: vscode.NotebookCellOutputItem): Glance | null {
    let glance = this.known.get(item);
    if (glance === undefined) {
      glance = readGlance(item.data);
      this.known.set(item, glance);
    }
    return glance;
  }
}

interface Glance {
  readonly icon: string;
  readonly word: string;
  readonly sentence: string;
}

/** Null for what is no report of ours: a notebook's outputs may hold anything. */
function readGlance(data: Uint8Array): Glance | null {
  try {
    const output = JSON.parse(new TextDecoder().decode(data)) as ReportOutput;
    return isComparison(output)
      ? {
          icon: "compare-changes",
          word: "Compared",
          sentence: output.pairs.map((p) => p.sentence).join("\n"),
        }
      : reportGlance(output);
  } catch {
    return null;
  }
}

function reportGlance({ check, function: f, gradient }: Report): Glance | null {
  if (!Object.hasOwn(ICONS, check.verdict)) return null;
  return {
    icon: ICONS[check.verdict],
    word: check.verdict === "not-checked" ? "Derived" : VERDICT_WORDS[check.verdict],
    sentence: `${f.name}, gradient by ${gradient.wrt}: ${check.sentence}`,
  };
}

function statusItem(
  cell: vscode.NotebookCell,
  { icon, word, sentence }: Glance,
): vscode.NotebookCellStatusBarItem {
  const item = new vscode.NotebookCellStatusBarItem(
    `$(${icon}) ${word}`,
    vscode.NotebookCellStatusBarAlignment.Left,
  );
  item.tooltip = sentence;
  item.accessibilityInformation = { label: `Gradient: ${word}. ${sentence}` };
  item.command = {
    title: "Reveal Report",
    command: "dice-gradient.revealReport",
    arguments: [{ notebook: cell.notebook.uri.toString(), cell: cell.index }],
  };
  return item;
}

/** *Reveal Report*: brings a cell's output into view and moves the focus into it. */
export async function revealReport(argument?: {
  readonly notebook: string;
  readonly cell: number;
}): Promise<void> {
  const editor =
    argument === undefined
      ? vscode.window.activeNotebookEditor
      : vscode.window.visibleNotebookEditors.find(
          (e) => e.notebook.uri.toString() === argument.notebook,
        );
  if (editor === undefined) {
    await vscode.window.showInformationMessage("Open a notebook to reveal a report in it.");
    return;
  }
  const index = argument?.cell ?? editor.selection.start;
  const range = new vscode.NotebookRange(index, index + 1);
  await vscode.window.showNotebookDocument(editor.notebook, {
    ...(editor.viewColumn === undefined ? {} : { viewColumn: editor.viewColumn }),
    selections: [range],
  });
  editor.revealRange(range, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
  await vscode.commands.executeCommand("notebook.cell.focusInOutput");
}
