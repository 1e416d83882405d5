/** Short ways to describe what a module of the standard library holds. */
import type { BuiltinValue, Value } from "../../values.ts";
import { type Entry, type Meaning, builtin } from "../signature.ts";

/** The names of a module. */
export type Contents = Readonly<Record<string, Value>>;

export const fn = (name: string, ...entry: Entry): BuiltinValue =>
  builtin("", name, entry, "numpy");

/** A function of a class: it becomes a method. */
export const method = (
  name: string,
  signature: string,
  meaning: Meaning,
): [string, BuiltinValue] => [name, { ...fn(name, signature, meaning), binds: true }];

/** A decorator that leaves its function or class as it is, with or without settings of its own. */
export const unchanged = (name: string): BuiltinValue => ({
  kind: "builtin",
  name,
  call: (_vm, { positional }) => {
    const [v] = positional;
    return v !== undefined && DECORATED.has(v.kind) ? v : unchanged(name);
  },
});

const DECORATED = new Set<Value["kind"]>([
  "function",
  "method",
  "class",
  "instance",
  "builtin",
  "property",
  "staticmethod",
  "classmethod",
]);

/** Functions from lines of a table, by their names. */
export function functions(table: Readonly<Record<string, Entry>>): Contents {
  return Object.fromEntries(
    Object.entries(table).map(([name, entry]) => [name, fn(name, ...entry)]),
  );
}
