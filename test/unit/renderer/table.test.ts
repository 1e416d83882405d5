import assert from "node:assert/strict";
import { columnFormat, formatCount, formatNumber } from "../../../src/renderer/format.ts";
import { sortRows } from "../../../src/renderer/table.ts";
import { linearTicks, logTicks } from "../../../src/renderer/ticks.ts";
import { PLAIN, report, SMALL } from "./fixtures.ts";
import { all, announced, buttonNamed, draw, one, usePage } from "./page.ts";

/** A report whose table has this many rows; every third error is missing. */
function rowsOf(count: number): unknown {
  const made = report(PLAIN, SMALL);
  const rows = Array.from({ length: count }, (_, k) => ({
    index: [Math.floor(k / 100), k % 100],
    values: [k % 7, k % 3 === 0 ? null : -k],
  }));
  const numbers = { ...made.numbers!, columns: ["p", "error"], rows, total: count };
  return { ...made, numbers };
}

const column = (root: HTMLElement, k: number): string[] =>
  all(root, `.table tbody tr > :nth-child(${k})`).map((cell) => cell.textContent);

describe("the table of elements", () => {
  usePage();

  it("has a scoped head for each column and each row, and a caption", async () => {
    const root = await draw(report(PLAIN, SMALL));
    const table = one(root, ".table table");
    assert.deepEqual(
      all(table, "thead th[scope=col]").map((th) => th.textContent),
      [
        "index",
        "y_pred",
        "y_true",
        "analytic gradient",
        "analytic ±",
        "numeric gradient",
        "numeric ±",
        "error",
      ],
    );
    assert.equal(all(table, "tbody th[scope=row]").length, 6);
    const caption = document.getElementById(table.getAttribute("aria-labelledby")!);
    assert.equal(caption?.textContent, "All 6 elements");
  });

  it("sorts by a column with a button: upwards, downwards, and back", async () => {
    const root = await draw(report(PLAIN, SMALL));
    const head = buttonNamed(root, "y_pred").closest("th")!;
    const original = column(root, 2);
    // A button of the page is what Tab reaches and Enter presses.
    buttonNamed(root, "y_pred").focus();
    assert.equal(document.activeElement, buttonNamed(root, "y_pred"));
    const press = (): void => {
      (document.activeElement as HTMLButtonElement).click();
    };
    press();
    assert.equal(head.getAttribute("aria-sort"), "ascending");
    assert.deepEqual(column(root, 2), original.toSorted());
    assert.equal(announced(root), "Sorted by y_pred, smallest first");
    press();
    assert.equal(head.getAttribute("aria-sort"), "descending");
    assert.deepEqual(column(root, 2), original.toSorted().toReversed());
    press();
    assert.equal(head.getAttribute("aria-sort"), "none");
    assert.deepEqual(column(root, 2), original);
  });

  it("sorts by one column at a time", async () => {
    const root = await draw(report(PLAIN, SMALL));
    buttonNamed(root, "y_pred").click();
    buttonNamed(root, "index").click();
    assert.deepEqual(
      all(root, ".table thead th").map((th) => th.getAttribute("aria-sort")),
      ["ascending", ...new Array<string>(7).fill("none")],
    );
    assert.equal(column(root, 1)[0], "[0, 0]");
  });

  it("puts what has no number last in both directions", async () => {
    const root = await draw(rowsOf(9));
    for (const _ of ["ascending", "descending"]) {
      buttonNamed(root, "error").click();
      assert.deepEqual(column(root, 3).slice(-3), ["undefined", "undefined", "undefined"]);
    }
  });

  it("draws 200 rows at once, and more when asked", async () => {
    const root = await draw(rowsOf(450));
    assert.equal(column(root, 1).length, 200);
    const more = buttonNamed(root, "Show more");
    more.click();
    assert.equal(column(root, 1).length, 400);
    assert.equal(announced(root), "400 of 450 rows shown");
    more.click();
    assert.equal(column(root, 1).length, 450);
    assert.ok(more.closest<HTMLElement>(".bar")!.hidden);
  });

  it("sorts all rows, not only those drawn", async () => {
    const root = await draw(rowsOf(450));
    buttonNamed(root, "error").click();
    assert.equal(column(root, 3)[0], "-449");
    assert.equal(column(root, 3).length, 200);
  });

  it("offers no more rows when all are drawn", async () => {
    const root = await draw(report(PLAIN, SMALL));
    assert.ok(one(root, ".table > .bar").hidden);
  });

  it("points out the row that is off by most rounding units", async () => {
    const made = report(PLAIN, SMALL);
    const root = await draw(made);
    const row = one(root, "tr.marked");
    assert.match(
      row.textContent,
      new RegExp(`^\\[${made.check.worst!.index.join(", ")}\\]most rounding units`),
    );
  });

  it("scrolls in a region that the keyboard reaches", async () => {
    const region = one(await draw(report(PLAIN, SMALL)), ".table-scroll[tabindex]");
    assert.equal(region.getAttribute("role"), "region");
    assert.notEqual(region.getAttribute("aria-labelledby"), null);
  });
});

describe("sorting rows", () => {
  it("compares indices number by number", () => {
    const rows = [[10, 0], [2, 11], [2, 9], [2]].map((index) => ({ index, values: [] }));
    assert.deepEqual(
      sortRows(rows, { column: -1, descending: false }).map((r) => r.index),
      [[2], [2, 9], [2, 11], [10, 0]],
    );
  });

  it("keeps equal rows in their order, and the given rows as they are", () => {
    const rows = [3, 1, 2].map((k) => ({ index: [k], values: [0] }));
    assert.deepEqual(sortRows(rows, { column: 0, descending: true }), rows);
    sortRows(rows, { column: -1, descending: false });
    assert.deepEqual(
      rows.map((r) => r.index[0]),
      [3, 1, 2],
    );
  });
});

describe("numbers in words", () => {
  it("are written with as many digits as asked, and no zeros behind", () => {
    assert.equal(formatNumber(0.5, 17), "0.5");
    assert.equal(formatNumber(0.1, 17), "0.10000000000000001");
    assert.equal(formatNumber(-0.000012345678, 3), "-1.23e-5");
    assert.equal(formatNumber(1e21, 3), "1e21");
    assert.equal(formatNumber(1200, 2), "1200");
    assert.equal(formatNumber(1234.5, 2), "1.2e3");
    assert.equal(formatNumber(0, 6), "0");
    assert.equal(formatNumber(null), "undefined");
    assert.equal(formatCount(1234567), "1\u202f234\u202f567");
    assert.equal(formatCount(123), "123");
  });

  it("are read back as the same number at 17 digits", () => {
    for (const x of [1 / 3, -2 / 7, 5e-324, 1.7976931348623157e308, 1e-7, 123456.789]) {
      assert.equal(Number(formatNumber(x, 17)), x);
    }
  });

  it("are written alike within a column", () => {
    const format = columnFormat([0.25, -12.5, 0, null]);
    assert.deepEqual([0.25, -12.5, 0, null].map(format), [
      "0.25000",
      "-12.50000",
      "0",
      "undefined",
    ]);
    assert.deepEqual([1, 0, -3].map(columnFormat([1, 0, -3])), ["1", "0", "-3"]);
    assert.equal(columnFormat([1e-9, 2.345e-9])(1e-9), "1.00000e-9");
    assert.equal(columnFormat([])(null), "undefined");
  });

  it("have two digits where none in the column has more, as bounds", () => {
    assert.deepEqual([5.4e-17, 1e-16].map(columnFormat([5.4e-17, 1e-16])), ["5.4e-17", "1.0e-16"]);
  });

  it("keep their digits when others in the column are much larger", () => {
    assert.equal(columnFormat([0.9, 1.25e-12])(1.25e-12), "1.25000e-12");
  });
});

describe("axes", () => {
  it("have round numbers, and no exponents in them", () => {
    const axis = linearTicks(-5.3e-5, 3.9e-5, 5);
    assert.deepEqual(
      axis.ticks.map((t) => t.label),
      ["\u22124", "\u22122", "0", "2"],
    );
    assert.equal(axis.exponent, -5);
    assert.deepEqual(
      linearTicks(0, 3, 4).ticks.map((t) => t.label),
      ["0", "1", "2", "3"],
    );
  });

  it("survive ranges without extent, beyond all bounds, and too fine to be written", () => {
    const ranges = [
      [0, 0],
      [5, 5],
      [-1e308, 1e308],
      [NaN, 1],
      [Infinity, -Infinity],
      [1, 1 + 2e-16],
      [1e16, 1e16 + 2],
      [-5e-324, 5e-324],
    ] as const;
    for (const [low, high] of ranges) {
      const axis = linearTicks(low, high, 5);
      assert.ok(axis.low < axis.high, `${low}…${high}`);
      assert.ok(axis.ticks.length < 25);
      const labels = axis.ticks.map((t) => t.label);
      assert.ok(!labels.some((label) => /NaN|Infinity/.test(label)), labels.join(" "));
    }
  });

  it("for counts that span decades has powers of ten", () => {
    assert.deepEqual(
      logTicks(373_248).ticks.map((t) => t.label),
      ["1", "100", "10⁴"],
    );
  });
});
