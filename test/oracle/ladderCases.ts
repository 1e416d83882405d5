/** The corpus's cases on the rungs of the precision ladder: real libraries' runs, and ours. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Arithmetic } from "../../src/numbers/precision/arithmetic.ts";
import { gradient } from "../../src/numbers/precision/backward.ts";
import type { Performance } from "../../src/numbers/precision/forward.ts";
import type { Held } from "../../src/numbers/precision/held.ts";
import type { Rung } from "../../src/numbers/precision/rungs.ts";
import type { PythonParser } from "../../src/python/parser.ts";
import { PythonProgram, type Trace } from "../../src/python/program.ts";
import { filesFor } from "../../src/session/files.node.ts";
import { SessionHost } from "../../src/session/host.ts";
import { performTrace } from "../../src/session/precision.ts";
import { python, runOracle } from "./environment.ts";

export interface Ran {
  readonly loss: readonly string[];
  readonly dtype: string;
  readonly gradient: string;
  /** PyTorch refuses some operations in some types. */
  readonly error?: string;
}

export interface NumpyCase {
  readonly file: string;
  readonly line: number;
  readonly case: string;
  readonly call: string;
  readonly arrays: Readonly<Record<string, string>>;
  readonly wrt: string;
  /** Where the library does not take a type, what it says. */
  readonly rungs: Readonly<Record<string, Omit<Ran, "gradient"> | { readonly failed: string }>>;
}

export interface Case extends NumpyCase {
  readonly rungs: Readonly<Record<string, Ran>>;
}

/** @param library "arrays" runs nothing */
export async function casesOf(
  folder: string,
  library: "torch" | "numpy" | "arrays",
  files: readonly string[],
): Promise<{ cases: Case[]; vectorBytes: number }> {
  const printed = await runOracle("test/oracle/precision.py", [folder, library, ...files]);
  const json = printed.slice(printed.lastIndexOf('\n{"cases"') + 1);
  return JSON.parse(json) as { cases: Case[]; vectorBytes: number };
}

/** Python's repr of a float. */
export function number(text: string): number {
  return text === "nan"
    ? NaN
    : text.endsWith("inf")
      ? Number(text.replace("inf", "Infinity"))
      : Number(text);
}

/** A file of the corpus, whose cases are run on the ladder. */
export class Program {
  readonly host: SessionHost;
  private readonly program: PythonProgram;
  private readonly arithmetic: Arithmetic;

  constructor(parser: PythonParser, file: string, arithmetic: Arithmetic) {
    this.arithmetic = arithmetic;
    this.host = new SessionHost(
      filesFor(python),
      dirname(file),
      () => undefined,
      () => false,
    );
    this.program = new PythonProgram(parser, this.host, { file });
    this.program.load(readFileSync(file, "utf8"), file);
  }

  private trace(c: NumpyCase, rung: Rung): Trace {
    const { library } = this.arithmetic;
    const loads = Object.entries(c.arrays).map(([name, path]) => {
      const array = `_np.load(${JSON.stringify(path)})`;
      return `${name} = ${library === "torch" ? `_torch.from_numpy(${array})` : array}`;
    });
    const arrays = ["import numpy as _np", "import torch as _torch", ...loads].join("\n");
    this.program.execute(arrays, "arrays");
    // As they are before the loss, which may change them.
    const given = Object.keys(c.arrays).map((name) => this.exprOf(name));
    const wrt = this.exprOf(c.wrt);
    const { call } = this.program.execute(c.call, "case");
    assert.ok(call !== null, `${c.call} is no call of a loss on arrays`);
    return this.program.tapeOfCall(call, (p) =>
      p.argument === wrt ? rung.prediction : given.includes(p.argument) ? rung.others : p.dtype,
    );
  }

  private exprOf(name: string): unknown {
    const v = this.program.lookup(name);
    return v?.kind === "tensor" ? v.expr : null;
  }

  perform(c: NumpyCase, rung: Rung, trace = this.trace(c, rung)): Performance {
    return performTrace(trace, this.host, rung, this.arithmetic);
  }

  run(c: Case, rung: Rung): { readonly loss: Held; readonly gradient: Held } {
    const trace = this.trace(c, rung);
    const wrt = trace.inputs.find((x) => x.argument === this.exprOf(c.wrt))?.node;
    assert.ok(wrt?.kind === "input");
    const performance = this.perform(c, rung, trace);
    return { loss: performance.result, gradient: gradient(performance, wrt) };
  }
}
