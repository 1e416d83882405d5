/**
 * Which costly nodes are computed once though two passes need them, and where they stay meanwhile:
 * in an output array whose final value the last of those passes writes, else in a temporary one.
 */
import type { Expr } from "../../expression/node.ts";
import { alignedNodes } from "./cuts.ts";
import { COSTLY, costOf } from "./cost.ts";
import { type Buffer, type Limits, type PassPlan, overOf } from "./plan.ts";
import type { Sizes } from "../typedArrays.ts";

export interface Kept {
  readonly node: Expr;
  readonly buffer: Buffer;
  /** Of the pass that computes it; later ones load it. */
  readonly stage: number;
}

interface Output {
  readonly node: Expr;
  readonly buffer: Buffer;
}

/** Cheaper nodes are never the root of what is kept. */
const LEAST_COST = 4;

/** The part of the scheduler that is asked here. */
interface Scheduling {
  readonly sizes: Sizes;
  readonly limits: Limits;
  isStored(e: Expr, stage: number): boolean;
  buffer(role: Buffer["role"], count: number): Buffer;
}

export function chooseKept(
  scheduler: Scheduling,
  passes: readonly PassPlan[],
  outputs: readonly Output[],
  noKeeping: ReadonlySet<number>,
): Kept[] {
  const { sizes, limits } = scheduler;
  const large = passes.filter((p) => p.total >= limits.leastKept);
  const kept: Kept[] = [];
  const free = outputs.filter(
    (o, k) =>
      !noKeeping.has(k) &&
      isWrittenOnce(o, large) &&
      // Of outputs that are the same, one.
      outputs.findIndex(({ buffer }) => buffer === o.buffer) === k,
  );
  const rejected = new Set<Expr>();
  let temporary = 0;

  const isHad = (e: Expr, stage: number): boolean =>
    scheduler.isStored(e, stage) || kept.some((k) => k.node === e && k.stage < stage);
  const regionOf = (p: PassPlan, cut: Expr | null): Set<Expr> => {
    const seen = new Set<Expr>();
    const stack = p.roots.map(overOf);
    for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
      if (seen.has(e) || e === cut || isHad(e, p.stage)) continue;
      seen.add(e);
      stack.push(...e.args);
    }
    return seen;
  };
  const price = (p: PassPlan, cut: Expr | null): number => {
    let sum = 0;
    for (const e of regionOf(p, cut)) sum += (costOf(e) * sizes.count(e)) / p.total;
    return sum;
  };

  for (;;) {
    let best: { node: Expr; first: PassPlan; readers: PassPlan[]; saving: number } | null = null;
    for (const first of large) {
      // Small ones too: they must not read what another pass has overwritten.
      const later = passes
        .filter((p) => p.stage > first.stage)
        .map((p) => ({ p, region: regionOf(p, null), full: price(p, null) }));
      if (later.length === 0) continue;
      const aligned = new Set<Expr>();
      for (const root of first.roots) {
        for (const e of alignedNodes(sizes, overOf(root), (x) => isHad(x, first.stage))) {
          if (sizes.count(e) === first.total) aligned.add(e);
        }
      }
      for (const node of aligned) {
        if (costOf(node) < LEAST_COST || rejected.has(node)) continue;
        const readers = later.filter(({ region }) => region.has(node));
        const saving = readers.reduce((sum, { p, full }) => sum + full - price(p, node), 0);
        if (saving >= COSTLY && saving > (best?.saving ?? 0)) {
          best = { node, first, readers: readers.map(({ p }) => p), saving };
        }
      }
    }
    if (best === null) return kept;
    const { node, first, readers } = best;
    const held = free.findIndex((o) => canHold(o, node, readers, large, first.total));
    if (held >= 0) {
      kept.push({ node, buffer: free[held]!.buffer, stage: first.stage });
      free.splice(held, 1);
    } else if (temporary + first.total <= limits.mostTemporary) {
      temporary += first.total;
      kept.push({ node, buffer: scheduler.buffer("stored", first.total), stage: first.stage });
    } else rejected.add(node);
  }
}

function isWrittenOnce(o: Output, passes: readonly PassPlan[]): boolean {
  return passes.flatMap((p) => p.roots).filter((r) => r.buffer === o.buffer).length === 1;
}

/** The output's own pass is the last to read `node`, and no other pass of that stage does. */
function canHold(
  o: Output,
  node: Expr,
  readers: readonly PassPlan[],
  passes: readonly PassPlan[],
  total: number,
): boolean {
  const own = passes.find((p) => p.roots.some((r) => r.kind === "store" && r.buffer === o.buffer));
  return (
    own !== undefined &&
    o.node !== node &&
    o.buffer.count === total &&
    readers.every((p) => p === own || p.stage < own.stage)
  );
}
