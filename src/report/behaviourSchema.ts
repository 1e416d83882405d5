/** The part of a report that `explain` adds: how the gradient behaves, and three claims settled. */

/** How the gradient behaves as predictions go to 0 and 1, and as the foreground shrinks. */
export interface Behaviour {
  /** On which arrays, where the user gave none; else null. */
  readonly assumed: string | null;
  /** One plain sentence each, with numbers from the arrays; the most telling first. */
  readonly findings: readonly BehaviourFinding[];
  /** The numbers in the loss that keep it from dividing by zero. */
  readonly smoothing: readonly SmoothingEntry[];
  readonly charts: readonly BehaviourChart[];
  readonly limits: readonly BehaviourLimit[];
}

export interface BehaviourFinding {
  /** Stable: "saturation", "wrong-and-sure", "one-foreground", "scale", "smoothing", … */
  readonly id: string;
  readonly kind: "vanishes" | "explodes" | "steady" | "undefined" | "information";
  readonly sentence: string;
  readonly lines: readonly number[];
}

export interface SmoothingEntry {
  /** Its name in the code, or the number itself. */
  readonly name: string;
  readonly value: number;
  /** Added; the least that a quantity may be; or the limits of a prediction. */
  readonly kind: "added" | "floor" | "limits";
  readonly place: "numerator" | "denominator" | "logarithm" | "root" | "prediction";
  readonly lines: readonly number[];
}

/** A gradient along a path through the user's own point. Every series has a value for each `at`. */
export interface BehaviourChart {
  readonly id:
    "one-foreground" | "one-background" | "together" | "target" | "shrinking" | "following";
  readonly title: string;
  /** What moves and what stays. */
  readonly note: string;
  readonly x: string;
  readonly at: readonly number[];
  /** Where the user stands. */
  readonly own: number;
  /** Whether `at` are numbers of voxels, to be shown in powers of ten with 0 apart. */
  readonly counts: boolean;
  readonly y: string;
  /** The entry that moves; null where many do. */
  readonly element: readonly number[] | null;
  readonly series: readonly BehaviourSeries[];
}

export interface BehaviourSeries {
  readonly label: string;
  readonly role: "gradient" | "without-smoothing" | "slope" | "scale";
  readonly group: "foreground" | "background" | "all";
  /** Null where there is no value. */
  readonly values: readonly (number | null)[];
  /** At the user's own point. */
  readonly own: number | null;
}

/** What an element's gradient is at an end of the range. */
export interface BehaviourLimit {
  readonly id: string;
  readonly what: string;
  readonly of: "foreground" | "background";
  readonly own: LimitEntry;
  /** Without the smoothing; null where the loss has none. */
  readonly without: LimitEntry | null;
}

export interface LimitEntry {
  readonly kind: "zero" | "finite" | "infinite" | "undefined";
  readonly value: number | null;
  /** Whether the gradient has this value at the end itself; else it only tends to it. */
  readonly reached: boolean;
  readonly words: string;
}

/** Something that people say, settled on this code and these arrays. */
export interface ClaimEntry {
  readonly id: "quotient-rule" | "epsilon" | "library";
  readonly claim: string;
  readonly verdict: "true" | "false" | "true-only-when" | "not-settled";
  /** Why; it goes on from the verdict's words and a colon. */
  readonly sentence: string;
  readonly evidence: readonly string[];
  /** What would settle it, or settle more of it; null where nothing is left. */
  readonly needs: string | null;
  readonly lines: readonly number[];
}

/** Two libraries' gradients of the same function on the same arrays. */
export interface AutogradAgreement {
  readonly a: string;
  readonly b: string;
  /** The coarser of the two types, in whose units in the last place they are compared. */
  readonly dtype: string;
  /** Entries that are the same bit for bit, of how many. */
  readonly identical: number;
  readonly entries: number;
  readonly maxUlps: number;
  readonly maxAbs: number;
}
