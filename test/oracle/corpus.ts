/** The corpus of losses: what the real libraries say of each case, and what the inspector says. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { readNpy } from "../../src/arrays/npy.ts";
import type { NdArray } from "../../src/arrays/ndarray.ts";
import * as build from "../../src/expression/build.ts";
import { type Expr, withAnnotations } from "../../src/expression/node.ts";
import { gradient } from "../../src/gradient/gradient.ts";
import { compileKernel } from "../../src/numbers/kernel.ts";
import type { TypedArray } from "../../src/numbers/typedArrays.ts";
import type { PythonParser } from "../../src/python/parser.ts";
import { PythonProgram, type Trace } from "../../src/python/program.ts";
import { kernelArray } from "../../src/session/bindings.ts";
import { filesFor } from "../../src/session/files.node.ts";
import { SessionHost } from "../../src/session/host.ts";
import { root } from "../../scripts/lib/root.mjs";
import { python, runOracle } from "./environment.ts";

export const corpusFolder = join(root, "test/corpus");

/** The call of a case on arrays. */
export interface CorpusCall {
  /** As written, with its array makers replaced by names. */
  readonly call: string;
  /** Files of the arrays, by name. */
  readonly arrays: Readonly<Record<string, string>>;
  /** Name of the array that the gradient is by. */
  readonly wrt: string;
  readonly backend: string;
}

/** A case as test/oracle/corpus.py ran it. */
export interface CorpusCase extends CorpusCall {
  readonly file: string;
  readonly line: number;
  /** As written, with its array makers. */
  readonly case: string;
  /** Digits of a float64; absent, as `gradient`, when the library itself failed. */
  readonly loss?: string;
  readonly gradient?: string;
  readonly error?: string;
}

/** Folders of the corpus, one a library, and their files. */
export function corpusFiles(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const entry of readdirSync(corpusFolder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const files = readdirSync(join(corpusFolder, entry.name)).filter((f) => f.endsWith(".py"));
    const paths = files.sort().map((f) => join(corpusFolder, entry.name, f));
    if (paths.length > 0) found.set(entry.name, paths);
  }
  return found;
}

/** Runs every case of some files in the real library. One process a call. */
export async function runCorpus(
  library: string,
  files: readonly string[],
  out: string,
): Promise<CorpusCase[]> {
  const printed = await runOracle("test/oracle/corpus.py", [library, out, ...files]);
  const json = printed.slice(printed.lastIndexOf('\n{"cases"') + 1);
  const { cases } = JSON.parse(json) as { cases: CorpusCase[] };
  return cases.map((c) => ({ ...c, file: relative(root, c.file) }));
}

/** Keras converts to its own default type, which the backend of the oracle sets as well. */
const KERAS_FLOAT64 =
  "import tensorflow as _tf\nimport keras as _keras\n_keras.config.set_floatx('float64')";

/** How an array of the case comes into being in the library that the file is written for. */
const WRAPS: Readonly<Record<string, readonly [imports: string, wrap: (load: string) => string]>> =
  {
    torch: ["import torch as _torch", (load) => `_torch.from_numpy(${load})`],
    tensorflow: [KERAS_FLOAT64, (load) => `_tf.constant(${load})`],
    keras: [KERAS_FLOAT64, (load) => `_tf.constant(${load})`],
    jax: ["import jax.numpy as _jnp", (load) => `_jnp.asarray(${load})`],
    numpy: ["", (load) => load],
    autograd: ["", (load) => load],
  };

export interface CaseExpressions {
  readonly loss: Expr;
  readonly wrt: Expr;
  readonly bindings: Map<string, TypedArray>;
}

export interface Evaluated {
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** The inspector's loss and gradient of a case, by its own trace, derivation and kernels. */
export class CorpusProgram {
  private readonly program: PythonProgram;
  private readonly host: SessionHost;

  /** @param interrupted asked now and then while a case is traced, which ends when it says so */
  constructor(parser: PythonParser, file: string, interrupted: () => boolean = () => false) {
    const path = join(root, file);
    this.host = new SessionHost(filesFor(python), dirname(path), () => undefined, interrupted);
    this.program = new PythonProgram(parser, this.host, { file: path });
    this.program.load(readFileSync(path, "utf8"), path);
  }

  trace({ call, arrays, backend }: CorpusCall): Trace {
    const [imports, wrap] = WRAPS[backend]!;
    const loads = Object.entries(arrays).map(
      ([name, path]) => `${name} = ${wrap(`_np.load(${JSON.stringify(path)})`)}`,
    );
    const cell = ["import numpy as _np", imports, ...loads, call].join("\n");
    const { call: request } = this.program.execute(cell, "case");
    assert.ok(request !== null, `${call} is no call of a loss on arrays`);
    return this.program.traceCall(request);
  }

  /** The loss of a case, as a scalar, what its gradient is by, and its arrays. */
  expressions(c: CorpusCall): CaseExpressions {
    const trace = this.trace(c);
    return withAnnotations(trace.spans, trace.labels, () => {
      const loss = trace.loss.shape.length === 0 ? trace.loss : build.sum(trace.loss);
      const asked = this.program.lookup(c.wrt);
      assert.ok(asked?.kind === "tensor");
      const wrt = trace.inputs.find((x) => x.argument === asked.expr);
      assert.ok(wrt !== undefined, `${c.wrt} is no argument of ${trace.name}`);
      const bindings = new Map<string, TypedArray>();
      const bind = (node: Expr, array: NdArray | null): void => {
        assert.ok(node.kind === "input" && array !== null);
        bindings.set(node.name, kernelArray(array));
      };
      for (const x of trace.inputs) bind(x.node, this.host.materialize(x.argument!, x.parameter));
      for (const x of trace.captured) bind(x.node, x.handle.token as NdArray);
      return { loss, wrt: wrt.node, bindings };
    });
  }

  evaluate(c: CorpusCase): Evaluated {
    const { loss, wrt, bindings } = this.expressions(c);
    const { outputs } = compileKernel([loss, gradient(loss, wrt)]).run(bindings);
    return { loss: outputs[0]!.data[0]!, gradient: outputs[1]!.data };
  }
}

/** The most that a gradient's entry, and a loss, may be off, relative to its own size. */
export const TOLERANCE = 1e-10;

/**
 * Largest error of the inspector's numbers relative to the library's. Entries of a gradient that are
 * a thousand times smaller than its largest are measured against a thousandth of that: what is left
 * of cancelling terms has no more digits than they.
 */
export function worstError(c: CorpusCase, ours: Evaluated): number {
  const loss = Number(c.loss === "nan" ? NaN : c.loss);
  const theirs = readNpy(new Uint8Array(readFileSync(c.gradient!)), "gradient")
    .data as Float64Array;
  assert.equal(ours.gradient.length, theirs.length, "elements of the gradient");
  const largest = theirs.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  let worst = relativeError(ours.loss, loss, Math.max(Math.abs(loss), 1e-3));
  for (const [k, g] of theirs.entries()) {
    const size = Math.max(Math.abs(g), 1e-3 * largest, Number.MIN_VALUE);
    worst = Math.max(worst, relativeError(ours.gradient[k]!, g, size));
  }
  return worst;
}

function relativeError(ours: number, theirs: number, size: number): number {
  if (Object.is(ours, theirs) || ours === theirs) return 0;
  const error = Math.abs(ours - theirs) / size;
  return Number.isNaN(error) ? Infinity : error;
}
