/**
 * Functions whose result has as many entries as the values say: sets of values, and positions of
 * what is not zero. They are carried out on the values, which must be known.
 */
import { defaultDType } from "../dtypes.ts";
import { asBoolean } from "../tensors/elementwise.ts";
import { knownEntries, nonzeroPositions } from "../tensors/knownEntries.ts";
import { literalArray } from "../tensors/tensor.ts";
import { type TensorValue, namedTuple, tuple } from "../values.ts";
import { convert } from "./convert.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

function integers(
  c: CallContext,
  values: readonly number[],
  shape: readonly number[],
): TensorValue {
  return literalArray(c.vm, values, shape, defaultDType("int", c.library), c.library);
}

/** The entries of an argument in row-major order. */
function entriesOf(c: CallContext, name: string): number[] {
  return Array.from(knownEntries(c.vm, c.expr(name), `what ${c.name}() finds`).data);
}

function valuesLike(c: CallContext, name: string, values: readonly number[]): TensorValue {
  const x = c.tensor(name);
  const dtype = x.dtype ?? defaultDType(x.expr.type, x.library);
  return literalArray(c.vm, values, [values.length], dtype, c.library);
}

const ascending = (values: readonly number[]): number[] =>
  [...new Set(values)].sort((a, b) => a - b);

interface Distinct {
  readonly values: () => TensorValue;
  readonly first: () => TensorValue;
  readonly inverse: () => TensorValue;
  readonly counts: () => TensorValue;
}

/** The different entries in ascending order, or as they come; NaN is not told apart from NaN. */
function distinct(c: CallContext, name: string, inOrder = true): Distinct {
  const { data, shape } = knownEntries(c.vm, c.expr(name), `what ${c.name}() finds`);
  const all = Array.from(data);
  const values = inOrder ? ascending(all) : [...new Set(all)];
  const place = new Map(values.map((v, k) => [v, k]));
  const counts = values.map(() => 0);
  const first = values.map(() => 0);
  all.forEach((v, k) => {
    const at = place.get(v)!;
    if (counts[at]!++ === 0) first[at] = k;
  });
  return {
    values: () => valuesLike(c, name, values),
    first: () => integers(c, first, [values.length]),
    inverse: () =>
      integers(
        c,
        all.map((v) => place.get(v)!),
        shape,
      ),
    counts: () => integers(c, counts, [values.length]),
  };
}

/** `unique`, with what else is asked for in a tuple after the values. */
const unique =
  (extras: readonly (readonly [flag: string, of: keyof Distinct])[]): Meaning =>
  (c) => {
    const found = distinct(c, "x");
    const asked = extras.filter(([flag]) => c.flag(flag)).map(([, of]) => found[of]());
    return asked.length === 0 ? found.values() : tuple([found.values(), ...asked]);
  };

/** Where entries are not zero, or a condition holds: one list an axis. */
function positionsOf(c: CallContext, name: string): number[][] {
  const what = `where entries are not zero (${c.name}())`;
  return nonzeroPositions(knownEntries(c.vm, c.expr(name), what));
}

/** Remembers where positions come from: what they pick is then what the mask itself would. */
function found(c: CallContext, name: string, at: TensorValue, axis: number | null): TensorValue {
  c.vm.arrays.found.set(at.expr, { mask: asBoolean(c.expr(name)), axis });
  return at;
}

/** One array of positions an axis. */
export const nonzeroByAxis =
  (name: string): Meaning =>
  (c) =>
    tuple(positionsOf(c, name).map((p, d) => found(c, name, integers(c, p, [p.length]), d)));

/** A row of positions for every entry that is not zero. */
export const nonzeroRows =
  (name: string): Meaning =>
  (c) => {
    const positions = positionsOf(c, name);
    const count = positions[0]?.length ?? 0;
    const rows = Array.from({ length: count }, (_, k) => positions.map((p) => p[k]!));
    return found(c, name, integers(c, rows.flat(), [count, positions.length]), null);
  };

const flatNonzero: Meaning = (c) => {
  const held = entriesOf(c, "x").flatMap((v, k) => (v === 0 ? [] : [k]));
  const at = integers(c, held, [held.length]);
  return c.expr("x").shape.length === 1 ? found(c, "x", at, 0) : at;
};

/** A set made of the entries of two arrays. */
const joint =
  (
    keep: (a: ReadonlySet<number>, b: ReadonlySet<number>) => Iterable<number>,
    y: string,
  ): Meaning =>
  (c) => {
    const [a, b] = [new Set(entriesOf(c, "ar1")), new Set(entriesOf(c, y))];
    return valuesLike(c, "ar1", ascending([...keep(a, b)]));
  };

const numpyUnique: Meaning = unique([
  ["return_index", "first"],
  ["return_inverse", "inverse"],
  ["return_counts", "counts"],
]);

/** NumPy's, and those of its followers. */
export const numpySets: Table = {
  unique: [
    "ar, return_index=False, return_inverse=False, return_counts=False, !axis, *, ~equal_nan, ~sorted, !size, !fill_value",
    numpyUnique,
  ],
  nonzero: ["a, *, !size, !fill_value", nonzeroByAxis("x")],
  argwhere: ["a, *, !size, !fill_value", nonzeroRows("x")],
  flatnonzero: ["a, *, !size, !fill_value", flatNonzero],
  setdiff1d: ["ar1, ar2, ~assume_unique", joint((a, b) => [...a].filter((v) => !b.has(v)), "ar2")],
  intersect1d: [
    "ar1, ar2, ~assume_unique, !return_indices",
    joint((a, b) => [...a].filter((v) => b.has(v)), "ar2"),
  ],
  union1d: ["ar1, ar2", joint((a, b) => [...a, ...b], "ar2")],
};

const torchUnique = unique([
  ["return_inverse", "inverse"],
  ["return_counts", "counts"],
]);

/** PyTorch's, methods of tensors too. */
export const torchSets: Table = {
  unique: ["input, ~sorted, return_inverse=False, return_counts=False, !dim", torchUnique],
  nonzero: [
    "input, *, as_tuple=False, !out",
    (c) => (c.flag("as_tuple") ? nonzeroByAxis("x") : nonzeroRows("x"))(c),
  ],
  argwhere: ["input", nonzeroRows("x")],
};

/** TensorFlow's, in the order in which entries first come. */
export const tensorflowSets: Table = {
  unique: [
    "x, ~out_idx, ~name",
    (c) => {
      const found = distinct(c, "x", false);
      return namedTuple("Unique", { y: found.values(), idx: int32(c, found.inverse()) });
    },
  ],
  unique_with_counts: [
    "x, ~out_idx, ~name",
    (c) => {
      const { values, inverse, counts } = distinct(c, "x", false);
      const idx = int32(c, inverse());
      return namedTuple("UniqueWithCounts", { y: values(), idx, count: int32(c, counts()) });
    },
  ],
};

const int32 = (c: CallContext, t: TensorValue): TensorValue => convert(c.vm, t, "int32");
