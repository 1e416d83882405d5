/** `precision`: one loss performed in several number types, operation by operation. */
import { type NdArray, toFloat64 } from "../arrays/ndarray.ts";
import { LadderJudge, type Run } from "../explain/precision/ladder.ts";
import { type PrecisionReason, precisionReason } from "../explain/reasons/precision.ts";
import { sizesOf } from "../expression/axis.ts";
import { sum } from "../expression/build.ts";
import type { Expr, Input } from "../expression/node.ts";
import type { ElementType } from "../expression/tape.ts";
import { topological } from "../expression/walk.ts";
import { derive } from "../gradient/derive.ts";
import { type Arithmetic, NUMPY, TORCH } from "../numbers/precision/arithmetic.ts";
import { gradient } from "../numbers/precision/backward.ts";
import { type Performance, perform } from "../numbers/precision/forward.ts";
import { type Held, countOf, held, isFloat, isHalf } from "../numbers/precision/held.ts";
import { throwIfCancelled } from "../numbers/interruption.ts";
import { dense } from "../numbers/precision/views.ts";
import { type Autocast, RefusedByAutocast } from "../numbers/precision/autocast.ts";
import { NUMPY_RUNGS, RUNGS, type Rung, autocastRungs } from "../numbers/precision/rungs.ts";
import { Cancelled, toldWithin } from "../numbers/typedArrays.ts";
import { followsNumpy } from "../python/dtypes.ts";
import { PythonError } from "../python/errors.ts";
import type { InputPlan, Trace, TraceTape } from "../python/program.ts";
import type { Comparison, Difference, Precision } from "../report/schema.ts";
import type { SessionHost } from "./host.ts";
import { type Inspection, InspectionError, type Watch, refuseStreamed } from "./inspect.ts";

export interface PrecisionWish {
  /** Whose torch.autocast is among the number types, if any is. */
  readonly autocast: Autocast["device"] | null;
}

/** The type in which an array among the arguments is held. */
export type TypeOf = (input: InputPlan) => string | null;

/** What performing may take: a rung beside the one in float64, and a gradient. */
const MOST_BYTES = 3 * 2 ** 30;
const HELD_AT_ONCE = 3;

/** What one library does in each of its number types. */
interface Performer {
  readonly arithmetic: Arithmetic;
  readonly rungs: readonly Rung[];
  readonly as: string;
}

const TORCH_PERFORMER: Performer = {
  arithmetic: TORCH,
  rungs: RUNGS,
  as: "PyTorch on the CPU, one thread",
};
const NUMPY_PERFORMER: Performer = {
  arithmetic: NUMPY,
  rungs: NUMPY_RUNGS,
  as: "NumPy, with the derived gradient in the same types",
};

/**
 * The inspection with `precision` in its report.
 * @param tape the loss traced anew, with its operations in their order
 * @throws InspectionError where there are no arrays, or none of PyTorch's or NumPy's, or too many
 */
export function withPrecision(
  inspection: Inspection,
  host: SessionHost,
  tape: (typeOf: TypeOf) => Trace,
  { autocast }: PrecisionWish,
  watch: Watch,
): Inspection {
  const { report, wrt } = inspection;
  const exact = inspection.gradient;
  refuseStreamed(inspection, "the ladder holds the result of every operation");
  if (exact === null || report.loss.value === null) {
    throw new InspectionError(
      `the precision of ${report.function.name} can be seen only on arrays`,
      "Give every array of the loss.",
    );
  }
  const performer = performerOf(tape, exact.length);
  const { library } = performer.arithmetic;
  if (autocast !== null && library !== "torch") {
    throw new InspectionError(
      `autocast is PyTorch's, and ${report.function.name} is written with NumPy`,
      "Leave autocast out.",
    );
  }
  const rungs = [...performer.rungs, ...(autocast === null ? [] : autocastRungs(autocast))];
  const notes = new Set<string>();
  if (autocast !== null) notes.add(AUTOCAST_NOTES[autocast]);
  const { file } = report.function;
  const judge = new LadderJudge({ loss: report.loss.value, gradient: exact }, library, file);
  performEach(rungs, judge, { wrt: wrt.name, host, tape, notes, performer }, watch);
  const precision: Precision = { as: performer.as, ...judge.ladder, notes: [...notes] };
  return { ...inspection, report: { ...report, precision } };
}

const AUTOCAST_NOTES: Readonly<Record<Autocast["device"], string>> = {
  cpu: "autocast is the CPU's, which leaves sums, powers, softmax, exp and log in the lower type; a GPU's computes them in float32, as autocast=\"cuda\" shows (in a terminal --autocast=cuda)",
  cuda: "autocast is CUDA's in what it computes in which type; sums are added in the order of the CPU, so that the last digits can be others on a GPU",
};

/** Performs and judges the loss rung by rung. @throws Cancelled */
function performEach(
  rungs: readonly Rung[],
  judge: LadderJudge,
  request: Omit<RunRequest, "rung" | "tick">,
  watch: Watch,
): void {
  rungs.forEach((rung, k) => {
    const tick: Tick = (done) => {
      watch.onProgress((k + done) / rungs.length, `performing in ${rung.name}`);
      if (watch.isCancelled()) throw new Cancelled();
    };
    tick(0);
    const run = runOf({ ...request, rung, tick: toldWithin(tick, 0, JUDGING_FROM) });
    judge.add(run, toldWithin(tick, JUDGING_FROM, 1));
  });
}

/** Told how much is done, from 0 to 1; what it throws stops the rest. */
type Tick = (done: number) => void;

/** From where on, of a rung's work, it is judged; and where its arrays and operations end. */
const JUDGING_FROM = 0.8;
const [ARRAYS_TO, OPERATIONS_TO] = [0.2, 0.6];

/**
 * Why a loss's own number type sets it apart from its formula; `null` where it does not, or where
 * the prediction is no half-precision array of PyTorch's or NumPy's.
 */
export function precisionDifference(
  inspection: Inspection,
  host: SessionHost,
  tape: (typeOf: TypeOf) => Trace,
  watch: Watch,
): Difference | null {
  const { wrt, gradient: exact, report } = inspection;
  const own = RUNGS.find((r) => r.name === wrt.array?.dtype);
  const loss = report.loss.value;
  if (own === undefined || !isHalf(own.prediction) || exact === null || loss === null) return null;
  try {
    const performer = performerOf(tape, exact.length);
    const { library } = performer.arithmetic;
    const { file } = report.function;
    const judge = new LadderJudge({ loss, gradient: exact }, library, file);
    const request = { wrt: wrt.name, host, tape, notes: new Set<string>(), performer };
    performEach([RUNGS[0]!, own], judge, request, watch);
    return toDifference(precisionReason(report.function.name, own.name, judge.ladder, library));
  } catch (e) {
    if (e instanceof InspectionError || e instanceof PythonError) return null;
    throw e;
  }
}

/** @throws InspectionError where neither library can perform it, or it takes too much memory */
function performerOf(tape: (typeOf: TypeOf) => Trace, entries: number): Performer {
  const trace = tape(() => "float64");
  const ofNumpy = trace.inputs.filter((x) => followsNumpy(x.library));
  const other = trace.inputs.find((x) => x.library !== "torch" && !followsNumpy(x.library));
  const mixed = ofNumpy.length > 0 && ofNumpy.length < trace.inputs.length;
  if (other !== undefined || mixed) {
    const odd = other ?? ofNumpy[0]!;
    throw new InspectionError(
      `the ladder performs PyTorch's operations or NumPy's, and ${odd.parameter} is an array of ${odd.library}`,
      mixed && other === undefined
        ? "Give all arrays of one library: torch.from_numpy(…) makes a tensor of an array."
        : "Write the loss with PyTorch's tensors or NumPy's arrays.",
    );
  }
  const bytes = HELD_AT_ONCE * bytesOf(trace.tape!);
  if (bytes > MOST_BYTES) {
    throw new InspectionError(
      `performing ${trace.name} on ${entries.toLocaleString("en")} entries, operation by operation, takes ${(bytes / 2 ** 30).toFixed(0)} GB of memory, and ${(MOST_BYTES / 2 ** 30).toFixed(0)} GB are the most`,
      "Give a part of the arrays, e.g. one sample: y_pred[:1].",
    );
  }
  return ofNumpy.length > 0 ? NUMPY_PERFORMER : TORCH_PERFORMER;
}

/** What the results of a tape's operations take, besides those that are views. */
function bytesOf({ entries, result }: TraceTape): number {
  let numbers = 0;
  for (const e of [...entries.map((entry) => entry.value), result].flatMap((v) => topological(v))) {
    if (e.kind !== "input" && !VIEWS.has(e.kind)) numbers += countOf(sizesOf(e.shape));
  }
  return 8 * numbers;
}

const VIEWS: ReadonlySet<Expr["kind"]> = new Set([
  "transpose",
  "expand",
  "index",
  "slice",
  "slide",
]);

function toDifference(reason: PrecisionReason | null): Difference | null {
  if (reason === null) return null;
  const nothing = { formula: null, share: null, maxAbsDifference: null, commonFactor: null };
  const { id, title, sentence, lines, fix } = reason;
  return { other: "", id, title, reason: sentence, lines, fix, ...nothing };
}

/** The comparison with that reason among those of each pair. */
export function withReason(comparison: Comparison, reason: Difference | null): Comparison {
  if (reason === null) return comparison;
  const pairs = comparison.pairs.map((p) => ({ ...p, differences: [...p.differences, reason] }));
  return { ...comparison, pairs };
}

interface RunRequest {
  readonly rung: Rung;
  /** The argument that the gradient is by. */
  readonly wrt: string;
  readonly host: SessionHost;
  readonly tape: (typeOf: TypeOf) => Trace;
  readonly notes: Set<string>;
  readonly performer: Performer;
  readonly tick: Tick;
}

function runOf({ rung, wrt, host, tape, notes, performer, tick }: RunRequest): Run {
  let trace: Trace;
  try {
    trace = tape((p) => (p.name === wrt ? rung.prediction : rung.others));
  } catch (e) {
    if (!(e instanceof PythonError) || rung.name === "float64") throw e;
    const failure = { sentence: e.message, file: e.file, line: e.line, fix: e.remedy };
    return { rung, performance: null, gradient: null, failure };
  }
  const { arithmetic } = performer;
  const arrays = heldArrays(trace, host, arithmetic, toldWithin(tick, 0, ARRAYS_TO));
  let performance: Performance;
  try {
    performance = perform(trace.tape!, arrays, {
      arithmetic,
      autocast: rung.autocast,
      tick: toldWithin(tick, ARRAYS_TO, OPERATIONS_TO),
    });
  } catch (e) {
    if (!(e instanceof RefusedByAutocast)) throw e;
    const { message: sentence, span, fix } = e;
    const failure = { sentence, file: span.file, line: span.line, fix };
    return { rung, performance: null, gradient: null, failure };
  }
  const node = trace.inputs.find((x) => x.parameter === wrt)?.node;
  const [own] = trace.tape!.handwritten;
  if (own !== undefined) {
    notes.add(`${own} has a gradient written by hand, which is not performed in these types`);
  }
  if (trace.fixed.some((f) => f.inputs.length > 0)) notes.add(ORDER);
  const known = own === undefined && node?.kind === "input";
  if (!known) return { rung, performance, gradient: null, failure: null };
  const later = toldWithin(tick, OPERATIONS_TO, 1);
  const found =
    arithmetic.library === "torch"
      ? gradient(performance, node, later)
      : perform({ entries: [], result: derive(summed(trace.loss), node) }, arrays, {
          arithmetic,
          resultOnly: true,
          tick: later,
        }).result;
  return { rung, performance, gradient: found, failure: null };
}

const ORDER =
  "sorted entries are in the order of exact arithmetic in every number type; the library sorts rounded ones, of which more are equal and come in another order";

/** The loss, or where it is one a sample or entry, what all of them add up to. */
function summed(loss: Expr): Expr {
  return loss.shape.length === 0 ? loss : sum(loss);
}

/** A trace's inputs and other arrays in the types that it was traced with. */
function heldArrays(
  trace: Trace,
  host: SessionHost,
  arithmetic: Arithmetic,
  tick?: Tick,
): Map<Input, Held> {
  const arrays = new Map<Input, Held>();
  for (const [k, x] of trace.inputs.entries()) {
    tick?.(k / trace.inputs.length);
    const array =
      x.argument === null
        ? host.arrayOf(x.node)
        : host.materialize(x.argument, `argument ${x.parameter}`, x.dtype);
    if (array === null || x.node.kind !== "input") {
      throw new InspectionError(
        `the precision of ${trace.name} can be seen only on arrays, and ${x.parameter} has none`,
        `Give ${x.parameter} an array.`,
      );
    }
    arrays.set(x.node, asHeld(array, (x.dtype ?? array.dtype) as ElementType, arithmetic));
  }
  for (const [node, dtype] of trace.tape!.arrays) {
    const array = host.arrayOf(node);
    if (array === null) continue;
    arrays.set(node, asHeld(array, dtype ?? (array.dtype as ElementType), arithmetic));
  }
  return arrays;
}

function asHeld(array: NdArray, dtype: ElementType, { convert }: Arithmetic): Held {
  const own = isFloat(dtype) ? "float64" : dtype;
  const values = toFloat64(array, throwIfCancelled).subarray(0, countOf(array.shape));
  // What comes from an array of the same type needs no rounding, and float64 never does.
  if (own === "float64" || array.dtype === own) {
    const whole: Held = dense({ dtype: array.dtype === dtype ? dtype : own }, array.shape, values);
    return convert(whole, dtype);
  }
  return convert(held(own, array.shape, values), dtype);
}

/** The loss as that rung computes it, on PyTorch's arrays unless said. */
export function performTrace(
  trace: Trace,
  host: SessionHost,
  rung: Rung,
  arithmetic: Arithmetic = TORCH,
): Performance {
  const arrays = heldArrays(trace, host, arithmetic);
  return perform(trace.tape!, arrays, { autocast: rung.autocast, arithmetic });
}
