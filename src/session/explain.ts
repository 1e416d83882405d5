/** Two inspected losses explained: from their expressions and arrays to the reasons in a report. */
import { sizesOf } from "../expression/axis.ts";
import { generator } from "../expression/equalityPoints.ts";
import type { Expr } from "../expression/node.ts";
import { resize } from "../expression/walk.ts";
import {
  type Evaluate,
  type Explanation,
  type Reason,
  type Standard,
  type WrittenGradient,
  explain,
} from "../explain/reasons/explain.ts";
import type { GivenStep } from "../explain/reasons/given.ts";
import { type Match as Nearest, matchesOf } from "../explain/reasons/match.ts";
import { type Subject, inputsOf } from "../explain/recognize/subject.ts";
import { factsOf } from "../losses/call.ts";
import { Settings } from "../losses/entry.ts";
import { certainArrays, certainEntries } from "../numbers/certain.ts";
import { filled } from "../numbers/interruption.ts";
import type { Bindings, TypedArray } from "../numbers/typedArrays.ts";
import { finite } from "../report/numbers.ts";
import type { Difference, GradientFactor, Match } from "../report/schema.ts";
import { kernelArray } from "./bindings.ts";
import type { Inspection, Watch } from "./inspect.ts";
import { areTooLarge } from "./sampleArrays.ts";
import { subjectOf } from "./standard.ts";
import { trapsMet } from "./traps.ts";

/**
 * Explains how `first` differs from a loss on the same arrays.
 * @param given steps that brought the two to the same arrays
 */
export function explainDifference(
  first: Inspection,
  standard: Standard,
  given: readonly GivenStep[],
  watch: Watch,
): Explanation | null {
  const subject = subjectOf(first);
  if (subject === null) return null;
  return explain(subject, standard, {
    ...(first.spans === undefined ? {} : { spans: first.spans }),
    file: first.report.function.file,
    written: writtenByHand(first),
    given,
    evaluate: evaluateOn(first, subject, watch),
  });
}

/** The gradient of a function that does not compute its own loss's, and where it says so. */
function writtenByHand({ report, gradientExpr }: Inspection): WrittenGradient | null {
  const wrong = (report.handwritten ?? []).filter((h) => h.inForce && h.verdict !== "right");
  if (wrong.length === 0) return null;
  const lines = wrong.flatMap(({ faults, location }) => {
    const own = faults.flatMap((f) => f.lines);
    return own.length > 0 ? own : location.line === undefined ? [] : [location.line];
  });
  return { gradient: gradientExpr, lines: [...new Set(lines)].sort((a, b) => a - b) };
}

/** The catalogue losses nearest to what `own` was recognized as. */
export function nearestLosses(
  own: Explanation["own"],
  inspection: Inspection,
  most = 3,
): Nearest[] {
  const subject = subjectOf(inspection);
  if (own === null || subject === null) return [];
  return matchesOf(own.spec, factsOf(inputsOf(subject))).slice(0, most);
}

/** The nearest losses; those that it equals with the traps that it has in common with them. */
export function matchesWithTraps(own: Explanation["own"], inspection: Inspection): Match[] {
  const subject = subjectOf(inspection);
  if (subject === null) return [];
  const facts = factsOf(inputsOf(subject));
  return nearestLosses(own, inspection).map((nearest) => {
    const { entry, parameters, distance } = nearest;
    const traps = distance === 0 ? trapsMet(entry, new Settings(parameters), facts) : [];
    return { ...toMatch(nearest), ...(traps.length === 0 ? {} : { traps }) };
  });
}

function toMatch({ entry, call, distance }: Nearest): Match {
  const { source } = entry;
  return {
    name: entry.title,
    call,
    exact: distance === 0,
    source:
      source.kind === "library"
        ? `${source.package} ${source.version}, ${source.file}, ${source.symbol}`
        : `${source.authors} (${source.year}), ${source.place}`,
  };
}

export function toDifference(reason: Reason, other: string, maxAbs: number | null): Difference {
  const { formulas, factor, share } = reason;
  return {
    other,
    id: reason.id,
    title: reason.title,
    reason: reason.sentence,
    formula: formulas?.after ?? null,
    before: formulas?.before ?? null,
    share: share?.share ?? null,
    shareRange: share === null ? null : [share.least, share.most],
    lines: reason.lines,
    fix: reason.fix,
    maxAbsDifference: maxAbs,
    // The gradient as it is over the one without this reason.
    commonFactor: factor.kind === "constant" || factor.kind === "common" ? 1 / factor.value : null,
    factor: toFactor(factor),
  };
}

function toFactor(f: Reason["factor"]): GradientFactor {
  switch (f.kind) {
    case "none":
      return { kind: "none", value: null, least: null, most: null, turned: 0 };
    case "constant":
    case "common":
      return { kind: f.kind, value: f.value, least: f.value, most: f.value, turned: 0 };
    case "varies":
      return {
        kind: f.kind,
        value: finite(f.median),
        least: finite(f.least),
        most: finite(f.most),
        turned: f.turned,
        ...(f.histogram.edges.every(Number.isFinite) ? { histogram: f.histogram } : {}),
      };
  }
}

/**
 * Gradients on the inspection's arrays. Further draws move the prediction against the target, so that
 * what holds for one pair of arrays only does not hold for all of them. Without arrays small ones are
 * drawn; null where small ones do not fit the loss, as where its arrays are too large for memory.
 */
function evaluateOn(inspection: Inspection, subject: Subject, watch: Watch): Evaluate | null {
  const bound = inspection.inputs.every((x) => x.array !== null);
  const isCancelled = (): boolean => watch.isCancelled();
  if (!bound) {
    const { prediction, target, mask } = subject;
    const isHuge = areTooLarge([prediction, target, ...(mask === undefined ? [] : [mask])]);
    return isHuge ? null : drawnArrays(subject, isCancelled);
  }
  const arrays = new Map<string, TypedArray>();
  for (const x of inspection.inputs) arrays.set(x.name, kernelArray(x.array!));
  let done = 0;
  return (gradients, draw, certain) => {
    watch.onProgress(null, `comparing gradients (${String(++done)})`);
    const bindings = new Map(arrays);
    const own = bindings.get(subject.prediction.name)!;
    if (draw > 0) bindings.set(subject.prediction.name, rolled(own, draw));
    return valuesOf(gradients, bindings, certain, isCancelled);
  };
}

/** With digits that are certain as far as is asked. */
function valuesOf(
  gradients: readonly Expr[],
  bindings: Bindings,
  certain: "entries" | undefined,
  isCancelled: () => boolean,
): readonly Float64Array[] {
  const evaluate = certain === "entries" ? certainEntries : certainArrays;
  return evaluate(gradients, bindings, { isCancelled });
}

function rolled(a: TypedArray, draw: number): TypedArray {
  const by = Math.max(1, Math.floor((a.length * draw) / 7));
  return filled(new Float64Array(a.length), (k) => a[(k + by) % a.length]!);
}

/** Sizes of axes that no array fixes. */
const SIZES = { batch: 2, class: 3, space: 4 } as const;

function drawnArrays({ prediction, target, mask }: Subject, isCancelled: () => boolean): Evaluate {
  const sizes = new Map<string, number>();
  const inputs = [prediction, target, ...(mask === undefined ? [] : [mask])];
  for (const a of inputs.flatMap((x) => x.shape)) {
    if (a.size !== null) continue;
    sizes.set(a.name, a.role === "batch" || a.role === "class" ? SIZES[a.role] : SIZES.space);
  }
  const classes = prediction.shape.find((a) => a.role === "class")?.size ?? SIZES.class;
  return (gradients, draw, certain) => {
    const next = generator(draw + 1);
    const bindings = new Map<string, TypedArray>();
    for (const x of inputs) {
      const count = sizesOf(resize(x, sizes).shape).reduce((a, b) => a * b, 1);
      const value = (): number => {
        if (x === prediction) return next();
        return x.type === "int" ? Math.floor(next() * classes) : Math.round(next());
      };
      bindings.set(x.name, Float64Array.from({ length: count }, value));
    }
    const sized = gradients.map((g) => resize(g, sizes));
    return valuesOf(sized, bindings, certain, isCancelled);
  };
}
