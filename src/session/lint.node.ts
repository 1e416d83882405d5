/** Diagnostics of many files of this machine, in as many threads as it has cores. */
import { readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { loadParserFromDisk } from "../python/parser.node.ts";
import { filesFor } from "./files.node.ts";
import { type LintResult, lintSource } from "./lint.ts";

/** Nobody writes a loss in a file larger than this. */
const LARGEST_FILE = 2_000_000;
/** Fewer files than this are done before a second thread has started. */
const WORTH_A_THREAD = 40;

/**
 * @param python interpreter whose installed packages imports are read from; `null`: the active one
 * @param script what a thread runs: it is to call `serveLint` where `isLintThread`
 */
export async function lintFiles(
  files: readonly string[],
  python: string | null,
  script: string,
): Promise<LintResult[]> {
  const threads = files.length < WORTH_A_THREAD ? 1 : Math.min(availableParallelism(), 8);
  if (threads === 1) return files.map(await linter(python));
  const waiting = [...files.keys()];
  const results = new Array<LintResult>(files.length);
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(script, { workerData: { lint: python } });
      return new Promise<void>((done, fail) => {
        const next = (): void => {
          const k = waiting.shift();
          if (k !== undefined) worker.postMessage({ k, file: files[k] });
          else {
            void worker.terminate();
            done();
          }
        };
        worker.on("message", ({ k, result }: { k: number; result: LintResult }) => {
          results[k] = result;
          next();
        });
        worker.on("error", fail);
        next();
      });
    }),
  );
  return results;
}

async function linter(python: string | null): Promise<(file: string) => LintResult> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor(python) };
  const watch = { onProgress: () => undefined, isCancelled: () => false };
  return (file) => {
    try {
      if (statSync(file).size > LARGEST_FILE) return unread(file, "it is larger than 2 MB");
      const text = readFileSync(file, "utf8");
      return lintSource(text, file, dirname(file), engine, watch);
    } catch (e) {
      return unread(file, (e as Error).message);
    }
  };
}

function unread(file: string, why: string): LintResult {
  const failure = {
    name: "Not read",
    message: why,
    file,
    line: null,
    column: null,
    caretText: null,
    remedy: null,
  };
  return { file, losses: 0, findings: [], untraced: [], faults: [failure] };
}

/** The other side of `lintAll`, in a thread of its own. */
export async function serveLint(): Promise<void> {
  const { lint: python } = workerData as { lint: string | null };
  const one = await linter(python);
  parentPort?.on("message", ({ k, file }: { k: number; file: string }) => {
    parentPort?.postMessage({ k, result: one(file) });
  });
}

export const isLintThread = !isMainThread && "lint" in ((workerData as object | null) ?? {});
