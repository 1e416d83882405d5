/** Lists, dictionaries and sets. */
import type { DictValue, ListValue, SetValue, Value } from "../values.ts";
import type { Interpreter } from "./interpreter.ts";
import { typeName } from "../values.ts";

export function makeList(vm: Interpreter, items: readonly Value[]): ListValue {
  return { kind: "list", items: [...items], born: vm.epoch };
}

export function makeSet(vm: Interpreter, entries: Map<string, Value>): SetValue {
  return { kind: "set", entries, born: vm.epoch };
}

export function setOf(vm: Interpreter, items: Iterable<Value>): SetValue {
  const entries = new Map<string, Value>();
  for (const v of items) {
    const key = hashKey(vm, v);
    if (!entries.has(key)) entries.set(key, v);
  }
  return makeSet(vm, entries);
}

export function makeDict(
  vm: Interpreter,
  pairs: Iterable<readonly [Value, Value]> = [],
): DictValue {
  const entries = new Map<string, { key: Value; value: Value }>();
  for (const [key, value] of pairs) {
    const k = hashKey(vm, key);
    entries.set(k, { key: entries.get(k)?.key ?? key, value });
  }
  return { kind: "dict", entries, born: vm.epoch };
}

export function setEntry(vm: Interpreter, d: DictValue, key: Value, value: Value): void {
  const k = hashKey(vm, key);
  rememberEntry(vm, d, d.entries, k);
  d.entries.set(k, { key: d.entries.get(k)?.key ?? key, value });
}

export function removeEntry(vm: Interpreter, d: DictValue | SetValue, key: string): void {
  // The order of what remains must come back as well.
  const entries = new Map(d.entries as Map<string, never>);
  entries.delete(key);
  changeEntries(vm, d, entries);
}

/** What a dictionary or a set holds, all of it. */
export function changeEntries<T extends DictValue | SetValue>(
  vm: Interpreter,
  d: T,
  entries: T["entries"],
): void {
  vm.remember(d, () => {
    const before = d.entries;
    return () => (d.entries = before);
  });
  d.entries = entries;
}

/** Call before an entry of a map that belongs to `owner` is set or removed. */
export function rememberEntry<T>(
  vm: Interpreter,
  owner: { readonly born: number },
  map: Map<string, T>,
  key: string,
): void {
  vm.remember(owner, () => {
    const before = map.get(key);
    return () => {
      if (before === undefined) map.delete(key);
      else map.set(key, before);
    };
  });
}

export function changeItems(vm: Interpreter, list: ListValue, items: Value[]): void {
  vm.remember(list, () => {
    const before = list.items;
    return () => (list.items = before);
  });
  list.items = items;
}

/** At the end of the list. The items are gone through before the first is put there. */
export function appendItems(vm: Interpreter, list: ListValue, items: Iterable<Value>): void {
  const added = [...items];
  const { length } = list.items;
  const own = list.items;
  vm.remember(list, () => {
    const end = own.slice(length);
    return () => own.splice(length, Infinity, ...end);
  });
  for (const v of added) own.push(v);
}

export function isHashable(v: Value): boolean {
  if (v.kind === "tuple") return v.items.every(isHashable);
  return v.kind !== "list" && v.kind !== "dict" && v.kind !== "set";
}

/** @throws PythonError TypeError for lists, dictionaries and sets */
export function hashKey(vm: Interpreter, v: Value): string {
  const hashable = (x: Value): boolean => {
    vm.allocate(1);
    return x.kind === "tuple" ? x.items.every(hashable) : isHashable(x);
  };
  if (!hashable(v)) vm.fail("TypeError", `unhashable type: '${typeName(v)}'`);
  if (v.kind === "number" && v.value === null) {
    vm.unsupported("this number is not known here, so it cannot be a key");
  }
  return keyOf(v);
}

const identities = new WeakMap<object, number>();
let nextIdentity = 1;

/** Equal values have equal keys; 1, 1.0 and True are equal in Python. */
export function keyOf(v: Value): string {
  switch (v.kind) {
    case "none":
      return "None";
    case "number":
      return `n${v.value}`;
    case "str":
      return `s${v.value}`;
    case "dtype":
      return `d${v.dtype}`;
    case "tuple":
      return `t${JSON.stringify(v.items.map(keyOf))}`;
    default:
      return `o${identityOf(v)}`;
  }
}

/** Python's id(): one number an object. */
export function identityOf(v: object): number {
  let id = identities.get(v);
  if (id === undefined) identities.set(v, (id = nextIdentity++));
  return id;
}
