/** torch.nn.functional: activations, and the names of its losses. */
import {
  clampValue,
  elementwise,
  floatFunction,
  keepingFunction,
  select,
} from "../tensors/elementwise.ts";
import { binaryOperation } from "../interpreter/operators.ts";
import { reduction } from "../tensors/reduce.ts";
import { type TensorValue, type Value, float, int } from "../values.ts";
import * as m from "./common.ts";
import { classesIn } from "./counting.ts";
import { oneHotLast } from "./creation.ts";
import type { CallContext, Table } from "./signature.ts";
import {
  LEGACY,
  binaryCrossEntropy,
  classLoss,
  crossEntropy,
  difference,
  divergence,
  huber,
  reduced,
  smoothAbsolute,
  withLogits,
} from "./torchLosses.ts";
import { requireInteger, softmax } from "./torchMeanings.ts";
import { functionalPatches } from "./patches.ts";
import { normalizations } from "./torchNormalization.ts";
import { furtherActivations } from "./torchFurther.ts";
import { functionalProducts } from "./torchProducts.ts";
import { curvedActivations } from "./torchElementwise.ts";
import { margins } from "./torchMargins.ts";
import { windows } from "./torchWindows.ts";

export const functional: Table = {
  relu: ["input, ~inplace", m.keeping("relu")],
  sigmoid: ["input", m.real("sigmoid")],
  tanh: ["input", m.real("tanh")],
  logsigmoid: ["input", m.real("logsigmoid")],
  ...curvedActivations,
  ...furtherActivations,
  ...functionalProducts,
  hardtanh: ["input, min_val=-1.0, max_val=1.0, ~inplace", hardTanh],
  relu6: ["input, ~inplace", (c) => between(c, float(0), float(6))],
  hardsigmoid: ["input, ~inplace", hardSigmoid],
  silu: [
    "input, ~inplace",
    (c) => elementwise(c.vm, "mul", c.tensor("x"), floatFunction(c.vm, "sigmoid", c.tensor("x"))),
  ],
  softsign: [
    "input",
    (c) => {
      const size = keepingFunction(c.vm, "abs", c.tensor("x"));
      return elementwise(c.vm, "div", c.tensor("x"), elementwise(c.vm, "add", float(1), size));
    },
  ],
  threshold: ["input, threshold, value, ~inplace", threshold],
  dropout: ["input, p=0.5, training=True, ~inplace", dropout],
  softmax: ["input, dim=None, ~_stacklevel, dtype=None", (c) => softmax(c, false)],
  log_softmax: ["input, dim=None, ~_stacklevel, dtype=None", (c) => softmax(c, true)],
  softmin: [
    "input, dim=None, ~_stacklevel, dtype=None",
    (c) => softmax(c, false, (x) => keepingFunction(c.vm, "neg", x)),
  ],
  leaky_relu: ["input, negative_slope=0.01, ~inplace", leakyRelu],
  one_hot: ["tensor, num_classes=-1", oneHot],
  normalize: ["input, p=2.0, dim=1, eps=1e-12, !out", normalize],
  cosine_similarity: ["x1, x2, dim=1, eps=1e-8", cosineSimilarity],
  ...windows,
  ...functionalPatches,
  ...margins,
  ...normalizations,
  smooth_l1_loss: [`input, target, ${LEGACY}, reduction="mean", beta=1.0`, smoothAbsolute],
  huber_loss: ['input, target, reduction="mean", delta=1.0, weight=None', huber],
  kl_div: [`input, target, ${LEGACY}, reduction="mean", log_target=False`, divergence],
  mse_loss: [
    `input, target, ${LEGACY}, reduction="mean", !weight`,
    (c) => reduced(c, difference(c, "square")),
  ],
  l1_loss: [
    `input, target, ${LEGACY}, reduction="mean", !weight`,
    (c) => reduced(c, difference(c, "abs")),
  ],
  binary_cross_entropy: [
    `input, target, weight=None, ${LEGACY}, reduction="mean"`,
    binaryCrossEntropy,
  ],
  binary_cross_entropy_with_logits: [
    `input, target, weight=None, ${LEGACY}, reduction="mean", pos_weight=None`,
    withLogits,
  ],
  cross_entropy: [
    `input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0`,
    crossEntropy,
  ],
  nll_loss: [
    `input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"`,
    (c) => classLoss(c, (logProbabilities) => logProbabilities),
  ],
};

function leakyRelu(c: CallContext): Value {
  const x = c.tensor("input");
  const slope = c.value("negative_slope");
  const below = elementwise(c.vm, "mul", elementwise(c.vm, "min", x, float(0)), slope);
  return elementwise(c.vm, "add", keepingFunction(c.vm, "relu", x), below);
}

/** New last axis of classes. */
function oneHot(c: CallContext): Value {
  const given = c.tensor("x");
  requireInteger(c, given, "one_hot is only applicable to index tensor (int64)");
  const asked = c.value("num_classes");
  const isOpen = asked.kind === "number" && asked.value === -1;
  const classes = isOpen ? int(classesIn(c, given, 0, CLASSES_UNKNOWN)) : asked;
  return oneHotLast(c, given, classes, "int64");
}

const CLASSES_UNKNOWN = {
  problem: "one_hot without num_classes takes it from the largest value in the array",
  remedy: "Name it: F.one_hot(target, num_classes=n). Or bind arrays: then it is known.",
};

function normalize(c: CallContext): Value {
  return normalized(c, c.tensor("input"), c.number("p"));
}

/** Divided by its norm along `dim`, or by eps where that is larger. */
function normalized(c: CallContext, x: TensorValue, order: number): TensorValue {
  return elementwise(c.vm, "div", x, lengthOf(c, x, order));
}

/**
 * The norm, or eps where that is larger. As a formula the Euclidean one is √max(Σx², eps²), which is
 * the same number, and has the derivative 0 where all of x is 0, as PyTorch's norm does.
 */
function lengthOf(c: CallContext, x: TensorValue, order: number): TensorValue {
  const { vm } = c;
  const [dims, eps] = [c.dims("dim"), c.value("eps")];
  if (order !== 2 || vm.recorder.tape !== null) {
    return clampValue(vm, m.vectorNorm(c, x, order, dims, true), eps, null, "torch");
  }
  const squares = reduction(vm, "sum", elementwise(vm, "mul", x, x), dims, true);
  const least = binaryOperation(vm, "*", eps, eps);
  return floatFunction(vm, "sqrt", clampValue(vm, squares, least, null, "torch"));
}

function cosineSimilarity(c: CallContext): Value {
  const [a, b] = [c.tensor("x1"), c.tensor("x2")].map((x) => normalized(c, x, 2));
  return reduction(c.vm, "sum", elementwise(c.vm, "mul", a!, b!), c.dims("dim"), false);
}

function hardTanh(c: CallContext): Value {
  return between(c, c.value("min_val"), c.value("max_val"));
}

/** Limited as hardtanh limits: no gradient passes on the bounds, where clamp lets it through. */
function between(c: CallContext, low: Value, high: Value): TensorValue {
  const { vm } = c;
  const x = c.tensor("x");
  const below = select(vm, elementwise(vm, "ge", x, high), high, x, "torch");
  return select(vm, elementwise(vm, "le", x, low), low, below, "torch");
}

function hardSigmoid(c: CallContext): Value {
  const { vm } = c;
  const x = c.tensor("x");
  const line = elementwise(vm, "div", elementwise(vm, "add", x, float(3)), float(6));
  const below = select(vm, elementwise(vm, "ge", x, float(3)), float(1), line, "torch");
  return select(vm, elementwise(vm, "le", x, float(-3)), float(0), below, "torch");
}

function threshold(c: CallContext): Value {
  const x = c.tensor("x");
  const above = elementwise(c.vm, "gt", x, c.value("threshold"));
  return select(c.vm, above, x, c.value("value"), "torch");
}

function dropout(c: CallContext): Value {
  const p = c.value("p");
  const none = p.kind === "number" && p.value === 0;
  if (none || !c.flag("training")) return c.tensor("x");
  return c.vm.unsupported(
    "dropout sets entries to zero at random, which is no formula",
    "Set p=0, or leave it out while inspecting the loss.",
  );
}
