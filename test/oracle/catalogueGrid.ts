/** Settings and arrays on which catalogue losses are compared with their libraries. */
import type { CatalogueEntry } from "../../src/losses/entry.ts";
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
};

export function comparisonOf(entry: CatalogueEntry): Comparison | undefined {
  return COMPARISONS[entry.id];
}
