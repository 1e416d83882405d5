/** What goes wrong in a number type, in words with numbers: read off the operations as performed. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import type { ElementType } from "../../expression/tape.ts";
import type { Performance, Performed } from "../../numbers/precision/forward.ts";
import { type Held, countOf, isFloat, rounder, valuesOf } from "../../numbers/precision/held.ts";
import { every, firstWhere, parts } from "../../numbers/interruption.ts";
import { groupOf } from "../../numbers/precision/reductions.ts";
import { type Dialect, decimal, grouped } from "./words.ts";

export interface Finding {
  readonly id: string;
  /** Findings with one key are one, whatever rung or line they are of; absent: the sentence. */
  readonly key?: string;
  readonly severity: "error" | "warning" | "information";
  readonly sentence: string;
  /** Of the operation; null: no one of them. */
  readonly span: SourceSpan | null;
  readonly fix: string | null;
}

/** Largest finite value, and the smallest one above zero. */
const LIMITS: Partial<Readonly<Record<ElementType, readonly [largest: number, least: number]>>> = {
  float16: [65504, 2 ** -24],
  bfloat16: [(2 - 2 ** -7) * 2 ** 127, 2 ** -133],
  float32: [(2 - 2 ** -23) * 2 ** 127, 2 ** -149],
};

const BITS: Partial<Readonly<Record<ElementType, number>>> = {
  float16: 11,
  bfloat16: 8,
  float32: 24,
  float64: 53,
};

export function largestOf(dtype: ElementType): number {
  return LIMITS[dtype]?.[0] ?? Number.MAX_VALUE;
}

export function leastOf(dtype: ElementType): number {
  return LIMITS[dtype]?.[1] ?? Number.MIN_VALUE;
}

/** Half the distance between 1 and the next number. */
export function unitOf(dtype: ElementType): number {
  return 2 ** -(BITS[dtype] ?? 53);
}

/** Distance between neighbouring numbers of a type at `x`. */
export function spacingAt(x: number, dtype: ElementType): number {
  const exponent = Math.floor(Math.log2(Math.abs(x)));
  return Math.max(2 ** (exponent + 1) * unitOf(dtype), leastOf(dtype));
}

/**
 * What goes wrong in the forward pass.
 * @param wide the same operations in float64, where they are the same ones
 * @param tick called before each operation with the share that is done
 */
export function forwardFindings(
  own: Performance,
  wide: Performance | null,
  dialect: Dialect,
  tick?: (done: number) => void,
): Finding[] {
  const beside = wide?.performed.length === own.performed.length ? wide.performed : null;
  let overflown = false;
  return own.performed.flatMap((one, k) => {
    tick?.(k / own.performed.length);
    const exact = beside?.[k] ?? null;
    const found = [...numberFindings(one, dialect)];
    const large = overflown ? null : overflow(one, exact, dialect);
    if (large !== null) {
      overflown = true;
      found.push(large);
    }
    const lost = overflown ? null : accumulation(one, exact, dialect);
    if (lost !== null) found.push(lost);
    return found;
  });
}

/** An operation whose result is infinite and would not be. */
function overflow(
  { entry, values }: Performed,
  exact: Performed | null,
  { module, single }: Dialect,
): Finding | null {
  const result = values.get(entry.value)!;
  const right = exact?.values.get(exact.entry.value) ?? null;
  if (!isFloat(result.dtype) || right === null) return null;
  const [ours, theirs] = [valuesOf(result), valuesOf(right)];
  if (ours.length !== theirs.length) return null;
  const at = firstWhere(
    ours.length,
    (k) => !Number.isFinite(ours[k]!) && Number.isFinite(theirs[k]!),
  );
  if (at < 0 || Number.isNaN(ours[at]!)) return null;
  const most = largestOf(result.dtype);
  const what = nounOf(entry.value);
  return {
    id: "overflow",
    severity: "error",
    sentence:
      `the ${what} is ${grouped(theirs[at]!)}, and ${result.dtype} ends at ${grouped(most)}: ` +
      "it becomes infinite",
    span: entry.span,
    fix:
      what === "sum"
        ? `Sum in float32: x.sum(dtype=${module}.float32), or convert first: ${single("x")}.sum().`
        : `Compute this in float32: convert its operands with ${single("")}.`,
  };
}

function nounOf(e: Expr): string {
  if (e.kind === "reduce") return e.op === "mean" ? "mean" : e.op === "prod" ? "product" : "sum";
  if (e.kind === "binary") {
    const nouns: Record<string, string> = {
      add: "sum",
      mul: "product",
      div: "quotient",
      pow: "power",
    };
    return nouns[e.op] ?? "result";
  }
  return e.kind === "unary" && e.op === "exp" ? "exponential" : "result";
}

/** Numbers in the code that the type does not have, or that change nothing. */
function numberFindings({ entry, parts, values }: Performed, dialect: Dialect): Finding[] {
  return parts.flatMap((e): Finding[] => {
    if (e.kind !== "binary" && e.kind !== "clamp") return [];
    const result = values.get(e)!;
    if (!e.args.every((a) => values.has(a))) return [];
    const arrays = e.args.map((a) => values.get(a)!);
    const dtype = arrays.find((x) => x.weak !== true && isFloat(x.dtype))?.dtype;
    if (dtype === undefined) return [];
    return e.args.flatMap((_, k): Finding[] => {
      const number = arrays[k]!;
      if (number.weak !== true) return [];
      const value = number.data[0]!;
      if (value === 0 || !Number.isFinite(value)) return [];
      const found = numberFinding(e, value, dtype, arrays[1 - k] ?? arrays[0]!, result, dialect);
      return found === null ? [] : [{ ...found, span: entry.span }];
    });
  });
}

function numberFinding(
  e: Extract<Expr, { kind: "binary" | "clamp" }>,
  value: number,
  dtype: ElementType,
  other: Held,
  result: Held,
  { module, single, clamp }: Dialect,
): Omit<Finding, "span"> | null {
  const rounded = rounder(dtype)(value);
  const isBound = e.kind === "clamp" || e.op === "max" || e.op === "min";
  const isSum = e.kind === "binary" && (e.op === "add" || e.op === "sub");
  if (!isBound && !isSum) return null;
  if (!Number.isFinite(rounded)) {
    return {
      id: "number-too-large",
      severity: "error",
      sentence: `${String(value)} is more than ${dtype} can hold (${grouped(largestOf(dtype))})`,
      fix: `Use a number below ${grouped(largestOf(dtype))}, or ${module}.finfo(x.dtype).min.`,
    };
  }
  if (rounded === 0) {
    return {
      id: "epsilon-zero",
      key: `zero ${value} ${dtype}`,
      severity: "error",
      sentence:
        `${String(value)} is zero in ${dtype}, whose smallest number is ${decimal(leastOf(dtype))}` +
        (isBound ? ": the bound guards nothing" : ": nothing is added"),
      fix:
        dtype === "float16"
          ? `Use 1e-4 or more, or compute this in float32: ${single("x")}.`
          : `Use a larger number, or compute this in float32: ${single("x")}.`,
    };
  }
  if (isBound && rounded === 1 && value !== 1) {
    return {
      id: "guard-gone",
      severity: "warning",
      sentence:
        `${String(value)} is exactly 1 in ${dtype} (the next number below 1 is ` +
        `${decimal(1 - unitOf(dtype))}): the bound guards nothing`,
      fix: `Clamp in float32: ${single("x")}.${clamp}(…).`,
    };
  }
  if (!isSum || Math.abs(value) >= 1e-2) return null;
  const [before, after] = [valuesOf(other), valuesOf(result)];
  if (before.length !== after.length || before.length === 0) return null;
  const absorbed = every(
    after.length,
    (k) => Math.abs(after[k]!) === Math.abs(before[k]!) && after[k] !== 0,
  );
  if (!absorbed) return null;
  let most = Infinity;
  for (const [first, end] of parts(before.length)) {
    for (let k = first; k < end; k++) most = Math.min(most, Math.abs(before[k]!));
  }
  if (!Number.isFinite(most)) return null;
  return {
    id: "absorbed",
    key: `absorbed ${value} ${dtype}`,
    severity: "information",
    sentence:
      `${String(value)} is absorbed exactly: added to ${grouped(most)}, where the numbers of ` +
      `${dtype} are ${decimal(spacingAt(most, dtype))} apart, it changes nothing`,
    fix: null,
  };
}

/** A sum that has lost digits on the way, beyond the rounding of its terms and its result. */
function accumulation(
  { entry, values }: Performed,
  exact: Performed | null,
  { module }: Dialect,
): Finding | null {
  const e = entry.value;
  if (e.kind !== "reduce" || (e.op !== "sum" && e.op !== "mean") || exact === null) return null;
  const terms = values.get(e.args[0]!)!;
  const result = values.get(e)!;
  const { dtype } = result;
  if (!isFloat(dtype) || dtype === "float64" || terms.dtype !== dtype) return null;
  const own = valuesOf(result);
  const n = countOf(terms.shape) / Math.max(own.length, 1);
  if (e.op === "mean") return null;
  // Against the same terms, so that only the adding is judged; the worst sum stands for all.
  const right = exactSums(terms, e.dims, own.length);
  const errors = own.map((x, k) => Math.abs(x - right[k]!) / Math.abs(right[k]!));
  const worst = errors.reduce((best, x, k) => (x > errors[best]! ? k : best), 0);
  const digits = Math.floor(Math.log10(errors[worst]! / unitOf(dtype)));
  if (!Number.isFinite(digits) || digits < 2) return null;
  const [got, wanted] = [own[worst]!, right[worst]!];
  const numbers = `adding ${grouped(n)} numbers in ${dtype}`;
  return {
    id: "accumulation",
    severity: "warning",
    sentence: hasStopped(got, wanted, dtype, n)
      ? `${numbers} one after the other stops at ${grouped(got)}, where the numbers of ${dtype} are ${decimal(spacingAt(got, dtype))} apart, so that adding what is left changes nothing; the sum is ${grouped(wanted)}`
      : `${numbers} loses ${digits} digits: ${decimal(got)} instead of ${decimal(wanted)}`,
    span: entry.span,
    fix: `Add in float64: x.sum(dtype=${module}.float64), then convert the sum.`,
  };
}

/** Whether a sum of positive numbers is where terms of their mean size no longer change it. */
function hasStopped(got: number, right: number, dtype: ElementType, n: number): boolean {
  return got > 0 && right > got && rounder(dtype)(got + right / n) === got;
}

/** Of each group of a reduction, by compensated summation (Neumaier). */
function exactSums(terms: Held, dims: readonly number[], count: number): Float64Array {
  const [sums, rests] = [new Float64Array(count), new Float64Array(count)];
  const to = groupOf(terms.shape, dims);
  const values = valuesOf(terms);
  for (const [first, end] of parts(values.length)) {
    for (let k = first; k < end; k++) {
      const x = values[k]!;
      const at = to[k]!;
      const sum = sums[at]!;
      const next = sum + x;
      rests[at]! += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
      sums[at] = next;
    }
  }
  return sums.map((x, k) => x + rests[k]!);
}
