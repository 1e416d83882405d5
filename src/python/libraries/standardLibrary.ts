/** The modules of Python's standard library that losses import. */
import { makeClass } from "../interpreter/classes.ts";
import { BUILTINS } from "./builtins.ts";
import { mathConstant, mathFunctions } from "./math.ts";
import { type LibraryModel, Modules, NO_ARRAYS } from "./model.ts";
import { standardModules } from "./standard/modules.ts";

const NUMBER = makeClass({
  name: "Number",
  bases: [],
  attributes: new Map(),
  native: { matches: (v) => v.kind === "number" },
})!;

const modules = new Modules("numpy");
modules.define("math", [mathFunctions], mathConstant);
for (const [name, contents] of Object.entries(standardModules)) {
  modules.define(name, [], (attribute) =>
    Object.hasOwn(contents, attribute) ? contents[attribute] : undefined,
  );
}
modules.define("numbers", [], (name) =>
  name === "Number" || name === "Real"
    ? NUMBER
    : name === "Integral"
      ? BUILTINS.get("int")
      : undefined,
);

export const STANDARD: LibraryModel = { modules: modules.all, ...NO_ARRAYS };
