/** operator: Python's operators as functions. */
import { getAttribute } from "../../interpreter/attributes.ts";
import { call } from "../../interpreter/calls.ts";
import { binaryOperation, compareOperation, unaryOperation } from "../../interpreter/operators.ts";
import { getItem } from "../../interpreter/subscripts.ts";
import { truth } from "../../interpreter/truth.ts";
import type { BinaryOperator, ComparisonOperator } from "../../syntax.ts";
import { type Value, bool, tuple } from "../../values.ts";
import { BUILTINS } from "../builtins.ts";
import type { CallContext, Entry } from "../signature.ts";
import { type Contents, fn, functions } from "./define.ts";

const BINARY: Readonly<Record<string, BinaryOperator>> = {
  add: "+",
  sub: "-",
  mul: "*",
  truediv: "/",
  floordiv: "//",
  mod: "%",
  pow: "**",
  matmul: "@",
  and_: "&",
  or_: "|",
  xor: "^",
  lshift: "<<",
  rshift: ">>",
  concat: "+",
};

const COMPARED: Readonly<Record<string, ComparisonOperator>> = {
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  eq: "==",
  ne: "!=",
  is_: "is",
  is_not: "is not",
};

const UNARY = { neg: "-", pos: "+", inv: "~", invert: "~", not_: "not" } as const;

const table: Record<string, Entry> = {
  truth: ["a", (c) => bool(truth(c.vm, c.value("a")))],
  contains: ["a, b", (c) => compareOperation(c.vm, "in", c.value("b"), c.value("a"))],
  getitem: ["a, b", (c) => getItem(c.vm, c.value("a"), c.value("b"))],
  itemgetter: ["item, *items", (c) => getter(c, "item", getItem)],
  attrgetter: ["attr, *items", (c) => getter(c, "attr", attributeAlong)],
  methodcaller: [
    "method, *args",
    (c) =>
      fn("methodcaller", "obj", (inner) =>
        call(
          inner.vm,
          getAttribute(inner.vm, inner.value("obj"), c.text("method")),
          c.list("args"),
        ),
      ),
  ],
};
for (const [name, op] of Object.entries(BINARY)) {
  table[name] = ["a, b", (c) => binaryOperation(c.vm, op, c.value("a"), c.value("b"))];
}
for (const [name, op] of Object.entries(COMPARED)) {
  table[name] = ["a, b", (c) => compareOperation(c.vm, op, c.value("a"), c.value("b"))];
}
for (const [name, op] of Object.entries(UNARY)) {
  table[name] = ["a", (c) => unaryOperation(c.vm, op, c.value("a"))];
}

/** One key gives its item, several give a tuple of theirs. */
function getter(
  c: CallContext,
  first: string,
  read: (vm: CallContext["vm"], of: Value, key: Value) => Value,
): Value {
  const keys = [c.value(first), ...c.list("items")];
  return fn(c.name, "obj", (inner) => {
    const found = keys.map((k) => read(inner.vm, inner.value("obj"), k));
    return found.length === 1 ? found[0]! : tuple(found);
  });
}

/** `attrgetter("a.b")`. */
function attributeAlong(vm: CallContext["vm"], of: Value, path: Value): Value {
  if (path.kind !== "str") return vm.fail("TypeError", "attribute name must be a string");
  return path.value.split(".").reduce((v, name) => getAttribute(vm, v, name), of);
}

export const operator: Contents = { ...functions(table), abs: BUILTINS.get("abs")! };
