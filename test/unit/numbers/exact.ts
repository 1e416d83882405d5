/** 120-digit arithmetic that the tests compare with: 64 that count, and some to cancel. */
import { type BigNumber, all, create } from "mathjs";

export const math = create(all!, { number: "BigNumber", precision: 120 });

/** A float64 as the number it is (not as its shortest decimal). */
export function exact(x: number): BigNumber {
  if (x === 0 || !Number.isFinite(x)) return math.bignumber(String(x));
  const exponent = Math.max(-1074, Math.floor(Math.log2(Math.abs(x))) - 53);
  // Scaled in two steps: 2^-exponent alone can be out of range.
  const half = Math.trunc(exponent / 2);
  const m = BigInt(x / 2 ** half / 2 ** (exponent - half));
  const power = math.pow(math.bignumber(2), math.bignumber(exponent)) as BigNumber;
  return math.multiply(math.bignumber(m.toString()), power) as BigNumber;
}

/** The value of a double-double. */
export function exactDD(hi: number, lo: number): BigNumber {
  return math.add<BigNumber>(exact(hi), exact(lo));
}

/** |a − b|/|b|, or |a − b| where b is 0. */
export function relativeError(a: BigNumber, b: BigNumber): number {
  const d = a.minus(b).abs();
  return (b.isZero() ? d : d.div(b.abs())).toNumber();
}
