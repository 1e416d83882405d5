/** A loss as a test: its gradient is right on sample arrays, and the rules find no error in it. */
import type { NdArray } from "../arrays/ndarray.ts";
import { sizesOf } from "../expression/axis.ts";
import { guessRange } from "../expression/equalityPoints.ts";
import type { Input } from "../expression/node.ts";
import { resize } from "../expression/walk.ts";
import { PythonProgram, type Trace } from "../python/program.ts";
import { parseTolerantly } from "../python/tolerant.ts";
import type { Report, SourceLocation } from "../report/schema.ts";
import { toFailure } from "./failure.ts";
import { SessionHost, handleOf } from "./host.ts";
import type { Watch } from "./inspect.ts";
import type { Engine } from "./jobs.ts";
import { sampleArrays } from "./sampleArrays.ts";
import { inspectTrace } from "./traced.ts";

export interface GradientTestResult {
  /** "skipped": it cannot be traced, which is no fault of the loss. */
  readonly outcome: "passed" | "failed" | "skipped";
  readonly messages: readonly { readonly text: string; readonly location: SourceLocation | null }[];
  readonly report: Report | null;
}

/** Never throws for what the file holds. */
export function testLoss(
  text: string,
  file: string,
  name: string,
  directory: string,
  { parser, files }: Engine,
  watch: Watch,
): GradientTestResult {
  try {
    const host = new SessionHost(
      files,
      directory,
      () => undefined,
      () => watch.isCancelled(),
    );
    const program = new PythonProgram(parser, host, { file });
    program.loadModule(parseTolerantly(parser, text, file).module);
    const open = program.trace(name);
    const args = new Map(
      arraysFor(open).map(([key, a]) => [key, { kind: "array", handle: handleOf(a) }] as const),
    );
    const { report } = inspectTrace(program.trace(name, args), host, null, watch);
    const messages = messagesOf(report);
    return { outcome: messages.length === 0 ? "passed" : "failed", messages, report };
  } catch (e) {
    const { message, remedy, file: at, line } = toFailure(e);
    const location = at === null || line === null ? null : { file: at, line };
    const words = remedy === null ? message : `${message}\n${remedy}`;
    return { outcome: "skipped", messages: [{ text: words, location }], report: null };
  }
}

/** An array of its own for each parameter, of small sizes where the code leaves them open. */
function arraysFor(trace: Trace): [string, NdArray][] {
  const inputs = trace.inputs.map((x) => ({ name: x.parameter, node: x.node, role: x.role }));
  const prediction = inputs.find((x) => x.role === "prediction")?.node as Input | undefined;
  const isLogits = prediction !== undefined && guessRange(prediction, [trace.loss]) === "logit";
  const { sizes, bindings } = sampleArrays(inputs, isLogits);
  return inputs.map(({ name, node }): [string, NdArray] => {
    const shape = sizesOf(resize(node, sizes).shape);
    const origin = { kind: "computed", description: "sample values" } as const;
    const data = bindings.get(name)!;
    if (node.type === "int")
      return [name, { dtype: "int32", shape, data: Int32Array.from(data), origin }];
    if (node.type === "bool")
      return [name, { dtype: "bool", shape, data: Uint8Array.from(data), origin }];
    return [name, { dtype: "float64", shape, data: Float64Array.from(data), origin }];
  });
}

function messagesOf(report: Report): GradientTestResult["messages"][number][] {
  const { check, diagnostics } = report;
  const isRight = check.verdict === "agrees" || check.verdict === "cannot-be-decided";
  return [
    ...(isRight ? [] : [{ text: check.sentence, location: report.function }]),
    ...diagnostics
      .filter((d) => d.severity === "error")
      .map((d) => ({
        text: `${d.code}: ${d.message}${d.remedy === null ? "" : `\n${d.remedy}`}`,
        location: d.location,
      })),
  ];
}
