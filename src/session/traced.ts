/** From a trace of the user's function, and the arrays it was called with, to an inspection. */
import { withAnnotations } from "../expression/node.ts";
import type { Trace } from "../python/program.ts";
import type { Diagnostic, Report, SourceLocation } from "../report/schema.ts";
import { bounded } from "./bounded.ts";
import { judgeHandwritten } from "./handwritten.ts";
import { type LargeArray, type OpenedArray, inMemory, isLarge } from "./files.ts";
import type { SessionHost } from "./host.ts";
import {
  type InspectedInput,
  type Inspection,
  InspectionError,
  type Watch,
  inspect,
} from "./inspect.ts";
import { diagnose } from "./rules.ts";

/** @throws PythonError at the loss, too, if its formula is too long for the engine */
export function inspectTrace(
  trace: Trace,
  host: SessionHost,
  wrt: string | null,
  watch: Watch,
): Inspection {
  const large = largeArrays(trace, host);
  const inspection = bounded(trace, () => inspectionOf(trace, host, wrt, watch));
  return large.size === 0 ? inspection : host.checkLarge(inspection, large, watch);
}

/** The arrays that are not in memory, by the names of their inputs. */
function largeArrays(trace: Trace, host: SessionHost): Map<string, LargeArray> {
  const found = new Map<string, LargeArray>();
  for (const x of trace.inputs) {
    const large = host.largeOf(x.argument ?? x.node);
    if (large === null) continue;
    if (!large.isItself) {
      throw new InspectionError(
        `${x.parameter} of ${trace.name} is computed from an array that is too large for memory`,
        "Call the loss on the array itself, and do what comes before in the loss.",
      );
    }
    found.set(x.parameter, large.array);
  }
  for (const { name, handle } of trace.captured) {
    const array = handle.token as OpenedArray;
    if (isLarge(array)) found.set(name, array);
  }
  return found;
}

function inspectionOf(
  trace: Trace,
  host: SessionHost,
  wrt: string | null,
  watch: Watch,
): Inspection {
  const inputs = trace.inputs.map((x): InspectedInput => {
    const array =
      x.argument === null
        ? host.arrayOf(x.node)
        : host.materialize(x.argument, `argument ${x.parameter}`, x.dtype);
    return { name: x.parameter, node: x.node, role: x.role, array };
  });
  const captured = trace.captured.map((c): InspectedInput => ({
    name: c.name,
    node: c.node,
    role: "other",
    array: inMemory(c.handle.token as OpenedArray),
    isFixed: true,
  }));
  const inspection = withAnnotations(trace.spans, trace.labels, () =>
    inspect(
      {
        function: { name: trace.name, file: trace.file, line: trace.line },
        loss: trace.loss,
        inputs: [...inputs, ...captured],
        wrt,
        assumptions: trace.assumptions,
        blockers: trace.blockers.map(({ how, span, inputs, partial }) => ({
          how,
          file: span.file,
          line: span.line,
          inputs,
          partial,
        })),
        ...(trace.handwritten.length === 0 ? {} : { handwritten: judgeHandwritten(trace) }),
      },
      watch,
    ),
  );
  return {
    ...inspection,
    report: withFindings(inspection.report, trace),
    spans: trace.spans,
    labels: trace.labels,
  };
}

/** The report with what the rules find; they say more of a cut than that it is one. */
function withFindings(report: Report, trace: Trace): Report {
  const found = diagnose(trace);
  if (found.length === 0) return report;
  const isSaid = (d: Diagnostic): boolean =>
    d.code === "gradient-cut" && found.some((f) => isSamePlace(f.location, d.location));
  return { ...report, diagnostics: [...report.diagnostics.filter((d) => !isSaid(d)), ...found] };
}

function isSamePlace(a: SourceLocation | null, b: SourceLocation | null): boolean {
  return a !== null && b !== null && a.file === b.file && a.line === b.line;
}
