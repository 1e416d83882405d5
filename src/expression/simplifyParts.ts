/**
 * Arrays put together from parts (a background of 1 − p beside p): elementwise operations and
 * reductions work on each part by itself, so that each part's formula can be read.
 */
import { isUnit } from "./axis.ts";
import * as b from "./build.ts";
import type { Concat, Expr, Stack } from "./node.ts";
import { axisAt } from "./simplifyShape.ts";

/** More parts than these are left together. */
const MAX_PARTS = 8;

type Joined = Stack | Concat;

/** The operands of an elementwise operation for each part, and how the results are joined. */
export interface Parts {
  readonly operands: readonly (readonly Expr[])[];
  readonly join: (results: readonly Expr[]) => Expr;
}

/**
 * The parts of an elementwise operation whose result has `rank` axes; `null` unless every operand
 * that varies along the joined axis is joined from parts in the same way.
 */
export function partsOf(items: readonly Expr[], rank: number): Parts | null {
  const first = items.find((e) => isJoined(e) && e.shape.length === rank);
  if (first === undefined || !isJoined(first) || first.args.length > MAX_PARTS) return null;
  const { dim } = first;
  const split: (readonly Expr[])[] = [];
  for (const e of items) {
    const parts = partsAt(e, first, dim, rank);
    if (parts === null) return null;
    split.push(parts);
  }
  const along = first.shape[dim]!;
  return {
    operands: first.args.map((_, k) => split.map((parts) => parts[k]!)),
    join: (results) =>
      first.kind === "stack" ? b.stack(results, dim, along) : b.concat(results, dim),
  };
}

function isJoined(e: Expr): e is Joined {
  return e.kind === "stack" || e.kind === "concat";
}

function partsAt(e: Expr, like: Joined, dim: number, rank: number): readonly Expr[] | null {
  if (isUnit(axisAt(e, dim, rank))) {
    const at = dim - (rank - e.shape.length);
    const one = like.kind === "stack" && at >= 0 ? b.reshape(e, e.shape.toSpliced(at, 1)) : e;
    return like.args.map(() => one);
  }
  const same =
    isJoined(e) &&
    e.kind === like.kind &&
    e.shape.length === rank &&
    e.dim === dim &&
    e.args.length === like.args.length &&
    e.args.every((part, k) => part.shape[dim]?.size === like.args[k]!.shape[dim]?.size);
  return same ? e.args : null;
}
