/** Pooling as TensorFlow and Keras do it: channels last, and padding that may differ by side. */
import { makeClass } from "../interpreter/classes.ts";
import { asConstant } from "../interpreter/naming.ts";
import { knownInteger } from "../interpreter/known.ts";
import { elementwise } from "../tensors/elementwise.ts";
import { moveAxes } from "../tensors/reshape.ts";
import { filled, itemsOf, rankOf } from "../tensors/tensor.ts";
import { averagePool, maxPool } from "../tensors/pooling.ts";
import { padAxis, sizeAlong } from "../tensors/windows.ts";
import { type ClassValue, NONE, type TensorValue, type Value, float } from "../values.ts";
import { method, self } from "./kerasLoss.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

type Mode = "max" | "avg";

interface Pooling {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly isPadded: boolean;
  readonly channelsFirst: boolean;
}

function pooled(c: CallContext, x: TensorValue, mode: Mode, p: Pooling): TensorValue {
  const { vm } = c;
  const n = p.size.length;
  const what = `${c.name}()`;
  if (rankOf(x) !== n + 2) {
    vm.fail("ValueError", `${what} takes arrays of ${n + 2} axes, not of ${rankOf(x)}`);
  }
  const first = p.channelsFirst ? x : moveAxes(vm, x, [-1], [1]);
  const zeros = p.size.map(() => 0);
  const w = { size: p.size, stride: p.strides, padding: zeros, dilation: zeros.map(() => 1) };
  const around = p.size.map((size, k) => {
    if (!p.isPadded) return [0, 0] as const;
    return sidesFor(sizeAlong(vm, first, k + 2, what), size, p.strides[k]!);
  });
  const wide = (t: TensorValue, value: number): TensorValue =>
    around.reduce(
      (y, sides, k) =>
        sides[0] + sides[1] === 0 ? y : padAxis(vm, y, k + 2, sides, "constant", value),
      t,
    );
  let result: TensorValue;
  if (mode === "max") result = maxPool(vm, wide(first, -Infinity), w, what);
  else {
    result = averagePool(vm, wide(first, 0), w, what);
    if (p.isPadded) {
      // Padding does not count: the mean is over what lies inside.
      const { shape } = first.expr;
      const ones = filled(vm, float(1), shape, x.library, x.dtype ?? "float32");
      result = elementwise(vm, "div", result, averagePool(vm, wide(ones, 0), w, what));
    }
  }
  return p.channelsFirst ? result : moveAxes(vm, result, [1], [-1]);
}

/**
 * "SAME": padding on both sides of an axis, of which the second may have one entry more.
 * @param reach from a window's first entry to its last
 */
export function sidesFor(have: number, reach: number, stride: number): readonly [number, number] {
  const total = Math.max((Math.ceil(have / stride) - 1) * stride + reach - have, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Whether an array's layout is given as one whose second axis are the channels. */
export function hasChannelsFirst(format: Value): boolean {
  return format.kind === "str" && /^NC|channels_first/.test(format.value);
}

/** Whether there is padding, for which there are two words. */
export function isSame(c: CallContext, given: Value): boolean {
  const padding = given.kind === "str" ? given.value.toLowerCase() : "";
  if (padding === "same" || padding === "valid") return padding === "same";
  return c.vm.unsupported(
    `${c.name}() with another padding than "SAME" or "VALID" is not supported`,
    'Pad the array beforehand: tf.pad(x, …), and "VALID".',
  );
}

/** A number for each axis of space, from one number or a list that may include batch and channels. */
export function numbers(c: CallContext, v: Value, n: number, channelsFirst: boolean): number[] {
  const items = itemsOf(v);
  const known = (x: Value): number => knownInteger(c.vm, x, `${c.name}()`);
  if (items === null) return Array.from({ length: n }, () => known(v));
  const all = items.map(known);
  if (all.length === n + 2) return channelsFirst ? all.slice(2) : all.slice(1, -1);
  if (all.length === 1) return Array.from({ length: n }, () => all[0]!);
  if (all.length === n) return all;
  return c.vm.fail("ValueError", `${c.name}() takes ${n} window sizes, got ${all.length}`);
}

interface Given {
  readonly size: Value;
  readonly strides: Value;
  readonly padding: Value;
  readonly format: Value;
}

function pool(c: CallContext, x: TensorValue, mode: Mode, n: number, given: Given): TensorValue {
  const { format } = given;
  const channelsFirst = hasChannelsFirst(format);
  const size = numbers(c, given.size, n, channelsFirst);
  const strides =
    given.strides.kind === "none" ? size : numbers(c, given.strides, n, channelsFirst);
  const isPadded = isSame(c, given.padding);
  return pooled(c, x, mode, { size, strides, isPadded, channelsFirst });
}

const named =
  (mode: Mode, n: number | null): Meaning =>
  (c) => {
    const x = c.tensor("input");
    const given = {
      size: c.value("ksize"),
      strides: c.value("strides"),
      padding: c.value("padding"),
      format: c.value("data_format"),
    };
    return pool(c, x, mode, n ?? rankOf(x) - 2, given);
  };

const POOL = "input, ksize, strides, padding, data_format=None, ~name";

/** tf.nn's. */
export const tensorflowPooling: Table = {
  max_pool: [POOL, named("max", null)],
  max_pool1d: [POOL, named("max", 1)],
  max_pool2d: [POOL, named("max", 2)],
  max_pool3d: [POOL, named("max", 3)],
  avg_pool: [POOL, named("avg", null)],
  avg_pool1d: [POOL, named("avg", 1)],
  avg_pool2d: [POOL, named("avg", 2)],
  avg_pool3d: [POOL, named("avg", 3)],
};

function backendPool(n: number): Meaning {
  return (c) => {
    const mode = c.text("pool_mode");
    if (mode !== "max" && mode !== "avg") return c.bad("pool_mode", '"max" or "avg"');
    return pool(c, c.tensor("x"), mode, n, {
      size: c.value("pool_size"),
      strides: c.value("strides"),
      padding: c.value("padding"),
      format: c.value("data_format"),
    });
  };
}

const opsPool =
  (mode: Mode): Meaning =>
  (c) => {
    const x = c.tensor("x");
    return pool(c, x, mode, rankOf(x) - 2, {
      size: c.value("pool_size"),
      strides: c.value("strides"),
      padding: c.value("padding"),
      format: c.value("data_format"),
    });
  };

const OPS = "inputs, pool_size, strides=None, padding='valid', data_format=None";

/** keras.ops'. */
export const kerasPooling: Table = {
  max_pool: [OPS, opsPool("max")],
  average_pool: [OPS, opsPool("avg")],
};

const BACKEND = "x, pool_size, strides=1, padding='valid', data_format=None, pool_mode='max'";

/** keras.backend's. */
export const backendPooling: Table = {
  pool2d: [BACKEND, backendPool(2)],
  pool3d: [BACKEND, backendPool(3)],
};

/** The layer of one name, e.g. MaxPooling2D. */
function layer(name: string, base: ClassValue, mode: Mode, n: number): ClassValue {
  const settings = ["pool_size", "strides", "padding", "data_format"];
  return makeClass({
    name,
    bases: [base],
    attributes: new Map<string, Value>([
      method(
        name,
        "__init__",
        "self, pool_size=2, strides=None, padding='valid', data_format=None, ~name, **",
        (c) => {
          for (const s of settings) self(c).attributes.set(s, asConstant(s, c.value(s)));
          return NONE;
        },
      ),
      method(name, "call", "self, inputs", (c) => {
        const own = (s: string): Value => self(c).attributes.get(s) ?? NONE;
        return pool(c, c.tensor("inputs"), mode, n, {
          size: own("pool_size"),
          strides: own("strides"),
          padding: own("padding"),
          format: own("data_format"),
        });
      }),
    ]),
  })!;
}

/** keras.layers' pooling under all its names. */
export function poolingLayers(base: ClassValue): Map<string, ClassValue> {
  const made = new Map<string, ClassValue>();
  for (const n of [1, 2, 3]) {
    const [max, average] = [`MaxPooling${n}D`, `AveragePooling${n}D`];
    made.set(max, layer(max, base, "max", n));
    made.set(`MaxPool${n}D`, made.get(max)!);
    made.set(average, layer(average, base, "avg", n));
    made.set(`AvgPool${n}D`, made.get(average)!);
  }
  return made;
}
