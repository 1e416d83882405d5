/** dataclasses */
import { findAttribute, getAttribute, setIn } from "../../interpreter/attributes.ts";
import { call } from "../../interpreter/calls.ts";
import { makeClass } from "../../interpreter/classes.ts";
import { makeDict, makeList } from "../../interpreter/collections.ts";
import { display } from "../../interpreter/format.ts";
import { matchArguments } from "../../interpreter/match.ts";
import { compareOperation } from "../../interpreter/operators.ts";
import { truth } from "../../interpreter/truth.ts";
import type { ComparisonOperator } from "../../syntax.ts";
import {
  type BuiltinValue,
  type ClassValue,
  FALSE,
  type InstanceValue,
  NONE,
  TRUE,
  type Value,
  bool,
  str,
  tuple,
} from "../../values.ts";
import type { CallContext } from "../signature.ts";
import { type Contents, fn, method } from "./define.ts";

/** One field of a dataclass. */
interface Field {
  readonly name: string;
  readonly usual: Value | null;
  readonly factory: Value | null;
  /** Whether __init__ takes it, and only by keyword. */
  readonly init: boolean;
  readonly keywordOnly: boolean;
  readonly compare: boolean;
  readonly repr: boolean;
}

const FIELD = makeClass({ name: "Field", bases: [], attributes: new Map() })!;

/** `field(default_factory=list)`. */
function field(c: CallContext): Value {
  const names = ["default", "default_factory", "init", "repr", "compare", "kw_only"];
  const attributes = new Map(names.map((n): [string, Value] => [n, c.value(n)]));
  return { kind: "instance", cls: FIELD, attributes, born: c.vm.epoch };
}

const FIELDS = "__dataclass_fields__";

const fieldsOfClass = new WeakMap<ClassValue, readonly Field[]>();

function fieldsOf(v: Value): readonly Field[] | null {
  const cls = v.kind === "instance" ? v.cls : v.kind === "class" ? v : null;
  for (const c of cls?.mro ?? []) {
    const own = c.kind === "class" ? fieldsOfClass.get(c) : undefined;
    if (own !== undefined) return own;
  }
  return null;
}

/** Annotated names of the body, after those of the bases that are dataclasses. */
function collectFields(c: CallContext, cls: ClassValue): Field[] {
  const found = new Map<string, Field>();
  for (const base of [...cls.mro].reverse()) {
    if (base.kind !== "class" || base === cls) continue;
    for (const f of fieldsOfClass.get(base) ?? []) found.set(f.name, f);
  }
  let keywordOnly = c.flag("kw_only");
  for (const s of cls.definition?.body ?? []) {
    if (s.kind !== "AnnAssign" || s.target.kind !== "Name") continue;
    if (/\bClassVar\b/.test(s.annotation)) continue;
    if (/\bKW_ONLY\b/.test(s.annotation)) {
      keywordOnly = true;
      continue;
    }
    if (/\bInitVar\b/.test(s.annotation)) {
      c.vm.unsupported("dataclasses.InitVar is not supported", "Make it a plain field.");
    }
    found.set(s.target.id, fieldFrom(c, cls, s.target.id, keywordOnly));
  }
  return [...found.values()];
}

function fieldFrom(c: CallContext, cls: ClassValue, name: string, keywordOnly: boolean): Field {
  const usual = cls.attributes.get(name) ?? null;
  if (usual?.kind !== "instance" || usual.cls !== FIELD) {
    const flags = { init: true, compare: true, repr: true, keywordOnly };
    return { name, usual, factory: null, ...flags };
  }
  const setting = (key: string): Value | null => {
    const v = usual.attributes.get(key);
    return v === undefined || v.kind === "none" ? null : v;
  };
  const flag = (key: string): boolean => truth(c.vm, usual.attributes.get(key) ?? TRUE);
  const given = setting("default");
  // A field without a default leaves no attribute in the class.
  setIn(c.vm, cls, cls.attributes, name, given);
  return {
    name,
    usual: given,
    factory: setting("default_factory"),
    init: flag("init"),
    compare: flag("compare"),
    repr: flag("repr"),
    keywordOnly: keywordOnly || truth(c.vm, usual.attributes.get("kw_only") ?? FALSE),
  };
}

function initOf(fields: readonly Field[]): BuiltinValue {
  const positional = fields.filter((f) => f.init && !f.keywordOnly);
  return {
    kind: "builtin",
    name: "__init__",
    binds: true,
    call: (vm, args) => {
      const [self, ...given] = args.positional;
      if (self?.kind !== "instance") return vm.fail("TypeError", "__init__() needs an instance");
      if (given.length > positional.length) {
        vm.fail(
          "TypeError",
          `${self.cls.name}.__init__() takes ${positional.length + 1} positional arguments but ` +
            `${given.length + 1} were given`,
        );
      }
      const known = new Set(fields.filter((f) => f.init).map((f) => f.name));
      for (const name of args.keywords.keys()) {
        if (known.has(name)) continue;
        const method = `${self.cls.name}.__init__()`;
        vm.fail("TypeError", `${method} got an unexpected keyword argument '${name}'`);
      }
      for (const f of fields) {
        const at = positional.indexOf(f);
        const passed =
          at >= 0 ? (given[at] ?? args.keywords.get(f.name)) : args.keywords.get(f.name);
        const made = f.factory === null ? f.usual : call(vm, f.factory, []);
        const value = (f.init ? passed : undefined) ?? made;
        if (value !== null) self.attributes.set(f.name, value);
        else if (f.init) {
          vm.fail(
            "TypeError",
            `${self.cls.name}.__init__() missing required argument: '${f.name}'`,
          );
        }
      }
      const after = findAttribute(vm, self, "__post_init__");
      if (after !== undefined) call(vm, after, []);
      return NONE;
    },
  };
}

const valuesOf = (c: CallContext, v: Value, fields: readonly Field[]): Value =>
  tuple(fields.map((f) => getAttribute(c.vm, v, f.name)));

const sameClass = (a: Value, b: Value): boolean =>
  a.kind === "instance" && b.kind === "instance" && a.cls === b.cls;

function comparison(
  name: string,
  op: ComparisonOperator,
  fields: readonly Field[],
): [string, Value] {
  const compared = fields.filter((f) => f.compare);
  return method(`__${name}__`, "self, other", (c) => {
    const [a, b] = [c.value("self"), c.value("other")];
    if (!sameClass(a, b)) {
      if (op === "==") return FALSE;
      return c.vm.fail("TypeError", `'${op}' not supported between these instances`);
    }
    return compareOperation(c.vm, op, valuesOf(c, a, compared), valuesOf(c, b, compared));
  });
}

function refuse(name: string): [string, Value] {
  return method(name, "self, name, value=None", (c) =>
    c.vm.fail("FrozenInstanceError", `cannot assign to field '${c.text("name")}'`),
  );
}

/** `@dataclass`: writes __init__, __repr__ and comparisons from the annotated names of the body. */
function decorate(c: CallContext): Value {
  const cls = c.value("cls");
  if (cls.kind === "none") {
    return fn("dataclass", "cls", (inner) => complete(c, inner.value("cls")));
  }
  return complete(c, cls);
}

function complete(c: CallContext, cls: Value): Value {
  if (cls.kind !== "class") return c.vm.fail("TypeError", "dataclass() takes a class");
  const fields = collectFields(c, cls);
  fieldsOfClass.set(cls, fields);
  const shown = fields.filter((f) => f.repr);
  const made: [string, Value][] = [
    ["__match_args__", matchArguments(fields.filter((f) => f.init).map((f) => f.name))],
    [FIELDS, tuple(fields.map((f) => str(f.name)))],
  ];
  if (c.flag("init")) made.push(["__init__", initOf(fields)]);
  if (c.flag("repr")) {
    const repr = method("__repr__", "self", (inner) => {
      const self = inner.value("self");
      const text = (f: Field): string =>
        display(inner.vm, getAttribute(inner.vm, self, f.name), true);
      const parts = shown.map((f) => `${f.name}=${text(f)}`);
      return str(`${(self as InstanceValue).cls.name}(${parts.join(", ")})`);
    });
    made.push(repr);
  }
  if (c.flag("eq")) made.push(comparison("eq", "==", fields));
  if (c.flag("order")) {
    for (const [name, op] of [
      ["lt", "<"],
      ["le", "<="],
      ["gt", ">"],
      ["ge", ">="],
    ] as const) {
      made.push(comparison(name, op, fields));
    }
  }
  if (c.flag("frozen")) made.push(refuse("__setattr__"));
  for (const [name, v] of made) {
    if (!cls.attributes.has(name)) setIn(c.vm, cls, cls.attributes, name, v);
  }
  return cls;
}

function fieldsArgument(c: CallContext, name: string): readonly Field[] {
  return fieldsOf(c.value(name)) ?? c.bad(name, "a dataclass");
}

/** `replace(obj, name=value)`: a copy made by __init__. */
const replace: BuiltinValue = {
  kind: "builtin",
  name: "dataclasses.replace",
  call: (vm, { positional, keywords }) => {
    const [v] = positional;
    const fields = v === undefined ? null : fieldsOf(v);
    if (v?.kind !== "instance" || fields === null) {
      return vm.fail("TypeError", "replace() should be called on dataclass instances");
    }
    const values = new Map(keywords);
    for (const f of fields) {
      if (f.init && !values.has(f.name)) values.set(f.name, getAttribute(vm, v, f.name));
    }
    return call(vm, v.cls, [], values);
  },
};

function plainly(c: CallContext, v: Value): Value {
  const fields = v.kind === "instance" ? fieldsOf(v) : null;
  if (fields !== null) {
    const pairs = fields.map(
      (f) => [str(f.name), plainly(c, getAttribute(c.vm, v, f.name))] as const,
    );
    return makeDict(c.vm, pairs);
  }
  if (v.kind === "list")
    return makeList(
      c.vm,
      v.items.map((x) => plainly(c, x)),
    );
  if (v.kind === "tuple") return { ...v, items: v.items.map((x) => plainly(c, x)) };
  if (v.kind !== "dict") return v;
  return makeDict(
    c.vm,
    [...v.entries.values()].map((e) => [e.key, plainly(c, e.value)] as const),
  );
}

function listed(c: CallContext): Value {
  const described = fieldsArgument(c, "obj").map((f): Value => ({
    kind: "instance",
    cls: FIELD,
    attributes: new Map<string, Value>([
      ["name", str(f.name)],
      ["default", f.usual ?? NONE],
    ]),
    born: c.vm.epoch,
  }));
  return tuple(described);
}

export const dataclasses: Contents = {
  dataclass: fn(
    "dataclass",
    "cls=None, *, init=True, repr=True, eq=True, order=False, frozen=False, kw_only=False, " +
      "~unsafe_hash, ~match_args, ~slots, ~weakref_slot",
    decorate,
  ),
  field: fn(
    "field",
    "*, default=None, default_factory=None, init=True, repr=True, compare=True, kw_only=False, " +
      "~hash, ~metadata",
    field,
  ),
  replace,
  asdict: fn("asdict", "obj", (c) => (fieldsArgument(c, "obj"), plainly(c, c.value("obj")))),
  astuple: fn("astuple", "obj", (c) => valuesOf(c, c.value("obj"), fieldsArgument(c, "obj"))),
  fields: fn("fields", "obj", listed),
  is_dataclass: fn("is_dataclass", "obj", (c) => bool(fieldsOf(c.value("obj")) !== null)),
};
