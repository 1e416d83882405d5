/**
 * Real automatic differentiation as the referee: the user's own function runs in their own Python, on
 * the very arrays of an inspection, and its gradient is judged as any other.
 */
import { type NdArray, toFloat64 } from "../../arrays/ndarray.ts";
import { GradientChecker } from "../../gradient/check.ts";
import type { GradientType } from "../../gradient/compareGradients.ts";
import type { TypedArray } from "../../numbers/typedArrays.ts";
import type { Autograd, Numbers, Report } from "../../report/schema.ts";
import { finite, flatIndex } from "../../report/numbers.ts";
import { kernelArray } from "../bindings.ts";
import type { Inspection, Watch } from "../inspect.ts";
import { PythonFailure, PythonProcess } from "./pythonProcess.node.ts";
import type { AutogradBackend, AutogradJob } from "./job.ts";

const NAMES: Readonly<Record<AutogradBackend, string>> = {
  torch: "PyTorch",
  jax: "JAX",
  tensorflow: "TensorFlow",
  autograd: "HIPS Autograd",
};

/** Keeps one process an interpreter; requests wait for one another. */
export class Referee {
  private readonly processes = new Map<string, PythonProcess>();
  private readonly script: string;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(script: string) {
    this.script = script;
  }

  /**
   * The inspection's report with what each library's autograd says, and its gradient as a column.
   * A library that fails is in the report with its reason; nothing is thrown for it.
   */
  async judge(
    inspection: Inspection,
    job: AutogradJob,
    watch: Watch,
    signal?: AbortSignal,
  ): Promise<Report> {
    const runs: { entry: Autograd; gradient: NdArray | null }[] = [];
    for (const backend of job.backends) {
      watch.onProgress(null, `running in Python with ${NAMES[backend]}`);
      runs.push(await this.inTurn(() => this.runOne(inspection, job, backend, signal)));
    }
    const { report } = inspection;
    return {
      ...report,
      autograd: runs.find((r) => r.gradient !== null)?.entry ?? null,
      autogradRuns: runs.map((r) => r.entry),
      ...(report.numbers === undefined
        ? {}
        : { numbers: withColumns(report.numbers, inspection, runs) }),
    };
  }

  dispose(): void {
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
    backend: AutogradBackend,
    signal: AbortSignal | undefined,
  ): Promise<{ entry: Autograd; gradient: NdArray | null }> {
    // A library that stood in for NumPy may keep habits from it, so that gets a process of its own.
    const standsIn = job.writtenFor === "numpy" ? backend : "";
    const key = [job.interpreter, job.timeoutSeconds, standsIn].join("\0");
    let process = this.processes.get(key);
    if (process === undefined) {
      const { interpreter, timeoutSeconds } = job;
      process = new PythonProcess({ interpreter, timeoutSeconds, script: this.script });
      this.processes.set(key, process);
    }
    try {
      const { header, arrays } = await process.request(
        {
          header: {
            kind: "run",
            backend,
            device: job.device,
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
        signal,
      );
      const answer = header as unknown as Answer;
      const [loss, gradient] = arrays;
      return { entry: entryOf(inspection, answer, loss!, gradient!), gradient: gradient! };
    } catch (e) {
      if (!(e instanceof PythonFailure)) throw e;
      return { entry: failed(backend, job.device, e), gradient: null };
    }
  }
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

function entryOf(
  inspection: Inspection,
  answer: Answer,
  loss: NdArray,
  gradient: NdArray,
): Autograd {
  const bindings = new Map<string, TypedArray>();
  for (const x of inspection.inputs) bindings.set(x.name, kernelArray(x.array!));
  const result = new GradientChecker({
    loss: inspection.loss,
    wrt: inspection.wrt.node,
    gradient: inspection.gradientExpr,
    bindings,
  }).judge(toFloat64(gradient), typeOf(answer.dtype));
  const { library, version, device, dtype, python, seconds, note } = answer;
  return {
    library,
    version,
    device,
    dtype,
    loss: finite(toFloat64(loss)[0]!),
    verdict: result.verdict,
    maxAbsError: finite(result.maxAbsError),
    maxScaledError: finite(result.maxScaledError),
    bound: finite(result.bound),
    sentence: result.sentence,
    note,
    python,
    seconds,
    failure: null,
  };
}

function typeOf(dtype: string): GradientType {
  return dtype === "float16" || dtype === "bfloat16" || dtype === "float32" ? dtype : "float64";
}

function failed(backend: AutogradBackend, device: string, e: PythonFailure): Autograd {
  return {
    library: NAMES[backend],
    version: "",
    device,
    dtype: "",
    loss: null,
    verdict: "not-checked",
    maxAbsError: null,
    failure: e.remedy === null ? e.message : `${e.message}\n${e.remedy}`,
  };
}

/** The table with a column a library; a library that failed has none. */
function withColumns(
  numbers: Numbers,
  inspection: Inspection,
  runs: readonly { readonly entry: Autograd; readonly gradient: NdArray | null }[],
): Numbers {
  const shape = inspection.wrt.array!.shape;
  const columns = runs.flatMap(({ entry, gradient }) =>
    gradient === null ? [] : [{ title: `autograd (${entry.library})`, data: toFloat64(gradient) }],
  );
  return {
    ...numbers,
    columns: [...numbers.columns, ...columns.map((c) => c.title)],
    rows: numbers.rows.map((row) => ({
      ...row,
      values: [...row.values, ...columns.map((c) => finite(c.data[flatIndex(row.index, shape)]!))],
    })),
  };
}
