/** Numbers as a person reads them. */
import type { Report, Statistic } from "../report/schema.ts";

/** What stands where there is no number: not finite, or not defined. */
export const NO_NUMBER = "undefined";

/** At most `digits` significant digits, without trailing zeros. */
export function formatNumber(x: number | null, digits = 6): string {
  if (x === null) return NO_NUMBER;
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
  const small = Math.abs(x) < 1e-3;
  const text = (small ? x.toExponential(digits - 1) : x.toPrecision(digits)).replace("e+", "e");
  if (text.includes("e")) return text.replace(/\.?0+e/, "e");
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A loss with all its digits and the bound of its rounding: "0.25 ± 3e-17". */
export function formatLoss({ value, error }: Report["loss"]): string {
  const known = value !== null && error !== undefined && error !== null;
  return `${formatNumber(value, 17)}${known ? ` ± ${formatNumber(error, 1)}` : ""}`;
}

/** At most `digits` significant digits, and the bound of the number's rounding where it reaches them. */
export function formatKnown({ value, error }: Statistic, digits: number): string {
  const text = formatNumber(value, digits);
  if (value === null || error === undefined || error === null) return text;
  const last = value === 0 ? 0 : 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits);
  return error > last / 2 ? `${text} ± ${formatNumber(error, 2)}` : text;
}

/**
 * How to write all numbers of a table's column alike, so that they can be compared at a glance:
 * with the same number of decimals where they are of a readable size, else in powers of ten.
 */
export function columnFormat(values: readonly (number | null)[]): (x: number | null) => string {
  let largest = 0;
  let whole = true;
  // Bounds have two digits, and more of them would claim to know more.
  let digits = 1;
  for (const x of values) {
    if (x === null) continue;
    if (Number(x.toPrecision(2)) !== x) digits = 5;
    largest = Math.max(largest, Math.abs(x));
    whole &&= Number.isInteger(x);
  }
  if (whole && largest < 1e15) return (x) => (x === null ? NO_NUMBER : String(x));
  const exponent = largest === 0 ? 0 : Math.floor(Math.log10(largest));
  const decimals = Math.max(0, 6 - Math.max(0, exponent));
  const fixed = exponent >= -3 && exponent < 6;
  // A value that fixed decimals would rob of its digits is written in powers of ten all the same.
  const readable = 10 ** -Math.max(0, decimals - 2);
  return (x) => {
    if (x === null) return NO_NUMBER;
    if (x === 0) return "0";
    return fixed && Math.abs(x) >= readable
      ? x.toFixed(decimals)
      : x.toExponential(digits).replace("e+", "e");
  };
}

/** A count with thin spaces between groups of three digits. */
export function formatCount(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export function formatIndex(index: readonly number[]): string {
  return `[${index.join(", ")}]`;
}

/** "1 slice", "2 slices". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`;
}

/** A power of ten in superscript digits, e.g. "10⁻⁶". */
export function powerOfTen(exponent: number): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const raised = String(exponent).replace(/./g, (c) => (c === "-" ? "⁻" : digits[Number(c)]!));
  return `10${raised}`;
}
