/** Several inspected losses side by side: which are the same function, and how far others differ. */
import type { Explanation } from "../explain/reasons/explain.ts";
import { factorOf } from "../explain/reasons/factor.ts";
import { catalogued } from "../explain/recognize/catalogued.ts";
import { recognize } from "../explain/recognize/recognize.ts";
import { toFloat64 } from "../arrays/ndarray.ts";
import type { Shape } from "../expression/axis.ts";
import * as build from "../expression/build.ts";
import { decideEqual } from "../expression/equality.ts";
import { type Expr, type ScalarType, isPositions } from "../expression/node.ts";
import { leaves, substitute } from "../expression/walk.ts";
import { certainEntries, difference } from "../numbers/certain.ts";
import { every } from "../numbers/interruption.ts";
import { formatNumber } from "../report/plain.ts";
import type { Comparison, Difference, Report, TrapNote } from "../report/schema.ts";
import type { FamilySpec } from "../losses/spec.ts";
import { kernelArray } from "./bindings.ts";
import { type CommonGround, commonGround } from "./commonGround.ts";
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
    const { pair, ground } = comparePair(inspections, 0, k + 1, watch);
    const { spec = null, traps = [] } = all[k + 1]!;
    const withTraps = traps.length === 0 ? pair : { ...pair, traps };
    const isSame = pair.equal !== "no" && ground?.given.length === 0;
    if (ground === null || pair.equal === "cannot be decided" || isSame) return withTraps;
    const explained = explainPair(ground, spec, pair, watch);
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

/** The reasons of a pair whose gradients are different, or taken of different arrays. */
function explainPair(
  ground: CommonGround,
  spec: FamilySpec | null,
  pair: Pair,
  watch: Watch,
): { readonly explanation: Explanation; readonly fields: Partial<Pair> } | null {
  const { first, second, given } = ground;
  if (!isOnSameInputs(first, second)) return null;
  const explanation = explainDifference(first, { loss: second.loss, spec }, given, watch);
  if (explanation === null || explanation.reasons.length === 0) return null;
  const [general] = pair.differences;
  const maxAbs = general?.maxAbsDifference ?? null;
  const named = explanation.reasons.map((r) => toDifference(r, general?.other ?? "", maxAbs));
  const count = named.length === 1 ? "for one reason" : `for ${named.length} reasons`;
  const unnamed = explanation.reasons.some((r) => r.id === "unnamed");
  const isAllOfIt = unnamed && named.length === 1;
  return {
    explanation,
    fields: {
      sentence: unnamed ? pair.sentence : `${pair.sentence}, ${count}`,
      differences: isAllOfIt ? pair.differences : named,
      complete: explanation.complete,
    },
  };
}

function comparePair(
  all: readonly Inspection[],
  a: number,
  b: number,
  watch: Watch,
): { readonly pair: Pair; readonly ground: CommonGround | null } {
  const first = all[a]!;
  const second = all[b]!;
  const [nameA, nameB] = tellApart(first.report, second.report);
  const names = `${nameA} and ${nameB}`;
  const ground = commonGround(first, second, [nameA, nameB], watch);
  if (typeof ground === "string") {
    const pair: Pair = { a, b, equal: "cannot be decided", sentence: ground, differences: [] };
    return { pair, ground: null };
  }
  // Losses that treat empty masks differently agree everywhere else.
  const absent = first.inputs.flatMap((x) => (x.role === "target" ? [x.name] : []));
  const same = decideEqual(ground.first.gradientExpr, ground.second.gradient, {
    parameters: "valued",
    absent,
  });
  const spread = spreadOn(ground, numericDifference(first.gradient, second.gradient), watch);
  const isChained = ground.given.some((g) => g.id === "chain-rule");
  const isMade = ground.given.some((g) => g.id === "other-entries" || g.id === "other-constants");
  const by = isChained
    ? " are taken by different things, probabilities and logits; by the logits they"
    : "";
  const decided =
    same.equal === true && !isMade
      ? `the same function (${same.how})${isOrderHeld(first, second) ? " while the entries keep their order" : ""}`
      : same.equal === false || isMade
        ? "different functions"
        : null;
  const general: Difference = {
    other: nameB,
    reason: (spread?.factor ?? null) === null ? "the formulas differ" : "a common factor",
    formula: { latex: second.report.gradient.latex, text: second.report.gradient.text },
    share: null,
    lines: [],
    fix: null,
    maxAbsDifference: spread?.maxAbs ?? null,
    commonFactor: spread?.factor ?? null,
  };
  const isApart = isChained || isMade || same.equal === false;
  const equal = isApart ? "no" : same.equal === true ? "exactly" : null;
  const pair: Pair = {
    a,
    b,
    equal: equal ?? "cannot be decided",
    sentence:
      (decided === null
        ? `whether the gradients of ${names} are the same function cannot be decided`
        : `the gradients of ${names}${by} are ${decided}`) +
      (first.isStreamed === true || second.isStreamed === true ? STREAMED : spreadWords(spread)),
    differences: equal === "no" ? [general] : [],
  };
  return { pair, ground };
}

/** Whether either formula is that of an order which the values of the arrays decide. */
function isOrderHeld(...all: readonly Inspection[]): boolean {
  return all.some(({ fixed = [] }) => fixed.some((f) => f.inputs.length > 0));
}

const STREAMED =
  "; how far they are apart was not measured, as the arrays are too large for memory: give a crop of them, e.g. y_pred[:64]";

function spreadWords(spread: Spread | null): string {
  if (spread === null) return "";
  const { maxAbs, relative, factor } = spread;
  return (
    `; on these arrays the largest difference is ${formatNumber(maxAbs, 4)}` +
    (relative === null ? "" : `, ${formatNumber(relative, 3)} of the largest gradient`) +
    (factor === null ? "" : `, one common factor of ${formatNumber(factor, 10)}`)
  );
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

/** Not where the other loss has arrays of its own, as of places that sorting chose. */
function isOnSameInputs(first: Inspection, second: CommonGround["second"]): boolean {
  const names = new Set(first.inputs.map((x) => x.name));
  return [second.loss, second.gradient]
    .flatMap(leaves)
    .every((e) => e.kind !== "input" || isPositions(e) || names.has(e.name));
}

/** With digits that are certain, where both losses have the same arrays. */
function spreadOn(
  { first, second, given }: CommonGround,
  spread: Spread | null,
  watch: Watch,
): Spread | null {
  if (spread === null || given.length > 0 || !isOnSameInputs(first, second)) return spread;
  const bindings = new Map(first.inputs.map((x) => [x.name, kernelArray(x.array!)]));
  const isCancelled = (): boolean => watch.isCancelled();
  const apart = difference(first.gradientExpr, second.gradient, bindings, { isCancelled });
  if (apart === null) return spread;
  const { largest, size } = apart;
  const gradients = [second.gradient, first.gradientExpr];
  const [theirs, ours] = certainEntries(gradients, bindings, { isCancelled });
  const factor = factorOf([[theirs!, ours!]]);
  return {
    maxAbs: largest,
    relative: size === 0 ? null : largest / size,
    factor: factor.kind === "constant" || factor.kind === "common" ? factor.value : null,
  };
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
  const isNumber = every(a.length, (k) => {
    const d = Math.abs(a[k]! - b[k]!);
    if (d > maxAbs) maxAbs = d;
    const m = Math.max(Math.abs(a[k]!), Math.abs(b[k]!));
    if (m > largest) [largest, at] = [m, k];
    return !Number.isNaN(d);
  });
  if (!isNumber) return null;
  const factor = b[at] === 0 ? null : a[at]! / b[at]!;
  const common =
    factor !== null &&
    maxAbs > 1e-9 * largest &&
    every(a.length, (k) => Math.abs(a[k]! - factor * b[k]!) <= 1e-12 * largest);
  return {
    maxAbs,
    relative: largest === 0 ? null : maxAbs / largest,
    factor: common ? factor : null,
  };
}
