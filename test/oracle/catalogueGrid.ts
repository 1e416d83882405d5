/** Settings and arrays on which catalogue losses are compared with their libraries. */
import type { CatalogueEntry } from "../../src/losses/entry.ts";
import type { TargetKind } from "./catalogueArrays.ts";
import type { PyValue } from "../../src/losses/python.ts";

export type Values = Readonly<Record<string, PyValue>>;

/** Every combination of the values listed for each parameter. */
export function grid(lists: Readonly<Record<string, readonly PyValue[]>>): Values[] {
  return Object.entries(lists).reduce<Values[]>(
    (made, [name, values]) =>
      made.flatMap((sofar) => values.map((value) => ({ ...sofar, [name]: value }))),
    [{}],
  );
}

export interface Comparison {
  /** Kinds of targets, where not all of them make sense. */
  readonly kinds?: readonly TargetKind[];
  /** Settings, each compared on every shape. */
  readonly settings: readonly Values[];
  /** Shapes of the prediction, in the entry's layout. */
  readonly shapes: readonly (readonly number[])[];
  /** Settings that hold for some shapes only (weights fix the number of classes). */
  readonly only?: (settings: Values, shape: readonly number[]) => boolean;
}

const ACTIVATIONS: Values[] = [{}, { sigmoid: true }, { softmax: true }];
const SMOOTHING: Values[] = [{}, { smooth_nr: 0.25, smooth_dr: 1 }];

function cross(...parts: readonly (readonly Values[])[]): Values[] {
  return parts.reduce<Values[]>(
    (made, part) => made.flatMap((a) => part.map((b) => ({ ...a, ...b }))),
    [{}],
  );
}

const MULTI = [
  [2, 3, 2, 3],
  [1, 2, 5],
] as const;
const WITH_BINARY = [...MULTI, [3, 1, 4]] as const;

/** A list of weights fits the classes that are compared. */
function weightsFit(settings: Values, shape: readonly number[]): boolean {
  const { weight, include_background } = settings;
  if (!Array.isArray(weight)) return true;
  return shape[1]! > 1 && weight.length === shape[1]! - (include_background === false ? 1 : 0);
}

/** Lists of weights have one entry a channel. */
const oneEach =
  (...names: readonly string[]) =>
  (settings: Values, shape: readonly number[]): boolean =>
    names.every((name) => {
      const list = settings[name];
      return !Array.isArray(list) || list.length === shape[1];
    });

/** Modes of segmentation_models_pytorch: one channel is binary, several are not. */
function modeFits(settings: Values, shape: readonly number[]): boolean {
  return (
    (settings["mode"] === "binary") === (shape[1] === 1) &&
    oneEach("class_weights")(settings, shape)
  );
}

const MODES = ["binary", "multiclass", "multilabel"];

function segmentationModels(extra: readonly Values[], weights: boolean): Comparison {
  return {
    shapes: WITH_BINARY,
    settings: [
      ...cross(
        grid({ mode: MODES, log_loss: [false, true] }),
        [{}, { smooth: 1 }, { eps: 0.25, smooth: 0.5 }],
        extra,
      ),
      ...cross(grid({ mode: MODES, from_logits: [false], smooth: [0, 1] }), extra),
      ...grid({ mode: ["multiclass", "multilabel"], classes: [[1], [0, 1]], smooth: [0.5] }),
      ...grid({ mode: ["binary", "multiclass"], ignore_index: [0, 1, 7] }),
      ...(weights
        ? grid({
            mode: ["multiclass", "multilabel"],
            class_weights: [
              [0.5, 2, 1],
              [0.25, 2],
            ],
            classes: [null, [1]],
          })
        : []),
    ],
    only: modeFits,
  };
}

const withoutIgnore = (c: Comparison): Comparison => ({
  ...c,
  settings: c.settings.filter((v) => !("ignore_index" in v)),
});

const NONLIN = [
  { apply_nonlin: { name: "torch.sigmoid" } },
  { apply_nonlin: { name: "nnunetv2.utilities.helpers.softmax_helper_dim1" } },
];
const NNUNET = cross([{}, ...NONLIN], grid({ do_bg: [true, false], smooth: [1, 0, 1e-5] }), [
  {},
  { batch_dice: true, ddp: false },
]);
const severalClasses = (settings: Values, shape: readonly number[]): boolean =>
  shape[1]! > 1 || settings["do_bg"] !== false;
const dict = (items: Values): PyValue => ({ items });

const KORNIA_DICE: Comparison = {
  shapes: [
    [2, 3, 2, 3],
    [1, 2, 5, 1],
  ],
  settings: grid({
    average: ["micro", "macro"],
    eps: [1e-8, 0.5],
    weight: [null, [0.5, 2, 1], [2, 0.25]],
    ignore_index: [-100, null, 0, 7],
  }),
  only: oneEach("weight"),
};
const KORNIA_TVERSKY: Comparison = {
  shapes: KORNIA_DICE.shapes,
  settings: grid({
    alpha: [0.5, 0.25],
    beta: [0.5, 1.5],
    eps: [1e-8, 0.5],
    ignore_index: [-100, null, 1],
  }),
};

const LAST = [
  [2, 2, 3, 3],
  [1, 4, 2, 1],
];
const AXES = [null, [1, 2], [0, 1, 2], [1, 2, 3], [-1]];

const CATALYST = [
  ...grid({ mode: ["macro", "micro"], eps: [1e-7, 0.5] }),
  ...grid({
    mode: ["weighted"],
    weights: [
      [0.5, 2, 1],
      [0.25, 2],
    ],
    eps: [1e-7, 0.5],
  }),
];

const PRESENT: readonly TargetKind[] = ["hard", "soft"];
const SMOOTH = grid({ smooth: [0, 0.5] });
/** A ratio without smoothing is not defined where neither array holds anything. */
const ratio = (settings: readonly Values[], kinds?: readonly TargetKind[]): Comparison => ({
  shapes: WITH_BINARY,
  settings,
  ...(kinds && { kinds }),
});
const COUNTED = (name: string): Comparison => ratio(grid({ [name]: [1, 3] }));

export const COMPARISONS: Readonly<Record<string, Comparison>> = {
  "monai.losses.DiceLoss": {
    shapes: WITH_BINARY,
    settings: [
      ...cross(
        [...ACTIVATIONS, { other_act: { name: "torch.tanh" } }],
        SMOOTHING,
        grid({ squared_pred: [false, true], jaccard: [false, true], batch: [false, true] }),
        grid({ include_background: [true, false], soft_label: [false, true] }),
      ),
      ...cross(
        ACTIVATIONS,
        grid({ to_onehot_y: [true], batch: [false, true], ignore_index: [null, 1, 7] }),
      ),
      ...cross(
        [{ softmax: true }],
        grid({ ignore_index: [1, 7], include_background: [true, false] }),
      ),
      ...cross(
        [{ softmax: true }],
        grid({ reduction: ["mean", "sum", "none"], batch: [false, true], weight: [null, 1.5] }),
      ),
      ...grid({ sigmoid: [true], weight: [[0.5, 2, 3]], reduction: ["mean", "sum"] }),
      ...grid({ sigmoid: [true], weight: [[0.5, 2]], include_background: [false] }),
    ],
    only: weightsFit,
  },
  "monai.losses.MaskedDiceLoss": {
    shapes: WITH_BINARY,
    settings: cross(
      ACTIVATIONS,
      grid({
        batch: [false, true],
        include_background: [true, false],
        squared_pred: [false, true],
      }),
    ),
  },
  "monai.losses.GeneralizedDiceLoss": {
    shapes: WITH_BINARY,
    settings: cross(
      ACTIVATIONS,
      SMOOTHING,
      grid({ w_type: ["square", "simple", "uniform"], batch: [false, true] }),
      grid({ soft_label: [false, true], include_background: [true, false] }),
    ),
  },
  "monai.losses.TverskyLoss": {
    shapes: WITH_BINARY,
    settings: [
      ...cross(
        ACTIVATIONS,
        SMOOTHING,
        grid({ alpha: [0.5, 0.25], beta: [0.5, 0.75], batch: [false, true] }),
        grid({ soft_label: [false, true] }),
      ),
      ...grid({ softmax: [true], to_onehot_y: [true], ignore_index: [null, 0, 7] }),
      ...grid({ softmax: [true], include_background: [false], reduction: ["mean", "sum", "none"] }),
    ],
  },
  "monai.losses.DiceCELoss": {
    shapes: WITH_BINARY,
    settings: [
      ...cross(
        [{ sigmoid: true }, { softmax: true }],
        grid({ to_onehot_y: [false, true], include_background: [true, false] }),
        grid({ lambda_dice: [1, 0.5], lambda_ce: [1, 0.25], reduction: ["mean", "sum"] }),
      ),
      ...grid({ softmax: [true], label_smoothing: [0.125], to_onehot_y: [false, true] }),
      ...grid({
        softmax: [true],
        weight: [
          [0.5, 2, 3],
          [0.5, 2],
        ],
        to_onehot_y: [false, true],
        label_smoothing: [0, 0.125],
        reduction: ["mean", "sum"],
      }),
    ],
    only: (settings, shape) =>
      !Array.isArray(settings["weight"]) || settings["weight"].length === shape[1],
  },
  "monai.losses.DiceFocalLoss": {
    shapes: WITH_BINARY,
    settings: [
      ...grid({
        sigmoid: [true],
        include_background: [true, false],
        gamma: [2, 1.5],
        alpha: [null, 0.25],
        reduction: ["mean", "sum"],
      }),
      ...grid({ softmax: [true], to_onehot_y: [true], lambda_dice: [0.5], lambda_focal: [2] }),
      ...grid({ sigmoid: [true], weight: [1.5, [0.5, 2, 3]] }),
      ...grid({ sigmoid: [true], weight: [[0.5, 2]], include_background: [false] }),
    ],
    only: weightsFit,
  },
  "segmentation_models_pytorch.losses.DiceLoss": segmentationModels([{}], true),
  "segmentation_models_pytorch.losses.JaccardLoss": segmentationModels([{}], true),
  "segmentation_models_pytorch.losses.TverskyLoss": segmentationModels(
    grid({ alpha: [0.5, 0.25], beta: [0.75], gamma: [1, 2] }),
    true,
  ),
  "torchseg.losses.DiceLoss": segmentationModels([{}], false),
  "torchseg.losses.JaccardLoss": segmentationModels([{}], false),
  "torchseg.losses.TverskyLoss": segmentationModels(
    grid({ alpha: [0.5, 0.25], beta: [0.75], gamma: [1, 2] }),
    false,
  ),
  "pytorch_toolbelt.losses.DiceLoss": segmentationModels([{}], false),
  "pytorch_toolbelt.losses.JaccardLoss": withoutIgnore(segmentationModels([{}], false)),
  "nnunetv2.training.loss.dice.SoftDiceLoss": {
    shapes: WITH_BINARY,
    settings: cross(NNUNET, grid({ clip_tp: [null, 1] })),
    only: severalClasses,
  },
  "nnunetv2.training.loss.dice.MemoryEfficientSoftDiceLoss": {
    shapes: WITH_BINARY,
    settings: NNUNET,
    only: severalClasses,
  },
  "nnunetv2.training.loss.compound_losses.DC_and_CE_loss": {
    shapes: MULTI,
    settings: grid({
      soft_dice_kwargs: [
        dict({}),
        dict({ batch_dice: true, ddp: false, do_bg: false, smooth: 1e-5 }),
      ],
      ce_kwargs: [dict({})],
      weight_ce: [1, 0.5],
      weight_dice: [1, 0.25],
      ignore_label: [null, 7],
    }),
  },
  "nnunetv2.training.loss.compound_losses.DC_and_BCE_loss": {
    shapes: WITH_BINARY,
    settings: grid({
      soft_dice_kwargs: [dict({}), dict({ batch_dice: true, ddp: false, smooth: 1e-5 })],
      bce_kwargs: [dict({})],
      weight_ce: [1, 0.5],
      weight_dice: [1, 0.25],
    }),
  },
  "kornia.losses.dice_loss": KORNIA_DICE,
  "kornia.losses.DiceLoss": KORNIA_DICE,
  "kornia.losses.tversky_loss": KORNIA_TVERSKY,
  "kornia.losses.TverskyLoss": KORNIA_TVERSKY,
  "keras.losses.Dice": {
    shapes: LAST,
    settings: grid({ axis: AXES, reduction: ["sum_over_batch_size", "mean", "sum", "none"] }),
  },
  "keras.losses.dice": { shapes: LAST, settings: grid({ axis: AXES }) },
  "keras.losses.Tversky": {
    shapes: LAST,
    settings: grid({ axis: AXES, alpha: [0.5, 0.25], beta: [0.5, 2], reduction: ["mean", "sum"] }),
  },
  "keras.losses.tversky": {
    shapes: LAST,
    settings: grid({ axis: AXES, alpha: [0.5, 0.25], beta: [0.5, 2] }),
  },
  "mmseg.models.losses.DiceLoss": {
    shapes: [
      [2, 3, 2, 3],
      [1, 2, 5, 1],
      [3, 1, 2, 2],
    ],
    settings: [
      ...grid({
        use_sigmoid: [true, false],
        naive_dice: [false, true],
        ignore_index: [255, null, 1],
        reduction: ["mean", "sum", "none"],
        loss_weight: [1, 0.5],
      }),
      ...grid({ activate: [false], naive_dice: [false, true], eps: [1e-3, 1] }),
    ],
    only: (settings, shape) => settings["ignore_index"] !== 1 || shape[1]! > 1,
  },
  "mmseg.models.losses.TverskyLoss": {
    shapes: MULTI,
    settings: [
      ...grid({ smooth: [1, 0.25], loss_weight: [1, 0.5], ignore_index: [255, 0, 1] }),
      ...grid({
        alpha: [0.5],
        beta: [0.5],
        class_weight: [
          [0.5, 2, 1],
          [0.25, 2],
        ],
        ignore_index: [255, 1],
      }),
    ],
    only: oneEach("class_weight"),
  },
  "mmdet.models.losses.DiceLoss": {
    shapes: [
      [3, 2, 4],
      [1, 1, 5],
    ],
    settings: grid({
      activate: [true, false],
      naive_dice: [false, true],
      reduction: ["mean", "sum", "none"],
      loss_weight: [1, 0.5],
      eps: [1e-3, 1],
    }),
  },
  "catalyst.contrib.losses.DiceLoss": {
    shapes: WITH_BINARY,
    settings: CATALYST,
    only: oneEach("weights"),
  },
  "catalyst.contrib.losses.IoULoss": {
    shapes: WITH_BINARY,
    settings: CATALYST,
    only: oneEach("weights"),
  },
  "catalyst.contrib.losses.TrevskyLoss": {
    shapes: WITH_BINARY,
    settings: cross(grid({ alpha: [0.25, 0.5], beta: [null, 0.5] }), CATALYST),
    only: oneEach("weights"),
  },
  "catalyst.contrib.losses.FocalTrevskyLoss": {
    shapes: WITH_BINARY,
    settings: cross(grid({ alpha: [0.25], beta: [null, 0.5], gamma: [4 / 3, 2] }), CATALYST),
    only: oneEach("weights"),
  },
  "catalyst.contrib.losses.SmoothingDiceLoss": {
    shapes: WITH_BINARY,
    settings: CATALYST,
    only: oneEach("weights"),
  },
  "torchmetrics.functional.segmentation.dice_score": {
    kinds: ["hard", "background only", "class missing"],
    shapes: MULTI,
    settings: grid({
      num_classes: [2, 3],
      include_background: [true, false],
      average: ["macro", "micro", "none"],
      aggregation_level: ["samplewise", "global"],
    }),
    only: (settings, shape) => settings["num_classes"] === shape[1],
  },
  "ultralytics.utils.loss.MultiChannelDiceLoss": {
    shapes: [
      [2, 3, 2, 3],
      [3, 1, 2, 2],
    ],
    settings: grid({ smooth: [1e-6, 1], reduction: ["mean", "sum", "none"] }),
  },
  "ultralytics.utils.loss.BCEDiceLoss": {
    shapes: [
      [2, 3, 2, 3],
      [3, 1, 2, 2],
    ],
    settings: grid({ weight_bce: [0.5, 1], weight_dice: [0.5, 1] }),
  },
  "detr.models.segmentation.dice_loss": COUNTED("num_boxes"),
  "mask_former.modeling.criterion.dice_loss": COUNTED("num_masks"),
  "mask2former.modeling.criterion.dice_loss": COUNTED("num_masks"),
  "sam2.training.loss_fns.dice_loss": COUNTED("num_objects"),
  "utils.dice_score.dice_loss": ratio(grid({ multiclass: [false, true] })),
  "pytorch3dunet.unet3d.losses.DiceLoss": {
    ...ratio([
      ...grid({ normalization: ["sigmoid", "softmax", "none"] }),
      ...grid({
        weight: [
          [0.5, 2, 1],
          [2, 0.25],
        ],
      }),
    ]),
    only: oneEach("weight"),
  },
  "pytorch3dunet.unet3d.losses.GeneralizedDiceLoss": ratio(
    grid({ normalization: ["sigmoid", "none"], epsilon: [1e-6, 4] }),
  ),
  "pytorch_loss.SoftDiceLossV1": ratio(grid({ p: [1, 2], smooth: [1, 0.25] })),
  "hubutui.loss.BinaryDiceLoss": ratio(
    grid({ p: [1, 2], smooth: [1, 0.25], reduction: ["mean", "sum", "none"] }),
  ),
  "pytorch_goodies.losses.dice_loss": ratio(grid({ eps: [1e-7, 0.5] })),
  "paddleseg.models.losses.DiceLoss": { shapes: MULTI, settings: SMOOTH },
  "voxelmorph.torch.losses.Dice": ratio([{}]),
  "voxelmorph.tf.losses.Dice": { shapes: LAST, settings: [{}] },
  "segmentation_models.losses.DiceLoss": {
    shapes: LAST,
    settings: [
      ...grid({ beta: [1, 2], per_image: [false, true], smooth: [1e-5, 1] }),
      ...grid({ class_weights: [[0.5, 2, 1]], per_image: [false, true] }),
    ],
    only: (settings, shape) => !Array.isArray(settings["class_weights"]) || shape.at(-1) === 3,
  },
  "tensorlayer.cost.dice_coe": {
    shapes: LAST,
    settings: grid({ loss_type: ["jaccard", "sorensen"], smooth: [1e-5, 1] }),
  },
  "ivadomed.losses.DiceLoss": ratio(SMOOTH),
  "papers.dice": ratio(SMOOTH),
  "papers.vnet_dice": ratio(SMOOTH),
  "papers.generalized_dice": ratio([{}], PRESENT),
  "papers.penalty_generalized_dice": ratio(grid({ k: [2.5, 1] }), PRESENT),
  "papers.tversky": ratio(grid({ alpha: [0.3, 0.5], beta: [0.7, 1], smooth: [0, 0.5] })),
  "papers.focal_tversky": ratio(grid({ gamma: [4 / 3, 1, 0.5], smooth: [0, 0.5] }), PRESENT),
  "papers.log_cosh_dice": ratio(SMOOTH),
  "papers.dice_semimetric": ratio(SMOOTH),
  "papers.jaccard_metric": ratio(SMOOTH),
  "papers.soft_jaccard": ratio(SMOOTH),
  "papers.combo": ratio(grid({ alpha: [0.5, 0.25], beta: [0.5, 0.75], smooth: [0, 1] })),
  "papers.exponential_logarithmic": ratio(grid({ gamma: [0.3, 2], smooth: [1] }), PRESENT),
  "papers.dice_plus_plus": ratio(grid({ gamma: [1, 2, 3], smooth: [0, 0.5] })),
  "papers.sensitivity_specificity": ratio(grid({ r: [0.05, 0.5] }), PRESENT),
  "papers.self_adjusting_dice": ratio(grid({ alpha: [1, 0.5], smooth: [1, 0.25] })),
};

export function comparisonOf(entry: CatalogueEntry): Comparison | undefined {
  return COMPARISONS[entry.id];
}
