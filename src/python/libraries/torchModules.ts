/** torch.nn: Module itself, containers, and the layers that are a function with settings. */
import {
  type BuiltinValue,
  type ClassValue,
  type DictValue,
  type InstanceValue,
  NONE,
  type TensorValue,
  type Value,
  bool,
  int,
  str,
  typeName,
} from "../values.ts";
import { findMethod, getAttribute, setIn } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import { changeItems, hashKey, makeList, setEntry } from "../interpreter/collections.ts";
import { iterate } from "../interpreter/iterate.ts";
import { getItem } from "../interpreter/subscripts.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { asConstant } from "../interpreter/naming.ts";
import { functional } from "./torchFunctional.ts";
import { instanceNorms } from "./torchNormalization.ts";
import { softmax } from "./torchMeanings.ts";
import { layerPads } from "./torchWindows.ts";
import { LEGACY, reductionOf } from "./torchLosses.ts";
import { type CallContext, type Meaning, type Table, builtin } from "./signature.ts";
import { weightedLayers } from "./torchWeighted.ts";
import { TYPES } from "./types.ts";
import { torchAliases, torchShared } from "./torch.ts";

function method(name: string, signature: string, meaning: Meaning): [string, BuiltinValue] {
  return [name, { ...builtin("Module.", name, [signature, meaning], "torch"), binds: true }];
}

const itself: Meaning = (c) => c.value("self");

function self(c: CallContext): InstanceValue {
  const v = c.value("self");
  return v.kind === "instance" ? v : c.bad("self", "a Module");
}

/** Calling a module runs its forward(). */
const callForward: BuiltinValue = {
  kind: "builtin",
  name: "Module.__call__",
  binds: true,
  call: (vm, { positional, keywords }) => {
    const [module, ...args] = positional;
    const forward = module === undefined ? null : findMethod(module, "forward");
    if (forward === null) {
      return vm.fail(
        "NotImplementedError",
        `Module [${module === undefined ? "" : typeName(module)}] is missing the required "forward" function`,
      );
    }
    return call(vm, forward, args, keywords);
  },
};

function setAttribute(c: CallContext): Value {
  const owner = self(c);
  setIn(c.vm, owner, owner.attributes, c.text("name"), c.value("value"));
  return NONE;
}

function children(c: CallContext): Value {
  const modules = [...self(c).attributes.values()].filter(
    (v) => v.kind === "instance" && v.cls.mro.includes(Module),
  );
  return makeList(c.vm, modules);
}

/** Those that nn.Parameter made, and weights of layers; buffers are none. */
const PARAMETERS = new WeakSet<TensorValue>();

function parametersOf(module: InstanceValue): Value[] {
  return [...module.attributes.values()].flatMap((v): Value[] => {
    if (v.kind === "tensor") return PARAMETERS.has(v) ? [v] : [];
    if (v.kind === "list") return v.items.flatMap((x) => (x.kind === "tensor" ? [x] : partsOf(x)));
    return partsOf(v);
  });
}

function partsOf(v: Value): Value[] {
  return v.kind === "instance" && v.cls.mro.includes(Module) ? parametersOf(v) : [];
}

export const Module: ClassValue = makeClass({
  name: "Module",
  bases: [],
  attributes: new Map<string, Value>([
    method("__init__", "self, *args, **", () => NONE),
    ["__call__", callForward],
    ["training", int(1)],
    method("register_buffer", "self, name, value=None, ~persistent, tensor=None", (c) =>
      c.given("tensor") ? setBuffer(c) : setAttribute(c),
    ),
    method("register_parameter", "self, name, value=None, param=None", setAttribute),
    method("add_module", "self, name, value", setAttribute),
    method("register_module", "self, name, value", setAttribute),
    method("train", "self, ~mode", itself),
    method("eval", "self", itself),
    method("to", "self, *args, **", itself),
    method("cuda", "self, ~device", itself),
    method("cpu", "self", itself),
    method("float", "self", itself),
    method("double", "self", itself),
    method("parameters", "self, ~recurse", (c) => makeList(c.vm, parametersOf(self(c)))),
    method("children", "self", children),
    method("modules", "self", children),
    method("requires_grad_", "self, ~requires_grad", itself),
    method("zero_grad", "self, ~set_to_none", () => NONE),
  ]),
})!;

function setBuffer(c: CallContext): Value {
  const owner = self(c);
  setIn(c.vm, owner, owner.attributes, c.text("name"), c.value("tensor"));
  return NONE;
}

/** torch.nn.modules.loss._Loss and _WeightedLoss, from which people derive their own losses. */
const Loss = makeClass({
  name: "_Loss",
  bases: [Module],
  attributes: new Map<string, Value>([
    method("__init__", `self, ${LEGACY}, reduction='mean'`, (c) => {
      self(c).attributes.set("reduction", str(reductionOf(c)));
      return NONE;
    }),
  ]),
})!;
const WeightedLoss = makeClass({
  name: "_WeightedLoss",
  bases: [Loss],
  attributes: new Map<string, Value>([
    method("__init__", `self, weight=None, ${LEGACY}, reduction='mean'`, (c) => {
      self(c).attributes.set("reduction", str(reductionOf(c)));
      self(c).attributes.set("weight", c.value("weight"));
      return NONE;
    }),
  ]),
})!;

/**
 * A layer that is a function of torch.nn.functional with its settings given beforehand:
 * [class, settings of the constructor, function, names of the arguments of forward].
 */
const LAYERS: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["ReLU", "~inplace", "relu", ["input"]],
  ["Sigmoid", "", "sigmoid", ["input"]],
  ["Tanh", "", "tanh", ["input"]],
  ["LogSigmoid", "", "logsigmoid", ["input"]],
  ["Softplus", "beta=1, threshold=20", "softplus", ["input"]],
  ["Softmax", "dim=None", "softmax", ["input"]],
  ["LogSoftmax", "dim=None", "log_softmax", ["input"]],
  ["LeakyReLU", "negative_slope=0.01, ~inplace", "leaky_relu", ["input"]],
  ["Hardtanh", "min_val=-1.0, max_val=1.0, ~inplace", "hardtanh", ["input"]],
  ["ReLU6", "~inplace", "relu6", ["input"]],
  ["Hardsigmoid", "~inplace", "hardsigmoid", ["input"]],
  ["ELU", "alpha=1.0, ~inplace", "elu", ["input"]],
  ["SiLU", "~inplace", "silu", ["input"]],
  ["Mish", "~inplace", "mish", ["input"]],
  ["Hardswish", "~inplace", "hardswish", ["input"]],
  ["SELU", "~inplace", "selu", ["input"]],
  ["CELU", "alpha=1.0, ~inplace", "celu", ["input"]],
  ["Softsign", "", "softsign", ["input"]],
  ["Softmax2d", "", "softmax2d", ["input"]],
  ["Softmin", "dim=None", "softmin", ["input"]],
  ["GLU", "dim=-1", "glu", ["input"]],
  ["GELU", "approximate='none'", "gelu", ["input"]],
  ["Hardshrink", "lambd=0.5", "hardshrink", ["input"]],
  ["Softshrink", "lambd=0.5", "softshrink", ["input"]],
  ["Tanhshrink", "", "tanhshrink", ["input"]],
  ["Threshold", "threshold=None, value=None, ~inplace", "threshold", ["input"]],
  ["Unflatten", "dim=None, unflattened_size=None", "unflatten", ["input"]],
  ["Unfold", "kernel_size=None, dilation=1, padding=0, stride=1", "unfold", ["input"]],
  ["PixelShuffle", "upscale_factor=None", "pixel_shuffle", ["input"]],
  ["PixelUnshuffle", "downscale_factor=None", "pixel_unshuffle", ["input"]],
  ["UpsamplingNearest2d", "size=None, scale_factor=None", "interpolate", ["input"]],
  ["UpsamplingBilinear2d", "size=None, scale_factor=None", "upsample_bilinear", ["input"]],
  ["Flatten", "start_dim=1, end_dim=-1", "flatten", ["input"]],
  ["CosineSimilarity", "dim=1, eps=1e-8", "cosine_similarity", ["x1", "x2"]],
  [
    "Upsample",
    "size=None, scale_factor=None, mode='nearest', align_corners=None",
    "interpolate",
    ["input"],
  ],
  ...["Dropout", "Dropout1d", "Dropout2d", "Dropout3d"].map(
    (name) => [name, "p=0.5, ~inplace", "dropout", ["input"]] as const,
  ),
  ...[1, 2, 3].flatMap((n) => [
    [
      `MaxPool${n}d`,
      "kernel_size=None, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False",
      `max_pool${n}d`,
      ["input"],
    ] as const,
    [
      `AvgPool${n}d`,
      "kernel_size=None, stride=None, padding=0, ceil_mode=False, count_include_pad=True",
      `avg_pool${n}d`,
      ["input"],
    ] as const,
    [`AdaptiveAvgPool${n}d`, "output_size=None", `adaptive_avg_pool${n}d`, ["input"]] as const,
  ]),
  ...[1, 2, 3].flatMap((n) =>
    ["Reflection", "Replication", "Circular", "Constant", "Zero"].map(
      (kind) =>
        [
          `${kind}Pad${n}d`,
          kind === "Constant" ? "padding=None, value=None" : "padding=None",
          `${kind.toLowerCase()}_pad${n}d`,
          ["input"],
        ] as const,
    ),
  ),
  ["SmoothL1Loss", `${LEGACY}, reduction='mean', beta=1.0`, "smooth_l1_loss", ["input", "target"]],
  ["SoftMarginLoss", `${LEGACY}, reduction='mean'`, "soft_margin_loss", ["input", "target"]],
  [
    "HingeEmbeddingLoss",
    `margin=1.0, ${LEGACY}, reduction='mean'`,
    "hinge_embedding_loss",
    ["input", "target"],
  ],
  [
    "MarginRankingLoss",
    `margin=0.0, ${LEGACY}, reduction='mean'`,
    "margin_ranking_loss",
    ["input1", "input2", "target"],
  ],
  [
    "MultiLabelSoftMarginLoss",
    `weight=None, ${LEGACY}, reduction='mean'`,
    "multilabel_soft_margin_loss",
    ["input", "target"],
  ],
  ["PairwiseDistance", "p=2.0, eps=1e-6, keepdim=False", "pairwise_distance", ["x1", "x2"]],
  [
    "TripletMarginLoss",
    `margin=1.0, p=2.0, eps=1e-6, swap=False, ${LEGACY}, reduction='mean'`,
    "triplet_margin_loss",
    ["anchor", "positive", "negative"],
  ],
  [
    "CosineEmbeddingLoss",
    `margin=0.0, ${LEGACY}, reduction='mean'`,
    "cosine_embedding_loss",
    ["input1", "input2", "target"],
  ],
  [
    "PoissonNLLLoss",
    "log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction='mean'",
    "poisson_nll_loss",
    ["input", "target"],
  ],
  [
    "GaussianNLLLoss",
    "full=False, eps=1e-6, reduction='mean'",
    "gaussian_nll_loss",
    ["input", "target", "var"],
  ],
  [
    "MultiMarginLoss",
    `p=1, margin=1.0, weight=None, ${LEGACY}, reduction='mean'`,
    "multi_margin_loss",
    ["input", "target"],
  ],
  // As they are made: their weights are 1 and their biases 0.
  [
    "LayerNorm",
    "normalized_shape=None, eps=1e-5, ~elementwise_affine, ~bias, ~device, ~dtype",
    "layer_norm",
    ["input"],
  ],
  [
    "GroupNorm",
    "num_groups=None, ~num_channels, eps=1e-5, ~affine, ~device, ~dtype",
    "group_norm",
    ["input"],
  ],
  ...[1, 2, 3].map(
    (n) =>
      [
        `InstanceNorm${n}d`,
        "~num_features, eps=1e-5, ~momentum, ~affine, !track_running_stats, ~device, ~dtype",
        `instance_norm${n}d`,
        ["input"],
      ] as const,
  ),
  ["HuberLoss", "reduction='mean', delta=1.0", "huber_loss", ["input", "target"]],
  ["KLDivLoss", `${LEGACY}, reduction='mean', log_target=False`, "kl_div", ["input", "target"]],
  ["MSELoss", `${LEGACY}, reduction='mean'`, "mse_loss", ["input", "target"]],
  ["L1Loss", `${LEGACY}, reduction='mean'`, "l1_loss", ["input", "target"]],
  [
    "BCELoss",
    `weight=None, ${LEGACY}, reduction='mean'`,
    "binary_cross_entropy",
    ["input", "target"],
  ],
  [
    "BCEWithLogitsLoss",
    `weight=None, ${LEGACY}, reduction='mean', pos_weight=None`,
    "binary_cross_entropy_with_logits",
    ["input", "target"],
  ],
  [
    "CrossEntropyLoss",
    "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
    "cross_entropy",
    ["input", "target"],
  ],
  ...["NLLLoss", "NLLLoss2d"].map(
    (name) =>
      [
        name,
        "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
        "nll_loss",
        ["input", "target"],
      ] as const,
  ),
];

const FUNCTIONS: Table = {
  ...functional,
  ...instanceNorms,
  ...layerPads,
  flatten: torchShared["flatten"]!,
  unflatten: ["input, dim, unflattened_size", torchShared["unflatten"]![1]],
  softmax2d: ["input, dim=-3", (c) => softmax(c, false)],
};

function layer([name, settings, fn, inputs]: (typeof LAYERS)[number]): ClassValue {
  const names = [...settings.matchAll(/(?:^|, )(\w+)=/g)].map((m) => m[1]!);
  // What they say is in `reduction` once a module is made, as it is in PyTorch.
  const kept = names.filter((n) => n !== "size_average" && n !== "reduce");
  const implementation = builtin("F.", fn, FUNCTIONS[fn]!, "torch", torchAliases);
  return makeClass({
    name,
    bases: [Module],
    attributes: new Map<string, Value>([
      method("__init__", settings === "" ? "self" : `self, ${settings}`, (c) => {
        for (const n of kept) self(c).attributes.set(n, asConstant(n, c.value(n)));
        if (names.includes("reduce")) self(c).attributes.set("reduction", str(reductionOf(c)));
        return NONE;
      }),
      method("forward", `self, ${inputs.join(", ")}`, (c) => {
        const keywords = new Map<string, Value>();
        for (const n of kept) {
          const v = self(c).attributes.get(n);
          if (v !== undefined && v.kind !== "none") keywords.set(n, v);
        }
        return call(
          c.vm,
          implementation,
          inputs.map((n) => c.value(n)),
          keywords,
        );
      }),
    ]),
  })!;
}

const Identity = makeClass({
  name: "Identity",
  bases: [Module],
  attributes: new Map<string, Value>([
    method("__init__", "self, *args, **", () => NONE),
    method("forward", "self, input", (c) => c.value("input")),
  ]),
})!;

/** The modules of a container, in order. */
function contents(vm: Interpreter, v: Value): readonly Value[] {
  const items = v.kind === "instance" ? v.attributes.get("_items") : undefined;
  return items?.kind === "list" ? items.items : vm.fail("TypeError", "not a container of modules");
}

function container(name: string, signature: string, forward: Meaning | null): ClassValue {
  return makeClass({
    name,
    bases: [Module],
    attributes: new Map<string, Value>([
      method("__init__", signature, (c) => {
        const given = c.list("modules");
        const only = given[0];
        const items = given.length === 1 && only?.kind === "list" ? only.items : given;
        self(c).attributes.set("_items", makeList(c.vm, items));
        return NONE;
      }),
      method("__len__", "self", (c) => int(contents(c.vm, c.value("self")).length)),
      method("__iter__", "self", (c) => makeList(c.vm, contents(c.vm, c.value("self")))),
      method("__getitem__", "self, key", (c) => {
        const items = contents(c.vm, c.value("self"));
        const k = c.int("key");
        return items.at(k) ?? c.vm.fail("IndexError", `index ${k} is out of range`);
      }),
      method("append", "self, module", (c) => {
        const list = self(c).attributes.get("_items");
        if (list?.kind === "list") changeItems(c.vm, list, [...list.items, c.value("module")]);
        return c.value("self");
      }),
      method("extend", "self, modules", (c) => {
        const list = self(c).attributes.get("_items");
        if (list?.kind === "list") {
          changeItems(c.vm, list, [...list.items, ...iterate(c.vm, c.value("modules"))]);
        }
        return c.value("self");
      }),
      ...(forward === null ? [] : [method("forward", "self, input", forward)]),
    ]),
  })!;
}

/** The modules of a dictionary of modules. */
function namedContents(c: CallContext): DictValue {
  const v = c.value("self");
  const items = v.kind === "instance" ? v.attributes.get("_items") : undefined;
  return items?.kind === "dict" ? items : c.vm.fail("TypeError", "not a dictionary of modules");
}

const ModuleDict = makeClass({
  name: "ModuleDict",
  bases: [Module],
  attributes: new Map<string, Value>([
    method("__init__", "self, modules=None", (c) => {
      const given = c.value("modules");
      const pairs = given.kind === "none" ? [] : [given];
      const items = call(c.vm, TYPES.get("dict")!, pairs);
      self(c).attributes.set("_items", items);
      return NONE;
    }),
    method("__len__", "self", (c) => int(namedContents(c).entries.size)),
    method("__getitem__", "self, key", (c) => getItem(c.vm, namedContents(c), c.value("key"))),
    method("__setitem__", "self, key, module", (c) => {
      setEntry(c.vm, namedContents(c), c.value("key"), c.value("module"));
      return NONE;
    }),
    method("__iter__", "self", (c) =>
      makeList(
        c.vm,
        [...namedContents(c).entries.values()].map((e) => e.key),
      ),
    ),
    method("__contains__", "self, key", (c) =>
      bool(namedContents(c).entries.has(hashKey(c.vm, c.value("key")))),
    ),
    ...["items", "keys", "values"].map((name) =>
      method(name, "self", (c) => call(c.vm, getAttribute(c.vm, namedContents(c), name), [])),
    ),
  ]),
})!;

const Sequential = container("Sequential", "self, *modules", (c) =>
  contents(c.vm, c.value("self")).reduce<Value>(
    (x, module) => call(c.vm, module, [x]),
    c.value("input"),
  ),
);
const ModuleList = container("ModuleList", "self, *modules", null);
const ParameterList = container("ParameterList", "self, *modules", null);

/** nn.Parameter(x) is x. */
const Parameter: BuiltinValue = builtin(
  "nn.",
  "Parameter",
  [
    "data, ~requires_grad",
    (c) => {
      const data = c.tensor("data");
      PARAMETERS.add(data);
      return data;
    },
  ],
  "torch",
);

export const nnClasses: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["Module", Module],
  ["_Loss", Loss],
  ["_WeightedLoss", WeightedLoss],
  ["Identity", Identity],
  ["Sequential", Sequential],
  ["ModuleList", ModuleList],
  ["ModuleDict", ModuleDict],
  ["ParameterList", ParameterList],
  ["Parameter", Parameter],
  ...weightedLayers(method, Module, (t) => PARAMETERS.add(t)).map((cls): [string, Value] => [
    cls.name,
    cls,
  ]),
  ...LAYERS.map((l): [string, Value] => [l[0], layer(l)]),
]);
