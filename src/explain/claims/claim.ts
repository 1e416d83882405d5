/** What a claim is, and the facts that settle it. */
import { number } from "../../gradient/nodeWords.ts";
import type { Watch } from "../../numbers/typedArrays.ts";
import type { Measured } from "../behaviour/behaviour.ts";

export interface Claim {
  readonly id: "quotient-rule" | "epsilon" | "library";
  /** As people put it. */
  readonly claim: string;
  readonly verdict: "true" | "false" | "true-only-when" | "not-settled";
  /** Why, on this code and these arrays; it goes on from the verdict's words and a colon. */
  readonly sentence: string;
  /** What it rests on, with numbers. */
  readonly evidence: readonly string[];
  /** What would settle it, or settle it further; null where nothing is left. */
  readonly needs: string | null;
  readonly lines: readonly number[];
}

/** What real automatic differentiation said of the gradient. */
export interface Run {
  readonly library: string;
  /** With its version, and its device where it ran on several. */
  readonly name: string;
  readonly dtype: string;
  readonly agrees: boolean | null;
  /** Largest error in units of rounding, and what is allowed; null where the run failed. */
  readonly units: number | null;
  readonly bound: number | null;
  readonly maxAbs: number | null;
  /** Largest difference from the derived gradient, in units in the last place of `dtype`. */
  readonly maxUlps: number | null;
  readonly failure: string | null;
}

/** Two libraries' gradients of the same function, entry by entry. */
export interface Agreement {
  readonly a: string;
  readonly b: string;
  /** The coarser of the two types, whose units in the last place are counted. */
  readonly dtype: string;
  readonly identical: number;
  readonly entries: number;
  readonly maxUlps: number;
  readonly maxAbs: number;
}

export interface ClaimFacts {
  readonly watch: Watch;
  readonly measured: Measured;
  /** The check of the derived gradient on the arrays. */
  readonly check: {
    readonly verdict: string;
    readonly units: number | null;
    readonly bound: number | null;
    readonly sentence: string;
  };
  /** Gradients written by hand that are in force. */
  readonly handwritten: readonly {
    readonly name: string;
    readonly wrong: boolean;
    readonly sentence: string;
    readonly lines: readonly number[];
  }[];
  readonly runs: readonly Run[];
  readonly agreements: readonly Agreement[];
  /** Libraries that can differentiate the function, by name; empty where none was asked. */
  readonly libraries: readonly string[];
  /** Type of the prediction's array. */
  readonly dtype: string;
  /** How to have real autograd asked, in the face's own words. */
  readonly askAutograd: string;
}

export function runWords(r: Run): string {
  if (r.failure !== null) return `${r.name} could not be run: ${r.failure.split("\n")[0]!}`;
  const units =
    r.units === null || r.bound === null
      ? ""
      : `, within ${number(r.units)} units of ${r.dtype}'s rounding, of ${number(r.bound)} allowed`;
  const largest = r.maxAbs === null ? "" : `; the largest difference is ${number(r.maxAbs)}`;
  const word = r.agrees === null ? "cannot be decided" : r.agrees ? "agrees" : "differs";
  return `${r.name} ${word}${units}${largest}.`;
}

/** "a, b and c" */
export function list(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}
