/** Numbers that stand in a loss: what its smoothing, exponents and weights can be. */
import type { Expr } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import type { Scalar } from "../../losses/spec.ts";

export interface Constants {
  /** Every finite number written in it or bound to a name. */
  readonly values: readonly number[];
  /** Exponents, and bounds of clamps and maxima. */
  readonly exponents: readonly number[];
  readonly bounds: readonly number[];
  /** What lists of numbers add up to, and the numbers that single values are multiplied by. */
  readonly totals: readonly number[];
  readonly names: ReadonlyMap<number, string>;
}

export function constantsOf(loss: Expr): Constants {
  const values = new Set<number>();
  const exponents = new Set<number>();
  const bounds = new Set<number>();
  const totals = new Set<number>();
  const multiplying: number[] = [];
  const names = new Map<number, string>();
  for (const e of topological(loss)) {
    addIf(values, numberOf(e));
    if (e.kind === "parameter" && e.value !== null && !names.has(e.value)) {
      names.set(e.value, e.name);
    }
    if (e.kind === "binary" && e.op === "pow") addIf(exponents, numberOf(e.args[1]!));
    if (e.kind === "binary" && e.op === "max") {
      for (const a of e.args) addIf(bounds, numberOf(a));
    }
    if (e.kind === "stack") addIf(totals, totalOf(e.args));
    if (e.kind === "binary" && e.op === "mul") {
      const [a, b] = [numberOf(e.args[0]!), numberOf(e.args[1]!)];
      if ((a === null) !== (b === null)) multiplying.push((a ?? b)!);
    }
    if (e.kind === "clamp") for (const a of e.args.slice(1)) addIf(bounds, numberOf(a));
  }
  const total = multiplying.reduce((a, b) => a + b, 0);
  // A weight of 1 is no factor that stands in the code.
  for (const t of multiplying.length > 1 ? [total, total + 1] : []) addIf(totals, t);
  return {
    values: [...values],
    exponents: [...exponents],
    bounds: [...bounds],
    totals: [...totals],
    names,
  };
}

function totalOf(numbers: readonly Expr[]): number | null {
  const own = numbers.map(numberOf);
  return own.some((v) => v === null) ? null : own.reduce<number>((a, b) => a + b!, 0);
}

function addIf(into: Set<number>, x: number | null): void {
  if (x !== null && Number.isFinite(x)) into.add(x);
}

/** The value of a number, or of a product, quotient, difference or power of such. */
export function numberOf(e: Expr): number | null {
  if (e.kind === "const") return e.value;
  if (e.kind === "parameter") return e.value;
  if (e.kind === "cast") return numberOf(e.args[0]!);
  if (e.kind === "unary" && e.op === "neg") {
    const v = numberOf(e.args[0]!);
    return v === null ? null : -v;
  }
  if (e.kind !== "binary") return null;
  const [a, b] = [numberOf(e.args[0]!), numberOf(e.args[1]!)];
  if (a === null || b === null) return null;
  switch (e.op) {
    case "mul":
      return a * b;
    case "div":
      return a / b;
    case "sub":
      return a - b;
    case "add":
      return a + b;
    case "pow":
      return a ** b;
    default:
      return null;
  }
}

/** Simple multiples in which one number can stand for another: halves of a smoothing, doubles. */
const MULTIPLES = [1, 2, 0.5, 4, 0.25];

/** The number of the code that x is, but for rounding: with its name where it has one. */
export function named(x: number, { values, names }: Constants, tolerance = 1e-6): Scalar {
  let found: Scalar = x;
  let closest = tolerance;
  for (const times of MULTIPLES) {
    for (const v of values) {
      const is = v * times;
      const apart = Math.abs(x - is);
      if (is === 0 || !(apart <= closest * Math.abs(is))) continue;
      // Of numbers that are equally near the first stays: the number itself before its double.
      if (found !== x && apart === closest * Math.abs(is)) continue;
      closest = apart / Math.abs(is);
      const name = names.get(v);
      if (name === undefined) found = is;
      else found = times === 1 ? { name, value: v } : { name, value: v, times };
      if (apart === 0) return found;
    }
  }
  return found;
}
