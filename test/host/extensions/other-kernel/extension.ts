/** A kernel that fills VS Code's notebook variables view, and is not the Jupyter extension's. */
import * as vscode from "vscode";
import type { VariableProvider } from "../jupyter/variables.ts";

export function activate(context: vscode.ExtensionContext): void {
  const controller = vscode.notebooks.createNotebookController(
    "other-kernel",
    "jupyter-notebook",
    "Other Kernel",
    async (cells) => {
      // VS Code offers its view of variables once a cell has been run.
      for (const cell of cells) {
        const execution = controller.createNotebookCellExecution(cell);
        execution.start();
        const item = vscode.NotebookCellOutputItem.text("done");
        await execution.replaceOutput(new vscode.NotebookCellOutput([item]));
        execution.end(true);
      }
    },
  );
  const provider: VariableProvider = {
    onDidChangeVariables: new vscode.EventEmitter<vscode.NotebookDocument>().event,
    async *provideVariables() {
      await Promise.resolve();
      yield {
        variable: {
          name: "y_pred",
          value: "array([0.5])",
          type: "numpy.ndarray",
          expression: "y_pred",
          language: "python",
        },
        hasNamedChildren: false,
        indexedChildrenCount: 0,
      };
    },
  };
  (controller as { variableProvider?: VariableProvider }).variableProvider = provider;
  context.subscriptions.push(
    controller,
    vscode.commands.registerCommand("other-kernel.select", () =>
      vscode.commands.executeCommand("notebook.selectKernel", {
        id: controller.id,
        extension: context.extension.id,
      }),
    ),
  );
}
