import assert from "node:assert/strict";
import type { Report } from "../../../src/report/schema.ts";
import { readPayload } from "../../../src/renderer/validate.ts";
import { countTicks, decadeTicks } from "../../../src/renderer/ticks.ts";
import { SNIPPETS, explained } from "../explain/explained.ts";
import { all, assertHarmless, draw, Host, one, usePage } from "./page.ts";

/** The three losses on the smallest arrays that have every part: JSON, as a notebook holds it. */
async function made(callable = "logits", values?: readonly string[]): Promise<Report> {
  const { report } = await explained(
    SNIPPETS,
    callable,
    values ?? ["logits=[2.0, -1.0, 0.5, -9.0]", "target=[1, 0, 1, 1]"],
  );
  return JSON.parse(JSON.stringify(report)) as Report;
}

describe("how a gradient behaves", function () {
  this.timeout(20_000);
  usePage();

  it("is read back whole", async () => {
    const report = await made();
    const payload = readPayload(report);
    assert.equal(payload.kind, "report", JSON.stringify(payload));
    assert.deepEqual(payload.report.behaviour, report.behaviour);
    assert.deepEqual(payload.report.claims, report.claims);
  });

  it("is a list of findings, each with icon, word, sentence and lines", async () => {
    const report = await made();
    const root = await draw(report);
    const findings = all(root, ".behaviour .diagnostics > li");
    assert.equal(findings.length, report.behaviour!.findings.length);
    findings.forEach((item, k) => {
      const { sentence } = report.behaviour!.findings[k]!;
      assert.ok(item.textContent.includes(sentence.replaceAll("`", "")));
      assert.ok(one(item, ".badge").querySelector("svg") !== null);
    });
    assert.match(root.querySelector(".behaviour")!.textContent, /Vanishes: .*wrong and sure/s);
    assert.match(root.querySelector(".behaviour")!.textContent, /\(line 16\)/);
  });

  it("is plotted with title, description, legend, a table, and the user's own place", async () => {
    const report = await made();
    const root = await draw(report);
    const plots = all(root, ".behaviour .plot");
    assert.equal(plots.length, report.behaviour!.charts.length);
    plots.forEach((plot, k) => {
      const chart = report.behaviour!.charts[k]!;
      const svg = one<SVGSVGElement>(plot, "svg[role=img]");
      assert.equal(one(svg, "title").textContent, chart.title);
      assert.match(one(svg, "desc").textContent, /at your place/);
      assert.equal(all(svg, "path.line-mark").length, chart.series.length);
      assert.equal(
        one(svg, "line.own-place").getAttribute("x1"),
        one(svg, "line.own-place").getAttribute("x2"),
      );
      const legend = all(plot, ".legend-lines li");
      assert.equal(legend.length, chart.series.length + 1);
      chart.series.forEach((series, n) => {
        assert.ok(legend[n]!.textContent.includes(series.label));
      });
      const details = one<HTMLDetailsElement>(plot, "details.as-table");
      details.open = true;
      details.dispatchEvent(new document.defaultView!.Event("toggle"));
      assert.equal(all(details, "tbody tr").length, chart.at.length);
      assert.equal(all(details, "thead th").length, chart.series.length + 2);
    });
  });

  it("has lines that differ by dashes, not by colour alone, and every point inside the plot", async () => {
    const root = await draw(await made());
    for (const path of all(root, ".behaviour .plot svg[role=img] path.line-mark")) {
      const kinds = [...path.classList].filter((c) => c.startsWith("is-"));
      assert.equal(kinds.length, 2, path.getAttribute("class")!);
      for (const [, x, y] of path.getAttribute("d")!.matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)) {
        assert.ok(Number(x) >= 57 && Number(x) <= 387, `x ${x!}`);
        assert.ok(Number(y) >= 9 && Number(y) <= 189, `y ${y!}`);
      }
    }
  });

  it("leaves a gap where there is no value, and draws 0 voxels apart", async () => {
    const root = await draw(
      await made("smooth", ["y_pred=[0.9, 0.2, 0.6, 0.1]", "y_true=[1, 0, 1, 0]"]),
    );
    const plot = all(root, ".behaviour .plot").find((p) =>
      p.textContent.includes("A smaller mask, the same"),
    )!;
    const background = plot.querySelector("path.is-gradient.is-background")!.getAttribute("d")!;
    // None at all, then a line from one voxel on.
    assert.match(background, /^M[\d.]+ [\d.]+h0\.01M[\d.]+ [\d.]+h0\.01L/);
    const foreground = plot.querySelector("path.is-gradient.is-foreground")!.getAttribute("d")!;
    assert.equal([...foreground.matchAll(/M/g)].length, 1);
    assert.match(plot.textContent, /where you are: 2/);
  });

  it("says at the ends what the gradient is, with and without smoothing", async () => {
    const root = await draw(await made());
    const rows = all(root, "table.limits tbody tr");
    assert.ok(rows.length >= 9);
    assert.equal(all(root, "table.limits thead th").length, 4);
    assert.match(rows.at(-1)!.textContent, /nothing is predicted.*0\/0 there/);
    const plain = await draw(await made("plain", ["y_pred=[0.9, 0.2]", "y_true=[1, 0]"]));
    assert.equal(all(plain, "table.limits thead th").length, 3);
  });

  it("says of sample arrays that they are no user's", async () => {
    const root = await draw(await made("logits", []));
    assert.match(one(root, ".behaviour > p.dim").textContent, /^No arrays were given/);
  });

  it("is not there in a report that does not have it", async () => {
    const { behaviour: _behaviour, claims: _claims, ...report } = await made();
    const root = await draw(report);
    assert.equal(root.querySelector(".behaviour"), null);
    assert.equal(root.querySelector(".claims"), null);
  });

  it("is refused where it is not what it must be", async () => {
    const report = await made();
    const [chart] = report.behaviour!.charts;
    const withChart = (change: object): unknown => ({
      ...report,
      behaviour: { ...report.behaviour, charts: [{ ...chart, ...change }] },
    });
    for (const [change, why] of [
      [{ at: [...chart!.at].reverse() }, /its places must rise/],
      [{ at: chart!.at.slice(1) }, /one value a place/],
      [{ own: "0" }, /own/],
      [{ id: "constructor" }, /id/],
      [{ series: Array<unknown>(50).fill(chart!.series[0]) }, /series/],
    ] as const) {
      const payload = readPayload(withChart(change));
      assert.equal(payload.kind, "invalid", JSON.stringify(change).slice(0, 60));
      assert.match(payload.why, why);
    }
  });

  it("takes hostile numbers and texts for what they are", async () => {
    const report = await made();
    const evil = "<img src=x onerror=alert(1)>";
    const charts = report.behaviour!.charts.map((c) => ({
      ...c,
      title: evil,
      note: evil,
      x: evil,
      at: c.at.map((_, k) => k * 1e300),
      own: -1e308,
      counts: false,
      series: c.series.map((s) => ({
        ...s,
        label: evil,
        values: s.values.map((_, k) => (k % 2 === 0 ? 1e308 : 5e-324)),
      })),
    }));
    const root = await draw({
      ...report,
      behaviour: { ...report.behaviour, charts, assumed: evil },
      claims: report.claims!.map((c) => ({
        ...c,
        claim: evil,
        sentence: evil,
        evidence: [evil],
        needs: evil,
      })),
    });
    assertHarmless(root);
    assert.ok(all(root, ".plot").length > 0);
    assert.ok(root.textContent.includes(evil));
    for (const path of all(root, "path.line-mark"))
      assert.doesNotMatch(path.getAttribute("d")!, /NaN|Infinity/);
  });
});

describe("claims", function () {
  this.timeout(20_000);
  usePage();

  it("stand with verdict, sentence, what is needed, and folded what they rest on", async () => {
    const report = await made();
    const host = new Host();
    const root = await host.draw(report, "e");
    const claims = all(root, ".claims .claim");
    assert.equal(claims.length, 3);
    claims.forEach((element, k) => {
      const claim = report.claims![k]!;
      assert.equal(one(element, ".claim-text").textContent, `“${claim.claim}”`);
      assert.ok(
        one(element, ".verdict-line").textContent.includes(claim.sentence.replaceAll("`", "")),
      );
      assert.equal(all(element, ".evidence li").length, claim.evidence.length);
    });
    assert.deepEqual(
      all(root, ".claims .badge").map((b) => b.textContent),
      ["False", "True only when", "Not settled here"],
    );
    assert.equal(all(root, ".claim-needs").length, 2);
    const first = one<HTMLDetailsElement>(claims[0]!, "details");
    first.open = true;
    first.dispatchEvent(new document.defaultView!.Event("toggle"));
    const again = await new Host(host.state).draw(report, "e");
    assert.equal(one<HTMLDetailsElement>(all(again, ".claim")[0]!, "details").open, true);
  });
});

describe("logarithmic axes", () => {
  it("have round ends and few ticks, whatever the range", () => {
    for (const [low, high] of [
      [1e-9, 1],
      [0.3, 40],
      [5e-324, 1e308],
      [1, 1],
      [2, 3],
    ] as const) {
      const axis = decadeTicks(low, high);
      assert.ok(
        axis.low <= Math.log10(low) && axis.high >= Math.log10(high) && axis.high > axis.low,
      );
      assert.ok(axis.ticks.length >= 2 && axis.ticks.length <= 8, `${axis.ticks.length} ticks`);
    }
  });

  it("of counts give 0 a place of its own", () => {
    const axis = countTicks(10_166);
    assert.deepEqual(axis.ticks.map((t) => t.label).slice(0, 4), ["0", "1", "10", "100"]);
    assert.ok(axis.ticks[0]!.at < axis.ticks[1]!.at && axis.low < axis.ticks[0]!.at);
  });
});
