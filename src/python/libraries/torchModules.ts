/** torch.nn: Module itself, containers, and the layers that are a function with settings. */
import {
  type BuiltinValue,
  type ClassValue,
  type InstanceValue,
  NONE,
  type Value,
  int,
  typeName,
} from "../values.ts";
import { findMethod, setIn } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import { makeList } from "../interpreter/collections.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { asConstant } from "../interpreter/naming.ts";
import { functional } from "./torchFunctional.ts";
import { type CallContext, type Meaning, builtin } from "./signature.ts";
import { torchAliases } from "./torch.ts";

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
    method("__init__", "self, ~size_average, ~reduce, reduction='mean'", (c) => {
      self(c).attributes.set("reduction", c.value("reduction"));
      return NONE;
    }),
  ]),
})!;
const WeightedLoss = makeClass({
  name: "_WeightedLoss",
  bases: [Loss],
  attributes: new Map<string, Value>([
    method("__init__", "self, weight=None, ~size_average, ~reduce, reduction='mean'", (c) => {
      self(c).attributes.set("reduction", c.value("reduction"));
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
  ["MSELoss", "size_average=None, reduce=None, reduction='mean'", "mse_loss", ["input", "target"]],
  ["L1Loss", "size_average=None, reduce=None, reduction='mean'", "l1_loss", ["input", "target"]],
  [
    "BCELoss",
    "weight=None, size_average=None, reduce=None, reduction='mean'",
    "binary_cross_entropy",
    ["input", "target"],
  ],
  [
    "BCEWithLogitsLoss",
    "weight=None, size_average=None, reduce=None, reduction='mean', pos_weight=None",
    "binary_cross_entropy_with_logits",
    ["input", "target"],
  ],
  [
    "CrossEntropyLoss",
    "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
    "cross_entropy",
    ["input", "target"],
  ],
  [
    "NLLLoss",
    "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
    "nll_loss",
    ["input", "target"],
  ],
];

function layer([name, settings, fn, inputs]: (typeof LAYERS)[number]): ClassValue {
  const names = [...settings.matchAll(/(?:^|, )(\w+)=/g)].map((m) => m[1]!);
  const implementation = builtin("F.", fn, functional[fn]!, "torch", torchAliases);
  return makeClass({
    name,
    bases: [Module],
    attributes: new Map<string, Value>([
      method("__init__", settings === "" ? "self" : `self, ${settings}`, (c) => {
        for (const n of names) self(c).attributes.set(n, asConstant(n, c.value(n)));
        return NONE;
      }),
      method("forward", `self, ${inputs.join(", ")}`, (c) => {
        const keywords = new Map<string, Value>();
        for (const n of names) {
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
      ...(forward === null ? [] : [method("forward", "self, input", forward)]),
    ]),
  })!;
}

const Sequential = container("Sequential", "self, *modules", (c) =>
  contents(c.vm, c.value("self")).reduce<Value>(
    (x, module) => call(c.vm, module, [x]),
    c.value("input"),
  ),
);
const ModuleList = container("ModuleList", "self, *modules", null);

/** nn.Parameter(x) is x. */
const Parameter: BuiltinValue = builtin(
  "nn.",
  "Parameter",
  ["data, ~requires_grad", (c) => c.tensor("data")],
  "torch",
);

export const nnClasses: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["Module", Module],
  ["_Loss", Loss],
  ["_WeightedLoss", WeightedLoss],
  ["Identity", Identity],
  ["Sequential", Sequential],
  ["ModuleList", ModuleList],
  ["Parameter", Parameter],
  ...LAYERS.map((l): [string, Value] => [l[0], layer(l)]),
]);
