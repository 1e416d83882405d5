/** tf.nn: activations and cross-entropies. */
import {
  ONE,
  abs,
  add,
  exp,
  log,
  mul,
  neg,
  oneHot,
  reduce,
  softmax,
  stopGradient,
  sub,
  sum,
} from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { elementwise, floatFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { ofOneType, requireClassNumbers } from "../tensors/strictTypes.ts";
import { sizeNumber, tensor } from "../tensors/tensor.ts";
import { type TensorValue, type Value, float, int } from "../values.ts";
import * as m from "./common.ts";
import { tensorflowPooling } from "./channelsLast.ts";
import { tensorflowCurves } from "./kerasActivations.ts";
import { logisticLoss } from "./crossEntropy.ts";
import type { CallContext, Table } from "./signature.ts";
import { mathFunctions } from "./tensorflow.ts";
import * as t from "./tensorflowMeanings.ts";
import { tensorflowMorphology } from "./tensorflowMorphology.ts";
import { tensorflowConvolutions } from "./tensorflowWindows.ts";

export const nnFunctions: Table = {
  top_k: mathFunctions["top_k"]!,
  ...tensorflowPooling,
  ...tensorflowConvolutions,
  ...tensorflowMorphology,
  sigmoid: mathFunctions["sigmoid"]!,
  tanh: mathFunctions["tanh"]!,
  softplus: mathFunctions["softplus"]!,
  log_sigmoid: mathFunctions["log_sigmoid"]!,
  relu: ["features, ~name", m.keeping("relu")],
  relu6: ["features, ~name", t.relu6],
  ...tensorflowCurves,
  leaky_relu: [
    "features, alpha=0.2, ~name",
    (c) => t.leakyRelu(c, c.tensor("x"), c.value("alpha")),
  ],
  elu: ["features, ~name", (c) => t.elu(c, c.tensor("x"), float(1))],
  silu: ["features, ~beta, ~name", silu],
  swish: ["features, ~beta, ~name", silu],
  softmax: ["logits, axis=-1, ~name", (c) => t.softmax(c, "logits", false)],
  log_softmax: ["logits, axis=-1, ~name", (c) => t.softmax(c, "logits", true)],
  l2_normalize: mathFunctions["l2_normalize"]!,
  l2_loss: ["t, ~name", halfSquare],
  moments: ["x, axes, ~shift, keepdims=False, ~name", t.moments],
  batch_normalization: [
    "x, mean, variance, offset, scale, variance_epsilon, ~name",
    normalizedByBatch,
  ],
  log_poisson_loss: ["targets, log_input, !compute_full_loss, ~name", logPoisson],
  compute_average_loss: [
    "per_example_loss, sample_weight=None, global_batch_size=None",
    averageLoss,
  ],
  scale_regularization_loss: [
    "regularization_loss",
    (c) => reduction(c.vm, "sum", c.tensor("regularization_loss"), null, false),
  ],
  sigmoid_cross_entropy_with_logits: ["labels=None, logits=None, ~name", (c) => sigmoidLoss(c)],
  weighted_cross_entropy_with_logits: [
    "labels=None, logits=None, pos_weight=None, ~name",
    (c) => sigmoidLoss(c, c.expr("pos_weight")),
  ],
  softmax_cross_entropy_with_logits: [
    "labels, logits, axis=-1, ~name",
    (c) => softmaxLoss(c, c.tensor("labels"), c.tensor("logits"), c.int("axis")),
  ],
  softmax_cross_entropy_with_logits_v2: [
    "labels, logits, axis=-1, ~name",
    (c) => softmaxLoss(c, c.tensor("labels"), c.tensor("logits"), c.int("axis")),
  ],
  sparse_softmax_cross_entropy_with_logits: [
    "labels=None, logits=None, ~name",
    (c) => sparseSoftmaxLoss(c, c.tensor("labels"), c.tensor("logits")),
  ],
};

/** (x - mean) · scale / √(variance + ε) + offset. */
function normalizedByBatch(c: CallContext): Value {
  const { vm } = c;
  const spread = elementwise(vm, "add", c.tensor("variance"), c.value("variance_epsilon"));
  const root = floatFunction(vm, "sqrt", spread);
  const apart = elementwise(vm, "sub", c.tensor("x"), c.tensor("mean"));
  const unit = elementwise(vm, "div", apart, root);
  const scaled = c.given("scale") ? elementwise(vm, "mul", unit, c.tensor("scale")) : unit;
  return c.given("offset") ? elementwise(vm, "add", scaled, c.tensor("offset")) : scaled;
}

function logPoisson(c: CallContext): Value {
  const { vm } = c;
  const [t, x] = [c.tensor("targets"), c.tensor("log_input")];
  return elementwise(vm, "sub", floatFunction(vm, "exp", x), elementwise(vm, "mul", x, t));
}

/** The sum of the losses, weighted, over the size of the batch; on one device, as here. */
function averageLoss(c: CallContext): Value {
  const { vm } = c;
  const losses = c.tensor("per_example_loss");
  const weighted = c.given("sample_weight")
    ? elementwise(vm, "mul", losses, c.tensor("sample_weight"))
    : losses;
  const total = reduction(vm, "sum", weighted, null, false);
  const along = losses.expr.shape[0];
  const size =
    c.optional("global_batch_size") ?? (along === undefined ? int(1) : sizeNumber(along));
  const divisor = size.kind === "number" ? { ...size, type: "float" as const } : size;
  return elementwise(vm, "div", total, divisor);
}

function silu(c: CallContext): Value {
  const x = c.tensor("x");
  return elementwise(c.vm, "mul", x, m.real("sigmoid")(c));
}

/** Half the sum of the squares. */
function halfSquare(c: CallContext): Value {
  const x = c.tensor("t");
  const squares = reduction(c.vm, "sum", elementwise(c.vm, "mul", x, x), null, false);
  return elementwise(c.vm, "div", squares, float(2));
}

function sigmoidLoss(c: CallContext, positive: Expr | null = null): TensorValue {
  const [labels, logits] = [c.tensor("labels"), c.tensor("logits")];
  const [t, x] = sameTypes(c, labels, logits);
  const e = c.vm.shaped(() => logisticLoss(t, x, positive));
  return tensor(c.vm, e, c.library, logits.dtype);
}

function sameTypes(c: CallContext, labels: TensorValue, logits: TensorValue): [Expr, Expr] {
  const exprs = [logits.expr, labels.expr];
  const [x, t] = ofOneType(c.vm, "the cross-entropy", c.library, [logits, labels], exprs);
  return [t!, x!];
}

/**
 * -Σ t log softmax(x) over the classes. TensorFlow takes for its gradient softmax(x) - t, which is
 * the derivative only where the labels sum to 1; where they do not, the part of the loss that its
 * gradient leaves out is marked as cut off.
 */
export function softmaxLoss(
  c: CallContext,
  labels: TensorValue,
  logits: TensorValue,
  axis: number,
): TensorValue {
  const { vm } = c;
  const [t, x] = sameTypes(c, labels, logits);
  const e = vm.shaped(() => {
    const plain = neg(sum(mul(t, softmax(x, axis, true)), [axis]));
    const off = sub(sum(t, [axis]), ONE);
    if (isSmall(c, off)) return plain;
    // plain is (lse - Σ t x) + (Σ t - 1) lse, of which TensorFlow differentiates the bracket.
    const lse = log(sum(exp(x), [axis]));
    const rest = stopGradient(mul(off, lse));
    vm.recorder.block(rest, `${c.name}() of labels that do not sum to 1`, vm.at);
    return add(sub(lse, sum(mul(t, x), [axis])), rest);
  });
  return tensor(vm, e, c.library, logits.dtype);
}

/** Whether it is 0 to within rounding; where its values are not known that is taken for granted. */
function isSmall(c: CallContext, off: Expr): boolean {
  const largest = c.vm.evaluate(reduce("max", abs(off), null))?.data[0];
  if (largest !== undefined) return largest < 1e-5;
  c.vm.recorder.assume(`the labels of ${c.name}() sum to 1 over the classes`);
  return true;
}

/** -log softmax(x) of the class that each label names; the classes are the last axis. */
export function sparseSoftmaxLoss(
  c: CallContext,
  labels: TensorValue,
  logits: TensorValue,
): TensorValue {
  requireClassNumbers(c.vm, c.name, labels);
  const e = c.vm.shaped(() => {
    const d = logits.expr.shape.length - 1;
    const hot = oneHot(labels.expr, logits.expr.shape[d]!, d);
    return neg(sum(mul(hot, softmax(logits.expr, d, true)), [d]));
  });
  return tensor(c.vm, e, c.library, logits.dtype);
}
