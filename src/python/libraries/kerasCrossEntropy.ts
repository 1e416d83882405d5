/** Keras's cross-entropies entry by entry: `keras.ops.*_crossentropy` and the older `K.*` ones. */
import { formatShape } from "../../expression/axis.ts";
import { add, clamp, constant, div, log, mul, neg, sub, sum } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { numberExpr } from "../interpreter/numbers.ts";
import { ofOneType } from "../tensors/strictTypes.ts";
import { tensor } from "../tensors/tensor.ts";
import type { TensorValue } from "../values.ts";
import { convert } from "./convert.ts";
import { logisticLoss } from "./crossEntropy.ts";
import { attachedLogits, epsilon } from "./kerasSettings.ts";
import type { CallContext } from "./signature.ts";
import { softmaxLoss, sparseSoftmaxLoss } from "./tensorflowNn.ts";

const ONE = constant(1);

export interface Pair {
  readonly target: TensorValue;
  readonly output: TensorValue;
}

/** The logits behind a prediction: itself where it is said to be, or what Keras attached to it. */
function logitsOf(output: TensorValue, fromLogits: boolean): TensorValue | null {
  return attachedLogits.get(output) ?? (fromLogits ? output : null);
}

/** Probabilities kept epsilon away from 0 and 1; no gradient passes beyond. */
function clipped(c: CallContext, p: Expr): Expr {
  const eps = numberExpr(epsilon(c.vm));
  return clamp(p, eps, sub(ONE, eps));
}

function exprsOf(c: CallContext, { target, output }: Pair): [Expr, Expr] {
  const exprs = [output.expr, target.expr];
  const [p, t] = ofOneType(c.vm, "the cross-entropy", c.library, [output, target], exprs);
  return [t!, p!];
}

/** -(t log p + (1 - t) log(1 - p)). */
export function binaryLoss(c: CallContext, pair: Pair, fromLogits: boolean): TensorValue {
  const logits = logitsOf(pair.output, fromLogits);
  if (logits !== null) {
    const [t, x] = exprsOf(c, { target: pair.target, output: logits });
    const e = c.vm.shaped(() => logisticLoss(t, x));
    return tensor(c.vm, e, c.library, logits.dtype);
  }
  const [t, p] = exprsOf(c, pair);
  const e = c.vm.shaped(() => {
    const q = clipped(c, p);
    return neg(add(mul(t, log(q)), mul(sub(ONE, t), log(sub(ONE, q)))));
  });
  return tensor(c.vm, e, c.library, pair.output.dtype);
}

/** As in `tf.keras.backend`: epsilon is also added inside the logarithms. */
export function backendBinaryLoss(c: CallContext, pair: Pair, fromLogits: boolean): TensorValue {
  if (fromLogits) return binaryLoss(c, pair, true);
  const [t, p] = exprsOf(c, pair);
  const eps = numberExpr(epsilon(c.vm));
  const e = c.vm.shaped(() => {
    const q = clipped(c, p);
    const miss = mul(sub(ONE, t), log(add(sub(ONE, q), eps)));
    return neg(add(mul(t, log(add(q, eps))), miss));
  });
  return tensor(c.vm, e, c.library, pair.output.dtype);
}

/** Probabilities that sum to 1 along an axis and stay epsilon away from 0 and 1. */
export function normalized(c: CallContext, p: Expr, axis: number): Expr {
  return clipped(c, div(p, sum(p, [axis], true)));
}

/** -Σ t log p over the classes, of probabilities that are made to sum to 1 first. */
export function categoricalLoss(
  c: CallContext,
  pair: Pair,
  fromLogits: boolean,
  axis: number,
): TensorValue {
  const logits = logitsOf(pair.output, fromLogits);
  if (logits !== null) return softmaxLoss(c, pair.target, logits, axis);
  const [t, p] = exprsOf(c, pair);
  const e = c.vm.shaped(() => neg(sum(mul(t, log(normalized(c, p, axis))), [axis])));
  return tensor(c.vm, e, c.library, pair.output.dtype);
}

/** -log p of the class that each target names; of probabilities it is softmax of their logarithm. */
export function sparseLoss(c: CallContext, pair: Pair, fromLogits: boolean): TensorValue {
  const { vm } = c;
  const logits = logitsOf(pair.output, fromLogits);
  const target = classNumbers(c, pair.target, pair.output);
  if (target.expr.shape.length !== pair.output.expr.shape.length - 1) {
    vm.fail(
      "ValueError",
      `${c.name}() takes class numbers of shape ${formatShape(pair.output.expr.shape.slice(0, -1))} ` +
        `beside predictions of shape ${formatShape(pair.output.expr.shape)}, ` +
        `not ${formatShape(target.expr.shape)}`,
      "For one-hot targets use categorical_crossentropy.",
    );
  }
  if (logits !== null) return sparseSoftmaxLoss(c, target, logits);
  const { output } = pair;
  const e = vm.shaped(() => log(clipped(c, output.expr)));
  return sparseSoftmaxLoss(c, target, tensor(vm, e, c.library, output.dtype));
}

/** Integers, without a last axis of size 1 beside the prediction's classes. */
function classNumbers(c: CallContext, target: TensorValue, output: TensorValue): TensorValue {
  const whole = convert(c.vm, target, "int64");
  const { shape } = whole.expr;
  const extra = shape.length === output.expr.shape.length && shape.at(-1)?.size === 1;
  if (!extra) return whole;
  const e = c.vm.shaped(() => sum(whole.expr, [-1]));
  return tensor(c.vm, e, whole.library, whole.dtype);
}
