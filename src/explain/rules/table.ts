/** The rules with their codes. A code never changes its meaning; each has a page in media/rules. */
import { doubledActivations, missingActivations, wrongAxes } from "./activations.ts";
import { idleEpsilons, overflowingSums, vanishingEpsilons } from "./constants.ts";
import { branches } from "./decisions.ts";
import { hardDecisions, noGradient, truncatedTargets } from "./flow.ts";
import { changedInPlace } from "./inPlace.ts";
import { misnamed } from "./names.ts";
import type { Finding, RuleSubject, Severity } from "./rule.ts";
import { mergedClasses, mixedShapes } from "./shapes.ts";
import { singularFunctions, zeroDenominators } from "./singularities.ts";
import { View } from "./view.ts";

export interface Rule {
  readonly code: string;
  /** A short name in words joined by hyphens. */
  readonly name: string;
  /** What it finds, in one line. */
  readonly title: string;
  readonly severity: Severity;
  /** How a loss is looked at; absent where another part of the inspection finds it. */
  readonly find?: (view: View) => readonly Finding[];
  /** Takes longer than the others. */
  readonly slow?: true;
}

export const RULES: readonly Rule[] = [
  {
    code: "DG001",
    name: "zero-denominator",
    title: "A denominator can be zero",
    severity: "warning",
    find: zeroDenominators,
  },
  {
    code: "DG002",
    name: "singular-function",
    title: "A logarithm, root or power can reach its singularity",
    severity: "warning",
    find: singularFunctions,
  },
  {
    code: "DG003",
    name: "epsilon-vanishes",
    title: "An epsilon is zero in the dtype in use",
    severity: "warning",
    find: vanishingEpsilons,
  },
  {
    code: "DG004",
    name: "epsilon-without-effect",
    title: "An epsilon stands where it has no effect",
    severity: "information",
    find: idleEpsilons,
  },
  {
    code: "DG005",
    name: "half-overflow",
    title: "A sum can overflow in half precision",
    severity: "warning",
    find: overflowingSums,
  },
  {
    code: "DG006",
    name: "activation-twice",
    title: "An activation is applied twice",
    severity: "warning",
    find: doubledActivations,
  },
  {
    code: "DG007",
    name: "logits-as-probabilities",
    title: "Logits are used as probabilities",
    severity: "warning",
    find: missingActivations,
  },
  {
    code: "DG008",
    name: "no-gradient",
    title: "No gradient reaches the prediction",
    severity: "error",
    find: noGradient,
  },
  {
    code: "DG009",
    name: "hard-decision",
    title: "A threshold, rounding or argmax stands in a loss",
    severity: "warning",
    find: hardDecisions,
  },
  {
    code: "DG010",
    name: "classes-merged",
    title: "A softmax is summed over its classes",
    severity: "warning",
    find: mergedClasses,
  },
  {
    code: "DG011",
    name: "shapes-mixed",
    title: "Broadcasting mixes samples",
    severity: "warning",
    find: mixedShapes,
  },
  {
    code: "DG012",
    name: "wrong-axis",
    title: "A softmax or one-hot encoding is on the wrong axis",
    severity: "warning",
    find: wrongAxes,
  },
  {
    code: "DG013",
    name: "target-truncated",
    title: "An integer cast truncates the target",
    severity: "information",
    find: truncatedTargets,
  },
  {
    code: "DG014",
    name: "changed-in-place",
    title: "An array is changed in place while autograd needs it",
    severity: "error",
    find: changedInPlace,
  },
  {
    code: "DG015",
    name: "wrong-backward",
    title: "A gradient written by hand is not that of its loss",
    severity: "error",
  },
  {
    code: "DG016",
    name: "misnamed",
    title: "The loss is not what its name says",
    severity: "warning",
    find: misnamed,
    slow: true,
  },
  {
    code: "DG017",
    name: "branch-on-values",
    title: "Python branches on the values of an array",
    severity: "information",
    find: branches,
  },
];

export interface Found extends Finding {
  readonly rule: Rule;
}

/** Rules that take longer than tracing a loss does, such as recognizing what it is. */
export const SLOW_RULES = RULES.filter((rule) => rule.slow === true);
export const QUICK_RULES = RULES.filter((rule) => rule.slow !== true);

/** What the rules find about a loss, in the order of the source. */
export function findings(subject: RuleSubject, rules: readonly Rule[] = RULES): Found[] {
  const view = new View(subject);
  const found = rules.flatMap((rule) => rule.find?.(view).map((f) => ({ ...f, rule })) ?? []);
  return distinct(found).sort((a, b) => a.span.line - b.span.line || a.span.column - b.span.column);
}

/** A line that is run in a loop over classes is one finding. */
function distinct(found: readonly Found[]): Found[] {
  const byPlace = new Map<string, Found>();
  for (const f of found) {
    const key = `${f.rule.code} ${f.span.file}:${f.span.line}:${f.span.column}`;
    if (!byPlace.has(key)) byPlace.set(key, f);
  }
  return [...byPlace.values()];
}
