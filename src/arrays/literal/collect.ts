/** From nested lists of numbers to an array: shape, dtype, elements. */
import { elementAt, writer } from "../convert.ts";
import { dtypes, integerRange, promoteTypes, type DType } from "../dtype.ts";
import { elementCount, formatShape, type NdArray } from "../ndarray.ts";
import {
  MAX_LITERAL_ELEMENTS,
  convert,
  defaultFloat,
  defaultInt,
  describe,
  isScalar,
  type LiteralContext,
  type Library,
  type Scalar,
  type Value,
} from "./value.ts";

/**
 * The array that `library` makes of a number, an array, or nested lists of them.
 *
 * Without a `dtype` it is inferred as the library does it: all booleans, else all integers, else
 * floating point; NumPy takes uint64 for integers that only it can hold.
 *
 * @throws ArrayError at the place of whatever is no number, is missing from a row or does not fit.
 */
export function collect(
  value: Value,
  dtype: DType | undefined,
  library: Library,
  context: LiteralContext,
): NdArray {
  if (value.kind === "array") {
    return convert(value.array, dtype ?? keptType(value.array.dtype, library), value.at, context);
  }
  const gathered = new Gatherer(context);
  gathered.add(value);
  const { shape, leaves } = gathered;
  const chosen = dtype ?? inferType(gathered, library, context);
  const data = dtypes[chosen].store(elementCount(shape));
  const write = writer(chosen, data);
  leaves.forEach((leaf, i) => {
    context.tick?.(1);
    write(i, storable(leaf, chosen, library, context));
  });
  return { dtype: chosen, shape, data, origin: context.origin };
}

/** JAX narrows 64-bit arrays unless told otherwise; the others keep an array's dtype. */
function keptType(dtype: DType, library: Library): DType {
  if (library !== "jax") return dtype;
  return JAX_NARROWED[dtype] ?? dtype;
}

const JAX_NARROWED: Partial<Readonly<Record<DType, DType>>> = {
  float64: "float32",
  int64: "int32",
  uint64: "uint32",
  complex128: "complex64",
};

/** Walks nested lists; the first row at each depth decides the shape. */
class Gatherer {
  readonly shape: number[] = [];
  /** Every element, in C order. */
  readonly leaves: Scalar[] = [];
  /** The elements written as Python numbers, and the dtypes of the arrays among the rest. */
  readonly numbers: Scalar[] = [];
  readonly arrayTypes = new Set<DType>();
  private readonly context: LiteralContext;
  /** Where the walk is. */
  private readonly index: number[] = [];
  private rankKnown = false;

  constructor(context: LiteralContext) {
    this.context = context;
  }

  add(value: Value): void {
    if (value.kind === "list") {
      this.enter(value.items.length, value.at);
      this.index.push(0);
      value.items.forEach((item, i) => {
        this.index[this.index.length - 1] = i;
        this.add(item);
      });
      this.index.pop();
    } else if (value.kind === "array") {
      this.addArray(value.array, value.at);
    } else if (isScalar(value)) {
      this.context.tick?.(1);
      this.reachElement(value.at);
      this.leaves.push(value);
      this.numbers.push(value);
    } else {
      const [message, remedy] = notANumber(value);
      this.context.fail(value.at, message, remedy);
    }
  }

  /** A row of `length` begins here. */
  private enter(length: number, at: number): void {
    const expected = this.shape[this.index.length];
    if (expected === undefined) {
      if (this.rankKnown) {
        this.context.fail(at, `${this.here()} is a list where ${this.first()} is a number.`);
      }
      this.shape.push(length);
      if (length === 0) this.rankKnown = true;
    } else if (expected !== length) {
      this.context.fail(
        at,
        `The rows differ in length: row ${bracketed(this.index)} has ${items(length)}, row ${this.first()} has ${items(expected)}.`,
      );
    }
  }

  /** A number stands here. */
  private reachElement(at: number): void {
    if (this.index.length < this.shape.length) {
      this.context.fail(at, `${this.here()} is a number where ${this.first()} is a list.`);
    }
    this.rankKnown = true;
  }

  private addArray(array: NdArray, at: number): void {
    this.arrayTypes.add(array.dtype);
    if (dtypes[array.dtype].kind === "complex") {
      this.context.fail(at, "A complex array cannot stand in a list here.");
    }
    const depth = this.index.length;
    for (const length of array.shape) {
      this.enter(length, at);
      this.index.push(0);
    }
    const count = elementCount(array.shape);
    if (count > 0) this.reachElement(at);
    this.index.length = depth;
    for (let i = 0; i < count; i += 1) {
      this.leaves.push(leafOf(elementAt(array, i), array.dtype, at));
    }
  }

  private here(): string {
    return `Element ${bracketed(this.index)}`;
  }

  /** The place at this depth that decided the shape. */
  private first(): string {
    return bracketed(this.index.map(() => 0));
  }
}

function leafOf(value: number | bigint, dtype: DType, at: number): Scalar {
  const { kind } = dtypes[dtype];
  if (kind === "bool") return { kind: "bool", value: value !== 0, at };
  if (kind === "float") return { kind: "float", value: Number(value), at };
  return { kind: "int", value: BigInt(value), at };
}

function bracketed(index: readonly number[]): string {
  return `[${index.join(", ")}]`;
}

function items(count: number): string {
  return count === 1 ? "1 element" : `${String(count)} elements`;
}

/** Message and remedy for something that is no number. */
function notANumber(value: Value): [message: string, remedy: string | undefined] {
  if (value.kind === "none") {
    return ["None is not a number.", 'For a missing value write float("nan").'];
  }
  if (value.kind === "text" && value.value.trim() !== "" && !Number.isNaN(Number(value.value))) {
    return [`"${value.value}" is a string, not a number.`, "Leave out the quotation marks."];
  }
  const said = describe(value);
  return [
    `${said.charAt(0).toUpperCase()}${said.slice(1)} is not a number.`,
    value.kind === "name" ? "A literal holds numbers only: write the name's value." : undefined,
  ];
}

function inferType(gathered: Gatherer, library: Library, context: LiteralContext): DType {
  const types = new Set(gathered.arrayTypes);
  for (const number of gathered.numbers) types.add(numberType(number, library, context));
  const [some, ...others] = types;
  if (some === undefined) return defaultFloat(library);
  return others.reduce((all, type) => mixed(all, type, library), some);
}

function mixed(a: DType, b: DType, library: Library): DType {
  if (library === "python" || library === "numpy") return promoteTypes(a, b);
  // Integers beside floats take the library's float, never a wider one.
  const float = [a, b].filter((type) => dtypes[type].kind === "float");
  return float.length === 1 ? float[0]! : promoteTypes(a, b);
}

function numberType(leaf: Scalar, library: Library, context: LiteralContext): DType {
  if (leaf.kind === "bool") return "bool";
  if (leaf.kind === "float") return defaultFloat(library);
  const candidates: readonly DType[] =
    library === "python" || library === "numpy"
      ? ["int64", "uint64"]
      : library === "tensorflow"
        ? ["int32", "int64"]
        : [defaultInt(library)];
  const fitting = candidates.find((dtype) => fits(leaf.value, dtype));
  return fitting ?? tooLarge(leaf, candidates.at(-1)!, context);
}

function fits(value: bigint, dtype: DType): boolean {
  const range = integerRange(dtype)!;
  return value >= range.min && value <= range.max;
}

function tooLarge(leaf: Scalar, dtype: DType, context: LiteralContext): never {
  const text = String(leaf.value);
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return context.fail(
    leaf.at,
    `${shown} does not fit into ${dtype}.`,
    "Give a dtype that holds it, for example dtype=np.float64.",
  );
}

/** The leaf's value as `writer` takes it, checked against the dtype. */
function storable(
  leaf: Scalar,
  dtype: DType,
  library: Library,
  context: LiteralContext,
): number | bigint {
  const { kind } = dtypes[dtype];
  if (kind === "int" || kind === "uint") {
    if (leaf.kind === "float" && (library === "tensorflow" || !Number.isFinite(leaf.value))) {
      return context.fail(leaf.at, `${String(leaf.value)} is no value of ${dtype}.`);
    }
    const whole = BigInt(leaf.kind === "float" ? Math.trunc(leaf.value) : leaf.value);
    return fits(whole, dtype) ? whole : tooLarge(leaf, dtype, context);
  }
  if (leaf.kind === "bool") return leaf.value ? 1 : 0;
  if (leaf.kind === "int" && !Number.isFinite(Number(leaf.value))) {
    return tooLarge(leaf, dtype, context);
  }
  const value = Number(leaf.value);
  // bfloat16 is reached through float32 in every library, and so is float16 in PyTorch.
  const throughFloat32 = dtype === "bfloat16" || (dtype === "float16" && library === "torch");
  return throughFloat32 ? Math.fround(value) : value;
}

/**
 * Checks that an array of this shape may be made by a literal.
 *
 * @param at where the shape stands.
 */
export function checkedCount(
  shape: readonly number[],
  at: number,
  context: LiteralContext,
): number {
  const count = elementCount(shape);
  if (count > MAX_LITERAL_ELEMENTS) {
    return context.fail(
      at,
      `An array of shape ${formatShape(shape)} is larger than a literal may make (${String(MAX_LITERAL_ELEMENTS)} elements).`,
      "Save it to a file and give its path: np.save(path, arr)",
    );
  }
  return count;
}
