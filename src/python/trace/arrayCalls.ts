/** Which array a call or an attribute is about: its receiver or its first argument, its shape, its rank. */
import type { Call, CallArgument, Expression } from "../syntax.ts";
import { type Numbers, integers } from "./readSyntax.ts";

/** A call's function name, the array it works on, and the arguments besides. */
export function parts(node: Call): {
  name: string;
  array: Expression | null;
  rest: readonly CallArgument[];
} {
  const { callee } = node;
  const positional = node.args.filter((a) => a.kind === "positional");
  if (callee.kind === "Name") {
    return {
      name: callee.id,
      array: positional[0]?.value ?? node.args[0]?.value ?? null,
      rest: positional.slice(1),
    };
  }
  if (callee.kind !== "Attribute") return { name: "", array: null, rest: [] };
  const { name } = callee;
  if (isModule(callee.value)) {
    const first = positional[0] ?? node.args[0];
    return { name, array: first?.value ?? null, rest: positional.slice(1) };
  }
  return { name, array: callee.value, rest: positional };
}

/** `F`, `np`, `tf.math`: names that libraries are imported by. */
function isModule(e: Expression): boolean {
  if (e.kind === "Attribute") return isModule(e.value);
  return (
    e.kind === "Name" &&
    /^(F|K|np|jnp|tf|torch|nn|ops|numpy|jax|anp|keras|functional|backend|tnp|xp|lax)$/.test(e.id)
  );
}

/** `x.shape`, `x.size()`, `tf.shape(x)`, and a part of one. */
export function shapeOf(e: Expression): { of: Expression; from: number; whole: boolean } | null {
  if (e.kind === "Attribute" && e.name === "shape") return { of: e.value, from: 0, whole: true };
  if (e.kind === "Subscript" && e.index.kind === "Slice") {
    const inner = shapeOf(e.value);
    const from = e.index.lower === null ? 0 : (integers(e.index.lower, new Map())?.[0] ?? null);
    return inner === null || from === null || from > 0
      ? null
      : { of: inner.of, from, whole: false };
  }
  if (e.kind !== "Call") return null;
  const { name, array, rest } = parts(e);
  const whole = name === "size" || name === "shape" || name === "int_shape" || name === "get_shape";
  return whole && rest.length === 0 && array !== null ? { of: array, from: 0, whole: true } : null;
}

/** `x.dim()`, `x.ndim`, `len(x.shape)` → x */
export function rankOf(e: Expression): Expression | null {
  if (e.kind === "Attribute" && e.name === "ndim") return e.value;
  if (e.kind !== "Call") return null;
  const { name, array } = parts(e);
  if (name === "dim" || name === "ndimension" || name === "rank") return array;
  return name === "len" && array !== null ? (shapeOf(array)?.of ?? null) : null;
}

export const axesUpTo = (dim: number): number => (dim < 0 ? -dim : dim + 1);

export const isNone = (e: Expression): boolean => e.kind === "Singleton" && e.value === "None";

export function permutation(
  rest: readonly CallArgument[],
  numbers: Numbers,
): readonly number[] | null {
  if (rest.length === 1) return integers(rest[0]!.value, numbers);
  const each = rest.map((a) => integers(a.value, numbers)?.[0]);
  return each.every((d) => d !== undefined) ? each : null;
}

/** `(0, 2, 3, 1)` takes the class axis from second to last place, `(0, 3, 1, 2)` back. */
export function classAfter(order: readonly number[]): "first" | "last" | null {
  const n = order.length;
  if (n < 4 || order[0] !== 0) return null;
  if (order.at(-1) === 1) return "first";
  return order[1] === n - 1 ? "last" : null;
}
