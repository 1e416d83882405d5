/**
 * `x[mask]`: entries that a boolean array picks. How many there are depends on values, so that no
 * expression has their shape. What sums over them is a sum over all, in which the others count
 * nothing; what works entry by entry works on all.
 */
import { type Axis, UNIT, broadcast, fitsShape, formatShape } from "../../expression/axis.ts";
import { binary, expand, reshape } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import type { DType, Library } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { numberBinary } from "../interpreter/numbers.ts";
import type { NumberValue, Selection, TensorValue, Value } from "../values.ts";
import { countNumber, pickedCount, tensor } from "./tensor.ts";

class Picked implements TensorValue {
  readonly kind = "tensor" as const;
  readonly identity = false;
  readonly contiguous = true;
  readonly selection: Selection;
  private readonly vm: Interpreter;

  constructor(vm: Interpreter, selection: Selection) {
    this.vm = vm;
    this.selection = selection;
  }

  get library(): Library {
    return this.selection.all.library;
  }
  get dtype(): DType | null {
    return this.selection.all.dtype;
  }
  get expr(): never {
    return notPossible(this.vm);
  }
  assign(vm: Interpreter, changed: Expr): void {
    this.selection.all.assign(vm, changed);
  }
}

export function notPossible(vm: Interpreter): never {
  return vm.unsupported(
    "entries that a boolean array picks make an array whose size depends on its values; they can be " +
      "summed, averaged and worked on entry by entry, and this is something else",
    "Keep the array whole and multiply by the mask before summing: (x * mask).sum().",
  );
}

/** The same entries of another array, or in another place. */
export function pickedFrom(vm: Interpreter, selection: Selection): TensorValue {
  return new Picked(vm, selection);
}

/** `x[mask]`, or `x[:, mask]` with the mask's first axis at position `at` of x. */
export function pick(vm: Interpreter, x: TensorValue, mask: Expr, at: number): TensorValue {
  const covered = x.expr.shape.slice(at, at + mask.shape.length);
  if (!fitsShape(covered, mask.shape)) {
    vm.fail(
      "IndexError",
      `the shape of the mask ${formatShape(mask.shape)} does not match the shape of the indexed ` +
        `array ${formatShape(x.expr.shape)}`,
    );
  }
  // The result is a copy: what happens to x later does not reach it.
  const all = tensor(vm, x.expr, x.library, x.dtype);
  return new Picked(vm, { mask, at, all });
}

/** `masked_select(x, mask)`: both broadcast, and the result has one axis. */
export function pickBroadcast(vm: Interpreter, x: TensorValue, mask: Expr): TensorValue {
  const shape = vm.shaped(() => broadcast(x.expr.shape, mask.shape));
  const stretched = (e: Expr): Expr =>
    e.shape.length === shape.length && fitsShape(e.shape, shape) ? e : expand(e, shape);
  const all = tensor(vm, stretched(x.expr), x.library, x.dtype);
  return pick(vm, all, stretched(mask), 0);
}

/** The mask with the axes that follow it, of size 1, so that it broadcasts against all entries. */
export function alongside(s: Selection): Expr {
  const trailing = s.all.expr.shape.length - s.at - s.mask.shape.length;
  if (trailing === 0) return s.mask;
  const units = Array.from({ length: trailing }, (): Axis => UNIT);
  return reshape(s.mask, [...s.mask.shape, ...units]);
}

function trailingRank(s: Selection): number {
  return s.all.expr.shape.length - s.at - s.mask.shape.length;
}

/**
 * An operation that works entry by entry: where picked entries are among the operands, it works on
 * all of them, and its result is picked in the same way.
 */
export function entrywise(
  vm: Interpreter,
  operands: readonly Value[],
  make: (operands: readonly Value[]) => TensorValue,
): TensorValue {
  const tensors = operands.filter((v) => v.kind === "tensor");
  const first = tensors.find((t) => t.selection !== null)?.selection;
  if (first === null || first === undefined) return make(operands);
  for (const t of tensors) {
    const s = t.selection;
    if (s === null ? t.expr.shape.length <= trailingRank(first) : sameSelection(vm, s, first))
      continue;
    vm.unsupported(
      s === null
        ? "entries that a boolean array picks meet a whole array"
        : "entries that two different conditions pick meet entry by entry",
      "Pick both with one mask that is computed once, or multiply by masks instead.",
    );
  }
  const whole = operands.map((v) => (v.kind === "tensor" ? (v.selection?.all ?? v) : v));
  return new Picked(vm, { ...first, all: make(whole) });
}

function sameSelection(vm: Interpreter, a: Selection, b: Selection): boolean {
  return sameMask(vm, a.mask, b.mask) && a.at === b.at && trailingRank(a) === trailingRank(b);
}

/** Whether two masks are the same function of the inputs, be they nodes of their own on a tape. */
function sameMask(vm: Interpreter, a: Expr, b: Expr): boolean {
  return a === b || vm.recorder.spelledOut(a) === vm.recorder.spelledOut(b);
}

/** All picked entries along one axis. */
export function flattenPicked(vm: Interpreter, t: TensorValue): TensorValue {
  const s = t.selection!;
  const { shape } = s.all.expr;
  if (rankAlone(s)) return t;
  const mask = vm.shaped(() => expand(alongside(s), shape));
  return new Picked(vm, { mask, at: 0, all: s.all });
}

/** Nothing but the picked axis. */
function rankAlone(s: Selection): boolean {
  return s.all.expr.shape.length === s.mask.shape.length;
}

/** The number of entries, all axes together. */
export function entryCount(vm: Interpreter, t: TensorValue): NumberValue {
  const s = t.selection;
  if (s === null) return countNumber(t.expr.shape);
  const rest = s.all.expr.shape.filter((_, d) => d < s.at || d >= s.at + s.mask.shape.length);
  const count = pickedCount(s.mask);
  return rest.length === 0 ? count : numberBinary(vm, "*", count, countNumber(rest));
}

/** Of picked entries, those that another mask (picked alike) picks again. */
export function pickAgain(vm: Interpreter, s: Selection, key: TensorValue): TensorValue {
  const k = key.selection!;
  if (!sameMask(vm, k.mask, s.mask) || k.at !== s.at || !rankAlone(k)) {
    return vm.unsupported("entries that two different conditions pick meet entry by entry");
  }
  return new Picked(vm, { ...s, mask: vm.shaped(() => binary("and", s.mask, k.all.expr)) });
}
