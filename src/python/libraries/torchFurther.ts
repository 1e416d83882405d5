/** Functions of PyTorch that NumPy has too, or that are made of others: pieces, signs, stacks. */
import { binaryOperation, unaryOperation } from "../interpreter/operators.ts";
import { elementwise, keepingFunction, select, truthFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, flattenRange, reshapeTo, sizesFrom, swapAxes } from "../tensors/reshape.ts";
import { rankOf, sizeNumbers } from "../tensors/tensor.ts";
import { FALSE, type TensorValue, type Value, float } from "../values.ts";
import { convert } from "./convert.ts";
import { asTorchTensor, newTensor } from "./torchMeanings.ts";
import { areClose, exclusiveOr } from "./numpyMeanings.ts";
import { numpyElementwise } from "./numpyElementwise.ts";
import { numpyShapes, quarterTurns } from "./numpyShapes.ts";
import { gated, gelu, written } from "./activationFormulas.ts";
import { axisOf, take } from "./picking.ts";
import type { CallContext, Entry, Meaning, Table } from "./signature.ts";

/** Functions that NumPy has under the same name. */
const asNumPy = (table: Table, signature: string, ...names: readonly string[]): Table =>
  Object.fromEntries(names.map((name): [string, Entry] => [name, [signature, table[name]![1]]]));

/** Unlike maximum and minimum, which share the gradient of equal entries, they give it to the first. */
const firstOfEqual =
  (op: "ge" | "le"): Meaning =>
  (c) => {
    const [x, y] = [c.tensor("x"), c.tensor("y")];
    const isFirst = elementwise(c.vm, op, x, y, "torch");
    const noY = truthFunction(c.vm, "isnan", y);
    return select(c.vm, noY, x, select(c.vm, isFirst, x, y, "torch"), "torch");
  };

/** What is left of a number towards zero. */
function fraction(c: CallContext): Value {
  const whole = numpyElementwise["trunc"]![1](c);
  return elementwise(c.vm, "sub", c.tensor("x"), whole, "torch");
}

/** Whether each entry is among the entries of another array. */
function isAmong(c: CallContext): Value {
  const { vm } = c;
  const [x, among] = [c.tensor("elements"), c.tensor("test_elements")];
  const equal = elementwise(vm, "eq", addAxis(vm, x, -1), flattenRange(vm, among, 0, -1), "torch");
  const any = reduction(vm, "any", equal, [-1], false);
  return c.flag("invert") ? truthFunction(vm, "not", any) : any;
}

/** What is left of a division that rounds towards zero; a Python number stays one. */
function remainder(c: CallContext): Value {
  const { vm } = c;
  const [x, given] = [c.tensor("x"), c.value("y")];
  const isNumber = given.kind === "number" && given.value !== null;
  const y = isNumber
    ? { ...given, value: Math.abs(given.value) }
    : keepingFunction(vm, "abs", c.tensor("y"));
  const of = (t: TensorValue): TensorValue => elementwise(vm, "mod", t, y, "torch");
  const negative = (t: TensorValue): TensorValue => keepingFunction(vm, "neg", t);
  const isBelow = elementwise(vm, "lt", x, float(0), "torch");
  return select(vm, isBelow, negative(of(negative(x))), of(x), "torch");
}

/** The size of the first with the sign of the second, in the type of both together. */
function withSign(c: CallContext): Value {
  const [x, y] = [c.tensor("x"), c.tensor("y")];
  const isBelow = elementwise(c.vm, "lt", y, float(0), "torch");
  const sign = select(c.vm, isBelow, float(-1), float(1), "torch");
  const own = y.dtype === null ? sign : convert(c.vm, sign, y.dtype);
  return elementwise(c.vm, "mul", keepingFunction(c.vm, "abs", x), own, "torch");
}

/** One axis as several. */
function unflattened(c: CallContext): Value {
  const x = c.tensor("input");
  const d = axisOf(c, x, c.int("dim"));
  const sizes = sizeNumbers(x);
  const within = sizesFrom([c.value(c.given("sizes") ? "sizes" : "unflattened_size")]);
  return reshapeTo(c.vm, x, [...sizes.slice(0, d), ...within, ...sizes.slice(d + 1)]);
}

/** log(s + √(s² + 1)) of the size, with the sign of x: near 0 nothing is lost. */
const inverseSinh = written((x, { add, mul, div, sqrt, log1p, is, choose }, c) => {
  const isBelow = is("lt", x, 0);
  const size = choose(isBelow, keepingFunction(c.vm, "neg", x), x);
  const square = mul(size, size);
  const curve = log1p(add(size, div(square, add(sqrt(add(square, float(1))), float(1)))));
  return choose(isBelow, keepingFunction(c.vm, "neg", curve), curve);
});

const inverseTanh = written((x, { sub, mul, log1p }, c) =>
  mul(float(0.5), sub(log1p(x), log1p(keepingFunction(c.vm, "neg", x)))),
);

const inverseCosh = written((x, { add, sub, mul, log, sqrt }) =>
  log(add(x, sqrt(sub(mul(x, x), float(1))))),
);

const inverted: Meaning = (c) => unaryOperation(c.vm, "~", c.tensor("x"));
const itself: Meaning = (c) => c.tensor("input");

/** Of torch and of torch.Tensor. */
export const torchFurther: Table = {
  ...asNumPy(numpyElementwise, "input, !out", "trunc", "fix", "exp2", "tan", "sinc", "signbit"),
  ...asNumPy(numpyElementwise, "input, !out", "deg2rad", "rad2deg", "positive"),
  ...asNumPy(numpyElementwise, "input, other, !out", "float_power"),
  ...asNumPy(numpyElementwise, "input, other, !out", "bitwise_and", "bitwise_or", "bitwise_xor"),
  ...asNumPy(numpyShapes, "input", "fliplr", "flipud"),
  fmax: ["input, other, !out", firstOfEqual("ge")],
  fmin: ["input, other, !out", firstOfEqual("le")],
  frac: ["input, !out", fraction],
  fmod: ["input, other, !out", remainder],
  copysign: ["input, other, !out", withSign],
  heaviside: [
    "input, values, !out",
    (c) => {
      const step = numpyElementwise["heaviside"]![1](c);
      const { dtype } = c.tensor("input");
      return step.kind === "tensor" && dtype !== null ? convert(c.vm, step, dtype) : step;
    },
  ],
  asinh: ["input, !out", inverseSinh],
  arcsinh: ["input, !out", inverseSinh],
  acosh: ["input, !out", inverseCosh],
  arccosh: ["input, !out", inverseCosh],
  atanh: ["input, !out", inverseTanh],
  arctanh: ["input, !out", inverseTanh],
  sgn: ["input, !out", (c) => keepingFunction(c.vm, "sign", c.tensor("x"))],
  bitwise_not: ["input, !out", inverted],
  logical_xor: ["input, other, !out", exclusiveOr],
  isclose: ["input, other, rtol=1e-05, atol=1e-08, !equal_nan", areClose],
  is_complex: ["input", () => FALSE],
  conj: ["input", itself],
  rot90: ["input, k=1, dims=None", (c) => quarterTurns(c, "dims")],
  swapdims: [
    "input, dim0, dim1",
    (c) => swapAxes(c.vm, c.tensor("input"), c.int("dim0"), c.int("dim1")),
  ],
  unflatten: ["input, dim, sizes", unflattened],
  take: ["input, indices", take],
  rsub: ["input, other", (c) => binaryOperation(c.vm, "-", c.value("other"), c.tensor("input"))],
};

/** Of torch alone. */
export const torchStacks: Table = {
  ...asNumPy(numpyShapes, "tup, !out", "vstack", "hstack", "dstack", "column_stack", "row_stack"),
  ...asNumPy(numpyShapes, "x", "atleast_2d", "atleast_3d"),
  broadcast_tensors: ["*args", numpyShapes["broadcast_arrays"]![1]],
  broadcast_shapes: ["*shapes", numpyShapes["broadcast_shapes"]![1]],
  isin: ["elements, test_elements, *, ~assume_unique, invert=False", isAmong],
  asarray: ["data, *, dtype=None, ~device, ~copy, ~requires_grad", asTorchTensor],
  scalar_tensor: ["data, *, dtype=None, ~device, ~requires_grad", newTensor],
  real: ["input", itself],
};

const hardShrink = written((x, { choose }, c) => {
  const isLarge = elementwise(
    c.vm,
    "gt",
    keepingFunction(c.vm, "abs", x),
    c.value("lambd"),
    "torch",
  );
  return choose(isLarge, x, float(0));
});

const softShrink = written((x, { add, sub, choose }, c) => {
  const bound = c.value("lambd");
  const below = elementwise(c.vm, "lt", x, binaryOperation(c.vm, "*", bound, float(-1)), "torch");
  const above = elementwise(c.vm, "gt", x, bound, "torch");
  return choose(above, sub(x, bound), choose(below, add(x, bound), float(0)));
});

const tanhShrink = written((x, { sub, tanh }) => sub(x, tanh(x)));

/** x where it is positive, else a slope times x: one slope for all, or one a channel. */
const prelu = written((x, { mul, is, choose }, c) => {
  const weight = c.tensor("weight");
  const units = Array.from({ length: Math.max(0, rankOf(x) - 2) }, (_, k) => k);
  const isOne = sizeNumbers(weight).every((n) => n.value === 1);
  const slope = isOne
    ? reshapeTo(c.vm, weight, [])
    : units.reduce((t) => addAxis(c.vm, t, -1), weight);
  return choose(is("gt", x, 0), x, mul(slope, x));
});

/** Of torch.nn.functional. */
export const furtherActivations: Table = {
  glu: ["input, dim=-1", gated("dim")],
  gelu: [
    "input, approximate='none'",
    gelu((c) => c.text("approximate") === "tanh", 'approximate="none"', 'approximate="tanh"'),
  ],
  hardshrink: ["input, lambd=0.5", hardShrink],
  softshrink: ["input, lambd=0.5", softShrink],
  tanhshrink: ["input", tanhShrink],
  prelu: ["input, weight", prelu],
};
