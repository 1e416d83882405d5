/**
 * A derived gradient as Python that runs as it is: a NumPy function, and a `torch.autograd.Function`
 * whose backward is the formula. Both are written from the very expressions that are printed and
 * evaluated. What cannot be written for certain gives null.
 */
import { type Names, pythonIdentifier } from "./names.ts";
import type { Expr } from "./node.ts";
import { NUMPY_HELPERS, numpy, torch } from "./pythonCodeDialects.ts";
import { type Definition, Emitter, pythonNumber } from "./pythonCodeEmit.ts";
import { CannotWrite } from "./pythonCodeShapes.ts";

export type { Definition } from "./pythonCodeEmit.ts";

export interface CodeRequest {
  /** The user's name of the loss; anything, it is made an identifier here. */
  readonly functionName: string;
  /** Loss and gradient in terms of the inputs, the parameters and the definitions' nodes. */
  readonly loss: Expr;
  readonly gradient: Expr;
  /** The input differentiated by. */
  readonly wrt: Expr;
  /** Array arguments, then scalar ones, in the order of the generated signature. */
  readonly inputs: readonly Expr[];
  readonly parameters: readonly Expr[];
  /** Named quantities, each after what it is made of. */
  readonly definitions: readonly Definition[];
  readonly names: Names;
  /** Axes (by name) for whose sizes alone the formula holds; the code checks them. */
  readonly fixedAxes: readonly string[];
  /** Formulas for the docstring, as plain text. */
  readonly lossText: string;
  readonly gradientText: string;
}

/** A NumPy function that returns the gradient, of the shape of the input differentiated by. */
export function toNumPy(request: CodeRequest): string | null {
  return orNull(() => writeNumPy(request));
}

/** A `torch.autograd.Function` and a function that applies it. */
export function toTorchFunction(request: CodeRequest): string | null {
  return orNull(() => writeTorch(request));
}

/** A PyTorch function of the loss alone, which autograd differentiates. */
export function toTorchLoss(request: CodeRequest): string | null {
  return orNull(() => writeTorchLoss(request));
}

function orNull(write: () => string): string | null {
  try {
    return write();
  } catch (error) {
    if (error instanceof CannotWrite) return null;
    throw error;
  }
}

function pythonName(names: Names, e: Expr): string {
  const symbol = names.symbolOf(e);
  if (symbol === undefined) throw new CannotWrite("an argument has no name");
  return symbol.python;
}

/** Arguments with their defaults; those without one come first, as Python demands. */
function signature({ inputs, parameters, names }: CodeRequest): { head: string; order: Expr[] } {
  const valueOf = (p: Expr): number | null => (p.kind === "parameter" ? p.value : null);
  const required = [...inputs, ...parameters.filter((p) => valueOf(p) === null)];
  const optional = parameters.filter((p) => valueOf(p) !== null);
  const head = [
    ...required.map((e) => pythonName(names, e)),
    ...optional.map((p) => `${pythonName(names, p)}=${defaultValue(valueOf(p)!)}`),
  ];
  return { head: head.join(", "), order: [...required, ...optional] };
}

function defaultValue(v: number): string {
  return Number.isFinite(v) ? pythonNumber(v) : `float("${v}")`.replace("Infinity", "inf");
}

/** What the code is bound to, ranks and sizes (of an unrolled loop over classes, say), checked in it. */
function shapeCheck(
  { wrt, names, fixedAxes, inputs }: CodeRequest,
  emitters: readonly Emitter[],
): string[] {
  const fixed = new Set([...fixedAxes, ...emitters.flatMap((e) => [...e.shapes.fixedAxes])]);
  const name = pythonName(names, wrt);
  const ranked = emitters.some((e) => e.shapes.usesPositions)
    ? inputs.filter((x) => x === wrt || x.shape.length > 0)
    : [];
  const ranks = ranked.map((x) => `${pythonName(names, x)}.ndim != ${x.shape.length}`);
  const words = ranked.map((x) => `${x.shape.length}-d ${pythonName(names, x)}`);
  const isKnown = [...fixed].every((axis) => wrt.shape.some((a) => a.name === axis));
  const checked = wrt.shape
    .map((a, d) => ({ a, d }))
    .filter(({ a }) => a.size !== null && fixed.size > 0 && (!isKnown || fixed.has(a.name)));
  return [
    ...(ranks.length === 0
      ? []
      : [
          `if ${ranks.join(" or ")}:`,
          `    raise ValueError("derived for ${words.join(" and ")}")`,
        ]),
    ...checked.flatMap(({ a, d }) => [
      `if ${name}.shape[${d}] != ${a.size}:`,
      `    raise ValueError("derived for arrays with ${a.size} entries along axis ${d}")`,
    ]),
  ];
}

/** Formulas for a docstring, one line each. */
const formulas = (request: CodeRequest): string[] =>
  [request.lossText, request.gradientText].flatMap((t) => t.split("\n")).map((l) => `    ${l}`);

const indent = (lines: readonly string[], by: number): string =>
  lines.map((l) => (l === "" ? "" : " ".repeat(by) + l)).join("\n");

function writeNumPy(request: CodeRequest): string {
  const { names, wrt, inputs, definitions, gradient } = request;
  const emitter = new Emitter(numpy, names, arraysFirst(wrt, inputs));
  const wrtName = pythonName(names, wrt);
  const { head } = signature(request);
  emitter.lines.push(
    ...inputs.map((x) => {
      const name = pythonName(names, x);
      const dtype = x.type === "float" ? ", dtype=float" : x.type === "bool" ? ", dtype=bool" : "";
      return `${name} = np.asarray(${name}${dtype})`;
    }),
  );
  const start = emitter.lines.length;
  emitter.define([gradient], definitions, new Set());
  const result = emitter.statement("return ", gradient).map((line) =>
    // A stretched view cannot be written to; a gradient is handed on to code that does.
    line.replace(/^return (np\.broadcast_to\(.*\))$/, "return np.array($1)"),
  );
  emitter.lines.splice(start, 0, ...shapeCheck(request, [emitter]));
  const body = [...emitter.lines, ...result];
  const name = pythonIdentifier(`${snakeCase(request.functionName)}_gradient`);
  const helpers = Object.entries(NUMPY_HELPERS)
    .filter(([helper]) => body.some((l) => l.includes(`${helper}(`)))
    .map(([, source]) => source);
  const doc = [
    `"""Gradient of ${plainName(request.functionName)} with respect to ${wrtName}, of its shape.`,
    "",
    ...formulas(request),
    `"""`,
  ];
  return [
    ...(body.some((l) => l.includes("math.")) ? ["import math", ""] : []),
    "import numpy as np",
    "",
    "",
    ...helpers.flatMap((h) => [h, "", ""]),
    `def ${name}(${head}):`,
    indent([...doc, ...body], 4),
    "",
  ].join("\n");
}

function writeTorch(request: CodeRequest): string {
  const { names, wrt, inputs, parameters, definitions, loss, gradient } = request;
  const arrays = arraysFirst(wrt, inputs);
  const { head, order } = signature(request);
  const wrtName = pythonName(names, wrt);

  const forward = new Emitter(torch, names, arrays);
  forward.define([loss], definitions, new Set());
  const value = forward.statement("return ", loss);
  const inForward = [...forward.lines, ...value];
  const computed = definitions.map((d) => d.node).filter((n) => mentions(inForward, names, n));

  const backward = new Emitter(torch, names, arrays);
  backward.define([gradient], definitions, new Set(computed));
  const result = backward.statement("gradient = ", gradient);
  // What backward mentions of the arguments and of what forward computed is saved for it.
  const inBackward = [...backward.lines, ...result];
  const savedNames = [...inputs, ...computed]
    .filter((e) => mentions(inBackward, names, e))
    .map((e) => pythonName(names, e));
  const keptNames = parameters
    .filter((p) => mentions(inBackward, names, p))
    .map((p) => pythonName(names, p));
  const unpacked = savedNames.length === 1 ? `(${savedNames[0]},)` : savedNames.join(", ");

  const forwardBody = [
    ...typesAligned(request),
    ...shapeCheck(request, [forward, backward]),
    ...forward.lines,
    ...(savedNames.length === 0 ? [] : [`ctx.save_for_backward(${savedNames.join(", ")})`]),
    ...keptNames.map((p) => `ctx.${p} = ${p}`),
    ...value,
  ];
  const backwardBody = [
    ...(savedNames.length === 0 ? [] : [`${unpacked} = ctx.saved_tensors`]),
    ...keptNames.map((p) => `${p} = ctx.${p}`),
    ...inBackward,
    `return ${order.map((e) => (e === wrt ? "grad_output * gradient" : "None")).join(", ")}`,
  ];
  const all = [...forwardBody, ...backwardBody];
  const uses = (text: string): boolean => all.some((l) => l.includes(text));
  const className = `${pascalCase(request.functionName)}Function`;
  const plainFunction = pythonIdentifier(snakeCase(request.functionName));
  const argumentNames = order.map((e) => pythonName(names, e)).join(", ");
  return [
    ...(uses("math.") ? ["import math", ""] : []),
    "import torch",
    ...(uses("F.") ? ["import torch.nn.functional as F"] : []),
    "",
    "",
    `class ${className}(torch.autograd.Function):`,
    `    """${plainName(request.functionName)} with its gradient with respect to ${wrtName} written out.`,
    "",
    indent(formulas(request), 4),
    `    """`,
    "",
    "    @staticmethod",
    `    def forward(ctx, ${argumentNames}):`,
    indent(forwardBody, 8),
    "",
    "    @staticmethod",
    "    def backward(ctx, grad_output):",
    indent(backwardBody, 8),
    "",
    "",
    `def ${plainFunction}(${head}):`,
    `    return ${className}.apply(${argumentNames})`,
    "",
  ].join("\n");
}

function writeTorchLoss(request: CodeRequest): string {
  const { names, wrt, inputs, definitions, loss } = request;
  const emitter = new Emitter(torch, names, arraysFirst(wrt, inputs));
  emitter.define([loss], definitions, new Set());
  const value = emitter.statement("return ", loss);
  const body = [
    ...typesAligned(request),
    ...shapeCheck(request, [emitter]),
    ...emitter.lines,
    ...value,
  ];
  const uses = (text: string): boolean => body.some((l) => l.includes(text));
  return [
    ...(uses("math.") ? ["import math", ""] : []),
    "import torch",
    ...(uses("F.") ? ["import torch.nn.functional as F"] : []),
    "",
    "",
    `def ${pythonIdentifier(snakeCase(request.functionName))}(${signature(request).head}):`,
    indent(body, 4),
    "",
  ].join("\n");
}

/** Lines that give the other float arrays the type of the one differentiated by. */
function typesAligned({ names, wrt, inputs }: CodeRequest): string[] {
  return inputs
    .filter((x) => x !== wrt && x.type === "float")
    .map(
      (x) =>
        `${pythonName(names, x)} = ${pythonName(names, x)}.to(${pythonName(names, wrt)}.dtype)`,
    );
}

/** Whether the name of `e` stands in the code, as a word of its own. */
function mentions(code: readonly string[], names: Names, e: Expr): boolean {
  const name = pythonName(names, e);
  return code.some((line) => line.split(/[^\p{L}\p{Nd}_]+/u).includes(name));
}

/** The input differentiated by comes first: results are of its type. */
function arraysFirst(wrt: Expr, inputs: readonly Expr[]): Expr[] {
  return [wrt, ...inputs.filter((x) => x !== wrt)];
}

/** A function's name in a sentence: letters, digits, dots and underscores. */
function plainName(name: string): string {
  return name.replace(/[^\p{L}\p{Nd}_.]/gu, "_").slice(0, 80);
}

function snakeCase(name: string): string {
  return pythonIdentifier(name.replace(/\.(forward|__call__|call)$/, ""))
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

function pascalCase(name: string): string {
  return snakeCase(name)
    .split("_")
    .filter((w) => w !== "")
    .map((w) => w.charAt(0).toUpperCase() + w.slice(1))
    .join("")
    .replace(/^(?=\d|$)/, "Loss");
}
