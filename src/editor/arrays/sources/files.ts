/** Array files: of the Explorer, of editor tabs, of the workspace. */
import * as vscode from "vscode";
import type { ArrayAnswer, FileArray } from "../../../session/arrays/protocol.ts";
import { arrayFiles } from "../../inline/commands.ts";
import type { InlineDocuments } from "../../inline/documents.ts";
import { shapeAndType } from "../describe.ts";
import type { ArrayOffer, PickedArray } from "../pickedArray.ts";
import { withSlowProgress } from "../slowProgress.ts";

/** More reasons than these nobody reads in a notification. */
const SENTENCES = 2;

export class FileArrays {
  private readonly documents: InlineDocuments;

  constructor(documents: InlineDocuments) {
    this.documents = documents;
  }

  /** The arrays of files, their members asked for; null after telling why not, or when the user leaves. */
  async picked(uris: readonly vscode.Uri[]): Promise<PickedArray[] | null> {
    const all: PickedArray[] = [];
    for (const uri of uris) {
      const found = await this.pickedOf(uri, true);
      if (found === null) return null;
      all.push(...found);
    }
    return all;
  }

  /** Every array file of the workspace, to be looked into when it is chosen. */
  async offers(): Promise<ArrayOffer[]> {
    return (await arrayFiles()).map((uri) => {
      const path = vscode.workspace.asRelativePath(uri);
      return {
        name: path.slice(path.lastIndexOf("/") + 1),
        description: path,
        pick: async () => (await this.pickedOf(uri, false))?.[0] ?? null,
      };
    });
  }

  /** The other arrays of the files, where they hold several. */
  async besides(picked: readonly PickedArray[]): Promise<ArrayOffer[]> {
    const offers: ArrayOffer[] = [];
    const uris = new Map(
      picked.flatMap(({ value }) =>
        value.kind === "file" ? [[value.uri.toString(), value.uri]] : [],
      ),
    );
    for (const uri of uris.values()) {
      const answer = await this.documents.arrays({ kind: "file", path: uri.fsPath });
      if (answer.kind !== "file") continue;
      for (const array of answer.arrays) {
        const { member, shape, dtype } = array;
        const isPicked = picked.some(
          ({ value }) =>
            value.kind === "file" &&
            value.uri.toString() === uri.toString() &&
            value.member === (member ?? undefined),
        );
        if (isPicked || member === null) continue;
        offers.push({
          name: member,
          description: shapeAndType(shape, dtype),
          detail: vscode.workspace.asRelativePath(uri),
          pick: () => this.member(uri, member),
        });
      }
    }
    return offers;
  }

  /**
   * One array of a file, read for its range unless the user stops that; null after telling why it
   * cannot be read.
   */
  async member(uri: vscode.Uri, member: string | null): Promise<PickedArray | null> {
    const path = vscode.workspace.asRelativePath(uri);
    const answer = await this.read(uri, member, `Looking at the range of ${path}`);
    if (answer.kind !== "member") {
      say(refusalOf(answer, uri));
      return null;
    }
    const { shape, dtype, space } = answer.array;
    return {
      name: member ?? path.slice(path.lastIndexOf("/") + 1),
      shape,
      dtype,
      summary: answer.summary,
      ...(space === undefined ? {} : { space }),
      value: { kind: "file", uri, ...(member === null ? {} : { member }) },
      origin: member === null ? path : `${path}, ${member}`,
    };
  }

  private async read(uri: vscode.Uri, member: string | null, title: string): Promise<ArrayAnswer> {
    const ask = { kind: "member", path: uri.fsPath, member } as const;
    const asked: Promise<ArrayAnswer>[] = [];
    try {
      return await withSlowProgress(title, (report, stopping) => {
        const onProgress = (share: number): void => {
          report(`${Math.round(100 * share)} %`, share);
        };
        const reading = this.documents.arrays(ask, onProgress, stopping.signal);
        asked.push(reading);
        return reading;
      });
    } catch (e) {
      // Stopped: the array is taken all the same, without its range.
      const [reading] = asked;
      if (reading === undefined) throw e;
      return await reading;
    }
  }

  private async pickedOf(uri: vscode.Uri, canPickMany: boolean): Promise<PickedArray[] | null> {
    if (uri.scheme !== "file") {
      say(
        `${vscode.workspace.asRelativePath(uri)} is not on this machine's disk. Save a copy there.`,
      );
      return null;
    }
    const answer = await this.documents.arrays({ kind: "file", path: uri.fsPath });
    if (answer.kind !== "file") {
      say(refusalOf(answer, uri));
      return null;
    }
    const { arrays } = answer;
    const unreadable = answer.unreadable.map((text) => named(text, uri));
    if (arrays.length === 0) {
      say(
        `${vscode.workspace.asRelativePath(uri)} holds no arrays of numbers. ${some(unreadable)}`,
      );
      return null;
    }
    // Told before one is asked for: the one that is looked for may be among them.
    if (unreadable.length > 0) say(`Left out: ${some(unreadable)}`);
    const members = arrays.length === 1 ? arrays : await pickMembers(uri, arrays, canPickMany);
    const picked: PickedArray[] = [];
    for (const { member } of members ?? []) {
      const array = await this.member(uri, member);
      if (array === null) return null;
      picked.push(array);
    }
    return picked.length === 0 ? null : picked;
  }
}

async function pickMembers(
  uri: vscode.Uri,
  arrays: readonly FileArray[],
  canPickMany: boolean,
): Promise<readonly FileArray[] | undefined> {
  const items = arrays.map((array) => ({
    label: array.member ?? "",
    description: shapeAndType(array.shape, array.dtype),
    array,
  }));
  const options = {
    title: `Check Dice Gradient: arrays of ${vscode.workspace.asRelativePath(uri)}`,
    placeHolder: canPickMany ? "Choose the prediction, the target, or both" : "Which array?",
    ignoreFocusOut: true,
    matchOnDescription: true,
  };
  if (canPickMany) {
    const picked = await vscode.window.showQuickPick(items, { ...options, canPickMany });
    return picked?.map((x) => x.array);
  }
  const picked = await vscode.window.showQuickPick(items, options);
  return picked === undefined ? undefined : [picked.array];
}

function refusalOf(answer: ArrayAnswer, uri: vscode.Uri): string {
  return named(answer.kind === "refused" ? answer.message : `${uri.fsPath} cannot be read.`, uri);
}

/** With the file as the workspace calls it. */
function named(text: string, uri: vscode.Uri): string {
  return text.replaceAll(uri.fsPath, vscode.workspace.asRelativePath(uri));
}

/** The first of several sentences, and how many there are besides. */
function some(sentences: readonly string[]): string {
  const more = sentences.length - SENTENCES;
  const rest = more > 0 ? [`And ${more} more.`] : [];
  return [...sentences.slice(0, SENTENCES), ...rest].join(" ");
}

function say(message: string): void {
  void vscode.window.showInformationMessage(message);
}
