import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npyHeaderBytes, writeNpy } from "../../../src/arrays/npy.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import type { Comparison, Report } from "../../../src/report/schema.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellOutput, Failure } from "../../../src/session/protocol.ts";

const DICE = `
import numpy as np
def dice(y_true, y_pred, epsilon=1e-7):
    total = np.sum(y_true) + np.sum(y_pred)
    return 1 - (2 * np.sum(y_true * y_pred) + epsilon) / (total + epsilon)
t = np.load("t.npy")
p = np.load("p.npy")
`;

describe("arrays that are too large for memory, in cells", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-large-"));
  const shape = [3, 40, 5];
  const scores = Float32Array.from({ length: 600 }, (_, k) => 0.5 + 0.4 * Math.sin(k * k));
  const mask = Uint8Array.from(scores, (v, k) => (v + 0.2 * Math.cos(k) > 0.6 ? 1 : 0));
  let large: NotebookSession;
  let small: NotebookSession;

  before(async () => {
    writeFileSync(join(folder, "p.npy"), writeNpy({ dtype: "float32", shape, data: scores }));
    writeFileSync(join(folder, "t.npy"), writeNpy({ dtype: "uint8", shape, data: mask }));
    const one = Float32Array.from(scores, (_, k) => (k === 7 ? 1 : 0));
    writeFileSync(
      join(folder, "nearly_empty.npy"),
      writeNpy({ dtype: "float32", shape, data: one }),
    );
    const parser = await loadParserFromDisk();
    large = new NotebookSession(parser, filesWith(new ModuleFinder([]), 500), folder);
    small = new NotebookSession(parser, filesWith(new ModuleFinder([])), folder);
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function run(session: NotebookSession, source: string, isCancelled = (): boolean => false) {
    const outputs: CellOutput[] = [];
    const said: string[] = [];
    const watch = {
      onProgress: (_: number | null, what: string) => {
        said.push(what);
      },
      isCancelled,
    };
    session.execute({ language: "python", source, file: "Cell 1" }, (o) => outputs.push(o), watch);
    return { outputs, said };
  }

  function report(session: NotebookSession, source: string): Report {
    const [only] = run(session, source).outputs;
    assert.ok(only?.kind === "report", JSON.stringify(only));
    return only.drawn.report as Report;
  }

  function failure(source: string): Failure {
    const [only] = run(large, source).outputs;
    assert.ok(only?.kind === "failure", JSON.stringify(only));
    assert.notEqual(only.failure.name, "Internal error", only.failure.message);
    return only.failure;
  }

  it("are read part by part: the loss's value, and a check along the gradient", () => {
    const streamed = report(large, `${DICE}dice(t, p)`);
    const whole = report(small, `${DICE}dice(t, p)`);
    assert.equal(streamed.check.verdict, "agrees", streamed.check.sentence);
    assert.match(streamed.check.method, /from the files/);
    assert.ok(Math.abs(streamed.loss.value! - whole.loss.value!) < 1e-15);
    // Its bound is that of the same loss in memory, and the value keeps to it.
    assert.equal(streamed.loss.error, whole.loss.error);
    assert.equal(streamed.gradient.latex, whole.gradient.latex);
    assert.ok(
      streamed.assumptions.includes(
        "arrays are read part by part from their files: y_true (3, 40, 5), y_pred (3, 40, 5)",
      ),
      streamed.assumptions.join("\n"),
    );
  });

  it("agree where the loss bends within a step: beside empty masks", () => {
    const { check } = report(
      large,
      `${DICE}
def per_sample(y_true, y_pred, epsilon=1e-6):
    total = np.sum(y_true, axis=(1, 2)) + np.sum(y_pred, axis=(1, 2))
    return 1 - np.mean((2 * np.sum(y_true * y_pred, axis=(1, 2)) + epsilon) / (total + epsilon))
e = np.load("nearly_empty.npy")
per_sample(e, e)`,
    );
    assert.equal(check.verdict, "agrees", check.sentence);
    assert.match(check.method, /1[26] evaluations from the files/);
  });

  it("stand beside arrays that are in memory", () => {
    const { check, loss } = report(large, `${DICE}dice(np.ones((3, 40, 5)), p)`);
    assert.equal(check.verdict, "agrees");
    const whole = report(small, `${DICE}dice(np.ones((3, 40, 5)), p)`);
    assert.ok(Math.abs(loss.value! - whole.loss.value!) < 1e-15);
  });

  it("are derived and compared as functions", () => {
    const source = `${DICE}
def half(y_true, y_pred):
    return 0.5 * dice(y_true, y_pred)
compare(dice(t, p), half(t, p))`;
    const comparison = report(large, source) as unknown as Comparison;
    assert.deepEqual(
      comparison.reports.map((r) => r.check.verdict),
      ["agrees", "agrees"],
    );
  });

  for (const [what, call] of [
    ["scaled", "dice(t, p / 2)"],
    ["given another axis", "dice(t[None], p[None])"],
    ["cropped and converted", "dice(t[:2, 1:, 0], p.astype(np.float64)[:2, 1:, 0])"],
    ["put together from several", "dice(t[0] * t[1], p[0] * p[1] * np.full((40, 5), 0.5))"],
    ["divided by their largest entry", "dice(t, p / p.max())"],
  ] as const) {
    it(`are computed with on the way: ${what}`, () => {
      const [streamed, whole] = [large, small].map((s) => report(s, DICE + call)) as [
        Report,
        Report,
      ];
      assert.equal(streamed.check.verdict, "agrees", streamed.check.sentence);
      // In memory, what is computed is rounded to float32.
      assert.ok(Math.abs(streamed.loss.value! - whole.loss.value!) < 1e-7);
      assert.equal(streamed.gradient.latex, whole.gradient.latex);
      assert.ok(streamed.assumptions.includes("y_pred is computed on the way, in float64"));
    });
  }

  it("may be gone through in another order than they lie in", () => {
    const source = `${DICE}
def turned(y_true, y_pred):
    return np.sum(np.transpose(y_pred) ** 2 * np.reshape(y_true, (5, 40, 3)))
turned(t, p)`;
    const [streamed, whole] = [large, small].map((s) => report(s, source)) as [Report, Report];
    assert.equal(streamed.check.verdict, "agrees", streamed.check.sentence);
    assert.ok(Math.abs(streamed.loss.value! - whole.loss.value!) < 1e-12);
  });

  it("are compared as functions without arrays of their size being made up", () => {
    const n = 6_000_000;
    for (const [name, dtype, bytes] of [
      ["huge_t", "uint8", 1],
      ["huge_p", "float32", 4],
    ] as const) {
      const file = join(folder, `${name}.npy`);
      const header = npyHeaderBytes(dtype, [n]);
      writeFileSync(file, header);
      truncateSync(file, header.length + n * bytes);
    }
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watch = (): boolean => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      return false;
    };
    const source = `${DICE}
def other(y_true, y_pred):
    return dice(y_true, y_pred, epsilon=1e-3)
compare(dice(np.load("huge_t.npy"), np.load("huge_p.npy")), other(np.load("huge_t.npy"), np.load("huge_p.npy")))`;
    const [only] = run(large, source, watch).outputs;
    assert.ok(only?.kind === "report", JSON.stringify(only));
    const { pairs } = only.drawn.report as unknown as Comparison;
    assert.equal(pairs[0]!.equal, "no");
    assert.match(pairs[0]!.sentence, /too large for memory: give a crop of them/);
    assert.deepEqual(
      pairs[0]!.differences.map((d) => [d.id, d.share]),
      [["smoothing", null]],
    );
    assert.ok(most < 4 * n, `${most} bytes`);
  });

  it("say what cannot be done with them, and what to do", () => {
    for (const wish of ["precision(dice(t, p))", "explain(dice(t, p))"]) {
      const { message, remedy } = failure(`${DICE}${wish}`);
      assert.match(message, /the arrays of dice are too large for memory/, wish);
      assert.match(remedy ?? "", /Give a crop of them/);
    }
    const whole = failure(`${DICE}
def largest_only(y_true, y_pred):
    return np.sum(y_pred * (np.argmax(y_pred, axis=0) == 1) * y_true)
largest_only(t, p)`);
    assert.match(whole.message, /cannot go through its arrays part by part/);
  });

  it("are not given to real autograd", async () => {
    const outputs: CellOutput[] = [];
    const source = `${DICE}# dice-gradient: autograd\ndice(t, p)`;
    const python = { interpreter: "python3", timeoutSeconds: 1, ask: null };
    const referee = { judge: () => assert.fail("the library was asked") };
    const watch = { onProgress: () => undefined, isCancelled: () => false };
    const cell = { language: "python", source, file: "Cell 1" } as const;
    await large.executeWithPython(cell, (o) => outputs.push(o), watch, python, referee);
    const [only] = outputs;
    assert.ok(only?.kind === "failure", JSON.stringify(only));
    assert.match(only.failure.message, /too large for memory, and a library that differentiates/);
    assert.match(only.failure.remedy ?? "", /Give a crop of them/);
  });

  it("are told of, and stop when they are asked to", () => {
    const { said } = run(large, `${DICE}dice(t, p)`);
    assert.ok(said.includes("evaluating") && said.includes("checking"), said.join());
    const [stopped] = run(large, "dice(t, p)", () => true).outputs;
    assert.ok(stopped?.kind === "failure");
    assert.equal(stopped.failure.name, "Interrupted");
  });

  it("are named where their file is cut short", () => {
    writeFileSync(join(folder, "cut.npy"), npyHeaderBytes("float32", [1000]));
    const { name, message } = failure(`${DICE}q = np.load("cut.npy")\ndice(q, q)`);
    assert.equal(name, "Array");
    assert.match(message, /cut\.npy is cut short/);
  });
});
