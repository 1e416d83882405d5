/** Jobs on files of this machine, in this thread: for the command line and for tests. */
import { usePlainCopies } from "../numbers/copies.node.ts";
import { useProcessors } from "../numbers/crew.node.ts";
import { loadParserFromDisk } from "../python/parser.node.ts";
import { filesFor } from "./files.node.ts";
import type { Watch } from "./inspect.ts";
import { type StreamedJob, checkStreamed } from "./streamedCheck.node.ts";
import { type Job, type JobResult, type Other, compareSource, inspectSource } from "./jobs.ts";

export type { Job, JobResult, Other, StreamedJob };

// dist/thread.js lies beside dist/cli.js.
useProcessors(new URL("./thread.js", import.meta.url));
usePlainCopies();

const NO_WATCH: Watch = { onProgress: () => undefined, isCancelled: () => false };

/** keras.losses only hands on what this file defines. */
function definedIn(module: string): string {
  return /^(tensorflow\.)?keras\.losses$/.test(module) ? "keras.src.losses.losses" : module;
}

/** What stands for a file when a callable of a module is asked for, as "monai.losses" and "DiceLoss()". */
export function sourceOfModule(module: string, callable: string): Pick<Job, "file" | "source"> {
  const name = /^\w*/.exec(callable)![0];
  // Constructor arguments may need arrays: weight=torch.tensor([1.0, 2.0]).
  const lines = [
    "import numpy as np",
    "import torch",
    `from ${definedIn(module)} import ${name}`,
    "",
  ];
  return { file: "command line", source: lines.join("\n") };
}

/** @param python interpreter whose installed packages imports are read from; `null`: the active one */
export async function inspectFile(
  job: Job,
  python: string | null = null,
  watch: Watch = NO_WATCH,
): Promise<JobResult[]> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor(python) };
  return inspectSource(job, engine, watch);
}

/** The same for one loss on arrays that stay in their files. */
export async function checkFileStreamed(
  job: StreamedJob,
  python: string | null,
  watch: Watch,
): Promise<JobResult> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor(python) };
  return checkStreamed(job, engine, watch);
}

/** The same for the losses of a comparison. */
export async function compareFile(
  job: Job & { readonly callable: string },
  others: readonly Other[],
  python: string | null = null,
  watch: Watch = NO_WATCH,
): Promise<ReturnType<typeof compareSource>> {
  const engine = { parser: await loadParserFromDisk(), files: filesFor(python) };
  return compareSource(job, others, engine, watch);
}
