/** The functions that a literal may call: one row a function, one table a library. */
import type { DType } from "../dtype.ts";
import { elementCount, type NdArray } from "../ndarray.ts";
import { Arguments, integersOf, numberOf, type Call } from "./arguments.ts";
import { collect } from "./collect.ts";
import { arange, eye, filled, linspace } from "./constructors.ts";
import { reshape } from "./methods.ts";
import { namedType, own, splitName, typeArgument } from "./names.ts";
import {
  convert,
  defaultFloat,
  describe,
  isScalar,
  type LiteralContext,
  type Library,
  type Value,
} from "./value.ts";

type Handler = (call: Call, library: Library, context: LiteralContext) => Value;

/** A handler that makes an array. */
function making(make: (call: Call, library: Library, context: LiteralContext) => NdArray): Handler {
  return (call, library, context) => ({
    kind: "array",
    array: make(call, library, context),
    library,
    at: call.at,
  });
}

/** `np.array(object, dtype)` and its like; the keyword-only shape is what printing leaves. */
function conversion(...names: readonly string[]): Handler {
  return making((call, library, context) => {
    const given = new Arguments(call, [...names, "shape", "size", "ndmin"], context);
    const value = given.required(names[0]!);
    const array = collect(value, given.type(library), library, context);
    const leastAxes = given.integer("ndmin") ?? 0;
    const shape = given.optional("shape") ?? given.optional("size");
    if (shape !== undefined) {
      const lengths = integersOf([shape], context);
      // tf.constant(0.5, shape=(2, 3)) repeats its one value.
      return library === "tensorflow" && elementCount(array.shape) === 1
        ? filled(lengths, array, shape.at, context)
        : reshape(array, lengths, shape.at, context);
    }
    const axes = Array<number>(Math.max(0, Math.min(64, leastAxes) - array.shape.length)).fill(1);
    return axes.length === 0 ? array : { ...array, shape: [...axes, ...array.shape] };
  });
}

/** Type-named constructors of PyTorch: `torch.FloatTensor([...])`. */
function legacyTensor(dtype: DType): Handler {
  return making((call, library, context) => {
    const value = new Arguments(call, ["data"], context).required("data");
    if (isScalar(value)) {
      return context.fail(call.at, `${call.path} of a size leaves its elements undefined.`);
    }
    return collect(value, dtype, library, context);
  });
}

/** `np.zeros(shape, dtype)`, `torch.zeros(*size, dtype=…)`. */
function constant(value: bigint): Handler {
  return making((call, library, context) => {
    const spread = library === "torch" && call.positional[0]?.kind !== "list";
    const given = new Arguments(
      spread ? { ...call, positional: [] } : call,
      library === "torch" ? ["size", "dtype"] : ["shape", "dtype"],
      context,
    );
    const dtype = given.type(library) ?? defaultFloat(library);
    const size = given.optional("size") ?? given.optional("shape");
    const lengths = size === undefined ? call.positional : [size];
    if (lengths.length === 0) return context.fail(call.at, `${call.path} lacks a shape.`);
    const element = collect({ kind: "int", value, at: call.at }, dtype, library, context);
    return filled(integersOf(lengths, context), element, call.at, context);
  });
}

/** `np.full(shape, fill_value, dtype)`. */
function full(shape: string, value: string): Handler {
  return making((call, library, context) => {
    const given = new Arguments(call, [shape, value, "dtype"], context);
    const lengths = integersOf([given.required(shape)], context);
    const fill = given.required(value);
    const element = collect(fill, given.type(library), library, context);
    if (element.shape.length > 0) {
      return context.fail(fill.at, `One number is expected here, not ${describe(fill)}.`);
    }
    return filled(lengths, element, call.at, context);
  });
}

function diagonal(rows: string, columns: string): Handler {
  return making((call, library, context) => {
    const given = new Arguments(call, [rows, columns, "k", "dtype"], context);
    given.required(rows);
    const count = given.integer(rows)!;
    const dtype = given.type(library) ?? defaultFloat(library);
    const offset = given.integer("k") ?? 0;
    return eye(count, given.integer(columns) ?? count, offset, dtype, call.at, context);
  });
}

function range(start: string, stop: string, step: string): Handler {
  return making((call, library, context) => {
    // With one number, that is where the range stops.
    const [only] = call.positional;
    const alone = call.positional.length === 1 && !call.keywords.has(stop);
    const named = alone && only !== undefined ? { ...call, positional: [] } : call;
    const given = new Arguments(named, [start, stop, step, "dtype"], context);
    return arange(
      {
        start: given.number(start) ?? { kind: "int", value: 0n, at: call.at },
        stop:
          alone && only !== undefined
            ? numberOf(only, context)
            : numberOf(given.required(stop), context),
        step: given.number(step) ?? { kind: "int", value: 1n, at: call.at },
      },
      given.type(library),
      library,
      call.at,
      context,
    );
  });
}

function evenly(stop: string, count: string): Handler {
  return making((call, library, context) => {
    const given = new Arguments(
      call,
      ["start", stop, count, "endpoint", "retstep", "dtype"],
      context,
    );
    const endpoint = given.optional("endpoint");
    if (endpoint !== undefined && endpoint.kind !== "bool") {
      return context.fail(endpoint.at, "True or False is expected here.");
    }
    if (given.optional("retstep") !== undefined) {
      return context.fail(call.at, "retstep gives a pair, not an array.");
    }
    const bounds = {
      start: Number(numberOf(given.required("start"), context).value),
      stop: Number(numberOf(given.required(stop), context).value),
      count: given.integer(count) ?? (library === "torch" ? 100 : 50),
    };
    const dtype = given.type(library) ?? defaultFloat(library);
    return linspace(bounds, endpoint?.value ?? true, dtype, call.at, context);
  });
}

/** `np.reshape(array, shape)`. */
const reshaping: Handler = making((call, library, context) => {
  const given = new Arguments(call, ["array", "shape"], context);
  const array = collect(given.required("array"), undefined, library, context);
  return reshape(array, integersOf([given.required("shape")], context), call.at, context);
});

const casting: Handler = making((call, library, context) => {
  const given = new Arguments(call, ["x", "dtype"], context);
  const array = collect(given.required("x"), undefined, library, context);
  return convert(array, given.type(library) ?? array.dtype, call.at, context);
});

const naming: Handler = (call, library, context) => {
  const value = new Arguments(call, ["dtype"], context).required("dtype");
  typeArgument(value, library, context);
  return value;
};

/** Python's float(…), int(…) and bool(…). */
function builtin(kind: "float" | "int" | "bool"): Handler {
  return (call, _library, context) => {
    const value = new Arguments(call, ["x"], context).required("x");
    const { at } = call;
    if (value.kind === "text" && kind === "float") {
      return { kind: "float", value: floatOfText(value.value, value.at, context), at };
    }
    const number = numberOf(value, context);
    if (kind === "float") return { kind, value: Number(number.value), at };
    if (kind === "bool") return { kind, value: Boolean(number.value), at };
    if (number.kind === "float" && !Number.isFinite(number.value)) {
      return context.fail(at, `${String(number.value)} is no integer.`);
    }
    const whole = number.kind === "float" ? Math.trunc(number.value) : number.value;
    return { kind, value: BigInt(whole), at };
  };
}

function floatOfText(text: string, at: number, context: LiteralContext): number {
  const plain = text.trim().toLowerCase();
  const special = /^([-+]?)(?:(inf(?:inity)?)|nan)$/u.exec(plain);
  if (special !== null) {
    if (special[2] === undefined) return NaN;
    return special[1] === "-" ? -Infinity : Infinity;
  }
  if (/^[-+]?(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:e[-+]?\d+)?$/u.test(plain)) {
    return Number(plain.replaceAll("_", ""));
  }
  return context.fail(at, `float("${text.slice(0, 40)}") is no number.`);
}

const numpyArray = conversion("object", "dtype");
const torchTensor = conversion("data", "dtype");
const range3 = range("start", "stop", "step");

const NUMPY_LIKE: Readonly<Record<string, Handler>> = {
  array: numpyArray,
  asarray: numpyArray,
  zeros: constant(0n),
  ones: constant(1n),
  full: full("shape", "fill_value"),
  eye: diagonal("N", "M"),
  identity: diagonal("n", "dtype"),
  arange: range3,
  linspace: evenly("stop", "num"),
  reshape: reshaping,
  dtype: naming,
};

const FUNCTIONS: Readonly<Record<Library, Readonly<Record<string, Handler>>>> = {
  // Bare names: Python's own, and what printing an array leaves.
  python: {
    float: builtin("float"),
    int: builtin("int"),
    bool: builtin("bool"),
  },
  numpy: {
    ...NUMPY_LIKE,
    asanyarray: numpyArray,
    ascontiguousarray: numpyArray,
    asfortranarray: numpyArray,
  },
  jax: NUMPY_LIKE,
  torch: {
    tensor: torchTensor,
    as_tensor: torchTensor,
    asarray: torchTensor,
    from_numpy: torchTensor,
    Tensor: legacyTensor("float32"),
    FloatTensor: legacyTensor("float32"),
    DoubleTensor: legacyTensor("float64"),
    HalfTensor: legacyTensor("float16"),
    BFloat16Tensor: legacyTensor("bfloat16"),
    BoolTensor: legacyTensor("bool"),
    ByteTensor: legacyTensor("uint8"),
    CharTensor: legacyTensor("int8"),
    ShortTensor: legacyTensor("int16"),
    IntTensor: legacyTensor("int32"),
    LongTensor: legacyTensor("int64"),
    zeros: constant(0n),
    ones: constant(1n),
    full: full("size", "fill_value"),
    eye: diagonal("n", "m"),
    arange: range("start", "end", "step"),
    linspace: evenly("end", "steps"),
    reshape: reshaping,
  },
  tensorflow: {
    constant: conversion("value", "dtype"),
    convert_to_tensor: conversion("value", "dtype"),
    Variable: conversion("initial_value", "dtype"),
    zeros: constant(0n),
    ones: constant(1n),
    fill: full("dims", "value"),
    eye: diagonal("num_rows", "num_columns"),
    range: range("start", "limit", "delta"),
    linspace: evenly("stop", "num"),
    reshape: reshaping,
    cast: casting,
  },
};

/** What printing an array writes before its brackets. */
const PRINTED: Readonly<Record<string, string>> = {
  array: "np.array",
  tensor: "torch.tensor",
  Array: "jnp.array",
};

/** Calls a function by its dotted name. */
export function callFunction(written: Call, context: LiteralContext): Value {
  const call = { ...written, path: own(PRINTED, written.path) ?? written.path };
  const { library, name } = splitName(call.path);
  if (library !== "math") {
    const handler = own(FUNCTIONS[library ?? "python"], name);
    if (handler !== undefined) return handler(call, library ?? "python", context);
    // np.float32(0.5) and np.uint8([0, 1]) convert to the dtype they name.
    const dtype =
      library === "numpy" || library === "jax" ? namedType(call.path, library) : undefined;
    if (dtype !== undefined && library !== undefined) {
      const value = new Arguments(call, ["x"], context).required("x");
      const array = collect(value, dtype, library, context);
      return { kind: "array", array, library, at: call.at };
    }
  }
  return context.fail(call.at, ...unknownFunction(call.path, library, name));
}

function unknownFunction(
  path: string,
  library: Library | "math" | undefined,
  name: string,
): [message: string, remedy: string] {
  if (/(?:^|\.)(?:rand|random|normal|uniform|bernoulli|default_rng)/u.test(path)) {
    return [
      `${path} gives other numbers on every run.`,
      "Save the array it made and give the file: np.save(path, arr)",
    ];
  }
  if (name.startsWith("empty")) {
    return [`${path} leaves its elements undefined.`, "Use zeros, ones or full."];
  }
  if (/^(?:load|fromfile|loadtxt|genfromtxt|memmap|open)/u.test(name)) {
    return [`${path} reads a file.`, "Give the file's path itself, for example case.npz[pred]."];
  }
  const table = library === "math" || library === undefined ? undefined : FUNCTIONS[library];
  return [
    `${path}(…) is not read in a literal.`,
    table === undefined
      ? "An array may be a list of numbers, np.array, torch.tensor, jnp.asarray or tf.constant."
      : `Of this library, ${Object.keys(table).join(", ")} are read. For anything else, save the result with np.save and give the file.`,
  ];
}
