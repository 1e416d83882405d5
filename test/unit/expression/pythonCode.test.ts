import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { Names, namesFor } from "../../../src/expression/names.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { type CodeRequest, toNumPy, toTorchFunction } from "../../../src/expression/pythonCode.ts";
import { numpy, torch } from "../../../src/expression/pythonCodeDialects.ts";
import { Emitter } from "../../../src/expression/pythonCodeEmit.ts";

const [B, C, I] = [axis("b", 2, "batch"), axis("c", 3, "class"), axis("i", 4)];
const p = b.input("p", [B, C, I]);
const g = b.input("g", [B, C, I]);
const TWO = b.constant(2);

function line(e: Expr, dialect = numpy): string {
  const emitter = new Emitter(dialect, namesFor([p, g, e]), [p, g]);
  emitter.define([e], [], new Set());
  const result = emitter.statement("return ", e);
  return [...emitter.lines, ...result].join("\n");
}

function request(gradient: Expr, loss: Expr, more: Partial<CodeRequest> = {}): CodeRequest {
  return {
    functionName: "dice_loss",
    loss,
    gradient,
    wrt: p,
    inputs: [p, g],
    parameters: [],
    definitions: [],
    names: namesFor([p, g, loss, gradient]),
    lossText: "L = …",
    gradientText: "∂L/∂p = …",
    fixedAxes: [],
    ...more,
  };
}

describe("Python code", () => {
  it("is written with as few brackets as a person would set", () => {
    assert.equal(line(b.sub(b.ONE, b.mul(TWO, b.mul(p, g)))), "return 1 - 2 * p * g");
    assert.equal(line(b.div(b.add(p, g), b.mul(TWO, p))), "return (p + g) / (2 * p)");
    assert.equal(line(b.neg(b.add(p, g))), "return -(p + g)");
    assert.equal(line(b.add(p, b.mul(b.constant(-2), g))), "return p - 2 * g");
    assert.equal(line(b.pow(b.neg(p), TWO)), "return (-p)**2");
    assert.equal(line(b.mul(p, p)), "return p**2");
    assert.equal(line(b.div(p, b.constant(3e-8))), "return p / 3e-8");
  });

  it("uses axes as the graph does", () => {
    assert.equal(line(b.sum(p, [0, 2])), "return np.sum(p, axis=(0, 2))");
    assert.equal(line(b.sum(p, [1], true)), "return np.sum(p, axis=1, keepdims=True)");
    assert.equal(line(b.sum(p), torch), "return torch.sum(p)");
    assert.equal(line(b.index(p, 1, 1)), "return p[:, 1]");
    assert.equal(line(b.slice(p, 1, 1, null)), "return p[:, 1:]");
    assert.equal(line(b.unsqueeze(b.sum(p, [1]), 1)), "return np.sum(p, axis=1)[:, None]");
    assert.equal(
      line(b.place(b.index(p, 1, 1), 1, 1, C)),
      "placed = np.zeros(p.shape)\nplaced[:, 1] = p[:, 1]\nreturn placed",
    );
  });

  it("takes sizes from the arrays, so that it holds for others", () => {
    const mean = b.div(p, b.size([B, C]));
    assert.equal(line(mean), "return p / (p.shape[0] * p.shape[1])");
    assert.equal(line(b.expand(b.ONE, [B, C, I])), "return np.full(p.shape, 1, dtype=float)");
  });

  it("names what is used twice", () => {
    const shared = b.exp(b.add(b.mul(p, g), b.ONE));
    const code = line(b.div(shared, b.add(shared, g)));
    assert.equal(code, "term = np.exp(p * g + 1)\nreturn term / (term + g)");
  });

  it("counts truth values as numbers in arithmetic alone", () => {
    const above = b.binary("gt", p, b.constant(0.5));
    assert.equal(line(b.mul(above, g)), "return np.asarray(p > 0.5, dtype=float) * g");
    assert.equal(line(b.sub(b.ONE, above), torch), "return 1 - (p > 0.5).to(p.dtype)");
    assert.equal(line(b.where(above, p, g)), "return np.where(p > 0.5, p, g)");
  });

  it("is a whole function with imports, docstring and the named sums first", () => {
    const names = new Names();
    namesFor([p, g], names);
    const sum = b.input("⟨sum⟩", []);
    names.define(sum, { latex: "I", text: "I", python: "intersection" });
    const definitions = [{ node: sum, value: b.sum(b.mul(p, g)) }];
    const made = request(b.mul(g, sum), b.mul(sum, sum), { names, definitions });
    assert.equal(
      toNumPy(made),
      [
        "import numpy as np",
        "",
        "",
        "def dice_loss_gradient(p, g):",
        '    """Gradient of dice_loss with respect to p, of its shape.',
        "",
        "        L = …",
        "        ∂L/∂p = …",
        '    """',
        "    p = np.asarray(p, dtype=float)",
        "    g = np.asarray(g, dtype=float)",
        "    intersection = np.sum(p * g)",
        "    return g * intersection",
        "",
      ].join("\n"),
    );
    assert.equal(
      toTorchFunction(made),
      [
        "import torch",
        "",
        "",
        "class DiceLossFunction(torch.autograd.Function):",
        '    """dice_loss with its gradient with respect to p written out.',
        "",
        "        L = …",
        "        ∂L/∂p = …",
        '    """',
        "",
        "    @staticmethod",
        "    def forward(ctx, p, g):",
        "        g = g.to(p.dtype)",
        "        intersection = torch.sum(p * g)",
        "        ctx.save_for_backward(g, intersection)",
        "        return intersection**2",
        "",
        "    @staticmethod",
        "    def backward(ctx, grad_output):",
        "        g, intersection = ctx.saved_tensors",
        "        gradient = g * intersection",
        "        return grad_output * gradient, None",
        "",
        "",
        "def dice_loss(p, g):",
        "    return DiceLossFunction.apply(p, g)",
        "",
      ].join("\n"),
    );
  });

  it("puts arguments without a value before those with one", () => {
    const [s, w] = [b.parameter("smooth", 1e-5), b.parameter("gamma", null)];
    const e = b.mul(p, b.pow(s, w));
    const code = toNumPy(request(e, b.sum(e), { parameters: [s, w] }))!;
    assert.match(code, /def dice_loss_gradient\(p, g, gamma, smooth=1e-5\):/);
  });

  it("checks a size that it depends on", () => {
    const e = b.stack([b.index(p, 1, 0), b.index(p, 1, 1), b.index(p, 1, 0)], 1, C);
    const code = toNumPy(request(e, b.sum(e)))!;
    assert.match(code, /if p\.shape\[1\] != 3:\n {8}raise ValueError/);
  });

  it("checks the ranks where it names axes by their positions, and only there", () => {
    const whole = b.mul(g, b.sum(b.mul(p, g)));
    assert.doesNotMatch(toNumPy(request(whole, b.sum(whole)))!, /ndim/);
    const perClass = b.mul(g, b.sum(b.mul(p, g), [0, 2], true));
    assert.match(
      toNumPy(request(perClass, b.sum(perClass)))!,
      /if p\.ndim != 3 or g\.ndim != 3:\n {8}raise ValueError\("derived for 3-d p and 3-d g"\)/,
    );
  });

  it("makes any function name an identifier", () => {
    const code = toTorchFunction(request(p, b.sum(p), { functionName: 'Nasty"""(x).forward' }))!;
    assert.match(code, /^class Nasty\w*Function\(/m);
    assert.doesNotMatch(code.replace(/^ *"""|"""$/gm, ""), /"""/);
  });

  it("is null, not a guess, for what has no certain counterpart", () => {
    const unknown = axis("k", null);
    const e = b.expand(b.sum(b.oneHot(b.input("n", [B], "int"), unknown, 1)), [B, C, I]);
    assert.equal(toNumPy(request(e, b.sum(e))), null);
    assert.equal(toTorchFunction(request(e, b.sum(e))), null);
  });
});
