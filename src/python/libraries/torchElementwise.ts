/** Functions of PyTorch that are made of arithmetic, entry by entry. */
import type { BinaryOp, UnaryOp } from "../../expression/node.ts";
import type { Library } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import {
  clampValue,
  elementwise,
  floatFunction,
  keepingFunction,
  select,
} from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis } from "../tensors/reshape.ts";
import { type TensorValue, type Value, float } from "../values.ts";
import * as m from "./common.ts";
import type { CallContext, Table } from "./signature.ts";
import { logAddExp, xlogy } from "./special.ts";

export interface Arithmetic {
  readonly add: (a: Value, b: Value) => TensorValue;
  readonly sub: (a: Value, b: Value) => TensorValue;
  readonly mul: (a: Value, b: Value) => TensorValue;
  readonly div: (a: Value, b: Value) => TensorValue;
  readonly log: (x: TensorValue) => TensorValue;
  readonly log1p: (x: TensorValue) => TensorValue;
  readonly exp: (x: TensorValue) => TensorValue;
  readonly sqrt: (x: TensorValue) => TensorValue;
  readonly tanh: (x: TensorValue) => TensorValue;
  readonly sigmoid: (x: TensorValue) => TensorValue;
  /** max(x, 0), whose gradient passes where x is 0, as that of clamp_min does. */
  readonly atLeast0: (x: TensorValue) => TensorValue;
  readonly is: (op: BinaryOp, a: Value, b: number) => TensorValue;
  readonly choose: (condition: TensorValue, yes: Value, no: Value) => TensorValue;
}

/** What formulas of tensors are written with; `library` is whose where all are numbers. */
export function arithmetic(vm: Interpreter, library: Library = "torch"): Arithmetic {
  const two =
    (op: BinaryOp) =>
    (a: Value, b: Value): TensorValue =>
      elementwise(vm, op, a, b, library);
  const one =
    (op: UnaryOp) =>
    (x: TensorValue): TensorValue =>
      floatFunction(vm, op, x, library);
  return {
    add: two("add"),
    sub: two("sub"),
    mul: two("mul"),
    div: two("div"),
    log: one("log"),
    log1p: one("log1p"),
    exp: one("exp"),
    sqrt: one("sqrt"),
    tanh: one("tanh"),
    sigmoid: one("sigmoid"),
    atLeast0: (x) => clampValue(vm, x, float(0), null, library),
    is: (op, a, b) => elementwise(vm, op, a, float(b), library),
    choose: (condition, yes, no) => select(vm, condition, yes, no, library),
  };
}

/** Of torch and of torch.Tensor. */
export const torchElementwise: Table = {
  addcmul: ["input, tensor1, tensor2, *, value=1, !out", (c) => addedTo(c, "mul")],
  addcdiv: ["input, tensor1, tensor2, *, value=1, !out", (c) => addedTo(c, "div")],
  lerp: ["input, end, weight, !out", lerp],
  hypot: ["input, other, !out", hypot],
  xlogy: ["input, other, !out", (c) => xlogy(c)],
  logaddexp: ["input, other, !out", logAddExp],
  dist: [
    "input, other, p=2",
    (c) =>
      m.vectorNorm(
        c,
        arithmetic(c.vm).sub(c.tensor("x"), c.tensor("y")),
        c.number("p"),
        null,
        false,
      ),
  ],
};

/** Of torch alone. */
export const torchDistances: Table = {
  cdist: ["x1, x2, p=2.0, ~compute_mode", distances],
};

/** Of torch.special, beside functions that torch has too. */
export const specialElementwise: Table = {
  xlogy: torchElementwise["xlogy"]!,
  xlog1py: ["input, other, !out", (c) => xlogy(c, true)],
  entr: ["input, !out", entropy],
};

/** Activations of torch.nn.functional. */
export const curvedActivations: Table = {
  softplus: ["input, beta=1.0, threshold=20.0", softplus],
  mish: [
    "input, ~inplace",
    (c) => {
      const x = c.tensor("x");
      const share = floatFunction(
        c.vm,
        "tanh",
        floatFunction(c.vm, "softplus", x, "torch"),
        "torch",
      );
      return arithmetic(c.vm).mul(x, share);
    },
  ],
  hardswish: ["input, ~inplace", hardSwish],
  elu: ["input, alpha=1.0, ~inplace", (c) => exponentialBelow0(c, c.value("alpha"))],
  selu: ["input, ~inplace", selu],
  celu: ["input, alpha=1.0, ~inplace", celu],
};

/** The norm of each row of one matrix less each row of the other; at a distance of 0 it is flat. */
function distances(c: CallContext): Value {
  const { vm } = c;
  const { sub, mul } = arithmetic(vm);
  const [a, b] = [addAxis(vm, c.tensor("x1"), -2), addAxis(vm, c.tensor("x2"), -3)];
  const apart = sub(a, b);
  const p = c.number("p");
  if (p !== 2) return m.vectorNorm(c, apart, p, [-1], false);
  return m.flatRoot(vm, reduction(vm, "sum", mul(apart, apart), [-1], false));
}

function addedTo(c: CallContext, op: "mul" | "div"): Value {
  const { add, mul } = arithmetic(c.vm);
  const term = elementwise(c.vm, op, c.tensor("tensor1"), c.tensor("tensor2"), "torch");
  return add(c.tensor("x"), c.given("value") ? mul(c.value("value"), term) : term);
}

function lerp(c: CallContext): Value {
  const { add, sub, mul } = arithmetic(c.vm);
  const start = c.tensor("x");
  return add(start, mul(c.value("weight"), sub(c.tensor("end"), start)));
}

export function hypot(c: CallContext): Value {
  const { add, mul } = arithmetic(c.vm);
  const [x, y] = [c.tensor("x"), c.tensor("y")];
  return floatFunction(c.vm, "sqrt", add(mul(x, x), mul(y, y)), "torch");
}

/** -x log x, 0 where x is 0, and -∞ below. */
function entropy(c: CallContext): Value {
  const { mul, log, is, choose } = arithmetic(c.vm);
  const x = c.tensor("x");
  const curve = keepingFunction(c.vm, "neg", mul(x, log(x)));
  const above = choose(is("eq", x, 0), float(0), curve);
  return choose(is("lt", x, 0), float(-Infinity), above);
}

/** log(1 + exp(βx))/β, and x itself where βx is above the threshold. */
function softplus(c: CallContext): Value {
  const { mul, div, choose } = arithmetic(c.vm);
  const x = c.tensor("x");
  const scaled = c.given("beta") ? mul(x, c.value("beta")) : x;
  const soft = floatFunction(c.vm, "softplus", scaled, "torch");
  const curve = c.given("beta") ? div(soft, c.value("beta")) : soft;
  // Above the default threshold of 20 the two are the same to 2e-9 of 20.
  if (!c.given("threshold")) return curve;
  return choose(elementwise(c.vm, "gt", scaled, c.value("threshold"), "torch"), x, curve);
}

/** x·min(max(x + 3, 0), 6)/6. */
function hardSwish(c: CallContext): Value {
  const { add, mul, div, is, choose } = arithmetic(c.vm);
  const x = c.tensor("x");
  const curve = div(mul(x, add(x, float(3))), float(6));
  return choose(is("le", x, -3), float(0), choose(is("ge", x, 3), x, curve));
}

/** Klambauer et al., "Self-Normalizing Neural Networks" (2017), equation 2. */
const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };

function selu(c: CallContext): Value {
  const { mul } = arithmetic(c.vm);
  return mul(float(SELU.scale), exponentialBelow0(c, float(SELU.alpha)));
}

function celu(c: CallContext): Value {
  return exponentialBelow0(c, c.value("alpha"), c.value("alpha"));
}

/** x, and below 0 height·(exp(x/width) − 1), the width being 1 unless given. */
function exponentialBelow0(c: CallContext, height: Value, width?: Value): TensorValue {
  const { mul, div, is, choose } = arithmetic(c.vm);
  const x = c.tensor("x");
  const isAbove = is("gt", x, 0);
  // The exponential sees no large positive number, whose slope would be infinite.
  const below = choose(isAbove, float(0), x);
  const scaled = width === undefined ? below : div(below, width);
  const curve = mul(height, floatFunction(c.vm, "expm1", scaled, "torch"));
  return choose(isAbove, x, curve);
}
