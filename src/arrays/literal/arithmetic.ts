/** Python's arithmetic on the numbers, lists and arrays of a literal. */
import { elementAt, writer } from "../convert.ts";
import { dtypes, promoteTypes, type DType } from "../dtype.ts";
import { elementCount, formatShape, type NdArray } from "../ndarray.ts";
import { collect } from "./collect.ts";
import {
  convert,
  defaultFloat,
  defaultInt,
  describe,
  isScalar,
  type ArrayValue,
  type LiteralContext,
  type Scalar,
  type Sequence,
  type Value,
} from "./value.ts";

export type Operator = "+" | "-" | "*" | "/" | "//" | "%" | "**";

/** Integers in a literal may grow to this many bits, far beyond what an array can hold. */
const MAX_BITS = 4096;

/** `-value` or `+value`. */
export function unary(sign: "+" | "-", value: Value, at: number, context: LiteralContext): Value {
  if (value.kind === "float")
    return { kind: "float", value: sign === "-" ? -value.value : value.value, at };
  if (value.kind === "int" || value.kind === "bool") {
    const whole = BigInt(value.value);
    return { kind: "int", value: sign === "-" ? -whole : whole, at };
  }
  if (value.kind === "array") {
    if (sign === "+") return value;
    // Not 0 - x, which loses the sign of zero.
    return arrays("*", value, { kind: "int", value: -1n, at }, at, context);
  }
  return context.fail(at, `"${sign}" cannot stand before ${describe(value)}.`);
}

/** `left operator right`, where `at` is the operator's place. */
export function binary(
  operator: Operator,
  left: Value,
  right: Value,
  at: number,
  context: LiteralContext,
): Value {
  if (isScalar(left) && isScalar(right)) return scalars(operator, left, right, at, context);
  if (left.kind === "array" || right.kind === "array") {
    return arrays(operator, left, right, at, context);
  }
  if (operator === "*" && left.kind === "list" && right.kind === "int") {
    return repeat(left, right, at, context);
  }
  if (operator === "*" && left.kind === "int" && right.kind === "list") {
    return repeat(right, left, at, context);
  }
  if (operator === "+" && left.kind === "list" && right.kind === "list") {
    return { kind: "list", items: [...left.items, ...right.items], at: left.at };
  }
  return context.fail(
    at,
    `"${operator}" cannot stand between ${describe(left)} and ${describe(right)}.`,
  );
}

function repeat(
  list: Sequence,
  times: Scalar & { kind: "int" },
  at: number,
  context: LiteralContext,
): Value {
  const count = times.value > 0n ? times.value : 0n;
  if (BigInt(list.items.length) * count > BigInt(MAX_REPEATED)) {
    return context.fail(at, `This list would have more than ${String(MAX_REPEATED)} items.`);
  }
  const items: Value[] = [];
  for (let i = 0n; i < count; i += 1n) items.push(...list.items);
  return { kind: "list", items, at: list.at };
}

/** Repeated lists hold an object an item, unlike arrays. */
const MAX_REPEATED = 2 ** 20;

function scalars(
  operator: Operator,
  left: Scalar,
  right: Scalar,
  at: number,
  context: LiteralContext,
): Scalar {
  const { fail } = context;
  if (left.kind !== "float" && right.kind !== "float") {
    return integers(operator, BigInt(left.value), BigInt(right.value), left.at, at, context);
  }
  const a = floatOf(left, at, context);
  const b = floatOf(right, at, context);
  const float = (value: number): Scalar => ({ kind: "float", value, at: left.at });
  switch (operator) {
    case "+":
      return float(a + b);
    case "-":
      return float(a - b);
    case "*":
      return float(a * b);
    case "**":
      return float(power(a, b, at, context));
    case "/":
    case "//":
    case "%": {
      if (b === 0) return fail(at, "This divides by zero.");
      if (operator === "/") return float(a / b);
      const { quotient, remainder } = floorDivide(a, b);
      return float(operator === "//" ? quotient : remainder);
    }
  }
}

/** Python refuses to make a float of an integer that is too large. */
function floatOf(operand: Scalar, at: number, context: LiteralContext): number {
  const value = Number(operand.value);
  if (operand.kind !== "int" || Number.isFinite(value)) return value;
  return context.fail(at, "This integer is too large to become a floating-point number.");
}

function integers(
  operator: Operator,
  a: bigint,
  b: bigint,
  start: number,
  at: number,
  context: LiteralContext,
): Scalar {
  const { fail } = context;
  const int = (value: bigint): Scalar => ({ kind: "int", value, at: start });
  const bits = (value: bigint): number => value.toString(16).length * 4;
  const tooLarge = (): never => fail(at, "This integer is too large for any array.");
  switch (operator) {
    case "+":
      return int(a + b);
    case "-":
      return int(a - b);
    case "*":
      return bits(a) + bits(b) > MAX_BITS ? tooLarge() : int(a * b);
    case "**":
      if (b < 0n)
        return { kind: "float", value: power(Number(a), Number(b), at, context), at: start };
      if (a * a > 1n && BigInt(bits(a)) * b > BigInt(MAX_BITS)) return tooLarge();
      return int(a * a > 1n || b === 0n ? a ** b : a === -1n && b % 2n === 0n ? 1n : a);
    default: {
      if (b === 0n) return fail(at, "This divides by zero.");
      if (operator === "/") return { kind: "float", value: ratio(a, b), at: start };
      const remainder = ((a % b) + b) % b;
      return int(operator === "%" ? remainder : (a - remainder) / b);
    }
  }
}

/** The float64 nearest to a/b. */
function ratio(a: bigint, b: bigint): number {
  const limit = 2n ** 53n;
  const small = (value: bigint): boolean => value <= limit && value >= -limit;
  if (small(a) && small(b)) return Number(a) / Number(b);
  const negative = a < 0n !== b < 0n;
  const numerator = a < 0n ? -a : a;
  const denominator = b < 0n ? -b : b;
  // A quotient of more than 54 bits whose last bit says whether anything was cut off rounds once.
  const shift = BigInt(
    Math.max(0, 64 + denominator.toString(2).length - numerator.toString(2).length),
  );
  const scaled = numerator << shift;
  const sticky = scaled % denominator === 0n ? 0n : 1n;
  const value = Number((scaled / denominator) | sticky) * 2 ** -Number(shift);
  return negative ? -value : value;
}

/** Python's `//` and `%` on floats: the remainder has the divisor's sign. */
function floorDivide(a: number, b: number): { quotient: number; remainder: number } {
  let remainder = a % b;
  let quotient = (a - remainder) / b;
  if (remainder !== 0 && b < 0 !== remainder < 0) {
    remainder += b;
    quotient -= 1;
  }
  const floor = Math.floor(quotient);
  return { quotient: quotient - floor > 0.5 ? floor + 1 : floor, remainder };
}

function power(a: number, b: number, at: number, context: LiteralContext): number {
  if (a === 0 && b < 0) return context.fail(at, "This divides by zero.");
  if (a < 0 && !Number.isInteger(b)) {
    return context.fail(at, "A root of a negative number is complex; a loss needs real numbers.");
  }
  // Math.pow may be off by one in the last place; a whole power that float64 holds exactly is not.
  if (Number.isInteger(a) && Number.isInteger(b) && Math.abs(b) <= 53) {
    const whole = BigInt(a) ** BigInt(Math.abs(b));
    if (whole <= 2n ** 53n && whole >= -(2n ** 53n)) {
      return b < 0 ? 1 / Number(whole) : Number(whole);
    }
  }
  return a ** b;
}

/** Elementwise arithmetic of an array with a number, or with an array of the same shape. */
function arrays(
  operator: Operator,
  left: Value,
  right: Value,
  at: number,
  context: LiteralContext,
): ArrayValue {
  const { fail } = context;
  const main = left.kind === "array" ? left : (right as ArrayValue);
  const other = left.kind === "array" ? right : left;
  if (operator === "//" || operator === "%" || operator === "**") {
    return fail(at, `"${operator}" on arrays is not read in a literal; write the values out.`);
  }
  if (!isScalar(other) && other.kind !== "array") {
    return fail(at, `"${operator}" cannot stand between an array and ${describe(other)}.`);
  }
  const dtype = resultType(operator, main, other, at, context);
  const operand = (value: Value): NdArray =>
    value.kind === "array"
      ? convert(value.array, dtype, at, context)
      : collect(value, dtype, main.library, context);
  const a = operand(left);
  const b = operand(right);
  const shape = a.shape.length === 0 ? b.shape : a.shape;
  if (b.shape.length > 0 && formatShape(b.shape) !== formatShape(shape)) {
    return fail(
      at,
      `The arrays beside "${operator}" have the shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}; in a literal they must be equal.`,
    );
  }
  const count = elementCount(shape);
  const data = dtypes[dtype].store(count);
  const write = writer(dtype, data);
  const compute = OPERATIONS[operator];
  for (let i = 0; i < count; i += 1) {
    const x = elementAt(a, a.shape.length === 0 ? 0 : i);
    const y = elementAt(b, b.shape.length === 0 ? 0 : i);
    // Integers as bigint, since a product of two int32 may go beyond 2^53 before it is cut.
    write(
      i,
      dtypes[dtype].kind === "float"
        ? compute.float(Number(x), Number(y))
        : compute.int(BigInt(x), BigInt(y)),
    );
  }
  return {
    kind: "array",
    array: { dtype, shape, data, origin: context.origin },
    library: main.library,
    at: left.at,
  };
}

const OPERATIONS = {
  "+": { float: (x: number, y: number) => x + y, int: (x: bigint, y: bigint) => x + y },
  "-": { float: (x: number, y: number) => x - y, int: (x: bigint, y: bigint) => x - y },
  "*": { float: (x: number, y: number) => x * y, int: (x: bigint, y: bigint) => x * y },
  // Never used: the result of "/" is a floating-point dtype.
  "/": { float: (x: number, y: number) => x / y, int: (x: bigint) => x },
};

/** A Python number does not widen an array's dtype, only its kind (NumPy 2, PyTorch, JAX). */
function resultType(
  operator: Operator,
  main: ArrayValue,
  other: Scalar | ArrayValue,
  at: number,
  context: LiteralContext,
): DType {
  const { fail } = context;
  const { dtype } = main.array;
  let result = dtype;
  if (other.kind === "array") {
    const same = other.array.dtype === dtype;
    if (!same && (main.library !== "numpy" || other.library !== "numpy")) {
      return fail(at, `This mixes arrays of ${dtype} and ${other.array.dtype}; convert one first.`);
    }
    result = promoteTypes(dtype, other.array.dtype);
  } else if (dtypes[dtype].kind !== "float") {
    if (other.kind === "float") result = defaultFloat(main.library);
    else if (other.kind === "int" && dtype === "bool") result = defaultInt(main.library);
  }
  if (operator === "/" && dtypes[result].kind !== "float") result = defaultFloat(main.library);
  if (result === "bool") return fail(at, `"${operator}" on booleans is not read in a literal.`);
  if (result !== "float32" && result !== "float64" && dtypes[result].kind === "float") {
    return fail(
      at,
      `Arithmetic in ${result} rounds differently from library to library, so it is not done in a literal.`,
      "Write the resulting values out, or compute in float32 and convert at the end.",
    );
  }
  if (dtypes[result].kind === "complex") return fail(at, "Complex arrays are not computed here.");
  return result;
}
