/** Subscripts of arrays: reading `x[…]`. */
import { type Axis, type Shape, UNIT, fitsShape } from "../../expression/axis.ts";
import {
  constant,
  expand,
  index,
  oneHot,
  place,
  reshape,
  slice,
  spread,
  stack,
  where,
} from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import type { Found } from "../interpreter/arrays.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { knownInteger } from "../interpreter/known.ts";
import {
  ELLIPSIS,
  NONE,
  type Selection,
  type TensorValue,
  type Value,
  int,
  tuple,
  typeName,
} from "../values.ts";
import { asBoolean } from "./elementwise.ts";
import { takePlaces } from "./knownSorting.ts";
import { type Ordered, isOrdered, rowOf, selectRanks } from "./ordered.ts";
import { dropAxes } from "./reshape.ts";
import { sliceIndices } from "../interpreter/subscripts.ts";
import { indexBy, requireEntry, selectPositions, unknownSize } from "./gather.ts";
import {
  asWhole,
  pick,
  pickAgain,
  pickedFrom,
  rankAlone,
  rowsOf,
  zeroElsewhere,
} from "./picked.ts";
import {
  asTensor,
  axisOfSize,
  castTo,
  itemsOf,
  nodeOf,
  pickedAxes,
  tensor,
  viewOf,
} from "./tensor.ts";

/** One step of a basic subscript, at a position of the array as the steps before left it. */
type Step =
  | { readonly kind: "index"; readonly dim: number; readonly at: number }
  | {
      readonly kind: "slice";
      readonly dim: number;
      readonly start: number | null;
      readonly stop: number | null;
      readonly step: number;
    }
  | { readonly kind: "new"; readonly dim: number };

export function indexTensor(vm: Interpreter, x: TensorValue, key: Value): TensorValue {
  const items = subscriptsOf(vm, x, key);
  if (x.selection !== null) return indexPicked(vm, x.selection, items);
  const special = items.findIndex(isAdvanced);
  if (special >= 0) return advanced(vm, x, items, special);
  const steps = stepsOf(vm, x.expr.shape, items);
  const read = (e: Expr): Expr => steps.reduce(take, e);
  const write = (base: Expr, changed: Expr): Expr => putBack(base, steps, changed);
  const partial = steps.some((s) => s.kind !== "new");
  return viewOf(vm, x, read, write, x.contiguous && !partial);
}

/** TensorFlow reads a list as several subscripts, as if it were a tuple; PyTorch, one of arrays. */
export function subscriptsOf(vm: Interpreter, x: TensorValue, key: Value): readonly Value[] {
  if (key.kind === "list" && x.library === "torch" && key.items.some(isAdvanced)) return key.items;
  if (x.library !== "tensorflow") return key.kind === "tuple" ? key.items : [key];
  if (key.kind === "tuple") return key.items.map((v) => knownPosition(vm, v));
  if (key.kind === "tensor" && key.expr.type === "int" && key.expr.shape.length > 0) {
    return vm.unsupported(
      "a subscript that is an array of integers is not supported in TensorFlow",
      "Use tf.gather(x, indices, axis=0).",
    );
  }
  return key.kind === "list" ? key.items : [knownPosition(vm, key)];
}

/** `x[..., i]` with the i of `for i in tf.range(n)`: a tensor of one known integer. */
function knownPosition(vm: Interpreter, v: Value): Value {
  const scalar = v.kind === "tensor" && v.expr.shape.length === 0 && v.expr.type === "int";
  return scalar ? int(knownInteger(vm, v, "this subscript")) : v;
}

/** `x[mask][:, c]`, `x[mask][again]`. */
function indexPicked(vm: Interpreter, s: Selection, items: readonly Value[]): TensorValue {
  const [first, ...rest] = items;
  if (first?.kind === "tensor" && first.selection !== null && rest.length === 0) {
    if (isMask(first)) return pickAgain(vm, s, first);
    const taken = takePlaces(vm, pickedFrom(vm, s), first, 0, false);
    if (taken !== null) return taken;
  }
  const ranked = isOrdered(s) ? indexOrdered(vm, s, items) : null;
  if (ranked !== null) return ranked;
  const whole = (v: Value | undefined): boolean => v?.kind === "slice" && isFullSlice(v);
  if (items.slice(0, s.at + 1).every(whole) && items.length > s.at && !items.some(isAdvanced)) {
    const full = s.mask.shape.map(() => items[s.at]!);
    const key = tuple([...items.slice(0, s.at), ...full, ...items.slice(s.at + 1)]);
    return pickedFrom(vm, { ...s, all: indexTensor(vm, s.all, key) });
  }
  return indexTensor(vm, asWhole(vm, pickedFrom(vm, s)), tuple(items));
}

/** `x[:k]`, `x[k]`, `x[::-1]` of sorted entries, `x[b]` of rows of them; null for other subscripts. */
function indexOrdered(vm: Interpreter, s: Ordered, items: readonly Value[]): TensorValue | null {
  const { order, all, mask } = s;
  const rank = all.expr.shape.length - (order.along === null ? mask.shape.length - 1 : 0);
  const { at } = pickedAxes(s);
  const whole: Value = { kind: "slice", start: NONE, stop: NONE, step: NONE };
  const wide = items.flatMap((v) =>
    v.kind === "ellipsis" ? Array.from({ length: rank - items.length + 1 }, () => whole) : [v],
  );
  const isWhole = (v: Value): boolean => v.kind === "slice" && isFullSlice(v);
  const [first] = wide;
  if (order.along === 1 && rankAlone(s) && rank === 2 && first?.kind === "number") {
    const row = rowOf(vm, s, knownInteger(vm, first, "this subscript"));
    return wide.length === 1 ? row : indexTensor(vm, row, tuple(wide.slice(1)));
  }
  const key = wide[at];
  if (key === undefined || !wide.every((v, d) => d === at || isWhole(v))) return null;
  if (key.kind === "slice") {
    return sharing(vm, s, selectRanks(vm, s, sliceIndices(vm, key, order.count)));
  }
  const isScalar = key.kind === "tensor" && key.selection === null && key.expr.shape.length === 0;
  if (key.kind !== "number" && !(isScalar && !isMask(key))) return null;
  const rankAsked = knownInteger(vm, key, "this subscript");
  if (rankAsked >= order.count || rankAsked < -order.count) {
    vm.fail(
      "IndexError",
      `index ${rankAsked} is out of bounds for an axis with size ${order.count}`,
    );
  }
  return dropAxes(vm, selectRanks(vm, s, [rankAsked]), [at]);
}

/** Entries that share the memory of sorted ones: an error where either are changed in place. */
function sharing(vm: Interpreter, base: Ordered, part: TensorValue): TensorValue {
  if (part.selection === null) return viewOf(vm, base.all, () => part.expr, null, false);
  const all = viewOf(vm, base.all, (e) => e, null, base.all.contiguous);
  return pickedFrom(vm, { ...part.selection, all });
}

export function take(e: Expr, s: Step): Expr {
  if (s.kind === "index") return index(e, s.dim, s.at);
  if (s.kind === "slice") return slice(e, s.dim, s.start, s.stop, s.step);
  return reshape(e, [...e.shape.slice(0, s.dim), UNIT, ...e.shape.slice(s.dim)]);
}

/** `base` with the entries that the steps pick replaced by `changed`. */
export function putBack(base: Expr, steps: readonly Step[], changed: Expr): Expr {
  const stages = [base];
  for (const s of steps) stages.push(take(stages.at(-1)!, s));
  const target = stages.at(-1)!.shape;
  const ones = target.length === 0 ? constant(1, "bool") : expand(constant(1, "bool"), target);
  const restore = (e: Expr): Expr =>
    steps.reduceRight((inner, s, k) => putStep(inner, s, stages[k]!.shape, stages[k + 1]!), e);
  return steps.every((s) => s.kind === "new")
    ? restore(changed)
    : where(restore(ones), restore(changed), base);
}

function putStep(e: Expr, s: Step, shape: Shape, taken: Expr): Expr {
  if (s.kind === "index") {
    const n = shape[s.dim]!.size;
    return place(e, s.dim, s.at < 0 && n !== null ? s.at + n : s.at, shape[s.dim]!);
  }
  if (s.kind === "new") return reshape(e, shape);
  if (taken.kind !== "slice") return e; // it took everything
  return spread(e, s.dim, taken.start, taken.step, shape[s.dim]!);
}

export function isAdvanced(v: Value): boolean {
  return v.kind === "tensor" || v.kind === "list" || v.kind === "range" || v.kind === "tuple";
}

export function stepsOf(vm: Interpreter, shape: Shape, items: readonly Value[]): Step[] {
  const used = items.filter((v) => v.kind !== "none" && v.kind !== "ellipsis").length;
  if (used > shape.length) {
    vm.fail(
      "IndexError",
      `too many indices for array: array is ${shape.length}-dimensional, but ${used} were indexed`,
    );
  }
  if (items.filter((v) => v.kind === "ellipsis").length > 1) {
    vm.fail("IndexError", "an index can only have a single ellipsis ('...')");
  }
  const steps: Step[] = [];
  let dim = 0;
  let source = 0;
  for (const v of items) {
    if (v.kind === "ellipsis") {
      dim += shape.length - used;
      source += shape.length - used;
    } else if (v.kind === "none") {
      steps.push({ kind: "new", dim: dim++ });
    } else if (v.kind === "slice") {
      const s = sliceStep(vm, v, dim++, shape[source++]!);
      if (s !== null) steps.push(s);
    } else {
      steps.push({ kind: "index", dim, at: position(vm, v, shape[source++]!) });
    }
  }
  return steps;
}

function position(vm: Interpreter, v: Value, along: Axis): number {
  if (v.kind !== "number" || v.type !== "int") {
    return vm.fail(
      "IndexError",
      "only integers, slices (`:`), ellipsis (`...`), None and arrays are valid indices, " +
        `not '${typeName(v)}'`,
    );
  }
  const at = knownInteger(vm, v, "this subscript");
  requireEntry(vm, at, along);
  return at;
}

/** `null` for a slice that takes everything. */
function sliceStep(
  vm: Interpreter,
  v: Value & { readonly kind: "slice" },
  dim: number,
  along: Axis,
): Step | null {
  const bound = (b: Value): number | null => {
    if (b.kind === "none") return null;
    if (b.kind !== "number" || b.type === "float") {
      return vm.fail("TypeError", "slice indices must be integers or None");
    }
    // x[:n] with n the size of that very axis takes everything.
    if (b.value === null && b.axes?.length === 1 && b.axes[0]!.name === along.name) return null;
    return knownInteger(vm, b, "this slice");
  };
  const start = bound(v.start);
  const stop = bound(v.stop);
  const step = bound(v.step) ?? 1;
  if ((start === null || start === 0) && stop === null && step === 1) return null;
  if (step <= 0) {
    vm.unsupported(
      "a slice with a negative step is not supported",
      "Reverse the array where it is loaded.",
    );
  }
  if (along.size === null) unknownSize(vm, along);
  return { kind: "slice", dim, start, stop, step };
}

/** Arrays or lists among the subscripts, beside slices that take everything. */
function advanced(
  vm: Interpreter,
  x: TensorValue,
  items: readonly Value[],
  special: number,
): TensorValue {
  const count = items.slice(special).findIndex((v) => !isAdvanced(v));
  const keys = items.slice(special, count < 0 ? items.length : special + count);
  const after = items.slice(special + keys.length);
  const plain = (v: Value): boolean =>
    v.kind === "ellipsis" || (v.kind === "slice" && isFullSlice(v));
  if (!items.slice(0, special).every(plain) || !after.every(plain)) {
    return beside(vm, x, items);
  }
  const spans = (v: Value): number => (v.kind === "tensor" && isMask(v) ? v.expr.shape.length : 1);
  const used = keys.reduce((n, v) => n + spans(v), 0) + items.length - keys.length;
  const hidden = items.some((v) => v.kind === "ellipsis") ? x.expr.shape.length - used + 1 : 1;
  const dim = items.slice(0, special).reduce((n, v) => n + (v.kind === "ellipsis" ? hidden : 1), 0);
  if (dim + keys.length > x.expr.shape.length) {
    vm.fail(
      "IndexError",
      `too many indices for array: array is ${x.expr.shape.length}-dimensional`,
    );
  }
  if (keys.length === 1) return takeAlong(vm, x, keys[0]!, dim);
  const tensors = keys.map((k) => asTensor(vm, k, x.library));
  if (tensors.some(isMask)) {
    return vm.unsupported(
      "a boolean array beside another array in a subscript is not supported",
      "Pick step by step: x[mask] first.",
    );
  }
  requireWhole(vm, tensors);
  const rows = dim === 0 ? rowsAtPlaces(vm, x, tensors) : null;
  if (rows !== null) return rows;
  const mask = maskBehind(vm, x, tensors, dim);
  if (mask !== null) return pick(vm, x, mask, dim);
  return indexBy(vm, x, tensors, dim);
}

/** `x[rows, places]` with places that sorting rows found, each beside the number of its row. */
function rowsAtPlaces(
  vm: Interpreter,
  x: TensorValue,
  [rows, places]: readonly TensorValue[],
): TensorValue | null {
  const s = places?.selection ?? null;
  if (s === null || s.order?.along !== 1 || s.mask.shape.length !== 2) return null;
  const { count } = s.order;
  const along = axisOfSize(vm, count, s.mask.shape);
  const numbers = vm.shaped(() => expand(rows!.expr, [s.mask.shape[0]!, along]));
  const held = vm.evaluate(numbers)?.data;
  const isOwnRow =
    held !== undefined && Array.from(held).every((v, k) => v === Math.floor(k / count));
  return isOwnRow ? takePlaces(vm, x, places!, 1, true) : null;
}

/**
 * The mask whose entries that are not zero these are all positions of, one array an axis: as
 * subscripts of the axes from `dim` on they pick what it picks. Null for other positions.
 */
export function maskBehind(
  vm: Interpreter,
  x: TensorValue,
  keys: readonly TensorValue[],
  dim: number,
): Expr | null {
  const found = keys.map((k) => foundIn(vm, k));
  const mask = found[0]?.mask;
  if (mask?.shape.length !== keys.length) return null;
  if (!found.every((f, d) => f !== null && f.mask === mask && f.axis === d)) return null;
  return fitsShape(x.expr.shape.slice(dim, dim + keys.length), mask.shape) ? mask : null;
}

function foundIn(vm: Interpreter, key: TensorValue): Found | null {
  if (key.selection !== null || key.expr.shape.length !== 1) return null;
  let e = vm.recorder.spelledOut(key.expr);
  let column = 0;
  // A row of positions for each entry: one column of it, or the only one with its axis dropped.
  for (; e.kind === "reshape" || (e.kind === "index" && e.dim === 1); e = e.args[0]!) {
    if (e.kind === "index") column = e.at;
  }
  const found = vm.arrays.found.get(e);
  return found === undefined ? null : { mask: found.mask, axis: found.axis ?? column };
}

/** One array beside numbers and slices: those are taken first, since they leave its axis alone. */
function beside(vm: Interpreter, x: TensorValue, items: readonly Value[]): TensorValue {
  const keys = items.filter(isAdvanced);
  const numbers = items.filter((v) => v.kind === "number");
  const other = items.some((v) => v.kind === "none");
  // With a slice between an array and a number, the array's axis moves to the front.
  const first = items.findIndex((v) => isAdvanced(v) || v.kind === "number");
  const last = items.findLastIndex((v) => isAdvanced(v) || v.kind === "number");
  const together = items.slice(first, last + 1).every((v) => isAdvanced(v) || v.kind === "number");
  if (keys.length > 1 || other || (numbers.length > 0 && !together)) {
    return vm.unsupported(
      "subscripts that combine several arrays are not supported",
      "Pick step by step: x[:, a][…, b].",
    );
  }
  const whole: Value = { kind: "slice", start: NONE, stop: NONE, step: NONE };
  const basic = indexTensor(vm, x, tuple(items.map((v) => (isAdvanced(v) ? whole : v))));
  const rest = items.flatMap((v) => (v.kind === "number" ? [] : [isAdvanced(v) ? v : whole]));
  const dots = items.some((v) => v.kind === "ellipsis");
  const key = dots
    ? rest.map((v, k): Value =>
        items.filter((i) => i.kind !== "number")[k]!.kind === "ellipsis" ? ELLIPSIS : v,
      )
    : rest;
  return indexTensor(vm, basic, tuple(key));
}

/** Entries along one axis: one by its position, several by a list of them, or by an array. */
export function takeAlong(vm: Interpreter, x: TensorValue, key: Value, dim: number): TensorValue {
  if (key.kind === "tensor") return tensorKey(vm, x, key, dim);
  if (key.kind === "number") {
    const at = position(vm, key, x.expr.shape[dim]!);
    return tensor(
      vm,
      vm.shaped(() => index(x.expr, dim, at)),
      x.library,
      x.dtype,
    );
  }
  const items = itemsOf(key) ?? [];
  if (items.length > 0 && items.every((v) => v.kind === "number" && v.type === "bool")) {
    const mask = asTensor(vm, key, x.library);
    return tensorKey(vm, x, mask, dim);
  }
  const positions = items.map((v) => {
    if (v.kind === "tensor" && v.expr.shape.length === 0)
      return knownInteger(vm, v, "this subscript");
    if (v.kind !== "number" || v.type !== "int")
      return vm.unsupported(
        "a list of subscripts must hold whole numbers",
        "Make it an array first: np.array(rows) or torch.tensor(rows).",
      );
    return knownInteger(vm, v, "this subscript");
  });
  const last = Math.min(...positions) < 0 ? -1 : Math.max(...positions);
  requireEntry(vm, last, x.expr.shape[dim]!);
  const along = axisOfSize(vm, positions.length, x.expr.shape);
  const e = vm.shaped(() =>
    stack(
      positions.map((at) => index(x.expr, dim, at)),
      dim,
      along,
    ),
  );
  return tensor(vm, e, x.library, x.dtype);
}

function requireWhole(vm: Interpreter, keys: readonly TensorValue[]): void {
  for (const key of keys) {
    if (nodeOf(key).type !== "float") continue;
    vm.fail("IndexError", "arrays used as indices must be of integer (or boolean) type");
  }
}

export function isFullSlice(v: Value & { readonly kind: "slice" }): boolean {
  return v.start.kind === "none" && v.stop.kind === "none" && v.step.kind === "none";
}

function tensorKey(vm: Interpreter, x: TensorValue, key: TensorValue, dim: number): TensorValue {
  const taken = takePlaces(vm, x, key, dim, false);
  if (taken !== null) return taken;
  const rows = dim === 0 && x.selection === null && !isMask(key) ? rowsOf(vm, [key], []) : null;
  if (rows !== null) return rows.picked(tensorKey(vm, x, zeroElsewhere(vm, key), 0));
  if (isMask(key)) {
    const positions = writtenPositions(vm, key);
    return positions === null
      ? pick(vm, x, asBoolean(key.expr), dim)
      : selectPositions(vm, x, dim, positions);
  }
  requireWhole(vm, [key]);
  const mask = maskBehind(vm, x, [key], dim);
  if (mask !== null) return pick(vm, x, mask, dim);
  if (!x.identity || dim !== 0) return indexBy(vm, x, [key], dim);
  const chosen = vm.shaped(() => oneHot(key.expr, x.expr.shape[0]!, key.expr.shape.length));
  return tensor(vm, castTo(chosen, "int64", x.dtype ?? "float64"), x.library, x.dtype);
}

/** Longer masks are data, and no list of classes that the program makes. */
const MOST_WRITTEN = 64;

/** Where a short mask holds that is made by the program itself, as `torch.arange(n) != 2`. */
function writtenPositions(vm: Interpreter, { expr }: TensorValue): number[] | null {
  if (expr.shape.length !== 1 || (expr.shape[0]!.size ?? Infinity) > MOST_WRITTEN) return null;
  const isGiven = (e: Expr): boolean =>
    e.kind === "input" && (e.type === "float" || !vm.arrays.handles.has(e));
  if (topological(expr).some(isGiven)) return null;
  const held = vm.evaluate(asBoolean(expr))?.data;
  const positions = Array.from(held ?? [], (v, k) => (v === 0 ? -1 : k)).filter((k) => k >= 0);
  return positions.length === 0 ? null : positions;
}

/** PyTorch takes bytes for truth values, too. */
export function isMask(key: TensorValue): boolean {
  return nodeOf(key).type === "bool" || (key.library === "torch" && key.dtype === "uint8");
}
