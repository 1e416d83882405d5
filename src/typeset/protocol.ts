/** Messages between an editor and the worker that draws formulas. */

export interface TypesetRequest {
  readonly id: number;
  /** A display formula, without `$`. */
  readonly latex: string;
  /** Colour of the letters, as CSS writes it. */
  readonly ink: string;
  /** CSS pixels after which lines are broken. */
  readonly width: number;
}

export interface TypesetResponse {
  readonly id: number;
  /** An SVG document; null for what cannot be set. */
  readonly svg: string | null;
}
