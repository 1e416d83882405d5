/** Operations entry by entry, with the libraries' broadcasting and promotion. */
import { type Axis, broadcast, isUnit, leafAxes, sameShape } from "../../expression/axis.ts";
import {
  ZERO,
  binary,
  clamp,
  neg,
  reshape,
  stopGradient,
  unary,
  where,
} from "../../expression/build.ts";
import type { BinaryOp, Expr, UnaryOp } from "../../expression/node.ts";
import { signOf } from "../../expression/signs.ts";
import {
  type DType,
  type Library,
  canWrap,
  floatResult,
  followsNumpy,
  promote,
  scalarType,
} from "../dtypes.ts";
import type { TapeKernel } from "../../expression/tape.ts";
import { type Interpreter, UnknownSizeError } from "../interpreter/interpreter.ts";
import type { TensorValue, Value } from "../values.ts";
import { entrywise } from "./picked.ts";
import { ofOneType, operationName, requireBool, requireFloat } from "./strictTypes.ts";
import { castTo, freshLetter, libraryOf, operandExpr, operandOf, tensor } from "./tensor.ts";

const COMPARISONS = new Set<BinaryOp>(["eq", "ne", "lt", "le", "gt", "ge"]);
/** What arithmetic on truth values means in NumPy and PyTorch. */
const ON_BOOLEANS: Partial<Readonly<Record<BinaryOp, BinaryOp>>> = {
  add: "or",
  mul: "and",
  max: "or",
  min: "and",
};

/** `a op b` where at least one is a tensor. */
export function elementwise(
  vm: Interpreter,
  op: BinaryOp,
  a: Value,
  b: Value,
  otherwise: Library = "numpy",
): TensorValue {
  return entrywise(vm, [a, b], ([x, y]) => wholeElementwise(vm, op, x!, y!, otherwise));
}

function wholeElementwise(
  vm: Interpreter,
  op: BinaryOp,
  a: Value,
  b: Value,
  otherwise: Library,
): TensorValue {
  const library = libraryOf([a, b], otherwise);
  if (op === "add" && isZero(a) && b.kind === "tensor" && b.expr.type === "float") {
    return tensor(vm, b.expr, library, b.dtype); // an accumulator's first step
  }
  const given = [operandExpr(vm, a, library), operandExpr(vm, b, library)];
  const exprs = ofOneType(vm, operationName(op), library, [a, b], given);
  const operands = [operandOf(a, exprs[0]!), operandOf(b, exprs[1]!)];
  const [x, y] = aligned(vm, exprs);
  if (COMPARISONS.has(op)) {
    return tensor(
      vm,
      vm.shaped(() => binary(op, x!, y!)),
      library,
      "bool",
    );
  }
  if (x!.type === "bool" && y!.type === "bool") {
    if (op === "sub") {
      vm.fail(
        "TypeError",
        "boolean arrays cannot be subtracted",
        "Use ^ or logical_xor, or convert to float first.",
      );
    }
    const logical = ON_BOOLEANS[op] ?? (op === "and" || op === "or" ? op : undefined);
    if (logical !== undefined) {
      return tensor(
        vm,
        vm.shaped(() => binary(logical, x!, y!)),
        library,
        "bool",
      );
    }
  }
  if (op === "div") {
    const floats = operands.map((o) => ({
      ...o,
      type: "float" as const,
      dtype: o.weak ? null : floatResult(o.dtype, o.type, library),
    }));
    const e = vm.shaped(() => binary("div", x!, y!));
    const isReal = operands.some((o) => o.type === "float");
    // Beside a float, only NumPy asks how wide a float an integer would need.
    const dtype = promote(isReal && !followsNumpy(library) ? operands : floats, library);
    const fromIntegers = operands.every((o) => o.type !== "float");
    return rounded(vm, e, fromIntegers, library, dtype);
  }
  const dtype = promote(operands, library);
  noteWrapping(vm, op, dtype);
  return tensor(
    vm,
    vm.shaped(() => binary(op, x!, y!)),
    library,
    dtype,
  );
}

function isZero(v: Value): boolean {
  return v.kind === "number" && v.value === 0 && v.symbol === null;
}

/** A float made of integers in less than float64 is rounded there and then. */
function rounded(
  vm: Interpreter,
  e: Expr,
  fromIntegers: boolean,
  library: Library,
  dtype: DType | null,
  kernel?: TapeKernel,
): TensorValue {
  const narrow = fromIntegers && dtype !== null && dtype !== "float64";
  const value = narrow ? castTo(e, null, dtype) : e;
  return tensor(vm, value, library, dtype, kernel === undefined ? {} : { kernel });
}

function noteWrapping(vm: Interpreter, op: BinaryOp, dtype: DType | null): void {
  if (!canWrap(dtype) || !["add", "sub", "mul", "pow"].includes(op)) return;
  vm.recorder.assume(
    `line ${vm.at.line}: arithmetic in ${dtype} is taken not to overflow (as for masks of 0 and 1)`,
  );
}

/** A function of floats: integers become floats first. */
export function floatFunction(
  vm: Interpreter,
  op: UnaryOp,
  v: Value,
  otherwise: Library = "numpy",
  kernel?: TapeKernel,
): TensorValue {
  return entrywise(vm, [v], ([x]) => wholeFloatFunction(vm, op, x!, otherwise, kernel));
}

function wholeFloatFunction(
  vm: Interpreter,
  op: UnaryOp,
  v: Value,
  otherwise: Library,
  kernel: TapeKernel | undefined,
): TensorValue {
  const library = libraryOf([v], otherwise);
  const x = operandExpr(vm, v, library);
  const { dtype, type } = operandOf(v, x);
  requireFloat(vm, op, v);
  const e = vm.shaped(() => unary(op, x));
  return rounded(vm, e, type !== "float", library, floatResult(dtype, type, library), kernel);
}

/** A function that keeps the dtype: neg, abs, sign, relu, round, floor, ceil. */
export function keepingFunction(
  vm: Interpreter,
  op: UnaryOp,
  v: Value,
  otherwise: Library = "numpy",
): TensorValue {
  return entrywise(vm, [v], ([x]) => wholeKeepingFunction(vm, op, x!, otherwise));
}

function wholeKeepingFunction(
  vm: Interpreter,
  op: UnaryOp,
  v: Value,
  otherwise: Library,
): TensorValue {
  const library = libraryOf([v], otherwise);
  const x = operandExpr(vm, v, library);
  const { dtype } = operandOf(v, x);
  if (x.type === "bool") {
    if (op === "neg") {
      vm.fail("TypeError", "boolean arrays have no negative", "Use ~ or logical_not.");
    }
    return tensor(vm, x, library, dtype);
  }
  const already = x.type === "int" && (op === "round" || op === "floor" || op === "ceil");
  const e = op === "abs" && library === "jax" && x.type === "float" ? jaxAbs(x) : unary(op, x);
  return tensor(vm, already ? x : e, library, dtype);
}

/** JAX has |x| rise at 0, where the others give it the slope 0. */
function jaxAbs(x: Expr): Expr {
  const sign = signOf(x, new Map());
  return sign === "nonnegative" || sign === "positive"
    ? unary("abs", x)
    : where(binary("lt", x, ZERO), neg(x), x);
}

/** not, isnan, isfinite. */
export function truthFunction(
  vm: Interpreter,
  op: "not" | "isnan" | "isfinite",
  v: Value,
  otherwise: Library = "numpy",
): TensorValue {
  return entrywise(vm, [v], ([x]) => wholeTruthFunction(vm, op, x!, otherwise));
}

function wholeTruthFunction(
  vm: Interpreter,
  op: "not" | "isnan" | "isfinite",
  v: Value,
  otherwise: Library,
): TensorValue {
  const library = libraryOf([v], otherwise);
  const x = operandExpr(vm, v, library);
  if (op === "not") requireBool(vm, "LogicalNot", v);
  return tensor(vm, unary(op, op === "not" ? asBoolean(x) : x), library, "bool");
}

/** `x != 0` for what is not a truth value already. */
export function asBoolean(x: Expr): Expr {
  return x.type === "bool" ? x : castTo(x, null, "bool");
}

export function logical(
  vm: Interpreter,
  op: "and" | "or",
  a: Value,
  b: Value,
  otherwise: Library = "numpy",
): TensorValue {
  return entrywise(vm, [a, b], ([x, y]) => wholeLogical(vm, op, x!, y!, otherwise));
}

function wholeLogical(
  vm: Interpreter,
  op: "and" | "or",
  a: Value,
  b: Value,
  otherwise: Library,
): TensorValue {
  const library = libraryOf([a, b], otherwise);
  for (const v of [a, b]) requireBool(vm, `Logical${op === "and" ? "And" : "Or"}`, v);
  const exprs = [a, b].map((v) => asBoolean(operandExpr(vm, v, library)));
  const [x, y] = aligned(vm, exprs);
  return tensor(
    vm,
    vm.shaped(() => binary(op, x!, y!)),
    library,
    "bool",
  );
}

export function select(
  vm: Interpreter,
  condition: Value,
  a: Value,
  b: Value,
  otherwise: Library = "numpy",
): TensorValue {
  return entrywise(vm, [condition, a, b], ([c, x, y]) => wholeSelect(vm, c!, x!, y!, otherwise));
}

function wholeSelect(
  vm: Interpreter,
  condition: Value,
  a: Value,
  b: Value,
  otherwise: Library,
): TensorValue {
  const library = libraryOf([condition, a, b], otherwise);
  requireBool(vm, "SelectV2", condition);
  const choices = [a, b].map((v) => operandExpr(vm, v, library));
  const exprs = ofOneType(vm, "SelectV2", library, [a, b], choices);
  const dtype = promote([operandOf(a, exprs[0]!), operandOf(b, exprs[1]!)], library);
  const all = [operandExpr(vm, condition, library), ...exprs];
  const [c, x, y] = aligned(vm, all);
  return tensor(
    vm,
    vm.shaped(() => where(asBoolean(c!), x!, y!)),
    library,
    dtype,
  );
}

/** Limits `v`; `null` bounds are open. */
export function clampValue(
  vm: Interpreter,
  v: Value,
  low: Value | null,
  high: Value | null,
  otherwise: Library = "numpy",
): TensorValue {
  const given = [v, low, high].filter((x) => x !== null);
  return entrywise(vm, given, ([x, ...bounds]) =>
    wholeClamp(vm, x!, low && bounds[0]!, high && bounds.at(-1)!, otherwise),
  );
}

function wholeClamp(
  vm: Interpreter,
  v: Value,
  low: Value | null,
  high: Value | null,
  otherwise: Library,
): TensorValue {
  const given = [v, low, high].filter((x) => x !== null);
  const library = libraryOf(given, otherwise);
  const asGiven = given.map((x) => operandExpr(vm, x, library));
  const exprs = ofOneType(vm, "ClipByValue", library, given, asGiven);
  const dtype = promote(
    given.map((x, k) => operandOf(x, exprs[k]!)),
    library,
  );
  const operands = aligned(vm, exprs);
  const x = operands[0]!;
  const lo = low === null ? null : operands[1]!;
  const hi = high === null ? null : operands.at(-1)!;
  // An integer array limited by real bounds becomes real.
  const real = dtype === null || scalarType(dtype) === "float";
  const base = real && x.type !== "float" ? castTo(x, null, dtype ?? "float64") : x;
  return tensor(
    vm,
    // HIPS Autograd's clip has no slope on its bounds.
    vm.shaped(() => (library === "autograd" ? openClamp : clamp)(base, lo, hi)),
    library,
    dtype,
  );
}

/** The same values as clamp, of which those on the bounds get no gradient either. */
export function openClamp(x: Expr, low: Expr | null, high: Expr | null): Expr {
  const tests = [
    ...(low === null ? [] : [binary("gt", x, low)]),
    ...(high === null ? [] : [binary("lt", x, high)]),
  ];
  if (tests.length === 0) return x;
  const inside = tests.reduce((p, q) => binary("and", p, q));
  return where(inside, x, clamp(stopGradient(x), low, high));
}

/** Operands of one operation, brought to one shape as far as names go. @throws PythonError */
function aligned(vm: Interpreter, exprs: readonly Expr[]): Expr[] {
  const operands = vm.shaped(() => align(exprs));
  for (const [k, e] of operands.entries()) settle(vm, e, operands.slice(k + 1));
  return operands;
}

/** An input's axis of open size that meets a known one has that size; a trace may choose it. */
function settle(vm: Interpreter, e: Expr, others: readonly Expr[]): void {
  for (const other of others) {
    const shared = Math.min(e.shape.length, other.shape.length);
    for (let d = 1; d <= shared; d++) {
      const [x, y] = [e.shape.at(-d)!, other.shape.at(-d)!];
      if (isUnit(x) || isUnit(y)) continue;
      const [name, size] = settledBy(x, y) ?? settledBy(y, x) ?? ["", 0];
      if (!vm.inputAxes.some((a) => a.name === name && a.size === null)) continue;
      vm.unsupported(
        `the size of axis ${name} cannot be left open: here it can only be ${size}`,
        "Bind arrays to the function's parameters, or give their shapes.",
        new UnknownSizeError([name], size),
      );
    }
  }
}

/** Which axis within `x` gets a size by being as long as `y`: c of 3 by 3, c of chw by hw. */
function settledBy(x: Axis, y: Axis): readonly [name: string, size: number] | null {
  if (x.size !== null) return null;
  const open = openNames(x);
  if (y.size !== null) return open.length === 1 && x.parts.length <= 1 ? [open[0]!, y.size] : null;
  const others = openNames(y);
  const surplus = open.filter((name) => !others.includes(name));
  const isContained = open.length === others.length + surplus.length;
  const rest = [x, y].map((a) => leafAxes(a).reduce((n, p) => n * (p.size ?? 1), 1));
  return surplus.length === 1 && isContained && rest[0] === rest[1] ? [surplus[0]!, 1] : null;
}

const openNames = (a: Axis): string[] =>
  leafAxes(a).flatMap((p) => (p.size === null ? [p.name] : []));

/**
 * Operands whose broadcast shape has no name twice: where `x[:, None]` meets `x[None, :]`, both axes
 * would be called i, and a formula could not tell them apart.
 * @throws ShapeError
 */
export function align(exprs: readonly Expr[]): Expr[] {
  const shape = exprs.map((e) => e.shape).reduce(broadcast);
  const clashes = repeatedNames(shape);
  if (clashes.size === 0) return [...exprs];
  const used = [...shape];
  const names = new Map<number, string>();
  for (const d of clashes) {
    const name = freshLetter(used, ["j", "k"]);
    used.push({ ...shape[d]!, name });
    names.set(d, name);
  }
  return exprs.map((e) => {
    const offset = shape.length - e.shape.length;
    const renamed = e.shape.map((a, d): Axis => {
      const name = names.get(d + offset);
      if (name === undefined || isUnit(a)) return a;
      return { name, size: a.size, role: a.role, parts: [a] };
    });
    return sameShape(renamed, e.shape) ? e : reshape(e, renamed);
  });
}

/** Positions whose name has occurred further left. */
function repeatedNames(shape: readonly Axis[]): Set<number> {
  const seen = new Set<string>();
  const repeated = new Set<number>();
  shape.forEach((a, d) => {
    if (isUnit(a)) return;
    if (seen.has(a.name)) repeated.add(d);
    seen.add(a.name);
  });
  return repeated;
}
