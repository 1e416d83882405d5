/**
 * Arrays of a Python program that is running: what to evaluate in it, and what the answers mean.
 * `media/python/array_reader.py` does the reading there. It lives in a module that is in no file, from
 * the first question until {@link closing}.
 */
import { dtypes, type DType } from "../dtype.ts";
import { ArrayError, elementCount } from "../ndarray.ts";

/** A Python program that is running. Both give the text of a string. @throws ArrayError */
export interface RunningPython {
  /** Evaluates an expression where the user's variables are known. */
  evaluate(expression: string): Promise<string>;
  /** Evaluates an expression that names nothing of the user's. */
  evaluateAnywhere(expression: string): Promise<string>;
}

/** What an array of a running program is, before its elements are fetched. */
export interface LiveFacts {
  readonly library: "numpy" | "torch" | "tensorflow" | "jax";
  /** Its class, with the module that defines it. */
  readonly type: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly bytes: number;
  /** As its library names it; null where arrays have none. */
  readonly device: string | null;
  /** Whether PyTorch has accumulated a gradient in its `.grad`. */
  readonly grad: boolean;
}

/** An expression without an array that can be read, with one beside it that has, if there is one. */
export class NoLiveArray extends ArrayError {
  readonly instead: string | null;

  constructor(message: string, instead: string | null = null) {
    super(message, instead === null ? {} : { remedy: `Take ${instead}.` });
    this.instead = instead;
  }
}

/** The module's name in the program. */
const MODULE = "_dice_gradient_array_reader";

const module = `__import__("sys").modules[${JSON.stringify(MODULE)}]`;

/** JSON in ASCII, which is the same string in Python, and the same list. */
export function quoted(value: string | readonly (string | number)[]): string {
  return JSON.stringify(value).replace(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** An expression that makes the reader's module and calls a function of it. */
function calling(reader: string, call: string, argument: string): string {
  // The user's expression is an argument, outside of the lambda whose names it must not see. It
  // ends in a new line, since a comment may stand at its end.
  return (
    `(lambda value, module: (__import__("builtins").exec(${quoted(reader)}, module.__dict__), ` +
    `__import__("sys").modules.__setitem__(${JSON.stringify(MODULE)}, module), ` +
    `module.${call}(value))[-1])` +
    `((${argument}\n), __import__("types").ModuleType(${JSON.stringify(MODULE)}))`
  );
}

/** Asks what an expression's value is. @param reader the text of array_reader.py */
export function describing(reader: string, expression: string): string {
  return calling(reader, "describe", expression);
}

/**
 * Asks what each of several variables is; those without numbers are not in the answer.
 * @param variables a Python dictionary of them
 */
export function surveying(reader: string, variables: string): string {
  return calling(reader, "survey", variables);
}

/** A Python dictionary of variables, by name. */
export function dictionaryOf(names: readonly string[]): string {
  return `{${names.map((name) => `${quoted(name)}: ${name}`).join(", ")}}`;
}

/** Fixes the elements of the array that was described. */
export const taking = `${module}.take()`;

/** Asks for the bytes from `start` to `stop` (excluded), in base64. */
export function reading(start: number, stop: number): string {
  return `${module}.read(${String(start)}, ${String(stop)})`;
}

/** Removes the module, and with it what it holds. */
export const closing = `str(__import__("sys").modules.pop(${JSON.stringify(MODULE)}, None) is None)`;

const MARK = "dice-gradient:";

/** The facts in an answer of the reader. Debug adapters may put quotes around a string. */
export function answered(text: string): unknown {
  const bare = text.replace(/^(['"])([^]*)\1$/, "$2");
  if (!bare.startsWith(MARK)) {
    throw new ArrayError(`Python answered with ${shortened(text)} instead of an array.`);
  }
  try {
    return JSON.parse(atob(bare.slice(MARK.length)));
  } catch {
    throw new ArrayError("Python's answer arrived in part only.", {
      remedy: "Save the array with np.save(path, arr) and check the file.",
    });
  }
}

function shortened(text: string): string {
  const [line = ""] = text.trim().split("\n");
  return line.length > 200 ? `${line.slice(0, 200)}…` : line === "" ? "nothing" : line;
}

/**
 * What the reader found.
 * @param expression that was asked about, for the message of a refusal
 * @throws NoLiveArray when its value has no numbers to read
 */
export function factsIn(answer: unknown, expression: string): LiveFacts {
  const refusal = answer as { kind?: unknown; message?: unknown; instead?: unknown };
  if (refusal.kind === "refused" && typeof refusal.message === "string") {
    // A name or a call takes an attribute as it is; anything else needs parentheses.
    const inner = /^[\w.]+$/.test(expression) ? expression : `(${expression})`;
    const instead =
      typeof refusal.instead === "string"
        ? refusal.instead.replace("{x}", () => (refusal.instead === "{x}" ? expression : inner))
        : null;
    throw new NoLiveArray(`${expression} ${refusal.message}.`, instead);
  }
  if (!isFacts(answer)) throw new ArrayError("Python's answer is not the description of an array.");
  return answer;
}

/** What the reader found of several variables, by name. */
export function surveyIn(answer: unknown): Map<string, LiveFacts> {
  const entries = typeof answer === "object" && answer !== null ? Object.entries(answer) : [];
  return new Map(
    entries.flatMap(([name, facts]): [string, LiveFacts][] =>
      isFacts(facts) ? [[name, facts]] : [],
    ),
  );
}

const libraries: readonly unknown[] = ["numpy", "torch", "tensorflow", "jax"];

/** Whether an answer says what it must, without contradicting itself. */
function isFacts(value: unknown): value is LiveFacts {
  if (typeof value !== "object" || value === null) return false;
  const { library, type, dtype, shape, bytes, device, grad } = value as Record<string, unknown>;
  return (
    libraries.includes(library) &&
    typeof type === "string" &&
    typeof dtype === "string" &&
    Object.hasOwn(dtypes, dtype) &&
    Array.isArray(shape) &&
    shape.every((n) => Number.isSafeInteger(n) && n >= 0) &&
    bytes === elementCount(shape as number[]) * dtypes[dtype as DType].bytes &&
    (device === null || typeof device === "string") &&
    typeof grad === "boolean"
  );
}

/** The checksum (CRC-32) of the elements that were taken. @throws ArrayError when they were not */
export function checksumIn(answer: unknown, facts: LiveFacts, expression: string): number {
  const taken = answer as { kind?: unknown; bytes?: unknown; checksum?: unknown };
  if (taken.kind === "refused") factsIn(answer, expression);
  if (taken.kind !== "taken" || typeof taken.checksum !== "number" || taken.bytes !== facts.bytes) {
    throw new ArrayError(`The elements of ${expression} are not what its shape and dtype ask for.`);
  }
  return taken.checksum;
}
