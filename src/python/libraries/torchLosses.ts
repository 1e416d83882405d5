/** The losses of torch.nn.functional. */
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
  size,
  softmax as softmaxExpr,
  sub,
  sum,
  unary,
} from "../../expression/build.ts";
import { UNIT } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import { numberExpr } from "../interpreter/numbers.ts";
import { elementwise, floatFunction, keepingFunction, select } from "../tensors/elementwise.ts";
import { entrywise, rowsOf } from "../tensors/picked.ts";
import { reduction } from "../tensors/reduce.ts";
import { castTo, rankOf, sizeNumbers, tensor } from "../tensors/tensor.ts";
import { type TensorValue, type Value, float } from "../values.ts";
import { convert } from "./convert.ts";
import { logisticLoss } from "./crossEntropy.ts";
import type { CallContext } from "./signature.ts";
import { requireInteger } from "./torchMeanings.ts";

export function difference(c: CallContext, kind: "square" | "abs"): TensorValue {
  const d = elementwise(c.vm, "sub", c.tensor("input"), c.tensor("target"));
  return kind === "abs" ? keepingFunction(c.vm, "abs", d) : elementwise(c.vm, "mul", d, d);
}

/** What `reductionOf` reads besides `reduction`. */
export const LEGACY = "size_average=None, reduce=None";

/**
 * "mean", "sum" or "none". The older arguments `size_average` and `reduce` outweigh `reduction`
 * (PyTorch 2.13, torch.nn._reduction.legacy_get_string).
 */
export function reductionOf(c: CallContext): string {
  const isNot = (name: string): boolean => c.given(name) && !c.flag(name);
  if (!c.given("size_average") && !c.given("reduce")) return c.text("reduction");
  return isNot("reduce") ? "none" : isNot("size_average") ? "sum" : "mean";
}

/** "mean", "sum" or "none", over everything. */
export function reduced(c: CallContext, losses: TensorValue): TensorValue {
  const how = reductionOf(c);
  if (how === "none") return losses;
  if (how === "sum" || how === "mean") return reduction(c.vm, how, losses, null, false);
  return c.vm.fail("ValueError", `${how} is not a valid value for reduction`);
}

/**
 * -(t log p + (1 - t) log(1 - p)), each logarithm at least -100, as PyTorch bounds them so that
 * saturated probabilities give finite losses.
 */
export function binaryCrossEntropy(c: CallContext): Value {
  const { vm } = c;
  const [input, target] = [c.tensor("input"), c.tensor("target")];
  sameSize(c, input, target);
  const losses = entrywise(vm, [input, target], (operands) => {
    const [p, t] = operands as readonly TensorValue[];
    const e = vm.shaped(() => {
      const floor = (x: Expr): Expr => clamp(log(x), constant(-100), null);
      const one = constant(1);
      const [hit, miss] = [floor(p!.expr), floor(sub(one, p!.expr))];
      return neg(add(mul(t!.expr, hit), mul(sub(one, t!.expr), miss)));
    });
    const kernel = { name: "cross entropy", operands: [p!.expr, t!.expr] } as const;
    return tensor(vm, e, "torch", p!.dtype, { kernel });
  });
  return reduced(c, weighted(c, losses));
}

/** -(w t log σ(x) + (1 - t) log σ(-x)), with w the weight of the positive class. */
export function withLogits(c: CallContext): Value {
  const { vm } = c;
  const [input, target] = [c.tensor("input"), c.tensor("target")];
  sameSize(c, input, target);
  const positive = c.given("pos_weight") ? c.expr("pos_weight") : null;
  const losses = entrywise(vm, [input, target], (operands) => {
    const [x, t] = operands as readonly TensorValue[];
    const e = vm.shaped(() => logisticLoss(t!.expr, x!.expr, positive));
    const given = [x!.expr, t!.expr, ...(positive === null ? [] : [positive])];
    const kernel = { name: "logistic cross entropy", operands: given } as const;
    return tensor(vm, e, "torch", x!.dtype, { kernel });
  });
  return reduced(c, weighted(c, losses));
}

function sameSize(c: CallContext, a: TensorValue, b: TensorValue): void {
  const sizes = (t: TensorValue): string =>
    t.selection === null
      ? sizeNumbers(t)
          .map((n) => n.value ?? "?")
          .join()
      : "?";
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
  if (w === null) return losses;
  const scaled = elementwise(c.vm, "mul", losses, w);
  // PyTorch multiplies in place: the losses keep their type.
  return losses.dtype === null ? scaled : convert(c.vm, scaled, losses.dtype);
}

function add(a: Expr, b: Expr): Expr {
  return binary("add", a, b);
}

/** Class indices or class probabilities against logits along axis 1. */
export function crossEntropy(c: CallContext): Value {
  const x = c.tensor("input");
  const logProbabilities = (logits: Expr, dim: number): Expr => softmaxExpr(logits, dim, true);
  if (rankOf(c.tensor("target")) !== rankOf(x)) {
    return classLoss(c, logProbabilities, smoothing(c));
  }
  const dim = classAxis(x);
  return probabilityLoss(
    c,
    c.vm.shaped(() => logProbabilities(x.expr, dim)),
    dim,
  );
}

function classAxis(x: TensorValue): number {
  return rankOf(x) === 1 ? 0 : 1;
}

/** The share of every target that is spread evenly over the classes; null for none. */
function smoothing(c: CallContext): Expr | null {
  const v = c.value("label_smoothing");
  if (v.kind !== "number") return c.bad("label_smoothing", "a number");
  return v.value === 0 && v.symbol === null ? null : numberExpr(v);
}

/** Targets that are probabilities: the mean is over everything but the classes. */
function probabilityLoss(c: CallContext, logp: Expr, dim: number): Value {
  const { vm } = c;
  const t = c.tensor("target");
  if (t.expr.type !== "float") {
    vm.fail(
      "RuntimeError",
      "Expected floating point type for target with class probabilities, got an integer type",
      "Class indices have the shape of the input without its class axis.",
    );
  }
  const share = smoothing(c);
  const losses = vm.shaped(() => {
    const classes = size([logp.shape[dim]!]);
    const smooth =
      share === null ? t.expr : add(mul(sub(constant(1), share), t.expr), div(share, classes));
    const terms = mul(smooth, logp);
    const w = c.optional("weight");
    const scaled = w === null ? terms : mul(classWeights(c, logp, dim), terms);
    return neg(sum(scaled, [dim]));
  });
  return reduced(c, tensor(vm, losses, "torch", c.tensor("input").dtype));
}

/** Negative log-likelihood of class indices; the mean divides by the weights of what is counted. */
export function classLoss(
  c: CallContext,
  logProbabilities: (input: Expr, dim: number) => Expr,
  share: Expr | null = null,
): Value {
  const { vm } = c;
  const given = [c.tensor("input"), c.tensor("target")];
  const rows = rowsOf(vm, given, [classAxis(given[0]!)]);
  const [input, target] = (rows?.all ?? given) as [TensorValue, TensorValue];
  requireInteger(c, target, "expected scalar type Long for the target");
  const dim = rows?.place(1) ?? classAxis(input);
  const logp = vm.shaped(() => logProbabilities(input.expr, dim));
  const classes = logp.shape[dim]!;
  const ignored = ignoredEntries(c, target);
  const weight = c.optional("weight");
  const { dtype } = input;
  const [losses, weights] = vm.shaped(() => {
    const hot = oneHot(target.expr, classes, dim);
    const picked = neg(sum(mul(hot, logp), [dim]));
    const w = weight === null ? null : sum(mul(hot, classWeights(c, logp, dim)), [dim]);
    const kept = ignored === null ? null : castTo(unary("not", ignored), "bool", "int64");
    const factors = [w, kept].filter((f) => f !== null);
    const all = factors.length === 0 ? null : factors.reduce(mul);
    const own = all === null ? picked : mul(all, picked);
    if (share === null) return [own, all] as const;
    const weighed = weight === null ? logp : mul(classWeights(c, logp, dim), logp);
    const even = neg(sum(weighed, [dim]));
    const spread = mul(div(share, size([classes])), kept === null ? even : mul(kept, even));
    return [add(mul(sub(constant(1), share), own), spread), all] as const;
  });
  const how = reductionOf(c);
  const own = (e: Expr): TensorValue => {
    const t = tensor(vm, e, "torch", dtype);
    return rows === null ? t : rows.picked(t);
  };
  if (how !== "mean" || weights === null) return reduced(c, own(losses));
  if (rows !== null) {
    const [sum, divisor] = [losses, weights].map((e) => reduction(vm, "sum", own(e), null, false));
    return elementwise(vm, "div", sum!, divisor!);
  }
  const e = vm.shaped(() => div(reduce("sum", losses, null), reduce("sum", weights, null)));
  return tensor(vm, e, "torch", dtype);
}

/** Weights by class, shaped to stand along the class axis. */
function classWeights(c: CallContext, logp: Expr, dim: number): Expr {
  const w = c.expr("weight");
  const n = logp.shape.length;
  return reshape(
    w,
    Array.from({ length: n }, (_, d) => (d === dim ? w.shape[0]! : UNIT)),
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

/** Squares near zero, absolute values beyond: smooth_l1_loss divides the squares by beta. */
export function smoothAbsolute(c: CallContext): Value {
  const beta = c.value("beta");
  const size = difference(c, "abs");
  if (beta.kind === "number" && beta.value === 0) return reduced(c, size);
  const { vm } = c;
  const half = elementwise(vm, "mul", float(0.5), elementwise(vm, "mul", size, size));
  const near = elementwise(vm, "div", half, beta);
  const far = elementwise(vm, "sub", size, elementwise(vm, "mul", float(0.5), beta, "torch"));
  return reduced(c, select(vm, elementwise(vm, "lt", size, beta), near, far, "torch"));
}

/** As smooth_l1_loss, times delta. */
export function huber(c: CallContext): Value {
  const { vm } = c;
  const delta = c.value("delta");
  const size = difference(c, "abs");
  const near = elementwise(vm, "mul", float(0.5), elementwise(vm, "mul", size, size));
  const half = elementwise(vm, "mul", float(0.5), delta, "torch");
  const far = elementwise(vm, "mul", delta, elementwise(vm, "sub", size, half));
  const losses = select(vm, elementwise(vm, "le", size, delta), near, far, "torch");
  return reduced(c, weighted(c, losses));
}

/** t (log t - x), or exp(t) (t - x) for a target in logarithms; 0 log 0 is 0. */
export function divergence(c: CallContext): Value {
  const { vm } = c;
  const [x, t] = [c.tensor("input"), c.tensor("target")];
  let losses: TensorValue;
  if (c.flag("log_target")) {
    const scale = floatFunction(vm, "exp", t);
    losses = elementwise(vm, "mul", scale, elementwise(vm, "sub", t, x));
  } else {
    const positive = elementwise(vm, "gt", t, float(0));
    const safe = select(vm, positive, t, float(1), "torch");
    const entropy = elementwise(vm, "mul", t, floatFunction(vm, "log", safe));
    losses = elementwise(vm, "sub", entropy, elementwise(vm, "mul", t, x));
  }
  if (reductionOf(c) !== "batchmean") return reduced(c, losses);
  return elementwise(vm, "div", reduction(vm, "sum", losses, null, false), sizeNumbers(x)[0]!);
}
