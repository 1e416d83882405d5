/** Arrays of a Python program that is running: fetched with progress, and handed to the check. */
import * as vscode from "vscode";
import { type HeldArray, surveyArrays, withArray } from "../../arrays/live/fetch.ts";
import { type LiveFacts, NoLiveArray, type RunningPython } from "../../arrays/live/python.ts";
import { ArrayError, formatShape, type NdArray } from "../../arrays/ndarray.ts";
import { guessRoles } from "../../session/arrays/roles.ts";
import { roleOfPicked } from "./describe.ts";
import type { ArrayChecks } from "./flow.ts";
import { type ArrayOffer, type PickedArray, pickedFromMemory } from "./pickedArray.ts";
import { withSlowProgress } from "./slowProgress.ts";

/** A place in a running program that has arrays: a frame of a paused one, a kernel. */
export interface LivePlace {
  /** @param signal aborted when nobody waits for the answer any more */
  python(signal: AbortSignal): RunningPython;
  /** Calls back, with the reason, when the program goes away. */
  onGone(listener: (reason: ArrayError) => void): vscode.Disposable;
  /** Where it is, for the comment above an array: "paused debugger, losses.py:12". */
  readonly origin: string;
  /** What fetching has to wait for at the moment, if that is known. */
  waitsFor?(): string | null;
  /** The Python expression of what the place itself names in other ways; absent where it never does. */
  expressionOf?(named: string, python: RunningPython): Promise<string>;
  /** A Python dictionary of the variables that could be the other array, as text. */
  variables(): Promise<string>;
}

/** Why there is nothing to ask, with a command that mends it. */
export class NoPlace extends ArrayError {
  readonly mend: Mend | null;

  constructor(message: string, remedy: string, mend: Mend | null = null) {
    super(message, { remedy });
    this.mend = mend;
  }
}

export interface Mend {
  readonly title: string;
  readonly command: string;
  readonly argument?: string;
}

/** Larger arrays are fetched only after a question: a debug adapter carries some 20 MiB a second. */
const ASKED_ABOVE = 64 * 2 ** 20;

const MEBIBYTE = 2 ** 20;

export class LiveArrays {
  private readonly script: vscode.Uri;
  private readonly checks: ArrayChecks;
  private reader: string | null = null;

  constructor(extension: vscode.Uri, checks: ArrayChecks) {
    this.script = vscode.Uri.joinPath(extension, "media", "python", "array_reader.py");
    this.checks = checks;
  }

  /** Fetches the array that an expression gives and checks it; tells the user what keeps it from that. */
  async check(expression: string, find: () => Promise<LivePlace>): Promise<void> {
    let place: LivePlace;
    try {
      place = await find();
    } catch (error) {
      await tell(error);
      return;
    }
    const picked = await this.pick(place, expression);
    if (picked === null) return;
    await this.checks.checkDiceGradient([picked], {
      others: () => this.others(place, picked),
    });
  }

  /**
   * The array that an expression gives; null after telling the user why there is none, or when the
   * user stops it. What can be read in its place is offered beside the reason.
   */
  private async pick(place: LivePlace, expression: string): Promise<PickedArray | null> {
    try {
      return await this.fetch(place, expression);
    } catch (error) {
      if (!(error instanceof NoLiveArray) || error.instead === null) {
        await tell(error);
        return null;
      }
      const take = `Take ${error.instead}`;
      const answer = await vscode.window.showErrorMessage(error.message, take);
      return answer === take ? this.pick(place, error.instead) : null;
    }
  }

  /**
   * The other arrays of a place, and the gradients of all, with the likeliest first; none when they
   * cannot be looked at.
   */
  private async others(place: LivePlace, picked: PickedArray): Promise<ArrayOffer[]> {
    const python = place.python(new AbortController().signal);
    let found: ReadonlyMap<string, LiveFacts>;
    try {
      found = await surveyArrays(python, await this.readerText(), await place.variables());
    } catch {
      // The program went on meanwhile. What was picked is here; a file can be the other array.
      return [];
    }
    return [...found]
      .flatMap(([name, facts]) =>
        facts.grad
          ? [
              { name, facts },
              { name: `${name}.grad`, facts },
            ]
          : [{ name, facts }],
      )
      .filter(({ name, facts }) => name !== picked.name && facts.shape.length > 0)
      .map((other) => ({ ...other, doubts: doubtsOf(other, picked) }))
      .sort((a, b) => a.doubts - b.doubts)
      .map(({ name, facts }) => this.offer(place, name, facts));
  }

  private offer(place: LivePlace, name: string, { shape, dtype }: LiveFacts): ArrayOffer {
    return {
      name,
      description: `${formatShape(shape)} ${dtype}`,
      detail: place.origin,
      pick: () => this.pick(place, name),
    };
  }

  private async fetch(place: LivePlace, expression: string): Promise<PickedArray | null> {
    const reader = await this.readerText();
    const fetched = await withSlowProgress(`Reading ${expression}`, async (report, stopping) => {
      const waiting = place.waitsFor?.() ?? null;
      if (waiting !== null) report(waiting);
      const python = place.python(stopping.signal);
      const read = async (held: HeldArray, exact: string): Promise<Fetched | null> => {
        const { facts } = held;
        if (facts.bytes > ASKED_ABOVE && !(await isWanted(exact, facts))) return null;
        const onProgress = (bytes: number, of: number): void => {
          report(`${sizeOf(bytes)} of ${sizeOf(of)}`, bytes / of);
        };
        onProgress(0, facts.bytes);
        const array = await held.read({ signal: stopping.signal, onProgress });
        return { expression: exact, facts, array };
      };
      const running = (async () => {
        const exact = (await place.expressionOf?.(expression, python)) ?? expression;
        return withArray(python, reader, exact, (held) => read(held, exact));
      })();
      // A program that goes away may leave questions without an answer.
      const gone = new Promise<never>((_, reject) => {
        const listening = place.onGone((reason) => {
          stopping.abort(reason);
          reject(reason);
        });
        const end = (): void => {
          listening.dispose();
        };
        running.then(end, end);
      });
      return Promise.race([running, gone]);
    });
    return fetched === null ? null : picked(place, fetched);
  }

  private async readerText(): Promise<string> {
    this.reader ??= new TextDecoder().decode(await vscode.workspace.fs.readFile(this.script));
    return this.reader;
  }
}

/** Fewer for what has the shape of the picked array, and the name or dtype of the role it leaves. */
function doubtsOf(
  { name, facts }: { readonly name: string; readonly facts: LiveFacts },
  picked: PickedArray,
): number {
  const { shape, dtype } = facts;
  const isAlike = formatShape(shape) === formatShape(picked.shape);
  const isTarget = guessRoles([{ name, shape, dtype, summary: null }]).target === 0;
  const isMissing = isTarget === (roleOfPicked(picked) === "prediction");
  return (isAlike ? 0 : 2) + (isMissing ? 0 : 1);
}

/** Says what went wrong and what to do, with a button where a command does it. */
async function tell(error: unknown): Promise<void> {
  if (error instanceof Error && error.name === "AbortError") return;
  if (!(error instanceof ArrayError)) throw error;
  const mend = error instanceof NoPlace ? error.mend : null;
  const text = error.remedy === undefined ? error.message : `${error.message} ${error.remedy}`;
  const titles = mend === null ? [] : [mend.title];
  const answer = await vscode.window.showErrorMessage(text, ...titles);
  if (mend !== null && answer === mend.title) {
    await vscode.commands.executeCommand(mend.command, mend.argument);
  }
}

interface Fetched {
  readonly expression: string;
  readonly facts: LiveFacts;
  readonly array: NdArray;
}

function picked(place: LivePlace, { expression, facts, array }: Fetched): PickedArray {
  const on = facts.device === null ? "" : ` on ${facts.device}`;
  const origin = `${place.origin}: ${expression}, ${PREFIX[facts.library]}.${facts.dtype}${on}, ${now()}`;
  return pickedFromMemory(expression, array, origin.replaceAll("\n", " "));
}

/** How people write an element type of each library. */
const PREFIX: Readonly<Record<LiveFacts["library"], string>> = {
  numpy: "np",
  torch: "torch",
  tensorflow: "tf",
  jax: "jnp",
};

/** "2026-11-26 04:10", by the user's clock. */
function now(): string {
  const date = new Date();
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function sizeOf(bytes: number): string {
  return bytes < MEBIBYTE
    ? `${String(Math.ceil(bytes / 1024))} KiB`
    : `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}

async function isWanted(expression: string, { shape, dtype, bytes }: LiveFacts): Promise<boolean> {
  const read = "Read It";
  const answer = await vscode.window.showWarningMessage(
    `${expression} has ${sizeOf(bytes)}.`,
    {
      modal: true,
      detail: `${formatShape(shape)} of ${dtype} are copied out of the program, which takes some seconds for every hundred MiB. A part of it may do: ${expression}[0].`,
    },
    read,
  );
  return answer === read;
}
