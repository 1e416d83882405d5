/** The number type in which PyTorch and NumPy perform an operation on several arrays. */
import { BITS, type ElementType } from "../../expression/elementType.ts";
import { promoteNumpy } from "../../expression/promotion.ts";
import { type Held, isFloat } from "./held.ts";

/** What decides the type of an operation's result. */
export type Typed = Pick<Held, "dtype" | "shape" | "weak">;

function category(dtype: ElementType): number {
  return isFloat(dtype) ? 2 : dtype === "bool" ? 0 : 1;
}

/**
 * Floats outrank integers, which outrank truth values; within the highest of these, arrays outrank
 * arrays without axes, which outrank Python numbers; among equals the wider type wins.
 */
export function commonType(operands: readonly Typed[]): ElementType {
  const highest = Math.max(...operands.map((x) => category(x.dtype)));
  const own = operands.filter((x) => category(x.dtype) === highest);
  const rank = (x: Typed): number => (x.weak === true ? 0 : x.shape.length === 0 ? 1 : 2);
  const best = Math.max(...own.map(rank));
  if (best === 0) return highest === 2 ? "float32" : highest === 1 ? "int64" : "bool";
  return own
    .filter((x) => rank(x) === best)
    .map((x) => x.dtype)
    .reduce(wider);
}

function wider(a: ElementType, b: ElementType): ElementType {
  if (a === b) return a;
  if (BITS[a] === BITS[b] && isFloat(a)) return "float32"; // float16 with bfloat16
  return BITS[a] >= BITS[b] ? a : b;
}

/** NumPy's: arrays with and without axes alike decide it, and Python numbers only their kind. */
export function commonTypeOfNumpy(operands: readonly Typed[]): ElementType {
  const strong = operands.filter((x) => x.weak !== true).map((x) => x.dtype);
  const highest = Math.max(...operands.map((x) => category(x.dtype)));
  const defaults = ["bool", "int64", "float64"] as const;
  if (strong.length === 0) return defaults[highest]!;
  const joined = strong.reduce(promoteNumpy);
  return category(joined) < highest ? defaults[highest]! : joined;
}
