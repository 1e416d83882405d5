/** The number type of what comes of two: NumPy's rules (NEP 50), and what libraries have in common. */
import { BITS, type ElementType } from "./elementType.ts";
import type { ScalarType } from "./node.ts";

export function scalarType(dtype: ElementType): ScalarType {
  if (dtype === "bool") return "bool";
  return dtype.includes("float") ? "float" : "int";
}

/** Of two floats, or two that are none. */
export function promoteWithinKind(a: ElementType, b: ElementType): ElementType {
  if (a === b) return a;
  const pair = new Set([a, b]);
  if (pair.has("float16") && pair.has("bfloat16")) return "float32";
  return scalarType(a) === "float" ? wider(a, b) : promoteIntegers(a, b);
}

function wider(a: ElementType, b: ElementType): ElementType {
  return BITS[a] >= BITS[b] ? a : b;
}

export function isUnsigned(d: ElementType): boolean {
  return d.startsWith("u");
}

function promoteIntegers(a: ElementType, b: ElementType): ElementType {
  if (a === "bool") return b;
  if (b === "bool") return a;
  if (isUnsigned(a) === isUnsigned(b)) return wider(a, b);
  const [unsigned, signed] = isUnsigned(a) ? [a, b] : [b, a];
  if (BITS[signed] > BITS[unsigned]) return signed;
  const bits = BITS[unsigned] * 2;
  return bits > 64 ? "float64" : (`int${bits}` as ElementType);
}

/** What NumPy holds the result of an operation on two arrays in. */
export function promoteNumpy(a: ElementType, b: ElementType): ElementType {
  const af = scalarType(a) === "float";
  const bf = scalarType(b) === "float";
  if (!af && !bf) return promoteIntegers(a, b);
  if (af && bf) return promoteWithinKind(a, b);
  const [float, other] = af ? [a, b] : [b, a];
  return other === "bool" ? float : promoteWithinKind(float, floatHolding(other));
}

/** The float type NumPy takes for integers of a width: also what exp and the like make of them. */
export function floatHolding(integer: ElementType): ElementType {
  return BITS[integer] <= 8 ? "float16" : BITS[integer] <= 16 ? "float32" : "float64";
}
