/** Further fields that ordinary values do not show: limits, empty regions, absent classes, places. */
import type { Expr } from "../../expression/node.ts";
import { topological } from "../../expression/walk.ts";
import { type FamilySpec, type Place, familySpec } from "../../losses/spec.ts";
import { type Constants, named } from "./constants.ts";
import type { Role } from "./subject.ts";

/**
 * The spec at each place that its functions can have: by itself, and then with one or more of the
 * fields that ordinary values do not show, simplest first.
 */
export function* variants(
  fields: Partial<FamilySpec>,
  loss: Expr,
  constants: Constants,
  roles: readonly Role[],
): Generator<FamilySpec[]> {
  const base = familySpec(fields);
  const hasClasses = roles.includes("class");
  const several = roles.some((r) => r !== "space");
  const places: readonly Partial<FamilySpec>[] = several
    ? PLACES.map((place) => ({ outerPlace: place, lossPlace: "each region" as const })).concat(
        PLACES.slice(1).map((place) => ({ outerPlace: place, lossPlace: place }) as never),
      )
    : [{}];
  const branches = hasBranches(loss);
  const empties: readonly Partial<FamilySpec>[] = branches
    ? (["as computed", "score one", "score zero", "left out"] as const).map((emptyRegion) => ({
        emptyRegion,
      }))
    : [{}];
  const absent: readonly Partial<FamilySpec>[] =
    branches && hasClasses
      ? (["kept", "zero loss", "left out"] as const).map((absentClasses) => ({ absentClasses }))
      : [{}];
  const limits = constants.bounds.filter((v) => v > 0 && v < 1e3);
  const floors: readonly Partial<FamilySpec>[] = [
    {},
    ...limits.flatMap((v): Partial<FamilySpec>[] => [
      { denominatorFloor: named(v, constants) },
      { denominatorFloor: named(2 * v, constants) },
      { denominatorFloor: named(v / 2, constants) },
      { scoreFloor: named(v, constants) },
      { targetClip: named(v, constants) },
    ]),
  ];
  for (const p of places) {
    yield absent.flatMap((a) =>
      empties.flatMap((e) => floors.map((f) => ({ ...base, ...a, ...e, ...f, ...p }))),
    );
  }
}

const PLACES: readonly Place[] = ["each region", "after the classes", "after the mean"];

/** Whether the loss chooses between values: what it does with empty regions is then its own matter. */
function hasBranches(loss: Expr): boolean {
  return topological(loss).some(
    (e) =>
      e.kind === "where" ||
      (e.kind === "binary" && ["gt", "ge", "lt", "le", "eq", "ne"].includes(e.op)),
  );
}
