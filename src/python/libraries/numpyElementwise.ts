/** NumPy's functions entry by entry that are made of others. */
import { float, type TensorValue, type Value, tuple } from "../values.ts";
import {
  elementwise,
  floatFunction,
  keepingFunction,
  logical,
  select,
  truthFunction,
} from "../tensors/elementwise.ts";
import { unaryOperation } from "../interpreter/operators.ts";
import { reduction } from "../tensors/reduce.ts";
import * as m from "./common.ts";
import { areClose, isKnownTrue } from "./numpyMeanings.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import { logAddExp } from "./special.ts";
import { hypot } from "./torchElementwise.ts";

const of = (c: CallContext): TensorValue => c.tensor("x");
const times = (c: CallContext, x: Value, factor: number): TensorValue =>
  elementwise(c.vm, "mul", x, float(factor), c.library);
const is = (c: CallContext, op: "lt" | "eq", x: Value): TensorValue =>
  elementwise(c.vm, op, x, float(0), c.library);

/** 0 below zero, 1 above, and the second argument at zero itself. */
function heaviside(c: CallContext): Value {
  const x = of(c);
  const step = select(c.vm, elementwise(c.vm, "gt", x, float(0)), float(1), float(0), c.library);
  return select(c.vm, is(c, "eq", x), c.value("y"), step, c.library);
}

/**
 * fmax and fmin: maximum and minimum that take the other entry where one is NaN. Where none is, they
 * are written as those; JAX has the gradient of equal entries go to the second.
 */
const apartFromNaN =
  (op: "max" | "min"): Meaning =>
  (c) => {
    const { vm, library } = c;
    const x = c.tensor("x");
    const given = c.value("y");
    // A Python number takes the array's type.
    if (given.kind === "number" && library !== "jax") {
      const noX = truthFunction(vm, "isnan", x);
      const larger = elementwise(vm, op, x, given, library);
      const isNeeded = isKnownTrue(c, reduction(vm, "any", noX, null, false));
      return isNeeded ? select(vm, noX, given, larger, library) : larger;
    }
    const y = c.tensor("y");
    const [noX, noY] = [x, y].map((t) => truthFunction(vm, "isnan", t)) as [
      TensorValue,
      TensorValue,
    ];
    if (library === "jax") {
      const isFirst = elementwise(vm, op === "max" ? "gt" : "lt", x, y);
      return select(vm, logical(vm, "or", isFirst, noY), x, y, library);
    }
    const either = elementwise(vm, op, x, y, library);
    const any = logical(vm, "or", noX, noY);
    if (!isKnownTrue(c, reduction(vm, "any", any, null, false))) return either;
    return select(vm, noX, y, select(vm, noY, x, either, library), library);
  };

/** Towards zero. */
function truncated(c: CallContext, x: TensorValue): TensorValue {
  const [down, up] = (["floor", "ceil"] as const).map((op) =>
    keepingFunction(c.vm, op, x, c.library),
  );
  return select(c.vm, is(c, "lt", x), up!, down!, c.library);
}

/** What is left of a division that rounds towards zero: it has the sign of the dividend. */
function remainder(c: CallContext): Value {
  const { vm, library } = c;
  const x = of(c);
  const y = keepingFunction(vm, "abs", c.tensor("y"), library);
  const of0 = (t: TensorValue): TensorValue => elementwise(vm, "mod", t, y, library);
  const negative = (t: TensorValue): TensorValue => keepingFunction(vm, "neg", t, library);
  return select(vm, is(c, "lt", x), negative(of0(negative(x))), of0(x), library);
}

/** The first one's size with the second one's sign; of zeros the sign is not told apart. */
function withSign(c: CallContext): Value {
  const size = keepingFunction(c.vm, "abs", of(c), c.library);
  const negative = keepingFunction(c.vm, "neg", size, c.library);
  return select(c.vm, is(c, "lt", c.tensor("y")), negative, size, c.library);
}

/** sin(πx)/(πx), 1 at 0. */
function sinc(c: CallContext): Value {
  const isZero = is(c, "eq", of(c));
  const x = times(c, select(c.vm, isZero, float(1), of(c), c.library), Math.PI);
  const curve = elementwise(c.vm, "div", floatFunction(c.vm, "sin", x, c.library), x);
  return select(c.vm, isZero, float(1), curve, c.library);
}

/** The root with the sign of what it is of. */
function cubeRoot(c: CallContext): Value {
  const root = elementwise(c.vm, "pow", keepingFunction(c.vm, "abs", of(c)), float(1 / 3));
  const sign = keepingFunction(c.vm, "sign", of(c), c.library);
  return elementwise(c.vm, "mul", sign, root, c.library);
}

const tangent: Meaning = (c) => elementwise(c.vm, "div", m.real("sin")(c), m.real("cos")(c));

/** log2(2^a + 2^b). */
function logAddExp2(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")].map((t) => times(c, t, Math.LN2));
  return elementwise(c.vm, "div", logAddExp(c, a, b), float(Math.LN2), c.library);
}

const OUT = "!out, !where, ~casting, ~order, ~subok";
const one = `x, ${OUT}`;
const two = `x1, x2, ${OUT}`;
const toRadians: Meaning = (c) => times(c, of(c), Math.PI / 180);
const toDegrees: Meaning = (c) => times(c, of(c), 180 / Math.PI);
const inverted: Meaning = (c) => unaryOperation(c.vm, "~", of(c));

/** Source: NumPy 2.4. */
export const numpyElementwise: Table = {
  logaddexp: [two, (c) => logAddExp(c)],
  logaddexp2: [two, logAddExp2],
  heaviside: [two, heaviside],
  fmax: [two, apartFromNaN("max")],
  fmin: [two, apartFromNaN("min")],
  trunc: [one, (c) => truncated(c, of(c))],
  fix: ["x, !out", (c) => truncated(c, of(c))],
  fmod: [two, remainder],
  hypot: [two, hypot],
  copysign: [two, withSign],
  signbit: [one, (c) => is(c, "lt", of(c))],
  sinc: ["x", sinc],
  cbrt: [one, cubeRoot],
  tan: [one, tangent],
  deg2rad: [one, toRadians],
  radians: [one, toRadians],
  rad2deg: [one, toDegrees],
  degrees: [one, toDegrees],
  divmod: [two, (c) => tuple([m.operator("//")(c), m.operator("%")(c)])],
  modf: [
    one,
    (c) => {
      const whole = truncated(c, of(c));
      return tuple([elementwise(c.vm, "sub", of(c), whole, c.library), whole]);
    },
  ],
  bitwise_and: [two, m.operator("&")],
  bitwise_or: [two, m.operator("|")],
  bitwise_xor: [two, m.operator("^")],
  bitwise_not: [one, inverted],
  bitwise_invert: [one, inverted],
  invert: [one, inverted],
  real: ["val", (c) => c.tensor("val")],
  conj: [one, of],
  conjugate: [one, of],
  isclose: ["a, b, rtol=1e-05, atol=1e-08, !equal_nan", areClose],
  positive: ["x, !out, !where", of],
  float_power: [
    "x1, x2, !out, !where",
    (c) => elementwise(c.vm, "pow", of(c), c.value("y"), c.library),
  ],
  exp2: ["x, !out, !where", (c) => elementwise(c.vm, "pow", float(2), of(c), c.library)],
};
