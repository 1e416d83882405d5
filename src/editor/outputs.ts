/** What the worker computed, as notebook outputs. */
import * as vscode from "vscode";
import { REPORT_MIME } from "../report/schema.ts";
import type { CellOutput, Drawn, Failure } from "../session/protocol.ts";

function text(value: string, mime: string): vscode.NotebookCellOutputItem {
  return vscode.NotebookCellOutputItem.text(value, mime);
}

export function toNotebookOutput(output: CellOutput): vscode.NotebookCellOutput {
  switch (output.kind) {
    case "report":
      return reportOutput(output.drawn);
    case "text":
      return new vscode.NotebookCellOutput([vscode.NotebookCellOutputItem.stdout(output.text)]);
    case "failure":
      return failureOutput(output.failure);
  }
}

/** Every form in one output, so that the saved notebook reads well wherever it is opened. */
function reportOutput(drawn: Drawn): vscode.NotebookCellOutput {
  return new vscode.NotebookCellOutput(
    [
      vscode.NotebookCellOutputItem.json(drawn.report, REPORT_MIME),
      text(drawn.html, "text/html"),
      text(drawn.latex, "text/latex"),
      text(drawn.markdown, "text/markdown"),
      text(drawn.plain, "text/plain"),
    ],
    { outputType: "display_data" },
  );
}

function failureOutput(f: Failure): vscode.NotebookCellOutput {
  return new vscode.NotebookCellOutput([
    vscode.NotebookCellOutputItem.error({
      name: f.name,
      message: f.message,
      stack: failureText(f),
    }),
  ]);
}

/** Place, source line with caret, message and remedy: what a reader needs, and no stack trace. */
export function failureText(f: Failure): string {
  const where =
    f.file === null ? "" : f.line === null ? f.file : `${f.file}, line ${String(f.line)}`;
  return [where, f.caretText ?? "", `${f.name}: ${f.message}`, f.remedy ?? ""]
    .filter((part) => part !== "")
    .join("\n");
}
