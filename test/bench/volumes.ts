/**
 * `npx tsx test/bench/volumes.ts`: loss and gradient of whole volumes, beside PyTorch's autograd, eager and
 * compiled, NumPy and C loops with the same number of threads, and beside reading and writing the arrays alone. All sides
 * alternate in one run; ratios are medians of ratios of neighbouring repetitions. The table goes
 * into the README between its markers with `--write`.
 */
import { cpus, freemem, totalmem } from "node:os";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { run } from "../../scripts/lib/process.mjs";
import { root } from "../../scripts/lib/root.mjs";
import * as b from "../../src/expression/build.ts";
import type { Input } from "../../src/expression/node.ts";
import { derive } from "../../src/gradient/derive.ts";
import { presentCrew, useCrew } from "../../src/numbers/crew.ts";
import { startCrew } from "../../src/numbers/crew.node.ts";
import { type Kernel, compileKernel } from "../../src/numbers/kernel.ts";
import type { TypedArray } from "../../src/numbers/typedArrays.ts";
import { Arena } from "../../src/numbers/wasm/arena.ts";
import { features } from "../../src/numbers/wasm/features.ts";
import { heap } from "../../src/numbers/wasm/heap.ts";
import { threadFile } from "../threadFile.ts";
import { checksTable } from "./checks.ts";
import { type PythonAnswer, type PythonRequest, PythonTimer, benchPython } from "./python.ts";
import { type Way, alternate, cell, ratio, timed } from "./timing.ts";
import { LOSSES, type Loss, fill, shapeOf } from "./volumeLosses.ts";

const THREADS = 2;
/** Larger arrays have no reference in double-double. */
const MOST_FOR_CHECKS = 1e7;
const BEGIN = "<!-- bench: written by npm run bench -->";
const END = "<!-- end of bench -->";

interface Ours {
  /** float32, arrays in the kernels' memory, the result's memory reused. */
  readonly reused: Way;
  readonly threads: Way;
  /** float32, arrays where the reader left them, copied to an arena with the result, as checks do. */
  readonly check: Way;
  /** The same with a result in memory that was never used before. */
  readonly fresh: Way;
  /** As a report runs it: the same in float64. */
  readonly report: Way;
  readonly memory: Way;
  readonly release: () => void;
}

function ours(loss: Loss, n: number): Ours {
  const shape = shapeOf(loss, n);
  const [x, t] = [b.input("x", shape) as Input, b.input("t", shape)];
  const e = loss.of(x, t);
  const outputs = [e, derive(e, x)];
  const kernel = compileKernel(outputs, { vectors: "always", arithmetic: "float32" });
  const double = compileKernel(outputs, { vectors: "always" });
  const traffic = compileKernel([b.add(x, t)], { vectors: "always", arithmetic: "float32" });
  const on = heap();
  const xs = on.array(Float32Array, n);
  const ts = on.array(Float32Array, n);
  const gradient = on.array(Float32Array, n);
  fill(loss, xs, ts);
  const resident = new Map<string, TypedArray>([
    ["x", xs],
    ["t", ts],
  ]);
  const outside = new Map<string, TypedArray>([
    ["x", xs.slice()],
    ["t", ts.slice()],
  ]);
  const inArena = (): number => {
    const arena = new Arena(on, Infinity);
    try {
      const inside = new Map([...outside].map(([name, a]) => [name, arena.resident(a)]));
      return kernel.run(inside, { arena }).outputs[0]!.data[0]!;
    } finally {
      arena.release();
    }
  };
  const once = (k: Kernel<Float32Array | Float64Array>, reused: boolean): Promise<PythonAnswer> =>
    timed(() => {
      const options = reused ? { into: [undefined, gradient] } : {};
      return k.run(reused ? resident : outside, options).outputs[0]!.data[0]!;
    });
  const crew = startCrew(THREADS, threadFile());
  return {
    check: () => timed(inArena),
    fresh: () => once(kernel, false),
    reused: () => once(kernel, true),
    report: () => once(double, false),
    threads: async () => {
      useCrew(crew);
      try {
        return await once(kernel, true);
      } finally {
        useCrew(null);
      }
    },
    memory: () => timed(() => traffic.run(resident, { into: [gradient] }).outputs[0]!.data[0]!),
    release: () => {
      for (const a of [xs, ts, gradient]) on.release(a.byteOffset);
      void crew?.stop();
    },
  };
}

async function table(sizes: readonly number[]): Promise<string[]> {
  const python = benchPython();
  const plain = python === null ? null : new PythonTimer(python, false);
  const tuned = python === null ? null : new PythonTimer(python, true);
  const columns = [
    "loss and gradient",
    "N",
    "ours",
    "… 2 threads",
    "a check's",
    "ours, first time",
    "a report's float64",
    "PyTorch tuned",
    "… 2 threads",
    "… torch.compile",
    "PyTorch as installed",
    "NumPy",
    "C loop",
    "memory only",
    "tuned/ours",
    "… 2 threads",
    "compiled/ours",
    "C/ours",
    "installed/check's",
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rows = [line(columns), line(columns.map((_, k) => (k === 0 ? "---" : "--:")))];
  for (const loss of LOSSES) {
    for (const n of sizes) {
      const us = ours(loss, n);
      const ask =
        (timer: PythonTimer, library: PythonRequest["library"], threads: number): Way =>
        () =>
          timer.ask({ library, loss: loss.key, entries: n, threads });
      const ways: Record<string, Way> = {
        reused: us.reused,
        threads: us.threads,
        check: us.check,
        fresh: us.fresh,
        report: us.report,
        memory: us.memory,
      };
      if (plain !== null && tuned !== null) {
        ways["torch"] = ask(plain, "torch", 1);
        ways["torch tuned"] = ask(tuned, "torch", 1);
        ways["torch tuned 2"] = ask(tuned, "torch", THREADS);
        ways["compiled"] = ask(tuned, "compiled", 1);
        ways["numpy"] = ask(tuned, "numpy", 1);
        ways["c"] = ask(tuned, "c", 1);
      }
      const t = await alternate(ways, n >= 1e8 ? 3 : n >= 1e7 ? 9 : n >= 1e6 ? 15 : 51);
      us.release();
      const row = [
        loss.title,
        n.toExponential(0).replace("e+", "e"),
        cell(t["reused"]),
        cell(t["threads"]),
        cell(t["check"]),
        cell(t["fresh"]),
        cell(t["report"]),
        cell(t["torch tuned"]),
        cell(t["torch tuned 2"]),
        cell(t["compiled"]),
        cell(t["torch"]),
        cell(t["numpy"]),
        cell(t["c"]),
        cell(t["memory"]),
        ratio(t["torch tuned"], t["reused"]!),
        ratio(t["torch tuned 2"], t["threads"]!),
        ratio(t["compiled"], t["reused"]!),
        ratio(t["c"], t["reused"]!),
        ratio(t["torch"], t["check"]!),
      ];
      rows.push(line(row));
      console.log(row.join("\t"));
    }
  }
  plain?.end();
  tuned?.end();
  return rows;
}

const sizes = [1e4, 1e6, 1e7, ...(freemem() > 8e9 ? [1e8] : [])];
const wanted = process.argv.find((a) => a.startsWith("--sizes="));
const machine =
  `${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, ` +
  `Node.js ${process.versions.node} ${features().relaxed ? "with" : "without"} relaxed SIMD`;
console.log(machine);

/** The memory in MB that a run takes beyond its arrays, of so many entries. */
async function memoryBeyond(n: number, ...what: readonly string[]): Promise<string> {
  const script = join(root, "test/bench/memory.ts");
  const { code, output } = await run(process.execPath, [
    "--import=tsx",
    script,
    String(n),
    ...what,
  ]);
  if (code !== 0) throw new Error(output);
  return output.trim();
}

/** What main.ts measured last, and the memory of kernels and reference. */
function moreRows(beyond: string, ofReference: string): string[] {
  const memory = [
    ["peak memory beyond inputs and gradient, N = 2e7", `${beyond} MB`],
    ["… of the gradient in double-double, beyond inputs and its two parts", `${ofReference} MB`],
  ];
  const measured = join(root, ".cache/bench-product.json");
  const product = existsSync(measured)
    ? (JSON.parse(readFileSync(measured, "utf8")) as [string, string][])
    : [];
  const lines = [...memory, ...product].map(([what, value]) => `| ${what} | ${value} |`);
  return ["| what | |", "|---|--:|", ...lines];
}

// Before this process is large itself: to the system its size counts as the peak of what it starts.
const beyond = await memoryBeyond(2e7);
const ofReference = await memoryBeyond(2e7, "reference");
const chosen = wanted === undefined ? sizes : wanted.slice(8).split(",").map(Number);
const rows = await table(chosen);
const checks = await checksTable(chosen.filter((n) => n <= MOST_FOR_CHECKS));
const text = [
  BEGIN,
  "",
  `Milliseconds, medians of alternating repetitions in one run on ${machine}. float32 arrays; one thread unless said. “Ours” and “PyTorch tuned” reuse memory: ours has its arrays in the kernels' memory, PyTorch an allocator that keeps what it frees. “A check’s” has its arrays in JavaScript’s memory, from where they are copied, within the time, into an arena of the kernels’ memory, which the check before has given back, and its result there too: what a person’s second check takes, as “as installed” is what PyTorch takes each time, with an allocator that returns large arrays to the system at every operation. “First time” copies them part by part and makes a new array for the result, whose pages the system hands out one by one. torch.compile is tuned likewise, compiled once for all sizes; the C loop is plain (gcc -O3 -march=native) and writes to an array that is reused. “Memory only” adds two arrays and writes one. A report evaluates in float64, for the sake of its verdict. Ratios above 1 say how many times as long the other takes.`,
  "",
  ...rows,
  "",
  "A whole check: what a report waits for, on arrays in JavaScript’s memory. Its stages: the loss’s value and copies into the kernels’ memory; the gradient in double-double; its error scale, the probe along its sign and the choice of elements; single elements, the gradient in float64 and the comparison. Beside it what people do by hand in PyTorch: autograd in float64 and one central difference along the gradient’s sign, which is two more values of the loss, without reference, error scale or single elements.",
  "",
  ...checks,
  "",
  ...moreRows(beyond, ofReference),
  "",
  END,
].join("\n");
if (process.argv.includes("--write")) {
  const readme = join(root, "README.md");
  const before = readFileSync(readme, "utf8");
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  const after = before.slice(0, from) + text + before.slice(to + END.length);
  writeFileSync(readme, await format(after, { parser: "markdown", filepath: readme }));
}
console.log(`\n${text}`);
if (presentCrew() !== null) useCrew(null);
process.exit(0);
