/** From a trace of the user's function, and the arrays it was called with, to an inspection. */
import type { NdArray } from "../arrays/ndarray.ts";
import { input } from "../expression/build.ts";
import { type Expr, withAnnotations } from "../expression/node.ts";
import { leaves, substitute } from "../expression/walk.ts";
import type { Trace } from "../python/program.ts";
import type { Diagnostic, Report, SourceLocation } from "../report/schema.ts";
import { bounded } from "./bounded.ts";
import { judgeHandwritten } from "./handwritten.ts";
import { type LargeArray, type LargeInputs, type OpenedArray, inMemory, isLarge } from "./files.ts";
import type { SessionHost } from "./host.ts";
import { type InspectedInput, type Inspection, type Watch, inspect } from "./inspect.ts";
import { diagnose } from "./rules.ts";

/** @throws PythonError at the loss, too, if its formula is too long for the engine */
export function inspectTrace(
  trace: Trace,
  host: SessionHost,
  wrt: string | null,
  watch: Watch,
): Inspection {
  const inputs = largeInputs(trace, host);
  const inspection = bounded(trace, () => inspectionOf(trace, host, wrt, watch));
  return inputs.large.size === 0 ? inspection : host.checkLarge(inspection, inputs, watch);
}

/** The arrays that are not in memory, and what is computed from them on the way to the loss. */
function largeInputs(trace: Trace, host: SessionHost): LargeInputs {
  const large = new Map<string, LargeArray>();
  const computed = new Map<Expr, Expr>();
  const beside = new Map<string, NdArray>();
  // An array that goes into several arguments is one input.
  const known = new Map<Expr, Expr>();
  for (const x of trace.inputs) {
    const given = x.argument ?? x.node;
    const own = host.largeOf(given);
    if (own !== null) large.set(x.parameter, own);
    const from = leaves(given).filter((leaf) => leaf.kind === "input");
    if (own !== null || !from.some((leaf) => host.largeOf(leaf) !== null)) continue;
    for (const leaf of from) {
      if (known.has(leaf)) continue;
      const name = `${x.parameter}·${known.size}`;
      known.set(leaf, input(name, leaf.shape, leaf.type));
      const [array, whole] = [host.largeOf(leaf), host.arrayOf(leaf)];
      if (array !== null) large.set(name, array);
      else if (whole !== null) beside.set(name, whole);
    }
    computed.set(x.node, substitute(given, known));
  }
  for (const { name, handle } of trace.captured) {
    const array = handle.token as OpenedArray;
    if (isLarge(array)) large.set(name, array);
  }
  return { large, computed, beside };
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
        ...(trace.fixed.length === 0
          ? {}
          : {
              fixed: trace.fixed.map(({ span, ...f }) => ({
                ...f,
                file: span.file,
                line: span.line,
              })),
            }),
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
