/** Tables that are products of parts, each along one axis: outer products, as of a blur's weights. */
import { type Shape, UNIT, isUnit } from "../../expression/axis.ts";
import { cast, div, mul, reshape, stopGradient, transpose } from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";

/**
 * The last `n` axes of `table` apart: one array for each, with the table's rank, whose product is
 * the table. The first of them has what depends on no such axis; one that is null is 1 everywhere.
 * @returns null where an entry is no such product, as far as the table's own formula says
 */
export function separated(table: Expr, n: number): readonly (Expr | null)[] | null {
  const rank = table.shape.length;
  const within = Array.from({ length: n }, (_, k) => rank - n + k);
  const factors = factorsOf(table, within);
  if (factors === null) return null;
  return within.map((own, k) => {
    const depends = (f: Expr, d: number): boolean => !isUnit(f.shape[d]!);
    const isCommon = (f: Expr): boolean => k === 0 && !within.some((d) => depends(f, d));
    const parts = factors.filter((f) => depends(f, own) || isCommon(f));
    return parts.length === 0 ? null : parts.reduce(mul);
  });
}

/** Factors of the same rank as `e`, none of which has more than one of the axes `within`. */
function factorsOf(e: Expr, within: readonly number[]): readonly Expr[] | null {
  const has = within.filter((d) => !isUnit(e.shape[d]!));
  if (has.length <= 1) return [e];
  switch (e.kind) {
    case "binary":
      return e.op === "mul" || e.op === "div" ? ofProduct(e, within) : null;
    case "expand":
      return factorsOf(lifted(e.args[0]!, e.shape.length), within);
    case "transpose": {
      const under = factorsOf(
        e.args[0]!,
        within.map((d) => e.perm[d]!),
      );
      return under?.map((f) => transpose(f, e.perm)) ?? null;
    }
    case "reshape":
      return ofSameAxes(e, within);
    case "reduce":
      // A product of matrices with one column and one row.
      return e.dims.every((d) => isUnit(e.args[0]!.shape[d]!)) && e.op === "sum"
        ? ofSameAxes(e, within)
        : null;
    case "cast":
      return factorsOf(e.args[0]!, within)?.map((f) => cast(f, e.to)) ?? null;
    case "stopGradient":
      return factorsOf(e.args[0]!, within)?.map(stopGradient) ?? null;
    default:
      return null;
  }
}

function ofProduct(
  e: Expr & { readonly kind: "binary" },
  within: readonly number[],
): readonly Expr[] | null {
  const [a, b] = e.args.map((x) => lifted(x, e.shape.length)) as [Expr, Expr];
  const first = factorsOf(a, within);
  if (first === null) return null;
  if (e.op === "div") {
    if (within.some((d) => !isUnit(b.shape[d]!))) return null;
    return [div(first[0]!, b), ...first.slice(1)];
  }
  const second = factorsOf(b, within);
  return second === null ? null : [...first, ...second];
}

/** Through a node that only adds axes of one entry or takes them away. */
function ofSameAxes(e: Expr, within: readonly number[]): readonly Expr[] | null {
  const inner = e.args[0]!;
  const wide = (shape: Shape): number[] => shape.flatMap((a, d) => (isUnit(a) ? [] : [d]));
  const [from, to] = [wide(inner.shape), wide(e.shape)];
  if (from.length !== to.length) return null;
  if (!from.every((d, k) => inner.shape[d]!.size === e.shape[to[k]!]!.size)) return null;
  const has = within.filter((d) => !isUnit(e.shape[d]!));
  const under = factorsOf(
    inner,
    has.map((d) => from[to.indexOf(d)]!),
  );
  return (
    under?.map((f) =>
      reshape(
        f,
        e.shape.map((a, d) =>
          to.includes(d) && !isUnit(f.shape[from[to.indexOf(d)]!]!) ? a : UNIT,
        ),
      ),
    ) ?? null
  );
}

function lifted(e: Expr, rank: number): Expr {
  const missing = rank - e.shape.length;
  return missing === 0
    ? e
    : reshape(e, [...Array.from({ length: missing }, () => UNIT), ...e.shape]);
}
