/** Whole checks of a derived gradient, and where their time goes, beside a check by hand in PyTorch. */
import * as b from "../../src/expression/build.ts";
import type { Input } from "../../src/expression/node.ts";
import { checkGradient } from "../../src/gradient/check.ts";
import { useCrew } from "../../src/numbers/crew.ts";
import { startCrew } from "../../src/numbers/crew.node.ts";
import { threadFile } from "../threadFile.ts";
import { PythonTimer, benchPython } from "./python.ts";
import { type Way, alternate, cell, ratio } from "./timing.ts";
import { LOSSES, type Loss, fill, shapeOf } from "./volumeLosses.ts";

const THREADS = 2;
/** The progress at which a stage of a check ends, as `checkReference.ts` reports it. */
const STAGES = [0.1, 0.4, 0.8, 1];

/** @param times where what each stage took is added, in milliseconds */
function checked(loss: Loss, n: number, times: number[][]): () => { ms: number; loss: number } {
  const shape = shapeOf(loss, n);
  const [x, t] = [b.input("x", shape) as Input, b.input("t", shape)];
  const [xs, ts] = [new Float32Array(n), new Float32Array(n)];
  fill(loss, xs, ts);
  const bindings = new Map([
    ["x", xs],
    ["t", ts],
  ]);
  const e = loss.of(x, t);
  return () => {
    const began = performance.now();
    let from = began;
    let stage = 0;
    const onProgress = (fraction: number): void => {
      for (; stage < STAGES.length && fraction >= STAGES[stage]!; stage++) {
        const now = performance.now();
        times[stage]!.push(now - from);
        from = now;
      }
    };
    const { verdict, maxScaledError } = checkGradient({ loss: e, wrt: x, bindings, onProgress });
    if (verdict !== "agrees") throw new Error(`the check of ${loss.title} says ${verdict}`);
    return { ms: performance.now() - began, loss: maxScaledError! };
  };
}

/** Lines of a Markdown table. */
export async function checksTable(sizes: readonly number[]): Promise<string[]> {
  const python = benchPython();
  const timer = python === null ? null : new PythonTimer(python, true);
  const columns = [
    "a whole check",
    "N",
    "ours",
    "value, copies",
    "double-double",
    "scale, probe",
    "comparison",
    "ours, 2 threads",
    "PyTorch by hand",
    "… 2 threads",
    "ours/by hand",
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rows = [line(columns), line(columns.map((_, k) => (k === 0 ? "---" : "--:")))];
  const crew = startCrew(THREADS, threadFile());
  for (const loss of LOSSES) {
    for (const n of sizes) {
      const stages = STAGES.map((): number[] => []);
      const check = checked(loss, n, stages);
      const together = checked(
        loss,
        n,
        STAGES.map((): number[] => []),
      );
      const byHand =
        (threads: number): Way =>
        () =>
          timer!.ask({ library: "check", loss: loss.key, entries: n, threads });
      const ways: Record<string, Way> = {
        alone: () => Promise.resolve(check()),
        together: () => {
          useCrew(crew);
          try {
            return Promise.resolve(together());
          } finally {
            useCrew(null);
          }
        },
      };
      if (timer !== null) {
        ways["by hand"] = byHand(1);
        ways["by hand 2"] = byHand(THREADS);
      }
      const times = await alternate(ways, n >= 1e7 ? 3 : n >= 1e6 ? 7 : 15);
      const row = [
        loss.title,
        n.toExponential(0).replace("e+", "e"),
        cell(times["alone"]),
        ...stages.map(cell),
        cell(times["together"]),
        cell(times["by hand"]),
        cell(times["by hand 2"]),
        times["by hand"] === undefined ? "" : ratio(times["alone"], times["by hand"]),
      ];
      rows.push(line(row));
      console.log(row.join("\t"));
    }
  }
  timer?.end();
  await crew?.stop();
  return rows;
}
