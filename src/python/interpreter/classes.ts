/** Classes and their instances. */
import type { ClassDef } from "../syntax.ts";
import {
  type CallArguments,
  type ClassValue,
  type InstanceValue,
  type NativeClass,
  type OpaqueValue,
  type Value,
} from "../values.ts";
import { lookup } from "./attributes.ts";
import { call } from "./calls.ts";
import type { Interpreter } from "./interpreter.ts";
import { useOpaque } from "./opaque.ts";

export interface ClassParts {
  readonly name: string;
  readonly bases: readonly (ClassValue | OpaqueValue)[];
  readonly attributes: Map<string, Value>;
  readonly native?: NativeClass;
  readonly definition?: ClassDef;
  readonly file?: string;
  readonly born?: number;
}

/** @returns null if the bases have no consistent order (Python refuses such a class) */
export function makeClass(parts: ClassParts): ClassValue | null {
  const mro: (ClassValue | OpaqueValue)[] = [];
  const cls: ClassValue = {
    kind: "class",
    name: parts.name,
    bases: parts.bases,
    mro,
    attributes: parts.attributes,
    native: parts.native ?? null,
    definition: parts.definition ?? null,
    file: parts.file ?? null,
    born: parts.born ?? 0,
  };
  const merged = linearize(parts.bases);
  if (merged === null) return null;
  mro.push(cls, ...merged);
  for (const v of parts.attributes.values()) claim(v, cls);
  return cls;
}

/** Tells a function which class it belongs to, for `super()`. */
function claim(v: Value, cls: ClassValue): void {
  switch (v.kind) {
    case "function":
      v.owner ??= cls;
      return;
    case "staticmethod":
    case "classmethod":
      claim(v.callee, cls);
      return;
    case "property":
      claim(v.getter, cls);
      if (v.setter !== null) claim(v.setter, cls);
      return;
    case "builtin":
      if (v.wraps !== undefined) claim(v.wraps, cls);
      return;
    default:
      return;
  }
}

/** C3 linearization of the ancestors. */
function linearize(bases: ClassValue["bases"]): (ClassValue | OpaqueValue)[] | null {
  const lists = bases.map((b) => (b.kind === "class" ? [...b.mro] : [b]));
  lists.push([...bases]);
  const result: (ClassValue | OpaqueValue)[] = [];
  for (;;) {
    const open = lists.filter((l) => l.length > 0);
    if (open.length === 0) return result;
    const next = open.map((l) => l[0]!).find((c) => !open.some((l) => l.indexOf(c) > 0));
    if (next === undefined) return null;
    result.push(next);
    for (const l of lists) if (l[0] === next) l.shift();
  }
}

export function instantiate(vm: Interpreter, cls: ClassValue, args: CallArguments): Value {
  const natives = cls.mro.flatMap((c) =>
    c.kind === "class" && c.native?.construct !== undefined ? [c.native] : [],
  );
  // class Mode(str, Enum): an Enum's members are what they are, whatever else they may be.
  const native = natives.find((n) => n.finish !== undefined) ?? natives[0];
  return native === undefined ? construct(vm, cls, args) : native.construct!(vm, args, cls);
}

/** An ordinary instance: made, then initialized. */
export function construct(vm: Interpreter, cls: ClassValue, args: CallArguments): Value {
  const maker = lookup(cls.mro, "__new__");
  if (maker?.kind === "function" || maker?.kind === "staticmethod") {
    const callee = maker.kind === "staticmethod" ? maker.callee : maker;
    const made = call(vm, callee, [cls, ...args.positional], args.keywords);
    // What is no instance of the class is left as it is.
    if (made.kind === "instance" && made.cls.mro.includes(cls)) initialize(vm, made, args);
    return made;
  }
  const self: InstanceValue = {
    kind: "instance",
    cls,
    attributes: new Map(),
    born: vm.epoch,
  };
  initialize(vm, self, args);
  return self;
}

function initialize(vm: Interpreter, self: InstanceValue, args: CallArguments): void {
  for (const c of self.cls.mro) {
    if (c.kind === "opaque") useOpaque(vm, c);
    const init = c.attributes.get("__init__");
    if (init === undefined) continue;
    const result = call(vm, init, [self, ...args.positional], args.keywords);
    if (result.kind !== "none") vm.fail("TypeError", "__init__() should return None");
    return;
  }
  const { positional, keywords } = args;
  if (positional.length > 0 || keywords.size > 0) {
    vm.fail("TypeError", `${self.cls.name}() takes no arguments`);
  }
}
