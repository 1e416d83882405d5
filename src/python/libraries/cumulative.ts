/** What runs along an axis: products and logarithms of sums up to each entry, and areas below curves. */
import { elementwise, floatFunction } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, dropAxes } from "../tensors/reshape.ts";
import { cumulativeProduct, cumulativeSum } from "../tensors/sorting.ts";
import { rankOf } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, float } from "../values.ts";
import { range } from "./common.ts";
import { alongOrFlat, axisOf } from "./picking.ts";
import type { CallContext, Table } from "./signature.ts";

function runningProduct(c: CallContext): Value {
  const { x, dim } = alongOrFlat(c);
  return cumulativeProduct(c.vm, x, dim);
}

function logRunningSum(c: CallContext): Value {
  const powers = floatFunction(c.vm, "exp", c.tensor("x"), c.library);
  return floatFunction(c.vm, "log", cumulativeSum(c.vm, powers, c.dims("dim")![0]!), c.library);
}

/** Entries along `d` from a position on, `n` of them. */
function from(c: CallContext, t: TensorValue, d: number, at: number, n: number): TensorValue {
  return selectPositions(c.vm, t, d, range(at, at + n));
}

/** The sum over trapezia of the mean of two neighbours times the distance between their places. */
function trapezoid(c: CallContext): Value {
  const { vm } = c;
  const y = c.tensor("y");
  const d = axisOf(c, y, c.dims("dim")![0]!);
  const n = sizeAlong(vm, y, d, `${c.name}()`);
  if (c.library === "torch" && !c.given("x")) return evenly(c, y, d, n);
  const heights = elementwise(vm, "add", from(c, y, d, 1, n - 1), from(c, y, d, 0, n - 1));
  const widths = c.given("x") ? widthsOf(c, y, d, n) : c.value("dx");
  const isOne = widths.kind === "number" && widths.value === 1;
  const areas = isOne ? heights : elementwise(vm, "mul", widths, heights);
  return elementwise(vm, "div", reduction(vm, "sum", areas, [d], false), float(2));
}

/** Between places that are `dx` apart, as PyTorch adds it up: every entry, the outer two by half. */
function evenly(c: CallContext, y: TensorValue, d: number, n: number): Value {
  const { vm } = c;
  const [first, last] = [0, n - 1].map((k) => dropAxes(vm, from(c, y, d, k, 1), [d]));
  const outer = elementwise(vm, "mul", elementwise(vm, "add", first!, last!), float(0.5));
  const area = elementwise(vm, "sub", reduction(vm, "sum", y, [d], false), outer);
  return elementwise(vm, "mul", area, c.value("dx"));
}

/** The distances between places, which one array of one axis may give for all. */
function widthsOf(c: CallContext, y: TensorValue, d: number, n: number): TensorValue {
  const { vm } = c;
  const x = c.tensor("x");
  const at = rankOf(x) === 1 ? 0 : axisOf(c, x, d);
  if (sizeAlong(vm, x, at, `${c.name}()`) !== n) {
    vm.fail(
      c.library === "torch" ? "RuntimeError" : "ValueError",
      `${c.name}(): There must be one \`x\` value for each sample point`,
    );
  }
  const widths = elementwise(vm, "sub", from(c, x, at, 1, n - 1), from(c, x, at, 0, n - 1));
  if (rankOf(x) > 1) return widths;
  return Array.from({ length: rankOf(y) - 1 - d }).reduce<TensorValue>(
    (t) => addAxis(vm, t, -1),
    widths,
  );
}

/** Functions of torch and methods of its tensors. */
export const torchCumulative: Table = {
  cumprod: ["input, dim, *, !dtype, !out", runningProduct],
  logcumsumexp: ["input, dim, *, !out", logRunningSum],
};

/** Functions of torch alone. */
export const torchAreas: Table = {
  trapezoid: ["y, x=None, *, dx=1, dim=-1", trapezoid],
  trapz: ["y, x=None, *, dx=1, dim=-1", trapezoid],
};

/** NumPy's, of which JAX has all but the older name `trapz`. */
export const numpyCumulative: Table = {
  cumprod: ["a, axis=None, !dtype, !out", runningProduct],
  trapezoid: ["y, x=None, dx=1.0, axis=-1", trapezoid],
  trapz: ["y, x=None, dx=1.0, axis=-1", trapezoid],
};

/** TensorFlow's. */
export const tensorflowCumulative: Table = {
  cumulative_logsumexp: ["x, axis=0, !exclusive, !reverse, ~name", logRunningSum],
  cumprod: [
    "x, axis=0, exclusive=False, reverse=False, ~name",
    (c) =>
      cumulativeProduct(c.vm, c.tensor("x"), c.int("axis"), {
        exclusive: c.flag("exclusive"),
        reverse: c.flag("reverse"),
      }),
  ],
};
