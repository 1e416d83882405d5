/** Right hand-written gradients in several libraries' forms, and wrong ones made from them. */

/** How a loss and its gradient are written in a library; S( is its sum, SIG( its sigmoid. */
export interface Frame {
  readonly name: string;
  readonly callable: string;
  readonly sum: string;
  readonly sigmoid: string;
  readonly size: string;
  /** The upstream gradient's name; null where the gradient is told none. */
  readonly upstream: string | null;
  readonly source: (
    forward: readonly string[],
    value: string,
    back: readonly string[],
    gradient: string,
  ) => string;
}

export interface Mutation {
  /** Replaced in the gradient's formula, or in the lines before it. */
  readonly from: string;
  readonly to: string;
  /** Fault ids, any of which names it truly. */
  readonly names: readonly string[];
}

export interface Family {
  readonly name: string;
  readonly lines: readonly string[];
  readonly value: string;
  readonly gradient: string;
  /** The same gradient written otherwise. */
  readonly rewritten: readonly string[];
  readonly mutations: readonly Mutation[];
}

const indent = (lines: readonly string[], by: number): string =>
  lines.map((l) => " ".repeat(by) + l).join("\n");

const TORCH = { sum: "torch.sum(", sigmoid: "torch.sigmoid(", size: "p.numel()" };
const NUMPY = { sum: "np.sum(", sigmoid: "sig(", size: "p.size" };

export const FRAMES: readonly Frame[] = [
  {
    ...TORCH,
    name: "torch, static",
    callable: "Loss",
    upstream: "grad_output",
    source: (forward, value, back, gradient) => `import torch

class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, t):
        ctx.save_for_backward(p, t)
${indent(forward, 8)}
        return ${value}

    @staticmethod
    def backward(ctx, grad_output):
        p, t = ctx.saved_tensors
${indent(back, 8)}
        return ${gradient}, None
`,
  },
  {
    ...TORCH,
    name: "torch, not static",
    callable: "loss",
    upstream: "grad_output",
    source: (forward, value, back, gradient) => `import torch
from torch.autograd import Function

class Loss(Function):
    def forward(self, p, t):
        self.save_for_backward(p, t)
${indent(forward, 8)}
        return ${value}

    def backward(self, grad_output):
        p, t = self.saved_variables
        grad_input = grad_target = None
${indent(back, 8)}
        if self.needs_input_grad[0]:
            grad_input = ${gradient}
        return grad_input, grad_target

def loss(p, t):
    return 3 * Loss.apply(p, t)
`,
  },
  {
    ...TORCH,
    name: "torch, setup_context",
    callable: "Loss",
    upstream: "grad_output",
    source: (forward, value, back, gradient) => `import torch

class Loss(torch.autograd.Function):
    @staticmethod
    def forward(p, t):
${indent(forward, 8)}
        return ${value}

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.p, ctx.t = inputs

    @staticmethod
    def backward(ctx, grad_output):
        p, t = ctx.p, ctx.t
${indent(back, 8)}
        return ${gradient}, None
`,
  },
  {
    name: "tensorflow",
    callable: "loss",
    sum: "tf.reduce_sum(",
    sigmoid: "tf.sigmoid(",
    size: "tf.cast(tf.size(p), p.dtype)",
    upstream: "dy",
    source: (forward, value, _back, gradient) => `import tensorflow as tf

@tf.custom_gradient
def loss(p, t):
${indent(forward, 4)}
    value = ${value}
    def grad(dy):
${indent(_back, 8)}
        return ${gradient}, None
    return value, grad
`,
  },
  {
    ...NUMPY,
    name: "numpy pair",
    callable: "loss",
    upstream: null,
    source: (forward, value, back, gradient) => `import numpy as np

def sig(x):
    return 1 / (1 + np.exp(-x))

def loss(p, t):
${indent(forward, 4)}
    return ${value}

def loss_grad(p, t):
${indent(back, 4)}
    return ${gradient}
`,
  },
  {
    ...NUMPY,
    name: "numpy class",
    callable: "Loss",
    upstream: "dout",
    source: (forward, value, back, gradient) => `import numpy as np

def sig(x):
    return 1 / (1 + np.exp(-x))

class Loss:
    def forward(self, p, t):
        self.p, self.t = p, t
${indent(forward, 8)}
        return ${value}

    def backward(self, dout):
        p, t = self.p, self.t
${indent(back, 8)}
        return ${gradient}
`,
  },
];

const m = (from: string, to: string, ...names: string[]): Mutation => ({ from, to, names });

/** Mistakes that can be made in any quotient N/D whose terms stand as these two texts. */
function quotient(first: string, second: string, n: string, d: string): Mutation[] {
  const whole = `${first} / ${d} - ${second} / ${d}**2`;
  return [
    m(whole, `${first} / ${d}`, "quotient-term-missing"),
    m(whole, `-${second} / ${d}**2`, "numerator-term-missing"),
    m(whole, `${first} / ${d} + ${second} / ${d}**2`, "term-sign"),
    m(whole, `-${first} / ${d} - ${second} / ${d}**2`, "term-sign"),
    m(whole, `-(${whole})`, "sign"),
    m(whole, `${first} / ${d} - ${second} / ${d}`, "denominator-power"),
    m(whole, `(${first} * ${d} - ${second}) / ${d}`, "denominator-power"),
    m(whole, `(${first} * ${d} - ${second}) / ${d} * ${d}`, "denominator-power"),
    m(whole, `2 * (${whole})`, "factor"),
    m(whole, `(${whole}) / SIZE`, "count"),
    m(whole, `${first} / ${d} - ${second} / ${d}**3`, "denominator-power"),
    m(whole, `${first} / ${d} - 2 * ${second} / ${d}**2`, "term-factor"),
    m(whole, `${first} / ${d}**2 - ${second} / ${d}**2`, "denominator-power"),
    m(whole, `${first} - ${second} / ${d}**2`, "denominator-power"),
    ...(second.includes(n)
      ? [m(whole, `${first} / ${d} - ${second.replace(n, "1")} / ${d}**2`, "numerator-replaced")]
      : []),
  ];
}

const EPSILON: readonly Mutation[] = [
  m("N = 2 * I + eps", "N = 2 * I", "epsilon"),
  m("+ S(t) + eps", "+ S(t)", "epsilon"),
  m("eps = 1e-5", "eps = 1e-3", "epsilon"),
  m("eps = 1e-5", "eps = 0", "epsilon"),
];

const LINEAR = ["eps = 1e-5", "I = S(p * t)", "N = 2 * I + eps", "D = S(p) + S(t) + eps"];

export const FAMILIES: readonly Family[] = [
  {
    name: "linear score",
    lines: LINEAR,
    value: "N / D",
    gradient: "2 * t / D - N / D**2",
    rewritten: ["(2 * t * D - N) / D**2", "(2 * t - N / D) / D"],
    mutations: [
      ...quotient("2 * t", "N", "N", "D"),
      ...EPSILON,
      m("2 * t / D - N", "t / D - N", "term-factor", "factor-replaced"),
      m("2 * t / D", "2 * p / D", "swapped"),
    ],
  },
  {
    name: "linear loss",
    lines: LINEAR,
    value: "1 - N / D",
    gradient: "-(2 * t * D - N) / D**2",
    rewritten: ["N / D**2 - 2 * t / D", "(N - 2 * t * D) / (D * D)"],
    mutations: [
      m("-(2 * t * D - N)", "(2 * t * D - N)", "sign"),
      m("-(2 * t * D - N)", "-(2 * t * D + N)", "term-sign"),
      m("-(2 * t * D - N)", "-(2 * t * D - I)", "term-factor", "epsilon", "numerator-replaced"),
      m("/ D**2", "/ D", "denominator-power"),
      m("/ D**2", "/ D * D", "denominator-power"),
      m("-(2 * t * D - N)", "-(t * D - N)", "term-factor"),
      m("-(2 * t * D - N)", "-2 * (2 * t * D - N)", "factor"),
      ...EPSILON,
    ],
  },
  {
    name: "squared score",
    lines: ["eps = 1e-5", "I = S(p * t)", "N = 2 * I + eps", "D = S(p**2) + S(t**2) + eps"],
    value: "N / D",
    gradient: "2 * t / D - 2 * p * N / D**2",
    rewritten: ["2 * (t * D - p * N) / D**2"],
    mutations: [
      ...quotient("2 * t", "2 * p * N", "N", "D"),
      m("2 * p * N", "p * N", "power", "term-factor"),
      m("2 * p * N", "N", "power"),
      m("2 * p * N", "2 * N", "power"),
      m("N = 2 * I + eps", "N = 2 * I", "epsilon"),
      m("+ S(t**2) + eps", "+ S(t**2)", "epsilon"),
    ],
  },
  {
    name: "Jaccard",
    lines: ["eps = 1e-5", "I = S(p * t)", "U = S(p) + S(t) - I + eps"],
    value: "I / U",
    gradient: "t / U - I * (1 - t) / U**2",
    rewritten: ["(t * U - I * (1 - t)) / U**2"],
    mutations: [
      ...quotient("t", "I * (1 - t)", "I", "U"),
      m("(1 - t)", "(1 + t)", "term-sign"),
      m("I * (1 - t)", "I", "term-missing"),
      m("- I + eps", "- I", "epsilon"),
    ],
  },
  {
    name: "Tversky",
    lines: [
      "eps = 1e-5",
      "alpha = 0.3",
      "beta = 0.7",
      "I = S(p * t)",
      "U = I + alpha * S(p * (1 - t)) + beta * S((1 - p) * t) + eps",
    ],
    value: "I / U",
    gradient: "t / U - I * (t + alpha * (1 - t) - beta * t) / U**2",
    rewritten: ["(t * U - I * (t + alpha * (1 - t) - beta * t)) / U**2"],
    mutations: [
      ...quotient("t", "I * (t + alpha * (1 - t) - beta * t)", "I", "U"),
      m("- beta * t)", "+ beta * t)", "term-sign", "sign"),
      m("(t + alpha", "(alpha", "term-missing"),
      m(" - beta * t)", ")", "term-missing"),
      m("alpha * (1 - t) -", "(1 - t) -", "term-factor"),
    ],
  },
  {
    name: "sigmoid",
    lines: ["eps = 1e-5", "s = SIG(p)", "I = S(s * t)", "N = 2 * I + eps", "D = S(s) + S(t) + eps"],
    value: "1 - N / D",
    gradient: "(N / D**2 - 2 * t / D) * s * (1 - s)",
    rewritten: ["-(2 * t * D - N) / D**2 * (s - s * s)"],
    mutations: [
      m(" * s * (1 - s)", "", "activation-missing"),
      m(" * s * (1 - s)", " * s", "activation-incomplete"),
      m(" * s * (1 - s)", " * (1 - s)", "activation-incomplete"),
      m(" * s * (1 - s)", " * p * (1 - p)", "activation-incomplete"),
      m(" * s * (1 - s)", " * s * (1 + s)", "activation-incomplete"),
      m(" * s * (1 - s)", " * s * (s - 1)", "sign"),
      m("(N / D**2 - 2 * t / D)", "(-2 * t / D)", "quotient-term-missing"),
      m("(N / D**2 - 2 * t / D)", "(N / D - 2 * t / D)", "denominator-power"),
      m("(N / D**2 - 2 * t / D)", "(N / D**2 - t / D)", "term-factor", "factor-replaced"),
      m("(N / D**2 - 2 * t / D)", "(2 * t / D - N / D**2)", "sign"),
      m("N = 2 * I + eps", "N = 2 * I", "epsilon"),
      m("+ S(t) + eps", "+ S(t)", "epsilon"),
    ],
  },
  {
    name: "per sample",
    lines: ["eps = 1e-5", "I = (p * t).sum(1)", "N = 2 * I + eps", "D = p.sum(1) + t.sum(1) + eps"],
    value: "(1 - N / D).mean()",
    gradient: "-(2 * t * D[:, None] - N[:, None]) / D[:, None]**2 / p.shape[0]",
    rewritten: ["(N / D**2)[:, None] / p.shape[0] - 2 * t / D[:, None] / p.shape[0]"],
    mutations: [
      m(" / p.shape[0]", "", "count"),
      m("/ p.shape[0]", "/ p.shape[1]", "count"),
      m("-(2 * t", "(2 * t", "sign"),
      m("-(2 * t", "-(t", "term-factor", "factor-replaced"),
      m("D[:, None]**2", "D[:, None]", "denominator-power"),
      m("- N[:, None]", "+ N[:, None]", "term-sign"),
      m("I = (p * t).sum(1)", "I = (p * t).sum(1) * 0 + (p * t).sum()", "region"),
      m("D = p.sum(1) + t.sum(1) + eps", "D = p.sum(1) * 0 + p.sum() + t.sum() + eps", "region"),
      m("N = 2 * I + eps", "N = 2 * I", "epsilon"),
      m("eps = 1e-5", "eps = 1e-3", "epsilon"),
    ],
  },
];

export interface Case {
  readonly name: string;
  readonly source: string;
  readonly callable: string;
  /** Fault ids, any of which is right; empty for a right gradient. */
  readonly names: readonly string[];
}

/** The source of one gradient, right or with one mistake in it. */
function made(frame: Frame, family: Family, change: Mutation | null, ignores = false): string {
  const edit = (text: string): string =>
    change === null ? text : text.replace(change.from, change.to);
  const own = (text: string): string =>
    text
      .replaceAll("SIG(", frame.sigmoid)
      .replace(/\bS\(/g, frame.sum)
      .replaceAll("SIZE", frame.size);
  const gradient = edit(family.gradient);
  const seeded =
    frame.upstream === null || ignores ? gradient : `${frame.upstream} * (${gradient})`;
  const back = family.lines.map((l) => own(edit(l)));
  return frame.source(family.lines.map(own), own(family.value), back, own(seeded));
}

const isApt = (frame: Frame, family: Family): boolean =>
  family.name !== "per sample" || frame.name !== "tensorflow";

/** Every third combination of forms and families, so that each of both occurs several times. */
export function combinations(): { readonly frame: Frame; readonly family: Family }[] {
  const all = FRAMES.flatMap((frame, i) =>
    FAMILIES.flatMap((family, k) =>
      isApt(frame, family) && (i + k) % 2 === 0 ? [{ frame, family }] : [],
    ),
  );
  return all;
}

export function rightOnes(): Case[] {
  return combinations().flatMap(({ frame, family }) => {
    const name = `${family.name}, ${frame.name}`;
    const { callable } = frame;
    const written = family.rewritten.map((gradient) => ({ ...family, gradient }));
    return [family, ...written].map((f, k) => ({
      name: k === 0 ? name : `${name}, rewritten`,
      source: made(frame, f, null),
      callable,
      names: [],
    }));
  });
}

export function mutants(): Case[] {
  return combinations().flatMap(({ frame, family }) => {
    const own = family.mutations.map((change) => ({
      name: `${family.name}, ${frame.name}: ${change.from} → ${change.to}`,
      source: made(frame, family, change),
      callable: frame.callable,
      names: change.names,
    }));
    if (frame.upstream === null) return own;
    const ignored = {
      name: `${family.name}, ${frame.name}: upstream ignored`,
      source: made(frame, family, null, true),
      callable: frame.callable,
      names: ["upstream-ignored"],
    };
    return [...own, ignored];
  });
}
