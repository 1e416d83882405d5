/** TensorFlow's modules, Keras's among them, and the methods of its tensors. */
import { makeClass } from "../interpreter/classes.ts";
import { type BuiltinValue, type ContextValue, NONE, type Value, str } from "../values.ts";
import { dtypeNamed } from "./dtypeNames.ts";
import { defineKeras, defineKerasSources } from "./kerasLibrary.ts";
import {
  type LibraryModel,
  Modules,
  type OtherNames,
  arrayType,
  identityDecorator,
} from "./model.ts";
import {
  debuggingFunctions,
  linalgFunctions,
  mathFunctions,
  tensorflowAliases,
  tensorflowFunctions,
} from "./tensorflow.ts";
import { RESIZE_METHODS, imageFunctions } from "./tensorflowImages.ts";
import { nnFunctions } from "./tensorflowNn.ts";
import { tensorAttribute, tensorMethod } from "./tensorflowTensors.ts";

import { customGradient } from "./tfCustomGradient.ts";

const Tensor = arrayType("tensorflow", "tf.Tensor");

const ResizeMethod = makeClass({
  name: "ResizeMethod",
  bases: [],
  attributes: new Map<string, Value>([...RESIZE_METHODS].map(([name, v]) => [name, str(v)])),
})!;

const Module = makeClass({ name: "tf.Module", bases: [], attributes: new Map() })!;

/** `with tf.name_scope("dice"):` and its like, which say nothing about values. */
function scope(name: string): BuiltinValue {
  const context: ContextValue = { kind: "context", name, effect: "none" };
  return { kind: "builtin", name, call: () => context };
}

const gradientTape: BuiltinValue = {
  kind: "builtin",
  name: "tf.GradientTape",
  call: (vm) =>
    vm.unsupported(
      "a gradient inside a loss (tf.GradientTape) is not supported",
      "Inspect the function whose gradient the tape takes.",
    ),
};

const others: OtherNames = (name) => {
  switch (name) {
    case "newaxis":
      return NONE;
    case "Tensor":
      return Tensor;
    case "Module":
      return Module;
    case "function":
      return identityDecorator("function");
    case "custom_gradient":
      return customGradient;
    case "name_scope":
    case "variable_scope":
    case "device":
    case "control_dependencies":
      return scope(name);
    case "GradientTape":
      return gradientTape;
    case "losses":
      return modules.get("tensorflow.keras.losses");
    case "__version__":
      return str("2.21.0");
    default:
      return dtypeNamed("tensorflow", name) ?? asDType(name) ?? assertion(name);
  }
};

/** `tf.as_dtype("float32")`. */
function asDType(name: string): Value | undefined {
  if (name !== "as_dtype" && name !== "DType") return undefined;
  return {
    kind: "builtin",
    name,
    call: (vm, { positional }) => {
      const v = positional[0];
      if (v?.kind === "dtype") return v;
      const found = v?.kind === "str" ? dtypeNamed("tensorflow", v.value) : undefined;
      return found ?? vm.fail("TypeError", "this is no data type of TensorFlow");
    },
  };
}

/** `assert_*` check values that a trace does not have. */
const assertion: OtherNames = (name) =>
  name.startsWith("assert_") || name === "Assert"
    ? { kind: "builtin", name, call: () => NONE }
    : undefined;

const modules = new Modules("tensorflow");
for (const root of ["tensorflow", "tensorflow.compat.v1", "tensorflow.compat.v2"]) {
  const define: Modules["define"] = (name, tables, more) => {
    modules.define(`${root}.${name}`, tables, more, tensorflowAliases);
  };
  modules.define(root, [tensorflowFunctions], others, tensorflowAliases);
  define("math", [mathFunctions, tensorflowFunctions]);
  define("nn", [nnFunctions, linalgFunctions]);
  define("dtypes", [{ cast: tensorflowFunctions["cast"]! }], (name) =>
    dtypeNamed("tensorflow", name) ?? asDType(name));
  define("linalg", [linalgFunctions]);
  define("image", [imageFunctions], (name) => (name === "ResizeMethod" ? ResizeMethod : undefined));
  define("debugging", [debuggingFunctions], assertion);
}
modules.define("tensorflow.compat", []);
modules.define("tensorflow.python", []);
for (const root of ["keras", "tensorflow.keras", "tensorflow.python.keras", "tf_keras"]) {
  defineKeras(modules, root);
}
defineKerasSources(modules);

export const TENSORFLOW: LibraryModel = {
  modules: modules.all,
  method: tensorMethod,
  attribute: tensorAttribute,
};
