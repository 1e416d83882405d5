import assert from "node:assert/strict";
import { comparison, explained } from "./fixtures.ts";
import { all, assertHarmless, draw, Host, one, usePage } from "./page.ts";

describe("a comparison", () => {
  usePage();

  const unfold = (details: HTMLDetailsElement): void => {
    details.open = true;
    details.dispatchEvent(new document.defaultView!.Event("toggle"));
  };

  it("has a row a loss with place, value, verdict and gradient", async () => {
    const made = comparison();
    const root = await draw(made);
    const rows = all(root, ".losses tbody tr");
    assert.equal(rows.length, 3);
    rows.forEach((row, k) => {
      const { loss, function: f } = made.reports[k]!;
      assert.ok(row.querySelector("th[scope=row]")!.textContent.startsWith(f.name));
      assert.equal(row.children[1]!.textContent, loss.value!.toPrecision(17));
      assert.equal(row.children[2]!.textContent, "Agrees");
      assert.ok(row.children[3]!.querySelector(".katex math") !== null);
    });
    assert.equal(all(root, ".losses th[scope=col]").length, 4);
  });

  it("says of each pair whether the gradients differ, by how much and why", async () => {
    const made = comparison();
    const root = await draw(made);
    const [first, second] = all(root, ".pair");
    assert.ok(first!.textContent.startsWith(`Different gradients: ${made.pairs[0]!.sentence}`));
    assert.match(first!.textContent, /smoothing of 1e-07 in numerator and denominator/);
    assert.match(
      first!.textContent,
      /100 % of the difference, at most 2.1e-14 an element, line 24/,
    );
    assert.match(first!.textContent, /To make them equal: remove epsilon/);
    // The sentence names neither loss, so the line under it does.
    assert.match(second!.textContent, /dice_loss_smooth and dice_loss_torch$/);
  });

  describe("with named reasons", () => {
    const reasons = (root: HTMLElement): HTMLElement[] => all(root, "ol.reasons > li");

    it("has both formulas with what differs in a box, the share in words, and the fix", async () => {
      const [first, second] = reasons(await draw(explained()));
      assert.equal(first!.querySelector("h4")!.textContent, "Plain or squared sums");
      assert.match(
        first!.querySelector(".share")!.textContent,
        /75 % of the difference, from 70 %/,
      );
      const sides = [...first!.querySelectorAll(".side")];
      assert.deepEqual(
        sides.map((side) => side.querySelector("figcaption")!.textContent),
        ["As it is", "With the fix"],
      );
      for (const side of sides) assert.ok(side.querySelector(".fbox") !== null);
      assert.match(second!.querySelector(".fix")!.textContent, /^Fix: Multiply the loss by 2\./);
    });

    it("gives one factor where there is one, else its range and a histogram when unfolded", async () => {
      const [first, second] = reasons(await draw(explained()));
      assert.match(second!.textContent, /scales the whole gradient: × 2, on any arrays/);
      assert.equal(second!.querySelector("details"), null);
      assert.match(first!.textContent, /× -0\.25\d* to × 2\d*.*the median × 1\.5.*sign of 10 %/);
      const details = first!.querySelector("details")!;
      assert.equal(details.querySelector(".plot svg"), null);
      unfold(details);
      assert.match(details.querySelector("desc")!.textContent, /30 entries from -0\.25 to 2/);
    });

    it("says of a factor that is nearly 1 how far it is from it", async () => {
      const made = explained();
      const [first] = made.pairs[0]!.differences;
      const factor = { kind: "varies", value: 1, least: 1 - 2e-7, most: 1, turned: 0 } as const;
      const pairs = [{ ...made.pairs[0]!, differences: [{ ...first!, factor }] }];
      const [reason] = reasons(await draw({ ...made, pairs }));
      assert.match(
        reason!.textContent,
        /changes each entry of the gradient by at most 2e-7 of itself/,
      );
    });

    it("says in the open that all fixes together were tried", async () => {
      const made = explained();
      const conclusion = one(await draw(made), ".conclusion").textContent;
      assert.match(
        conclusion,
        /^Proved: with all fixes applied the two losses are the same function/,
      );
      const part = { ...made, pairs: [{ ...made.pairs[0]!, complete: false }] };
      assert.match(one(await draw(part), ".conclusion").textContent, /do not explain all/);
    });

    it("opens a line that is clicked, and leaves lines as words where nothing could", async () => {
      const host = new Host(undefined, true, true);
      const root = await host.draw(explained());
      const links = all<HTMLButtonElement>(root, ".reason .line-link");
      assert.deepEqual(
        links.map((link) => link.textContent),
        ["lines 4–5", "line 9"],
      );
      links[1]!.click();
      const { file } = explained().reports[0]!.function;
      assert.deepEqual(host.messages, [{ kind: "open", file, line: 9 }]);
      const alone = await draw(explained());
      assert.equal(alone.querySelector(".line-link"), null);
      assert.equal(one(alone, ".reason .lines").textContent, "lines 4–5, 9");
    });
  });

  it("has another word and icon for each answer", async () => {
    const made = comparison();
    const pairs = (["exactly", "no", "cannot be decided"] as const).map((equal) => ({
      ...made.pairs[1]!,
      equal,
    }));
    const badges = all(await draw({ ...made, pairs }), ".pair .badge");
    assert.deepEqual(
      badges.map((badge) => badge.textContent),
      ["Same gradient", "Different gradients", "Cannot be decided"],
    );
    assert.equal(new Set(badges.map((badge) => badge.innerHTML)).size, 3);
  });

  it("draws each report when it is unfolded, once", async () => {
    const root = await draw(comparison());
    const reports = all<HTMLDetailsElement>(root, "details.folded-report");
    assert.equal(reports.length, 3);
    assert.equal(root.querySelector(".report"), null);
    unfold(reports[1]!);
    unfold(reports[1]!);
    assert.match(one(root, ".report .verdict").textContent, /dice_loss_smooth/);
    assertHarmless(root);
  });

  it("remembers which reports and which of their steps were unfolded", async () => {
    const host = new Host();
    const root = await host.draw(comparison(), "c");
    const reports = all<HTMLDetailsElement>(root, "details.folded-report");
    unfold(reports[2]!);
    unfold(all<HTMLDetailsElement>(reports[2]!, "details.step")[1]!);
    const again = await new Host(host.state).draw(comparison(), "c");
    const open = all<HTMLDetailsElement>(again, "details[open]");
    assert.equal(open.length, 2);
    assert.match(open[0]!.querySelector("summary")!.textContent, /dice_loss_torch/);
    assert.equal(open[1]!.querySelector(".step-number")!.textContent, "2");
  });

  it("of losses that are not there is refused", async () => {
    const made = comparison();
    const root = await draw({ ...made, pairs: [{ ...made.pairs[0], b: 3 }] });
    assert.match(one(root, ".problem").textContent, /names a report that is not there/);
  });

  it("of nothing is drawn", async () => {
    const root = await draw({ ...comparison(), reports: [], pairs: [] });
    assert.equal(all(root, ".losses tbody tr").length, 0);
  });
});
