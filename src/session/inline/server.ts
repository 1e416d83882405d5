/**
 * Answers an editor's requests: the outline at once, then one derivation after the other, so that a
 * newer state of a document, or a loss that someone waits for, comes in between.
 */
import type { PythonParser } from "../../python/parser.ts";
import { type ArrayFiles, answerAboutArrays } from "../arrays/answer.ts";
import type { Files } from "../files.ts";
import type { Watch } from "../inspect.ts";
import { readCallAsTyped } from "../callReading.ts";
import { catalogueList } from "../catalogue.ts";
import { InlineDocument } from "./document.ts";
import type { Candidate, Derived, InlineRequest, InlineResponse } from "./protocol.ts";
import { Ranking } from "./ranking.ts";

/** A derivation that takes longer is given up; the report can still be asked for. */
const LIMIT_MS = { named: 8000, unnamed: 1500 };
/** How long a derivation may keep a newer state of the document waiting. */
const PATIENCE_MS = 250;
/** Between two states of a list that is still growing, or of an array that is read. */
const PAUSE_MS = 300;

export interface Surroundings {
  readonly parser: PythonParser;
  /** Files as that interpreter sees them. */
  readonly filesFor: (python: string | null) => Files;
  /** Array files of the machine. */
  readonly arrayFiles: ArrayFiles;
  readonly send: (response: InlineResponse) => void;
  /** Requests that have arrived but were not handed over yet, as a busy thread leaves them. */
  readonly isWaiting: () => boolean;
}

interface Open {
  readonly document: InlineDocument;
  /** What the document reads files from: another one makes it another document. */
  readonly place: string;
  version: number;
  candidates: ReadonlyMap<string, Candidate>;
  /** Names still to be derived, the next one first. */
  queue: string[];
  /** Names that the slow rules are still to be asked about. */
  unfinished: string[];
}

export class InlineServer {
  private readonly world: Surroundings;
  private readonly open = new Map<string, Open>();
  private ranking: {
    readonly document: string;
    readonly name: string;
    /** Null until the loss has been read for it. */
    ranking: Ranking | null;
    /** When the nearest so far were last sent. */
    told: number;
  } | null = null;

  constructor(world: Surroundings) {
    this.world = world;
  }

  handle(request: InlineRequest): void {
    switch (request.kind) {
      case "update":
        this.update(request);
        break;
      case "prefer": {
        const { document, name } = request;
        const open = this.open.get(document);
        if (open?.candidates.has(name) !== true) break;
        const known = open.document.known(name);
        if (known !== null) this.say(document, open, name, known);
        else open.queue = [name, ...open.queue.filter((n) => n !== name)];
        // Its document comes first as well.
        this.open.delete(document);
        this.open.set(document, open);
        break;
      }
      case "nearest":
        this.ranking = { ...request, ranking: null, told: Date.now() };
        break;
      case "no-nearest":
        this.ranking = null;
        break;
      case "catalogue":
        this.world.send({ kind: "catalogue", items: catalogueList("") });
        break;
      case "read-call": {
        const { text } = request;
        this.world.send({ kind: "read-call", text, reading: readCallAsTyped(text) });
        break;
      }
      case "arrays": {
        const { parser, arrayFiles, send } = this.world;
        const { id, ask } = request;
        const answer = answerAboutArrays(ask, parser, arrayFiles, this.reading(request));
        send({ kind: "arrays", id, answer });
        break;
      }
      case "close":
        this.open.delete(request.document);
        break;
    }
  }

  /** Tells how far the reading of an array is, and ends it when nobody waits any more. */
  private reading({ id, interrupt }: Extract<InlineRequest, { kind: "arrays" }>): Watch {
    const stop = new Int32Array(interrupt);
    let told = Date.now();
    return {
      onProgress: (share) => {
        if (share === null || Date.now() - told < PAUSE_MS) return;
        told = Date.now();
        this.world.send({ kind: "arrays-progress", id, share });
      },
      isCancelled: () => Atomics.load(stop, 0) !== 0,
    };
  }

  /** Derives one loss, or ranks one catalogue loss. @returns whether any is left */
  step(): boolean {
    const last = [...this.open].reverse().find(([, o]) => o.queue.length > 0);
    if (last === undefined) return this.ranking === null ? this.finish() : this.rank();
    const [id, open] = last;
    const name = open.queue.shift()!;
    const result = this.derive(open, name);
    if (result === null) open.queue.unshift(name);
    else {
      this.say(id, open, name, result);
      if (open.queue.length === 0) {
        this.world.send({ kind: "idle", document: id, version: open.version });
      }
    }
    return this.isLeft();
  }

  private isLeft(): boolean {
    const isOpen = (o: Open): boolean => o.queue.length + o.unfinished.length > 0;
    return this.ranking !== null || [...this.open.values()].some(isOpen);
  }

  /** What takes longer and is seldom found comes when everything else is said. */
  private finish(): boolean {
    const last = [...this.open].reverse().find(([, o]) => o.unfinished.length > 0);
    if (last === undefined) return false;
    const [id, open] = last;
    const name = open.unfinished.shift()!;
    const { watch, state } = this.watching(open, name);
    const result = open.document.complete(name, watch);
    if (state.interrupted) open.unfinished.unshift(name);
    else if (result !== null) this.say(id, open, name, result);
    return this.isLeft();
  }

  /** What is derived for hovers comes first; nobody looks at these while they write. */
  private rank(): boolean {
    const { ranking: wanted } = this;
    if (wanted === null) return false;
    const { document, name } = wanted;
    const began = Date.now();
    const watch: Watch = {
      onProgress: () => undefined,
      isCancelled: () => Date.now() - began > LIMIT_MS.named,
    };
    if (wanted.ranking === null) {
      const inspection = this.open.get(document)?.document.inspection(name, watch) ?? null;
      if (inspection !== null) {
        wanted.ranking = new Ranking(inspection);
        return true;
      }
    }
    const more = wanted.ranking?.step() ?? false;
    if (!more || Date.now() - wanted.told > PAUSE_MS) {
      wanted.told = Date.now();
      const losses = wanted.ranking?.nearest() ?? [];
      this.world.send({ kind: "nearest", document, name, losses, complete: !more });
    }
    if (!more) this.ranking = null;
    return this.isLeft();
  }

  private update(request: Extract<InlineRequest, { kind: "update" }>): void {
    const { document: id, version, directory, python } = request;
    const place = JSON.stringify([directory, python]);
    const before = this.open.get(id);
    const document =
      before?.place === place
        ? before.document
        : new InlineDocument(this.world.parser, this.world.filesFor(python), directory);
    const candidates = document.update(request.parts, request.shapes);
    const named = new Map(candidates.map((c) => [c.name, c]));
    const open: Open = { document, place, version, candidates: named, queue: [], unfinished: [] };
    this.open.delete(id);
    this.open.set(id, open);
    this.world.send({ kind: "outline", document: id, version, candidates });
    for (const { name, kind } of candidates) {
      const known = document.known(name);
      if (known !== null) this.say(id, open, name, known);
      // A library's losses take long to read, and most of those imported nobody looks at.
      else if (kind !== "imported") open.queue.push(name);
    }
    open.unfinished = candidates
      .filter((c) => c.named && c.kind !== "imported" && !document.isComplete(c.name))
      .map((c) => c.name);
    if (open.queue.length === 0) this.world.send({ kind: "idle", document: id, version });
    // What is called a loss first: the others are likely to be none.
    open.queue.sort((a, b) => Number(named.get(b)!.named) - Number(named.get(a)!.named));
  }

  private say(document: string, { version }: Open, name: string, result: Derived): void {
    this.world.send({ kind: "derived", document, version, name, result });
  }

  /** Null when a newer request should be looked at first. */
  private derive(open: Open, name: string): Derived | null {
    const { watch, state, limit } = this.watching(open, name);
    const result = open.document.derive(name, watch);
    if (state.interrupted) return null;
    if (result.kind !== "failed" || result.failure.name !== "Interrupted") return result;
    const message = `deriving ${name} takes longer than ${String(limit / 1000)} s`;
    return {
      ...result,
      failure: { ...result.failure, message, remedy: "Open the full report, which has more time." },
    };
  }

  /** Ends what takes too long, and interrupts it for a newer request. */
  private watching(
    open: Open,
    name: string,
  ): { readonly watch: Watch; readonly state: { interrupted: boolean }; readonly limit: number } {
    const began = Date.now();
    const limit = open.candidates.get(name)?.named === true ? LIMIT_MS.named : LIMIT_MS.unnamed;
    const state = { interrupted: false };
    const isCancelled = (): boolean => {
      const taken = Date.now() - began;
      state.interrupted = taken > PATIENCE_MS && this.world.isWaiting();
      return state.interrupted || taken > limit;
    };
    return { watch: { onProgress: () => undefined, isCancelled }, state, limit };
  }
}
