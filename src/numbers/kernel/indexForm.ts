/**
 * Positions in an array as affine functions of loop variables: constant + Σ factor·variable. What
 * a reshape, transpose or slice does to a position is worked out on these forms when a kernel is
 * compiled; only what stays undetermined (a division that does not come out even) is left to the
 * generated code, as an extra variable.
 */

export interface Term {
  readonly variable: number;
  readonly factor: number;
}

/** Terms are sorted by variable and have factors other than 0. */
export interface IndexForm {
  readonly constant: number;
  readonly terms: readonly Term[];
}

/** Smallest and largest value of a variable, both included. */
export type Range = readonly [number, number];

export const ZERO_INDEX: IndexForm = { constant: 0, terms: [] };

export function constantIndex(constant: number): IndexForm {
  return { constant, terms: [] };
}

export function variableIndex(variable: number, factor = 1): IndexForm {
  return { constant: 0, terms: factor === 0 ? [] : [{ variable, factor }] };
}

export function addIndex(a: IndexForm, b: IndexForm): IndexForm {
  if (b.terms.length === 0 && b.constant === 0) return a;
  if (a.terms.length === 0 && a.constant === 0) return b;
  const factors = new Map<number, number>();
  for (const t of [...a.terms, ...b.terms]) {
    factors.set(t.variable, (factors.get(t.variable) ?? 0) + t.factor);
  }
  return { constant: a.constant + b.constant, terms: termsOf(factors) };
}

export function scaleIndex(a: IndexForm, by: number): IndexForm {
  if (by === 1) return a;
  if (by === 0) return ZERO_INDEX;
  return {
    constant: a.constant * by,
    terms: a.terms.map((t) => ({ variable: t.variable, factor: t.factor * by })),
  };
}

export function shiftIndex(a: IndexForm, by: number): IndexForm {
  return by === 0 ? a : { constant: a.constant + by, terms: a.terms };
}

function termsOf(factors: ReadonlyMap<number, number>): Term[] {
  return [...factors]
    .filter(([, factor]) => factor !== 0)
    .map(([variable, factor]) => ({ variable, factor }))
    .sort((p, q) => p.variable - q.variable);
}

export function indexKey(a: IndexForm): string {
  return `${a.constant}${a.terms.map((t) => `+${t.factor}*${t.variable}`).join("")}`;
}

/** The form with variables that can take one value only replaced by it. */
export function foldIndex(a: IndexForm, rangeOf: (variable: number) => Range): IndexForm {
  let constant = a.constant;
  const terms: Term[] = [];
  for (const t of a.terms) {
    const [lo, hi] = rangeOf(t.variable);
    if (lo === hi) constant += t.factor * lo;
    else terms.push(t);
  }
  return terms.length === a.terms.length ? a : { constant, terms };
}

/** Bounds of the form's value. */
export function indexRange(a: IndexForm, rangeOf: (variable: number) => Range): Range {
  let lo = a.constant;
  let hi = a.constant;
  for (const { variable, factor } of a.terms) {
    const [from, to] = rangeOf(variable);
    lo += factor * (factor > 0 ? from : to);
    hi += factor * (factor > 0 ? to : from);
  }
  return [lo, hi];
}

/** Quotient and remainder by `n` of a form that is never negative, if they are forms too. */
export function divideIndex(
  a: IndexForm,
  n: number,
  rangeOf: (variable: number) => Range,
): { readonly quotient: IndexForm; readonly remainder: IndexForm } | null {
  if (n === 1) return { quotient: a, remainder: ZERO_INDEX };
  const nearest = a.terms.map((t) => Math.round(t.factor / n));
  const fewest = a.terms.map((t, k) => (Math.abs(t.factor) < n ? 0 : nearest[k]!));
  const below = a.terms.map((t) => Math.floor(t.factor / n));
  for (const whole of [fewest, nearest, below]) {
    const parts = divided(a, n, whole, rangeOf);
    if (parts !== null) return parts;
  }
  return null;
}

/**
 * A variable may move along two axes at once, as what slides does along its own and its window's.
 * @param whole how many times each term's variable moves the quotient
 */
function divided(
  a: IndexForm,
  n: number,
  whole: readonly number[],
  rangeOf: (variable: number) => Range,
): { readonly quotient: IndexForm; readonly remainder: IndexForm } | null {
  const moving = (factors: readonly number[]): Term[] =>
    a.terms.flatMap(({ variable }, k) =>
      factors[k] === 0 ? [] : [{ variable, factor: factors[k]! }],
    );
  const uneven: IndexForm = {
    constant: a.constant,
    terms: moving(a.terms.map((t, k) => t.factor - whole[k]! * n)),
  };
  const [lo, hi] = indexRange(uneven, rangeOf);
  const times = Math.floor(lo / n);
  if (Math.floor(hi / n) !== times) return null;
  const quotient: IndexForm = { constant: times, terms: moving(whole) };
  return { quotient, remainder: shiftIndex(uneven, -times * n) };
}
