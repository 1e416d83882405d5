/**
 * Which numbers keep their name in formulas: the ε of a signature rather than 1e-7. This is about
 * what is shown; the value goes along and is what everything is computed with.
 */
import { parameter } from "../../expression/build.ts";
import type { NumberValue, Value } from "../values.ts";

/** Names people give to the constants of a loss. */
const CONSTANT_NAME =
  /smooth|eps|alpha|beta|gamma|delta|lambda|lam$|^lam|tau|theta|sigma|kappa|temperature|weight|scale|margin|thresh|coef|ratio/i;

/** A number passed to a parameter: every float, and integers with the name of a constant. */
export function asArgument(name: string, v: Value): Value {
  if (!isPlain(v)) return v;
  return v.type === "float" || CONSTANT_NAME.test(name) ? withSymbol(name, v) : v;
}

/** A number written out and assigned to a variable, attribute or class constant. */
export function asConstant(name: string, v: Value): Value {
  if (!isPlain(v) || v.value === 0) return v;
  return CONSTANT_NAME.test(name) ? withSymbol(name, v) : v;
}

function isPlain(v: Value): v is NumberValue & { readonly value: number } {
  return v.kind === "number" && v.symbol === null && v.type !== "bool" && Number.isFinite(v.value);
}

function withSymbol(name: string, v: NumberValue): NumberValue {
  // A leading underscore says "private", nothing about the quantity.
  return { ...v, symbol: parameter(name.replace(/^_+/, "") || name, v.value) };
}
