import assert from "node:assert/strict";
import { HOVER_LIMIT, failureText, reportText } from "../../../src/editor/inline/hoverText.ts";
import type { Report } from "../../../src/report/schema.ts";
import { inspectFile } from "../../../src/session/jobs.node.ts";

const LINK = {
  title: "Full report",
  command: "dice-gradient.deriveGradient",
  argument: { uri: "file:///a (1).py", name: "dice" },
  tooltip: "all of it",
};
const OPTIONS = { asText: false, isStale: false };

async function reportOf(source: string): Promise<Report> {
  const [first] = await inspectFile({
    source,
    file: "a.py",
    callable: null,
    values: [],
    wrt: null,
    directory: "/nowhere",
  });
  assert.ok(first !== undefined && "inspection" in first);
  return first.inspection.report;
}

describe("the text of a hover", () => {
  let report: Report;
  before(async () => {
    report = await reportOf(
      "import torch\ndef dice(logits, target):\n    p = torch.sigmoid(logits)\n    return 1 - 2 * (p * target).sum() / (p.sum() + target.sum())\n",
    );
  });

  /** The formulas that were asked for, and the text with pictures of that many characters. */
  async function written(
    size: number | null,
    options = OPTIONS,
  ): Promise<{ text: string; asked: string[] }> {
    const asked: string[] = [];
    const draw = (latex: string): Promise<string | null> => {
      asked.push(latex);
      return Promise.resolve(size === null ? null : "x".repeat(size));
    };
    return { text: await reportText(report, [LINK], draw, options), asked };
  }

  it("defines what the gradient is written in, and nothing else", async () => {
    const { asked } = await written(10);
    assert.equal(asked.length, 3);
    const names = [...asked[2]!.matchAll(/(?:^|& |quad )(\S+) = /g)].map((m) => m[1]);
    assert.deepEqual(names, ["p_{i}", "I", "P", "G"]);
  });

  it("describes each picture by the formula's text", async () => {
    const { text } = await written(10);
    const alternatives = [...text.matchAll(/!\[(.*?)\]\(data:/g)].map((m) => m[1]!);
    assert.match(alternatives[0]!, /^L = 1 − /);
    assert.match(alternatives[1]!, /^∂L\/∂z/);
  });

  it("leaves out the loss, then the definitions, then every picture, to stay within the limit", async () => {
    const counts: [number | null, number][] = [
      [10_000, 3],
      [28_000, 2],
      [60_000, 1],
      [80_000, 0],
      [null, 0],
    ];
    for (const [size, pictures] of counts) {
      const { text } = await written(size);
      assert.equal(text.match(/data:image/g)?.length ?? 0, pictures, String(size));
      assert.ok(text.length <= HOVER_LIMIT);
      if (pictures < 3) assert.match(text, /full report has all of it/);
      if (pictures === 0) assert.match(text, /```text\n∂L\/∂z/);
    }
  });

  it("writes the formulas out for readers of text", async () => {
    assert.match((await written(10, { asText: true, isStale: false })).text, /```text\nL = 1/);
  });

  it("links to commands with their argument, whatever is in it", async () => {
    const { text } = await written(10);
    const query = /\(command:dice-gradient\.deriveGradient\?([^ )]*) "all of it"\)/.exec(text)![1]!;
    assert.deepEqual(JSON.parse(decodeURIComponent(query)), [LINK.argument]);
  });

  it("lets nothing in names and messages act as Markdown", () => {
    const failure = {
      name: "Not traceable",
      message: "[click](command:evil) <img src=x> $(icon) ![p](http://a.b)",
      file: "a.py",
      line: 3,
      column: 1,
      caretText: "x = ```\n^",
      remedy: "use *this*",
    };
    const text = failureText("dice", failure, []);
    assert.doesNotMatch(text, /(?<!\\)\]\(/);
    assert.doesNotMatch(text, /<img|\$\(icon\)/);
    assert.match(text, /use \\\*this\\\*/);
    assert.equal(text.match(/```/g)?.length, 2);
  });
});
