import assert from "node:assert/strict";
import katex from "katex";
import { axis } from "../../../src/expression/axis.ts";
import { big, evaluateBig } from "../../../src/expression/bignumber.ts";
import * as b from "../../../src/expression/build.ts";
import { type BoundArray, evaluate } from "../../../src/expression/evaluate.ts";
import { inputAxes } from "../../../src/expression/inputAxes.ts";
import { type Expr, annotate } from "../../../src/expression/node.ts";
import { topological } from "../../../src/expression/walk.ts";
import type { Derivation } from "../../../src/gradient/derivation.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { deriveSteps } from "../../../src/gradient/steps.ts";
import { type ReadingArray, readText } from "../expression/textReader.ts";
import { centralDifferences, largestGap } from "./centralDifference.ts";
import { LOSSES, type LossCase, lossNamed } from "./derivationLosses.ts";

const derived = new Map<string, Derivation>();
function derivation(c: LossCase): Derivation {
  const known = derived.get(c.name) ?? deriveSteps(c.loss, c.wrt, { functionName: c.name });
  derived.set(c.name, known);
  return known;
}
const textOf = (name: string, id: string): string[] =>
  derivation(lossNamed(name))
    .steps.find((s) => s.id === id)!
    .text.split("\n");
const noteOf = (name: string, id: string): string =>
  derivation(lossNamed(name)).steps.find((s) => s.id === id)?.note ?? "";

function gap(x: ReadingArray, y: ReadingArray): number {
  assert.deepEqual(x.shape, y.shape);
  return Math.max(
    0,
    ...Array.from(x.data, (v, k) => Math.abs(v - y.data[k]!) / Math.max(1, Math.abs(v))),
  );
}

describe("the derivation of every loss", () => {
  for (const c of LOSSES) {
    describe(c.name, () => {
      it("says in every step what is numerically so", () => {
        for (const { step, sides, left, right } of derivation(c).equalities) {
          const difference = gap(evaluate(left, c.bindings), evaluate(right, c.bindings));
          assert.ok(difference < 1e-12, `${step}: ${sides.join(" = ")} is off by ${difference}`);
        }
      });

      it("ends in the gradient that central differences give", () => {
        if (c.name === "largest") return; // differs from its neighbours at a tie alone
        const { gradientExpr } = derivation(c);
        if (topological(c.loss).some((e) => e.kind === "stopGradient")) {
          const direct = evaluate(derive(c.loss, c.wrt), c.bindings);
          assert.ok(gap(evaluate(gradientExpr, c.bindings), direct) < 1e-12);
          return;
        }
        const name = c.wrt.kind === "input" ? c.wrt.name : "";
        const expected = centralDifferences(c.loss, name, c.bindings);
        const got = evaluateBig(gradientExpr, c.bindings, 60).data;
        assert.ok(largestGap(got, expected) < 1e-15);
      });

      it("prints formulas that, read back, have the values of what they stand for", () => {
        assert.ok(readableRows(c).length >= 3);
        for (const row of readableRows(c)) checkRow(c, row);
      });

      it("is LaTeX that KaTeX takes without a warning", () => {
        const { steps, loss, gradient, symbols } = derivation(c);
        for (const { latex } of [...steps, loss, gradient, ...symbols.map((s) => s.symbol)]) {
          katex.renderToString(latex, { throwOnError: true, strict: "error", displayMode: true });
        }
      });

      it("writes NumPy and PyTorch code", () => {
        assert.ok(derivation(c).python);
      });
    });
  }
});

interface PrintedRow {
  readonly left: string;
  readonly rights: readonly string[];
  readonly value: Expr;
}

/** Printed equations beside the value of their left side, found by the order they are printed in. */
function readableRows(c: LossCase): PrintedRow[] {
  const d = derivation(c);
  return d.equalities.map(({ sides, left }) => {
    const [head, ...rights] = sides;
    return { left: head!, rights, value: left };
  });
}

function checkRow(c: LossCase, row: PrintedRow): void {
  const d = derivation(c);
  const arrays = new Map<string, ReadingArray>();
  const scalars = new Map<string, number>();
  const expressions = new Map<string, Expr>();
  const bare = (text: string): string => text.replace(/\[.*/, "");
  const hold = (symbol: string, e: Expr): void => {
    expressions.set(symbol, e);
    const value = onWholeAxes(e, evaluate(e, c.bindings), c.wrt);
    if (value.data.length === 1 && value.shape.every((n) => n === 1)) {
      scalars.set(symbol, value.data[0]!);
    } else arrays.set(symbol, value);
  };
  for (const entry of d.symbols) {
    const bound = c.bindings.get(entry.name);
    const node = topological(c.loss).find(
      (e) => (e.kind === "input" || e.kind === "parameter") && e.name === entry.name,
    );
    if (bound !== undefined) arrays.set(entry.symbol.text, bound);
    if (node !== undefined) expressions.set(entry.symbol.text, node);
    if (node?.kind === "parameter") scalars.set(entry.symbol.text, node.value!);
  }
  for (const { symbol, expr } of d.named) hold(bare(symbol.text), expr);
  expressions.set("L", c.loss);

  const extents = new Map<string, number>();
  for (const s of d.symbols) {
    const last = /0 to (\d+)/.exec(s.meaning);
    if (s.name === "index" && last !== null) extents.set(s.symbol.text, Number(last[1]) + 1);
  }
  const extent = (letter: string): number => {
    const own = letter.charAt(0);
    const base = extents.has(own) ? own : own === "k" && extents.has("c") ? "c" : "i";
    return extents.get(base)!;
  };
  const local = new Map(d.equalities.map((e) => [e.sides[0]!.replace(/\[[^\]]*\]/g, ""), e.left]));
  const derivative = (of: string, by: string): ReadingArray => {
    const e = local.get(`∂${of}/∂${by}`) ?? derive(expressions.get(of)!, expressions.get(by)!);
    return onWholeAxes(e, evaluate(e, c.bindings), c.wrt);
  };
  const axes = [...extents.keys()];
  const axisOf = (letter: string, rank: number): number => {
    const own = letter.charAt(0);
    return axes.slice(axes.length - rank).indexOf(axes.includes(own) ? own : "c");
  };
  const expected = evaluate(row.value, c.bindings);
  // The letters of the left side's last indices are those of the value's axes.
  const letters = /\[([^\]]*)\]$/.exec(row.left)?.[1]!.split(",") ?? [];
  const sizes = shownSizes(expected.shape, letters.length);
  const first = letters.map((l) => firstPosition(d, row, l));
  for (const right of row.rights) {
    const read = readText(right, { arrays, scalars, extent, axisOf, derivative });
    expected.data.forEach((value, k) => {
      let rest = k;
      const at: Record<string, number> = {};
      for (let n = letters.length - 1; n >= 0; n--) {
        at[letters[n]!] = (rest % sizes[n]!) + first[n]!;
        rest = Math.floor(rest / sizes[n]!);
      }
      const got = read(at);
      assert.ok(
        Math.abs(got - value) <= 1e-10 * Math.max(1, Math.abs(value)),
        `${row.left} = ${right} at ${JSON.stringify(at)} gives ${got}, it is ${value}`,
      );
    });
  }
}

/** A quantity over classes 1 and 2 is counted as the whole axis is; its place 0 is any number. */
function onWholeAxes(e: Expr, value: ReadingArray, wrt: Expr): ReadingArray {
  const d = e.shape.findIndex((a) => a.name.includes("′"));
  if (d < 0) return value;
  const whole = wrt.shape.find((a) => e.shape[d]!.name.startsWith(`${a.name}′`))!.size!;
  const shape = value.shape.map((n, k) => (k === d ? whole : n));
  const inner = shape.slice(d + 1).reduce((x, y) => x * y, 1);
  const missing = whole - value.shape[d]!;
  const data = Array.from({ length: shape.reduce((x, y) => x * y, 1) }, (_, k) => {
    const at = Math.floor(k / inner) % whole;
    const row = Math.floor(k / (inner * whole));
    return at < missing
      ? 1
      : value.data[(row * value.shape[d]! + at - missing) * inner + (k % inner)]!;
  });
  return { shape, data };
}

/** A quantity over part of an axis is counted as the whole axis is: I[b,c] with c from 1 on. */
function firstPosition(d: Derivation, row: PrintedRow, letter: string): number {
  const all = d.symbols.find((s) => s.name === "index" && s.symbol.text === letter);
  const size = Number(/0 to (\d+)/.exec(all?.meaning ?? "")?.[1] ?? 0) + 1;
  const own = row.value.shape.find((a) => a.name.startsWith(`${letter}′`));
  return own === undefined ? 0 : size - own.size!;
}

function shownSizes(shape: readonly number[], rank: number): number[] {
  const kept = shape.filter((n) => n !== 1);
  const sizes = kept.length >= rank ? kept : [...shape];
  return [...sizes.slice(0, rank - 1), sizes.slice(rank - 1).reduce((x, y) => x * y, 1)];
}

describe("what a derivation shows", () => {
  it("goes from the loss over its sums, the quotient rule and the elements to the gradient", () => {
    const ids = derivation(lossNamed("dice_logits")).steps.map((s) => s.id);
    assert.deepEqual(ids, [
      "loss",
      "sums",
      "outer",
      "elementwise",
      "activation",
      "assemble",
      "final",
    ]);
    const without = derivation(lossNamed("dice")).steps.map((s) => s.id);
    assert.ok(!without.includes("activation"));
  });

  it("names the sums of a Dice loss I, P and G, and its quotient N over U", () => {
    assert.deepEqual(textOf("dice", "sums"), [
      "I = Σ_i ŷ[i]·y[i]",
      "P = Σ_i ŷ[i]",
      "G = Σ_i y[i]",
      "N = 2·I",
      "U = P + G",
      "L = 1 − N/U",
    ]);
  });

  it("spells the quotient rule out for each sum", () => {
    assert.deepEqual(textOf("jaccard", "outer"), [
      "∂L/∂I = −(U+N)/U² = −(1/U+N/U²)",
      "∂L/∂P = −(0·U−N)/U² = N/U²",
    ]);
  });

  const finals: Readonly<Record<string, string>> = {
    dice: "∂L/∂ŷ[i] = 2·I/(P+G)² − 2·y[i]/(P+G)",
    dice_smooth: "∂L/∂ŷ[i] = (2·I+10⁻⁷)/(P+G+10⁻⁷)² − 2·y[i]/(P+G+10⁻⁷)",
    dice_logits: "∂L/∂z[i] = ((2·I+ε)/(P+G+ε)²−2·g[i]/(P+G+ε))·p[i]·(1−p[i])",
    squared: "∂L/∂ŷ[i] = 4·I·ŷ[i]/(P₂+G₂)² − 2·y[i]/(P₂+G₂)",
    jaccard: "∂L/∂ŷ[i] = (I+1)·(1−y[i])/(P+G−I+1)² − y[i]/(P+G−I+1)",
    mean_over_classes:
      "∂L/∂p[b,c,i] = ((2·I[b,c]+s)/(P[b,c]+G[b,c]+s)²−2·g[b,c,i]/(P[b,c]+G[b,c]+s))/6",
    generalized: "∂L/∂p[b,c,i] = (N/U²−2·g[b,c,i]/U)/(G[c]²+10⁻⁶)",
  };
  for (const [name, text] of Object.entries(finals)) {
    it(`prints the gradient of ${name} as a person would`, () => {
      assert.deepEqual(textOf(name, "final"), [text]);
    });
  }

  it("keeps the coupling of a softmax visible, with ∂L/∂p beside it", () => {
    assert.deepEqual(textOf("softmax", "final"), [
      "∂L/∂z[b,c,i] = p[b,c,i]·(∂L/∂p[b,c,i]−Σ_k (∂L/∂p[b,k,i])·p[b,k,i])",
      "∂L/∂p[b,c,i] = ((2·I[c]+s)/(P[c]+G[c]+s)²−2·[g[b,i] = c]/(P[c]+G[c]+s))/3",
    ]);
    assert.equal(
      textOf("softmax", "activation")[0],
      "∂p[b,k,i]/∂z[b,c,i] = p[b,k,i]·([k = c]−p[b,c,i])",
    );
  });

  it("writes an unrolled loop over classes as a sum over them, and says so", () => {
    const sums = textOf("loop_over_classes", "sums");
    assert.ok(sums.includes("I[c] = Σ_{b,i} p[b,c,i]·g[b,c,i]"), sums.join("\n"));
    assert.match(noteOf("loop_over_classes", "loss"), /class by class/);
    // The code is for as many classes as the loop had.
    assert.match(derivation(lossNamed("loop_over_classes")).python!.numpy, /p\.shape\[1\] != 3/);
  });

  it("calls Tversky's sums by their names", () => {
    const sums = textOf("tversky", "sums");
    assert.ok(sums.includes("TP = Σ_i ŷ[i]·y[i]") || sums.includes("I = Σ_i ŷ[i]·y[i]"));
    assert.ok(sums.includes("FP = Σ_i ŷ[i]·(1−y[i])"));
    assert.ok(sums.includes("FN = Σ_i (1−ŷ[i])·y[i]"));
  });

  it("says where the quotient is undefined, and where smoothing keeps it defined", () => {
    assert.equal(
      noteOf("dice", "sums"),
      "The quotient is undefined where P + G = 0, as when prediction and target are both empty (all zeros).",
    );
    assert.match(noteOf("dice_smooth", "sums"), /still is 10⁻⁷, so the quotient is defined there/);
    assert.equal(noteOf("cross_entropy", "sums"), "");
  });

  it("says so where mathjs finds the same derivatives, and only there", () => {
    assert.match(noteOf("tversky", "outer"), /mathjs differentiates the outer function/);
    assert.match(noteOf("mean_over_classes", "outer"), /mathjs differentiates the quotient/);
    assert.doesNotMatch(noteOf("generalized", "outer"), /mathjs/);
    assert.doesNotMatch(noteOf("largest", "outer"), /mathjs/);
  });

  it("takes a guard against empty masks for no obstacle to the gradient", () => {
    const [p, g] = [b.input("p", inputAxes([6])), b.input("g", inputAxes([6]))];
    const total = b.add(b.sum(p), b.sum(g));
    const score = b.div(b.mul(b.constant(2), b.sum(b.mul(p, g))), total);
    const loss = b.sub(b.ONE, b.where(b.binary("gt", total, b.ZERO), score, b.ONE));
    const d = deriveSteps(loss, p, { functionName: "guarded" });
    assert.equal(d.steps.find((s) => s.id === "final")!.note, undefined);
    assert.match(d.steps.find((s) => s.id === "outer")!.text, /if U > 0 else 0/);
  });

  it("keeps the user's order of arguments in the code", () => {
    const { loss, wrt } = lossNamed("dice");
    const other = b.input("y_true", inputAxes([3, 4]));
    for (const order of [
      [wrt, other],
      [other, wrt],
    ]) {
      const d = deriveSteps(loss, wrt, { functionName: "f", argumentOrder: order });
      const names = order.map((e) => (e.kind === "input" ? e.name : "")).join(", ");
      assert.ok(d.python!.torch.includes(`def f(${names}):`), d.python!.torch);
    }
  });

  it("says which operation keeps the gradient from the input", () => {
    assert.equal(
      noteOf("hard_threshold", "final"),
      "No gradient reaches y_pred: it is stopped by a comparison.",
    );
    assert.match(noteOf("detached_size", "final"), /stopped by a stop-gradient/);
    assert.equal(noteOf("dice", "final"), "");
  });

  it("derives by an input that the loss does not depend on as zero", () => {
    const { loss } = lossNamed("dice");
    const other = b.input("other", inputAxes([3, 4]));
    const d = deriveSteps(loss, other, { functionName: "dice" });
    assert.match(d.gradient.text, /= 0$/);
    const zeros: BoundArray = { shape: [3, 4], data: new Float64Array(12) };
    const value = evaluate(d.gradientExpr, new Map([["other", zeros]]));
    assert.deepEqual(value.shape, [3, 4]);
    assert.ok(value.data.every((v) => v === 0));
  });

  it("derives a loss whose sizes are not known", () => {
    const p = b.input("p", [axis("b", null, "batch"), axis("i", null)]);
    const g = b.input("g", [axis("b", null, "batch"), axis("i", null)]);
    const ratio = b.div(b.sum(b.mul(p, g), [1]), b.add(b.sum(p, [1]), b.sum(g, [1])));
    const d = deriveSteps(b.sub(b.ONE, b.mean(ratio)), p, { functionName: "f" });
    assert.equal(d.gradient.text, "∂L/∂p[b,i] = (I[b]/(P[b]+G[b])²−g[b,i]/(P[b]+G[b]))/B");
    assert.ok(d.symbols.some((s) => s.symbol.text === "B"));
  });

  it("carries the lines of the user's source", () => {
    const span = (line: number): { file: string; line: number; column: number } => ({
      file: "losses.py",
      line,
      column: 5,
    });
    const p = b.input("p", inputAxes([7]));
    const g = b.input("g", inputAxes([7]));
    const i = annotate(b.sum(b.mul(p, g)), span(3), "inter");
    const loss = annotate(b.sub(b.ONE, b.div(i, b.add(b.sum(p), b.sum(g)))), span(5));
    const { steps } = deriveSteps(loss, p, { functionName: "f" });
    assert.deepEqual(steps[0]!.lines, [5]);
    assert.deepEqual(steps.find((s) => s.id === "sums")!.lines, [3]);
  });

  it("lists every symbol in the legend, with the user's name for it", () => {
    const { symbols } = derivation(lossNamed("dice_logits"));
    const names = Object.fromEntries(symbols.map((s) => [s.symbol.text, s.name]));
    assert.equal(names["z"], "logits");
    assert.equal(names["g"], "targets");
    assert.equal(names["ε"], "epsilon");
    for (const t of ["L", "p[i]", "I", "P", "G", "N", "U", "i"]) assert.ok(t in names, t);
  });

  it("keeps hostile names out of LaTeX, Markdown and Python", () => {
    const nasty = '\\href{javascript:alert(1)}{x}$$</script>"""\nimport os';
    const p = b.input(nasty, inputAxes([3]));
    const g = b.input("g", inputAxes([3]));
    const eps = b.parameter("`|\\url{evil}", 1);
    const loss = b.div(b.sum(b.mul(p, g)), b.add(b.sum(p), eps));
    const d = deriveSteps(loss, p, { functionName: nasty });
    const formulas = [...d.steps, d.loss, d.gradient, ...d.symbols.map((s) => s.symbol)];
    for (const { latex } of formulas) {
      assert.doesNotMatch(latex, /\\(href|url|html|include|def)/);
      const html = katex.renderToString(latex, { throwOnError: true, strict: "error" });
      assert.doesNotMatch(html, /<a |<script/);
    }
    assert.doesNotMatch(d.markdown, /<\/script>|[^\\]`/);
    assert.doesNotMatch(d.python!.numpy, /import os|script>|alert\(/);
    assert.doesNotMatch(d.python!.torch, /import os|script>|alert\(/);
  });

  it("uses the digits of 60-digit arithmetic in its own check", () => {
    // The helper above must be able to fail: a gradient off by one part in 10⁹ is seen.
    const { loss, wrt, bindings } = lossNamed("dice");
    const name = wrt.kind === "input" ? wrt.name : "";
    const right = centralDifferences(loss, name, bindings);
    const wrong = right.map((v) => v.times(big("1.000000001", 60)));
    assert.ok(largestGap(right, wrong) > 1e-12);
  });
});
