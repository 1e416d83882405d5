import assert from "node:assert/strict";
import { comparison } from "./fixtures.ts";
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
