import assert from "node:assert/strict";
import { checkGradient } from "../../../src/gradient/check.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { evaluateReference } from "../../../src/numbers/reference.ts";
import { makeNumbers } from "../../../src/report/numbers.ts";
import type { Statistic } from "../../../src/report/schema.ts";
import { formatKnown } from "../../../src/renderer/format.ts";
import { uniform } from "../gradient/data.ts";
import { focalTversky, vector } from "../gradient/lossExpressions.ts";

const n = 400;
const [p, t] = [vector("p", n), vector("t", n)];

/** A prediction that is off by about so much. */
function nearly(off: number): Map<string, Float64Array> {
  const random = uniform(5);
  const target = Float64Array.from({ length: n }, () => (random() < 0.3 ? 1 : 0));
  const prediction = target.map((x) => Math.abs(x - off * (0.5 + random())));
  return new Map([
    ["p", prediction],
    ["t", target],
  ]);
}

function statisticsOf(analytic: Float64Array, error: Parameters<typeof makeNumbers>[0]["error"]) {
  const source = { aligned: [], shape: [analytic.length], compared: [] };
  const { statistics } = makeNumbers({ ...source, analytic, error });
  return new Map(statistics.map((x): [string, Statistic] => [x.label, x]));
}

describe("figures of a gradient in a report", () => {
  it("carry bounds that hold where its terms cancel, and have no digits beyond them", () => {
    const loss = focalTversky(p, t);
    const arrays = nearly(1e-9);
    const { gradientError } = checkGradient({ loss, wrt: p, bindings: arrays });
    const analytic = compileKernel([derive(loss, p)]).run(arrays).outputs[0]!.data;
    const exact = evaluateReference([derive(loss, p)], arrays)[0]!.hi;
    const figures = statisticsOf(analytic, gradientError);
    const truth = {
      smallest: Math.min(...exact),
      largest: Math.max(...exact),
      "sum of magnitudes": exact.reduce((s, x) => s + Math.abs(x), 0),
      "Euclidean norm": Math.hypot(...exact),
    };
    for (const [label, value] of Object.entries(truth)) {
      const figure = figures.get(label)!;
      assert.ok(Math.abs(figure.value! - value) <= figure.error!, label);
      assert.ok(figure.error! < 1e-3 * Math.abs(value), `${label} ± ${figure.error}`);
      assert.notEqual(
        figure.value!.toPrecision(8),
        value.toPrecision(8),
        `${label} needs its bound`,
      );
      assert.match(formatKnown(figure, 8), / ± /);
    }
  });

  it("need no bound in sight where all digits shown are right", () => {
    const loss = focalTversky(p, t);
    const arrays = nearly(0.3);
    const { gradientError } = checkGradient({ loss, wrt: p, bindings: arrays });
    const analytic = compileKernel([derive(loss, p)]).run(arrays).outputs[0]!.data;
    const largest = statisticsOf(analytic, gradientError).get("largest")!;
    assert.ok(largest.error! < 1e-14);
    assert.equal(formatKnown(largest, 8), String(Number(largest.value!.toPrecision(8))));
  });

  it("do not overflow or vanish where squares of the entries would", () => {
    for (const size of [1e-200, 1e200, 5e-324]) {
      const figures = statisticsOf(Float64Array.of(3 * size, -4 * size, NaN), null);
      assert.ok(Math.abs(figures.get("Euclidean norm")!.value! / (5 * size) - 1) < 1e-15);
      assert.ok(Math.abs(figures.get("sum of magnitudes")!.value! / (7 * size) - 1) < 1e-15);
      assert.equal(figures.get("not finite")!.value, 1);
    }
  });

  it("are right to the last digits however many entries they add", () => {
    const figures = statisticsOf(new Float64Array(1_000_000).fill(0.1), null);
    assert.equal(figures.get("sum of magnitudes")!.value, 100_000);
  });
});

describe("a number with a bound", () => {
  it("shows it where it reaches the digits shown, and not below them", () => {
    assert.equal(formatKnown({ label: "", value: 0.123456789, error: 3e-9 }, 8), "0.12345679");
    assert.equal(
      formatKnown({ label: "", value: 0.123456789, error: 6e-9 }, 8),
      "0.12345679 ± 6e-9",
    );
    assert.equal(formatKnown({ label: "", value: 0, error: 2e-20 }, 8), "0 ± 2e-20");
    assert.equal(formatKnown({ label: "", value: 0, error: 0 }, 8), "0");
    assert.equal(formatKnown({ label: "", value: 0.5, error: null }, 8), "0.5");
    assert.equal(formatKnown({ label: "", value: null }, 8), "undefined");
  });
});
