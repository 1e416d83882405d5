/** Entries picked by positions: gather, index arrays, and positions known beforehand. */
import { type Axis, UNIT, axis, isUnit, normalizeDim } from "../../expression/axis.ts";
import { index, mul, oneHot, reduce, reshape, slice, stack } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { defaultDType } from "../dtypes.ts";
import { type Interpreter, UnknownSizeError } from "../interpreter/interpreter.ts";
import type { TensorValue } from "../values.ts";
import { align } from "./elementwise.ts";
import { takePlaces } from "./knownSorting.ts";
import { isOrdered, selectRanks } from "./ordered.ts";
import { rowsOf, zeroElsewhere } from "./picked.ts";
import {
  axisOfSize,
  castTo,
  freshLetter,
  literalArray,
  pickedAxes,
  rankOf,
  tensor,
} from "./tensor.ts";

/** Up to so many entries each is named in the formula; more are written as a sum over positions. */
const NAMED = 16;

/**
 * Entries of `x` along `dim` at the positions in `at`: each index takes part with its own place in
 * the other axes (`gather`, `take_along_axis`). Sizes of 1 in the other axes broadcast.
 */
export function gatherAlong(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  at: TensorValue,
): TensorValue {
  const taken = takePlaces(
    vm,
    x,
    at,
    vm.shaped(() => normalizeDim(dim, rankOf(x))),
    true,
  );
  if (taken !== null) return taken;
  const rows = rowsOf(vm, [x, at], [dim]);
  if (rows !== null) {
    return rows.picked(gatherAlong(vm, rows.all[0]!, rows.place(dim), zeroElsewhere(vm, at)));
  }
  const rank = x.expr.shape.length;
  const d = vm.shaped(() => normalizeDim(dim, rank));
  if (at.expr.shape.length !== rank) {
    vm.fail(
      "RuntimeError",
      `index tensor must have the same number of dimensions as input tensor: ` +
        `${at.expr.shape.length} and ${rank}`,
    );
  }
  const along = x.expr.shape[d]!;
  checkRange(vm, at.expr, along);
  const e = vm.shaped(() => {
    if (isUnit(at.expr.shape[d]!)) {
      const rest = at.expr.shape.filter((_, k) => k !== d);
      const hot = oneHot(reshape(at.expr, rest), along, d);
      return reduce("sum", product(hot, x.expr), [d], true);
    }
    const own = apart(along, [...at.expr.shape, ...x.expr.shape]);
    const hot = oneHot(at.expr, own, d + 1);
    const shape = x.expr.shape;
    const lifted = reshape(x.expr, [...shape.slice(0, d), UNIT, own, ...shape.slice(d + 1)]);
    return reduce("sum", product(hot, lifted), [d + 1]);
  });
  return tensor(vm, e, x.library, x.dtype);
}

/** The axis under a name that none of `used` has. */
function apart(a: Axis, used: readonly Axis[]): Axis {
  return axis(freshLetter(used, ["j", "m"]), a.size, a.role);
}

function product(a: Expr, b: Expr): Expr {
  const [x, y] = align([a, b.type === "bool" ? castTo(b, "bool", "int64") : b]);
  return mul(x!, y!);
}

/**
 * `x[…, k1, k2, …]`: integer arrays as subscripts of the axes from `dim` on. They broadcast to one
 * shape, which stands in the place of those axes.
 */
export function indexBy(
  vm: Interpreter,
  x: TensorValue,
  keys: readonly TensorValue[],
  dim: number,
): TensorValue {
  const taken = keys.length === 1 ? takePlaces(vm, x, keys[0]!, dim, false) : null;
  if (taken !== null) return taken;
  const shape = x.expr.shape;
  if (dim + keys.length > shape.length) {
    vm.fail("IndexError", `too many indices for array: array is ${shape.length}-dimensional`);
  }
  keys.forEach((k, n) => {
    checkRange(vm, k.expr, shape[dim + n]!);
  });
  const only = keys.length === 1 ? keys[0]! : null;
  const listed = only === null ? null : literalPositions(vm, only);
  if (listed !== null) return selectPositions(vm, x, dim, listed);
  const e = vm.shaped(() => {
    const places = align(keys.map((k) => k.expr));
    const rank = Math.max(...places.map((p) => p.shape.length));
    const taken: Axis[] = [...shape, ...places.flatMap((p) => p.shape)];
    const own = keys.map((_, n) => {
      const along = shape[dim + n]!;
      const clashes = places.some((p) => p.shape.some((a) => a.name === along.name));
      const fresh = clashes ? apart(along, taken) : along;
      taken.push(fresh);
      return fresh;
    });
    const rest = shape.slice(dim + keys.length).map((): Axis => UNIT);
    const hots = places.map((p, n) => {
      const units = Array.from({ length: rank - p.shape.length }, (): Axis => UNIT);
      const hot = oneHot(p, own[n]!, p.shape.length);
      const classes = own.map((a, k) => (k === n ? a : UNIT));
      return reshape(hot, [...units, ...p.shape, ...classes, ...rest]);
    });
    const lead = shape.slice(0, dim);
    const gap = Array.from({ length: rank }, (): Axis => UNIT);
    const table = reshape(x.expr, [...lead, ...gap, ...own, ...shape.slice(dim + keys.length)]);
    const all = [...hots, table].reduce(product);
    return reduce(
      "sum",
      all,
      own.map((_, n) => dim + rank + n),
    );
  });
  return tensor(vm, e, x.library, x.dtype);
}

/** The values of a short array that the program itself wrote down. */
function literalPositions(vm: Interpreter, key: TensorValue): number[] | null {
  if (key.expr.kind !== "input" || !vm.arrays.handles.has(key.expr)) return null;
  if (key.expr.shape.length !== 1) return null;
  const values = vm.evaluate(key.expr)?.data;
  return values === undefined || values.length > NAMED ? null : Array.from(values);
}

/** @throws PythonError where an axis of open size may lack the entry: it is looked at with two. */
export function requireEntry(vm: Interpreter, at: number, along: Axis): void {
  if (along.size === null && (at < 0 || at > 1)) unknownSize(vm, along, at < 0 ? 0 : at + 1);
}

export function unknownSize(vm: Interpreter, along: Axis, atLeast = 0): never {
  return vm.unsupported(
    `this needs the size of axis ${along.name}, which is not known`,
    "Bind arrays to the function's parameters, or give their shapes.",
    new UnknownSizeError([along.name], atLeast),
  );
}

/** Entries along `dim` at positions that are known beforehand; of sorted ones they are ranks. */
export function selectPositions(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  positions: readonly number[],
): TensorValue {
  const s = x.selection;
  if (s !== null && isOrdered(s) && dim === pickedAxes(s).at) return selectRanks(vm, s, positions);
  const n = x.expr.shape[dim]!.size;
  const lowest = positions.reduce((a, b) => Math.min(a, b), 0);
  const highest = positions.reduce((a, b) => Math.max(a, b), 0);
  requireEntry(vm, lowest < 0 ? -1 : highest, x.expr.shape[dim]!);
  const at = positions.map((p) => (p < 0 && n !== null ? p + n : p));
  const step = (at[1] ?? 0) - (at[0] ?? 0);
  if (at.length === 0 && n !== null) {
    const none = vm.shaped(() => slice(x.expr, dim, 0, 0));
    return tensor(vm, none, x.library, x.dtype);
  }
  const even = step > 0 && at.every((p, k) => k === 0 || at[k - 1] === p - step);
  if (even && n !== null) {
    const e = vm.shaped(() => slice(x.expr, dim, at[0]!, at.at(-1)! + 1, step));
    return tensor(vm, e, x.library, x.dtype);
  }
  if (at.length > NAMED) {
    const literal = literalArray(vm, at, [at.length], defaultDType("int", x.library), x.library);
    return summedPositions(vm, x, dim, literal);
  }
  const along = axisOfSize(vm, at.length, x.expr.shape);
  const e = vm.shaped(() =>
    stack(
      at.map((p) => index(x.expr, dim, p)),
      dim,
      along,
    ),
  );
  return tensor(vm, e, x.library, x.dtype);
}

/** Entries along `dim` at positions that an array holds, each a sum over all. */
export function summedPositions(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  key: TensorValue,
): TensorValue {
  const shape = x.expr.shape;
  const e = vm.shaped(() => {
    const own = apart(shape[dim]!, [...shape, ...key.expr.shape]);
    const rest = shape.slice(dim + 1);
    const hot = reshape(oneHot(key.expr, own, 1), [
      ...key.expr.shape,
      own,
      ...rest.map((): Axis => UNIT),
    ]);
    const table = reshape(x.expr, [...shape.slice(0, dim), UNIT, own, ...rest]);
    return reduce("sum", product(hot, table), [dim + 1]);
  });
  return tensor(vm, e, x.library, x.dtype);
}

/**
 * Where the positions are known, none may lie outside: a sum over positions would not notice.
 * @param beyond whether the library leaves out what lies behind the last entry
 */
export function checkRange(
  vm: Interpreter,
  at: Expr,
  along: Axis,
  beyond: "error" | "left out" = "error",
): void {
  if (at.shape.some((a) => a.size === 0)) return;
  const lowest = vm.evaluate(reduce("min", at, null))?.data[0];
  const highest = vm.evaluate(reduce("max", at, null))?.data[0];
  if (lowest === undefined || highest === undefined) {
    if (beyond === "left out") return;
    const size = along.size ?? `the size of axis ${along.name}`;
    vm.recorder.assume(
      `line ${vm.at.line}: an array of positions is taken to hold numbers from 0 to below ${size}`,
    );
    return;
  }
  if (beyond === "error" && along.size !== null && highest >= along.size) {
    vm.fail("IndexError", `index ${highest} is out of bounds for an axis with size ${along.size}`);
  }
  if (lowest < 0) {
    vm.unsupported(
      "an array of positions with negative entries is not supported",
      "Add the size of the axis to the negative ones, or mask them.",
    );
  }
}
