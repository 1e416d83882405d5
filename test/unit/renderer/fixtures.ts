/**
 * Reports of the three example losses, as the command line would print them: small arrays, a
 * volume, and both masks empty.
 */
import { makeImages } from "../../../src/report/images.ts";
import { makeNumbers } from "../../../src/report/numbers.ts";
import type {
  Comparison,
  DerivationStep,
  ElementComparison,
  Report,
} from "../../../src/report/schema.ts";

/** Some prediction and target of a shape: a ball with a blurred, shifted copy of itself. */
export interface Case {
  readonly shape: readonly number[];
  readonly prediction: Float64Array;
  readonly target: Float64Array;
}

export const SMALL: Case = {
  shape: [2, 3],
  prediction: Float64Array.of(0.9, 0.2, 0.6, 0.1, 0.7, 0.3),
  target: Float64Array.of(1, 0, 1, 0, 1, 0),
};

export function ball(depth: number, side: number): Case {
  const n = depth * side * side;
  const [prediction, target] = [new Float64Array(n), new Float64Array(n)];
  let seed = 1;
  const noise = (): number => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647 - 0.5;
  };
  const radius = (z: number, y: number, x: number, shift: number): number =>
    Math.hypot(
      depth > 1 ? (1.2 * (z - depth / 2)) / depth : 0,
      (y - side / 2) / side,
      (x - side / 2) / side + shift,
    );
  for (let k = 0; k < n; k++) {
    const [z, y, x] = [Math.floor(k / side ** 2), Math.floor(k / side) % side, k % side];
    const wave = 0.06 * Math.sin(x / 5) * Math.cos(y / 7);
    target[k] = radius(z, y, x, 0) + wave < 0.3 ? 1 : 0;
    const logit = 40 * (0.31 - radius(z, y, x, 0.04) - 0.8 * wave) + 3 * noise();
    prediction[k] = 1 / (1 + Math.exp(-logit));
  }
  return { shape: depth > 1 ? [depth, side, side] : [side, side], prediction, target };
}

interface Loss {
  readonly name: string;
  readonly line: number;
  readonly wrt: string;
  readonly epsilon: number;
  readonly sigmoid: boolean;
}

export const PLAIN: Loss = {
  name: "dice_loss_plain",
  line: 5,
  wrt: "y_pred",
  epsilon: 0,
  sigmoid: false,
};
export const SMOOTH: Loss = {
  name: "dice_loss_smooth",
  line: 16,
  wrt: "y_pred",
  epsilon: 1e-7,
  sigmoid: false,
};
export const TORCH: Loss = {
  name: "dice_loss_torch",
  line: 28,
  wrt: "logits",
  epsilon: 1e-7,
  sigmoid: true,
};

export function report(loss: Loss, at: Case, options: { readonly images?: boolean } = {}): Report {
  const { shape, prediction, target } = at;
  const eps = loss.epsilon;
  const [I, P, G] = [
    sum(prediction, (p, k) => p * target[k]!),
    sum(prediction, (p) => p),
    sum(target, (g) => g),
  ];
  const n = prediction.length;
  const D = P + G + eps;
  const value = 1 - (2 * I + eps) / D;
  const analytic = prediction.map((p, k) => {
    const g = (2 * I + eps) / D ** 2 - (2 * target[k]!) / D;
    return loss.sigmoid ? g * p * (1 - p) : g;
  });
  const input = loss.sigmoid ? prediction.map((p) => Math.log(p / (1 - p))) : prediction;
  const all = Array.from(analytic, (g, k) => ({
    index: unflatten(k, shape),
    analytic: Number.isFinite(g) ? g : null,
    numeric: Number.isFinite(g) ? g * (1 + 3e-11 * Math.sin(37 * k)) : null,
  }));
  const compared = all.filter((_, k) => n <= 1000 || k % Math.ceil(n / 800) === 0);
  const error = (c: ElementComparison): number => Math.abs((c.analytic ?? 0) - (c.numeric ?? 0));
  const worst = compared.reduce((a, b) => (error(b) > error(a) ? b : a));
  const maxAbsError = error(worst);
  const smoothing = eps === 0 ? "" : " + \\varepsilon";
  const smoothingText = eps === 0 ? "" : " + ε";
  const x = loss.sigmoid ? "x" : "p";
  const p = loss.sigmoid ? "\\sigma(x_{i})" : "p_{i}";
  const pText = loss.sigmoid ? "σ(x_i)" : "p_i";
  const gradientLatex =
    `\\frac{\\partial L}{\\partial ${x}_{i}} = ` +
    (loss.sigmoid ? "\\sigma(x_{i})\\left(1 - \\sigma(x_{i})\\right)\\left(" : "") +
    `\\frac{2\\,I${smoothing}}{\\left(P + G${smoothing}\\right)^{2}} - \\frac{2\\,g_{i}}{P + G${smoothing}}` +
    (loss.sigmoid ? "\\right)" : "");
  const gradientText =
    `∂L/∂${x}_i = ` +
    (loss.sigmoid ? "σ(x_i)·(1 - σ(x_i))·" : "") +
    `((2·I${smoothingText})/(P + G${smoothingText})² - 2·g_i/(P + G${smoothingText}))`;
  const prefix = loss.sigmoid ? "logits" : "y_pred";
  return {
    schema: "dice-gradient/report/v1",
    function: { name: loss.name, file: "Cell 3", line: loss.line },
    loss: {
      latex: `L = 1 - \\frac{2\\,\\sum_{i} ${p}\\,g_{i}${smoothing}}{\\sum_{i} ${p} + \\sum_{i} g_{i}${smoothing}}`,
      text: `L = 1 - (2·Σ_i ${pText}·g_i${smoothingText})/(Σ_i ${pText} + Σ_i g_i${smoothingText})`,
      value: Number.isFinite(value) ? value : null,
    },
    gradient: {
      latex: gradientLatex,
      text: gradientText,
      wrt: loss.wrt,
      steps: steps(loss, p, pText, gradientLatex, gradientText),
      shape,
      ...(analytic.length <= 1000 ? { values: Array.from(analytic) } : {}),
      markdown: `# ${loss.name}\n\n$$${gradientLatex}$$\n`,
      python: {
        numpy: `import numpy as np\n\n\ndef ${loss.name}_gradient(y_true, y_pred):\n    ...\n`,
        torch: `import torch\n\n\nclass ${loss.name}(torch.autograd.Function):\n    ...\n`,
      },
    },
    check: {
      verdict: Number.isFinite(value) ? "agrees" : "undefined",
      method:
        "Möbius probe along the gradient's sign, 5 evaluations, and element by element at " +
        `${compared.length} elements`,
      maxAbsError,
      maxRelError: maxAbsError / Math.abs(worst.analytic ?? 1),
      bound: 16,
      maxScaledError: 1.284,
      worst,
      sentence:
        "the derived gradient agrees with numeric differentiation of the function on these " +
        `arrays; largest error 1.28 of 16 rounding units allowed`,
      notes: [
        "The loss is a Möbius function along every line: the residual of the fit at two unused nodes is 3.1e-16.",
        `gradcheck with its defaults could see an error of at least 1e-5 here; the largest gradient is ${analytic.reduce((a, b) => Math.max(a, Math.abs(b)), 0).toExponential(2)}.`,
      ],
    },
    autograd: null,
    matches: [],
    differences: [],
    diagnostics:
      eps === 0
        ? [
            {
              code: "DG001",
              severity: "warning",
              message:
                "The denominator is zero where y_true and y_pred are both zero everywhere: the loss is 0/0 there.",
              location: { file: "Cell 3", line: 13 },
              remedy: "Add the same small number to the numerator and the denominator.",
            },
          ]
        : [],
    symbols: [
      ...(loss.sigmoid
        ? [
            symbol(
              "x_{i}",
              "x_i",
              "logits",
              `prediction, logits, shape (${shape.join(", ")}), float32`,
            ),
            symbol("\\sigma", "σ", "torch.sigmoid", "the logistic function 1 / (1 + exp(-x))"),
          ]
        : [
            symbol(
              "p_{i}",
              "p_i",
              "y_pred",
              `prediction, probabilities, shape (${shape.join(", ")}), float32`,
            ),
          ]),
      symbol(
        "g_{i}",
        "g_i",
        loss.sigmoid ? "target" : "y_true",
        `target, 0 or 1, shape (${shape.join(", ")}), uint8`,
      ),
      symbol("I", "I", "intersection", `Σ prediction·target = ${I.toPrecision(8)}`),
      symbol("P", "P", "np.sum(y_pred)", `Σ prediction = ${P.toPrecision(8)}`),
      symbol("G", "G", "np.sum(y_true)", `Σ target = ${G}`),
      ...(eps === 0 ? [] : [symbol("\\varepsilon", "ε", "epsilon", "1e-07")]),
    ],
    arrays: [
      summary(prefix, "prediction", "float32", input, shape, null),
      summary("y_true", "target", "uint8", target, shape, G / target.length),
    ],
    assumptions: ["The sums run over all elements, since np.sum has no axis here."],
    numbers: makeNumbers({
      error: null,
      aligned: [
        { name: prefix, data: input },
        { name: "y_true", data: target },
      ],
      shape,
      analytic,
      compared,
    }),
    ...(options.images === false || shape.length < 2 || shape.at(-1)! < 4
      ? {}
      : {
          images: makeImages([
            { title: prefix, role: "prediction", shape, data: input },
            { title: "y_true", role: "target", shape, data: target },
            { title: `gradient by ${prefix}`, role: "gradient", shape, data: analytic },
          ]),
        }),
  };
}

/** Without smoothing on two empty masks: nothing is defined. */
export function undefinedReport(): Report {
  const zeros = {
    shape: [48, 48],
    prediction: new Float64Array(2304),
    target: new Float64Array(2304),
  };
  const made = report(PLAIN, zeros, { images: false });
  return {
    ...made,
    loss: { ...made.loss, value: null },
    check: {
      ...made.check,
      maxAbsError: null,
      maxRelError: null,
      maxScaledError: null,
      bound: null,
      worst: null,
      method: "",
      sentence: "both masks are empty, so the loss is 0/0 and its gradient does not exist",
    },
  };
}

export function comparison(): Comparison {
  const at = ball(1, 64);
  return {
    schema: "dice-gradient/comparison/v1",
    reports: [report(PLAIN, at), report(SMOOTH, at), report(TORCH, at)],
    pairs: [
      {
        a: 0,
        b: 1,
        equal: "no",
        sentence:
          "dice_loss_plain and dice_loss_smooth have different gradients; on these arrays they differ by at most 2.1e-14.",
        differences: [
          {
            other: "dice_loss_smooth",
            reason: "smoothing of 1e-07 in numerator and denominator",
            formula: {
              latex:
                "\\frac{2\\,I}{S^{2}} \\;\\text{or}\\; \\frac{2\\,I + \\varepsilon}{\\left(S + \\varepsilon\\right)^{2}}",
              text: "2·I/S² or (2·I + ε)/(S + ε)²",
            },
            share: 1,
            lines: [24],
            fix: "remove epsilon from dice_loss_smooth, or add it to dice_loss_plain",
            maxAbsDifference: 2.1e-14,
            commonFactor: null,
          },
        ],
      },
      {
        a: 1,
        b: 2,
        equal: "no",
        sentence:
          "the gradients are taken with respect to different inputs: probabilities and logits.",
        differences: [],
      },
    ],
  };
}

/** The first two losses with reasons that have names, as a comparison with a catalogue loss has. */
export function explained(): Comparison {
  const made = comparison();
  const boxed = (latex: string): string => `L = 1 - \\frac{2I + \\boxed{${latex}}}{P + T}`;
  return {
    ...made,
    pairs: [
      {
        ...made.pairs[0]!,
        complete: true,
        differences: [
          {
            other: "papers.dice()",
            id: "powers",
            title: "Plain or squared sums",
            reason: "The denominator sums: predictions here, squared predictions there.",
            before: { latex: boxed("p"), text: "[p]" },
            formula: { latex: boxed("p^2"), text: "[p^2]" },
            share: 0.75,
            shareRange: [0.7, 0.8],
            lines: [9, 4, 5],
            fix: "Square the predictions.",
            maxAbsDifference: 0.1,
            commonFactor: null,
            factor: {
              kind: "varies",
              value: 1.5,
              least: -0.25,
              most: 2,
              turned: 0.1,
              histogram: { edges: [-0.25, 1, 2], counts: [3, 27] },
            },
          },
          {
            other: "papers.dice()",
            id: "constant-factor",
            title: "A constant factor",
            reason: "The loss is multiplied by: 1 here, 2 there.",
            formula: null,
            share: 0.25,
            shareRange: null,
            lines: [],
            fix: "Multiply the loss by 2.",
            maxAbsDifference: 0.1,
            commonFactor: 0.5,
            factor: { kind: "constant", value: 2, least: 2, most: 2, turned: 0 },
          },
        ],
      },
    ],
  };
}

function steps(
  loss: Loss,
  p: string,
  pText: string,
  finalLatex: string,
  finalText: string,
): DerivationStep[] {
  const smoothing = loss.epsilon === 0 ? "" : " + \\varepsilon";
  const smoothingText = loss.epsilon === 0 ? "" : " + ε";
  return [
    {
      id: "sums",
      title: "Name the sums",
      latex: `\\begin{aligned} I &= \\sum_{i} ${p}\\,g_{i} & P &= \\sum_{i} ${p} & G &= \\sum_{i} g_{i} \\end{aligned}`,
      text: `I = Σ_i ${pText}·g_i\nP = Σ_i ${pText}\nG = Σ_i g_i`,
      note: "The loss depends on the arrays through these three sums alone; i runs over all elements.",
      lines: [loss.line + 7],
    },
    {
      id: "loss",
      title: "The loss as a function of the sums",
      latex: `L = 1 - \\frac{2\\,I${smoothing}}{P + G${smoothing}}`,
      text: `L = 1 - (2·I${smoothingText})/(P + G${smoothingText})`,
      lines: [loss.line + 8],
    },
    {
      id: "outer",
      title: "Differentiate by each sum",
      latex: `\\frac{\\partial L}{\\partial I} = -\\frac{2}{P + G${smoothing}} \\qquad \\frac{\\partial L}{\\partial P} = \\frac{2\\,I${smoothing}}{\\left(P + G${smoothing}\\right)^{2}}`,
      text: `∂L/∂I = -2/(P + G${smoothingText})\n∂L/∂P = (2·I${smoothingText})/(P + G${smoothingText})²`,
      note: "The quotient rule: the denominator depends on the prediction too, which is where the second term comes from.",
    },
    {
      id: "elementwise",
      title: "Each sum by one element",
      latex:
        "\\frac{\\partial I}{\\partial p_{i}} = g_{i} \\qquad \\frac{\\partial P}{\\partial p_{i}} = 1",
      text: "∂I/∂p_i = g_i\n∂P/∂p_i = 1",
      note: "Only the i-th term of each sum depends on the i-th element.",
      lines: [loss.line + 7, loss.line + 8],
    },
    ...(loss.sigmoid
      ? [
          {
            id: "activation",
            title: "The sigmoid",
            latex:
              "\\frac{\\partial p_{i}}{\\partial x_{i}} = \\sigma(x_{i})\\left(1 - \\sigma(x_{i})\\right)",
            text: "∂p_i/∂x_i = σ(x_i)·(1 - σ(x_i))",
            note: "At most one quarter, and near zero where the model is sure of itself.",
            lines: [loss.line + 6],
          },
        ]
      : []),
    { id: "final", title: "The gradient", latex: finalLatex, text: finalText },
  ];
}

function symbol(
  latex: string,
  text: string,
  name: string,
  meaning: string,
): Report["symbols"][number] {
  return { symbol: { latex, text }, name, meaning };
}

function summary(
  name: string,
  role: "prediction" | "target",
  dtype: string,
  data: Float64Array,
  shape: readonly number[],
  foregroundShare: number | null,
): Report["arrays"][number] {
  return {
    name,
    role,
    dtype,
    shape,
    min: data.reduce((a, b) => Math.min(a, b), Infinity),
    max: data.reduce((a, b) => Math.max(a, b), -Infinity),
    mean: sum(data, (x) => x) / data.length,
    foregroundShare,
    origin: `volume.npz[${name}]`,
  };
}

function sum(data: Float64Array, term: (x: number, k: number) => number): number {
  return data.reduce((total, x, k) => total + term(x, k), 0);
}

function unflatten(k: number, shape: readonly number[]): number[] {
  let rest = k;
  return shape
    .toReversed()
    .map((n) => {
      const at = rest % n;
      rest = Math.floor(rest / n);
      return at;
    })
    .toReversed();
}
