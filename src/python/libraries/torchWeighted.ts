/**
 * Layers of torch.nn that hold weights: convolutions with fixed kernels, as losses of edges have
 * them. A layer's own first weights are drawn at random, so a loss must set them before it is called.
 */
import { setIn } from "../interpreter/attributes.ts";
import { makeClass } from "../interpreter/classes.ts";
import { call } from "../interpreter/calls.ts";
import { shapeFrom } from "../tensors/reshape.ts";
import { filled, itemsOf } from "../tensors/tensor.ts";
import {
  type BuiltinValue,
  type ClassValue,
  type InstanceValue,
  NONE,
  type TensorValue,
  type Value,
  float,
  int,
  tuple,
} from "../values.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { type CallContext, type Meaning, type Table, builtin } from "./signature.ts";
import { linear } from "./torchProducts.ts";
import { several, windows } from "./torchWindows.ts";

export type Method = (name: string, signature: string, meaning: Meaning) => [string, BuiltinValue];

function self(c: CallContext): InstanceValue {
  const v = c.value("self");
  return v.kind === "instance" ? v : c.bad("self", "a Module");
}

/** An array whose entries nobody knows until they are set. */
function drawn(c: CallContext, sizes: readonly number[]): TensorValue {
  const shape = shapeFrom(c.vm, sizes.map(int));
  return filled(c.vm, float(NaN), shape, "torch", "float32");
}

function makeWeights(
  c: CallContext,
  weight: readonly number[],
  channels: number,
  register: (weights: TensorValue) => void,
): void {
  const owner = self(c);
  const all = [
    ["weight", weight],
    ...(c.flag("bias") ? [["bias", [channels]] as const] : []),
  ] as const;
  if (!c.flag("bias")) setIn(c.vm, owner, owner.attributes, "bias", NONE);
  for (const [name, sizes] of all) {
    const made = drawn(c, sizes);
    register(made);
    setIn(c.vm, owner, owner.attributes, name, made);
  }
}

/** A layer's weights, which must have been set. */
function weightOf(c: CallContext, name: "weight" | "bias"): Value {
  const v = self(c).attributes.get(name) ?? NONE;
  const isDrawn = v.kind === "tensor" && isNaNThroughout(c.vm, v);
  if (!isDrawn) return v;
  return c.vm.unsupported(
    `the ${name === "weight" ? "weights" : "biases"} of this layer are drawn at random when it is made, of which there is no formula`,
    name === "weight"
      ? "Set them: layer.weight = nn.Parameter(kernel, requires_grad=False)."
      : "Make the layer with bias=False, or set them: nn.init.zeros_(layer.bias).",
  );
}

function isNaNThroughout(vm: Interpreter, { expr }: TensorValue): boolean {
  return expr.args.every((a) => a.kind === "const") && Number.isNaN(vm.evaluate(expr)?.data[0]);
}

function convolution(
  method: Method,
  module: ClassValue,
  n: number,
  register: (weights: TensorValue) => void,
): ClassValue {
  const functionOf = (name: string): BuiltinValue =>
    builtin("F.", name, windows[name]!, "torch", {});
  return makeClass({
    name: `Conv${n}d`,
    bases: [module],
    attributes: new Map<string, Value>([
      method(
        "__init__",
        "self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', ~device, ~dtype",
        (c) => {
          const [from, to] = [c.int("in_channels"), c.int("out_channels")];
          const owner = self(c);
          makeWeights(
            c,
            [to, from / c.int("groups"), ...several(c, "kernel_size", n)],
            to,
            register,
          );
          for (const name of [
            ...["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation"],
            ...["groups", "padding_mode"],
          ]) {
            setIn(c.vm, owner, owner.attributes, name, c.value(name));
          }
          return NONE;
        },
      ),
      method("forward", "self, input", (c) => {
        const setting = (name: string): Value => self(c).attributes.get(name) ?? NONE;
        const keywords = new Map(
          ["stride", "padding", "dilation", "groups"].map((name) => [name, setting(name)]),
        );
        let x = c.value("input");
        const mode = setting("padding_mode");
        if (mode.kind === "str" && mode.value !== "zeros") {
          // The last axis comes first.
          const items = itemsOf(setting("padding")) ?? [setting("padding")];
          const around = items.length === 1 ? Array.from({ length: n }, () => items[0]!) : items;
          const amounts = tuple(around.toReversed().flatMap((v) => [v, v]));
          x = call(c.vm, functionOf("pad"), [x, amounts], new Map([["mode", mode]]));
          keywords.set("padding", int(0));
        }
        const args = [x, weightOf(c, "weight"), weightOf(c, "bias")];
        return call(c.vm, functionOf(`conv${n}d`), args, keywords);
      }),
    ]),
  })!;
}

function linearLayer(
  method: Method,
  module: ClassValue,
  register: (weights: TensorValue) => void,
): ClassValue {
  return makeClass({
    name: "Linear",
    bases: [module],
    attributes: new Map<string, Value>([
      method("__init__", "self, in_features, out_features, bias=True, ~device, ~dtype", (c) => {
        const [from, to] = [c.int("in_features"), c.int("out_features")];
        makeWeights(c, [to, from], to, register);
        return NONE;
      }),
      method("forward", "self, input", (c) => {
        const bias = weightOf(c, "bias");
        const weight = weightOf(c, "weight");
        return weight.kind === "tensor"
          ? linear(c.vm, c.tensor("input"), weight, bias.kind === "tensor" ? bias : null)
          : c.bad("weight", "Tensor");
      }),
    ]),
  })!;
}

/** An array's entries replaced by a number. */
const filledBy =
  (value: (c: CallContext) => Value): Meaning =>
  (c) => {
    const t = c.tensor("tensor");
    const v = value(c);
    if (v.kind !== "number") return c.bad("val", "a number");
    t.assign(c.vm, filled(c.vm, v, t.expr.shape, "torch", t.dtype ?? "float32").expr);
    return t;
  };

/** torch.nn.init, but for what draws random numbers. */
export const initializers: Table = {
  constant_: ["tensor, val", filledBy((c) => c.value("val"))],
  zeros_: ["tensor", filledBy(() => float(0))],
  ones_: ["tensor", filledBy(() => float(1))],
};

/**
 * @param module the class that they derive from
 * @param register called with each array of weights that a layer makes
 */
export function weightedLayers(
  method: Method,
  module: ClassValue,
  register: (weights: TensorValue) => void,
): ClassValue[] {
  return [
    ...[1, 2, 3].map((n) => convolution(method, module, n, register)),
    linearLayer(method, module, register),
  ];
}
