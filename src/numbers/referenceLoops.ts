/** Loops over arrays of double-double numbers, one for each kind of node. */
import type { ReduceOp } from "../expression/node.ts";
import { LOW, addDD, divDD, mulDD, subDD, truncDD } from "./doubledouble.ts";
import { type BinaryDD, BINARY_DD, type UnaryDD } from "./referenceFunctions.ts";

/** An array of values; `lo` is `EXACT` where all are float64. */
export interface Value {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
  /** 0 where one entry stands for all, else 1. */
  readonly step: 0 | 1;
  readonly lowStep: 0 | 1;
  /** May be overwritten when nothing needs it any more. */
  readonly owned: boolean;
  uses: number;
}

/** The low parts of numbers that are exact. */
export const EXACT = new Float64Array(1);

function put(out: Value, k: number, hi: number): void {
  out.hi[k] = hi;
  if (out.lo !== EXACT) out.lo[k] = LOW[0]!;
}

export function unaryLoop(f: UnaryDD, x: Value, out: Value, from: number, to: number): void {
  for (let k = from; k < to; k++) put(out, k, f(x.hi[k * x.step]!, x.lo[k * x.lowStep]!));
}

export function binaryLoop(
  f: BinaryDD,
  x: Value,
  y: Value,
  out: Value,
  from: number,
  to: number,
): void {
  // A loop of its own for each frequent operation, so that the engine puts it in place.
  const { hi: xh, lo: xl, step: xs, lowStep: xt } = x;
  const { hi: yh, lo: yl, step: ys, lowStep: yt } = y;
  const { hi, lo } = out;
  if (f === addDD) {
    for (let k = from; k < to; k++) {
      hi[k] = addDD(xh[k * xs]!, xl[k * xt]!, yh[k * ys]!, yl[k * yt]!);
      lo[k] = LOW[0]!;
    }
  } else if (f === subDD) {
    for (let k = from; k < to; k++) {
      hi[k] = addDD(xh[k * xs]!, xl[k * xt]!, -yh[k * ys]!, -yl[k * yt]!);
      lo[k] = LOW[0]!;
    }
  } else if (f === mulDD) {
    for (let k = from; k < to; k++) {
      hi[k] = mulDD(xh[k * xs]!, xl[k * xt]!, yh[k * ys]!, yl[k * yt]!);
      lo[k] = LOW[0]!;
    }
  } else if (f === divDD) {
    for (let k = from; k < to; k++) {
      hi[k] = divDD(xh[k * xs]!, xl[k * xt]!, yh[k * ys]!, yl[k * yt]!);
      lo[k] = LOW[0]!;
    }
  } else {
    for (let k = from; k < to; k++) {
      put(out, k, f(xh[k * xs]!, xl[k * xt]!, yh[k * ys]!, yl[k * yt]!));
    }
  }
}

export function whereLoop(
  c: Value,
  x: Value,
  y: Value,
  out: Value,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k++) {
    const v = c.hi[k * c.step] !== 0 ? x : y;
    out.hi[k] = v.hi[k * v.step]!;
    out.lo[k] = v.lo[k * v.lowStep]!;
  }
}

export function clampLoop(
  x: Value,
  low: Value,
  high: Value,
  out: Value,
  from: number,
  to: number,
): void {
  const { max, min } = BINARY_DD;
  for (let k = from; k < to; k++) {
    const raised = max(
      x.hi[k * x.step]!,
      x.lo[k * x.lowStep]!,
      low.hi[k * low.step]!,
      low.lo[k * low.lowStep]!,
    );
    put(out, k, min(raised, LOW[0]!, high.hi[k * high.step]!, high.lo[k * high.lowStep]!));
  }
}

/** Functions that a cast to int or bool applies. */
export const CAST_DD: Readonly<Record<"int" | "bool", UnaryDD>> = {
  int: truncDD,
  bool: (xh) => {
    LOW[0] = 0;
    return xh !== 0 ? 1 : 0;
  },
};

/** How a reduction goes on from what it has and one more entry. */
export function combiner(op: Exclude<ReduceOp, "mean">): BinaryDD {
  switch (op) {
    case "sum":
      return addDD;
    case "prod":
      return mulDD;
    case "max":
    case "min":
      return BINARY_DD[op];
    case "any":
      return BINARY_DD.or;
    case "all":
      return BINARY_DD.and;
  }
}

/** The value of a reduction of nothing. */
export function identityOf(op: Exclude<ReduceOp, "mean">): number {
  switch (op) {
    case "sum":
    case "any":
      return 0;
    case "prod":
    case "all":
      return 1;
    case "max":
      return -Infinity;
    case "min":
      return Infinity;
  }
}

/** Combines a stretch of entries into one result, or into as many results. */
export function reduceRun(
  f: BinaryDD,
  x: Value,
  out: Value,
  a: number,
  b: number,
  n: number,
  da: number,
  db: number,
): void {
  if (db !== 0) {
    for (let k = 0; k < n; k++) {
      const i = a + k * da;
      const o = b + k * db;
      put(out, o, f(out.hi[o]!, out.lo[o * out.lowStep]!, x.hi[i]!, x.lo[i * x.lowStep]!));
    }
    return;
  }
  let hi = out.hi[b]!;
  let lo = out.lo[b * out.lowStep]!;
  if (f === addDD) {
    for (let k = 0, i = a; k < n; k++, i += da) {
      hi = addDD(hi, lo, x.hi[i]!, x.lo[i * x.lowStep]!);
      lo = LOW[0]!;
    }
  } else {
    for (let k = 0, i = a; k < n; k++, i += da) {
      hi = f(hi, lo, x.hi[i]!, x.lo[i * x.lowStep]!);
      lo = LOW[0]!;
    }
  }
  LOW[0] = lo;
  put(out, b, hi);
}
