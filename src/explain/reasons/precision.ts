/** The reason `precision`: the number type that the arrays are in, and not the formula. */
import type { Ladder } from "../precision/ladder.ts";
import { DIALECTS } from "../precision/words.ts";

export interface PrecisionReason {
  readonly id: "precision";
  readonly title: string;
  readonly sentence: string;
  readonly lines: readonly number[];
  readonly fix: string | null;
}

/** What the arrays' own type does to a loss; `null` where it is as exact as the type is. */
export function precisionReason(
  name: string,
  type: string,
  { rungs, findings }: Ladder,
  library: "torch" | "numpy",
): PrecisionReason | null {
  const own = rungs.find((r) => r.name === type);
  if (own === undefined || own.verdict === "fine" || own.verdict === "reference") return null;
  const cause = findings.find((f) => f.rungs.includes(type) && f.severity !== "information");
  return {
    id: "precision",
    title: `Arithmetic in ${type}`,
    sentence:
      `the arrays of ${name} are ${type}: ${own.sentence}` +
      (cause === undefined ? "" : `; ${cause.sentence}`),
    lines: cause?.lines ?? [],
    fix: cause?.fix ?? `Convert the arrays first: ${DIALECTS[library].singleLoss}.`,
  };
}
