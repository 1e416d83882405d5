/** NumPy's modules, and the methods of its arrays. */
import { type BuiltinValue, NONE, str } from "../values.ts";
import { numpyAccumulating } from "./accumulating.ts";
import { dtypeNamed } from "./dtypeNames.ts";
import { finfo } from "./finfo.ts";
import { numpyGrids } from "./grids.ts";
import { numpyLinalg } from "./numpyLinalg.ts";
import { mathConstant } from "./math.ts";
import { type LibraryModel, Modules, type OtherNames, arrayType } from "./model.ts";
import { numpyAttribute, numpyFunctions, numpyMethodNames, numpyMethods } from "./numpy.ts";
import { kindNamed, numpyChecks, setting } from "./numpyTypes.ts";
import { strideTricks } from "./patches.ts";
import { builtin } from "./signature.ts";
import { ndimage } from "./ndimage.ts";
import { ndimageFilters } from "./ndimageFilters.ts";
import { specialFunctions } from "./special.ts";

const ndarray = arrayType("numpy", "ndarray");

export const numpyNames: OtherNames = (name) => {
  switch (name) {
    case "ndarray":
      return ndarray;
    case "newaxis":
      return NONE;
    case "finfo":
      return finfo;
    case "errstate":
    case "printoptions":
      return setting(name);
    case "__version__":
      return str("2.0.0");
    default:
      return mathConstant(name) ?? dtypeNamed("numpy", name) ?? kindNamed(name);
  }
};

const modules = new Modules("numpy");
modules.define("numpy", [numpyFunctions, numpyGrids, numpyAccumulating], numpyNames);
modules.define("numpy.linalg", [numpyLinalg]);
modules.define("numpy.testing", [numpyChecks]);
modules.define("numpy.lib", []);
modules.define("numpy.lib.stride_tricks", [strideTricks]);
modules.define("scipy", []);
modules.define("scipy.special", [specialFunctions]);
modules.define("scipy.ndimage", [ndimage, ndimageFilters]);
// Its name before SciPy 1.8, which older code imports from.
modules.define("scipy.ndimage.morphology", [ndimage]);

function method(name: string): BuiltinValue | null {
  if (Object.hasOwn(numpyMethods, name)) {
    return builtin("ndarray.", name, numpyMethods[name]!, "numpy");
  }
  return (numpyMethodNames as readonly string[]).includes(name)
    ? builtin("ndarray.", name, numpyFunctions[name]!, "numpy")
    : null;
}

export const NUMPY: LibraryModel = { modules: modules.all, method, attribute: numpyAttribute };
