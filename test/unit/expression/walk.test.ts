import assert from "node:assert/strict";
import { ShapeError, UNIT, axis, elementCount, flattenAxes } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { evaluate } from "../../../src/expression/evaluate.ts";
import { type Expr, annotate, annotationOf } from "../../../src/expression/node.ts";
import {
  dependsOn,
  leaves,
  resize,
  substitute,
  topological,
} from "../../../src/expression/walk.ts";

const B = axis("b", 4, "batch");
const C = axis("c", 3, "class");
const N = axis("n", 100, "space");
const p = b.input("p", [B, C, N]);
const g = b.input("g", [B, C, N]);
const sizes = new Map([
  ["b", 2],
  ["n", 5],
]);

describe("topological", () => {
  it("puts arguments before their users, each node once", () => {
    const s = b.sigmoid(p);
    const order = topological(b.add(b.mul(s, s), s));
    assert.deepEqual(
      order.map((e) => e.kind),
      ["input", "unary", "binary", "binary"],
    );
  });

  it("walks graphs deeper than a call stack", () => {
    let e: Expr = p;
    for (let k = 0; k < 50_000; k++) e = b.neg(e);
    assert.equal(topological(e).length, 50_001);
  });
});

describe("resize", () => {
  it("changes inputs, flattened axes, counts and what is computed from them", () => {
    const flat = [flattenAxes([B, C, N])];
    const loss = b.div(b.sum(b.mul(b.reshape(p, flat), b.reshape(g, flat))), b.size([B, C, N]));
    const small = resize(loss, sizes);
    assert.equal(elementCount(small.args[0]!.args[0]!.shape), 30);
    const ones = { shape: [2, 3, 5], data: new Float64Array(30).fill(1) };
    const value = evaluate(
      small,
      new Map([
        ["p", ones],
        ["g", ones],
      ]),
    );
    assert.deepEqual([...value.data], [1]);
  });

  it("makes a concatenation as long as its parts have become", () => {
    const both = resize(b.concat([p, g], 2), sizes);
    assert.equal(both.shape[2]!.size, 10);
    const stacked = resize(b.stack([p, g], 0), sizes);
    assert.deepEqual(
      stacked.shape.map((a) => a.size),
      [2, 2, 3, 5],
    );
  });

  it("refuses a size that an index or a slice does not fit in", () => {
    assert.throws(() => resize(b.index(p, 2, 7), sizes), ShapeError);
    assert.throws(
      () => resize(b.slice(p, 2, 3, 9), sizes),
      /entry 8 is out of range for axis n of 5/,
    );
    assert.doesNotThrow(() => resize(b.slice(p, 2, 0, 4), sizes));
  });

  it("leaves axes that are not named alone", () => {
    assert.equal(resize(p, new Map([["x", 9]])), p);
    const kept = resize(b.sum(p, [2], true), sizes);
    assert.equal(kept.shape[2], UNIT);
  });
});

describe("substitute", () => {
  it("refuses a number where arrays are joined along an axis", () => {
    const [p, q] = [b.input("p", [axis("i", 2)]), b.input("q", [axis("j", 3)])];
    const joined = b.concat([p, q], 0);
    assert.throws(() => substitute(joined, new Map([[p, b.input("x", [])]])), ShapeError);
    assert.throws(() => substitute(joined, new Map([[q, b.input("x", [])]])), ShapeError);
  });

  it("replaces nodes, and does not enter what it replaces", () => {
    const total = b.sum(p);
    const named = b.input("P", []);
    const e = b.div(b.add(total, b.ONE), total);
    assert.equal(substitute(e, new Map([[total, named]])), b.div(b.add(named, b.ONE), named));
    // p becomes a single number, over which no sum could run: but the sum is gone already.
    const both = new Map<Expr, Expr>([
      [total, named],
      [p, b.input("q", [])],
    ]);
    assert.equal(substitute(e, both), b.div(b.add(named, b.ONE), named));
    assert.equal(substitute(total, both), named);
  });

  it("carries places and labels to what is rebuilt", () => {
    const ratio = annotate(
      b.div(b.sum(p), b.sum(g)),
      { file: "loss.py", line: 3, column: 5 },
      "ratio",
    );
    const rebuilt = substitute(ratio, new Map([[g, b.input("t", g.shape)]]));
    assert.equal(annotationOf(rebuilt)?.label, "ratio");
    assert.equal(annotationOf(rebuilt)?.spans[0]?.line, 3);
  });
});

describe("leaves and dependsOn", () => {
  it("name inputs and parameters in order of first use", () => {
    const eps = b.parameter("eps", 1);
    const e = b.add(b.div(b.sum(g), eps), b.sum(p));
    assert.deepEqual(leaves(e), [g, eps, p]);
    assert.ok(dependsOn(e, eps));
    assert.ok(!dependsOn(b.sum(p), g));
  });
});

describe("size", () => {
  it("is a node of its own, counting what flattened axes were made of", () => {
    assert.equal(b.size([flattenAxes([B, N])]), b.size([B, N]));
    assert.equal(b.size([UNIT]), b.ONE);
    assert.deepEqual([...evaluate(b.size([B, C]), new Map()).data], [12]);
  });
});
