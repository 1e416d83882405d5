/** Going through values one by one, and unpacking them. */
import { PythonError } from "../errors.ts";
import type { IteratorSource, IteratorValue, TensorValue, Value } from "../values.ts";
import { int, str, typeName } from "../values.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { oneOfMany } from "../tensors/oneOfMany.ts";
import { call } from "./calls.ts";
import { findMethod } from "./attributes.ts";
import { handles } from "./exceptions.ts";
import { type Interpreter, UnknownSizeError } from "./interpreter.ts";
import { useOpaque } from "./opaque.ts";

/** @throws PythonError TypeError if it cannot be iterated */
export function* iterate(vm: Interpreter, v: Value): Generator<Value, void, undefined> {
  for (const item of elementsOf(vm, v)) {
    vm.allocate(1);
    yield item;
  }
}

function* elementsOf(vm: Interpreter, v: Value): Generator<Value, void, undefined> {
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
      for (;;) {
        const item = nextItem(vm, v);
        if (item === undefined) return;
        yield item;
      }
    case "tensor":
      for (let k = 0, n = firstSize(vm, v); k < n; k++) {
        yield oneOfMany(vm, indexTensor(vm, v, int(k)), "iteration");
      }
      return;
    case "instance": {
      const own = findMethod(v, "__iter__");
      if (own !== null) {
        yield* iterate(vm, iteratorOf(vm, call(vm, own, [])));
        return;
      }
      const item = findMethod(v, "__getitem__");
      if (item !== null) {
        yield* iterate(
          vm,
          untilError(vm, "IndexError", (k) => call(vm, item, [int(k)])),
        );
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

/** The next item of an iterator; `undefined` at its end. */
export function nextItem(vm: Interpreter, v: IteratorValue): Value | undefined {
  if (v.at === v.items.length) {
    const { at } = vm;
    const made = v.source?.next(vm);
    vm.at = at;
    if (made === undefined) return undefined;
    v.items.push(made);
  }
  vm.remember(v, () => {
    const { at } = v;
    return () => (v.at = at);
  });
  return v.items[v.at++]!;
}

/** An iterator over these. */
export function iteratorOver(vm: Interpreter, items: readonly Value[]): IteratorValue {
  return { kind: "iterator", items: [...items], at: 0, source: null, born: vm.epoch };
}

/** An iterator whose items are computed one by one. */
export function lazyIterator(vm: Interpreter, next: IteratorSource["next"]): IteratorValue {
  return { kind: "iterator", items: [], at: 0, source: { next }, born: vm.epoch };
}

/** `iter(v)`: objects with `__next__` are asked for their items one by one. */
export function iteratorOf(vm: Interpreter, v: Value): IteratorValue {
  if (v.kind === "iterator") return v;
  const next = findMethod(v, "__next__");
  if (next !== null) return untilError(vm, "StopIteration", () => call(vm, next, []));
  const items = iterate(vm, v);
  return lazyIterator(vm, () => {
    const step = items.next();
    return step.done === true ? undefined : step.value;
  });
}

function untilError(vm: Interpreter, type: string, item: (k: number) => Value): IteratorValue {
  let k = 0;
  return lazyIterator(vm, () => {
    const depth = vm.frames.length;
    try {
      vm.step();
      return item(k++);
    } catch (e) {
      const end = vm.libraries.builtins.get(type)!;
      if (!(e instanceof PythonError) || !handles(vm, end, e)) throw e;
      vm.frames.length = depth;
      return undefined;
    }
  });
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
