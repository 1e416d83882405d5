/** The pairs of a range, judged in as many processes as there are cores. */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { PairResult } from "./worker.ts";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const MOST_PROCESSES = 8;

/** @throws when a process ends badly; the message has what it wrote */
export async function judgePairs(first: number, last: number): Promise<PairResult[]> {
  const count = Math.min(MOST_PROCESSES, availableParallelism());
  const parts = Array.from({ length: count }, (_, k) => judgeIn(first + k, last, count));
  return (await Promise.all(parts)).flat().sort((a, b) => a.seed - b.seed);
}

function judgeIn(first: number, last: number, step: number): Promise<PairResult[]> {
  return new Promise((resolve, reject) => {
    const child = fork(WORKER, [first, last, step].map(String), {
      execArgv: ["--import=tsx"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const results: PairResult[] = [];
    let written = "";
    child.stderr!.on("data", (chunk) => (written += String(chunk)));
    child.on("message", (result) => results.push(result as PairResult));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(results);
      else {
        const at = results.at(-1)?.seed ?? "the first";
        reject(new Error(`a process ended with ${code} after pair ${at}:\n${written}`));
      }
    });
  });
}
