/** Whether a gradient that was written by hand is that of its forward pass, and if not, why not. */
import * as b from "../../expression/build.ts";
import { type Counterexample, decideEqual } from "../../expression/equality.ts";
import type { Expr } from "../../expression/node.ts";
import { dependsOn, rewrite, substitute } from "../../expression/walk.ts";
import type { Written } from "../../gradient/derivation.ts";
import { receivesGradient } from "../../gradient/derive.ts";
import { gradient } from "../../gradient/gradient.ts";
import type { Finding } from "./fault.ts";
import { Formulas } from "./formulas.ts";
import { nameFaults } from "./nameFaults.ts";

export interface WrittenInput {
  readonly name: string;
  readonly node: Expr;
  /** A reference segmentation: no gradient is expected for it. */
  readonly isTarget: boolean;
}

/** Forward values and gradients, each in terms of the inputs and of what arrives at the outputs. */
export interface WrittenGradient {
  readonly inputs: readonly WrittenInput[];
  readonly outputs: readonly Expr[];
  /** Empty where the gradient is not told what arrives. */
  readonly upstream: readonly Expr[];
  /** For each input; null for None. */
  readonly gradients: readonly (Expr | null)[];
}

export type HandwrittenVerdict =
  | "right"
  | "wrong"
  /** The forward pass has no gradient (it counts thresholded predictions), and one was written. */
  | "surrogate"
  | "undecided";

export interface InputJudgement {
  readonly input: WrittenInput;
  readonly verdict: HandwrittenVerdict;
  readonly findings: readonly Finding[];
  /** The gradient that the forward pass has, with what arrives, and without it for one number. */
  readonly right: Expr;
  readonly formulas: { readonly right: Written; readonly written: Written | null };
  /** Terms of the findings, typeset; null where a finding is about the whole. */
  readonly terms: readonly (Written | null)[];
  readonly counterexample: Counterexample | null;
  /** written − right, where no known fault explains it. */
  readonly residual: Written | null;
}

/** One judgement for each input that has, or should have, a gradient. */
export function judge(w: WrittenGradient): InputJudgement[] {
  const order = orderFinding(w);
  if (order !== null) return [order];
  return w.inputs.flatMap((input, k): InputJudgement[] => {
    const written = w.gradients[k] ?? null;
    if (input.node.type !== "float") return [];
    if (written === null && (input.isTarget || !expected(w, input))) return [];
    const judged = judgeInput(w, input, written);
    return judged === null ? [] : [judged];
  });
}

/** Whether an input without a gradient should have one: the only one that could, or the first. */
function expected(w: WrittenGradient, input: WrittenInput): boolean {
  if (!w.outputs.some((o) => dependsOn(o, input.node))) return false;
  const others = w.inputs.filter((x, k) => x !== input && w.gradients[k] !== null);
  return others.length === 0 || others.every((x) => x.isTarget);
}

interface Problem {
  /** A scalar to differentiate. */
  readonly base: Expr;
  readonly written: Expr;
  readonly findings: readonly Finding[];
}

function judgeInput(
  w: WrittenGradient,
  input: WrittenInput,
  given: Expr | null,
): InputJudgement | null {
  const x = input.node;
  const whole = seeded(w);
  const right = gradient(whole, x);
  if (given === null) {
    const f = new Formulas(forwardOf(w), x, targetOf(w, x), null);
    const missing: Finding = {
      id: "gradient-missing",
      sentence: `None is returned for ${input.name}, which the forward pass depends on`,
      term: null,
      at: null,
    };
    return result(input, "wrong", [missing], right, f, null, null, null);
  }
  const same = decideEqual(given, stretched(right, x), { degenerate: false });
  const { base, written, findings } = withoutUpstream(w, whole, given);
  const f = new Formulas(base, x, targetOf(w, x), written);
  if (same.equal === true) return result(input, "right", [], right, f, written, null, null);
  const isZero =
    decideEqual(given, b.expand(b.ZERO, x.shape), { degenerate: false }).equal === true;
  if (isZero && input.isTarget) return null;
  if (same.equal !== false) return result(input, "undecided", [], right, f, written, null, null);
  const own = gradient(base, x);
  const isSurrogate = !receivesGradient(base, x);
  const rest = sameAs(written, stretched(own, x)) ? [] : faults(w, base, x, written, own, f);
  const all = [...findings, ...rest];
  const verdict = isSurrogate ? "surrogate" : "wrong";
  const counterexample = same.counterexample ?? null;
  const unexplained = rest.some((r) => r.id === "unknown");
  const residual = unexplained ? b.sub(written, stretched(own, x)) : null;
  return result(input, verdict, all, right, f, written, counterexample, residual);
}

function faults(
  w: WrittenGradient,
  base: Expr,
  x: Expr,
  written: Expr,
  own: Expr,
  f: Formulas,
): Finding[] {
  const others = w.inputs.map((i) => i.node).filter((n) => n !== x);
  const right = stretched(own, x);
  const named = nameFaults({ base: withSigmoids(base), x, written, right, others }, f);
  if (named.length > 0) return named;
  return [
    {
      id: "unknown",
      sentence:
        "the gradient differs from that of the forward pass, and no single known mistake explains how",
      term: null,
      at: null,
    },
  ];
}

/** 1/(1 + exp(−x)) as the sigmoid that it is: its mistakes are those of an activation. */
function withSigmoids(base: Expr): Expr {
  const isOne = (e: Expr): boolean => e.kind === "const" && e.value === 1;
  return rewrite(base, (e) => {
    if (e.kind !== "binary" || e.op !== "div" || !isOne(e.args[0]!)) return e;
    const d = e.args[1]!;
    if (d.kind !== "binary" || d.op !== "add") return e;
    const power = isOne(d.args[0]!) ? d.args[1]! : isOne(d.args[1]!) ? d.args[0]! : null;
    if (power?.kind !== "unary" || power.op !== "exp") return e;
    const minus = power.args[0]!;
    return minus.kind === "unary" && minus.op === "neg" ? b.sigmoid(minus.args[0]!) : e;
  });
}

/** The forward value as one number, weighted by what arrives at it. */
function seeded(w: WrittenGradient): Expr {
  return total(
    w.outputs.map((o, k) => (w.upstream[k] === undefined ? o : b.mul(w.upstream[k], o))),
  );
}

function forwardOf(w: WrittenGradient): Expr {
  return total(w.outputs);
}

function total(parts: readonly Expr[]): Expr {
  const numbers = parts.map((e) => (e.shape.length === 0 ? e : b.sum(e)));
  return numbers.slice(1).reduce((a, e) => b.add(a, e), numbers[0] ?? b.ZERO);
}

/**
 * What arrives taken out, where that can be: a single number multiplies the whole gradient, and one
 * that is ignored counts as 1.
 */
function withoutUpstream(w: WrittenGradient, whole: Expr, given: Expr): Problem {
  const { upstream } = w;
  if (upstream.length === 0) return { base: whole, written: given, findings: [] };
  const ones = new Map(
    upstream.map((u) => [u, u.shape.length === 0 ? b.ONE : b.expand(b.ONE, u.shape)]),
  );
  const written = substitute(given, ones);
  const names = upstream.map((u) => (u.kind === "input" ? u.name : "")).join(" and ");
  const isNumber = upstream.length === 1 && upstream[0]!.shape.length === 0;
  if (!upstream.some((u) => dependsOn(given, u))) {
    const ignored: Finding = {
      id: "upstream-ignored",
      sentence: `${names}, the gradient that arrives from what was computed with the result, is ignored: it must multiply the gradient`,
      term: null,
      at: null,
    };
    return { base: forwardOf(w), written, findings: [ignored] };
  }
  if (!isNumber) return { base: whole, written: given, findings: [] };
  if (sameAs(given, b.mul(upstream[0]!, written))) {
    return { base: forwardOf(w), written, findings: [] };
  }
  const misused: Finding = {
    id: "upstream-misused",
    sentence: `the gradient must be proportional to ${names}, which arrives from what was computed with the result, and it is not`,
    term: null,
    at: null,
  };
  return { base: forwardOf(w), written, findings: [misused] };
}

/** Gradients that are right but stand in each other's place. */
function orderFinding(w: WrittenGradient): InputJudgement | null {
  const whole = seeded(w);
  const candidates = w.inputs.flatMap((x, k) => {
    const g = w.gradients[k] ?? null;
    return x.node.type === "float" ? [{ x, g }] : [];
  });
  for (const { x, g } of candidates) {
    if (g === null) continue;
    const own = stretched(gradient(whole, x.node), x.node);
    for (const other of candidates) {
      if (other.x === x || (other.g !== null && !other.x.isTarget && !x.isTarget)) continue;
      if (other.g !== null && candidates.length !== 2) continue;
      if (other.x.isTarget || other.x.node.shape.length !== x.node.shape.length) continue;
      const theirs = stretched(gradient(whole, other.x.node), other.x.node);
      const isTheirs = sameAs(g, theirs) && !sameAs(g, own);
      const back = other.g === null || (sameAs(other.g, own) && !sameAs(other.g, theirs));
      if (isTheirs && back) {
        const finding: Finding = {
          id: "gradient-order",
          sentence: `what is returned in the place of ${x.name} is the gradient of ${other.x.name}: the gradients must stand in the order of the arguments`,
          term: null,
          at: null,
        };
        const { node } = other.x;
        const f = new Formulas(forwardOf(w), node, targetOf(w, node), null);
        return result(other.x, "wrong", [finding], gradient(whole, node), f, null, null, null);
      }
    }
  }
  return null;
}

const sameAs = (a: Expr, e: Expr): boolean =>
  decideEqual(a, e, { degenerate: false }).equal === true;

function stretched(e: Expr, like: Expr): Expr {
  return e.shape.length === like.shape.length ? e : b.expand(e, like.shape);
}

function targetOf(w: WrittenGradient, x: Expr): Expr | null {
  return w.inputs.find((i) => i.isTarget && i.node !== x)?.node ?? null;
}

function result(
  input: WrittenInput,
  verdict: HandwrittenVerdict,
  findings: readonly Finding[],
  right: Expr,
  f: Formulas,
  written: Expr | null,
  counterexample: Counterexample | null,
  residual: Expr | null,
): InputJudgement {
  return {
    input,
    verdict,
    findings,
    right,
    formulas: {
      right: f.gradient(f.plan.gradientExpr),
      written: written === null ? null : f.gradient(written),
    },
    terms: findings.map((x) => (x.term === null ? null : f.term(x.term))),
    counterexample,
    residual: residual === null ? null : f.term(residual),
  };
}
