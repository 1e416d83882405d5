/** Python's own types as classes: int(x), list(xs), isinstance(x, float), type(x). */
import { findMethod } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import { makeDict, makeList, setOf } from "../interpreter/collections.ts";
import { display } from "../interpreter/format.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { iterate } from "../interpreter/iterate.ts";
import { knownNumber } from "../interpreter/known.ts";
import { truth } from "../interpreter/truth.ts";
import {
  type CallArguments,
  type ClassValue,
  FALSE,
  type Value,
  bool,
  float,
  int,
  str,
  tuple,
  typeName,
} from "../values.ts";
import { itemOf } from "./convert.ts";

type Construct = (vm: Interpreter, args: CallArguments, cls: ClassValue) => Value;

function type(name: string, matches: (v: Value) => boolean, make: Construct): [string, ClassValue] {
  // A class of the user's that derives from str or dict is beyond what these instances can be.
  const guarded: Construct = (vm, args, cls) =>
    cls.name === name
      ? make(vm, args, cls)
      : vm.unsupported(`classes derived from ${name} are not supported (${cls.name})`);
  return [
    name,
    makeClass({
      name,
      bases: [],
      attributes: new Map(),
      native: { matches, construct: guarded },
    })!,
  ];
}

const first = (args: CallArguments): Value | undefined => args.positional[0];

const items = (vm: Interpreter, args: CallArguments): Value[] => {
  const v = first(args);
  return v === undefined ? [] : [...iterate(vm, v)];
};

const isNumber = (type: string) => (v: Value) => v.kind === "number" && v.type === type;

/** An instance that nothing has been put into. */
function bareInstance(vm: Interpreter, { positional }: CallArguments): Value {
  const cls = positional[0];
  if (cls?.kind !== "class")
    return vm.fail("TypeError", "object.__new__(X): X is not a type object");
  return { kind: "instance", cls, attributes: new Map(), born: vm.epoch };
}

export const OBJECT: ClassValue = makeClass({
  name: "object",
  bases: [],
  attributes: new Map<string, Value>([
    [
      "__init__",
      { kind: "builtin", name: "object.__init__", binds: true, call: () => ({ kind: "none" }) },
    ],
    ["__new__", { kind: "builtin", name: "object.__new__", call: bareInstance }],
  ]),
  native: { matches: () => true },
})!;

export const TYPES: ReadonlyMap<string, ClassValue> = new Map<string, ClassValue>([
  ["object", OBJECT],
  type("int", (v) => v.kind === "number" && v.type !== "float", toInt),
  type("float", isNumber("float"), toFloat),
  type("bool", isNumber("bool"), (vm, args) => {
    const v = first(args);
    return v === undefined ? FALSE : bool(truth(vm, v));
  }),
  type(
    "str",
    (v) => v.kind === "str",
    (vm, args) => str(display(vm, first(args) ?? str(""))),
  ),
  type(
    "list",
    (v) => v.kind === "list",
    (vm, args) => makeList(vm, items(vm, args)),
  ),
  type(
    "tuple",
    (v) => v.kind === "tuple",
    (vm, args) => tuple(items(vm, args)),
  ),
  type(
    "set",
    (v) => v.kind === "set",
    (vm, args) => setOf(vm, items(vm, args)),
  ),
  type(
    "frozenset",
    () => false,
    (vm, args) => setOf(vm, items(vm, args)),
  ),
  type("dict", (v) => v.kind === "dict", toDict),
  type(
    "type",
    (v) => v.kind === "class",
    (vm, args) => {
      const v = first(args);
      if (v === undefined || args.positional.length > 1) {
        return vm.unsupported("type() with three arguments makes a class, which is not supported");
      }
      return typeOf(v);
    },
  ),
  type(
    "complex",
    () => false,
    (vm) => vm.unsupported("complex numbers are not supported"),
  ),
]);

const NONE_TYPE = makeClass({
  name: "NoneType",
  bases: [],
  attributes: new Map(),
  native: { matches: (v) => v.kind === "none" },
})!;
const FUNCTION_TYPE = makeClass({
  name: "function",
  bases: [],
  attributes: new Map(),
  native: { matches: (v) => v.kind === "function" },
})!;

/** Filled in by the libraries: the classes of their arrays. */
export const ARRAY_TYPES = new Map<string, ClassValue>();

export function typeOf(v: Value): ClassValue {
  switch (v.kind) {
    case "instance":
      return v.cls;
    case "none":
      return NONE_TYPE;
    case "function":
    case "builtin":
    case "method":
      return FUNCTION_TYPE;
    case "number":
      return TYPES.get(v.type)!;
    case "class":
      return TYPES.get("type")!;
    case "tensor":
      return ARRAY_TYPES.get(v.library) ?? OBJECT;
    default:
      return TYPES.get(v.kind) ?? OBJECT;
  }
}

function numeric(vm: Interpreter, v: Value, name: string): Value {
  if (v.kind === "tensor") return itemOf(vm, v, `${name}()`);
  const own = findMethod(v, `__${name}__`);
  return own === null ? v : call(vm, own, []);
}

function toInt(vm: Interpreter, args: CallArguments): Value {
  const v = numeric(vm, first(args) ?? int(0), "int");
  if (v.kind === "str") {
    const base = args.positional[1];
    const radix = base?.kind === "number" ? (base.value ?? 10) : 10;
    const text = v.value.trim().replaceAll("_", "");
    const value = parseInt(text, radix);
    if (Number.isNaN(value) || !/^[-+]?[0-9a-zA-Z]+$/.test(text)) {
      return vm.fail(
        "ValueError",
        `invalid literal for int() with base ${radix}: ${display(vm, v, true)}`,
      );
    }
    return int(value);
  }
  if (v.kind !== "number") {
    return vm.fail("TypeError", `int() argument must be a number, not '${typeName(v)}'`);
  }
  if (v.type !== "float") return v.type === "bool" ? { ...v, type: "int" } : v;
  const value = knownNumber(vm, v, "int()");
  if (!Number.isFinite(value)) {
    const what = Number.isNaN(value) ? "float NaN" : "float infinity";
    return vm.fail(
      Number.isNaN(value) ? "ValueError" : "OverflowError",
      `cannot convert ${what} to integer`,
    );
  }
  return int(Math.trunc(value));
}

function toFloat(vm: Interpreter, args: CallArguments): Value {
  const v = numeric(vm, first(args) ?? float(0), "float");
  if (v.kind === "str") {
    const text = v.value.trim().toLowerCase().replaceAll("_", "");
    const special = {
      inf: Infinity,
      "+inf": Infinity,
      infinity: Infinity,
      "-inf": -Infinity,
      nan: NaN,
    }[text];
    const value = special ?? (text === "" ? NaN : Number(text));
    if (Number.isNaN(value) && text !== "nan") {
      return vm.fail("ValueError", `could not convert string to float: ${display(vm, v, true)}`);
    }
    return float(value);
  }
  if (v.kind !== "number") {
    return vm.fail(
      "TypeError",
      `float() argument must be a string or a number, not '${typeName(v)}'`,
    );
  }
  return { ...v, type: "float", axes: null };
}

function toDict(vm: Interpreter, args: CallArguments): Value {
  const pairs: (readonly [Value, Value])[] = [];
  const v = first(args);
  if (v?.kind === "dict") for (const e of v.entries.values()) pairs.push([e.key, e.value]);
  else if (v !== undefined) {
    for (const pair of iterate(vm, v)) {
      const [key, value] = [...iterate(vm, pair)];
      if (key === undefined || value === undefined) {
        return vm.fail("ValueError", "dictionary update sequence element has not length 2");
      }
      pairs.push([key, value]);
    }
  }
  for (const [k, x] of args.keywords) pairs.push([str(k), x]);
  return makeDict(vm, pairs);
}
