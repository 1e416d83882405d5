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
import { presentCrew, useCrew } from "../../src/numbers/crew.ts";
import { features } from "../../src/numbers/wasm/features.ts";
import type { TimingProcess } from "./answers.ts";
import { checksTable } from "./checks.ts";
import { THREADS, ours } from "./ours.ts";
import { type PythonRequest, PythonTimer, benchPython } from "./python.ts";
import { type RelaxedQuestion, startRelaxed } from "./relaxed.ts";
import { type Times, type Way, alternate, cell, ratio } from "./timing.ts";
import { LOSSES } from "./volumeLosses.ts";

/** Larger arrays have no reference in double-double. */
const MOST_FOR_CHECKS = 1e7;
const BEGIN = "<!-- bench: written by npm run bench -->";
const END = "<!-- end of bench -->";

/** A column of a table: its title, and its cell for the times of one row. */
type Column = readonly [title: string, cell: (times: Times) => string];

const median = (way: string) => (times: Times) => cell(times[way]);
/** How many times as long the other way takes. */
const against = (other: string, own: string) => (times: Times) => {
  const mine = times[own];
  return mine === undefined ? "" : ratio(times[other], mine);
};

const MILLISECONDS: readonly Column[] = [
  ["ours", median("reused")],
  ["… 2 threads", median("threads")],
  ["… relaxed SIMD", median("relaxed")],
  ["… 2 threads", median("relaxed threads")],
  ["a check's", median("check")],
  ["ours, first time", median("fresh")],
  ["a report's float64", median("report")],
  ["PyTorch tuned", median("torch tuned")],
  ["… 2 threads", median("torch tuned 2")],
  ["… torch.compile", median("compiled")],
  ["PyTorch as installed", median("torch")],
  ["… torch.compile", median("compiled as installed")],
  ["NumPy", median("numpy")],
  ["C loop", median("c")],
  ["C, AVX-512", median("avx512")],
  ["memory only", median("memory")],
];

const RATIOS: readonly Column[] = [
  ["PyTorch tuned", against("torch tuned", "reused")],
  ["… 2 threads", against("torch tuned 2", "threads")],
  ["torch.compile", against("compiled", "reused")],
  ["… to relaxed SIMD", against("compiled", "relaxed")],
  ["C, AVX-512", against("avx512", "reused")],
  ["… to relaxed SIMD", against("avx512", "relaxed")],
  ["PyTorch as installed", against("torch", "reused")],
  ["… to a check's", against("torch", "check")],
  ["… to a check's, relaxed", against("torch", "relaxed check")],
  ["torch.compile as installed", against("compiled as installed", "check")],
  ["… relaxed", against("compiled as installed", "relaxed check")],
];

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function tableOf(
  columns: readonly Column[],
  rows: readonly { readonly titles: readonly string[]; readonly times: Times }[],
): string[] {
  const titles = ["loss and gradient", "N", ...columns.map(([title]) => title)];
  return [
    line(titles),
    line(titles.map((_, k) => (k === 0 ? "---" : "--:"))),
    ...rows.map((r) => line([...r.titles, ...columns.map(([, of]) => of(r.times))])),
  ];
}

/** Two tables: times and ratios. */
async function tables(
  sizes: readonly number[],
  relaxed: TimingProcess<RelaxedQuestion> | null,
): Promise<{ times: string[]; ratios: string[] }> {
  const python = benchPython();
  const plain = python === null ? null : new PythonTimer(python, false);
  const tuned = python === null ? null : new PythonTimer(python, true);
  const rows: { titles: string[]; times: Times }[] = [];
  for (const loss of LOSSES) {
    for (const entries of sizes) {
      const us = ours(loss, entries);
      const ask =
        (timer: PythonTimer, library: PythonRequest["library"], threads: number): Way =>
        () =>
          timer.ask({ library, loss: loss.key, entries, threads });
      const { release, ...own } = us;
      const ways: Record<string, Way> = { ...own };
      for (const [name, way] of [
        ["relaxed", "reused"],
        ["relaxed threads", "threads"],
        ["relaxed check", "check"],
      ] as const) {
        if (relaxed !== null) ways[name] = () => relaxed.ask({ loss: loss.key, entries, way });
      }
      if (plain !== null && tuned !== null) {
        ways["torch"] = ask(plain, "torch", 1);
        ways["compiled as installed"] = ask(plain, "compiled", 1);
        ways["torch tuned"] = ask(tuned, "torch", 1);
        ways["torch tuned 2"] = ask(tuned, "torch", THREADS);
        ways["compiled"] = ask(tuned, "compiled", 1);
        ways["numpy"] = ask(tuned, "numpy", 1);
        ways["c"] = ask(tuned, "c", 1);
        ways["avx512"] = ask(tuned, "avx512", 1);
      }
      const repeats = entries >= 1e8 ? 3 : entries >= 1e7 ? 9 : entries >= 1e6 ? 15 : 51;
      const times = await alternate(ways, repeats);
      release();
      const titles = [loss.title, entries.toExponential(0).replace("e+", "e")];
      rows.push({ titles, times });
      const cells = [...MILLISECONDS, ...RATIOS].map(([title, of]) => `${title} ${of(times)}`);
      console.log([...titles, ...cells].join("\t"));
    }
  }
  plain?.end();
  tuned?.end();
  relaxed?.end();
  return { times: tableOf(MILLISECONDS, rows), ratios: tableOf(RATIOS, rows) };
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

/** What main.ts and corpus.ts measured last, and the memory of kernels and reference. */
function moreRows(beyond: string, ofReference: string): string[] {
  const memory = [
    ["peak memory beyond inputs and gradient, N = 2e7", `${beyond} MB`],
    ["… of the gradient in double-double, beyond inputs and its two parts", `${ofReference} MB`],
  ];
  const product = ["product", "corpus"].flatMap((name) => {
    const measured = join(root, `.cache/bench-${name}.json`);
    if (!existsSync(measured)) return [];
    return JSON.parse(readFileSync(measured, "utf8")) as [string, string][];
  });
  const lines = [...memory, ...product].map(([what, value]) => `| ${what} | ${value} |`);
  return ["| what | |", "|---|--:|", ...lines];
}

// Before this process is large itself: to the system its size counts as the peak of what it starts.
const beyond = await memoryBeyond(2e7);
const ofReference = await memoryBeyond(2e7, "reference");
const chosen = wanted === undefined ? sizes : wanted.slice(8).split(",").map(Number);
const relaxed = await startRelaxed();
const { times, ratios } = await tables(chosen, relaxed?.timer ?? null);
const checks = await checksTable(chosen.filter((n) => n <= MOST_FOR_CHECKS));
const text = [
  BEGIN,
  "",
  `Milliseconds, medians of alternating repetitions in one run on ${machine}${relaxed === null ? "" : `; “relaxed SIMD” is the same in Node.js ${relaxed.version}, as VS Code's own engine has it`}. float32 arrays; one thread unless said. “Ours” and “PyTorch tuned” reuse memory: ours has its arrays in the kernels' memory, PyTorch an allocator that keeps what it frees. “A check’s” has its arrays in JavaScript’s memory, from where they are copied, within the time, into an arena of the kernels’ memory, which the check before has given back, and its result there too: what a person’s second check takes before its first number, as “as installed” is what PyTorch takes each time, with an allocator that returns large arrays to the system at every operation. “First time” copies them part by part and makes a new array for the result, whose pages the system hands out one by one. torch.compile is compiled once for all sizes; the C loop is plain (gcc -O3 -march=native), “C, AVX-512” written in intrinsics, and both write to an array that is reused. “Memory only” adds two arrays and writes one. A report evaluates in float64, for the sake of its verdict.`,
  "",
  ...times,
  "",
  "How many times as long the others take, as medians of ratios of neighbouring repetitions: to “ours” unless said.",
  "",
  ...ratios,
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
