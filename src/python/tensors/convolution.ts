/** Convolutions, channels first: sums over windows of all channels, of groups, or of each by itself. */
import { UNIT } from "../../expression/axis.ts";
import { reshape } from "../../expression/build.ts";
import type { Window } from "../../expression/window.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { type TensorValue, int } from "../values.ts";
import { einsum } from "./contraction.ts";
import { elementwise } from "./elementwise.ts";
import { separableConvolution } from "./pooling.ts";
import { flattenRange, reshapeTo } from "./reshape.ts";
import { sizeNumber, tensor } from "./tensor.ts";
import { padAxis, sizeAlong, windowsOf } from "./windows.ts";

/**
 * @param weight (outputs, inputs of a group, …), the windows' axes last
 * @param groups into how many equal parts the channels fall, each of which has outputs of its own
 */
export function convolution(
  vm: Interpreter,
  x: TensorValue,
  weight: TensorValue,
  w: Window,
  groups: number,
  what: string,
): TensorValue {
  const n = w.size.length;
  const kernel = weight.expr.shape;
  const outputs = sizeAlong(vm, weight, 0, what);
  const across = sizeAlong(vm, weight, 1, what);
  const inputs = x.expr.shape[1]!.size;
  if ((inputs !== null && across * groups !== inputs) || outputs % groups !== 0) {
    vm.fail(
      x.library === "torch" ? "RuntimeError" : "ValueError",
      `${what}: windows over ${across} channels in ${groups} groups do not fit ${inputs ?? "the"} channels`,
    );
  }
  const isDepthwise = across === 1 && groups === outputs;
  const inTurn = isDepthwise ? separableConvolution(vm, x, weight, w, what) : null;
  if (inTurn !== null) return inTurn;
  const all = tensor(vm, windowsOf(vm, x, w, what), x.library, x.dtype);
  const [space, taps] = ["xyz".slice(0, n), "klm".slice(0, n)];
  const product = (how: string, windows: TensorValue, table: TensorValue): TensorValue =>
    einsum(vm, how, [windows, table], x.library);
  if (groups === 1) return product(`bi${space}${taps},oi${taps}->bo${space}`, all, weight);
  if (isDepthwise) {
    const e = vm.shaped(() => reshape(weight.expr, [kernel[0]!, ...kernel.slice(2)]));
    const table = tensor(vm, e, x.library, weight.dtype);
    return product(`bi${space}${taps},i${taps}->bi${space}`, all, table);
  }
  const apart = (t: TensorValue, dim: number, inner: number): TensorValue =>
    reshapeTo(
      vm,
      t,
      t.expr.shape.flatMap((a, d) => (d === dim ? [int(groups), int(inner)] : [sizeNumber(a)])),
    );
  const own = product(
    `bgi${space}${taps},goi${taps}->bgo${space}`,
    apart(all, 1, across),
    apart(weight, 0, outputs / groups),
  );
  return flattenRange(vm, own, 1, 2);
}

/** What is added to each channel of a convolution along n axes. */
export function biased(
  vm: Interpreter,
  result: TensorValue,
  bias: TensorValue,
  n: number,
): TensorValue {
  const units = Array.from({ length: n }, () => UNIT);
  const b = vm.shaped(() => reshape(bias.expr, [bias.expr.shape[0]!, ...units]));
  return elementwise(vm, "add", result, tensor(vm, b, result.library, bias.dtype));
}

/** An array padded by zeros as far as windows cannot do it themselves, and the padding that is left to them. */
export function withSides(
  vm: Interpreter,
  x: TensorValue,
  sides: readonly (readonly [before: number, after: number])[],
): { readonly x: TensorValue; readonly padding: readonly number[] } {
  if (sides.every(([before, after]) => before === after)) {
    return { x, padding: sides.map(([p]) => p) };
  }
  const wide = sides.reduce((t, own, k) => padAxis(vm, t, k + 2, own, "constant", 0), x);
  return { x: wide, padding: sides.map(() => 0) };
}
