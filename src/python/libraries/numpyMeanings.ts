/** What the functions of numpy.ts do that are more than one line. */
import { normalizeDim } from "../../expression/axis.ts";
import type { ReduceOp } from "../../expression/node.ts";
import type { ArrayHandle } from "../host.ts";
import { makeDict, makeList } from "../interpreter/collections.ts";
import { type DType, defaultDType, defaultFloat } from "../dtypes.ts";
import { dot, einsum, matmul } from "../tensors/contraction.ts";
import {
  elementwise,
  floatFunction,
  keepingFunction,
  logical,
  select,
  truthFunction,
} from "../tensors/elementwise.ts";
import { entryCount } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import { flattenRange, permuteAxes, reshapeTo, shapeFrom, sizesFrom } from "../tensors/reshape.ts";
import {
  asTensor,
  filled,
  itemsOf,
  literalArray,
  sizeNumbers,
  tensorOfHandle,
} from "../tensors/tensor.ts";
import {
  type NumberValue,
  type TensorValue,
  type Value,
  FALSE,
  NONE,
  float,
  int,
  str,
} from "../values.ts";
import * as m from "./common.ts";
import { convert, copyOf, inLibrary } from "./convert.ts";
import type { CallContext } from "./signature.ts";
import { splitAt } from "./pieces.ts";

export function exclusiveOr(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const either = logical(c.vm, "or", a, b, c.library);
  const notBoth = truthFunction(c.vm, "not", logical(c.vm, "and", a, b, c.library));
  return logical(c.vm, "and", either, notBoth);
}

export function isInfinite(c: CallContext): Value {
  const x = c.tensor("x");
  const finite = truthFunction(c.vm, "isfinite", x);
  const nan = truthFunction(c.vm, "isnan", x);
  return truthFunction(c.vm, "not", logical(c.vm, "or", finite, nan));
}

export function clip(c: CallContext): Value {
  const low = c.given("a_min") ? "a_min" : "min";
  const high = c.given("a_max") ? "a_max" : "max";
  return m.limit(low, high)(c);
}

/**
 * NaN becomes 0, or what is given. Infinities are replaced where a number for them is given; the
 * huge numbers that they become otherwise are no formula's business.
 */
export function replaceNaN(c: CallContext): Value {
  const { vm } = c;
  const x = c.tensor("x");
  const nan = c.value("nan").kind === "none" ? float(0) : c.value("nan");
  let result = select(vm, truthFunction(vm, "isnan", x), nan, x, c.library);
  for (const [name, limit] of [
    ["posinf", Infinity],
    ["neginf", -Infinity],
  ] as const) {
    if (!c.given(name)) continue;
    const hit = elementwise(vm, "eq", x, float(limit));
    result = select(vm, hit, c.value(name), result, c.library);
  }
  return result;
}

/** What an entry that is NaN counts as in a reduction that leaves it out. */
const NOT_COUNTED = { sum: 0, mean: 0, prod: 1, max: -Infinity, min: Infinity } as const;

/** nansum, nanmean and the like: over what is a number; a mean of nothing is NaN. */
export const reduceNumbers =
  (op: keyof typeof NOT_COUNTED) =>
  (c: CallContext): Value => {
    const { vm, library } = c;
    const x = c.tensor("x");
    const nan = truthFunction(vm, "isnan", x);
    const over = (e: TensorValue, how: ReduceOp): TensorValue =>
      reduction(vm, how, e, c.dims("dim"), c.flag("keepdim"));
    const counted = select(vm, nan, float(NOT_COUNTED[op]), x, library);
    if (
      (op === "max" || op === "min") &&
      isKnownTrue(c, reduction(vm, "any", over(nan, "all"), null, false))
    ) {
      return vm.unsupported(
        `${c.name}() of NaN alone is not supported`,
        "Leave out the rows that have no number.",
      );
    }
    const total = over(counted, op === "mean" ? "sum" : op);
    const result =
      op === "mean"
        ? elementwise(vm, "div", total, over(countable(c, x, nan), "sum"), library)
        : total;
    const dtype = m.dtypeArgument(c);
    return dtype === undefined ? result : convert(vm, result, dtype);
  };

/** 1 for each number, 0 for NaN: truth values, except in TensorFlow, which adds up none. */
function countable(c: CallContext, x: TensorValue, nan: TensorValue): TensorValue {
  const isNumber = truthFunction(c.vm, "not", nan);
  return c.library === "tensorflow" ? convert(c.vm, isNumber, x.dtype ?? "float64") : isNumber;
}

/** Whether something holds on the arrays at hand. */
export function isKnownTrue(c: CallContext, t: TensorValue): boolean {
  return c.vm.evaluate(t.expr)?.data[0] === 1;
}

/** Variance and deviation of what is a number. */
export const spreadOfNumbers =
  (kind: "var" | "std") =>
  (c: CallContext): Value => {
    const { vm, library } = c;
    const x = c.tensor("x");
    const [dims, keep] = [c.dims("dim"), c.flag("keepdim")];
    const nan = truthFunction(vm, "isnan", x);
    const zeroed = (t: TensorValue): TensorValue => select(vm, nan, float(0), t, library);
    const count = (kept: boolean): TensorValue =>
      reduction(vm, "sum", countable(c, x, nan), dims, kept);
    const total = reduction(vm, "sum", zeroed(x), dims, true);
    const apart = elementwise(vm, "sub", x, elementwise(vm, "div", total, count(true)));
    const squares = zeroed(elementwise(vm, "mul", apart, apart));
    const divisor = elementwise(vm, "sub", count(keep), int(c.int("ddof")));
    const result = elementwise(vm, "div", reduction(vm, "sum", squares, dims, keep), divisor);
    return kind === "var" ? result : floatFunction(vm, "sqrt", result, library);
  };

export function average(c: CallContext): Value {
  const [x, dims, keep] = [c.tensor("x"), c.dims("dim"), c.flag("keepdim")];
  if (!c.given("weights")) return reduction(c.vm, "mean", x, dims, keep);
  const w = c.tensor("weights");
  if (w.expr.shape.length !== x.expr.shape.length) {
    return c.vm.unsupported("np.average with weights of fewer axes than the array");
  }
  const total = reduction(c.vm, "sum", elementwise(c.vm, "mul", x, w), dims, keep);
  return elementwise(c.vm, "div", total, reduction(c.vm, "sum", w, dims, keep));
}

/** dot is an inner product over the last axis of one and the second to last of the other. */
export function numpyDot(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const [m, n] = [a.expr.shape.length, b.expr.shape.length];
  if (m === 0 || n === 0) return elementwise(c.vm, "mul", a, b, c.library);
  if (n > 2 || (m > 2 && n === 2))
    return c.vm.unsupported(`${c.name}() of arrays with 3 or more axes`);
  return matmul(c.vm, a, b, c.library);
}

export function flatDot(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")].map((t) => flattenRange(c.vm, t, 0, -1));
  return dot(c.vm, a!, b!, c.library);
}

export function numpyEinsum(c: CallContext): Value {
  return einsum(c.vm, c.text("subscripts"), c.list("operands"), c.library);
}

export function outer(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")].map((t) => flattenRange(c.vm, t, 0, -1));
  return einsum(c.vm, "i,j->ij", [a!, b!], c.library);
}

export function numpyReshape(c: CallContext): Value {
  const shape = c.given("shape") ? c.value("shape") : c.value("newshape");
  return reshapeTo(c.vm, c.tensor("x"), sizesFrom([shape]));
}

export function transposed(c: CallContext, axes: readonly number[] | null): Value {
  const x = c.tensor("x");
  const { shape } = x.expr;
  return permuteAxes(c.vm, x, axes ?? shape.map((_, d) => shape.length - 1 - d));
}

export function methodTranspose(c: CallContext): Value {
  const x = c.tensor("self");
  const args = sizesFrom(c.list("axes"));
  const { shape } = x.expr;
  const reversed = shape.map((_, d) => shape.length - 1 - d);
  const only = args[0];
  if (args.length === 0 || (args.length === 1 && only?.kind === "none")) {
    return permuteAxes(c.vm, x, reversed);
  }
  return permuteAxes(
    c.vm,
    x,
    args.map((v) => knownInt(c, v)),
  );
}

export function knownInt(c: CallContext, v: Value): number {
  if (v.kind === "number" && v.value !== null) return v.value;
  return c.vm.fail("TypeError", `${c.name}() takes integers`);
}

export function sizesOfArgument(c: CallContext): readonly Value[] {
  const v = c.value("shape");
  return itemsOf(v) ?? [v];
}

export function atLeastOne(c: CallContext): Value {
  const x = c.tensor("x");
  return x.expr.shape.length === 0 ? flattenRange(c.vm, x, 0, -1) : x;
}

export function sizeAlong(c: CallContext): Value {
  const x = c.tensor("x");
  const dims = c.dims("dim");
  if (dims === null) return entryCount(c.vm, x);
  const sizes = sizeNumbers(x);
  return sizes[normalizeDim(dims[0]!, sizes.length)]!;
}

export function dtypeOr(c: CallContext, otherwise: DType): DType {
  return m.dtypeArgument(c) ?? otherwise;
}

export function made(c: CallContext, copy: boolean): Value {
  const source = c.value("x");
  const dtype = m.dtypeArgument(c);
  const t = inLibrary(c.vm, asTensor(c.vm, source, c.library, dtype), c.library);
  const converted = dtype === undefined ? t : convert(c.vm, t, dtype);
  return copy && converted === source ? copyOf(c.vm, converted) : converted;
}

export function fillValue(c: CallContext): NumberValue {
  const v = c.value("fill_value");
  return v.kind === "number" ? v : c.bad("fill_value", "a number");
}

export function constantArray(c: CallContext, value: NumberValue): Value {
  const kind = c.name.endsWith("full") ? value.type : "float";
  const dtype = dtypeOr(c, defaultDType(kind, c.library));
  return filled(c.vm, value, shapeFrom(c.vm, sizesOfArgument(c)), c.library, dtype);
}

export function constantLike(c: CallContext, value: NumberValue): Value {
  const x = c.tensor("x");
  const dtype = dtypeOr(c, x.dtype ?? defaultFloat(x.library));
  return filled(c.vm, value, x.expr.shape, x.library, dtype);
}

export function arange(c: CallContext): Value {
  return steps(c, "start", c.given("end") ? "end" : "stop", "step");
}

/** start, start + step, … before stop; with one argument alone that is the end. */
export function steps(c: CallContext, from: string, to: string, by: string): Value {
  const alone = !c.given(to);
  const start = alone ? 0 : c.number(from);
  const stop = alone ? c.number(from) : c.number(to);
  const step = c.number(by);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (step > 0) c.vm.recorder.ranged(start, stop);
  if (count > 1e7) return c.vm.unsupported(`${c.name}() of more than 10,000,000 entries`);
  const values = Array.from({ length: count }, (_, k) => start + k * step);
  const whole = [from, to, by].every((n) => {
    const v = c.value(n);
    return v.kind !== "number" || v.type !== "float";
  });
  const dtype = dtypeOr(c, defaultDType(whole ? "int" : "float", c.library));
  return literalArray(c.vm, values, [count], dtype, c.library);
}

export function linspace(c: CallContext): Value {
  const [start, stop] = [c.number("start"), c.number(c.given("stop") ? "stop" : "end")];
  const n = c.int(c.given("num") ? "num" : "steps");
  const last = c.given("endpoint") && !c.flag("endpoint") ? n : n - 1;
  const values = Array.from({ length: n }, (_, k) =>
    k === n - 1 && last === n - 1 ? stop : start + ((stop - start) * k) / Math.max(last, 1),
  );
  return literalArray(c.vm, values, [n], dtypeOr(c, defaultFloat(c.library)), c.library);
}

export function astype(c: CallContext): Value {
  const dtype = m.dtypeArgument(c)!;
  const t = c.tensor("self");
  const converted = convert(c.vm, t, dtype);
  return converted === t && c.flag("copy") ? copyOf(c.vm, t) : converted;
}

/** `np.load`: an array, or an archive that is read like a dictionary. */
export function load(c: CallContext): Value {
  const { vm } = c;
  const path = c.text("file");
  const stem = path
    .replace(/^.*[\\/]/, "")
    .replace(/\.[^.]*$/, "")
    .replace(/\W+/g, "_");
  const named = (handle: ArrayHandle, name: string): TensorValue => {
    const { hint } = vm.arrays;
    vm.arrays.hint = hint === "" ? name : hint;
    try {
      return tensorOfHandle(vm, handle, c.library);
    } finally {
      vm.arrays.hint = hint;
    }
  };
  let loaded;
  try {
    loaded = vm.host.loadArray(path, vm.at);
  } catch (e) {
    vm.host.checkpoint(); // an interruption is no failure to read
    const remedy = (e as { remedy?: unknown }).remedy;
    return vm.fail("OSError", messageOf(e), typeof remedy === "string" ? remedy : null, e);
  }
  if (!("members" in loaded)) return named(loaded, stem);
  const { members } = loaded;
  return archive(vm, [...members.keys()], (name) => {
    const handle = members.get(name);
    return handle === undefined ? undefined : named(handle, name);
  });
}

export function messageOf(e: unknown): string {
  if (e instanceof Error) return e.message;
  return String(e);
}

/** Members are read when they are asked for. */
export function archive(
  vm: CallContext["vm"],
  names: readonly string[],
  read: (name: string) => TensorValue | undefined,
): Value {
  const entries = new Map<string, { readonly key: Value; readonly value: Value }>();
  for (const name of names) {
    let value: TensorValue | undefined;
    entries.set(`s${name}`, {
      key: str(name),
      get value(): Value {
        try {
          return (value ??= read(name)) ?? NONE;
        } catch (e) {
          return vm.fail("OSError", messageOf(e), null, e);
        }
      },
    });
  }
  return { ...makeDict(vm), entries };
}

/** Where two arrays differ by little: by `atol` and the share `rtol` of the second one. */
export function areClose(c: CallContext): TensorValue {
  const { vm } = c;
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const apart = keepingFunction(vm, "abs", elementwise(vm, "sub", a, b));
  const share = elementwise(vm, "mul", c.value("rtol"), keepingFunction(vm, "abs", b));
  const isNear = elementwise(vm, "le", apart, elementwise(vm, "add", c.value("atol"), share));
  const isFinite = truthFunction(vm, "isfinite", b);
  // Infinities are close to themselves alone.
  return logical(vm, "or", logical(vm, "and", isNear, isFinite), elementwise(vm, "eq", a, b));
}

/** Whether arrays of one shape have equal entries. */
export function areEqual(c: CallContext): Value {
  const [a, b] = [c.tensor("a1"), c.tensor("a2")];
  const [p, q] = [a, b].map((t) => sizeNumbers(t));
  const isSame = p!.length === q!.length && p!.every((n, d) => n.value === q![d]!.value);
  return isSame ? reduction(c.vm, "all", elementwise(c.vm, "eq", a, b), null, false) : FALSE;
}

/** np.split into equal parts, or at given positions; np.array_split also into unequal ones. */
export const splitArray =
  (exact: boolean) =>
  (c: CallContext): Value =>
    makeList(c.vm, splitAt(c, c.tensor("ary"), c.int("dim"), exact));
