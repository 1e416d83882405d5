/**
 * Real automatic differentiation as the referee: the user's own function runs in their own Python, on
 * the very arrays of an inspection, and its gradient is judged as any other.
 */
import { type NdArray, toFloat64 } from "../../arrays/ndarray.ts";
import { type CheckResult, GradientChecker } from "../../gradient/check.ts";
import { type GradientType, ROUNDING } from "../../gradient/compareGradients.ts";
import { countWords } from "../../gradient/nodeWords.ts";
import { interruptible, parts, throwIfCancelled } from "../../numbers/interruption.ts";
import type { TypedArray } from "../../numbers/typedArrays.ts";
import type { Autograd, Numbers, Report } from "../../report/schema.ts";
import { finite, flatIndex } from "../../report/numbers.ts";
import { formatNumber } from "../../report/words.ts";
import { kernelArray } from "../bindings.ts";
import { agreementsOf } from "./agreement.ts";
import { type Inspection, type Watch, fixedParts } from "../inspect.ts";
import { PythonFailure, PythonProcess, type Watching, stopped } from "./pythonProcess.node.ts";
import { type AutogradJob, type AutogradRun, LIBRARY_NAMES, librariesFor } from "./job.ts";
import { type Narrower, narrowerOf } from "./narrower.ts";
import { largestUlps, ulpsApart } from "./ulps.ts";

/** What a library said, with its gradient and how far each element is from the derived one. */
interface Judged {
  readonly entry: Autograd;
  readonly gradient: Float64Array | null;
  /** In units in the last place of the run's own type. */
  readonly ulps: Float64Array | null;
}

/** Keeps one process an interpreter; requests wait for one another. */
export class Referee {
  private readonly processes = new Map<string, PythonProcess>();
  private readonly script: string;
  private readonly log: ((text: string) => void) | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  /** Raised by {@link dispose}: runs asked for before it do not start. */
  private restarts = 0;

  /**
   * @param script media/python/autograd_server.py of this extension
   * @param log told what Python writes to standard error
   */
  constructor(script: string, log?: (text: string) => void) {
    this.script = script;
    this.log = log;
  }

  /**
   * The inspection's report with what each library's autograd says, and its gradient as a column.
   * A library that fails is in the report with its reason; nothing is thrown for it.
   * @throws Cancelled
   */
  async judge(
    inspection: Inspection,
    job: AutogradJob,
    watch: Watch,
    signal?: AbortSignal,
  ): Promise<Report> {
    const runs: Judged[] = [];
    const { restarts } = this;
    // What all judgements share is computed once, and only when a library has answered.
    let shared: GradientChecker | null = null;
    const isCancelled = (): boolean => watch.isCancelled();
    const checker = (): GradientChecker => (shared ??= checkerOf(inspection, isCancelled));
    try {
      for (const run of job.runs) {
        const onProgress = (what: string): void => {
          watch.onProgress(null, `${LIBRARY_NAMES[run.backend]}: ${what}`);
        };
        runs.push(
          await this.inTurn(async () =>
            run.refusal !== null
              ? failed(run, new PythonFailure(run.refusal))
              : restarts !== this.restarts
                ? failed(run, stopped())
                : this.runOne(inspection, job, run, {
                    checker,
                    isCancelled,
                    watching: { signal, onProgress },
                  }),
          ),
        );
      }
    } finally {
      (shared as GradientChecker | null)?.release();
    }
    const { report } = inspection;
    const answered = runs.flatMap((run) =>
      run.gradient === null
        ? []
        : [
            {
              name: titleOf(run, runs),
              dtype: typeOf(run.entry.dtype),
              gradient: run.gradient,
            },
          ],
    );
    // Who stops a library is told so, beside what others have answered.
    const agreements = isCancelled()
      ? []
      : interruptible(isCancelled, () => agreementsOf(answered));
    return {
      ...report,
      autograd: runs.find((r) => r.gradient !== null)?.entry ?? null,
      autogradRuns: runs.map((r) => r.entry),
      autogradLibraries: librariesFor(job.writtenFor).map((name) => LIBRARY_NAMES[name]),
      ...(agreements.length === 0 ? {} : { autogradAgreements: agreements }),
      ...(report.numbers === undefined
        ? {}
        : { numbers: withColumns(report.numbers, inspection, runs) }),
    };
  }

  /** Ends every process, and what runs in it; later requests start new ones. */
  dispose(): void {
    this.restarts++;
    for (const process of this.processes.values()) process.dispose();
    this.processes.clear();
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(task);
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  private async runOne(
    inspection: Inspection,
    job: AutogradJob,
    run: AutogradRun,
    { checker, isCancelled, watching }: Judging,
  ): Promise<Judged> {
    const { backend, device } = run;
    // A library that stood in for NumPy may keep habits from it, so that gets a process of its own.
    const standsIn = job.writtenFor === "numpy" ? backend : "";
    const key = [job.interpreter, job.timeoutSeconds, standsIn].join("\0");
    let process = this.processes.get(key);
    if (process === undefined) {
      const { interpreter, timeoutSeconds } = job;
      process = new PythonProcess({
        interpreter,
        timeoutSeconds,
        script: this.script,
        ...(this.log === undefined ? {} : { log: this.log }),
      });
      this.processes.set(key, process);
    }
    try {
      const { header, arrays } = await process.request(
        {
          header: {
            kind: "run",
            backend,
            device,
            folder: job.folder,
            sources: job.sources,
            writtenFor: job.writtenFor,
            callable: job.callable,
            positional: job.positional,
            keywords: job.keywords,
            wrt: job.wrt,
          },
          arrays: job.arrays,
        },
        watching,
      );
      return interruptible(isCancelled, () =>
        judged(inspection, checker(), job.tape, header as unknown as Answer, arrays),
      );
    } catch (e) {
      if (!(e instanceof PythonFailure)) throw e;
      return failed(run, e);
    }
  }
}

/** What judging one library's answer takes. */
interface Judging {
  readonly checker: () => GradientChecker;
  readonly isCancelled: () => boolean;
  readonly watching: Watching;
}

/** What the server says besides the loss and the gradient. */
interface Answer {
  readonly library: string;
  readonly version: string;
  readonly device: string;
  readonly dtype: string;
  readonly python: string;
  readonly seconds: number;
  readonly note: string | null;
}

function checkerOf(inspection: Inspection, isCancelled: () => boolean): GradientChecker {
  const bindings = new Map<string, TypedArray>();
  for (const x of inspection.inputs) bindings.set(x.name, kernelArray(x.array!));
  const isByHand = (inspection.report.handwritten ?? []).some((h) => h.inForce);
  return new GradientChecker({
    loss: inspection.loss,
    wrt: inspection.wrt.node,
    // Derived anew it is as autograd performs it: a simplified one may be finite where that is not.
    ...(isByHand ? { gradient: inspection.gradientExpr } : {}),
    bindings,
    ...fixedParts(inspection.fixed),
    isCancelled,
  });
}

function judged(
  inspection: Inspection,
  checker: GradientChecker,
  tape: AutogradJob["tape"],
  answer: Answer,
  [lossArray, gradientArray]: readonly NdArray[],
): Judged {
  const gradient = toFloat64(gradientArray!, throwIfCancelled);
  // A loss in float64 of an array in float32 passes its gradient back through float32.
  const type = coarsest([answer.dtype, gradientArray!.dtype, inspection.wrt.array!.dtype]);
  const { result, narrower } = judgedIn(checker, gradient, type, tape);
  // Libraries give a gradient the type of the array that it is by.
  const stored = typeOf(inspection.wrt.array!.dtype);
  const ulps = ulpsApart(gradient, inspection.gradient!, narrower?.type ?? stored);
  const { library, version, device, python, seconds } = answer;
  const loss = finite(toFloat64(lossArray!)[0]!);
  const entry: Autograd = {
    library,
    version,
    device,
    dtype: narrower?.type ?? type,
    loss,
    verdict: result.verdict,
    maxAbsError: finite(result.maxAbsError),
    maxScaledError: finite(result.maxScaledError),
    bound: finite(result.bound),
    maxUlps: largestUlps(ulps),
    sentence: result.sentence,
    note:
      answer.note ??
      otherLossWords(loss, inspection.report.loss.value, type) ??
      (narrower !== null ? narrowed(narrower, type) : notFiniteWords(gradient, result.performed)),
    python,
    seconds,
    failure: null,
  };
  return { entry, gradient, ulps };
}

/**
 * A gradient judged in a type, or where it differs there since the loss computes in a coarser one, in
 * that.
 */
function judgedIn(
  checker: GradientChecker,
  gradient: Float64Array,
  type: GradientType,
  tape: AutogradJob["tape"],
): { readonly result: CheckResult; readonly narrower: Narrower | null } {
  const result = checker.judge(gradient, type);
  if (result.verdict !== "differs") return { result, narrower: null };
  const narrower = narrowerOf(tape(), type);
  const again = narrower === null ? null : checker.judge(gradient, narrower.type);
  return again?.verdict === "agrees" ? { result: again, narrower } : { result, narrower: null };
}

function narrowed({ type, span }: Narrower, arrays: string): string {
  return `judged in ${type}, in which line ${span.line} computes though the arrays are ${arrays}`;
}

/** Far more than rounding explains, in sums of any length: below, it is the gradient that tells. */
const OTHER_LOSS = 0.01;

/**
 * That the library's loss is another function of these arrays than what was traced; null where it is
 * not, or where one of them is no finite number, as in types that overflow.
 */
function otherLossWords(
  theirs: number | null,
  traced: number | null,
  type: GradientType,
): string | null {
  if (theirs === null || traced === null) return null;
  const size = Math.max(Math.abs(theirs), Math.abs(traced));
  if (Math.abs(theirs - traced) <= OTHER_LOSS * size + 1000 * ROUNDING[type].unit) return null;
  return (
    `its loss is not the one derived here, ${formatNumber(traced, 6)}: ` +
    "the code computes something else when it runs"
  );
}

/** Where a gradient is no finite number, beside where the derived one is none; null where neither is. */
function notFiniteWords(gradient: Float64Array, performed: Float64Array | null): string | null {
  if (performed === null) return null;
  let [both, given, derived] = [0, 0, 0];
  for (const [first, end] of parts(performed.length)) {
    for (let k = first; k < end; k++) {
      const [isGiven, isDerived] = [
        !Number.isFinite(gradient[k]!),
        !Number.isFinite(performed[k]!),
      ];
      if (isGiven) given++;
      if (isDerived) derived++;
      if (isGiven && isDerived) both++;
    }
  }
  return given === derived && both === derived
    ? `NaN or infinite at the same ${elementsWords(derived)} as the derived gradient`
    : `NaN or infinite at ${elementsWords(given)}, ${countWords(both)} of the ${countWords(derived)} where the derived gradient is`;
}

function elementsWords(n: number): string {
  return n === 1 ? "element" : `${countWords(n)} elements`;
}

function typeOf(dtype: string): GradientType {
  return dtype === "float16" || dtype === "bfloat16" || dtype === "float32" ? dtype : "float64";
}

/** The type of the largest rounding among them. */
function coarsest(dtypes: readonly string[]): GradientType {
  return dtypes.map(typeOf).reduce((a, b) => (ROUNDING[b].unit > ROUNDING[a].unit ? b : a));
}

function failed({ backend, device }: AutogradRun, e: PythonFailure): Judged {
  const entry: Autograd = {
    library: LIBRARY_NAMES[backend],
    version: "",
    device,
    dtype: "",
    loss: null,
    verdict: "not-checked",
    maxAbsError: null,
    failure: e.remedy === null ? e.message : `${e.message}\n${e.remedy}`,
  };
  return { entry, gradient: null, ulps: null };
}

/** The library's name, with its device where it answered on several. */
function titleOf({ entry }: Judged, all: readonly Judged[]): string {
  const answered = all.filter((r) => r.gradient !== null && r.entry.library === entry.library);
  return answered.length > 1 ? `${entry.library}, ${entry.device}` : entry.library;
}

/**
 * The table with two columns a library: its gradient, and how far that is from the derived one. A
 * library that failed has none.
 */
function withColumns(numbers: Numbers, inspection: Inspection, runs: readonly Judged[]): Numbers {
  const shape = inspection.wrt.array!.shape;
  const drawn = runs.filter((r) => r.gradient !== null);
  const columns = drawn.flatMap((run) => [
    { title: `autograd (${titleOf(run, runs)})`, data: run.gradient! },
    { title: `${titleOf(run, runs)} off by (ulp)`, data: run.ulps! },
  ]);
  return {
    ...numbers,
    columns: [...numbers.columns, ...columns.map((c) => c.title)],
    rows: numbers.rows.map((row) => ({
      ...row,
      values: [...row.values, ...columns.map((c) => finite(c.data[flatIndex(row.index, shape)]!))],
    })),
  };
}
