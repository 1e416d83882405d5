import assert from "node:assert/strict";
import { CONVENTIONS } from "../../../src/explain/claims/kinks.ts";
import type { Autograd, Report } from "../../../src/report/schema.ts";
import { agreementsOf } from "../../../src/session/autograd/agreement.ts";
import { SNIPPETS, explained } from "./explained.ts";

const ARRAYS = ["y_pred=[0.9, 0.2, 0.6, 0.1]", "y_true=[1, 0, 1, 0]"];

/** What a library that was asked would have answered. */
function run(library: string, verdict: Autograd["verdict"] = "agrees"): Autograd {
  return {
    library,
    version: "1.0",
    device: "cpu",
    dtype: "float64",
    loss: 0.25,
    verdict,
    maxAbsError: 1e-17,
    maxScaledError: 0.5,
    bound: 20,
  };
}

describe("the claim that autodiff mishandles the quotient rule", () => {
  it("is false of each of the three losses, by what a lost term would do", async () => {
    const three = [
      await explained(SNIPPETS, "plain", ARRAYS),
      await explained(SNIPPETS, "smooth", ARRAYS),
      await explained(SNIPPETS, "logits", ["logits=[2.0, -1.0, 0.5]", "target=[1, 0, 1]"]),
    ];
    for (const { claim } of three) {
      const { verdict, evidence, needs } = claim("quotient-rule");
      assert.equal(verdict, "false");
      assert.match(
        evidence[0]!,
        /second term, N·U′\/U², left out, the gradient would be off by \d+/,
      );
      assert.match(
        evidence[1]!,
        /within .* units of rounding .* values of the loss alone confirm it/,
      );
      assert.match(needs!, /Ask Python to measure your own library/);
    }
  });

  it("says by how much the gradient would be off, exactly", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS);
    // I = 1.5, U = 3.8: 2I/U² at every element beside 2/U − 2I/U² = 0.3186 and 2I/U² = 0.2078,
    // and 2/U = 0.526 without the term.
    const off = (100 * ((2 * 1.5) / 3.8 ** 2)) / (2 / 3.8);
    assert.ok(claim("quotient-rule").evidence[0]!.includes(`off by ${off.toPrecision(2)} %`));
  });

  it("is false with the libraries' own names where they were asked", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS, {
      autogradRuns: [run("JAX"), run("HIPS Autograd")],
    });
    const { verdict, sentence, needs } = claim("quotient-rule");
    assert.equal(verdict, "false");
    assert.match(sentence, /^JAX 1\.0 and HIPS Autograd 1\.0 give the derivative of your loss/);
    assert.equal(needs, null);
  });

  it("is true only of a gradient written by hand, where that is wrong", async () => {
    const source = `import torch

class Dice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, g):
        i, u = (p * g).sum(), p.sum() + g.sum()
        ctx.save_for_backward(g, i, u)
        return 1 - 2 * i / u

    @staticmethod
    def backward(ctx, grad):
        g, i, u = ctx.saved_tensors
        return grad * (-2 * g / u), None

def loss(pred, target):
    return Dice.apply(pred, target)
`;
    const { claim } = await explained(source, "loss", ["pred=[0.9, 0.2]", "target=[1, 0]"]);
    const { verdict, sentence, lines } = claim("quotient-rule");
    assert.equal(verdict, "true-only-when");
    assert.match(sentence, /written by hand, as here: .*backward is used instead .* and wrong/);
    assert.deepEqual(lines, [11]);
  });

  it("is not settled where the gradient has no value", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ["y_pred=[0.0]", "y_true=[0]"]);
    assert.equal(claim("quotient-rule").verdict, "not-settled");
  });
});

describe("the claim that epsilon causes the difference", () => {
  it("is false of a loss without one", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS);
    assert.equal(claim("epsilon").verdict, "false");
    assert.match(claim("epsilon").sentence, /no epsilon and no smoothing/);
  });

  it("is true only of empty masks where it is small", async () => {
    const { claim } = await explained(SNIPPETS, "smooth", ARRAYS);
    const { verdict, sentence, evidence, lines } = claim("epsilon");
    assert.equal(verdict, "true-only-when");
    assert.match(sentence, /^a mask is empty; on these arrays it changes the gradient by at most /);
    assert.deepEqual(lines, [11]);
    assert.match(evidence.at(-1)!, /is 1e7 with it and 0\/0 there, and 0 on the way to it without/);
  });

  it("is true where it is as large as the sums", async () => {
    const { claim } = await explained(SNIPPETS, "smooth", [...ARRAYS, "epsilon=1.0"]);
    const { verdict, sentence } = claim("epsilon");
    assert.equal(verdict, "true");
    // −(2·1.5+1)/(4.8)² … beside −2·1.5/3.8²: the largest changes from 0.3186 to 0.2431.
    const [bare, own] = [2 / 3.8 - 3 / 3.8 ** 2, 2 / 4.8 - 4 / 4.8 ** 2];
    assert.ok(
      sentence.includes(`by up to ${((100 * (bare - own)) / bare).toPrecision(2)} %`),
      sentence,
    );
  });

  it("is told of each constant alone, and of the type in which it disappears", async () => {
    const { claim } = await explained(SNIPPETS, "smooth", [
      "y_pred=[0.9, 0.2]",
      "y_true=[1, 0]",
      "epsilon=1e-17",
    ]);
    assert.match(
      claim("epsilon").evidence[0]!,
      /added in the numerator \(line 11\).*in float64 it disappears in the addition/,
    );
  });
});

describe("the claim that the choice of autodiff library matters", () => {
  it("is not settled before libraries were asked, and says what would settle it", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS);
    const { verdict, sentence, needs } = claim("library");
    assert.equal(verdict, "not-settled");
    assert.match(sentence, /^no library was run; no entry sits on a kink/);
    assert.match(needs!, /^Ask Python: two libraries/);
  });

  it("is false where two of them agree, with the distance in units in the last place", async () => {
    const [a, b] = [1, 1 + 2 ** -51].map((x) => Float64Array.of(x, 0.25));
    const autogradAgreements = agreementsOf([
      { name: "JAX", dtype: "float64", gradient: a! },
      { name: "HIPS Autograd", dtype: "float64", gradient: b! },
    ]);
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS, {
      autogradRuns: [run("JAX"), run("HIPS Autograd")],
      autogradAgreements,
    });
    assert.equal(claim("library").verdict, "false");
    assert.match(claim("library").sentence, /at most 2 units in the last place apart/);
    assert.ok(
      claim("library").evidence.some((e) => e.includes("1 of 2 entries are the same bit for bit")),
    );
  });

  it("is true where they differ by more than rounding", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS, {
      autogradRuns: [run("JAX"), run("TensorFlow", "differs")],
    });
    assert.equal(claim("library").verdict, "true");
  });

  it("is true only on kinks, which are counted on the arrays", async () => {
    const source = `import torch

def f(pred, target):
    p = torch.clamp(pred, 0.1, 0.9)
    return 1 - 2 * (p * target).sum() / (p.sum() + target.sum())
`;
    const values = ["pred=[0.1, 0.5, 0.9]", "target=[0, 1, 1]"];
    const { claim } = await explained(source, "f", values, {
      autogradRuns: [run("PyTorch"), run("JAX", "differs")],
    });
    assert.equal(claim("library").verdict, "true-only-when");
    assert.match(claim("library").sentence, /an entry sits exactly on a kink, as 2 do here/);
    assert.deepEqual(claim("library").lines, [4]);
    const none = await explained(source, "f", ["pred=[0.2, 0.5]", "target=[0, 1]"]);
    assert.match(none.claim("library").evidence[0]!, /no entry sits there on these arrays/);
    assert.match(
      none.claim("library").evidence[0]!,
      /PyTorch 1, TensorFlow 1, JAX 0\.5, HIPS Autograd 0/,
    );
  });

  it("is settled beside the derivation where no second library can run the function", async () => {
    const arrays = ["logits=[2.0, -1.0, 0.5]", "target=[1, 0, 1]"];
    const answered = (verdict: Autograd["verdict"], maxUlps: number): Partial<Report> => ({
      autogradRuns: [{ ...run("PyTorch", verdict), maxUlps }],
      autogradLibraries: ["PyTorch"],
    });
    const right = await explained(SNIPPETS, "logits", arrays, answered("agrees", 2.5));
    assert.equal(right.claim("library").verdict, "false");
    assert.match(
      right.claim("library").sentence,
      /^PyTorch 1\.0 gives the derivative, which was derived here without a library, to within rounding \(at most 2\.5 units in the last place off\)\. No other library can run this function/,
    );
    assert.equal(right.claim("library").needs, null);
    const wrong = await explained(SNIPPETS, "logits", arrays, answered("differs", 1e6));
    assert.equal(wrong.claim("library").verdict, "true");
    const undecided = await explained(SNIPPETS, "logits", arrays, answered("undefined", 0));
    assert.equal(undecided.claim("library").verdict, "not-settled");
  });

  it("is not settled by one library where another can run the function, and names that", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS, {
      autogradRuns: [run("HIPS Autograd")],
      autogradLibraries: ["HIPS Autograd", "JAX", "TensorFlow"],
    });
    assert.equal(claim("library").verdict, "not-settled");
    assert.match(claim("library").needs!, /: JAX and TensorFlow can differentiate it too\.$/);
  });

  it("is about libraries, not about one library's devices", async () => {
    const arrays = ["logits=[2.0, -1.0, 0.5]", "target=[1, 0, 1]"];
    const { claim } = await explained(SNIPPETS, "logits", arrays, {
      autogradRuns: [run("PyTorch"), { ...run("PyTorch"), device: "cuda (Some GPU)" }],
      autogradLibraries: ["PyTorch"],
    });
    assert.match(
      claim("library").sentence,
      /^PyTorch 1\.0 \(cpu\) and PyTorch 1\.0 \(cuda \(Some GPU\)\) give the derivative/,
    );
  });

  it("names what could not be run", async () => {
    const { claim } = await explained(SNIPPETS, "plain", ARRAYS, {
      autogradRuns: [
        { ...run("JAX", "not-checked"), failure: "there is no module jax\nInstall it." },
      ],
    });
    assert.equal(claim("library").verdict, "not-settled");
    assert.ok(
      claim("library").evidence.some((e) =>
        e.endsWith("JAX 1.0 could not be run: there is no module jax"),
      ),
    );
  });
});

describe("units in the last place", () => {
  it("are those of the coarser type", () => {
    const [pair] = agreementsOf([
      { name: "a", dtype: "float64", gradient: Float64Array.of(1) },
      { name: "b", dtype: "float32", gradient: Float64Array.of(1 + 2 ** -23) },
    ]);
    assert.deepEqual([pair!.dtype, pair!.maxUlps, pair!.identical], ["float32", 1, 0]);
  });

  it("tell conventions at kinks apart by library", () => {
    for (const { slopes } of Object.values(CONVENTIONS)) {
      assert.ok(new Set(Object.values(slopes)).size > 1);
    }
  });
});
