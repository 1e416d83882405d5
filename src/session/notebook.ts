/**
 * A notebook's state: names and arrays kept from cell to cell. A cell's last expression decides
 * what is drawn: the call of a loss gives a report, compare(…) a comparison, other values a line.
 */
import type { NdArray } from "../arrays/ndarray.ts";
import type { Expr } from "../expression/node.ts";
import { type Known, parseFormula } from "../formula/parse.ts";
import type { PythonParser } from "../python/parser.ts";
import {
  type CallRequest,
  type CellResult,
  PythonProgram,
  type RequestValue,
} from "../python/program.ts";
import { compareInspections } from "./compare.ts";
import { draw } from "./draw.ts";
import { toFailure } from "./failure.ts";
import type { Files } from "./files.ts";
import { SessionHost } from "./host.ts";
import type { Inspection, Watch } from "./inspect.ts";
import { inspectFormula } from "./formula.ts";
import type { CellLanguage, CellOutput } from "./protocol.ts";
import { inspectTrace } from "./traced.ts";

export class NotebookSession {
  private readonly host: SessionHost;
  private readonly program: PythonProgram;
  private output: (o: CellOutput) => void = () => undefined;
  private watch: Watch | null = null;
  private printed = "";

  constructor(parser: PythonParser, files: Files, directory: string) {
    this.host = new SessionHost(
      files,
      directory,
      (text) => {
        this.printed += text;
      },
      () => this.watch?.isCancelled() ?? false,
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
      if (cell.language === "dice-formula") this.formula(cell.source, cell.file, watch);
      else this.python(cell.source, cell.file, watch);
      return true;
    } catch (e) {
      this.flush();
      output({ kind: "failure", failure: toFailure(e) });
      return false;
    } finally {
      this.watch = null;
    }
  }

  private python(source: string, file: string, watch: Watch): void {
    const result = this.program.execute(source, file);
    this.flush();
    this.show(result, watch);
  }

  private show(result: CellResult, watch: Watch): void {
    const { call, request } = result;
    if (request === null) {
      // A loss itself, not called, is derived; its shapes are assumed and the report says so.
      const alone =
        call === null && result.value !== null ? this.program.traceValue(result.value) : null;
      if (call !== null) this.report(this.inspectCall(call, null, watch).report);
      else if (alone !== null) this.report(inspectTrace(alone, this.host, null, watch).report);
      else if (result.text !== null) this.output({ kind: "text", text: `${result.text}\n` });
      return;
    }
    const wrt = wrtOf(request);
    const inspections = request.calls.map((c) => this.inspectCall(c, wrt, watch));
    if (request.request === "compare") this.report(compareInspections(inspections));
    else for (const x of inspections) this.report(x.report);
  }

  private inspectCall(call: CallRequest, wrt: string | null, watch: Watch): Inspection {
    return inspectTrace(this.program.traceCall(call), this.host, wrt, watch);
  }

  private formula(source: string, file: string, watch: Watch): void {
    const sources = new Map<string, Expr>();
    const trace = parseFormula(source, (name) => this.known(name, sources), file);
    const arrayOf = (name: string): NdArray | null => {
      const expr = sources.get(name);
      return expr === undefined ? null : this.host.materialize(expr, name);
    };
    this.report(inspectFormula(trace, file, arrayOf, null, watch).report);
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

/** The input that check(…, wrt="y_pred") names. */
function wrtOf(request: RequestValue): string | null {
  const wrt = request.options.get("wrt");
  return wrt?.kind === "str" ? wrt.value : null;
}
