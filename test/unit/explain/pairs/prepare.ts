/** The lines from the arrays that a loss is given to the probabilities and targets that it sums. */
import type { ReasonId } from "../../../../src/explain/reasons/groups.ts";
import { valueOf } from "../../../../src/losses/spec.ts";
import type { Page } from "./page.ts";
import { CLASSES, type Content, IGNORED, type Style } from "./style.ts";

/** The mask's name, where the loss is given one. */
export const MASK = "valid";

/** Reasons that would stand where the prediction is used first. */
const OF_PREDICTION: readonly ReasonId[] = ["activation", "clipping", "classes", "mask"];
/** And where the target is. */
const OF_TARGET: readonly ReasonId[] = ["target-smoothing", "target-encoding", "classes"];

export function prepare(page: Page, content: Content): void {
  const { spec } = content;
  const { style } = page;
  const { dialect: d, names } = style;
  const { p, t, prediction } = names;
  const masks = spec.mask !== "none";
  if (masks) {
    const given = spec.ignoredLabel === null;
    if (!given) {
      const label = page.number(IGNORED, "ignore_index");
      page.put(`${MASK} = ${d.asFloat(`${names.target} != ${label}`)}`, "mask");
    }
  }
  const before = masks && spec.mask === "before activation";
  const mask = style.labels ? channelOf(style) : MASK;
  if (before) page.put(`${p} = ${prediction} * ${mask}`, "mask", "activation");
  activate(page, content, before ? p : prediction);
  const clip = page.number(spec.predictionClip, "margin");
  if (valueOf(spec.predictionClip) !== 0) {
    page.put(`${p} = ${d.clip(p, clip, `1 - ${clip}`)}`, "clipping");
  }
  encode(page, content);
  if (masks && spec.mask !== "numerator only") {
    const [ofPrediction, ofTarget] = [spec.activation === "none", !style.labels];
    if (!before) {
      page.put(`${p} = ${p} * ${mask}`, "mask", ...(ofPrediction ? OF_PREDICTION : []));
    }
    page.put(`${t} = ${t} * ${mask}`, "mask", ...(ofTarget ? OF_TARGET : []));
  } else if (masks && spec.ignoredLabel !== null) {
    // The encoded target of an ignored voxel is nothing.
    page.put(`${t} = ${t} * ${mask}`, "mask");
  }
  if (spec.classes === "without background" && style.sums !== "loop over classes") {
    page.put(`${p}, ${t} = ${page.channels(p, "1:")}, ${page.channels(t, "1:")}`, "classes");
  }
  if (spec.stopped === "prediction") page.put(`${p} = ${d.detached!(p)}`, "detached");
  if (style.sums === "flattened") flatten(page, content);
}

/** The mask of a label map with an axis for the classes. */
function channelOf({ dialect }: Style): string {
  return dialect.layout === "channels-first" ? `${MASK}[:, None]` : `${MASK}[..., None]`;
}

function activate(page: Page, { spec, thresholded }: Content, from: string): void {
  const { dialect: d, names, rounds } = page.style;
  const { p } = names;
  const { axes } = page;
  const steps: Record<string, readonly ((e: string) => string)[]> = {
    none: [],
    sigmoid: [d.sigmoid],
    softmax: [(e) => d.softmax(e, axes.class)],
    "sigmoid twice": [d.sigmoid, d.sigmoid],
    "softmax twice": [(e) => d.softmax(e, axes.class), (e) => d.softmax(e, axes.class)],
    "softmax over batch": [(e) => d.softmax(e, axes.batch)],
  };
  const own = steps[spec.activation];
  if (own === undefined) throw new Error(`no way to write ${spec.activation}`);
  if (own.length === 0) page.put(`${p} = ${from}`, ...OF_PREDICTION);
  own.forEach((step, k) => {
    page.put(`${p} = ${step(k === 0 ? from : p)}`, ...OF_PREDICTION);
  });
  if (thresholded) {
    const hard = rounds ? d.round(p) : d.asFloat(`${p} > ${page.number(0.5, "threshold")}`);
    page.put(`${p} = ${hard}`, "thresholded", ...OF_PREDICTION);
  }
}

function encode(page: Page, { spec }: Content): void {
  const { style } = page;
  const { dialect: d, names, rank } = style;
  const { t, target, prediction } = names;
  const labels = spec.ignoredLabel === null || spec.mask === "none" ? target : "known";
  if (labels !== target) page.put(`known = ${d.asInt!(`${target} * ${MASK}`)}`, "mask");
  const misplaced = spec.targetEncoding === "one-hot, class axis misplaced";
  const encoded = misplaced
    ? d.misplaced!(labels, CLASSES, prediction)
    : d.oneHot?.(labels, CLASSES, rank);
  page.put(style.labels ? `${t} = ${encoded}` : `${t} = ${target}`, ...OF_TARGET);
  const smoothing = spec.targetSmoothing;
  if (smoothing.kind === "none") return;
  const e = page.number(smoothing.epsilon, "label_smoothing");
  const rest = smoothing.kind === "uniform" ? `${e} / ${CLASSES}` : e;
  page.put(`${t} = (1 - ${e}) * ${t} + ${rest}`, "target-smoothing");
}

function flatten(page: Page, { spec }: Content): void {
  const { names, dialect: d } = page.style;
  for (const e of [names.p, names.t]) {
    const own = {
      space: () => d.flatten!(e, 2),
      "batch and space": () => d.flatten!(d.swapBatchAndClass!(e), 1),
      "class and space": () => d.flatten!(e, 1),
      everything: () => d.flatten!(e, 0),
      class: () => {
        throw new Error("a ratio a voxel is not written");
      },
    }[spec.region]();
    page.put(`${e} = ${own}`, "region", ...firstUses(page, spec));
  }
}

/** What would stand here, where arrays are summed as they were given: a name alone is no step. */
export function firstUses(page: Page, spec: Content["spec"]): ReasonId[] {
  const ids: ReasonId[] = [];
  if (spec.activation === "none") ids.push("activation", "clipping", "mask", "thresholded");
  if (!page.style.labels) ids.push("target-smoothing", "target-encoding");
  return ids;
}
