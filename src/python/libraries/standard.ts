/** Modules of the standard library that losses import: what matters of each, or nothing at all. */
import { findAttribute, setIn } from "../interpreter/attributes.ts";
import { call } from "../interpreter/calls.ts";
import { makeClass } from "../interpreter/classes.ts";
import { makeDict, makeList } from "../interpreter/collections.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { iterate } from "../interpreter/iterate.ts";
import { binaryOperation } from "../interpreter/operators.ts";
import {
  type BuiltinValue,
  type ClassValue,
  type InstanceValue,
  NONE,
  type Value,
  str,
  tuple,
} from "../values.ts";
import { equals } from "../interpreter/operators.ts";
import { truth } from "../interpreter/truth.ts";
import { type CallContext, type Entry, builtin } from "./signature.ts";

const fn = (name: string, entry: Entry): BuiltinValue => builtin("", name, entry, "numpy");

/** A decorator that leaves its function as it is, with or without arguments of its own. */
const unchanged = (name: string): BuiltinValue => ({
  kind: "builtin",
  name,
  call: (_vm, { positional }) => positional[0] ?? unchanged(name),
});

/** `partial(f, …)`: the remaining arguments come later. */
const partial: BuiltinValue = {
  kind: "builtin",
  name: "functools.partial",
  call: (vm, { positional, keywords }) => {
    const [f, ...given] = positional;
    if (f === undefined) return vm.fail("TypeError", "partial() takes a function");
    return {
      kind: "builtin",
      name: "partial",
      wraps: f,
      call: (inner, later) =>
        call(inner, f, [...given, ...later.positional], new Map([...keywords, ...later.keywords])),
    };
  },
};

/** `@wraps(f)` copies a name and a docstring. */
const wraps: BuiltinValue = {
  kind: "builtin",
  name: "functools.wraps",
  call: () => unchanged("wraps"),
};

function reduce(c: CallContext): Value {
  const items = [...iterate(c.vm, c.value("iterable"))];
  const start = c.list("initial")[0] ?? items.shift();
  if (start === undefined)
    return c.vm.fail("TypeError", "reduce() of empty iterable with no initial value");
  return items.reduce((acc, v) => call(c.vm, c.value("function"), [acc, v]), start);
}

// enum

/** Turns the constants of an Enum's body into members. */
function finishEnum(vm: Interpreter, cls: ClassValue): Value {
  const members: [Value, Value][] = [];
  const strings = cls.mro.some((c) => c.name === "str" || c.name === "StrEnum");
  let count = 0;
  for (const [name, v] of [...cls.attributes]) {
    const isConstant =
      v.kind === "number" || v.kind === "str" || v.kind === "tuple" || v.kind === "list";
    if (!isConstant || name.startsWith("_")) {
      const auto = v.kind === "instance" && v.cls === AUTO;
      if (!auto) continue;
    }
    count++;
    const value: Value =
      v.kind === "instance"
        ? strings
          ? str(name.toLowerCase())
          : { kind: "number", type: "int", value: count, symbol: null, axes: null }
        : v;
    const member: InstanceValue = {
      kind: "instance",
      cls,
      attributes: new Map<string, Value>([
        ["name", str(name)],
        ["value", value],
        ["_name_", str(name)],
        ["_value_", value],
      ]),
      born: vm.epoch,
    };
    cls.attributes.set(name, member);
    members.push([str(name), member]);
  }
  cls.attributes.set("__members__", makeDict(vm, members));
  return cls;
}

/** `Mode("soft")`: the member of that value. */
function memberOf(vm: Interpreter, value: Value, cls: ClassValue): Value {
  if (value.kind === "instance" && value.cls === cls) return value;
  const members = cls.attributes.get("__members__");
  for (const e of members?.kind === "dict" ? members.entries.values() : []) {
    const own = e.value.kind === "instance" ? e.value.attributes.get("value") : undefined;
    if (own !== undefined && truth(vm, equals(vm, own, value))) return e.value;
  }
  const shown = value.kind === "str" ? `'${value.value}'` : "this value";
  return vm.fail("ValueError", `${shown} is not a valid ${cls.name}`);
}

const AUTO: ClassValue = makeClass({ name: "auto", bases: [], attributes: new Map() })!;

function enumClass(
  name: string,
  bases: readonly ClassValue[],
  comparesAsValue: boolean,
): ClassValue {
  const attributes = new Map<string, Value>();
  if (comparesAsValue) {
    const equal = (c: CallContext): Value => {
      const own = c.value("self");
      const other = c.value("other");
      const valueOf = (v: Value): Value =>
        v.kind === "instance" ? (v.attributes.get("value") ?? v) : v;
      return equals(c.vm, valueOf(own), valueOf(other));
    };
    attributes.set("__eq__", { ...fn("__eq__", ["self, other", equal]), binds: true });
    attributes.set("__str__", {
      ...fn("__str__", ["self", (c) => findAttribute(c.vm, c.value("self"), "value") ?? NONE]),
      binds: true,
    });
  }
  return makeClass({
    name,
    bases,
    attributes,
    native: {
      finish: finishEnum,
      construct: (vm, { positional }, cls) => memberOf(vm, positional[0] ?? NONE, cls),
    },
  })!;
}

const ENUM = enumClass("Enum", [], false);
const INT_ENUM = enumClass("IntEnum", [ENUM], true);
const STR_ENUM = enumClass("StrEnum", [ENUM], true);

// dataclasses

/** `@dataclass` writes __init__ from the annotated names of the body. */
const dataclass: BuiltinValue = {
  kind: "builtin",
  name: "dataclass",
  call: (vm, { positional }) => {
    const cls = positional[0];
    if (cls === undefined) return dataclass;
    if (cls.kind !== "class") return vm.fail("TypeError", "dataclass() takes a class");
    const names = fieldsOf(cls);
    const init: BuiltinValue = {
      kind: "builtin",
      name: "__init__",
      binds: true,
      call: (inner, args) => {
        const [self, ...given] = args.positional;
        if (self?.kind !== "instance")
          return inner.fail("TypeError", "__init__() needs an instance");
        names.forEach((name, k) => {
          const usual = cls.attributes.get(name);
          const v =
            given[k] ??
            args.keywords.get(name) ??
            usual ??
            inner.fail("TypeError", `__init__() missing required argument: '${name}'`);
          self.attributes.set(name, v);
        });
        const after = findAttribute(inner, self, "__post_init__");
        if (after !== undefined) call(inner, after, []);
        return NONE;
      },
    };
    setIn(vm, cls, cls.attributes, "__init__", init);
    return cls;
  },
};

function fieldsOf(cls: ClassValue): string[] {
  const names: string[] = [];
  for (const c of [...cls.mro].reverse()) {
    if (c.kind !== "class" || c.definition === null) continue;
    for (const s of c.definition.body) {
      if (s.kind === "AnnAssign" && s.target.kind === "Name" && !names.includes(s.target.id)) {
        names.push(s.target.id);
      }
    }
  }
  return names;
}

/** Types that only annotate: any subscript or base of them says nothing about values. */
const ANNOTATION: ClassValue = makeClass({ name: "Generic", bases: [], attributes: new Map() })!;

const ABC = makeClass({ name: "ABC", bases: [], attributes: new Map() })!;

function annotations(names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.map((n) => [n, ANNOTATION]));
}

const nothing: BuiltinValue = { kind: "builtin", name: "warn", call: () => NONE };

export const standardModules: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  typing: {
    ...annotations([
      "Any", "Callable", "ClassVar", "Dict", "Final", "FrozenSet", "Generic", "Iterable",
      "Iterator", "List", "Literal", "Mapping", "MutableMapping", "NoReturn", "Optional",
      "Protocol", "Sequence", "Set", "Tuple", "Type", "Union", "Hashable", "Annotated",
      "Generator", "TypedDict", "Self", "TypeAlias",
    ]), // prettier-ignore
    TYPE_CHECKING: { kind: "number", type: "bool", value: 0, symbol: null, axes: null },
    TypeVar: fn("TypeVar", ["*args, **", () => ANNOTATION]),
    cast: fn("cast", ["typ, val", (c) => c.value("val")]),
    overload: unchanged("overload"),
    final: unchanged("final"),
  },
  abc: {
    ABC,
    ABCMeta: ABC,
    abstractmethod: unchanged("abstractmethod"),
    abstractproperty: fn("abstractproperty", [
      "fget",
      (c) => ({ kind: "property", getter: c.value("fget"), setter: null }),
    ]),
  },
  functools: {
    partial,
    wraps,
    reduce: fn("reduce", ["function, iterable, *initial", reduce]),
    lru_cache: unchanged("lru_cache"),
    cache: unchanged("cache"),
    cached_property: fn("cached_property", [
      "func",
      (c) => ({ kind: "property", getter: c.value("func"), setter: null }),
    ]),
  },
  operator: Object.fromEntries(
    (
      [
        ["mul", "*"],
        ["add", "+"],
        ["sub", "-"],
        ["truediv", "/"],
      ] as const
    ).map(([name, op]) => [
      name,
      fn(name, ["a, b", (c) => binaryOperation(c.vm, op, c.value("a"), c.value("b"))]),
    ]),
  ),
  warnings: { warn: nothing, filterwarnings: nothing, simplefilter: nothing },
  enum: {
    Enum: ENUM,
    IntEnum: INT_ENUM,
    StrEnum: STR_ENUM,
    auto: AUTO,
    unique: unchanged("unique"),
  },
  dataclasses: { dataclass },
  copy: {
    copy: fn("copy", ["x", (c) => c.vm.unsupported("copy.copy() is not supported")]),
    deepcopy: fn("deepcopy", ["x", (c) => c.vm.unsupported("copy.deepcopy() is not supported")]),
  },
  collections: {
    OrderedDict: fn("OrderedDict", [
      "*pairs",
      (c) =>
        makeDict(
          c.vm,
          c.list("pairs").flatMap((p) => [...iterate(c.vm, p)].map((e) => pairOf(c, e))),
        ),
    ]),
    namedtuple: fn("namedtuple", ["typename, field_names", namedTupleType]),
  },
  "collections.abc": annotations([
    "Callable",
    "Sequence",
    "Iterable",
    "Mapping",
    "Hashable",
    "Iterator",
    "Generator",
  ]),
  __future__: annotations([
    "annotations",
    "division",
    "print_function",
    "absolute_import",
    "unicode_literals",
  ]),
  itertools: {
    product: fn("product", ["*iterables", cartesian]),
    chain: fn("chain", [
      "*iterables",
      (c) =>
        makeList(
          c.vm,
          c.list("iterables").flatMap((v) => [...iterate(c.vm, v)]),
        ),
    ]),
  },
};

function pairOf(c: CallContext, v: Value): readonly [Value, Value] {
  const [key, value] = [...iterate(c.vm, v)];
  if (key === undefined || value === undefined) return c.vm.fail("ValueError", "expected pairs");
  return [key, value];
}

function namedTupleType(c: CallContext): Value {
  const type = c.text("typename");
  const given = c.value("field_names");
  const names =
    given.kind === "str"
      ? given.value.split(/[\s,]+/).filter((n) => n !== "")
      : [...iterate(c.vm, given)].map((v) => (v.kind === "str" ? v.value : ""));
  return fn(type, [
    "*values, **",
    (inner) => ({ ...tuple(inner.list("values")), names, typeName: type }),
  ]);
}

function cartesian(c: CallContext): Value {
  const columns = c.list("iterables").map((v) => [...iterate(c.vm, v)]);
  const rows = columns.reduce<Value[][]>(
    (all, column) => all.flatMap((row) => column.map((v) => [...row, v])),
    [[]],
  );
  return makeList(c.vm, rows.map(tuple));
}
