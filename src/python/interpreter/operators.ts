/** Binary and unary operators and comparisons, on every kind of value. */
import type { BinaryOp } from "../../expression/node.ts";
import { constant, neg, sub } from "../../expression/build.ts";
import { sameSelection } from "../tensors/picked.ts";
import { matmul } from "../tensors/contraction.ts";
import { elementwise, keepingFunction, logical, truthFunction } from "../tensors/elementwise.ts";
import { asTensor, castTo, nodeOf, tensor } from "../tensors/tensor.ts";
import { defaultDType, followsNumpy } from "../dtypes.ts";
import type { BinaryOperator, ComparisonOperator } from "../syntax.ts";
import {
  FALSE,
  type NumberValue,
  TRUE,
  type TensorValue,
  type Value,
  bool,
  str,
  tuple,
  typeName,
} from "../values.ts";
import { call } from "./calls.ts";
import { findMethod } from "./attributes.ts";
import { appendItems, changeEntries, isHashable, keyOf, makeList, makeSet } from "./collections.ts";
import { percentFormat } from "./format.ts";
import type { Interpreter } from "./interpreter.ts";
import { iterate } from "./iterate.ts";
import { comparisonOp, numberBinary, numberCompare, numberUnary } from "./numbers.ts";
import { useOpaque } from "./opaque.ts";
import { isFollowed, mayBeChanged } from "./subscripts.ts";
import { truth } from "./truth.ts";

const ARITHMETIC: Partial<Readonly<Record<BinaryOperator, BinaryOp>>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "//": "floordiv",
  "%": "mod",
  "**": "pow",
};

/** What a special method returns to leave the operation to the other side. */
export const NOT_IMPLEMENTED: Value = {
  kind: "opaque",
  name: "NotImplemented",
  reason: "only an operator may return it",
};

const SPECIAL: Readonly<Record<BinaryOperator, string>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "truediv",
  "//": "floordiv",
  "%": "mod",
  "**": "pow",
  "@": "matmul",
  "&": "and",
  "|": "or",
  "^": "xor",
  "<<": "lshift",
  ">>": "rshift",
};

export function binaryOperation(vm: Interpreter, op: BinaryOperator, a: Value, b: Value): Value {
  if (a.kind === "number" && b.kind === "number") return numberBinary(vm, op, a, b);
  if (a.kind === "opaque") return useOpaque(vm, a);
  if (b.kind === "opaque") return useOpaque(vm, b);
  const own = findMethod(a, `__${SPECIAL[op]}__`);
  const made = own === null ? NOT_IMPLEMENTED : call(vm, own, [b]);
  if (made !== NOT_IMPLEMENTED) return made;
  const reflected = findMethod(b, `__r${SPECIAL[op]}__`);
  const other = reflected === null ? NOT_IMPLEMENTED : call(vm, reflected, [a]);
  if (other !== NOT_IMPLEMENTED) return other;
  if (a.kind === "tensor" || b.kind === "tensor") return tensorOperation(vm, op, a, b);
  return onCollections(vm, op, a, b) ?? mismatch(vm, op, a, b);
}

function mismatch(vm: Interpreter, op: string, a: Value, b: Value): never {
  return vm.fail(
    "TypeError",
    `unsupported operand type(s) for ${op}: '${typeName(a)}' and '${typeName(b)}'`,
  );
}

function tensorOperation(vm: Interpreter, op: BinaryOperator, a: Value, b: Value): Value {
  // NumPy and TensorFlow take lists for arrays; the others do not.
  const fits = (v: Value, other: Value): boolean =>
    v.kind === "tensor" ||
    v.kind === "number" ||
    (isSequence(v) &&
      other.kind === "tensor" &&
      (followsNumpy(other.library) || other.library === "tensorflow"));
  if (!fits(a, b) || !fits(b, a)) return mismatch(vm, op, a, b);
  if (isSequence(a) && b.kind === "tensor")
    return tensorOperation(vm, op, arrayBeside(vm, a, b), b);
  if (isSequence(b) && a.kind === "tensor")
    return tensorOperation(vm, op, a, arrayBeside(vm, b, a));
  if (op === "@") {
    const product = (): Value => matmul(vm, a, b, "numpy");
    return vm.recorder.tape?.within("@", product) ?? product();
  }
  const operation = ARITHMETIC[op];
  if (operation !== undefined) return elementwise(vm, operation, a, b);
  const isBool = (v: Value): boolean =>
    (v.kind === "tensor" && nodeOf(v).type === "bool") ||
    (v.kind === "number" && v.type === "bool");
  if (isBool(a) && isBool(b)) {
    if (op === "&") return logical(vm, "and", a, b);
    if (op === "|") return logical(vm, "or", a, b);
    if (op === "^") return elementwise(vm, "ne", a, b);
  }
  return vm.unsupported(
    `the bitwise operator ${op} is supported only on boolean arrays`,
    "Use logical_and, logical_or, or a comparison.",
  );
}

function isSequence(v: Value): boolean {
  return v.kind === "list" || v.kind === "tuple";
}

/** A list as an array; in TensorFlow it takes the tensor's type. */
function arrayBeside(vm: Interpreter, v: Value, t: TensorValue): TensorValue {
  const dtype = t.dtype ?? defaultDType(t.expr.type, t.library);
  return asTensor(vm, v, t.library, t.library === "tensorflow" ? dtype : undefined);
}

function onCollections(vm: Interpreter, op: BinaryOperator, a: Value, b: Value): Value | null {
  if (a.kind === "str") {
    if (op === "+" && b.kind === "str") {
      vm.allocate(b.value.length / 16);
      return str(a.value + b.value);
    }
    if (op === "%") return str(percentFormat(vm, a.value, b));
  }
  if (op === "+" && a.kind === "list" && b.kind === "list") {
    vm.allocate(a.items.length + b.items.length);
    return makeList(vm, [...a.items, ...b.items]);
  }
  if (op === "+" && a.kind === "tuple" && b.kind === "tuple") {
    vm.allocate(a.items.length + b.items.length);
    return tuple([...a.items, ...b.items]);
  }
  if (op === "*") return repeated(vm, a, b) ?? repeated(vm, b, a);
  if (a.kind === "dict" && b.kind === "dict" && op === "|") {
    return { kind: "dict", entries: new Map([...a.entries, ...b.entries]), born: vm.epoch };
  }
  if (a.kind === "set" && b.kind === "set") {
    const left = [...a.entries];
    const right = [...b.entries];
    const only = (xs: [string, Value][], keep: (k: string) => boolean): [string, Value][] =>
      xs.filter(([k]) => keep(k));
    if (op === "|") return makeSet(vm, new Map([...left, ...right]));
    if (op === "&") return makeSet(vm, new Map(only(left, (k) => b.entries.has(k))));
    if (op === "-") return makeSet(vm, new Map(only(left, (k) => !b.entries.has(k))));
    if (op === "^") {
      const apart = [
        ...only(left, (k) => !b.entries.has(k)),
        ...only(right, (k) => !a.entries.has(k)),
      ];
      return makeSet(vm, new Map(apart));
    }
  }
  return null;
}

function repeated(vm: Interpreter, a: Value, b: Value): Value | null {
  if (b.kind !== "number" || b.type === "float") return null;
  if (a.kind !== "str" && a.kind !== "list" && a.kind !== "tuple") return null;
  if (b.value === null) return vm.unsupported("how often this is repeated is not known here");
  const times = Math.max(0, b.value);
  const length = a.kind === "str" ? a.value.length : a.items.length;
  vm.allocate((times * length) / (a.kind === "str" ? 16 : 1));
  if (a.kind === "str") return str(a.value.repeat(times));
  const items = Array.from({ length: times }, () => a.items).flat();
  return a.kind === "list" ? makeList(vm, items) : tuple(items);
}

/** `a op= b` is `a = a op b`, except that lists, sets and most arrays change in place. */
export function augmented(vm: Interpreter, op: BinaryOperator, a: Value, b: Value): Value {
  const own = findMethod(a, `__i${SPECIAL[op]}__`);
  if (own !== null) return call(vm, own, [b]);
  if (a.kind === "list" && op === "+") {
    appendItems(vm, a, iterate(vm, b));
    return a;
  }
  if ((a.kind === "set" || a.kind === "dict") && b.kind === a.kind) {
    const result = onCollections(vm, op, a, b);
    if (result?.kind === "set" && a.kind === "set") {
      changeEntries(vm, a, result.entries);
      return a;
    }
  }
  const result = binaryOperation(vm, op, a, b);
  if (a.kind !== "tensor" || result.kind !== "tensor") return result;
  return inPlace(vm, a, result);
}

/** The operation's result put into `target`, as PyTorch's `mul_` and NumPy's `*=` do. */
export function inPlace(
  vm: Interpreter,
  target: Value & { readonly kind: "tensor" },
  result: Value & { readonly kind: "tensor" },
): Value {
  const { library } = target;
  const [picked, made] = [target.selection, result.selection];
  if (picked !== null && made !== null && sameSelection(vm, picked, made)) {
    inPlace(vm, picked.all, made.all);
    return target;
  }
  const { expr } = target;
  // TensorFlow's and JAX's arrays and NumPy's scalars are immutable: the name is bound anew.
  if (library === "tensorflow" || library === "jax") return result;
  if (followsNumpy(library) && expr.shape.length === 0) return result;
  if (library === "autograd") {
    // An array that Autograd follows has no in-place operators: the name is bound anew.
    if (isFollowed(vm, target)) return result;
    mayBeChanged(vm, target, result);
  }
  if (result.expr.shape.length !== expr.shape.length) {
    return vm.fail(
      "ValueError",
      "an array cannot change its shape in place",
      "Write x = x * y instead of x *= y.",
    );
  }
  if (expr.type !== "float" && result.expr.type === "float") {
    return vm.fail(
      "TypeError",
      "the result of this operation is a float array and cannot be stored in an integer array",
      "Write x = x * y instead of x *= y.",
    );
  }
  const { dtype } = target;
  // What is written into memory takes the type that the memory has.
  const keeps = library === "torch" && dtype !== null && result.dtype !== null;
  target.assign(vm, keeps ? castTo(result.expr, result.dtype, dtype) : result.expr);
  return target;
}

export function unaryOperation(vm: Interpreter, op: "-" | "+" | "~" | "not", v: Value): Value {
  if (op === "not") return bool(!truth(vm, v));
  if (v.kind === "number") return numberUnary(vm, op, v);
  if (v.kind === "opaque") return useOpaque(vm, v);
  const name = op === "-" ? "__neg__" : op === "+" ? "__pos__" : "__invert__";
  const own = findMethod(v, name);
  if (own !== null) return call(vm, own, []);
  if (v.kind !== "tensor") {
    return vm.fail("TypeError", `bad operand type for unary ${op}: '${typeName(v)}'`);
  }
  if (op === "+") return v;
  if (op === "-") return keepingFunction(vm, "neg", v);
  if (nodeOf(v).type === "bool") return truthFunction(vm, "not", v);
  if (v.expr.type === "int" && v.dtype?.startsWith("u") !== true) {
    return tensor(vm, sub(neg(v.expr), constant(1, "int")), v.library, v.dtype);
  }
  return vm.unsupported("~ is supported only on boolean and signed integer arrays");
}

export function compareOperation(
  vm: Interpreter,
  op: ComparisonOperator,
  a: Value,
  b: Value,
): Value {
  switch (op) {
    case "is":
      return bool(isSame(a, b));
    case "is not":
      return bool(!isSame(a, b));
    case "in":
      return contains(vm, b, a);
    case "not in":
      return negated(vm, contains(vm, b, a));
    case "==":
      return equals(vm, a, b);
    case "!=":
      return unequal(vm, a, b);
    default:
      return ordered(vm, op, a, b);
  }
}

function negated(vm: Interpreter, v: Value): Value {
  return v.kind === "tensor" ? truthFunction(vm, "not", v) : bool(!truth(vm, v));
}

function isSame(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.kind === "number" && b.kind === "number") {
    return a.type === b.type && a.value !== null && a.value === b.value;
  }
  if (a.kind === "str" && b.kind === "str") return a.value === b.value;
  if (a.kind === "dtype" && b.kind === "dtype") return a.dtype === b.dtype;
  return a.kind === b.kind && (a.kind === "none" || a.kind === "ellipsis");
}

function unequal(vm: Interpreter, a: Value, b: Value): Value {
  const own = findMethod(a, "__ne__");
  if (own !== null) return call(vm, own, [b]);
  if (tensorPair(a, b)) return elementwise(vm, "ne", a, b);
  if (a.kind === "number" && b.kind === "number") return numberCompare("!=", a, b);
  return negated(vm, equals(vm, a, b));
}

function tensorPair(a: Value, b: Value): boolean {
  const comparable = (v: Value): boolean =>
    v.kind === "tensor" || v.kind === "number" || v.kind === "list";
  return (a.kind === "tensor" && comparable(b)) || (b.kind === "tensor" && comparable(a));
}

/** `==`: a Python bool, an array of them, or a bool that only sizes will decide. */
export function equals(vm: Interpreter, a: Value, b: Value): Value {
  vm.allocate(1);
  if (a.kind === "opaque") return useOpaque(vm, a);
  if (b.kind === "opaque") return useOpaque(vm, b);
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const) {
    const own = findMethod(x, "__eq__");
    const made = own === null ? NOT_IMPLEMENTED : call(vm, own, [y]);
    if (made !== NOT_IMPLEMENTED) return made;
  }
  if (tensorPair(a, b)) return elementwise(vm, "eq", a, b);
  if (a.kind === "number" && b.kind === "number") return numberCompare("==", a, b);
  if (a.kind === "tuple" && b.kind === "tuple") return equalItems(vm, a.items, b.items);
  if (a.kind === "list" && b.kind === "list") return equalItems(vm, a.items, b.items);
  if (a.kind === "dict" && b.kind === "dict") {
    if (a.entries.size !== b.entries.size) return FALSE;
    const keys = [...a.entries.keys()];
    if (!keys.every((k) => b.entries.has(k))) return FALSE;
    return equalItems(
      vm,
      keys.map((k) => a.entries.get(k)!.value),
      keys.map((k) => b.entries.get(k)!.value),
    );
  }
  if (a.kind === "set" && b.kind === "set") {
    return bool(
      a.entries.size === b.entries.size && [...a.entries.keys()].every((k) => b.entries.has(k)),
    );
  }
  if (a.kind === "range" && b.kind === "range") {
    return bool(a.start === b.start && a.stop === b.stop && a.step === b.step);
  }
  return bool(isSame(a, b));
}

function equalItems(vm: Interpreter, a: readonly Value[], b: readonly Value[]): Value {
  if (a.length !== b.length) return FALSE;
  let open: NumberValue | null = null;
  for (const [k, x] of a.entries()) {
    const r = equals(vm, x, b[k]!);
    // One pair that differs settles it, even if another is not known.
    if (r.kind === "number" && r.value === null) open ??= r;
    else if (!truth(vm, r)) return FALSE;
  }
  return open ?? TRUE;
}

function ordered(vm: Interpreter, op: ComparisonOperator, a: Value, b: Value): Value {
  if (a.kind === "number" && b.kind === "number") return numberCompare(op, a, b);
  const names = { "<": "lt", "<=": "le", ">": "gt", ">=": "ge" } as Record<string, string>;
  const own = findMethod(a, `__${names[op]}__`);
  if (own !== null) return call(vm, own, [b]);
  if (a.kind === "opaque") return useOpaque(vm, a);
  if (b.kind === "opaque") return useOpaque(vm, b);
  if (tensorPair(a, b)) return elementwise(vm, comparisonOp(op)!, a, b);
  if (a.kind === "str" && b.kind === "str") {
    const sign = a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
    return bool(
      op === "<" ? sign < 0 : op === "<=" ? sign <= 0 : op === ">" ? sign > 0 : sign >= 0,
    );
  }
  if ((a.kind === "tuple" && b.kind === "tuple") || (a.kind === "list" && b.kind === "list")) {
    for (const [k, x] of a.items.entries()) {
      const y = b.items[k];
      if (y === undefined) break;
      if (!truth(vm, equals(vm, x, y))) return ordered(vm, op, x, y);
    }
    return numberCompare(op, count(a.items), count(b.items));
  }
  return vm.fail(
    "TypeError",
    `'${op}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

function count(items: readonly Value[]): NumberValue {
  return { kind: "number", type: "int", value: items.length, symbol: null, axes: null };
}

function contains(vm: Interpreter, container: Value, item: Value): Value {
  switch (container.kind) {
    case "str":
      if (item.kind !== "str") {
        return vm.fail(
          "TypeError",
          `'in <string>' requires string as left operand, not ${typeName(item)}`,
        );
      }
      return bool(container.value.includes(item.value));
    case "dict":
    case "set":
      if (!isHashable(item)) return vm.fail("TypeError", `unhashable type: '${typeName(item)}'`);
      return bool(container.entries.has(keyOf(item)));
    case "instance": {
      const own = findMethod(container, "__contains__");
      if (own !== null) return call(vm, own, [item]);
      break;
    }
    case "tensor":
      return vm.unsupported("`in` on an array is not supported", "Use (x == value).any().");
    case "opaque":
      return useOpaque(vm, container);
    default:
      break;
  }
  for (const x of iterate(vm, container)) {
    if (x === item || truth(vm, equals(vm, x, item))) return TRUE;
  }
  return FALSE;
}
