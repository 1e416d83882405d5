/** The `class` statement. */
import type { ClassDef } from "../syntax.ts";
import type { ClassValue, OpaqueValue, Value } from "../values.ts";
import { str } from "../values.ts";
import { findMethod, lookup, nativeOf } from "./attributes.ts";
import { call } from "./calls.ts";
import { makeClass } from "./classes.ts";
import { evaluate } from "./expressions.ts";
import type { Interpreter } from "./interpreter.ts";
import { Scope } from "./scope.ts";
import { runBlock } from "./statements.ts";

export function defineClass(vm: Interpreter, node: ClassDef, scope: Scope): Value {
  const bases: (ClassValue | OpaqueValue)[] = [];
  const keywords = new Map<string, Value>();
  for (const base of node.bases) {
    if (base.kind === "keyword") {
      const value = evaluate(vm, base.value, scope);
      vm.at = base.value.span;
      if (base.name === "metaclass") checkMetaclass(vm, value);
      else keywords.set(base.name!, value);
      continue;
    }
    const value = evaluate(vm, base.value, scope);
    vm.at = base.value.span;
    if (base.kind !== "positional") return vm.unsupported("starred base classes are not supported");
    if (value.kind === "class" || value.kind === "opaque") bases.push(value);
    // Generic[T] and its like say something about types only.
    else if (base.value.kind !== "Subscript") {
      return vm.fail("TypeError", "the bases of a class must be classes");
    }
  }
  const object = vm.libraries.builtins.get("object");
  if (bases.length === 0 && object?.kind === "class") bases.push(object);
  const body = new Scope("class", scope, vm.epoch);
  body.variables.set("__module__", scope.module.variables.get("__name__") ?? str("__main__"));
  runBlock(vm, node.body, body);
  vm.at = node.nameSpan;
  const cls = makeClass({
    name: node.name,
    bases,
    attributes: body.variables,
    definition: node,
    file: scope.file,
    born: vm.epoch,
  });
  if (cls === null) {
    return vm.fail(
      "TypeError",
      "Cannot create a consistent method resolution order (MRO) for bases " +
        bases.map((b) => b.name).join(", "),
    );
  }
  for (const [name, v] of cls.attributes) {
    const told = findMethod(v, "__set_name__");
    if (told !== null) call(vm, told, [cls, str(name)]);
  }
  const hook = lookup(cls.mro.slice(1), "__init_subclass__");
  if (hook !== undefined) {
    call(vm, hook.kind === "classmethod" ? hook.callee : hook, [cls], keywords);
  }
  return nativeOf(cls, "finish")?.(vm, cls) ?? cls;
}

/** ABCMeta and its like have no say in what methods compute; a metaclass with methods may. */
function checkMetaclass(vm: Interpreter, meta: Value): void {
  if (meta.kind === "opaque") return;
  const changes = ["__new__", "__call__", "__init__", "__prepare__"].find(
    (name) => meta.kind === "class" && meta.file !== null && meta.attributes.has(name),
  );
  if (changes === undefined) return;
  vm.unsupported(
    `a metaclass that defines ${changes} may change the class and is not supported`,
    "Derive the function of an ordinary class.",
  );
}
