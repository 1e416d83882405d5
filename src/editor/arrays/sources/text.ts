/** Arrays written in editors: literals in Python, JSON and notebook cells, and tables of numbers. */
import { dirname, isAbsolute, resolve } from "node:path";
import * as vscode from "vscode";
import type { ArrayAsk, WrittenArray } from "../../../session/arrays/protocol.ts";
import { directoryOf } from "../../controller.ts";
import { type InlineDocuments, notebookOf } from "../../inline/documents.ts";
import { shapeAndType } from "../describe.ts";
import type { ArrayOffer, PickedArray } from "../pickedArray.ts";
import type { FileArrays } from "./files.ts";

type Language = Extract<ArrayAsk, { kind: "text" }>["language"];

/** More text than this is a data file: it is read as one. */
const LONGEST = 8_000_000;

export interface PickedInText {
  readonly picked: readonly PickedArray[];
  /** Other arrays of the document. */
  readonly others: readonly ArrayOffer[];
}

export class TextArrays {
  private readonly documents: InlineDocuments;
  private readonly files: FileArrays;

  constructor(documents: InlineDocuments, files: FileArrays) {
    this.documents = documents;
    this.files = files;
  }

  /** The arrays at the cursors or in the selections; null after telling why there are none. */
  async at({ document, selections }: vscode.TextEditor): Promise<PickedInText | null> {
    const language = languageOf(document);
    if (language === null) {
      say(
        "Arrays are found in Python, JSON and CSV. Select one in such a file, or pick an array file.",
      );
      return null;
    }
    const text = document.getText();
    if (text.length > LONGEST) {
      say(
        `${nameOf(document)} is too long to look for the array at the cursor. ` +
          "Pick the file itself in the Explorer, or copy the array into a shorter one.",
      );
      return null;
    }
    const ranges = selections.map((s) => ({
      start: document.offsetAt(s.start),
      end: document.offsetAt(s.end),
    }));
    const file = nameOf(document);
    const answer = await this.documents.arrays({ kind: "text", language, text, file, ranges });
    if (answer.kind !== "text") {
      say(answer.kind === "refused" ? answer.message : "There is no array at the cursor.");
      return null;
    }
    const picked: PickedArray[] = [];
    for (const written of distinct(answer.found)) {
      const array = await this.pickedFrom(document, written);
      if (array === null) return null;
      picked.push(array);
    }
    return { picked, others: answer.others.map((w) => this.offer(document, w)) };
  }

  /** Named arrays of the documents that are in sight. */
  async inSight(): Promise<ArrayOffer[]> {
    const offers: ArrayOffer[] = [];
    const documents = new Set(vscode.window.visibleTextEditors.map((e) => e.document));
    for (const document of documents) {
      const language = languageOf(document);
      const text = document.getText();
      if (language === null || language === "table" || text.length > LONGEST) continue;
      const file = nameOf(document);
      const ask = { kind: "text", language, text, file, ranges: [] } as const;
      const answer = await this.documents.arrays(ask);
      if (answer.kind !== "text") continue;
      offers.push(...answer.others.map((w) => this.offer(document, w)));
    }
    return offers;
  }

  private offer(document: vscode.TextDocument, written: WrittenArray): ArrayOffer {
    const { name, line, shape, dtype, value } = written;
    return {
      name: name ?? "array",
      description: value.kind === "load" ? value.path : shapeAndType(shape, dtype),
      detail: `${nameOf(document)}, line ${String(line)}`,
      pick: () => this.pickedFrom(document, written),
    };
  }

  private async pickedFrom(
    document: vscode.TextDocument,
    { name, line, shape, dtype, summary, value }: WrittenArray,
  ): Promise<PickedArray | null> {
    const place = `${nameOf(document)}:${String(line)}`;
    if (value.kind === "load") {
      const path = isAbsolute(value.path)
        ? value.path
        : resolve(directoryFor(document), value.path);
      const array = await this.files.member(vscode.Uri.file(path), value.member);
      return array === null
        ? null
        : { ...array, name: name ?? array.name, origin: `${place}: ${array.origin}` };
    }
    return { name: name ?? "array", shape, dtype, summary, value, origin: place };
  }
}

/** Two cursors in one array are one array. */
function distinct(found: readonly WrittenArray[]): WrittenArray[] {
  const key = ({ name, line, shape, value }: WrittenArray): string =>
    JSON.stringify([name, line, shape, value.kind === "expression" ? value.text : value.kind]);
  return found.filter((a, k) => a.name === null || found.findIndex((b) => key(b) === key(a)) === k);
}

function languageOf(document: vscode.TextDocument): Language | null {
  const { languageId } = document;
  if (languageId === "python") return "python";
  if (/^json[cl]?$/.test(languageId)) return "json";
  return /^(csv|tsv|dynamic csv)$/.test(languageId) || /\.(csv|tsv)$/i.test(document.uri.path)
    ? "table"
    : null;
}

/** A cell by its number, a file by its path in the workspace. */
function nameOf(document: vscode.TextDocument): string {
  const notebook = notebookOf(document);
  if (notebook === null) return vscode.workspace.asRelativePath(document.uri);
  const index = notebook.getCells().findIndex((c) => c.document === document);
  return `${vscode.workspace.asRelativePath(notebook.uri)}, Cell ${String(index + 1)}`;
}

/** Where a script's relative paths are most likely meant to begin. */
function directoryFor(document: vscode.TextDocument): string {
  const notebook = notebookOf(document);
  if (notebook !== null) return directoryOf(notebook);
  const folder = vscode.workspace.getWorkspaceFolder(document.uri);
  return folder?.uri.fsPath ?? dirname(document.uri.fsPath);
}

function say(message: string): void {
  void vscode.window.showInformationMessage(message);
}
