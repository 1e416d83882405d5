/** collections */
import { makeDict } from "../../interpreter/collections.ts";
import { iterate } from "../../interpreter/iterate.ts";
import { call } from "../../interpreter/calls.ts";
import type { BuiltinValue, DictValue } from "../../values.ts";
import { BUILTINS } from "../builtins.ts";
import { type Contents, fn } from "./define.ts";
import { namedTupleFunction } from "./namedTuples.ts";

/** `defaultdict(list)`: a missing key gets what the function gives. */
const defaultdict: BuiltinValue = {
  kind: "builtin",
  name: "collections.defaultdict",
  call: (vm, { positional, keywords }) => {
    const [factory, ...rest] = positional;
    const made = call(vm, BUILTINS.get("dict")!, rest, keywords) as DictValue;
    return factory === undefined || factory.kind === "none" ? made : { ...made, factory };
  },
};

export const collections: Contents = {
  OrderedDict: fn("OrderedDict", "*pairs", (c) => {
    const [given] = c.list("pairs");
    if (given?.kind === "dict") {
      return makeDict(
        c.vm,
        [...given.entries.values()].map((e) => [e.key, e.value] as const),
      );
    }
    const rows = given === undefined ? [] : [...iterate(c.vm, given)];
    return makeDict(
      c.vm,
      rows.map((row) => {
        const [key, value] = [...iterate(c.vm, row)];
        if (key === undefined || value === undefined)
          return c.vm.fail("ValueError", "expected pairs");
        return [key, value] as const;
      }),
    );
  }),
  defaultdict,
  namedtuple: fn(
    "namedtuple",
    "typename, field_names, *, defaults=None, ~rename, ~module",
    namedTupleFunction,
  ),
};
