/** copy: shallow and deep copies. */
import { findMethod } from "../../interpreter/attributes.ts";
import { call } from "../../interpreter/calls.ts";
import { makeDict, makeList, makeSet } from "../../interpreter/collections.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import type { Value } from "../../values.ts";
import { copyOf } from "../convert.ts";
import { type Contents, fn } from "./define.ts";

/** A copy whose parts are `part` of the original's. */
function copied(
  vm: Interpreter,
  v: Value,
  part: (x: Value) => Value,
  seen: Map<Value, Value>,
): Value {
  switch (v.kind) {
    case "tensor":
      return copyOf(vm, v);
    case "tuple":
      return { ...v, items: v.items.map(part) };
    case "list": {
      const list = makeList(vm, []);
      seen.set(v, list);
      list.items = v.items.map(part);
      return list;
    }
    case "set":
      return makeSet(vm, new Map([...v.entries].map(([k, x]) => [k, part(x)])));
    case "dict": {
      const pairs = [...v.entries.values()].map((e) => [e.key, part(e.value)] as const);
      return { ...makeDict(vm, pairs), ...(v.factory === undefined ? {} : { factory: v.factory }) };
    }
    case "instance": {
      const copy: Value = { ...v, attributes: new Map(), born: vm.epoch };
      seen.set(v, copy);
      for (const [name, x] of v.attributes) copy.attributes.set(name, part(x));
      return copy;
    }
    default:
      return v; // functions, classes, modules and plain values are their own copies
  }
}

function deepCopy(vm: Interpreter, v: Value, seen: Map<Value, Value>): Value {
  const known = seen.get(v);
  if (known !== undefined) return known;
  const own = findMethod(v, "__deepcopy__");
  if (own !== null) return call(vm, own, [makeDict(vm)]);
  const copy = copied(vm, v, (x) => deepCopy(vm, x, seen), seen);
  seen.set(v, copy);
  return copy;
}

export const copying: Contents = {
  copy: fn("copy", "x", (c) => {
    const own = findMethod(c.value("x"), "__copy__");
    if (own !== null) return call(c.vm, own, []);
    return copied(c.vm, c.value("x"), (x) => x, new Map());
  }),
  deepcopy: fn("deepcopy", "x, ~memo", (c) => deepCopy(c.vm, c.value("x"), new Map())),
};
