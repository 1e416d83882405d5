/**
 * `npx tsx test/bench/corpus.ts`: loss and gradient of every PyTorch loss of the corpus on enlarged
 * arrays, beside PyTorch's own forward and backward pass, one thread each, in turns. Gradients are
 * compared first. Prints a line for each loss and size, and the losses that are slower;
 * `volumes.ts --write` puts the summary into the README. `--only=TEXT` takes the losses whose name
 * or file has it, `--sizes=1e6` other sizes.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { readNpy } from "../../src/arrays/npy.ts";
import { derive } from "../../src/gradient/derive.ts";
import { type Kernel, compileKernel } from "../../src/numbers/kernel.ts";
import type { FloatArray } from "../../src/numbers/kernel/storage.ts";
import type { TypedArray } from "../../src/numbers/typedArrays.ts";
import { Arena } from "../../src/numbers/wasm/arena.ts";
import { heap, typeOf } from "../../src/numbers/wasm/heap.ts";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import { root } from "../../scripts/lib/root.mjs";
import { CorpusProgram, corpusFiles } from "../oracle/corpus.ts";
import { type Answer, TimingProcess } from "./answers.ts";
import { allocatorOf, benchPython } from "./python.ts";
import { type Times, type Way, alternate, median, timed, timesAsLong } from "./timing.ts";

/**
 * The most that gradients may differ by, relative to the largest entry. Lovász losses are beyond it,
 * and PyTorch's gradient is the one that is off: each weight is the difference of two quotients near
 * 1, which float32 rounds by 6e-8 where n entries leave about 1/n, so that of 1e4 entries PyTorch's
 * are wrong by 3e-4, of 1e6 by 3e-2. Ours are within 1e-9 of a float64 run that takes equal errors in
 * the same order: what sorting leaves is computed in float64 while the loss is traced.
 */
const TOLERANCE = 1e-4;
/** Tracing or running once for longer than this, a loss is skipped: milliseconds. */
const PATIENCE = 1000;
/** Of the largest arrays only every so many losses are timed. */
const LARGE = 1e7;
const SAMPLE = 24;

interface Question {
  /** Its position among the cases. */
  readonly case: number;
  readonly entries: number;
  readonly as: "arrays" | "gradient" | "time";
}

interface Reply extends Answer {
  readonly call: string;
  readonly arrays: Readonly<Record<string, string>>;
  readonly wrt: string;
  readonly gradient: string;
}

interface Listed {
  readonly file: string;
  readonly line: number;
  readonly case: string;
}

/** Thrown by a loss that is not timed; the message says why. */
class Skipped extends Error {
  override readonly name = "Skipped";
}

interface Timed {
  readonly title: string;
  readonly entries: number;
  readonly times: Times;
  /** How many times as long PyTorch takes, with a tuned allocator and as installed. */
  readonly tuned: number;
  readonly installed: number;
}

type Torch = TimingProcess<Question, Reply>;

/** Our two ways: arrays in the kernels' memory, and copied there from outside, as checks do. */
function ours(kernel: Kernel<FloatArray>, bindings: ReadonlyMap<string, TypedArray>) {
  const on = heap();
  const first = kernel.run(bindings).outputs.map((o) => o.data);
  const own = <A extends TypedArray>(a: A): A => {
    const array = on.array(typeOf(a), a.length) as A;
    array.set(a);
    return array;
  };
  const resident = new Map([...bindings].map(([name, a]) => [name, own(a)]));
  const into = [undefined, own(first[1]!)];
  const ways: Record<string, Way> = {
    reused: () => timed(() => kernel.run(resident, { into }).outputs[0]!.data[0]!),
    check: () =>
      timed(() => {
        const arena = new Arena(on, Infinity);
        try {
          const inside = new Map([...bindings].map(([n, a]) => [n, arena.resident(a)]));
          return kernel.run(inside, { arena }).outputs[0]!.data[0]!;
        } finally {
          arena.release();
        }
      }),
  };
  const release = (): void => {
    for (const a of [...resident.values(), into[1]!]) on.release(a.byteOffset);
  };
  return { ways, first, release };
}

function compareGradients(own: FloatArray, file: string): void {
  const theirs = readNpy(new Uint8Array(readFileSync(file)), "gradient").data as Float32Array;
  let [largest, worst] = [0, 0];
  for (const [k, g] of theirs.entries()) {
    largest = Math.max(largest, Math.abs(g));
    const off = Math.abs(own[k]! - g);
    if (!(off <= worst)) worst = off;
  }
  if (largest === 0 && worst === 0) return;
  if (!(worst <= TOLERANCE * largest)) {
    throw new Skipped(`the gradients differ by ${(worst / largest).toExponential(1)}`);
  }
}

let deadline = Infinity;
const interrupted = (): boolean => performance.now() > deadline;

/** @throws Skipped */
async function timeLoss(
  program: CorpusProgram,
  question: Omit<Question, "as">,
  title: string,
  torch: { readonly tuned: Torch; readonly installed: Torch },
): Promise<Timed> {
  const ask = async (as: Question["as"], timer = torch.tuned): Promise<Reply> => {
    const answer = await timer.ask({ ...question, as });
    if (answer === null)
      throw new Skipped("PyTorch fails on arrays of this size, or its loss is not finite");
    return answer;
  };
  const arrays = await ask("arrays");
  const theirs = await ask("gradient");
  deadline = performance.now() + PATIENCE;
  let kernel, bindings;
  try {
    const found = program.expressions({ ...arrays, backend: "torch" });
    bindings = found.bindings;
    const { loss, wrt } = found;
    const options = { vectors: "always", arithmetic: "float32" } as const;
    kernel = compileKernel([loss, derive(loss, wrt)], options);
    kernel.run(bindings, { isCancelled: interrupted });
  } catch (error) {
    const { name, message } = error as Error;
    throw new Skipped(`${name}: ${message.split("\n")[0]}`);
  } finally {
    deadline = Infinity;
  }
  const { ways, first, release } = ours(kernel, bindings);
  try {
    compareGradients(first[1]!, theirs.gradient);
    const entries = first[1]!.length;
    const repeats = entries > 5e6 ? 3 : entries > 1e5 ? 5 : 15;
    ways["torch tuned"] = () => ask("time", torch.tuned);
    ways["torch"] = () => ask("time", torch.installed);
    const times = await alternate(ways, repeats);
    const tuned = timesAsLong(times["torch tuned"]!, times["reused"]!);
    const installed = timesAsLong(times["torch"]!, times["check"]!);
    return { title, entries, times, tuned, installed };
  } finally {
    release();
  }
}

const option = (name: string): string | undefined =>
  process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3);

/** Rows for the README: how many losses, and how many times as long PyTorch takes. */
function summary(rows: readonly Timed[], size: number): [string, string][] {
  const n = size.toExponential(0).replace("e+", "e");
  const row = (what: string, values: readonly number[]): [string, string] => {
    const sorted = [...values].sort((p, q) => p - q);
    const [tenth, middle] = [0.1, 0.5].map((s) => sorted[Math.round(s * (sorted.length - 1))]!);
    const slower = values.filter((v) => v < 1).length;
    const text = `median ${middle!.toFixed(1)}×, one in ten below ${tenth!.toFixed(1)}×, ${slower} below 1×`;
    return [`${rows.length} PyTorch losses of the corpus, N = ${n}, ${what}`, text];
  };
  return [
    row(
      "PyTorch tuned to ours",
      rows.map((r) => r.tuned),
    ),
    row(
      "PyTorch as installed to a check’s",
      rows.map((r) => r.installed),
    ),
  ];
}

const python = benchPython();
if (python === null) {
  console.log("there is no Python with PyTorch");
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "dice-gradient-bench-corpus-"));
const files = corpusFiles().get("torch")!;
const start = (tuned: boolean): Torch =>
  new TimingProcess(
    python,
    [join(root, "test/bench/corpus_torch.py"), folder, ...files],
    allocatorOf(tuned),
  );
const torch = { tuned: start(true), installed: start(false) };
const listed = (await torch.tuned.next()) as Listed[];
await torch.installed.next();
const only = option("only") ?? "";
const sizes = option("sizes")?.split(",").map(Number) ?? [1e4, 1e6, LARGE];
const parser = await loadParserFromDisk();
const rows: [string, string][] = [];
/** Positions of losses that are not timed on larger arrays either. */
const skippedBefore = new Set<number>();
try {
  for (const size of sizes) {
    const done: Timed[] = [];
    const skipped: string[] = [];
    for (const [k, c] of listed.entries()) {
      const title = `${basename(c.file)}: ${c.case.split("(")[0]}`;
      if (
        skippedBefore.has(k) ||
        !title.includes(only) ||
        (size >= LARGE && only === "" && k % SAMPLE !== 0)
      )
        continue;
      const program = new CorpusProgram(parser, relative(root, c.file), interrupted);
      try {
        const row = await timeLoss(program, { case: k, entries: size }, title, torch);
        done.push(row);
        const ms = Object.entries(row.times).map(([name, t]) => `${name} ${median(t).toFixed(3)}`);
        const ratios = `${row.tuned.toFixed(2)}× ${row.installed.toFixed(2)}×`;
        console.log([ratios, row.entries, ...ms, title].join("\t"));
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        skippedBefore.add(k);
        skipped.push(`${title}: ${error.message}`);
      }
    }
    for (const s of skipped) console.log(`skipped\t${s}`);
    for (const r of done.filter((d) => d.tuned < 1 || d.installed < 1)) {
      console.log(`slower\t${r.tuned.toFixed(2)}× ${r.installed.toFixed(2)}×\t${r.title}`);
    }
    if (done.length > 0) {
      const lines = summary(done, size);
      rows.push(...lines);
      for (const text of lines) console.log(text.join(": "));
      console.log(`${skipped.length} skipped, ${skippedBefore.size} with those of fewer entries`);
    }
  }
} finally {
  torch.tuned.end();
  torch.installed.end();
  rmSync(folder, { recursive: true });
}
if (only === "") {
  // volumes.ts puts them into the README beside its own.
  mkdirSync(join(root, ".cache"), { recursive: true });
  writeFileSync(join(root, ".cache/bench-corpus.json"), JSON.stringify(rows));
}
