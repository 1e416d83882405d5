import assert from "node:assert/strict";
import { toFloat64 } from "../../../../src/arrays/ndarray.ts";
import { tableArrays } from "../../../../src/session/arrays/table.ts";
import type { TextRange, WrittenArray } from "../../../../src/session/arrays/protocol.ts";

const NAMED = "case,y_true,y_pred\na,1,0.9\nb,0,0.2\nc,1,0.4\n";
const BARE = "0.1,0.2,0.3\n0.4,0.5,0.6\n0.7,0.8,0.9\n";

const valuesOf = ({ value }: WrittenArray): number[] =>
  value.kind === "elements" ? [...toFloat64(value.array)] : [];
const cursor = (text: string, before: string): TextRange => {
  const start = text.indexOf(before);
  return { start, end: start };
};

describe("arrays of an open table", () => {
  it("are the column under the cursor, and the other columns of numbers", () => {
    const { found, others } = tableArrays(NAMED, "cases.csv", [cursor(NAMED, "0.2")]);
    assert.deepEqual(
      found.map((x) => [x.name, valuesOf(x)]),
      [["y_pred", [0.9, 0.2, 0.4]]],
    );
    assert.deepEqual(
      others.map((x) => x.name),
      ["y_true"],
    );
  });

  it("are the whole table where columns have no names", () => {
    const { found } = tableArrays(BARE, "p.csv", [cursor(BARE, "0.5")]);
    assert.deepEqual(found[0]!.shape, [3, 3]);
  });

  it("are the selected rows, and the selected columns as one block", () => {
    const rows = { start: BARE.indexOf("0.4"), end: BARE.length };
    assert.deepEqual(tableArrays(BARE, "p.csv", [rows]).found[0]!.shape, [2, 3]);
    const pieces = ["0.2,0.3", "0.5,0.6", "0.8,0.9"].map((piece) => {
      const start = BARE.indexOf(piece);
      return { start, end: start + piece.length };
    });
    const { found } = tableArrays(BARE, "p.csv", pieces);
    assert.deepEqual(
      found.map((x) => [x.shape, valuesOf(x)]),
      [
        [
          [3, 2],
          [0.2, 0.3, 0.5, 0.6, 0.8, 0.9],
        ],
      ],
    );
  });

  it("are several where selections lie apart", () => {
    const first = { start: 0, end: 11 };
    const last = { start: BARE.indexOf("0.7"), end: BARE.length - 1 };
    assert.equal(tableArrays(BARE, "p.csv", [first, last]).found.length, 2);
  });

  it("names the line of what is no number", () => {
    const range = { start: NAMED.indexOf("a,1"), end: NAMED.length };
    assert.throws(
      () => tableArrays(NAMED, "cases.csv", [range]),
      /not a number|no line of numbers/,
    );
    const cell = cursor(NAMED, "b,0");
    assert.throws(
      () => tableArrays(NAMED, "cases.csv", [cell]),
      (e: { describe(): string }) => e.describe().includes("cases.csv:2:1"),
    );
  });
});
