/**
 * Terms brought together: multiplied out where like terms then meet, joined where they are entries
 * of one array, branches of one condition or steps of one loop.
 */
import { type Axis, type Shape, axis } from "./axis.ts";
import * as b from "./build.ts";
import type { Expr } from "./node.ts";
import * as q from "./rational.ts";
import type { Context } from "./simplifyContext.ts";
import { rolled, runsOf } from "./simplifyLoops.ts";
import {
  type Monomial,
  type Mask,
  asMask,
  buildProduct,
  keyOf,
  monomialOf,
  multiply,
  scale,
} from "./simplifyProduct.ts";
import { commonShape } from "./simplifyShape.ts";
import {
  type Terms,
  addends,
  collected,
  costOf,
  isNumber,
  regionKey,
  soleFactor,
  termsOfFactor,
} from "./simplifyTerms.ts";

/** Sums longer than this are not multiplied out in search of like terms. */
const MAX_TERMS = 64;

/** Multiplies out where that brings like terms together, and joins complementary branches. */
export function mergedTerms(terms: Terms, shape: Shape, ctx: Context): Terms {
  let current = terms;
  for (let round = 0; round < MAX_TERMS && current.size <= MAX_TERMS; round++) {
    const next =
      multipliedOut(current, shape, ctx) ??
      joinedPlaces(current, ctx) ??
      joinedMasks(current, ctx) ??
      joinedBranches(current, ctx) ??
      rolledTerms(current, ctx) ??
      multipliedPair(current, ctx);
    if (next === null) break;
    current = next;
  }
  return current;
}

function multipliedOut(terms: Terms, shape: Shape, ctx: Context): Terms | null {
  if (terms.size < 2) return null;
  for (const [key, m] of terms) {
    const sum = sumIn(m, ctx);
    if (sum === null) continue;
    const parts = sum.terms.map((t) => multiply(sum.beside, t, ctx));
    const others = [...terms].filter(([k]) => k !== key).map(([, t]) => t);
    if (!meets(parts, others, shape)) continue;
    return collected([...terms].flatMap(([k, t]) => (k === key ? parts : [t])));
  }
  return null;
}

/** The first sum among the factors of a monomial: its terms, and what it is multiplied by. */
function sumIn(m: Monomial, ctx: Context): { terms: Monomial[]; beside: Monomial } | null {
  for (const [e, p] of m.powers) {
    const terms = termsOfFactor(e, p, ctx);
    if (terms === null) continue;
    const rest = new Map(m.powers);
    rest.delete(e);
    return { terms, beside: { c: m.c, powers: rest } };
  }
  return null;
}

/** Whether a part is like one of the other terms, or has the factor over regions that one has. */
function meets(parts: readonly Monomial[], others: readonly Monomial[], shape: Shape): boolean {
  const keys = new Set(others.map(keyOf));
  if (parts.some((m) => keys.has(keyOf(m)))) return true;
  const regions = new Set(others.map((m) => regionKey(m, shape)).filter((k) => k !== ""));
  const shares = parts.map((m) => regionKey(m, shape));
  return shares.some((k) => regions.has(k)) && new Set(shares).size > 1;
}

/** How many terms a pair may make on the way. */
const MAX_PRODUCTS = 24;

/** Two terms multiplied out altogether, if what is left is shorter: (1−g)·s − g·(1−s) = s − g. */
function multipliedPair(terms: Terms, ctx: Context): Terms | null {
  if (terms.size < 2 || terms.size > 8) return null;
  const list = [...terms];
  const whole = new Map(list.map(([key, m]) => [key, multipliedWholly(m, ctx)]));
  for (const [i, [key, m]] of list.entries()) {
    for (const [other, n] of list.slice(i + 1)) {
      const parts = [...whole.get(key)!, ...whole.get(other)!];
      if (parts.length < 3) continue;
      const flat = withoutComplements(parts, ctx);
      const made = collected(flat);
      if (made.size === flat.length || costOf(made.values(), ctx) >= costOf([m, n], ctx)) continue;
      const rest = list.flatMap(([k, t]) =>
        k === key ? [...made.values()] : k === other ? [] : [t],
      );
      return collected(rest);
    }
  }
  return null;
}

/** A monomial with the short sums among its factors multiplied out. */
function multipliedWholly(m: Monomial, ctx: Context): Monomial[] {
  const sum = sumIn(m, ctx);
  if (sum === null || sum.terms.length > 4) return [m];
  const parts = sum.terms.flatMap((t) => multipliedWholly(multiply(sum.beside, t, ctx), ctx));
  return parts.length > MAX_PRODUCTS ? [m] : parts;
}

/** σ(−u) as 1 − σ(u) where σ(u) stands beside it. */
function withoutComplements(list: readonly Monomial[], ctx: Context): Monomial[] {
  const factors = new Set(list.flatMap((m) => [...m.powers.keys()]));
  return list.flatMap((m) => {
    const found = [...m.powers].find(
      ([e, p]) => p.over === 1 && p.under === 0 && complementOf(e, factors) !== null,
    )?.[0];
    if (found === undefined) return [m];
    const rest = new Map(m.powers);
    rest.delete(found);
    const alone: Monomial = { c: m.c, powers: rest };
    const s = monomialOf(complementOf(found, factors)!, ctx);
    return [alone, multiply(scale(alone, q.RM1), s, ctx)];
  });
}

function complementOf(e: Expr, among: ReadonlySet<Expr>): Expr | null {
  if (e.kind !== "unary" || e.op !== "sigmoid") return null;
  const u = e.args[0]!;
  if (u.kind !== "unary" || u.op !== "neg") return null;
  const s = b.sigmoid(u.args[0]!);
  return among.has(s) ? s : null;
}

/** Terms that one condition lets through are added up behind it. */
function joinedMasks(terms: Terms, ctx: Context): Terms | null {
  const groups = new Map<string, { key: string; mask: Mask; body: Expr }[]>();
  for (const [key, m] of terms) {
    for (const [e, p] of m.powers) {
      const mask = p.over === 1 && p.under === 0 ? asMask(e, ctx) : null;
      if (mask === null) continue;
      const rest = new Map(m.powers);
      rest.delete(e);
      const whole = multiply({ c: m.c, powers: rest }, monomialOf(mask.body, ctx), ctx);
      const shape = commonShape([...whole.powers.keys(), mask.condition]);
      const id = `${mask.condition.id} ${mask.onTrue}`;
      const one = { key, mask, body: buildProduct(whole, shape, ctx) };
      groups.set(id, [...(groups.get(id) ?? []), one]);
      break;
    }
  }
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined || group.length < 2) continue;
    const sum = ctx.norm(group.map((g) => g.body).reduce((x, y) => b.add(x, y)));
    const made = addends(ctx.norm(first.mask.behind(sum)), q.R1, ctx);
    const gone = new Set(group.map((g) => g.key));
    return collected(
      [...terms].flatMap(([key, m]) => (key === first.key ? made : gone.has(key) ? [] : [m])),
    );
  }
  return null;
}

/** Entries put at positions of one axis: those at one position added, all positions stacked. */
function joinedPlaces(terms: Terms, ctx: Context): Terms | null {
  const groups = new Map<
    string,
    { key: string; m: Monomial; e: Extract<Expr, { kind: "place" }> }[]
  >();
  for (const [key, m] of terms) {
    const e = [...m.powers.keys()].find((f) => f.kind === "place");
    if (e?.kind !== "place" || !isNumberTimes(m, e)) continue;
    const id = `${e.dim}|${e.shape.map((a) => a.size ?? a.name).join()}`;
    groups.set(id, [...(groups.get(id) ?? []), { key, m, e }]);
  }
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    const { dim, shape } = group[0]!.e;
    const byPosition = new Map<number, Expr>();
    for (const { m, e } of group) {
      const front = new Map(m.powers);
      front.delete(e);
      const body = multiply({ c: m.c, powers: front }, monomialOf(e.args[0]!, ctx), ctx);
      const entry = buildProduct(body, e.args[0]!.shape, ctx);
      const known = byPosition.get(e.at);
      byPosition.set(e.at, known === undefined ? entry : ctx.norm(b.add(known, entry)));
    }
    const along = shape[dim]!;
    const entries = [...byPosition].sort(([i], [j]) => i - j);
    const start = entries[0]![0];
    const inOrder = entries.length > 1 && entries.every(([at], k) => at === start + k);
    if (!inOrder && entries.length === group.length) continue;
    const joined = inOrder
      ? [
          stacked(
            entries.map(([, e]) => e),
            dim,
            start,
            along,
          ),
        ]
      : entries.map(([at, e]) => b.place(e, dim, at, along));
    const gone = new Set(group.map((g) => g.key));
    return collected([
      ...[...terms].filter(([key]) => !gone.has(key)).map(([, m]) => m),
      ...joined.flatMap((e) => addends(ctx.norm(e), q.R1, ctx)),
    ]);
  }
  return null;
}

function isNumberTimes(m: Monomial, e: Expr): boolean {
  const p = m.powers.get(e)!;
  return p.over === 1 && p.under === 0 && [...m.powers.keys()].every((f) => f === e || isNumber(f));
}

/** Entries that follow each other from `start` along a new axis, zero elsewhere. */
function stacked(entries: readonly Expr[], dim: number, start: number, along: Axis): Expr {
  if (entries.length === along.size) return b.stack(entries, dim, along);
  const part = axis(
    `${along.name}′${start}:${start + entries.length}:1`,
    entries.length,
    along.role,
  );
  return b.spread(b.stack(entries, dim, part), dim, start, 1, along);
}

/** c·where(k, a, b) + d·where(k, a′, b′) under one condition becomes one where. */
function joinedBranches(terms: Terms, ctx: Context): Terms | null {
  const found = [...terms].flatMap(([key, m]) => {
    const e = soleFactor(m);
    return e?.kind === "where" ? [{ key, c: m.c, e }] : [];
  });
  for (const [k, first] of found.entries()) {
    const second = found.slice(k + 1).find((f) => f.e.args[0] === first.e.args[0]);
    if (second === undefined) continue;
    const branch = (arg: 1 | 2): Expr => {
      const sum = [first, second].map((f) => {
        const x = f.e.args[arg]!;
        return buildProduct(scale(monomialOf(x, ctx), f.c), x.shape, ctx);
      });
      return ctx.norm(b.add(sum[0]!, sum[1]!));
    };
    const joined = ctx.norm(b.where(first.e.args[0]!, branch(1), branch(2)));
    const rest = [...terms].filter(([key]) => key !== first.key && key !== second.key);
    return collected([...rest.map(([, m]) => m), ...addends(joined, q.R1, ctx)]);
  }
  return null;
}

/** Terms that a loop over an axis left, as one sum over that axis. */
function rolledTerms(terms: Terms, ctx: Context): Terms | null {
  if (terms.size < 2) return null;
  const alike = new Map<string, { key: string; m: Monomial; e: Expr }[]>();
  for (const [key, m] of terms) {
    if (![...m.powers.keys()].some((f) => ctx.skeletons.takes(f))) continue;
    const e = buildProduct({ c: q.R1, powers: m.powers }, commonShape([...m.powers.keys()]), ctx);
    const id = `${m.c.n}/${m.c.d} ${ctx.skeletons.of(e)}`;
    alike.set(id, [...(alike.get(id) ?? []), { key, m, e }]);
  }
  for (const group of alike.values()) {
    if (group.length < 2) continue;
    // All runs of a group at once: the rolled inner loops are what the outer loop runs over.
    const sums = new Map<string, Monomial[]>();
    for (const run of runsOf(group.map((g) => g.e))) {
      const whole = rolled(run);
      if (whole === null) continue;
      const members = group.filter((g) => run.includes(g.e));
      for (const g of members) sums.set(g.key, []);
      sums.set(members[0]!.key, addends(ctx.norm(b.sum(whole, [0])), members[0]!.m.c, ctx));
    }
    if (sums.size > 0) return collected([...terms].flatMap(([key, m]) => sums.get(key) ?? [m]));
  }
  return null;
}
