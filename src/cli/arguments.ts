/** The command line's arguments. */
import {
  AUTOGRAD_BACKENDS,
  type AutogradBackend,
  type AutogradOptions,
} from "../session/autograd/job.ts";

export interface Command {
  readonly name: "derive" | "check";
  /** A file, or the dotted name of a module that Python would find. */
  readonly file: string;
  readonly isModule: boolean;
  /** Function, or class with constructor arguments; null for every one in the file. */
  readonly callable: string | null;
  readonly values: readonly string[];
  readonly wrt: string | null;
  readonly out: string | null;
  readonly json: boolean;
  /** Interpreter whose installed packages are read; null: the active one. */
  readonly python: string | null;
  /** Real autograd as the referee: which libraries, where, in which Python. Null: not asked. */
  readonly autograd: AutogradOptions | null;
}

/** Wrong use: exit code 2 and the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `usage: dice-gradient derive FILE[:CALLABLE] [--wrt NAME] [--json] [--python PATH]
       dice-gradient check FILE:CALLABLE NAME=VALUE... [--wrt NAME] [--out grad.npy] [--json]
                           [--autograd[=LIBRARY,...]] [--device cpu|cuda] [--python PATH]

FILE      a file, or a module that Python would find: monai.losses:DiceLoss(sigmoid=True)
CALLABLE  a function, or a class with constructor arguments: losses.py:DiceLoss(smooth=1.0)
VALUE     a Python literal ([[0.2, 0.9], [0.5, 0.1]]) or a file (mask.npy, case.npz[prob])
--wrt     the argument to differentiate by; by default the prediction
--out     writes the gradient as .npy
--autograd  runs the loss in Python and has its own library (or torch, jax, tensorflow, autograd)
          differentiate it: this executes the file
--device  where PyTorch runs it
--python  the interpreter (or its environment's folder) whose installed packages imports are read
          from; by default the active environment's, else python3. Only --autograd runs it
--json    prints one JSON object, or an array of them when FILE alone has several losses

exit code 0: agrees (derive: derived); 1: differs, undefined or not differentiable; 2: bad input`;

export function parseArguments(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (name !== "derive" && name !== "check") {
    throw new UsageError(name === undefined ? "no command given" : `there is no command ${name}`);
  }
  const positional: string[] = [];
  let wrt: string | null = null;
  let out: string | null = null;
  let json = false;
  let libraries: AutogradBackend[] | null | undefined;
  let device: AutogradOptions["device"] = "cpu";
  let python: string | null = null;
  for (let k = 0; k < rest.length; k++) {
    const arg = rest[k]!;
    const [, option, given] = /^(--[a-z]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const value = (): string => {
      const text = given ?? rest[++k];
      if (text === undefined) throw new UsageError(`${option!} needs a value`);
      return text;
    };
    switch (option) {
      case undefined:
        if (arg.startsWith("--")) throw new UsageError(`there is no option ${arg}`);
        positional.push(arg);
        break;
      case "--json":
        json = true;
        break;
      case "--wrt":
        wrt = value();
        break;
      case "--out":
        out = value();
        break;
      case "--autograd":
        libraries = given === undefined ? null : given.split(",").map(library);
        break;
      case "--device":
        device = deviceOf(value());
        break;
      case "--python":
        python = value();
        break;
      default:
        throw new UsageError(`there is no option ${arg}`);
    }
  }
  const target = positional.shift();
  if (target === undefined) throw new UsageError(`${name} needs a FILE`);
  const { file, callable } = splitTarget(target);
  const isModule = MODULE.test(file) && !FILE_EXTENSION.test(file);
  if (isModule && callable === null) {
    throw new UsageError(
      `${name} needs MODULE:CALLABLE, e.g. ${file}:DiceLoss(smooth=1.0), or a file such as ${file}.py`,
    );
  }
  for (const v of positional) {
    if (!/^[A-Za-z_]\w*=./s.test(v)) throw new UsageError(`${v} is not NAME=VALUE`);
  }
  if (name === "check" && callable === null && !file.endsWith(".dice")) {
    throw new UsageError(`check needs FILE:CALLABLE, e.g. ${file}:dice_loss`);
  }
  if (name === "derive" && out !== null) throw new UsageError("--out belongs to check");
  if (name === "derive" && libraries !== undefined) {
    throw new UsageError("--autograd belongs to check");
  }
  const autograd =
    libraries === undefined
      ? null
      : { backends: libraries, device, interpreter: python ?? "python3", timeoutSeconds: 0 };
  return { name, file, isModule, callable, values: positional, wrt, out, json, python, autograd };
}

const MODULE = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
const FILE_EXTENSION = /\.(py|pyw|pyi|ipynb|dice)$/;

function library(name: string): AutogradBackend {
  const found = AUTOGRAD_BACKENDS.find((b) => b === name);
  if (found !== undefined) return found;
  throw new UsageError(`there is no autograd library ${name}, but ${AUTOGRAD_BACKENDS.join(", ")}`);
}

function deviceOf(name: string): AutogradOptions["device"] {
  if (name === "cpu" || name === "cuda") return name;
  throw new UsageError(`--device is cpu or cuda, not ${name}`);
}

/** `losses.py:DiceLoss(smooth=1.0)` → file and callable. A drive letter's colon is part of the file. */
export function splitTarget(target: string): { file: string; callable: string | null } {
  const m =
    /^(.*?\.[A-Za-z]+):([A-Za-z_][\s\S]*)$/.exec(target) ??
    /^([A-Za-z_]\w+(?:\.\w+)*):([A-Za-z_][\s\S]*)$/.exec(target);
  return m === null ? { file: target, callable: null } : { file: m[1]!, callable: m[2]! };
}
