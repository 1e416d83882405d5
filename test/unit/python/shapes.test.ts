/** Which shapes are assumed when no arrays are given, and what they are taken from. */
import assert from "node:assert/strict";
import { formatShape } from "../../../src/expression/axis.ts";
import { type Arguments, PythonProgram } from "../../../src/python/program.ts";
import { TestHost, errorOf, sharedParser } from "./session.ts";

const IMPORTS =
  "import numpy as np\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n";

async function shapesOf(
  source: string,
  args: Arguments = new Map(),
): Promise<{ shapes: Record<string, string>; assumptions: readonly string[] }> {
  const program = new PythonProgram(await sharedParser(), new TestHost(), { file: "losses.py" });
  program.load(IMPORTS + source, "losses.py");
  const trace = program.trace(program.callables().at(-1)!.name, args);
  const shapes = Object.fromEntries(
    trace.inputs.map((x) => [
      x.parameter,
      formatShape(x.node.shape) + (x.node.type === "int" ? " int" : ""),
    ]),
  );
  return { shapes, assumptions: trace.assumptions };
}

/** A function of p and g that returns a sum over X, once for the product and once for the sum. */
const sums = (reduce: string): string => {
  const over = (x: string): string => reduce.replaceAll("X", x);
  return `def f(p, g):\n    return 1 - (${over("(p * g)")} / ${over("(p + g)")}).mean()\n`;
};

/** The body of a function of p and g. */
const body = (...lines: readonly string[]): string =>
  `def f(p, g):\n${lines.map((l) => `    ${l}\n`).join("")}`;

/** A loss of p and g with this docstring. */
const told = (docstring: string): string => body(`"""${docstring}"""`, "return (p * g).sum()");

const FIRST = "(b, c, h, w)";
const LAST = "(b, h, w, c)";
const VOLUME = "(b, c, d, h, w)";
const POINTS = "(b, c, i)";
const LABELS = "(b, h, w) int";

/** What it is about; code; shape of p; shape of g if another; what the shape of p is taken from. */
type Row = readonly [string, string, string, (string | null)?, string?];

const ROWS: readonly Row[] = [
  ["sums over axes 2, 3", sums("X.sum(dim=(2, 3))"), FIRST, null, "dim=(2, 3)"],
  ["sums over axes 2, 3, 4", sums("torch.sum(X, dim=(2, 3, 4))"), VOLUME, null, "dim=(2, 3, 4)"],
  ["a list of axes, by position", sums("torch.sum(X, [2, 3])"), FIRST, null, "axes [2, 3]"],
  ["all axes but the classes", sums("np.sum(X, axis=(0, 2, 3))"), FIRST, null, "axis=(0, 2, 3)"],
  ["all but classes at the end", sums("np.sum(X, axis=(0, 1, 2))"), LAST, null, "axis=(0, 1, 2)"],
  ["all axes but the batch", sums("np.sum(X, axis=(1, 2, 3))"), FIRST, null, "axis=(1, 2, 3)"],
  ["axes from the end", sums("X.sum(dim=(-2, -1))"), FIRST, null, "dim=(-2, -1)"],
  [
    "a function of one sample that is mapped over the batch",
    "import jax\nimport jax.numpy as jnp\ndef one(p, g):\n    return 1 - 2 * jnp.vdot(p, g) / (p.sum() + g.sum())\ndef f(p, g):\n    return jax.vmap(one)(p, g).mean()\n",
    "(i, j)",
  ],
  [
    "axes up to the last by their number",
    body("a = tuple(range(1, p.ndim - 1))", "return 1 - (p * g).sum(a).mean()"),
    FIRST,
  ],
  [
    "a one-hot encoding of what was flattened before",
    body(
      "t = g.flatten(1)",
      "p = p.softmax(1).flatten(2)",
      "return (p * F.one_hot(t, 3).permute(0, 2, 1)).mean()",
    ),
    "(b, 3, h, w)",
    LABELS,
  ],
  ["axes in a variable", body("a = (2, 3)", "return (p * g).sum(a).mean()"), FIRST, null, "axes a"],
  [
    "axes in a default",
    "def f(p, g, dims=(2, 3, 4)):\n    return 1 - (p * g).sum(dim=dims).mean()\n",
    VOLUME,
    null,
    "dim=dims",
  ],
  ["axes as a range", body("r = tuple(range(2, 4))", "return (p * g).sum(dim=r).mean()"), FIRST],
  ["one axis", sums("X.sum(dim=1)"), "(b, i)", null, "dim=1"],
  [
    "a loop over classes",
    body(
      "loss = 0",
      "for c in range(2):",
      "    loss = loss + (p[:, c] * g[:, c]).sum()",
      "return loss",
    ),
    FIRST,
    null,
    "p[:, c]",
  ],
  ["a class at the end", body("return (p[..., 1] * g[..., 1]).sum()"), LAST, null, "p[..., 1]"],
  [
    "the background left out",
    body("p = p[:, 1:]", "g = g[:, 1:]", "return 1 - (p * g).sum() / (p + g).sum()"),
    "(b, 3, h, w)",
    null,
    "p[:, 1:]",
  ],
  [
    "the background at the end left out",
    body("return 1 - (p[..., 1:] * g[..., 1:]).sum()"),
    "(b, h, w, 3)",
  ],
  [
    "a full subscript",
    body("return (p[:, 0, :, :] * g[:, 0, :, :]).sum()"),
    FIRST,
    null,
    "p[:, 0, :, :]",
  ],
  [
    "a full subscript of a volume",
    body("return (p[:, 1, :, :, :] * g[:, 1, :, :, :]).sum()"),
    VOLUME,
  ],
  [
    "a full subscript, classes last",
    body("return (p[:, :, :, 1] * g[:, :, :, 1]).sum()"),
    LAST,
    null,
    "p[:, :, :, 1]",
  ],
  [
    "an unpacked shape",
    body("b, c, h, w = p.shape", "return (p * g).sum() / (h * w)"),
    FIRST,
    null,
    "b, c, h, w = p.shape",
  ],
  [
    "an unpacked size()",
    body("n, c, d, h, w = p.size()", "return (p * g).sum() / n"),
    VOLUME,
    null,
    "n, c, d, h, w = p.size()",
  ],
  [
    "an unpacked shape, channels last",
    body("n, h, w, c = p.shape", "return (p * g).sum() / c"),
    LAST,
    null,
    "n, h, w, c = p.shape",
  ],
  [
    "an unpacked shape without classes",
    body("b, h, w = p.shape", "return (p * g).sum() / b"),
    "(b, h, w)",
    null,
    "b, h, w = p.shape",
  ],
  [
    "the beginning of a shape",
    body("b, c = p.shape[:2]", "return (p * g).sum() / c"),
    FIRST,
    null,
    "b, c = p.shape[:2]",
  ],
  [
    "the rank asserted",
    body("assert p.dim() == 4", "return (p * g).sum()"),
    FIRST,
    null,
    "p.dim() == 4",
  ],
  [
    "the rank asserted by len()",
    body("assert len(p.shape) == 5, 'volumes'", "return (p * g).sum()"),
    VOLUME,
    null,
    "len(p.shape) == 5",
  ],
  [
    "another rank refused",
    body("if p.ndim != 4:", "    raise ValueError('4 axes')", "return (p * g).sum()"),
    FIRST,
    null,
    "p.ndim != 4",
  ],
  ["ranks to choose from", body("assert p.ndim in (3, 4)", "return (p * g).sum()"), FIRST],
  [
    "a permutation to channels last",
    body("p = p.permute(0, 2, 3, 1)", "return (p * g.permute(0, 2, 3, 1)).sum()"),
    FIRST,
    null,
    "p.permute(0, 2, 3, 1)",
  ],
  [
    "a transposition to channels first",
    body("q = np.transpose(p, (0, 3, 1, 2))", "return (q * np.transpose(g, (0, 3, 1, 2))).sum()"),
    LAST,
    null,
    "np.transpose(p, (0, 3, 1, 2))",
  ],
  [
    "classes brought to the front",
    body("q = p.permute(1, 0, 2, 3, 4)", "return q.sum() * g.sum()"),
    VOLUME,
  ],
  [
    "flattened but for batch and classes",
    body(
      "b, c = p.size(0), p.size(1)",
      "p = p.view(b, c, -1)",
      "g = g.view(b, c, -1)",
      "return (1 - (p * g).sum(2) / (p + g).sum(2)).mean()",
    ),
    FIRST,
    null,
    "p.view(b, c, -1)",
  ],
  [
    "flatten from axis 2",
    body("return 1 - (p.flatten(2) * g.flatten(2)).sum(-1).mean()"),
    FIRST,
    null,
    "p.flatten(2)",
  ],
  [
    "softmax over axis 1",
    body("q = F.softmax(p, dim=1)", "return 1 - (q * g).sum()"),
    FIRST,
    null,
    "F.softmax(p, dim=1)",
  ],
  [
    "softmax over the last axis",
    body("q = torch.softmax(p, -1)", "return 1 - (q * g).sum(dim=(1, 2)).mean()"),
    LAST,
  ],
  [
    "the number of classes",
    body("num_classes = p.shape[1]", "return (p * g).sum() / num_classes"),
    FIRST,
    null,
    "p.shape[1]",
  ],
  [
    "the number of classes at the end",
    body("n_classes = p.shape[-1]", "return (p * g).sum() / n_classes"),
    LAST,
    null,
    "p.shape[-1]",
  ],
  [
    "one-hot and permuted",
    body(
      "g = F.one_hot(g, 3).permute(0, 3, 1, 2).float()",
      "return 1 - (p * g).sum(dim=(2, 3)).mean()",
    ),
    "(b, 3, h, w)",
    LABELS,
    "dim=(2, 3)",
  ],
  [
    "one-hot of a volume",
    body(
      "g = F.one_hot(g, 3).permute(0, 4, 1, 2, 3)",
      "return 1 - (p * g).sum(dim=(2, 3, 4)).mean()",
    ),
    "(b, 3, d, h, w)",
    "(b, d, h, w) int",
  ],
  [
    "rows of the identity",
    body("g = np.eye(3)[g]", "return 1 - np.sum(p * g, axis=(0, 1, 2)).mean()"),
    "(b, h, w, 3)",
    LABELS,
  ],
  [
    "cross entropy beside Dice",
    body(
      "ce = F.cross_entropy(p, g)",
      "g = F.one_hot(g, 3).permute(0, 3, 1, 2)",
      "return ce + 1 - (p.softmax(dim=1) * g).sum(dim=(2, 3)).mean()",
    ),
    "(b, 3, h, w)",
    LABELS,
  ],
  [
    "a docstring's arguments",
    told(
      "Dice.\n\n    Args:\n        p: of shape (N, C, H, W)\n        g: labels, (N, C, H, W)\n    ",
    ),
    FIRST,
    null,
    "its docstring",
  ],
  [
    "a docstring in words",
    told("Over [batch, height, width, channels]."),
    LAST,
    null,
    "its docstring",
  ],
  ["a docstring with crosses", told("p and g are B x C x D x H x W."), VOLUME],
  [
    "numpydoc",
    told(
      "Dice.\n\n    Parameters\n    ----------\n    p : array, shape (batch, classes, height, width)\n",
    ),
    FIRST,
  ],
  [
    "reStructuredText fields",
    told(
      "Dice.\n\n    :param p: a tensor of shape [B, C, H, W]\n    :param g: the same [B, C, H, W]\n",
    ),
    FIRST,
  ],
  [
    "a docstring whose target lacks the classes",
    `def f(p, g):\n    """Dice.\n\n    p: (N, C, H, W)\n    g: (N, H, W)\n    """\n    g = F.one_hot(g, 3).permute(0, 3, 1, 2)\n    return (p * g).sum()\n`,
    "(b, 3, h, w)",
    LABELS,
  ],
  [
    "a Shape section",
    'class L(nn.Module):\n    """Dice.\n\n    Shape:\n        - Input: (N, C, H, W)\n        - Target: (N, C, H, W)\n    """\n\n    def forward(self, p, g):\n        return (p * g).sum()\n',
    FIRST,
    null,
    "its docstring",
  ],
  [
    "jaxtyping's annotations",
    `def f(p: Float[Tensor, "b c h w"], g: Float[Tensor, "b c h w"]):\n    return (p * g).sum()\n`,
    FIRST,
    null,
    "its annotation",
  ],
  [
    "comments behind the parameters",
    "def f(\n    p,  # (B, C, H, W)\n    g,  # (B, C, H, W)\n):\n    return (p * g).sum()\n",
    FIRST,
    null,
    "the comment",
  ],
  [
    "a helper's axes",
    `def dice(a, b):\n    return (a * b).sum(dim=(2, 3))\n\n${body("return 1 - dice(torch.sigmoid(p), g).mean()")}`,
    FIRST,
    null,
    "dim=(2, 3)",
  ],
  [
    "a method's axes",
    "class L(nn.Module):\n    def dice(self, a, b):\n        return (a * b).sum(dim=(2, 3, 4))\n\n    def forward(self, p, g):\n        return 1 - self.dice(p.sigmoid(), g).mean()\n",
    VOLUME,
    null,
    "dim=(2, 3, 4)",
  ],
  ["nothing said", body("return 1 - 2 * (p * g).sum() / (p.sum() + g.sum())"), "(i,)"],
  [
    "letters of an einsum",
    body(
      'i = torch.einsum("bci,bci->bc", p, g)',
      'u = torch.einsum("bci->bc", p) + torch.einsum("bci->bc", g)',
      "return (1 - 2 * i / u).mean()",
    ),
    POINTS,
    null,
    "torch.einsum(",
  ],
  [
    "letters of an einsum over images",
    body('return 1 - torch.einsum("bkwh,bkwh->bk", p, g).mean()'),
    "(b, c, w, h)",
  ],
  [
    "points: classes second, and one axis summed over",
    body("p = p.softmax(1)", "return 1 - ((p * g).sum(2) / (p + g).sum(2)).mean()"),
    POINTS,
    null,
    "axes 2",
  ],
  [
    "points, from the end",
    body("p = F.softmax(p, dim=1)", "return 1 - (p * g).sum(-1).mean()"),
    POINTS,
  ],
  [
    "points whose target holds class numbers",
    body(
      "p = p.softmax(1)",
      "g = F.one_hot(g, p.shape[1]).transpose(1, 2)",
      "return 1 - (p * g).sum(2).mean()",
    ),
    "(b, 3, i)",
    "(b, i) int",
  ],
  [
    "a docstring of points",
    `def f(p, g):\n    """p: (B, C, N), g: (B, N)"""\n    g = F.one_hot(g, 4).permute(0, 2, 1)\n    return 1 - (p * g).sum()\n`,
    "(b, 4, i)",
    "(b, i) int",
  ],
  ["an image alone", sums("X.sum((1, 2))"), "(b, h, w)"],
  [
    "weights for three classes",
    body("w = torch.tensor([1.0, 0.5, 2.0])", "return ((p * g).sum((2, 3)) * w).mean()"),
    "(b, 3, h, w)",
  ],
  [
    "the third class",
    body("return (p[:, 2] * g[:, 2]).sum() + (p[:, 0] * g[:, 0]).sum()"),
    "(b, 3, h, w)",
  ],
  [
    "a channel that the target lacks",
    `def f(p, g):\n    """p: (B, C, H, W), g: (B, H, W)"""\n    p = p.view(p.shape[0], 1, -1)\n    g = g.view(g.shape[0], 1, -1)\n    return (p * g).sum()\n`,
    "(b, 1, h, w)",
    LABELS,
  ],
  ["arrays joined", body("return torch.cat([p * g, p], 1).sum((1, 2, 3)).mean()"), "(b, 3, h, w)"],
];

describe("Shapes without arrays", () => {
  for (const [what, code, p, other, because] of ROWS) {
    const g = other ?? p;
    it(`${what}: p ${p}, g ${g}`, async () => {
      const found = await shapesOf(code);
      assert.deepEqual(found.shapes, { p, g });
      if (because === undefined) return;
      const said = found.assumptions.find((a) => a.startsWith("p is taken to be"));
      assert.ok(
        said?.startsWith(`p is taken to be ${p}: ${because}`),
        found.assumptions.join("; "),
      );
    });
  }

  it("the line is that of the code", async () => {
    const { assumptions } = await shapesOf(sums("X.sum(dim=(2, 3))"));
    assert.equal(assumptions[0], "p is taken to be (b, c, h, w): dim=(2, 3) on line 6");
  });

  it("code that does not take what its docstring says gets what it takes", async () => {
    const { shapes, assumptions } = await shapesOf(
      body('"""Of (N, C, H, W)."""', "assert p.ndim == 2", "return (p * g).sum()"),
    );
    assert.deepEqual(shapes, { p: "(i, j)", g: "(i, j)" });
    assert.match(assumptions.join("; "), /no arrays were given; shapes taken: p \(i, j\)/);
  });
});

describe("Shapes that are set", () => {
  const code = body("return 1 - 2 * (p * g).sum() / (p.sum() + g.sum())");
  const shape = (axes: readonly (number | string)[], dtype: string | null = null) =>
    ({ kind: "shape", axes, dtype }) as const;
  const args = (p: ReturnType<typeof shape>, g?: ReturnType<typeof shape>): Arguments =>
    new Map(g === undefined ? [["p", p]] : ([["p", p], ["g", g]] as const)); // prettier-ignore

  it("by sizes, which the other array shares", async () => {
    const { shapes, assumptions } = await shapesOf(code, args(shape([2, 3, 64, 64])));
    assert.deepEqual(shapes, { p: "(2, 3, 64, 64)", g: "(2, 3, 64, 64)" });
    assert.deepEqual(assumptions.slice(0, 2), [
      "p is taken to be (2, 3, 64, 64): as you set it",
      "g is taken to be (2, 3, 64, 64): as p",
    ]);
  });

  it("by letters, and by both", async () => {
    const letters = shape(["b", "c", "h", "w"]);
    assert.deepEqual((await shapesOf(code, args(letters, letters))).shapes, { p: FIRST, g: FIRST });
    const mixed = shape(["n", 3, "h", "w"]);
    assert.deepEqual((await shapesOf(code, args(mixed))).shapes, {
      p: "(n, 3, h, w)",
      g: "(n, 3, h, w)",
    });
  });

  it("with a dtype", async () => {
    const { shapes } = await shapesOf(
      body("g = F.one_hot(g, 3).permute(0, 3, 1, 2)", "return (p * g).sum()"),
      args(shape(["b", 3, "h", "w"]), shape(["b", "h", "w"], "int64")),
    );
    assert.deepEqual(shapes, { p: "(b, 3, h, w)", g: LABELS });
  });

  it("that the code does not take are an error at its line", async () => {
    const program = new PythonProgram(await sharedParser(), new TestHost(), { file: "losses.py" });
    program.load(body("return (p * g).sum(dim=(2, 3)).mean()"), "losses.py");
    const e = errorOf(() => program.trace("f", args(shape([4, 4]), shape([4, 4]))));
    assert.equal(e.line, 2);
  });
});
