/** Methods of strings, lists, tuples, dictionaries and sets. */
import { iterate } from "../interpreter/iterate.ts";
import {
  appendItems,
  changeItems,
  hashKey,
  makeDict,
  makeList,
  makeSet,
  removeEntry,
} from "../interpreter/collections.ts";
import { text, list, dict, set } from "./methodMeanings.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { type BuiltinValue, NONE, type Value, bool, int, str, tuple } from "../values.ts";
import { convert } from "./convert.ts";
import { BITS } from "../../expression/elementType.ts";
import { type DType, scalarType } from "../dtypes.ts";
import { dtypeAttribute as tensorflowDType, shapeAttribute } from "./tensorflowTensors.ts";
import { asTensor } from "../tensors/tensor.ts";
import { type Table, builtin } from "./signature.ts";
import {
  stripped,
  affix,
  split,
  formatMethod,
  insert,
  pop,
  remove,
  replace,
  indexOf,
  countOf,
  sort,
  numel,
  asDict,
  entriesOf,
  setDefault,
  popKey,
  updateMethod,
  addToSet,
  union,
} from "./methodMeanings.ts";

/** Before, at and after the separator, which stands at `at`; below 0, all is before it. */
function partition(s: string, separator: string, at: number): Value {
  if (at < 0) return tuple([str(s), str(""), str("")]);
  return tuple([str(s.slice(0, at)), str(separator), str(s.slice(at + separator.length))]);
}

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
  replace: ["self, old, new", replace],
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
  partition: [
    "self, sep",
    (c) => partition(text(c), c.text("sep"), text(c).indexOf(c.text("sep"))),
  ],
  rpartition: [
    "self, sep",
    (c) => {
      const at = text(c).lastIndexOf(c.text("sep"));
      return at < 0
        ? tuple([str(""), str(""), str(text(c))])
        : partition(text(c), c.text("sep"), at);
    },
  ],
  isnumeric: ["self", (c) => bool(/^\p{N}+$/u.test(text(c)))],
  isdecimal: ["self", (c) => bool(/^\p{Nd}+$/u.test(text(c)))],
  isalpha: ["self", (c) => bool(/^\p{L}+$/u.test(text(c)))],
  isidentifier: ["self", (c) => bool(/^[\p{L}_][\p{L}\p{N}_]*$/u.test(text(c)))],
  title: [
    "self",
    (c) =>
      str(text(c).replace(/\p{L}+/gu, (w) => w.charAt(0).toUpperCase() + w.slice(1).toLowerCase())),
  ],
  zfill: [
    "self, width",
    (c) => (c.vm.allocate(c.int("width") / 16), str(text(c).padStart(c.int("width"), "0"))),
  ],
};

const lists: Table = {
  append: ["self, obj", (c) => (appendItems(c.vm, list(c), [c.value("obj")]), NONE)],
  extend: [
    "self, iterable",
    (c) => (appendItems(c.vm, list(c), iterate(c.vm, c.value("iterable"))), NONE),
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
  if (v.kind === "dtype") return dtypeAttribute(v, name) ?? tensorflowDType(v, name);
  if (v.kind === "tuple" && v.typeName === "TensorShape") {
    const own = shapeAttribute(v, name);
    if (own !== undefined) return own;
  }
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

/** The letter by which NumPy calls a kind of numbers. */
function kindOf(dtype: DType): string {
  if (dtype === "bool") return "b";
  return dtype.startsWith("u") ? "u" : dtype.startsWith("i") ? "i" : "f";
}

function bytesOf(dtype: DType): number {
  return Math.max(1, BITS[dtype] / 8);
}

function dtypeAttribute(v: Value & { readonly kind: "dtype" }, name: string): Value | undefined {
  switch (name) {
    case "name":
    case "__name__":
      return str(v.dtype);
    case "kind":
      return str(kindOf(v.dtype));
    case "str":
      return str(`${bytesOf(v.dtype) === 1 ? "|" : "<"}${kindOf(v.dtype)}${bytesOf(v.dtype)}`);
    case "itemsize":
      return int(bytesOf(v.dtype));
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
  if (name !== "setter" && name !== "getter" && name !== "deleter") return undefined;
  return {
    kind: "builtin",
    name: `property.${name}`,
    call: (vm, { positional }) => {
      const fn = positional[0] ?? vm.fail("TypeError", `${name} takes a function`);
      return { ...v, [name]: fn };
    },
  };
}
