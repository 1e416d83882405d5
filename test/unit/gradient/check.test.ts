import assert from "node:assert/strict";
import { ShapeError, axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { annotate } from "../../../src/expression/node.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import { type CheckResult, GradientChecker, checkGradient } from "../../../src/gradient/check.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { layoutOf } from "../../../src/gradient/entries.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { evaluateReference } from "../../../src/numbers/reference.ts";
import { BindingError, Cancelled } from "../../../src/numbers/typedArrays.ts";
import { normal, uniform } from "./data.ts";
import {
  c,
  diceLoss,
  diceScore,
  focalTversky,
  generalizedDice,
  inputOf,
  iouLoss,
  logCoshDice,
  tverskyScore,
  vector,
  volume,
} from "./lossExpressions.ts";

type Arrays = Map<string, Float64Array>;

/** Targets for t and T, logits for z and Z, probabilities for the rest. */
function bind(loss: Expr, seed = 1): Arrays {
  const inputs = topological(loss).filter((e): e is Input => e.kind === "input");
  return new Map(
    inputs.map((e, k) => {
      const random = uniform(seed * 100 + k);
      const gauss = normal(random);
      const kind = e.name.toLowerCase();
      const entry = (): number =>
        kind === "t"
          ? random() < 0.2
            ? 1
            : 0
          : kind === "z"
            ? 2 * gauss() - 1
            : 0.02 + 0.96 * random();
      return [e.name, Float64Array.from({ length: layoutOf(e).count }, entry)];
    }),
  );
}

function gradientOf(loss: Expr, wrt: Expr, arrays: Arrays): Float64Array {
  return compileKernel([derive(loss, wrt)]).run(arrays).outputs[0]!.data;
}

const n = 900;
const p = vector("p", n);
const t = vector("t", n);
const z = vector("z", n);
const P = volume("P", 2, 3, n);
const T = volume("T", 2, 3, n);
const Z = volume("Z", 2, 3, n);

const probabilities: Record<string, [loss: Expr, wrt: Input, method: RegExp]> = {
  Tversky: [tverskyScore(p, t), p, /Möbius/],
  IoU: [iouLoss(p, t), p, /Möbius/],
  "focal Tversky": [focalTversky(p, t), p, /Ridders/],
  "log-cosh Dice": [logCoshDice(p, t), p, /Ridders/],
  "negative log Dice": [b.neg(b.log(diceScore(p, t))), p, /Ridders/],
  "Dice of a sigmoid": [diceLoss(b.sigmoid(z), t), z, /Möbius/],
  "squared Dice of a sigmoid": [diceLoss(b.sigmoid(z), t, { squared: true }), z, /rational/],
  "mean of Dice by sample and class": [diceLoss(P, T, { dims: [2] }), P, /Möbius.*in the part/],
  "mean of squared Dice by class": [
    diceLoss(P, T, { dims: [0, 2], squared: true }),
    P,
    /rational.*in the part/,
  ],
  "generalised Dice": [generalizedDice(P, T), P, /Möbius.*in the part/],
  "generalised Dice of a softmax": [generalizedDice(b.softmax(Z, 1), T), Z, /Möbius/],
  "mean of Dice by class of a softmax": [
    diceLoss(b.softmax(Z, 1), T, { dims: [0, 2] }),
    Z,
    /rational/,
  ],
  "foreground classes of a softmax": [
    diceLoss(b.slice(b.softmax(Z, 1), 1, 1, 3), b.slice(T, 1, 1, 3), { dims: [0, 2] }),
    Z,
    /Möbius|rational/,
  ],
  "Dice by class, smoothed twice": [
    b.sub(diceLoss(P, T, { dims: [2] }), b.mean(diceScore(P, T, { dims: [2], smooth: 1 }))),
    P,
    /rational/,
  ],
  "Dice and cross-entropy": [b.sub(diceLoss(p, t), b.mean(b.mul(t, b.log(p)))), p, /Ridders/],
  "a squared Dice loss of a sigmoid written out": [
    diceLoss(b.div(c(1), b.add(c(1), b.exp(b.neg(z)))), t, { squared: true }),
    z,
    /Ridders/,
  ],
};

/** Mistakes that any gradient can have. */
const mistakes: Record<string, (g: Float64Array) => Float64Array> = {
  "0.05 % too large": (g) => g.map((x) => 1.0005 * x),
  "wrong sign": (g) => g.map((x) => -x),
  "all zero": (g) => g.map(() => 0),
  "one element zero": (g) => g.with(g.length >> 1, 0),
  "a constant added": (g) => g.map((x) => x + 1e-9),
  "its largest element off by 1e-11 of itself": (g) => {
    const k = g.indexOf(g.reduce((a, x) => (Math.abs(x) > Math.abs(a) ? x : a)));
    return g.with(k, g[k]! * (1 + 1e-11));
  },
};

describe("a check of other losses", () => {
  for (const [name, [loss, wrt, method]] of Object.entries(probabilities)) {
    it(`accepts the right gradient and no wrong one: ${name}`, () => {
      const arrays = bind(loss);
      const checker = new GradientChecker({ loss, wrt, bindings: arrays });
      const right = checker.judge(null);
      assert.equal(right.verdict, "agrees", right.sentence);
      assert.match(right.method, method);
      const given = gradientOf(loss, wrt, arrays);
      assert.equal(checker.judge(given).verdict, "agrees");
      for (const [mistake, change] of Object.entries(mistakes)) {
        const r = checker.judge(change(given));
        assert.equal(r.verdict, "differs", `${mistake}: ${r.sentence}`);
      }
      // float32 has its own units, and the same mistakes are found where they are visible there.
      const single = checker.judge(Float32Array.from(given));
      assert.equal(single.verdict, "agrees", single.sentence);
      for (const mistake of ["0.05 % too large", "wrong sign", "all zero", "one element zero"]) {
        const r = checker.judge(mistakes[mistake]!(given).map(Math.fround), "float32");
        assert.equal(r.verdict, "differs", `${mistake}: ${r.sentence}`);
      }
    });
  }

  it("finds the activation's factor missing", () => {
    const loss = diceLoss(b.sigmoid(z), t);
    const arrays = bind(loss);
    const g = gradientOf(loss, z, arrays).map((x, k) => {
      const s = 1 / (1 + Math.exp(-arrays.get("z")![k]!));
      return x / (s * (1 - s));
    });
    assert.equal(
      checkGradient({ loss, wrt: z, bindings: arrays, candidate: g }).verdict,
      "differs",
    );
  });

  it("keeps to its word where the sigmoid has saturated", () => {
    const loss = diceLoss(b.sigmoid(z), t);
    const arrays = bind(loss);
    arrays.get("z")!.forEach((_, k, all) => {
      if (k % 3 === 0) all[k] = k % 2 === 0 ? 60 : -800;
    });
    const r = checkGradient({ loss, wrt: z, bindings: arrays });
    assert.equal(r.verdict, "agrees", r.sentence);
  });

  it("shows ten digits of the numeric gradient at every element of a small array", () => {
    for (const [loss, wrt] of [
      probabilities["focal Tversky"]!,
      probabilities["Dice of a sigmoid"]!,
    ] as const) {
      const arrays = bind(loss);
      const r = checkGradient({ loss, wrt, bindings: arrays });
      assert.equal(r.elements.length, n);
      for (const { analytic, numeric } of r.elements) {
        assert.ok(Math.abs(numeric! / analytic! - 1) < 1e-12, `${numeric} against ${analytic}`);
      }
    }
  });

  it("says how far loss and numeric gradient may be off, and keeps to it", () => {
    const [loss, wrt] = probabilities["focal Tversky"]!;
    const arrays = bind(loss);
    const r = checkGradient({ loss, wrt, bindings: arrays });
    const [exact, slopes] = evaluateReference([loss, derive(loss, wrt)], arrays);
    const value = compileKernel([loss]).run(arrays).outputs[0]!.data[0]!;
    assert.ok(Math.abs(value - exact!.hi[0]! - exact!.lo[0]!) <= r.lossError!);
    assert.ok(r.lossError! < 1e-13);
    r.elements.forEach(({ numeric, numericError }, k) => {
      assert.ok(Math.abs(numeric! - slopes!.hi[k]!) <= numericError! + 1e-15 * Math.abs(numeric!));
      assert.ok(numericError! < 1e-12 * Math.abs(numeric!));
    });
  });

  it("knows the numeric gradient of logarithms of next to nothing, and of next to 1", () => {
    const q = vector("q", 6);
    const loss = b.neg(b.sum(b.add(b.log(q), b.mul(c(0.5), b.log(b.sub(c(1), q))))));
    const entries = Float64Array.of(2 ** -60, 1e-30, 1e-15, 1 - 2 ** -53, 1 - 1e-9, 0.5);
    const arrays = new Map([["q", entries]]);
    const r = checkGradient({ loss, wrt: q, bindings: arrays });
    assert.equal(r.verdict, "agrees", r.sentence);
    const slopes = evaluateReference([derive(loss, q)], arrays)[0]!;
    for (const [k, { numeric, numericError }] of r.elements.entries()) {
      const error = Math.abs(numeric! - slopes.hi[k]!);
      assert.ok(error <= numericError!, `${k}: ${numeric} ± ${numericError}, off ${error}`);
      assert.ok(numericError! < 1e-6 * Math.abs(numeric!), `${k}: ± ${numericError}`);
    }
  });

  it("knows the numeric gradient beside the end of a power's domain", () => {
    const q = vector("q", 4);
    const arrays = new Map([["q", Float64Array.of(3e-13, 1e-12, 1e-8, 0.5)]]);
    for (const gamma of [0.75, 0.9, 1.1, 4 / 3, 1.5, 2.5]) {
      // Moved by about a step, where more terms than one of the series count.
      for (const away of [4e-10, 1e-9, 4e-9, 3e-8, 1e-6]) {
        const loss = b.sum(b.pow(b.add(q, c(away)), c(gamma)));
        const r = checkGradient({ loss, wrt: q, bindings: arrays });
        const slopes = evaluateReference([derive(loss, q)], arrays)[0]!;
        for (const [k, { numeric, numericError }] of r.elements.entries()) {
          const error = Math.abs(numeric! - slopes.hi[k]!);
          const where = `(q + ${away})^${gamma} at ${k}`;
          assert.ok(error <= numericError!, `${where}: ${numeric} ± ${numericError}, off ${error}`);
          const known = 1e-10 * Math.abs(numeric!) + 1e-12;
          assert.ok(numericError! < known, `${where}: ± ${numericError}`);
        }
      }
    }
  });

  it("knows the numeric gradient next to the end of a logarithm's domain", () => {
    const q = vector("q", 4);
    const loss = b.sum(b.mul(q, b.log(b.add(q, c(1e-12)))));
    const arrays = new Map([["q", Float64Array.of(2 ** -40, 1e-12, 1e-7, 0.5)]]);
    const r = checkGradient({ loss, wrt: q, bindings: arrays });
    const slopes = evaluateReference([derive(loss, q)], arrays)[0]!;
    for (const [k, { numeric, numericError }] of r.elements.entries()) {
      const error = Math.abs(numeric! - slopes.hi[k]!);
      assert.ok(error <= numericError!, `${k}: ${numeric} ± ${numericError}, off ${error}`);
      assert.ok(numericError! < 1e-9 * Math.abs(numeric!), `${k}: ± ${numericError}`);
    }
  });

  it("looks at a sample of a large array, the worst elements and the foreground among them", () => {
    const big = 20_000;
    const [q, u] = [vector("q", big), vector("t", big)];
    const loss = diceLoss(q, u);
    const arrays = bind(loss);
    const g = gradientOf(loss, q, arrays);
    for (const k of [5, 777, 19_999]) g[k] = g[k]! * 1.001;
    const r = checkGradient({ loss, wrt: q, bindings: arrays, candidate: g });
    const seen = new Set(r.elements.map((e) => e.index[0]!));
    assert.ok(seen.size >= 200 && seen.size < 1000);
    for (const k of [5, 777, 19_999]) assert.ok(seen.has(k));
    const foreground = [...seen].filter((k) => arrays.get("t")![k] === 1);
    assert.ok(foreground.length >= 50);
  });
});

describe("a check at a point where there is no answer", () => {
  it("names the denominator that is zero where both masks are empty", () => {
    const union = annotate(b.add(b.sum(p), b.sum(t)), undefined, "union");
    const loss = b.sub(c(1), b.div(b.mul(c(2), b.sum(b.mul(p, t))), union));
    const arrays = new Map([
      ["p", new Float64Array(n)],
      ["t", new Float64Array(n)],
    ]);
    const r = checkGradient({ loss, wrt: p, bindings: arrays });
    assert.equal(r.verdict, "undefined");
    assert.match(r.sentence, /the loss is NaN because the denominator `union` is 0, and so is/);
    assert.equal(r.maxScaledError, null);
  });

  it("names the sample and class whose denominator is zero", () => {
    const loss = diceLoss(P, T, { dims: [2], smooth: 0 });
    const arrays = bind(loss);
    for (const a of arrays.values()) a.fill(0, 4 * n, 5 * n);
    const r = checkGradient({ loss, wrt: P, bindings: arrays });
    assert.equal(r.verdict, "undefined");
    assert.match(r.sentence, /is 0 at \[1, 1\]/);
  });

  it("is content with empty masks where there is smoothing", () => {
    const loss = diceLoss(p, t);
    const arrays = new Map([
      ["p", new Float64Array(n)],
      ["t", new Float64Array(n)],
    ]);
    const r = checkGradient({ loss, wrt: p, bindings: arrays });
    assert.equal(r.verdict, "agrees", r.sentence);
  });

  it("is content with a gradient of zeros where smoothing is in the denominator alone", () => {
    const i = b.sum(b.mul(p, t));
    const loss = b.sub(c(1), b.div(b.mul(c(2), i), b.add(b.add(b.sum(p), b.sum(t)), c(1e-7))));
    const arrays = new Map([
      ["p", bind(loss).get("p")!],
      ["t", new Float64Array(n)],
    ]);
    const r = checkGradient({ loss, wrt: p, bindings: arrays });
    assert.equal(r.verdict, "agrees", r.sentence);
    assert.equal(r.maxAbsError, 0);
  });

  it("names the first input entry that is not a number", () => {
    const loss = diceLoss(P, T);
    const arrays = bind(loss);
    arrays.get("P")!.set([NaN, NaN], 3 * n + 5);
    const r = checkGradient({ loss, wrt: P, bindings: arrays });
    assert.equal(r.verdict, "undefined");
    assert.match(r.sentence, /`P` is NaN at \[1, 0, 5\] \(and at 1 more places?\)/);
  });

  it("names it where the largest of some entries are picked", () => {
    const [q, w] = [axis("q", 3), axis("w", 4)];
    const x = b.input("x", [q, w]);
    const first = b.cast(b.oneHot(b.argReduce("argmax", x, 1), w, 1), "bool");
    const loss = b.sum(b.reduce("sum", b.where(first, x, b.constant(0)), [1]));
    const array = Float64Array.from({ length: 12 }, (_, k) => (k === 6 ? NaN : Math.sin(k)));
    const r = checkGradient({ loss, wrt: x, bindings: new Map([["x", array]]) });
    assert.match(r.sentence, /the loss is NaN because `x` is NaN at \[1, 2\]/);
  });

  it("tells a gradient that is infinite though the loss is not", () => {
    const root = b.sum(b.unary("sqrt", b.mul(p, t)));
    const loss = b.sub(c(1), b.div(root, b.add(b.sum(p), b.sum(t))));
    const arrays = bind(loss);
    arrays.get("p")![11] = 0;
    arrays.get("t")![11] = 1;
    const r = checkGradient({ loss, wrt: p, bindings: arrays });
    assert.equal(r.verdict, "undefined");
    assert.match(r.sentence, /the gradient is .* because the denominator .* is 0/);
  });

  it("says that no gradient reaches the input through a threshold", () => {
    const hard = annotate(b.binary("gt", p, c(0.5)), undefined, "mask");
    const loss = diceLoss(b.cast(hard, "float32"), t);
    const arrays = bind(loss);
    const r = checkGradient({ loss, wrt: p, bindings: arrays });
    assert.equal(r.verdict, "not-differentiable");
    assert.match(r.sentence, /no gradient reaches `p`: all paths end at `mask` \(comparison\)/);
    const surrogate = checkGradient({
      loss,
      wrt: p,
      bindings: arrays,
      candidate: new Float64Array(n).fill(0.25),
    });
    assert.match(surrogate.sentence, /the given gradient \(up to 0.25\) is not the derivative/);
  });

  it("says that a loss does not depend on the input", () => {
    const loss = diceLoss(t, t);
    const r = checkGradient({
      loss,
      wrt: p,
      bindings: new Map([...bind(loss), ["p", new Float64Array(n)]]),
    });
    assert.equal(r.verdict, "not-differentiable");
    assert.match(r.sentence, /does not depend on `p`/);
  });
});

describe("a check at kinks and branches", () => {
  const kinky = (q: Expr): Expr => b.add(diceLoss(q, t), b.mean(b.abs(b.sub(q, t))));

  it("counts the elements on a kink and judges the others", () => {
    const loss = kinky(p);
    const arrays = bind(loss);
    for (const k of [3, 200, 201]) arrays.get("p")![k] = arrays.get("t")![k]!;
    const r = checkGradient({ loss, wrt: p, bindings: arrays });
    assert.equal(r.verdict, "not-differentiable");
    assert.match(r.sentence, /at 3 of 900 elements, first at \[3\]/);
    assert.match(r.sentence, /at the other 897 the gradient agrees/);
    const wrong = gradientOf(loss, p, arrays);
    wrong[500] = 0;
    assert.equal(
      checkGradient({ loss, wrt: p, bindings: arrays, candidate: wrong }).verdict,
      "differs",
    );
    wrong.set(gradientOf(loss, p, arrays));
    wrong[200] = 5;
    assert.equal(
      checkGradient({ loss, wrt: p, bindings: arrays, candidate: wrong }).verdict,
      "not-differentiable",
    );
  });

  it("does not mind a kink that the point is not on, however near others are", () => {
    const loss = kinky(b.clamp(p, c(0.3), c(0.6)));
    const r = checkGradient({ loss, wrt: p, bindings: bind(loss) });
    assert.equal(r.verdict, "agrees", r.sentence);
    assert.ok(r.notes.some((x) => x.includes("held as at this point")));
  });

  it("does not mind a tie whose branches agree", () => {
    const loss = diceLoss(b.binary("max", p, b.mul(p, b.add(t, b.sub(c(1), t)))), t);
    assert.equal(checkGradient({ loss, wrt: p, bindings: bind(loss) }).verdict, "agrees");
  });

  it("sees a clamp at its bound and a largest entry that is shared", () => {
    const clamped = diceLoss(b.clamp(p, c(0), c(1)), t);
    const arrays = bind(clamped);
    arrays.get("p")![9] = 1;
    assert.match(
      checkGradient({ loss: clamped, wrt: p, bindings: arrays }).sentence,
      /^at 1 of 900 elements, first at \[9\]/,
    );
    const largest = b.add(diceLoss(P, T), b.mean(b.reduce("max", P, [1])));
    const shared = bind(largest);
    const data = shared.get("P")!;
    data[50] = 0.99;
    data[n + 50] = 0.99;
    assert.match(
      checkGradient({ loss: largest, wrt: P, bindings: shared }).sentence,
      /^at 2 of 5,400 elements, first at \[0, 0, 50\]/,
    );
  });

  it("takes detached parts for constants, as gradients do", () => {
    const w = b.stopGradient(b.div(c(1), b.sum(p)));
    const loss = b.mul(diceLoss(p, t), b.mul(w, c(100)));
    const r = checkGradient({ loss, wrt: p, bindings: bind(loss) });
    assert.equal(r.verdict, "agrees", r.sentence);
    const straightThrough = b.add(
      p,
      b.stopGradient(b.sub(b.cast(b.binary("gt", p, c(0.5)), "float32"), p)),
    );
    const surrogate = diceLoss(straightThrough, t);
    const s = checkGradient({ loss: surrogate, wrt: p, bindings: bind(surrogate) });
    assert.equal(s.verdict, "agrees", s.sentence);
  });

  it("handles losses in which every element reaches every other", () => {
    const share = b.div(p, b.sum(p));
    const loss = b.sum(b.mul(b.pow(b.sub(share, b.mul(t, c(0.01))), c(2)), b.add(p, c(1))));
    const r = checkGradient({ loss, wrt: p, bindings: bind(loss) });
    assert.equal(r.verdict, "agrees", r.sentence);
    assert.ok(r.elements.some((e) => e.numeric !== null));
    const normalised = diceLoss(b.div(p, b.reduce("max", p, null)), t);
    const m = checkGradient({ loss: normalised, wrt: p, bindings: bind(normalised) });
    assert.equal(m.verdict, "agrees", m.sentence);
  });
});

describe("what the check itself must not do", () => {
  it("never agrees with a derivation that the loss does not support", () => {
    const loss = diceLoss(p, t, { squared: true });
    const right = derive(loss, p);
    const faults: Record<string, Expr> = {
      "a factor too much": b.mul(c(1.0005), right),
      "a term too much": b.add(right, c(1e-6)),
      "one element lost": b.where(b.binary("eq", p, c(0.25)), c(0), right),
      "a sum differentiated as another": derive(diceLoss(p, t), p),
    };
    const bindings = bind(loss);
    bindings.get("p")![600] = 0.25;
    for (const [name, gradient] of Object.entries(faults)) {
      const checker = new GradientChecker({ loss, wrt: p, bindings, gradient });
      // Neither the faulty gradient itself nor the right one: the reference cannot be trusted.
      for (const candidate of [null, gradientOf(loss, p, bindings)]) {
        const r = checker.judge(candidate);
        assert.equal(r.verdict, "cannot-be-decided", `${name}: ${r.sentence}`);
        assert.match(r.sentence, /the derived gradient and the numeric derivative .* disagree/);
      }
    }
  });

  it("treats NaN and infinite entries as differences", () => {
    const loss = diceLoss(p, t);
    const arrays = bind(loss);
    const g = gradientOf(loss, p, arrays);
    g[4] = NaN;
    g[8] = Infinity;
    const r = checkGradient({ loss, wrt: p, bindings: arrays, candidate: g });
    assert.equal(r.verdict, "differs");
    assert.match(r.sentence, /2 of 900 elements are not finite, first at \[4\]/);
    assert.equal(r.maxScaledError, Infinity);
  });

  it("refuses what it cannot check, saying why", () => {
    const loss = diceLoss(p, t);
    const bindings = bind(loss);
    const bad: [() => CheckResult, RegExp, new (...args: never[]) => Error][] = [
      [() => checkGradient({ loss: p, wrt: p, bindings }), /scalar is needed/, ShapeError],
      [() => checkGradient({ loss, wrt: b.mul(p, t), bindings }), /computed value/, ShapeError],
      [
        () => checkGradient({ loss, wrt: p, bindings, candidate: new Float64Array(3) }),
        /3 entries, p has 900/,
        ShapeError,
      ],
      [
        () => checkGradient({ loss, wrt: p, bindings: new Map([["p", bindings.get("p")!]]) }),
        /no array for the input t/,
        BindingError,
      ],
    ];
    for (const [run, message, type] of bad) {
      assert.throws(run, (e: unknown) => e instanceof type && message.test(e.message));
    }
  });

  it("reports progress and stops when told to", () => {
    const loss = diceLoss(p, t);
    const seen: number[] = [];
    checkGradient({ loss, wrt: p, bindings: bind(loss), onProgress: (f) => seen.push(f) });
    assert.equal(seen.at(-1), 1);
    assert.deepEqual(
      [...seen],
      [...seen].sort((x, y) => x - y),
    );
    assert.throws(
      () => checkGradient({ loss, wrt: p, bindings: bind(loss), isCancelled: () => true }),
      Cancelled,
    );
  });

  it("works on one voxel, and on arrays of every type", () => {
    const [q, u] = [vector("q", 1), vector("t", 1)];
    const loss = diceLoss(q, u);
    const bindings = new Map<string, Float32Array | Uint8Array>([
      ["q", Float32Array.of(0.25)],
      ["t", Uint8Array.of(1)],
    ]);
    const r = checkGradient({ loss, wrt: q, bindings });
    assert.equal(r.verdict, "agrees", r.sentence);
    assert.equal(r.elements.length, 1);
    const scalar = inputOf("x", []);
    const s = checkGradient({
      loss: b.div(scalar, b.add(scalar, c(1))),
      wrt: scalar,
      bindings: new Map([["x", Float64Array.of(2)]]),
    });
    assert.equal(s.verdict, "agrees", s.sentence);
    assert.deepEqual(s.worst?.index, []);
    const empty = inputOf("e", [axis("i", 0)]);
    const none = checkGradient({
      loss: b.add(b.sum(empty), c(1)),
      wrt: empty,
      bindings: new Map([["e", new Float64Array(0)]]),
    });
    assert.ok(["agrees", "not-differentiable"].includes(none.verdict), none.sentence);
  });
});
