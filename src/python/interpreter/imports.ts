/** Imports: libraries that the tracer knows, the user's own modules, and those it cannot find. */
import { PythonError } from "../errors.ts";
import type { Import, ImportFrom, Module, Statement } from "../syntax.ts";
import type { ModuleValue, OpaqueValue, Value } from "../values.ts";
import { setIn } from "./attributes.ts";
import type { Interpreter } from "./interpreter.ts";
import { Scope } from "./scope.ts";
import { runStatement } from "./statements.ts";
import { str } from "../values.ts";

/** Enough for tables and class definitions; a training loop at the end of a script stops here. */
const MODULE_STEPS = 200_000;

const NOT_FOUND = "its module was not found, neither beside this file nor in the environment";

export function runImport(vm: Interpreter, node: Import, scope: Scope): void {
  for (const { name, alias } of node.names) {
    vm.at = node.span;
    const whole = importModule(vm, name, scope.file);
    const top = name.split(".")[0]!;
    // `import a.b` binds a, `import a.b as c` binds a.b.
    const value = alias !== null || top === name ? whole : packageOf(vm, top, whole, scope.file);
    bind(vm, scope, alias ?? top, value);
  }
}

/** The package above a module; one without `__init__.py` has nothing but its modules. */
function packageOf(
  vm: Interpreter,
  name: string,
  whole: ModuleValue | OpaqueValue,
  file: string,
): ModuleValue | OpaqueValue {
  const own = findModule(vm, name, file);
  if (own !== null) return own;
  if (whole.kind === "opaque") return { kind: "opaque", name, reason: whole.reason };
  return {
    kind: "module",
    name,
    file: null,
    scope: null,
    names: () => [],
    get: (attribute) => findModule(vm, `${name}.${attribute}`, file) ?? undefined,
  };
}

export function runImportFrom(vm: Interpreter, node: ImportFrom, scope: Scope): void {
  const module = importModule(vm, node.module, scope.file);
  if (node.names === null) {
    if (module.kind === "opaque") return;
    for (const name of module.names()) {
      const value = module.get(name);
      if (value !== undefined) bind(vm, scope, name, value);
    }
    return;
  }
  for (const { name, alias } of node.names) {
    vm.at = node.span;
    bind(vm, scope, alias ?? name, importedName(vm, module, node.module, name, scope.file));
  }
}

function bind(vm: Interpreter, scope: Scope, name: string, value: Value): void {
  const target = scope.target(name);
  setIn(vm, target, target.variables, name, value);
}

function importedName(
  vm: Interpreter,
  module: ModuleValue | OpaqueValue,
  path: string,
  name: string,
  file: string,
): Value {
  if (module.kind === "opaque") {
    return { kind: "opaque", name: `${module.name}.${name}`, reason: module.reason };
  }
  const found = module.get(name);
  if (found !== undefined) return found;
  const submodule = findModule(vm, path.endsWith(".") ? path + name : `${path}.${name}`, file);
  if (submodule !== null) return submodule;
  if (module.file !== null && vm.loading.has(module.file)) {
    return vm.fail(
      "ImportError",
      `cannot import name '${name}' from partially initialized module '${module.name}' ` +
        "(most likely due to a circular import)",
      "Move what both modules need into a third one.",
    );
  }
  return vm.fail("ImportError", `cannot import name '${name}' from '${module.name}'`);
}

/** The module, or something opaque in its place: importing what is never used does no harm. */
export function importModule(
  vm: Interpreter,
  name: string,
  file: string,
): ModuleValue | OpaqueValue {
  const found = findModule(vm, name, file);
  if (found !== null) return found;
  if (vm.importGuards > 0) {
    vm.fail("ModuleNotFoundError", `No module named '${name}'`);
  }
  return { kind: "opaque", name, reason: NOT_FOUND };
}

function findModule(vm: Interpreter, name: string, file: string): ModuleValue | null {
  if (!name.startsWith(".")) {
    const library = vm.libraries.module(name);
    if (library !== undefined) return library;
  }
  const source = vm.host.readModule(name, file);
  return source === null ? null : loadModule(vm, name, source.file, source.text);
}

/**
 * Runs a module's statements, once. One that fails leaves the names it would have bound opaque: only
 * code that uses them is affected, as it should be for scripts with plots or training loops below.
 */
function loadModule(vm: Interpreter, name: string, file: string, text: string): ModuleValue {
  // One that is still loading is handed out as it is: Python's way with cyclic imports.
  const known = vm.modules.get(file);
  if (known !== undefined) return known;
  const parsed = parseModule(vm, name, text, file);
  const scope = new Scope("module", null, vm.epoch, { file });
  scope.variables.set("__name__", str(name.replace(/^\.+/, "")));
  scope.variables.set("__file__", str(file));
  const module = moduleOf(vm, name, scope);
  vm.modules.set(file, module);
  vm.loading.add(file);
  let done = false;
  try {
    runTolerantly(vm, parsed, scope);
    done = true;
  } finally {
    vm.loading.delete(file);
    if (!done) vm.modules.delete(file);
  }
  return module;
}

function parseModule(vm: Interpreter, name: string, text: string, file: string): Module {
  try {
    return vm.parser.parse(text, file);
  } catch (e) {
    if (!(e instanceof PythonError)) throw e;
    // The mistake is in the other file; the traceback says which import led there.
    const { headline, line } = e;
    return vm.fail(
      "ImportError",
      `module '${name}' cannot be read: ${headline} (${file}, line ${line})`,
      e.remedy,
      e,
    );
  }
}

/** @returns the errors of the statements that failed */
export function runTolerantly(vm: Interpreter, module: Module, scope: Scope): PythonError[] {
  const errors: PythonError[] = [];
  const calledFrom = vm.frames.length === 0 ? null : vm.at;
  vm.frames.push({ name: "<module>", source: module.source, calledFrom, scope, fn: null });
  for (const statement of module.body) {
    try {
      vm.limited(MODULE_STEPS, () =>
        vm.transaction(true, () => runStatement(vm, statement, scope)),
      );
    } catch (e) {
      if (!(e instanceof PythonError)) throw e;
      errors.push(e);
      for (const name of boundBy(statement)) {
        if (!scope.variables.has(name)) {
          scope.variables.set(name, { kind: "opaque", name, reason: e });
        }
      }
    }
  }
  vm.frames.pop();
  if (calledFrom !== null) vm.at = calledFrom;
  return errors;
}

/** Names that a module-level statement would have bound. */
function boundBy(statement: Statement): string[] {
  switch (statement.kind) {
    case "FunctionDef":
    case "ClassDef":
      return [statement.name];
    case "Assign":
      return statement.targets.flatMap((t) =>
        t.kind === "Name"
          ? [t.id]
          : t.kind === "Tuple" || t.kind === "List"
            ? t.items.flatMap((i) => (i.kind === "Name" ? [i.id] : []))
            : [],
      );
    case "AnnAssign":
      return statement.target.kind === "Name" ? [statement.target.id] : [];
    case "Import":
      return statement.names.map((n) => n.alias ?? n.name.split(".")[0]!);
    case "ImportFrom":
      return statement.names?.map((n) => n.alias ?? n.name) ?? [];
    case "If":
      return [...statement.body, ...statement.otherwise].flatMap(boundBy);
    case "For":
    case "While":
    case "With":
      return statement.body.flatMap(boundBy);
    case "Try":
      return [...statement.body, ...statement.handlers.flatMap((h) => h.body)].flatMap(boundBy);
    default:
      return [];
  }
}

function moduleOf(vm: Interpreter, name: string, scope: Scope): ModuleValue {
  const names = (): string[] => {
    const all = scope.variables.get("__all__");
    if (all?.kind === "list" || all?.kind === "tuple") {
      return all.items.flatMap((v) => (v.kind === "str" ? [v.value] : []));
    }
    return [...scope.variables.keys()].filter((n) => !n.startsWith("_"));
  };
  return {
    kind: "module",
    name,
    file: scope.file,
    names,
    scope,
    get: (attribute) => {
      const own = scope.variables.get(attribute);
      if (own !== undefined) return own;
      // A package's submodule: `import package` and then package.losses.
      if (attribute.startsWith("__") || !/(^|\/)__init__\.py$/.test(scope.file)) return undefined;
      return findModule(vm, `.${attribute}`, scope.file) ?? undefined;
    },
  };
}
