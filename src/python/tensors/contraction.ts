/** Sums of products: einsum, matrix products, dot. */
import { type Axis, ShapeError, UNIT } from "../../expression/axis.ts";
import { index, mul, reduce, reshape, stack, transpose } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type Library, promote } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { TensorValue, Value } from "../values.ts";
import { align, elementwise } from "./elementwise.ts";
import { reduction } from "./reduce.ts";
import { ofOneType } from "./strictTypes.ts";
import { asTensor, libraryOf, operandOf, rankOf, tensor } from "./tensor.ts";

/** `einsum("bchw,bchw->bc", p, g)`; without `->`, letters that occur once stay, in order. */
export function einsum(
  vm: Interpreter,
  subscripts: string,
  operands: readonly Value[],
  otherwise: Library,
): TensorValue {
  const [left, right] = subscripts.replaceAll(" ", "").split("->");
  const terms = left!.split(",");
  const library = libraryOf(operands, otherwise);
  const tensors = operands.map((v) => asTensor(vm, v, library));
  if (terms.length !== tensors.length) {
    vm.fail("ValueError", `einsum: ${terms.length} subscripts for ${tensors.length} operands`);
  }
  const picked = tensors.some((t) => t.selection !== null)
    ? entrywiseProduct(vm, terms, right, tensors)
    : null;
  if (picked !== null) return picked;
  const given = tensors.map((t) => t.expr);
  const exprs = ofOneType(vm, "Einsum", library, tensors, given);
  const parts = terms.map((t, k) => {
    const own = tensors[k]!;
    const typed = exprs[k] === own.expr ? own : tensor(vm, exprs[k]!, library, own.dtype);
    return withoutRepeats(vm, typed, expandEllipsis(vm, t, own));
  });
  const expanded = parts.map((p) => p.letters);
  const all = expanded.flat();
  const ellipsis = [...new Set(all.filter((l) => l.startsWith(".")))].sort();
  const output = right === undefined ? implicitOutput(all) : outputLetters(right, ellipsis);
  for (const letter of output) {
    if (!all.includes(letter))
      vm.fail("ValueError", `einsum: '${letter}' of the output is in no operand`);
  }
  const letters = [...output, ...[...new Set(all)].filter((l) => !output.includes(l))];
  const e = vm.shaped(() => {
    const spread = expanded.map((own, k) => spreadOver(parts[k]!.x.expr, own, letters));
    const product = align(spread).reduce((a, b) => multiply(a, b));
    const summed = letters.map((_, d) => d).slice(output.length);
    return summed.length === 0 ? product : reduce("sum", product, summed);
  });
  const dtype = promote(
    tensors.map((t) => operandOf(t, t.expr)),
    library,
  );
  return tensor(vm, e, library, dtype);
}

/** Where all operands have the same axes, which is how picked entries can be; null where not. */
function entrywiseProduct(
  vm: Interpreter,
  terms: readonly string[],
  output: string | undefined,
  tensors: readonly TensorValue[],
): TensorValue | null {
  const letters = Array.from(terms[0]!);
  const kept = letters.filter((l) => output?.includes(l) === true);
  const isEntrywise =
    terms.every((t) => t === terms[0]) &&
    new Set(letters).size === letters.length &&
    letters.every((l) => /[A-Za-z]/.test(l)) &&
    kept.join("") === output &&
    tensors.every((t) => rankOf(t) === letters.length);
  if (!isEntrywise) return null;
  const product = tensors.reduce((a, b) => elementwise(vm, "mul", a, b));
  const summed = letters.flatMap((l, d) => (kept.includes(l) ? [] : [d]));
  return summed.length === 0 ? product : reduction(vm, "sum", product, summed, false);
}

function multiply(a: Expr, b: Expr): Expr {
  const [x, y] = align([a, b]);
  return mul(x!, y!);
}

/** The letters of one operand; `...` becomes numbered pseudo-letters, aligned from the right. */
function expandEllipsis(vm: Interpreter, term: string, x: TensorValue): string[] {
  const rank = x.expr.shape.length;
  const [before, after, ...more] = term.split("...");
  if (more.length > 0) vm.fail("ValueError", "einsum: more than one ellipsis in an operand");
  const named = Array.from(before! + (after ?? ""));
  if (!named.every((l) => /[A-Za-z]/.test(l)))
    vm.fail("ValueError", `einsum: invalid subscripts "${term}"`);
  const free = after === undefined ? 0 : rank - named.length;
  if (free < 0 || (after === undefined && named.length !== rank)) {
    vm.fail("ValueError", `einsum: subscripts "${term}" do not fit an array with ${rank} axes`);
  }
  const dots = Array.from({ length: free }, (_, k) => `.${String(free - k).padStart(2, "0")}`);
  const letters = [...Array.from(before!), ...dots, ...Array.from(after ?? "")];
  return letters;
}

/** A letter twice in one operand takes the diagonal of its axes. */
function withoutRepeats(vm: Interpreter, x: TensorValue, letters: readonly string[]): Operand {
  const again = letters.findIndex((l, k) => letters.indexOf(l) < k);
  if (again < 0) return { x, letters };
  const first = letters.indexOf(letters[again]!);
  const rest = letters.filter((_, k) => k !== first && k !== again);
  return withoutRepeats(vm, diagonalOf(vm, x, first, again), [...rest, letters[again]!]);
}

interface Operand {
  readonly x: TensorValue;
  readonly letters: readonly string[];
}

/** Entries whose positions in two axes are equal; the common axis comes last. */
export function diagonalOf(
  vm: Interpreter,
  x: TensorValue,
  dim1: number,
  dim2: number,
): TensorValue {
  const { shape } = x.expr;
  const [n, m] = [shape[dim1]?.size ?? null, shape[dim2]?.size ?? null];
  if (n === null || m === null || n !== m) {
    return vm.unsupported("a diagonal is supported only of two axes of one known size");
  }
  const e = vm.shaped(() => {
    const rest = shape.flatMap((_, d) => (d === dim1 || d === dim2 ? [] : [d]));
    const last = transpose(x.expr, [...rest, dim1, dim2]);
    const parts = Array.from({ length: n }, (_, k) =>
      index(index(last, rest.length, k), rest.length, k),
    );
    return stack(parts, rest.length, shape[dim1]);
  });
  return tensor(vm, e, x.library, x.dtype);
}

function outputLetters(right: string, ellipsis: readonly string[]): string[] {
  // Pseudo-letters count from the right, so the leftmost has the highest number.
  const dots = [...ellipsis].reverse();
  const [before, after] = right.split("...");
  return after === undefined
    ? Array.from(before!)
    : [...Array.from(before!), ...dots, ...Array.from(after)];
}

function implicitOutput(all: readonly string[]): string[] {
  const dots = [...new Set(all.filter((l) => l.startsWith(".")))].sort().reverse();
  const once = all.filter((l) => !l.startsWith(".") && all.indexOf(l) === all.lastIndexOf(l));
  return [...dots, ...once.sort()];
}

/** The operand with its axes in the order of `letters`, size 1 where it has none. */
function spreadOver(e: Expr, own: readonly string[], letters: readonly string[]): Expr {
  const order = letters.filter((l) => own.includes(l)).map((l) => own.indexOf(l));
  const ordered = order.every((d, k) => d === k) ? e : transpose(e, order);
  if (own.length === letters.length) return ordered;
  let next = 0;
  const shape = letters.map((l): Axis => (own.includes(l) ? ordered.shape[next++]! : UNIT));
  return reshape(ordered, shape);
}

/** `a @ b` with the rules of matmul: vectors, matrices, and leading axes that broadcast. */
export function matmul(vm: Interpreter, a: Value, b: Value, otherwise: Library): TensorValue {
  const library = libraryOf([a, b], otherwise);
  const x = asTensor(vm, a, library);
  const y = asTensor(vm, b, library);
  const m = rankOf(x);
  const n = rankOf(y);
  if (m === 0 || n === 0) vm.fail("ValueError", "matmul: an operand has no axes");
  if (m === 1 && n === 1) return dot(vm, x, y, library);
  const left = m === 1 ? "k" : "...ik";
  const right = n === 1 ? "k" : "...kj";
  const out = `...${m === 1 ? "" : "i"}${n === 1 ? "" : "j"}`;
  checkInner(vm, x.expr.shape.at(-1)!, n === 1 ? y.expr.shape[0]! : y.expr.shape.at(-2)!);
  return einsum(vm, `${left},${right}->${out}`, [x, y], library);
}

/** Two vectors of one length. */
export function dot(
  vm: Interpreter,
  x: TensorValue,
  y: TensorValue,
  library: Library,
): TensorValue {
  if (x.selection !== null || y.selection !== null) {
    return reduction(vm, "sum", elementwise(vm, "mul", x, y), null, false);
  }
  const a = x.expr.shape[0];
  const b = y.expr.shape[0];
  if (a === undefined || b === undefined)
    return vm.fail("ValueError", "dot: an operand has no axes");
  checkInner(vm, a, b);
  const [left, right] = ofOneType(vm, "MatMul", library, [x, y], [x.expr, y.expr]);
  const e = vm.shaped(() => reduce("sum", mul(left!, right!), null));
  const dtype = promote([operandOf(x, x.expr), operandOf(y, y.expr)], library);
  return tensor(vm, e, library, dtype);
}

/** A product never broadcasts its inner axis. */
function checkInner(vm: Interpreter, a: Axis, b: Axis): void {
  if (a.size === null || b.size === null || a.size === b.size) return;
  const cause = new ShapeError(`inner sizes differ: ${a.size} against ${b.size}`);
  vm.fail("ValueError", `these cannot be multiplied: ${cause.message}`, null, cause);
}
