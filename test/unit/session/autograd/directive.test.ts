import assert from "node:assert/strict";
import { autogradWish } from "../../../../src/session/autograd/directive.ts";
import { InspectionError } from "../../../../src/session/inspect.ts";

describe("the directive that asks for real autograd", () => {
  const table: [string, ReturnType<typeof autogradWish>][] = [
    ["dice(p, t)", null],
    ["x = 'dice-gradient: autograd'", null],
    ["# dice-gradient: ignore[DG001]", null],
    ["# dice-gradient: autograd\ndice(p, t)", { backends: null, devices: ["cpu"] }],
    ["x = 1\n  # dice-gradient: autograd=torch", { backends: ["torch"], devices: ["cpu"] }],
    [
      "# dice-gradient: autograd=autograd,jax device=cuda",
      { backends: ["autograd", "jax"], devices: ["cuda"] },
    ],
    [
      "# dice-gradient: autograd=torch device=cpu,cuda",
      { backends: ["torch"], devices: ["cpu", "cuda"] },
    ],
  ];
  for (const [source, wish] of table) {
    it(`${JSON.stringify(source)} means ${JSON.stringify(wish)}`, () => {
      assert.deepEqual(autogradWish(source), wish);
    });
  }

  for (const bad of ["autograd=theano", "autograd device=tpu", "autograd fast"]) {
    it(`refuses ${bad}, and says what there is`, () => {
      assert.throws(
        () => autogradWish(`# dice-gradient: ${bad}`),
        (e) => e instanceof InspectionError && (e.remedy ?? "").includes("autograd=torch"),
      );
    });
  }
});
