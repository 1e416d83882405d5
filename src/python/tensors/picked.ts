/**
 * `x[mask]`: entries that a boolean array picks. How many there are depends on values, so that no
 * expression has their shape. What sums over them is a sum over all, in which the others count
 * nothing; what works entry by entry works on all.
 */
import {
  type Axis,
  UNIT,
  broadcast,
  fitsShape,
  formatShape,
  normalizeDim,
} from "../../expression/axis.ts";
import { binary, constant, expand, reshape, where } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import type { DType, Library } from "../dtypes.ts";
import { type Interpreter, UnknownValueError } from "../interpreter/interpreter.ts";
import { numberBinary } from "../interpreter/numbers.ts";
import type { NumberValue, Selection, TensorValue, Value } from "../values.ts";
import { asBoolean } from "./elementwise.ts";
import { selectPositions } from "./gather.ts";
import { entriesIfKnown } from "./knownEntries.ts";
import { flattenRange } from "./reshape.ts";
import { entrywiseInOrder, flattenOrdered, inOrder, orderWithin } from "./ordered.ts";
import { countNumber, pickedAxes, pickedCount, rankOf, tensor } from "./tensor.ts";

class Picked implements TensorValue {
  readonly kind = "tensor" as const;
  readonly identity = false;
  readonly contiguous = true;
  readonly library: Library;
  readonly dtype: DType | null;
  readonly born: number;
  private readonly vm: Interpreter;
  /** Null once entries were changed: it is an array of its own then. */
  private picks: Selection | null;
  /** The entries as an array of their own, and what they were picked from then. */
  private own: { readonly from: Expr | null; readonly expr: Expr } | null = null;

  constructor(vm: Interpreter, selection: Selection) {
    this.vm = vm;
    this.picks = selection;
    this.born = vm.epoch;
    this.library = selection.all.library;
    this.dtype = selection.all.dtype;
  }

  get selection(): Selection | null {
    return this.picks;
  }
  get expr(): Expr {
    const { picks } = this;
    if (picks !== null && this.own?.from !== picks.all.expr) {
      this.own = { from: picks.all.expr, expr: settled(this.vm, picks) };
    }
    return this.own!.expr;
  }
  assign(vm: Interpreter, changed: Expr): void {
    const { picks } = this;
    if (picks?.order === null && fitsShape(picks.all.expr.shape, changed.shape)) {
      picks.all.assign(vm, changed);
      return;
    }
    vm.remember(this, () => {
      const before = { picks: this.picks, own: this.own };
      return () => ({ picks: this.picks, own: this.own } = before);
    });
    // What shares its memory is told: it cannot know which of its own entries those are.
    picks?.all.assign(
      vm,
      vm.shaped(() => expand(constant(NaN), picks.all.expr.shape)),
    );
    this.picks = null;
    this.own = { from: null, expr: changed };
  }
}

/**
 * The picked entries as an array of their own. Which ones they are depends on values, that must be
 * known for it.
 */
function settled(vm: Interpreter, s: Selection): Expr {
  if (s.order !== null) return inOrder(vm, s, s.order);
  const { mask, at, all } = s;
  const held = entriesIfKnown(vm, mask, "a boolean array picks entries");
  if (held === null) {
    return vm.unsupported(
      "entries that a boolean array picks make an array whose size depends on its values; they can be " +
        "summed, averaged and worked on entry by entry, and this is something else",
      "Give arrays: then it is known which entries are picked. Or keep the array whole and multiply " +
        "by the mask before summing: (x * mask).sum().",
      new UnknownValueError("a mask"),
    );
  }
  const positions = Array.from(held.data).flatMap((v, k) => (v === 0 ? [] : [k]));
  const flat = flattenRange(vm, all, at, at + mask.shape.length - 1);
  return selectPositions(vm, flat, at, positions).expr;
}

/** The same as a plain array. @throws PythonError where it is not known which entries are picked */
export function asWhole(vm: Interpreter, t: TensorValue): TensorValue {
  return t.selection === null ? t : tensor(vm, t.expr, t.library, t.dtype);
}

/** The same entries in memory of their own. */
export function copyOf(vm: Interpreter, t: TensorValue): TensorValue {
  const s = t.selection;
  if (s === null) return tensor(vm, t.expr, t.library, t.dtype);
  return pickedFrom(vm, { ...s, all: copyOf(vm, s.all) });
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
  return new Picked(vm, { mask, at, all, order: null });
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

export function trailingRank(s: Selection): number {
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
  const isOrdered = tensors.some((t) => t.selection !== null && t.selection.order !== null);
  if (isOrdered) return entrywiseInOrder(vm, operands, make);
  for (const t of tensors) {
    if (fits(vm, t, first)) continue;
    const s = t.selection;
    if (isSettled(vm, tensors)) {
      return make(operands.map((v) => (v.kind === "tensor" ? asWhole(vm, v) : v)));
    }
    vm.unsupported(
      s === null
        ? "entries that a boolean array picks meet a whole array"
        : "entries that two different conditions pick meet entry by entry",
      "Give arrays, pick both with one mask that is computed once, or multiply by masks instead.",
      new UnknownValueError("a mask"),
    );
  }
  const whole = operands.map((v) => (v.kind === "tensor" ? (v.selection?.all ?? v) : v));
  return new Picked(vm, { ...first, all: make(whole) });
}

/** Whether an operand meets picked entries one by one, or is the same for all of them. */
export function fits(vm: Interpreter, t: TensorValue, s: Selection): boolean {
  return t.selection === null
    ? t.expr.shape.length <= trailingRank(s)
    : sameSelection(vm, t.selection, s);
}

/** Picked entries as functions see them that leave the picked axis alone, as a softmax over classes. */
export interface Rows {
  /** The arrays from which they are picked, those that are not included. */
  readonly all: readonly TensorValue[];
  /** The axes there that the picked one stands for: the first, and how many. */
  readonly at: number;
  readonly span: number;
  /** Where another axis of the picked entries stands there. */
  readonly place: (dim: number) => number;
  /** What becomes of all, picked in the same way; the axes may stand elsewhere now. */
  readonly picked: (all: TensorValue, at?: number) => TensorValue;
}

/**
 * Null where nothing is picked, or by several masks, or where `dims` name the picked axis: then it
 * must be known which entries are there.
 */
export function rowsOf(
  vm: Interpreter,
  operands: readonly TensorValue[],
  dims: readonly number[],
): Rows | null {
  const selections = operands.flatMap((t) => t.selection ?? []);
  const first = selections[0];
  if (first === undefined || selections.length < operands.length) return null;
  const { at, mask, order } = first;
  if (order !== null && order.along !== null) return null;
  if (!selections.every((s) => s.at === at && isAlike(vm, s, first))) return null;
  const span = mask.shape.length;
  const normal = (d: number): number => normalizeDim(d, rankOf(operands[0]!));
  if (vm.shaped(() => dims.map(normal)).includes(at)) return null;
  return {
    all: selections.map((s) => s.all),
    at,
    span,
    place: (dim) => {
      const d = normal(dim);
      return d < at ? d : d + span - 1;
    },
    picked: (all, moved = at) => new Picked(vm, { mask, at: moved, all, order }),
  };
}

/** All from which entries are picked, with 0 for those that are not: positions that exist. */
export function zeroElsewhere(vm: Interpreter, t: TensorValue): TensorValue {
  const s = t.selection;
  if (s === null) return t;
  const { all } = s;
  return tensor(vm, filledWith(vm, s, constant(0, all.expr.type)), all.library, all.dtype);
}

/** Whether a mask is one that the program makes to pick everything. */
export function isAll(mask: Expr): boolean {
  return mask.kind === "expand" && mask.args[0]!.kind === "const" && mask.args[0].value !== 0;
}

/** All from which entries are picked, with `filler` for those that are not. */
export function filledWith(vm: Interpreter, s: Selection, filler: Expr): Expr {
  const { expr } = s.all;
  return isAll(s.mask) ? expr : vm.shaped(() => where(alongside(s), expr, filler));
}

/** Whether it is known which entries each of them is made of. */
function isSettled(vm: Interpreter, tensors: readonly TensorValue[]): boolean {
  return tensors.every((t) => t.selection === null || vm.evaluate(t.selection.mask) !== null);
}

export function sameSelection(vm: Interpreter, a: Selection, b: Selection): boolean {
  return a.at === b.at && isAlike(vm, a, b) && trailingRank(a) === trailingRank(b);
}

/** The same entries in the same order. */
function isAlike(vm: Interpreter, a: Selection, b: Selection): boolean {
  return a.order === b.order && sameMask(vm, a.mask, b.mask);
}

/** Whether two masks are the same function of the inputs, be they nodes of their own on a tape. */
export function sameMask(vm: Interpreter, a: Expr, b: Expr): boolean {
  return a === b || vm.recorder.spelledOut(a) === vm.recorder.spelledOut(b);
}

/** All picked entries along one axis. */
export function flattenPicked(vm: Interpreter, t: TensorValue): TensorValue {
  const s = t.selection!;
  const { shape } = s.all.expr;
  if (s.order !== null) return flattenOrdered(vm, s, s.order);
  if (rankAlone(s)) return t;
  const mask = vm.shaped(() => expand(alongside(s), shape));
  return new Picked(vm, { mask, at: 0, all: s.all, order: null });
}

/** Nothing but the picked axis. */
export function rankAlone(s: Selection): boolean {
  return s.all.expr.shape.length === s.mask.shape.length;
}

/** The number of entries, all axes together. */
export function entryCount(vm: Interpreter, t: TensorValue): NumberValue {
  const s = t.selection;
  if (s === null) return countNumber(t.expr.shape);
  const { at, span } = pickedAxes(s);
  const rest = s.all.expr.shape.filter((_, d) => d < at || d >= at + span);
  const count = pickedCount(s);
  return rest.length === 0 ? count : numberBinary(vm, "*", count, countNumber(rest));
}

/** Of picked entries, those that another mask (picked alike) picks again. */
export function pickAgain(vm: Interpreter, s: Selection, key: TensorValue): TensorValue {
  const k = key.selection!;
  if (!isAlike(vm, k, s) || k.at !== s.at || !rankAlone(k)) {
    return pick(vm, asWhole(vm, pickedFrom(vm, s)), asWhole(vm, key).expr, 0);
  }
  const again = asBoolean(k.all.expr);
  const mask = isAll(s.mask) ? again : vm.shaped(() => binary("and", s.mask, again));
  const order = s.order === null ? null : orderWithin(vm, s.order, mask);
  return new Picked(vm, { ...s, all: copyOf(vm, s.all), mask, order });
}
