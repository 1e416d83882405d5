/**
 * What the tracer asks of the outside world: arrays from files and literals, values of expressions
 * whose arrays are known, modules, printing, and whether to stop.
 */
import { fromFloat64 } from "../arrays/convert.ts";
import type { DType, NdArray } from "../arrays/ndarray.ts";
import type { Tick } from "../arrays/source.ts";
import { sizesOf } from "../expression/axis.ts";
import type { Expr, SourceSpan } from "../expression/node.ts";
import { leaves } from "../expression/walk.ts";
import { filled } from "../numbers/interruption.ts";
import { compileKernel } from "../numbers/kernel.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import type { ArrayHandle, ModuleSource, TraceHost } from "../python/host.ts";
import { kernelArray, scalarTypeOf } from "./bindings.ts";
import {
  type Files,
  type LargeArray,
  type LargeInputs,
  type OpenedArray,
  inMemory,
  isLarge,
} from "./files.ts";
import type { Inspection, Watch } from "./inspect.ts";

/** Thrown out of tracing and kernels when the user interrupts. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("interrupted");
  }
}

/** Told how much of a file has been read. */
export type Reading = (fraction: number, path: string) => void;

export class SessionHost implements TraceHost {
  /** Arrays behind input nodes. Weak: an array lives as long as some expression uses it. */
  private readonly bound = new WeakMap<Expr, OpenedArray>();
  private readonly files: Files;
  private readonly directory: string;
  private readonly printed: (text: string) => void;
  private readonly interrupted: () => boolean;
  private readonly reading: Reading;

  constructor(
    files: Files,
    directory: string,
    printed: (text: string) => void,
    interrupted: () => boolean,
    reading: Reading = () => undefined,
  ) {
    this.files = files;
    this.directory = directory;
    this.printed = printed;
    this.interrupted = interrupted;
    this.reading = reading;
  }

  loadArray(
    path: string,
    _span: SourceSpan,
  ): ArrayHandle | { readonly members: ReadonlyMap<string, ArrayHandle> } {
    const found = this.files.openArrays(path, this.directory, this.tickOf(path));
    return "shape" in found ? handleOf(found) : { members: new LazyMembers(found) };
  }

  literalArray(
    values: readonly number[],
    shape: readonly number[],
    dtype: string,
    span: SourceSpan,
  ): ArrayHandle {
    const { file, line, column } = span;
    const origin = { kind: "literal", file, line, column } as const;
    return handleOf(fromFloat64(Float64Array.from(values), dtype as DType, shape, origin));
  }

  bindInput(node: Expr, handle: ArrayHandle): void {
    this.bound.set(node, handle.token as OpenedArray);
  }

  /** Null also for a large array, which is not in memory. */
  arrayOf(node: Expr): NdArray | null {
    const array = this.bound.get(node);
    return array === undefined ? null : inMemory(array);
  }

  /** The large array that a node stands for. */
  largeOf(e: Expr): LargeArray | null {
    const array = this.bound.get(e);
    return array !== undefined && isLarge(array) ? array : null;
  }

  /** @throws ArrayError, InspectionError */
  checkLarge(inspection: Inspection, inputs: LargeInputs, watch: Watch): Inspection {
    return this.files.checkLarge(inspection, inputs, watch);
  }

  evaluate(
    e: Expr,
  ): { readonly shape: readonly number[]; readonly data: ArrayLike<number> } | null {
    const array = this.arrayOf(e);
    if (array !== null) return { shape: array.shape, data: kernelArray(array) };
    const bindings = new Map<string, TypedArray>();
    for (const leaf of leaves(e)) {
      if (leaf.kind === "parameter") {
        if (leaf.value === null) return null;
        continue;
      }
      const known = leaf.kind === "input" ? this.arrayOf(leaf) : null;
      if (known === null || leaf.kind !== "input") return null;
      bindings.set(leaf.name, kernelArray(known));
    }
    const result = compileKernel([e], { roundCasts: true }).run(bindings, {
      isCancelled: this.interrupted,
    });
    return { shape: sizesOf(e.shape), data: result.outputs[0]!.data };
  }

  /**
   * The value of an expression as an array of its own, for passing on to a traced function.
   * @param dtype the float type that the program holds it in, if that is known
   */
  materialize(e: Expr, description: string, dtype: string | null = null): NdArray | null {
    const known = this.arrayOf(e);
    if (known !== null) return known;
    const value = this.evaluate(e);
    if (value === null) return null;
    const type = isFloat(dtype) ? dtype : "float64";
    const origin = { kind: "computed", description } as const;
    const { data, shape } = value;
    const values = filled(new Float64Array(data.length), (k) => data[k]!);
    return fromFloat64(values, type, shape, origin, () => {
      this.checkpoint();
    });
  }

  readModule(dottedName: string, fromFile: string): ModuleSource | null {
    return this.files.readModule(dottedName, fromFile, this.directory);
  }

  print(text: string): void {
    this.printed(text);
  }

  /** For reading a file: tells of it, and ends it when the user interrupts. */
  private tickOf(path: string): Tick {
    return (fraction) => {
      this.checkpoint();
      this.reading(fraction, path);
    };
  }

  checkpoint(): void {
    if (this.interrupted()) throw new Interrupted();
  }

  /** When a run that nobody waits for has to end, on `performance.now()`'s clock; null for never. */
  deadline: number | null = null;

  timeIsUp(): boolean {
    return this.deadline !== null && performance.now() > this.deadline;
  }
}

/** Arrays of an archive, each unpacked when it is asked for, once. */
class LazyMembers extends Map<string, ArrayHandle> {
  private readonly readers: ReadonlyMap<string, () => OpenedArray>;

  constructor(readers: ReadonlyMap<string, () => OpenedArray>) {
    super();
    this.readers = readers;
  }
  override get size(): number {
    return this.readers.size;
  }
  override has(name: string): boolean {
    return this.readers.has(name);
  }
  override keys(): MapIterator<string> {
    return this.readers.keys();
  }
  override get(name: string): ArrayHandle | undefined {
    const known = super.get(name);
    if (known !== undefined) return known;
    const read = this.readers.get(name);
    if (read === undefined) return undefined;
    const handle = handleOf(read());
    super.set(name, handle);
    return handle;
  }
}

function isFloat(dtype: string | null): dtype is "float16" | "bfloat16" | "float32" | "float64" {
  return dtype !== null && ["float16", "bfloat16", "float32", "float64"].includes(dtype);
}

export function handleOf(array: OpenedArray): ArrayHandle {
  return {
    shape: array.shape,
    type: scalarTypeOf(array.dtype),
    dtype: array.dtype,
    token: array,
  };
}
