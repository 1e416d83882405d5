import assert from "node:assert/strict";
import { orderOf } from "../../../src/explain/behaviour/shrink.ts";
import { lookHere } from "../../../src/explain/behaviour/here.ts";
import { limitOf } from "../../../src/explain/behaviour/limits.ts";
import { gradient } from "../../../src/gradient/gradient.ts";
import { Arena } from "../../../src/numbers/wasm/arena.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import * as b from "../../../src/expression/build.ts";
import { draw } from "../../../src/session/draw.ts";
import { focalTversky, vector } from "../gradient/lossExpressions.ts";
import { SNIPPETS, explained, watch } from "./explained.ts";

const P = [0.9, 0.2, 0.6, 0.1, 0.7, 0.3];
const G = [1, 0, 1, 0, 1, 0];
const ON = [`y_pred=${JSON.stringify(P)}`, `y_true=${JSON.stringify(G)}`];

const sum = (a: readonly number[]): number => a.reduce((s, x) => s + x, 0);
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** ∂/∂p_k of 1 − (2I + ε)/(P + G + ε), by hand. */
function diceSlope(p: readonly number[], g: readonly number[], k: number, e = 0): number {
  const i = sum(p.map((x, j) => x * g[j]!));
  const u = sum(p) + sum(g) + e;
  return (2 * i + e) / u ** 2 - (2 * g[k]!) / u;
}

function assertClose(actual: number | null, expected: number, tolerance = 1e-12): void {
  assert.ok(actual !== null, `no value where ${expected} is expected`);
  const scale = Math.max(Math.abs(expected), 1e-300);
  assert.ok(Math.abs(actual - expected) <= tolerance * scale, `${actual} instead of ${expected}`);
}

describe("the gradient on the arrays themselves", () => {
  it("is told by digits that rounding leaves, where the loss has none of its own", () => {
    const [p, t] = [vector("p", 60), vector("t", 60)];
    const target = Float64Array.from({ length: 60 }, (_, k) => (k % 3 === 0 ? 1 : 0));
    const off = 2 ** -50;
    const bindings = new Map([
      ["p", target.map((x) => Math.abs(x - off))],
      ["t", target],
    ]);
    const loss = focalTversky(p, t, 0.25);
    const own = gradient(loss, p);
    const factors = { activation: null, ratio: null };
    const arena = new Arena();
    const subject = { loss, wrt: p, target: t, bindings, gradient: own, arena };
    const here = lookHere(subject, { own, bare: null }, null, factors, null, watch);
    const [naive] = compileKernel([b.reduce("max", b.abs(own), null)]).run(bindings).outputs;
    // TI = tp/u with fp = 40·off, fn = 20·off, exact in the fractions of 1 that are left.
    const tp = 20 - 20 * off;
    const rest = 0.3 * 40 * off + 0.7 * 20 * off;
    const u = tp + rest;
    const byForeground = (0.25 * (rest / u) ** -0.75 * (0.7 * tp + rest)) / u ** 2;
    assertClose(here.largest, byForeground, 1e-5);
    assert.ok(Math.abs(naive!.data[0]! / byForeground - 1) > 1e-3, String(naive!.data[0]));
  });
});

describe("a gradient along one prediction", () => {
  it("is the quotient rule's at every value from 0 to 1", async () => {
    const { chart, series } = await explained(SNIPPETS, "plain", ON);
    const { at, own, element } = chart("one-foreground");
    // Of the three foreground predictions the median is 0.7.
    assert.deepEqual([own, element], [0.7, [4]]);
    assert.deepEqual([at[0], at.at(-1)], [0, 1]);
    const { values } = series("one-foreground", "gradient");
    at.forEach((x, k) => {
      assertClose(values[k]!, diceSlope(P.with(4, x), G, 4));
    });
    assertClose(series("one-foreground", "gradient").own, diceSlope(P, G, 4));
  });

  it("is also told without the smoothing, and split into its factors", async () => {
    const z = P.map((p) => Math.log(p / (1 - p)));
    const values = [`logits=${JSON.stringify(z)}`, `target=${JSON.stringify(G)}`, "epsilon=0.5"];
    const { chart, series } = await explained(SNIPPETS, "logits", values);
    const { at } = chart("one-background");
    assert.deepEqual([at[0], at.at(-1)], [-20, 20]);
    const [k] = chart("one-background").element!;
    at.forEach((x, n) => {
      const p = z.with(k!, x).map(sigmoid);
      const slope = p[k!]! * (1 - p[k!]!);
      const value = (role: Parameters<typeof series>[1]): number | null =>
        series("one-background", role).values[n]!;
      assertClose(value("slope"), slope);
      assertClose(value("scale"), 1 / (sum(p) + sum(G) + 0.5));
      assertClose(value("gradient"), slope * diceSlope(p, G, k!, 0.5), 1e-11);
      assertClose(value("without-smoothing"), slope * diceSlope(p, G, k!), 1e-11);
    });
  });

  it("does not vanish where no activation is inside, and the report says so", async () => {
    const { finding, behaviour } = await explained(SNIPPETS, "plain", ON);
    assert.equal(finding("one-foreground").kind, "steady");
    assert.match(finding("one-foreground").sentence, /does not vanish, wherever/);
    assert.match(
      finding("sigmoid-outside").sentence,
      /No sigmoid and no softmax is inside this loss/,
    );
    assert.ok(behaviour.findings.every((f) => f.id !== "saturation"));
  });

  it("vanishes at both ends behind a sigmoid, exactly", async () => {
    const values = ["logits=[2.0, -1.0, 0.5]", "target=[1, 0, 1]"];
    const { behaviour, finding } = await explained(SNIPPETS, "logits", values);
    const ends = behaviour.limits.filter((l) => l.id.startsWith("foreground-to"));
    assert.deepEqual(
      ends.map((l) => [l.own.kind, l.own.reached]),
      [
        ["zero", true],
        ["zero", true],
      ],
    );
    assert.equal(finding("one-foreground").kind, "vanishes");
    assert.match(finding("saturation").sentence, /^No element is saturated/);
  });
});

describe("a gradient where all predictions move", () => {
  it("is that of log-odds moved by as much", async () => {
    const { chart, series } = await explained(SNIPPETS, "smooth", [...ON, "epsilon=0.25"]);
    const mean = (p: readonly number[], mark: number): number =>
      sum(G.map((g, k) => (g === mark ? Math.abs(diceSlope(p, G, k, 0.25)) : 0))) / 3;
    for (const [id, toward] of [
      ["together", false],
      ["target", true],
    ] as const) {
      chart(id).at.forEach((t, n) => {
        const p = P.map((x, k) => sigmoid(Math.log(x / (1 - x)) + (toward && G[k] === 0 ? -t : t)));
        assertClose(series(id, "gradient", "foreground").values[n]!, mean(p, 1), 1e-10);
        assertClose(series(id, "gradient", "background").values[n]!, mean(p, 0), 1e-10);
      });
    }
  });
});

describe("a gradient as the foreground shrinks", () => {
  it("is that of the mask with voxels taken away in a fixed order", async () => {
    const { chart, series } = await explained(SNIPPETS, "smooth", [...ON, "epsilon=1.0"]);
    const { at, own } = chart("shrinking");
    assert.deepEqual([at, own], [[0, 1, 2, 3], 3]);
    const order = [0, 2, 4].sort((a, b) => orderOf(a) - orderOf(b));
    at.forEach((m, n) => {
      const left = order.slice(0, m);
      const g = G.map((_, k) => (left.includes(k) ? 1 : 0));
      const follows = P.map((p, k) => (G[k] === 1 && g[k] === 0 ? 0.2 : p)); // the background's median
      const mean = (p: readonly number[], among: readonly number[], e: number): number =>
        sum(among.map((k) => Math.abs(diceSlope(p, g, k, e)))) / among.length;
      for (const [id, p] of [
        ["shrinking", P],
        ["following", follows],
      ] as const) {
        const value = (role: "gradient" | "without-smoothing", group: string): number | null =>
          series(id, role, group).values[n]!;
        assertClose(value("gradient", "background"), mean(p, [1, 3, 5], 1));
        assertClose(value("without-smoothing", "background"), mean(p, [1, 3, 5], 0));
        if (m === 0) assert.equal(value("gradient", "foreground"), null);
        else assertClose(value("gradient", "foreground"), mean(p, left, 1));
      }
    });
  });

  it("is 1/ε where mask and prediction are empty, and 0/0 without smoothing", async () => {
    const { behaviour, finding } = await explained(SNIPPETS, "smooth", ON);
    const limit = (id: string): (typeof behaviour.limits)[number] =>
      behaviour.limits.find((l) => l.id === id)!;
    assertClose(limit("both-empty").own.value, 1e7);
    assert.deepEqual(
      [limit("both-empty").without!.kind, limit("both-empty").without!.reached],
      ["zero", false],
    );
    const p = sum(P);
    assertClose(limit("empty-mask").own.value, 1e-7 / (p + 1e-7) ** 2);
    assert.deepEqual(
      [limit("empty-mask").without!.value, limit("empty-mask").without!.reached],
      [0, true],
    );
    assert.equal(finding("explosion").kind, "explodes");
    assert.match(
      finding("explosion").sentence,
      /as large as 1e7 where the mask is empty and nothing/,
    );
  });

  it("turns a voxel of a one-hot target into background, and a class number into 0", async () => {
    const source = `import torch

def onehot(probs, target, smooth=1.0):
    i = (probs * target).sum((0, 2))
    return 1 - ((2 * i + smooth) / (probs.sum((0, 2)) + target.sum((0, 2)) + smooth)).mean()

def classes(logits, target):
    p = torch.softmax(logits, dim=1)
    t = torch.nn.functional.one_hot(target, 2).movedim(-1, 1).float()
    return 1 - (2 * (p * t).sum((0, 2)) / (p.sum((0, 2)) + t.sum((0, 2)))).mean()
`;
    const p = [
      [
        [0.8, 0.3, 0.6, 0.4],
        [0.2, 0.7, 0.4, 0.6],
      ],
    ];
    const t = [
      [
        [1, 0, 1, 0],
        [0, 1, 0, 1],
      ],
    ];
    const { chart, series } = await explained(source, "onehot", [
      `probs=${JSON.stringify(p)}`,
      `target=${JSON.stringify(t)}`,
    ]);
    assert.deepEqual(chart("shrinking").at, [0, 1, 2]);
    // Both taken away: all four voxels are of class 0. The gradient of class 1 is (I·2 + s)/U²/2.
    const [p1, s] = [[0.2, 0.7, 0.4, 0.6], 1];
    const background = (values: readonly number[], g: readonly number[]): number => {
      const u = sum(values) + sum(g) + s;
      return (2 * sum(values.map((x, k) => x * g[k]!)) + s) / u ** 2 / 2;
    };
    const class0 = Math.abs(background([0.8, 0.3, 0.6, 0.4], [1, 1, 1, 1]) - 2 / (2.1 + 4 + s) / 2);
    const class1 = background(p1, [0, 0, 0, 0]);
    // Voxels 0 and 2 never were foreground: both their entries count.
    assertClose(series("shrinking", "gradient", "background").values[0]!, (class0 + class1) / 2);

    const z = [
      [
        [1.2, -0.4, 0.3, -0.2],
        [-1.0, 0.8, -0.1, 0.5],
      ],
    ];
    const map = await explained(source, "classes", [
      `logits=${JSON.stringify(z)}`,
      "target=[[0, 1, 0, 1]]",
    ]);
    assert.deepEqual(map.chart("shrinking").at, [0, 1, 2]);
    assert.ok(
      map.behaviour.charts.every((c) => c.id !== "together"),
      "softmax does not see such a move",
    );
    assert.equal(map.behaviour.limits.find((l) => l.id === "perfect")!.own.kind, "zero");
  });

  it("has no such part where there is no target, or an empty one", async () => {
    const source =
      "import numpy as np\n\ndef f(y_pred):\n    return np.sum(y_pred ** 2) / (np.sum(y_pred) + 1.0)\n";
    const none = await explained(source, "f", ["y_pred=[0.2, 0.4]"]);
    assert.deepEqual(
      none.behaviour.charts.map((c) => c.id),
      ["one-background", "together"],
    );
    const empty = await explained(SNIPPETS, "smooth", ["y_pred=[0.2, 0.4]", "y_true=[0, 0]"]);
    assert.ok(empty.behaviour.charts.every((c) => c.id !== "shrinking"));
  });
});

describe("the smoothing that is found in a loss", () => {
  const told = async (source: string, values: readonly string[]): Promise<unknown[]> => {
    const { behaviour } = await explained(
      `import numpy as np\nimport torch\n\n${source}`,
      "f",
      values,
    );
    return behaviour.smoothing.map((s) => [s.name, s.value, s.kind, s.place, s.lines]);
  };
  const values = ["p=[0.2, 0.9]", "g=[0, 1]"];

  it("has name, place and line; 1 − D and 1 + exp(−x) have none", async () => {
    assert.deepEqual(
      await told(
        `def f(z, g, smooth=1.0):
    p = 1 / (1 + np.exp(-z))
    i = np.sum(p * g)
    d = np.sum(p) + np.sum(g)
    return 1 - (2 * i + smooth) / (
        d + 1e-5)
`,
        ["z=[0.2, 0.9]", "g=[0, 1]"],
      ),
      [
        ["smooth", 1, "added", "numerator", [8]],
        ["0.00001", 1e-5, "added", "denominator", [9]],
      ],
    );
  });

  it("can be a floor of the denominator", async () => {
    assert.deepEqual(
      await told(
        `def f(p, g):
    return 1 - 2 * torch.sum(p * g) / torch.clamp(torch.sum(p) + torch.sum(g), min=1e-6)
`,
        values,
      ),
      [["0.000001", 1e-6, "floor", "denominator", [5]]],
    );
  });

  it("can be limits of the prediction, or stand in a logarithm", async () => {
    assert.deepEqual(
      await told(
        `def f(p, g):
    q = np.clip(p, 0.001, 0.999)
    return -np.mean(g * np.log(q) + (1 - g) * np.log(1 - p + 1e-8))
`,
        values,
      ),
      [
        ["0.001", 0.001, "limits", "prediction", [5]],
        ["1e-8", 1e-8, "added", "logarithm", [6]],
      ],
    );
  });
});

describe("findings with numbers of the arrays", () => {
  it("count saturated elements, and those that are wrong and sure", async () => {
    const z = [-9, -8, 0.5, 9, 1, -9.5];
    const g = [0, 0, 1, 1, 1, 1];
    const values = [`logits=${JSON.stringify(z)}`, `target=${JSON.stringify(g)}`];
    const { finding } = await explained(SNIPPETS, "logits", values);
    assert.match(
      finding("saturation").sentence,
      /^67 % of your 6 elements have s\(1 − s\) below 0\.001, so their gradient is at most /,
    );
    assert.match(
      finding("wrong-and-sure").sentence,
      /^1 element is wrong and sure .*: at \[5\], foreground with a probability of 7\.48e-5, the gradient is -/,
    );
  });

  it("say what smoothing does at the smallest mask of a batch", async () => {
    const source = `import numpy as np

def f(y_true, y_pred, smooth=1.0):
    i = np.sum(y_true * y_pred, axis=1)
    return 1 - np.mean((2 * i + smooth) / (np.sum(y_true, axis=1) + np.sum(y_pred, axis=1) + smooth))
`;
    const { finding } = await explained(source, "f", [
      "y_true=[[1, 0, 0, 0], [1, 1, 1, 1]]",
      "y_pred=[[1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]]",
    ]);
    // I = 1, U = 2 without and 3 with: |2/4 − 2/2| = 1/2 and |3/9 − 2/3| = 1/3 at the foreground,
    // 1/2 and 1/3 at the background.
    assert.match(
      finding("smallest-mask").sentence,
      /^At your smallest mask \(1 voxel\) `smooth` = 1 multiplies the gradient by 0\.667\.$/,
    );
    assert.match(finding("scale").sentence, /over its 2 regions/);
  });

  it("say that a gradient is zero, or has no value, and go on to the empty mask", async () => {
    const { behaviour } = await explained(SNIPPETS, "plain", [
      "y_pred=[0.0, 0.0]",
      "y_true=[0, 0]",
    ]);
    assert.equal(behaviour.findings[0]!.kind, "undefined");
    const zero = await explained(SNIPPETS, "plain", ["y_pred=[0.4, 0.2]", "y_true=[0, 0]"]);
    assert.match(zero.behaviour.findings[0]!.sentence, /exactly zero at every element/);
  });

  it("are of sample arrays where none are given, and say so", async () => {
    const { behaviour, finding } = await explained(SNIPPETS, "logits");
    assert.match(behaviour.assumed!, /no arrays were given.*logits \(400,\), target \(400,\)/);
    assert.match(finding("saturation").sentence, /the sample's 400 elements/);
    assert.deepEqual(
      behaviour.smoothing.map((s) => s.lines),
      [[16], [16]],
    );
  });
});

describe("what is explained without arrays", () => {
  it("has a value for every number that the call did not say", async () => {
    const source = `import numpy as np

def tversky(y_true, y_pred, alpha):
    tp = np.sum(y_true * y_pred)
    return 1 - tp / (tp + alpha * np.sum((1 - y_true) * y_pred) + np.sum(y_true * (1 - y_pred)))
`;
    const { behaviour } = await explained(source, "tversky");
    assert.match(
      behaviour.assumed!,
      /a round foreground and a fair prediction of it; alpha = 0\.5$/,
    );
  });

  it("takes probabilities where the loss but limits them", async () => {
    const source = `import numpy as np

def f(y_true, y_pred):
    p = np.clip(y_pred, 0.01, 0.99)
    return 1 - 2 * np.sum(y_true * p) / (np.sum(y_true) + np.sum(p))
`;
    const { chart, finding } = await explained(source, "f");
    assert.deepEqual([chart("one-foreground").at[0], chart("one-foreground").at.at(-1)], [0, 1]);
    // Beyond its limits a prediction gets none.
    assert.equal(finding("one-foreground").kind, "vanishes");
  });

  it("fails with what to do where no sample arrays fit", async () => {
    const source = `import numpy as np

def worst(p, t):
    table = np.zeros(3)
    table[1:] = 0.5
    scores = 1 - 2 * np.sum(p * t, axis=1) / np.sum(p + t, axis=1)
    return np.dot(table, scores)
`;
    await assert.rejects(explained(source, "worst"), /worst fits no sample arrays/);
  });
});

describe("names from code in sentences", () => {
  it("are code in HTML and Markdown", async () => {
    const { report } = await explained(SNIPPETS, "smooth", ON);
    const { html, markdown } = draw(report);
    assert.match(html, /On these arrays <code>epsilon<\/code> = 1e-7 changes/);
    assert.match(markdown, /On these arrays `epsilon` = 1e-7 changes/);
  });
});

describe("a limit", () => {
  it("is followed where the end has no value", () => {
    assert.deepEqual(limitOf(3, [], 1), { kind: "finite", value: 3, reached: true });
    assert.deepEqual(limitOf(NaN, [1.1, 1.01, 1.0000001, 1], 1), {
      kind: "finite",
      value: 1,
      reached: false,
    });
    assert.equal(limitOf(Infinity, [1, 1e4, 1e8], 1).kind, "infinite");
    assert.equal(limitOf(NaN, [1e-3, 1e-9, 1e-18], 1).kind, "zero");
    assert.equal(limitOf(NaN, [NaN, NaN], 1).kind, "undefined");
  });
});
