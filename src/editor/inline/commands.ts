/** The commands about one loss: derive, check, explain, set its shapes. Comparing is in `compare.ts`. */
import * as vscode from "vscode";
import type { DerivedInput } from "../../session/inline/protocol.ts";
import { problemWithShape, shapesCell } from "../../session/shapes.ts";
import { mayRunPython } from "../autograd/leave.ts";
import type { PythonRuns } from "../autograd/runs.ts";
import { saveShapes, shapesSet } from "../settings.ts";
import { type InlineDocuments, keyOf } from "./documents.ts";
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
import { arrayFromFile, sizesFor } from "./sampleArrays.ts";
import { type Target, targetOf } from "./target.ts";

/** Files that hold one array or several, as far as the inspector reads them. */
const ARRAY_FILES =
  "**/*.{npy,npz,nii,nii.gz,hdr,hdr.gz,img,img.gz,mha,mhd,nrrd,nhdr,mat,h5,hdf5,pt,pth,ckpt,pt.tar,pth.tar,safetensors,csv,tsv,png,tif,tiff}";
const MOST_FILES = 500;

export class LossCommands {
  private readonly documents: InlineDocuments;
  private readonly storage: vscode.Uri;
  private readonly python: PythonRuns;

  /** @param storage a folder of the extension's own for arrays it makes */
  constructor(documents: InlineDocuments, storage: vscode.Uri, python: PythonRuns) {
    this.documents = documents;
    this.storage = storage;
    this.python = python;
  }

  /** *Derive Gradient of This Loss*: the full report in a notebook beside the code. */
  async derive(argument: unknown): Promise<void> {
    const target = await targetOf(this.documents, argument);
    if (target === null) return;
    const derived = await this.documents.derived(target.document, target.name, { fresh: true });
    const definition = await definitionOf(target, derived);
    const set = shapesSet(vscode.Uri.parse(keyOf(target.document)))[target.name] ?? {};
    const inputs = derived?.kind === "derived" ? derived.inputs.map((x) => x.name) : null;
    // Those of parameters that have been renamed since would be refused.
    const shapes = Object.fromEntries(
      Object.entries(set).filter(([name]) => inputs?.includes(name) ?? true),
    );
    const subject =
      Object.keys(shapes).length === 0 ? target.name : shapesCell(target.name, shapes);
    await showInspection(
      definition.includes("\n") ? [definition, subject] : [`${definition}\n\n${subject}`],
    );
  }

  /** *Check Gradient of This Loss on Arrays…* */
  async check(argument: unknown): Promise<void> {
    const cells = await this.callCells(argument);
    if (cells !== null) await showInspection(cells);
  }

  /** *Explain Gradient Behaviour…*: where it vanishes or explodes, and three claims settled. */
  async explain(argument: unknown): Promise<void> {
    const cells = await this.callCells(argument, "Explain");
    if (cells === null) return;
    const call = cells.pop()!;
    await showInspection([...cells, `explain(${call})`]);
  }

  /** *Run This Loss in Python…*: the check, with real autograd as the referee. */
  async runInPython(argument: unknown): Promise<void> {
    if (!(await mayRunPython())) return;
    const cells = await this.callCells(argument);
    if (cells !== null) await showInspection(cells, this.python);
  }

  /** The cells that define a loss, make the arrays that the user chooses, and call it. */
  private async callCells(argument: unknown, verb = "Check"): Promise<string[] | null> {
    const target = await targetOf(this.documents, argument);
    const derived = target === null ? null : await derivedOrSaid(this.documents, target);
    if (target === null || derived === null) return null;
    const lines = await this.askForArrays(target, derived, verb);
    if (lines === null) return null;
    return [
      await definitionOf(target, derived),
      arraysCell([derived], lines),
      callOf(target.name, requiredOf(this.documents, target), derived),
    ];
  }

  /** *Set Shapes of This Loss…*: kept in the workspace's settings; empty answers forget them. */
  async setShapes(argument: unknown): Promise<void> {
    const target = await targetOf(this.documents, argument);
    if (target === null) return;
    const derived = await this.documents.derived(target.document, target.name, { fresh: true });
    const scope = vscode.Uri.parse(keyOf(target.document));
    const known = shapesSet(scope)[target.name] ?? {};
    const inputs =
      derived?.kind === "derived"
        ? derived.inputs.map(({ name, shape }) => ({
            name,
            // Of one that is set the code's own shape is not known here.
            shape: name in known ? "" : shape.join(", "),
          }))
        : requiredOf(this.documents, target).parameters.map((name) => ({ name, shape: "" }));
    const shapes: Record<string, string> = {};
    for (const [k, { name, shape }] of inputs.entries()) {
      const answer = await vscode.window.showInputBox({
        title: `Shape of ${name} in ${target.name} (${String(k + 1)} of ${String(inputs.length)})`,
        prompt: `Sizes or letters, such as 2, 1, 64, 64 or b, h, w:int64. Leave it empty to have the shape found from the code${shape === "" ? "" : `: (${shape})`}.`,
        value: known[name]?.replace(/,(?=\S)/g, ", ") ?? "",
        placeHolder: shape,
        ignoreFocusOut: true,
        validateInput: (text) => (text.trim() === "" ? null : problemWithShape(text)),
      });
      if (answer === undefined) return;
      if (answer.trim() !== "") shapes[name] = answer.trim();
    }
    await saveShapes(scope, target.name, shapes);
  }

  private async askForArrays(
    target: Target,
    derived: DerivedLoss,
    verb: string,
  ): Promise<Map<string, string> | null> {
    const shapes = derived.inputs.map((x) => `${x.name} (${sizesFor(x).join(", ")})`).join(", ");
    const choices = [
      { label: "$(wand) Random arrays", description: shapes, id: "random" },
      { label: "$(edit) Type them", description: "literals or NumPy expressions", id: "type" },
      { label: "$(file) From files", description: "of the workspace", id: "files" },
    ] as const;
    const choice = await vscode.window.showQuickPick(choices, {
      title: `${verb} ${target.name} on`,
      placeHolder: "Which arrays?",
    });
    if (choice === undefined) return null;
    const samples = await sampleLines(target.name, derived, this.storage);
    if (choice.id === "random") return samples;
    const files = choice.id === "files" ? await arrayFiles() : [];
    if (choice.id === "files" && files.length === 0) {
      await vscode.window.showInformationMessage("The workspace has no array files.");
      return null;
    }
    const lines = new Map<string, string>();
    for (const input of derived.inputs) {
      const line =
        choice.id === "type"
          ? await typedArray(input, samples.get(input.name) ?? "")
          : await pickedArray(input, files);
      if (line === null) return null;
      lines.set(input.name, line);
    }
    return lines;
  }
}

/** The workspace's files that hold arrays, by their names. */
export async function arrayFiles(): Promise<vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(ARRAY_FILES, undefined, MOST_FILES);
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

async function pickFile(
  files: readonly vscode.Uri[],
  placeHolder: string,
): Promise<vscode.Uri | null> {
  const items = files.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  return (await vscode.window.showQuickPick(items, { placeHolder }))?.uri ?? null;
}

async function typedArray(input: DerivedInput, example: string): Promise<string | null> {
  const text = await vscode.window.showInputBox({
    title: `${input.name}, ${input.role}, shape (${input.shape.join(", ")})`,
    prompt: 'Python, such as np.array([[0.9, 0.1]]) or np.load("mask.npy")',
    value: example,
    ignoreFocusOut: true,
    validateInput: (v) => (v.trim() === "" ? "Type an array" : null),
  });
  return text ?? null;
}

async function pickedArray(
  input: DerivedInput,
  files: readonly vscode.Uri[],
): Promise<string | null> {
  const file = await pickFile(files, `File of ${input.name} (${input.role})`);
  if (file === null) return null;
  const load = `np.load(${JSON.stringify(vscode.workspace.asRelativePath(file, false))})`;
  if (!/\.(npz|mat|h5|hdf5|pt|pth|safetensors)$/.test(file.path)) {
    return arrayFromFile(input.library, load);
  }
  const member = await vscode.window.showInputBox({
    title: `${input.name}: which array of ${vscode.workspace.asRelativePath(file)}?`,
    prompt: "Its name in the file. Leave it empty if there is only one.",
    value: input.name,
    ignoreFocusOut: true,
  });
  if (member === undefined) return null;
  const named = member === "" ? load : `${load}[${JSON.stringify(member)}]`;
  return arrayFromFile(input.library, named);
}
