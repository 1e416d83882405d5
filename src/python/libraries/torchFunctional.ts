/** torch.nn.functional: activations and the losses that Dice is combined with. */
import {
  binary,
  clamp,
  constant,
  div,
  log,
  mul,
  neg,
  oneHot,
  reduce,
  reshape,
  softmax as softmaxExpr,
  sub,
  sum,
  unary,
} from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { elementwise, keepingFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { castTo, tensor } from "../tensors/tensor.ts";
import { type TensorValue, type Value, float } from "../values.ts";
import * as m from "./common.ts";
import { oneHotOf } from "./creation.ts";
import { logisticLoss } from "./crossEntropy.ts";
import type { CallContext, Table } from "./signature.ts";
import { requireInteger, softmax } from "./torchMeanings.ts";

const LEGACY = "!size_average, !reduce";

export const functional: Table = {
  relu: ["input, ~inplace", m.keeping("relu")],
  sigmoid: ["input", m.real("sigmoid")],
  tanh: ["input", m.real("tanh")],
  logsigmoid: ["input", m.real("logsigmoid")],
  softplus: ["input, !beta=1, !threshold=20", m.real("softplus")],
  softmax: ["input, dim=None, ~_stacklevel, dtype=None", (c) => softmax(c, false)],
  log_softmax: ["input, dim=None, ~_stacklevel, dtype=None", (c) => softmax(c, true)],
  leaky_relu: ["input, negative_slope=0.01, ~inplace", leakyRelu],
  one_hot: ["tensor, num_classes=-1", oneHotLast],
  normalize: ["input, p=2.0, dim=1, eps=1e-12", normalize],
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
    `input, target, weight=None, !size_average, ignore_index=-100, !reduce, reduction="mean", label_smoothing=0.0`,
    crossEntropy,
  ],
  nll_loss: [
    `input, target, weight=None, !size_average, ignore_index=-100, !reduce, reduction="mean"`,
    (c) => classLoss(c, c.expr("input")),
  ],
};

function leakyRelu(c: CallContext): Value {
  const x = c.tensor("input");
  const slope = c.value("negative_slope");
  const below = elementwise(c.vm, "mul", elementwise(c.vm, "min", x, float(0)), slope);
  return elementwise(c.vm, "add", keepingFunction(c.vm, "relu", x), below);
}

/** New last axis of classes. */
function oneHotLast(c: CallContext): Value {
  const x = c.tensor("x");
  requireInteger(c, x, "one_hot is only applicable to index tensor (int64)");
  const given = c.value("num_classes");
  if (given.kind === "number" && given.value === -1) {
    return c.vm.unsupported(
      "one_hot without num_classes takes it from the largest value in the array",
      "Name it: F.one_hot(target, num_classes=n).",
    );
  }
  const e = oneHotOf(c, x, given, x.expr.shape.length);
  return tensor(c.vm, e, x.library, x.library === "torch" ? "int64" : x.dtype);
}

function normalize(c: CallContext): Value {
  const x = c.tensor("input");
  const length = m.vectorNorm(c, x, c.number("p"), c.dims("dim"), true);
  return elementwise(c.vm, "div", x, elementwise(c.vm, "max", length, c.value("eps")));
}

function difference(c: CallContext, kind: "square" | "abs"): TensorValue {
  const d = elementwise(c.vm, "sub", c.tensor("input"), c.tensor("target"));
  return kind === "abs" ? keepingFunction(c.vm, "abs", d) : elementwise(c.vm, "mul", d, d);
}

/** "mean", "sum" or "none", over everything. */
export function reduced(c: CallContext, losses: TensorValue): TensorValue {
  const how = c.text("reduction");
  if (how === "none") return losses;
  if (how === "sum" || how === "mean") return reduction(c.vm, how, losses, null, false);
  return c.vm.fail("ValueError", `${how} is not a valid value for reduction`);
}

/**
 * -(t log p + (1 - t) log(1 - p)), each logarithm at least -100, as PyTorch bounds them so that
 * saturated probabilities give finite losses.
 */
function binaryCrossEntropy(c: CallContext): Value {
  const { vm } = c;
  const [p, t] = [c.tensor("input"), c.tensor("target")];
  sameSize(c, p, t);
  const losses = vm.shaped(() => {
    const floor = (x: Expr): Expr => clamp(log(x), constant(-100), null);
    const one = constant(1);
    return neg(add(mul(t.expr, floor(p.expr)), mul(sub(one, t.expr), floor(sub(one, p.expr)))));
  });
  return reduced(c, weighted(c, tensor(vm, losses, "torch", p.dtype)));
}

/** -(w t log σ(x) + (1 - t) log σ(-x)), with w the weight of the positive class. */
function withLogits(c: CallContext): Value {
  const { vm } = c;
  const [x, t] = [c.tensor("input"), c.tensor("target")];
  sameSize(c, x, t);
  const positive = c.given("pos_weight") ? c.expr("pos_weight") : null;
  const losses = vm.shaped(() => logisticLoss(t.expr, x.expr, positive));
  return reduced(c, weighted(c, tensor(vm, losses, "torch", x.dtype)));
}

function sameSize(c: CallContext, a: TensorValue, b: TensorValue): void {
  const sizes = (t: TensorValue): string => t.expr.shape.map((x) => x.size ?? "?").join();
  if (sizes(a) === sizes(b)) return;
  if (sizes(a).includes("?") || sizes(b).includes("?")) return;
  c.vm.fail(
    "ValueError",
    `Using a target size (${sizes(b)}) that is different to the input size (${sizes(a)}) is deprecated. ` +
      "Please ensure they have the same size.",
  );
}

function weighted(c: CallContext, losses: TensorValue): TensorValue {
  const w = c.optional("weight");
  return w === null ? losses : elementwise(c.vm, "mul", losses, w);
}

function add(a: Expr, b: Expr): Expr {
  return binary("add", a, b);
}

/** Class indices or class probabilities against logits along axis 1. */
function crossEntropy(c: CallContext): Value {
  const x = c.tensor("input");
  const dim = x.expr.shape.length === 1 ? 0 : 1;
  const logProbabilities = c.vm.shaped(() => softmaxExpr(x.expr, dim, true));
  const smoothing = c.value("label_smoothing");
  const smooth = smoothing.kind === "number" && smoothing.value !== 0;
  if (c.expr("target").shape.length === x.expr.shape.length) {
    if (smooth) return c.vm.unsupported("cross_entropy with label_smoothing is not supported");
    return probabilityLoss(c, logProbabilities, dim);
  }
  if (smooth) return c.vm.unsupported("cross_entropy with label_smoothing is not supported");
  return classLoss(c, logProbabilities);
}

/** Targets that are probabilities: the mean is over everything but the classes. */
function probabilityLoss(c: CallContext, logp: Expr, dim: number): Value {
  const { vm } = c;
  const t = c.tensor("target");
  const losses = vm.shaped(() => {
    const terms = mul(t.expr, logp);
    const w = c.optional("weight");
    const scaled = w === null ? terms : mul(classWeights(c, logp, dim), terms);
    return neg(sum(scaled, [dim]));
  });
  return reduced(c, tensor(vm, losses, "torch", c.tensor("input").dtype));
}

/** Negative log-likelihood of class indices; the mean divides by the weights of what is counted. */
function classLoss(c: CallContext, logp: Expr): Value {
  const { vm } = c;
  const target = c.tensor("target");
  requireInteger(c, target, "expected scalar type Long for the target");
  const dim = logp.shape.length === 1 ? 0 : 1;
  const classes = logp.shape[dim]!;
  const ignored = ignoredEntries(c, target);
  const weight = c.optional("weight");
  const dtype = c.tensor("input").dtype;
  const [losses, weights] = vm.shaped(() => {
    const hot = oneHot(target.expr, classes, dim);
    const picked = neg(sum(mul(hot, logp), [dim]));
    const w = weight === null ? null : sum(mul(hot, classWeights(c, logp, dim)), [dim]);
    const kept = ignored === null ? null : castTo(unary("not", ignored), "bool", "float64");
    const factors = [w, kept].filter((f) => f !== null);
    const all = factors.length === 0 ? null : factors.reduce(mul);
    return [all === null ? picked : mul(all, picked), all] as const;
  });
  const how = c.text("reduction");
  const values = tensor(vm, losses, "torch", dtype);
  if (how !== "mean" || weights === null) return reduced(c, values);
  const e = vm.shaped(() => div(reduce("sum", losses, null), reduce("sum", weights, null)));
  return tensor(vm, e, "torch", dtype);
}

/** Weights by class, shaped to stand along the class axis. */
function classWeights(c: CallContext, logp: Expr, dim: number): Expr {
  const w = c.expr("weight");
  const unit = { name: "1", size: 1, role: "unit", parts: [] } as const;
  const n = logp.shape.length;
  return reshape(
    w,
    Array.from({ length: n }, (_, d) => (d === dim ? w.shape[0]! : unit)),
  );
}

/** Where the target is `ignore_index`; `null` where nothing is ignored. */
function ignoredEntries(c: CallContext, target: TensorValue): Expr | null {
  const at = c.int("ignore_index");
  const hits = binary("eq", target.expr, constant(at, "int"));
  if (at !== -100) return hits;
  // The default marks nothing in ordinary targets: look, and else say what is taken for granted.
  const any = c.vm.evaluate(reduce("any", hits, null))?.data[0];
  if (any === 1) return hits;
  if (any === undefined) c.vm.recorder.assume("no target entry is ignore_index (-100)");
  return null;
}
