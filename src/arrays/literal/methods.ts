/** The methods and attributes of an array that a literal may use: one row each. */
import type { DType } from "../dtype.ts";
import { elementCount, formatShape, type NdArray } from "../ndarray.ts";
import { permuteAxes } from "../permute.ts";
import { Arguments, integerOf, integersOf, type Call } from "./arguments.ts";
import { namedType, own, typeArgument } from "./names.ts";
import { convert, type ArrayValue, type LiteralContext, type Value } from "./value.ts";

type Method = (self: ArrayValue, call: Call, context: LiteralContext) => ArrayValue;

/**
 * The array with its elements, in C order, under another shape; one length may be -1.
 *
 * @param at where the shape stands, for the error if the counts differ.
 */
export function reshape(
  array: NdArray,
  lengths: readonly number[],
  at: number,
  context: LiteralContext,
): NdArray {
  const count = elementCount(array.shape);
  const known = elementCount(lengths.filter((length) => length !== -1));
  const open = lengths.filter((length) => length === -1).length;
  const missing = known === 0 ? 0 : count / known;
  const shape = lengths.map((length) => (length === -1 ? missing : length));
  if (open > 1 || shape.some((n) => n < 0) || elementCount(shape) !== count || missing % 1 !== 0) {
    return context.fail(
      at,
      `An array of shape ${formatShape(array.shape)} cannot be reshaped to ${formatShape(lengths)}.`,
    );
  }
  return { ...array, shape };
}

function same(self: ArrayValue): ArrayValue {
  return self;
}

function withArray(self: ArrayValue, array: NdArray): ArrayValue {
  return { ...self, array };
}

function toType(dtype: DType): Method {
  return (self, call, context) => withArray(self, convert(self.array, dtype, call.at, context));
}

/** An axis, counted from the end where it is negative. */
function axisOf(value: Value, rank: number, context: LiteralContext): number {
  const axis = integerOf(value, context);
  if (axis >= rank || axis < -rank) {
    return context.fail(value.at, `There is no axis ${String(axis)} among ${String(rank)}.`);
  }
  return axis < 0 ? axis + rank : axis;
}

const reshapeMethod: Method = (self, call, context) => {
  const { keywords } = call;
  const order = keywords.get("order");
  if (order !== undefined && !(order.kind === "text" && order.value === "C")) {
    return context.fail(order.at, "Only reshaping in C order is read in a literal.");
  }
  const given = keywords.get("shape") ?? keywords.get("newshape");
  const values = given === undefined ? call.positional : [given];
  return withArray(self, reshape(self.array, integersOf(values, context), call.at, context));
};

const view: Method = (self, call, context) => {
  if (self.library === "torch" && call.positional.every((value) => value.kind !== "name")) {
    return reshapeMethod(self, call, context);
  }
  return context.fail(
    call.at,
    "A view that reinterprets the bytes as another dtype is not read in a literal.",
    "To convert the values, write .astype(dtype) or .to(dtype).",
  );
};

const astype: Method = (self, call, context) => {
  const dtype = new Arguments(call, ["dtype", "casting"], context).type(self.library);
  return dtype === undefined ? self : withArray(self, convert(self.array, dtype, call.at, context));
};

/** PyTorch's `to`: a dtype, a device, or both in either order. */
const to: Method = (self, call, context) => {
  const named = [...call.positional, ...call.keywords.values()];
  const dtypes = named.flatMap((value) => {
    const dtype = value.kind === "name" ? namedType(value.path, self.library) : undefined;
    return dtype === undefined ? [] : [dtype];
  });
  const given = call.keywords.get("dtype");
  const dtype = given === undefined ? dtypes[0] : typeArgument(given, self.library, context);
  return dtype === undefined ? self : withArray(self, convert(self.array, dtype, call.at, context));
};

const flatten: Method = (self, call, context) => {
  new Arguments(call, [], context);
  return withArray(self, { ...self.array, shape: [elementCount(self.array.shape)] });
};

const squeeze: Method = (self, call, context) => {
  const { shape } = self.array;
  const given = new Arguments(call, ["axis", "dim"], context);
  const value = given.optional("axis") ?? given.optional("dim");
  if (value === undefined) {
    return withArray(self, { ...self.array, shape: shape.filter((length) => length !== 1) });
  }
  const axis = axisOf(value, shape.length, context);
  if (shape[axis] !== 1) {
    // PyTorch leaves such an axis, NumPy refuses it.
    if (self.library === "torch") return self;
    return context.fail(value.at, `Axis ${String(axis)} has ${String(shape[axis])} elements.`);
  }
  return withArray(self, { ...self.array, shape: shape.toSpliced(axis, 1) });
};

const unsqueeze: Method = (self, call, context) => {
  const value = new Arguments(call, ["dim"], context).required("dim");
  const { shape } = self.array;
  const axis = axisOf(value, shape.length + 1, context);
  return withArray(self, { ...self.array, shape: shape.toSpliced(axis, 0, 1) });
};

/** NumPy's `transpose(axes)`, PyTorch's `permute(dims)` and `transpose(dim0, dim1)`. */
const transpose: Method = (self, call, context) => {
  const { shape } = self.array;
  const rank = shape.length;
  const [first] = call.positional;
  const values =
    call.positional.length === 1 && first?.kind === "list" ? first.items : call.positional;
  let axes = values.map((value) => axisOf(value, rank, context));
  if (axes.length === 0) axes = shape.map((_, axis) => rank - 1 - axis);
  if (self.library === "torch" && call.path === "transpose") {
    const [a, b] = axes;
    if (a === undefined || b === undefined || values.length !== 2) {
      return context.fail(call.at, "PyTorch's transpose takes two axes.");
    }
    axes = shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  }
  if (axes.length !== rank || new Set(axes).size !== rank || call.keywords.size > 0) {
    return context.fail(call.at, `Each of the ${String(rank)} axes must be named once.`);
  }
  return withArray(self, permuteAxes(self.array, axes));
};

const METHODS: Readonly<Record<string, Method>> = {
  reshape: reshapeMethod,
  view,
  astype,
  type: astype,
  to,
  float: toType("float32"),
  double: toType("float64"),
  half: toType("float16"),
  bfloat16: toType("bfloat16"),
  bool: toType("bool"),
  byte: toType("uint8"),
  char: toType("int8"),
  short: toType("int16"),
  int: toType("int32"),
  long: toType("int64"),
  flatten,
  ravel: flatten,
  squeeze,
  unsqueeze,
  transpose,
  permute: transpose,
  t: transpose,
  numpy: (self) => ({ ...self, library: "numpy" }),
  detach: same,
  cpu: same,
  cuda: same,
  clone: same,
  copy: same,
  contiguous: same,
  requires_grad_: same,
  block_until_ready: same,
};

/** Calls a method of an array. */
export function callMethod(self: ArrayValue, call: Call, context: LiteralContext): ArrayValue {
  const method = own(METHODS, call.path);
  if (method !== undefined) return method(self, call, context);
  return context.fail(
    call.at,
    `.${call.path}(…) is not read in a literal.`,
    `After an array may stand ${Object.keys(METHODS)
      .filter((name) => METHODS[name] !== same)
      .join(", ")}. For anything else, save the result with np.save and give the file.`,
  );
}

/** An attribute of an array, without a call. */
export function attribute(
  self: ArrayValue,
  name: string,
  at: number,
  context: LiteralContext,
): ArrayValue {
  if (name === "T") {
    return transpose(self, { path: "T", at, positional: [], keywords: new Map() }, context);
  }
  if (name === "data") return self;
  return context.fail(at, `.${name} is not read in a literal.`);
}
