/** Which modules the tracer knows, and what is in each. */
import { makeClass } from "../interpreter/classes.ts";
import type { Interpreter, Libraries } from "../interpreter/interpreter.ts";
import {
  type BuiltinValue,
  type ClassValue,
  type ModuleValue,
  NONE,
  type OpaqueValue,
  type TensorValue,
  type Value,
  float,
  str,
} from "../values.ts";
import type { Library } from "../dtypes.ts";
import { vectorNorm } from "./common.ts";
import { BUILTINS } from "./builtins.ts";
import { dtypeNamed } from "./dtypeNames.ts";
import { mathConstants, mathFunctions } from "./math.ts";
import { valueAttribute } from "./methods.ts";
import { numpyAttribute, numpyFunctions, numpyMethodNames, numpyMethods } from "./numpy.ts";
import { type Aliases, type Table, builtin } from "./signature.ts";
import { standardModules } from "./standard.ts";
import {
  inPlaceEntry,
  torchAliases,
  torchAttribute,
  torchFunctions,
  torchInPlace,
  torchMethods,
  torchShared,
} from "./torch.ts";
import { functional } from "./torchFunctional.ts";
import { nnClasses } from "./torchModules.ts";
import { ARRAY_TYPES } from "./types.ts";

/** Names of a module, each made when it is first asked for. */
class LibraryModule implements ModuleValue {
  readonly kind = "module" as const;
  readonly name: string;
  readonly file = null;
  readonly scope = null;
  private readonly tables: readonly Table[];
  private readonly library: Library;
  private readonly others: (name: string) => Value | undefined;
  private readonly aliases: Aliases;
  private readonly known = new Map<string, Value>();

  constructor(
    name: string,
    library: Library,
    tables: readonly Table[],
    others: (name: string) => Value | undefined,
    aliases: Aliases = {},
  ) {
    this.name = name;
    this.library = library;
    this.tables = tables;
    this.others = others;
    this.aliases = aliases;
  }

  readonly get = (name: string): Value => {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const made = this.make(name);
    this.known.set(name, made);
    return made;
  };

  readonly names = (): Iterable<string> => this.tables.flatMap((t) => Object.keys(t));

  private make(name: string): Value {
    for (const table of this.tables) {
      if (Object.hasOwn(table, name)) {
        return builtin(`${this.name}.`, name, table[name]!, this.library, this.aliases);
      }
    }
    return this.others(name) ?? this.unknown(name);
  }

  private unknown(name: string): OpaqueValue {
    return {
      kind: "opaque",
      name: `${this.name}.${name}`,
      reason: "there is no model of what it computes yet",
    };
  }
}

function arrayType(library: Library, name: string): ClassValue {
  const cls = makeClass({
    name,
    bases: [],
    attributes: new Map(),
    native: {
      matches: (v) => v.kind === "tensor" && v.library === library,
      construct: (vm) =>
        vm.unsupported(`${name}(…) is not supported`, "Use torch.tensor or np.array."),
    },
  })!;
  ARRAY_TYPES.set(library, cls);
  return cls;
}

const ndarray = arrayType("numpy", "ndarray");
const Tensor = arrayType("torch", "Tensor");

/** `torch.FloatTensor` as a type to convert to. */
function legacyType(name: string): ClassValue {
  return makeClass({
    name,
    bases: [],
    attributes: new Map(),
    native: {
      construct: (vm) => vm.unsupported(`torch.${name}(…) is not supported`, "Use torch.tensor."),
    },
  })!;
}

const FINFO: Readonly<Record<string, readonly [eps: number, max: number, tiny: number]>> = {
  float64: [2 ** -52, Number.MAX_VALUE, 2 ** -1022],
  float32: [2 ** -23, (2 - 2 ** -23) * 2 ** 127, 2 ** -126],
  float16: [2 ** -10, 65504, 2 ** -14],
  bfloat16: [2 ** -7, (2 - 2 ** -7) * 2 ** 127, 2 ** -126],
};

/** finfo(dtype) has eps, max, min and tiny. */
const finfo: BuiltinValue = {
  kind: "builtin",
  name: "finfo",
  call: (vm, { positional }) => {
    const v = positional[0];
    const name = v?.kind === "dtype" ? v.dtype : v?.kind === "class" ? "float64" : "float32";
    const [eps, max, tiny] = FINFO[name] ?? vm.fail("TypeError", `finfo() of ${name}`);
    return {
      kind: "instance",
      cls: FINFO_CLASS,
      attributes: new Map<string, Value>([
        ["eps", float(eps)],
        ["max", float(max)],
        ["min", float(-max)],
        ["tiny", float(tiny)],
        ["smallest_normal", float(tiny)],
      ]),
      born: vm.epoch,
    };
  },
};
const FINFO_CLASS = makeClass({ name: "finfo", bases: [], attributes: new Map() })!;

/** `with np.errstate(…)`: settings about warnings. */
const errstate: BuiltinValue = {
  kind: "builtin",
  name: "errstate",
  call: () => ({ kind: "context", name: "np.errstate()", effect: "none" }),
};

const numpyOthers = (name: string): Value | undefined => {
  switch (name) {
    case "ndarray":
      return ndarray;
    case "newaxis":
      return NONE;
    case "finfo":
      return finfo;
    case "errstate":
      return errstate;
    case "linalg":
      return MODULES.get("numpy.linalg");
    case "__version__":
      return str("2.0.0");
    default:
      return constant(name) ?? dtypeNamed("numpy", name);
  }
};

function constant(name: string): Value | undefined {
  return Object.hasOwn(mathConstants, name) ? mathConstants[name] : undefined;
}

const linalg: Table = {
  norm: [
    "x, ord=None, axis=None, keepdims=False",
    (c) =>
      vectorNorm(
        c,
        c.tensor("x"),
        c.given("ord") ? c.number("ord") : 2,
        c.dims("axis"),
        c.flag("keepdims"),
      ),
  ],
  vector_norm: [
    "x, ord=2, dim=None, keepdim=False, dtype=None",
    (c) => vectorNorm(c, c.tensor("x"), c.number("ord"), c.dims("dim"), c.flag("keepdim")),
  ],
};

const torchOthers = (name: string): Value | undefined => {
  switch (name) {
    case "Tensor":
      return Tensor;
    case "FloatTensor":
    case "DoubleTensor":
    case "HalfTensor":
    case "LongTensor":
    case "IntTensor":
    case "ByteTensor":
    case "BoolTensor":
      return legacyType(name);
    case "finfo":
      return finfo;
    case "nn":
    case "special":
    case "linalg":
    case "autograd":
    case "jit":
    case "cuda":
    case "amp":
      return MODULES.get(`torch.${name}`);
    case "__version__":
      return str("2.0.0");
    default:
      return constant(name) ?? dtypeNamed("torch", name);
  }
};

const identityDecorator = (name: string): BuiltinValue => ({
  kind: "builtin",
  name,
  call: (_vm, { positional }) => positional[0] ?? identityDecorator(name),
});

const special: Table = {
  expit: torchShared["sigmoid"]!,
  exp: torchShared["exp"]!,
  log1p: torchShared["log1p"]!,
  expm1: torchShared["expm1"]!,
  softmax: torchShared["softmax"]!,
  log_softmax: torchShared["log_softmax"]!,
};

const cudaFunctions: Table = {
  is_available: ["", () => ({ kind: "number", type: "bool", value: 0, symbol: null, axes: null })],
};

const MODULES = new Map<string, ModuleValue>();

function define(
  name: string,
  library: Library,
  tables: readonly Table[],
  others: (name: string) => Value | undefined,
  aliases?: Aliases,
): void {
  MODULES.set(name, new LibraryModule(name, library, tables, others, aliases));
}

define("numpy", "numpy", [numpyFunctions], numpyOthers);
define("numpy.linalg", "numpy", [linalg], () => undefined);
define("torch", "torch", [torchFunctions, torchShared], torchOthers, torchAliases);
define("torch.nn", "torch", [], (name) =>
  name === "functional" || name === "modules" || name === "parameter"
    ? MODULES.get(`torch.nn.${name}`)
    : nnClasses.get(name),
);
define("torch.nn.functional", "torch", [functional], () => undefined, torchAliases);
define("torch.nn.modules", "torch", [], (name) =>
  name === "loss" ? MODULES.get("torch.nn.modules.loss") : nnClasses.get(name),
);
define("torch.nn.modules.loss", "torch", [], (name) => nnClasses.get(name));
define("torch.nn.parameter", "torch", [], (name) => nnClasses.get(name));
define("torch.special", "torch", [special], () => undefined, torchAliases);
define("torch.linalg", "torch", [linalg], () => undefined, torchAliases);
define("torch.autograd", "torch", [], (name) =>
  name === "Variable" ? identityDecorator("Variable") : undefined,
);
define("torch.jit", "torch", [], (name) =>
  ["script", "ignore", "unused", "export"].includes(name) ? identityDecorator(name) : undefined,
);
define("torch.cuda", "torch", [cudaFunctions], (name) =>
  name === "amp" ? MODULES.get("torch.cuda.amp") : undefined,
);
for (const name of ["torch.cuda.amp", "torch.amp"]) {
  define(name, "torch", [], (attribute) =>
    attribute === "autocast" ? MODULES.get("torch")!.get("autocast") : undefined,
  );
}
define("math", "numpy", [mathFunctions], constant);
for (const [name, contents] of Object.entries(standardModules)) {
  define(name, "numpy", [], (attribute) =>
    Object.hasOwn(contents, attribute) ? contents[attribute] : undefined,
  );
}
define("numbers", "numpy", [], (name) =>
  name === "Number" || name === "Real"
    ? NUMBER
    : name === "Integral"
      ? BUILTINS.get("int")
      : undefined,
);

const NUMBER = makeClass({
  name: "Number",
  bases: [],
  attributes: new Map(),
  native: { matches: (v) => v.kind === "number" },
})!;

// Methods of arrays

const methodCache = new Map<string, BuiltinValue | null>();

function tensorMethod(library: Library, name: string): BuiltinValue | null {
  const key = `${library}.${name}`;
  const known = methodCache.get(key);
  if (known !== undefined) return known;
  const made = makeMethod(library, name);
  methodCache.set(key, made);
  return made;
}

function makeMethod(library: Library, name: string): BuiltinValue | null {
  if (library === "torch") {
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
  if (library === "numpy") {
    if (Object.hasOwn(numpyMethods, name)) {
      return builtin("ndarray.", name, numpyMethods[name]!, "numpy");
    }
    return (numpyMethodNames as readonly string[]).includes(name)
      ? builtin("ndarray.", name, numpyFunctions[name]!, "numpy")
      : null;
  }
  return null;
}

function tensorAttribute(vm: Interpreter, t: TensorValue, name: string): Value | undefined {
  const own = t.library === "torch" ? torchAttribute(vm, t, name) : numpyAttribute(vm, t, name);
  if (own !== undefined) return own;
  if (name === "__class__") return ARRAY_TYPES.get(t.library);
  const method = tensorMethod(t.library, name);
  return method === null ? undefined : { kind: "method", self: t, callee: method };
}

export const LIBRARIES: Libraries = {
  builtins: BUILTINS,
  module: (name) => MODULES.get(name),
  tensorAttribute,
  hasMethod: (library, name) => tensorMethod(library, name) !== null,
  attribute: valueAttribute,
};
