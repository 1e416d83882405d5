/** Losses by the papers that proposed them, in the form of their formulas. */
import * as x from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import type { CatalogueEntry, LossParameter, Settings, Source, Trap } from "../entry.ts";
import type { FamilyInputs } from "../family.ts";
import { type FamilySpec, familySpec } from "../spec.ts";
import { arrays, float } from "./parameters.ts";

interface Paper {
  readonly authors: string;
  readonly title: string;
  readonly year: number;
  /** Number on arXiv, a DOI, or an address. */
  readonly arxiv: string;
  readonly place: string;
}

function source({ authors, title, year, arxiv, place }: Paper): Source {
  const found = arxiv.includes("/") ? `https://doi.org/${arxiv}` : `https://arxiv.org/abs/${arxiv}`;
  const url = arxiv.startsWith("https:") ? arxiv : found;
  return { kind: "paper", authors, title, year, place, url };
}

const SMOOTH = float("smooth", 0, "added to numerator and denominator");

function smoothed(s: Settings): Partial<FamilySpec> {
  return { smoothNumerator: s.scalar("smooth"), smoothDenominator: s.scalar("smooth") };
}

function entry(
  name: string,
  title: string,
  about: string,
  paper: Paper,
  parameters: readonly LossParameter[],
  made:
    ((s: Settings) => FamilySpec) | { readonly build: (s: Settings, inputs: FamilyInputs) => Expr },
  traps: readonly Trap[] = [],
): CatalogueEntry {
  return {
    id: `papers.${name}`,
    aliases: [],
    title,
    library: "papers",
    about,
    form: "function",
    layout: "channels-first",
    arrays: arrays("p", "t"),
    parameters,
    target: () => "like the prediction",
    ...(typeof made === "function"
      ? { spec: (s) => made(s) }
      : { build: (s, _, inputs) => made.build(s, inputs) }),
    source: source(paper),
    traps,
  };
}

const SALEHI: Paper = {
  authors: "Salehi, Erdogmus, Gholipour",
  title: "Tversky loss function for image segmentation using 3D fully convolutional deep networks",
  year: 2017,
  arxiv: "1706.05721",
  place: "the Tversky index as a loss",
};
const WANG_JACCARD: Paper = {
  authors: "Wang, Ning, Blaschko",
  title: "Jaccard Metric Losses: Optimizing the Jaccard Index with Soft Labels",
  year: 2023,
  arxiv: "2302.05666",
  place: "the L1 form of the Jaccard loss",
};

/** r times the squared error of the foreground, 1 - r times that of the background, each a mean. */
function sensitivitySpecificity(s: Settings, { prediction: p, target: t }: FamilyInputs): Expr {
  const apart = x.pow(x.sub(t, p), x.constant(2));
  const part = (where: Expr): Expr => x.div(x.sum(x.mul(apart, where)), x.sum(where));
  const r = x.parameter("r", s.number("r"));
  const background = x.sub(x.ONE, t);
  return x.add(x.mul(r, part(t)), x.mul(x.sub(x.ONE, r), part(background)));
}

/** The mean over elements of 1 - (2qt + s)/(q + t + s) with q = (1 - p)^α p. */
function selfAdjusting(s: Settings, { prediction: p, target: t }: FamilyInputs): Expr {
  const alpha = x.parameter("alpha", s.number("alpha"));
  const smooth = x.parameter("smooth", s.number("smooth"));
  const q = x.mul(x.pow(x.sub(x.ONE, p), alpha), p);
  const numerator = x.add(x.mul(x.constant(2), x.mul(q, t)), smooth);
  const score = x.div(numerator, x.add(x.add(q, t), smooth));
  return x.mean(x.sub(x.ONE, score));
}

export const PAPERS: readonly CatalogueEntry[] = [
  entry(
    "dice",
    "soft Dice loss",
    "The plain form: 1 minus the mean of 2I/(P + T) over samples and classes.",
    {
      authors: "Drozdzal, Vorontsov, Chartrand, Kadoury, Pal",
      title: "The Importance of Skip Connections in Biomedical Image Segmentation",
      year: 2016,
      arxiv: "1608.04117",
      place: "the Dice loss of probabilities",
    },
    [SMOOTH],
    (s) => familySpec(smoothed(s)),
  ),
  entry(
    "vnet_dice",
    "V-Net Dice loss",
    "Dice with squares in the denominator.",
    {
      authors: "Milletari, Navab, Ahmadi",
      title: "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation",
      year: 2016,
      arxiv: "1606.04797",
      place: "Dice loss layer",
    },
    [SMOOTH],
    (s) => familySpec({ ...smoothed(s), predictionPower: 2, targetPower: 2 }),
    [
      {
        id: "vnet-code-uses-argmax",
        sentence:
          "The authors' Caffe layer counts I, P and T on the argmax and puts soft predictions only into the backward pass: what it trains by is not the gradient of this formula.",
        versions: "reference code",
        applies: () => true,
      },
    ],
  ),
  entry(
    "generalized_dice",
    "generalized Dice loss",
    "One ratio over all classes, each weighted by the inverse square of its volume.",
    {
      authors: "Sudre, Li, Vercauteren, Ourselin, Cardoso",
      title:
        "Generalised Dice overlap as a deep learning loss function for highly unbalanced segmentations",
      year: 2017,
      arxiv: "1707.03237",
      place: "GDL",
    },
    [],
    () => familySpec({ classWeighting: "volume", volumePower: 2 }),
    [
      {
        id: "gdl-absent-class-weight",
        sentence:
          "A class that the target does not hold has infinite weight: implementations replace it by the largest finite one, by a million or by 10²⁰, and their gradients differ accordingly.",
        versions: "all",
        applies: () => true,
      },
    ],
  ),
  entry(
    "tversky",
    "Tversky loss",
    "Dice with weights alpha for false positives and beta for false negatives.",
    SALEHI,
    [
      float("alpha", 0.3, "weight of false positives"),
      float("beta", 0.7, "weight of false negatives"),
      SMOOTH,
    ],
    (s) =>
      familySpec({
        ...smoothed(s),
        ratio: { kind: "tversky", alpha: s.scalar("alpha"), beta: s.scalar("beta") },
      }),
  ),
  entry(
    "focal_tversky",
    "focal Tversky loss",
    "The sum over classes of (1 - TI)^(1/γ); here alpha weighs false negatives.",
    {
      authors: "Abraham, Khan",
      title:
        "A Novel Focal Tversky Loss Function With Improved Attention U-Net for Lesion Segmentation",
      year: 2018,
      arxiv: "1810.07842",
      place: "the focal Tversky loss",
    },
    [
      float("alpha", 0.7, "weight of false negatives"),
      float("beta", 0.3, "weight of false positives"),
      float("gamma", 4 / 3, "the exponent is 1/gamma"),
      SMOOTH,
    ],
    (s) =>
      familySpec({
        ...smoothed(s),
        ratio: { kind: "tversky", alpha: s.scalar("beta"), beta: s.scalar("alpha") },
        outer: { kind: "power", exponent: 1 / s.number("gamma") },
        classReduction: "sum",
      }),
    [
      {
        id: "focal-tversky-infinite-at-the-optimum",
        sentence:
          "With 1/gamma below 1 the factor on the gradient grows without bound as TI goes to 1, and rounding that makes 1 - TI negative gives NaN.",
        versions: "all",
        applies: (s) => s.number("gamma") > 1,
      },
    ],
  ),
  entry(
    "log_cosh_dice",
    "log-cosh Dice loss",
    "The logarithm of the hyperbolic cosine of one Dice loss for the whole batch.",
    {
      authors: "Jadon",
      title: "A survey of loss functions for semantic segmentation",
      year: 2020,
      arxiv: "2006.14822",
      place: "log-cosh Dice loss",
    },
    [float("smooth", 1, "added to numerator and denominator")],
    (s) => familySpec({ ...smoothed(s), region: "everything", outer: { kind: "log-cosh" } }),
    [
      {
        id: "log-cosh-vanishes-at-the-optimum",
        sentence:
          "The factor on the gradient is tanh of the Dice loss: at most 0.76, and zero where the loss is.",
        versions: "all",
        applies: () => true,
      },
    ],
  ),
  entry(
    "dice_semimetric",
    "Dice semimetric loss",
    "Dice with the overlap ½(P + T - Σ|p - t|), which is least at p = t for soft labels too.",
    {
      authors: "Wang, Popordanoska, Bertels, Lemmens, Blaschko",
      title: "Dice Semimetric Losses: Optimizing the Dice Score with Soft Labels",
      year: 2023,
      arxiv: "2303.16296",
      place: "DML",
    },
    [SMOOTH],
    (s) => familySpec({ ...smoothed(s), overlap: "l1" }),
  ),
  entry(
    "jaccard_metric",
    "Jaccard metric loss",
    "Intersection over union with the overlap ½(P + T - Σ|p - t|).",
    WANG_JACCARD,
    [SMOOTH],
    (s) => familySpec({ ...smoothed(s), overlap: "l1", ratio: { kind: "jaccard" } }),
  ),
  entry(
    "soft_jaccard",
    "soft Jaccard (IoU) loss",
    "1 minus the mean of I/(P + T - I) over samples and classes.",
    { ...WANG_JACCARD, place: "the soft Jaccard loss it compares with" },
    [SMOOTH],
    (s) => familySpec({ ...smoothed(s), ratio: { kind: "jaccard" } }),
  ),
  entry(
    "combo",
    "Combo loss",
    "alpha times a weighted cross entropy, minus 1 - alpha times the Dice score.",
    {
      authors: "Taghanaki, Zheng, Zhou, Georgescu, Sharma, Xu, Comaniciu, Hamarneh",
      title: "Combo loss: Handling input and output imbalance in multi-organ segmentation",
      year: 2018,
      arxiv: "1805.02798",
      place: "the Combo loss",
    },
    [
      float("alpha", 0.5, "share of the cross entropy"),
      float("beta", 0.5, "weight of the positive class in the cross entropy"),
      float("smooth", 1, "added to numerator and denominator"),
    ],
    (s) =>
      familySpec({
        ...smoothed(s),
        region: "everything",
        loss: "-D",
        factor: 1 - s.number("alpha"),
        addends: [
          {
            loss: "binary cross entropy",
            weight: s.scalar("alpha"),
            takes: "prediction",
            reduction: "mean",
            alpha: s.scalar("beta"),
          },
        ],
      }),
    [
      {
        id: "combo-code-sign",
        sentence:
          "In the authors' file the minus binds to the first term of the cross entropy only: its gradient on negative voxels has the wrong sign there.",
        versions: "reference code",
        applies: () => true,
      },
    ],
  ),
  entry(
    "exponential_logarithmic",
    "exponential logarithmic loss",
    "Powers of -log D and of the cross entropy, weighted.",
    {
      authors: "Wong, Moradi, Tang, Syeda-Mahmood",
      title: "3D Segmentation with Exponential Logarithmic Loss for Highly Unbalanced Object Sizes",
      year: 2018,
      arxiv: "1809.00076",
      place: "the exponential logarithmic loss",
    },
    [
      float("w_dice", 0.8, "factor of the Dice term"),
      float("w_cross", 0.2, "factor of the cross entropy"),
      float("gamma", 0.3, "exponent of both"),
      float("smooth", 1, "added to numerator and denominator"),
    ],
    (s) =>
      familySpec({
        ...smoothed(s),
        loss: "-log D",
        outer: { kind: "power", exponent: s.scalar("gamma") },
        factor: s.scalar("w_dice"),
        addends: [
          {
            loss: "cross entropy",
            weight: s.scalar("w_cross"),
            takes: "prediction",
            reduction: "mean",
            power: s.scalar("gamma"),
          },
        ],
      }),
    [
      {
        id: "exp-log-infinite-at-the-optimum",
        sentence:
          "With gamma below 1 the factor on the gradient grows without bound as a score goes to 1.",
        versions: "all",
        applies: (s) => s.number("gamma") < 1,
      },
    ],
  ),
  entry(
    "dice_plus_plus",
    "Dice++ loss",
    "Dice whose false positives and negatives are raised to a power voxel by voxel.",
    {
      authors: "Yeung, Rundo, Nan, Sala, Schönlieb, Yang",
      title:
        "Calibrating the Dice loss to handle neural network overconfidence for biomedical image segmentation",
      year: 2021,
      arxiv: "2111.00528",
      place: "Dice++",
    },
    [float("gamma", 2, "exponent of the errors"), SMOOTH],
    (s) => familySpec({ ...smoothed(s), errorPower: s.scalar("gamma") }),
  ),
  entry(
    "penalty_generalized_dice",
    "generalized Dice loss with a penalty",
    "L/(1 + k(1 - L)) of the generalized Dice loss L.",
    {
      authors: "Yang, Kweon, Kim",
      title:
        "Major Vessel Segmentation on X-ray Coronary Angiography using Deep Networks with a Novel Penalty Loss Function",
      year: 2019,
      arxiv: "https://openreview.net/forum?id=H1lTh8unKN",
      place: "pGDL",
    },
    [float("k", 2.5, "strength of the penalty")],
    (s) =>
      familySpec({
        classWeighting: "volume",
        outer: { kind: "penalty", k: s.scalar("k") },
      }),
  ),
  entry(
    "sensitivity_specificity",
    "sensitivity-specificity loss",
    "Squared errors of foreground and background, each over its own volume; not a ratio in p.",
    {
      authors: "Brosch, Yoo, Tang, Li, Traboulsee, Tam",
      title: "Deep Convolutional Encoder Networks for Multiple Sclerosis Lesion Segmentation",
      year: 2015,
      arxiv: "10.1007/978-3-319-24574-4_1",
      place: "the weighted sum of squared errors",
    },
    [float("r", 0.05, "weight of the foreground")],
    { build: sensitivitySpecificity },
  ),
  entry(
    "self_adjusting_dice",
    "self-adjusting Dice loss",
    "A Dice ratio for each element, of the prediction times (1 - p)^alpha.",
    {
      authors: "Li, Sun, Meng, Liang, Wu, Li",
      title: "Dice Loss for Data-imbalanced NLP Tasks",
      year: 2019,
      arxiv: "1911.02855",
      place: "DSC",
    },
    [float("alpha", 1, "exponent of 1 - p"), float("smooth", 1, "added to both")],
    { build: selfAdjusting },
  ),
];
