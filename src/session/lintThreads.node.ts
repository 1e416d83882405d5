/** Threads that look at losses, as seen by who starts them: nothing of the engine is loaded here. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { GradientTestResult } from "./gradientTest.ts";
import type { LintResult } from "./lint.ts";

/** Fewer files than this are done before a second thread has started. */
const WORTH_A_THREAD = 40;

/** One thing to do. `text` is what an editor holds of the file; else it is read from disk. */
export type LintJob =
  | { readonly kind: "lint"; readonly file: string; readonly text?: string }
  | { readonly kind: "losses"; readonly file: string; readonly text?: string }
  | { readonly kind: "test"; readonly file: string; readonly text?: string; readonly name: string };

/** A loss by its name, and the line that its definition begins in. */
export interface NamedLoss {
  readonly name: string;
  readonly line: number;
  readonly column: number;
}

export interface LintAnswers {
  readonly lint: LintResult;
  readonly losses: readonly NamedLoss[];
  readonly test: GradientTestResult;
}

export interface LintWatch {
  /** Called after each file. */
  onDone(done: number): void;
  /** Looked at between files; what was not done then is left out. */
  isCancelled(): boolean;
}

const NO_WATCH: LintWatch = { onDone: () => undefined, isCancelled: () => false };

/**
 * @param python interpreter whose installed packages imports are read from; `null`: the active one
 * @param script what a thread runs: it is to call `serveLint` where `isLintThread`
 */
export async function lintFiles(
  files: readonly string[],
  python: string | null,
  script: string,
  watch: LintWatch = NO_WATCH,
): Promise<LintResult[]> {
  const threads = files.length < WORTH_A_THREAD ? 1 : Math.min(availableParallelism(), 8);
  const waiting = files.map((file, k) => [k, file] as const);
  const results: LintResult[] = [];
  let done = 0;
  const work = async (): Promise<void> => {
    const thread = new LintThread(script, python);
    try {
      for (;;) {
        const next = watch.isCancelled() ? undefined : waiting.shift();
        if (next === undefined) return;
        const [k, file] = next;
        results[k] = await thread.ask({ kind: "lint", file });
        watch.onDone(++done);
      }
    } finally {
      thread.dispose();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return results.filter(Boolean);
}

/** A thread that does one job after the other. One that dies is replaced at the next job. */
export class LintThread {
  private readonly script: string;
  private readonly python: string | null;
  private worker: Worker | null = null;
  /** Gives up the job that is under way. */
  private giveUp: ((why: Error) => void) | null = null;

  constructor(script: string, python: string | null) {
    this.script = script;
    this.python = python;
  }

  /** To be called again only when the job before is done. */
  ask<J extends LintJob>(job: J): Promise<LintAnswers[J["kind"]]> {
    const worker = (this.worker ??= new Worker(this.script, { workerData: { lint: this.python } }));
    return new Promise((resolve, reject) => {
      const ended = (e?: unknown): void => {
        worker.removeAllListeners();
        this.worker = null;
        this.giveUp = null;
        reject(e instanceof Error ? e : new Error("the thread that looks at losses has ended"));
      };
      this.giveUp = ended;
      worker.once("message", (answer: LintAnswers[J["kind"]]) => {
        worker.removeListener("error", ended);
        worker.removeListener("exit", ended);
        this.giveUp = null;
        resolve(answer);
      });
      worker.once("error", ended);
      worker.once("exit", ended);
      worker.postMessage(job);
    });
  }

  /** Stops the thread; a job that is under way fails. */
  dispose(): void {
    const { worker } = this;
    this.giveUp?.(new Error("stopped on request"));
    worker?.removeAllListeners();
    void worker?.terminate();
    this.worker = null;
  }
}
