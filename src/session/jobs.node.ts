/** Jobs on files of this machine, in this thread: for the command line and for tests. */
import { loadParserFromDisk } from "../python/parser.node.ts";
import { filesFor } from "./files.node.ts";
import { type Job, type JobResult, inspectSource } from "./jobs.ts";

export type { Job, JobResult };

/** @param python interpreter whose installed packages imports are read from; `null`: the active one */
export async function inspectFile(job: Job, python: string | null = null): Promise<JobResult[]> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor(python) };
  return inspectSource(job, engine, { onProgress: () => undefined, isCancelled: () => false });
}
