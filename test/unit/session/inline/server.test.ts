import assert from "node:assert/strict";
import { loadParserFromDisk } from "../../../../src/python/parser.node.ts";
import type { PythonParser } from "../../../../src/python/parser.ts";
import { summaryInFile } from "../../../../src/session/arrays/fileSummary.node.ts";
import { filesFor } from "../../../../src/session/files.node.ts";
import type { InlineResponse } from "../../../../src/session/inline/protocol.ts";
import { readHeaderFile } from "../../../../src/arrays/loadArray.node.ts";
import { InlineServer } from "../../../../src/session/inline/server.ts";

const loss = (name: string, factor = 1): string =>
  `def ${name}(y_true, y_pred):\n    return 1 - ${String(factor)} * (y_true * y_pred).sum()\n`;

describe("the worker behind hovers and lenses", () => {
  let parser: PythonParser;
  before(async () => {
    parser = await loadParserFromDisk();
  });

  interface Talk {
    readonly server: InlineServer;
    readonly update: (document: string, version: number, text: string) => void;
    /** What was said since the last question, shortly. */
    readonly said: () => string[];
    waiting: boolean;
  }

  function started(): Talk {
    const responses: InlineResponse[] = [];
    const talk: Talk = {
      waiting: false,
      server: new InlineServer({
        arrayFiles: { header: readHeaderFile, summary: summaryInFile },
        parser,
        filesFor,
        send: (r) => responses.push(r),
        isWaiting: (): boolean => talk.waiting,
      }),
      update: (document: string, version: number, text: string): void => {
        talk.server.handle({
          kind: "update",
          document,
          version,
          directory: "/nowhere",
          parts: [{ file: "a.py", text }],
          shapes: {},
          python: null,
        });
      },
      said: (): string[] =>
        responses.splice(0).map((r) => {
          if (r.kind === "outline") return `outline ${r.candidates.map((c) => c.name).join(" ")}`;
          if (r.kind === "nearest") {
            const first = r.losses[0];
            const nearest = first === undefined ? "none" : `${first.call} ${first.differences}`;
            return `${r.complete ? "nearest" : "nearer"} ${nearest}`;
          }
          if (r.kind !== "derived") return r.kind;
          const { result } = r;
          const found = result.kind === "derived" ? result.report.diagnostics : result.findings;
          const rules = found.map((d) => d.code).filter((code) => code === "DG016");
          return [r.name, result.kind, ...rules].join(" ");
        }),
    };
    return talk;
  }

  it("gives the outline at once, then one loss a step, what is called a loss first", () => {
    const { server, update, said } = started();
    update("a", 1, `${loss("blend")}\n${loss("dice_loss")}`);
    assert.deepEqual(said(), ["outline blend dice_loss"]);
    assert.equal(server.step(), true);
    assert.deepEqual(said(), ["dice_loss derived"]);
    server.step();
    assert.deepEqual(said(), ["blend derived", "idle"]);
  });

  it("asks what takes longer, as whether a loss is what its name says, when all is derived", () => {
    const { server, update, said } = started();
    const iou = `import numpy as np
def dice_loss(y_true, y_pred):
    both = np.sum(y_true * y_pred)
    return 1 - (both + 1) / (np.sum(y_true) + np.sum(y_pred) - both + 1)
`;
    update("a", 1, iou);
    server.step();
    assert.deepEqual(said(), ["outline dice_loss", "dice_loss derived", "idle"]);
    assert.equal(server.step(), false);
    assert.deepEqual(said(), ["dice_loss derived DG016"]);
    update("a", 2, `# elsewhere\n\n${iou}`);
    assert.equal(server.step(), false);
    assert.deepEqual(said(), ["outline dice_loss", "dice_loss derived DG016", "idle"]);
    update("a", 3, iou.replace("dice_loss", "iou_loss"));
    while (server.step());
    assert.deepEqual(said(), ["outline iou_loss", "iou_loss derived", "idle"]);
  });

  it("derives what someone waits for before everything else, in any document", () => {
    const { server, update, said } = started();
    update("a", 1, [1, 2, 3].map((k) => loss(`dice_loss_${String(k)}`)).join("\n"));
    update("b", 2, loss("iou_loss"));
    said();
    server.handle({ kind: "prefer", document: "a", name: "dice_loss_3" });
    server.step();
    assert.deepEqual(said(), ["dice_loss_3 derived"]);
  });

  it("repeats what it knows for a new text, and derives only what has changed", () => {
    const { server, update, said } = started();
    update("a", 1, `${loss("dice_loss")}\n${loss("iou_loss")}`);
    while (server.step());
    said();
    update("a", 2, `${loss("dice_loss", 2)}\n${loss("iou_loss")}`);
    assert.deepEqual(said(), ["outline dice_loss iou_loss", "iou_loss derived"]);
    server.step();
    assert.deepEqual(said(), ["dice_loss derived", "idle"]);
  });

  it("forgets a document that is closed", () => {
    const { server, update, said } = started();
    update("a", 1, loss("dice_loss"));
    server.handle({ kind: "close", document: "a" });
    assert.equal(server.step(), false);
    assert.deepEqual(said(), ["outline dice_loss"]);
  });

  describe("asked for the nearest catalogue losses", () => {
    const DICE = `import numpy as np
def dice_loss(y_true, y_pred):
    return 1 - 2 * np.sum(y_true * y_pred) / (np.sum(y_true) + np.sum(y_pred))
`;
    const nearest = { kind: "nearest", document: "a", name: "dice_loss" } as const;

    it("derives first, then looks through the catalogue step by step", () => {
      const { server, update, said } = started();
      update("a", 1, DICE);
      server.handle(nearest);
      server.step();
      assert.deepEqual(said(), ["outline dice_loss", "dice_loss derived", "idle"]);
      let steps = 0;
      while (server.step()) steps++;
      assert.ok(steps > 20, "other work fits between");
      assert.equal(said().at(-1), "nearest papers.dice() 0");
    });

    it("says at once that a loss of no such family is near to none", () => {
      const { server, update, said } = started();
      update("a", 1, "def dice_loss(y_true, y_pred):\n    return (y_true - y_pred).abs().sum()\n");
      server.handle(nearest);
      while (server.step());
      assert.equal(said().at(-1), "nearest none");
    });

    it("says so too of what cannot be derived, and of a document that is not there", () => {
      const { server, update, said } = started();
      server.handle(nearest);
      while (server.step());
      assert.deepEqual(said(), ["nearest none"]);
      update("a", 1, "def dice_loss(y_true, y_pred):\n    return nothing\n");
      server.handle(nearest);
      while (server.step());
      assert.equal(said().at(-1), "nearest none");
    });

    it("stops when nobody waits any more", () => {
      const { server, update, said } = started();
      update("a", 1, DICE);
      server.handle(nearest);
      while (!said().includes("idle")) server.step();
      server.handle({ kind: "no-nearest" });
      assert.equal(server.step(), false);
      assert.deepEqual(said(), []);
    });
  });

  it("gives the whole catalogue, and reads a call that is being typed", () => {
    const { server, said } = started();
    server.handle({ kind: "catalogue" });
    server.handle({ kind: "read-call", text: "monai.losses.DiceLoss(" });
    assert.deepEqual(said(), ["catalogue", "read-call"]);
  });

  it("leaves a long derivation for a newer text, and takes it up again", () => {
    const talk = started();
    const slow = `def dice_loss(y_true, y_pred):\n    n = 0\n    while n < 400000:\n        n += 1\n    return 1 - (y_true * y_pred).sum()\n`;
    talk.update("a", 1, slow);
    talk.waiting = true;
    assert.equal(talk.server.step(), true);
    talk.waiting = false;
    while (talk.server.step());
    assert.deepEqual(talk.said(), ["outline dice_loss", "dice_loss derived", "idle"]);
  });
});
