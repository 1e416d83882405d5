/** collections.namedtuple and typing.NamedTuple: tuples whose items have names. */
import { makeClass } from "../../interpreter/classes.ts";
import { makeDict } from "../../interpreter/collections.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { iterate } from "../../interpreter/iterate.ts";
import {
  type CallArguments,
  type ClassValue,
  type TupleValue,
  type Value,
  str,
  tuple,
} from "../../values.ts";
import type { CallContext } from "../signature.ts";
import { fn, method } from "./define.ts";

/** A class of tuples with these names; `attributes` are what its body defines besides. */
function namedTupleClass(
  name: string,
  names: readonly string[],
  defaults: ReadonlyMap<string, Value>,
  attributes: ReadonlyMap<string, Value>,
  parts: Partial<Pick<ClassValue, "definition" | "file">> = {},
): ClassValue {
  const make = (items: readonly Value[]): TupleValue => ({
    ...tuple(items),
    names,
    typeName: name,
    cls,
  });
  const cls: ClassValue = makeClass({
    name,
    bases: [],
    attributes: new Map<string, Value>([
      ["_fields", tuple(names.map(str))],
      ["__match_args__", tuple(names.map(str))],
      ["_make", fn("_make", "iterable", (c) => make([...iterate(c.vm, c.value("iterable"))]))],
      method("_asdict", "self", (c) => {
        const items = [...iterate(c.vm, c.value("self"))];
        return makeDict(
          c.vm,
          names.map((n, k) => [str(n), items[k]!] as const),
        );
      }),
      [
        "_replace",
        {
          kind: "builtin",
          name: "_replace",
          binds: true,
          call: (vm, { positional, keywords }) => {
            const items = [...iterate(vm, positional[0]!)];
            for (const key of keywords.keys()) {
              if (!names.includes(key)) {
                vm.fail("ValueError", `Got unexpected field names: ['${key}']`);
              }
            }
            return make(names.map((n, k) => keywords.get(n) ?? items[k]!));
          },
        },
      ],
      ...attributes,
    ]),
    native: {
      matches: (v) => v.kind === "tuple" && v.cls === cls,
      construct: (vm, args) => make(itemsFor(vm, name, names, defaults, args)),
    },
    ...(parts.definition ? { definition: parts.definition } : {}),
    ...(parts.file ? { file: parts.file } : {}),
  })!;
  return cls;
}

function itemsFor(
  vm: Interpreter,
  name: string,
  names: readonly string[],
  defaults: ReadonlyMap<string, Value>,
  { positional, keywords }: CallArguments,
): Value[] {
  if (positional.length > names.length) {
    vm.fail(
      "TypeError",
      `${name}.__new__() takes ${names.length + 1} positional arguments but ` +
        `${positional.length + 1} were given`,
    );
  }
  for (const key of keywords.keys()) {
    if (!names.includes(key)) {
      vm.fail("TypeError", `${name}.__new__() got an unexpected keyword argument '${key}'`);
    }
  }
  return names.map(
    (n, k) =>
      positional[k] ??
      keywords.get(n) ??
      defaults.get(n) ??
      vm.fail("TypeError", `${name}.__new__() missing 1 required positional argument: '${n}'`),
  );
}

/** `namedtuple("Point", "x y", defaults=(0,))`. */
export function namedTupleFunction(c: CallContext): Value {
  const given = c.value("field_names");
  const names =
    given.kind === "str"
      ? given.value.split(/[\s,]+/).filter((n) => n !== "")
      : [...iterate(c.vm, given)].map((v) => (v.kind === "str" ? v.value : ""));
  const usual = c.given("defaults") ? [...iterate(c.vm, c.value("defaults"))] : [];
  const optional = names.slice(names.length - usual.length);
  const defaults = new Map(optional.map((n, k) => [n, usual[k]!]));
  return namedTupleClass(c.text("typename"), names, defaults, new Map());
}

/** `class Point(NamedTuple): x: float`: the annotated names of the body are the items. */
export const NAMED_TUPLE: ClassValue = makeClass({
  name: "NamedTuple",
  bases: [],
  attributes: new Map(),
  native: {
    finish: (_vm, cls) => {
      const names = (cls.definition?.body ?? []).flatMap((s) =>
        s.kind === "AnnAssign" && s.target.kind === "Name" ? [s.target.id] : [],
      );
      const defaults = new Map([...cls.attributes].filter(([n]) => names.includes(n)));
      const others = new Map([...cls.attributes].filter(([n]) => !names.includes(n)));
      return namedTupleClass(cls.name, names, defaults, others, cls);
    },
  },
})!;
