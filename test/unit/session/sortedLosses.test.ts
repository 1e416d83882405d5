import assert from "node:assert/strict";
import { join } from "node:path";
import { root } from "../../../scripts/lib/root.mjs";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import type { Comparison, Report } from "../../../src/report/schema.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellOutput } from "../../../src/session/protocol.ts";

const LOSSES = `import torch
import torch.nn.functional as F

def entries(z, y):
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")

def plain(z, y):
    return entries(z, y).mean()

def top(z, y):
    return entries(z, y).topk(480)[0].mean()

def more(z, y):
    return entries(z, y).topk(960)[0].mean()

def total(z, y):
    return entries(z, y).topk(480)[0].sum()

def totalOfMore(z, y):
    return entries(z, y).topk(960)[0].sum()

def ranked(z, y):
    return torch.sort(entries(z, y))[0][-480:].mean()

def lovasz(z, y):
    errors, order = torch.sort(1 - z * (2 * y - 1), descending=True)
    truth = y[order]
    union = truth.sum() + (1 - truth).cumsum(0)
    jaccard = 1 - (truth.sum() - truth.cumsum(0)) / union
    jaccard[1:] = jaccard[1:] - jaccard[:-1]
    return torch.dot(F.relu(errors), jaccard)

def lovaszOfOther(z, y):
    errors, order = torch.sort(1 - z * (2 * y - 1), descending=True)
    truth = y[order]
    union = truth.sum() + (1 - truth).cumsum(0) + 1
    jaccard = 1 - (truth.sum() - truth.cumsum(0)) / union
    jaccard[1:] = jaccard[1:] - jaccard[:-1]
    return torch.dot(F.relu(errors), jaccard)

def neighbours(z, y):
    order = y[:4700].argsort()
    return (z[order] * z[order].flip(0)).sum()

z = 3 * torch.sin(torch.arange(4800) * 1.7)
y = (torch.arange(4800) % 3 == 0).float()
`;

describe("a loss of sorted entries of a large array", function () {
  this.timeout(60_000);
  let session: NotebookSession;

  before(async () => {
    session = new NotebookSession(
      await loadParserFromDisk(),
      filesWith(new ModuleFinder([])),
      join(root, "media/example"),
    );
    run(LOSSES);
  });

  function run(source: string): CellOutput | undefined {
    const outputs: CellOutput[] = [];
    const watch = { onProgress: () => undefined, isCancelled: () => false };
    session.execute({ language: "python", source, file: "Cell" }, (o) => outputs.push(o), watch);
    return outputs.at(-1);
  }

  function report(source: string): Report | Comparison {
    const output = run(source);
    assert.ok(output?.kind === "report", JSON.stringify(output));
    return output.drawn.report;
  }

  /** What a cell fails with. */
  function failure(source: string): string {
    const output = run(source);
    assert.ok(output?.kind === "failure", JSON.stringify(output));
    return `${output.failure.message}\n${output.failure.remedy ?? ""}`;
  }

  for (const name of ["top", "ranked", "lovasz"]) {
    it(`${name}: its gradient is checked, and the report says that the order is these arrays'`, () => {
      const r = report(`${name}(z, y)`) as Report;
      assert.equal(r.check.verdict, "agrees");
      assert.ok(r.assumptions.some((a) => a.includes("formula holds where that stays so")));
    });
  }

  describe("with equal entries", () => {
    before(() => {
      run(`tied = z.clone()
tied[7] = tied[1]
tied[3] = -tied[8]
`);
    });

    it("has no derivative by those whose order it counts, of one class or of two", () => {
      const { check } = report("lovasz(tied, y)") as Report;
      assert.equal(check.verdict, "not-differentiable");
      assert.match(check.sentence, /^at 4 of 4,800 elements, first at \[1\]: equal entries of/);
      assert.match(check.sentence, /at the other 4,796 the gradient agrees/);
    });

    it("has one where it takes all of them or none", () => {
      assert.equal((report("top(tied, y)") as Report).check.verdict, "agrees");
    });

    it("has none where it takes some of them", () => {
      const { check } = report("top(torch.zeros(4800), y)") as Report;
      assert.equal(check.verdict, "not-differentiable");
      assert.match(check.sentence, /^at any element: equal entries of/);
    });
  });

  it("is performed in other number types in the order of exact arithmetic, as is said", () => {
    const { precision } = report("precision(top(z, y))") as Report;
    assert.deepEqual(precision?.rungs.map((r) => r.verdict), ["reference", "fine", "fine", "fine"]); // prettier-ignore
    assert.ok(precision.notes.some((n) => n.includes("in the order of exact arithmetic")));
  });

  it("is the same function as another only as long as the order stays", () => {
    const { pairs } = report("compare(top(z, y), ranked(z, y))") as Comparison;
    assert.equal(pairs[0]!.equal, "exactly");
    assert.match(pairs[0]!.sentence, /the same function .* while the entries keep their order/);
  });

  it("is compared with one that sorts nothing, whose arrays are not those that sorting made", () => {
    for (const call of ["compare(plain(z, y), top(z, y))", "compare(top(z, y), plain(z, y))"]) {
      const { pairs } = report(call) as Comparison;
      assert.notEqual(pairs[0]!.equal, "exactly");
      assert.match(pairs[0]!.sentence, /the largest difference is 0\.\d+/);
    }
  });

  /** Pairs of losses, and what their gradients differ by. */
  const REASONS: readonly (readonly [a: string, b: string, ids: readonly string[]])[] = [
    ["top", "more", ["other-entries", "constant-factor"]],
    ["top", "plain", ["other-entries", "constant-factor"]],
    ["plain", "top", ["constant-factor", "other-entries"]],
    ["total", "totalOfMore", ["other-entries"]],
    ["lovasz", "lovaszOfOther", ["other-constants"]],
  ];

  for (const [a, b, ids] of REASONS) {
    it(`differs by ${ids.join(" and ")}: ${a} and ${b}`, () => {
      const { pairs } = report(`compare(${a}(z, y), ${b}(z, y))`) as Comparison;
      const [pair] = pairs;
      assert.equal(pair!.equal, "no");
      assert.deepEqual(pair!.differences.map((d) => d.id), ids); // prettier-ignore
      const shares = pair!.differences.map((d) => d.share!);
      assert.ok(Math.abs(shares.reduce((x, y) => x + y, 0) - 1) < 1e-9, shares.join());
    });
  }

  it("says at which line which entries are taken, and how many are the same", () => {
    const { pairs } = report("compare(top(z, y), more(z, y))") as Comparison;
    const [chosen] = pairs[0]!.differences;
    assert.match(chosen!.reason, /top takes 480 of 4,800 entries and more 960, of which 480 are/);
    assert.deepEqual(chosen!.lines, [11]);
  });

  it("is not explained by arrays that would have another order", () => {
    assert.match(failure("explain(top(z, y))"), /the order in which topk\(\) puts entries/);
  });

  it("has a gradient by the target too, which flows through running sums", () => {
    for (const arrays of ["z[:600], y[:600]", "z, y"]) {
      const { check } = report(`check(lovasz, ${arrays}, wrt="y")`) as Report;
      assert.equal(check.verdict, "agrees");
    }
  });

  it("shows no numeric gradient of single elements where each moves all that follow", () => {
    const { numbers } = report('check(lovasz, z, y, wrt="y")') as Report;
    assert.deepEqual(
      numbers!.columns.filter((c) => !["rank", "place", "place_2"].includes(c)),
      ["z", "y", "analytic gradient", "analytic ±"],
    );
  });

  it("takes entries of a longer array at the places that sorting found", () => {
    const { check, numbers } = report("check(neighbours(z, y))") as Report;
    assert.equal(check.verdict, "agrees");
    const beyond = numbers!.rows.filter((r) => r.index[0]! >= 4700);
    assert.ok(beyond.every((r) => r.values[numbers!.columns.indexOf("analytic gradient")] === 0));
  });

  it("is explained by few arrays, whose order is part of the formula", () => {
    const { behaviour } = report("explain(top(z[:500], y[:500]))") as Report;
    assert.notEqual(behaviour, undefined);
  });
});
