/** Derive, and check on given arrays, the losses of a file: the command line's two commands. */
import { parseArrayLiteral } from "../arrays/literal.ts";
import { type NdArray, toFloat64 } from "../arrays/ndarray.ts";
import { readerFor } from "../arrays/readers.ts";
import { parseValueSpec } from "../arrays/valueSpec.ts";
import { type Known, parseFormula } from "../formula/parse.ts";
import { interruptible, throwIfCancelled } from "../numbers/interruption.ts";
import type { PythonParser } from "../python/parser.ts";
import { type Argument, PythonProgram } from "../python/program.ts";
import type { Comparison } from "../report/schema.ts";
import type { AutogradJob, AutogradOptions } from "./autograd/job.ts";
import { scalarTypeOf } from "./bindings.ts";
import { compareWithStandards } from "./compare.ts";
import { toFailure } from "./failure.ts";
import type { Files } from "./files.ts";
import { inspectFormula } from "./formula.ts";
import { SessionHost, handleOf } from "./host.ts";
import { type Inspection, InspectionError, type Watch } from "./inspect.ts";
import { type PrecisionWish, precisionDifference, withPrecision, withReason } from "./precision.ts";
import type { Failure } from "./protocol.ts";
import { namedShape } from "./shapes.ts";
import { subjectOf, subjectsOf, traceLike } from "./subjects.ts";
import { inspectTrace } from "./traced.ts";

export interface Job {
  readonly source: string;
  /** Its name in messages and the folder imports start from; `.dice` files hold a formula. */
  readonly file: string;
  /** A function, or a class with constructor arguments; null for every one in the file. */
  readonly callable: string | null;
  /** NAME=VALUE, VALUE being a literal or a path. */
  readonly values: readonly string[];
  /** NAME=SHAPE, for arrays of which nothing but the shape is known. */
  readonly shapes?: readonly string[];
  readonly wrt: string | null;
  /** Where relative paths of values start. */
  readonly directory: string;
  /** Whether real autograd is to judge the gradient, and how; absent when it is not. */
  readonly autograd?: AutogradOptions;
  /** How the gradient behaves on other arrays will be asked. */
  readonly explain?: true;
  /** Where the loss is to be performed in several number types. */
  readonly precision?: PrecisionWish;
}

export type JobResult =
  | {
      readonly inspection: Inspection;
      /** What to run in Python, where `autograd` was asked for. */
      readonly autograd?: AutogradJob;
    }
  | { readonly failure: Failure };

export interface Engine {
  readonly parser: PythonParser;
  readonly files: Files;
}

/** One result a callable, in the order of the file. Never throws for what the user gave. */
export function inspectSource(job: Job, engine: Engine, watch: Watch): JobResult[] {
  try {
    return interruptible(
      () => watch.isCancelled(),
      () => inspectEach(job, engine, watch),
    );
  } catch (e) {
    return [{ failure: toFailure(e) }];
  }
}

/** @throws for what concerns all callables */
function inspectEach(job: Job, { parser, files }: Engine, watch: Watch): JobResult[] {
  const values = new Map(job.values.map((v) => namedValue(v, files, job.directory, watch)));
  const shapes = new Map(job.shapes?.map(namedShape));
  if (job.file.endsWith(".dice")) return [formula(job, values, watch)];
  const host = new SessionHost(
    files,
    job.directory,
    () => undefined,
    () => watch.isCancelled(),
  );
  const program = new PythonProgram(parser, host, { file: job.file });
  program.load(job.source, job.file);
  const args = new Map([...argumentsOf(values), ...shapes]);
  const place = {
    source: { file: job.file, text: job.source, isCell: false },
    folder: job.directory,
  };
  return subjectsOf(program, job.callable, args).map((subject) =>
    attempt(() => {
      const ordering = job.explain === true ? "compared" : "fixed";
      const trace = program.asking({ ordering, wrt: job.wrt }, subject.trace);
      const inspected = inspectTrace(trace, host, job.wrt, watch);
      const inspection =
        job.precision === undefined
          ? inspected
          : withPrecision(inspected, host, subject.tape, job.precision, watch);
      if (job.autograd === undefined) return { inspection };
      return { inspection, autograd: subject.autograd(trace, inspection, place, job.autograd) };
    }),
  );
}

/** A second loss of a comparison: of a file, or a catalogue loss by its call. */
export type Other =
  | {
      readonly kind: "file";
      readonly source: string;
      readonly file: string;
      readonly callable: string;
    }
  | { readonly kind: "catalogue"; readonly call: string };

/**
 * Compares a file's loss with others on the same arrays; without others with the catalogue loss that
 * it comes nearest to. Never throws for what the user gave.
 */
export function compareSource(
  job: Job & { readonly callable: string },
  others: readonly Other[],
  engine: Engine,
  watch: Watch,
): { readonly comparison: Comparison } | { readonly failure: Failure } {
  try {
    const comparison = interruptible(
      () => watch.isCancelled(),
      () => comparisonOf(job, others, engine, watch),
    );
    return { comparison };
  } catch (e) {
    return { failure: toFailure(e) };
  }
}

function comparisonOf(
  job: Job & { readonly callable: string },
  others: readonly Other[],
  { parser, files }: Engine,
  watch: Watch,
): Comparison {
  const values = new Map(job.values.map((v) => namedValue(v, files, job.directory, watch)));
  const load = (source: string, file: string): { program: PythonProgram; host: SessionHost } => {
    const stop = (): boolean => watch.isCancelled();
    const host = new SessionHost(files, job.directory, () => undefined, stop);
    const program = new PythonProgram(parser, host, { file });
    program.load(source, file);
    return { program, host };
  };
  const shapes = new Map(job.shapes?.map(namedShape));
  const own = load(job.source, job.file);
  const args = new Map([...argumentsOf(values), ...shapes]);
  const subject = subjectOf(own.program, job.callable, args);
  const trace = own.program.asking({ wrt: job.wrt }, subject.trace);
  const first = inspectTrace(trace, own.host, job.wrt, watch);
  const inspections = [first];
  const calls: string[] = [];
  for (const other of others) {
    if (other.kind === "catalogue") {
      calls.push(other.call);
      continue;
    }
    const its = load(other.source, other.file);
    inspections.push(
      inspectTrace(traceLike(first, its.program, other.callable), its.host, null, watch),
    );
  }
  const comparison = compareWithStandards(inspections, calls, watch);
  const reason = precisionDifference(first, own.host, subject.tape, watch);
  return withReason(comparison, reason);
}

function attempt(body: () => JobResult): JobResult {
  try {
    return body();
  } catch (e) {
    return { failure: toFailure(e) };
  }
}

function formula(job: Job, values: ReadonlyMap<string, NdArray>, watch: Watch): JobResult {
  return attempt(() => {
    const trace = parseFormula(job.source, (name) => knownOf(values.get(name)), job.file);
    const arrayOf = (name: string): NdArray | null => values.get(name) ?? null;
    return { inspection: inspectFormula(trace, job.file, arrayOf, job.wrt, watch) };
  });
}

function knownOf(array: NdArray | undefined): Known | null {
  if (array === undefined) return null;
  return array.shape.length === 0
    ? { kind: "number", value: toFloat64(array)[0]! }
    : { kind: "array", shape: array.shape, type: scalarTypeOf(array.dtype) };
}

function namedValue(
  text: string,
  files: Files,
  directory: string,
  watch: Watch,
): [string, NdArray] {
  const at = text.indexOf("=");
  const name = text.slice(0, at);
  const spec = parseValueSpec(text.slice(at + 1));
  if (spec.kind === "literal") return [name, parseArrayLiteral(spec.text, { file: name })];
  if (readerFor(spec.path) === undefined) {
    throw new InspectionError(
      `${text.slice(at + 1)} is neither an array nor a file that can be read`,
      `give ${name} as a literal such as [[0, 1]], or as a file such as mask.npy or case.npz[prob]`,
    );
  }
  const tick = (fraction: number): void => {
    throwIfCancelled();
    watch.onProgress(fraction, `reading ${spec.path}`);
  };
  return [name, files.readArray(spec.path, spec.member, directory, tick)];
}

function argumentsOf(values: ReadonlyMap<string, NdArray>): Map<string, Argument> {
  return new Map([...values].map(([name, array]) => [name, argumentOf(array)]));
}

export function argumentOf(array: NdArray): Argument {
  if (array.shape.length === 0) return numberArgument(array);
  return { kind: "array", handle: handleOf(array) };
}

/** A scalar on the command line is a Python number, e.g. epsilon=1e-5. */
function numberArgument(array: NdArray): Argument {
  const type = scalarTypeOf(array.dtype);
  const value = toFloat64(array)[0]!;
  return { kind: "value", value: { kind: "number", type, value, symbol: null, axes: null } };
}
