/** The terms of the quotient rule, each taken with some coefficient: found by linear regression. */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { dependsOn, topological } from "../../expression/walk.ts";
import { derive } from "../../gradient/derive.ts";
import type { Finding, Words } from "./fault.ts";
import type { Comparison } from "./nameFaults.ts";
import { type Probe, sameGradient } from "./probe.ts";

/** written = c₁·(all but the quotient's second term) + c₂·(that term), for some quotient. */
export function coefficientFinding(c: Comparison, words: Words, probe: Probe): Finding | null {
  const w = probe.values(c.written);
  if (w === null) return null;
  for (const q of topological(c.base)) {
    if (q.kind !== "binary" || q.op !== "div" || !dependsOn(q.args[1]!, c.x)) continue;
    const without = (dropped: number): Expr =>
      derive(c.base, c.x, undefined, (_a, e, k) => (e === q && k === dropped ? null : undefined));
    const [top, bottom] = [without(1), without(0)];
    const [x, y] = [probe.values(top), probe.values(bottom)];
    if (x === null || y === null) continue;
    const found = solve(x, y, w);
    if (found === null) continue;
    const [p, r] = found;
    const sum = b.add(b.mul(b.constant(p), top), b.mul(b.constant(r), bottom));
    if (!sameGradient(sum, c.written)) continue;
    const [n, d] = [words.name(q.args[0]!), words.name(q.args[1]!)];
    return {
      id: "term-factor",
      sentence: `the quotient rule is N′/D − N·D′/D² with N = ${n} and D = ${d}: its first term stands in the gradient ${times(p)}, its second ${times(r)}`,
      term: null,
      at: q,
    };
  }
  return null;
}

const times = (c: number): string =>
  c === 1 ? "as it is" : c === -1 ? "with the wrong sign" : `times ${c}`;

/** Coefficients of few digits with p·x + r·y = w in all entries. */
function solve(x: Float64Array, y: Float64Array, w: Float64Array): [number, number] | null {
  let [xx, xy, yy, xw, yw] = [0, 0, 0, 0, 0];
  x.forEach((a, k) => {
    xx += a * a;
    xy += a * y[k]!;
    yy += y[k]! * y[k]!;
    xw += a * w[k]!;
    yw += y[k]! * w[k]!;
  });
  const det = xx * yy - xy * xy;
  if (Math.abs(det) < 1e-9 * xx * yy) return null;
  const p = short((xw * yy - yw * xy) / det);
  const r = short((yw * xx - xw * xy) / det);
  const scale = Math.max(...w.map(Math.abs), 1e-300);
  const fits = w.every((v, k) => Math.abs(p * x[k]! + r * y[k]! - v) <= 1e-8 * scale);
  return fits ? [p, r] : null;
}

const short = (v: number): number => Number(v.toPrecision(6));
