/**
 * `npm run sweep -- [--every N [--from K]] FOLDER…`: traces every Python file below some folders, or
 * every Nth from the Kth on, in a worker process with bounded memory, and prints crashes, hangs, the
 * slowest files and the peak of memory. SWEEP_RESULTS names a file for the outcomes as JSON.
 * results.md keeps what whole runs have found.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pythonFiles } from "./traceFile.ts";
import type { Outcome } from "./worker.ts";

const MB = 2 ** 20;
const MEMORY_MB = 512;
/** A worker that is busy with one file for longer is stopped. */
const HANG_MS = 20_000;
const SLOW_MS = 1000;
/** A worker lives on as long as its peak is below this, so that leaks show. */
const FRESH_ABOVE_MB = 400;

/** A file that ended its worker, or kept it busy. */
interface Lost {
  readonly path: string;
  readonly lost: string;
}

class Worker {
  private readonly child: ChildProcess;
  private readonly ready: Promise<void>;
  private answer: (o: Outcome | Lost) => void = () => undefined;
  private path = "";
  private stderr = "";

  constructor() {
    this.child = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), [], {
      execArgv: ["--import=tsx", `--max-old-space-size=${MEMORY_MB}`],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.child.stderr?.on("data", (data: Buffer) => {
      this.stderr = (this.stderr + data.toString()).slice(-2000);
    });
    this.ready = new Promise((done, fail) => {
      this.child.once("message", () => {
        this.child.on("message", (o: Outcome) => {
          this.answer(o);
        });
        done();
      });
      this.child.once("error", fail);
    });
    this.child.on("exit", (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      this.answer({ path: this.path, lost: `${how}\n${this.stderr}`.trim() });
    });
  }

  async trace(path: string): Promise<Outcome | Lost> {
    await this.ready;
    this.path = path;
    return new Promise((done) => {
      const timer = setTimeout(() => {
        this.answer = () => undefined;
        this.end();
        done({ path, lost: `still busy after ${HANG_MS / 1000} s` });
      }, HANG_MS);
      this.answer = (o) => {
        clearTimeout(timer);
        done(o);
      };
      this.child.send(path);
    });
  }

  end(): void {
    this.child.kill("SIGKILL");
  }
}

class Sweep {
  private readonly lost: Lost[] = [];
  private readonly crashes: Outcome[] = [];
  private readonly large: Outcome[] = [];
  private readonly outcomes: Outcome[] = [];
  private worker = new Worker();

  async run(folders: readonly string[], every: number, from: number): Promise<void> {
    const began = performance.now();
    let files = 0;
    const all = folders.flatMap((f) => [...pythonFiles(resolve(f))]);
    for (const path of all.filter((_, k) => k % every === from)) {
      await this.one(path);
      if (++files % 1000 === 0) {
        const seconds = ((performance.now() - began) / 1000).toFixed(0);
        console.log(`${files} files, ${seconds} s, ${this.failures()} failures`);
      }
    }
    this.worker.end();
    this.print((performance.now() - began) / 1000);
  }

  private async one(path: string): Promise<void> {
    let o = await this.worker.trace(path);
    if (!("lost" in o) && o.peakBytes > FRESH_ABOVE_MB * MB) {
      this.renew();
      // What one file needs is seen in a process of its own.
      if (o.peakBytes > MEMORY_MB * MB) {
        o = await this.worker.trace(path);
        this.renew();
      }
    }
    if ("lost" in o) {
      this.lost.push(o);
      console.log(`LOST ${o.path}: ${o.lost.split("\n")[0]}`);
      this.renew();
      return;
    }
    this.outcomes.push(o);
    if (o.crash !== null) {
      this.crashes.push(o);
      console.log(`CRASH ${o.path}: ${o.crash.split("\n").slice(0, 6).join("\n  ")}`);
    }
    if (o.peakBytes > MEMORY_MB * MB) {
      this.large.push(o);
      console.log(`LARGE ${o.path}: ${(o.peakBytes / MB).toFixed(0)} MB`);
    }
  }

  private renew(): void {
    this.worker.end();
    this.worker = new Worker();
  }

  private slow(): Outcome[] {
    return this.outcomes.filter((o) => costOf(o) > SLOW_MS);
  }

  failures(): number {
    return this.lost.length + this.crashes.length + this.large.length + this.slow().length;
  }

  private print(seconds: number): void {
    const total = (pick: (o: Outcome) => number): number =>
      this.outcomes.reduce((sum, o) => sum + pick(o), 0);
    const slowest = [...this.outcomes].sort((a, b) => costOf(b) - costOf(a)).slice(0, 20);
    const peak = Math.max(0, ...this.outcomes.map((o) => o.peakBytes));
    console.log("\nslowest");
    for (const o of slowest) console.log(`${costOf(o).toFixed(0).padStart(7)} ms  ${o.path}`);
    console.log(`
files           ${this.outcomes.length + this.lost.length} in ${seconds.toFixed(0)} s
refused         ${total((o) => (typeof o.run?.refused === "string" ? 1 : 0))} (no Python 3, or too large)
callables       ${total((o) => o.run?.callables ?? 0)}; tried ${total((o) => o.run?.tried ?? 0)}, traced ${total((o) => o.run?.traced ?? 0)}
crashes         ${this.crashes.length}
lost workers    ${this.lost.length} (memory above ${MEMORY_MB} MB, or busy for ${HANG_MS / 1000} s)
above ${MEMORY_MB} MB    ${this.large.length}
above 1 s       ${this.slow().length}
peak memory     ${(peak / MB).toFixed(0)} MB`);
    const out = process.env["SWEEP_RESULTS"];
    if (out !== undefined) writeFileSync(out, JSON.stringify([...this.outcomes, ...this.lost]));
  }
}

/** The lesser of wall and processor time: others may be using the machine too. */
function costOf(o: Outcome): number {
  return Math.min(o.wallMs, o.cpuMs);
}

const { values, positionals: folders } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
  allowPositionals: true,
});
const every = Math.max(1, Math.trunc(Number(values.every)) || 1);
const from = Math.max(0, Math.trunc(Number(values.from)) || 0) % every;
const missing = folders.find((f) => !existsSync(f));
if (folders.length === 0 || missing !== undefined) {
  if (missing !== undefined) console.error(`There is no folder ${missing}.`);
  console.error("usage: npm run sweep -- [--every N [--from K]] FOLDER…");
  process.exitCode = 2;
} else {
  const sweep = new Sweep();
  await sweep.run(folders, every, from);
  process.exitCode = sweep.failures() === 0 ? 0 : 1;
}
