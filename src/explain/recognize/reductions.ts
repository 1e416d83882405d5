/** From the fraction of one region to the fields of a spec: ratio, smoothing, loss, reductions. */
import type { FamilySpec, Outer, Ratio as RatioField, Region, Scalar } from "../../losses/spec.ts";
import { type Constants, named } from "./constants.ts";
import { nullVector } from "./linear.ts";
import type { Probe } from "./probe.ts";
import { type Fit, type Ratio, fitRatio, sumsOf, tidy } from "./ratio.ts";
import { pooledRoles } from "./regions.ts";

type Fields = Partial<FamilySpec>;

/** Readings of a fit, likeliest first. */
export function* reductionsOf(
  fit: Fit,
  region: Region,
  probes: readonly [Probe, Probe],
  constants: Constants,
): Generator<Fields> {
  for (const own of ratioFields(fit, constants)) {
    for (const { fields, factor } of lossFields(fit, constants)) {
      for (const reduced of reducedBy(factor, fit, region, probes, constants)) {
        const base: Fields = { region, ...own, ...fields, ...reduced };
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
    predictionPower: scalarOf(r.sums.predictionPower, constants),
    targetPower: scalarOf(r.sums.targetPower, constants),
    errorPower: scalarOf(
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
    (o) => growth === null || Math.abs(o.expected - growth) < 1e-6 * growth,
  );
  // Where sizes are fixed a sum and a mean look alike but for their factor: a factor of 1 is likelier.
  const plain = (o: (typeof options)[0]): number => (Math.abs(factor / o.by - 1) < 1e-7 ? 0 : 1);
  for (const o of grown.sort((a, b) => plain(a) - plain(b))) {
    yield { ...o.fields, factor: scalarOf(factor / o.by, constants) };
  }
}

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
  const relative = weights.map((w) => tidy(w / mean));
  if (relative.every((w) => Math.abs(w - 1) < 1e-7)) return;
  const kept = relative.flatMap((w, c) => (Math.abs(w) < 1e-7 ? [] : [c]));
  const equal = kept.every((c) => Math.abs(relative[c]! - relative[kept[0]!]!) < 1e-7);
  if (equal && kept.length < classes) {
    const isForeground = kept.length === classes - 1 && !kept.includes(0);
    const chosen: Fields = { classes: isForeground ? "without background" : { only: kept } };
    yield { ...base, ...chosen };
    yield {
      ...base,
      ...chosen,
      factor: scalarOf(valueOfFactor(base) * (kept.length / classes), constants),
    };
    if (base.classReduction === "mean") {
      const sum = valueOfFactor(base) / classes;
      yield { ...base, ...chosen, classReduction: "sum", factor: scalarOf(sum, constants) };
    }
    return;
  }
  // Weights are known up to the factor in front of the loss.
  const smallest = Math.min(...kept.map((c) => Math.abs(relative[c]!)));
  for (const unit of [1, ...constants.values.filter((v) => v > 0)]) {
    for (const reading of [relative.map((w) => tidy((w * unit) / smallest)), relative]) {
      const total = reading.reduce((s, w) => s + w, 0);
      const k = valueOfFactor(base);
      const value = base.classReduction === "sum" ? total : total / classes;
      for (const classWeighting of ["loss", "score"] as const) {
        const factor = classWeighting === "loss" ? k / value : k;
        yield { ...base, classWeighting, weights: reading, factor: scalarOf(factor, constants) };
      }
      yield { ...base, classWeighting: "normalized loss", weights: reading };
    }
  }
}

function valueOfFactor(base: Fields): number {
  const f = base.factor ?? 1;
  return typeof f === "number" ? f : f.value * (f.times ?? 1);
}

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
