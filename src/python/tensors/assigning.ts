/** `x[…] = value`, which changes an array in place. */
import {
  type Axis,
  UNIT,
  axis,
  broadcast,
  elementCount,
  sameShape,
} from "../../expression/axis.ts";
import { expand, mul, oneHot, reduce, reshape, where } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { Selection, TensorValue, Value } from "../values.ts";
import { align, asBoolean } from "./elementwise.ts";
import {
  isAdvanced,
  isFullSlice,
  isMask,
  maskBehind,
  putBack,
  stepsOf,
  subscriptsOf,
  take,
} from "./indexing.ts";
import { knownEntries } from "./knownEntries.ts";
import { takePlaces } from "./knownSorting.ts";
import { alongside, pick, rankAlone, sameSelection } from "./picked.ts";
import { isOrdered, putInPlaces } from "./ordered.ts";
import { asTensor, castTo, freshLetter, literalArray, operandExpr, tensor } from "./tensor.ts";

/** `x[key] = value`, which changes `x` in place. */
export function assignIndex(vm: Interpreter, x: TensorValue, key: Value, value: Value): void {
  const items = subscriptsOf(vm, x, key);
  const [only] = items;
  if (items.length === 1 && only?.kind === "tensor") {
    const again = pickedAgain(vm, x, only);
    if (again !== null) {
      assignPicked(vm, x.selection?.all ?? x, [], again, value);
      return;
    }
  }
  const at = items.findIndex((v) => v.kind === "tensor" && v.selection === null && isMask(v));
  const mask = items[at];
  if (mask?.kind === "tensor") {
    const rest = items.filter((_, k) => k !== at);
    assignPicked(vm, x, rest, pick(vm, x, asBoolean(mask.expr), at).selection!, value);
    return;
  }
  const keys = items.flatMap((v) => (v.kind === "tensor" ? [v] : []));
  const found = keys.length === 0 ? null : maskBehind(vm, x, keys, 0);
  if (found !== null && keys.every((v, k) => v === items[k])) {
    const rest = items.slice(keys.length);
    assignPicked(vm, x, rest, pick(vm, x, found, 0).selection!, value);
    return;
  }
  const raw = operandExpr(vm, value, x.library);
  const v =
    x.dtype === null ? raw : castTo(raw, value.kind === "tensor" ? value.dtype : null, x.dtype);
  if (items.some(isAdvanced)) {
    assignPlaces(vm, x, items, v);
    return;
  }
  const steps = stepsOf(vm, x.expr.shape, items);
  x.assign(
    vm,
    vm.shaped(() => {
      const target = steps.reduce(take, x.expr).shape;
      return putBack(x.expr, steps, sameShape(v.shape, target) ? v : expand(v, target));
    }),
  );
}

/**
 * What a subscript picks that is itself picked or sorted: of picked entries, or at places that
 * sorting found. Null for other subscripts.
 */
function pickedAgain(vm: Interpreter, x: TensorValue, key: TensorValue): Selection | null {
  const [s, k] = [x.selection, key.selection];
  if (k === null) return null;
  if (!isMask(key)) return takePlaces(vm, x, key, 0, false)?.selection ?? null;
  if (s === null || !sameSelection(vm, s, k) || !rankAlone(s)) return null;
  return { ...s, mask: asBoolean(k.all.expr), order: null };
}

/**
 * `x[mask] = value`: a number for all entries that the mask picks, or what it picked elsewhere.
 * @param rest the subscripts beside it
 */
function assignPicked(
  vm: Interpreter,
  x: TensorValue,
  rest: readonly Value[],
  picked: Selection,
  value: Value,
): void {
  const { at } = picked;
  if (!rest.every((v) => v.kind === "slice" && isFullSlice(v))) {
    vm.unsupported("assigning by a mask beside other subscripts is not supported");
  }
  const own = value.kind === "tensor" ? value.selection : null;
  const isAlike = own?.mask === picked.mask && own.at === at && own.order === picked.order;
  const source = isAlike ? own.all : value;
  const given = operandExpr(vm, source, x.library);
  const raw = isAlike
    ? given
    : elementCount(given.shape) === 1
      ? vm.shaped(() => reshape(given, []))
      : inPlaces(vm, x, picked, given);
  const v =
    x.dtype === null ? raw : castTo(raw, value.kind === "tensor" ? value.dtype : null, x.dtype);
  const changed = vm.shaped(() => {
    const [c, a, b] = align([alongside(picked), v, x.expr]);
    return where(c!, a!, b!);
  });
  x.assign(vm, changed);
}

/** One after another to the entries that a mask or sorting picks, which must be known for it. */
function inPlaces(vm: Interpreter, x: TensorValue, picked: Selection, given: Expr): Expr {
  if (isOrdered(picked)) return putInPlaces(vm, tensor(vm, given, x.library, x.dtype), picked).expr;
  const { shape } = x.expr;
  if (picked.mask.shape.length !== shape.length || given.shape.length !== 1) {
    return vm.unsupported(
      "assigning an array to the entries that a mask picks",
      "Write torch.where(mask, new, old), or np.where.",
    );
  }
  const what = "which entries a mask picks for an array to be assigned to them";
  const { data } = knownEntries(vm, picked.mask, what);
  const positions = Array.from(data).flatMap((held, k) => (held === 0 ? [] : [k]));
  if (positions.length !== given.shape[0]!.size) {
    vm.fail(
      "ValueError",
      `shape mismatch: ${given.shape[0]!.size} values are assigned to the ${positions.length} ` +
        "entries that the mask picks",
    );
  }
  const at = literalArray(vm, positions, [positions.length], "int64", x.library).expr;
  return vm.shaped(() => {
    const flat = axis(freshLetter([...shape, ...at.shape, ...given.shape]), data.length);
    const column = reshape(given, [at.shape[0]!, UNIT]);
    const numbers = column.type === "bool" ? castTo(column, "bool", "int64") : column;
    return reshape(reduce("sum", mul(oneHot(at, flat, 1), numbers), [0]), shape);
  });
}

/** `x[i, j] = number` with arrays of positions, which must be known for it. */
function assignPlaces(vm: Interpreter, x: TensorValue, items: readonly Value[], value: Expr): void {
  const { shape } = x.expr;
  const keys = items.filter((v) => !(v.kind === "slice" && isFullSlice(v)));
  const sizes = shape.slice(0, keys.length).map((a) => a.size);
  if (
    keys.length > shape.length ||
    keys.some((v, k) => v !== items[k] || !(isAdvanced(v) || v.kind === "number")) ||
    elementCount(value.shape) !== 1 ||
    sizes.includes(null)
  ) {
    vm.unsupported(
      "assigning to entries that an array or a list picks is supported for one number, and for " +
        "arrays of positions in the first axes",
      "Write torch.where(mask, new, old), or np.where.",
    );
  }
  const what = "to which positions a number is assigned";
  const places = align(keys.map((k) => asTensor(vm, k, x.library).expr));
  const common = vm.shaped(() => places.map((p) => p.shape).reduce((a, b) => broadcast(a, b)));
  const known = places.map(
    (p) =>
      knownEntries(
        vm,
        vm.shaped(() => expand(p, common)),
        what,
      ).data,
  );
  const held = new Array<number>(sizes.reduce<number>((n, s) => n * s!, 1)).fill(0);
  const count = known[0]!.length;
  for (let k = 0; k < count; k++) {
    let at = 0;
    sizes.forEach((n, d) => {
      const p = known[d]![k]!;
      if (p >= n! || p < -n!) {
        vm.fail("IndexError", `index ${p} is out of bounds for an axis with size ${n}`);
      }
      at = at * n! + (p < 0 ? p + n! : p);
    });
    held[at] = 1;
  }
  const literal = literalArray(vm, held, sizes as number[], "bool", x.library).expr;
  x.assign(
    vm,
    vm.shaped(() => {
      const trailing = shape.slice(keys.length).map((): Axis => UNIT);
      const mask = reshape(literal, [...shape.slice(0, keys.length), ...trailing]);
      return where(mask, value.shape.length === 0 ? value : reshape(value, []), x.expr);
    }),
  );
}
