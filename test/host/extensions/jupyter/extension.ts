/**
 * The Jupyter extension's public API in front of a real ipykernel: as near as tests can get, since
 * Microsoft's extension cannot be had from npm. Code that is executed is executed; what the real one
 * does besides (which kernel it hands out, its question for access, what it passes to a viewer of its
 * Variables panel, what it tells VS Code's notebook variables view) is written after its source.
 */
import type { Jupyter } from "@vscode/jupyter-extension";
import * as vscode from "vscode";
import { KernelSession } from "../../../oracle/kernelSession.ts";
import { asKernel, AskedKernel, forgetAccess, set } from "./kernel.ts";
import { provideVariables, viewVariable } from "./variables.ts";

const LABEL = "Python 3 (ipykernel)";

/** What the real one exports, as far as others ask kernels by it; an old version has less. */
interface Api {
  readonly kernels: Pick<Jupyter["kernels"], "getKernel"> | undefined;
}

/** The kernels that a user has started, by their notebook. */
const kernels = new Map<string, AskedKernel>();

export function activate(context: vscode.ExtensionContext): Api {
  const register = (name: string, f: () => unknown): void => {
    context.subscriptions.push(vscode.commands.registerCommand(`jupyter.${name}`, f));
  };
  const controller = vscode.notebooks.createNotebookController(
    "python3",
    "jupyter-notebook",
    LABEL,
    (cells, notebook) => runCells(controller, cells, notebook),
  );
  provideVariables(controller, kernelOf);
  register("selectKernel", () =>
    vscode.commands.executeCommand("notebook.selectKernel", {
      id: controller.id,
      extension: context.extension.id,
    }),
  );
  register("viewVariable", () => viewVariable(kernelOf));
  register("manageAccessToKernels", forgetAccess);
  register("useOtherLanguage", () => (set.language = "julia"));
  register("usePython", () => (set.language = "python"));
  register("behaveAsOldVersion", () => (set.isOld = true));
  register("behaveAsNewVersion", () => (set.isOld = false));
  register("limitOutputs", () => (set.outputLimit = 1_000_000));
  register("killKernel", () => activeKernel()?.session.kill());
  context.subscriptions.push(controller, {
    dispose: () => {
      for (const kernel of kernels.values()) void kernel.session.close();
    },
  });
  return {
    get kernels() {
      return set.isOld
        ? undefined
        : { getKernel: (uri: vscode.Uri) => Promise.resolve(apiOf(uri)) };
    },
  };
}

function kernelOf(notebook: vscode.Uri): AskedKernel | undefined {
  return kernels.get(notebook.toString());
}

function activeKernel(): AskedKernel | undefined {
  const notebook = vscode.window.activeNotebookEditor?.notebook.uri;
  return notebook === undefined ? undefined : kernelOf(notebook);
}

/** As the real one does, it keeps a kernel that nobody has started to itself. */
function apiOf(notebook: vscode.Uri): ReturnType<typeof asKernel> | undefined {
  const kernel = kernelOf(notebook);
  return kernel === undefined ? undefined : asKernel(kernel);
}

/** Starts the notebook's kernel if there is none, and runs cells in it. */
async function runCells(
  controller: vscode.NotebookController,
  cells: readonly vscode.NotebookCell[],
  { uri }: vscode.NotebookDocument,
): Promise<void> {
  const executions = cells.map((cell) => controller.createNotebookCellExecution(cell));
  let kernel = kernelOf(uri);
  if (kernel === undefined || kernel.status === "dead") {
    const session = await KernelSession.launch(
      process.env["DICE_GRADIENT_PYTHON"] ?? "python3",
      process.env["DICE_GRADIENT_KERNEL_CLIENT"] ?? "",
      process.env["DICE_GRADIENT_KERNEL_FOLDER"],
    );
    kernel = new AskedKernel(session);
    kernels.set(uri.toString(), kernel);
  }
  for (const execution of executions) {
    execution.start();
    execution.executionOrder = kernel.nextNumber++;
    await execution.clearOutput();
    let isRight = true;
    for await (const { items } of kernel.session.execute(execution.cell.document.getText())) {
      isRight &&= items.every(({ mime }) => !mime.endsWith(".error"));
      const shown = items.map(({ data, mime }) => new vscode.NotebookCellOutputItem(data, mime));
      await execution.appendOutput(new vscode.NotebookCellOutput(shown));
    }
    execution.end(isRight);
  }
}
