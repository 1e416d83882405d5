/** Keras's modules, under `keras` and under `tensorflow.keras`; and what its own sources import. */
import { findMethod } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import { makeDict } from "../interpreter/collections.ts";
import { normalizeDim } from "../../expression/axis.ts";
import {
  type BuiltinValue,
  type ClassValue,
  NONE,
  type Value,
  int,
  namedTuple,
  str,
  typeName,
} from "../values.ts";
import { poolingLayers } from "./channelsLast.ts";
import { kerasOwnActivations } from "./kerasActivations.ts";
import { backendFunctions, configFunctions } from "./kerasBackend.ts";
import { functionLayers } from "./kerasLayers.ts";
import { Loss, LossFunctionWrapper, method, sameRankPair } from "./kerasLoss.ts";
import { lossClasses, lossFunctions } from "./kerasLosses.ts";
import { normalize, opsFunctions } from "./kerasOps.ts";
import { kerasAliases } from "./kerasNumpy.ts";
import { floatx } from "./kerasSettings.ts";
import { type Modules, type OtherNames, decoratorFactory } from "./model.ts";
import { type CallContext, type Table } from "./signature.ts";
import { kerasImages } from "./tensorflowImages.ts";
import * as t from "./tensorflowMeanings.ts";
import * as shapes from "./tensorflowShapes.ts";

// Classes

/** The reductions as Keras 2 names them. */
const Reduction: ClassValue = makeClass({
  name: "Reduction",
  bases: [],
  attributes: new Map<string, Value>([
    ["AUTO", str("auto")],
    ["NONE", str("none")],
    ["SUM", str("sum")],
    ["SUM_OVER_BATCH_SIZE", str("sum_over_batch_size")],
  ]),
})!;

/** A layer computes what its call() says. */
const Layer: ClassValue = makeClass({
  name: "Layer",
  bases: [],
  attributes: new Map<string, Value>([
    method("Layer", "__init__", "self, *args, **", () => NONE),
    [
      "__call__",
      {
        kind: "builtin",
        name: "Layer.__call__",
        binds: true,
        call: (vm, { positional, keywords }) => {
          const [layer, ...args] = positional;
          const inner = layer === undefined ? null : findMethod(layer, "call");
          if (inner === null) {
            const name = layer === undefined ? "Layer" : typeName(layer);
            return vm.fail("NotImplementedError", `${name} has no call() of its own`);
          }
          return call(vm, inner, args, keywords);
        },
      },
    ],
  ]),
})!;

// Functions

const activations: Table = {
  ...Object.fromEntries(
    "sigmoid softmax relu relu6 tanh softplus elu silu swish log_sigmoid log_softmax leaky_relu"
      .split(" ")
      .map((n) => [n, opsFunctions[n]!] as const),
  ),
  ...kerasOwnActivations,
};

const layers: ReadonlyMap<string, ClassValue> = new Map([
  ["Layer", Layer],
  ...functionLayers(Layer, activations),
  ...poolingLayers(Layer),
]);

const utils: Table = {
  to_categorical: [
    "x, num_classes=None, dtype=None",
    (c) => {
      if (!c.given("num_classes")) {
        return c.vm.unsupported(
          "to_categorical() without num_classes takes it from the largest value in the array",
          "Name it: to_categorical(y, num_classes=n).",
        );
      }
      return shapes.oneHot(c, "num_classes", t.dtypeArgument(c) ?? floatx(c.vm), "x");
    },
  ],
  normalize: ["x, axis=-1, order=2, !epsilon", normalize],
  get_custom_objects: ["", (c) => makeDict(c.vm)],
};

/** `tree`: structures of tensors, which losses may be given. */
const tree: Table = {
  map_structure: [
    "func, *structures, **",
    (c) => mapStructure(c, c.value("func"), c.list("structures")),
  ],
  map_structure_up_to: [
    "shallow_structure, func, *structures, **",
    (c) => mapUpTo(c, c.value("shallow_structure"), c.value("func"), c.list("structures")),
  ],
};

function itemsIn(v: Value): readonly Value[] | null {
  return v.kind === "list" || v.kind === "tuple" ? v.items : null;
}

function mapStructure(c: CallContext, fn: Value, structures: readonly Value[]): Value {
  return mapUpTo(c, structures[0] ?? NONE, fn, structures);
}

function mapUpTo(c: CallContext, shallow: Value, fn: Value, structures: readonly Value[]): Value {
  const items = itemsIn(shallow);
  if (items === null) return call(c.vm, fn, structures);
  const mapped = items.map((x, k) =>
    mapUpTo(
      c,
      x,
      fn,
      structures.map((s) => itemsIn(s)?.[k] ?? c.bad("structures", "of one form")),
    ),
  );
  return { kind: "tuple", items: mapped };
}

const sources: Readonly<Record<string, Table>> = {
  "backend.common.backend_utils": {
    canonicalize_axis: [
      "axis, num_dims",
      (c) => int(normalizeDim(c.int("axis"), c.int("num_dims"))),
    ],
  },
  "saving.serialization_lib": { serialize_keras_object: ["obj", (c) => c.value("obj")] },
  "utils.numerical_utils": { normalize: ["x, axis=-1, order=2, !epsilon", normalize] },
};

const register: BuiltinValue = decoratorFactory("register_keras_serializable");

const lossNames: OtherNames = (name) => {
  switch (name) {
    case "Loss":
      return Loss;
    case "Reduction":
      return Reduction;
    default:
      return lossClasses.get(name);
  }
};

/** Precision is that of Keras's floatx: a policy of half precision is no matter of the formula. */
const mixedPrecision: Table = {
  global_policy: [
    "",
    (c) => {
      const name = str(floatx(c.vm));
      return namedTuple("DTypePolicy", { name, compute_dtype: name, variable_dtype: name });
    },
  ],
};

/** Keras below one of the names it goes by. */
export function defineKeras(modules: Modules, root: string): void {
  const define: Modules["define"] = (name, ...rest) => {
    modules.define(`${root}.${name}`, ...rest);
  };
  modules.define(root, [], (name) => (name === "Loss" ? Loss : undefined));
  define("backend", [backendFunctions]);
  define("config", [configFunctions]);
  define("ops", [opsFunctions], undefined, kerasAliases);
  define("ops.image", [kerasImages]);
  for (const part of ["nn", "numpy", "linalg"]) {
    define(`ops.${part}`, [opsFunctions], undefined, kerasAliases);
  }
  define("losses", [lossFunctions], lossNames);
  define("losses.losses_utils", [], (name) => (name === "ReductionV2" ? Reduction : undefined));
  define("metrics", [lossFunctions]);
  define("activations", [activations]);
  define("layers", [], (name) => layers.get(name));
  define("mixed_precision", [mixedPrecision]);
  define("tree", [tree]);
  define("saving", [], (name) => (name === register.name ? register : undefined));
  define("utils", [utils], (name) => (name === register.name ? register : undefined));
}

/** What keras/src/losses/losses.py imports; the losses themselves are traced from that file. */
export function defineKerasSources(modules: Modules): void {
  modules.define("keras.src", []);
  modules.define("keras.src.backend", [backendFunctions]);
  modules.define("keras.src.backend.common", []);
  modules.define("keras.src.ops", [opsFunctions], undefined, kerasAliases);
  modules.define("keras.src.tree", [tree]);
  modules.define("keras.src.saving", []);
  modules.define("keras.src.utils", [utils]);
  modules.define("keras.src.api_export", [], (name) =>
    name === "keras_export" ? decoratorFactory(name) : undefined,
  );
  modules.define(
    "keras.src.losses.loss",
    [{ squeeze_or_expand_to_same_rank: ["x1, x2, ~expand_rank_1", sameRankPair] }],
    (name) =>
      name === "Loss" ? Loss : name === "LossFunctionWrapper" ? LossFunctionWrapper : undefined,
  );
  for (const [name, table] of Object.entries(sources)) {
    modules.define(`keras.src.${name}`, [table]);
  }
}
