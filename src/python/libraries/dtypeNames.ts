/** The names by which people ask for a dtype. */
import { type DType, type Library, defaultFloat, followsNumpy, isDType } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { DTypeValue, Value } from "../values.ts";
import { typeName } from "../values.ts";

const ALIASES: Readonly<Record<string, DType>> = {
  float: "float32",
  double: "float64",
  half: "float16",
  long: "int64",
  int: "int32",
  short: "int16",
  bool_: "bool",
  float_: "float64",
  int_: "int64",
  single: "float32",
  intp: "int64",
  uint: "uint64",
  byte: "uint8",
  longlong: "int64",
};

/** `torch.float`, `np.float64`, `tf.int32`, … */
export function dtypeNamed(library: Library, name: string): DTypeValue | undefined {
  if (isDType(name)) {
    if (name === "bfloat16" && followsNumpy(library)) return undefined;
    return { kind: "dtype", dtype: name, library };
  }
  const alias = ALIASES[name];
  if (alias === undefined) return undefined;
  if (library === "torch") {
    const known = ["float", "double", "half", "long", "int", "short"].includes(name);
    return known ? { kind: "dtype", dtype: alias, library } : undefined;
  }
  const known = /_$|^(double|half|single|intp|uint|byte|longlong)$/.test(name);
  if (!known) return undefined;
  return { kind: "dtype", dtype: alias, library };
}

const BY_CODE: Readonly<Record<string, DType>> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  f: "float32",
  d: "float64",
  e: "float16",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  b1: "bool",
  "?": "bool",
  int: "int64",
  float: "float64",
  double: "float64",
  half: "float16",
};

/** A dtype given as one, as a string, or as Python's own type. */
export function readDType(vm: Interpreter, v: Value): DType {
  if (v.kind === "dtype") return v.dtype;
  if (v.kind === "str") {
    const name = v.value.replace(/^[<>=|]/, "");
    if (isDType(name)) return name;
    const coded = BY_CODE[name];
    if (coded !== undefined) return coded;
    return vm.fail("TypeError", `data type '${v.value}' not understood`);
  }
  if (v.kind === "class") {
    if (v.name === "float") return "float64";
    if (v.name === "int") return "int64";
    if (v.name === "bool") return "bool";
  }
  return vm.fail("TypeError", `expected a dtype, got '${typeName(v)}'`);
}

/** The dtype of an array for comparisons such as `x.dtype == torch.float32`. */
export function dtypeOf(vm: Interpreter, t: Value & { readonly kind: "tensor" }): DTypeValue {
  if (t.dtype !== null) return { kind: "dtype", dtype: t.dtype, library: t.library };
  const dtype = defaultFloat(t.library);
  vm.recorder.assume(`arrays whose dtype the code asks for are taken to be ${dtype}`);
  return { kind: "dtype", dtype, library: t.library };
}
