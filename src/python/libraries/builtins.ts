/** Python's built-in functions. */
import {
  findAttribute,
  findMethod,
  getAttribute,
  isSubclass,
  setAttribute,
} from "../interpreter/attributes.ts";
import { call, isCallable } from "../interpreter/calls.ts";
import { hashKey, identityOf, makeDict, makeList } from "../interpreter/collections.ts";
import { EXCEPTIONS } from "../interpreter/exceptions.ts";
import { display, formatValue } from "../interpreter/format.ts";
import { importByName } from "../interpreter/imports.ts";
import {
  iterate,
  iteratorOf,
  iteratorOver,
  lazyIterator,
  nextItem,
} from "../interpreter/iterate.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { knownInteger, knownNumber } from "../interpreter/known.ts";
import { derived, numberExpr } from "../interpreter/numbers.ts";
import { NOT_IMPLEMENTED, binaryOperation, compareOperation } from "../interpreter/operators.ts";
import { truth } from "../interpreter/truth.ts";
import { sizeNumbers } from "../tensors/tensor.ts";
import { keepingFunction } from "../tensors/elementwise.ts";
import { unary } from "../../expression/build.ts";
import {
  type BuiltinValue,
  type RequestValue,
  NONE,
  TRUE,
  type Value,
  bool,
  int,
  str,
  tuple,
  typeName,
} from "../values.ts";
import { type CallContext, type Table, builtin } from "./signature.ts";
import { TYPES } from "./types.ts";

const functions: Table = {
  print: ["*values, sep=' ', end='\\n', ~file, ~flush", print],
  len: ["obj", (c) => length(c.vm, c.value("obj"))],
  range: ["start, stop=None, step=1", range],
  enumerate: ["iterable, start=0", enumerate],
  zip: ["*iterables, strict=False", zip],
  map: ["func, *iterables", map],
  filter: ["func, iterable", filter],
  sum: ["iterable, start=0", sum],
  min: ["*values, key=None, default=None", (c) => extreme(c, "<")],
  max: ["*values, key=None, default=None", (c) => extreme(c, ">")],
  abs: ["x", absolute],
  round: ["number, ndigits=None", round],
  pow: ["base, exp, !mod", (c) => binaryOperation(c.vm, "**", c.value("base"), c.value("exp"))],
  divmod: [
    "a, b",
    (c) =>
      tuple([
        binaryOperation(c.vm, "//", c.value("a"), c.value("b")),
        binaryOperation(c.vm, "%", c.value("a"), c.value("b")),
      ]),
  ],
  isinstance: [
    "obj, classinfo",
    (c) => bool(isInstance(c.vm, c.value("obj"), c.value("classinfo"))),
  ],
  issubclass: ["cls, classinfo", subclass],
  callable: ["obj", (c) => bool(isCallable(c.value("obj")))],
  getattr: ["obj, name, *default", getattr],
  setattr: [
    "obj, name, value",
    (c) => (setAttribute(c.vm, c.value("obj"), c.text("name"), c.value("value")), NONE),
  ],
  hasattr: [
    "obj, name",
    (c) => bool(findAttribute(c.vm, c.value("obj"), c.text("name")) !== undefined),
  ],
  sorted: [
    "iterable, *, key=None, reverse=False",
    (c) => sorted(c, [...iterate(c.vm, c.value("iterable"))]),
  ],
  reversed: [
    "sequence",
    (c) => iteratorOver(c.vm, [...iterate(c.vm, c.value("sequence"))].reverse()),
  ],
  any: [
    "iterable",
    (c) => bool([...iterate(c.vm, c.value("iterable"))].some((v) => truth(c.vm, v))),
  ],
  all: [
    "iterable",
    (c) => bool([...iterate(c.vm, c.value("iterable"))].every((v) => truth(c.vm, v))),
  ],
  // Of a dotted name the package, as `import a.b` binds it.
  __import__: [
    "name, ~globals, ~locals, fromlist=None, !level=0",
    (c) => {
      const module = importByName(c.vm, c.text("name"));
      const [first] = c.text("name").split(".");
      return c.flag("fromlist") ? module : importByName(c.vm, first!);
    },
  ],
  iter: ["iterable, !sentinel", (c) => iteratorOf(c.vm, c.value("iterable"))],
  next: ["iterator, *default", next],
  repr: ["obj", (c) => str(display(c.vm, c.value("obj"), true))],
  format: ["value, spec=''", (c) => str(formatValue(c.vm, c.value("value"), c.text("spec")))],
  id: ["obj", (c) => int(identityOf(c.value("obj")))],
  hash: [
    "obj",
    (c) =>
      int(
        Array.from(hashKey(c.vm, c.value("obj"))).reduce(
          (h, x) => (h * 31 + x.charCodeAt(0)) % 2147483647,
          7,
        ),
      ),
  ],
  property: [
    "fget, fset=None",
    (c) => ({ kind: "property", getter: c.value("fget"), setter: c.optional("fset") }),
  ],
  staticmethod: ["f", (c) => ({ kind: "staticmethod", callee: c.value("f") })],
  classmethod: ["f", (c) => ({ kind: "classmethod", callee: c.value("f") })],
  super: ["cls=None, obj=None", superOf],
  slice: ["*bounds", sliceOf],
  vars: ["obj", (c) => getAttribute(c.vm, c.value("obj"), "__dict__")],
  globals: ["", (c) => namespace(c)],
};

export const BUILTINS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...Object.entries(functions).map(([name, entry]): [string, Value] => [
    name,
    builtin("", name, entry, "numpy"),
  ]),
  ...TYPES,
  ...EXCEPTIONS,
  ["IOError", EXCEPTIONS.get("OSError")!],
  ["compare", request("compare")],
  ["check", request("check")],
  ["shapes", request("shapes")],
  ["explain", request("explain")],
  ["precision", request("precision")],
  ["__name__", str("__main__")],
  ["NotImplemented", NOT_IMPLEMENTED],
  ["__debug__", TRUE],
]);

/** Its arguments never get here: the interpreter takes them as they are written. */
function request(name: RequestValue["request"]): BuiltinValue {
  return {
    kind: "builtin",
    name,
    request: name,
    call: (vm) => vm.unsupported(`${name}(…) must be called by its name`),
  };
}

function print(c: CallContext): Value {
  const parts = c.list("values").map((v) => display(c.vm, v));
  const separator = c.given("sep") ? c.text("sep") : " ";
  const end = c.given("end") ? c.text("end") : "\n";
  if (!c.vm.silent) c.vm.host.print(parts.join(separator) + end.replace("\\n", "\n"));
  return NONE;
}

export function length(vm: Interpreter, v: Value): Value {
  switch (v.kind) {
    case "str":
      return int(v.value.length);
    case "list":
    case "tuple":
      return int(v.items.length);
    case "dict":
    case "set":
      return int(v.entries.size);
    case "range":
      return int(Math.max(0, Math.ceil((v.stop - v.start) / v.step)));
    case "tensor": {
      return sizeNumbers(v)[0] ?? vm.fail("TypeError", "len() of a 0-d tensor");
    }
    case "class":
    case "instance": {
      const own = findMethod(v, "__len__");
      if (own !== null) return call(vm, own, []);
      if (v.kind === "class" && v.attributes.has("__members__")) {
        return length(vm, v.attributes.get("__members__")!);
      }
      break;
    }
    default:
      break;
  }
  return vm.fail("TypeError", `object of type '${typeName(v)}' has no len()`);
}

function range(c: CallContext): Value {
  const whole = (name: string): number => knownInteger(c.vm, c.value(name), "range()");
  if (!c.given("stop")) return { kind: "range", start: 0, stop: whole("start"), step: 1 };
  const step = whole("step");
  if (step === 0) c.vm.fail("ValueError", "range() arg 3 must not be zero");
  const [start, stop] = [whole("start"), whole("stop")];
  if (step > 0) c.vm.recorder.ranged(start, stop);
  return { kind: "range", start, stop, step };
}

function enumerate(c: CallContext): Value {
  let n = c.int("start");
  const items = iteratorOf(c.vm, c.value("iterable"));
  return lazyIterator(c.vm, (vm) => {
    const item = nextItem(vm, items);
    return item === undefined ? undefined : tuple([int(n++), item]);
  });
}

/** The next item of each; `undefined` when the shortest ends. */
function rows(c: CallContext): (vm: Interpreter) => Value[] | undefined {
  const columns = c.list("iterables").map((v) => iteratorOf(c.vm, v));
  return (vm) => {
    const row: Value[] = [];
    for (const column of columns) {
      const item = nextItem(vm, column);
      if (item === undefined) return undefined;
      row.push(item);
    }
    return columns.length === 0 ? undefined : row;
  };
}

function zip(c: CallContext): Value {
  if (c.flag("strict")) return strictZip(c);
  const next = rows(c);
  return lazyIterator(c.vm, (vm) => {
    const row = next(vm);
    return row === undefined ? undefined : tuple(row);
  });
}

/** `zip(…, strict=True)`: all must be of one length. */
function strictZip(c: CallContext): Value {
  const columns = c.list("iterables").map((v) => iteratorOf(c.vm, v));
  return lazyIterator(c.vm, (vm) => {
    const row = columns.map((column) => nextItem(vm, column));
    const missing = row.findIndex((v) => v === undefined);
    if (missing < 0) return row.length === 0 ? undefined : tuple(row as Value[]);
    const extra = row.findIndex((v) => v !== undefined);
    if (extra < 0) return undefined;
    const [k, how] = missing > 0 ? [missing, "shorter"] : [extra, "longer"];
    const before = k === 1 ? "argument 1" : `arguments 1-${k}`;
    return vm.fail("ValueError", `zip() argument ${k + 1} is ${how} than ${before}`);
  });
}

function map(c: CallContext): Value {
  const next = rows(c);
  const f = c.value("func");
  return lazyIterator(c.vm, (vm) => {
    const row = next(vm);
    return row === undefined ? undefined : call(vm, f, row);
  });
}

function filter(c: CallContext): Value {
  const f = c.optional("func");
  const items = iteratorOf(c.vm, c.value("iterable"));
  return lazyIterator(c.vm, (vm) => {
    for (;;) {
      const item = nextItem(vm, items);
      if (item === undefined || truth(vm, f === null ? item : call(vm, f, [item]))) return item;
    }
  });
}

function sum(c: CallContext): Value {
  let total = c.value("start");
  for (const v of iterate(c.vm, c.value("iterable"))) {
    total = binaryOperation(c.vm, "+", total, v);
    if (total.kind === "tensor") c.vm.recorder.made(total.expr, c.vm.at);
  }
  return total;
}

/** By Python's comparison: of tensors, it follows their values. */
function extreme(c: CallContext, op: "<" | ">"): Value {
  const given = c.list("values");
  const items = given.length === 1 ? [...iterate(c.vm, given[0]!)] : given;
  const key = c.optional("key");
  const keyOf = (v: Value): Value => (key === null ? v : call(c.vm, key, [v]));
  if (items.length === 0) {
    return c.given("default")
      ? c.value("default")
      : c.vm.fail("ValueError", `${c.name}() arg is an empty sequence`);
  }
  return items.reduce((best, v) =>
    truth(c.vm, compareOperation(c.vm, op, keyOf(v), keyOf(best))) ? v : best,
  );
}

function absolute(c: CallContext): Value {
  const v = c.value("x");
  if (v.kind === "tensor") return keepingFunction(c.vm, "abs", v);
  const own = findMethod(v, "__abs__");
  if (own !== null) return call(c.vm, own, []);
  if (v.kind !== "number") return c.bad("x", "a number");
  const value = v.value === null ? null : Math.abs(v.value);
  const type = v.type === "float" ? "float" : "int";
  return derived(type, value, () => unary("abs", numberExpr(v)), v);
}

/** Halves to even, as Python 3. */
function round(c: CallContext): Value {
  const v = c.value("number");
  if (v.kind === "tensor") return keepingFunction(c.vm, "round", v);
  if (v.kind !== "number") return c.bad("number", "a number");
  const x = knownNumber(c.vm, v, "round()");
  if (c.given("ndigits")) {
    const digits = c.int("ndigits");
    const rounded =
      digits >= 0
        ? Number(x.toFixed(Math.min(digits, 100)))
        : halfEven(x / 10 ** -digits) * 10 ** -digits;
    return { ...int(rounded), type: v.type === "float" ? "float" : "int" };
  }
  return int(halfEven(x));
}

function halfEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

export function isInstance(vm: Interpreter, v: Value, of: Value): boolean {
  if (of.kind === "tuple") return of.items.some((x) => isInstance(vm, v, x));
  if (of.kind === "opaque") {
    // An instance of a class that is not known would itself be opaque.
    return v.kind === "opaque"
      ? vm.unsupported(`whether this is a ${of.name} is not known`)
      : false;
  }
  if (of.kind === "none") return v.kind === "none";
  if (of.kind === "builtin") return false;
  if (of.kind !== "class") {
    return vm.fail("TypeError", "isinstance() arg 2 must be a type or a tuple of types");
  }
  if (of.native?.matches?.(v) === true) return true;
  return v.kind === "instance" && isSubclass(v.cls, of);
}

function subclass(c: CallContext): Value {
  const cls = c.value("cls");
  const info = c.value("classinfo");
  const classes = info.kind === "tuple" ? info.items : [info];
  if (cls.kind !== "class") return c.bad("cls", "a class");
  return bool(classes.some((x) => x.kind === "class" && isSubclass(cls, x)));
}

function getattr(c: CallContext): Value {
  const fallback = c.list("default")[0];
  if (fallback === undefined) return getAttribute(c.vm, c.value("obj"), c.text("name"));
  return findAttribute(c.vm, c.value("obj"), c.text("name")) ?? fallback;
}

export function sorted(c: CallContext, items: Value[]): Value {
  const key = c.optional("key");
  const keyed = items.map((v) => ({ v, k: key === null ? v : call(c.vm, key, [v]) }));
  const sign = c.flag("reverse") ? -1 : 1;
  keyed.sort((a, b) =>
    truth(c.vm, compareOperation(c.vm, "<", a.k, b.k))
      ? -sign
      : truth(c.vm, compareOperation(c.vm, "<", b.k, a.k))
        ? sign
        : 0,
  );
  return makeList(
    c.vm,
    keyed.map(({ v }) => v),
  );
}

function next(c: CallContext): Value {
  const it = c.value("iterator");
  if (it.kind !== "iterator") {
    const own = findMethod(it, "__next__");
    if (own !== null) return call(c.vm, own, []);
    return c.vm.fail("TypeError", `'${typeName(it)}' object is not an iterator`);
  }
  return nextItem(c.vm, it) ?? c.list("default")[0] ?? c.vm.fail("StopIteration", "");
}

/** super() finds the class of the running method, and its first argument. */
function superOf(c: CallContext): Value {
  const given = c.optional("cls");
  if (given !== null) {
    if (given.kind !== "class") return c.bad("cls", "a class");
    return { kind: "super", after: given, self: c.value("obj") };
  }
  const frame = c.vm.frames.at(-1);
  const owner = frame?.fn?.owner;
  const first = frame?.fn?.code.parameters[0];
  const self = first === undefined ? undefined : frame?.scope.variables.get(first.name);
  if (owner === undefined || owner === null || self === undefined)
    return c.vm.fail("RuntimeError", "super(): no arguments");
  return { kind: "super", after: owner, self };
}

function sliceOf(c: CallContext): Value {
  const given = c.list("bounds");
  if (given.length === 0 || given.length > 3) {
    c.vm.fail("TypeError", `slice expected 1 to 3 arguments, got ${given.length}`);
  }
  // Alone it is the end; `slice(1, None)` has no end.
  const [start = NONE, stop = NONE, step = NONE] = given.length === 1 ? [NONE, ...given] : given;
  return { kind: "slice", start, stop, step };
}

function namespace(c: CallContext): Value {
  const scope = c.vm.frames.at(-1)?.scope.module;
  return makeDict(
    c.vm,
    [...(scope?.variables ?? [])].map(([k, v]) => [str(k), v] as const),
  );
}
