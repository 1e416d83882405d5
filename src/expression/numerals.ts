/**
 * How a number is written in a formula: integers plain, small and large ones as m·10^k, and the
 * fraction a person would write where floating point only has its nearest neighbour (1/3).
 */

export type Numeral =
  | { readonly kind: "plain"; readonly digits: string }
  | { readonly kind: "power"; readonly mantissa: string; readonly exponent: number }
  | { readonly kind: "fraction"; readonly numerator: string; readonly denominator: string }
  | { readonly kind: "infinity" }
  | { readonly kind: "nan" };

/** A number computed in float64 is this close (relative) to what its author meant. */
const NOISE = 4 * Number.EPSILON;
const LARGEST_PLAIN_ZEROS = 6;

/** The numeral for |value|; the sign is the caller's business, as it decides between + and −. */
export function numeralOf(value: number): Numeral {
  const v = Math.abs(value);
  if (Number.isNaN(v)) return { kind: "nan" };
  if (v === Infinity) return { kind: "infinity" };
  if (Number.isInteger(v) && v < 1e15) {
    const digits = String(v);
    const zeros = /0*$/.exec(digits)![0].length;
    return zeros < LARGEST_PLAIN_ZEROS || v === 0 ? { kind: "plain", digits } : decimal(v);
  }
  // Digits that only say how 0.1 + 0.2 was rounded are not shown.
  const short = Number(v.toPrecision(14));
  const clean = Math.abs(short - v) <= NOISE * v ? short : v;
  if (significantDigits(clean) <= 3) return decimal(clean);
  const fraction = asFraction(v);
  return fraction === null
    ? decimal(clean)
    : {
        kind: "fraction",
        numerator: String(fraction[0]),
        denominator: String(fraction[1]),
      };
}

function decimal(v: number): Numeral {
  const [mantissa, exponentText] = v.toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  const plain = exponent >= -4 && exponent < 15 && !(v >= 1e6 && significantDigits(v) <= 3);
  return plain ? { kind: "plain", digits: String(v) } : { kind: "power", mantissa, exponent };
}

function significantDigits(v: number): number {
  return v.toExponential().split("e")[0]!.replace(".", "").length;
}

/**
 * n/d with a small numerator or a small divisor that is close to `v`, which is positive; or null. Such
 * values come from means.
 * @param noise how close, relative to it
 */
export function asFraction(
  v: number,
  noise = NOISE,
  largestDivisor = 360,
): [numerator: number, divisor: number] | null {
  for (let n = 1; n <= 12; n++) {
    const d = Math.round(n / v);
    if (d > 1 && d < 1e12 && Math.abs(n / d - v) <= noise * v && gcd(n, d) === 1) return [n, d];
  }
  for (let d = 2; d <= largestDivisor; d++) {
    const n = Math.round(v * d);
    if (n > 0 && n < 1e4 && Math.abs(n / d - v) <= noise * v) return [n, d];
  }
  return null;
}

/** Greatest common divisor of two whole numbers. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
