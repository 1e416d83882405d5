/** functools */
import { setIn } from "../../interpreter/attributes.ts";
import { call } from "../../interpreter/calls.ts";
import { makeDict } from "../../interpreter/collections.ts";
import { findAttribute } from "../../interpreter/attributes.ts";
import { iterate } from "../../interpreter/iterate.ts";
import { type BuiltinValue, type Value, str, tuple } from "../../values.ts";
import type { CallContext } from "../signature.ts";
import { type Contents, fn, unchanged } from "./define.ts";

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
      given: { positional: given.length, keywords: new Set(keywords.keys()) },
      attributes: new Map<string, Value>([
        ["func", f],
        ["args", tuple(given)],
        [
          "keywords",
          makeDict(
            vm,
            [...keywords].map(([k, v]) => [str(k), v] as const),
          ),
        ],
      ]),
      call: (inner, later) =>
        call(inner, f, [...given, ...later.positional], new Map([...keywords, ...later.keywords])),
    };
  },
};

/** `@wraps(f)` copies f's name and docstring. */
function wraps(c: CallContext): Value {
  const wrapped = c.value("wrapped");
  return {
    kind: "builtin",
    name: "functools.wraps",
    call: (vm, { positional }) => {
      const own = positional[0] ?? vm.fail("TypeError", "wraps() decorates a function");
      if (own.kind !== "function") return own;
      for (const name of ["__name__", "__doc__"]) {
        const value = findAttribute(vm, wrapped, name);
        if (value !== undefined) setIn(vm, own, own.attributes, name, value);
      }
      setIn(vm, own, own.attributes, "__wrapped__", wrapped);
      return own;
    },
  };
}

function reduce(c: CallContext): Value {
  const items = [...iterate(c.vm, c.value("iterable"))];
  const start = c.list("initial")[0] ?? items.shift();
  if (start === undefined) {
    return c.vm.fail("TypeError", "reduce() of empty iterable with no initial value");
  }
  return items.reduce((acc, v) => call(c.vm, c.value("function"), [acc, v]), start);
}

export const functools: Contents = {
  partial,
  wraps: fn("wraps", "wrapped, ~assigned, ~updated", wraps),
  reduce: fn("reduce", "function, iterable, *initial", reduce),
  lru_cache: unchanged("lru_cache"),
  cache: unchanged("cache"),
  cached_property: fn("cached_property", "func", (c) => ({
    kind: "property",
    getter: c.value("func"),
    setter: null,
    cached: true,
  })),
};
