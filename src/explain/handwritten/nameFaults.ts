/**
 * Which mistakes make a written gradient of the right one. Candidates are ruled out by numbers and
 * proved by `decideEqual`; the first that is proved is the answer, simple ones before combinations.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { type ShareRule, derive } from "../../gradient/derive.ts";
import type { Candidate } from "./candidate.ts";
import { coefficientFinding } from "./coefficients.ts";
import { type EpsilonCandidate, epsilonCandidates } from "./epsilons.ts";
import { factorBetween } from "./factors.ts";
import type { Finding, Words } from "./fault.ts";
import { Probe, sameGradient } from "./probe.ts";
import { type RuleEdit, ruleEdits } from "./ruleEdits.ts";
import { softOfHard, valueCandidates } from "./values.ts";

export interface Comparison {
  /** What is differentiated: a scalar. */
  readonly base: Expr;
  readonly x: Expr;
  readonly written: Expr;
  readonly right: Expr;
  /** The other arrays that the function is given. */
  readonly others: readonly Expr[];
}

/** Pairs of mistakes are tried up to this many. */
const MAX_PAIRS = 2500;

/** @returns one finding, or two for two mistakes at once; none where nothing known fits */
export function nameFaults(c: Comparison, words: Words): Finding[] {
  const probe = new Probe([c.base, c.written, c.right], c.right);
  const edits = ruleEdits(c.base, c.x);
  const epsilons = epsilonCandidates(c.base, c.x, c.written);
  const singles: Candidate[] = [
    ...edits.map((e) => ruleCandidate(c, e)),
    ...epsilons,
    ...valueCandidates(c.base, c.x, c.others),
  ];
  return (
    whole(c, words, probe) ??
    single(c, singles, words, probe) ??
    one(coefficientFinding(c, words, probe)) ??
    scaled(c, singles, words, probe) ??
    pairs(c, edits, epsilons, words, probe) ??
    surrogates(c, epsilons, words, probe) ??
    []
  );
}

const one = (f: Finding | null): Finding[] | null => (f === null ? null : [f]);

function ruleCandidate(c: Comparison, edit: RuleEdit): Candidate {
  return {
    id: edit.id,
    at: edit.at,
    say: edit.say,
    gradient: () => derive(c.base, c.x, undefined, shareOf([edit])),
  };
}

/** The right gradient times one factor. */
function whole(c: Comparison, words: Words, probe: Probe): Finding[] | null {
  const factor = factorBetween(c.written, c.right, c.base, probe);
  if (factor === null) return null;
  const found = factor.find(words);
  const flip = found.id === "sign" ? complement(c, words) : null;
  return [{ ...found, ...(flip ?? {}), term: null, at: null }];
}

/** A wrong sign has its usual cause where the forward pass is one minus the score. */
function complement(c: Comparison, words: Words): Pick<Finding, "sentence"> | null {
  const { base } = c;
  const isComplement =
    base.kind === "binary" && base.op === "sub" && base.args[0]!.kind === "const";
  if (!isComplement) return null;
  return {
    sentence: `the forward pass is ${words.formula(base.args[0]!)} minus the score, and the gradient is that of the score itself: its sign must be turned`,
  };
}

function single(
  c: Comparison,
  candidates: readonly Candidate[],
  words: Words,
  probe: Probe,
): Finding[] | null {
  for (const candidate of candidates) {
    const g = attempt(candidate);
    if (g === null || !probe.mayBe(g, c.written) || !sameGradient(g, c.written)) continue;
    return [finding(candidate, words, c)];
  }
  return null;
}

/** One mistake and a factor on the whole. */
function scaled(
  c: Comparison,
  candidates: readonly Candidate[],
  words: Words,
  probe: Probe,
): Finding[] | null {
  for (const candidate of candidates) {
    const g = attempt(candidate);
    if (g === null || probe.values(g) === null) continue;
    const factor = factorBetween(c.written, g, c.base, probe);
    if (factor === null) continue;
    const found = factor.find(words);
    return [finding(candidate, words, c), { ...found, term: null, at: null }];
  }
  return null;
}

/** Two mistakes in rules; or one in a rule, one in the smoothing and perhaps a factor. */
function pairs(
  c: Comparison,
  edits: readonly RuleEdit[],
  epsilons: readonly EpsilonCandidate[],
  words: Words,
  probe: Probe,
): Finding[] | null {
  let tried = 0;
  const tryEdits = (base: Expr, all: readonly RuleEdit[]): Expr | null => {
    if (++tried > MAX_PAIRS) return null;
    const g = attempt({ gradient: () => derive(base, c.x, undefined, shareOf(all)) });
    return g !== null && probe.isMultiple(c.written, g) ? g : null;
  };
  for (const epsilon of epsilons) {
    const other = epsilon.base();
    for (const edit of ruleEdits(other, c.x)) {
      const g = tryEdits(other, [edit]);
      if (g === null) continue;
      const mistakes = [
        finding(ruleCandidate({ ...c, base: other }, edit), words, c),
        finding(epsilon, words, c),
      ];
      if (probe.mayBe(g, c.written) && sameGradient(g, c.written)) return mistakes;
      const factor = factorBetween(c.written, g, other, probe);
      if (factor === null) continue;
      return [...mistakes, { ...factor.find(words), term: null, at: null }];
    }
  }
  for (const [k, first] of edits.entries()) {
    for (const second of edits.slice(k + 1)) {
      const g = tryEdits(c.base, [first, second]);
      if (g === null || !probe.mayBe(g, c.written) || !sameGradient(g, c.written)) continue;
      return [first, second].map((e) => finding(ruleCandidate(c, e), words, c));
    }
  }
  return null;
}

/** A surrogate for a forward pass that thresholds, with other smoothing than that. */
function surrogates(
  c: Comparison,
  epsilons: readonly EpsilonCandidate[],
  words: Words,
  probe: Probe,
): Finding[] | null {
  for (const epsilon of epsilons) {
    const soft = softOfHard(epsilon.base(), c.x);
    const found = single(c, soft, words, probe) ?? scaled(c, soft, words, probe);
    if (found === null) continue;
    return [...found, { id: "epsilon", sentence: epsilon.say(words), term: null, at: epsilon.at }];
  }
  return null;
}

/** The first edit that has something to say of a node's argument says it. */
function shareOf(edits: readonly RuleEdit[]): ShareRule {
  return (a, e, k) => {
    for (const edit of edits) {
      const share = e === edit.at ? edit.share(a, k) : undefined;
      if (share !== undefined) return share;
    }
    return undefined;
  };
}

function attempt(candidate: Pick<Candidate, "gradient">): Expr | null {
  try {
    return candidate.gradient();
  } catch {
    return null; // shapes that do not go together
  }
}

/** What the right gradient has and the mistaken one lacks is the term that the sentence is about. */
function finding(candidate: Candidate, words: Words, c: Comparison): Finding {
  const g = attempt(candidate);
  return {
    id: candidate.id,
    sentence: candidate.say(words),
    term: g === null ? null : b.sub(c.right, g),
    at: candidate.at,
  };
}
