/** Which entries are summed together: told by exchanging entries and seeing whether the loss moves. */
import type { Classes, Region } from "../../losses/spec.ts";
import type { Probe } from "./probe.ts";
import type { Role } from "./subject.ts";

const MOVED = 1e-10;

/** The region of a loss's sums; null when exchanging entries tells of none that the family has. */
export function regionOf(probe: Probe): Region | null {
  const space = pools(probe, "space");
  const batch = pools(probe, "batch");
  const classes = pools(probe, "class");
  if (!space) return classes && !batch ? "class" : null;
  if (batch) return classes ? "everything" : "batch and space";
  return classes ? "class and space" : "space";
}

/**
 * Whether entries that differ only in this role may be exchanged. Where there is one such entry alone
 * nothing can be told: for space that counts as pooled, for batch and class as not.
 */
function pools(probe: Probe, role: Role): boolean {
  const n = probe.along(role);
  if (n < 2) return role === "space";
  // Classes: not the first, which may be left out as background.
  const [from, to] = role === "class" && n > 2 ? [1, 2] : [0, 1];
  const last = (r: Role): number => probe.along(r) - 1;
  const where = { batch: last("batch"), class: last("class"), space: last("space") };
  const [a, b] = [probe.at({ ...where, [role]: from }), probe.at({ ...where, [role]: to })];
  for (let trial = 0; trial < 2; trial++) {
    const [p, t] = [probe.draw(), probe.draw()];
    const before = probe.value(p, t);
    [p[a], p[b]] = [p[b]!, p[a]!];
    [t[a], t[b]] = [t[b]!, t[a]!];
    const after = probe.value(p, t);
    if (!(Math.abs(after - before) <= MOVED * Math.max(1, Math.abs(before)))) return false;
  }
  return true;
}

/** The roles that one sum of the region runs over. */
export function pooledRoles(region: Region): ReadonlySet<Role> {
  switch (region) {
    case "space":
      return new Set<Role>(["space"]);
    case "batch and space":
      return new Set<Role>(["batch", "space"]);
    case "class and space":
      return new Set<Role>(["class", "space"]);
    case "everything":
      return new Set<Role>(["batch", "class", "space"]);
    case "class":
      return new Set<Role>(["class"]);
  }
}

/** Classes whose entries move the loss: the others are left out of its sums. */
export function usedClasses(probe: Probe): number[] {
  const classes = Array.from({ length: probe.along("class") }, (_, c) => c);
  const [p, t, q, u] = [probe.draw(), probe.draw(), probe.draw(), probe.draw()];
  const before = probe.value(p, t);
  return classes.filter((c) => {
    const other = (own: Float64Array, drawn: Float64Array): Float64Array =>
      own.map((v, k) => (probe.coordinates(k).class === c ? drawn[k]! : v));
    const after = probe.value(other(p, q), other(t, u));
    return !(Math.abs(after - before) <= MOVED * Math.max(1, Math.abs(before)));
  });
}

/** The classes that are compared, where one sum takes in several of them. */
export function pooledClasses(probe: Probe, region: Region): Classes {
  const used = usedClasses(probe);
  const all = probe.along("class");
  if (!pooledRoles(region).has("class") || used.length === all || used.length === 0) return "all";
  const isForeground = used.length === all - 1 && !used.includes(0);
  return isForeground ? "without background" : { only: used };
}

/** The entries of one region, and how the same content is put into every region. */
export interface Within {
  readonly size: number;
  readonly spread: (content: Float64Array) => Float64Array;
}

export function withinRegion(probe: Probe, region: Region): Within {
  const pooled = pooledRoles(region);
  const classes = pooledClasses(probe, region);
  const used = (c: number): boolean =>
    classes === "all" || (typeof classes === "object" ? classes.only.includes(c) : c > 0);
  const keys = new Map<string, number>();
  const of = Array.from({ length: probe.count }, (_, k) => {
    const where = probe.coordinates(k);
    if (!used(where.class)) return null;
    const key = (["batch", "class", "space"] as const)
      .map((r) => (pooled.has(r) ? where[r] : 0))
      .join();
    if (!keys.has(key)) keys.set(key, keys.size);
    return keys.get(key)!;
  });
  return {
    size: keys.size,
    spread: (content) => Float64Array.from(of, (k) => (k === null ? 0.5 : content[k]!)),
  };
}
