/** Arrays that a notebook's kernel has: its variables, and what its last reports were made of. */
import { fromFloat64 } from "../../arrays/convert.ts";
import { ArrayError, type NdArray, elementCount } from "../../arrays/ndarray.ts";
import type { PythonProgram } from "../../python/program.ts";
import type { SessionHost } from "../host.ts";
import type { Inspection } from "../inspect.ts";
import type { KernelAnswer, KernelAsk, ReportKey } from "./protocol.ts";

/** Reports whose arrays are kept, and their elements in all: a kernel's memory is for its variables. */
const MOST_REPORTS = 32;
const MOST_ELEMENTS = 2 ** 24;

/** The arrays of the last reports, the newest at the end. */
export class KeptReports {
  private readonly kept: { readonly key: string; readonly inspection: Inspection }[] = [];

  remember(inspection: Inspection): void {
    if (inspection.gradient === null) return;
    const key = keyText(keyOfReport(inspection.report));
    const known = this.kept.findIndex((k) => k.key === key);
    if (known >= 0) this.kept.splice(known, 1);
    this.kept.push({ key, inspection });
    let elements = 0;
    const newest = [...this.kept].reverse();
    const fits = newest.findIndex((k) => (elements += elementsOf(k.inspection)) > MOST_ELEMENTS);
    const most = Math.min(MOST_REPORTS, fits < 0 ? newest.length : fits);
    this.kept.splice(0, this.kept.length - most);
  }

  find(report: ReportKey): Inspection | null {
    return this.kept.find((k) => k.key === keyText(report))?.inspection ?? null;
  }
}

/** By what a report is known again: two of them with equal keys are of the same arrays, in practice. */
export function keyOfReport(report: Inspection["report"]): ReportKey {
  return {
    function: report.function.name,
    wrt: report.gradient.wrt,
    value: report.loss.value,
  };
}

function keyText({ function: name, wrt, value }: ReportKey): string {
  return JSON.stringify([name, wrt, value]);
}

function elementsOf({ inputs, gradient }: Inspection): number {
  const arrays = inputs.map((x) => (x.array === null ? 0 : elementCount(x.array.shape)));
  return arrays.reduce((n, m) => n + m, gradient?.length ?? 0);
}

/** Never throws for what is wrong with an array: that is an answer. */
export function answerOfKernel(
  ask: KernelAsk,
  program: PythonProgram,
  host: SessionHost,
  kept: KeptReports,
): KernelAnswer {
  try {
    switch (ask.kind) {
      case "variables":
        return { kind: "variables", variables: variablesOf(program) };
      case "variable":
        return variable(ask.name, program, host);
      case "reported":
        return reported(ask.report, ask.array, kept);
    }
  } catch (e) {
    if (e instanceof ArrayError) return { kind: "refused", message: e.describe() };
    throw e;
  }
}

function variablesOf(
  program: PythonProgram,
): Extract<KernelAnswer, { kind: "variables" }>["variables"] {
  return program.names().flatMap((name) => {
    const value = program.lookup(name);
    if (value?.kind !== "tensor" || value.selection !== null) return [];
    const shape = value.expr.shape.map((a) => a.size);
    if (!shape.every((n) => n !== null) || shape.length === 0) return [];
    return [{ name, shape, dtype: value.dtype ?? value.expr.type }];
  });
}

function variable(name: string, program: PythonProgram, host: SessionHost): KernelAnswer {
  const value = program.lookup(name);
  if (value === undefined) {
    return refused(`The notebook has no ${name}. Run the cell that makes it.`);
  }
  if (value.kind !== "tensor") return refused(`${name} is no array.`);
  const array = host.materialize(value.expr, name, value.dtype);
  return array === null
    ? refused(`${name} has no numbers: it depends on what is not known.`)
    : { kind: "array", array };
}

function reported(key: ReportKey, name: string | null, kept: KeptReports): KernelAnswer {
  const inspection = kept.find(key);
  const found = inspection === null ? null : arrayOf(inspection, name);
  return found === null
    ? refused("The kernel no longer has the arrays of this report. Run its cell again.")
    : { kind: "array", array: found };
}

function arrayOf({ inputs, wrt, gradient }: Inspection, name: string | null): NdArray | null {
  if (name !== null) return inputs.find((x) => x.name === name)?.array ?? null;
  if (gradient === null || wrt.array === null) return null;
  return fromFloat64(gradient, "float64", wrt.array.shape);
}

function refused(message: string): KernelAnswer {
  return { kind: "refused", message };
}
