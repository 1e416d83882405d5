/**
 * The gradient as predictions go to 0 and to 1: one entry alone, and all of them together. What is
 * evaluated is the derived gradient itself, on the user's arrays with these entries moved.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { layoutOf, unravel } from "../../gradient/entries.ts";
import type { Bindings, Watch } from "../../numbers/typedArrays.ts";
import type { Chart, Series } from "./chart.ts";
import { type Domain, type Mover, fewerPointsFor, pointsFor, sweepOf } from "./domain.ts";
import type { Factors } from "./factors.ts";
import { Scalars, entryOf, meanMagnitude } from "./point.ts";
import type { BehaviourSubject, Groups } from "./subject.ts";

export interface Gradients {
  readonly own: Expr;
  /** Without the loss's smoothing; null where it has none. */
  readonly bare: Expr | null;
}

type Told = Pick<Series, "label" | "role" | "group">;

interface Quantity extends Told {
  readonly expr: Expr;
}

/** One entry over its whole range, all others as they are. */
export function sweepOne(
  subject: BehaviourSubject,
  gradients: Gradients,
  factors: Factors,
  domain: Domain,
  mover: Mover,
  element: number,
  group: "foreground" | "background",
  watch: Watch,
): Chart {
  const { wrt, bindings } = subject;
  const data = bindings.get(wrt.name)!;
  const quantities = oneQuantities(gradients, factors, element, group);
  const scalars = new Scalars(quantities.map((q) => q.expr));
  const at = sweepOf(domain, data, pointsFor(data.length));
  const own = data[element]!;
  const movedTo = (value: number): Bindings =>
    new Map(bindings).set(wrt.name, mover.one(element, value));
  const { rows, there } = along(scalars, at, own, movedTo, watch);
  const index = unravel(element, layoutOf(wrt));
  const place = index.length === 0 ? wrt.name : `${wrt.name}[${index.join(", ")}]`;
  return {
    id: `one-${group}`,
    title: `One ${group} ${domain === "logits" ? "logit" : "prediction"}`,
    note: `${place} is moved, everything else stays as it is`,
    x: place,
    at,
    own,
    counts: false,
    y: "gradient there",
    element: index,
    series: collected(quantities, rows, there),
  };
}

function oneQuantities(
  { own, bare }: Gradients,
  { activation, ratio }: Factors,
  element: number,
  group: "foreground" | "background",
): Quantity[] {
  const quantities: Quantity[] = [
    { label: "gradient", role: "gradient", group, expr: entryOf(own, element) },
  ];
  if (bare !== null) {
    quantities.push({
      label: "without smoothing",
      role: "without-smoothing",
      group,
      expr: entryOf(bare, element),
    });
  }
  if (activation !== null) {
    quantities.push({
      label: activation.slopeText,
      role: "slope",
      group,
      expr: entryOf(activation.slope, element),
    });
  }
  const region = ratio?.regionOf[element] ?? -1;
  if (ratio !== null && region >= 0) {
    const denominator = denominatorAt(ratio.denominators, region);
    quantities.push({
      label: `1/${ratio.words}`,
      role: "scale",
      group,
      expr: b.div(b.ONE, denominator),
    });
  }
  return quantities;
}

/** The denominator of a region, counted through all of them. */
export function denominatorAt(denominators: readonly Expr[], region: number): Expr {
  let first = 0;
  for (const d of denominators) {
    const { count } = layoutOf(d);
    if (region < first + count) return entryOf(d, region - first);
    first += count;
  }
  return b.ONE;
}

/** How far all entries are moved, in logits or log-odds. */
const FAR = 20;

/**
 * All predictions together, up and down (`toward` null) or toward what the target says and away from
 * it.
 */
export function sweepAll(
  subject: BehaviourSubject,
  gradients: Gradients,
  factors: Factors,
  domain: Domain,
  mover: Mover,
  groups: Groups | null,
  toward: boolean,
  watch: Watch,
): Chart {
  const { wrt, bindings } = subject;
  const data = bindings.get(wrt.name)!;
  const foreground = groups?.foreground ?? null;
  const marks = b.input("·foreground", wrt.shape, "bool");
  const all: Groups["foreground"] = foreground ?? new Uint8Array(data.length).fill(1);
  const quantities = allQuantities(gradients, factors, marks, groups, data.length);
  const scalars = new Scalars(quantities.map((q) => q.expr));
  const points = fewerPointsFor(data.length);
  const at = Array.from({ length: points }, (_, k) => -FAR + (2 * FAR * k) / (points - 1));
  const movedBy = (shift: number): Bindings =>
    new Map(bindings)
      .set(wrt.name, mover.by(shift, toward ? foreground : null))
      .set("·foreground", all);
  const { rows, there } = along(scalars, at, 0, movedBy, watch);
  const unit = domain === "logits" ? "logits" : domain === "probabilities" ? "log-odds" : "values";
  return {
    id: toward ? "target" : "together",
    title: toward ? "All predictions toward the target" : "All predictions together",
    note: toward
      ? `all ${unit} are moved by as much, up where the target is 1, down elsewhere: 0 is yours, right of it all is better, left worse`
      : `all ${unit} are moved by as much: 0 is yours, to the left every prediction goes to 0, to the right to 1`,
    x: toward ? `${unit} moved toward the target` : `${unit} moved by`,
    at,
    own: 0,
    counts: false,
    y: "mean magnitude of the gradient",
    element: null,
    series: collected(quantities, rows, there),
  };
}

/** Rows at all points, and the one where the user's own arrays are, which mostly is among them. */
function along(
  scalars: Scalars,
  at: readonly number[],
  own: number,
  bound: (point: number) => Bindings,
  watch: Watch,
): { readonly rows: readonly number[][]; readonly there: readonly number[] } {
  const known = at.findIndex((point) => Object.is(point, own));
  const rows = scalars.along(known < 0 ? [...at, own] : at, bound, watch);
  return { rows: rows.slice(0, at.length), there: rows.at(known)! };
}

function allQuantities(
  { own, bare }: Gradients,
  { activation }: Factors,
  marks: Expr,
  groups: Groups | null,
  count: number,
): Quantity[] {
  const inside = groups?.foregroundCount ?? count;
  const sets = [
    { group: groups === null ? ("all" as const) : ("foreground" as const), marks, size: inside },
    { group: "background" as const, marks: b.unary("not", marks), size: count - inside },
  ].filter((s) => s.size > 0);
  const quantities: Quantity[] = [];
  for (const { group, marks: chosen, size } of sets) {
    const mean = (e: Expr): Expr => meanMagnitude(e, chosen, b.constant(size));
    const whose = group === "all" ? "" : `, ${group}`;
    quantities.push({ label: `gradient${whose}`, role: "gradient", group, expr: mean(own) });
    if (bare !== null) {
      const label = `without smoothing${whose}`;
      quantities.push({ label, role: "without-smoothing", group, expr: mean(bare) });
    }
  }
  if (activation !== null) {
    quantities.push({
      label: `mean ${activation.slopeText}`,
      role: "slope",
      group: "all",
      expr: b.div(b.sum(b.abs(activation.slope)), b.constant(count)),
    });
  }
  return quantities;
}

export function collected(
  told: readonly Told[],
  rows: readonly (readonly number[])[],
  own: readonly number[],
): Series[] {
  return told.map(({ label, role, group }, k) => ({
    label,
    role,
    group,
    values: rows.map((row) => row[k]!),
    own: own[k]!,
  }));
}
