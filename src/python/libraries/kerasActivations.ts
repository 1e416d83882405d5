/** Activations of Keras and of tf.nn beyond sigmoid and softmax. */
import { clampValue, elementwise, keepingFunction } from "../tensors/elementwise.ts";
import { type TensorValue, float } from "../values.ts";
import * as m from "./common.ts";
import { gated, gelu as tanhGelu, written } from "./activationFormulas.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import * as t from "./tensorflowMeanings.ts";
import { type Arithmetic, arithmetic, curvedActivations } from "./torchElementwise.ts";

/** min(max(x + 3, 0), 6)/6; no gradient where a bound is met. */
const sixth = (c: CallContext, x: TensorValue, { add, div }: Arithmetic): TensorValue =>
  div(t.upTo6(c, add(x, float(3))), float(6));

const hardSilu = written((x, a, c) => a.mul(x, sixth(c, x, a)));

const gelu = tanhGelu((c) => c.flag("approximate"), "approximate=False", "approximate=True");

const softSign = written((x, { add, div }, c) =>
  div(x, add(keepingFunction(c.vm, "abs", x), float(1))),
);

/** 0 up to the threshold, a slope below it, and an upper limit. */
export const limitedRelu =
  (slope: string): Meaning =>
  (c) => {
    const { vm } = c;
    const x = c.tensor("x");
    const { sub, mul, choose, add } = arithmetic(vm, "tensorflow");
    const [alpha, threshold] = [c.number(slope), c.number("threshold")];
    const most = c.optional("max_value");
    if (alpha !== 0 && threshold === 0 && most === null) return t.leakyRelu(c, x, c.value(slope));
    const isAbove = elementwise(vm, "gt", x, c.value("threshold"));
    let above: TensorValue;
    if (threshold !== 0) above = choose(isAbove, x, float(0));
    else if (most?.kind === "number" && most.value === 6) above = t.upTo6(c, x);
    else above = keepingFunction(vm, "relu", x);
    const isSix = threshold === 0 && most?.kind === "number" && most.value === 6;
    if (most !== null && !isSix) above = clampValue(vm, above, float(0), most);
    if (alpha === 0) return above;
    const negative = keepingFunction(vm, "neg", x);
    const moved = threshold === 0 ? negative : add(negative, c.value("threshold"));
    return sub(above, mul(c.value(slope), keepingFunction(vm, "relu", moved)));
  };

/** Of keras.ops and of keras.activations. */
export const kerasCurves: Table = {
  selu: ["x", curvedActivations["selu"]![1]],
  celu: ["x, alpha=1.0", curvedActivations["celu"]![1]],
  mish: ["x", curvedActivations["mish"]![1]],
  gelu: ["x, approximate=True", gelu],
  glu: ["x, axis=-1", gated("axis")],
  softsign: ["x", softSign],
  soft_sign: ["x", softSign],
  hard_sigmoid: ["x", written((x, a, c) => sixth(c, x, a))],
  hard_silu: ["x", hardSilu],
  hard_swish: ["x", hardSilu],
  hard_tanh: ["x", written((x, _, c) => clampValue(c.vm, x, float(-1), float(1)))],
  tanh_shrink: ["x", written((x, { sub, tanh }) => sub(x, tanh(x)))],
  hard_shrink: [
    "x, threshold=0.5",
    written((x, { choose }, c) => {
      const size = keepingFunction(c.vm, "abs", x);
      return choose(elementwise(c.vm, "gt", size, c.value("threshold")), x, float(0));
    }),
  ],
  soft_shrink: [
    "x, threshold=0.5",
    written((x, { add, sub, choose, is }, c) => {
      const threshold = c.number("threshold");
      const below = choose(is("lt", x, -threshold), add(x, float(threshold)), float(0));
      return choose(is("gt", x, threshold), sub(x, float(threshold)), below);
    }),
  ],
  threshold: [
    "x, threshold, default_value",
    written((x, { choose }, c) =>
      choose(elementwise(c.vm, "gt", x, c.value("threshold")), x, c.value("default_value")),
    ),
  ],
  squareplus: [
    "x, b=4",
    written((x, { add, mul, div, sqrt }, c) =>
      div(add(x, sqrt(add(mul(x, x), c.value("b")))), float(2)),
    ),
  ],
  sparse_plus: [
    "x",
    written((x, { add, mul, is, choose }) => {
      const next = add(x, float(1));
      const curve = mul(float(0.25), mul(next, next));
      return choose(is("le", x, -1), float(0), choose(is("lt", x, 1), curve, x));
    }),
  ],
  sparse_sigmoid: [
    "x",
    written((x, { add, mul, is, choose }) => {
      const line = mul(float(0.5), add(x, float(1)));
      return choose(is("le", x, -1), float(0), choose(is("ge", x, 1), float(1), line));
    }),
  ],
};

/** Of keras.activations alone. */
export const kerasOwnActivations: Table = {
  ...kerasCurves,
  gelu: ["x, approximate=False", gelu],
  relu: ["x, negative_slope=0.0, max_value=None, threshold=0.0", limitedRelu("negative_slope")],
  exponential: ["x", m.real("exp")],
  linear: ["x", (c) => c.value("x")],
};

/** Of tf.nn. */
export const tensorflowCurves: Table = {
  selu: ["features, ~name", curvedActivations["selu"]![1]],
  softsign: ["features, ~name", softSign],
  gelu: ["features, approximate=False, ~name", gelu],
  crelu: [
    "features, axis=-1, ~name",
    (c) => {
      const x = c.tensor("x");
      const both = [x, keepingFunction(c.vm, "neg", x)];
      return m.joined(
        c,
        both.map((part) => keepingFunction(c.vm, "relu", part)),
        c.int("axis"),
      );
    },
  ],
};
