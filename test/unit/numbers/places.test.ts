import assert from "node:assert/strict";
import { axis } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { Expr, Input } from "../../../src/expression/node.ts";
import { derive } from "../../../src/gradient/derive.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import { buildPass } from "../../../src/numbers/kernel/builder.ts";
import type { Instruction, LoopNest } from "../../../src/numbers/kernel/loops.ts";
import { LIMITS, type Limits } from "../../../src/numbers/kernel/plan.ts";
import { Scheduler } from "../../../src/numbers/kernel/schedule.ts";
import { straightened } from "../../../src/numbers/kernel/straight.ts";
import { entriesOf } from "../../../src/numbers/kernel/sweep.ts";
import { Program } from "../../../src/numbers/wasm/program.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";

/** On small arrays, the ways of large ones. */
const EAGER: Partial<Limits> = {
  leastInlinedResult: 1,
  leastKept: 2,
  leastChunk: 3,
  smallResult: 4,
  leastSingle: 1,
};

const SHAPE = [axis("b", 2), axis("c", 3), axis("yy", 10), axis("ii", 18)];
const SHAPE_OF_MASK = [SHAPE[0]!, SHAPE[1]!, axis("y", 5), axis("i", 9)];
const ENTRIES = 2 * 3 * 10 * 18;
const x = b.input("x", SHAPE) as Input;

function padded(e: Expr): Expr {
  return b.spread(b.spread(e, 2, 1, 1, axis("Y", 12)), 3, 1, 1, axis("I", 20));
}

/** Every entry twice along an axis. */
function repeated(e: Expr, dim: number): Expr {
  const [before, along, after] = [e.shape.slice(0, dim), e.shape[dim]!, e.shape.slice(dim + 1)];
  const twice = b.expand(b.unsqueeze(e, dim + 1), [...before, along, axis("two", 2), ...after]);
  return b.reshape(twice, [
    ...before,
    axis(`${along.name}${along.name}`, 2 * along.size!),
    ...after,
  ]);
}

function windows(e: Expr, size: number, step: number): Expr {
  const starts = Array.from({ length: size }, (_, k) => k);
  const [rows, columns] = [2, 3].map((d) => e.shape[d]!.size! - size + 1);
  return b.stack(
    starts.flatMap((r) =>
      starts.map((c) => b.slice(b.slice(e, 2, r, r + rows!, step), 3, c, c + columns!, step)),
    ),
    4,
  );
}

/** What neighbouring lanes find in places of their own. All results are small whole numbers. */
const APART: Readonly<Record<string, Expr>> = {
  "sums over windows of a padded array": b.reduce("sum", windows(padded(x), 3, 1), [4]),
  "the largest of every window, two steps apart": b.reduce("max", windows(x, 2, 2), [4]),
  "every second entry": b.slice(x, 3, 0, null, 2),
  "entries with zeros between": b.spread(x, 3, 1, 2, axis("I", 37)),
  "arrays one behind the other in every row": b.concat([x, b.slice(x, 3, 2, 5), x], 3),
  "classes in the last axis": b.transpose(x, [0, 2, 3, 1]),
  "the class of every place": b.argReduce("argmax", x, 1),
  "the smallest, as one of all classes": b.oneHot(b.argReduce("argmin", x, 1), axis("k", 3), 3),
  "sums of rows that no axis separates": b.add(
    b.sum(b.reshape(x, [axis("r", 60), axis("s", 18)]), [1], true),
    b.reshape(b.slice(b.reshape(x, [axis("m", ENTRIES)]), 0, 0, 60 * 7), [
      axis("r", 60),
      axis("t", 7),
    ]),
  ),
};

function nestsOf(outputs: readonly Expr[], limits: Partial<Limits> = {}): LoopNest[] {
  const schedule = new Scheduler(outputs, { ...LIMITS, ...limits }).run(new Set());
  return schedule.passes.flatMap((p) => buildPass(schedule, p).nests);
}

/** Instructions of innermost loops. */
function innermost(nest: LoopNest): Instruction[] {
  const visit = (block: LoopNest["block"]): Instruction[] =>
    block.loops.flatMap((l) =>
      l.to - l.from > 1 && l.body.loops.every((m) => m.to - m.from === 1)
        ? straightened(l.body).instructions
        : visit(l.body),
    );
  return visit(nest.block);
}

const ARRAYS: readonly TypedArray[] = [
  Float64Array.from({ length: ENTRIES }, (_, k) => (k * k) % 23),
  Float32Array.from({ length: ENTRIES }, (_, k) => ((k * k) % 19) - 9),
  Uint8Array.from({ length: ENTRIES }, (_, k) => (k * k) % 29),
  Int16Array.from({ length: ENTRIES }, (_, k) => ((k * k) % 17) - 8),
  Uint32Array.from({ length: ENTRIES }, (_, k) => (k * k) % 31),
];

describe("entries in places of their own", () => {
  for (const [what, e] of Object.entries(APART)) {
    const outputs = [
      e,
      b.sum(b.mul(e, e), [e.shape.length - 1]),
      derive(b.sum(b.mul(e, e)), x),
      b.reduce("max", e, null),
    ];

    it(`are on vectors what they are in JavaScript: ${what}`, () => {
      for (const limits of [{}, EAGER]) {
        const plain = compileKernel(outputs, { vectors: "never", limits });
        for (const arithmetic of ["float64", "float32"] as const) {
          const kernel = compileKernel(outputs, { vectors: "always", arithmetic, limits });
          for (const array of ARRAYS) {
            const arrays = new Map([["x", array]]);
            const want = plain.run(arrays).outputs.map((o) => [...o.data]);
            for (const chunk of [5, 64, 1 << 14]) {
              const got = kernel.run(arrays, { chunk }).outputs.map((o) => [...o.data]);
              assert.deepEqual(got, want, `${arithmetic}, ${array[Symbol.toStringTag]}, ${chunk}`);
            }
          }
        }
      }
    });

    it(`are found on vectors: ${what}`, () => {
      for (const limits of [{ leastInlinedResult: 1 }, EAGER]) {
        const nests = nestsOf(outputs, limits);
        const program = Program.compile(nests, {
          lanes: () => "float64",
          relaxed: false,
          roundCasts: false,
          elementType: () => "f64",
        });
        nests.forEach((nest, k) => {
          if (entriesOf(nest) > 1) assert.ok(program!.pass(k) !== null, `nest ${k}`);
        });
      }
    });
  }

  const t = b.input("t", SHAPE_OF_MASK);
  const mask = b.input("mask", SHAPE);
  const padding = b.reduce("sum", windows(padded(mask), 3, 1), [4]);
  const coarser = b.reduce("mean", windows(b.sigmoid(x), 2, 2), [4]);
  /** Losses with parts that are found by place. */
  const losses: Readonly<Record<string, Expr>> = {
    "weights from windows of a padded mask": b.div(
      b.sum(b.mul(b.abs(b.sub(padding, mask)), b.sigmoid(x))),
      b.sum(mask),
    ),
    "averages over windows two steps apart": b.div(b.sum(b.mul(coarser, t)), b.sum(coarser)),
    "a coarser mask repeated along two axes": b.sum(b.mul(repeated(repeated(t, 3), 2), x)),
    "classes that are picked out of a softmax": b.div(
      b.sum(b.mul(b.slice(b.softmax(x, 1), 1, 0, null, 2), b.slice(mask, 1, 0, null, 2))),
      b.sum(mask),
    ),
  };
  for (const [what, loss] of Object.entries(losses)) {
    it(`need no test and no division for each entry: ${what}`, () => {
      for (const nest of nestsOf([loss, derive(loss, x)], { leastInlinedResult: 1 })) {
        const kinds = innermost(nest).map((i) => i.kind);
        assert.ok(!kinds.includes("choose") && !kinds.includes("index"), kinds.join());
      }
    });
  }

  it("share a softmax among the classes that are picked out of it", () => {
    const loss = losses["classes that are picked out of a softmax"]!;
    for (const nest of nestsOf([loss, derive(loss, x)], { leastInlinedResult: 1 })) {
      const powers = innermost(nest).filter(
        (i) => i.kind === "compute" && i.computation.kind === "unary" && i.computation.op === "exp",
      );
      assert.ok(powers.length <= 3, `${powers.length} powers for three classes`);
    }
  });

  it("are gone through along the large arrays, however small ones lie", () => {
    const shape = [axis("b", 2), axis("c", 3), axis("i", 5000)];
    const [p, t] = [b.input("p", shape) as Input, b.input("t", shape)];
    const dice = b.div(b.sum(b.mul(p, t), [2]), b.add(b.sum(p, [2]), b.sum(t, [2])));
    const nests = nestsOf([derive(b.mean(dice), p)]).filter((n) => entriesOf(n) >= 30_000);
    assert.ok(nests.length >= 2);
    for (const { block } of nests) {
      let last = block.loops[0]!;
      while (last.body.loops.length > 0) last = last.body.loops[0]!;
      assert.equal(last.to - last.from, 5000);
    }
  });
});
