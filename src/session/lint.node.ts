/** What runs in a thread that looks at losses; see `lintThreads.node.ts`. */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { loadParserFromDisk } from "../python/parser.node.ts";
import { filesFor } from "./files.node.ts";
import { type GradientTestResult, testLoss } from "./gradientTest.ts";
import { type LintResult, lintSource, lossNames } from "./lint.ts";
import { isNotebook } from "./notebookCells.ts";
import type { LintJob } from "./lintThreads.node.ts";
import { NOWHERE } from "./protocol.ts";

/** Nobody writes a loss in a file larger than this. */
const LARGEST_FILE = 2_000_000;
/** The pictures in its outputs make a notebook larger. */
const LARGEST_NOTEBOOK = 64_000_000;

async function answerer(python: string | null): Promise<(job: LintJob) => unknown> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor(python) };
  const watch = { onProgress: () => undefined, isCancelled: () => false };
  return (job) => {
    const { file, kind } = job;
    try {
      const largest = isNotebook(file) ? LARGEST_NOTEBOOK : LARGEST_FILE;
      if (job.text === undefined && statSync(file).size > largest) {
        return kind === "lint" ? unread(file, `it is larger than ${largest / 1e6} MB`) : [];
      }
      const text = job.text ?? readFileSync(file, "utf8");
      const folder = dirname(file);
      if (kind === "lint") return lintSource(text, file, folder, engine, watch);
      if (kind === "losses") return lossNames(text, file, engine.parser);
      return testLoss(text, file, job.name, folder, engine, watch);
    } catch (e) {
      const why = (e as Error).message;
      if (kind === "losses") return [];
      if (kind === "lint") return unread(file, why);
      const messages = [{ text: why, location: null }];
      return { outcome: "skipped", messages, report: null } satisfies GradientTestResult;
    }
  };
}

function unread(file: string, why: string): LintResult {
  const failure = { ...NOWHERE, name: "Not read", message: why, file };
  return { file, losses: 0, findings: [], untraced: [], faults: [failure] };
}

/** The other side of `LintThread`. */
export function serveLint(): void {
  const { lint: python } = workerData as { lint: string | null };
  const ready = answerer(python);
  parentPort?.on("message", (job: LintJob) => {
    void ready.then((answer) => parentPort?.postMessage(answer(job)));
  });
}

export const isLintThread = !isMainThread && "lint" in ((workerData as object | null) ?? {});
