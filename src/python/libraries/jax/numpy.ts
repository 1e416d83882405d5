/** jax.numpy: NumPy's functions, with what JAX does otherwise stated here. */
import { FALSE, str, type TensorValue, type Value } from "../../values.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { elementwise } from "../../tensors/elementwise.ts";
import * as m from "../common.ts";
import { jaxCounting } from "../counting.ts";
import { numpyAttribute, numpyFunctions, numpyMethodNames, numpyMethods } from "../numpy.ts";
import { average, numpyEinsum } from "../numpyMeanings.ts";
import type { CallContext, Entry, Table } from "../signature.ts";
import { indexUpdates } from "./at.ts";

/** What NumPy has and JAX has not. */
const ABSENT = new Set([
  "asanyarray",
  "ascontiguousarray",
  "fix",
  "row_stack",
  "copyto",
  "putmask",
  "place", // only with inplace=False, as a function of another kind
  "ndindex",
  "ndenumerate",
  "array2string",
  "vectorize", // a vmap, which has no model
  "load",
  "product",
  "seterr",
  "set_printoptions",
  "amax",
  "amin",
  "trapz",
]);

/** Limits by maximum and minimum, which share a gradient evenly with a bound that is met. */
function clip(c: CallContext): Value {
  const bound = (name: string, old: string): Value | null => c.optional(name) ?? c.optional(old);
  const [low, high] = [bound("min", "a_min"), bound("max", "a_max")];
  let x: Value = c.tensor("x");
  if (low !== null) x = elementwise(c.vm, "max", low, x, "jax");
  if (high !== null) x = elementwise(c.vm, "min", high, x, "jax");
  return x;
}

const binary = "x1, x2";
const precision = "~precision, ~preferred_element_type, ~out_sharding";
const reduceArgs = "a, axis=None, dtype=None, !out, keepdims=False, !initial, !where";

const differences: Table = {
  clip: ["arr, min=None, max=None, *, a_min=None, a_max=None", clip],
  where: ["condition, x=None, y=None, *, !size, !fill_value", m.choose],
  sum: [`${reduceArgs}, ~promote_integers`, m.reduceBy("sum")],
  prod: [`${reduceArgs}, ~promote_integers`, m.reduceBy("prod")],
  mean: ["a, axis=None, dtype=None, !out, keepdims=False, *, !where", m.reduceBy("mean")],
  max: ["a, axis=None, !out, keepdims=False, !initial, !where", m.reduceBy("max")],
  min: ["a, axis=None, !out, keepdims=False, !initial, !where", m.reduceBy("min")],
  amax: ["a, axis=None, !out, keepdims=False, !initial, !where", m.reduceBy("max")],
  amin: ["a, axis=None, !out, keepdims=False, !initial, !where", m.reduceBy("min")],
  average: ["a, axis=None, weights=None, !returned, keepdims=False", average],
  einsum: [`subscripts, *operands, !out, ~optimize, ${precision}`, numpyEinsum],
  maximum: [binary, m.pairwise("max")],
  minimum: [binary, m.pairwise("min")],
  astype: ["x, dtype, *, ~copy, ~device", (c) => numpyMethods["astype"]![1](c)],
};

/** As NumPy's, but with the settings that JAX adds for its compiler. */
function withPrecision(name: string): Entry {
  const [signature, meaning] = numpyFunctions[name]!;
  return [`${signature}, ${precision}`, meaning];
}

function withDevice(name: string): Entry {
  const [signature, meaning] = numpyFunctions[name]!;
  const has = signature.includes("~device");
  return [`${signature}${has ? "" : ", ~device"}, ~out_sharding`, meaning];
}

export const jaxNumpyFunctions: Table = {
  ...Object.fromEntries(Object.entries(numpyFunctions).filter(([name]) => !ABSENT.has(name))),
  ...Object.fromEntries(["dot", "inner", "vdot", "matmul"].map((n) => [n, withPrecision(n)])),
  ...Object.fromEntries(
    ["array", "asarray", "zeros", "ones", "full", "eye", "arange", "linspace"].map((n) => [
      n,
      withDevice(n),
    ]),
  ),
  ...differences,
  ...jaxCounting,
};

/** Methods that arrays of JAX have beside those that are functions too. */
export const jaxMethods: Table = {
  ...Object.fromEntries(
    Object.entries(numpyMethods).filter(([name]) => name !== "fill" && name !== "partition"),
  ),
  // Nothing changes in place: sorting gives another array.
  sort: numpyFunctions["sort"]!,
  astype: ["self, dtype, ~copy, ~device", (c) => numpyMethods["astype"]![1](c)],
  clip: differences["clip"]!,
  mean: differences["mean"]!,
  sum: differences["sum"]!,
  prod: differences["prod"]!,
  block_until_ready: ["self", (c) => c.value("self")],
  conj: ["self", (c) => c.value("self")],
};

export const jaxMethodNames: ReadonlySet<string> = new Set(numpyMethodNames);

export function jaxAttribute(vm: Interpreter, t: TensorValue, name: string): Value | undefined {
  switch (name) {
    case "at":
      return indexUpdates(vm, t);
    case "weak_type":
      return FALSE;
    case "sharding":
    case "device":
      return str("cpu");
    default:
      return numpyAttribute(vm, t, name);
  }
}
