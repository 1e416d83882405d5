/** Losses of torch.nn.functional by margins, distances and distributions. */
import { elementwise, floatFunction, keepingFunction } from "../tensors/elementwise.ts";
import { reduction } from "../tensors/reduce.ts";
import { addAxis, dropAxes } from "../tensors/reshape.ts";
import { filled, nodeOf, rankOf, sizeNumbers } from "../tensors/tensor.ts";
import { type NumberValue, type TensorValue, type Value, float } from "../values.ts";
import * as m from "./common.ts";
import { withoutGradient } from "./convert.ts";
import { oneHotLast } from "./creation.ts";
import type { CallContext, Table } from "./signature.ts";
import { arithmetic } from "./torchElementwise.ts";
import { LEGACY, reduced } from "./torchLosses.ts";
import { requireInteger } from "./torchMeanings.ts";

export const margins: Table = {
  soft_margin_loss: [`input, target, ${LEGACY}, reduction="mean"`, softMargin],
  hinge_embedding_loss: [`input, target, margin=1.0, ${LEGACY}, reduction="mean"`, hingeEmbedding],
  margin_ranking_loss: [
    `input1, input2, target, margin=0, ${LEGACY}, reduction="mean"`,
    marginRanking,
  ],
  multilabel_soft_margin_loss: [
    `input, target, weight=None, ${LEGACY}, reduction="mean"`,
    multilabelSoftMargin,
  ],
  pairwise_distance: [
    "x1, x2, p=2.0, eps=1e-6, keepdim=False",
    (c) => distance(c, c.tensor("x1"), c.tensor("x2"), c.flag("keepdim")),
  ],
  triplet_margin_loss: [
    `anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, ${LEGACY}, reduction="mean"`,
    tripletMargin,
  ],
  cosine_embedding_loss: [
    `input1, input2, target, margin=0, ${LEGACY}, reduction="mean"`,
    cosineEmbedding,
  ],
  poisson_nll_loss: [
    `input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"`,
    poisson,
  ],
  gaussian_nll_loss: ['input, target, var, full=False, eps=1e-6, reduction="mean"', gaussian],
  multi_margin_loss: [
    `input, target, p=1, margin=1.0, weight=None, ${LEGACY}, reduction="mean"`,
    multiMargin,
  ],
};

/** log(1 + exp(-y·x)), of y being 1 or -1, as PyTorch writes it: infinite where exp is. */
function softMargin(c: CallContext): Value {
  const { mul, exp } = arithmetic(c.vm);
  const opposite = mul(keepingFunction(c.vm, "neg", c.tensor("target")), c.tensor("input"));
  return reduced(c, floatFunction(c.vm, "log1p", exp(opposite), "torch"));
}

/** x where y is 1, max(margin - x, 0) where it is -1, and both of any other y. */
function hingeEmbedding(c: CallContext): Value {
  const { add, sub, atLeast0, is, choose } = arithmetic(c.vm);
  const [x, y] = [c.tensor("input"), c.tensor("target")];
  const far = choose(is("ne", y, 1), atLeast0(sub(c.value("margin"), x)), float(0));
  return reduced(c, add(far, choose(is("ne", y, -1), x, float(0))));
}

function marginRanking(c: CallContext): Value {
  const { add, sub, mul, atLeast0 } = arithmetic(c.vm);
  const apart = sub(c.tensor("input1"), c.tensor("input2"));
  const signed = mul(keepingFunction(c.vm, "neg", c.tensor("target")), apart);
  return reduced(c, atLeast0(add(signed, c.value("margin"))));
}

/** The mean over the last axis of -(y log σ(x) + (1 - y) log σ(-x)). */
function multilabelSoftMargin(c: CallContext): Value {
  const { vm } = c;
  const { add, sub, mul, div } = arithmetic(vm);
  const [x, y] = [c.tensor("input"), c.tensor("target")];
  const logSigmoid = (v: TensorValue): TensorValue => floatFunction(vm, "logsigmoid", v, "torch");
  const hit = mul(y, logSigmoid(x));
  const miss = mul(sub(float(1), y), logSigmoid(keepingFunction(vm, "neg", x)));
  const losses = keepingFunction(vm, "neg", add(hit, miss));
  const scaled = c.given("weight") ? mul(losses, c.tensor("weight")) : losses;
  const classes = sizeNumbers(scaled).at(-1)!;
  return reduced(c, div(reduction(vm, "sum", scaled, [-1], false), classes));
}

/** The norm of the differences along the last axis, to each of which eps is added. */
function distance(c: CallContext, a: TensorValue, b: TensorValue, keep = false): TensorValue {
  const { add, sub } = arithmetic(c.vm);
  return m.vectorNorm(c, add(sub(a, b), c.value("eps")), c.number("p"), [-1], keep);
}

/** Balntas et al., "Learning shallow convolutional feature descriptors with triplet losses" (2016). */
function tripletMargin(c: CallContext): Value {
  const { add, sub, atLeast0, choose } = arithmetic(c.vm);
  const [anchor, positive, negative] = ["anchor", "positive", "negative"].map((n) => c.tensor(n));
  const near = distance(c, anchor!, positive!);
  let far = distance(c, anchor!, negative!);
  if (c.flag("swap")) {
    const other = distance(c, positive!, negative!);
    far = choose(elementwise(c.vm, "lt", other, far, "torch"), other, far);
  }
  return reduced(c, atLeast0(sub(add(c.value("margin"), near), far)));
}

/** 1 - cos where y is 1, max(cos - margin, 0) where it is -1. */
function cosineEmbedding(c: CallContext): Value {
  const { vm } = c;
  const { add, sub, mul, div, atLeast0, is, choose } = arithmetic(vm);
  const [a, b, y] = ["input1", "input2", "target"].map((n) => c.tensor(n));
  const dot = (u: TensorValue, v: TensorValue): TensorValue =>
    reduction(vm, "sum", mul(u, v), [-1], false);
  const squared = (v: TensorValue): TensorValue => add(dot(v, v), float(COSINE_EPSILON));
  const length = floatFunction(vm, "sqrt", mul(squared(a!), squared(b!)), "torch");
  const cosine = div(dot(a!, b!), length);
  const near = choose(is("eq", y!, 1), sub(float(1), cosine), float(0));
  const far = choose(is("eq", y!, -1), atLeast0(sub(cosine, c.value("margin"))), float(0));
  return reduced(c, add(near, far));
}

/** Added to squared lengths (PyTorch 2.13, ATen/native/Loss.cpp). */
const COSINE_EPSILON = 1e-12;

/** exp(x) - y·x, or of rates x - y·log(x + eps); `full` adds Stirling's formula where y is above 1. */
function poisson(c: CallContext): Value {
  const { add, sub, mul, log, exp, is, choose } = arithmetic(c.vm);
  const [x, y] = [c.tensor("input"), c.tensor("target")];
  const loss = c.flag("log_input")
    ? sub(exp(x), mul(y, x))
    : sub(x, mul(y, log(add(x, c.value("eps")))));
  if (!c.flag("full")) return reduced(c, loss);
  const half = mul(float(0.5), log(mul(float(2 * Math.PI), y)));
  const stirling = add(sub(mul(y, log(y)), y), half);
  return reduced(c, add(loss, choose(is("gt", y, 1), stirling, float(0))));
}

/**
 * ½(log v + (x - t)²/v), of a variance v that is at least eps. PyTorch limits it unseen by autograd:
 * where it is below, its gradient is that at eps.
 */
function gaussian(c: CallContext): Value {
  const { vm } = c;
  const { add, sub, mul, div, log, choose } = arithmetic(vm);
  const [x, t, eps] = [c.tensor("input"), c.tensor("target"), c.value("eps")];
  const given = varianceBeside(c, x);
  const moved = sub(given, withoutGradient(vm, given, "gaussian_nll_loss()"));
  const v = choose(elementwise(vm, "lt", given, eps, "torch"), add(eps, moved), given);
  const apart = sub(x, t);
  const loss = mul(float(0.5), add(log(v), div(mul(apart, apart), v)));
  return reduced(c, c.flag("full") ? add(loss, float(0.5 * Math.log(2 * Math.PI))) : loss);
}

/**
 * A variance for each entry, or one for all along the last axis, which may be left out, or along one
 * axis of size 1.
 */
function varianceBeside(c: CallContext, x: TensorValue): TensorValue {
  const { vm } = c;
  const given = c.value("var");
  const v = given.kind === "number" ? filledLike(c, given, x) : c.tensor("var");
  const lowest = vm.evaluate(reduction(vm, "min", v, null, false).expr)?.data[0];
  if (lowest !== undefined && lowest < 0) {
    vm.fail("ValueError", "var has negative entry/entries");
  }
  const [n, m] = [sizeNumbers(x), sizeNumbers(v)].map((s) => s.map((k) => k.value));
  const differ = (a: number | null, b: number | null): boolean =>
    a !== null && b !== null && a !== b;
  if (m!.length === n!.length - 1 && !m!.some((k, d) => differ(k, n![d]!))) {
    return addAxis(vm, v, -1);
  }
  const others = m!.filter((k, d) => differ(k, n![d] ?? null));
  if (m!.length !== n!.length || others.length > 1 || others.some((k) => k !== 1)) {
    vm.fail("ValueError", "var is of incorrect size");
  }
  return v;
}

function filledLike(c: CallContext, v: NumberValue, x: TensorValue): TensorValue {
  return filled(c.vm, v, nodeOf(x).shape, "torch", x.dtype ?? "float32");
}

/** The mean over the classes of max(margin - x[y] + x, 0)ᵖ, the labelled class y left out. */
function multiMargin(c: CallContext): Value {
  const { vm } = c;
  const { add, sub, mul, div, choose } = arithmetic(vm);
  const p = c.number("p");
  if (p !== 1 && p !== 2) vm.fail("ValueError", "only p == 1 and p == 2 supported");
  const [x, labels] = [c.tensor("input"), c.tensor("target")];
  requireInteger(c, labels, "expected scalar type Long for the target");
  const y = rankOf(labels) === 1 && rankOf(x) === 1 ? dropAxes(vm, labels, [0]) : labels;
  const classes = sizeNumbers(x).at(-1)!;
  const hot = oneHotLast(c, y, classes, "int64");
  const ofLabel = (t: TensorValue): TensorValue => reduction(vm, "sum", mul(hot, t), [-1], true);
  const short = keepingFunction(vm, "relu", add(sub(c.value("margin"), ofLabel(x)), x));
  const losses = p === 1 ? short : mul(short, short);
  const weighed = c.given("weight") ? mul(losses, ofLabel(c.tensor("weight"))) : losses;
  const others = choose(hot, float(0), weighed);
  return reduced(c, div(reduction(vm, "sum", others, [-1], false), classes));
}
