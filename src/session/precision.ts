/** `precision`: one loss performed in several number types, operation by operation. */
import { type NdArray, toFloat64 } from "../arrays/ndarray.ts";
import { type Run, judgeLadder } from "../explain/precision/ladder.ts";
import { type PrecisionReason, precisionReason } from "../explain/reasons/precision.ts";
import type { Input } from "../expression/node.ts";
import type { ElementType } from "../expression/tape.ts";
import { gradient } from "../numbers/precision/backward.ts";
import { type Performance, perform } from "../numbers/precision/forward.ts";
import { type Held, converted, countOf, held, isFloat, isHalf } from "../numbers/precision/held.ts";
import { AUTOCAST_RUNGS, RUNGS, type Rung } from "../numbers/precision/rungs.ts";
import { PythonError } from "../python/errors.ts";
import type { InputPlan, Trace } from "../python/program.ts";
import type { Comparison, Difference, Precision } from "../report/schema.ts";
import type { SessionHost } from "./host.ts";
import { type Inspection, InspectionError, type Watch } from "./inspect.ts";

export interface PrecisionWish {
  /** Whether torch.autocast is among the number types. */
  readonly autocast: boolean;
}

/** The type in which an array among the arguments is held. */
export type TypeOf = (input: InputPlan) => string | null;

/** Entries of the prediction that are still performed number by number. */
const MOST = 1 << 22;

/**
 * The inspection with `precision` in its report.
 * @param tape the loss traced anew, with its operations in their order
 * @throws InspectionError where there are no arrays, or no arrays of PyTorch's
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
  if (exact === null || report.loss.value === null) {
    throw new InspectionError(
      `the precision of ${report.function.name} can be seen only on arrays`,
      "Give every array of the loss.",
    );
  }
  if (exact.length > MOST) {
    throw new InspectionError(
      `the ladder performs at most ${MOST.toLocaleString("en")} entries, and ${wrt.name} has ${exact.length.toLocaleString("en")}`,
      "Give a part of the arrays, e.g. one sample: y_pred[:1].",
    );
  }
  const rungs = [...RUNGS, ...(autocast ? AUTOCAST_RUNGS : [])];
  const notes = new Set<string>();
  const runs = rungs.map((rung, k) => {
    watch.onProgress(k / rungs.length, `performing in ${rung.name}`);
    if (watch.isCancelled()) throw new InspectionError("cancelled");
    return runOf(rung, wrt.name, host, tape, notes);
  });
  const ladder = judgeLadder(runs, { loss: report.loss.value, gradient: exact });
  const precision: Precision = {
    as: "PyTorch on the CPU, one thread",
    ...ladder,
    notes: [...notes],
  };
  return { ...inspection, report: { ...report, precision } };
}

/**
 * Why a loss's own number type sets it apart from its formula; `null` where it does not, or where
 * the prediction is no half-precision array of PyTorch's.
 */
export function precisionDifference(
  inspection: Inspection,
  host: SessionHost,
  tape: (typeOf: TypeOf) => Trace,
): Difference | null {
  const { wrt, gradient: exact, report } = inspection;
  const own = RUNGS.find((r) => r.name === wrt.array?.dtype);
  const loss = report.loss.value;
  if (own === undefined || !isHalf(own.prediction) || exact === null || loss === null) return null;
  if (exact.length > MOST) return null;
  const run = (rung: Rung): Run => runOf(rung, wrt.name, host, tape, new Set());
  try {
    const ladder = judgeLadder([run(RUNGS[0]!), run(own)], { loss, gradient: exact });
    return toDifference(precisionReason(report.function.name, own.name, ladder));
  } catch (e) {
    if (e instanceof InspectionError || e instanceof PythonError) return null;
    throw e;
  }
}

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

function runOf(
  rung: Rung,
  wrt: string,
  host: SessionHost,
  tape: (typeOf: TypeOf) => Trace,
  notes: Set<string>,
): Run {
  let trace: Trace;
  try {
    trace = tape((p) => (p.name === wrt ? rung.prediction : rung.others));
  } catch (e) {
    if (!(e instanceof PythonError) || rung.name === "float64") throw e;
    return { rung, performance: null, gradient: null, failure: e.message };
  }
  const other = trace.inputs.find((x) => x.library !== "torch");
  if (other !== undefined) {
    throw new InspectionError(
      `the ladder performs PyTorch's operations, and ${other.parameter} is an array of ${other.library}`,
      "Write the loss with PyTorch's tensors: torch.tensor(…), torch.from_numpy(…).",
    );
  }
  const performance = performTrace(trace, host, rung);
  const node = trace.inputs.find((x) => x.parameter === wrt)?.node;
  const [own] = trace.tape!.handwritten;
  if (own !== undefined) {
    notes.add(`${own} has a gradient written by hand, which is not performed in these types`);
  }
  const known = own === undefined && node?.kind === "input";
  return {
    rung,
    performance,
    gradient: known ? gradient(performance, node) : null,
    failure: null,
  };
}

/** A trace's inputs and other arrays in the types that it was traced with. */
function heldArrays(trace: Trace, host: SessionHost): Map<Input, Held> {
  const arrays = new Map<Input, Held>();
  for (const x of trace.inputs) {
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
    arrays.set(x.node, asHeld(array, (x.dtype ?? array.dtype) as ElementType));
  }
  for (const [node, dtype] of trace.tape!.arrays) {
    const array = host.arrayOf(node);
    if (array !== null) arrays.set(node, asHeld(array, dtype ?? (array.dtype as ElementType)));
  }
  return arrays;
}

function asHeld(array: NdArray, dtype: ElementType): Held {
  const own = isFloat(dtype) ? "float64" : dtype;
  const values = toFloat64(array);
  return converted(held(own, array.shape, values.subarray(0, countOf(array.shape))), dtype);
}

/** The loss as that rung computes it. */
export function performTrace(trace: Trace, host: SessionHost, rung: Rung): Performance {
  return perform(trace.tape!, heldArrays(trace, host), rung.autocast);
}
