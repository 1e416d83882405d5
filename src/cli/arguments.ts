/** The command line's arguments. */
import {
  AUTOGRAD_BACKENDS,
  type AutogradBackend,
  type AutogradDevice,
  type AutogradOptions,
} from "../session/autograd/job.ts";

export interface Command {
  readonly name: "derive" | "check" | "explain" | "precision" | "compare" | "catalogue";
  /** A file, or the dotted name of a module that Python would find. */
  readonly file: string;
  readonly isModule: boolean;
  /** Function, or class with constructor arguments; null for every one in the file. */
  readonly callable: string | null;
  readonly values: readonly string[];
  /** Of compare: FILE:CALLABLE or calls of catalogue losses. Of catalogue: words to search for. */
  readonly others: readonly string[];
  /** NAME=SHAPE, each from a --shape. */
  readonly shapes: readonly string[];
  readonly wrt: string | null;
  readonly out: string | null;
  /** Of check: arrays stay in their .npy files, which are read part by part. */
  readonly stream: boolean;
  readonly json: boolean;
  /** Of precision: whose torch.autocast is among the rungs, if any is. */
  readonly autocast: AutogradDevice | null;
  /** Interpreter whose installed packages are read; null: the active one. */
  readonly python: string | null;
  /** Real autograd as the referee: which libraries, where, in which Python. Null: not asked. */
  readonly autograd: AutogradOptions | null;
}

/** Wrong use: exit code 2 and the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `usage: dice-gradient derive FILE[:CALLABLE] [--shape NAME=SHAPE]... [--wrt NAME] [--json]
                           [--python PATH]
       dice-gradient check FILE:CALLABLE NAME=VALUE... [--wrt NAME] [--out grad.npy] [--json] [--stream]
                           [--autograd[=LIBRARY,...]] [--device cpu|cuda] [--python PATH]
       dice-gradient explain FILE:CALLABLE [NAME=VALUE...] [--shape NAME=SHAPE]... [--wrt NAME]
                           [--json] [--autograd[=LIBRARY,...]] [--device cpu|cuda] [--python PATH]
       dice-gradient precision FILE:CALLABLE NAME=VALUE... [--autocast[=cuda]] [--wrt NAME] [--json]
                           [--python PATH]
       dice-gradient compare FILE:CALLABLE [OTHER...] [NAME=VALUE...] [--shape NAME=SHAPE]...
                           [--json] [--python PATH]
       dice-gradient catalogue [WORD...] [--json]
       dice-gradient lint PATH... [--format text|json|sarif] [--ignore CODE,...]
                          [--severity CODE=error|warning|information|off] [--verbose] [--python PATH]

OTHER     another FILE:CALLABLE, or a loss as its library writes it:
          "monai.losses.DiceLoss(sigmoid=True)"; by default the nearest one of the catalogue
FILE      a file, or a module that Python would find: monai.losses:DiceLoss(sigmoid=True)
CALLABLE  a function, or a class with constructor arguments: losses.py:DiceLoss(smooth=1.0)
VALUE     a Python literal ([[0.2, 0.9], [0.5, 0.1]]) or a file (mask.npy, case.npz[prob])
--shape   the shape of an array that is not given: y_pred=2,3,64,64, y_pred=b,c,h,w (a letter leaves
          the size open) or y_true=b,h,w:int64; by default shapes are found from the code
--wrt     the argument to differentiate by; by default the prediction
--out     writes the gradient as .npy
--stream  leaves arrays in their files and reads them part by part: for those larger than memory;
          what is packed is unpacked into a temporary file first
--autograd  runs the loss in Python and has its own library (or torch, jax, tensorflow, autograd)
          differentiate it: this executes the file
--device  where PyTorch runs it
--python  the interpreter (or its environment's folder) whose installed packages imports are read
          from; by default the active environment's, else python3. Only --autograd runs it
--autocast  adds torch.autocast in bfloat16 and float16 to the number types of precision, the
            CPU's or with =cuda a GPU's
--json    prints one JSON object, or an array of them when FILE alone has several losses

exit code 0: agrees (derive, explain: derived; compare: the same gradient; precision: right in every
number type; lint: nothing but notes); 1: differs, undefined or not differentiable (lint: warnings or
errors); 2: bad input`;

export function parseArguments(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (!isCommand(name)) {
    throw new UsageError(name === undefined ? "no command given" : `there is no command ${name}`);
  }
  const positional: string[] = [];
  const shapes: string[] = [];
  let wrt: string | null = null;
  let out: string | null = null;
  let json = false;
  let autocast: AutogradDevice | null = null;
  let stream = false;
  let libraries: AutogradBackend[] | null | undefined;
  let devices: AutogradOptions["devices"] = ["cpu"];
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
      case "--stream":
        stream = true;
        break;
      case "--autocast":
        autocast = deviceOf("--autocast", given ?? "cpu");
        break;
      case "--shape":
        shapes.push(shapeOption(value()));
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
        devices = value()
          .split(",")
          .map((d) => deviceOf("--device", d));
        break;
      case "--python":
        python = value();
        break;
      default:
        throw new UsageError(`there is no option ${arg}`);
    }
  }
  const isValue = (text: string): boolean => /^[A-Za-z_]\w*=./s.test(text);
  if (name === "catalogue") {
    return {
      name, file: "", isModule: false, callable: null, values: [], others: positional, shapes,
      wrt, out, json, autocast, stream, python, autograd: null,
    }; // prettier-ignore
  }
  const target = positional.shift();
  if (target === undefined) throw new UsageError(`${name} needs a FILE`);
  const { file, callable } = splitTarget(target);
  const isModule = isModuleName(file);
  if (isModule && callable === null) {
    throw new UsageError(
      `${name} needs MODULE:CALLABLE, e.g. ${file}:DiceLoss(smooth=1.0), or a file such as ${file}.py`,
    );
  }
  const others = positional.filter((v) => !isValue(v));
  const values = positional.filter(isValue);
  if (name !== "compare" && others.length > 0) {
    throw new UsageError(`${others[0]!} is not NAME=VALUE`);
  }
  if (name === "compare" && callable === null) {
    throw new UsageError(`compare needs FILE:CALLABLE, e.g. ${file}:dice_loss`);
  }
  const needsCallable = name === "check" || name === "explain" || name === "precision";
  if (needsCallable && callable === null && !file.endsWith(".dice")) {
    throw new UsageError(`${name} needs FILE:CALLABLE, e.g. ${file}:dice_loss`);
  }
  if (name !== "precision" && autocast !== null) {
    throw new UsageError("--autocast belongs to precision");
  }
  if (name !== "check" && out !== null) throw new UsageError("--out belongs to check");
  if (stream && (name !== "check" || file.endsWith(".dice"))) {
    throw new UsageError("--stream belongs to check of a Python file");
  }
  if (stream && libraries !== undefined) {
    throw new UsageError(
      "--autograd takes several times the arrays' memory, so it does not go with --stream; give it a crop of them",
    );
  }
  if (name !== "check" && name !== "explain" && libraries !== undefined) {
    throw new UsageError("--autograd belongs to check and explain");
  }
  if (name === "explain" && libraries !== undefined && values.length === 0) {
    throw new UsageError("--autograd needs arrays: NAME=VALUE");
  }
  const autograd =
    libraries === undefined
      ? null
      : { backends: libraries, devices, interpreter: python ?? "python3", timeoutSeconds: 0 };
  return {
    name,
    file,
    isModule,
    callable,
    values,
    others,
    shapes,
    wrt,
    out,
    json,
    autocast,
    stream,
    python,
    autograd,
  };
}

function isCommand(name: string | undefined): name is Command["name"] {
  return ["derive", "check", "explain", "precision", "compare", "catalogue"].includes(name ?? "");
}

/** Whether a target's first part names a module of Python rather than a file. */
export function isModuleName(file: string): boolean {
  return MODULE.test(file) && !FILE_EXTENSION.test(file);
}

const MODULE = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
const FILE_EXTENSION = /\.(py|pyw|pyi|ipynb|dice)$/;

function library(name: string): AutogradBackend {
  const found = AUTOGRAD_BACKENDS.find((b) => b === name);
  if (found !== undefined) return found;
  throw new UsageError(`there is no autograd library ${name}, but ${AUTOGRAD_BACKENDS.join(", ")}`);
}

function deviceOf(option: string, name: string): AutogradDevice {
  if (name === "cpu" || name === "cuda") return name;
  throw new UsageError(`${option} is cpu or cuda, not ${name}`);
}

/** `losses.py:DiceLoss(smooth=1.0)` → file and callable. A drive letter's colon is part of the file. */
export function splitTarget(target: string): { file: string; callable: string | null } {
  const m =
    /^(.*?\.[A-Za-z]+):([A-Za-z_][\s\S]*)$/.exec(target) ??
    /^([A-Za-z_]\w+(?:\.\w+)*):([A-Za-z_][\s\S]*)$/.exec(target);
  return m === null ? { file: target, callable: null } : { file: m[1]!, callable: m[2]! };
}

function shapeOption(text: string): string {
  if (/^[A-Za-z_]\w*[=:]./.test(text)) return text;
  throw new UsageError(`--shape takes NAME=SHAPE, not ${text}`);
}
