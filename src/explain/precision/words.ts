/** Numbers in sentences about number types, and how code says what to do about them. */

/** A library's words in code. */
export interface Dialect {
  readonly module: string;
  /** `x` in float32. */
  readonly single: (x: string) => string;
  readonly clamp: string;
  /** What the loss's own arithmetic is to be in, in one call. */
  readonly singleLoss: string;
}

export const DIALECTS: Readonly<Record<"torch" | "numpy", Dialect>> = {
  torch: {
    module: "torch",
    single: (x) => `${x}.float()`,
    clamp: "clamp",
    singleLoss: "loss(x.float(), t.float())",
  },
  numpy: {
    module: "np",
    single: (x) => `${x}.astype(np.float32)`,
    clamp: "clip",
    singleLoss: "loss(x.astype(np.float32), t.astype(np.float32))",
  },
};

/** 65504 → "65,504"; large and fractional ones to a few digits. */
export function grouped(x: number): string {
  if (!Number.isFinite(x)) return wordsOf(x);
  const size = Math.abs(x);
  if (size >= 1e12 || (size < 1e-3 && x !== 0)) return decimal(x);
  return size >= 1000 ? Math.round(x).toLocaleString("en") : decimal(x);
}

/** To four significant digits, as a person writes it: 1e-8, 0.001. */
export function decimal(x: number): string {
  if (!Number.isFinite(x)) return wordsOf(x);
  const short = Number(x.toPrecision(5));
  const text = String(short);
  return text.includes("e") || Math.abs(short) < 1e-4
    ? short === 0
      ? "0"
      : short.toExponential().replace("e+", "e")
    : text;
}

export function wordsOf(x: number): string {
  return Number.isNaN(x) ? "NaN" : x > 0 ? "infinity" : "-infinity";
}
