/** PyTorch's modules, and the methods of its tensors. */
import { specialElementwise } from "./torchElementwise.ts";
import { makeClass } from "../interpreter/classes.ts";
import { type BuiltinValue, type ClassValue, FALSE, str } from "../values.ts";
import { type DType, defaultFloat } from "../dtypes.ts";
import { dtypeNamed } from "./dtypeNames.ts";
import { finfo } from "./finfo.ts";
import { linalg } from "./linalg.ts";
import { mathConstant } from "./math.ts";
import {
  type LibraryModel,
  Modules,
  type OtherNames,
  arrayType,
  identityDecorator,
} from "./model.ts";
import { type Table, builtin } from "./signature.ts";
import { Function } from "./torchAutograd.ts";
import {
  inPlaceEntry,
  torchAliases,
  torchAttribute,
  torchFunctions,
  torchInPlace,
  torchMethods,
  torchShared,
} from "./torch.ts";
import { checkFunctions, reductionNames, typeFunctions } from "./torchTypes.ts";
import { functional } from "./torchFunctional.ts";
import { initializers } from "./torchWeighted.ts";
import { LEGACY_TYPES, legacyTensor } from "./torchMeanings.ts";
import { nnClasses } from "./torchModules.ts";

/** `torch.Tensor([0.1, 0.9])` has the default type, whatever its entries. */
const Tensor = arrayType("torch", "Tensor", (vm, args) =>
  legacyTensor(vm, args.positional, defaultFloat("torch")),
);

/**
 * `torch.FloatTensor` and its like: types to convert to and to ask for, and makers of arrays, from
 * entries in a list or from sizes.
 */
function legacyType(name: string, dtype: DType): ClassValue {
  return makeClass({
    name,
    bases: [],
    attributes: new Map(),
    native: {
      matches: (v) => v.kind === "tensor" && v.library === "torch" && v.dtype === dtype,
      construct: (vm, args) => legacyTensor(vm, args.positional, dtype),
    },
  })!;
}

/** Functions of torch.nn.functional that are in torch under the same name, with the same arguments. */
const ALSO_IN_TORCH = [
  ...["conv1d", "conv2d", "conv3d", "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d"],
  ...["adaptive_avg_pool1d", "cosine_similarity", "pairwise_distance", "layer_norm", "group_norm"],
  ...["threshold", "selu", "celu", "prelu", "hardshrink", "pixel_shuffle", "pixel_unshuffle"],
];
const fromFunctional = Object.fromEntries(ALSO_IN_TORCH.map((name) => [name, functional[name]!]));

/** `torch.relu_(x)` is `x.relu_()`. */
function inPlaceFunction(prefix: string, table: Table, name: string): BuiltinValue | undefined {
  const plain = name.replace(/_$/, "");
  const entry = Object.hasOwn(table, plain) ? table[plain]! : undefined;
  if (plain === name || entry === undefined || !/^input\b/.test(entry[0])) return undefined;
  return builtin(prefix, name, inPlaceEntry(entry), "torch", torchAliases);
}

const others: OtherNames = (name) => {
  switch (name) {
    case "Tensor":
      return Tensor;
    case "finfo":
      return finfo;
    case "__version__":
      return str("2.13.0");
    default:
      if (Object.hasOwn(LEGACY_TYPES, name)) return legacyType(name, LEGACY_TYPES[name]!);
      return (
        mathConstant(name) ??
        dtypeNamed("torch", name) ??
        (torchInPlace.has(name.replace(/_$/, ""))
          ? inPlaceFunction("torch.", torchShared, name)
          : undefined)
      );
  }
};

const special: Table = {
  ...specialElementwise,
  expit: torchShared["sigmoid"]!,
  exp: torchShared["exp"]!,
  log1p: torchShared["log1p"]!,
  expm1: torchShared["expm1"]!,
  softmax: torchShared["softmax"]!,
  log_softmax: torchShared["log_softmax"]!,
};

const cudaFunctions: Table = { is_available: ["", () => FALSE] };

const ACTIVATIONS_IN_PLACE = new Set([
  ...["relu_", "leaky_relu_", "elu_", "selu_", "celu_", "hardtanh_", "threshold_"],
]);

const nnNames: OtherNames = (name) => nnClasses.get(name);

const modules = new Modules("torch");
modules.define(
  "torch",
  [torchFunctions, torchShared, fromFunctional, typeFunctions, checkFunctions],
  others,
  torchAliases,
);
modules.define("torch.nn", [], nnNames);
modules.define("torch.nn._reduction", [reductionNames]);
modules.define(
  "torch.nn.functional",
  [functional],
  (name) =>
    name === "_Reduction"
      ? modules.get("torch.nn._reduction")
      : ACTIVATIONS_IN_PLACE.has(name)
        ? inPlaceFunction("F.", functional, name)
        : undefined,
  torchAliases,
);
modules.define("torch.nn.modules", [], nnNames);
modules.define("torch.nn.modules.loss", [], nnNames);
modules.define("torch.nn.init", [initializers], undefined, torchAliases);
modules.define("torch.nn.parameter", [], nnNames);
modules.define("torch.special", [special], undefined, torchAliases);
modules.define("torch.linalg", [linalg], undefined, torchAliases);
modules.define("torch.autograd", [], (name) =>
  name === "Variable" ? identityDecorator("Variable") : name === "Function" ? Function : undefined,
);
modules.define("torch.autograd.function", [], (name) =>
  name === "Function" || name === "InplaceFunction" || name === "NestedIOFunction"
    ? Function
    : name === "once_differentiable"
      ? identityDecorator(name)
      : undefined,
);
/** Code under inspection runs eagerly, in one process. */
const never = (...names: string[]): Table =>
  Object.fromEntries(names.map((name) => [name, ["", () => FALSE] as const]));

modules.define("torch.jit", [never("is_scripting", "is_tracing")], (name) =>
  ["script", "ignore", "unused", "export"].includes(name) ? identityDecorator(name) : undefined,
);
modules.define("torch.cuda", [cudaFunctions]);
modules.define("torch.compiler", [never("is_compiling", "is_dynamo_compiling", "is_exporting")]);
modules.define("torch.onnx", [never("is_in_onnx_export")]);
modules.define("torch._C", [never("_are_functorch_transforms_active", "_get_tracing_state")]);
modules.define("torch._C._functorch", [never("is_batchedtensor", "is_gradtrackingtensor")]);
modules.define("torch.distributed", [never("is_initialized")]);
for (const name of ["torch.cuda.amp", "torch.amp"]) {
  modules.define(name, [], (attribute) =>
    attribute === "autocast"
      ? modules.get("torch")!.get("autocast")
      : attribute === "custom_fwd" || attribute === "custom_bwd"
        ? identityDecorator(attribute)
        : undefined,
  );
}

function method(name: string): BuiltinValue | null {
  for (const table of [torchMethods, torchShared]) {
    if (Object.hasOwn(table, name)) {
      return builtin("Tensor.", name, table[name]!, "torch", torchAliases);
    }
  }
  const plain = name.replace(/_$/, "");
  if (plain !== name && torchInPlace.has(plain)) {
    return builtin("Tensor.", name, inPlaceEntry(torchShared[plain]!), "torch", torchAliases);
  }
  return null;
}

export const TORCH: LibraryModel = { modules: modules.all, method, attribute: torchAttribute };
