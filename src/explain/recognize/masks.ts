/**
 * Voxels that do not count: a mask that the loss is given, or one that it makes of a label. They are
 * told by how they are written, and let through: what is left is the loss where every voxel counts.
 */
import { sameShape } from "../../expression/axis.ts";
import * as x from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { dependsOn, rewrite, topological } from "../../expression/walk.ts";
import type { FamilySpec, MaskUse } from "../../losses/spec.ts";
import { numberOf } from "./constants.ts";
import { PASSING } from "./passing.ts";
import type { Subject } from "./subject.ts";

export interface Unmasked {
  /** The loss where every voxel counts. */
  readonly loss: Expr;
  /** Null: the mask is an array of its own. */
  readonly ignoredLabel: number | null;
  /** Where voxels that do not count are taken out. */
  readonly places: readonly Expr[];
}

/** The loss without its mask; null where it has none, or one that does more than multiply. */
export function withoutMask(subject: Subject): Unmasked | null {
  for (const given of marksOf(subject)) {
    const found = letThrough(subject.loss, given);
    if (found !== null) return found;
  }
  return null;
}

/** What a spec can do with the mask, likeliest first. */
export function* masked(spec: FamilySpec, ignoredLabel: number | null): Generator<FamilySpec> {
  for (const mask of USES) yield { ...spec, mask, ignoredLabel, ignoredBy: "voxel" };
}

const USES: readonly MaskUse[] = ["after activation", "before activation", "numerator only"];

/** Nodes that are 1 where a voxel counts, and such that are 1 where it does not. */
interface Marks {
  readonly ignoredLabel: number | null;
  readonly counts: ReadonlySet<Expr>;
  readonly ignored: ReadonlySet<Expr>;
}

function* marksOf({ loss, target, mask }: Subject): Generator<Marks> {
  if (mask !== undefined && dependsOn(loss, mask)) {
    yield grown(loss, null, new Set([mask]), new Set());
  }
  const labels = new Set<Expr>([target]);
  const counts = new Map<number, Set<Expr>>();
  const ignored = new Map<number, Set<Expr>>();
  for (const e of topological(loss)) {
    if (PASSING.has(e.kind) && labels.has(e.args[0]!)) labels.add(e);
    if (e.kind !== "binary" || (e.op !== "ne" && e.op !== "eq")) continue;
    const label = numberOf(e.args[labels.has(e.args[0]!) ? 1 : 0]!);
    if (label === null || !e.args.some((a) => labels.has(a))) continue;
    const into = e.op === "ne" ? counts : ignored;
    into.set(label, (into.get(label) ?? new Set()).add(e));
  }
  for (const label of new Set([...counts.keys(), ...ignored.keys()])) {
    yield grown(loss, label, counts.get(label) ?? new Set(), ignored.get(label) ?? new Set());
  }
}

/** The marks, and what only gives them another shape or type, or turns them round. */
function grown(
  loss: Expr,
  ignoredLabel: number | null,
  counts: Set<Expr>,
  ignored: Set<Expr>,
): Marks {
  for (const e of topological(loss)) {
    const turned =
      (e.kind === "unary" && e.op === "not") ||
      (e.kind === "binary" && e.op === "sub" && numberOf(e.args[0]!) === 1);
    const from = e.args[turned && e.kind === "binary" ? 1 : 0];
    if (from === undefined || !(turned || PASSING.has(e.kind))) continue;
    if (counts.has(from)) (turned ? ignored : counts).add(e);
    if (ignored.has(from)) (turned ? counts : ignored).add(e);
  }
  return { ignoredLabel, counts, ignored };
}

function letThrough(loss: Expr, { counts, ignored, ignoredLabel }: Marks): Unmasked | null {
  const places: Expr[] = [];
  const free = rewrite(loss, (e, original) => {
    const kept = keptArgument(original, counts, ignored);
    if (kept === null) return e;
    places.push(original);
    const own = e.args[kept]!;
    return sameShape(own.shape, e.shape) ? own : x.expand(own, e.shape);
  });
  if (places.length === 0) return null;
  const marks = new Set([...counts, ...ignored]);
  return topological(free).some((e) => marks.has(e)) ? null : { loss: free, ignoredLabel, places };
}

/** Which argument is left where all voxels count; null where the node takes none out. */
function keptArgument(
  e: Expr,
  counts: ReadonlySet<Expr>,
  ignored: ReadonlySet<Expr>,
): number | null {
  const [first, second] = e.args;
  if (e.kind === "where") return counts.has(first!) ? 1 : ignored.has(first!) ? 2 : null;
  if (e.kind !== "binary" || e.op !== "mul") return null;
  if (counts.has(second!) && !counts.has(first!)) return 0;
  return counts.has(first!) && !counts.has(second!) ? 1 : null;
}
