/** NumPy's functions that choose among arrays, name places of arrays, and write at some of them. */
import { UNIT } from "../../expression/axis.ts";
import { reshape } from "../../expression/build.ts";
import { defaultDType, defaultFloat } from "../dtypes.ts";
import { call, isCallable } from "../interpreter/calls.ts";
import { iteratorOver } from "../interpreter/iterate.ts";
import { knownInteger } from "../interpreter/known.ts";
import { inPlace } from "../interpreter/operators.ts";
import { getItem, setItem } from "../interpreter/subscripts.ts";
import { elementwise, logical, select, truthFunction } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { knownEntries, nonzeroPositions } from "../tensors/knownEntries.ts";
import { pick } from "../tensors/picked.ts";
import { flattenRange, sizesFrom } from "../tensors/reshape.ts";
import { itemsOf, literalArray, rankOf, stackTensors, tensor } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { ELLIPSIS, NONE, type TensorValue, type Value, float, int, tuple } from "../values.ts";
import * as m from "./common.ts";
import { convert } from "./convert.ts";
import { constantLike, dtypeOr } from "./numpyMeanings.ts";
import { axisOf, sortedPositions, sortedValues } from "./picking.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

// Choosing

/** np.select: the first choice whose condition holds. */
const firstOf: Meaning = (c) => {
  const [conditions, choices] = [c.list("condlist"), c.list("choicelist")];
  if (conditions.length !== choices.length) {
    c.vm.fail("ValueError", "list of cases must be same length as list of conditions");
  }
  return conditions.reduceRight(
    (rest, condition, k) => select(c.vm, condition, choices[k]!, rest, c.library),
    c.value("default"),
  );
};

/** np.choose: each entry from the array with that number. */
const chosen: Meaning = (c) => {
  const at = c.tensor("a");
  const choices = c.list("choices");
  const last = choices.length - 1;
  return choices
    .slice(0, last)
    .reduceRight<Value>(
      (rest, choice, k) =>
        select(c.vm, elementwise(c.vm, "eq", at, int(k)), choice, rest, c.library),
      choices[last] ?? c.vm.fail("ValueError", "choose() needs something to choose from"),
    );
};

/** np.piecewise: on the entries where a condition holds, what its function makes of them. */
const piecewise: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("x");
  const given = c.value("condlist");
  const conditions = (itemsOf(given) ?? [given]).map((v) => c.asOwn(v));
  const functions = c.list("funclist");
  const n = conditions.length;
  if (functions.length !== n && functions.length !== n + 1) {
    vm.fail("ValueError", `with ${n} condition(s), either ${n} or ${n + 1} functions are expected`);
  }
  const any = conditions.reduce((p, q) => logical(vm, "or", p, q));
  const masks = functions.length > n ? [...conditions, truthFunction(vm, "not", any)] : conditions;
  const made = (f: Value, of: Value): Value =>
    isCallable(f) ? call(vm, f, [of, ...c.list("args")]) : f;
  if (c.library === "jax") {
    // There every function gets the whole array.
    return masks.reduce<Value>(
      (rest, mask, k) => select(vm, mask, made(functions[k]!, x), rest, c.library),
      float(0),
    );
  }
  const result = constantLike(c, int(0));
  masks.forEach((mask, k) => {
    setItem(vm, result, mask, made(functions[k]!, getItem(vm, x, mask)));
  });
  return result;
};

/** The slices along an axis (or entries of the flat array) where a condition holds, which may end early. */
const compressed: Meaning = (c) => {
  const { vm } = c;
  const mask = c.tensor("condition");
  const x = c.given("axis") ? c.tensor("a") : flattenRange(vm, c.tensor("a"), 0, -1);
  const d = c.given("axis") ? axisOf(c, x, c.int("axis")) : 0;
  const [n, given] = [sizeAlong(vm, x, d, `${c.name}()`), sizeAlong(vm, mask, 0, `${c.name}()`)];
  const cut = given < n ? selectPositions(vm, x, d, m.range(0, given)) : x;
  return pick(vm, cut, mask.expr, d);
};

const extracted: Meaning = (c) => {
  const [mask, x] = [c.tensor("condition"), c.tensor("arr")];
  return pick(c.vm, flattenRange(c.vm, x, 0, -1), flattenRange(c.vm, mask, 0, -1).expr, 0);
};

// Writing

const copiedTo: Meaning = (c) => {
  const where = c.value("where");
  const isAll = where.kind === "number" && where.value === 1;
  const [target, source] = [c.value("dst"), c.value("src")];
  if (isAll) setItem(c.vm, target, ELLIPSIS, source);
  else putWhere(c, c.tensor("dst"), c.tensor("where"), source);
  return NONE;
};

function putWhere(c: CallContext, x: TensorValue, mask: TensorValue, value: Value): void {
  inPlace(c.vm, x, select(c.vm, mask, value, x, c.library));
}

/** np.place: one value wherever a mask holds. */
const placed: Meaning = (c) => {
  const values = c.tensor("vals");
  if (rankOf(values) > 1 || (rankOf(values) === 1 && sizeAlong(c.vm, values, 0, "place()") > 1)) {
    return c.vm.unsupported("np.place of several values", "Write x[mask] = values.");
  }
  const [only] = rankOf(values) === 0 ? [values] : [indexTensor(c.vm, values, int(0))];
  putWhere(c, c.tensor("arr"), c.tensor("mask"), only);
  return NONE;
};

/** The main diagonal of a matrix, overwritten. */
const diagonalFilled: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("a");
  if (rankOf(x) !== 2 || rankOf(c.tensor("val")) > 0) {
    return vm.unsupported(
      `${c.name}() is supported only for one number on the diagonal of a matrix`,
      "Write x[np.arange(n), np.arange(n)] = values.",
    );
  }
  const [rows, columns] = [0, 1].map((d) => sizeAlong(vm, x, d, `${c.name}()`)) as [number, number];
  const ones = m.range(0, rows).flatMap((i) => m.range(0, columns).map((j) => Number(i === j)));
  const on = literalArray(vm, ones, [rows, columns], "bool", c.library);
  const changed = select(vm, on, c.value("val"), x, c.library);
  if (c.library === "jax") return changed;
  inPlace(vm, x, changed);
  return NONE;
};

/** Sorted, or partitioned (of which being sorted is one case), where it is. */
const sortedInPlace: Meaning = (c) => {
  const sorted = sortedValues(c);
  if (sorted.kind === "tensor") inPlace(c.vm, c.tensor("a"), sorted);
  return NONE;
};

// Places

function integers(
  c: CallContext,
  values: readonly number[],
  shape: readonly number[],
): TensorValue {
  return literalArray(c.vm, values, shape, defaultDType("int", c.library), c.library);
}

const lists = (c: CallContext, columns: readonly (readonly number[])[]): Value =>
  tuple(columns.map((p) => integers(c, p, [p.length])));

/** Rows and columns of a matrix where `holds` says so, row after row. */
function placesIn(
  rows: number,
  columns: number,
  holds: (i: number, j: number) => boolean,
): number[][] {
  const all = m
    .range(0, rows)
    .flatMap((i) => m.range(0, columns).flatMap((j) => (holds(i, j) ? [[i, j] as const] : [])));
  return [all.map(([i]) => i), all.map(([, j]) => j)];
}

type Holds = (k: number) => (i: number, j: number) => boolean;
const below: Holds = (k) => (i, j) => j - i <= k;
const above: Holds = (k) => (i, j) => j - i >= k;

const triangle =
  (holds: Holds): Meaning =>
  (c) => {
    const n = c.int("n");
    return lists(c, placesIn(n, c.given("m") ? c.int("m") : n, holds(c.int("k"))));
  };

const triangleFrom =
  (holds: Holds): Meaning =>
  (c) => {
    const [n, columns] = [0, 1].map((d) => sizeAlong(c.vm, c.tensor("arr"), d, `${c.name}()`));
    return lists(c, placesIn(n!, columns!, holds(c.int("k"))));
  };

const tri: Meaning = (c) => {
  const rows = c.int("N");
  const columns = c.given("M") ? c.int("M") : rows;
  const holds = below(c.int("k"));
  const ones = m.range(0, rows).flatMap((i) => m.range(0, columns).map((j) => Number(holds(i, j))));
  return literalArray(c.vm, ones, [rows, columns], dtypeOr(c, defaultFloat(c.library)), c.library);
};

/** Positions or truth values along each axis, as they broadcast to a grid. */
const grid: Meaning = (c) => {
  const { vm } = c;
  const given = c.list("args").map((v) => {
    const t = c.asOwn(v);
    if (t.expr.type !== "bool") return t;
    const [at] = nonzeroPositions(knownEntries(vm, t.expr, `${c.name}()`));
    return integers(c, at!, [at!.length]);
  });
  return tuple(
    given.map((t, k) => {
      const e = vm.shaped(() =>
        reshape(
          t.expr,
          given.map((_, d) => (d === k ? t.expr.shape[0]! : UNIT)),
        ),
      );
      return tensor(vm, e, t.library, t.dtype);
    }),
  );
};

/** All positions of an array of some sizes, row-major. */
function positionsIn(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (rows, n) => rows.flatMap((row) => m.range(0, n).map((k) => [...row, k])),
    [[]],
  );
}

const MOST_POSITIONS = 100_000;

function knownSizes(c: CallContext, values: readonly Value[]): number[] {
  const sizes = values.map((v) => knownInteger(c.vm, v, `${c.name}()`));
  if (sizes.reduce((n, s) => n * s, 1) > MOST_POSITIONS) {
    c.vm.unsupported(
      `${c.name}() over more than ${MOST_POSITIONS.toLocaleString("en")} entries is not supported`,
      "Work on the whole array at once.",
    );
  }
  return sizes;
}

const allPositions: Meaning = (c) => {
  const sizes = knownSizes(c, sizesFrom(c.list("shape")));
  return iteratorOver(
    c.vm,
    positionsIn(sizes).map((p) => tuple(p.map(int))),
  );
};

/** Each entry with its position. */
const enumerated: Meaning = (c) => {
  const x = c.tensor("arr");
  const sizes = knownSizes(
    c,
    m.range(0, rankOf(x)).map((d) => int(sizeAlong(c.vm, x, d, `${c.name}()`))),
  );
  return iteratorOver(
    c.vm,
    positionsIn(sizes).map((p) => {
      const at = tuple(p.map(int));
      return tuple([at, indexTensor(c.vm, x, at)]);
    }),
  );
};

/** np.indices: for each axis the positions along it, as arrays of that shape. */
function coordinates(c: CallContext, sizes: readonly number[]): TensorValue[] {
  const all = positionsIn(sizes);
  return sizes.map((_, d) =>
    integers(
      c,
      all.map((p) => p[d]!),
      sizes,
    ),
  );
}

const indices: Meaning = (c) => {
  const grids = coordinates(c, knownSizes(c, sizesFrom([c.value("dimensions")])));
  return stackTensors(c.vm, grids, 0, c.library);
};

/** What a function makes of an array's positions along each axis. */
const fromFunction: Meaning = (c) => {
  const sizes = knownSizes(c, sizesFrom([c.value("shape")]));
  const grids = coordinates(c, sizes).map((t) => convert(c.vm, t, defaultFloat(c.library)));
  return call(c.vm, c.value("function"), grids);
};

/** Numbers whose logarithms are evenly apart. */
const logarithmic =
  (isGeometric: boolean): Meaning =>
  (c) => {
    const base = isGeometric ? 10 : c.number("base");
    const [start, stop] = ["start", "stop"].map((name) => {
      const x = c.number(name);
      return isGeometric ? Math.log10(x) : x;
    }) as [number, number];
    if (!Number.isFinite(start) || !Number.isFinite(stop)) {
      c.vm.unsupported("geomspace() between numbers that are not positive is not supported");
    }
    const n = c.int("num");
    const last = c.flag("endpoint") ? n - 1 : n;
    const values = m
      .range(0, n)
      .map((k) => base ** (start + ((stop - start) * k) / Math.max(last, 1)));
    if (isGeometric && n > 0) {
      values[0] = c.number("start");
      if (last === n - 1 && n > 1) values[n - 1] = c.number("stop");
    }
    return literalArray(c.vm, values, [n], dtypeOr(c, defaultFloat(c.library)), c.library);
  };

/** Source: NumPy 2.4. */
export const numpyPlaces: Table = {
  select: ["condlist, choicelist, default=0", firstOf],
  choose: ["a, choices, !out, !mode='raise'", chosen],
  piecewise: ["x, condlist, funclist, *args", piecewise],
  compress: ["condition, a, axis=None, !out", compressed],
  extract: ["condition, arr", extracted],
  copyto: ["dst, src, ~casting, where=True", copiedTo],
  putmask: [
    "a, mask, values",
    (c) => (putWhere(c, c.tensor("a"), c.tensor("mask"), c.value("values")), NONE),
  ],
  place: ["arr, mask, vals", placed],
  fill_diagonal: ["a, val, !wrap, *, ~inplace", diagonalFilled],
  partition: ["a, kth, axis=-1, ~kind, !order", sortedValues],
  argpartition: ["a, kth, axis=-1, ~kind, !order", sortedPositions],
  tri: ["N, M=None, k=0, dtype=None", tri],
  tril_indices: ["n, k=0, m=None", triangle(below)],
  triu_indices: ["n, k=0, m=None", triangle(above)],
  tril_indices_from: ["arr, k=0", triangleFrom(below)],
  triu_indices_from: ["arr, k=0", triangleFrom(above)],
  diag_indices: [
    "n, ndim=2",
    (c) =>
      lists(
        c,
        m.range(0, c.int("ndim")).map(() => m.range(0, c.int("n"))),
      ),
  ],
  ix_: ["*args", grid],
  ndindex: ["*shape", allPositions],
  ndenumerate: ["arr", enumerated],
  indices: ["dimensions, !dtype, !sparse", indices],
  fromfunction: ["function, shape, *, ~dtype", fromFunction],
  logspace: [
    "start, stop, num=50, endpoint=True, base=10.0, dtype=None, !axis=0",
    logarithmic(false),
  ],
  geomspace: ["start, stop, num=50, endpoint=True, dtype=None, !axis=0", logarithmic(true)],
};

/** Methods of arrays that change them. */
export const numpyChanging: Table = {
  fill: ["a, value", (c) => (setItem(c.vm, c.value("a"), ELLIPSIS, c.value("value")), NONE)],
  sort: ["a, axis=-1, ~kind, !order, ~stable", sortedInPlace],
  partition: ["a, kth, axis=-1, ~kind, !order", sortedInPlace],
  compress: ["a, condition, axis=None, !out", compressed],
};
