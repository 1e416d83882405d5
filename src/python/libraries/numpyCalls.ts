/** NumPy's functions that call others: for each entry, for each row, and between given points. */
import { broadcast } from "../../expression/axis.ts";
import { PythonError } from "../errors.ts";
import { defaultDType } from "../dtypes.ts";
import { call } from "../interpreter/calls.ts";
import { elementwise, select } from "../tensors/elementwise.ts";
import { indexBy } from "../tensors/gather.ts";
import { indexTensor } from "../tensors/indexing.ts";
import { moveAxes, reshapeTo } from "../tensors/reshape.ts";
import { asTensor, filled, rankOf, sizeNumbers, stackTensors } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, int } from "../values.ts";
import * as m from "./common.ts";
import { placesAmong } from "./numpyStatistics.ts";
import { axisOf } from "./picking.ts";
import type { Meaning, Table } from "./signature.ts";

/**
 * np.vectorize: the function gets whole arrays. What it makes of each entry is the same as long as it
 * works entry by entry, as functions of numbers do that do not ask for the number's value.
 */
const vectorized: Meaning = (c) => {
  const f = c.value("pyfunc");
  return {
    kind: "builtin",
    name: "np.vectorize()",
    call: (vm, { positional, keywords }) => {
      const arrays = positional.map((v) => asTensor(vm, v, "numpy"));
      if (arrays.every((t) => rankOf(t) === 0)) return call(vm, f, positional, keywords);
      let result: Value;
      try {
        result = call(vm, f, arrays, keywords);
      } catch (e) {
        vm.host.checkpoint(); // an interruption says nothing of the function
        if (!(e instanceof PythonError)) throw e;
        return vm.unsupported(
          `np.vectorize is supported only for functions that work on arrays as well: ${e.message}`,
          "Write it for arrays: np.where instead of if, np.maximum instead of max, np instead of math.",
        );
      }
      if (result.kind !== "number") return result;
      const shape = vm.shaped(() => arrays.map((t) => t.expr.shape).reduce(broadcast));
      return filled(vm, result, shape, "numpy", defaultDType(result.type, "numpy"));
    },
  };
};

const MOST_ROWS = 1000;

/** What a function makes of each line along an axis, which takes the place of that axis. */
const alongAxis: Meaning = (c) => {
  const { vm } = c;
  const x = c.tensor("arr");
  const d = axisOf(c, x, c.int("axis"));
  const moved = moveAxes(vm, x, [d], [-1]);
  const outer = sizeNumbers(moved).slice(0, -1);
  const count = m
    .range(0, outer.length)
    .reduce((n, k) => n * sizeAlong(vm, moved, k, `${c.name}()`), 1);
  if (count > MOST_ROWS) {
    return vm.unsupported(
      `${c.name}() over more than ${MOST_ROWS.toLocaleString("en")} lines is not supported`,
      "Write it for the whole array, with the axis named: np.sum(x, axis=1).",
    );
  }
  const lines = reshapeTo(vm, moved, [int(count), sizeNumbers(moved).at(-1)!]);
  const made = m.range(0, count).map((k) => {
    const v = call(vm, c.value("func1d"), [indexTensor(vm, lines, int(k)), ...c.list("args")]);
    return c.asOwn(v);
  });
  const all = stackTensors(vm, made, 0, c.library);
  const shaped = reshapeTo(vm, all, [...outer, ...sizeNumbers(all).slice(1)]);
  return rankOf(all) === 2 ? moveAxes(vm, shaped, [-1], [d]) : shaped;
};

/** np.interp: on the lines between points whose places increase, and level beyond the outer ones. */
const interpolated: Meaning = (c) => {
  const { vm, library } = c;
  const [x, places, heights] = [c.tensor("x"), c.tensor("xp"), c.tensor("fp")];
  const n = sizeAlong(vm, places, 0, `${c.name}()`);
  const two = (op: "add" | "sub" | "mul" | "div") => (a: Value, b: Value) =>
    elementwise(vm, op, a, b, library);
  const [add, sub, mul, div] = [two("add"), two("sub"), two("mul"), two("div")];
  const at = (t: TensorValue, k: TensorValue | number): TensorValue =>
    typeof k === "number" ? indexTensor(vm, t, int(k)) : indexBy(vm, t, [k], 0);
  const last = elementwise(
    vm,
    "min",
    elementwise(vm, "max", sub(placesAmong(c, places, x, true), int(1)), int(0)),
    int(n - 2),
  );
  const next = add(last, int(1));
  const rise = div(
    sub(at(heights, next), at(heights, last)),
    sub(at(places, next), at(places, last)),
  );
  const between = add(at(heights, last), mul(sub(x, at(places, last)), rise));
  const beyond = (op: "lt" | "gt", edge: number, name: string, rest: TensorValue): TensorValue => {
    const level = c.given(name) ? c.value(name) : at(heights, edge);
    return select(vm, elementwise(vm, op, x, at(places, edge)), level, rest, library);
  };
  return beyond("lt", 0, "left", beyond("gt", n - 1, "right", between));
};

/** Source: NumPy 2.4. */
export const numpyCalls: Table = {
  vectorize: ["pyfunc, ~otypes, ~doc, !excluded, ~cache, !signature", vectorized],
  apply_along_axis: ["func1d, axis, arr, *args", alongAxis],
  interp: ["x, xp, fp, left=None, right=None, !period", interpolated],
};
