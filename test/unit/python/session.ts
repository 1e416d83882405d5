/** A host with arrays in memory, and short ways to run and trace source in tests. */
import assert from "node:assert/strict";
import { type BoundArray, evaluate } from "../../../src/expression/evaluate.ts";
import type { Expr, ScalarType } from "../../../src/expression/node.ts";
import { gradient } from "../../../src/gradient/gradient.ts";
import { leaves } from "../../../src/expression/walk.ts";
import { PythonError } from "../../../src/python/errors.ts";
import type {
  ArrayArchive,
  ArrayHandle,
  ModuleSource,
  TraceHost,
} from "../../../src/python/host.ts";
import type { PythonParser } from "../../../src/python/parser.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { type Arguments, PythonProgram, type Trace } from "../../../src/python/program.ts";

export interface TestArray extends BoundArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export class TestHost implements TraceHost {
  readonly printed: string[] = [];
  readonly files = new Map<string, TestArray>();
  readonly archives = new Map<string, ReadonlyMap<string, TestArray>>();
  readonly modules = new Map<string, string>();
  /** Files of installed packages; `null` for a compiled one. */
  readonly installed = new Map<string, string | null>();
  /** Files of them whose text was asked for. */
  readonly read: string[] = [];
  private readonly bound = new Map<Expr, TestArray>();
  /** Statements until the user interrupts. */
  patience = Infinity;

  loadArray(path: string): ArrayHandle | ArrayArchive {
    const archive = this.archives.get(path);
    if (archive !== undefined) {
      return { members: new Map([...archive].map(([k, a]) => [k, handleOf(a)])) };
    }
    const found = this.files.get(path);
    if (found === undefined) throw new Error(`there is no file ${path}`);
    return handleOf(found);
  }
  literalArray(values: readonly number[], shape: readonly number[], dtype: string): ArrayHandle {
    return handleOf({ shape, data: values }, dtype);
  }
  evaluate(e: Expr): { shape: readonly number[]; data: ArrayLike<number> } | null {
    const bindings = new Map<string, BoundArray>();
    for (const leaf of leaves(e)) {
      if (leaf.kind === "parameter" && leaf.value === null) return null;
      if (leaf.kind !== "input") continue;
      const array = this.bound.get(leaf);
      if (array === undefined) return null;
      bindings.set(leaf.name, array);
    }
    return evaluate(e, bindings);
  }
  bindInput(node: Expr, handle: ArrayHandle): void {
    this.bound.set(node, handle.token as TestArray);
  }
  readModule(name: string, from: string): ModuleSource | null {
    const path = name.replace(/^\.+/, "").replaceAll(".", "/");
    for (const file of [`${path}.py`, `${path}/__init__.py`]) {
      const text = this.modules.get(file);
      if (text !== undefined) return { file, text };
    }
    const dots = /^\.*/.exec(name)![0].length;
    const folders = from.split("/").slice(0, -dots);
    const base = [...(dots > 0 ? folders : []), ...(path === "" ? [] : [path])].join("/");
    for (const file of [`${base}.py`, `${base}/__init__.py`]) {
      const text = this.installed.get(file);
      if (text !== undefined) return this.installedSource(file, text);
    }
    return null;
  }
  private installedSource(file: string, text: string | null): ModuleSource {
    const { read } = this;
    return {
      file,
      installed: true,
      name: file.replace(/(\/__init__)?\.py$/, "").replaceAll("/", "."),
      get text() {
        read.push(file);
        return text;
      },
    };
  }
  print(text: string): void {
    this.printed.push(text);
  }
  checkpoint(): void {
    if (--this.patience < 0) throw new Error("interrupted");
  }
}

function typeOf(dtype: string): ScalarType {
  if (dtype === "bool") return "bool";
  return dtype.includes("int") ? "int" : "float";
}

export function handleOf(array: TestArray, dtype = "float64"): ArrayHandle {
  return { shape: array.shape, type: typeOf(dtype), dtype, token: array };
}

export function array(shape: readonly number[], data: readonly number[]): TestArray {
  return { shape, data };
}

let parser: Promise<PythonParser> | null = null;

export function sharedParser(): Promise<PythonParser> {
  return (parser ??= loadParserFromDisk());
}

export interface Session {
  readonly program: PythonProgram;
  readonly host: TestHost;
  /** Runs lines as one cell. */
  readonly run: (source: string, file?: string) => ReturnType<PythonProgram["execute"]>;
}

export async function session(
  prepare?: (host: TestHost) => void,
  file = "main.py",
): Promise<Session> {
  const host = new TestHost();
  prepare?.(host);
  const program = new PythonProgram(await sharedParser(), host, { file });
  return { program, host, run: (source, cell = "cell") => program.execute(source, cell) };
}

/** Traces a function of the source, with arrays of these shapes filled with given or counted values. */
export async function traceOf(
  source: string,
  callable: string,
  args: Readonly<Record<string, ArrayHandle | TestArray>> = {},
  prepare?: (host: TestHost) => void,
): Promise<Trace> {
  const { program } = await session(prepare);
  program.load(source, "losses.py");
  return program.trace(callable, argumentsOf(args));
}

export function argumentsOf(args: Readonly<Record<string, ArrayHandle | TestArray>>): Arguments {
  return new Map(
    Object.entries(args).map(([name, a]) => [
      name,
      { kind: "array", handle: "token" in a ? a : handleOf(a) } as const,
    ]),
  );
}

/** What a failing run throws. */
export function errorOf(run: () => unknown): PythonError {
  try {
    run();
  } catch (e) {
    if (e instanceof PythonError) return e;
    throw e;
  }
  return assert.fail("no error was raised");
}

/** Deterministic values strictly between 0 and 1. */
export function probabilities(n: number, seed = 1): number[] {
  let state = seed * 2654435761;
  return Array.from({ length: n }, () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return 0.05 + (0.9 * state) / 4294967296;
  });
}

export function binary(n: number, seed = 7): number[] {
  return probabilities(n, seed).map((x) => (x > 0.5 ? 1 : 0));
}

/** The loss in float64 on these inputs. */
export function valueOf(trace: Trace, inputs: Readonly<Record<string, TestArray>>): number {
  return evaluate(trace.loss, new Map(Object.entries(inputs))).data[0]!;
}

/** The derived gradient by the first input, in row-major order. */
export function slopes(trace: Trace, inputs: Readonly<Record<string, TestArray>>): number[] {
  const by = new Map(Object.entries(inputs));
  return [...evaluate(gradient(trace.loss, trace.inputs[0]!.node), by).data];
}

/** Asserts that two numbers agree to within rounding. */
export function close(actual: number, expected: number, tolerance = 1e-12): void {
  const scale = Math.max(1, Math.abs(expected));
  assert.ok(
    Math.abs(actual - expected) <= tolerance * scale,
    `expected ${expected}, got ${actual}`,
  );
}
