/** Several inspected losses side by side: which are the same function, and how far others differ. */
import { sameShape } from "../expression/axis.ts";
import { decideEqual } from "../expression/equality.ts";
import type { Expr } from "../expression/node.ts";
import { substitute } from "../expression/walk.ts";
import { formatNumber } from "../report/plain.ts";
import type { Comparison, Difference, Report } from "../report/schema.ts";
import type { Inspection } from "./inspect.ts";

type Pair = Comparison["pairs"][number];

/** Every loss against the first one. */
export function compareInspections(inspections: readonly Inspection[]): Comparison {
  const pairs = inspections.slice(1).map((_, k) => comparePair(inspections, 0, k + 1));
  return {
    schema: "dice-gradient/comparison/v1",
    reports: inspections.map((x) => x.report),
    pairs,
  };
}

function comparePair(all: readonly Inspection[], a: number, b: number): Pair {
  const first = all[a]!;
  const second = all[b]!;
  const [nameA, nameB] = tellApart(first.report, second.report);
  const names = `${nameA} and ${nameB}`;
  const aligned = onSameInputs(first, second);
  if (aligned === null) {
    return {
      a,
      b,
      equal: "cannot be decided",
      sentence: `${names} are differentiated by different arrays (${first.wrt.name} and ${second.wrt.name}), so their gradients are not gradients of the same thing`,
      differences: [],
    };
  }
  const same = decideEqual(first.gradientExpr, aligned, { parameters: "valued" });
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

/** The second gradient as a function of the first one's inputs, where both got the same arrays. */
function onSameInputs(first: Inspection, second: Inspection): Expr | null {
  const renamed = new Map<Expr, Expr>();
  for (const x of second.inputs) {
    const twin = first.inputs.find((y) => y.array !== null && y.array === x.array);
    if (twin !== undefined && sameShape(twin.node.shape, x.node.shape))
      renamed.set(x.node, twin.node);
  }
  if (renamed.get(second.wrt.node) !== first.wrt.node) return null;
  return substitute(second.gradientExpr, renamed);
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
