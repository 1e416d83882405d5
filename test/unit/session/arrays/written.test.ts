import assert from "node:assert/strict";
import { ArrayError } from "../../../../src/arrays/ndarray.ts";
import type { PythonParser } from "../../../../src/python/parser.ts";
import { loadParserFromDisk } from "../../../../src/python/parser.node.ts";
import { WrittenArrays } from "../../../../src/session/arrays/written.ts";
import type { WrittenArray } from "../../../../src/session/arrays/protocol.ts";

describe("the array that the cursor is in", () => {
  let parser: PythonParser;
  before(async () => {
    parser = await loadParserFromDisk();
  });

  /** Of a text with `|` for the cursor, or two of them around a selection. */
  function at(marked: string, file = "a.py"): WrittenArray {
    const start = marked.indexOf("|");
    const end = marked.indexOf("|", start + 1);
    const text = marked.replaceAll("|", "");
    const range = { start, end: end < 0 ? start : end - 1 };
    return new WrittenArrays(parser, text, file).at(range);
  }
  function textOf(a: WrittenArray): string {
    if (a.value.kind !== "expression") assert.fail(`it has ${a.value.kind}`);
    return a.value.text;
  }
  function refusal(marked: string): string {
    try {
      at(marked);
    } catch (e) {
      if (e instanceof ArrayError) return e.describe();
      throw e;
    }
    return assert.fail("an array was found");
  }

  it("is the whole of a nested list, wherever in it the cursor stands", () => {
    for (const text of [
      "y_pred = [[0.1, 0.9], [0.8, 0.|2]]",
      "y_pred = |[[0.1, 0.9], [0.8, 0.2]]",
      "y_pred = [[0.1, 0.9], [0.8, 0.2]]|",
      "y_p|red = [[0.1, 0.9], [0.8, 0.2]]",
    ]) {
      const found = at(text);
      assert.deepEqual([found.name, found.shape, found.dtype], ["y_pred", [2, 2], "float64"], text);
    }
  });

  it("is the call around the list, with the methods after it", () => {
    const found = at(
      "import torch\np = torch.tensor([0.1|, 0.9], dtype=torch.float16).reshape(2, 1)",
    );
    assert.equal(textOf(found), "torch.tensor([0.1, 0.9], dtype=torch.float16).reshape(2, 1)");
    assert.deepEqual(
      [found.name, found.shape, found.dtype, found.line],
      ["p", [2, 1], "float16", 2],
    );
  });

  it("is one of several calls in a list or an argument list, by its keyword", () => {
    assert.equal(
      textOf(at("all = [np.array([1.|0, 2.0]), np.array([3.0])]")),
      "np.array([1.0, 2.0])",
    );
    const found = at("dice(np.array([0, 1]), y_pred=np.array([0.|5, 0.5]))");
    assert.deepEqual([found.name, textOf(found)], ["y_pred", "np.array([0.5, 0.5])"]);
  });

  it("is what the name under the cursor was assigned last", () => {
    const found = at("p = np.array([1.0])\np = np.array([2.0, 3.0])\ndice(|p)\np = 5");
    assert.equal(textOf(found), "np.array([2.0, 3.0])");
  });

  it("is found in functions, in the values of keys, and beside code that cannot be read", () => {
    assert.equal(at("def f():\n    mask = np.array([[0, |1]])\n").name, "mask");
    assert.equal(at('{"pred": [0.1, 0.|9], "target": [0, 1]}', "a.json").name, "pred");
    assert.equal(at("def broken(:\n    pass\n\nmask = np.array([0, |1])").name, "mask");
  });

  it("is the file that a call loads", () => {
    const { value, name } = at('p = np.load("case|.npz")["prob"]');
    assert.deepEqual(value, { kind: "load", path: "case.npz", member: "prob" });
    assert.equal(name, "p");
  });

  it("is what is selected, with or without its name", () => {
    assert.deepEqual(at("x = |[[1, 2], [3, 4]]|").shape, [2, 2]);
    const found = at("|y_true = np.array([0, 1])|\n");
    assert.deepEqual([found.name, textOf(found)], ["y_true", "np.array([0, 1])"]);
    assert.deepEqual(at("x = [[1, 2], |[3, 4, 5]|]").shape, [3]);
    const json = at('{ |"mask": [0, 1, 1],| }', "a.json");
    assert.deepEqual([json.name, json.shape], ["mask", [3]]);
  });

  it("keeps the elements of what is long, or is no text that a cell could run", () => {
    assert.equal(at(`x = np.array([${"0.5, ".repeat(300)}|])`).value.kind, "elements");
    assert.equal(at("[true, |false]", "a.json").value.kind, "elements");
    assert.equal(at("x = [0.|5]").value.kind, "elements");
  });

  it("has words for what is no array", () => {
    assert.match(refusal("x = np.array([[1, 2], [3|]])"), /^a\.py:1:\d+: .*\n?/);
    assert.match(refusal("x = [[1, 2], [3|]]"), /row|length|ragged/i);
    assert.match(refusal('x = [1, "a"|]'), /a/);
    assert.match(refusal("x = 5\n|\n"), /no array at the cursor[^]*np\.array/);
    assert.match(refusal("dice(y_|pred)"), /y_pred is no array/);
    assert.match(refusal("x = np.array(np.random.rand(2, 2)|)"), /other numbers on every run/);
  });

  it("leaves the other named arrays of the document to be chosen from", () => {
    const text = "a = np.array([1.0, 2.0])\nb = [0, 1]\nc = 5\nd = np.zeros(3)\n";
    const arrays = new WrittenArrays(parser, text, "a.py");
    const found = arrays.at({ start: text.indexOf("1.0"), end: text.indexOf("1.0") });
    assert.deepEqual(
      arrays.others([found]).map((x) => x.name),
      ["b", "d"],
    );
  });
});
