/** Products with axes named by number. */
import { einsum } from "../tensors/contraction.ts";
import { rankOf } from "../tensors/tensor.ts";
import { itemsOf } from "../tensors/tensor.ts";
import { knownInteger } from "../interpreter/known.ts";
import { elementwise } from "../tensors/elementwise.ts";
import { addAxis, flattenRange } from "../tensors/reshape.ts";
import type { TensorValue, Value } from "../values.ts";
import { range } from "./common.ts";
import type { CallContext } from "./signature.ts";

/** tensordot over the last n axes of one with the first n of the other, or over pairs of axes. */
export function tensorDot(c: CallContext, name: string): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  const [m, n] = [rankOf(a), rankOf(b)];
  const given = c.value(name);
  const pairs = itemsOf(given);
  const number = (v: Value): number => knownInteger(c.vm, v, `${c.name}()`);
  const list = (v: Value, rank: number): number[] =>
    (itemsOf(v) ?? [v]).map((x) => {
      const d = number(x);
      return d < 0 ? d + rank : d;
    });
  const count = pairs === null ? number(given) : 0;
  const left = pairs === null ? range(m - count, m) : list(pairs[0]!, m);
  const right = pairs === null ? range(0, count) : list(pairs[1]!, n);
  if (left.length !== right.length) {
    c.vm.fail("ValueError", "tensordot: the same number of axes must be named of both arrays");
  }
  const letter = (k: number): string => String.fromCharCode(97 + k);
  const first = range(0, m).map(letter);
  const second = range(0, n).map((d) => {
    const k = right.indexOf(d);
    return k >= 0 ? first[left[k]!]! : letter(m + d);
  });
  const kept = [
    ...first.filter((_, d) => !left.includes(d)),
    ...second.filter((_, d) => !right.includes(d)),
  ];
  const subscripts = `${first.join("")},${second.join("")}->${kept.join("")}`;
  return einsum(c.vm, subscripts, [a, b], c.library);
}

/** inner: over the last axes of both; a number multiplies. */
export function innerProduct(c: CallContext): Value {
  const [a, b] = [c.tensor("x"), c.tensor("y")];
  if (rankOf(a) === 0 || rankOf(b) === 0) return elementwise(c.vm, "mul", a, b, c.library);
  const letters = (from: number, count: number): string =>
    range(from, from + count)
      .map((k) => String.fromCharCode(97 + k))
      .join("");
  const first = letters(0, rankOf(a) - 1);
  const second = letters(rankOf(a) - 1, rankOf(b) - 1);
  return einsum(c.vm, `${first}z,${second}z->${first}${second}`, [a, b], c.library);
}

/** kron: each entry of one array times the whole other one, in the place of that entry. */
export function kronecker(c: CallContext, first: string, second: string): Value {
  const { vm } = c;
  const given = [c.tensor(first), c.tensor(second)];
  const rank = Math.max(...given.map(rankOf));
  const [a, b] = given.map((t) =>
    range(rankOf(t), rank).reduce<TensorValue>((wide) => addAxis(vm, wide, 0), t),
  );
  const outer = range(0, rank).reduce((t, d) => addAxis(vm, t, 2 * d + 1), a!);
  const inner = range(0, rank).reduce((t, d) => addAxis(vm, t, 2 * d), b!);
  const all = elementwise(vm, "mul", outer, inner, c.library);
  return range(0, rank).reduce((t, d) => flattenRange(vm, t, d, d + 1), all);
}
