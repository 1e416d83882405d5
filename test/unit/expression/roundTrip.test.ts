import assert from "node:assert/strict";
import fc from "fast-check";
import katex from "katex";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { evaluate } from "../../../src/expression/evaluate.ts";
import { toLatex } from "../../../src/expression/latex.ts";
import { namesFor } from "../../../src/expression/names.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { FormulaTooLong } from "../../../src/expression/notation.ts";
import { toText } from "../../../src/expression/text.ts";
import { ARRAYS, LEAVES, N, programs, runProgram } from "./programs.ts";
import { readText } from "./textReader.ts";

describe("a printed formula", () => {
  it("read back and evaluated at every index has the value of the graph", () => {
    let compared = 0;
    fc.assert(
      fc.property(programs, (program) => {
        const e = runProgram(program);
        // Letters must tell their extent: only the known axes may be free or bound.
        if (e.shape.some((a) => a.size !== N && !(a.role === "unit" && a.size === 1))) return;
        const names = namesFor(LEAVES);
        const text = toText(e, names);
        if (text.startsWith("(too long")) return;
        const free = freeLetters(e);
        if (free === null) return;
        const { data, shape } = evaluate(e, ARRAYS);
        const read = readText(text, {
          arrays: new Map([...ARRAYS].map(([name, a]) => [name, a])),
          scalars: new Map([["α", 0.7]]),
          extent: () => N,
          axisOf: (letter, rank) =>
            "bci".slice(3 - rank).indexOf(letter.replace(/^k/, "c").charAt(0)),
        });
        compared++;
        data.forEach((expected, k) => {
          let rest = k;
          const at: Record<string, number> = {};
          for (let d = shape.length - 1; d >= 0; d--) {
            const letter = free[d];
            if (letter !== null && letter !== undefined) at[letter] = rest % shape[d]!;
            rest = Math.floor(rest / shape[d]!);
          }
          const got = read(at);
          assert.ok(
            Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
            `${text} at ${JSON.stringify(at)} is ${got}, the graph says ${expected}`,
          );
        });
      }),
      { numRuns: 4000, seed: 8 },
    );
    assert.ok(compared > 2000, `only ${compared} formulas were compared`);
  });

  it("is LaTeX that KaTeX takes without a warning", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const e = runProgram(program);
        const latex = toLatex(e, namesFor(LEAVES));
        katex.renderToString(latex, { throwOnError: true, strict: "error" });
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  it("says so when it would be too long, instead of hanging", () => {
    let e: Expr = b.input("p", [axis("i", 3)]);
    for (let n = 0; n < 60; n++) e = b.add(b.mul(e, e), e);
    assert.equal(toText(e, namesFor([e])), "(too long to be written out)");
    assert.ok(new FormulaTooLong("") instanceof Error);
  });
});

/** The letters printed for the axes; null where two axes would ask for the same one. */
function freeLetters(e: Expr): (string | null)[] | null {
  const letters = e.shape.map((a) =>
    a.role === "unit" && a.size === 1 ? null : a.name.split(/[′⁺]/)[0]!,
  );
  const shown = letters.filter((l) => l !== null);
  return new Set(shown).size === shown.length && shown.every((l) => "bci".includes(l))
    ? letters
    : null;
}
