/** Lets through the specs whose template has the loss's values at some points, the degenerate ones included. */
import type { Expr } from "../../expression/node.ts";
import { buildFamily } from "../../losses/family.ts";
import { FamilyError, type FamilySpec } from "../../losses/spec.ts";
import { type Cut, withoutCut } from "./cut.ts";
import { Probe } from "./probe.ts";
import type { Role } from "./subject.ts";

const TOLERANCE = 1e-9;

/**
 * @param groups specs that have one value at ordinary points: where the first fails there, all do
 */
export function* screened(
  { loss, p, t }: Cut,
  roles: readonly Role[],
  groups: Iterable<readonly FamilySpec[]>,
): Generator<FamilySpec> {
  const probes = [new Probe(loss, p, t, roles, 0), new Probe(loss, p, t, roles, 1)] as const;
  const points = probes.map((probe) => pointsOf(probe));
  const wanted = probes.map((probe, k) => points[k]!.map(([a, b]) => probe.value(a, b)));
  /** At a point each of the two scales, or at all of them. */
  const fits = (spec: FamilySpec, from: number, to?: number): boolean => {
    const template = templateOf(spec, p, t, roles);
    if (template === null) return false;
    return ([0, 1] as const).every((scale) => {
      const value = probes[scale].other(template);
      if (value === null) return true;
      return points[scale]!.slice(from, to).every(([a, b], k) =>
        close(value(a, b), wanted[scale]![from + k]!),
      );
    });
  };
  for (const group of groups) {
    const [first] = group;
    if (first === undefined || !fits(first, 0, ORDINARY)) continue;
    for (const spec of group) if (fits(spec, ORDINARY)) yield spec;
  }
}

/** So many of the points are ordinary ones. */
const ORDINARY = 2;

function templateOf(spec: FamilySpec, p: Expr, t: Expr, roles: readonly Role[]): Expr | null {
  try {
    return buildFamily({ ...withoutCut(spec), addends: [] }, { prediction: p, target: t, roles });
  } catch (e) {
    if (e instanceof FamilyError) return null;
    throw e;
  }
}

function close(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) === Number.isNaN(b);
  return a === b || Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Ordinary points, then an absent class, an empty target, nothing at all, and tiny predictions. */
function pointsOf(probe: Probe): [Float64Array, Float64Array][] {
  const last = probe.along("class") - 1;
  const absent = (t: Float64Array): Float64Array =>
    t.map((v, k) => (probe.coordinates(k).class === last ? 0 : v));
  const empty = new Float64Array(probe.count);
  return [
    [probe.draw(), probe.draw()],
    [probe.draw(), probe.draw()],
    [probe.draw(), probe.draw().map(Math.round)],
    [probe.draw(), absent(probe.draw())],
    [probe.draw(), empty],
    [probe.draw().map((v) => v * 1e-9), empty],
    [empty, empty],
    [probe.draw().map(Math.round), probe.draw().map(Math.round)],
  ];
}
