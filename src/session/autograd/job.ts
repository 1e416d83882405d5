/** What is to run in Python: the program, the call, and the arrays, bit for bit those inspected. */
import type { NdArray } from "../../arrays/ndarray.ts";
import type {
  Arguments,
  CallRequest,
  InputPlan,
  PythonProgram,
  Trace,
  TraceInput,
  TraceTape,
} from "../../python/program.ts";
import type { Value } from "../../python/values.ts";
import { type Inspection, InspectionError, refuseStreamed } from "../inspect.ts";

export type AutogradBackend = "torch" | "jax" | "tensorflow" | "autograd";

export const AUTOGRAD_BACKENDS: readonly AutogradBackend[] = [
  "torch",
  "jax",
  "tensorflow",
  "autograd",
];

export type AutogradDevice = "cpu" | "cuda";

/** As people call them. */
export const LIBRARY_NAMES: Readonly<Record<AutogradBackend, string>> = {
  torch: "PyTorch",
  jax: "JAX",
  tensorflow: "TensorFlow",
  autograd: "HIPS Autograd",
};

/** Which libraries are to differentiate a loss; null backends: the one that it is written for. */
export interface AutogradWish {
  readonly backends: readonly AutogradBackend[] | null;
  /** Where PyTorch computes, on each of them in turn. Other libraries choose for themselves. */
  readonly devices: readonly AutogradDevice[];
}

/** What a face asks for. */
export interface AutogradOptions extends AutogradWish {
  readonly interpreter: string;
  readonly timeoutSeconds: number;
}

export interface PythonSource {
  /** Its name in tracebacks, e.g. "Cell 3". */
  readonly file: string;
  readonly text: string;
  readonly path?: string;
  /** A cell's last expression is what is inspected, and does not run. */
  readonly isCell: boolean;
}

export type PythonArgument =
  | { readonly kind: "array"; readonly index: number }
  | { readonly kind: "python"; readonly text: string }
  | { readonly kind: "list" | "tuple"; readonly items: readonly PythonArgument[] }
  | {
      readonly kind: "dict";
      readonly keys: readonly string[];
      readonly items: readonly PythonArgument[];
    };

/** One library's turn, or why it has none. */
export interface AutogradRun {
  readonly backend: AutogradBackend;
  readonly device: AutogradDevice;
  readonly refusal: string | null;
}

export interface AutogradJob extends Pick<AutogradOptions, "interpreter" | "timeoutSeconds"> {
  readonly runs: readonly AutogradRun[];
  /** Where relative paths and imports start. */
  readonly folder: string;
  readonly sources: readonly PythonSource[];
  /** The library of the arrays that the function takes. */
  readonly writtenFor: string;
  readonly callable: string;
  readonly positional: readonly PythonArgument[];
  readonly keywords: Readonly<Record<string, PythonArgument>>;
  readonly arrays: readonly NdArray[];
  /** Which of `arrays` the gradient is by. */
  readonly wrt: number;
  /** The loss's operations on them, in their order, with the number type of each result. */
  readonly tape: () => TraceTape;
}

/** Libraries that can differentiate a function written for one; the first is its own. */
const CAN_RUN: Readonly<Record<string, readonly AutogradBackend[]>> = {
  torch: ["torch"],
  tensorflow: ["tensorflow"],
  jax: ["jax"],
  autograd: ["autograd"],
  numpy: ["autograd", "jax", "tensorflow"],
};

/** Libraries that can differentiate a function of another one's arrays, its own first. */
export function librariesFor(writtenFor: string): readonly AutogradBackend[] {
  return CAN_RUN[writtenFor] ?? ["autograd"];
}

/**
 * The job for a call in a notebook.
 * @throws InspectionError when the call cannot be repeated in Python
 */
export function jobOfCall(
  program: PythonProgram,
  { request, trace }: { readonly request: CallRequest; readonly trace: Trace },
  inspection: Inspection,
  { sources, folder }: { readonly sources: readonly PythonSource[]; readonly folder: string },
  options: AutogradOptions,
): AutogradJob {
  const given = new ArgumentWriter(program, request.name, trace, inspection);
  const positional = request.positional.map((v) => given.written(v));
  const keywords = Object.fromEntries(
    [...request.keywords].map(([name, v]) => [name, given.written(v)]),
  );
  return finished(given, inspection, options, {
    folder,
    sources,
    callable: request.name,
    positional,
    keywords,
    tape: () => program.tapeOfCall(request, asGiven).tape!,
  });
}

/** The job for a callable of a file, with arguments by name as on the command line. */
export function jobOfFile(
  program: PythonProgram,
  callable: string,
  trace: Trace,
  args: Arguments,
  inspection: Inspection,
  { source, folder }: { readonly source: PythonSource; readonly folder: string },
  options: AutogradOptions,
): AutogradJob {
  const given = new ArgumentWriter(program, trace.name, trace, inspection);
  const keywords = new Map<string, PythonArgument>(
    trace.inputs.map((x) => [x.parameter, given.input(x)]),
  );
  for (const [name, a] of args) {
    if (a.kind === "value") keywords.set(name, given.written(a.value));
  }
  return finished(given, inspection, options, {
    folder,
    sources: [source],
    callable,
    positional: [],
    keywords: Object.fromEntries(keywords),
    tape: () => program.tapeOfArguments(callable, args, asGiven).tape!,
  });
}

/** The type that an argument has. */
const asGiven = (x: InputPlan): string | null => x.dtype;

/** Turns arguments into what the server can make them of, collecting their arrays. */
class ArgumentWriter {
  readonly arrays: NdArray[] = [];
  readonly inputs: TraceInput[] = [];
  private readonly program: PythonProgram;
  private readonly name: string;
  private readonly remaining: TraceInput[];
  private readonly known: ReadonlyMap<string, NdArray | null>;

  constructor(program: PythonProgram, name: string, trace: Trace, inspection: Inspection) {
    refuseStreamed(inspection, "a library that differentiates takes several times as much");
    this.program = program;
    this.name = name;
    this.remaining = [...trace.inputs];
    this.known = new Map(inspection.inputs.map((x) => [x.name, x.array]));
  }

  input(x: TraceInput): PythonArgument {
    const array = this.known.get(x.parameter) ?? null;
    if (array === null) {
      throw new InspectionError(`${x.parameter} has no array, so Python cannot be given it`);
    }
    this.inputs.push(x);
    this.arrays.push(array);
    return { kind: "array", index: this.arrays.length - 1 };
  }

  written(v: Value): PythonArgument {
    switch (v.kind) {
      case "tensor": {
        // The same array may be passed twice: each time it is the next parameter's.
        const at = this.remaining.findIndex((x) => x.argument === v.expr);
        if (at < 0) break;
        return this.input(this.remaining.splice(at, 1)[0]!);
      }
      case "list":
      case "tuple":
        return { kind: v.kind, items: v.items.map((x) => this.written(x)) };
      case "dict": {
        const entries = [...v.entries.values()];
        return {
          kind: "dict",
          keys: entries.map((e) => this.program.display(e.key)),
          items: entries.map((e) => this.written(e.value)),
        };
      }
      case "none":
      case "str":
      case "number":
        return { kind: "python", text: this.program.display(v) };
      default:
    }
    throw new InspectionError(
      `an argument of ${this.name} is neither an array nor a number, a string or a list of them, so Python cannot be given it`,
      "Make it a default of the function, so that the call does not name it.",
    );
  }
}

function finished(
  given: ArgumentWriter,
  inspection: Inspection,
  options: AutogradOptions,
  rest: Pick<AutogradJob, "folder" | "sources" | "callable" | "positional" | "keywords" | "tape">,
): AutogradJob {
  const wrt = given.inputs.findIndex((x) => x.parameter === inspection.wrt.name);
  if (wrt < 0) {
    throw new InspectionError(
      `${inspection.wrt.name} is no argument of the call, so autograd cannot differentiate by it`,
    );
  }
  const writtenFor = given.inputs[wrt]!.library;
  const { interpreter, timeoutSeconds } = options;
  const runs = runsOf(writtenFor, options);
  return { interpreter, timeoutSeconds, ...rest, runs, writtenFor, arrays: given.arrays, wrt };
}

/** @throws InspectionError when none of the libraries asked for can take the function */
function runsOf(writtenFor: string, { backends, devices }: AutogradWish): AutogradRun[] {
  const possible = librariesFor(writtenFor);
  const asked = backends ?? possible.slice(0, 1);
  const runs = asked.flatMap((backend): AutogradRun[] =>
    possible.includes(backend)
      ? (backend === "torch" ? devices : (["cpu"] as const)).map((device) => ({
          backend,
          device,
          refusal: null,
        }))
      : [{ backend, device: "cpu", refusal: refusalOf(writtenFor, backend) }],
  );
  if (runs.every((r) => r.refusal !== null)) {
    throw new InspectionError(
      runs.map((r) => r.refusal).join("; "),
      `It can be by ${possible.join(", ")}.`,
    );
  }
  return runs;
}

function refusalOf(writtenFor: string, backend: AutogradBackend): string {
  return `a function written for ${writtenFor} cannot be differentiated by ${backend}`;
}
