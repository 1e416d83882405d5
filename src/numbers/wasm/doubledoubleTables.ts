/** The tables of `../doubledoubleTables.ts` as vectors look things up in them. */
import {
  COARSE_HALF,
  FINE_HALF,
  FINE_LOG_HALF,
  LOG_FIRST,
  type Table,
  tables,
} from "../doubledoubleTables.ts";
import type { PairTable } from "./doubledouble.ts";

function pairs({ high, low }: Table, first: number): PairTable {
  const both = new Float64Array(2 * high.length);
  high.forEach((x, k) => {
    both[2 * k] = x;
    both[2 * k + 1] = low[k]!;
  });
  return { bytes: new Uint8Array(both.buffer), first };
}

function once<T>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}

/** ln 2 in three parts, and e^(k/64), e^(k/4096) and e^(k/2^18). */
export const POWERS = once(() => {
  const t = tables();
  return {
    ln2: t.ln2,
    tables: [pairs(t.coarse, -COARSE_HALF), pairs(t.fine, -FINE_HALF), pairs(t.finest, -FINE_HALF)],
  };
});

/** log(k/64) and log(1 + k/4096). */
export const POWER_LOGS = once(() => {
  const t = tables();
  return { coarse: pairs(t.logs, LOG_FIRST), fine: pairs(t.fineLogs, -FINE_LOG_HALF) };
});
