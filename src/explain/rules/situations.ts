/**
 * Situations that a segmentation loss meets in training: empty masks, perfect and hopeless
 * predictions, saturated logits. A rule that interval bounds cannot clear looks for one of these
 * in which what it warns of happens, and tells it; where there is none, it stays silent.
 */
import { type Arithmetic, interpretAll } from "../../expression/interpret.ts";
import { type BoundArray, float64 } from "../../expression/evaluate.ts";
import { type InputRange, generator, guessRange } from "../../expression/equalityPoints.ts";
import { smallSizes } from "../../expression/equalitySizes.ts";
import { ShapeError, elementCount, sizesOf } from "../../expression/axis.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { resize, topological } from "../../expression/walk.ts";
import { Cancelled } from "../../numbers/typedArrays.ts";
import type { Interval } from "./intervals.ts";
import { MOVING } from "./passing.ts";
import type { RuleInput } from "./rule.ts";

export interface Situation {
  /** "when y_pred and y_true are all 0" */
  readonly words: string;
  /** Values of the nodes asked for, in their order; float32 as trainings have it. */
  readonly values: ReadonlyMap<Expr, ArrayLike<number>>;
}

/** Larger than this a loss is not tried: it has fixed sizes that are no small example's. */
const MOST_ENTRIES = 50_000;
/** A logit as confident as networks get; its sigmoid is 1 in float32. */
const SATURATED = 30;

/** Every operation rounded to float32. */
const float32: Arithmetic<number> = {
  of: Math.fround,
  unary: (op, x) => Math.fround(float64.unary(op, x)),
  binary: (op, x, y) => Math.fround(float64.binary(op, x, y)),
  truthy: (x) => float64.truthy(x),
  isNaN: (x) => float64.isNaN(x),
  toNumber: (x) => float64.toNumber(x),
};

export type Ranges = ReadonlyMap<Input, InputRange>;

/** Where each input's entries lie, from what the loss does with it. */
export function rangesOf(loss: Expr, inputs: readonly RuleInput[]): Ranges {
  return new Map(
    inputs.map(({ node, role, name }) => {
      const guessed = isExponentiated(loss, node) ? "logit" : guessRange(node, [loss]);
      if (role === "other" && node.type === "float" && guessed === "probability") {
        return [node, isRegion(name) ? "binary" : { min: 0.5, max: 1.5 }];
      }
      return [node, role === "target" && guessed === "probability" ? "binary" : guessed];
    }),
  );
}

/** A softmax or sigmoid spelt out: exp(x - max), with shifts and scales before it. */
function isExponentiated(loss: Expr, input: Input): boolean {
  const reached = new Set<Expr>([input]);
  return topological(loss).some((e) => {
    if (!e.args.some((a) => reached.has(a))) return false;
    if (e.kind === "unary" && ["exp", "expm1", "sigmoid", "softplus", "logsigmoid"].includes(e.op))
      return true;
    if (e.kind === "softmax") return true;
    const isLinear =
      (e.kind === "unary" && e.op === "neg") ||
      (e.kind === "binary" && ["add", "sub", "mul", "div"].includes(e.op));
    if (isLinear && reached.has(e.args[0]!)) reached.add(e);
    if (MOVING.has(e.kind) || e.kind === "expand") reached.add(e);
    return false;
  });
}
export function boundsOf(range: InputRange): Interval {
  if (range === "logit") return { lo: -Infinity, hi: Infinity };
  if (typeof range === "string") return { lo: 0, hi: 1 };
  if ("labels" in range) {
    const { labels, others = [] } = range;
    return { lo: Math.min(0, ...others), hi: Math.max(labels - 1, ...others) };
  }
  return { lo: 0, hi: Infinity };
}

function isRegion(name: string): boolean {
  return /mask|roi|valid|ignore/i.test(name) && !/^(num|n)_|count/i.test(name);
}

type Fill = (index: number, shape: readonly number[]) => number;

interface Plan {
  readonly words: string;
  readonly prediction: "low" | "high" | "like the target" | "unlike the target" | "between";
  readonly target: "empty" | "full" | "mixed";
  readonly region?: "empty";
}

const PLANS: readonly Plan[] = [
  { words: "{p} is {low} and {t} empty", prediction: "low", target: "empty" },
  { words: "{t} is empty (no foreground)", prediction: "between", target: "empty" },
  { words: "{p} is {low}", prediction: "low", target: "mixed" },
  { words: "{p} is {high} and {t} empty", prediction: "high", target: "empty" },
  { words: "the prediction is perfect", prediction: "like the target", target: "mixed" },
  { words: "the prediction is wrong everywhere", prediction: "unlike the target", target: "mixed" },
  { words: "{p} is {high}", prediction: "high", target: "mixed" },
  { words: "everything is foreground", prediction: "between", target: "full" },
  { words: "{r} selects nothing", prediction: "between", target: "mixed", region: "empty" },
  { words: "entries lie anywhere in their range", prediction: "between", target: "mixed" },
];

/** The values of all nodes in each situation; empty where the loss cannot be tried. */
export function tryOut(
  loss: Expr,
  nodes: readonly Expr[],
  inputs: readonly RuleInput[],
  ranges: Ranges,
): Situation[] {
  const small = inSmall(loss, nodes, inputs);
  if (small === null || entriesOf(small.sized) > MOST_ENTRIES) return [];
  const { sized, bound } = small;
  const prediction = bound.find((x) => x.role === "prediction");
  const target = bound.find((x) => x.role === "target");
  const region = bound.find((x) => x.role === "other" && isRegion(x.name));
  const unknown = topological(loss).some((e) => e.kind === "parameter" && e.value === null);
  if (prediction === undefined || unknown) return [];

  return PLANS.flatMap((plan): Situation[] => {
    if (plan.region !== undefined && region === undefined) return [];
    if (target === undefined && plan.target !== "mixed") return [];
    const next = generator(7);
    const bindings = new Map<string, BoundArray>();
    const truth = target === undefined ? null : filled(target, targetFill(plan, target, ranges));
    if (target !== undefined && truth !== null) bindings.set(target.name, truth);
    for (const x of bound) {
      if (x === target) continue;
      const range = ranges.get(x.node)!;
      if (x === prediction) {
        const agreement = agreementWith(truth, ranges.get(target?.node ?? x.node)!, x.sized);
        bindings.set(x.name, filled(x, predictionFill(plan, range, agreement, next)));
      } else {
        bindings.set(x.name, filled(x, otherFill(x === region ? plan : null, range, next)));
      }
    }
    try {
      const values = interpretAll(sized, bindings, float32);
      return [
        {
          words: wordsOf(plan, prediction, target, region, ranges),
          values: new Map(nodes.map((e, k) => [e, values[k]!.data])),
        },
      ];
    } catch (e) {
      if (e instanceof Cancelled) throw e;
      return []; // sizes that do not fit each other: nothing is learnt from them
    }
  });
}

/** Nodes and inputs in small sizes; null where the loss does not allow them. */
function inSmall(
  loss: Expr,
  nodes: readonly Expr[],
  inputs: readonly RuleInput[],
): { sized: Expr[]; bound: (RuleInput & { readonly sized: Input })[] } | null {
  const [sizes = new Map<string, number>()] = smallSizes([loss]);
  try {
    return {
      sized: nodes.map((e) => resize(e, sizes)),
      bound: inputs.map((x) => ({ ...x, sized: resize(x.node, sizes) as Input })),
    };
  } catch (e) {
    if (e instanceof ShapeError) return null;
    throw e;
  }
}

/** Infinite where a size is not known. */
function entriesOf(nodes: readonly Expr[]): number {
  return nodes.reduce((n, e) => n + (elementCount(e.shape) ?? Infinity), 0);
}

function filled(x: { readonly sized: Input }, fill: Fill): BoundArray {
  const shape = sizesOf(x.sized.shape);
  const length = shape.reduce((n, s) => n * s, 1);
  return { shape, data: Array.from({ length }, (_, k) => fill(k, shape)) };
}

function targetFill(plan: Plan, target: RuleInput, ranges: Ranges): Fill {
  const range = ranges.get(target.node)!;
  const classes = typeof range === "object" && "labels" in range ? range.labels : 2;
  if (plan.target === "empty") return () => 0;
  if (plan.target === "full") return () => (classes > 2 ? classes - 1 : 1);
  return (k) => (k * 7 + (k >> 2)) % classes;
}

/** Whether the prediction's entry would be 1 if it were right; null where that is not known. */
function agreementWith(
  truth: BoundArray | null,
  range: InputRange,
  prediction: Input,
): (k: number, shape: readonly number[]) => boolean | null {
  if (truth === null) return () => null;
  const sizes = sizesOf(prediction.shape);
  const isLabels = typeof range === "object" && "labels" in range;
  if (truth.shape.length === sizes.length && truth.shape.every((n, d) => n === sizes[d])) {
    return (k) => truth.data[k]! > 0.5;
  }
  const dim = sizes.findIndex((_, d) => sizes.toSpliced(d, 1).join() === truth.shape.join());
  if (!isLabels || dim < 0) return () => null;
  const inner = sizes.slice(dim + 1).reduce((n, s) => n * s, 1);
  const classes = sizes[dim]!;
  return (k) => {
    const at = Math.floor(k / inner) % classes;
    const voxel = Math.floor(k / (inner * classes)) * inner + (k % inner);
    return truth.data[voxel] === at;
  };
}

function predictionFill(
  plan: Plan,
  range: InputRange,
  agreement: (k: number, shape: readonly number[]) => boolean | null,
  next: () => number,
): Fill {
  const logit = range === "logit";
  const [low, high] = logit ? [-SATURATED, SATURATED] : [0, 1];
  const between = (): number => (logit ? 4 * next() - 2 : 0.1 + 0.8 * next());
  return (k, shape) => {
    switch (plan.prediction) {
      case "low":
        return low;
      case "high":
        return high;
      case "between":
        return between();
      default: {
        const right = agreement(k, shape);
        if (right === null) return between();
        return right === (plan.prediction === "like the target") ? high : low;
      }
    }
  };
}

function otherFill(plan: Plan | null, range: InputRange, next: () => number): Fill {
  if (plan?.region === "empty") return () => 0;
  if (range === "logit") return () => 4 * next() - 2;
  if (typeof range === "object" && "min" in range) {
    return () => range.min + (range.max - range.min) * next();
  }
  return range === "binary" || typeof range === "object" ? () => 1 : () => 0.1 + 0.8 * next();
}

function wordsOf(
  plan: Plan,
  prediction: RuleInput,
  target: RuleInput | undefined,
  region: RuleInput | undefined,
  ranges: Ranges,
): string {
  const logit = ranges.get(prediction.node) === "logit";
  return plan.words
    .replace("{p}", prediction.name)
    .replace("{t}", target?.name ?? "the target")
    .replace("{r}", region?.name ?? "")
    .replace("{low}", logit ? `very negative (${-SATURATED})` : "all 0")
    .replace("{high}", logit ? `very positive (${SATURATED})` : "all 1");
}
