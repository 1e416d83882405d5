/** The names that a literal may use: modules, constants, dtypes. */
import type { DType } from "../dtype.ts";
import { parseTypeString } from "../typeString.ts";
import {
  defaultFloat,
  defaultInt,
  type LiteralContext,
  type Library,
  type Value,
} from "./value.ts";

/** The usual import aliases; a literal shows no import statement. */
const MODULES: Readonly<Record<string, Library | "math">> = {
  np: "numpy",
  numpy: "numpy",
  onp: "numpy",
  anp: "numpy",
  "autograd.numpy": "numpy",
  torch: "torch",
  jnp: "jax",
  "jax.numpy": "jax",
  tf: "tensorflow",
  tensorflow: "tensorflow",
  math: "math",
};

/** A dotted name split into the library it belongs to, if known, and the rest. */
export function splitName(path: string): { library: Library | "math" | undefined; name: string } {
  const dot = path.lastIndexOf(".");
  const library = dot < 0 ? undefined : own(MODULES, path.slice(0, dot));
  return library === undefined ? { library, name: path } : { library, name: path.slice(dot + 1) };
}

/** The value of a key that the table itself has, not its prototype. */
export function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

const CONSTANTS: Readonly<Record<string, number | boolean>> = {
  nan: NaN,
  NaN: NaN,
  NAN: NaN,
  inf: Infinity,
  Inf: Infinity,
  Infinity: Infinity,
  PINF: Infinity,
  infty: Infinity,
  NINF: -Infinity,
};

const LIBRARY_CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/** Python's and JSON's words. */
const WORDS: Readonly<Record<string, boolean | null>> = {
  True: true,
  False: false,
  None: null,
  true: true,
  false: false,
  null: null,
};

/** The number, boolean or None that a name stands for, or the name itself. */
export function nameValue(path: string, at: number): Value {
  const word = own(WORDS, path);
  if (word === null) return { kind: "none", at };
  if (word !== undefined) return { kind: "bool", value: word, at };
  const { library, name } = splitName(path);
  const constant =
    own(CONSTANTS, name) ?? (library === undefined ? undefined : own(LIBRARY_CONSTANTS, name));
  if (typeof constant === "number") return { kind: "float", value: constant, at };
  return { kind: "name", path, at };
}

const COMMON_TYPES: Readonly<Record<string, DType>> = {
  bool: "bool",
  int8: "int8",
  uint8: "uint8",
  int16: "int16",
  uint16: "uint16",
  int32: "int32",
  uint32: "uint32",
  int64: "int64",
  uint64: "uint64",
  float16: "float16",
  bfloat16: "bfloat16",
  float32: "float32",
  float64: "float64",
  complex64: "complex64",
  complex128: "complex128",
};

/** NumPy's aliases on 64-bit Linux and macOS (NumPy 2 also on Windows). */
const NUMPY_TYPES: Readonly<Record<string, DType>> = {
  bool_: "bool",
  bool8: "bool",
  byte: "int8",
  ubyte: "uint8",
  short: "int16",
  ushort: "uint16",
  intc: "int32",
  uintc: "uint32",
  int: "int64",
  int_: "int64",
  intp: "int64",
  long: "int64",
  longlong: "int64",
  uint: "uint64",
  uintp: "uint64",
  ulong: "uint64",
  ulonglong: "uint64",
  half: "float16",
  single: "float32",
  float: "float64",
  float_: "float64",
  double: "float64",
  csingle: "complex64",
  cdouble: "complex128",
  complex: "complex128",
  complex_: "complex128",
};

const TORCH_TYPES: Readonly<Record<string, DType>> = {
  half: "float16",
  float: "float32",
  double: "float64",
  short: "int16",
  int: "int32",
  long: "int64",
  cfloat: "complex64",
  cdouble: "complex128",
};

const TENSORFLOW_TYPES: Readonly<Record<string, DType>> = { half: "float16", double: "float64" };

/** NumPy's one-letter codes, which only stand as strings. */
const TYPE_CODES: Readonly<Record<string, DType>> = {
  "?": "bool",
  b: "int8",
  B: "uint8",
  h: "int16",
  H: "uint16",
  i: "int32",
  I: "uint32",
  l: "int64",
  L: "uint64",
  q: "int64",
  Q: "uint64",
  e: "float16",
  f: "float32",
  d: "float64",
  F: "complex64",
  D: "complex128",
};

/** The dtype that a name stands for, or undefined if for none. */
export function namedType(path: string, caller: Library): DType | undefined {
  const { library, name } = splitName(path);
  switch (library) {
    case "numpy":
      return own(NUMPY_TYPES, name) ?? own(COMMON_TYPES, name);
    case "jax":
      return name.endsWith("_") ? builtinType(name.slice(0, -1), "jax") : own(COMMON_TYPES, name);
    case "torch":
      return own(TORCH_TYPES, name) ?? own(COMMON_TYPES, name);
    case "tensorflow":
      return own(TENSORFLOW_TYPES, name) ?? own(COMMON_TYPES, name);
    case "python":
    case "math":
      return undefined;
    case undefined:
      return builtinType(name, caller) ?? own(COMMON_TYPES, name);
  }
}

/** What Python's own types mean as a dtype. */
function builtinType(name: string, library: Library): DType | undefined {
  if (name === "bool") return "bool";
  // PyTorch takes Python's float as float64, though its tensors default to float32.
  if (name === "float") return library === "torch" ? "float64" : defaultFloat(library);
  if (name === "int") return defaultInt(library);
  if (name === "complex") return library === "jax" ? "complex64" : "complex128";
  return undefined;
}

/** The dtype that an argument names; undefined for None. */
export function typeArgument(
  value: Value,
  library: Library,
  context: LiteralContext,
): DType | undefined {
  if (value.kind === "none") return undefined;
  if (value.kind === "name") {
    return namedType(value.path, library) ?? unknownType(value.path, value.at, context);
  }
  if (value.kind !== "text") {
    return context.fail(value.at, "A dtype is expected here, for example np.float32.");
  }
  const text = value.value;
  const known =
    namedType(text, library) ??
    (library === "numpy" ? own(NUMPY_TYPES, text) : undefined) ??
    own(TYPE_CODES, text);
  if (known !== undefined) return known;
  const type = parseTypeString(text);
  if (type !== undefined && "dtype" in type) return type.dtype;
  return unknownType(text, value.at, context);
}

function unknownType(text: string, at: number, context: LiteralContext): never {
  return context.fail(
    at,
    `"${text.slice(0, 40)}" is no dtype that is read here.`,
    `The dtypes are ${Object.keys(COMMON_TYPES).join(", ")}.`,
  );
}
