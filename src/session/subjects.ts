/** Which losses a file or a name asks about, and how each is traced. */
import { elementCount } from "../expression/axis.ts";
import { PythonError } from "../python/errors.ts";
import { TooFewEntriesError } from "../python/interpreter/interpreter.ts";
import { type Role, rolesOf } from "../python/trace/roles.ts";
import type { Argument, Arguments, CallRequest, PythonProgram, Trace } from "../python/program.ts";
import {
  type AutogradJob,
  type AutogradOptions,
  type PythonSource,
  jobOfCall,
  jobOfFile,
} from "./autograd/job.ts";
import { handleOf } from "./host.ts";
import { type Inspection, InspectionError } from "./inspect.ts";
import type { TypeOf } from "./precision.ts";

/** The program in which Python finds the loss, and the folder that its imports start from. */
interface Place {
  readonly source: PythonSource;
  readonly folder: string;
}

/** A loss that is asked about: a callable with arguments by name, or a call with its arrays. */
export interface Subject {
  readonly trace: () => Trace;
  readonly tape: (typeOf: TypeOf) => Trace;
  readonly autograd: (
    trace: Trace,
    inspection: Inspection,
    place: Place,
    options: AutogradOptions,
  ) => AutogradJob;
}

/** @param callable null for every loss of the file, and the call that it ends with */
export function subjectsOf(
  program: PythonProgram,
  callable: string | null,
  args: Arguments,
): readonly Subject[] {
  if (callable !== null) return [subjectOf(program, callable, args)];
  const own = program.callables();
  const last = own.length === 0 || args.size === 0 ? callAtEnd(program) : null;
  return [
    ...own.map((c) => subjectOf(program, c.name, args)),
    ...(last === null ? [] : [subjectOfCall(program, last)]),
  ];
}

/** The call that a file ends with, if it is of a loss that the file does not define itself. */
function callAtEnd(program: PythonProgram): CallRequest | null {
  let last: CallRequest | null;
  try {
    last = program.lastCall();
  } catch (e) {
    // Of a file with losses of its own, a last line that cannot be carried out says nothing.
    if (program.callables().length > 0) return null;
    throw e;
  }
  const root = /^\w+/.exec(last?.name ?? "")?.[0];
  return program.callables().some((c) => c.name === root) ? null : last;
}

/** @param callable an expression: a loss, or a call of one with arrays */
export function subjectOf(program: PythonProgram, callable: string, args: Arguments): Subject {
  const call = callable.includes("(") ? program.callOf(callable) : null;
  if (call === null) return subjectOfName(program, callable, args);
  if (args.size > 0) {
    throw new InspectionError(
      `${callable} has its arguments already, so ${[...args.keys()].join(", ")} cannot be given`,
      `Name the loss alone: ${call.name}.`,
    );
  }
  return subjectOfCall(program, call);
}

function subjectOfName(program: PythonProgram, name: string, args: Arguments): Subject {
  return {
    trace: () => program.trace(name, args),
    tape: (typeOf) => program.tapeOfArguments(name, args, typeOf),
    autograd: (trace, inspection, { source, folder }, options) =>
      jobOfFile(program, name, trace, args, inspection, { source, folder }, options),
  };
}

function subjectOfCall(program: PythonProgram, request: CallRequest): Subject {
  return {
    trace: () => program.traceCall(request),
    tape: (typeOf) => program.tapeOfCall(request, typeOf),
    autograd: (trace, inspection, { source, folder }, options) => {
      const place = { sources: [source], folder };
      return jobOfCall(program, { request, trace }, inspection, place, options);
    },
  };
}

/** Another loss on the first one's arrays, or for arrays of the same shapes where there are none. */
export function traceLike(first: Inspection, program: PythonProgram, callable: string): Trace {
  const alone = traceAlone(program, callable);
  if (alone instanceof PythonError) {
    const parameters = parametersOf(program, callable);
    if (parameters === null) throw alone;
    return subjectOf(program, callable, argumentsLike(first, parameters)).trace();
  }
  if (alone.inputs.some((x) => x.argument !== null)) return alone;
  const args = argumentsLike(first, alone.inputs);
  try {
    return subjectOf(program, callable, args).trace();
  } catch (e) {
    // A loss for other shapes is compared as far as that goes; with arrays it has to take them.
    const areGiven = [...args.values()].some((a) => a.kind === "array");
    if (areGiven || !(e instanceof PythonError)) throw e;
    if (e.cause instanceof TooFewEntriesError) throw tooFew(first, alone, e.cause);
    return alone;
  }
}

/** The error if no shapes could be assumed. */
function traceAlone(program: PythonProgram, callable: string): Trace | PythonError {
  try {
    return subjectOf(program, callable, new Map()).trace();
  } catch (e) {
    if (e instanceof PythonError) return e;
    throw e;
  }
}

function tooFew(first: Inspection, { name, inputs }: Trace, cause: TooFewEntriesError): Error {
  const { wrt } = first;
  const own = inputs.find((x) => x.role === "prediction")?.parameter ?? wrt.name;
  const count = elementCount(wrt.node.shape) ?? "fewer";
  return new InspectionError(
    `${name} takes ${cause.atLeast} entries of ${own}, and ${first.report.function.name} was derived for ${count}`,
    `Give arrays, or shapes with more entries, as in --shape ${wrt.name}=${2 * cause.atLeast}.`,
  );
}

interface NamedParameter {
  readonly parameter: string;
  readonly role: Role;
}

/** Of a loss that is only named, those that must be given. */
function parametersOf(program: PythonProgram, callable: string): NamedParameter[] | null {
  const known = program.callables().find((c) => c.name === /^\w+/.exec(callable)?.[0]);
  const names = known?.parameters.flatMap((p) => (p.default === undefined ? [p.name] : []));
  if (names === undefined) return null;
  const roles = rolesOf(
    names.map((name) => ({ name, isReal: true })),
    "numpy",
  );
  return names.map((parameter, k) => ({ parameter, role: roles[k]! }));
}

/** The first loss's arrays, or their shapes, for the parameters of another: by name, else by role. */
function argumentsLike(
  first: Inspection,
  parameters: readonly NamedParameter[],
): Map<string, Argument> {
  const { name } = first.report.function;
  return new Map(
    parameters.flatMap((x): [string, Argument][] => {
      const twin =
        first.inputs.find((y) => y.name === x.parameter) ??
        first.inputs.find((y) => y.role !== "other" && y.role === x.role);
      if (twin === undefined) return [];
      const { array, node } = twin;
      return [
        [
          x.parameter,
          array === null
            ? {
                kind: "shape",
                axes: node.shape.map((a) => a.size ?? a.name),
                dtype: node.type === "float" ? null : node.type === "bool" ? "bool" : "int64",
                reason: `as ${twin.name} of ${name}`,
              }
            : { kind: "array", handle: handleOf(array) },
        ],
      ];
    }),
  );
}
