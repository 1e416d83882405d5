/** `value.name`: reading and setting attributes, with Python's order of lookup. */
import { PythonError } from "../errors.ts";
import {
  type ClassValue,
  type InstanceValue,
  NONE,
  type NativeClass,
  type OpaqueValue,
  type Value,
  str,
  tuple,
  typeName,
} from "../values.ts";
import { changedUnseen, withoutItsGradient } from "../tensors/detached.ts";
import { call } from "./calls.ts";
import { makeDict, rememberEntry } from "./collections.ts";
import { type Interpreter, UnknownMethodError } from "./interpreter.ts";
import { useOpaque } from "./opaque.ts";

/** @throws PythonError AttributeError if there is none of that name */
export function getAttribute(vm: Interpreter, v: Value, name: string): Value {
  const found = findAttribute(vm, v, name);
  if (found !== undefined) return found;
  if (v.kind === "tensor") {
    return vm.unsupported(
      `the method or attribute .${name} of ${describeLibrary(v.library)} arrays is not known to the inspector`,
      "Write it with functions that it knows, or compute it beforehand and load the result.",
      new UnknownMethodError(name),
    );
  }
  if (v.kind === "module") {
    return vm.fail("AttributeError", `module '${v.name}' has no attribute '${name}'`);
  }
  if (v.kind === "class") {
    return vm.fail("AttributeError", `type object '${v.name}' has no attribute '${name}'`);
  }
  return vm.fail("AttributeError", `'${typeName(v)}' object has no attribute '${name}'`);
}

function describeLibrary(library: string): string {
  return (
    {
      numpy: "NumPy",
      torch: "PyTorch",
      tensorflow: "TensorFlow",
      jax: "JAX",
      autograd: "HIPS Autograd",
    }[library] ?? library
  );
}

/** `undefined` if there is none. */
export function findAttribute(vm: Interpreter, v: Value, name: string): Value | undefined {
  switch (v.kind) {
    case "instance":
      return instanceAttribute(vm, v, name);
    case "class":
      return classAttribute(vm, v, name);
    case "module":
      return v.get(name);
    case "tensor":
      return vm.libraries.tensorAttribute(vm, v, name);
    case "opaque":
      return { kind: "opaque", name: `${v.name}.${name}`, reason: v.reason };
    case "function": {
      const own = v.attributes.get(name);
      if (own !== undefined) return own;
      if (name === "__name__" || name === "__qualname__") return str(v.code.name);
      if (name === "__doc__") return v.code.docstring === null ? NONE : str(v.code.docstring);
      return undefined;
    }
    case "method":
      if (name === "__self__") return v.self;
      if (name === "__func__") return v.callee;
      return findAttribute(vm, v.callee, name);
    case "builtin":
      if (v.attributes?.has(name) === true) return v.attributes.get(name);
      if (name === "__name__" || name === "__qualname__") return str(v.name);
      return v.wraps === undefined ? undefined : findAttribute(vm, v.wraps, name);
    case "tuple": {
      const k = v.names?.indexOf(name) ?? -1;
      if (k >= 0) return v.items[k];
      const inClass = v.cls === undefined ? undefined : lookup(v.cls.mro, name);
      if (inClass?.kind === "property") return call(vm, inClass.getter, [v]);
      if (inClass !== undefined) return bind(inClass, v, v.cls!);
      return vm.libraries.attribute(vm, v, name);
    }
    case "super":
      return superAttribute(vm, v.after, v.self, name);
    case "slice":
      if (name === "start" || name === "stop" || name === "step") return v[name];
      return undefined;
    default:
      return vm.libraries.attribute(vm, v, name);
  }
}

function instanceAttribute(vm: Interpreter, v: InstanceValue, name: string): Value | undefined {
  if (name === "__class__") return v.cls;
  if (name === "__dict__") {
    return makeDict(
      vm,
      [...v.attributes].map(([k, x]) => [str(k), x] as const),
    );
  }
  const special = nativeOf(v.cls, "attribute")?.(vm, v.cls, v, name);
  if (special !== undefined) return special;
  const inClass = lookup(v.cls.mro, name);
  const own = v.attributes.get(name);
  if (inClass?.kind === "property") {
    if (inClass.cached !== true) return call(vm, inClass.getter, [v]);
    if (own !== undefined) return own;
    const value = call(vm, inClass.getter, [v]);
    setIn(vm, v, v.attributes, name, value);
    return value;
  }
  const get = inClass === undefined ? null : findMethod(inClass, "__get__");
  if (get !== null && (own === undefined || findMethod(inClass!, "__set__") !== null)) {
    return call(vm, get, [v, v.cls]);
  }
  if (own !== undefined) return own;
  if (inClass !== undefined) return bind(inClass, v, v.cls);
  const fallback = name.startsWith("__") ? undefined : lookup(v.cls.mro, "__getattr__");
  if (fallback !== undefined) return fallbackAttribute(vm, bind(fallback, v, v.cls), name);
  const unknown = v.cls.mro.find((c) => c.kind === "opaque");
  return unknown === undefined ? undefined : useOpaque(vm, unknown);
}

/** `__getattr__`, whose AttributeError says that there is none. */
function fallbackAttribute(vm: Interpreter, getter: Value, name: string): Value | undefined {
  const depth = vm.frames.length;
  const { at } = vm;
  try {
    return call(vm, getter, [str(name)]);
  } catch (e) {
    if (!(e instanceof PythonError) || e.type !== "AttributeError") throw e;
    vm.frames.length = depth;
    vm.at = at;
    return undefined;
  }
}

function classAttribute(vm: Interpreter, v: ClassValue, name: string): Value | undefined {
  if (name === "__name__" || name === "__qualname__") return str(v.name);
  if (name === "__mro__") return tuple(v.mro);
  if (name === "__doc__") {
    const text = v.definition?.docstring ?? null;
    return text === null ? NONE : str(text);
  }
  const special = nativeOf(v, "attribute")?.(vm, v, null, name);
  if (special !== undefined) return special;
  const found = lookup(v.mro, name);
  if (found === undefined) {
    const unknown = v.mro.find((c) => c.kind === "opaque");
    return unknown === undefined ? undefined : useOpaque(vm, unknown);
  }
  if (found.kind === "staticmethod") return found.callee;
  if (found.kind === "classmethod") return { kind: "method", self: v, callee: found.callee };
  const get = findMethod(found, "__get__");
  return get === null ? found : call(vm, get, [NONE, v]);
}

function superAttribute(
  vm: Interpreter,
  after: ClassValue,
  self: Value,
  name: string,
): Value | undefined {
  const cls = self.kind === "instance" ? self.cls : self.kind === "class" ? self : after;
  const rest = cls.mro.slice(cls.mro.indexOf(after) + 1);
  const found = lookup(rest, name);
  if (found !== undefined) {
    if (found.kind === "property") return call(vm, found.getter, [self]);
    return bind(found, self, cls);
  }
  const unknown = rest.find((c) => c.kind === "opaque");
  return unknown === undefined ? undefined : useOpaque(vm, unknown);
}

/** What the nearest class of a library among the ancestors adds. */
export function nativeOf<K extends keyof NativeClass>(
  cls: ClassValue,
  what: K,
): NativeClass[K] | undefined {
  for (const c of cls.mro) {
    if (c.kind === "class" && c.native?.[what] !== undefined) return c.native[what];
  }
  return undefined;
}

/** First definition along the order of lookup. */
export function lookup(mro: ClassValue["mro"], name: string): Value | undefined {
  for (const c of mro) {
    if (c.kind === "opaque") continue;
    const found = c.attributes.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a class attribute becomes when it is read through an instance. */
function bind(v: Value, self: Value, cls: ClassValue): Value {
  switch (v.kind) {
    case "function":
      return { kind: "method", self, callee: v };
    case "builtin":
      return v.binds === true ? { kind: "method", self, callee: v } : v;
    case "staticmethod":
      return v.callee;
    case "classmethod":
      return { kind: "method", self: cls, callee: v.callee };
    default:
      return v;
  }
}

/** A special method such as `__call__` of an instance, bound; only classes are searched. */
export function findMethod(v: Value, name: string): Value | null {
  if (v.kind !== "instance") return null;
  const found = lookup(v.cls.mro, name);
  return found === undefined ? null : bind(found, v, v.cls);
}

export function setAttribute(vm: Interpreter, v: Value, name: string, value: Value): void {
  switch (v.kind) {
    case "instance": {
      const inClass = lookup(v.cls.mro, name);
      if (inClass?.kind === "property") {
        if (inClass.setter === null) {
          vm.fail("AttributeError", `property '${name}' of '${v.cls.name}' object has no setter`);
        }
        call(vm, inClass.setter, [v, value]);
        return;
      }
      const set = inClass === undefined ? null : findMethod(inClass, "__set__");
      if (set !== null) {
        call(vm, set, [v, value]);
        return;
      }
      const setter = lookup(v.cls.mro, "__setattr__");
      if (setter !== undefined) {
        call(vm, bind(setter, v, v.cls), [str(name), value]);
        return;
      }
      setIn(vm, v, v.attributes, name, value);
      return;
    }
    case "class":
    case "function":
      setIn(vm, v, v.attributes, name, value);
      return;
    case "module":
      if (v.scope !== null) {
        setIn(vm, v.scope, v.scope.variables, name, value);
        return;
      }
      break;
    case "tensor":
      if (name === "requires_grad" || name === "grad") return;
      if (name === "data" && v.library === "torch" && value.kind === "tensor") {
        v.assign(vm, changedUnseen(vm, v.expr, withoutItsGradient(vm, value.expr)));
        return;
      }
      break;
    case "opaque":
      return useOpaque(vm, v);
    default:
      break;
  }
  vm.unsupported(`setting .${name} of '${typeName(v)}' is not supported`);
}

/** Changes a name space so that it can be undone. */
export function setIn(
  vm: Interpreter,
  owner: { readonly born: number },
  map: Map<string, Value>,
  name: string,
  value: Value | null,
): void {
  rememberEntry(vm, owner, map, name);
  if (value === null) map.delete(name);
  else map.set(name, value);
}

export function deleteAttribute(vm: Interpreter, v: Value, name: string): void {
  const inClass = v.kind === "instance" ? lookup(v.cls.mro, name) : undefined;
  if (inClass?.kind === "property") {
    if (inClass.deleter !== undefined) call(vm, inClass.deleter, [v]);
    else vm.fail("AttributeError", `property '${name}' of '${typeName(v)}' object has no deleter`);
    return;
  }
  if (v.kind !== "instance" && v.kind !== "class") {
    vm.unsupported(`deleting an attribute of '${typeName(v)}' is not supported`);
  }
  if (!v.attributes.has(name)) vm.fail("AttributeError", name);
  setIn(vm, v, v.attributes, name, null);
}

/** The class of a value, for type(x) and isinstance; `null` where there is no model of it. */
export function isSubclass(cls: ClassValue | OpaqueValue, of: ClassValue): boolean {
  return cls.kind === "class" && cls.mro.includes(of);
}
