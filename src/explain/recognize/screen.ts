/** Lets through the specs whose template has the loss's values at some points, the degenerate ones included. */
import type { Expr } from "../../expression/node.ts";
import { canonical } from "../../losses/edits.ts";
import { buildFamily } from "../../losses/family.ts";
import { FamilyError, type FamilySpec } from "../../losses/spec.ts";
import { type Cut, withoutCut } from "./cut.ts";
import { Probe } from "./probe.ts";
import type { Role } from "./subject.ts";

const TOLERANCE = 1e-9;

type Point = readonly [p: Float64Array, t: Float64Array];

export class Screen {
  private readonly cut: Cut;
  private readonly roles: readonly Role[];
  private readonly probes: readonly [Probe, Probe];
  private readonly points: readonly (readonly Point[])[];
  private readonly wanted: readonly (readonly number[])[];
  /** Specs that have been looked at, in their one way to be written. */
  private readonly seen = new Set<string>();

  constructor(cut: Cut, roles: readonly Role[]) {
    this.cut = cut;
    this.roles = roles;
    const { loss, p, t } = cut;
    this.probes = [new Probe(loss, p, t, roles, 0), new Probe(loss, p, t, roles, 1)];
    this.points = this.probes.map(pointsOf);
    this.wanted = this.probes.map((probe, k) => this.points[k]!.map(([a, b]) => probe.value(a, b)));
  }

  /**
   * The specs of some groups that have the loss's values; each function once.
   * @param groups specs that have one value at ordinary points: where the first fails there, all do
   */
  *passing(groups: Iterable<readonly FamilySpec[]>): Generator<FamilySpec> {
    for (const group of groups) {
      const fresh = group.filter((spec) => this.isNew(spec));
      const [first] = fresh;
      if (first === undefined || !this.isOrdinarily(first)) continue;
      for (const spec of fresh) if (this.fits(spec, ORDINARY)) yield spec;
    }
  }

  /** Whether a spec has the loss's values at ordinary points. */
  isOrdinarily(spec: FamilySpec): boolean {
    return this.fits(spec, 0, ORDINARY);
  }

  private isNew(spec: FamilySpec): boolean {
    const key = JSON.stringify(canonical(spec));
    const known = this.seen.has(key);
    this.seen.add(key);
    return !known;
  }

  /** At a point each of the two scales, or at all of them. */
  private fits(spec: FamilySpec, from: number, to?: number): boolean {
    const template = this.templateOf(spec);
    if (template === null) return false;
    return this.probes.every((probe, scale) => {
      const value = probe.other(template);
      if (value === null) return true;
      return this.points[scale]!.slice(from, to).every(([a, b], k) =>
        close(value(a, b), this.wanted[scale]![from + k]!),
      );
    });
  }

  private templateOf(spec: FamilySpec): Expr | null {
    const { p, t } = this.cut;
    try {
      const bare = { ...withoutCut(spec), addends: [] };
      return buildFamily(bare, { prediction: p, target: t, roles: this.roles });
    } catch (e) {
      if (e instanceof FamilyError) return null;
      throw e;
    }
  }
}

/** So many of the points are ordinary ones. */
const ORDINARY = 2;

function close(a: number, b: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) === Number.isNaN(b);
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a === b;
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Ordinary points, then an absent class, an empty target, nothing at all, and tiny predictions. */
function pointsOf(probe: Probe): Point[] {
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
