/**
 * Arrays that expressions are evaluated on, as they come from files and literals: every numeric
 * type that JavaScript holds except 64-bit integers, which whoever reads the array converts.
 */
import { type Expr, type Input, type Parameter } from "../expression/node.ts";
import { sizesOf } from "../expression/axis.ts";

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** An array that is not in memory: read, and perhaps written, part by part. */
export interface StoredArray {
  readonly length: number;
  /** An empty array of the type that parts have. */
  readonly like: TypedArray;
  /** Fills `into` with the entries from `first` on. */
  read(first: number, into: TypedArray): void;
  write(first: number, from: TypedArray): void;
}

export type Entries = TypedArray | StoredArray;

export function isStored(a: Entries): a is StoredArray {
  return !ArrayBuffer.isView(a);
}

/** Arrays (row-major) by the names of the inputs, and values by the names of parameters. */
export type Bindings = ReadonlyMap<string, TypedArray | number>;

/** Thrown when an array that an expression needs is missing, too short, or of a type not read. */
export class BindingError extends Error {
  override readonly name = "BindingError";
}

/** Thrown by a run whose `isCancelled` said so. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
  constructor() {
    super("cancelled");
  }
}

/** What a long run tells and asks while it runs; both at least every 50 ms. */
export interface Watch {
  /** From 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
  readonly isCancelled?: () => boolean;
}

/** The watch of a part of a run, which takes the run from one fraction to another. */
export function within(watch: Watch, from: number, to: number): Watch {
  const { onProgress, isCancelled } = watch;
  return {
    ...(isCancelled === undefined ? {} : { isCancelled }),
    ...(onProgress === undefined ? {} : { onProgress: toldWithin(onProgress, from, to) }),
  };
}

/** What is told of a part of a run, which takes the run from one fraction to another. */
export function toldWithin(
  tell: (fraction: number) => void,
  from: number,
  to: number,
): (fraction: number) => void {
  return (f) => {
    tell(from + f * (to - from));
  };
}

/** Calls `watch`'s functions now and then, however often it is asked to. */
export class Ticker {
  private last = performance.now();
  private readonly watch: Watch;
  constructor(watch: Watch) {
    this.watch = watch;
    if (watch.isCancelled?.() === true) throw new Cancelled();
  }

  /** @throws Cancelled */
  tick(fraction: number): void {
    const now = performance.now();
    if (now - this.last < 10) return;
    this.last = now;
    if (this.watch.isCancelled?.() === true) throw new Cancelled();
    this.watch.onProgress?.(Math.min(fraction, 1));
  }
}

/** Thrown where arrays that are not in memory would have to be. */
export class NotStreamable extends Error {
  override readonly name = "NotStreamable";
  constructor() {
    super("this loss cannot be evaluated on parts of its arrays: it needs them in memory");
  }
}

export function sizeProduct(sizes: readonly number[]): number {
  return sizes.reduce((n, s) => n * s, 1);
}

function positionsUpTo(count: number): Int32Array {
  const positions = new Int32Array(count);
  for (let k = 0; k < count; k++) positions[k] = k;
  return positions;
}

/** The array bound to an input. @throws BindingError */
export function boundArray(e: Input, bindings: Bindings): TypedArray {
  const bound: unknown = bindings.get(e.name);
  const want = sizeProduct(sizesOf(e.shape));
  if (bound === undefined) {
    if (e.positions === true) return positionsUpTo(want);
    throw new BindingError(`there is no array for the input ${e.name}`);
  }
  if (bound instanceof BigInt64Array || bound instanceof BigUint64Array) {
    throw new BindingError(
      `the input ${e.name} has 64-bit integers, which must be converted first`,
    );
  }
  const array = typeof bound === "number" && want === 1 ? Float64Array.of(bound) : bound;
  if (!ArrayBuffer.isView(array) || array instanceof DataView) {
    throw new BindingError(`the input ${e.name} is not bound to an array`);
  }
  const typed = array as TypedArray;
  if (typed.length !== want) {
    throw new BindingError(
      `the input ${e.name} has ${want} entries (${sizesOf(e.shape).join(" × ")}), its array ${typed.length}`,
    );
  }
  return typed;
}

/** An array outside memory that is bound to an input. @throws BindingError */
export function boundStored(e: Input, array: StoredArray): StoredArray {
  const want = sizeProduct(sizesOf(e.shape));
  if (array.length !== want) {
    throw new BindingError(
      `the input ${e.name} has ${want} entries (${sizesOf(e.shape).join(" × ")}), its file ${array.length}`,
    );
  }
  return array;
}

/** A parameter's value: what is bound under its name, else its own. @throws BindingError */
export function boundValue(e: Parameter, bindings: Bindings): number {
  const bound = bindings.get(e.name);
  if (typeof bound === "number") return bound;
  if (bound?.length === 1) return bound[0]!;
  if (e.value === null) throw new BindingError(`the parameter ${e.name} has no value`);
  return e.value;
}

/** Sizes of a node, looked up once a node. */
export class Sizes {
  private readonly known = new Map<Expr, readonly number[]>();

  /** @throws ShapeError when a size is not known */
  of(e: Expr): readonly number[] {
    let sizes = this.known.get(e);
    if (sizes === undefined) this.known.set(e, (sizes = sizesOf(e.shape)));
    return sizes;
  }

  count(e: Expr): number {
    return sizeProduct(this.of(e));
  }
}
