import assert from "node:assert/strict";
import { mutants, rightOnes } from "./backwards.ts";
import { applied, handwrittenOf, reportOf } from "./inspection.ts";

/** A Dice coefficient in the style of the first U-Net repositories, with the backward to be tested. */
const coefficient = (gradient: string, use: string): string => `import torch
from torch.autograd import Function

class DiceCoeff(Function):
    def forward(self, input, target):
        self.save_for_backward(input, target)
        eps = 0.0001
        self.inter = torch.dot(input.view(-1), target.view(-1))
        self.union = torch.sum(input) + torch.sum(target) + eps
        return (2 * self.inter.float() + eps) / self.union.float()

    def backward(self, grad_output):
        input, target = self.saved_variables
        grad_input = grad_target = None
        if self.needs_input_grad[0]:
            grad_input = ${gradient}
        return grad_input, grad_target

def loss(input, target):
    return 1 - ${use}
`;

const APPLY = "DiceCoeff.apply(torch.sigmoid(input), target)";

const written = (forward: string, backward: string): string => `import torch

class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, t):
        ctx.save_for_backward(p, t)
        ${forward}

    @staticmethod
    def backward(ctx, grad_output):
        p, t = ctx.saved_tensors
        ${backward}
`;

describe("Gradients written by hand", function () {
  this.timeout(120_000);

  it("are judged by the exact test: one of each dozen of right and of wrong ones", async () => {
    for (const c of rightOnes().filter((_, k) => k % 12 === 0)) {
      const [h] = await handwrittenOf(c.source, c.callable);
      assert.equal(h?.verdict, "right", c.name);
    }
    for (const c of mutants().filter((_, k) => k % 24 === 2)) {
      const [h] = await handwrittenOf(c.source, c.callable);
      assert.equal(h?.verdict, "wrong", c.name);
      assert.ok(
        h.faults.some((f) => c.names.includes(f.id)),
        c.name,
      );
    }
  });

  it("first version of a much copied one: wrong sign, and x / U * U for x / (U * U)", async () => {
    const gradient =
      "grad_output * 2 * (target * self.union + self.inter) / self.union * self.union";
    const [h] = await handwrittenOf(coefficient(gradient, APPLY), "loss");
    assert.equal(h?.verdict, "wrong");
    assert.equal(h.inForce, true);
    assert.match(h.use, /line 20 calls \.apply\(\)/);
    const ids = h.faults.map((f) => f.id);
    assert.ok(ids.includes("term-sign"), ids.join());
    assert.ok(ids.includes("denominator-power"), ids.join());
    assert.ok(ids.includes("epsilon"), ids.join());
  });

  it("third version: right but for the epsilon of the numerator", async () => {
    const gradient =
      "grad_output * 2 * (target * self.union - self.inter) / (self.union * self.union)";
    const source = coefficient(gradient, APPLY);
    const [h] = await handwrittenOf(source, "loss");
    assert.deepEqual(
      h?.faults.map((f) => [f.id, f.lines]),
      [["epsilon", [16]]],
    );
    assert.equal(h.faults[0]!.term?.text, "−ε/(P+G+ε)²");
    const [again] = await handwrittenOf(applied(source, h.fix!), "loss");
    assert.equal(again?.verdict, "right");
  });

  it("never run where .forward() is called directly, which is said first", async () => {
    const source = coefficient("grad_output * 7", "DiceCoeff().forward(input, target)");
    const report = await reportOf(source, "loss");
    const [h] = report.handwritten!;
    assert.equal(h!.inForce, false);
    assert.match(h!.use, /never runs: line 20 calls \.forward\(\) directly/);
    assert.ok(report.diagnostics.every((d) => d.severity === "information"));
    // The class by itself is judged by how its file uses it.
    const [own] = await handwrittenOf(source, "DiceCoeff");
    assert.equal(own!.inForce, false);
  });

  it("a forward pass changed to 1 − D without the backward: the sign", async () => {
    const source = written(
      "return 1 - 2 * (p * t).sum() / (p.sum() + t.sum())",
      "d = p.sum() + t.sum(); return grad_output * (2 * t * d - 2 * (p * t).sum()) / d**2, None",
    );
    const [h] = await handwrittenOf(source, "Loss");
    assert.deepEqual(
      h?.faults.map((f) => f.id),
      ["sign"],
    );
    assert.match(h.sentence, /1 minus the score/);
  });

  it("a surrogate for thresholded counts is none of the wrong ones", async () => {
    const source = written(
      "h = (p > 0.5).float(); return 2 * (h * t).sum() / ((h * h).sum() + (t * t).sum())",
      "h = (p > 0.5).float(); i = (h * t).sum(); u = (h * h).sum() + (t * t).sum(); " +
        "return grad_output * 2 * (t * u - 2 * p * i) / u**2, None",
    );
    const [h] = await handwrittenOf(source, "Loss");
    assert.equal(h?.verdict, "surrogate");
    assert.deepEqual(
      h.faults.map((f) => f.id),
      ["hard"],
    );
  });

  it("an outer derivative taken at D instead of at 1 − D", async () => {
    const source = written(
      "return (1 - (p * t).sum() / p.sum()) ** 2",
      "d = (p * t).sum() / p.sum(); " +
        "return grad_output * -2 * d * (t / p.sum() - (p * t).sum() / p.sum()**2), None",
    );
    const [h] = await handwrittenOf(source, "Loss");
    assert.deepEqual(
      h?.faults.map((f) => f.id),
      ["outer-derivative"],
    );
  });

  it("a right one on logits, with settings and one loss a sample", async () => {
    const source = `import torch

class SoftDice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, labels, p, smooth):
        probs = logits.sigmoid()
        numer = 2 * (probs * labels).sum(dim=1) + smooth
        denor = (probs.pow(p) + labels.pow(p)).sum(dim=1) + smooth
        ctx.vars = probs, labels, numer, denor, p, smooth
        return 1.0 - numer / denor

    @staticmethod
    def backward(ctx, grad_output):
        probs, labels, numer, denor, p, smooth = ctx.vars
        numer, denor = numer.view(-1, 1), denor.view(-1, 1)
        term1 = probs**p * (1.0 - probs) * p * numer / denor**2
        term2 = 2 * labels * probs * (1.0 - probs) / denor
        return (term1 - term2) * grad_output.view(-1, 1), None, None, None

def loss(logits, labels):
    return SoftDice.apply(logits, labels, 2, 1.0).mean()
`;
    const [h] = await handwrittenOf(source, "loss");
    assert.deepEqual([h?.verdict, h?.inForce], ["right", true]);
  });

  it("gradients in the wrong order, too few, of a wrong shape, or none", async () => {
    const forward = "return ((p - t) ** 2).sum()";
    const of = async (backward: string): Promise<(string | undefined)[]> => {
      const [h] = await handwrittenOf(written(forward, backward), "Loss");
      return [h?.verdict, h?.faults[0]?.id, h?.sentence];
    };
    const order = await of("return None, grad_output * 2 * (p - t)");
    assert.deepEqual(order.slice(0, 2), ["wrong", "gradient-order"]);
    const few = await of("return grad_output * 2 * (p - t)");
    assert.match(few[2]!, /returns 1 gradient, but Loss takes 2 arguments: PyTorch raises/);
    const shape = await of("return grad_output, None");
    assert.match(shape[2]!, /has shape \(\), but p has \(i,\)/);
    const none = await of("return None, None");
    assert.deepEqual(none.slice(0, 2), ["wrong", "gradient-missing"]);
  });

  it("what no known mistake explains gets a counterexample and the difference", async () => {
    const source = written(
      "return (p * t).sum() / p.sum()",
      "return grad_output * (torch.sin(p) * t + p**3), None",
    );
    const [h] = await handwrittenOf(source, "Loss");
    assert.deepEqual(
      h?.faults.map((f) => f.id),
      ["unknown"],
    );
    assert.ok(h.residual !== null);
    assert.notEqual(h.counterexample!.written, h.counterexample!.right);
  });

  it("on arrays: the check judges the gradient in force, and says how far it is off", async () => {
    const source = written(
      "return (p * t).sum() / (p.sum() + t.sum())",
      "return grad_output * t / (p.sum() + t.sum()), None",
    );
    const report = await reportOf(source, "Loss", ["p=[0.2, 0.9, 0.4]", "t=[0, 1, 1]"]);
    assert.equal(report.check.verdict, "differs");
    // (I / D²) with I = 1.3 and D = 3.5 is what is missing everywhere.
    assert.ok(Math.abs(report.handwritten![0]!.maxAbsDifference! - 1.3 / 3.5 ** 2) < 1e-12);
    assert.ok(Math.abs(report.gradient.values![0]! + 1.3 / 3.5 ** 2) < 1e-12);
  });
});
