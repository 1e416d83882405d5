/**
 * One inspection: from a traced loss and the arrays it is called with to a report.
 */
import { type NdArray, formatShape } from "../arrays/ndarray.ts";
import { spaceApart } from "../arrays/spaceApart.ts";
import { topological } from "../expression/walk.ts";
import { type Expr, type SourceSpan, isPositions } from "../expression/node.ts";
import * as build from "../expression/build.ts";
import { type CheckRequest, type CheckResult, checkGradient } from "../gradient/check.ts";
import { receivesGradient } from "../gradient/derive.ts";
import type { Tied } from "../gradient/kinks.ts";
import { type Derivation, deriveSteps } from "../gradient/steps.ts";
import { difference } from "../numbers/certain.ts";
import { filled, throwIfCancelled } from "../numbers/interruption.ts";
import { compileKernel } from "../numbers/kernel.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import { Arena } from "../numbers/wasm/arena.ts";
import { type ImageSource, makeImages } from "../report/images.ts";
import { TABLE_LIMIT, boundOf, finite, makeNumbers } from "../report/numbers.ts";
import {
  type Check,
  type Diagnostic,
  type Numbers,
  type Report,
  type SymbolEntry,
  REPORT_SCHEMA,
} from "../report/schema.ts";
import { describeArray, kernelArray } from "./bindings.ts";
import type { HandwrittenResult } from "./handwritten.ts";
import { InspectionError } from "./inspectionError.ts";

export { InspectionError };

export type Role = "prediction" | "target" | "other";

export interface InspectedInput {
  /** Name of the parameter in the user's code, which is the name of the input node. */
  readonly name: string;
  readonly node: Expr;
  readonly role: Role;
  /** null when the loss is derived without arrays. */
  readonly array: NdArray | null;
  /** The code makes it itself, as class weights or torch.arange(3): no caller gives another. */
  readonly isFixed?: true;
}

export interface InspectionRequest {
  readonly function: Report["function"];
  /** The traced value; a loss without reduction is summed, and the report says so. */
  readonly loss: Expr;
  readonly inputs: readonly InspectedInput[];
  /** Input to differentiate by; by default the prediction. */
  readonly wrt: string | null;
  readonly assumptions: readonly string[];
  /** Places where the code itself cuts the gradient: `.detach()`, `torch.no_grad()`, … */
  readonly blockers: readonly {
    readonly how: string;
    readonly file: string;
    readonly line: number;
    /** Names of the inputs behind it; all, if it does not say. */
    readonly inputs?: readonly string[];
    /** It stops the gradient at some entries only. */
    readonly partial?: boolean;
  }[];
  readonly fixed?: readonly FixedValues[];
  /** Gradients that the code brings itself, and what the program's gradient is with them. */
  readonly handwritten?: HandwrittenResult;
}

/** What the values of the arrays decided for good while the loss was traced. */
export interface FixedValues {
  /** In words, e.g. "the order in which topk() puts entries". */
  readonly what: string;
  readonly file: string;
  readonly line: number;
  /** Names of the inputs that decide it. */
  readonly inputs: readonly string[];
  /** Names of those whose gradient is not in the loss for it. */
  readonly lost: readonly string[];
  /** Where entries that were sorted are equal. */
  readonly tied: Tied | null;
  /** The array of the loss that holds what was computed from them. */
  readonly constant: Expr | null;
}

/** For a check: what it cannot read off a loss whose arrays decided some of it. */
export function fixedParts(
  fixed: readonly FixedValues[] = [],
): Pick<CheckRequest, "tied" | "computed"> {
  return {
    tied: fixed.flatMap((f) => f.tied ?? []),
    computed: fixed.flatMap(({ constant }) => (constant?.kind === "input" ? constant : [])),
  };
}

export interface Watch {
  onProgress(fraction: number | null, what: string): void;
  isCancelled(): boolean;
}

/** What an inspection computed, for whoever needs more than the report (files, comparisons). */
export interface Inspection {
  readonly report: Report;
  readonly loss: Expr;
  readonly inputs: readonly InspectedInput[];
  readonly wrt: InspectedInput;
  /** What the program computes: the derived gradient unless one written by hand is in force. */
  readonly gradientExpr: Expr;
  /** Row-major gradient values; null without arrays, or where they are read part by part. */
  readonly gradient: Float64Array | null;
  /** What holds for these arrays only. */
  readonly fixed?: readonly FixedValues[];
  /** Its arrays are too large for memory and were read part by part. */
  readonly isStreamed?: true;
  /** Where in the source each node was made; of a traced loss only. */
  readonly spans?: ReadonlyMap<Expr, SourceSpan>;
  /** The variables that hold them there. */
  readonly labels?: ReadonlyMap<Expr, string>;
}

/**
 * For what needs arrays whole and often.
 * @param why goes on after "… are too large for memory, and "
 * @throws InspectionError where they are read part by part
 */
export function refuseStreamed({ report, isStreamed }: Inspection, why: string): void {
  if (isStreamed !== true) return;
  throw new InspectionError(
    `the arrays of ${report.function.name} are too large for memory, and ${why}`,
    "Give a crop of them, e.g. y_pred[:64].",
  );
}

export function inspect(request: InspectionRequest, watch: Watch): Inspection {
  refuseEmpty(request.inputs);
  const assumptions = [...request.assumptions];
  const loss = asScalar(request, assumptions);
  const wrt = chooseInput(request, loss, assumptions);
  refuseLost(request, wrt);
  assumptions.push(...placesApart(request.inputs));
  watch.onProgress(null, "deriving");
  const derivation = deriveSteps(loss, wrt.node, {
    functionName: request.function.name,
    target: request.inputs.find((x) => x.role === "target" && x !== wrt)?.node ?? null,
    argumentOrder: request.inputs.map((x) => x.node),
  });
  const bound = request.inputs.every((x) => x.array !== null);
  const inForce = request.handwritten?.inForce(wrt.node) ?? null;
  const numeric = bound
    ? evaluateAndCheck({ request, loss, wrt, derivation, inForce, watch })
    : null;
  const handwritten = (request.handwritten?.entries ?? []).map((e) => ({
    ...e,
    maxAbsDifference: e.inForce ? (numeric?.gap ?? null) : null,
  }));
  const report: Report = {
    schema: REPORT_SCHEMA,
    function: request.function,
    loss: {
      ...derivation.loss,
      value: numeric === null ? null : finite(numeric.value),
      ...(numeric === null ? {} : { error: numeric.valueError }),
    },
    gradient: {
      ...derivation.gradient,
      wrt: wrt.name,
      steps: derivation.steps,
      shape: shapeOf(wrt),
      markdown: derivation.markdown,
      python: derivation.python,
      ...(numeric !== null && numeric.derived.length <= TABLE_LIMIT
        ? { values: Array.from(numeric.derived, finite) }
        : {}),
    },
    check: numeric?.check ?? notChecked(),
    autograd: null,
    matches: [],
    differences: [],
    diagnostics: [...(request.handwritten?.diagnostics ?? []), ...cuts(request, loss, wrt)],
    symbols: derivation.symbols.map((s) => explained(s, request)),
    arrays: request.inputs.flatMap((x) =>
      x.array === null || isPositions(x.node) ? [] : [describeArray(x.name, x.role, x.array)],
    ),
    assumptions: [...new Set(assumptions)],
    ...(numeric === null ? {} : { numbers: numeric.numbers, images: numeric.images }),
    ...(handwritten.length === 0 ? {} : { handwritten }),
  };
  return {
    report,
    loss,
    inputs: request.inputs,
    wrt,
    gradientExpr: inForce ?? derivation.gradientExpr,
    gradient: numeric?.gradient ?? null,
    ...(request.fixed === undefined ? {} : { fixed: request.fixed }),
  };
}

/** Volumes whose elements of one index lie at several places, as their files say. */
function placesApart(inputs: readonly InspectedInput[]): string[] {
  const placed = inputs.flatMap(({ name, array }) =>
    array?.space === undefined ? [] : [{ name, shape: array.shape, space: array.space }],
  );
  const [first, ...others] = placed;
  if (first === undefined) return [];
  return others.flatMap((other) => {
    if (!sameSizes(first.shape, other.shape)) return [];
    const apart = spaceApart(first.space, other.space, first.shape);
    if (apart === null) return [];
    const [a, b] = [first.name, other.name];
    return [
      `${a} and ${b} are compared element by element as they are stored, though by their files they lie ${apart}`,
    ];
  });
}

/** Where constants were made of values through which gradient would flow to `wrt`. */
function refuseLost({ function: own, fixed = [] }: InspectionRequest, wrt: InspectedInput): void {
  const found = fixed.find((f) => f.lost.includes(wrt.name));
  if (found === undefined) return;
  const { what, file, line } = found;
  const place = file === own.file ? `line ${line}` : `${file}:${line}`;
  throw new InspectionError(
    `the gradient by ${wrt.name} flows through ${what} (${place}), which was computed from the values at hand`,
    "Cut it there with detach() if it is not meant to flow.",
  );
}

/** Where the gradient by `wrt` is stopped: all of it, or what would flow along one way. */
function cuts(request: InspectionRequest, loss: Expr, wrt: InspectedInput): Diagnostic[] {
  const none = !receivesGradient(loss, wrt.node);
  const concerned = request.blockers.filter((b) => b.inputs?.includes(wrt.name) ?? true);
  const found = concerned.map((b): Diagnostic => {
    const how = b.how;
    const line = b.file === request.function.file ? `line ${b.line}` : `${b.file}:${b.line}`;
    return {
      code: "gradient-cut",
      severity: none && b.partial !== true ? "warning" : "information",
      message:
        b.partial === true
          ? `${wrt.name} gets no gradient through ${how} (${line})`
          : none
            ? `${wrt.name} gets no gradient: ${how} on ${line} stops it`
            : `part of the loss gives ${wrt.name} no gradient: nothing flows through ${how} on ${line}`,
      location: { file: b.file, line: b.line },
      remedy: null,
    };
  });
  return [...new Map(found.map((d) => [d.message, d])).values()];
}

function refuseEmpty(inputs: readonly InspectedInput[]): void {
  const empty = inputs.find((x) => x.array?.shape.includes(0));
  if (empty === undefined) return;
  throw new InspectionError(
    `${empty.name} is empty: its shape is ${formatShape(empty.array!.shape)}, so there is nothing to evaluate`,
  );
}

function asScalar(request: InspectionRequest, assumptions: string[]): Expr {
  const { loss } = request;
  if (loss.shape.length === 0) return loss;
  const sizes = loss.shape.map((a) => a.size);
  if (sizes.every((n) => n === 1)) return build.reshape(loss, []);
  assumptions.push(
    `the function returns an array of shape (${sizes.map((n, d) => n ?? loss.shape[d]!.name).join(", ")}); the gradient shown is that of its sum`,
  );
  return build.sum(loss);
}

function chooseInput(
  request: InspectionRequest,
  loss: Expr,
  assumptions: string[],
): InspectedInput {
  const { inputs, wrt } = request;
  const names = inputs.map((x) => x.name).join(", ");
  if (inputs.length === 0) {
    throw new InspectionError(
      `${request.function.name} takes no array, so there is nothing to differentiate by`,
    );
  }
  if (wrt !== null) {
    const asked = inputs.find((x) => x.name === wrt);
    if (asked === undefined) {
      throw new InspectionError(
        `${request.function.name} has no array argument ${wrt}`,
        `it has ${names}`,
      );
    }
    return asked;
  }
  const used = new Set(topological(loss));
  const candidates = inputs.filter((x) => used.has(x.node));
  const predictions = candidates.filter((x) => x.role === "prediction");
  const chosen = predictions[0] ?? candidates.find((x) => x.role !== "target") ?? candidates[0];
  if (chosen === undefined) {
    throw new InspectionError(`the value of ${request.function.name} does not depend on ${names}`);
  }
  if (predictions.length !== 1 && candidates.length > 1) {
    assumptions.push(`${chosen.name} is taken to be the prediction, which the gradient is for`);
  }
  return chosen;
}

interface NumericPart {
  readonly value: number;
  readonly valueError: number | null;
  /** What the program computes: the derived gradient unless one written by hand is in force. */
  readonly gradient: Float64Array;
  readonly derived: Float64Array;
  /** Largest difference of the two; null where there is but one. */
  readonly gap: number | null;
  readonly check: Check;
  readonly numbers: Numbers;
  readonly images: Report["images"] & object;
}

/** With the arrays in the kernels' memory meanwhile, which every step of a check reads. */
function evaluateAndCheck(work: Evaluated): NumericPart {
  const arena = new Arena();
  try {
    const { inputs } = work.request;
    const arrays = inputs.map((x) => {
      throwIfCancelled();
      return arena.resident(kernelArray(x.array!));
    });
    return evaluateOn(new Map(inputs.map((x, k) => [x.name, arrays[k]!])), work);
  } finally {
    arena.release();
  }
}

interface Evaluated {
  readonly request: InspectionRequest;
  readonly loss: Expr;
  readonly wrt: InspectedInput;
  readonly derivation: Derivation;
  readonly inForce: Expr | null;
  readonly watch: Watch;
}

function evaluateOn(
  bindings: ReadonlyMap<string, TypedArray>,
  { request, loss, wrt, derivation, inForce, watch }: Evaluated,
): NumericPart {
  const isCancelled = (): boolean => watch.isCancelled();
  watch.onProgress(0, "evaluating");
  const roots = [loss, derivation.gradientExpr, ...(inForce === null ? [] : [inForce])];
  const kernel = compileKernel(roots);
  const { outputs } = kernel.run(bindings, {
    onProgress: (f) => {
      watch.onProgress(f, "evaluating");
    },
    isCancelled,
  });
  const value = outputs[0]!.data[0]!;
  const formula = outputs[1]!.data;
  const own = outputs[2]?.data ?? null;
  watch.onProgress(0, "checking");
  const result = checkGradient({
    loss,
    wrt: wrt.node,
    bindings,
    candidate: own ?? formula,
    ...fixedParts(request.fixed),
    onProgress: (f) => {
      watch.onProgress(f, "checking");
    },
    isCancelled,
  });
  watch.onProgress(null, "describing the gradient");
  const derived = result.performed === null ? formula : withPerformed(formula, result.performed);
  const gradient = own ?? derived;
  const shape = wrt.array!.shape;
  const aligned = request.inputs.filter(
    (x) => !isPositions(x.node) && sameSizes(x.array!.shape, shape),
  );
  return {
    value,
    valueError: boundOf(result.lossError, 1),
    gradient,
    derived,
    gap:
      inForce === null
        ? null
        : (difference(inForce, derivation.gradientExpr, bindings, { isCancelled })?.largest ??
          null),
    check: checkOf(result, kernel.account),
    numbers: makeNumbers({
      aligned: aligned.map((x) => ({ name: x.name, data: bindings.get(x.name)! })),
      shape,
      analytic: gradient,
      error: result.gradientError,
      compared: result.elements,
    }),
    images: makeImages(imageSources(request.inputs, wrt, gradient, bindings)),
  };
}

/** A formula's values, but where the loss's own operations give no finite number. */
function withPerformed(formula: Float64Array, performed: Float64Array): Float64Array {
  return filled(new Float64Array(formula.length), (k) =>
    Number.isFinite(performed[k]!) ? formula[k]! : performed[k]!,
  );
}

function imageSources(
  inputs: readonly InspectedInput[],
  wrt: InspectedInput,
  gradient: Float64Array,
  bindings: ReadonlyMap<string, TypedArray>,
): ImageSource[] {
  const order: Record<Role, number> = { prediction: 0, target: 1, other: 2 };
  const shown = [...inputs].sort((a, b) => order[a.role] - order[b.role]);
  return [
    ...shown.map((x) => ({
      title: x.name,
      role: x.role,
      shape: x.array!.shape,
      data: bindings.get(x.name)!,
    })),
    {
      title: `gradient by ${wrt.name}`,
      role: "gradient",
      shape: wrt.array!.shape,
      data: gradient,
    } as const,
  ];
}

function checkOf(result: CheckResult, account: string | null): Check {
  const {
    elements: _elements,
    lossError: _loss,
    gradientError: _gradient,
    performed: _performed,
    ...check
  } = result;
  const notes = account === null ? check.notes : [...check.notes, account];
  return { ...check, notes: notes.map(asSentence) };
}

/** With a capital, unless it begins with a name from code such as torch.autograd.gradcheck. */
function asSentence(note: string): string {
  return /^[a-z]+[ ,]/.test(note) ? note[0]!.toUpperCase() + note.slice(1) : note;
}

function notChecked(): Check {
  return {
    verdict: "not-checked",
    method: "",
    maxAbsError: null,
    maxRelError: null,
    bound: null,
    maxScaledError: null,
    worst: null,
    sentence: "derived from the code; no arrays were given to check it on",
    notes: [],
  };
}

/** The printer knows what a symbol is called; what stands behind it is known here. */
function explained(entry: SymbolEntry, request: InspectionRequest): SymbolEntry {
  const x = request.inputs.find((candidate) => candidate.name === entry.name);
  if (x === undefined) return entry;
  const role = x.role === "other" ? "" : `${x.role}, `;
  const what =
    x.array === null
      ? `${role}shape ${shapeText(x.node)}`
      : `${role}shape ${formatShape(x.array.shape)}, ${x.array.dtype}`;
  return { ...entry, meaning: what };
}

function shapeText(node: Expr): string {
  const inner = node.shape.map((a) => a.size ?? a.name).join(", ");
  return node.shape.length === 1 ? `(${inner},)` : `(${inner})`;
}

function shapeOf(x: InspectedInput): readonly number[] | null {
  if (x.array !== null) return x.array.shape;
  const sizes = x.node.shape.map((a) => a.size);
  return sizes.every((n) => n !== null) ? sizes : null;
}

function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, d) => n === b[d]);
}
