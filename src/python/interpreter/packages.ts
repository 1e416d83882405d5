/**
 * What packages set up when they are imported: Python runs a package's `__init__.py` before any
 * module in it, and some of them hand their modules what these work with (a backend, a registry).
 */
import type { ModuleSource } from "../host.ts";
import type { Module, Statement } from "../syntax.ts";
import { PythonError } from "../errors.ts";
import type { Interpreter } from "./interpreter.ts";

/** Packages within packages that are looked at. */
const MOST_LEVELS = 5;

/** A longer file sets up a whole framework; no loss waits for it. */
const MOST_CHARACTERS = 50_000;

/**
 * The packages that a file is in and that do more than import and define, outermost first; each of
 * them once a run.
 */
export function packagesToRun(vm: Interpreter, file: string): ModuleSource[] {
  const folder = file.replace(/[^/\\]*$/, "");
  if (vm.packageFolders.has(folder)) return [];
  vm.packageFolders.add(folder);
  const found: ModuleSource[] = [];
  for (let dots = "."; dots.length <= MOST_LEVELS; dots += ".") {
    const source = vm.host.readModule(dots, file);
    if (source === null) break;
    if (source.file !== file && !vm.modules.has(source.file) && setsUp(vm, source)) {
      found.unshift(source);
    }
  }
  return found;
}

function setsUp(vm: Interpreter, source: ModuleSource): boolean {
  const { text, file } = source;
  if (text === null || text.length > MOST_CHARACTERS || !/^\s*[\w.]+\(/m.test(text)) return false;
  try {
    const module = vm.parser.parse(text, file);
    const own = ownNames(module, (source.name ?? "").split(".")[0]!);
    return callsOneOf(own, module.body);
  } catch (e) {
    if (!(e instanceof PythonError)) throw e;
    // One that cannot be read is an error where its names are used.
    return false;
  }
}

/** Names of the package's own functions and modules. */
function ownNames(module: Module, packageName: string): Set<string> {
  const own = new Set<string>();
  for (const s of module.body) {
    if (s.kind === "FunctionDef") own.add(s.name);
    if (s.kind !== "ImportFrom" || s.names === null) continue;
    const top = s.module.split(".")[0]!;
    if (top !== "" && top !== packageName) continue;
    for (const { name, alias } of s.names) own.add(alias ?? name);
  }
  return own;
}

/** Whether a statement at module level calls one of them, for what it does and not for a value. */
function callsOneOf(own: ReadonlySet<string>, body: readonly Statement[]): boolean {
  return body.some((s) => {
    switch (s.kind) {
      case "Expression": {
        if (s.value.kind !== "Call") return false;
        let root = s.value.callee;
        while (root.kind === "Attribute") root = root.value;
        return root.kind === "Name" && own.has(root.id);
      }
      case "If":
        return callsOneOf(own, s.body) || callsOneOf(own, s.otherwise);
      case "Try":
        return callsOneOf(own, s.body) || s.handlers.some((h) => callsOneOf(own, h.body));
      case "With":
      case "For":
        return callsOneOf(own, s.body);
      default:
        return false;
    }
  });
}
