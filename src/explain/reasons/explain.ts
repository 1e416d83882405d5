/**
 * Why the gradients of two losses differ: every reason by name, with what it does to the gradient,
 * its share of the difference, its lines, and what to change. That all changes together make the
 * first loss the second is checked by the exact test.
 */
import { decideEqual } from "../../expression/equality.ts";
import * as b from "../../expression/build.ts";
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { gradient } from "../../gradient/gradient.ts";
import { number } from "../../gradient/nodeWords.ts";
import { canonical } from "../../losses/edits.ts";
import { type FamilySpec, PLAIN_DICE } from "../../losses/spec.ts";
import { filled } from "../../numbers/interruption.ts";
import { cataloguedBoth } from "../recognize/catalogued.ts";
import { withClassesCounted } from "../recognize/classes.ts";
import { type Interruption, withoutInterruptions } from "../recognize/interruptions.ts";
import { type Recognition, builtOn, recognizeBoth } from "../recognize/recognize.ts";
import { type Subject, isLoss, rangesOf, rolesOf } from "../recognize/subject.ts";
import { aligned, fewestChanges } from "./align.ts";
import { type GradientFactor, factorOf, quotientOf } from "./factor.ts";
import { type PairFormula, specFormula } from "./formula.ts";
import { type GivenReasonId, type GivenStep, endsOf, givenReasons } from "./given.ts";
import { type Change, type ReasonId, applied, changesBetween } from "./groups.ts";
import { linesOf } from "./places.ts";
import { type Share, sharesOf, stepsBetween } from "./shares.ts";
import { type Words, wordsOf } from "./words.ts";

export interface Reason extends Words {
  readonly id: ReasonId | GivenReasonId;
  /** The loss before and after this one change, the terms that it changes in a box. */
  readonly formulas: { readonly before: PairFormula; readonly after: PairFormula } | null;
  readonly factor: GradientFactor;
  /** Of the difference on the arrays; null where it cannot be told. */
  readonly share: Share | null;
  readonly lines: readonly number[];
}

export interface Explanation {
  readonly equal: "same function" | "same gradient" | "different" | "undecided";
  /** How the equality was decided. */
  readonly how: string;
  readonly reasons: readonly Reason[];
  /** Whether all changes together make the first loss the second, by the exact test. */
  readonly complete: boolean;
  readonly own: Recognition | null;
}

/** The loss that the subject is compared with, on the subject's arrays. */
export interface Standard {
  readonly loss: Expr;
  /** As a member of the family; null where it is none, or not known to be one. */
  readonly spec: FamilySpec | null;
}

/**
 * Evaluates gradients on arrays; the first draw's arrays are the user's where there are any. Values
 * are to be certain in all digits of the largest entries that a share shows; of "entries" in all that
 * a factor shows, in every entry, and NaN where they are not.
 */
export type Evaluate = (
  gradients: readonly Expr[],
  draw: number,
  certain?: "entries",
) => readonly ArrayLike<number>[];

export interface ExplainOptions {
  readonly spans?: ReadonlyMap<Expr, SourceSpan>;
  readonly file?: string;
  /** The gradient that runs, where it is written by hand and not that of the loss. */
  readonly written?: WrittenGradient | null;
  /** Steps that bring the two losses to the same arrays; they need `evaluate`. */
  readonly given?: readonly GivenStep[];
  /** Null: neither shares nor factors. */
  readonly evaluate: Evaluate | null;
}

export interface WrittenGradient {
  readonly gradient: Expr;
  /** Where it is wrong. */
  readonly lines: readonly number[];
}

/** Draws of arrays on which a factor must be the same to be called constant. */
const DRAWS = 3;

export function explain(
  given: Subject,
  { loss, spec }: Standard,
  { spans: places = new Map(), written: byHand = null, ...rest }: ExplainOptions,
): Explanation {
  const { subject, sized, nodes } = withClassesCounted(given);
  const standard = { loss: sized(loss), spec };
  const spans = new Map(places);
  for (const [before, after] of nodes) {
    const span = places.get(before);
    if (span !== undefined && !spans.has(after)) spans.set(after, span);
  }
  const written = byHand === null ? null : { ...byHand, gradient: sized(byHand.gradient) };
  const options = { ...rest, spans, written };
  const same = isLoss(subject, subject.loss, standard.loss);
  const seen = recognizeBoth(subject, standard.loss, standard.spec);
  const { own, other: target } =
    seen.own === null ? cataloguedBoth(subject, standard.loss, standard.spec) : seen;
  const cuts = withoutInterruptions(subject).interruptions;
  const others = withoutInterruptions({ ...subject, loss: standard.loss });
  const interrupted = written !== null || cuts.length + others.interruptions.length > 0;
  const g = written?.gradient ?? gradient(subject.loss, subject.prediction);
  const h = gradient(standard.loss, subject.prediction);
  if (same.equal === true && !interrupted) {
    const reasons = onlyGiven(g, h, options);
    return { equal: "same function", how: same.how, reasons, complete: true, own };
  }
  const sameGradient = decideEqual(g, h, {
    absent: [subject.target.name],
    ranges: rangesOf(subject),
  });
  const equal =
    sameGradient.equal === true
      ? "same gradient"
      : sameGradient.equal === false
        ? "different"
        : "undecided";
  const { how } = sameGradient;
  const kinds = interruptionsApart(cuts, others.interruptions);
  if (own === null || target === null) {
    if (equal === "same gradient") {
      return { equal, how, reasons: onlyGiven(g, h, options), complete: true, own };
    }
    const { whole, isAll, before, after } = unnamed(subject, standard, options);
    const known = same.equal === true ? interruptionReasons(kinds, PLAIN_DICE, options) : [];
    const reasons = known.map((reason) => ({
      ...reason,
      factor: whole.factor,
      share: whole.share,
    }));
    return {
      equal,
      how,
      reasons: [...before, ...(reasons.length > 0 ? reasons : [whole]), ...after],
      complete: reasons.length > 0 || isAll,
      own,
    };
  }
  const roled = { ...subject, roles: own.roles };
  const near = aligned(roled, own.spec, canonical(target));
  const [from, to] = fewestChanges(near, aligned(roled, target, near, 1));
  const changes = changesBetween(from, to);
  const reasons = reasonsOf(roled, kinds, from, to, changes, options);
  const end = builtOn(roled, applied(from, to, changes));
  const complete = end !== null && isLoss(roled, end, others.loss).equal === true;
  return { equal, how, reasons, complete, own };
}

function reasonsOf(
  subject: Subject,
  interruptions: readonly Interruption[],
  from: FamilySpec,
  to: FamilySpec,
  changes: readonly Change[],
  options: ExplainOptions,
): Reason[] {
  const { evaluate, given = [] } = options;
  const made = (bits: number): FamilySpec =>
    applied(
      from,
      to,
      changes.filter((_, k) => (bits & (1 << k)) !== 0),
    );
  const gradients = new Map<number, Expr | null>();
  const gradientOf = (bits: number): Expr | null => {
    const known = gradients.get(bits);
    if (known !== undefined) return known;
    const loss = builtOn(subject, made(bits));
    const g = loss === null ? null : gradient(loss, subject.prediction);
    gradients.set(bits, g);
    return g;
  };
  const { written = null } = options;
  const interrupted = written !== null || interruptions.length > 0;
  const real = interrupted
    ? (written?.gradient ?? gradient(subject.loss, subject.prediction))
    : null;
  // Differences from one of them, as expressions: what rounding would hide is seen there. The steps
  // before and after are known as arrays only.
  const base = given.length === 0 ? (real ?? gradientOf(0)) : null;
  const valueOf = (g: Expr | null): ArrayLike<number> | null => {
    if (g === null || evaluate === null) return null;
    return evaluate([base === null ? g : b.sub(g, base)], 0)[0]!;
  };
  const after = (bits: number): ArrayLike<number> | null => valueOf(gradientOf(bits));
  const running = valueOf(real);
  const ends = { ...(running === null ? {} : { start: running }), ...endsOf(given) };
  const shares = evaluate === null ? null : sharesOf(changes.length, after, ends);
  const [begun, ended] = [after(0), after(2 ** changes.length - 1)];
  const factor = (before: Expr | null, then: Expr | null): GradientFactor =>
    evaluate === null || before === null || then === null
      ? { kind: "none" }
      : factorOf(drawn(evaluate, [before, then]));
  const interrupting = interruptionReasons(interruptions, from, options).map((reason): Reason => ({
    ...reason,
    factor: factor(real, gradientOf(0)),
    share: running === null || begun === null ? null : (shares?.step(running, begun) ?? null),
  }));
  const family = changes.map((change, k): Reason => {
    const marked = new Set([change.id]);
    return {
      id: change.id,
      ...wordsOf(change.id, from, to),
      formulas: {
        before: specFormula(from, marked, rolesOf(subject)),
        after: specFormula(applied(from, to, [change]), marked, rolesOf(subject)),
      },
      factor: factor(gradientOf(0), gradientOf(1 << k)),
      share: shares?.changes[k] ?? null,
      lines: linesOf(change.id, from, subject, options.spans ?? new Map(), options.file ?? ""),
    };
  });
  const first = running ?? begun;
  if (given.length === 0 || first === null || ended === null) return [...interrupting, ...family];
  const steps = givenReasons(given, { first, second: ended }, shares?.step ?? null);
  return [...steps.before, ...interrupting, ...family, ...steps.after];
}

/** The reasons where nothing of the code differs. */
function onlyGiven(g: Expr, h: Expr, { evaluate, given = [] }: ExplainOptions): Reason[] {
  if (given.length === 0 || evaluate === null) return [];
  const [first, second] = evaluate([g, h], 0);
  const { start = first!, end = second! } = endsOf(given);
  const common = { first: first!, second: second! };
  const { before, after } = givenReasons(given, common, stepsBetween(start, end));
  return [...before, ...after];
}

/**
 * The pair of gradients on several draws of the arrays. On the first, what is shown, two that are
 * nearly the same are so by their difference as an expression, which rounding of either would hide.
 */
function drawn(
  evaluate: Evaluate,
  [one, other]: readonly [Expr, Expr],
): [ArrayLike<number>, ArrayLike<number>][] {
  const [before, after, change] = evaluate([one, other, b.sub(other, one)], 0, "entries");
  const shown = filled(new Float64Array(before!.length), (k) => {
    const [x, d] = [before![k]!, change![k]!];
    return Math.abs(d) < Math.abs(x) / 2 ? x + d : after![k]!;
  });
  const more = Array.from({ length: DRAWS - 1 }, (_, n) => {
    const [x, y] = evaluate([one, other], n + 1);
    return [x!, y!] as [ArrayLike<number>, ArrayLike<number>];
  });
  return [[before!, shown], ...more];
}

/** What interrupts one of the gradients only, or the other one: those of the second have no lines here. */
function interruptionsApart(
  own: readonly Interruption[],
  others: readonly Interruption[],
): Interruption[] {
  const only = (some: readonly Interruption[], rest: readonly Interruption[]): Interruption[] =>
    some.filter((i) => !rest.some((o) => o.kind === i.kind));
  return [...only(own, others), ...only(others, own)];
}

/** Several interruptions act as one: their reasons share its figures. */
function interruptionReasons(
  interruptions: readonly Interruption[],
  spec: FamilySpec,
  { spans, written = null }: ExplainOptions,
): Reason[] {
  const linesOfKind = new Map<ReasonId, number[]>();
  for (const { kind, node } of interruptions) {
    const line = spans?.get(node)?.line;
    linesOfKind.set(kind, [
      ...(linesOfKind.get(kind) ?? []),
      ...(line === undefined ? [] : [line]),
    ]);
  }
  if (written !== null) linesOfKind.set("hand-written", [...written.lines]);
  return [...linesOfKind].map(([id, lines]) => ({
    id,
    ...wordsOf(id, spec, spec),
    formulas: null,
    factor: { kind: "none" },
    share: null,
    lines: [...new Set(lines)],
  }));
}

interface UnnamedDifference {
  readonly whole: Reason;
  /** Whether it is a factor that makes the loss the other one, by the exact test. */
  readonly isAll: boolean;
  readonly before: Reason[];
  readonly after: Reason[];
}

function unnamed(
  subject: Subject,
  standard: Standard,
  { evaluate, written = null, given = [] }: ExplainOptions,
): UnnamedDifference {
  const [own, other] = [subject.loss, standard.loss].map((e) => gradient(e, subject.prediction));
  const a = written?.gradient ?? own;
  const pairs = evaluate === null ? null : drawn(evaluate, [a!, other!]);
  const factor: GradientFactor = pairs === null ? { kind: "none" } : factorOf(pairs);
  const isConstant = factor.kind === "constant";
  const exact =
    isConstant && written === null ? exactFactor(subject, standard.loss, factor.value) : null;
  const words = exact ?? (isConstant ? number(factor.value, 10) : "");
  const [first, second] = pairs?.[0] ?? [];
  const { start = first, end = second } = endsOf(given);
  const step = start === undefined || end === undefined ? null : stepsBetween(start, end);
  const isKnown = given.length > 0 && first !== undefined && second !== undefined;
  const steps = isKnown ? givenReasons(given, { first, second }, step) : { before: [], after: [] };
  const whole: Reason = {
    id: isConstant ? "constant-factor" : "unnamed",
    title: isConstant ? "A constant factor" : "A difference without a name",
    sentence: isConstant
      ? `The gradients differ by one constant factor, ${words}.`
      : "The formulas differ in a way that has no name here.",
    fix: isConstant ? `Multiply the loss by ${words}.` : "Compare the two formulas.",
    formulas: null,
    factor,
    share: isKnown ? (step?.(first, second) ?? null) : { share: 1, least: 1, most: 1 },
    lines: [],
  };
  return { whole, isAll: exact !== null, ...steps };
}

/** The factor that makes the subject's loss the other one by the exact test, in words; null if none does. */
function exactFactor(subject: Subject, other: Expr, measured: number): string | null {
  const quotient = quotientOf(measured);
  if (quotient === null) return null;
  const [above, below] = quotient.map((n) => b.constant(n));
  const scaled = b.mul(b.div(above!, below!), subject.loss);
  if (isLoss(subject, scaled, other).equal !== true) return null;
  return quotient[1] === 1 ? String(quotient[0]) : quotient.join("/");
}
