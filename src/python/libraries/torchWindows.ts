/** torch.nn.functional's windows: pooling, padding, convolution, and changes of resolution. */
import { UNIT } from "../../expression/axis.ts";
import { reshape } from "../../expression/build.ts";
import { knownInteger } from "../interpreter/known.ts";
import { biased, convolution } from "../tensors/convolution.ts";
import { elementwise } from "../tensors/elementwise.ts";
import { selectPositions } from "../tensors/gather.ts";
import { reduction } from "../tensors/reduce.ts";
import { itemsOf, literalArray, rankOf, tensor } from "../tensors/tensor.ts";
import { averagePool, maxPool } from "../tensors/pooling.ts";
import { type PadMode, padAxis, repeatEach, sizeAlong } from "../tensors/windows.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { TensorValue, Value } from "../values.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

const POOL = "input, kernel_size, stride=None, padding=0";

export const windows: Table = {
  ...byRank("max_pool", `${POOL}, dilation=1, !ceil_mode, !return_indices`, (n) => (c) => {
    const size = several(c, "kernel_size", n);
    const stride = c.given("stride") ? several(c, "stride", n) : size;
    const w = {
      size,
      stride,
      padding: several(c, "padding", n),
      dilation: several(c, "dilation", n),
    };
    return maxPool(c.vm, c.tensor("input"), w, `${c.name}()`);
  }),
  ...byRank("avg_pool", `${POOL}, !ceil_mode, count_include_pad=True, !divisor_override`, average),
  ...byRank("adaptive_avg_pool", "input, output_size", adaptiveAverage),
  ...byRank(
    "conv",
    "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1",
    convolved,
  ),
  pad: ["input, pad, mode='constant', value=None", pad],
  upsample_nearest: ["input, size=None, scale_factor=None, mode='nearest'", interpolate],
  upsample_bilinear: [
    "input, size=None, scale_factor=None, mode='bilinear', align_corners=True",
    interpolate,
  ],
  upsample: [
    "input, size=None, scale_factor=None, mode='nearest', align_corners=None",
    interpolate,
  ],
  interpolate: [
    "input, size=None, scale_factor=None, mode='nearest', align_corners=None, ~recompute_scale_factor, !antialias",
    interpolate,
  ],
};

/** The functions for one, two and three axes. */
function byRank(name: string, signature: string, make: (n: number) => Meaning): Table {
  return Object.fromEntries([1, 2, 3].map((n) => [`${name}${n}d`, [signature, make(n)] as const]));
}

/** A number for each of n axes: given one by one, or one for all. */
export function several(c: CallContext, name: string, n: number): number[] {
  const given = c.value(name);
  const items = itemsOf(given);
  if (items === null) return Array.from({ length: n }, () => c.int(name));
  const numbers = items.map((v) => knownInteger(c.vm, v, `${c.name}(): '${name}'`));
  if (numbers.length === 1) return Array.from({ length: n }, () => numbers[0]!);
  return numbers.length === n ? numbers : c.bad(name, `${n} integers`);
}

function average(n: number): Meaning {
  return (c) => {
    const x = c.tensor("input");
    const size = several(c, "kernel_size", n);
    const stride = c.given("stride") ? several(c, "stride", n) : size;
    const padding = several(c, "padding", n);
    const w = { size, stride, padding, dilation: size.map(() => 1) };
    return averagePool(c.vm, x, w, `${c.name}()`, c.flag("count_include_pad"));
  };
}

/** Windows of equal size that lie side by side. */
function adaptiveAverage(n: number): Meaning {
  return (c) => {
    const x = c.tensor("input");
    const rank = rankOf(x);
    const dims = Array.from({ length: n }, (_, k) => rank - n + k);
    const out = several(c, "output_size", n);
    if (out.every((s) => s === 1)) return reduction(c.vm, "mean", x, dims, true);
    const size = dims.map((d, k) => sizeAlong(c.vm, x, d, `${c.name}()`) / out[k]!);
    if (!size.every(Number.isInteger)) {
      return c.vm.unsupported(
        `${c.name}() to sizes that do not divide those of the array is not supported`,
        "Use avg_pool with a window that fits.",
      );
    }
    const zeros = size.map(() => 0);
    const w = { size, stride: size, padding: zeros, dilation: zeros.map(() => 1) };
    return averagePool(c.vm, x, w, `${c.name}()`);
  };
}

function convolved(n: number): Meaning {
  return (c) => {
    const { vm } = c;
    const [x, weight] = [c.tensor("input"), c.tensor("weight")];
    const kernel = weight.expr.shape;
    const what = `${c.name}()`;
    if (rankOf(x) !== n + 2 || kernel.length !== n + 2) {
      return vm.unsupported(
        `${what} is supported only on batches: ${n + 2} axes of input and weight`,
        "Add the missing axes: x.unsqueeze(0).",
      );
    }
    const size = kernel.map((_, d) => sizeAlong(vm, weight, d, what)).slice(2);
    const dilation = several(c, "dilation", n);
    const how = c.value("padding");
    const padding =
      how.kind !== "str"
        ? several(c, "padding", n)
        : how.value === "valid"
          ? size.map(() => 0)
          : size.map((s, k) => (dilation[k]! * (s - 1)) / 2);
    if (!padding.every(Number.isInteger)) vm.unsupported(`${what} with an even window and "same"`);
    const w = { size, stride: several(c, "stride", n), padding, dilation };
    const result = convolution(vm, x, weight, w, c.int("groups"), what);
    return c.given("bias") ? biased(vm, result, c.tensor("bias"), n) : result;
  };
}

function pad(c: CallContext): Value {
  const mode = c.text("mode");
  if (!["constant", "reflect", "replicate", "circular"].includes(mode)) {
    return c.vm.fail("NotImplementedError", `Unrecognised padding mode ${mode}`);
  }
  return padBy(c, c.dims("pad")!, mode as PadMode);
}

/** @param amounts pairs of them, the last axis first */
function padBy(c: CallContext, amounts: readonly number[], mode: PadMode): Value {
  const value = c.given("value") ? c.number("value") : 0;
  let x = c.tensor("input");
  const rank = rankOf(x);
  if (amounts.length > 2 * rank) {
    c.vm.fail(
      "RuntimeError",
      "Padding length should be less than or equal to two times the input dimension",
    );
  }
  const pad = (): Value => {
    for (let k = 0; 2 * k + 1 < amounts.length; k++) {
      const around = [amounts[2 * k]!, amounts[2 * k + 1]!] as const;
      x = padAxis(c.vm, x, rank - 1 - k, around, mode, value);
    }
    return x;
  };
  // Autocast tells them apart by what PyTorch calls: F.pad() has a function for each mode.
  const name = PADS.find(([, m]) => m === mode)![0];
  return c.vm.recorder.tape?.within(name, pad) ?? pad();
}

const PADS: readonly (readonly [kind: string, mode: PadMode])[] = [
  ["reflection_pad", "reflect"],
  ["replication_pad", "replicate"],
  ["circular_pad", "circular"],
  ["constant_pad", "constant"],
  ["zero_pad", "constant"],
];

/** What the layers of torch.nn that pad compute: by one amount on all sides, or by pairs of them. */
export const layerPads: Table = Object.assign(
  {},
  ...PADS.map(([kind, mode]) =>
    byRank(kind, "input, padding, value=0", (n) => (c) => {
      const amounts = c.dims("padding")!;
      const isOne = amounts.length === 1;
      return padBy(c, isOne ? Array.from({ length: 2 * n }, () => amounts[0]!) : amounts, mode);
    }),
  ),
) as Table;

/** To another size along the axes after the first two, one axis after another. */
function interpolate(c: CallContext): Value {
  const { vm } = c;
  let x = c.tensor("input");
  const n = rankOf(x) - 2;
  const mode = c.text("mode");
  const aligned = c.given("align_corners") && c.flag("align_corners");
  const factors = c.given("scale_factor")
    ? (itemsOf(c.value("scale_factor")) ?? Array.from({ length: n }, () => c.value("scale_factor")))
    : null;
  for (let k = 0; k < n; k++) {
    const dim = k + 2;
    const old = sizeAlong(vm, x, dim, "interpolate()");
    const factor = factors === null ? null : numberOf(c, factors[k]!);
    const size = factor === null ? several(c, "size", n)[k]! : Math.floor(old * factor);
    const scale = factor === null ? old / size : 1 / factor;
    if (size === old && (factor === null || factor === 1)) continue;
    if (mode === "nearest" || mode === "nearest-exact") {
      const offset = mode === "nearest" ? 0 : 0.5;
      const times = size / old;
      const even = Number.isInteger(times) && (factor === null || factor === times);
      const at = (p: number): number => Math.min(Math.floor((p + offset) * scale), old - 1);
      x = even
        ? repeatEach(vm, x, dim, times)
        : selectPositions(
            vm,
            x,
            dim,
            Array.from({ length: size }, (_, p) => at(p)),
          );
    } else if (mode === ["linear", "bilinear", "trilinear"][n - 1]) {
      x = linear(vm, x, dim, { old, size, scale, aligned });
    } else {
      return vm.unsupported(
        `interpolate() with mode="${mode}" is not supported`,
        'Use "nearest" or a linear mode, or resize the arrays beforehand.',
      );
    }
  }
  return x;
}

function numberOf(c: CallContext, v: Value): number {
  return v.kind === "number" && v.value !== null ? v.value : c.bad("scale_factor", "numbers");
}

export interface Resampling {
  readonly old: number;
  readonly size: number;
  readonly scale: number;
  readonly aligned: boolean;
}

/** Each entry between the two that are nearest to its place. */
export function linear(vm: Interpreter, x: TensorValue, dim: number, r: Resampling): TensorValue {
  const places = Array.from({ length: r.size }, (_, p) => {
    if (r.aligned) return r.size === 1 ? 0 : (p * (r.old - 1)) / (r.size - 1);
    return Math.max((p + 0.5) * r.scale - 0.5, 0);
  });
  const below = places.map((s) => Math.min(Math.floor(s), r.old - 1));
  const above = below.map((p) => Math.min(p + 1, r.old - 1));
  const share = places.map((s, k) => s - below[k]!);
  const literal = literalArray(vm, share, [r.size], "float64", x.library).expr;
  const a = selectPositions(vm, x, dim, below);
  const b = selectPositions(vm, x, dim, above);
  const weights = vm.shaped(() =>
    reshape(literal, [a.expr.shape[dim]!, ...a.expr.shape.slice(dim + 1).map(() => UNIT)]),
  );
  const w = tensor(vm, weights, x.library, x.dtype);
  const step = elementwise(vm, "mul", elementwise(vm, "sub", b, a), w);
  return elementwise(vm, "add", a, step);
}
