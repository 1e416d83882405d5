import assert from "node:assert/strict";
import fc from "fast-check";
import katex from "katex";
import { type Axis, axis, sizesOf } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import { type BoundArray, evaluate } from "../../../src/expression/evaluate.ts";
import { toLatex } from "../../../src/expression/latex.ts";
import { namesFor } from "../../../src/expression/names.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { FormulaTooLong } from "../../../src/expression/notation.ts";
import { toText } from "../../../src/expression/text.ts";
import { readText } from "./textReader.ts";

// Equal sizes everywhere (but for the slices): a letter tells its extent by its base alone.
const N = 3;
const B = axis("b", N, "batch");
const C = axis("c", N, "class");
const I = axis("i", N, "element");

const ARRAYS = new Map<string, BoundArray>();
function array(name: string, axes: readonly Axis[], seed: number): Expr {
  const sizes = sizesOf(axes);
  const count = sizes.reduce((a, n) => a * n, 1);
  const data = Array.from(
    { length: count },
    (_, k) => 0.6 + 0.4 * Math.sin(12.9 * k + 78.2 * seed),
  );
  ARRAYS.set(name, { shape: sizes, data });
  return b.input(name, axes);
}
const leavesOfAll: readonly Expr[] = [
  array("p", [B, C, I], 1),
  array("g", [B, C, I], 2),
  array("x", [B, C, I], 5),
  array("w", [C, I], 3),
  array("u", [I], 4),
  b.parameter("alpha", 0.7),
  b.constant(2),
  b.constant(-0.25),
  b.constant(1 / 3),
];

/** A program of small steps over a stack of expressions; steps that do not fit change nothing. */
function run(program: readonly (readonly [number, number, number])[]): Expr {
  const made: Expr[] = [...leavesOfAll];
  const pick = (n: number): Expr => made[made.length - 1 - (n % made.length)]!;
  for (const [op, m, n] of program) {
    try {
      made.push(step(op, pick(m), pick(n), m, n));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "ShapeError") throw error;
    }
  }
  return made.at(-1)!;
}

function step(op: number, x: Expr, y: Expr, m: number, n: number): Expr {
  const rank = x.shape.length;
  const dim = rank === 0 ? 0 : n % rank;
  switch (op) {
    case 0:
      return b.add(x, y);
    case 1:
      return b.sub(x, y);
    case 2:
    case 3:
      return b.mul(x, y);
    case 4:
      return b.div(x, b.add(b.mul(y, y), b.ONE));
    case 5:
      return b.neg(x);
    case 6:
      return b.sigmoid(x);
    case 7:
      return b.pow(x, b.constant(2));
    case 8:
      return b.sum(x, rank === 0 ? null : [dim]);
    case 9:
      return b.sum(x, rank === 0 ? null : [dim], true);
    case 10:
      return b.mean(x, rank < 2 ? null : [0, dim === 0 ? 1 : dim]);
    case 11:
      return b.where(b.binary("gt", x, b.constant(0.5123)), y, x);
    case 12:
      return b.clamp(x, b.constant(-0.5), b.constant(0.75));
    case 13:
      return b.index(x, dim, n % 3);
    case 14:
      return b.place(x, dim, n % 3, [B, C, I][n % 3]!);
    case 15:
      return b.slice(x, dim, 1, null);
    case 16:
      return rank === 3 && x.shape.every((a) => a.name.length === 1)
        ? b.softmax(n % 2 === 0 ? x : b.add(x, y), dim)
        : x;
    case 17:
      return b.binary("max", x, y);
    case 18:
      return b.abs(b.sub(x, y));
    case 19:
      return b.unsqueeze(x, dim);
    case 20:
      return b.stack([x, y, b.neg(x)], dim, [B, C, I][n % 3]);
    case 21:
      return b.sum(x);
    case 22:
      return b.pow(b.add(b.abs(x), b.ONE), b.parameter("alpha", 0.7));
    case 23:
      return rank > 1
        ? b.transpose(
            x,
            x.shape.map((_, d) => (d + 1) % rank),
          )
        : x;
    case 24:
      return b.mul(b.binary("le", x, b.add(y, b.constant(0.0123))), b.exp(b.neg(b.mul(x, x))));
    case 25:
      return b.reduce(n % 2 === 0 ? "max" : "prod", x, rank === 0 ? null : [dim]);
    case 26:
      return b.spread(
        b.slice(x, dim, n % 2, null, 1 + (m % 2)),
        dim,
        n % 2,
        1 + (m % 2),
        x.shape[dim]!,
      );
    case 27:
      return b.concat([b.slice(x, dim, 0, 1), b.slice(y, dim, 1, null)], dim);
    case 28:
      return b.oneHot(b.argReduce("argmax", x, dim), [B, C, I][n % 3]!, dim);
    case 29:
      return b.div(b.binary("mod", x, b.constant(0.3127)), b.constant(1e-3));
    default:
      return b.sqrt(b.add(b.mul(x, x), b.ONE));
  }
}

const programs = fc.array(fc.tuple(fc.nat(30), fc.nat(12), fc.nat(12)), {
  minLength: 1,
  maxLength: 9,
});

describe("a printed formula", () => {
  it("read back and evaluated at every index has the value of the graph", () => {
    let compared = 0;
    fc.assert(
      fc.property(programs, (program) => {
        const e = run(program);
        // Letters must tell their extent: only the known axes may be free or bound.
        if (e.shape.some((a) => a.size !== N && !(a.role === "unit" && a.size === 1))) return;
        const names = namesFor(leavesOfAll);
        const text = toText(e, names);
        if (text.startsWith("(too long")) return;
        const free = freeLetters(e);
        if (free === null) return;
        const { data, shape } = evaluate(e, ARRAYS);
        const read = readText(text, {
          arrays: new Map([...ARRAYS].map(([name, a]) => [name, a])),
          scalars: new Map([["α", 0.7]]),
          extent: () => N,
          axisOf: (letter, rank) =>
            "bci".slice(3 - rank).indexOf(letter.replace(/^k/, "c").charAt(0)),
        });
        compared++;
        data.forEach((expected, k) => {
          let rest = k;
          const at: Record<string, number> = {};
          for (let d = shape.length - 1; d >= 0; d--) {
            const letter = free[d];
            if (letter !== null && letter !== undefined) at[letter] = rest % shape[d]!;
            rest = Math.floor(rest / shape[d]!);
          }
          const got = read(at);
          assert.ok(
            Math.abs(got - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
            `${text} at ${JSON.stringify(at)} is ${got}, the graph says ${expected}`,
          );
        });
      }),
      { numRuns: 4000, seed: 8 },
    );
    assert.ok(compared > 2000, `only ${compared} formulas were compared`);
  });

  it("is LaTeX that KaTeX takes without a warning", () => {
    fc.assert(
      fc.property(programs, (program) => {
        const e = run(program);
        const latex = toLatex(e, namesFor(leavesOfAll));
        katex.renderToString(latex, { throwOnError: true, strict: "error" });
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  it("says so when it would be too long, instead of hanging", () => {
    let e: Expr = b.input("p", [I]);
    for (let n = 0; n < 60; n++) e = b.add(b.mul(e, e), e);
    assert.equal(toText(e, namesFor([e])), "(too long to be written out)");
    assert.ok(new FormulaTooLong("") instanceof Error);
  });
});

/** The letters printed for the axes; null where two axes would ask for the same one. */
function freeLetters(e: Expr): (string | null)[] | null {
  const letters = e.shape.map((a) =>
    a.role === "unit" && a.size === 1 ? null : a.name.split(/[′⁺]/)[0]!,
  );
  const shown = letters.filter((l) => l !== null);
  return new Set(shown).size === shown.length && shown.every((l) => "bci".includes(l))
    ? letters
    : null;
}
