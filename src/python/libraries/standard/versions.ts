/** packaging.version, by which packages choose between versions of what they import. */
import { makeClass } from "../../interpreter/classes.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import {
  type ClassValue,
  type InstanceValue,
  type Value,
  bool,
  int,
  str,
  tuple,
} from "../../values.ts";
import { type Contents, fn, method } from "./define.ts";

/** Release numbers, then whether it is a release and no development or candidate version. */
type Key = readonly [release: readonly number[], final: number];

const keys = new WeakMap<Value, Key>();

function keyOf(text: string): Key | null {
  const m = /^v?(\d+(?:\.\d+)*)(.*)$/.exec(text.trim());
  if (m === null) return null;
  const local = m[2]!.replace(/\+.*$/, "");
  const final = local === "" || /^[.-]?post/.test(local) ? 1 : 0;
  return [m[1]!.split(".").map(Number), final];
}

function compare(a: Key, b: Key): number {
  const n = Math.max(a[0].length, b[0].length);
  for (let k = 0; k < n; k++) {
    const difference = (a[0][k] ?? 0) - (b[0][k] ?? 0);
    if (difference !== 0) return difference;
  }
  return a[1] - b[1];
}

const comparison = (name: string, holds: (sign: number) => boolean): [string, Value] =>
  method(`__${name}__`, "self, other", (c) => {
    const [a, b] = [keys.get(c.value("self")), keys.get(c.value("other"))];
    if (a === undefined || b === undefined) {
      return c.vm.fail("TypeError", "a version is compared with something else");
    }
    return bool(holds(compare(a, b)));
  });

const VERSION: ClassValue = makeClass({
  name: "Version",
  bases: [],
  attributes: new Map<string, Value>([
    comparison("eq", (s) => s === 0),
    comparison("ne", (s) => s !== 0),
    comparison("lt", (s) => s < 0),
    comparison("le", (s) => s <= 0),
    comparison("gt", (s) => s > 0),
    comparison("ge", (s) => s >= 0),
  ]),
  native: {
    construct: (vm, { positional }) => {
      const [text] = positional;
      return versionOf(vm, text?.kind === "str" ? text.value : "");
    },
  },
})!;

function versionOf(vm: Interpreter, text: string): Value {
  const key = keyOf(text);
  if (key === null) return vm.fail("ValueError", `Invalid version: '${text}'`);
  const [release] = key;
  const base = str(release.join("."));
  const value: InstanceValue = {
    kind: "instance",
    cls: VERSION,
    attributes: new Map<string, Value>([
      ["release", tuple(release.map(int))],
      ["base_version", base],
      ["public", base],
      ["major", int(release[0]!)],
      ["minor", int(release[1] ?? 0)],
      ["micro", int(release[2] ?? 0)],
      ["__str__", str(text)],
    ]),
    born: vm.epoch,
  };
  keys.set(value, key);
  return value;
}

const parse = fn("parse", "version", (c) => versionOf(c.vm, c.text("version")));

export const packagingVersion: Contents = { parse, Version: VERSION };
