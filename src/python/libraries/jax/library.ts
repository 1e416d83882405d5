/** JAX's modules and those of its neighbours, and the methods of its arrays. */
import type { BuiltinValue, Value } from "../../values.ts";
import { makeClass } from "../../interpreter/classes.ts";
import { NONE, str } from "../../values.ts";
import { jaxSegments } from "../accumulating.ts";
import { dtypeNamed } from "../dtypeNames.ts";
import { finfo } from "../finfo.ts";
import { customJvp, customVjp } from "../jaxCustom.ts";
import { numpyLinalg } from "../numpyLinalg.ts";
import { mathConstant } from "../math.ts";
import { type LibraryModel, Modules, type OtherNames, arrayType } from "../model.ts";
import { numpyFunctions } from "../numpy.ts";
import { kindNamed } from "../numpyTypes.ts";
import { builtin } from "../signature.ts";
import { unchanged } from "../standard/define.ts";
import { laxFunctions } from "./lax.ts";
import { checkingNames, chexNames, optaxLosses } from "./neighbours.ts";
import { jaxSpecial, nnFunctions } from "./nn.ts";
import { jaxAttribute, jaxMethodNames, jaxMethods, jaxNumpyFunctions } from "./numpy.ts";
import {
  jaxFunctions,
  quietContext,
  silent,
  treeFunctions,
  treeUtilFunctions,
} from "./transforms.ts";

const Array = arrayType("jax", "Array");

const ANNOTATION = makeClass({ name: "ArrayLike", bases: [], attributes: new Map() })!;

const numpyNames: OtherNames = (name) => {
  switch (name) {
    case "ndarray":
      return Array;
    case "newaxis":
      return NONE;
    case "finfo":
      return finfo;
    default:
      return mathConstant(name) ?? dtypeNamed("jax", name) ?? kindNamed(name);
  }
};

const names: OtherNames = (name): Value | undefined => {
  switch (name) {
    case "Array":
      return Array;
    case "jit":
    case "checkpoint":
    case "remat":
    case "named_call":
      return unchanged(name);
    case "custom_vjp":
      return customVjp;
    case "custom_jvp":
      return customJvp;
    case "named_scope":
    case "disable_jit":
    case "default_matmul_precision":
      return quietContext(`jax.${name}`);
    case "__version__":
      return str("0.10.2");
    default:
      return undefined;
  }
};

const modules = new Modules("jax");
modules.define("jax", [jaxFunctions], names);
modules.define("jax.numpy", [jaxNumpyFunctions], numpyNames);
modules.define("jax.numpy.linalg", [numpyLinalg]);
modules.define("jax.ops", [jaxSegments]);
modules.define("jax.nn", [nnFunctions]);
modules.define("jax.lax", [laxFunctions]);
modules.define("jax.scipy", []);
modules.define("jax.scipy.special", [jaxSpecial]);
modules.define("jax.tree", [treeFunctions]);
modules.define("jax.tree_util", [treeUtilFunctions]);
modules.define("jax.config", [], (name) =>
  name === "update" ? silent("jax.config.update") : undefined,
);
modules.define("jax.debug", [], (name) =>
  ["print", "callback", "breakpoint"].includes(name) ? silent(`jax.debug.${name}`) : undefined,
);
modules.define("jax.typing", [], () => ANNOTATION);
modules.define("optax", [optaxLosses]);
modules.define("optax.losses", [optaxLosses]);
modules.define("chex", [], chexNames);
for (const name of ["jaxtyping", "beartype", "typeguard"]) modules.define(name, [], checkingNames);

function method(name: string): BuiltinValue | null {
  if (Object.hasOwn(jaxMethods, name)) return builtin("Array.", name, jaxMethods[name]!, "jax");
  return jaxMethodNames.has(name)
    ? builtin("Array.", name, jaxNumpyFunctions[name] ?? numpyFunctions[name]!, "jax")
    : null;
}

export const JAX: LibraryModel = { modules: modules.all, method, attribute: jaxAttribute };
