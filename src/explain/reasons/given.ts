/**
 * What two losses were given, where it is not the same: arrays with other values, or probabilities
 * here and the logits that they come from there; and what their code makes of the values, such as
 * which entries sorting chose. It is a step between their gradients like any change
 * of the code, before or after all of those.
 */
import { factorOf } from "./factor.ts";
import type { Reason } from "./explain.ts";
import type { StepShare } from "./shares.ts";
import type { Words } from "./words.ts";

export type GivenReasonId = "chain-rule" | "other-arrays" | "other-entries" | "other-constants";

export interface GivenStep extends Words {
  readonly id: GivenReasonId;
  /** Which of the two losses is brought to what the other one was given. */
  readonly side: "first" | "second";
  /** That loss's gradient by what it was given itself, at this step's far end from the changes. */
  readonly gradient: ArrayLike<number>;
  /** Where the first loss's code brings it about. */
  readonly lines?: readonly number[];
}

/** The gradients that the whole difference runs between, where steps lie before or after the changes. */
export function endsOf(given: readonly GivenStep[]): {
  readonly start?: ArrayLike<number>;
  readonly end?: ArrayLike<number>;
} {
  const start = given.find((g) => g.side === "first")?.gradient;
  const end = given.findLast((g) => g.side === "second")?.gradient;
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}

/**
 * @param common the gradients of both losses as functions of the same arrays
 * @param step how much of the whole difference a step is; null where there is none
 */
export function givenReasons(
  given: readonly GivenStep[],
  common: { readonly first: ArrayLike<number>; readonly second: ArrayLike<number> },
  step: StepShare | null,
): { readonly before: Reason[]; readonly after: Reason[] } {
  const reason = (s: GivenStep, from: ArrayLike<number>, to: ArrayLike<number>): Reason => {
    const factor = factorOf([[from, to]]);
    return {
      id: s.id,
      title: s.title,
      sentence: s.sentence,
      fix: s.fix,
      formulas: null,
      // One draw of the arrays cannot tell what holds for any.
      factor: factor.kind === "constant" ? { ...factor, kind: "common" } : factor,
      share: step?.(from, to) ?? null,
      lines: s.lines ?? [],
    };
  };
  const first = given.filter((s) => s.side === "first");
  const second = given.filter((s) => s.side === "second");
  return {
    before: first.map((s, k) => reason(s, s.gradient, first[k + 1]?.gradient ?? common.first)),
    after: second.map((s, k) => reason(s, second[k - 1]?.gradient ?? common.second, s.gradient)),
  };
}
