/** Arrays of our notebooks: of a report that is drawn, and variables of the kernel. */
import * as vscode from "vscode";
import { fromFloat64 } from "../../../arrays/convert.ts";
import { REPORT_MIME } from "../../../report/schema.ts";
import type { ReportKey } from "../../../session/arrays/protocol.ts";
import type { NotebookController } from "../../controller.ts";
import { shapeAndType } from "../describe.ts";
import { type ArrayOffer, type PickedArray, pickedFromMemory } from "../pickedArray.ts";
import { type SavedReport, gradientIn, savedReports } from "./savedReport.ts";

/** What the context menu of a drawn report says of it. It comes from an output, so from anybody. */
interface MenuContext {
  readonly reports: readonly ReportKey[];
  /** The array's row that was clicked; null elsewhere in the report. */
  readonly array: string | null;
}

/** One array of a report in a notebook. */
interface Reported {
  readonly notebook: vscode.NotebookDocument;
  readonly cell: vscode.NotebookCell;
  readonly report: SavedReport;
  /** Null for the gradient. */
  readonly array: string | null;
}

export class NotebookArrays {
  private readonly controller: NotebookController;

  constructor(controller: NotebookController) {
    this.controller = controller;
  }

  /**
   * The arrays that the user chooses of the report that was clicked. What the click says only finds
   * the report among those that the notebook has; values come from the kernel, or from the report.
   */
  async ofOutput(
    context: unknown,
  ): Promise<{ readonly picked: PickedArray[]; readonly others: ArrayOffer[] } | null> {
    const menu = menuContext(context);
    const found = menu === null ? [] : this.clicked(menu);
    if (found.length === 0) {
      say("The report is not in an open notebook. Click into the notebook, and try again.");
      return null;
    }
    const clicked = menu?.array ?? null;
    const chosen =
      clicked === null
        ? await chooseReported(found)
        : found.filter((r) => r.array === clicked).slice(0, 1);
    if (chosen === null || chosen.length === 0) return null;
    const picked: PickedArray[] = [];
    for (const one of chosen) {
      const array = await this.read(one);
      if (array === null) return null;
      picked.push(array);
    }
    const others = found
      .filter((r) => !chosen.includes(r))
      .map((r): ArrayOffer => ({
        name: nameOf(r),
        description: shapeAndType(shapeOf(r), ""),
        detail: whereIs(r),
        pick: () => this.read(r),
      }));
    return { picked, others };
  }

  /** Variables of a notebook that our kernel drives; the user chooses some. Null after saying why not. */
  async ofKernel(
    notebook: vscode.NotebookDocument,
    wanted: string | null,
  ): Promise<{ readonly picked: PickedArray[]; readonly others: ArrayOffer[] } | null> {
    const all = await this.controller.variables(notebook);
    const named = all.filter((v) => v.name === wanted);
    if (all.length === 0) {
      say("The notebook has no arrays yet. Run the cell that makes them.");
      return null;
    }
    const chosen =
      named.length > 0
        ? named
        : await vscode.window.showQuickPick(
            all.map((v) => ({ ...v, label: v.name, description: shapeAndType(v.shape, v.dtype) })),
            {
              title: "Check Dice Gradient: variables of this notebook",
              placeHolder: "Choose the prediction, the target, or both",
              canPickMany: true,
              ignoreFocusOut: true,
            },
          );
    if (chosen === undefined || chosen.length === 0) return null;
    const picked: PickedArray[] = [];
    for (const { name } of chosen) {
      const array = await this.variable(notebook, name);
      if (array === null) return null;
      picked.push(array);
    }
    const names = new Set(picked.map((p) => p.name));
    const others = all
      .filter((v) => !names.has(v.name))
      .map((v): ArrayOffer => ({
        name: v.name,
        description: shapeAndType(v.shape, v.dtype),
        detail: "variable of this notebook",
        pick: () => this.variable(notebook, v.name),
      }));
    return { picked, others };
  }

  private async variable(
    notebook: vscode.NotebookDocument,
    name: string,
  ): Promise<PickedArray | null> {
    const answer = await this.controller.array(notebook, { kind: "variable", name });
    if (answer.kind !== "array") {
      say(answer.kind === "refused" ? answer.message : `${name} cannot be read.`);
      return null;
    }
    const origin = `variable ${name} of ${vscode.workspace.asRelativePath(notebook.uri)}`;
    return pickedFromMemory(name, answer.array, origin);
  }

  /** The arrays of the reports that were clicked, the gradients first. */
  private clicked({ reports }: MenuContext): Reported[] {
    const editors = [
      vscode.window.activeNotebookEditor,
      ...vscode.window.visibleNotebookEditors,
    ].filter((e) => e !== undefined);
    const isClicked = (r: SavedReport): boolean =>
      reports.some((k) => k.function === r.function && k.wrt === r.wrt && k.value === r.value);
    for (const { notebook } of editors) {
      const found = notebook.getCells().flatMap((cell) =>
        reportsOf(cell)
          .filter(isClicked)
          .flatMap((report) => {
            const of = { notebook, cell, report };
            const inputs = report.arrays.map((a): Reported => ({ ...of, array: a.name }));
            return report.shape === null ? inputs : [{ ...of, array: null }, ...inputs];
          }),
      );
      if (found.length > 0) return found;
    }
    return [];
  }

  private async read(one: Reported): Promise<PickedArray | null> {
    const { notebook, report, array } = one;
    const { function: name, wrt, value } = report;
    const origin = `${array ?? `gradient of ${name} by ${wrt}`}, ${whereIs(one)}`;
    const ask = { kind: "reported", report: { function: name, wrt, value }, array } as const;
    const answer = this.controller.drives(notebook)
      ? await this.controller.array(notebook, ask)
      : null;
    if (answer?.kind === "array") return pickedFromMemory(nameOf(one), answer.array, origin);
    // What the kernel has forgotten stands in the report, where that shows every element.
    const values = gradientIn(report, array);
    if (values !== null) {
      const read = fromFloat64(values, "float64", report.shape!);
      return pickedFromMemory(nameOf(one), read, origin);
    }
    say(
      `The kernel no longer has the arrays of ${name}, and the report shows only some of their ` +
        "elements. Run its cell again.",
    );
    return null;
  }
}

function nameOf({ report, array }: Reported): string {
  return array ?? `d_${report.wrt}`;
}

function shapeOf({ report, array }: Reported): readonly number[] {
  return array === null
    ? (report.shape ?? [])
    : (report.arrays.find((a) => a.name === array)?.shape ?? []);
}

function whereIs({ notebook, cell }: Reported): string {
  return `Cell ${String(cell.index + 1)} of ${vscode.workspace.asRelativePath(notebook.uri)}`;
}

async function chooseReported(found: readonly Reported[]): Promise<readonly Reported[] | null> {
  const items = found.map((reported) => ({
    label: reported.array ?? `Gradient of ${reported.report.function} by ${reported.report.wrt}`,
    description: shapeAndType(shapeOf(reported), ""),
    iconPath: new vscode.ThemeIcon(reported.array === null ? "symbol-operator" : "symbol-array"),
    reported,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: "Check Dice Gradient: arrays of this report",
    placeHolder: "Choose the prediction, the target, or both",
    canPickMany: true,
    ignoreFocusOut: true,
  });
  return picked?.map((x) => x.reported) ?? null;
}

function reportsOf(cell: vscode.NotebookCell): SavedReport[] {
  return cell.outputs.flatMap(({ items }) =>
    items.filter((item) => item.mime === REPORT_MIME).flatMap((item) => savedReports(item.data)),
  );
}

function menuContext(value: unknown): MenuContext | null {
  const { reports, reportArray } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(reports)) return null;
  const keys = reports.flatMap((r: unknown): ReportKey[] => {
    const { function: name, wrt, value: loss } = (r ?? {}) as Record<string, unknown>;
    const isKey = typeof name === "string" && typeof wrt === "string";
    return isKey ? [{ function: name, wrt, value: typeof loss === "number" ? loss : null }] : [];
  });
  return { reports: keys, array: typeof reportArray === "string" ? reportArray : null };
}

function say(message: string): void {
  void vscode.window.showInformationMessage(message);
}
