import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dtypes } from "../../../src/arrays/dtype.ts";
import { loadArrayFile, openArraysInFile } from "../../../src/arrays/loadArray.node.ts";
import type { ArrayInFile } from "../../../src/arrays/members.ts";
import { type NdArray, elementCount } from "../../../src/arrays/ndarray.ts";
import { writeNpy } from "../../../src/arrays/npy.ts";
import { groupsOf } from "../../../src/explain/behaviour/subject.ts";
import { factorOf } from "../../../src/explain/reasons/factor.ts";
import { matchesOf } from "../../../src/explain/reasons/match.ts";
import { stepsBetween } from "../../../src/explain/reasons/shares.ts";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { decideEqual } from "../../../src/expression/equality.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { compareGradients } from "../../../src/gradient/compareGradients.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { sampleElements } from "../../../src/gradient/elements.ts";
import { strongestScope } from "../../../src/gradient/scope.ts";
import { PLAIN_DICE } from "../../../src/losses/spec.ts";
import { PART, copiedTo, filled, interruptible, parts } from "../../../src/numbers/interruption.ts";
import { orderStatistic } from "../../../src/numbers/orderStatistic.ts";
import { combined, held, mapped, positions } from "../../../src/numbers/precision/held.ts";
import { numpySum } from "../../../src/numbers/precision/numpySum.ts";
import { torchSum } from "../../../src/numbers/precision/torchSum.ts";
import { Cancelled } from "../../../src/numbers/typedArrays.ts";
import { Arena } from "../../../src/numbers/wasm/arena.ts";
import { loadParserFromDisk } from "../../../src/python/parser.node.ts";
import { makeImages } from "../../../src/report/images.ts";
import { makeNumbers } from "../../../src/report/numbers.ts";
import { agreementsOf } from "../../../src/session/autograd/agreement.ts";
import { largestUlps, ulpsApart } from "../../../src/session/autograd/ulps.ts";
import { describeArray, kernelArray } from "../../../src/session/bindings.ts";
import { numericDifference } from "../../../src/session/compare.ts";
import { filesWith } from "../../../src/session/files.node.ts";
import { ModuleFinder } from "../../../src/session/modules.node.ts";
import { NotebookSession } from "../../../src/session/notebook.ts";
import type { CellOutput } from "../../../src/session/protocol.ts";
import { goldenFiles } from "../arrays/goldenFiles.ts";
import { root } from "../../../scripts/lib/root.mjs";

/** Looks until `from` say no, the later ones yes. */
function cancelledFrom(from: number): { isCancelled: () => boolean; looks: () => number } {
  let looks = 0;
  return { isCancelled: () => ++looks > from, looks: () => looks };
}

/** A product of sigmoids of sigmoids, as many operations long as is said. */
function longFormula(x: Input, operations: number): Expr {
  let e: Expr = x;
  for (let k = 0; k < operations / 2; k++) e = b.mul(b.sigmoid(e), x);
  return b.sum(e);
}

describe("loops over whole arrays, and work on formulas", () => {
  const count = 10 * PART;
  const values = Float64Array.from({ length: count }, (_, k) => Math.sin(k) + 1.5);
  const others = values.map((x, k) => x * (1 + (k % 3)));
  const bits = Uint8Array.from(values, (x) => (x > 2 ? 1 : 0));
  const x = b.input("x", [axis("c", 2), axis("i", count / 2)]) as Input;
  const t = b.input("t", x.shape) as Input;
  const long = (data: Float64Array): NdArray => ({
    dtype: "int64",
    shape: [count],
    data: BigInt64Array.from(data, (v) => BigInt(Math.floor(v))),
  });
  const flat = held("float32", [count], values);
  const turned = { ...held("float64", [count / 8, 8], values), strides: [1, count / 8] };

  const loops: Readonly<Record<string, () => unknown>> = {
    "the comparison of two gradients": () =>
      compareGradients(values, { hi: others, lo: null }, others, "float64", 8, bits),
    "the choice of elements to look at": () => sampleElements(values, []),
    "the choice of what a path moves": () =>
      strongestScope(new Int32Array(count).fill(1), values, { kind: "line", node: x, dim: -1 }, 1),
    "the figures and the histogram of a gradient": () =>
      makeNumbers({ aligned: [], shape: [count], analytic: values, error: null, compared: [] }),
    "the range of a picture": () =>
      makeImages([{ title: "x", role: "gradient", shape: [4, count / 4], data: values }]),
    "what a report says of an array": () =>
      describeArray("x", "other", { dtype: "float64", shape: [count], data: values }),
    "the conversion of 64-bit integers": () => kernelArray(long(values)),
    "the distance of two gradients": () => numericDifference(values, others),
    "the factor between two gradients": () => factorOf([[values, others]]),
    "the share of a difference": () => stepsBetween(values, others)!(values, others),
    "the distance of a library's gradient": () => largestUlps(ulpsApart(values, others, "float32")),
    "the distance of two libraries' gradients": () =>
      agreementsOf([
        { name: "a", dtype: "float32", gradient: values },
        { name: "b", dtype: "float64", gradient: others },
      ]),
    "what kernels hand out": () => copiedTo(Float64Array, values),
    "the median of many numbers": () => orderStatistic(others.slice(), count / 2),
    "foreground and background": () =>
      groupsOf(
        {
          loss: b.sum(x),
          gradient: x,
          wrt: x,
          target: t,
          arena: new Arena(),
          bindings: new Map<string, Float64Array | Uint8Array>([
            ["x", values],
            ["t", bits],
          ]),
        },
        null,
      ),
    "an operation in a number type": () => mapped(flat, "float32", Math.fround),
    "an operation of two arrays": () => combined(flat, flat, "float32", (p, q) => p + q),
    "the order of memory": () => positions(turned),
    "PyTorch's sum": () => torchSum(flat, [0]),
    "NumPy's sum": () => numpySum(flat, [0]),
    "NumPy's sum of columns": () => numpySum(turned, [0]),
    "work on a formula": () => derive(longFormula(x, 4000), x),
    "whether two formulas are the same": () =>
      decideEqual(longFormula(x, 400), b.neg(longFormula(x, 400))),
    "the search for the catalogue's nearest losses": () => matchesOf(PLAIN_DICE, { classes: 2 }),
  };

  for (const [name, run] of Object.entries(loops)) {
    it(`stop between two parts: ${name}`, () => {
      const whole = cancelledFrom(Infinity);
      interruptible(whole.isCancelled, run);
      assert.ok(whole.looks() > 5, `${whole.looks()} looks in all`);
      const stopped = cancelledFrom(4);
      assert.throws(() => interruptible(stopped.isCancelled, run), Cancelled);
      assert.equal(stopped.looks(), 5, "nothing goes on after it was said");
    });
  }

  it("do not begin where that is said before", () => {
    assert.throws(
      () =>
        interruptible(
          () => true,
          () => assert.fail("it began"),
        ),
      Cancelled,
    );
  });

  it("go through to the end outside of a run, and after one within another", () => {
    const numbers = filled(new Float64Array(3 * PART + 1), (k) => k);
    assert.equal(numbers.at(-1), 3 * PART);
    const outer = cancelledFrom(Infinity);
    interruptible(outer.isCancelled, () => {
      const inner = cancelledFrom(1);
      assert.throws(() => {
        interruptible(inner.isCancelled, () => {
          assert.equal([...parts(5 * PART)].length, 5);
        });
      }, Cancelled);
      const before = outer.looks();
      assert.equal([...parts(5 * PART)].length, 5);
      assert.equal(outer.looks() - before, 5);
    });
  });

  it("find the same number of a rank as sorting does, whatever the numbers are", () => {
    const kinds: readonly ((k: number) => number)[] = [
      (k) => Math.sin(k * k),
      (k) => k % 3,
      (k) => -k,
      (k) => (k % 7 === 0 ? NaN : k % 11 === 0 ? -Infinity : Math.cos(k)),
      () => 4,
    ];
    for (const kind of kinds) {
      for (const n of [1, 2, 3, 10, 501]) {
        const sorted = Float64Array.from({ length: n }, (_, k) => kind(k)).sort();
        for (let rank = 0; rank < n; rank++) {
          const found = orderStatistic(
            Float64Array.from({ length: n }, (_, k) => kind(k)),
            rank,
          );
          assert.ok(Object.is(found + 0, sorted[rank]! + 0), `${rank} of ${n}: ${found}`);
        }
      }
    }
  });
});

describe("files that are read whole", () => {
  const SAYS_STOP = new Error("stop");

  function arrayOf(file: string, member: string | undefined, tick: () => void): ArrayInFile | null {
    const opened = openArraysInFile(join(root, "test/golden/files", file), { tick });
    if ("shape" in opened) return opened;
    return opened.get(member ?? [...opened.keys()][0]!)?.() ?? null;
  }

  it("stop at the next look, in every format, and say why as it was said", () => {
    const seen = new Set<string>();
    for (const { file, member } of goldenFiles.files) {
      let ticks = 0;
      arrayOf(file, member, () => ticks++)?.read();
      assert.ok(ticks > 0, `${file}: nothing is asked`);
      seen.add(/\.[^.]+$/.exec(file)![0]);
      const last = ticks;
      for (const at of [1, Math.ceil(last / 2), last]) {
        ticks = 0;
        const tick = (): void => {
          if (++ticks === at) throw SAYS_STOP;
        };
        assert.throws(
          () => arrayOf(file, member, tick)?.read(),
          (e) => e === SAYS_STOP,
          `${file}, at ${at} of ${last}`,
        );
        assert.equal(ticks, at, `${file}: it went on`);
      }
    }
    for (const ending of [".h5", ".mat", ".mha", ".gz", ".nrrd", ".pt", ".png", ".tif", ".csv"]) {
      assert.ok(seen.has(ending), ending);
    }
  });

  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-cancel-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("look at least every 16 MiB, and tell how far they are, never less than before", () => {
    const path = join(folder, "large.npy");
    const shape = [4, 1 << 22];
    const data = new Float32Array(elementCount(shape));
    writeFileSync(path, writeNpy({ dtype: "float32", shape, data }));
    const told: number[] = [];
    loadArrayFile(path, undefined, { tick: (f) => told.push(f) });
    assert.ok(told.length >= (data.length * dtypes.float32.bytes) / 2 ** 24, String(told.length));
    assert.deepEqual(
      told,
      told.toSorted((p, q) => p - q),
    );
    assert.ok(told.at(-1)! >= 0.75);
  });
});

describe("cells that are cancelled", () => {
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-cancel-"));
  const n = 3 * PART;
  let session: NotebookSession;
  const code = `
import numpy as np
def dice(y_true, y_pred, epsilon=1e-7):
    total = np.sum(y_true) + np.sum(y_pred)
    return 1 - (2 * np.sum(y_true * y_pred) + epsilon) / (total + epsilon)
def squared(y_true, y_pred, epsilon=1e-5):
    total = np.sum(y_true**2) + np.sum(np.abs(y_pred)**2)
    return 1 - (2 * np.sum(y_true * y_pred) + epsilon) / (total + epsilon)
`;

  before(async () => {
    const p = Float32Array.from({ length: n }, (_, k) => 0.5 + 0.45 * Math.sin(k * 0.37));
    const t = Uint8Array.from(p, (v, k) => (v + 0.1 * Math.cos(k) > 0.7 ? 1 : 0));
    writeFileSync(
      join(folder, "p.npy"),
      writeNpy({ dtype: "float32", shape: [3, n / 3], data: p }),
    );
    writeFileSync(join(folder, "t.npy"), writeNpy({ dtype: "uint8", shape: [3, n / 3], data: t }));
    session = new NotebookSession(
      await loadParserFromDisk(),
      filesWith(new ModuleFinder([])),
      folder,
    );
    assert.equal(run(code, Infinity).outputs.length, 0);
    assert.equal(run('t = np.load("t.npy")\np = np.load("p.npy")', Infinity).outputs.length, 0);
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function run(source: string, from: number): { outputs: CellOutput[]; looks: number } {
    const outputs: CellOutput[] = [];
    const { isCancelled, looks } = cancelledFrom(from);
    const watch = { onProgress: () => undefined, isCancelled };
    session.execute({ language: "python", source, file: "Cell 1" }, (o) => outputs.push(o), watch);
    return { outputs, looks: looks() };
  }

  for (const source of [
    'dice(np.load("t.npy"), np.load("p.npy"))',
    "dice(t, p)",
    "dice(t[:, 1:], (p / 2).astype(np.float16)[:, 1:])",
    "compare(dice(t, p), squared(t, p))",
    'compare(dice(t, p), "monai.losses.DiceLoss()")',
    "explain(squared(t, p))",
    "precision(dice(t, p))",
  ]) {
    it(`stop wherever they are, and say so: ${source}`, () => {
      const whole = run(source, Infinity);
      assert.deepEqual(
        whole.outputs.map((o) => o.kind),
        ["report"],
      );
      // The places where it is asked lie all over the run.
      for (const share of [0, 0.05, 0.3, 0.6, 0.9]) {
        const from = Math.floor(share * whole.looks);
        const { outputs, looks } = run(source, from);
        const [only] = outputs;
        if (only?.kind === "report" && looks <= from) continue; // It took fewer looks this time.
        assert.ok(only?.kind === "failure" && outputs.length === 1, JSON.stringify(only));
        assert.equal(only.failure.name, "Interrupted", only.failure.message);
        assert.ok(looks - from <= 3, `${looks - from} looks after it was said`);
      }
    });
  }
});
