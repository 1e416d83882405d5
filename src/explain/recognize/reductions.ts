/** From the fraction of one region to the fields of a spec: ratio, smoothing, loss, reductions. */
import {
  type FamilySpec,
  type Outer,
  type Ratio as RatioField,
  type Region,
  type Scalar,
  valueOf,
} from "../../losses/spec.ts";
import { type Constants, named } from "./constants.ts";
import { nullVector } from "./linear.ts";
import type { Probe } from "./probe.ts";
import { type Fit, type Ratio, fitRatio, sumsOf, tidy } from "./ratio.ts";
import { pooledClasses, pooledRoles } from "./regions.ts";

type Fields = Partial<FamilySpec>;

/** Readings of a fit, likeliest first. */
export function* reductionsOf(
  fit: Fit,
  region: Region,
  probes: readonly [Probe, Probe],
  constants: Constants,
): Generator<Fields> {
  const classes = pooledClasses(probes[0], region);
  for (const own of ratioFields(fit, constants)) {
    for (const { fields, factor } of lossFields(fit, constants)) {
      for (const reduced of reducedBy(factor, fit, region, probes, constants)) {
        const base: Fields = { region, classes, ...own, ...fields, ...reduced };
        yield base;
        for (const weighted of weightings(base, fit, region, probes[0], constants)) yield weighted;
      }
    }
  }
}

/** The ratio as the family writes it; smoothing and overlap factor go with it. */
function* ratioFields({ ratio: r, shape }: Fit, constants: Constants): Generator<Fields> {
  const { alpha, beta } = r;
  // What a score of 1 takes off y: the numerator is measured in it.
  const own = shape.loss === "-log D" ? -1 : r.a !== 0 ? r.a : r.b;
  const smoothing = (times: number): Fields => ({
    smoothNumerator: scalarOf((r.n / own) * times, constants),
    smoothDenominator: scalarOf(r.d * times, constants),
  });
  const sums: Fields = {
    overlap: r.sums.overlap,
    predictionPower: powerOf(r.sums.predictionPower, constants),
    targetPower: powerOf(r.sums.targetPower, constants),
    errorPower: powerOf(
      r.sums.errorPower === 0 || r.sums.overlap === "squared product" ? 1 : r.sums.errorPower,
      constants,
    ),
  };
  const is = (x: number, y: number): boolean => Math.abs(x - y) < 1e-7;
  const with_ = (ratio: RatioField, times: number): Fields => ({
    ...sums,
    ratio,
    ...smoothing(times),
  });
  if (is(alpha, 0.5) && is(beta, 0.5)) yield with_({ kind: "dice" }, 2);
  else if (is(alpha, 1) && is(beta, 1)) yield with_({ kind: "jaccard" }, 1);
  else {
    const weights = { alpha: scalarOf(alpha, constants), beta: scalarOf(beta, constants) };
    yield with_({ kind: "tversky", ...weights }, 1);
  }
}

/** Plain sums and squares are what they are, whatever else in the code is 1 or 2. */
function powerOf(x: number, constants: Constants): Scalar {
  return x === 1 || x === 2 ? x : scalarOf(x, constants);
}

function scalarOf(x: number, constants: Constants): Scalar {
  return Math.abs(x) < 1e-14 ? 0 : named(x, constants);
}

/** The loss of a score, with the factor in front of it and what is left for the overlap. */
function* lossFields(
  { ratio, shape }: Fit,
  constants: Constants,
): Generator<{ readonly fields: Fields; readonly factor: number }> {
  const { a, b } = ratio;
  const outer = shape.outer;
  if (shape.loss === "-log D") {
    // y is the score itself: a = 0 and b = -1 but for a factor of the overlap.
    if (a !== 0) return;
    yield {
      fields: { loss: "-log D", outer, ...overlap(-b, constants) },
      factor: shape.factor!,
    };
    return;
  }
  const power = outer.kind === "power" ? exponentOf(outer) : 1;
  if (a !== 0) {
    // y = k^(1/γ)(1 - D)
    const k = shape.factor ?? tidy(Math.sign(a) * Math.abs(a) ** power);
    yield { fields: { loss: "1 - D", outer, ...overlap(b / a, constants) }, factor: k };
    return;
  }
  const k = shape.factor ?? tidy(Math.sign(b) * Math.abs(b) ** power);
  if (b > 0) yield { fields: { loss: "-D", outer, ...overlap(1, constants) }, factor: k };
  else yield { fields: { loss: "D", outer, ...overlap(1, constants) }, factor: Math.abs(k) };
}

/** A factor of the overlap that is not its ratio's own. */
function overlap(factor: number, constants: Constants): Fields {
  return Math.abs(factor - 1) < 1e-7 ? {} : { overlapFactor: scalarOf(factor, constants) };
}

function exponentOf(outer: Outer & { readonly kind: "power" }): number {
  const e = outer.exponent;
  return typeof e === "number" ? e : e.value * (e.times ?? 1);
}

/** Sum or mean over the regions: what the factor grows with when there are more of them. */
function* reducedBy(
  factor: number,
  fit: Fit,
  region: Region,
  [first, second]: readonly [Probe, Probe],
  constants: Constants,
): Generator<Fields> {
  const pooled = pooledRoles(region);
  const counts = (["batch", "class"] as const).map((role) =>
    pooled.has(role) ? [1, 1] : [first.along(role), second.along(role)],
  );
  const growth = growthOf(fit, region, second);
  const options: { fields: Fields; by: number; expected: number }[] = [];
  for (const [batch, classes] of [
    ["mean", "mean"],
    ["mean", "sum"],
    ["sum", "mean"],
    ["sum", "sum"],
  ] as const) {
    const times = (k: 0 | 1): number =>
      (batch === "sum" ? counts[0]![k]! : 1) * (classes === "sum" ? counts[1]![k]! : 1);
    options.push({
      fields: { batchReduction: batch, classReduction: classes },
      by: times(0),
      expected: times(1) / times(0),
    });
  }
  const grown = options.filter(
    (o) => growth === null || Math.abs(o.expected - growth) < GROWTH_NOISE * growth,
  );
  // Where sizes are fixed a sum and a mean look alike but for their factor.
  const rank = (o: (typeof options)[0]): number => unlikely(factor / o.by, constants);
  for (const o of grown.sort((a, b) => rank(a) - rank(b))) {
    yield { ...o.fields, factor: scalarOf(factor / o.by, constants) };
  }
}

/** Numbers of regions are far apart, and what two fits say of a factor is not exact. */
const GROWTH_NOISE = 1e-3;

/** How much larger the factor of the same loss is on the second probe; null if it cannot be told. */
function growthOf(fit: Fit, region: Region, second: Probe): number | null {
  const [again] = fitRatio(second, region, [fit.shape], [fit.ratio.sums]);
  if (again === undefined) return null;
  const size = (r: Ratio): number => Math.max(Math.abs(r.a), Math.abs(r.b));
  const power = fit.shape.outer.kind === "power" ? exponentOf(fit.shape.outer) : 1;
  return (size(again.ratio) / size(fit.ratio)) ** power;
}

/** Classes that count more, or not at all: from losses of regions with unlike entries. */
function* weightings(
  base: Fields,
  fit: Fit,
  region: Region,
  probe: Probe,
  constants: Constants,
): Generator<Fields> {
  const classes = probe.along("class");
  if (pooledRoles(region).has("class") || classes < 2) return;
  const weights = classWeights(fit, region, probe);
  if (weights === null) return;
  const mean = weights.reduce((s, w) => s + w, 0) / classes;
  const relative = weights.map((w) => w / mean);
  if (relative.every((w) => Math.abs(w - 1) < 1e-7)) return;
  const kept = relative.flatMap((w, c) => (Math.abs(w) < 1e-7 ? [] : [c]));
  const equal = kept.every((c) => Math.abs(relative[c]! - relative[kept[0]!]!) < 1e-7);
  const isForeground = kept.length === classes - 1 && !kept.includes(0);
  const chosen: Fields =
    kept.length === classes
      ? {}
      : { classes: isForeground ? "without background" : { only: kept } };
  const k = valueOfFactor(base);
  /** The loss of all classes together, when each has the loss 1. */
  const whole = base.classReduction === "sum" ? k * classes : k;
  const rank = (f: Fields): number => unlikely(valueOfFactor(f), constants);
  const found = equal
    ? // What was read as all classes was these, each counting more, or the sum of these.
      [
        { classReduction: "mean" as const, factor: whole },
        { classReduction: "sum" as const, factor: whole / kept.length },
      ].map((f): Fields => ({ ...base, ...chosen, ...f, factor: scalarOf(f.factor, constants) }))
    : weightedBy(
        { ...base, ...chosen },
        kept.map((c) => relative[c]!),
        whole,
        constants,
      );
  yield* found.sort((a, b) => rank(a) - rank(b));
}

/** Likeliest is that there is no factor, then one that stands in the code. */
function unlikely(factor: number, { values }: Constants): number {
  const is = (v: number): boolean => Math.abs(factor - v) < 1e-7 * Math.abs(v);
  return is(1) ? 0 : values.some(is) ? 1 : 2;
}

/** Weights are known up to the factor in front of the loss. */
function weightedBy(
  base: Fields,
  relative: readonly number[],
  whole: number,
  constants: Constants,
): Fields[] {
  const smallest = Math.min(...relative.map(Math.abs));
  const readings = distinct(
    [1, ...constants.values.filter((v) => v > 0)].flatMap((unit) => [
      relative.map((w) => rounded((w * unit) / smallest)),
      relative.map(rounded),
    ]),
  );
  // What was read as a factor of the score's numerator is the mean of the weights, if they are its.
  const times = valueOf(base.overlapFactor ?? 1);
  const mean = relative.reduce((s, w) => s + w, 0) / relative.length;
  const ofScore: Fields = {
    ...base,
    classWeighting: "score",
    overlapFactor: 1,
    smoothNumerator: scalarOf(valueOf(base.smoothNumerator ?? 0) / times, constants),
    weights: relative.map((w) => rounded((w * times) / mean)),
  };
  // Of weights that are normalized the scale is nobody's: that of the code is as good as any.
  const isWritten = (weights: readonly number[]): boolean =>
    weights.every((w) => constants.values.includes(w));
  const normalized: Fields = {
    ...base,
    classWeighting: "normalized loss",
    weights: readings.find(isWritten) ?? readings[0]!,
    factor: scalarOf(whole, constants),
  };
  const ofLoss = readings.map((weights): Fields => {
    const total = weights.reduce((s, w) => s + w, 0);
    const value = base.classReduction === "sum" ? total : total / weights.length;
    const factor = scalarOf(whole / value, constants);
    return { ...base, classWeighting: "loss", weights, factor };
  });
  return [ofScore, ...ofLoss, normalized];
}

function distinct(readings: readonly number[][]): number[][] {
  return [...new Map(readings.map((r) => [r.join(), r])).values()];
}

/** A weight, which the values of a loss tell to some seven digits. */
function rounded(w: number): number {
  const short = Number(w.toPrecision(5));
  return Math.abs(short - w) <= 1e-6 * Math.abs(w) ? short : tidy(w);
}

const valueOfFactor = (base: Fields): number => valueOf(base.factor ?? 1);

/** Weight of each class in a loss that is a weighted sum over regions; null when it is none. */
function classWeights({ ratio, shape }: Fit, region: Region, probe: Probe): number[] | null {
  const classes = probe.along("class");
  const pooled = pooledRoles(region);
  const rows = Array.from({ length: classes + 4 }, () => {
    const [p, t] = [probe.draw(), probe.draw()];
    const scores = new Array<number>(classes).fill(0);
    const samples = pooled.has("batch") ? 1 : probe.along("batch");
    for (let c = 0; c < classes; c++) {
      for (let b = 0; b < samples; b++) {
        const own = Array.from({ length: probe.count }, (_, k) => k).filter((k) => {
          const at = probe.coordinates(k);
          return at.class === c && (pooled.has("batch") || at.batch === b);
        });
        const [I, X, Y] = sumsOf(
          ratio.sums,
          own.map((k) => p[k]!),
          own.map((k) => t[k]!),
        );
        const rest = ratio.sums.errorPower === 0 ? 1 - ratio.alpha - ratio.beta : 1;
        const U = rest * I + ratio.alpha * X + ratio.beta * Y + ratio.d;
        const y = ratio.a - (ratio.b * I + ratio.n) / U;
        scores[c]! += shape.forward(y) / samples;
      }
    }
    return [probe.value(p, t), 1, ...scores];
  });
  const v = nullVector(rows);
  if (v === null || Math.abs(v[0]!) < 1e-9) return null;
  return Array.from(v.slice(2), (x) => -x / v[0]!);
}
