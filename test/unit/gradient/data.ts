/** Seeded random arrays and plain forward losses for tests of the numeric check. */

/** Uniform numbers in [0, 1), the same for the same seed. */
export function uniform(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let x = Math.imul(s ^ (s >>> 15), s | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

export function normal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface Masks {
  readonly p: Float64Array;
  readonly t: Float64Array;
}

/** Targets with 5 % foreground (at least one voxel) and probabilities that lean towards them. */
export function masks(n: number, seed: number, sharpness = 2): Masks {
  const random = uniform(seed);
  const gauss = normal(random);
  const p = new Float64Array(n);
  const t = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    t[i] = random() < 0.05 ? 1 : 0;
    if (i === 0) t[i] = 1;
    const z = sharpness * (t[i]! > 0 ? 1 : -1) + gauss();
    p[i] = 1 / (1 + Math.exp(-z));
  }
  return { p, t };
}

/** Pairwise sum with every operation rounded by `round`. */
export function pairwise(
  term: (i: number) => number,
  from: number,
  to: number,
  round: (x: number) => number,
): number {
  if (to - from <= 64) {
    let s = 0;
    for (let i = from; i < to; i++) s = round(s + term(i));
    return s;
  }
  const middle = from + ((to - from) >> 1);
  return round(pairwise(term, from, middle, round) + pairwise(term, middle, to, round));
}

export const exact = (x: number): number => x;

/** 1 − (2I + s)/(U + s) with U of plain or squared sums. */
export function dice(
  p: ArrayLike<number>,
  t: ArrayLike<number>,
  smooth: number,
  squared = false,
  round: (x: number) => number = exact,
): number {
  const n = p.length;
  const i = pairwise((k) => round(p[k]! * t[k]!), 0, n, round);
  const u = squared
    ? pairwise((k) => round(round(p[k]! * p[k]!) + round(t[k]! * t[k]!)), 0, n, round)
    : pairwise((k) => round(p[k]! + t[k]!), 0, n, round);
  return round(1 - round(round(round(2 * i) + smooth) / round(u + smooth)));
}

/** The gradient of `dice` by p, by its formula. */
export function diceGradient({ p, t }: Masks, smooth: number, squared = false): Float64Array {
  const n = p.length;
  const i = pairwise((k) => p[k]! * t[k]!, 0, n, exact);
  const u = pairwise((k) => (squared ? p[k]! ** 2 + t[k]! ** 2 : p[k]! + t[k]!), 0, n, exact);
  const b = u + smooth;
  return Float64Array.from(
    p,
    (x, k) => (-2 * t[k]!) / b + ((squared ? 2 * x : 1) * (2 * i + smooth)) / (b * b),
  );
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return pairwise((k) => a[k]! * b[k]!, 0, a.length, exact);
}
