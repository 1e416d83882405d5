/** Several inspected losses side by side: which are the same function, and how far others differ. */
import type { Explanation } from "../explain/reasons/explain.ts";
import { onInputs } from "../explain/reasons/inputs.ts";
import { catalogued } from "../explain/recognize/catalogued.ts";
import { recognize } from "../explain/recognize/recognize.ts";
import { toFloat64 } from "../arrays/ndarray.ts";
import type { Shape } from "../expression/axis.ts";
import * as build from "../expression/build.ts";
import { decideEqual } from "../expression/equality.ts";
import type { Expr, Input, ScalarType } from "../expression/node.ts";
import { substitute } from "../expression/walk.ts";
import { formatNumber } from "../report/plain.ts";
import type { Comparison, Difference, Report, TrapNote } from "../report/schema.ts";
import type { FamilySpec } from "../losses/spec.ts";
import { explainDifference, matchesWithTraps, nearestLosses, toDifference } from "./explain.ts";
import { type Inspection, InspectionError, type Watch } from "./inspect.ts";
import { standardLoss, subjectOf } from "./standard.ts";

type Pair = Comparison["pairs"][number];

/** A loss that takes part: the user's, or a standard one with what is known of it. */
export interface Contestant {
  readonly inspection: Inspection;
  readonly spec?: FamilySpec | null;
  readonly traps?: readonly TrapNote[];
}

/**
 * Every loss against the first one.
 * @throws Cancelled, Interrupted
 */
export function compareInspections(all: readonly Contestant[], watch: Watch): Comparison {
  const inspections = all.map((x) => withFixedValues(x.inspection));
  let own = null as Explanation["own"];
  const pairs = inspections.slice(1).map((_, k): Pair => {
    const pair = comparePair(inspections, 0, k + 1);
    const { spec = null, traps = [] } = all[k + 1]!;
    const withTraps = traps.length === 0 ? pair : { ...pair, traps };
    if (pair.equal !== "no") return withTraps;
    const explained = explainPair(inspections, k + 1, spec, pair, watch);
    if (explained === null) return withTraps;
    own ??= explained.explanation.own;
    return { ...withTraps, ...explained.fields };
  });
  const [first] = inspections;
  // A standard loss that it equals says what it is; a function that it equals does not.
  const isKnown = pairs.some((p) => p.equal === "exactly" && all[p.b]!.spec !== undefined);
  if (own === null && first !== undefined && !isKnown) own = recognized(first);
  const matches = first === undefined ? [] : matchesWithTraps(own, first);
  return {
    schema: "dice-gradient/comparison/v1",
    reports: inspections.map((x) => x.report),
    pairs,
    ...(matches.length === 0 ? {} : { matches }),
  };
}

/**
 * Losses against the first of them, and that against catalogue losses by their calls. Alone, it is
 * compared with the catalogue loss that it comes nearest to.
 * @throws InspectionError when a call names no loss, or one that does not fit the arrays
 */
export function compareWithStandards(
  inspections: readonly Inspection[],
  calls: readonly string[],
  watch: Watch,
): Comparison {
  const [first] = inspections;
  if (first === undefined) throw new InspectionError("compare needs a loss");
  const asked = inspections.length === 1 && calls.length === 0 ? nearestCall(first) : calls;
  const standards = asked.map((call) => standardLoss(call, first, watch));
  return compareInspections(
    [...inspections.map((inspection) => ({ inspection })), ...standards],
    watch,
  );
}

function nearestCall(inspection: Inspection): string[] {
  const [nearest] = nearestLosses(recognized(inspection), inspection, 1);
  if (nearest !== undefined) return [nearest.call];
  throw new InspectionError(
    `${inspection.report.function.name} is no loss that the catalogue could be searched for`,
    'Say what to compare it with: compare(loss(p, t), "monai.losses.DiceLoss(sigmoid=True)").',
  );
}

function recognized(inspection: Inspection): Explanation["own"] {
  const subject = subjectOf(inspection);
  return subject === null ? null : (recognize(subject) ?? catalogued(subject));
}

/** The reasons of a pair whose gradients are different functions. */
function explainPair(
  all: readonly Inspection[],
  b: number,
  spec: FamilySpec | null,
  pair: Pair,
  watch: Watch,
): { readonly explanation: Explanation; readonly fields: Partial<Pair> } | null {
  const [first, second] = [all[0]!, all[b]!];
  const loss = onSameInputs(first, second, second.loss);
  if (loss === null) return null;
  const explanation = explainDifference(first, { loss, spec }, watch);
  if (explanation === null || explanation.reasons.length === 0) return null;
  const [general] = pair.differences;
  const maxAbs = general?.maxAbsDifference ?? null;
  const named = explanation.reasons.map((r) => toDifference(r, general?.other ?? "", maxAbs));
  const count = named.length === 1 ? "for one reason" : `for ${named.length} reasons`;
  const unnamed = explanation.reasons.some((r) => r.id === "unnamed");
  return {
    explanation,
    fields: {
      sentence: unnamed ? pair.sentence : `${pair.sentence}, ${count}`,
      differences: unnamed ? pair.differences : named,
      complete: explanation.complete,
    },
  };
}

function comparePair(all: readonly Inspection[], a: number, b: number): Pair {
  const first = all[a]!;
  const second = all[b]!;
  const [nameA, nameB] = tellApart(first.report, second.report);
  const names = `${nameA} and ${nameB}`;
  const aligned = onSameInputs(first, second, second.gradientExpr);
  if (aligned === null) {
    return {
      a,
      b,
      equal: "cannot be decided",
      sentence: `${names} are differentiated by different arrays (${first.wrt.name} and ${second.wrt.name}), so their gradients are not gradients of the same thing`,
      differences: [],
    };
  }
  // Losses that treat empty masks differently agree everywhere else.
  const absent = first.inputs.flatMap((x) => (x.role === "target" ? [x.name] : []));
  const same = decideEqual(first.gradientExpr, aligned, { parameters: "valued", absent });
  const spread = numericDifference(first.gradient, second.gradient);
  const numbers =
    spread === null
      ? ""
      : `; on these arrays the largest difference is ${formatNumber(spread.maxAbs, 4)}` +
        (spread.relative === null
          ? ""
          : `, ${formatNumber(spread.relative, 3)} of the largest gradient`) +
        (spread.factor === null ? "" : `, one common factor of ${formatNumber(spread.factor, 10)}`);
  if (same.equal === true) {
    return {
      a,
      b,
      equal: "exactly",
      sentence: `the gradients of ${names} are the same function (${same.how})${numbers}`,
      differences: [],
    };
  }
  const difference: Difference = {
    other: nameB,
    reason: (spread?.factor ?? null) === null ? "the formulas differ" : "a common factor",
    formula: { latex: second.report.gradient.latex, text: second.report.gradient.text },
    share: null,
    lines: [],
    fix: null,
    maxAbsDifference: spread?.maxAbs ?? null,
    commonFactor: spread?.factor ?? null,
  };
  return {
    a,
    b,
    equal: same.equal === false ? "no" : "cannot be decided",
    sentence:
      same.equal === false
        ? `the gradients of ${names} are different functions${numbers}`
        : `whether the gradients of ${names} are the same function cannot be decided${numbers}`,
    differences: same.equal === false ? [difference] : [],
  };
}

/** Larger arrays stay inputs: class weights and ranges of classes are small. */
const MOST_FIXED = 64;

/**
 * The inspection with small arrays that the code makes itself as numbers in the expression: two
 * losses are the same function with these values, not with any.
 */
function withFixedValues(inspection: Inspection): Inspection {
  const values = new Map<Expr, Expr>();
  for (const { node, array, isFixed } of inspection.inputs) {
    if (isFixed !== true || array === null || array.data.length > MOST_FIXED) continue;
    values.set(node, asConstants(toFloat64(array), node.shape, node.type));
  }
  if (values.size === 0) return inspection;
  const { loss, gradientExpr } = inspection;
  return {
    ...inspection,
    loss: substitute(loss, values),
    gradientExpr: substitute(gradientExpr, values),
  };
}

function asConstants(values: ArrayLike<number>, shape: Shape, type: ScalarType): Expr {
  const [axis, ...rest] = shape;
  if (axis === undefined) return build.constant(values[0]!, type);
  const step = values.length / axis.size!;
  const parts = Array.from({ length: axis.size! }, (_, k) =>
    asConstants(Array.from(values).slice(k * step, (k + 1) * step), rest, type),
  );
  return build.stack(parts, 0, axis);
}

/** Names of two losses; the same function with other settings is told apart by these. */
function tellApart(a: Report, b: Report): [string, string] {
  const [nameA, nameB] = [a.function.name, b.function.name];
  if (nameA !== nameB) return [nameA, nameB];
  const settings = (r: Report, other: Report): string => {
    const unlike = r.symbols.filter((s) =>
      other.symbols.some(
        (o) => o.name === s.name && o.meaning !== s.meaning && isNumber(s.meaning),
      ),
    );
    const text = unlike.map((s) => `${s.name}=${s.meaning}`).join(", ");
    return text === "" ? r.function.name : `${r.function.name}(${text})`;
  };
  return [settings(a, b), settings(b, a)];
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && !Number.isNaN(Number(text));
}

/**
 * An expression of the second loss as a function of the first one's inputs: those that got the same
 * arrays, or, where there are none, those with the same role.
 */
function onSameInputs(first: Inspection, second: Inspection, e: Expr): Expr | null {
  const pairs: [Input, Input][] = [];
  for (const x of second.inputs) {
    const twin = first.inputs.find((y) =>
      x.array === null && y.array === null
        ? x.role !== "other" && x.role === y.role
        : y.array === x.array,
    );
    if (twin !== undefined) pairs.push([x.node as Input, twin.node as Input]);
  }
  if (!pairs.some(([x, y]) => x === second.wrt.node && y === first.wrt.node)) return null;
  return onInputs(e, pairs);
}

interface Spread {
  readonly maxAbs: number;
  /** As a share of the largest magnitude of either gradient. */
  readonly relative: number | null;
  readonly factor: number | null;
}

/** How far two gradients are apart; the factor when one is a multiple of the other throughout. */
export function numericDifference(a: Float64Array | null, b: Float64Array | null): Spread | null {
  if (a === null || a.length !== b?.length || a.length === 0) return null;
  let maxAbs = 0;
  let largest = 0;
  let at = 0;
  for (let k = 0; k < a.length; k++) {
    const d = Math.abs(a[k]! - b[k]!);
    if (Number.isNaN(d)) return null;
    if (d > maxAbs) maxAbs = d;
    const m = Math.max(Math.abs(a[k]!), Math.abs(b[k]!));
    if (m > largest) [largest, at] = [m, k];
  }
  const factor = b[at] === 0 ? null : a[at]! / b[at]!;
  const common =
    factor !== null &&
    maxAbs > 1e-9 * largest &&
    a.every((x, k) => Math.abs(x - factor * b[k]!) <= 1e-12 * largest);
  return {
    maxAbs,
    relative: largest === 0 ? null : maxAbs / largest,
    factor: common ? factor : null,
  };
}
