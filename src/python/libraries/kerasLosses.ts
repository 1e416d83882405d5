/**
 * keras.losses: the functions, and the classes made of them. Formulas are those of Keras 3.15.1,
 * whose tversky() multiplies the false negatives by alpha and the false positives by beta.
 */
import {
  ONE,
  abs,
  add,
  clamp,
  constant,
  div,
  log,
  mean,
  mul,
  neg,
  pow,
  reduce,
  sqrt,
  sub,
  sum,
  unary,
  where,
  binary,
  size,
  sigmoid,
  softmax,
} from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { makeClass } from "../interpreter/classes.ts";
import { asConstant } from "../interpreter/naming.ts";
import { numberExpr } from "../interpreter/numbers.ts";
import { entriesIfKnown } from "../tensors/knownEntries.ts";
import { tensor } from "../tensors/tensor.ts";
import { type ClassValue, NONE, type TensorValue, type Value, str } from "../values.ts";
import { convert } from "./convert.ts";
import { binaryLoss, categoricalLoss, normalized, sparseLoss } from "./kerasCrossEntropy.ts";
import { LossFunctionWrapper, initialize, method, self, toSameRank } from "./kerasLoss.ts";
import { attachedMasks, epsilon, floatx } from "./kerasSettings.ts";
import { makeDict } from "../interpreter/collections.ts";
import { type CallContext, type Entry, type Meaning, type Table, builtin } from "./signature.ts";

const TWO = constant(2);

/** What the formulas below are written in: the target and the prediction, in one type. */
interface Terms {
  readonly t: Expr;
  readonly p: Expr;
  readonly eps: Expr;
}

function tensorsOf(c: CallContext): [TensorValue, TensorValue] {
  const given = c.tensor("y_pred");
  const output = given.expr.type === "float" ? given : convert(c.vm, given, floatx(c.vm));
  const target = c.tensor("y_true");
  if (output.dtype !== null) return [convert(c.vm, target, output.dtype), output];
  return [target.expr.type === "float" ? target : convert(c.vm, target, "float64"), output];
}

/** A loss given by a formula. */
const formula =
  (f: (terms: Terms, c: CallContext) => Expr, sameRank = false): Meaning =>
  (c) => {
    let [target, output] = tensorsOf(c);
    if (sameRank) [target, output] = toSameRank(c.vm, target, output);
    const terms = { t: target.expr, p: output.expr, eps: numberExpr(epsilon(c.vm)) };
    const e = c.vm.shaped(() => f(terms, c));
    return tensor(c.vm, e, c.library, output.dtype);
  };

const setting = (c: CallContext, name: string): Expr => {
  const v = c.value(name);
  return v.kind === "number" ? numberExpr(v) : c.expr(name);
};

/** 1 - 2Σtp / (Σt + Σp + ε), by default over everything, the batch included. */
function dice({ t, p, eps }: Terms, c: CallContext): Expr {
  const axes = c.dims("axis");
  const denominator = add(add(sum(t, axes), sum(p, axes)), eps);
  return sub(ONE, div(mul(TWO, sum(mul(t, p), axes)), denominator));
}

/** 1 - Σtp / (Σtp + α Σ(1-p)t + β Σp(1-t) + ε): α weighs what is missed, β what is invented. */
function tversky({ t, p, eps }: Terms, c: CallContext): Expr {
  const axes = c.dims("axis");
  const overlap = sum(mul(t, p), axes);
  const missed = mul(sum(mul(sub(ONE, p), t), axes), setting(c, "alpha"));
  const invented = mul(sum(mul(p, sub(ONE, t)), axes), setting(c, "beta"));
  return sub(ONE, div(overlap, add(add(add(overlap, missed), invented), eps)));
}

const lastMean = (e: Expr): Expr => mean(e, [-1]);
const squared = (e: Expr): Expr => pow(e, TWO);
const atLeast = (e: Expr, low: Expr): Expr => clamp(e, low, null);

function squaredLogarithmic({ t, p, eps }: Terms): Expr {
  const level = (x: Expr): Expr => log(add(atLeast(x, eps), ONE));
  return lastMean(squared(sub(level(p), level(t))));
}

function percentage({ t, p, eps }: Terms): Expr {
  const relative = abs(div(sub(t, p), atLeast(abs(t), eps)));
  return mul(constant(100), lastMean(relative));
}

function huber({ t, p }: Terms, c: CallContext): Expr {
  const delta = setting(c, "delta");
  const error = sub(p, t);
  const half = constant(0.5);
  const far = sub(mul(delta, abs(error)), mul(half, squared(delta)));
  const isNear = binary("le", abs(error), delta);
  return lastMean(where(isNear, mul(half, squared(error)), far));
}

/** log cosh of the error, in the form that does not overflow. */
function logCosh({ t, p }: Terms): Expr {
  const d = sub(p, t);
  const level = unary("softplus", mul(d, constant(-2)));
  return lastMean(sub(add(d, level), constant(Math.LN2)));
}

function divergence({ t, p, eps }: Terms): Expr {
  const [a, b] = [t, p].map((x) => clamp(x, eps, ONE));
  return sum(mul(a!, log(div(a!, b!))), [-1]);
}

function poisson({ t, p, eps }: Terms): Expr {
  return lastMean(sub(p, mul(t, log(add(p, eps)))));
}

/** Labels of 0 and 1 alone become -1 and 1; others are taken as they are. */
function signed({ t }: Terms, c: CallContext): Expr {
  const is = (n: number): Expr => binary("eq", t, constant(n));
  const areBinary = reduce("all", binary("or", is(0), is(1)), null);
  const spread = sub(mul(TWO, t), ONE);
  const known = entriesIfKnown(c.vm, areBinary, "whether all labels are 0 or 1")?.data[0];
  if (known !== undefined) return known === 0 ? t : spread;
  return where(areBinary, spread, t);
}

const ZERO = constant(0);

/** max(1 - ty, 0), by entry. */
function shortfall(terms: Terms, c: CallContext): Expr {
  return atLeast(sub(ONE, mul(signed(terms, c), terms.p)), ZERO);
}

/** How far the true class is from being 1 above the best of the others. */
function categoricalHinge({ t, p }: Terms): Expr {
  const best = reduce("max", mul(sub(ONE, t), p), [-1]);
  return atLeast(add(sub(best, sum(mul(t, p), [-1])), ONE), ZERO);
}

function cosine({ t, p }: Terms, c: CallContext): Expr {
  const axis = c.int("axis");
  const unit = (x: Expr): Expr =>
    div(x, sqrt(atLeast(sum(squared(x), [axis], true), constant(1e-14))));
  return neg(sum(mul(unit(t), unit(p)), [axis]));
}

/** t (1 - s) + s / n, with n alternatives. */
function smoothed(c: CallContext, t: Expr, alternatives: Expr): Expr {
  const s = c.value("label_smoothing");
  if (s.kind === "number" && s.value === 0 && s.symbol === null) return t;
  const share = setting(c, "label_smoothing");
  return add(mul(t, sub(ONE, share)), div(share, alternatives));
}

function smoothedTarget(c: CallContext, target: TensorValue, alternatives: Expr): TensorValue {
  const e = c.vm.shaped(() => smoothed(c, target.expr, alternatives));
  return e === target.expr ? target : tensor(c.vm, e, c.library, target.dtype);
}

const binaryCrossEntropy: Meaning = (c) => {
  const [given, output] = tensorsOf(c);
  const target = smoothedTarget(c, given, TWO);
  const losses = binaryLoss(c, { target, output }, c.flag("from_logits"));
  const e = c.vm.shaped(() => mean(losses.expr, c.dims("axis")));
  return tensor(c.vm, e, c.library, losses.dtype);
};

/** (1 - p_t)^γ times the cross-entropy, with p_t the probability of what is true. */
const binaryFocal: Meaning = (c) => {
  const [given, output] = tensorsOf(c);
  const target = smoothedTarget(c, given, TWO);
  const e = c.vm.shaped(() => {
    const t = target.expr;
    const fromLogits = c.flag("from_logits");
    const p = fromLogits ? sigmoid(output.expr) : output.expr;
    const losses = binaryLoss(c, { target, output }, fromLogits);
    const rest = (x: Expr): Expr => sub(ONE, x);
    const likely = add(mul(t, p), mul(rest(t), rest(p)));
    const focal = mul(pow(rest(likely), setting(c, "gamma")), losses.expr);
    const alpha = setting(c, "alpha");
    const balance = (): Expr => add(mul(t, alpha), mul(rest(t), rest(alpha)));
    return mean(c.flag("apply_class_balancing") ? mul(balance(), focal) : focal, c.dims("axis"));
  });
  return tensor(c.vm, e, c.library, output.dtype);
};

/** The number of classes, which is the size of the last axis wherever the classes are. */
function classCount(target: TensorValue): Expr {
  return size([target.expr.shape.at(-1)!]);
}

const categorical: Meaning = (c) => {
  const [given, output] = tensorsOf(c);
  const target = smoothedTarget(c, given, classCount(given));
  return categoricalLoss(c, { target, output }, c.flag("from_logits"), c.int("axis"));
};

/** -Σ α (1 - p)^γ t log p over the classes. */
const categoricalFocal: Meaning = (c) => {
  const [given, output] = tensorsOf(c);
  const target = smoothedTarget(c, given, classCount(given));
  const axis = c.int("axis");
  const e = c.vm.shaped(() => {
    const p = c.flag("from_logits") ? softmax(output.expr, axis) : output.expr;
    const q = normalized(c, p, axis);
    const entropy = mul(neg(target.expr), log(q));
    const weight = mul(pow(sub(ONE, q), setting(c, "gamma")), setting(c, "alpha"));
    return sum(mul(weight, entropy), [axis]);
  });
  return tensor(c.vm, e, c.library, output.dtype);
};

/** Entries of the ignored class count as 0, and are marked so that a mean leaves them out. */
const sparse: Meaning = (c) => {
  const { vm } = c;
  const output = c.tensor("y_pred");
  const target = c.tensor("y_true");
  const fromLogits = c.flag("from_logits");
  if (!c.given("ignore_class")) return sparseLoss(c, { target, output }, fromLogits);
  const ignored = c.int("ignore_class");
  const isKept = vm.shaped(() => binary("ne", target.expr, constant(ignored, target.expr.type)));
  const safe = vm.shaped(() => where(isKept, target.expr, constant(0, target.expr.type)));
  const losses = sparseLoss(
    c,
    { target: tensor(vm, safe, c.library, target.dtype), output },
    fromLogits,
  );
  const e = vm.shaped(() => where(isKept, losses.expr, constant(0)));
  const kept = tensor(vm, e, c.library, losses.dtype);
  attachedMasks.set(kept, tensor(vm, isKept, c.library, "bool"));
  return kept;
};

const LABELS = "from_logits=False, label_smoothing=0.0";

/** [class, function, settings, formula]: the settings of the class are those of the function. */
const LOSSES: readonly (readonly [string, string, string, Meaning])[] = [
  ["Dice", "dice", "axis=None", formula(dice)],
  ["Tversky", "tversky", "alpha=0.5, beta=0.5, axis=None", formula(tversky)],
  ["BinaryCrossentropy", "binary_crossentropy", `${LABELS}, axis=-1`, binaryCrossEntropy],
  [
    "BinaryFocalCrossentropy",
    "binary_focal_crossentropy",
    `apply_class_balancing=False, alpha=0.25, gamma=2.0, ${LABELS}, axis=-1`,
    binaryFocal,
  ],
  ["CategoricalCrossentropy", "categorical_crossentropy", `${LABELS}, axis=-1`, categorical],
  [
    "CategoricalFocalCrossentropy",
    "categorical_focal_crossentropy",
    `alpha=0.25, gamma=2.0, ${LABELS}, axis=-1`,
    categoricalFocal,
  ],
  [
    "SparseCategoricalCrossentropy",
    "sparse_categorical_crossentropy",
    "from_logits=False, ignore_class=None, !axis=-1",
    sparse,
  ],
  [
    "MeanSquaredError",
    "mean_squared_error",
    "",
    formula(({ t, p }) => lastMean(squared(sub(t, p))), true),
  ],
  [
    "MeanAbsoluteError",
    "mean_absolute_error",
    "",
    formula(({ t, p }) => lastMean(abs(sub(t, p))), true),
  ],
  ["MeanAbsolutePercentageError", "mean_absolute_percentage_error", "", formula(percentage, true)],
  [
    "MeanSquaredLogarithmicError",
    "mean_squared_logarithmic_error",
    "",
    formula(squaredLogarithmic, true),
  ],
  ["Huber", "huber", "delta=1.0", formula(huber, true)],
  ["LogCosh", "log_cosh", "", formula(logCosh, true)],
  ["KLDivergence", "kl_divergence", "", formula(divergence)],
  ["Poisson", "poisson", "", formula(poisson)],
  ["Hinge", "hinge", "", formula((terms, c) => lastMean(shortfall(terms, c)))],
  [
    "SquaredHinge",
    "squared_hinge",
    "",
    formula((terms, c) => lastMean(squared(shortfall(terms, c)))),
  ],
  ["CategoricalHinge", "categorical_hinge", "", formula(categoricalHinge)],
  ["CosineSimilarity", "cosine_similarity", "axis=-1", formula(cosine, true)],
];

/** Other names of the functions, most of them from Keras 2. */
const ALIASES: Readonly<Record<string, string>> = {
  mse: "mean_squared_error",
  MSE: "mean_squared_error",
  mae: "mean_absolute_error",
  MAE: "mean_absolute_error",
  mape: "mean_absolute_percentage_error",
  MAPE: "mean_absolute_percentage_error",
  msle: "mean_squared_logarithmic_error",
  MSLE: "mean_squared_logarithmic_error",
  kld: "kl_divergence",
  KLD: "kl_divergence",
  kullback_leibler_divergence: "kl_divergence",
  logcosh: "log_cosh",
};

function entryOf([, , settings, meaning]: (typeof LOSSES)[number]): Entry {
  return [settings === "" ? "y_true, y_pred" : `y_true, y_pred, ${settings}`, meaning];
}

const byName = new Map(LOSSES.map((l) => [l[1], entryOf(l)] as const));

export const lossFunctions: Table = Object.fromEntries([
  ...byName,
  ...Object.entries(ALIASES).map(([alias, name]) => [alias, byName.get(name)!] as const),
]);

function lossClass(loss: (typeof LOSSES)[number]): ClassValue {
  const [name, fnName, settings] = loss;
  const fn = builtin("keras.losses.", fnName, entryOf(loss), "tensorflow");
  const names = [...settings.matchAll(/(?:^|, )[!~]?(\w+)=/g)].map((m) => m[1]!);
  // Most classes take their settings first, Dice and Tversky their axis after the name.
  const order = settings.split(", ").filter((s) => s !== "");
  const late = name === "Dice" || name === "Tversky";
  const axis = order.filter((s) => s.startsWith("axis="));
  const first = late ? order.filter((s) => !axis.includes(s)) : order;
  const signature = [
    "self",
    ...first,
    "reduction='sum_over_batch_size'",
    `name='${fnName}'`,
    ...(late ? axis : []),
    "dtype=None",
  ].join(", ");
  return makeClass({
    name,
    bases: [LossFunctionWrapper],
    attributes: new Map<string, Value>([
      method(name, "__init__", signature, (c) => {
        initialize(c);
        const given = names.map((n) => [n, asConstant(n, c.value(n))] as const);
        for (const [n, v] of given) self(c).attributes.set(n, v);
        self(c).attributes.set("fn", fn);
        const keywords = given.filter(([, v]) => v.kind !== "none");
        self(c).attributes.set(
          "_fn_kwargs",
          makeDict(
            c.vm,
            keywords.map(([n, v]) => [str(n), v] as const),
          ),
        );
        return NONE;
      }),
    ]),
  })!;
}

export const lossClasses: ReadonlyMap<string, ClassValue> = new Map(
  LOSSES.map((l) => [l[0], lossClass(l)]),
);
