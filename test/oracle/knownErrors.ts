/**
 * Numbers with the bounds they carry, against arithmetic of 100 digits that shares nothing with the
 * product's (known_error.py): losses on their own arrays and on nasty ones of the same shapes.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { sizesOf } from "../../src/expression/axis.ts";
import type { Expr, Input } from "../../src/expression/node.ts";
import { topological } from "../../src/expression/walk.ts";
import { DirectionalProbe } from "../../src/gradient/directional.ts";
import { ElementDifferences } from "../../src/gradient/elementDifferences.ts";
import { gradient } from "../../src/gradient/gradient.ts";
import { LossPoint } from "../../src/gradient/lossPoint.ts";
import {
  errorBound,
  errorScale,
  operationDepth,
  reductionDepth,
  referenceBound,
} from "../../src/numbers/errorScale.ts";
import { type CompileOptions, compileKernel } from "../../src/numbers/kernel.ts";
import { evaluateNodeByNode, evaluateOnVectors } from "../../src/numbers/reference.ts";
import { type TypedArray, boundValue, sizeProduct } from "../../src/numbers/typedArrays.ts";
import { runOracle } from "./environment.ts";

/** Entries of the gradient's input that are compared with numeric derivatives of their own. */
const ELEMENTS = 3;

type Triple = readonly [number, number, number];

/** What known_error.py says of a problem; numbers as three float64 that add up to them. */
export interface Answer {
  readonly loss: Triple | null;
  readonly gradient: readonly (Triple | null)[];
  readonly slopes: readonly (readonly [Triple | null, Triple | null])[];
  readonly least: number;
  readonly most: number;
  readonly close: boolean;
}

/** A scalar loss at one point. */
export interface Point {
  readonly loss: Expr;
  readonly wrt: Input;
  readonly bindings: ReadonlyMap<string, TypedArray>;
}

export interface Problem {
  readonly name: string;
  readonly point: Point;
  readonly gradient: Expr;
  readonly elements: readonly number[];
  /** On the arrays that the loss came with. */
  readonly own: boolean;
}

/** Range in which a type's numbers have all their digits. */
const F64 = { least: 2 ** -1022, most: 2 ** 1023 };
const F32 = { least: 2 ** -126, most: 2 ** 127 };

interface Numbers {
  readonly range: typeof F64;
  /** On arrays that their type can hold; other arrays are rounded first, which is no error of them. */
  readonly onlyRounded?: true;
  /** What is beyond its bound, in a sentence each. */
  readonly faults: (p: Problem, a: Answer) => string[];
}

/** All kinds of numbers that carry bounds. */
const NUMBERS: Readonly<Record<string, Numbers>> = {
  "the reference in double-double": {
    range: F64,
    faults: (p, a) =>
      [evaluateNodeByNode, evaluateOnVectors].flatMap((evaluate) =>
        referenceFaults(p, a, evaluate([p.point.loss, p.gradient], p.point.bindings)),
      ),
  },
  "kernels in JavaScript": {
    range: F64,
    faults: (p, a) => kernelFaults(p, a, { vectors: "never" }, 2 ** -53),
  },
  "kernels on vectors": {
    range: F64,
    faults: (p, a) => kernelFaults(p, a, { vectors: "always" }, 2 ** -53),
  },
  "kernels in float32": {
    range: F32,
    onlyRounded: true,
    faults: (p, a) => kernelFaults(p, a, SINGLE, 2 ** -24),
  },
  "numeric derivatives by single elements": { range: F64, faults: elementFaults },
  "numeric derivatives along the gradient's sign": { range: F64, faults: directionFaults },
};
const SINGLE: CompileOptions = {
  vectors: "always",
  arithmetic: "float32",
  limits: { leastSingle: 1 },
};

/** The tests that all kinds of numbers keep to their bounds; `solved` is filled before they run. */
export function itHolds(solved: readonly (readonly [Problem, Answer])[]): void {
  for (const [name, numbers] of Object.entries(NUMBERS)) {
    it(`holds for ${name}`, () => {
      hold(solved, numbers);
    });
  }
}

/**
 * Where all intermediate results keep within the range, and no branch hangs on their last digits,
 * nothing may be beyond its bound.
 */
function hold(solved: readonly (readonly [Problem, Answer])[], numbers: Numbers): void {
  const asked = solved.filter(([p]) => !(numbers.onlyRounded === true && p.own));
  const fit = asked.filter(([, a]) => canJudge(a, numbers));
  assert.ok(fit.length >= asked.length / 3, `only ${fit.length} of ${asked.length} can be judged`);
  const wrong = fit.flatMap(([p, a]) => numbers.faults(p, a).map((f) => `${p.name}: ${f}`));
  assert.equal(
    wrong.length,
    0,
    `${wrong.length} of ${fit.length}\n${wrong.slice(0, 40).join("\n")}`,
  );
}

function canJudge(a: Answer, { range }: Numbers): boolean {
  return !a.close && a.least >= range.least && a.most <= range.most;
}

/** So many of them, evenly. */
export function spread<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(most, all.length) }, (_, k) => all[Math.floor(k * step)]!);
}

/** A loss on its own arrays, and on others of the same shapes that are representable in float32. */
export function problemsOf(name: string, { loss, wrt, bindings }: Point): Problem[] {
  const base = bindings.get(wrt.name)!;
  const gradientExpr = gradient(loss, wrt);
  const others = [...bindings].filter(([name]) => name !== wrt.name);
  const isBinary = (x: TypedArray): boolean => x.every((v) => v === 0 || v === 1);
  const with_ = (own: TypedArray, more: (x: TypedArray) => TypedArray = (x) => x) =>
    new Map([...others.map(([k, x]) => [k, more(single(x))] as const), [wrt.name, own]]);
  const logits = base.some((v) => v < 0 || v > 1);
  const ends = logits ? NASTY_LOGITS : NASTY_PROBABILITIES;
  const nasty = Float32Array.from(base, (_, k) => ends[k % ends.length]!);
  const empty = with_(single(base), (x) => (isBinary(x) ? x.map(() => 0) : x));
  const made = new Map<string, Point["bindings"]>([
    ["own arrays", bindings],
    ["rounded", with_(single(base))],
    ["nasty", with_(nasty)],
    ["empty", empty],
    ["at the ends", with_(Float32Array.from(base, (_, k) => (logits ? NEAR_ZERO : ENDS)[k % 5]!))],
    ["nasty and empty", new Map([...empty, [wrt.name, nasty]])],
  ]);
  const target = others.find(([, x]) => x.length === base.length)?.[1];
  if (target !== undefined) made.set("equal to the target", with_(Float32Array.from(target)));
  if (logits) made.set("steep", with_(nasty.map((v) => Math.max(-STEEP, Math.min(v, STEEP)))));
  const elements = spread([...base.keys()], ELEMENTS);
  return [...made].map(([kind, arrays]) => ({
    name: `${name}, ${kind}`,
    point: { loss, wrt, bindings: arrays },
    gradient: gradientExpr,
    elements,
    own: kind === "own arrays",
  }));
}

const NASTY_PROBABILITIES = [1e-7, 1 - 2 ** -24, 0.5, 1e-12, 1 - 2 ** -20, 2 ** -40, 0.999];
const NASTY_LOGITS = [80, -80, 0.25, -16, 16, 79.5, -1e-6];
const ENDS = [0, 1, 0.5, 1, 0];
/** Outputs that an activation never saw: far smaller than an ε where the target is empty. */
const NEAR_ZERO = [0, 0, -0, 1e-8, -1e-8];
/** Logits whose squares of small probabilities float32 can hold. */
const STEEP = 20;

/** In float32; whole numbers and booleans keep their type. */
function single(x: TypedArray): TypedArray {
  return x instanceof Float64Array ? Float32Array.from(x) : x;
}

/** @param file where the problems are written for the oracle */
export async function solve(
  file: string,
  problems: readonly Problem[],
): Promise<[Problem, Answer][]> {
  writeFileSync(file, JSON.stringify(problems.map(serialised)));
  const printed = await runOracle("test/oracle/known_error.py", [file]);
  const answers = JSON.parse(printed.slice(printed.lastIndexOf("\n[") + 1)) as Answer[];
  return problems.map((p, k) => [p, answers[k]!]);
}

function serialised({ point, gradient: g, elements }: Problem): object {
  const { loss, wrt, bindings } = point;
  // The loss's nodes first, so that it can be evaluated by itself.
  const order = [...new Set([...topological(loss), ...topological(g)])];
  const places = new Map(order.map((e, k) => [e, k]));
  const nodes = order.map((e) => {
    const { id: _id, type: _type, ...rest } = e;
    const value =
      e.kind === "parameter"
        ? String(boundValue(e, bindings))
        : e.kind === "size"
          ? String(sizeProduct(sizesOf(e.axes)))
          : e.kind === "const"
            ? String(e.value).replace("Infinity", "inf")
            : undefined;
    const args = e.args.map((a) => places.get(a)!);
    return { ...rest, axes: undefined, shape: sizesOf(e.shape), args, value: exactly(value) };
  });
  const arrays = Object.fromEntries(
    topological(loss, g).flatMap((e) => {
      const data = e.kind === "input" ? bindings.get(e.name) : undefined;
      return e.kind !== "input" || data === undefined
        ? []
        : [[e.name, { shape: sizesOf(e.shape), data: [...data] }]];
    }),
  );
  return {
    nodes,
    loss: places.get(loss),
    gradient: places.get(g),
    wrt: wrt.name,
    arrays,
    elements,
  };
}

/** A finite number as itself, since a decimal's text would be read as the decimal. */
function exactly(text: string | undefined): number | string | undefined {
  return text === undefined || !Number.isFinite(Number(text)) ? text : Number(text);
}

/** |hi + lo − exact|, the first differences exact. */
function errorOf(hi: number, lo: number, exact: Triple): number {
  return Math.abs(hi - exact[0] + (lo - exact[1]) - exact[2]);
}

function referenceFaults(
  p: Problem,
  a: Answer,
  outputs: ReturnType<typeof evaluateOnVectors>,
): string[] {
  if (outputs === null) return [];
  return [p.point.loss, p.gradient].flatMap((e, which) => {
    const bound = referenceBound(reductionDepth(e), operationDepth(e));
    const { hi, lo } = outputs[which]!;
    return compared(p, a, which, (k, exact) => errorOf(hi[k]!, lo[k]!, exact), bound, 2 ** -1022);
  });
}

function kernelFaults(p: Problem, a: Answer, options: CompileOptions, unit: number): string[] {
  const { outputs } = compileKernel([p.point.loss, p.gradient], options).run(p.point.bindings);
  return [p.point.loss, p.gradient].flatMap((e, which) => {
    const bound = errorBound(reductionDepth(e), operationDepth(e)) * unit;
    const { data } = outputs[which]!;
    const least = unit === 2 ** -24 ? 2 ** -149 : 2 ** -1074;
    return compared(p, a, which, (k, exact) => errorOf(data[k]!, 0, exact), bound, least);
  });
}

/** What is beyond bound·S, of the loss (0) or its gradient (1). */
function compared(
  p: Problem,
  a: Answer,
  which: number,
  error: (k: number, exact: Triple) => number,
  bound: number,
  least: number,
): string[] {
  const e = which === 0 ? p.point.loss : p.gradient;
  const scale = errorScale(e, p.point.bindings).data;
  const truth = which === 0 ? [a.loss] : a.gradient;
  return truth.flatMap((exact, k) => {
    if (exact === null || error(k, exact) <= bound * scale[k]! + least) return [];
    const ratio = error(k, exact) / (bound * scale[k]!);
    return [
      `${which === 0 ? "loss" : `gradient [${k}]`} is ${ratio} times its bound off ${exact[0]}`,
    ];
  });
}

function elementFaults(p: Problem, a: Answer): string[] {
  const point = new LossPoint(p.point.loss, p.point.wrt, p.point.bindings);
  const differences = new ElementDifferences(point);
  const found = p.elements.flatMap((k, i) => {
    const [left, right] = a.slopes[i]!;
    const d = differences.at(k);
    if (d === null || d.kink || left === null || right === null) return [];
    // Slopes from both sides with a step of 1e-30: their mean is exact far beyond float64.
    if (Math.abs(left[0] - right[0]) > 1e-12 * Math.abs(left[0])) return [];
    const error = Math.abs(d.numeric - (left[0] + right[0]) / 2);
    return error <= d.bar ? [] : [`element ${k}: ${d.numeric} ± ${d.bar}, it is ${left[0]}`];
  });
  point.release();
  return found;
}

function directionFaults(p: Problem, a: Answer): string[] {
  const values = Float64Array.from(a.gradient, (g) => g?.[0] ?? NaN);
  if (values.some((x) => Number.isNaN(x))) return [];
  const point = new LossPoint(p.point.loss, p.point.wrt, p.point.bindings);
  const probe = new DirectionalProbe(point);
  probe.expectGradient(point.figuresOf(values).sizeOfMoved);
  const found = [probe.along(values), probe.ridders(values)].flatMap((d) => {
    if (!Number.isFinite(d.bar) || d.kink !== null) return [];
    const claim = point.claimOf(values, d.velocity);
    const error = Math.abs(d.derivative - claim.value);
    return error <= d.bar + claim.rounding
      ? []
      : [`${d.method}: ${d.derivative} ± ${d.bar}, it is ${claim.value}`];
  });
  point.release();
  return found;
}
