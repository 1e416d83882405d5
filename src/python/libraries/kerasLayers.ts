/** keras.layers that are a function with settings: losses call them on predictions and targets. */
import { call, isCallable } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import { asConstant } from "../interpreter/naming.ts";
import { knownInteger } from "../interpreter/known.ts";
import { elementwise } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import {
  addAxis,
  expandTo,
  flattenRange,
  permuteAxes,
  reshapeTo,
  sizesFrom,
} from "../tensors/reshape.ts";
import { itemsOf, rankOf, sizeNumber } from "../tensors/tensor.ts";
import { padAxis, sizeAlong } from "../tensors/windows.ts";
import { type ClassValue, NONE, type Value, float, int } from "../values.ts";
import { hasChannelsFirst } from "./channelsLast.ts";
import * as m from "./common.ts";
import { limitedRelu } from "./kerasActivations.ts";
import { method, self } from "./kerasLoss.ts";
import { withLogits } from "./kerasOps.ts";
import { type CallContext, type Meaning, type Table, builtin } from "./signature.ts";
import { resized } from "./tensorflowImages.ts";
import * as t from "./tensorflowMeanings.ts";

type Layer = readonly [name: string, settings: string, meaning: Meaning];

/** The axes of space: those between the batch and the channels, or after both. */
function spaceOf(c: CallContext): number[] {
  const from = c.given("data_format") && hasChannelsFirst(c.value("data_format")) ? 2 : 1;
  return m.range(from, from + rankOf(c.tensor("x")) - 2);
}

const globally =
  (op: "mean" | "max"): Meaning =>
  (c) =>
    reduction(c.vm, op, c.tensor("x"), spaceOf(c), c.flag("keepdims"));

const enlarged: Meaning = (c) => {
  const how = c.given("interpolation") ? c.text("interpolation") : "nearest";
  const dims = spaceOf(c);
  const times = amounts(c, c.value("size"), dims.length).map(([n]) => n);
  return dims.reduce((x, d, k) => {
    const n = sizeAlong(c.vm, x, d, `${c.name}()`);
    return resized(c, x, d, n * times[k]!, how);
  }, c.tensor("x"));
};

/** A number or a pair for each axis, or one number for all. */
function amounts(c: CallContext, v: Value, n: number): (readonly [number, number])[] {
  const known = (x: Value): number => knownInteger(c.vm, x, `${c.name}()`);
  const both = (x: Value): readonly [number, number] => {
    const pair = itemsOf(x)?.map(known) ?? [known(x), known(x)];
    return [pair[0]!, pair[1]!];
  };
  const items = itemsOf(v);
  if (items === null) return m.range(0, n).map(() => both(v));
  // Along one axis two numbers are before and after it.
  if (n === 1 && items.length === 2) return [both(v)];
  if (items.length === n) return items.map(both);
  return c.vm.fail("ValueError", `${c.name}() takes as many entries as axes: ${n}`);
}

/** Zeros around, or as much cut off. */
const framed =
  (setting: string, sign: 1 | -1): Meaning =>
  (c) => {
    const dims = spaceOf(c);
    const around = amounts(c, c.value(setting), dims.length);
    return dims.reduce((x, d, k) => {
      const [before, after] = around[k]!;
      if (before === 0 && after === 0) return x;
      return padAxis(c.vm, x, d, [sign * before, sign * after], "constant", 0);
    }, c.tensor("x"));
  };

const joint =
  (op: "add" | "sub" | "mul" | "max" | "min"): Meaning =>
  (c) =>
    c.tensors("x").reduce((a, b) => {
      if (op === "max" || op === "min") return c.asOwn(t.larger(c, op, a, b));
      return elementwise(c.vm, op, a, b);
    });

const averaged: Meaning = (c) => {
  const all = c.tensors("x");
  const total = all.reduce((a, b) => elementwise(c.vm, "add", a, b));
  return elementwise(c.vm, "div", total, float(all.length));
};

const activated =
  (activations: Table): Meaning =>
  (c) => {
    const given = c.value("activation");
    if (given.kind === "none") return c.value("inputs");
    if (isCallable(given)) return call(c.vm, given, [c.value("inputs")]);
    const name = c.text("activation");
    const entry = activations[name];
    if (entry === undefined) {
      return c.vm.fail("ValueError", `Could not interpret activation function identifier: ${name}`);
    }
    const fn = builtin("keras.activations.", name, entry, "tensorflow");
    return call(c.vm, fn, [c.value("inputs")]);
  };

const reordered: Meaning = (c) => permuteAxes(c.vm, c.tensor("x"), [0, ...c.dims("dims")!]);

const reshaped: Meaning = (c) => {
  const x = c.tensor("x");
  const rest = sizesFrom([c.value("target_shape")]);
  return reshapeTo(c.vm, x, [sizeNumber(x.expr.shape[0]!), ...rest]);
};

const repeated: Meaning = (c) => {
  const row = addAxis(c.vm, c.tensor("x"), 1);
  const sizes = row.expr.shape.map((_, d) => (d === 1 ? c.value("n") : int(-1)));
  return expandTo(c.vm, row, sizes);
};

const rescaled: Meaning = (c) => {
  const scaled = elementwise(c.vm, "mul", c.tensor("x"), c.value("scale"));
  return elementwise(c.vm, "add", scaled, c.value("offset"));
};

/** As in inference, where nothing is left out. */
const unchanged: Meaning = (c) => c.tensor("x");

const POOL = "data_format=None, keepdims=False";
const PAD = "padding=1, data_format=None";
const CROP = "cropping=1, data_format=None";

function byRank(name: (n: number) => string, settings: string, meaning: Meaning): Layer[] {
  return [1, 2, 3].map((n) => [name(n), settings, meaning]);
}

function layersOf(activations: Table): readonly Layer[] {
  return [
    ["Flatten", "data_format=None", (c) => flattenRange(c.vm, c.tensor("x"), 1, -1)],
    ["Reshape", "target_shape", reshaped],
    ["Permute", "dims", reordered],
    ["RepeatVector", "n", repeated],
    ["Activation", "activation", activated(activations)],
    ["Softmax", "axis=-1", (c) => withLogits(c, t.softmax(c, "x", false))],
    ["ReLU", "max_value=None, negative_slope=0.0, threshold=0.0", limitedRelu("negative_slope")],
    [
      "LeakyReLU",
      "negative_slope=0.3",
      (c) => t.leakyRelu(c, c.tensor("x"), c.value("negative_slope")),
    ],
    ["ELU", "alpha=1.0", (c) => t.elu(c, c.tensor("x"), c.value("alpha"))],
    ["Rescaling", "scale, offset=0.0", rescaled],
    ...byRank((n) => `GlobalAveragePooling${n}D`, POOL, globally("mean")),
    ...byRank((n) => `GlobalAvgPool${n}D`, POOL, globally("mean")),
    ...byRank((n) => `GlobalMaxPooling${n}D`, POOL, globally("max")),
    ...byRank((n) => `GlobalMaxPool${n}D`, POOL, globally("max")),
    ["UpSampling1D", "size=2", enlarged],
    ["UpSampling2D", "size=2, data_format=None, interpolation='nearest'", enlarged],
    ["UpSampling3D", "size=2, data_format=None", enlarged],
    ...byRank((n) => `ZeroPadding${n}D`, PAD, framed("padding", 1)),
    ...byRank((n) => `Cropping${n}D`, CROP, framed("cropping", -1)),
    ["Add", "", joint("add")],
    ["Subtract", "", joint("sub")],
    ["Multiply", "", joint("mul")],
    ["Maximum", "", joint("max")],
    ["Minimum", "", joint("min")],
    ["Average", "", averaged],
    ["Concatenate", "axis=-1", (c) => m.joined(c, c.tensors("x"), c.int("axis"))],
    ["Dropout", "rate, noise_shape=None, seed=None", unchanged],
    ["SpatialDropout2D", "rate, seed=None", unchanged],
    ["GaussianNoise", "stddev, seed=None", unchanged],
  ];
}

/** keras.backend's functions that layers are made of. */
export const backendFrames: Table = {
  temporal_padding: ["x, padding=1", framed("padding", 1)],
  spatial_2d_padding: ["x, padding=1, data_format=None", framed("padding", 1)],
  spatial_3d_padding: ["x, padding=1, data_format=None", framed("padding", 1)],
  resize_images: [
    "x, height_factor, width_factor, data_format, interpolation='nearest'",
    (c) =>
      spaceOf(c).reduce((x, d, k) => {
        const n = sizeAlong(c.vm, x, d, `${c.name}()`);
        const factor = c.int(k === 0 ? "height_factor" : "width_factor");
        return resized(c, x, d, n * factor, c.text("interpolation"));
      }, c.tensor("x")),
  ],
};

/** Made with settings, called with arrays. */
function layerClass([name, settings, meaning]: Layer, base: ClassValue): ClassValue {
  const own = [...settings.matchAll(/(?:^|, )(\w+)/g)].map((found) => found[1]!);
  const given = settings === "" ? "self, **" : `self, ${settings}, **`;
  const fn = builtin(
    "keras.layers.",
    name,
    [settings === "" ? "inputs" : `inputs, ${settings}`, meaning],
    "tensorflow",
  );
  return makeClass({
    name,
    bases: [base],
    attributes: new Map<string, Value>([
      method(name, "__init__", given, (c) => {
        for (const s of own) self(c).attributes.set(s, asConstant(s, c.value(s)));
        return NONE;
      }),
      method(name, "call", "self, inputs, ~training", (c) => {
        const kept = own.map((s) => [s, self(c).attributes.get(s) ?? NONE] as const);
        return call(c.vm, fn, [c.value("inputs")], new Map(kept));
      }),
    ]),
  })!;
}

/** Calls a function with the settings given once. */
function lambdaClass(base: ClassValue): ClassValue {
  return makeClass({
    name: "Lambda",
    bases: [base],
    attributes: new Map<string, Value>([
      method(
        "Lambda",
        "__init__",
        "self, function, ~output_shape, ~mask, arguments=None, **",
        (c) => {
          for (const s of ["function", "arguments"]) self(c).attributes.set(s, c.value(s));
          return NONE;
        },
      ),
      method("Lambda", "call", "self, inputs", (c) => {
        const settings = self(c).attributes.get("arguments");
        const keywords = new Map<string, Value>();
        for (const e of settings?.kind === "dict" ? settings.entries.values() : []) {
          if (e.key.kind === "str") keywords.set(e.key.value, e.value);
        }
        const fn = self(c).attributes.get("function") ?? NONE;
        return call(c.vm, fn, [c.value("inputs")], keywords);
      }),
    ]),
  })!;
}

/** By name; `activations` are those that a layer may name. */
export function functionLayers(base: ClassValue, activations: Table): Map<string, ClassValue> {
  const made = layersOf(activations).map((l) => [l[0], layerClass(l, base)] as const);
  return new Map([...made, ["Lambda", lambdaClass(base)]]);
}
