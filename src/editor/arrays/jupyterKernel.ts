/** Variables of running Jupyter kernels, through the Jupyter extension's public API. */
import { setTimeout as delay } from "node:timers/promises";
import type { Jupyter, Kernel, KernelStatus } from "@vscode/jupyter-extension";
import * as vscode from "vscode";
import {
  kernelPython,
  type KernelOutput,
  pathNamed,
  pythonFailure,
} from "../../arrays/live/kernel.ts";
import type { RunningPython } from "../../arrays/live/python.ts";
import { ArrayError } from "../../arrays/ndarray.ts";
import { notebookOf } from "../inline/documents.ts";
import { type LiveArrays, type LivePlace, NoPlace } from "./liveArray.ts";
import { variableAt } from "./nameInEditor.ts";

const EXTENSION = "ms-toolsai.jupyter";

/** The name of the error that Jupyter throws when the user has not let us in; it never changes. */
const ACCESS_REVOKED = "vscode.jupyter.apiAccessRevoked";

/** Milliseconds. A Jupyter server counts what it sends over three seconds, unless told otherwise. */
const SERVER_WINDOW = 3500;

/** Every name of a cell that a person gave: IPython's own begin with an underscore, or hold no array. */
const VARIABLES =
  "{name: value for name, value in list(globals().items()) if not name.startswith('_')}";

export class JupyterKernels {
  private readonly arrays: LiveArrays;

  constructor(arrays: LiveArrays) {
    this.arrays = arrays;
  }

  /** Checks a variable of Jupyter's Variables panel, or of VS Code's notebook variables view. */
  async checkVariable(argument: unknown): Promise<void> {
    const { expression, notebook } = variableIn(argument);
    if (expression === null || notebook === null) {
      void vscode.window.showInformationMessage(
        "Right-click an array in the variables of a notebook whose kernel is running.",
      );
      return;
    }
    await this.check(notebook, expression, true);
  }

  /**
   * Checks the variable at the cursor of a cell.
   * @returns false, having done nothing, where the cursor is on none, or no Jupyter kernel runs the
   *   notebook
   */
  async checkName(editor: vscode.TextEditor): Promise<boolean> {
    const notebook = notebookOf(editor.document)?.uri;
    const expression = editor.document.languageId === "python" ? variableAt(editor) : null;
    if (notebook === undefined || expression === null || !(await isRunning(notebook))) return false;
    await this.check(notebook, expression);
    return true;
  }

  /**
   * Checks the array that an expression gives in the kernel of a notebook.
   * @param isListed whether it is Jupyter's list of variables that names it so
   */
  private async check(notebook: vscode.Uri, expression: string, isListed = false): Promise<void> {
    await this.arrays.check(expression, async () => {
      const place = await kernelPlace(notebook);
      return isListed ? { ...place, expressionOf: expressionOfListed } : place;
    });
  }
}

/** What is not found is asked for as it is named, so that the answer says why. */
async function expressionOfListed(named: string, python: RunningPython): Promise<string> {
  const path = pathNamed(named);
  if (path === null) return named;
  try {
    return await python.evaluate(path);
  } catch (error) {
    if (error instanceof NoPlace || !(error instanceof ArrayError)) throw error;
    return named;
  }
}

/** @throws NoPlace for each way in which there is no kernel to ask */
async function kernelPlace(notebook: vscode.Uri): Promise<LivePlace> {
  const kernel = await kernelOf(notebook);
  const name = vscode.workspace.asRelativePath(notebook);
  return {
    python: (signal) =>
      kernelPython(
        (code) => execute(kernel, code, signal),
        () => delay(SERVER_WINDOW, undefined, { signal }),
      ),
    origin: `Jupyter kernel of ${name}`,
    waitsFor: () =>
      kernel.status === "busy" ? "the kernel is running a cell; it answers after that" : null,
    variables: () => Promise.resolve(VARIABLES),
    onGone: (listener) =>
      kernel.onDidChangeStatus((status) => {
        const problem = problemOf(status);
        if (problem !== null) listener(problem);
      }),
  };
}

/** Whether Jupyter has a kernel for it, in whatever state, that the user has started. */
async function isRunning(notebook: vscode.Uri): Promise<boolean> {
  const extension = vscode.extensions.getExtension<Partial<Jupyter>>(EXTENSION);
  // One that has a kernel is active; it is not started for the question.
  if (extension?.isActive !== true) return false;
  try {
    return (await extension.exports.kernels?.getKernel(notebook)) !== undefined;
  } catch {
    return false;
  }
}

async function kernelOf(notebook: vscode.Uri): Promise<Kernel> {
  const extension = vscode.extensions.getExtension<Partial<Jupyter>>(EXTENSION);
  if (extension === undefined) {
    throw new NoPlace(
      "Arrays of a Jupyter kernel are read through the Jupyter extension, which is not installed or is disabled.",
      "Install it, or run the notebook with the Dice Gradient Inspector's own kernel.",
      { title: "Show Extension", command: "workbench.extensions.search", argument: EXTENSION },
    );
  }
  let jupyter: Partial<Jupyter>;
  try {
    jupyter = await extension.activate();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NoPlace(`The Jupyter extension did not start: ${why}.`, "Reload the window.");
  }
  if (jupyter.kernels === undefined) {
    throw new NoPlace(
      "The Jupyter extension is too old to let others ask its kernels.",
      "Update it.",
    );
  }
  let kernel: Kernel | undefined;
  try {
    kernel = await jupyter.kernels.getKernel(notebook);
  } catch (error) {
    throw refusalOf(error);
  }
  if (kernel === undefined) {
    throw new NoPlace(
      `No kernel of ${vscode.workspace.asRelativePath(notebook)} is running that you have started.`,
      "Run the cells that make the array, and pick it again.",
    );
  }
  if (kernel.language.toLowerCase() !== "python") {
    throw new NoPlace(
      `The kernel runs ${kernel.language}; arrays of Python kernels can be read.`,
      "Save the array to a .npy file, and right-click that.",
    );
  }
  const problem = problemOf(kernel.status);
  if (problem !== null) throw problem;
  return kernel;
}

/** Why a kernel in this state gives no answer, or loses what was asked for; null where it does not. */
function problemOf(status: KernelStatus): ArrayError | null {
  switch (status) {
    case "dead":
    case "terminating":
      return new NoPlace(
        "The kernel has ended, and its arrays with it.",
        "Run the cells again that make them.",
      );
    case "restarting":
    case "autorestarting":
      return new NoPlace(
        "The kernel is being restarted, and its arrays are gone.",
        "Run the cells again that make them.",
      );
    case "starting":
      return new NoPlace("The kernel is still starting.", "Pick the array again once it has.");
    case "unknown":
    case "idle":
    case "busy":
      return null;
  }
}

async function* execute(
  kernel: Kernel,
  code: string,
  signal: AbortSignal,
): AsyncGenerator<KernelOutput> {
  const source = new vscode.CancellationTokenSource();
  const stop = (): void => {
    source.cancel();
  };
  signal.addEventListener("abort", stop);
  try {
    yield* kernel.executeCode(code, source.token);
  } catch (error) {
    throw refusalOf(error);
  } finally {
    signal.removeEventListener("abort", stop);
    source.dispose();
  }
}

/** What Jupyter's own errors mean. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ArrayError) return error;
  if (error.name === ACCESS_REVOKED) {
    const why = vscode.workspace.isTrusted
      ? "Jupyter does not let the Dice Gradient Inspector ask its kernels: access was denied."
      : "Jupyter lets nobody ask its kernels in a workspace that is not trusted.";
    return vscode.workspace.isTrusted
      ? new NoPlace(why, "Allow it, and pick the array again.", {
          title: "Manage Access",
          command: "jupyter.manageAccessToKernels",
        })
      : new NoPlace(why, "Trust it, and pick the array again.", {
          title: "Manage Workspace Trust",
          command: "workbench.trust.manage",
        });
  }
  if (error.name === "Canceled" || error instanceof vscode.CancellationError) {
    return new NoPlace("The kernel dropped the question.", "Pick the array again.");
  }
  // What Python raised comes as an output, and then once more as the reason of the end.
  const { ename, evalue } = error as { readonly ename?: unknown; readonly evalue?: unknown };
  if (typeof ename === "string") {
    return pythonFailure(ename, typeof evalue === "string" ? evalue : error.message);
  }
  const why = error.message.replace(/\.$/, "");
  return new ArrayError(`Jupyter could not ask the kernel: ${why}.`);
}

/** What the two views give with a variable. */
interface VariableArgument {
  readonly name?: unknown;
  /** VS Code's view: how to get at it, and its notebook's URI. */
  readonly expression?: unknown;
  readonly source?: unknown;
  /** Jupyter's panel: its notebook's URI, as plain data. */
  readonly fileName?: { readonly scheme?: unknown; readonly path?: unknown } | null;
}

function variableIn(argument: unknown): {
  readonly expression: string | null;
  readonly notebook: vscode.Uri | null;
} {
  const { name, expression, source, fileName } = (argument ?? {}) as VariableArgument;
  const text = typeof expression === "string" && expression !== "" ? expression : name;
  return {
    expression: typeof text === "string" && text !== "" ? text : null,
    notebook: (typeof source === "string" ? uriIn(source) : uriOf(fileName)) ?? activeNotebook(),
  };
}

/** The notebook that VS Code's view names, as a window knows it: in a remote one, by its connection. */
function uriIn(source: string): vscode.Uri {
  const uri = vscode.Uri.parse(source);
  return uri.scheme === "vscode-remote" ? vscode.Uri.file(uri.path) : uri;
}

function uriOf(parts: VariableArgument["fileName"]): vscode.Uri | null {
  if (typeof parts?.path !== "string") return null;
  const scheme = typeof parts.scheme === "string" ? parts.scheme : "file";
  return vscode.Uri.from({ ...(parts as object), scheme, path: parts.path });
}

function activeNotebook(): vscode.Uri | null {
  return vscode.window.activeNotebookEditor?.notebook.uri ?? null;
}
