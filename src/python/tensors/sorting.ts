/**
 * Sorting, and sums up to a position. The place of an entry is how many come before it, so that a
 * sorted array is a sum over entries of [place = k]; no gradient passes through a place.
 */
import { type Axis, UNIT, elementCount, normalizeDim } from "../../expression/axis.ts";
import {
  binary,
  cast,
  constant,
  mul,
  oneHot,
  reduce,
  reshape,
  where,
} from "../../expression/build.ts";
import type { BinaryOp, Expr } from "../../expression/node.ts";
import type { TapeKernel } from "../../expression/tape.ts";
import { defaultDType, sumResult } from "../dtypes.ts";
import {
  type Interpreter,
  UnknownSizeError,
  UnknownValueError,
} from "../interpreter/interpreter.ts";
import type { TensorValue } from "../values.ts";
import { type Sorted, fixedRunningSum, sortKnown } from "./knownSorting.ts";
import { flowsInOrder } from "./ordered.ts";
import { rankAlone } from "./picked.ts";
import { freshLetter, nodeOf, pickedAxes, positionsArray, rankOf, tensor } from "./tensor.ts";

/** In sorting, every entry of at most so many is compared with every other. */
const MOST_COMPARED = 4096;
/** From more entries on, arrays that are at hand say the order, which takes less time. */
const MOST_WORTH_COMPARING = 256;

/**
 * The formula of a large array says only what these arrays decide: see knownSorting.ts.
 * @throws PythonError Unsupported for an axis whose size is not known, or for one too large whose
 * entries are not at hand
 */
export function sortAlong(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  descending: boolean,
  what: string,
): Sorted {
  vm.recorder.assume(`line ${vm.at.line}: among equal entries, ${what} keeps their order`);
  const d = vm.shaped(() => normalizeDim(dim, rankOf(x)));
  if (isLarge(x, d)) {
    return sortKnown(vm, x, d, descending, what) ?? unknownOrder(vm, x, what);
  }
  if (isWorthFollowing(vm, x, d)) {
    const known = sortKnown(vm, x, d, descending, what);
    if (known !== null) return known;
  }
  const { n, first, second, positions } = pairs(vm, x, d, what);
  const [values, indices] = vm.shaped(() => {
    const e = x.expr;
    const before = binary(descending ? "gt" : "lt", second(e), first(e));
    const earlier = binary("lt", second(positions), first(positions));
    const tied = binary("and", binary("eq", second(e), first(e)), earlier);
    const place = reduce("sum", binary("or", before, tied), [d + 1]);
    const sorted: Axis = { ...e.shape[d]!, name: freshLetter(e.shape, ["k"]), size: n, parts: [] };
    const chosen = oneHot(place, sorted, d + 1);
    vm.recorder.choices.add(chosen);
    const pick = (entries: Expr): Expr => reduce("sum", mul(chosen, entries), [d]);
    const own = reshape(e, [...e.shape.slice(0, d + 1), UNIT, ...e.shape.slice(d + 1)]);
    return [pick(own), pick(first(positions))] as const;
  });
  const { library } = x;
  return {
    values: tensor(vm, values, library, x.dtype),
    indices: tensor(vm, indices, library, defaultDType("int", library)),
  };
}

/** Of running sums and products. */
export interface RunningOptions {
  /** Without the entry itself. */
  readonly exclusive?: boolean;
  /** From the entry to the end. */
  readonly reverse?: boolean;
}

/** Sums of the entries up to each along `dim`. */
export function cumulativeSum(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  { exclusive = false, reverse = false }: RunningOptions = {},
): TensorValue {
  const d = vm.shaped(() => normalizeDim(dim, rankOf(x)));
  if (x.selection !== null && isLarge(x, d) && !flowsInOrder(vm, x)) {
    const dtype = sumResult(x.dtype, nodeOf(x).type, x.library);
    return fixedRunningSum(vm, x, d, { exclusive, reverse, dtype });
  }
  const { first, second, positions } = pairs(vm, x, d, "cumsum()");
  const range = upToEach(exclusive, reverse);
  const e = vm.shaped(() => {
    const upTo = binary(range, second(positions), first(positions));
    const entries = x.expr.type === "bool" ? cast(x.expr, "int") : x.expr;
    return reduce("sum", mul(upTo, second(entries)), [d + 1]);
  });
  const kernel: TapeKernel = {
    name: "running sum",
    operands: [x.expr],
    along: { dims: [d], keepDims: true },
  };
  const isPlain = !exclusive && !reverse;
  const dtype = sumResult(x.dtype, x.expr.type, x.library);
  return tensor(vm, e, x.library, dtype, isPlain ? { kernel } : {});
}

/** What an entry that does not count is replaced by in a running product or extreme. */
const NOTHING = { prod: 1, max: -Infinity, min: Infinity } as const;

/** How each is called. */
const RUNNING = { prod: "cumprod()", max: "a running maximum", min: "a running minimum" } as const;

/**
 * Products of the entries up to each along `dim`.
 * @throws PythonError Unsupported for an axis whose size is not known, or that has too many entries
 */
export function cumulativeProduct(
  vm: Interpreter,
  x: TensorValue,
  dim: number,
  options: RunningOptions = {},
): TensorValue {
  return runningReduction(vm, "prod", x, dim, options);
}

/**
 * Products or extremes of the entries up to each along `dim`.
 * @throws PythonError Unsupported for an axis whose size is not known, or that has too many entries
 */
export function runningReduction(
  vm: Interpreter,
  op: keyof typeof NOTHING,
  x: TensorValue,
  dim: number,
  { exclusive = false, reverse = false }: RunningOptions = {},
): TensorValue {
  const d = vm.shaped(() => normalizeDim(dim, rankOf(x)));
  if (countAlong(x, d) > MOST_COMPARED) {
    vm.unsupported(
      `${RUNNING[op]} over more than ${MOST_COMPARED.toLocaleString("en")} entries is not supported`,
      op === "prod"
        ? "Write it with logarithms where the entries are positive: torch.exp(torch.cumsum(torch.log(x), 0))."
        : "Take fewer entries.",
    );
  }
  const { first, second, positions } = pairs(vm, x, d, RUNNING[op]);
  const range = upToEach(exclusive, reverse);
  const e = vm.shaped(() => {
    const upTo = binary(range, second(positions), first(positions));
    const entries = x.expr.type === "bool" ? cast(x.expr, "int") : x.expr;
    const nothing = op === "prod" ? constant(1, entries.type) : constant(NOTHING[op]);
    return reduce(op, where(upTo, second(entries), nothing), [d + 1]);
  });
  const isSame = op !== "prod" && x.expr.type !== "float";
  const dtype = op === "prod" ? sumResult(x.dtype, x.expr.type, x.library) : x.dtype;
  return tensor(vm, isSame ? cast(e, x.expr.type) : e, x.library, dtype);
}

/** How the positions that count stand to that of the entry. */
function upToEach(exclusive: boolean, reverse: boolean): BinaryOp {
  return reverse ? (exclusive ? "gt" : "ge") : exclusive ? "lt" : "le";
}

/** Whether an axis has too many entries for a formula of comparisons, or an order already. */
function isLarge(t: TensorValue, d: number): boolean {
  const s = t.selection;
  if (s !== null && s.order !== null) return true;
  return countAlong(t, d) > MOST_COMPARED;
}

/** Whether following the values is less work than comparing, and gives what everything works on. */
function isWorthFollowing(vm: Interpreter, t: TensorValue, d: number): boolean {
  const s = t.selection;
  const isAlone = s === null || (rankAlone(s) && pickedAxes(s).at === d);
  return vm.purpose.ordering !== "compared" && isAlone && countAlong(t, d) > MOST_WORTH_COMPARING;
}

function countAlong(t: TensorValue, d: number): number {
  const s = t.selection;
  return (s === null ? t.expr.shape[d]!.size : elementCount(s.mask.shape)) ?? 0;
}

function unknownOrder(vm: Interpreter, x: TensorValue, what: string): never {
  const { shape } = x.selection?.all.expr ?? x.expr;
  const count = shape.reduce((n, a) => n * (a.size ?? 1), 1).toLocaleString("en");
  return vm.unsupported(
    `${what} over ${count} entries can only be followed on given arrays`,
    "Bind arrays to the function's parameters.",
    new UnknownValueError(what),
  );
}

interface Pairs {
  readonly n: number;
  /** The entry that is looked at, and that with which it is compared, which gets an axis of its own. */
  readonly first: (e: Expr) => Expr;
  readonly second: (e: Expr) => Expr;
  readonly positions: Expr;
}

function pairs(vm: Interpreter, x: TensorValue, d: number, what: string): Pairs {
  const { shape } = x.expr;
  const along = shape[d]!;
  const n = along.size;
  if (n === null) {
    return vm.unsupported(
      `${what} needs the size of axis ${along.name}, which is not known`,
      "Bind arrays to the function's parameters, or give their shapes.",
      new UnknownSizeError([along.name]),
    );
  }
  const other: Axis = { ...along, name: freshLetter([...shape, along], ["j"]), parts: [] };
  const literal = positionsArray(vm, n, x.library).expr;
  const beside = shape.map((_, k): Axis => (k === d ? along : UNIT));
  const positions = reshape(literal, beside);
  const split = (e: Expr, own: readonly [Axis, Axis]): Expr =>
    reshape(e, [...e.shape.slice(0, d), ...own, ...e.shape.slice(d + 1)]);
  return {
    n,
    first: (e) => split(e, [along, UNIT]),
    second: (e) => split(e, [UNIT, other]),
    positions,
  };
}
