/** Which libraries the tracer knows. Each is described in a file of its own, <name>Library.ts. */
import type { Interpreter, Libraries } from "../interpreter/interpreter.ts";
import type { Library } from "../dtypes.ts";
import type { BuiltinValue, ModuleValue, TensorValue, Value } from "../values.ts";
import { AUTOGRAD } from "./autograd/library.ts";
import { BUILTINS } from "./builtins.ts";
import { JAX } from "./jax/library.ts";
import { valueAttribute } from "./methods.ts";
import type { LibraryModel } from "./model.ts";
import { NUMPY } from "./numpyLibrary.ts";
import { TENSORFLOW } from "./tensorflowLibrary.ts";
import { STANDARD } from "./standardLibrary.ts";
import { STANDARD_NAMES } from "./standardNames.ts";
import { TORCH } from "./torchLibrary.ts";
import { ARRAY_TYPES } from "./types.ts";

/** By the library whose arrays they have. */
const MODELS: Readonly<Partial<Record<Library, LibraryModel>>> = {
  numpy: NUMPY,
  torch: TORCH,
  tensorflow: TENSORFLOW,
  jax: JAX,
  autograd: AUTOGRAD,
};

const MODULES: ReadonlyMap<string, ModuleValue> = new Map(
  [...Object.values(MODELS), STANDARD].flatMap((m) => [...m.modules]),
);

/** Modules of modelled libraries whose own files say best what they compute. */
const READ_FROM_SOURCE: ReadonlySet<string> = new Set(["keras.src.losses.losses"]);

const methodCache = new Map<string, BuiltinValue | null>();

function tensorMethod(library: Library, name: string): BuiltinValue | null {
  const key = `${library}.${name}`;
  const known = methodCache.get(key);
  if (known !== undefined) return known;
  const made = MODELS[library]?.method(name) ?? null;
  methodCache.set(key, made);
  return made;
}

function tensorAttribute(vm: Interpreter, t: TensorValue, name: string): Value | undefined {
  const own = MODELS[t.library]?.attribute(vm, t, name);
  if (own !== undefined) return own;
  if (name === "__class__") return ARRAY_TYPES.get(t.library);
  const method = tensorMethod(t.library, name);
  return method === null ? undefined : { kind: "method", self: t, callee: method };
}

export const LIBRARIES: Libraries = {
  builtins: BUILTINS,
  module: (name) => MODULES.get(name),
  covers: (name) => {
    const top = name.split(".")[0]!;
    return (STANDARD_NAMES.has(top) || MODULES.has(top)) && !READ_FROM_SOURCE.has(name);
  },
  tensorAttribute,
  hasMethod: (library, name) => tensorMethod(library, name) !== null,
  attribute: valueAttribute,
};
