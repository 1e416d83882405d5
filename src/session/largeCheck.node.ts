/** A loss on arrays that stay in their files: its value, and a check along the gradient itself. */
import { basename } from "node:path";
import { formatShape } from "../arrays/ndarray.ts";
import type { Tick } from "../arrays/source.ts";
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { substitute } from "../expression/walk.ts";
import { float64Error, magnitude } from "../numbers/errorScale.ts";
import { Cancelled, NotStreamable, type Watch as KernelWatch } from "../numbers/typedArrays.ts";
import { boundOf, finite } from "../report/numbers.ts";
import type { Check, Report } from "../report/schema.ts";
import { kernelArray } from "./bindings.ts";
import type { LargeInputs } from "./files.ts";
import { type Inspection, InspectionError, type Watch } from "./inspect.ts";
import { type StoredFile, storedArray } from "./stored.node.ts";
import { evaluateStreamed, streamedEvaluation } from "./streamed.node.ts";
import { hasOrder, turned } from "./turned.node.ts";

/** An array in a file. */
export interface Place {
  readonly path: string;
  readonly member?: string | undefined;
}

/** As `LargeInputs`, with arrays of which their places are enough. */
export interface PlacedInputs extends Omit<LargeInputs, "large"> {
  readonly large: ReadonlyMap<string, Place>;
}

/** The watch over one of the five evaluations. */
type Stage = (part: number, what: string) => KernelWatch;

/**
 * An inspection with the loss's value and a check, from arrays that are read part by part.
 * @param inputs those of the inspection's other arrays are in memory
 * @param out where the gradient is written, as .npy in float64; null: nowhere
 * @throws as `storedArray` and `evaluateStreamed` do
 * @throws InspectionError for a loss that needs its arrays whole
 */
export function checkLarge(
  inspection: Inspection,
  inputs: PlacedInputs,
  out: string | null,
  watch: Watch,
): Inspection {
  const files = new Map<string, StoredFile>();
  try {
    for (const [name, place] of inputs.large) files.set(name, opened(place, watch));
    try {
      return evaluatedOn(files, inputs, inspection, out, watch);
    } catch (e) {
      if (!(e instanceof NotStreamable) || !turnIntoOneOrder(files, inputs, watch)) throw e;
      return evaluatedOn(files, inputs, inspection, out, watch);
    }
  } catch (e) {
    if (!(e instanceof NotStreamable)) throw e;
    throw new InspectionError(
      `${inspection.report.function.name} cannot go through its arrays part by part: an operation in it, such as argmax or a change of their axes, takes them whole`,
      "Give it arrays that fit in memory, as a crop of them.",
    );
  } finally {
    for (const file of files.values()) file.close();
  }
}

/** Unpacking takes long: it can be cancelled as everything else. */
function opened({ path, member }: Place, watch: Watch): StoredFile {
  return storedArray(path, member, ticking(path, watch));
}

function ticking(path: string, watch: Watch): Tick {
  return (fraction) => {
    if (watch.isCancelled()) throw new Cancelled();
    watch.onProgress(fraction, `reading ${basename(path)}`);
  };
}

/**
 * Turns the order of axes round in those files that are the smaller part, where it is not the same in
 * all: a NIfTI image beside an array of NumPy's.
 * @returns whether it was not, and is now
 */
function turnIntoOneOrder(
  files: Map<string, StoredFile>,
  { large }: PlacedInputs,
  watch: Watch,
): boolean {
  const [own, reversed] = [false, true].map((isReversed) =>
    [...files].filter(([, file]) => hasOrder(file) && file.isReversed === isReversed),
  ) as [[string, StoredFile][], [string, StoredFile][]];
  if (own.length === 0 || reversed.length === 0) return false;
  const bytes = (some: readonly [string, StoredFile][]): number =>
    some.reduce((n, [, { length, like }]) => n + length * like.BYTES_PER_ELEMENT, 0);
  for (const [name, file] of bytes(own) < bytes(reversed) ? own : reversed) {
    const { path } = large.get(name)!;
    const other = turned(file, path, ticking(path, watch));
    if (other === null) return false;
    files.set(name, other);
    file.close();
  }
  return true;
}

function evaluatedOn(
  files: ReadonlyMap<string, StoredFile>,
  inputs: PlacedInputs,
  inspection: Inspection,
  out: string | null,
  watch: Watch,
): Inspection {
  const { loss, wrt, gradientExpr, report } = inspection;
  const own = inspection.inputs.flatMap(({ name, array }) =>
    array === null ? [] : [[name, array] as const],
  );
  const arrays = new Map(
    [...own, ...inputs.beside].map(([name, array]) => [name, kernelArray(array)]),
  );
  const onFiles = (e: Expr): Expr => substitute(e, inputs.computed);
  const request = { files, arrays, arithmetic: "float64" } as const;
  const squared = b.sum(b.mul(gradientExpr, gradientExpr));
  const stage: Stage = (part, what) => {
    const onProgress = (f: number): void => {
      watch.onProgress((part + f) / 5, what);
    };
    onProgress(0);
    return { isCancelled: () => watch.isCancelled(), onProgress };
  };
  const [value, square, size] = evaluateStreamed(
    {
      ...request,
      scalars: [onFiles(loss), onFiles(squared), magnitude(onFiles(loss))],
      written: out === null ? null : { expr: onFiles(gradientExpr), path: out },
    },
    stage(0, "evaluating"),
  );
  const { node } = wrt;
  const step = b.parameter("·step", null);
  const moved = b.add(node, b.mul(step, gradientExpr));
  const along = streamedEvaluation({
    ...request,
    scalars: [onFiles(substitute(loss, new Map([[node, moved]])))],
    written: null,
  });
  const count = node.shape.reduce((n, a) => n * (a.size ?? 1), 1);
  const error = float64Error(onFiles(loss), size!);
  const check = alongGradient(
    (size, watching) => along(watching, new Map([["·step", size]]))[0]!,
    count,
    square!,
    error ?? 0,
    stage,
  );
  const computed = inspection.inputs.filter((x) => inputs.computed.has(x.node));
  const shapes = inspection.inputs
    .filter((x) => files.has(x.name) || computed.includes(x))
    .map((x) => `${x.name} ${formatShape(x.node.shape.map((a) => a.size ?? 0))}`);
  const updated: Report = {
    ...report,
    loss: {
      ...report.loss,
      value: finite(value!),
      error: boundOf(error, 1),
    },
    check,
    assumptions: [
      ...report.assumptions.filter((a) => !a.startsWith("no arrays were given")),
      `arrays are read part by part from their files: ${shapes.join(", ")}`,
      ...computed.map((x) => `${x.name} is computed on the way, in float64`),
    ],
  };
  return { ...inspection, report: updated, isStreamed: true };
}

/** Steps, in units of the gradient's root mean square: differences are extrapolated from these two. */
const STEP = 1e-3;
/** So many lengths of steps are tried, each so much shorter than the one before. */
const LENGTHS = 4;
const SHORTER = 2 ** -12;
/** The sum of squares itself is not known better, in relation to itself. */
const LEAST = 1e-9;

/**
 * How fast the loss changes along its gradient, which must be the sum of the gradient's squares. Two
 * central differences, extrapolated (Richardson): their own gap bounds the error.
 * @param moved the loss a step along the gradient away
 * @param lossError rounding error of one value of the loss
 * @param count entries of the gradient
 */
function alongGradient(
  moved: (step: number, watch: KernelWatch) => number,
  count: number,
  square: number,
  lossError: number,
  stage: Stage,
): Check {
  const base = {
    method: "the gradient was evaluated from the files",
    maxAbsError: null,
    maxRelError: null,
    bound: null,
    maxScaledError: null,
    worst: null,
    notes: ["Elements are not judged one by one where arrays are read part by part."],
  };
  if (Number.isNaN(square)) {
    return { ...base, verdict: "undefined", sentence: "the gradient is NaN on these arrays" };
  }
  if (square === 0) {
    return {
      ...base,
      verdict: "cannot-be-decided",
      sentence: "the gradient is zero everywhere on these arrays, so no direction shows a slope",
    };
  }
  // Where the loss bends within the first step, as next to an empty mask, a shorter one is needed; and
  // nothing is said to differ that two lengths do not say.
  const known: Slope[] = [];
  let verdict: Check["verdict"] = "cannot-be-decided";
  let evaluations = 0;
  let found: Slope = { value: NaN, bound: Infinity };
  for (let k = 0; k < LENGTHS && verdict === "cannot-be-decided"; k++) {
    const what = k === 0 ? "checking" : "checking with shorter steps";
    const at = (step: number, part: number): number => moved(step, stage(part, what));
    found = slopeAlong(at, (STEP * SHORTER ** k) / Math.sqrt(square / count), lossError);
    evaluations += 4;
    if (!isKnown(found)) continue;
    if (isSame(found, { value: square, bound: LEAST * square })) verdict = "agrees";
    else if (known.some((other) => isSame(found, other))) verdict = "differs";
    known.push(found);
  }
  const apart = Math.abs(found.value - square) / square;
  const isDecided = verdict !== "cannot-be-decided";
  return {
    ...base,
    method: `two central differences along the gradient, extrapolated; ${evaluations} evaluations from the files`,
    verdict,
    maxRelError: isDecided ? finite(apart) : null,
    sentence: isDecided
      ? `along the gradient the loss changes by ${found.value.toExponential(6)} a step, and the gradient's squares add up to ${square.toExponential(6)}: ${apart.toExponential(1)} apart, measured to ${(found.bound / square + LEAST).toExponential(1)}`
      : "differences of the loss along the gradient are too rough to decide",
  };
}

interface Slope {
  readonly value: number;
  /** The slope lies within ± this much, unless the loss bends within the step. */
  readonly bound: number;
}

/** Two central differences, extrapolated (Richardson): their own gap and rounding bound the error. */
function slopeAlong(
  moved: (step: number, part: number) => number,
  step: number,
  lossError: number,
): Slope {
  const slope = (h: number, part: number): number =>
    (moved(h, part) - moved(-h, part + 1)) / (2 * h);
  const wide = slope(step, 1);
  const narrow = slope(step / 2, 3);
  const value = (4 * narrow - wide) / 3;
  return { value, bound: Math.abs(value - narrow) + (4 * lossError) / step };
}

function isKnown({ value, bound }: Slope): boolean {
  return Number.isFinite(value) && bound < 1e-3 * Math.abs(value);
}

function isSame(a: Slope, b: Slope): boolean {
  return Math.abs(a.value - b.value) <= a.bound + b.bound;
}
