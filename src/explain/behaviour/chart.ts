/** A quantity along a path, with the place where the user stands on it. */

export interface Series {
  readonly label: string;
  /** The gradient; the same without smoothing; or a factor of the gradient. */
  readonly role: "gradient" | "without-smoothing" | "slope" | "scale";
  /** Whose: of foreground or background entries, or of all. */
  readonly group: "foreground" | "background" | "all";
  /** Signed; not finite where undefined. */
  readonly values: readonly number[];
  /** At the user's own point. */
  readonly own: number;
}

export interface Chart {
  readonly id:
    "one-foreground" | "one-background" | "together" | "target" | "shrinking" | "following";
  readonly title: string;
  /** What moves, and what stays. */
  readonly note: string;
  readonly x: string;
  readonly at: readonly number[];
  /** The user's own place; the values there are each series's `own`. */
  readonly own: number;
  /** Numbers of voxels: powers of ten, and 0 apart. */
  readonly counts: boolean;
  readonly y: string;
  /** The entry that moves, along each axis; of charts about one. */
  readonly element: readonly number[] | null;
  readonly series: readonly Series[];
}
