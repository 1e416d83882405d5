/** Methods of strings, lists, tuples, dictionaries and sets. */
import {
  changeItems,
  hashKey,
  makeDict,
  makeList,
  makeSet,
  removeEntry,
  setEntry,
} from "../interpreter/collections.ts";
import { call } from "../interpreter/calls.ts";
import { display, formatValue } from "../interpreter/format.ts";
import { getAttribute } from "../interpreter/attributes.ts";
import { getItem, position } from "../interpreter/subscripts.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { iterate } from "../interpreter/iterate.ts";
import { compareOperation, equals } from "../interpreter/operators.ts";
import { truth } from "../interpreter/truth.ts";
import {
  type BuiltinValue,
  type DictValue,
  type ListValue,
  NONE,
  type SetValue,
  type Value,
  bool,
  int,
  str,
  tuple,
} from "../values.ts";
import { convert } from "./convert.ts";
import { scalarType } from "../dtypes.ts";
import { asTensor, countNumber } from "../tensors/tensor.ts";
import { type CallContext, type Table, builtin } from "./signature.ts";

const text = (c: CallContext): string => c.text("self");
const list = (c: CallContext): ListValue => {
  const v = c.value("self");
  return v.kind === "list" ? v : c.bad("self", "a list");
};
const dict = (c: CallContext): DictValue => {
  const v = c.value("self");
  return v.kind === "dict" ? v : c.bad("self", "a dictionary");
};
const set = (c: CallContext): SetValue => {
  const v = c.value("self");
  return v.kind === "set" ? v : c.bad("self", "a set");
};

const strings: Table = {
  lower: ["self", (c) => str(text(c).toLowerCase())],
  upper: ["self", (c) => str(text(c).toUpperCase())],
  capitalize: [
    "self",
    (c) => str(text(c).charAt(0).toUpperCase() + text(c).slice(1).toLowerCase()),
  ],
  strip: ["self, chars=None", (c) => str(stripped(c, true, true))],
  lstrip: ["self, chars=None", (c) => str(stripped(c, true, false))],
  rstrip: ["self, chars=None", (c) => str(stripped(c, false, true))],
  startswith: ["self, prefix", (c) => affix(c, "prefix", (s, p) => s.startsWith(p))],
  endswith: ["self, suffix", (c) => affix(c, "suffix", (s, p) => s.endsWith(p))],
  replace: ["self, old, new", (c) => str(text(c).replaceAll(c.text("old"), c.text("new")))],
  split: ["self, sep=None, maxsplit=-1", split],
  join: [
    "self, iterable",
    (c) =>
      str(
        [...iterate(c.vm, c.value("iterable"))]
          .map((v) =>
            v.kind === "str"
              ? v.value
              : c.vm.fail("TypeError", "sequence item: expected str instance"),
          )
          .join(text(c)),
      ),
  ],
  find: ["self, sub", (c) => int(text(c).indexOf(c.text("sub")))],
  count: ["self, sub", (c) => int(text(c).split(c.text("sub")).length - 1)],
  isdigit: ["self", (c) => bool(/^\d+$/.test(text(c)))],
  isalpha: ["self", (c) => bool(/^\p{L}+$/u.test(text(c)))],
  isidentifier: ["self", (c) => bool(/^[\p{L}_][\p{L}\p{N}_]*$/u.test(text(c)))],
  title: [
    "self",
    (c) =>
      str(text(c).replace(/\p{L}+/gu, (w) => w.charAt(0).toUpperCase() + w.slice(1).toLowerCase())),
  ],
  zfill: ["self, width", (c) => str(text(c).padStart(c.int("width"), "0"))],
};

const lists: Table = {
  append: [
    "self, obj",
    (c) => (changeItems(c.vm, list(c), [...list(c).items, c.value("obj")]), NONE),
  ],
  extend: [
    "self, iterable",
    (c) => (
      changeItems(c.vm, list(c), [...list(c).items, ...iterate(c.vm, c.value("iterable"))]),
      NONE
    ),
  ],
  insert: ["self, index, obj", insert],
  pop: ["self, index=-1", pop],
  remove: ["self, value", remove],
  clear: ["self", (c) => (changeItems(c.vm, list(c), []), NONE)],
  copy: ["self", (c) => makeList(c.vm, list(c).items)],
  reverse: ["self", (c) => (changeItems(c.vm, list(c), [...list(c).items].reverse()), NONE)],
  index: ["self, value", indexOf],
  count: ["self, value", countOf],
  sort: ["self, *, key=None, reverse=False", sort],
};

const tuples: Table = {
  index: ["self, value", indexOf],
  count: ["self, value", countOf],
  numel: ["self", numel],
  _asdict: ["self", (c) => asDict(c)],
};

const dicts: Table = {
  get: [
    "self, key, default=None",
    (c) => dict(c).entries.get(hashKey(c.vm, c.value("key")))?.value ?? c.value("default"),
  ],
  keys: [
    "self",
    (c) =>
      makeList(
        c.vm,
        entriesOf(c).map((e) => e.key),
      ),
  ],
  values: [
    "self",
    (c) =>
      makeList(
        c.vm,
        entriesOf(c).map((e) => e.value),
      ),
  ],
  items: [
    "self",
    (c) =>
      makeList(
        c.vm,
        entriesOf(c).map((e) => tuple([e.key, e.value])),
      ),
  ],
  copy: [
    "self",
    (c) =>
      makeDict(
        c.vm,
        entriesOf(c).map((e) => [e.key, e.value] as const),
      ),
  ],
  setdefault: ["self, key, default=None", setDefault],
  pop: ["self, key, *default", popKey],
  clear: [
    "self",
    (c) => (
      entriesOf(c).forEach((e) => {
        removeEntry(c.vm, dict(c), hashKey(c.vm, e.key));
      }),
      NONE
    ),
  ],
  close: ["self", () => NONE],
};

const sets: Table = {
  add: ["self, elem", addToSet],
  discard: ["self, elem", (c) => (removeEntry(c.vm, set(c), hashKey(c.vm, c.value("elem"))), NONE)],
  union: ["self, *others", union],
  copy: ["self", (c) => makeSet(c.vm, new Map(set(c).entries))],
};

const TABLES: Readonly<Record<string, Table>> = {
  str: strings,
  list: lists,
  tuple: tuples,
  dict: dicts,
  set: sets,
};

const made = new Map<string, BuiltinValue>();

/** `undefined` if values of this kind have no such attribute. */
export function valueAttribute(vm: Interpreter, v: Value, name: string): Value | undefined {
  if (v.kind === "dtype") return dtypeAttribute(v, name);
  if (v.kind === "number") return numberAttribute(v, name);
  if (v.kind === "property") return propertyAttribute(v, name);
  if (v.kind === "dict" && name === "files")
    return makeList(
      vm,
      [...v.entries.values()].map((e) => e.key),
    );
  if (v.kind === "str" && name === "format") return formatMethod(v.value);
  if (v.kind === "dict" && name === "update") return updateMethod(v);
  if (v.kind === "str" && name === "type") return str(v.value); // torch.device is a string here
  const table = TABLES[v.kind];
  if (table === undefined || !Object.hasOwn(table, name)) return undefined;
  const key = `${v.kind}.${name}`;
  let fn = made.get(key);
  if (fn === undefined) made.set(key, (fn = builtin(`${v.kind}.`, name, table[name]!, "numpy")));
  return { kind: "method", self: v, callee: fn };
}

function dtypeAttribute(v: Value & { readonly kind: "dtype" }, name: string): Value | undefined {
  switch (name) {
    case "name":
    case "__name__":
      return str(v.dtype);
    case "kind":
      return str(
        v.dtype === "bool"
          ? "b"
          : v.dtype.startsWith("u")
            ? "u"
            : v.dtype.startsWith("i")
              ? "i"
              : "f",
      );
    case "itemsize":
      return int(v.dtype === "bool" ? 1 : Number(/\d+$/.exec(v.dtype)?.[0] ?? 8) / 8);
    case "is_floating_point":
      return bool(scalarType(v.dtype) === "float");
    case "__call__":
      return {
        kind: "builtin",
        name: v.dtype,
        call: (inner, { positional }) => {
          const x = positional[0] ?? int(0);
          if (x.kind === "number" && scalarType(v.dtype) === "float")
            return { ...x, type: "float" };
          return convert(inner, asTensor(inner, x, v.library), v.dtype);
        },
      };
    default:
      return undefined;
  }
}

function numberAttribute(v: Value & { readonly kind: "number" }, name: string): Value | undefined {
  switch (name) {
    case "real":
      return v;
    case "item":
      return { kind: "builtin", name: "item", call: () => v };
    case "is_integer":
      return { kind: "builtin", name, call: () => bool(Number.isInteger(v.value)) };
    default:
      return undefined;
  }
}

/** `@x.setter` above a method. */
function propertyAttribute(
  v: Value & { readonly kind: "property" },
  name: string,
): Value | undefined {
  if (name !== "setter" && name !== "getter") return undefined;
  return {
    kind: "builtin",
    name: `property.${name}`,
    call: (vm, { positional }) => {
      const fn = positional[0] ?? vm.fail("TypeError", `${name} takes a function`);
      return name === "setter" ? { ...v, setter: fn } : { ...v, getter: fn };
    },
  };
}

function stripped(c: CallContext, left: boolean, right: boolean): string {
  const chars = c.given("chars") ? new Set(c.text("chars")) : new Set(" \t\n\r\f\v");
  const s = Array.from(text(c));
  let from = 0;
  let to = s.length;
  while (left && from < to && chars.has(s[from]!)) from++;
  while (right && to > from && chars.has(s[to - 1]!)) to--;
  return s.slice(from, to).join("");
}

function affix(c: CallContext, name: string, test: (s: string, part: string) => boolean): Value {
  const v = c.value(name);
  const parts = v.kind === "tuple" ? v.items : [v];
  return bool(parts.some((p) => p.kind === "str" && test(text(c), p.value)));
}

function split(c: CallContext): Value {
  const most = c.int("maxsplit");
  const parts = c.given("sep") ? text(c).split(c.text("sep")) : text(c).trim().split(/\s+/);
  const separator = c.given("sep") ? c.text("sep") : " ";
  const kept =
    most >= 0 && parts.length > most + 1
      ? [...parts.slice(0, most), parts.slice(most).join(separator)]
      : parts;
  return makeList(c.vm, kept.map(str));
}

/** `"{} {name:.2f}".format(…)`. */
function formatMethod(template: string): Value {
  return {
    kind: "builtin",
    name: "str.format",
    call: (vm, { positional, keywords }) => {
      let automatic = 0;
      const replaced = template.replace(
        /\{\{|\}\}|\{([^{}:!]*)(?:!([rsa]))?(?::([^{}]*))?\}/g,
        (
          whole,
          field: string | undefined,
          conversion: string | undefined,
          spec: string | undefined,
        ) => {
          if (whole === "{{") return "{";
          if (whole === "}}") return "}";
          const [, head, rest] = /^(\w*)(.*)$/.exec(field ?? "") ?? ["", "", ""];
          let v =
            head === ""
              ? positional[automatic++]
              : /^\d+$/.test(head)
                ? positional[Number(head)]
                : keywords.get(head);
          if (v === undefined) return vm.fail("IndexError", "Replacement index out of range");
          for (const [, attribute, key] of rest.matchAll(/\.(\w+)|\[(\w+)\]/g)) {
            v =
              attribute !== undefined
                ? getAttribute(vm, v, attribute)
                : getItem(vm, v, /^\d+$/.test(key!) ? int(Number(key)) : str(key!));
          }
          const shown: Value =
            conversion === undefined ? v : str(display(vm, v, conversion !== "s"));
          return formatValue(vm, shown, spec ?? "");
        },
      );
      return str(replaced);
    },
  };
}

function insert(c: CallContext): Value {
  const items = [...list(c).items];
  items.splice(c.int("index"), 0, c.value("obj"));
  changeItems(c.vm, list(c), items);
  return NONE;
}

function pop(c: CallContext): Value {
  const { items } = list(c);
  if (items.length === 0) return c.vm.fail("IndexError", "pop from empty list");
  const at = position(c.vm, c.value("index"), items.length, "pop");
  changeItems(
    c.vm,
    list(c),
    items.filter((_, k) => k !== at),
  );
  return items[at]!;
}

function indexIn(c: CallContext): number {
  const v = c.value("self");
  const items = v.kind === "list" || v.kind === "tuple" ? v.items : [];
  return items.findIndex((x) => truth(c.vm, equals(c.vm, x, c.value("value"))));
}

function remove(c: CallContext): Value {
  const at = indexIn(c);
  if (at < 0) return c.vm.fail("ValueError", "list.remove(x): x not in list");
  changeItems(
    c.vm,
    list(c),
    list(c).items.filter((_, k) => k !== at),
  );
  return NONE;
}

function indexOf(c: CallContext): Value {
  const at = indexIn(c);
  return at >= 0 ? int(at) : c.vm.fail("ValueError", "the value is not in it");
}

function countOf(c: CallContext): Value {
  const v = c.value("self");
  const items = v.kind === "list" || v.kind === "tuple" ? v.items : [];
  return int(items.filter((x) => truth(c.vm, equals(c.vm, x, c.value("value")))).length);
}

function sort(c: CallContext): Value {
  const key = c.optional("key");
  const keyed = list(c).items.map((v) => ({ v, k: key === null ? v : call(c.vm, key, [v]) }));
  const sign = c.flag("reverse") ? -1 : 1;
  const before = (a: Value, b: Value): boolean => truth(c.vm, compareOperation(c.vm, "<", a, b));
  keyed.sort((a, b) => (before(a.k, b.k) ? -sign : before(b.k, a.k) ? sign : 0));
  changeItems(
    c.vm,
    list(c),
    keyed.map(({ v }) => v),
  );
  return NONE;
}

/** torch.Size is a tuple that can count. */
function numel(c: CallContext): Value {
  const v = c.value("self");
  const items = v.kind === "tuple" ? v.items : [];
  const axes = items.map((x) => (x.kind === "number" ? (x.axes?.[0] ?? null) : null));
  if (axes.every((a) => a !== null)) return countNumber(axes);
  return items.reduce<Value>(
    (n, x) =>
      n.kind === "number" && x.kind === "number" ? int((n.value ?? 1) * (x.value ?? 1)) : n,
    int(1),
  );
}

function asDict(c: CallContext): Value {
  const v = c.value("self");
  if (v.kind !== "tuple") return c.bad("self", "a named tuple");
  return makeDict(
    c.vm,
    v.items.map((x, k) => [str(v.names?.[k] ?? String(k)), x] as const),
  );
}

function entriesOf(c: CallContext): { readonly key: Value; readonly value: Value }[] {
  return [...dict(c).entries.values()];
}

function setDefault(c: CallContext): Value {
  const known = dict(c).entries.get(hashKey(c.vm, c.value("key")));
  if (known !== undefined) return known.value;
  setEntry(c.vm, dict(c), c.value("key"), c.value("default"));
  return c.value("default");
}

function popKey(c: CallContext): Value {
  const key = hashKey(c.vm, c.value("key"));
  const known = dict(c).entries.get(key);
  if (known === undefined) {
    return c.list("default")[0] ?? c.vm.fail("KeyError", display(c.vm, c.value("key"), true));
  }
  removeEntry(c.vm, dict(c), key);
  return known.value;
}

function updateMethod(d: DictValue): Value {
  return {
    kind: "builtin",
    name: "dict.update",
    call: (vm, { positional, keywords }) => {
      const other = positional[0];
      if (other !== undefined && other.kind !== "dict") {
        return vm.unsupported("dict.update() of anything but a dictionary");
      }
      for (const e of other?.entries.values() ?? []) setEntry(vm, d, e.key, e.value);
      for (const [k, v] of keywords) setEntry(vm, d, str(k), v);
      return NONE;
    },
  };
}

function addToSet(c: CallContext): Value {
  const s = set(c);
  const before = s.entries;
  c.vm.remember(s, () => (s.entries = before));
  s.entries = new Map(before).set(hashKey(c.vm, c.value("elem")), c.value("elem"));
  return NONE;
}

function union(c: CallContext): Value {
  const entries = new Map(set(c).entries);
  for (const other of c.list("others")) {
    for (const v of iterate(c.vm, other)) entries.set(hashKey(c.vm, v), v);
  }
  return makeSet(c.vm, entries);
}
