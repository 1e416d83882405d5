/** Imports: libraries that the tracer knows, the user's own modules, and those it cannot find. */
import { PythonError } from "../errors.ts";
import type { ModuleSource } from "../host.ts";
import type { Import, ImportFrom, Module, Statement } from "../syntax.ts";
import type { ModuleValue, OpaqueValue, Value } from "../values.ts";
import { setIn } from "./attributes.ts";
import { BudgetError, type Interpreter } from "./interpreter.ts";
import { packagesToRun } from "./packages.ts";
import { Scope } from "./scope.ts";
import { runStatement } from "./statements.ts";
import { str } from "../values.ts";

const NOT_FOUND =
  "its module was not found, neither beside this file nor among the installed packages";
const NO_MODEL = "there is no model of what it computes yet";

type Imported = ModuleValue | OpaqueValue;

export function runImport(vm: Interpreter, node: Import, scope: Scope): void {
  for (const { name, alias } of node.names) {
    vm.at = node.span;
    const top = name.split(".")[0]!;
    const bound = alias ?? top;
    const found = locate(vm, name, scope);
    const make = (): Imported => {
      const whole = load(vm, found);
      // `import a.b` binds a, `import a.b as c` binds a.b.
      return alias !== null || top === name ? whole : packageOf(vm, top, whole, scope);
    };
    if (isDeferred(vm, found, scope)) defer(vm, scope, bound, make);
    else bind(vm, scope, bound, make());
  }
}

/** The package above a module; one without `__init__.py` has nothing but its modules. */
function packageOf(vm: Interpreter, name: string, whole: Imported, scope: Scope): Imported {
  const own = findModule(vm, name, scope.file);
  if (own !== null) return own;
  if (whole.kind === "opaque") return { kind: "opaque", name, reason: whole.reason };
  return {
    kind: "module",
    name,
    file: null,
    scope: null,
    names: () => [],
    get: (attribute) => findModule(vm, `${name}.${attribute}`, scope.file) ?? undefined,
  };
}

export function runImportFrom(vm: Interpreter, node: ImportFrom, scope: Scope): void {
  const found = locate(vm, node.module, scope);
  if (node.names === null) {
    importAll(vm, load(vm, found), scope);
    return;
  }
  const deferred = isDeferred(vm, found, scope);
  for (const { name, alias } of node.names) {
    vm.at = node.span;
    const make = (): Value => importedName(vm, load(vm, found), node.module, name, scope.file);
    if (deferred) defer(vm, scope, alias ?? name, make);
    else bind(vm, scope, alias ?? name, make());
  }
}

function importAll(vm: Interpreter, module: Imported, scope: Scope): void {
  if (module.kind === "opaque") return;
  for (const name of module.names()) {
    const make = (): Value =>
      module.get(name) ?? { kind: "opaque", name, reason: `${module.name} does not define it` };
    if (module.file !== null && vm.installed.has(module.file)) defer(vm, scope, name, make);
    else bind(vm, scope, name, make());
  }
}

function bind(vm: Interpreter, scope: Scope, name: string, value: Value): void {
  const target = scope.target(name);
  setIn(vm, target, target.variables, name, value);
}

/**
 * Imports of installed packages wait until their names are used, and so do those of packages that
 * run for one module's sake: an `__init__` imports all of its package, and one loss needs a few
 * files. Where a handler waits for the import to fail, it is tried at once.
 */
function isDeferred(vm: Interpreter, found: Found, scope: Scope): boolean {
  return (
    found.kind === "source" &&
    (found.source.installed === true || vm.packagesRun.has(scope.file)) &&
    vm.importGuards === 0 &&
    scope.kind === "module"
  );
}

function defer(vm: Interpreter, scope: Scope, name: string, make: () => Value): void {
  const { at, source } = vm;
  const placeholder: OpaqueValue = {
    kind: "opaque",
    name,
    reason: "it is part of a cyclic import",
  };
  scope.defer(name, placeholder, () =>
    vm.detached(() => {
      const calledFrom = vm.frames.length === 0 ? null : vm.at;
      if (source !== null)
        vm.frames.push({ name: "<module>", source, calledFrom, scope, fn: null });
      vm.at = at;
      try {
        return make();
      } catch (e) {
        if (!(e instanceof PythonError)) throw e;
        return { kind: "opaque", name, reason: e };
      }
    }),
  );
}

function importedName(
  vm: Interpreter,
  module: Imported,
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

/** What a dotted name leads to, before anything of it is read. */
type Found =
  | { readonly kind: "ready"; readonly module: Imported }
  | { readonly kind: "source"; readonly name: string; readonly source: ModuleSource };

/** @throws PythonError ModuleNotFoundError where a handler waits for it */
function locate(vm: Interpreter, name: string, scope: Scope): Found {
  const found = tryLocate(vm, name, scope.file);
  if (found !== null) return found;
  if (vm.importGuards > 0) vm.fail("ModuleNotFoundError", `No module named '${name}'`);
  if (scope.kind === "module" && !vm.missingImports.has(scope.file)) {
    vm.missingImports.set(scope.file, name);
  }
  // Importing what is never used does no harm.
  return { kind: "ready", module: { kind: "opaque", name, reason: NOT_FOUND } };
}

function tryLocate(vm: Interpreter, name: string, file: string): Found | null {
  if (!name.startsWith(".")) {
    const library = vm.libraries.module(name);
    if (library !== undefined) return { kind: "ready", module: library };
    if (vm.libraries.covers(name)) {
      const source = beside(vm, name, file);
      if (source !== null) return { kind: "source", name, source };
      return { kind: "ready", module: { kind: "opaque", name, reason: NO_MODEL } };
    }
  }
  const source = vm.host.readModule(name, file);
  return source === null ? null : { kind: "source", name, source };
}

/** A module of the user's that has the name of one of the standard library's. */
function beside(vm: Interpreter, name: string, file: string): ModuleSource | null {
  const source = vm.host.readModule(name, file);
  return source === null || source.installed === true ? null : source;
}

/** @throws PythonError if it is a source that does not parse */
function load(vm: Interpreter, found: Found): Imported {
  if (found.kind === "ready") return found.module;
  const { name, source } = found;
  const module = loadModule(vm, source.name ?? name, source);
  const missing = vm.importGuards > 0 ? vm.missingImports.get(source.file) : undefined;
  if (missing !== undefined) vm.fail("ModuleNotFoundError", `No module named '${missing}'`);
  return module;
}

/** The module, or something opaque in its place. */
export function importModule(vm: Interpreter, name: string, scope: Scope): Imported {
  return load(vm, locate(vm, name, scope));
}

/** `importlib.import_module(name)`, for the code that is running. */
export function importByName(vm: Interpreter, name: string): Imported {
  const scope = vm.frames.at(-1)?.scope;
  return importModule(vm, name, scope ?? new Scope("module", null, vm.epoch));
}

function findModule(vm: Interpreter, name: string, file: string): Imported | null {
  const found = tryLocate(vm, name, file);
  return found === null ? null : load(vm, found);
}

/** Runs the packages that a file is in, where they set something up: Python does so before it. */
export function runPackagesOf(vm: Interpreter, file: string): void {
  for (const source of packagesToRun(vm, file)) {
    vm.packagesRun.add(source.file);
    loadModule(vm, source.name ?? source.file, source);
  }
}

/**
 * Runs a module's statements, once. One that fails leaves the names it would have bound opaque: only
 * code that uses them is affected, as it should be for scripts with plots or training loops below.
 */
function loadModule(vm: Interpreter, name: string, source: ModuleSource): Imported {
  const { file } = source;
  // One that is still loading is handed out as it is: Python's way with cyclic imports.
  const loaded = vm.modules.get(file);
  if (loaded !== undefined) return loaded;
  runPackagesOf(vm, file);
  const known = vm.modules.get(file);
  if (known !== undefined) return known;
  const { text } = source;
  if (text === null) {
    const compiled = "it is compiled, and has no source that could be read";
    return { kind: "opaque", name, reason: source.unreadable ?? compiled };
  }
  vm.checkTime();
  if (source.installed === true) countInstalled(vm, file, text);
  const parsed = parseModule(vm, name, text, file);
  const scope = new Scope("module", null, vm.epoch, { file });
  scope.variables.set("__name__", str(name.replace(/^\.+/, "")));
  scope.variables.set("__file__", str(file));
  const module = moduleOf(vm, name, scope);
  vm.modules.set(file, module);
  vm.loading.add(file);
  let done = false;
  try {
    vm.detached(() => {
      vm.silent ||= source.installed === true || vm.packagesRun.has(file);
      runTolerantly(vm, parsed, scope);
    });
    done = true;
  } finally {
    vm.loading.delete(file);
    if (!done) vm.modules.delete(file);
  }
  return module;
}

function countInstalled(vm: Interpreter, file: string, text: string): void {
  vm.installed.add(file);
  vm.installedCharacters += text.length;
  if (vm.installedCharacters > vm.limits.installedCharacters) {
    vm.unsupported(
      "stopped reading installed packages: this needs too much of them",
      "Copy what the loss uses into a file of your own.",
      new BudgetError(),
    );
  }
}

function parseModule(vm: Interpreter, name: string, text: string, file: string): Module {
  try {
    const module = vm.parser.parse(text, file);
    vm.syntax.set(file, module);
    return module;
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
      vm.limited(vm.limits.statementSteps, () =>
        vm.transaction(true, () => vm.contained(() => runStatement(vm, statement, scope))),
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
export function boundBy(statement: Statement): string[] {
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
