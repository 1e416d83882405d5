/** Arithmetic of Python's own numbers, carried out on their values and on their symbols alike. */
import { binary, constant, unary } from "../../expression/build.ts";
import type { BinaryOp, Expr, ScalarType } from "../../expression/node.ts";
import type { BinaryOperator, ComparisonOperator } from "../syntax.ts";
import { type NumberValue, type Value, bool } from "../values.ts";
import type { Interpreter } from "./interpreter.ts";

export function isNumber(v: Value): v is NumberValue {
  return v.kind === "number";
}

/** The scalar expression that stands for a number in formulas. */
export function numberExpr(n: NumberValue): Expr {
  return n.symbol ?? constant(n.value!, n.type);
}

/** A number with this value; its symbol follows the same operation where there is one. */
export function derived(
  type: ScalarType,
  value: number | null,
  symbol: () => Expr,
  ...from: readonly NumberValue[]
): NumberValue {
  const needsSymbol = value === null || from.some((n) => n.symbol !== null);
  return { kind: "number", type, value, symbol: needsSymbol ? symbol() : null, axes: null };
}

const OPERATIONS: Partial<Readonly<Record<BinaryOperator, BinaryOp>>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "//": "floordiv",
  "%": "mod",
  "**": "pow",
};

/** @throws PythonError ZeroDivisionError and the like */
export function numberBinary(
  vm: Interpreter,
  op: BinaryOperator,
  a: NumberValue,
  b: NumberValue,
): NumberValue {
  const operation = OPERATIONS[op];
  if (operation === undefined) return bitwise(vm, op, a, b);
  const anyFloat = a.type === "float" || b.type === "float";
  if (b.value === 0 && (op === "/" || op === "//" || op === "%")) {
    const what = op === "/" ? "division by zero" : "integer division or modulo by zero";
    vm.fail("ZeroDivisionError", anyFloat && op === "/" ? "float division by zero" : what);
  }
  if (op === "**" && a.value === 0 && b.value !== null && b.value < 0) {
    vm.fail("ZeroDivisionError", "0.0 cannot be raised to a negative power");
  }
  const negativePower = op === "**" && (b.value === null || b.value < 0);
  const type = anyFloat || op === "/" || negativePower ? "float" : "int";
  const value = a.value === null || b.value === null ? null : compute(op, a.value, b.value);
  if (value !== null && Number.isNaN(value) && op === "**" && a.value! < 0) {
    vm.unsupported("complex numbers are not supported");
  }
  checkInteger(vm, type, value);
  const result = derived(type, value, () => binary(operation, numberExpr(a), numberExpr(b)), a, b);
  const axes = op === "*" ? productAxes(a, b) : null;
  return axes === null ? result : { ...result, axes };
}

/** Python's floats and ints up to 2**53; beyond that a float64 could be off without a word. */
function checkInteger(vm: Interpreter, type: ScalarType, value: number | null): void {
  if (type === "int" && value !== null && !Number.isSafeInteger(value)) {
    vm.unsupported(
      "integers beyond 2**53 are not supported",
      "Write it as a float if its exact value does not matter.",
    );
  }
}

function productAxes(a: NumberValue, b: NumberValue): NumberValue["axes"] {
  if (a.axes !== null && b.axes !== null) return [...a.axes, ...b.axes];
  if (a.axes !== null && b.value === 1) return a.axes;
  if (b.axes !== null && a.value === 1) return b.axes;
  return null;
}

function compute(op: BinaryOperator, x: number, y: number): number {
  switch (op) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      return x / y;
    case "//":
      return Math.floor(x / y);
    case "%": {
      const r = x % y; // JavaScript's sign follows x, Python's follows y
      return r !== 0 && r < 0 !== y < 0 ? r + y : r;
    }
    default:
      return x ** y;
  }
}

function bitwise(vm: Interpreter, op: BinaryOperator, a: NumberValue, b: NumberValue): NumberValue {
  if (a.type === "float" || b.type === "float" || op === "@") {
    vm.fail("TypeError", `unsupported operand type(s) for ${op}: '${a.type}' and '${b.type}'`);
  }
  const x = BigInt(known(vm, a));
  const y = BigInt(known(vm, b));
  let r: bigint;
  if (op === "&") r = x & y;
  else if (op === "|") r = x | y;
  else if (op === "^") r = x ^ y;
  else {
    if (y < 0n) vm.fail("ValueError", "negative shift count");
    if (y > 64n) vm.unsupported("integers beyond 2**53 are not supported");
    r = op === "<<" ? x << y : x >> y;
  }
  if (a.type === "bool" && b.type === "bool" && op !== "<<" && op !== ">>") return bool(r !== 0n);
  checkInteger(vm, "int", Number(r));
  return { kind: "number", type: "int", value: Number(r), symbol: null, axes: null };
}

export function numberUnary(vm: Interpreter, op: "-" | "+" | "~", n: NumberValue): NumberValue {
  const type = n.type === "bool" ? "int" : n.type;
  if (op === "+") return { ...n, type };
  if (op === "-") {
    return derived(type, n.value === null ? null : -n.value, () => unary("neg", numberExpr(n)), n);
  }
  if (type === "float") vm.fail("TypeError", "bad operand type for unary ~: 'float'");
  return { kind: "number", type, value: -known(vm, n) - 1, symbol: null, axes: null };
}

const COMPARISONS: Partial<Readonly<Record<ComparisonOperator, BinaryOp>>> = {
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "==": "eq",
  "!=": "ne",
};

export function comparisonOp(op: ComparisonOperator): BinaryOp | undefined {
  return COMPARISONS[op];
}

/** A Python bool; without a value if either number has none and they are not the same size. */
export function numberCompare(op: ComparisonOperator, a: NumberValue, b: NumberValue): NumberValue {
  if (a.value !== null && b.value !== null) return bool(compareValues(op, a.value, b.value));
  if (a.symbol !== null && a.symbol === b.symbol) {
    return bool(op === "==" || op === "<=" || op === ">=");
  }
  const symbol = binary(COMPARISONS[op]!, numberExpr(a), numberExpr(b));
  return { kind: "number", type: "bool", value: null, symbol, axes: unknownAxes(a, b) };
}

/** The axes whose sizes would decide the comparison. */
function unknownAxes(a: NumberValue, b: NumberValue): NumberValue["axes"] {
  const axes = [a, b].flatMap((n) => (n.value === null ? (n.axes ?? []) : []));
  return axes.length > 0 ? axes : null;
}

export function compareValues(op: ComparisonOperator, x: number, y: number): boolean {
  switch (op) {
    case "<":
      return x < y;
    case "<=":
      return x <= y;
    case ">":
      return x > y;
    case ">=":
      return x >= y;
    case "==":
      return x === y;
    default:
      return x !== y;
  }
}

function known(vm: Interpreter, n: NumberValue): number {
  if (n.value === null) return vm.unsupported("the value of this number is not known here");
  return n.value;
}
