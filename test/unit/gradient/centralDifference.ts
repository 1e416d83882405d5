/** Central differences in 100 digits: a second opinion on derivatives that shares nothing with them. */
import { big, evaluateBig } from "../../../src/expression/bignumber.ts";
import type { BigBinding, BigNumber } from "../../../src/expression/bignumber.ts";
import type { Expr } from "../../../src/expression/node.ts";

const DIGITS = 100;
const STEP = big("1e-20", DIGITS);

/** d loss / d entries of `name`, by (f(x + h) − f(x − h)) / 2h. */
export function centralDifferences(
  loss: Expr,
  name: string,
  bindings: ReadonlyMap<string, BigBinding>,
): BigNumber[] {
  const bound = bindings.get(name)!;
  return Array.from(bound.data, (_, k) => {
    const at = (shift: BigNumber): BigNumber => {
      const data = Array.from(bound.data, (v, j) =>
        j === k ? big(v, DIGITS).plus(shift) : big(v, DIGITS),
      );
      const moved = new Map(bindings).set(name, { shape: bound.shape, data });
      return evaluateBig(loss, moved, DIGITS).data[0]!;
    };
    return at(STEP).minus(at(STEP.neg())).div(STEP.times(2));
  });
}

/** Largest |a − b| in units of the largest entry (of 1 where all are smaller). */
export function largestGap(a: readonly BigNumber[], b: readonly BigNumber[]): number {
  const scale = Math.max(1, ...[...a, ...b].map((v) => v.abs().toNumber()));
  return Math.max(0, ...a.map((v, k) => v.minus(b[k]!).abs().toNumber())) / scale;
}
