/** The gradient at the user's own point, entry by entry: what is small, where, and beside what. */
import { layoutOf } from "../../gradient/entries.ts";
import { filled, largestOf, parts } from "../../numbers/interruption.ts";
import { certainArrays } from "../../numbers/certain.ts";
import { compileKernel } from "../../numbers/kernel.ts";
import { type Watch, within } from "../../numbers/typedArrays.ts";
import type { Factors } from "./factors.ts";
import { relativeChange } from "./finding.ts";
import type { BehaviourSubject, Groups } from "./subject.ts";
import type { Gradients } from "./sweeps.ts";

/** A sample, a class of one, or the whole array: what has a ratio of its own. */
export interface Region {
  readonly index: number;
  readonly denominator: number;
  /** Foreground entries in it. */
  readonly foreground: number;
  /** Largest magnitudes of the gradient in it, and of the same without smoothing. */
  readonly largest: number;
  readonly bareLargest: number;
}

export interface Here {
  readonly loss: number;
  readonly bareLoss: number | null;
  readonly gradient: Float64Array;
  readonly bare: Float64Array | null;
  readonly slope: Float64Array | null;
  readonly probability: Float64Array | null;
  readonly largest: number;
  /**
   * What the smoothing changes of the gradient, beside its largest entry; null where one of the two
   * gradients has no value.
   */
  readonly smoothingChange: number | null;
  readonly regions: readonly Region[];
  /** Entries looked at on behalf of their group: those of median prediction; -1 where none is. */
  readonly typical: { readonly foreground: number; readonly background: number };
}

export function lookHere(
  subject: BehaviourSubject,
  gradients: Gradients,
  bareLoss: BehaviourSubject["loss"] | null,
  { activation, ratio }: Factors,
  groups: Groups | null,
  watch: Watch,
): Here {
  const { loss, wrt, bindings } = subject;
  const count = layoutOf(wrt).count;
  const roots = [
    loss,
    ...(gradients.bare === null ? [] : [bareLoss!]),
    ...(activation === null ? [] : [activation.slope, activation.node]),
    ...(ratio?.denominators ?? []),
  ];
  const { outputs } = compileKernel(roots).run(bindings, within(watch, 0, 0.2));
  const [own, other] = certainArrays(
    [gradients.own, ...(gradients.bare === null ? [] : [gradients.bare])],
    bindings,
    within(watch, 0.2, 0.4),
  );
  const data = outputs.map((o) => o.data);
  let next = 0;
  const take = (): Float64Array => data[next++]!;
  const value = take()[0]!;
  const gradient = spreadTo(own!, count);
  const bare = other === undefined ? null : spreadTo(other, count);
  const bareValue = gradients.bare === null ? null : take()[0]!;
  const slope = activation === null ? null : spreadTo(take(), count);
  const probability = activation === null ? null : take();
  const denominators = (ratio?.denominators ?? []).flatMap(() => [...take()]);
  return {
    loss: value,
    bareLoss: bareValue,
    gradient,
    bare,
    slope,
    probability,
    largest: largestOf(gradient),
    smoothingChange:
      gradients.bare === null
        ? 0
        : relativeChange(gradients.own, gradients.bare, bindings, within(watch, 0.4, 0.9)),
    regions: ratio === null ? [] : regionsOf(gradient, bare, ratio.regionOf, denominators, groups),
    typical: typicalOf(probability ?? bindings.get(wrt.name)!, groups),
  };
}

/** A gradient that is one number for all entries may come as one. */
function spreadTo(a: Float64Array, count: number): Float64Array {
  return a.length === count ? a : filled(new Float64Array(count), () => a[0]!);
}

function regionsOf(
  gradient: Float64Array,
  bare: Float64Array | null,
  regionOf: Int32Array,
  denominators: readonly number[],
  groups: Groups | null,
): Region[] {
  const regions = denominators.map((denominator, index) => ({
    index,
    denominator,
    foreground: 0,
    largest: 0,
    bareLargest: 0,
  }));
  for (const [first, end] of parts(gradient.length)) {
    for (let k = first; k < end; k++) {
      const r = regions[regionOf[k]!];
      if (r === undefined) continue;
      if (groups?.foreground[k] === 1) r.foreground++;
      const g = Math.abs(gradient[k]!);
      if (g > r.largest) r.largest = g;
      const h = bare === null ? g : Math.abs(bare[k]!);
      if (!(h <= r.bareLargest)) r.bareLargest = h; // NaN counts as the largest
    }
  }
  return regions;
}

const SAMPLE = 20_000;

function typicalOf(
  prediction: ArrayLike<number>,
  groups: Groups | null,
): { foreground: number; background: number } {
  const of = (mark: number): number => {
    const isMember = (k: number): boolean => (groups?.foreground[k] ?? 0) === mark;
    let members = 0;
    for (const [first, end] of parts(prediction.length)) {
      for (let k = first; k < end; k++) if (isMember(k)) members++;
    }
    const step = Math.max(1, Math.ceil(members / SAMPLE));
    const sample: number[] = [];
    let seen = 0;
    for (const [first, end] of parts(prediction.length)) {
      for (let k = first; k < end; k++) if (isMember(k) && seen++ % step === 0) sample.push(k);
    }
    sample.sort((x, y) => prediction[x]! - prediction[y]! || x - y);
    return sample[Math.floor((sample.length - 1) / 2)] ?? -1;
  };
  return { foreground: groups === null ? -1 : of(1), background: of(0) };
}
