/** Which entries are summed together: told by exchanging entries and seeing whether the loss moves. */
import type { Region } from "../../losses/spec.ts";
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

/** For each entry, its number within its region; the same content is put into every region. */
export function withinRegion(
  probe: Probe,
  region: Region,
): { readonly of: number[]; size: number } {
  const pooled = pooledRoles(region);
  const keys = new Map<string, number>();
  const of = Array.from({ length: probe.count }, (_, k) => {
    const where = probe.coordinates(k);
    const key = (["batch", "class", "space"] as const)
      .map((r) => (pooled.has(r) ? where[r] : 0))
      .join();
    if (!keys.has(key)) keys.set(key, keys.size);
    return keys.get(key)!;
  });
  return { of, size: keys.size };
}
