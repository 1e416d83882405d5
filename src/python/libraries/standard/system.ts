/** sys, os, importlib, traceback, types, threading and json, as far as packages use them while they load. */
import { makeClass } from "../../interpreter/classes.ts";
import { makeDict, makeList } from "../../interpreter/collections.ts";
import { display } from "../../interpreter/format.ts";
import { importByName } from "../../interpreter/imports.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import {
  type ClassValue,
  FALSE,
  type ModuleValue,
  NONE,
  type Value,
  bool,
  float,
  int,
  namedTuple,
  str,
  typeName,
} from "../../values.ts";
import type { CallContext, Entry } from "../signature.ts";
import { type Contents, fn, functions, method } from "./define.ts";

/** The Python that code under inspection believes to run in. */
const VERSION = [3, 12, 0] as const;

const instanceOf = (vm: Interpreter, cls: ClassValue, values: Contents = {}): Value => ({
  kind: "instance",
  cls,
  attributes: new Map(Object.entries(values)),
  born: vm.epoch,
});

const empty = (name: string): ClassValue => makeClass({ name, bases: [], attributes: new Map() })!;

// Frames, as registries ask for the module that they are called from

const FRAME = empty("frame");
const moduleOfFrame = new WeakMap<Value, ModuleValue>();

function frameAt(c: CallContext): Value {
  const { vm } = c;
  const frame = vm.frames.at(-1 - c.int("depth"));
  if (frame === undefined) return vm.fail("ValueError", "call stack is not deep enough");
  const { module } = frame.scope;
  const value = instanceOf(vm, FRAME, {
    f_globals: makeDict(
      vm,
      ["__name__", "__file__"].flatMap((name) => {
        const v = module.variables.get(name);
        return v === undefined ? [] : [[str(name), v] as const];
      }),
    ),
  });
  const known = vm.modules.get(module.file);
  if (known?.kind === "module") moduleOfFrame.set(value, known);
  return value;
}

/** inspect.getmodule: the module of a frame; None where it is not known. */
export function moduleOf(v: Value): Value {
  return moduleOfFrame.get(v) ?? NONE;
}

const FLOAT_INFO = empty("float_info");

export const sys: Contents = {
  version_info: namedTuple("sys.version_info", {
    major: int(VERSION[0]),
    minor: int(VERSION[1]),
    micro: int(VERSION[2]),
    releaselevel: str("final"),
    serial: int(0),
  }),
  version: str(VERSION.join(".")),
  platform: str("linux"),
  byteorder: str("little"),
  maxsize: int(2 ** 63),
  float_info: {
    kind: "instance",
    cls: FLOAT_INFO,
    attributes: new Map<string, Value>([
      ["epsilon", float(2 ** -52)],
      ["max", float(Number.MAX_VALUE)],
      ["min", float(2 ** -1022)],
    ]),
    born: 0,
  },
  _getframe: fn("_getframe", "depth=0", frameAt),
};

const joined = (c: CallContext): string =>
  c.list("parts").reduce((path, part) => {
    const text = part.kind === "str" ? part.value : "";
    return text.startsWith("/") || path === "" ? text : `${path.replace(/\/$/, "")}/${text}`;
  }, "");

const folderOf = (path: string): string => path.replace(/\/?[^/]*$/, "");

/** os.path works on names alone: nothing is looked up on this machine. */
export const osPath: Contents = functions({
  join: ["*parts", (c) => str(joined(c))],
  dirname: ["p", (c) => str(folderOf(c.text("p")))],
  basename: ["p", (c) => str(c.text("p").replace(/^.*\//, ""))],
  abspath: ["p", (c) => c.value("p")],
  realpath: ["p", (c) => c.value("p")],
  normpath: ["p", (c) => c.value("p")],
  expanduser: ["p", (c) => c.value("p")],
});

/** No variable is set: losses that ask take their defaults. */
const environment = makeClass({
  name: "environ",
  bases: [],
  attributes: new Map<string, Value>([
    method("get", "self, key, default=None", (c) => c.value("default")),
    method("setdefault", "self, key, default=None", (c) => c.value("default")),
    method("__contains__", "self, key", () => FALSE),
    method("__getitem__", "self, key", (c) => c.vm.fail("KeyError", `'${c.text("key")}'`)),
    method("__setitem__", "self, key, value", () => NONE),
  ]),
})!;

export const os: Contents = {
  environ: { kind: "instance", cls: environment, attributes: new Map(), born: 0 },
  getenv: fn("getenv", "key, default=None", (c) => c.value("default")),
  name: str("posix"),
  sep: str("/"),
  linesep: str("\n"),
};

export const importlib: Contents = {
  import_module: fn("import_module", "name, package=None", (c) => {
    if (c.text("name").startsWith(".")) {
      return c.vm.unsupported("import_module() with a relative name is not supported");
    }
    return importByName(c.vm, c.text("name"));
  }),
};

/** The last line of what Python prints of an exception, as a list of lines. */
const described: Entry = [
  "exc, value=None, ~tb, ~limit, ~chain",
  (c) => {
    const given = c.given("value") ? c.value("value") : c.value("exc");
    return makeList(c.vm, [str(`${typeName(given)}: ${display(c.vm, given, false)}\n`)]);
  },
];

export const traceback: Contents = {
  format_exception: fn("format_exception", ...described),
  format_exception_only: fn("format_exception_only", ...described),
  format_exc: fn("format_exc", "~limit, ~chain", () => str("")),
  print_exc: fn("print_exc", "**", () => NONE),
};

/** Whether a module is there, without reading it. */
export const importlibUtil: Contents = {
  find_spec: fn("find_spec", "name, package=None", (c) => {
    const { vm } = c;
    const name = c.text("name");
    const file = vm.frames.at(-1)?.scope.file ?? "";
    const found = vm.libraries.covers(name) || vm.host.readModule(name, file) !== null;
    return found ? instanceOf(vm, empty("ModuleSpec"), { name: str(name) }) : NONE;
  }),
};

const kind = (name: string, matches: (v: Value) => boolean): [string, ClassValue] => [
  name,
  makeClass({ name, bases: [], attributes: new Map(), native: { matches } })!,
];

export const types: Contents = {
  ...Object.fromEntries([
    kind("FunctionType", (v) => v.kind === "function"),
    kind("LambdaType", (v) => v.kind === "function"),
    kind("BuiltinFunctionType", (v) => v.kind === "builtin"),
    kind("MethodType", (v) => v.kind === "method"),
    kind("ModuleType", (v) => v.kind === "module"),
    kind("GeneratorType", (v) => v.kind === "iterator"),
    kind("NoneType", (v) => v.kind === "none"),
    kind("TracebackType", () => false),
  ]),
  SimpleNamespace: makeClass({
    name: "SimpleNamespace",
    bases: [],
    attributes: new Map<string, Value>([
      [
        "__init__",
        {
          kind: "builtin",
          name: "__init__",
          binds: true,
          call: (_vm, { positional, keywords }) => {
            const [self] = positional;
            if (self?.kind === "instance") {
              for (const [name, v] of keywords) self.attributes.set(name, v);
            }
            return NONE;
          },
        },
      ],
    ]),
  })!,
};

const lock = (name: string): Value =>
  fn(name, "", () => ({ kind: "context", name: `threading.${name}()`, effect: "none" }));

/** Code under inspection runs in one thread. */
export const threading: Contents = {
  local: empty("local"),
  Lock: lock("Lock"),
  RLock: lock("RLock"),
};

export const json: Contents = {
  loads: fn("loads", "s, **", (c) => {
    try {
      return fromJson(c.vm, JSON.parse(c.text("s")));
    } catch (e) {
      if (!(e instanceof SyntaxError)) throw e;
      return c.vm.fail("ValueError", "this is not JSON");
    }
  }),
};

function fromJson(vm: Interpreter, v: unknown): Value {
  if (v === null) return NONE;
  if (typeof v === "boolean") return bool(v);
  if (typeof v === "string") return str(v);
  if (typeof v === "number") return Number.isInteger(v) ? int(v) : float(v);
  if (Array.isArray(v))
    return makeList(
      vm,
      v.map((x) => fromJson(vm, x)),
    );
  return makeDict(
    vm,
    Object.entries(v as object).map(([key, x]) => [str(key), fromJson(vm, x)] as const),
  );
}
