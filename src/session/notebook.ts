/**
 * A notebook's state: names and arrays kept from cell to cell. A cell's last expression decides
 * what is drawn: the call of a loss gives a report, explain(…) a longer one, compare(…) a comparison,
 * other values a line.
 */
import type { NdArray } from "../arrays/ndarray.ts";
import type { Expr } from "../expression/node.ts";
import { type Known, parseFormula } from "../formula/parse.ts";
import { interruptible } from "../numbers/interruption.ts";
import type { PythonParser } from "../python/parser.ts";
import {
  type CallRequest,
  type CellResult,
  PythonProgram,
  type RequestValue,
  type Trace,
} from "../python/program.ts";
import { KeptReports, answerOfKernel } from "./arrays/kernel.ts";
import type { KernelAnswer, KernelAsk } from "./arrays/protocol.ts";
import { autogradWish } from "./autograd/directive.ts";
import {
  type AutogradJob,
  type AutogradOptions,
  type PythonSource,
  jobOfCall,
} from "./autograd/job.ts";
import { explained } from "./behaviour.ts";
import { compareWithStandards } from "./compare.ts";
import { draw } from "./draw.ts";
import { toFailure } from "./failure.ts";
import type { Files } from "./files.ts";
import { SessionHost } from "./host.ts";
import { type Inspection, InspectionError, type Watch } from "./inspect.ts";
import { inspectFormula } from "./formula.ts";
import type { CellLanguage, CellOutput, PythonLeave, Usage } from "./protocol.ts";
import {
  type PrecisionWish,
  type TypeOf,
  precisionDifference,
  withPrecision,
  withReason,
} from "./precision.ts";
import { inspectTrace } from "./traced.ts";

/** Has real autograd judge an inspection; made by `autograd/referee.node.ts`. */
export interface AutogradReferee {
  judge(
    inspection: Inspection,
    job: AutogradJob,
    watch: Watch,
    signal?: AbortSignal,
  ): Promise<Inspection["report"]>;
}

interface InspectedCall {
  readonly trace: Trace;
  readonly inspection: Inspection;
}

interface Pending {
  readonly inspection: Inspection;
  readonly job: AutogradJob;
  readonly explain: boolean;
}

/** How a cell has real autograd asked. */
const FACE = { askAutograd: "Write # dice-gradient: autograd=LIBRARY,LIBRARY in the cell" };

export class NotebookSession {
  private readonly directory: string;
  /** Cells that ran, in order: what Python runs before it calls the loss. */
  private readonly ran: PythonSource[] = [];
  /** How cells last called a function or class, by its name. */
  private readonly calls = new Map<string, string>();
  /** Of the cell that runs: what to ask autograd; null when nothing is to be asked. */
  private asking: {
    readonly options: AutogradOptions;
    readonly jobs: Pending[];
  } | null = null;
  private readonly kept = new KeptReports();
  private readonly host: SessionHost;
  private readonly program: PythonProgram;
  private output: (o: CellOutput) => void = () => undefined;
  private watch: Watch | null = null;
  private printed = "";

  constructor(parser: PythonParser, files: Files, directory: string) {
    this.directory = directory;
    this.host = new SessionHost(
      files,
      directory,
      (text) => {
        this.printed += text;
      },
      () => this.watch?.isCancelled() ?? false,
      (fraction, path) => this.watch?.onProgress(fraction, `reading ${path}`),
    );
    this.program = new PythonProgram(parser, this.host, { file: "notebook" });
  }

  /** Runs a cell; everything it shows goes to `output`. False when it failed. */
  execute(
    cell: { language: CellLanguage; source: string; file: string },
    output: (o: CellOutput) => void,
    watch: Watch,
  ): boolean {
    this.output = output;
    this.watch = watch;
    this.printed = "";
    try {
      interruptible(
        () => watch.isCancelled(),
        () => {
          if (cell.language === "dice-formula") this.formula(cell.source, cell.file, watch);
          else this.python(cell.source, cell.file, watch);
        },
      );
      return true;
    } catch (e) {
      this.flush();
      output({ kind: "failure", failure: toFailure(e) });
      return false;
    } finally {
      this.watch = null;
    }
  }

  /**
   * The same, with real autograd asked where the cell or `python.ask` wishes it.
   * @param python null where no code may be run, as in an untrusted workspace
   */
  async executeWithPython(
    cell: { language: CellLanguage; source: string; file: string },
    output: (o: CellOutput) => void,
    watch: Watch,
    python: PythonLeave | null,
    referee: AutogradReferee,
    signal?: AbortSignal,
  ): Promise<boolean> {
    try {
      const wish = cell.language === "python" ? autogradWish(cell.source) : null;
      if (wish !== null && python === null) {
        throw new InspectionError(
          "this cell asks for real autograd, and no code is run in a workspace that is not trusted",
          "Trust the workspace, or delete the line # dice-gradient: autograd.",
        );
      }
      const asked = python?.ask ?? wish;
      const options = python !== null && asked !== null ? { ...python, ...asked } : null;
      if (options === null) return this.execute(cell, output, watch);
      const jobs: Pending[] = [];
      this.asking = { options, jobs };
      try {
        if (!this.execute(cell, output, watch)) return false;
      } finally {
        this.asking = null;
      }
      for (const { inspection, job, explain } of jobs) {
        const judged = await referee.judge(inspection, job, watch, signal);
        const report = explain ? explained(inspection, judged, FACE, watch) : judged;
        output({ kind: "report", drawn: draw(report) });
      }
      return true;
    } catch (e) {
      output({ kind: "failure", failure: toFailure(e) });
      return false;
    }
  }

  /**
   * A function as this notebook has it, with a call on the notebook's arrays: as a cell called it last,
   * else on variables that are called as its parameters are.
   */
  usage(name: string, parameters: readonly string[]): Usage {
    const isDefined = this.program.lookup(name) !== undefined;
    return { isDefined, call: isDefined ? this.callOf(name, parameters) : null };
  }

  /** The notebook's arrays: its variables, and those of its last reports. */
  arrays(ask: KernelAsk): KernelAnswer {
    return answerOfKernel(ask, this.program, this.host, this.kept);
  }

  private callOf(name: string, parameters: readonly string[]): string | null {
    const known = this.calls.get(name);
    if (known !== undefined) return known;
    const isArray = (variable: string): boolean => {
      const value = this.program.lookup(variable);
      return value?.kind === "tensor" && this.host.evaluate(value.expr) !== null;
    };
    if (parameters.length === 0 || !parameters.every(isArray)) return null;
    return `${name}(${parameters.map((p) => `${p}=${p}`).join(", ")})`;
  }

  private python(source: string, file: string, watch: Watch): void {
    const result = this.program.execute(source, file);
    this.flush();
    this.ran.push({ file, text: source, isCell: true });
    this.show(result, watch);
  }

  private show(result: CellResult, watch: Watch): void {
    const { call, request } = result;
    if (request === null) {
      // A loss itself, not called, is derived; its shapes are assumed and the report says so.
      const alone =
        call === null && result.value !== null ? this.program.traceValue(result.value) : null;
      if (call !== null) this.inspected(call, this.inspectCall(call, null, watch), watch);
      else if (alone !== null) this.report(inspectTrace(alone, this.host, null, watch).report);
      else if (result.text !== null) this.output({ kind: "text", text: `${result.text}\n` });
      return;
    }
    const wrt = wrtOf(request);
    if (request.request === "shapes") {
      const trace = this.program.traceShapes(request.calls[0]!);
      this.report(inspectTrace(trace, this.host, wrt, watch).report);
      return;
    }
    const ordering = request.request === "explain" ? "compared" : "fixed";
    const inspections = request.calls.map((c) =>
      this.program.asking({ ordering, wrt }, () => this.inspectCall(c, wrt, watch)),
    );
    if (request.request === "compare") {
      const all = inspections.map((x) => x.inspection);
      const comparison = compareWithStandards(all, request.standards, watch);
      const tape = (typeOf: TypeOf): Trace => this.program.tapeOfCall(request.calls[0]!, typeOf);
      const reason = precisionDifference(all[0]!, this.host, tape, watch);
      this.report(withReason(comparison, reason));
    } else if (request.request === "precision") {
      const autocast = autocastOf(request);
      inspections.forEach(({ inspection }, k) => {
        const call = request.calls[k]!;
        const tape = (typeOf: TypeOf): Trace => this.program.tapeOfCall(call, typeOf);
        this.report(withPrecision(inspection, this.host, tape, { autocast }, watch).report);
      });
    } else
      inspections.forEach((x, k) => {
        this.inspected(request.calls[k]!, x, watch, request.request === "explain");
      });
  }

  /** Draws a call's report, now or when autograd has been asked. */
  private inspected(
    call: CallRequest,
    { inspection, trace }: InspectedCall,
    watch: Watch,
    explain = false,
  ): void {
    const { asking } = this;
    if (asking === null) {
      const { report } = inspection;
      this.report(explain ? explained(inspection, report, FACE, watch) : report);
      return;
    }
    const program = { sources: [...this.ran], folder: this.directory };
    const job = jobOfCall(
      this.program,
      { request: call, trace },
      inspection,
      program,
      asking.options,
    );
    asking.jobs.push({ inspection, job, explain });
  }

  private inspectCall(call: CallRequest, wrt: string | null, watch: Watch): InspectedCall {
    // A loss that is only named, as in explain(dice), is traced with shapes assumed.
    const named = call.positional.length === 0 && call.keywords.size === 0;
    const alone = named ? this.program.traceValue(call.callable) : null;
    const trace = alone ?? this.program.traceCall(call);
    const name = /^\w+/.exec(call.name)?.[0];
    if (name !== undefined && call.text !== null) this.calls.set(name, call.text);
    const inspection = inspectTrace(trace, this.host, wrt, watch);
    this.kept.remember(inspection);
    return { trace, inspection };
  }

  private formula(source: string, file: string, watch: Watch): void {
    const sources = new Map<string, Expr>();
    const trace = parseFormula(source, (name) => this.known(name, sources), file);
    const arrayOf = (name: string): NdArray | null => {
      const expr = sources.get(name);
      return expr === undefined ? null : this.host.materialize(expr, name);
    };
    const inspection = inspectFormula(trace, file, arrayOf, null, watch);
    this.kept.remember(inspection);
    this.report(inspection.report);
  }

  /** What a name of a formula stands for among the notebook's variables. */
  private known(name: string, sources: Map<string, Expr>): Known | null {
    const value = this.program.lookup(name);
    if (value?.kind === "number" && value.value !== null)
      return { kind: "number", value: value.value };
    if (value?.kind !== "tensor") return null;
    sources.set(name, value.expr);
    const shape = value.expr.shape.map((a) => a.size);
    if (!shape.every((n) => n !== null)) return null;
    return { kind: "array", shape, type: value.expr.type };
  }

  private report(report: Parameters<typeof draw>[0]): void {
    this.output({ kind: "report", drawn: draw(report) });
  }

  private flush(): void {
    if (this.printed !== "") this.output({ kind: "text", text: this.printed });
    this.printed = "";
  }
}

/** Whose autocast precision(…, autocast="cuda") asks for; with True, the CPU's. */
function autocastOf(request: RequestValue): PrecisionWish["autocast"] {
  const given = request.options.get("autocast");
  if (given === undefined || given.kind === "none") return null;
  if (given.kind === "number" && given.value !== null) return given.value === 0 ? null : "cpu";
  if (given.kind === "str" && (given.value === "cpu" || given.value === "cuda")) return given.value;
  throw new InspectionError(
    "autocast is True for the CPU's, or \"cuda\" for a GPU's",
    'Write autocast="cuda", or leave it out.',
  );
}

/** The input that check(…, wrt="y_pred") names. */
function wrtOf(request: RequestValue): string | null {
  const wrt = request.options.get("wrt");
  return wrt?.kind === "str" ? wrt.value : null;
}
