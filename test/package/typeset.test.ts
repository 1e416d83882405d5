import assert from "node:assert/strict";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { root } from "../../scripts/lib/root.mjs";
import { catalogueFormula, catalogueList } from "../../src/session/catalogue.ts";
import type { TypesetRequest, TypesetResponse } from "../../src/typeset/protocol.ts";

describe("formulas as pictures, as they are shipped", function () {
  this.timeout(120_000);
  const worker = new Worker(join(root, "dist/typeset.js"));
  after(() => worker.terminate());
  let next = 1;

  function draw(latex: string): Promise<string | null> {
    const id = next++;
    return new Promise((resolve) => {
      worker.once("message", (response: TypesetResponse) => {
        assert.equal(response.id, id);
        resolve(response.svg);
      });
      worker.postMessage({ id, latex, ink: "#ccc", width: 480 } satisfies TypesetRequest);
    });
  }

  it("have an outline for every letter of every loss in the catalogue", async () => {
    const missing: string[] = [];
    for (const { id } of catalogueList("")) {
      const formula = catalogueFormula(id);
      for (const { latex } of [formula.loss, formula.gradient]) {
        const svg = await draw(latex);
        if (svg === null || svg.includes("<text")) missing.push(latex);
      }
    }
    assert.deepEqual(missing, []);
  });

  it("have one for every sign that formulas are printed with", async () => {
    const signs =
      "\\sum_{i} \\prod_{i} \\bigwedge \\bigvee \\tfrac{a}{b} \\sqrt{x} \\left\\lfloor x \\right\\rfloor \\lceil x \\rceil " +
      "\\le \\ge \\ne \\land \\lor \\lnot \\cdot \\partial \\in \\infty \\bmod \\boxed{a} \\begin{cases} a & b \\\\ c & d \\end{cases}";
    const greek =
      "\\alpha\\beta\\gamma\\delta\\epsilon\\varepsilon\\zeta\\eta\\theta\\kappa\\lambda\\mu\\nu\\xi\\pi\\rho\\sigma\\tau\\varphi\\psi\\omega\\Gamma\\Delta\\Sigma\\Omega";
    const letters = "\\mathrm{grob}_{9} \\hat{y} \\bar{p} ABCxyz0123456789";
    for (const latex of [signs, greek, letters]) {
      assert.doesNotMatch((await draw(latex)) ?? "nothing", /<text|^nothing$/, latex);
    }
  });
});
