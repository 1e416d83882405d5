/** A kernel's variables, where the Jupyter extension shows them. */
import * as vscode from "vscode";
import type { AskedKernel } from "./kernel.ts";

/** What Python says of each variable: as the real extension's own script does. */
const LISTING = `import json as _json

def _listed(name, value, root=""):
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    return {
        "name": name, "type": kind.__name__, "fullType": module + kind.__qualname__,
        "value": repr(value)[:60], "expression": root + name,
        "children": [_listed(str(k), v, root + name + ".") for k, v in value.items()] if kind is dict else [],
    }

print(_json.dumps([
    _listed(name, value) for name, value in list(globals().items())
    if not name.startswith("_") and name not in ("In", "Out", "exit", "quit", "open", "get_ipython")
    and type(value).__name__ not in ("module", "function", "type", "method")
]))`;

interface Listed {
  readonly name: string;
  readonly type: string;
  readonly fullType: string;
  readonly value: string;
  /** The real extension names an element of a dictionary like an attribute. */
  readonly expression: string;
  readonly children: readonly Listed[];
}

type FindKernel = (notebook: vscode.Uri) => AskedKernel | undefined;

async function listed(kernel: AskedKernel | undefined): Promise<readonly Listed[]> {
  if (kernel === undefined || kernel.status === "dead") return [];
  return JSON.parse(await kernel.session.run(LISTING)) as Listed[];
}

/** The proposed API by which a kernel fills VS Code's notebook variables view. */
export interface VariableProvider {
  readonly onDidChangeVariables: vscode.Event<vscode.NotebookDocument>;
  provideVariables(
    notebook: vscode.NotebookDocument,
    parent: unknown,
  ): AsyncIterable<{
    readonly variable: {
      readonly name: string;
      readonly value: string;
      readonly type: string;
      readonly expression: string;
      readonly language: string;
      readonly children?: readonly Listed[];
    };
    readonly hasNamedChildren: boolean;
    readonly indexedChildrenCount: number;
  }>;
}

/** Fills VS Code's view, where the window lets extensions use API that is still proposed. */
export function provideVariables(
  controller: vscode.NotebookController,
  kernelOf: FindKernel,
): void {
  const provider: VariableProvider = {
    onDidChangeVariables: new vscode.EventEmitter<vscode.NotebookDocument>().event,
    async *provideVariables(notebook, parent) {
      const { children } = (parent ?? {}) as { readonly children?: readonly Listed[] };
      for (const variable of children ?? (await listed(kernelOf(notebook.uri)))) {
        yield {
          variable: { ...variable, type: variable.fullType, language: "python" },
          hasNamedChildren: variable.children.length > 0,
          indexedChildrenCount: 0,
        };
      }
    },
  };
  try {
    (controller as { variableProvider?: VariableProvider }).variableProvider = provider;
  } catch {
    // Only the test of that view opens its window so.
  }
}

interface Viewer {
  readonly command: string;
  readonly title: string;
  readonly dataTypes: readonly string[];
}

/** What the button beside a variable does in Jupyter's panel: the viewer of its type opens. */
export async function viewVariable(kernelOf: FindKernel): Promise<void> {
  const notebook = vscode.window.activeNotebookEditor?.notebook.uri;
  if (notebook === undefined) return;
  const variables = await listed(kernelOf(notebook));
  const name = await vscode.window.showQuickPick(
    variables.map((v) => ({ label: v.name, description: v.type })),
    { title: "Variables of the kernel" },
  );
  const variable = variables.find((v) => v.name === name?.label);
  if (variable === undefined) return;
  const viewer = vscode.extensions.all
    .flatMap((extension) => {
      const { contributes } = extension.packageJSON as {
        readonly contributes?: { readonly jupyterVariableViewers?: readonly Viewer[] };
      };
      return contributes?.jupyterVariableViewers ?? [];
    })
    .find(({ dataTypes }) => dataTypes.includes(variable.type));
  if (viewer === undefined) {
    void vscode.window.showInformationMessage(`No viewer takes a ${variable.type}.`);
    return;
  }
  const { scheme, authority, path } = notebook;
  await vscode.commands.executeCommand(viewer.command, {
    ...variable,
    size: 0,
    shape: "",
    count: 0,
    truncated: true,
    supportsDataExplorer: true,
    fileName: { scheme, authority, path },
  });
}
