/** Inspection notebooks for a loss: where its code comes from, arrays for it, and the call. */
import { relative, sep } from "node:path";
import * as vscode from "vscode";
import { writeNpy } from "../../arrays/npy.ts";
import type { Derived, DerivedInput } from "../../session/inline/protocol.ts";
import type { PythonRuns } from "../autograd/runs.ts";
import { code, newNotebook, openNotebook, run } from "../notebooks.ts";
import { type InlineDocuments, notebookOf } from "./documents.ts";
import {
  arrayCall,
  arrayFromFile,
  elementsOf,
  importOf,
  nested,
  sizesFor,
  valuesFor,
} from "./sampleArrays.ts";
import type { Target } from "./target.ts";

export type DerivedLoss = Extract<Derived, { kind: "derived" }>;

/** What arrays can be made for: a loss of the user's, or one of the catalogue. */
export interface TakesArrays {
  readonly inputs: readonly DerivedInput[];
  readonly report: { readonly loss: { readonly text: string } };
}

/** More elements than this are kept in a file: nobody reads them in a cell. */
const LONGEST_LITERAL = 256;

/** Opens a notebook beside the code and runs its cells; in Python too, where `python` is given. */
export async function showInspection(
  cells: readonly string[],
  python: PythonRuns | null = null,
): Promise<void> {
  const notebook = await newNotebook(cells.map((source) => code(source)));
  await openNotebook(notebook, { viewColumn: vscode.ViewColumn.Beside });
  if (python === null) await run(notebook, 0, cells.length);
  else await python.run(notebook.getCells());
}

/** What a loss was derived to; null after telling the user why it could not be. */
export async function derivedOrSaid(
  documents: InlineDocuments,
  { document, name }: Target,
): Promise<DerivedLoss | null> {
  const derived = await documents.derived(document, name, { fresh: true });
  if (derived?.kind === "derived") return derived;
  const reason =
    derived === null
      ? `${name} is not a function or class that takes arrays.`
      : `The gradient of ${name} cannot be derived: ${derived.failure.message}` +
        (derived.failure.line === null ? "" : ` (line ${String(derived.failure.line)})`);
  // Not awaited: what waits for the derivation ends now, not when the message is closed.
  void vscode.window.showInformationMessage(reason);
  return null;
}

/** What a call of a loss must give besides arrays; settings are those of a class's constructor. */
export interface Required {
  readonly parameters: readonly string[];
  readonly settings: readonly string[] | null;
}

export function requiredOf(documents: InlineDocuments, { document, name }: Target): Required {
  const candidate = documents.loss(document, name)?.candidate;
  const { kind, parameters = [], settings = [] } = candidate ?? {};
  // Of what is imported, Python's way of writing names tells classes.
  const isClass = kind === "class" || (kind === "imported" && /^[A-Z]/.test(name));
  return { parameters, settings: isClass ? settings : null };
}

/**
 * Python that makes a loss known to a notebook: its import, so that running again follows the
 * file's changes, or its code where it cannot be imported.
 * @param derived gives the code of a loss in a notebook; null when it could not be derived
 */
export async function definitionOf(target: Target, derived: Derived | null): Promise<string> {
  const { document, name } = target;
  const module = moduleOf(document);
  if (module !== null) {
    // The cell imports the file as it lies on disk.
    if (document.isDirty) await document.save();
    return `from ${module} import ${name}`;
  }
  if (derived?.kind === "derived") return derived.code;
  const cells = notebookOf(document)?.getCells() ?? [];
  const isCode = (c: vscode.NotebookCell): boolean =>
    c.kind === vscode.NotebookCellKind.Code && c.document.languageId === "python";
  return cells.length === 0
    ? document.getText()
    : cells
        .filter(isCode)
        .map((c) => c.document.getText())
        .join("\n\n");
}

/** Dotted name by which a notebook in the first workspace folder imports the file; else null. */
function moduleOf(document: vscode.TextDocument): string | null {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined || document.isUntitled || document.uri.scheme !== "file") return null;
  const path = relative(folder.uri.fsPath, document.uri.fsPath);
  if (path.startsWith("..") || !path.endsWith(".py")) return null;
  const parts = path.slice(0, -3).split(sep);
  return parts.every((p) => /^[A-Za-z_]\w*$/.test(p)) ? parts.join(".") : null;
}

/** Lines that make random arrays for a loss, by input; large ones are saved in `folder`. */
export async function sampleLines(
  name: string,
  derived: TakesArrays,
  folder: vscode.Uri,
): Promise<Map<string, string>> {
  const lines = new Map<string, string>();
  for (const [k, input] of derived.inputs.entries()) {
    const sizes = sizesFor(input);
    const values = valuesFor(input, {
      logits: takesLogits(derived, input),
      classes: classesOf(derived.inputs),
      seed: k + 1,
    });
    if (elementsOf(sizes) <= LONGEST_LITERAL) {
      lines.set(input.name, arrayCall(input.library, nested(values, sizes, input.type)));
      continue;
    }
    const file = vscode.Uri.joinPath(folder, "arrays", `${name}-${input.name}.npy`);
    const data = input.type === "float" ? Float64Array.from(values) : Int32Array.from(values);
    const dtype = input.type === "float" ? "float64" : "int32";
    await vscode.workspace.fs.writeFile(file, writeNpy({ dtype, shape: sizes, data }));
    lines.set(input.name, arrayFromFile(input.library, `np.load(${JSON.stringify(file.fsPath)})`));
  }
  return lines;
}

/** Whether a prediction is of any size rather than between 0 and 1. */
export function takesLogits(derived: TakesArrays, input: DerivedInput): boolean {
  return /logit/i.test(input.name) || /σ\(|softmax|sigmoid/.test(derived.report.loss.text);
}

export function classesOf(inputs: readonly DerivedInput[]): number {
  const prediction = inputs.find((x) => x.role === "prediction");
  const axis = prediction?.shape.findIndex(
    (n, k) => n === "c" || (k === 1 && typeof n === "number"),
  );
  const sizes = prediction === undefined ? [] : sizesFor(prediction);
  return Math.max(2, sizes[axis ?? -1] ?? 2);
}

/** The cell that gives names to arrays, with what they need imported. */
export function arraysCell(
  derived: readonly TakesArrays[],
  lines: ReadonlyMap<string, string>,
): string {
  const libraries = new Set(derived.flatMap((d) => d.inputs.map((x) => x.library)));
  const text = [...lines].map(([name, value]) => `${name} = ${value}`).join("\n");
  if (/\bnp\./.test(text)) libraries.add("numpy");
  return `${[...libraries].map(importOf).join("\n")}\n\n${text}`;
}

/**
 * The call of a loss with arrays by name.
 * @param names the array for each input; its own name unless given
 */
export function callOf(
  name: string,
  required: Required,
  derived: TakesArrays,
  names: (input: DerivedInput) => string = (input) => input.name,
): string {
  const given = derived.inputs.map((x) => `${x.name}=${names(x)}`);
  const isInput = (parameter: string): boolean => derived.inputs.some((x) => x.name === parameter);
  const numbers = required.parameters.filter((p) => !isInput(p)).map(numberFor);
  const { settings } = required;
  const instance = settings === null ? "" : `(${settings.map(numberFor).join(", ")})`;
  return `${name}${instance}(${[...given, ...numbers].join(", ")})`;
}

/** A number without a default: as many classes as the arrays have where it counts, else 1. */
function numberFor(parameter: string): string {
  return `${parameter}=${/class|channel|label/i.test(parameter) ? "3" : "1.0"}`;
}
