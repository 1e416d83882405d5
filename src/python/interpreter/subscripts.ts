/** `value[key]` of every kind of value: reading, setting, deleting. */
import { assignIndex } from "../tensors/assigning.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { dependsOn } from "../../expression/walk.ts";
import { type TensorValue, type Value, int, str, tuple, typeName } from "../values.ts";
import { findMethod } from "./attributes.ts";
import { call } from "./calls.ts";
import { changeItems, hashKey, makeList, removeEntry, setEntry } from "./collections.ts";
import { display } from "./format.ts";
import type { Interpreter } from "./interpreter.ts";
import { iterate } from "./iterate.ts";
import { useOpaque } from "./opaque.ts";

export function getItem(vm: Interpreter, v: Value, key: Value): Value {
  switch (v.kind) {
    case "tensor":
      return indexTensor(vm, v, key);
    case "list":
      return sequenceItem(vm, v.items, key, "list", (items) => makeList(vm, items));
    case "tuple":
      return sequenceItem(vm, v.items, key, "tuple", (items) =>
        // Part of a shape is a shape; part of a named tuple is a plain one.
        v.names === undefined ? { ...v, items } : tuple(items),
      );
    case "str":
      return sequenceItem(vm, Array.from(v.value, str), key, "string", (items) =>
        str(items.map((c) => (c.kind === "str" ? c.value : "")).join("")),
      );
    case "range": {
      const count = Math.max(0, Math.ceil((v.stop - v.start) / v.step));
      if (key.kind !== "slice") {
        return int(v.start + position(vm, key, count, "range object") * v.step);
      }
      const picked = sliceIndices(vm, key, count).map((k) => v.start + k * v.step);
      return makeList(vm, picked.map(int));
    }
    case "dict": {
      const found = v.entries.get(hashKey(vm, key));
      if (found !== undefined) return found.value;
      if (v.factory === undefined) return vm.fail("KeyError", display(vm, key, true));
      const made = call(vm, v.factory, []);
      setEntry(vm, v, key, made);
      return made;
    }
    case "class": {
      const members = v.attributes.get("__members__");
      if (members?.kind === "dict") return getItem(vm, members, key);
      return v; // Generic[T], list[int]: only types
    }
    case "instance": {
      const own = findMethod(v, "__getitem__");
      if (own !== null) return call(vm, own, [key]);
      break;
    }
    case "opaque":
      // A type such as Optional[int] in a default or a base class; using it will say why it fails.
      return { kind: "opaque", name: v.name, reason: v.reason };
    default:
      break;
  }
  return vm.fail("TypeError", `'${typeName(v)}' object is not subscriptable`);
}

function sequenceItem(
  vm: Interpreter,
  items: readonly Value[],
  key: Value,
  what: string,
  make: (items: readonly Value[]) => Value,
): Value {
  if (key.kind === "slice") {
    return make(sliceIndices(vm, key, items.length).map((k) => items[k]!));
  }
  return items[position(vm, key, items.length, what)]!;
}

/** @throws PythonError IndexError, or TypeError if the key is no integer */
export function position(vm: Interpreter, key: Value, length: number, what: string): number {
  const value = key.kind === "tensor" ? scalarOf(vm, key) : key;
  if (value.kind !== "number" || value.type === "float") {
    return vm.fail("TypeError", `${what} indices must be integers or slices, not ${typeName(key)}`);
  }
  if (value.value === null) return vm.unsupported("the value of this index is not known here");
  const k = value.value < 0 ? value.value + length : value.value;
  if (k < 0 || k >= length) vm.fail("IndexError", `${what} index out of range`);
  return k;
}

function scalarOf(vm: Interpreter, t: Value & { readonly kind: "tensor" }): Value {
  const value = t.expr.shape.length === 0 ? vm.evaluate(t.expr)?.data[0] : undefined;
  return value === undefined ? t : int(value);
}

/** Positions that a Python slice picks out of `length` ones. */
export function sliceIndices(
  vm: Interpreter,
  key: Value & { readonly kind: "slice" },
  length: number,
): number[] {
  const bound = (v: Value): number | null => {
    if (v.kind === "none") return null;
    if (v.kind !== "number" || v.type === "float") {
      return vm.fail("TypeError", "slice indices must be integers or None");
    }
    return v.value ?? vm.unsupported("the value of this index is not known here");
  };
  const step = bound(key.step) ?? 1;
  if (step === 0) vm.fail("ValueError", "slice step cannot be zero");
  const clip = (n: number, low: number, high: number): number =>
    Math.min(Math.max(n < 0 ? n + length : n, low), high);
  const start = bound(key.start);
  const stop = bound(key.stop);
  const from = step > 0 ? clip(start ?? 0, 0, length) : clip(start ?? length - 1, -1, length - 1);
  const to =
    step > 0 ? clip(stop ?? length, 0, length) : stop === null ? -1 : clip(stop, -1, length - 1);
  const picked: number[] = [];
  for (let k = from; step > 0 ? k < to : k > to; k += step) picked.push(k);
  return picked;
}

/** Arrays of some libraries never change: `x[key] = value` is an error there. */
export function mayBeChanged(vm: Interpreter, x: TensorValue, value: Value): void {
  switch (x.library) {
    case "jax":
      return vm.fail(
        "TypeError",
        "JAX arrays are immutable and do not support in-place item assignment",
        "Write x = x.at[index].set(value), or .add(value) for +=.",
      );
    case "tensorflow":
      return vm.fail(
        "TypeError",
        `'${typeName(x)}' object does not support item assignment`,
        "Build the tensor with tf.where, tf.stack or tf.concat instead.",
      );
    case "autograd":
      if (isFollowed(vm, x) || isFollowed(vm, value)) {
        vm.fail(
          "TypeError",
          "HIPS Autograd cannot follow an assignment into an array",
          "Build the array at once: np.where(condition, new, old), np.concatenate, or np.array of a list.",
        );
      }
      break;
    default:
      break;
  }
}

/** Whether it depends on what HIPS Autograd differentiates by: the first input of the trace. */
export function isFollowed(vm: Interpreter, v: Value): boolean {
  const first = vm.traceInputs[0];
  return v.kind === "tensor" && first !== undefined && dependsOn(v.expr, first);
}

export function setItem(vm: Interpreter, v: Value, key: Value, value: Value): void {
  switch (v.kind) {
    case "tensor":
      mayBeChanged(vm, v, value);
      assignIndex(vm, v, key, value);
      return;
    case "list": {
      const items = [...v.items];
      if (key.kind === "slice") {
        changeItems(vm, v, sliceAssigned(vm, items, key, [...iterate(vm, value)]));
        return;
      }
      items[position(vm, key, items.length, "list assignment")] = value;
      changeItems(vm, v, items);
      return;
    }
    case "dict":
      setEntry(vm, v, key, value);
      return;
    case "instance": {
      const own = findMethod(v, "__setitem__");
      if (own !== null) {
        call(vm, own, [key, value]);
        return;
      }
      break;
    }
    case "opaque":
      return useOpaque(vm, v);
    default:
      break;
  }
  vm.fail("TypeError", `'${typeName(v)}' object does not support item assignment`);
}

/** `items[start:stop:step] = values`; without a step, the length may change. */
function sliceAssigned(
  vm: Interpreter,
  items: Value[],
  key: Value & { readonly kind: "slice" },
  values: readonly Value[],
): Value[] {
  const places = sliceIndices(vm, key, items.length);
  const stepped = key.step.kind === "number" && key.step.value !== 1;
  if (!stepped) {
    const none: Value = { kind: "none" };
    const from = places[0] ?? sliceIndices(vm, { ...key, stop: none }, items.length)[0];
    return items.toSpliced(from ?? items.length, places.length, ...values);
  }
  if (places.length !== values.length) {
    vm.fail(
      "ValueError",
      `attempt to assign sequence of size ${values.length} to extended slice of size ${places.length}`,
    );
  }
  places.forEach((at, k) => (items[at] = values[k]!));
  return items;
}

export function deleteItem(vm: Interpreter, v: Value, key: Value): void {
  if (v.kind === "dict") {
    const k = hashKey(vm, key);
    if (!v.entries.has(k)) vm.fail("KeyError", display(vm, key, true));
    removeEntry(vm, v, k);
    return;
  }
  if (v.kind !== "list")
    vm.fail("TypeError", `'${typeName(v)}' object doesn't support item deletion`);
  const gone =
    key.kind === "slice"
      ? sliceIndices(vm, key, v.items.length)
      : [position(vm, key, v.items.length, "list assignment")];
  changeItems(
    vm,
    v,
    v.items.filter((_, k) => !gone.includes(k)),
  );
}
