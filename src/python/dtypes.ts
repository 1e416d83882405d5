/** Element types and how each library promotes them when two meet. */
import { BITS, type ElementType } from "../expression/elementType.ts";
import type { CastTarget, ScalarType } from "../expression/node.ts";
import {
  floatHolding,
  isUnsigned,
  promoteNumpy,
  promoteWithinKind,
  scalarType,
} from "../expression/promotion.ts";

export { scalarType };

export type DType = ElementType;

/** Whose arrays these are. "autograd" is HIPS Autograd: NumPy's rules on arrays that it follows. */
export type Library = "numpy" | "torch" | "tensorflow" | "jax" | "autograd";

/** Whether a library's arrays obey NumPy's rules of dtype and conversion. */
export function followsNumpy(library: Library): boolean {
  return library === "numpy" || library === "autograd";
}

export function isDType(name: string): name is DType {
  return Object.hasOwn(BITS, name);
}

export function castTarget(dtype: DType): CastTarget {
  switch (dtype) {
    case "float16":
    case "bfloat16":
    case "float32":
    case "float64":
    case "bool":
      return dtype;
    default:
      return "int";
  }
}

/** What a library makes of Python's own float. */
export function defaultFloat(library: Library): DType {
  return followsNumpy(library) ? "float64" : "float32";
}

function defaultInt(library: Library): DType {
  return library === "tensorflow" || library === "jax" ? "int32" : "int64";
}

/** The dtype to take for a tensor about which only the kind is known. */
export function defaultDType(type: ScalarType, library: Library): DType {
  return type === "bool" ? "bool" : type === "int" ? defaultInt(library) : defaultFloat(library);
}

/** One side of an operation. A Python number is `weak`: it takes the other side's precision. */
export interface Operand {
  readonly type: ScalarType;
  /** `null`: a float (or, weakly, a number) of unknown precision. */
  readonly dtype: DType | null;
  readonly weak: boolean;
  readonly rank: number;
}

const KIND_ORDER: Readonly<Record<ScalarType, number>> = { bool: 0, int: 1, float: 2 };

function highestKind(operands: readonly Operand[]): ScalarType {
  return operands.reduce<ScalarType>(
    (k, o) => (KIND_ORDER[o.type] > KIND_ORDER[k] ? o.type : k),
    "bool",
  );
}

/**
 * The dtype of the result of an elementwise operation; `null` when it is a float of unknown
 * precision. NumPy: NEP 50. PyTorch: among operands of the highest category (float, int, bool),
 * arrays outrank 0-dimensional tensors, which outrank Python numbers. TensorFlow and JAX treat
 * Python numbers as weak and widen within a category, whatever the rank.
 */
export function promote(operands: readonly Operand[], library: Library): DType | null {
  const kind = highestKind(operands);
  if (kind === "bool") return "bool";
  const strong = operands.filter((o) => !o.weak);
  if (followsNumpy(library)) {
    if (strong.length === 0) return defaultDType(kind, library);
    if (kind === "float" && strong.some((o) => o.type === "float" && o.dtype === null)) return null;
    const joined = strong.map((o) => o.dtype ?? defaultDType(o.type, library)).reduce(promoteNumpy);
    return KIND_ORDER[scalarType(joined)] < KIND_ORDER[kind] ? defaultDType(kind, library) : joined;
  }
  const ofKind = strong.filter((o) => o.type === kind);
  const arrays = library === "torch" ? ofKind.filter((o) => o.rank > 0) : [];
  const deciding = arrays.length > 0 ? arrays : ofKind;
  if (deciding.length === 0) return defaultDType(kind, library);
  if (deciding.some((o) => o.dtype === null)) return kind === "float" ? null : defaultInt(library);
  return deciding.map((o) => o.dtype!).reduce(promoteWithinKind);
}

/** What a function that works on floats only (exp, sqrt, true division) makes of an operand. */
export function floatResult(dtype: DType | null, type: ScalarType, library: Library): DType | null {
  if (type === "float") return dtype;
  if (library === "tensorflow") return dtype !== null && BITS[dtype] < 32 ? "float32" : "float64";
  if (!followsNumpy(library)) return defaultFloat(library);
  return dtype === null ? "float64" : floatHolding(dtype);
}

/** What summing makes of integers, which are widened so as not to overflow. */
export function sumResult(dtype: DType | null, type: ScalarType, library: Library): DType | null {
  if (type === "float") return dtype;
  if (followsNumpy(library) && dtype !== null && isUnsigned(dtype)) return "uint64";
  if (library === "tensorflow") return dtype ?? "int32";
  if (library !== "jax") return "int64";
  if (dtype === null || dtype === "bool") return "int32";
  return BITS[dtype] >= 32 ? dtype : isUnsigned(dtype) ? "uint32" : "int32";
}

/** Integers narrow enough that NumPy's and PyTorch's arithmetic on masks can wrap around. */
export function canWrap(dtype: DType | null): boolean {
  return dtype !== null && scalarType(dtype) === "int" && BITS[dtype] <= 16;
}
