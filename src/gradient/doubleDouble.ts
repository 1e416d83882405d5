/** Double-double as a kind of number that expressions can be evaluated over, one entry at a time. */
import type { Arithmetic } from "../expression/interpret.ts";
import { LOW } from "../numbers/doubledouble.ts";
import { BINARY_DD, UNARY_DD } from "../numbers/referenceFunctions.ts";

/** The unevaluated sum hi + lo. */
export interface DD {
  readonly hi: number;
  readonly lo: number;
}

/** The result whose high part a double-double function just returned. */
const taken = (hi: number): DD => ({ hi, lo: LOW[0]! });

export const doubleDouble: Arithmetic<DD> = {
  of: (value) => ({ hi: value, lo: 0 }),
  unary: (op, x) => taken(UNARY_DD[op](x.hi, x.lo)),
  binary: (op, x, y) => taken(BINARY_DD[op](x.hi, x.lo, y.hi, y.lo)),
  truthy: (x) => x.hi !== 0,
  isNaN: (x) => Number.isNaN(x.hi),
  toNumber: (x) => (x.lo === 0 && Number.isInteger(x.hi) ? x.hi : NaN),
};
