/** Pytrees: arrays and numbers inside of tuples, lists and dictionaries. None has no leaves. */
import { makeDict, makeList } from "../../interpreter/collections.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { type Value, typeName } from "../../values.ts";

/** `f` applied to the leaves of `first`, with the corresponding parts of `rest`. */
export function mapTree(
  vm: Interpreter,
  f: (leaf: Value, ...others: Value[]) => Value,
  first: Value,
  ...rest: readonly Value[]
): Value {
  switch (first.kind) {
    case "none":
      return first;
    case "tuple":
    case "list": {
      const columns = rest.map((r) => itemsLike(vm, first, r));
      const items = first.items.map((x, k) => mapTree(vm, f, x, ...columns.map((c) => c[k]!)));
      return first.kind === "list" ? makeList(vm, items) : { ...first, items };
    }
    case "dict": {
      const pairs = [...first.entries].map(([k, e]) => {
        const others = rest.map((r) => {
          const other = r.kind === "dict" ? r.entries.get(k) : undefined;
          return other?.value ?? differ(vm, first, r);
        });
        return [e.key, mapTree(vm, f, e.value, ...others)] as const;
      });
      return makeDict(vm, pairs);
    }
    default:
      return f(first, ...rest);
  }
}

function itemsLike(
  vm: Interpreter,
  first: Value & { readonly items: readonly Value[] },
  other: Value,
): readonly Value[] {
  const fits = other.kind === "tuple" || other.kind === "list";
  return fits && other.items.length === first.items.length ? other.items : differ(vm, first, other);
}

function differ(vm: Interpreter, a: Value, b: Value): never {
  return vm.fail(
    "ValueError",
    `the structures of these values differ: ${typeName(a)} against ${typeName(b)}`,
  );
}

export function leavesOf(v: Value): Value[] {
  switch (v.kind) {
    case "none":
      return [];
    case "tuple":
    case "list":
      return v.items.flatMap(leavesOf);
    case "dict":
      return [...v.entries.values()].flatMap((e) => leavesOf(e.value));
    default:
      return [v];
  }
}
