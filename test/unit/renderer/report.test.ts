import assert from "node:assert/strict";
import type { Report } from "../../../src/report/schema.ts";
import { ball, PLAIN, report, SMALL, SMOOTH, TORCH, undefinedReport } from "./fixtures.ts";
import { all, announced, assertHarmless, buttonNamed, draw, Host, one, usePage } from "./page.ts";

describe("a report", () => {
  usePage();

  it("says its verdict by icon, word and sentence, with function and place", async () => {
    const root = await draw(report(PLAIN, SMALL));
    const verdict = one(root, ".verdict");
    assert.ok(one(verdict, ".badge").querySelector("svg") !== null);
    assert.match(verdict.textContent, /^Agrees: the derived gradient agrees/);
    assert.match(verdict.textContent, /dice_loss_plain in Cell 3, line 5/);
    assert.match(verdict.textContent, /with respect to y_pred/);
  });

  it("has another word and icon for every verdict", async () => {
    const seen = new Set<string>();
    const verdicts = [
      "agrees",
      "differs",
      "cannot-be-decided",
      "undefined",
      "not-differentiable",
      "not-checked",
    ] as const;
    for (const verdict of verdicts) {
      const made = report(PLAIN, SMALL);
      const root = await draw({ ...made, check: { ...made.check, verdict } });
      const badge = one(root, ".verdict .badge");
      seen.add(badge.textContent);
      seen.add(badge.querySelector("svg")!.innerHTML);
    }
    assert.equal(seen.size, 2 * verdicts.length);
  });

  it("shows loss and gradient typeset, without unfolding anything", async () => {
    const root = await draw(report(PLAIN, SMALL));
    const formulas = all(root, ".formulas .formula");
    assert.equal(formulas.length, 2);
    for (const formula of formulas) {
      assert.equal(formula.closest("details"), null);
      assert.ok(formula.querySelector(".katex-html") !== null);
      assert.ok(formula.querySelector("math") !== null);
    }
    assert.match(formulas[0]!.querySelector("annotation")!.textContent, /^L = 1 - \\frac/);
  });

  it("gives the loss with 17 digits", async () => {
    const made = report(SMOOTH, SMALL);
    const root = await draw(made);
    const shown = one(root, ".loss-value").textContent;
    assert.equal(Number(shown), made.loss.value);
    assert.equal(shown, made.loss.value!.toPrecision(17));
  });

  it("gives the bound of the loss's rounding, where one is known", async () => {
    const made = report(SMOOTH, SMALL);
    const loss = { ...made.loss, value: 0.25, error: 3.14e-17 };
    const root = await draw({ ...made, loss });
    assert.equal(one(root, ".loss-value").textContent, "0.25 ± 3e-17");
  });

  it("folds each step, with title, formula, note and lines", async () => {
    const made = report(TORCH, SMALL);
    const root = await draw(made);
    const steps = all<HTMLDetailsElement>(root, "details.step");
    assert.equal(steps.length, made.gradient.steps.length);
    steps.forEach((step, k) => {
      const { title, note } = made.gradient.steps[k]!;
      assert.equal(step.open, false);
      assert.match(step.querySelector("summary")!.textContent, new RegExp(title));
      assert.ok(step.querySelector(".formula .katex") !== null);
      assert.equal(step.querySelector(".note")?.textContent, note);
    });
    assert.match(steps[3]!.textContent, /lines 35–36/);
  });

  it("expands and collapses all steps, and says so", async () => {
    const root = await draw(report(PLAIN, SMALL));
    const steps = all<HTMLDetailsElement>(root, "details.step");
    buttonNamed(root, "Expand all").click();
    assert.ok(steps.every((step) => step.open));
    assert.equal(announced(root), "All steps expanded");
    buttonNamed(root, "Collapse all").click();
    assert.ok(steps.every((step) => !step.open));
  });

  it("explains every symbol", async () => {
    const made = report(SMOOTH, SMALL);
    const root = await draw(made);
    const rows = all(root, ".legend tbody tr");
    assert.deepEqual(
      rows.map((row) => row.querySelector("code")!.textContent),
      made.symbols.map((s) => s.name),
    );
    assert.ok(rows.every((row) => row.querySelector("th .katex") !== null));
  });

  it("lists diagnostics with code, severity in words, place and remedy", async () => {
    const root = await draw(report(PLAIN, SMALL));
    const text = one(root, ".diagnostics li").textContent;
    assert.match(text, /^Warning DG001 The denominator is zero/);
    assert.match(text, /Cell 3, line 13/);
    assert.match(text, /Remedy: Add the same small number/);
  });

  it("lists assumptions, the method and the notes of the check", async () => {
    const made = report(PLAIN, SMALL);
    const text = one(await draw(made), ".notes").textContent;
    for (const each of [...made.assumptions, made.check.method, ...made.check.notes]) {
      assert.ok(text.includes(each), each);
    }
  });

  it("draws a table of every element of a small array, and no plots of it", async () => {
    const root = await draw(report(PLAIN, SMALL));
    assert.equal(all(root, ".table tbody tr").length, 6);
    assert.match(one(root, ".table .caption").textContent, /All 6 elements/);
    assert.equal(root.querySelector(".plot"), null);
  });

  it("draws plots and the worst elements of a large array", async () => {
    const root = await draw(report(TORCH, ball(1, 64)));
    assert.match(one(root, ".table .caption").textContent, /20 of 4.096 elements, the largest/);
    const [histogram, scatter] = all(root, ".plot");
    assert.match(histogram!.querySelector("desc")!.textContent, /4.096 elements from -/);
    assert.match(scatter!.querySelector("title")!.textContent, /Analytic against numeric/);
    for (const plot of [histogram!, scatter!]) {
      const labels = all<Element>(plot, "svg text").map((t) => t.textContent);
      assert.ok(labels.length >= 6, labels.join(" | "));
      const svg = plot.querySelector("svg")!;
      assert.equal(svg.getAttribute("role"), "img");
      const named = svg.getAttribute("aria-labelledby")!;
      assert.equal(document.getElementById(named)?.localName, "title");
    }
  });

  it("has the numbers of each plot in a table as well", async () => {
    const made = report(TORCH, ball(1, 64));
    const root = await draw(made);
    const tables = all<HTMLDetailsElement>(root, ".as-table");
    for (const each of tables) {
      each.open = true;
      each.dispatchEvent(new document.defaultView!.Event("toggle"));
    }
    const [histogram, scatter] = tables;
    assert.equal(all(histogram!, "tbody tr").length, made.numbers!.histogram!.counts.length);
    assert.equal(all(scatter!, "tbody tr").length, 200);
    assert.match(one(scatter!, ".table > .bar").textContent, /200 of \d+ rows/);
  });

  it("says undefined where there is no number", async () => {
    const root = await draw(undefinedReport());
    assert.match(one(root, ".verdict").textContent, /^Undefined: both masks are empty/);
    assert.equal(one(root, ".loss-value").textContent, "undefined");
    assert.equal(root.querySelector(".plot"), null);
    assert.ok(!root.textContent.includes("NaN (") && !root.textContent.includes("null"));
  });

  it("leaves out what there is nothing of", async () => {
    const made = report(PLAIN, SMALL);
    const { numbers: _, ...rest } = made;
    const bare: Report = {
      ...rest,
      loss: { ...made.loss, value: null },
      gradient: { ...made.gradient, steps: [], shape: null, python: null },
      check: { ...made.check, maxAbsError: null, maxScaledError: null, notes: [], method: "" },
      diagnostics: [],
      symbols: [],
      arrays: [],
      assumptions: [],
    };
    const root = await draw(bare);
    assert.equal(root.querySelector("section"), null);
    assert.equal(root.querySelector(".loss-value"), null);
  });

  it("shows matches, differences and what real autograd said", async () => {
    const made = report(PLAIN, SMALL);
    const root = await draw({
      ...made,
      autograd: {
        library: "PyTorch",
        version: "2.5.1",
        device: "cpu",
        dtype: "float64",
        loss: 0.25,
        verdict: "differs",
        maxAbsError: 0.5,
      },
      matches: [{ name: "MONAI", call: "DiceLoss(batch=True)", exact: true, source: "1.4" }],
      differences: [
        {
          other: "monai.losses.DiceLoss",
          reason: "the target is squared",
          formula: { latex: "g_{i}^{2}", text: "g_i²" },
          share: 0.25,
          lines: [3, 4, 5],
          fix: "square it",
          maxAbsDifference: 1e-3,
          commonFactor: 2,
        },
      ],
    });
    assert.match(one(root, ".measures").textContent, /PyTorch 2.5.1 autogradDiffers, loss 0.25/);
    assert.match(one(root, ".matches").textContent, /equal to DiceLoss\(batch=True\)/);
    const difference = one(root, ".difference-list").textContent;
    assert.match(difference, /25 % of the difference, a common factor of 2/);
    assert.match(difference, /lines 3–5/);
  });

  it("names its sections, and keeps ids unique over several outputs of one document", async () => {
    const host = new Host();
    await host.draw(report(TORCH, ball(3, 16)), "a");
    await host.draw(report(TORCH, ball(3, 16)), "b");
    assertHarmless(document.body);
    for (const part of all(document, "section")) {
      const heading = document.getElementById(part.getAttribute("aria-labelledby")!);
      assert.ok(heading !== null && part.contains(heading) && heading.textContent !== "");
    }
    assert.equal(all(document, "article[aria-label]").length, 2);
  });

  it("draws the same in a workspace that is not trusted", async () => {
    const trusted = await new Host(undefined, true).draw(report(PLAIN, SMALL));
    const restricted = await new Host(undefined, false).draw(report(PLAIN, SMALL));
    assert.equal(restricted.textContent, trusted.textContent);
  });

  it("tells the context menu which report it is, and of what gradient", async () => {
    const drawn = report(TORCH, SMALL);
    const root = await new Host().draw(drawn, "out-7");
    const context = one(root, ".dice-gradient").dataset["vscodeContext"]!;
    assert.deepEqual(JSON.parse(context), {
      webviewSection: "dice-gradient.report",
      preventDefaultContextMenuItems: false,
      reportOutput: "out-7",
      reportKind: "report",
      reportFunction: "dice_loss_torch",
      reportWrt: "logits",
      reports: [{ function: "dice_loss_torch", wrt: "logits", value: drawn.loss.value }],
    });
  });
});
