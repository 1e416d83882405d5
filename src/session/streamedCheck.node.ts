/**
 * `check --stream`: a loss on arrays that stay in their files. The report is that of a
 * derivation, with the loss's value, and a check along the gradient itself.
 */
import { resolve } from "node:path";
import { parseArrayLiteral } from "../arrays/literal.ts";
import { parseValueSpec } from "../arrays/valueSpec.ts";
import { interruptible } from "../numbers/interruption.ts";
import { type Argument, PythonProgram } from "../python/program.ts";
import { toFailure } from "./failure.ts";
import { SessionHost } from "./host.ts";
import type { Inspection, Watch } from "./inspect.ts";
import { type Engine, type Job, type JobResult, argumentOf } from "./jobs.ts";
import { type Place, checkLarge } from "./largeCheck.node.ts";
import { namedShape } from "./shapes.ts";
import { storedHeader } from "./stored.node.ts";
import { subjectOf } from "./subjects.ts";
import { inspectTrace } from "./traced.ts";

export interface StreamedJob extends Job {
  readonly callable: string;
  /** Where the gradient is written, as .npy in float64; null: nowhere. */
  readonly out: string | null;
}

/** Never throws for what the user gave. */
export function checkStreamed(job: StreamedJob, engine: Engine, watch: Watch): JobResult {
  const stop = (): boolean => watch.isCancelled();
  try {
    return { inspection: interruptible(stop, () => inspectStreamed(job, engine, watch)) };
  } catch (e) {
    return { failure: toFailure(e) };
  }
}

function inspectStreamed(job: StreamedJob, { parser, files }: Engine, watch: Watch): Inspection {
  const stop = (): boolean => watch.isCancelled();
  const host = new SessionHost(files, job.directory, () => undefined, stop);
  const program = new PythonProgram(parser, host, { file: job.file });
  program.load(job.source, job.file);
  const places = new Map<string, Place>();
  const args = new Map<string, Argument>(job.shapes?.map(namedShape));
  for (const text of job.values) {
    const [name, value] = splitValue(text);
    const spec = parseValueSpec(value);
    if (spec.kind === "literal") {
      args.set(name, argumentOf(parseArrayLiteral(spec.text, { file: name })));
      continue;
    }
    const path = resolve(job.directory, spec.path);
    const place = { path, member: spec.member };
    args.set(name, shapeOf(place));
    places.set(name, place);
  }
  const trace = subjectOf(program, job.callable, args).trace();
  const inspection = inspectTrace(trace, host, job.wrt, watch);
  const inputs = { large: places, computed: new Map(), beside: new Map() };
  return checkLarge(inspection, inputs, job.out, watch);
}

function splitValue(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** What the file's header says of its array. */
function shapeOf({ path, member }: Place): Argument {
  const { shape, dtype } = storedHeader(path, member);
  return { kind: "shape", axes: shape, dtype };
}
