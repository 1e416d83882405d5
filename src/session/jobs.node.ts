/** Jobs on files of this machine, in this thread: for the command line and for tests. */
import { loadParserFromDisk } from "../python/parser.node.ts";
import { nodeFiles } from "./files.node.ts";
import { type Job, type JobResult, inspectSource } from "./jobs.ts";

export type { Job, JobResult };

export async function inspectFile(job: Job): Promise<JobResult[]> {
  const engine = { parser: await loadParserFromDisk(), files: nodeFiles };
  return inspectSource(job, engine, { onProgress: () => undefined, isCancelled: () => false });
}
