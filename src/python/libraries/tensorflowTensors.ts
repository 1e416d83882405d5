/** What TensorFlow's tensors, their shapes and their dtypes have as methods and attributes. */
import type { Interpreter } from "../interpreter/interpreter.ts";
import { makeList } from "../interpreter/collections.ts";
import { binaryOperation, compareOperation } from "../interpreter/operators.ts";
import {
  type BuiltinValue,
  FALSE,
  NONE,
  TRUE,
  type TensorValue,
  type TupleValue,
  type Value,
  bool,
  int,
  str,
} from "../values.ts";
import { withoutGradient } from "./convert.ts";
import { dtypeOf } from "./dtypeNames.ts";
import { type Table, builtin } from "./signature.ts";
import { tensorShape } from "./tensorflowShapes.ts";

const tensorMethods: Table = {
  numpy: ["self", (c) => withoutGradient(c.vm, c.tensor("self"), ".numpy()", "numpy")],
  get_shape: ["self", (c) => tensorShape(c.tensor("self"))],
  set_shape: ["self, ~shape", () => NONE],
  value: ["self", (c) => c.tensor("self")],
  read_value: ["self", (c) => c.tensor("self")],
};

export function tensorMethod(name: string): BuiltinValue | null {
  return Object.hasOwn(tensorMethods, name)
    ? builtin("Tensor.", name, tensorMethods[name]!, "tensorflow")
    : null;
}

export function tensorAttribute(vm: Interpreter, t: TensorValue, name: string): Value | undefined {
  switch (name) {
    case "shape":
      return tensorShape(t);
    case "ndim":
      return int(t.expr.shape.length);
    case "dtype":
      return dtypeOf(vm, t);
    case "device":
    case "name":
      return str("");
    default:
      return undefined;
  }
}

const shapeMethods: Table = {
  as_list: ["self", (c) => makeList(c.vm, c.list("self"))],
  num_elements: [
    "self",
    (c) => c.list("self").reduce<Value>((a, b) => binaryOperation(c.vm, "*", a, b), int(1)),
  ],
  is_fully_defined: ["self", () => TRUE],
  assert_is_compatible_with: ["self, ~other", () => NONE],
  assert_has_rank: ["self, ~rank", () => NONE],
  assert_is_fully_defined: ["self", () => NONE],
  is_compatible_with: [
    "self, other",
    (c) => compareOperation(c.vm, "==", c.value("self"), c.value("other")),
  ],
  with_rank: ["self, ~rank", (c) => c.value("self")],
};

/** Methods of what `x.shape` is, beside those of a tuple. */
export function shapeAttribute(v: TupleValue, name: string): Value | undefined {
  if (name === "rank" || name === "ndims") return int(v.items.length);
  if (name === "dims") return { kind: "tuple", items: v.items };
  if (!Object.hasOwn(shapeMethods, name)) return undefined;
  const callee = builtin("TensorShape.", name, shapeMethods[name]!, "tensorflow");
  return { kind: "method", self: v, callee };
}

/** Attributes that only TensorFlow's dtypes have. */
export function dtypeAttribute(
  v: Value & { readonly kind: "dtype" },
  name: string,
): Value | undefined {
  switch (name) {
    case "base_dtype":
    case "as_numpy_dtype":
      return v;
    case "is_floating":
      return bool(v.dtype.includes("float"));
    case "is_integer":
      return bool(v.dtype.includes("int"));
    case "is_bool":
      return bool(v.dtype === "bool");
    case "is_complex":
      return FALSE;
    default:
      return undefined;
  }
}
