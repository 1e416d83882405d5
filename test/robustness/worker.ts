/** Traces the files that its parent names, one at a time, and says what each has cost. */
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import { SourceFileError, readSource } from "../../src/session/sourceFile.node.ts";
import { type FileRun, refusal, traceFile } from "./traceFile.ts";

export interface Outcome {
  readonly path: string;
  readonly run: FileRun | null;
  /** An error that no person should meet. */
  readonly crash: string | null;
  readonly wallMs: number;
  /** Of this process, all threads: on a busy machine wall time says little. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

const parser = await loadParserFromDisk();

process.on("message", (path: string) => {
  const began = performance.now();
  const cpu = process.cpuUsage();
  let run: FileRun | null = null;
  let crash: string | null = null;
  try {
    run = traceFile(parser, readSource(path), path);
  } catch (e) {
    if (e instanceof SourceFileError) run = refusal(e.message);
    else crash = e instanceof Error ? (e.stack ?? e.message) : String(e);
  }
  const { user, system } = process.cpuUsage(cpu);
  const outcome: Outcome = {
    path,
    run,
    crash,
    wallMs: performance.now() - began,
    cpuMs: (user + system) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.send?.(outcome);
});
process.send?.("ready");
