/** HIPS Autograd: NumPy's and SciPy's functions on arrays whose gradients it follows. */
import type { BuiltinValue } from "../../values.ts";
import { gradientOf, valueAndGradient } from "../gradients.ts";
import { defvjp, primitive } from "../hipsPrimitive.ts";
import { numpyLinalg } from "../numpyLinalg.ts";
import { type LibraryModel, Modules, arrayType } from "../model.ts";
import { numpyAttribute, numpyFunctions, numpyMethodNames, numpyMethods } from "../numpy.ts";
import { numpyNames } from "../numpyLibrary.ts";
import { type Table, builtin } from "../signature.ts";
import { specialFunctions } from "../special.ts";
import { unchanged } from "../standard/define.ts";

/** Of scipy.special, what Autograd has derivatives for. */
const special: Table = Object.fromEntries(
  ["expit", "logit", "logsumexp"].map((name) => [name, specialFunctions[name]!]),
);

const GRADIENTS = [
  "grad", "elementwise_grad", "jacobian", "hessian", "holomorphic_grad", "multigrad_dict",
  "grad_named", "hessian_vector_product", "make_vjp", "make_jvp", "deriv",
] as const; // prettier-ignore

const functions: Table = {
  ...Object.fromEntries(GRADIENTS.map((name) => [name, gradientOf(`autograd.${name}`)])),
  value_and_grad: valueAndGradient("autograd.value_and_grad"),
};

arrayType("autograd", "ArrayBox");

const modules = new Modules("autograd");
modules.define("autograd", [functions], (name) =>
  name === "checkpoint" ? unchanged("autograd.checkpoint") : undefined,
);
modules.define("autograd.extend", [], (name) =>
  name === "primitive" ? primitive : name === "defvjp" ? defvjp : undefined,
);
modules.define("autograd.numpy", [numpyFunctions], numpyNames);
modules.define("autograd.numpy.linalg", [numpyLinalg]);
modules.define("autograd.scipy", []);
modules.define("autograd.scipy.special", [special]);
modules.define("autograd.differential_operators", [functions]);

function method(name: string): BuiltinValue | null {
  if (Object.hasOwn(numpyMethods, name)) {
    return builtin("ndarray.", name, numpyMethods[name]!, "autograd");
  }
  return (numpyMethodNames as readonly string[]).includes(name)
    ? builtin("ndarray.", name, numpyFunctions[name]!, "autograd")
    : null;
}

export const AUTOGRAD: LibraryModel = { modules: modules.all, method, attribute: numpyAttribute };
