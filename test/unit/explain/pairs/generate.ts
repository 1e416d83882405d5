/**
 * Pairs of losses with known differences: a catalogue loss, and the same one changed by one to four
 * edits, each written out as Python in a style of its own.
 */
import { type ReasonId, changesBetween } from "../../../../src/explain/reasons/groups.ts";
import { derive } from "../../../../src/gradient/derive.ts";
import { FAMILY_FIELDS, canonical, sameValue } from "../../../../src/losses/edits.ts";
import { buildFamily } from "../../../../src/losses/family.ts";
import { axis } from "../../../../src/expression/axis.ts";
import { input } from "../../../../src/expression/build.ts";
import { evaluateAll } from "../../../../src/expression/evaluate.ts";
import type { Expr, Input } from "../../../../src/expression/node.ts";
import { parseCall } from "../../../../src/losses/catalogue.ts";
import { Settings } from "../../../../src/losses/entry.ts";
import { FamilyError, type FamilySpec, valueOf } from "../../../../src/losses/spec.ts";
import { CHANNELS_FIRST, CHANNELS_LAST, type Dialect } from "./dialects.ts";
import { EDITS, type KnownEdit } from "./edits.ts";
import { Random } from "./random.ts";
import { CLASSES, type Content, IGNORED, canHold, drawStyle } from "./style.ts";
import { type WrittenLoss, write } from "./write.ts";

export interface GeneratedPair {
  readonly seed: number;
  /** The catalogue loss it starts from, as its library writes it. */
  readonly call: string;
  readonly edits: readonly ReasonId[];
  readonly a: WrittenLoss;
  readonly b: WrittenLoss;
  /** Traced with arrays of fixed sizes, or of any size. */
  readonly bound: boolean;
  readonly contents: { readonly a: Content; readonly b: Content };
}

/** Catalogue losses with settings that people use. */
const CALLS: readonly string[] = [
  "monai.losses.DiceLoss()",
  "monai.losses.DiceLoss(sigmoid=True)",
  "monai.losses.DiceLoss(softmax=True, include_background=False)",
  "monai.losses.DiceLoss(sigmoid=True, squared_pred=True, batch=True)",
  "monai.losses.DiceLoss(softmax=True, jaccard=True)",
  "monai.losses.DiceLoss(softmax=True, smooth_nr=0, batch=True)",
  'monai.losses.DiceLoss(sigmoid=True, reduction="sum")',
  "monai.losses.DiceLoss(softmax=True, to_onehot_y=True)",
  "monai.losses.TverskyLoss(sigmoid=True, alpha=0.3, beta=0.7)",
  "monai.losses.TverskyLoss(softmax=True)",
  'segmentation_models_pytorch.losses.DiceLoss(mode="multilabel")',
  'segmentation_models_pytorch.losses.DiceLoss(mode="multilabel", smooth=1)',
  'segmentation_models_pytorch.losses.DiceLoss(mode="multiclass")',
  'segmentation_models_pytorch.losses.JaccardLoss(mode="multilabel")',
  'segmentation_models_pytorch.losses.TverskyLoss(mode="multilabel", alpha=0.3, beta=0.7)',
  'torchseg.losses.DiceLoss(mode="multilabel")',
  'torchseg.losses.JaccardLoss(mode="multilabel", smooth=1)',
  "keras.losses.Dice()",
  "keras.losses.Tversky(alpha=0.3, beta=0.7)",
  "mmdet.models.losses.DiceLoss()",
  "mmdet.models.losses.DiceLoss(naive_dice=True)",
  "ultralytics.utils.loss.MultiChannelDiceLoss()",
  "ultralytics.utils.loss.BCEDiceLoss()",
  "detr.models.segmentation.dice_loss(num_boxes=2)",
  "hubutui.loss.BinaryDiceLoss()",
  "pytorch3dunet.unet3d.losses.DiceLoss()",
  "pytorch_loss.SoftDiceLossV1()",
  "pytorch_goodies.losses.dice_loss()",
  "voxelmorph.torch.losses.Dice()",
  "segmentation_models.losses.DiceLoss()",
  "ivadomed.losses.DiceLoss()",
  "papers.dice()",
  "papers.vnet_dice()",
  "papers.tversky(alpha=0.3, beta=0.7)",
  "papers.focal_tversky()",
  "papers.log_cosh_dice()",
  "papers.dice_semimetric()",
  "papers.soft_jaccard()",
  "papers.generalized_dice()",
  "monai.losses.GeneralizedDiceLoss(softmax=True)",
  "monai.losses.GeneralizedDiceLoss(sigmoid=True, batch=True)",
  "monai.losses.MaskedDiceLoss(sigmoid=True)",
  "pytorch3dunet.unet3d.losses.GeneralizedDiceLoss()",
  "nnunetv2.training.loss.dice.SoftDiceLoss()",
  "catalyst.contrib.losses.SmoothingDiceLoss()",
  "utils.dice_score.dice_loss()",
  "tensorlayer.cost.dice_coe()",
  "mmseg.models.losses.TverskyLoss()",
  "paddleseg.models.losses.DiceLoss()",
  'segmentation_models_pytorch.losses.DiceLoss(mode="multiclass", ignore_index=255)',
];

/** The pair of a seed; the same for each run. */
export function generatePair(seed: number): GeneratedPair {
  const random = new Random(seed);
  for (;;) {
    const call = random.pick(CALLS);
    const pair = tryPair(seed, call, random);
    if (pair !== null) return pair;
  }
}

function tryPair(seed: number, call: string, random: Random): GeneratedPair | null {
  const { entry, parameters } = parseCall(call);
  const rank = random.pick([4, 4, 4, 3, 5]);
  const facts = { classes: CLASSES, rank };
  const spec = plainly(entry.spec!(new Settings(parameters), facts));
  const b: Content = { spec, thresholded: false, wrongQuotient: null };
  const wanted = 1 + random.below(4);
  const edits: KnownEdit[] = [];
  const steps: FamilySpec[][] = [];
  let a = b;
  for (const edit of random.shuffled(EDITS)) {
    if (edits.length === wanted) break;
    const next = edit.edit(a, random);
    if (next === null) continue;
    if (next.spec !== a.spec) steps.push([a.spec, next.spec]);
    a = next;
    edits.push(edit);
  }
  if (edits.length < wanted || !isSound(a.spec, b.spec, steps)) return null;
  const labels = b.spec.targetEncoding === "one-hot";
  const dialects: readonly Dialect[] =
    entry.layout === "channels-last" || (!labels && random.chance(0.2))
      ? CHANNELS_LAST
      : CHANNELS_FIRST;
  const able = (c: Content): boolean => dialects.some((d) => canHold(d, c, labels));
  if (!able(a) || !able(b)) return null;
  const [first, second] = [a, b].map((content) =>
    write(content, drawStyle(random, content, dialects, { labels, rank })),
  );
  // Code that sums over axes seldom says how many there are, and is taken to be of pictures; label
  // smoothing names the number of classes, which only arrays or an encoding tell; where the class
  // axis is misplaced the sizes say what comes to stand where; and a mask has an axis of size 1.
  const counted = [a, b].some((c) => c.spec.targetSmoothing.kind !== "none");
  const masked = first!.takesMask || second!.takesMask;
  const misplaced = a.spec.targetEncoding === "one-hot, class axis misplaced";
  const bound = random.chance(0.3) || rank !== 4 || masked || (counted && !labels) || misplaced;
  const ids = edits.map((e) => e.id);
  return { seed, call, edits: ids, a: first!, b: second!, bound, contents: { a, b } };
}

/** The spec without the names that the library gives its numbers. */
function plainly(spec: FamilySpec): FamilySpec {
  const plain = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(plain);
    if (typeof v !== "object" || v === null) return v;
    if ("value" in v && "name" in v) return valueOf(v as never);
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]));
  };
  const { emptyRegion } = canonical(spec);
  return plain({ ...spec, logSpace: false, emptyRegion }) as FamilySpec;
}

/**
 * Whether each edit is a change of its own: no other set of them makes the same loss, and some of
 * them undone is not all undone. An L1 overlap is the product where labels are hard, a lower limit is
 * moot beside smoothing, a sum over samples where everything is summed before, a factor of a half
 * undoes a sum over two. Such pairs have no one right answer.
 */
function isSound(a: FamilySpec, b: FamilySpec, edited: readonly FamilySpec[][]): boolean {
  const [own, start] = [signature(a, b), signature(b, b)];
  if (countsClassesOtherwise(a, b)) return false;
  if (own === null || start === null) return false;
  const all = 2 ** edited.length - 1;
  for (let made = 0; made <= all; made++) {
    let spec = b;
    edited.forEach(([before, after], k) => {
      if ((made & (1 << k)) !== 0) spec = withChanges(spec, before!, after!);
    });
    const found = signature(spec, b);
    if (made < all && isSameAs(found, own)) return false;
    if (made > 0 && isSameAs(found, start)) return false;
  }
  return true;
}

/** A mean over two classes times two is the sum over them: either may be what was meant. */
function countsClassesOtherwise(a: FamilySpec, b: FamilySpec): boolean {
  const count = a.classes === "all" ? CLASSES : CLASSES - 1;
  const isMean = a.classReduction === "mean";
  const twin: FamilySpec = {
    ...a,
    classReduction: isMean ? "sum" : "mean",
    factor: valueOf(a.factor) * (isMean ? 1 / count : count),
  };
  const changes = (s: FamilySpec): number => changesBetween(canonical(s), canonical(b)).length;
  return changes(twin) <= changes(a);
}

const isSameAs = (found: readonly number[] | null, wanted: readonly number[]): boolean =>
  found?.every((v, k) => isClose(v, wanted[k]!)) === true;

/** `spec` with the fields in which `after` differs from `before`. */
function withChanges(spec: FamilySpec, before: FamilySpec, after: FamilySpec): FamilySpec {
  const changed = FAMILY_FIELDS.filter((f) => !sameValue(before[f], after[f]));
  return { ...spec, ...Object.fromEntries(changed.map((f) => [f, after[f]])) };
}

const isClose = (x: number, y: number): boolean =>
  Object.is(x, y) || Math.abs(x - y) <= 1e-11 * Math.max(1, Math.abs(x));

/** Values and gradients of a loss on ordinary and on degenerate arrays; null where it does not fit. */
function signature(spec: FamilySpec, { targetEncoding }: FamilySpec): number[] | null {
  const labels = targetEncoding === "one-hot";
  const axes = [axis("b", 2, "batch"), axis("c", CLASSES, "class"), axis("i", 4, "space")];
  const prediction = input("prediction", axes) as Input;
  const target = input("target", labels ? [axes[0]!, axes[2]!] : axes, labels ? "int" : "float");
  const mask = input("mask", [axes[0]!, axes[2]!]) as Input;
  const inputs = { prediction, target, mask };
  let loss: Expr;
  try {
    loss = buildFamily({ ...spec, stopped: "nothing" }, inputs);
    if (spec.stopped !== "nothing") loss = buildFamily(spec, inputs);
  } catch (e) {
    if (e instanceof FamilyError) return null;
    throw e;
  }
  const roots = [loss, derive(loss, prediction)];
  const random = new Random(1);
  const draw = (): number => (1 + random.below(998)) / 1000;
  const bit = (): number => random.below(2);
  const predictions = Array.from({ length: 24 }, draw);
  const near = (v: number): number => v + 0.001 * draw();
  const anyLabel = (): number => (random.chance(0.2) ? IGNORED : random.below(CLASSES));
  const kinds: (() => number)[] = labels
    ? [anyLabel, () => random.below(CLASSES), () => 0, bit]
    : [draw, draw, () => 0, bit];
  const points = kinds.map((kind) => ({ kind, predicted: near, of: roots }));
  // The gradient where nothing is predicted and nothing there is a matter of convention.
  if (!labels) points.push({ kind: () => 0, predicted: () => 0, of: [loss] });
  return points.flatMap(({ kind, predicted, of }) => {
    const data = Array.from({ length: labels ? 8 : 24 }, kind);
    const bindings = new Map([
      ["prediction", { shape: [2, CLASSES, 4], data: predictions.map(predicted) }],
      ["target", { shape: labels ? [2, 4] : [2, CLASSES, 4], data }],
      ["mask", { shape: [2, 4], data: Array.from({ length: 8 }, bit) }],
    ]);
    return evaluateAll(of, bindings).flatMap((r) => Array.from(r.data));
  });
}
