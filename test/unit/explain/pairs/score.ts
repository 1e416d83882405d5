/** The lines from the sums of a region to its score. */
import type { ReasonId } from "../../../../src/explain/reasons/groups.ts";
import { type Scalar, valueOf } from "../../../../src/losses/spec.ts";
import type { Page } from "./page.ts";
import { MASK, firstUses } from "./prepare.ts";
import type { Content } from "./style.ts";

/** Everything that makes the quotient; where one of them is missing, here it would stand. */
export const RATIO: readonly ReasonId[] = [
  "ratio",
  "smoothing",
  "overlap-factor",
  "denominator-floor",
  "empty-regions",
  "class-weights",
  "absent-classes",
  "hand-written",
];

/** Writes lines up to the score of each region; the score's name. */
export function writeScore(page: Page, content: Content, p: string, t: string): string {
  const { spec } = content;
  const { style } = page;
  const { dialect: d, names, dense } = style;
  const { overlap: I } = names;
  writeOverlap(page, content, p, t);
  const n = page.number(spec.smoothNumerator, "smooth");
  const e = page.number(
    spec.smoothDenominator,
    valueOf(spec.smoothNumerator) === valueOf(spec.smoothDenominator) ? "smooth" : "eps",
  );
  const plus = (name: string, s: Scalar): string => (valueOf(s) === 0 ? "" : ` + ${name}`);
  const own = (spec.ratio.kind === "dice" ? 2 : 1) * valueOf(spec.overlapFactor);
  const factor = own === 1 ? "" : `${own} * `;
  let bottom = writeDenominator(page, content, p, t);
  const volume = spec.classWeighting === "volume";
  if (volume) bottom = weighByVolume(page, content, t, bottom);
  else if (spec.classWeighting === "numerator") {
    throw new Error("weights of the numerator are not written");
  }
  const bare = bottom;
  const dependent: readonly ReasonId[] = dense ? ["powers", "region"] : [];
  let top = `${factor}${volume ? "top" : I}${plus(n, spec.smoothNumerator)}`;
  let whole = `${bottom}${plus(e, spec.smoothDenominator)}`;
  if (spec.stopped === "denominator") {
    page.put(`scale = ${d.detached!(whole)}`, "detached", ...RATIO, ...dependent);
    whole = "scale";
  }
  if (spec.stopped === "numerator") {
    page.put(`fixed = ${d.detached!(top)}`, "detached", ...RATIO);
    top = "fixed";
  }
  if (valueOf(spec.denominatorFloor) !== 0 && spec.floorPlace === "whole") {
    const floor = page.number(spec.denominatorFloor, "eps");
    page.put(`bound = ${d.atLeast(whole, floor)}`, ...RATIO, "powers", "region");
    whole = "bound";
  }
  const byHand = style.ownQuotient || content.wrongQuotient !== null;
  const quotient = byHand ? d.quotient!.call(top, whole) : `(${top}) / (${whole})`;
  page.put(`score = ${quotient}`, ...RATIO, ...dependent, "loss-of-score");
  if (spec.emptyRegion !== "as computed") {
    if (spec.emptyRegion !== "score one") throw new Error(`not written: ${spec.emptyRegion}`);
    page.put(`score = ${d.where!(`${bare} == 0`, "1.0", "score")}`, "empty-regions");
  }
  return "score";
}

/** The sum of a term over the region; `factors` are what it is the product of, for einsum. */
function summed(page: Page, { spec }: Content, term: string, factors: readonly string[]): string {
  const { dialect: d, sums, rank } = page.style;
  const { region } = spec;
  const { axes } = page;
  if (sums === "flattened") return d.sum(term, region === "everything" ? null : [-1]);
  if (sums === "loop over classes") {
    // A class alone: (B, H, W) in either layout.
    const space = Array.from({ length: rank - 2 }, (_, k) => k + 1);
    return d.sum(term, region === "space" ? space : null);
  }
  if (sums === "einsum" && factors.length > 0) {
    const all = page.letters;
    const to = { space: "bc", "batch and space": "c", "class and space": "b", everything: "" }[
      region as "space"
    ];
    return d.einsum!(factors.map(() => all).join(","), to, ...factors);
  }
  switch (region) {
    case "space":
      return d.sum(term, axes.space);
    case "batch and space":
      return d.sum(term, [axes.batch, ...axes.space]);
    case "class and space":
      return d.sum(term, [axes.class, ...axes.space].sort());
    default:
      return d.sum(term, null);
  }
}

function writeOverlap(page: Page, content: Content, p: string, t: string): void {
  const { spec } = content;
  const { dialect: d, names } = page.style;
  const first = firstUses(page, spec);
  if (spec.overlap === "l1") {
    const apart = summed(page, content, d.abs(`${p} - ${t}`), []);
    page.put(`apart = ${apart}`, "overlap", "region", ...first);
    const [P, T] = [summed(page, content, p, [p]), summed(page, content, t, [t])];
    page.put(`${names.overlap} = (${P} + ${T} - apart) / 2`, "overlap", "region");
    return;
  }
  const masks = spec.mask === "numerator only" && spec.ignoredLabel === null;
  const term = masks ? `${p} * ${t} * ${MASK}` : `${p} * ${t}`;
  const I = summed(page, content, term, masks ? [] : [p, t]);
  page.put(`${names.overlap} = ${I}`, "overlap", "region", ...(masks ? ["mask" as const] : first));
}

/** The denominator without smoothing: its name, or the expression where all is in one line. */
function writeDenominator(page: Page, content: Content, p: string, t: string): string {
  const { spec } = content;
  const { dialect: d, names, dense } = page.style;
  const { overlap: I, denominator: U } = names;
  const raised = (e: string, k: Scalar): string =>
    valueOf(k) === 1 ? e : valueOf(k) === 2 ? d.square(e) : `${e} ** ${page.number(k, "power")}`;
  const sumOf = (e: string, k: Scalar): string =>
    summed(page, content, raised(e, k), valueOf(k) === 1 ? [e] : [e, e]);
  const [P, T] = [sumOf(p, spec.predictionPower), sumOf(t, spec.targetPower)];
  const { ratio } = spec;
  if (ratio.kind === "tversky") {
    const [a, b] = [page.number(ratio.alpha, "alpha"), page.number(ratio.beta, "beta")];
    page.put(`fp = ${P} - ${I}`, "powers", "region", "ratio");
    page.put(`fn = ${T} - ${I}`, "powers", "region", "ratio");
    return `${I} + ${a} * fp + ${b} * fn`;
  }
  const minus = ratio.kind === "jaccard" ? ` - ${I}` : "";
  if (dense) return `${P} + ${T}${minus}`;
  page.put(`${U} = ${P} + ${T}${minus}`, "powers", "region", "ratio");
  return U;
}

/** The sum over classes of weights times numerator and denominator; the denominator's name. */
function weighByVolume(page: Page, content: Content, t: string, bottom: string): string {
  const { spec } = content;
  const { dialect: d, names } = page.style;
  writeVolumeWeights(page, content, t);
  const axis = [spec.region === "space" ? 1 : 0];
  page.put(`top = ${d.sum(`w * ${names.overlap}`, axis)}`, "class-weights", "region");
  let own = `w * (${bottom})`;
  if (valueOf(spec.denominatorFloor) !== 0 && spec.floorPlace === "each class") {
    own = d.atLeast(own, page.number(spec.denominatorFloor, "eps"));
  }
  page.put(
    `bottom = ${d.sum(own, axis)}`,
    "class-weights",
    "ratio",
    "region",
    "powers",
    "denominator-floor",
  );
  return "bottom";
}

function writeVolumeWeights(page: Page, content: Content, t: string): void {
  const { spec } = content;
  const { dialect: d } = page.style;
  const { absentWeight } = spec;
  page.put(`volume = ${summed(page, content, t, [t])}`, "class-weights", "region");
  const power = valueOf(spec.volumePower);
  const raised = (e: string): string => (power === 1 ? e : `${e} ** ${power}`);
  const put = (code: string): void => {
    page.put(code, "class-weights");
  };
  switch (absentWeight.kind) {
    case "added":
      put(`w = 1 / ${raised(`(volume + ${page.number(absentWeight.epsilon, "tiny")})`)}`);
      return;
    case "added to the power":
      put(`w = 1 / (${raised("volume")} + ${page.number(absentWeight.epsilon, "tiny")})`);
      return;
    case "floor":
      put(`w = 1 / ${d.atLeast(raised("volume"), page.number(absentWeight.at, "tiny"))}`);
      return;
    case "infinite":
      put(`w = 1 / ${raised("volume")}`);
      return;
    case "largest finite": {
      put(`w = ${d.where!("volume > 0", `1 / ${raised("volume")}`, "0.0")}`);
      const largest = d.largest!("w", spec.region === "space" ? 1 : 0);
      put(`w = ${d.where!("volume > 0", "w", largest)}`);
    }
  }
}

/** 1 for a region whose class the target holds. */
export function presenceOf(page: Page, content: Content, t: string): string {
  return page.style.dialect.asFloat(`${summed(page, content, t, [t])} > 0`);
}
