/** How far two libraries' gradients of one function are apart, in units in the last place. */
import type { AutogradAgreement } from "../../report/schema.ts";

/** Bits of the significand, and the exponent of the smallest normal number. */
const FORMATS: Readonly<Record<string, { readonly bits: number; readonly least: number }>> = {
  float64: { bits: 53, least: -1022 },
  float32: { bits: 24, least: -126 },
  float16: { bits: 11, least: -14 },
  bfloat16: { bits: 8, least: -126 },
};

export interface Answered {
  readonly name: string;
  readonly dtype: string;
  readonly gradient: Float64Array;
}

/** Each pair of answers of one size. */
export function agreementsOf(answers: readonly Answered[]): AutogradAgreement[] {
  return answers.flatMap((a, k) =>
    answers
      .slice(k + 1)
      .filter((b) => b.gradient.length === a.gradient.length)
      .map((b) => agreement(a, b)),
  );
}

function agreement(a: Answered, b: Answered): AutogradAgreement {
  const bits = (dtype: string): number => FORMATS[dtype]?.bits ?? 53;
  const dtype = bits(a.dtype) <= bits(b.dtype) ? a.dtype : b.dtype;
  let [identical, maxUlps, maxAbs] = [0, 0, 0];
  for (let k = 0; k < a.gradient.length; k++) {
    const [x, y] = [a.gradient[k]!, b.gradient[k]!];
    if (Object.is(x, y) || x === y) {
      identical++;
      continue;
    }
    const apart = Math.abs(x - y);
    if (!Number.isFinite(apart)) continue;
    maxAbs = Math.max(maxAbs, apart);
    maxUlps = Math.max(maxUlps, apart / ulpOf(Math.max(Math.abs(x), Math.abs(y)), dtype));
  }
  const entries = a.gradient.length;
  return { a: a.name, b: b.name, dtype, identical, entries, maxUlps, maxAbs };
}

/** The distance of neighbouring numbers of a type at this magnitude. */
export function ulpOf(magnitude: number, dtype: string): number {
  const { bits, least } = FORMATS[dtype] ?? FORMATS["float64"]!;
  const exponent = magnitude === 0 ? least : Math.max(least, Math.floor(Math.log2(magnitude)));
  return 2 ** (exponent - bits + 1);
}
