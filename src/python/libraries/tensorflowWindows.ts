/** Convolutions and padding as TensorFlow and Keras do them: channels last, windows' outputs last. */
import { iterate } from "../interpreter/iterate.ts";
import { knownInteger } from "../interpreter/known.ts";
import { biased, convolution, withSides } from "../tensors/convolution.ts";
import { elementwise } from "../tensors/elementwise.ts";
import { addAxis, flattenRange, moveAxes } from "../tensors/reshape.ts";
import { itemsOf, rankOf } from "../tensors/tensor.ts";
import { type PadMode, padAxis, sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, int, tuple } from "../values.ts";
import { hasChannelsFirst, isSame, numbers, sidesFor } from "./channelsLast.ts";
import type { CallContext, Entry, Meaning, Table } from "./signature.ts";

interface Given {
  readonly strides: Value;
  readonly padding: Value;
  readonly dilation: Value;
  readonly format: Value;
}

/** @param weight (…, inputs, outputs); of depthwise ones (…, inputs, outputs of each) */
function convolved(
  c: CallContext,
  x: TensorValue,
  weight: TensorValue,
  given: Given,
  depthwise: boolean,
): TensorValue {
  const { vm } = c;
  const what = `${c.name}()`;
  const n = rankOf(weight) - 2;
  if (n < 1 || rankOf(x) !== n + 2) {
    vm.fail(
      "ValueError",
      `${what} takes as many axes of the array as of the windows, not ${rankOf(x)} and ${n + 2}`,
      "The array has a batch, space and channels; the windows have space, channels and outputs.",
    );
  }
  const channelsFirst = hasChannelsFirst(given.format);
  const each = (v: Value): number[] => numbers(c, v.kind === "none" ? int(1) : v, n, channelsFirst);
  const [stride, dilation] = [each(given.strides), each(given.dilation)];
  const size = stride.map((_, k) => sizeAlong(vm, weight, k, what));
  const whole = channelsFirst ? x : moveAxes(vm, x, [-1], [1]);
  const sides = around(c, given.padding, channelsFirst, (k) => {
    const reach = (size[k]! - 1) * dilation[k]! + 1;
    return sidesFor(sizeAlong(vm, whole, k + 2, what), reach, stride[k]!);
  });
  const { x: first, padding } = withSides(vm, whole, sides ?? size.map(() => [0, 0] as const));
  const w = { size, stride, padding, dilation };
  const result = depthwise
    ? convolution(vm, first, byChannel(c, weight, n), w, sizeAlong(vm, weight, n, what), what)
    : convolution(
        vm,
        first,
        moveAxes(vm, weight, [-1, -2], [0, 1]),
        w,
        groupsIn(first, weight),
        what,
      );
  return channelsFirst ? result : moveAxes(vm, result, [1], [-1]);
}

/** Padding before and after along each axis of space; null for none. */
function around(
  c: CallContext,
  given: Value,
  channelsFirst: boolean,
  same: (k: number) => readonly [number, number],
): (readonly [number, number])[] | null {
  if (itemsOf(given) === null) {
    if (!isSame(c, given)) return null;
    return Array.from({ length: rankOf(c.tensor("x")) - 2 }, (_, k) => same(k));
  }
  const pairs = pairsOf(c, given);
  return channelsFirst ? pairs.slice(2) : pairs.slice(1, -1);
}

/** (…, inputs, outputs of each) as (inputs · outputs of each, 1, …). */
function byChannel(c: CallContext, weight: TensorValue, n: number): TensorValue {
  const front = moveAxes(c.vm, weight, [n, n + 1], [0, 1]);
  return addAxis(c.vm, flattenRange(c.vm, front, 0, 1), 1);
}

/** Windows over fewer channels than there are go over groups of them. */
function groupsIn(x: TensorValue, weight: TensorValue): number {
  const [have, over] = [x.expr.shape[1]!.size, weight.expr.shape.at(-2)!.size];
  if (have === null || over === null || have % over !== 0) return 1;
  return have / over;
}

/** @param weight how the function calls its windows */
export const convolves =
  (weight: string, dilation: string, depthwise = false): Meaning =>
  (c) => {
    const given = {
      strides: c.value(c.given("stride") ? "stride" : "strides"),
      padding: c.value("padding"),
      dilation: c.value(dilation),
      format: c.value("data_format"),
    };
    return convolved(c, c.tensor("x"), c.tensor(weight), given, depthwise);
  };

// Padding

const MODES: Readonly<Record<string, PadMode>> = {
  CONSTANT: "constant",
  REFLECT: "reflect",
  SYMMETRIC: "symmetric",
};

/** Pairs of amounts, one for each axis: lists, or an array of integers. */
function pairsOf(c: CallContext, given: Value): (readonly [number, number])[] {
  const known = (v: Value): number => knownInteger(c.vm, v, `${c.name}()`);
  const rows = itemsOf(given) ?? [...iterate(c.vm, given)];
  return rows.map((row) => {
    const [before, after] = (itemsOf(row) ?? [...iterate(c.vm, row)]).map(known);
    if (before === undefined || after === undefined) {
      return c.vm.fail("ValueError", `${c.name}() takes an amount before and one after each axis`);
    }
    return [before, after] as const;
  });
}

/** Every axis padded by the amounts before and after it. */
export function paddedBy(
  c: CallContext,
  x: TensorValue,
  pairs: readonly (readonly [number, number])[],
  how = "CONSTANT",
  value = 0,
): TensorValue {
  const mode = MODES[how.toUpperCase()];
  if (mode === undefined) {
    return c.vm.fail(
      "ValueError",
      `Value of argument mode expected to be one of ${Object.keys(MODES).join(", ")}. Received ${how}.`,
    );
  }
  if (pairs.length !== rankOf(x)) {
    c.vm.fail("ValueError", `${c.name}(): ${pairs.length} pairs do not fit ${rankOf(x)} axes`);
  }
  return pairs.reduce((t, sides, d) => {
    if (sides[0] === 0 && sides[1] === 0) return t;
    requireMirrored(c, t, d, sides, mode);
    return padAxis(c.vm, t, d, sides, mode, value);
  }, x);
}

/** What is mirrored has to be there. */
function requireMirrored(
  c: CallContext,
  x: TensorValue,
  d: number,
  sides: readonly [number, number],
  mode: PadMode,
): void {
  if (mode === "constant") return;
  const most = sizeAlong(c.vm, x, d, `${c.name}()`) - (mode === "reflect" ? 1 : 0);
  if (Math.max(...sides) <= most) return;
  c.vm.fail("InvalidArgumentError", `paddings must be no greater than ${most} along axis ${d}`);
}

const pad: Meaning = (c) => {
  const value = c.given("constant_values") ? c.number("constant_values") : 0;
  return paddedBy(c, c.tensor("tensor"), pairsOf(c, c.value("paddings")), c.text("mode"), value);
};

/** keras.ops.pad takes one amount for both sides, or one pair, of an array with one axis. */
const padAlike: Meaning = (c) => {
  const given = c.value("pad_width");
  const items = itemsOf(given) ?? [given, given];
  const isPair = items.every((v) => v.kind === "number");
  const pairs = pairsOf(c, isPair ? tuple([tuple(items)]) : given);
  const value = c.given("constant_values") ? c.number("constant_values") : 0;
  return paddedBy(c, c.tensor("x"), pairs, c.text("mode"), value);
};

/** What is added to each channel. */
const biasAdded: Meaning = (c) => {
  const [x, bias] = [c.tensor("x"), c.tensor("bias")];
  if (hasChannelsFirst(c.value("data_format"))) return biased(c.vm, x, bias, rankOf(x) - 2);
  return elementwise(c.vm, "add", x, bias);
};

const CONV = "input, filters, strides, padding, data_format=None, dilations=None, ~name";

/** tf's. */
export const tensorflowPadding: Table = {
  pad: ["tensor, paddings, mode='CONSTANT', constant_values=0, ~name", pad],
};

/** tf.nn's. */
export const tensorflowConvolutions: Table = {
  conv1d: [
    "input, filters, stride, padding, data_format=None, dilations=None, ~name",
    convolves("filters", "dilations"),
  ],
  conv2d: [CONV, convolves("filters", "dilations")],
  conv3d: [CONV, convolves("filters", "dilations")],
  convolution: [
    "input, filters, strides=1, padding='VALID', data_format=None, dilations=None, ~name",
    convolves("filters", "dilations"),
  ],
  depthwise_conv2d: [
    "input, filter, strides, padding, data_format=None, dilations=None, ~name",
    convolves("filter", "dilations", true),
  ],
  bias_add: ["value, bias, data_format=None, ~name", biasAdded],
};

const BACKEND = "kernel, strides=1, padding='valid', data_format=None, dilation_rate=1";
const backendConv: Entry = [`x, ${BACKEND}`, convolves("kernel", "dilation_rate")];

/** keras.backend's. */
export const backendConvolutions: Table = {
  conv1d: backendConv,
  conv2d: backendConv,
  conv3d: backendConv,
  depthwise_conv2d: [
    "x, depthwise_kernel, strides=1, padding='valid', data_format=None, dilation_rate=1",
    convolves("depthwise_kernel", "dilation_rate", true),
  ],
  bias_add: ["x, bias, data_format=None", biasAdded],
};

/** keras.ops'. */
export const kerasWindows: Table = {
  conv: [`inputs, ${BACKEND}`, convolves("kernel", "dilation_rate")],
  depthwise_conv: [`inputs, ${BACKEND}`, convolves("kernel", "dilation_rate", true)],
  pad: ["x, pad_width, mode='constant', constant_values=None", padAlike],
};
