/** What the methods of methods.ts do that are more than one line. */
import {
  changeEntries,
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
import { iterate } from "../interpreter/iterate.ts";
import { compareOperation, equals } from "../interpreter/operators.ts";
import { truth } from "../interpreter/truth.ts";
import {
  type DictValue,
  type ListValue,
  NONE,
  type SetValue,
  type Value,
  bool,
  int,
  str,
} from "../values.ts";
import { countNumber } from "../tensors/tensor.ts";
import { type CallContext } from "./signature.ts";

export const text = (c: CallContext): string => c.text("self");
export const list = (c: CallContext): ListValue => {
  const v = c.value("self");
  return v.kind === "list" ? v : c.bad("self", "a list");
};
export const dict = (c: CallContext): DictValue => {
  const v = c.value("self");
  return v.kind === "dict" ? v : c.bad("self", "a dictionary");
};
export const set = (c: CallContext): SetValue => {
  const v = c.value("self");
  return v.kind === "set" ? v : c.bad("self", "a set");
};

export function stripped(c: CallContext, left: boolean, right: boolean): string {
  const chars = c.given("chars") ? new Set(c.text("chars")) : new Set(" \t\n\r\f\v");
  const s = Array.from(text(c));
  let from = 0;
  let to = s.length;
  while (left && from < to && chars.has(s[from]!)) from++;
  while (right && to > from && chars.has(s[to - 1]!)) to--;
  return s.slice(from, to).join("");
}

export function affix(
  c: CallContext,
  name: string,
  test: (s: string, part: string) => boolean,
): Value {
  const v = c.value(name);
  const parts = v.kind === "tuple" ? v.items : [v];
  return bool(parts.some((p) => p.kind === "str" && test(text(c), p.value)));
}

export function split(c: CallContext): Value {
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
export function formatMethod(template: string): Value {
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

export function insert(c: CallContext): Value {
  const items = [...list(c).items];
  items.splice(c.int("index"), 0, c.value("obj"));
  changeItems(c.vm, list(c), items);
  return NONE;
}

export function replace(c: CallContext): Value {
  const result = text(c).replaceAll(c.text("old"), c.text("new"));
  c.vm.allocate(result.length / 16);
  return str(result);
}

export function pop(c: CallContext): Value {
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

export function indexIn(c: CallContext): number {
  const v = c.value("self");
  const items = v.kind === "list" || v.kind === "tuple" ? v.items : [];
  return items.findIndex((x) => truth(c.vm, equals(c.vm, x, c.value("value"))));
}

export function remove(c: CallContext): Value {
  const at = indexIn(c);
  if (at < 0) return c.vm.fail("ValueError", "list.remove(x): x not in list");
  changeItems(
    c.vm,
    list(c),
    list(c).items.filter((_, k) => k !== at),
  );
  return NONE;
}

export function indexOf(c: CallContext): Value {
  const at = indexIn(c);
  return at >= 0 ? int(at) : c.vm.fail("ValueError", "the value is not in it");
}

export function countOf(c: CallContext): Value {
  const v = c.value("self");
  const items = v.kind === "list" || v.kind === "tuple" ? v.items : [];
  return int(items.filter((x) => truth(c.vm, equals(c.vm, x, c.value("value")))).length);
}

export function sort(c: CallContext): Value {
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
export function numel(c: CallContext): Value {
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

export function asDict(c: CallContext): Value {
  const v = c.value("self");
  if (v.kind !== "tuple") return c.bad("self", "a named tuple");
  return makeDict(
    c.vm,
    v.items.map((x, k) => [str(v.names?.[k] ?? String(k)), x] as const),
  );
}

export function entriesOf(c: CallContext): { readonly key: Value; readonly value: Value }[] {
  return [...dict(c).entries.values()];
}

export function setDefault(c: CallContext): Value {
  const known = dict(c).entries.get(hashKey(c.vm, c.value("key")));
  if (known !== undefined) return known.value;
  setEntry(c.vm, dict(c), c.value("key"), c.value("default"));
  return c.value("default");
}

export function popKey(c: CallContext): Value {
  const key = hashKey(c.vm, c.value("key"));
  const known = dict(c).entries.get(key);
  if (known === undefined) {
    return c.list("default")[0] ?? c.vm.fail("KeyError", display(c.vm, c.value("key"), true));
  }
  removeEntry(c.vm, dict(c), key);
  return known.value;
}

export function updateMethod(d: DictValue): Value {
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

export function addToSet(c: CallContext): Value {
  const s = set(c);
  const entries = new Map(s.entries).set(hashKey(c.vm, c.value("elem")), c.value("elem"));
  changeEntries(c.vm, s, entries);
  return NONE;
}

export function union(c: CallContext): Value {
  const entries = new Map(set(c).entries);
  for (const other of c.list("others")) {
    for (const v of iterate(c.vm, other)) entries.set(hashKey(c.vm, v), v);
  }
  return makeSet(c.vm, entries);
}
