/** Going through values one by one, and unpacking them. */
import type { TensorValue, Value } from "../values.ts";
import { int, str, typeName } from "../values.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { call } from "./calls.ts";
import { findMethod } from "./attributes.ts";
import { type Interpreter, UnknownSizeError } from "./interpreter.ts";
import { useOpaque } from "./opaque.ts";

/** @throws PythonError TypeError if it cannot be iterated */
export function* iterate(vm: Interpreter, v: Value): Generator<Value, void, undefined> {
  switch (v.kind) {
    case "list":
      // By position: the list may grow while a loop runs over it.
      for (let k = 0; k < v.items.length;) yield v.items[k++]!;
      return;
    case "tuple":
      yield* v.items;
      return;
    case "range":
      for (let n = v.start; v.step > 0 ? n < v.stop : n > v.stop; n += v.step) yield int(n);
      return;
    case "str":
      for (const c of v.value) yield str(c);
      return;
    case "dict":
      for (const { key } of [...v.entries.values()]) yield key;
      return;
    case "set":
      yield* [...v.entries.values()];
      return;
    case "iterator":
      while (v.at < v.items.length) {
        const at = v.at;
        vm.remember(v, () => (v.at = at));
        yield v.items[v.at++]!;
      }
      return;
    case "tensor":
      for (let k = 0, n = firstSize(vm, v); k < n; k++) yield indexTensor(vm, v, int(k));
      return;
    case "instance": {
      const own = findMethod(v, "__iter__");
      if (own !== null) {
        yield* iterate(vm, call(vm, own, []));
        return;
      }
      break;
    }
    case "class": {
      const members = v.attributes.get("__members__");
      if (members?.kind === "dict") {
        for (const { value } of members.entries.values()) yield value;
        return;
      }
      break;
    }
    case "opaque":
      return useOpaque(vm, v);
    default:
      break;
  }
  vm.fail("TypeError", `'${typeName(v)}' object is not iterable`);
}

/** Size of the first axis, which must be known: a loop over it is unrolled. */
export function firstSize(vm: Interpreter, t: TensorValue): number {
  const first = t.expr.shape[0];
  if (first === undefined) return vm.fail("TypeError", "iteration over a 0-d array");
  if (first.size !== null) return first.size;
  return vm.unsupported(
    `a loop over axis ${first.name} needs its size, which is not known`,
    "Bind arrays to the function's parameters, or give their shapes.",
    new UnknownSizeError([first.name]),
  );
}
