/** How far two libraries' gradients of one function are apart, in units in the last place. */
import { type GradientType, ROUNDING } from "../../gradient/compareGradients.ts";
import { parts } from "../../numbers/interruption.ts";
import type { AutogradAgreement } from "../../report/schema.ts";
import { ulpAt } from "./ulps.ts";

export interface Answered {
  readonly name: string;
  readonly dtype: GradientType;
  readonly gradient: Float64Array;
}

/** Each pair of answers of one size. */
export function agreementsOf(answers: readonly Answered[]): AutogradAgreement[] {
  return answers.flatMap((a, k) =>
    answers
      .slice(k + 1)
      .filter((b) => b.gradient.length === a.gradient.length)
      .map((b) => agreement(a, b)),
  );
}

function agreement(a: Answered, b: Answered): AutogradAgreement {
  const isCoarser = ROUNDING[a.dtype].unit >= ROUNDING[b.dtype].unit;
  const dtype = isCoarser ? a.dtype : b.dtype;
  let [identical, maxUlps, maxAbs] = [0, 0, 0];
  for (const [first, end] of parts(a.gradient.length)) {
    for (let k = first; k < end; k++) {
      const [x, y] = [a.gradient[k]!, b.gradient[k]!];
      if (Object.is(x, y) || x === y) {
        identical++;
        continue;
      }
      const apart = Math.abs(x - y);
      if (!Number.isFinite(apart)) continue;
      maxAbs = Math.max(maxAbs, apart);
      maxUlps = Math.max(maxUlps, apart / ulpAt(Math.max(Math.abs(x), Math.abs(y)), dtype));
    }
  }
  const entries = a.gradient.length;
  return { a: a.name, b: b.name, dtype, identical, entries, maxUlps, maxAbs };
}
