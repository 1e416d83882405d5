/** Normalizations of torch.nn.functional that keep no state: to mean 0 and variance 1 over some axes. */
import { type Axis, UNIT } from "../../expression/axis.ts";
import { reshape } from "../../expression/build.ts";
import { floatFunction } from "../tensors/elementwise.ts";
import { reduction, variance } from "../tensors/reduce.ts";
import { reshapeTo } from "../tensors/reshape.ts";
import { rankOf, sizeNumbers, tensor } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, int } from "../values.ts";
import type { CallContext, Table } from "./signature.ts";
import { range } from "./common.ts";
import { arithmetic } from "./torchElementwise.ts";
import { integersOf } from "./picking.ts";

/** (x - mean)/√(variance + eps), the variance being by N. */
function standardized(c: CallContext, x: TensorValue, dims: readonly number[]): TensorValue {
  const { vm } = c;
  const { add, sub, div } = arithmetic(vm);
  const apart = sub(x, reduction(vm, "mean", x, dims, true));
  const spread = add(variance(vm, x, dims, true, 0), c.value("eps"));
  return div(apart, floatFunction(vm, "sqrt", spread, "torch"));
}

/** Times `weight` and plus `bias`, where they are given. */
function scaled(c: CallContext, x: TensorValue, shaped: (t: TensorValue) => TensorValue): Value {
  const { add, mul } = arithmetic(c.vm);
  const wide = c.given("weight") ? mul(x, shaped(c.tensor("weight"))) : x;
  return c.given("bias") ? add(wide, shaped(c.tensor("bias"))) : wide;
}

/** The channels' own numbers along axis 1 of an array. */
const byChannel =
  (c: CallContext, x: TensorValue) =>
  (t: TensorValue): TensorValue => {
    const e = c.vm.shaped(() =>
      reshape(
        t.expr,
        x.expr.shape.map((_, d): Axis => (d === 1 ? t.expr.shape[0]! : UNIT)),
      ),
    );
    return tensor(c.vm, e, "torch", t.dtype);
  };

/** Over the last axes, whose sizes are named. */
function layerNorm(c: CallContext): Value {
  const x = c.tensor("input");
  const named = c.value("normalized_shape");
  const sizes =
    named.kind === "number" ? [c.int("normalized_shape")] : integersOf(c, "normalized_shape");
  const own = sizeNumbers(x).slice(-sizes.length);
  const fits =
    own.length === sizes.length && own.every((n, k) => n.value === null || n.value === sizes[k]);
  if (!fits || sizes.length === 0) {
    c.vm.fail(
      "RuntimeError",
      `Given normalized_shape=[${sizes.join(", ")}], expected input with shape ` +
        `[*, ${sizes.join(", ")}], but got input of size ` +
        `[${sizeNumbers(x)
          .map((n) => n.value ?? "?")
          .join(", ")}]`,
    );
  }
  const dims = range(rankOf(x) - sizes.length, rankOf(x));
  return scaled(c, standardized(c, x, dims), (t) => t);
}

/** Over all but the samples, of groups of channels. */
function groupNorm(c: CallContext): Value {
  const { vm } = c;
  const x = c.tensor("input");
  const groups = c.int("num_groups");
  const channels = rankOf(x) < 2 ? 0 : sizeAlong(vm, x, 1, "group_norm()");
  if (rankOf(x) < 2 || groups < 1 || channels % groups !== 0) {
    vm.fail(
      "RuntimeError",
      `Expected number of channels in input to be divisible by num_groups, but got ${channels} ` +
        `channels and num_groups=${groups}`,
    );
  }
  const grouped = reshapeTo(vm, x, [sizeNumbers(x)[0]!, int(groups), int(-1)]);
  const even = standardized(c, grouped, [2]);
  const e = vm.shaped(() => reshape(even.expr, x.expr.shape));
  return scaled(c, tensor(vm, e, "torch", even.dtype), byChannel(c, x));
}

/** Over all but the samples and channels. */
function instanceNorm(c: CallContext): Value {
  const x = c.tensor("input");
  if (!c.flag("use_input_stats")) {
    return c.vm.unsupported(
      "instance_norm by running statistics is not supported",
      "They are numbers that training leaves: write (x - mean) / std with them.",
    );
  }
  if (rankOf(x) < 3) {
    c.vm.fail(
      "ValueError",
      `instance_norm takes samples, channels and places, not ${rankOf(x)} axes`,
    );
  }
  return scaled(c, standardized(c, x, range(2, rankOf(x))), byChannel(c, x));
}

/** PyTorch 2.13, torch.nn.functional. */
export const normalizations: Table = {
  layer_norm: ["input, normalized_shape, weight=None, bias=None, eps=1e-5", layerNorm],
  group_norm: ["input, num_groups, weight=None, bias=None, eps=1e-5", groupNorm],
  instance_norm: [
    "input, !running_mean, !running_var, weight=None, bias=None, use_input_stats=True, ~momentum, eps=1e-5",
    instanceNorm,
  ],
};

/** InstanceNorm1d to 3d: of a sample alone, which has no axis of samples, too. */
export const instanceNorms: Table = Object.fromEntries(
  [1, 2, 3].map((n) => [
    `instance_norm${n}d`,
    [
      "input, eps=1e-5, use_input_stats=True",
      (c: CallContext): Value => {
        const rank = rankOf(c.tensor("input"));
        if (rank === n + 2) return instanceNorm(c);
        return c.vm.unsupported(
          `InstanceNorm${n}d of an array with ${rank} axes is not supported`,
          "Give it an axis of samples: x.unsqueeze(0).",
        );
      },
    ] as const,
  ]),
);
