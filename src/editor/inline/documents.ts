/**
 * The Python files and notebooks that are being looked at, and what is known of the losses in them.
 * Everything is answered from memory: what an edit makes out of date is shown, at its new line,
 * until the worker has read the edited text.
 */
import { dirname } from "node:path";
import { homedir } from "node:os";
import * as vscode from "vscode";
import type { ArrayAnswer, ArrayAsk } from "../../session/arrays/protocol.ts";
import type {
  Candidate,
  CatalogueResponse,
  Derived,
  DocumentResponse,
  InlineRequest,
  InlineResponse,
  Place,
} from "../../session/inline/protocol.ts";
import { SECTION, pythonFor, shapesSet } from "../settings.ts";
import { InlineClient } from "./client.ts";

/** Pause in typing after which the text is read; the worker needs about as long for an edit. */
const PAUSE_MS = 50;
/** Longer files are data. */
const LONGEST = 1_000_000;

/** A loss of a document, at its place in the text as it is now. */
export interface Loss {
  readonly name: string;
  readonly candidate: Candidate;
  readonly document: vscode.TextDocument;
  /** Null while it has not been derived. */
  readonly result: Derived | null;
  /** The text has changed since. */
  readonly isStale: boolean;
}

/** By how many lines an edit moved the text below it. */
interface Edit {
  readonly uri: string;
  /** From 0: the first line below that moved. */
  readonly below: number;
  readonly moved: number;
}

interface Tracked {
  readonly key: string;
  /** The file, or the notebook's Python cells, as they were sent. */
  parts: readonly vscode.TextDocument[];
  version: number;
  /** Null until the text has been read for the first time. */
  candidates: readonly Candidate[] | null;
  readonly results: Map<string, Derived>;
  readonly stale: Set<string>;
  /** Since the text was sent. */
  edits: Edit[];
  timer: NodeJS.Timeout | null;
}

/** Who waits for an answer about arrays. */
interface Waiting {
  readonly resolve: (answer: ArrayAnswer) => void;
  readonly onProgress: (share: number) => void;
}

export class InlineDocuments implements vscode.Disposable {
  private readonly client: InlineClient;
  private readonly tracked = new Map<string, Tracked>();
  private readonly changed = new vscode.EventEmitter<string>();
  /** Documents of which it is still to be said that more is known. */
  private readonly untold = new Set<string>();
  private readonly catalogue = new vscode.EventEmitter<CatalogueResponse>();
  private readonly disposables: vscode.Disposable[] = [];
  private version = 0;
  private deaths = 0;
  private asked = 0;
  private readonly waiting = new Map<number, Waiting>();
  /** Fired with the key of a document, see {@link keyOf}, whenever more is known of it. */
  readonly onDidChange = this.changed.event;
  /** What the worker says of the catalogue, see {@link ask}. */
  readonly onCatalogue = this.catalogue.event;

  constructor(workerFile: string) {
    this.client = new InlineClient(
      workerFile,
      (r) => {
        this.receive(r);
      },
      () => {
        this.restart();
      },
    );
    this.disposables.push(
      vscode.workspace.onDidChangeTextDocument((e) => {
        this.edited(e);
      }),
      vscode.workspace.onDidChangeNotebookDocument((e) => {
        const found = this.tracked.get(e.notebook.uri.toString());
        if (found !== undefined && e.contentChanges.length > 0) this.schedule(found);
      }),
      vscode.workspace.onDidCloseTextDocument((d) => {
        if (this.tracked.get(keyOf(d))?.parts[0] === d) this.close(keyOf(d));
      }),
      vscode.workspace.onDidCloseNotebookDocument((n) => {
        this.close(n.uri.toString());
      }),
      // Another file may be imported by those that are open.
      vscode.workspace.onDidSaveTextDocument((d) => {
        if (d.languageId !== "python") return;
        for (const t of this.tracked.values()) if (t.key !== keyOf(d)) this.schedule(t);
      }),
      vscode.workspace.onDidChangeConfiguration((e) => {
        if (!e.affectsConfiguration(SECTION)) return;
        for (const t of this.tracked.values()) this.schedule(t);
      }),
    );
  }

  dispose(): void {
    for (const t of this.tracked.values()) if (t.timer !== null) clearTimeout(t.timer);
    this.client.dispose();
    this.changed.dispose();
    this.catalogue.dispose();
    for (const d of this.disposables) d.dispose();
  }

  /** The losses defined in a file or cell, from the first line down; asks for them if need be. */
  lossesIn(document: vscode.TextDocument): Loss[] {
    const t = this.track(document);
    if (t === null) return [];
    return (t.candidates ?? [])
      .filter((c) => t.parts[c.place.part] === document)
      .map((c) => describe(t, c));
  }

  /** Every loss of the document that this file or cell belongs to. */
  lossesBeside(document: vscode.TextDocument): Loss[] {
    const t = this.track(document);
    return (t?.candidates ?? []).map((c) => describe(t!, c));
  }

  loss(document: vscode.TextDocument, name: string): Loss | null {
    return this.lossesBeside(document).find((l) => l.name === name) ?? null;
  }

  /** The loss that the word at a position means, and the word's place. */
  lossAt(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): { readonly loss: Loss; readonly range: vscode.Range } | null {
    const t = this.track(document);
    const range = document.getWordRangeAtPosition(position, /[\p{L}_][\p{L}\d_]*/u);
    if (t === null || range === undefined) return null;
    const name = document.getText(range);
    const candidate = t.candidates?.find((c) => c.name === name);
    if (candidate === undefined) return null;
    const here = ({ part, line, column }: Place): boolean =>
      t.parts[part] === document &&
      line - 1 === range.start.line &&
      // In an edited line a column may be out of date; the word is the right one.
      (column - 1 === range.start.character || t.stale.size > 0);
    return [candidate.place, ...candidate.uses].some(here)
      ? { loss: describe(t, candidate), range }
      : null;
  }

  /** Resolves when the document has been read once. */
  async outlined(document: vscode.TextDocument, token?: vscode.CancellationToken): Promise<void> {
    const t = this.track(document);
    if (t !== null) await this.until(t, () => t.candidates !== null, token);
  }

  /** What a loss was derived to, as soon as that is known; an older result counts unless `fresh`. */
  async derived(
    document: vscode.TextDocument,
    name: string,
    options: { readonly token?: vscode.CancellationToken; readonly fresh?: boolean } = {},
  ): Promise<Derived | null> {
    const t = this.track(document);
    if (t === null) return null;
    await this.until(t, () => t.candidates !== null, options.token);
    if (options.fresh === true && t.timer !== null) this.send(t);
    const known = (): boolean =>
      t.results.has(name) && !(options.fresh === true && t.stale.has(name));
    if (!known()) {
      this.client.post({ kind: "prefer", document: t.key, name });
      const gone = (): boolean => !(t.candidates ?? []).some((c) => c.name === name);
      await this.until(t, () => known() || gone(), options.token);
    }
    return t.results.get(name) ?? null;
  }

  private until(
    t: Tracked,
    condition: () => boolean,
    token?: vscode.CancellationToken,
  ): Promise<void> {
    if (condition() || token?.isCancellationRequested === true) return Promise.resolve();
    return new Promise((resolve) => {
      const subscriptions: vscode.Disposable[] = [];
      const done = (): void => {
        for (const s of subscriptions) s.dispose();
        resolve();
      };
      subscriptions.push(
        this.onDidChange((key) => {
          if (key === t.key && (condition() || !this.tracked.has(key))) done();
        }),
      );
      if (token !== undefined) subscriptions.push(token.onCancellationRequested(done));
    });
  }

  private track(document: vscode.TextDocument): Tracked | null {
    if (document.languageId !== "python" || document.isClosed) return null;
    const key = keyOf(document);
    let found = this.tracked.get(key);
    if (found === undefined) {
      found = {
        key,
        parts: [],
        version: 0,
        candidates: null,
        results: new Map(),
        stale: new Set(),
        edits: [],
        timer: null,
      };
      this.tracked.set(key, found);
      this.send(found, document);
    }
    return found;
  }

  private edited(e: vscode.TextDocumentChangeEvent): void {
    const t = this.tracked.get(keyOf(e.document));
    if (t === undefined || e.contentChanges.length === 0) return;
    // VS Code gives changes from the bottom up, so each speaks of lines that are still in place.
    for (const { range, text } of e.contentChanges) {
      const moved = text.split("\n").length - 1 - (range.end.line - range.start.line);
      const below = range.end.line + (range.end.character === 0 ? 0 : 1);
      const edit = { uri: e.document.uri.toString(), below, moved };
      t.edits.push(edit);
      if (t.candidates !== null) t.candidates = t.candidates.map((c) => shifted(c, edit, t.parts));
    }
    this.schedule(t);
  }

  private schedule(t: Tracked): void {
    for (const name of t.results.keys()) t.stale.add(name);
    if (t.timer !== null) clearTimeout(t.timer);
    t.timer = setTimeout(() => {
      this.send(t);
    }, PAUSE_MS);
  }

  private send(t: Tracked, document = t.parts[0]): void {
    if (t.timer !== null) clearTimeout(t.timer);
    t.timer = null;
    const parts = partsOf(t.key, document);
    const first = parts[0];
    t.parts = parts;
    t.edits = [];
    t.version = ++this.version;
    const uri = vscode.Uri.parse(t.key);
    const directory = directoryOf(uri);
    const isNotebook = first !== undefined && first.uri.toString() !== t.key;
    this.client.post({
      kind: "update",
      document: t.key,
      version: t.version,
      directory,
      parts: parts.map((d) => ({
        file: isNotebook ? cellName(t.key, d) : pathFrom(directory, d.uri),
        text: d.getText().length > LONGEST ? "" : d.getText(),
      })),
      shapes: shapesSet(uri),
      python: pythonFor(uri),
    });
  }

  /** Asks what concerns the catalogue; answers come by {@link onCatalogue}. */
  ask(request: InlineRequest): void {
    this.client.post(request);
  }

  /**
   * Asks about arrays in a text or a file; never rejects.
   * @param onProgress told how much of an array's elements has been looked at
   * @param stop ends that: the answer is without what they say
   */
  arrays(
    ask: ArrayAsk,
    onProgress: (share: number) => void = () => undefined,
    stop?: AbortSignal,
  ): Promise<ArrayAnswer> {
    const id = ++this.asked;
    const interrupt = new SharedArrayBuffer(4);
    stop?.addEventListener("abort", () => {
      Atomics.store(new Int32Array(interrupt), 0, 1);
    });
    return new Promise((resolve) => {
      this.waiting.set(id, { resolve, onProgress });
      this.client.post({ kind: "arrays", id, ask, interrupt });
    });
  }

  private receive(r: InlineResponse): void {
    if (r.kind === "outline" || r.kind === "derived" || r.kind === "idle") this.learn(r);
    else if (r.kind === "arrays") {
      this.waiting.get(r.id)?.resolve(r.answer);
      this.waiting.delete(r.id);
    } else if (r.kind === "arrays-progress") this.waiting.get(r.id)?.onProgress(r.share);
    else this.catalogue.fire(r);
  }

  private learn(r: DocumentResponse): void {
    const t = this.tracked.get(r.document);
    // An answer about an older text is followed by one about the present text.
    if (t?.version !== r.version) return;
    if (r.kind === "outline") {
      t.candidates = t.edits.reduce<readonly Candidate[]>(
        (all, edit) => all.map((c) => shifted(c, edit, t.parts)),
        r.candidates,
      );
      const names = new Set(r.candidates.map((c) => c.name));
      for (const name of t.results.keys()) if (!names.has(name)) t.results.delete(name);
    } else if (r.kind === "derived") {
      t.results.set(r.name, r.result);
      if (t.timer === null) t.stale.delete(r.name);
    } else {
      this.deaths = 0;
    }
    this.tell(t.key);
  }

  /** Answers about the losses of a document come in bursts, one for each: they are shown at once. */
  private tell(key: string): void {
    if (this.untold.size === 0) {
      setImmediate(() => {
        const keys = [...this.untold];
        this.untold.clear();
        for (const k of keys) this.changed.fire(k);
      });
    }
    this.untold.add(key);
  }

  /** The worker died: what is open is read again, but not without end if it dies of that. */
  private restart(): void {
    const message = "Reading the arrays was stopped: memory may not suffice. Try again.";
    for (const { resolve } of this.waiting.values()) resolve({ kind: "refused", message });
    this.waiting.clear();
    if (++this.deaths > 2) return;
    for (const t of this.tracked.values()) this.schedule(t);
  }

  private close(key: string): void {
    const t = this.tracked.get(key);
    if (t === undefined) return;
    if (t.timer !== null) clearTimeout(t.timer);
    this.tracked.delete(key);
    this.client.post({ kind: "close", document: key });
    this.changed.fire(key);
  }
}

/** The notebook of a cell, or the file itself, as a string. */
export function keyOf(document: vscode.TextDocument): string {
  return (notebookOf(document)?.uri ?? document.uri).toString();
}

/** The notebook that a cell's text belongs to. */
export function notebookOf(document: vscode.TextDocument): vscode.NotebookDocument | null {
  if (document.uri.scheme !== "vscode-notebook-cell") return null;
  const own = (n: vscode.NotebookDocument): boolean =>
    n.getCells().some((cell) => cell.document === document);
  return vscode.workspace.notebookDocuments.find(own) ?? null;
}

function describe(t: Tracked, candidate: Candidate): Loss {
  return {
    name: candidate.name,
    candidate,
    document: t.parts[candidate.place.part]!,
    result: t.results.get(candidate.name) ?? null,
    isStale: t.stale.has(candidate.name),
  };
}

function partsOf(
  key: string,
  document: vscode.TextDocument | undefined,
): readonly vscode.TextDocument[] {
  const notebook = vscode.workspace.notebookDocuments.find((n) => n.uri.toString() === key);
  if (notebook === undefined) return document === undefined ? [] : [document];
  return notebook
    .getCells()
    .filter((c) => c.kind === vscode.NotebookCellKind.Code && c.document.languageId === "python")
    .map((c) => c.document);
}

function cellName(key: string, document: vscode.TextDocument): string {
  const notebook = vscode.workspace.notebookDocuments.find((n) => n.uri.toString() === key);
  const index = notebook?.getCells().find((c) => c.document === document)?.index ?? 0;
  return `Cell ${String(index + 1)}`;
}

/** Where imports start: the workspace's folder, else the file's own. */
function directoryOf(uri: vscode.Uri): string {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  if (folder !== undefined) return folder.uri.fsPath;
  if (uri.scheme === "file") return dirname(uri.fsPath);
  return vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? homedir();
}

function pathFrom(directory: string, uri: vscode.Uri): string {
  const path = uri.fsPath.replaceAll("\\", "/");
  const start = `${directory.replaceAll("\\", "/")}/`;
  return path.startsWith(start) ? path.slice(start.length) : path;
}

function shifted(c: Candidate, edit: Edit, parts: readonly vscode.TextDocument[]): Candidate {
  if (edit.moved === 0) return c;
  const isHere = (part: number): boolean => parts[part]?.uri.toString() === edit.uri;
  const move = (line: number): number =>
    line - 1 >= edit.below ? Math.max(1, line + edit.moved) : line;
  const place = (p: Place): Place => (isHere(p.part) ? { ...p, line: move(p.line) } : p);
  const own = isHere(c.place.part);
  return {
    ...c,
    place: place(c.place),
    firstLine: own ? move(c.firstLine) : c.firstLine,
    lastLine: own ? move(c.lastLine) : c.lastLine,
    uses: c.uses.map(place),
  };
}
