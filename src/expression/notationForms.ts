/** Cases, limits, softmax, and arrays put together from parts, in index notation. */
import type { Axis } from "./axis.ts";
import { size } from "./build.ts";
import { type Index, affine, alignIndices, cutOf, isDropped, plus, sameIndex } from "./indices.ts";
import type { Scope } from "./letters.ts";
import type { Lowering } from "./lowering.ts";
import type { Expr, Softmax } from "./node.ts";
import { type RelationOp, type Term, negated, number, productOf } from "./term.ts";

export function softmax(n: Lowering, e: Softmax, idx: readonly Index[], scope: Scope): Term {
  const x = e.args[0]!;
  if (isDropped(e.shape[e.dim]!)) return number(e.log ? 0 : 1); // of a single entry
  const along = idx[e.dim]!;
  const own: Index =
    along.kind === "letter"
      ? along
      : n.allocate([e.shape[e.dim]!], n.withLetters(scope, idx)).indices[0]!;
  const name = e.log ? "log softmax" : "softmax";
  const over: Term[] = [{ kind: "index", index: own }];
  const inner = idx.map((i, d) => (d === e.dim ? own : i));
  const argument = n.coupledValue(x, inner, n.withLetters(scope, inner));
  if (argument.kind === "symbol" && argument.indices.some((i) => sameIndex(i, own))) {
    const whole: Term = { ...argument, indices: [] };
    const indices = argument.indices.map((i) => (sameIndex(i, own) ? along : i));
    return { kind: "call", name, args: [whole], over, indices };
  }
  const indices = along.kind === "letter" ? {} : { indices: [along] };
  return { kind: "call", name, args: [argument], over, ...indices };
}

export function clamp(n: Lowering, e: Expr, idx: readonly Index[], scope: Scope): Term {
  const [x, lo, hi] = e.args.map((a) => n.value(a, alignIndices(e.shape, idx, a.shape), scope));
  const open = (k: number, v: number): boolean => {
    const bound = e.args[k]!;
    return bound.kind === "const" && bound.value === v;
  };
  if (open(2, Infinity)) {
    return open(1, -Infinity) ? x! : { kind: "call", name: "max", args: [x!, lo!] };
  }
  if (open(1, -Infinity)) return { kind: "call", name: "min", args: [x!, hi!] };
  return { kind: "call", name: "clip", args: [x!], over: [lo!, hi!] };
}

export function cases(n: Lowering, e: Expr, idx: readonly Index[], scope: Scope): Term {
  const [c, a, b] = e.args as [Expr, Expr, Expr];
  const value = (x: Expr): Term => n.value(x, alignIndices(e.shape, idx, x.shape), scope);
  const condition = n.truth(c, alignIndices(e.shape, idx, c.shape), scope);
  const branch = { value: knowing(condition, value(a)), condition };
  const rest = value(b);
  return signedCases(
    rest.kind === "cases" ? [branch, ...rest.branches] : [branch],
    rest.kind === "cases" ? rest.otherwise : rest,
  );
}

/** A number as a statement: that it is not 0, or what its brackets say. */
export function holds(t: Term): Term {
  const factors = t.kind === "product" && t.denominator.length === 0 ? t.numerator : [t];
  const args = factors.flatMap((f) => (f.kind === "bracket" ? statements(f.of) : []));
  if (!factors.every((f) => f.kind === "bracket")) return relate("ne", t, number(0));
  return args.length === 1 ? args[0]! : { kind: "logic", op: "and", args };
}

function statements(t: Term): readonly Term[] {
  return t.kind === "logic" && t.op === "and" ? t.args : [t];
}

/** A value where a condition holds: without the brackets that it makes 1. */
function knowing(condition: Term, value: Term): Term {
  if (value.kind === "negative") return negated(knowing(condition, value.of));
  if (value.kind !== "product") return value;
  const known = new Set(statements(condition).map((t) => JSON.stringify(t)));
  const isKnown = (t: Term): boolean =>
    t.kind === "bracket" && statements(t.of).every((s) => known.has(JSON.stringify(s)));
  const left = value.numerator.filter((t) => !isKnown(t));
  return left.length === value.numerator.length ? value : productOf(false, left, value.denominator);
}

export function placed(
  n: Lowering,
  e: Expr & { readonly kind: "place" | "spread" },
  idx: readonly Index[],
  scope: Scope,
): Term {
  const x = e.args[0]!;
  const here = idx[e.dim]!;
  const shown = unshift(here, e.shape[e.dim]!);
  if (e.kind === "place") {
    if (here.kind === "at" && here.at !== e.at) return number(0);
    const rest = idx.filter((_, d) => d !== e.dim);
    const value = n.value(x, rest, scope);
    if (here.kind === "at") return value;
    return indicator([relate("eq", shown, number(unshifted(e.at, e.shape[e.dim]!)))], value);
  }
  const count = x.shape[e.dim]!.size;
  const total = e.shape[e.dim]!.size;
  const own = affine(here, 1 / e.step, -e.start / e.step);
  if (own.kind === "at" && (!Number.isInteger(own.at) || own.at < 0 || own.at >= (count ?? 0))) {
    return number(0);
  }
  const value = n.value(
    x,
    idx.map((i, d) => (d === e.dim ? own : i)),
    scope,
  );
  if (own.kind === "at") return value;
  const conditions: Term[] = [];
  const last = count === null ? null : e.start + (count - 1) * e.step;
  const offset = unshifted(0, e.shape[e.dim]!);
  if (e.start > 0) conditions.push(relate("ge", shown, number(e.start + offset)));
  if (last !== null && (total === null || last + e.step - 1 < total - 1)) {
    conditions.push(relate("le", shown, number(last + offset)));
  }
  if (e.step > 1) {
    const rest: Term = { kind: "call", name: "mod", args: [shown, number(e.step)] };
    conditions.push(relate("eq", rest, number((e.start + offset) % e.step)));
  }
  return indicator(conditions, value);
}

export function slid(
  n: Lowering,
  e: Expr & { readonly kind: "slide" },
  idx: readonly Index[],
  scope: Scope,
): Term {
  const x = e.args[0]!;
  const own = plus(idx[e.dim]!, idx[e.by]!, e.factor, e.start);
  const along = x.shape[e.dim]!;
  const count = along.size;
  if (own.kind === "at" && (own.at < 0 || own.at >= (count ?? Infinity))) return number(0);
  const value = n.value(
    x,
    idx.map((i, d) => (d === e.dim ? own : i)),
    scope,
  );
  if (own.kind === "at") return value;
  const [here, there] = [e.dim, e.by].map((d) => extent(idx[d]!, e.shape[d]!)) as [Extent, Extent];
  const reach = there.map((k) => e.factor * k);
  const lowest = here[0] + Math.min(...reach) + e.start;
  const highest = here[1] + Math.max(...reach) + e.start;
  const shown = unshift(own, along);
  const conditions: Term[] = [];
  if (lowest < 0) conditions.push(relate("ge", shown, number(unshifted(0, along))));
  if (count === null) conditions.push(relate("lt", shown, n.value(size([along]), [], scope)));
  else if (highest >= count) {
    conditions.push(relate("le", shown, number(unshifted(count - 1, along))));
  }
  return indicator(conditions, value);
}

/** Smallest and largest position. */
type Extent = readonly [number, number];

function extent(i: Index, a: Axis): Extent {
  return i.kind === "at" ? [i.at, i.at] : [0, (a.size ?? Infinity) - 1];
}

export function joined(
  n: Lowering,
  e: Expr & { readonly kind: "stack" | "concat" },
  idx: readonly Index[],
  scope: Scope,
): Term {
  const here = idx[e.dim]!;
  const shown = unshift(here, e.shape[e.dim]!);
  let start = 0;
  const pieces = e.args.map((x) => {
    const length = e.kind === "stack" ? 1 : x.shape[e.dim]!.size;
    if (length === null || Number.isNaN(start)) start = NaN;
    const own =
      e.kind === "stack"
        ? idx.filter((_, d) => d !== e.dim)
        : idx.map((i, d) => (d === e.dim ? affine(i, 1, -start) : i));
    const piece = { x, own, start, end: start + (length ?? NaN) };
    start = piece.end;
    return piece;
  });
  if (pieces.some((p) => Number.isNaN(p.end))) {
    const args = e.args.map((x) => n.value(x, idx, scope));
    return { kind: "call", name: "concat", args, indices: [here] };
  }
  if (here.kind === "at") {
    const piece = pieces.find((p) => here.at >= p.start && here.at < p.end)!;
    return n.value(piece.x, piece.own, scope);
  }
  const offset = unshifted(0, e.shape[e.dim]!);
  const values = pieces.map((p) => n.value(p.x, p.own, scope));
  const branches = pieces.slice(0, -1).map((p, k) => ({
    value: values[k]!,
    condition:
      p.end - p.start === 1
        ? relate("eq", shown, number(p.start + offset))
        : relate("lt", shown, number(p.end + offset)),
  }));
  const otherwise = values.at(-1)!;
  return branches.length === 0 ? otherwise : { kind: "cases", branches, otherwise };
}

/** Cases with their common minus in front. */
function signedCases(
  branches: readonly { readonly value: Term; readonly condition: Term }[],
  otherwise: Term,
): Term {
  const values = [...branches.map((b) => b.value), otherwise];
  const isZero = (t: Term): boolean => t.kind === "number" && t.value === 0;
  const isNegative = values.every((t) => t.kind === "negative" || isZero(t));
  if (!isNegative || values.every(isZero)) return { kind: "cases", branches, otherwise };
  const flipped = (t: Term): Term => (t.kind === "negative" ? t.of : t);
  return negated({
    kind: "cases",
    branches: branches.map((b) => ({ ...b, value: flipped(b.value) })),
    otherwise: flipped(otherwise),
  });
}

export function relate(op: RelationOp, left: Term, right: Term): Term {
  return { kind: "relation", op, left, right };
}

function indicator(conditions: readonly Term[], value: Term): Term {
  if (conditions.length === 0) return value;
  if (value.kind === "number" && value.value === 0) return value;
  const of: Term =
    conditions.length === 1 ? conditions[0]! : { kind: "logic", op: "and", args: conditions };
  const bracket: Term = { kind: "bracket", of };
  if (value.kind === "negative") return negated(indicator(conditions, value.of));
  if (value.kind === "product") {
    return productOf(false, [bracket, ...value.numerator], value.denominator);
  }
  return productOf(false, [bracket, value], []);
}

/** The position in the whole axis, where `a` is a part of it. */
const unshifted = (n: number, a: Axis): number => {
  const cut = cutOf(a);
  return cut?.step === 1 ? n + cut.start : n;
};
export const unshift = (i: Index, a: Axis): Term => ({
  kind: "index",
  index: affine(i, 1, unshifted(0, a)),
});
