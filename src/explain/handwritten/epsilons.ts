/**
 * Smoothing that differs between the forward pass and the gradient: left out, of another size,
 * halved by a factor taken out of the numerator, or added where the forward pass has none.
 */
import * as b from "../../expression/build.ts";
import type { Expr } from "../../expression/node.ts";
import { dependsOn, rewrite, topological } from "../../expression/walk.ts";
import { derive } from "../../gradient/derive.ts";
import type { Candidate } from "./candidate.ts";
import type { Words } from "./fault.ts";

/** A sum of something that varies and a number. */
interface Smoothed {
  readonly node: Expr;
  readonly rest: Expr;
  readonly number: Expr;
  readonly sign: "add" | "sub";
}

/** A forward pass with other smoothing, and how the difference is said. */
interface Variant {
  readonly replace: ReadonlyMap<Expr, Expr>;
  readonly say: (w: Words) => string;
}

export interface EpsilonCandidate extends Candidate {
  /** The forward pass that the gradient would be of. */
  readonly base: () => Expr;
}

export function epsilonCandidates(base: Expr, x: Expr, written: Expr): EpsilonCandidate[] {
  const smoothed = smoothedIn(base, x);
  const variants = [...changed(smoothed, numbersIn(written)), ...added(base, x, written)];
  return variants.map((v) => {
    const other = (): Expr => replaced(base, v.replace);
    return {
      id: "epsilon",
      at: [...v.replace.keys()][0] ?? null,
      say: v.say,
      base: other,
      gradient: () => derive(other(), x),
    };
  });
}

const isNumber = (e: Expr): boolean =>
  e.shape.length === 0 &&
  topological(e).every((n) => n.kind === "const" || n.kind === "parameter" || n.args.length > 0);

function smoothedIn(base: Expr, x: Expr): Smoothed[] {
  const found: Smoothed[] = [];
  for (const e of topological(base)) {
    if (e.kind !== "binary" || (e.op !== "add" && e.op !== "sub") || !dependsOn(e, x)) continue;
    const [left, right] = [e.args[0]!, e.args[1]!];
    if (isNumber(right)) found.push({ node: e, rest: left, number: right, sign: e.op });
    else if (isNumber(left) && e.op === "add")
      found.push({ node: e, rest: right, number: left, sign: "add" });
  }
  return found;
}

/** Numbers other than small whole ones, which could be an epsilon of another size. */
function numbersIn(e: Expr): Expr[] {
  return topological(e).filter(
    (n) =>
      n.kind === "parameter" ||
      (n.kind === "const" && n.value > 0 && n.value !== 2 && n.value !== 0.5 && n.value <= 1),
  );
}

function changed(smoothed: readonly Smoothed[], others: readonly Expr[]): Variant[] {
  const sets = [...smoothed.map((s) => [s]), ...(smoothed.length > 1 ? [smoothed] : [])];
  const changes: { to: (s: Smoothed) => Expr; how: (w: Words, s: Smoothed) => string }[] = [
    { to: () => b.ZERO, how: (w, s) => `${w.formula(s.number)} is left out of` },
    {
      to: (s) => b.mul(b.constant(0.5), s.number),
      how: (w, s) => `only half of ${w.formula(s.number)} stands in`,
    },
    {
      to: (s) => b.mul(b.constant(2), s.number),
      how: (w, s) => `twice ${w.formula(s.number)} stands in`,
    },
    { to: (s) => b.neg(s.number), how: (w, s) => `${w.formula(s.number)} has the wrong sign in` },
    ...others.map((n) => ({
      to: () => n,
      how: (w: Words, s: Smoothed) => `${w.formula(n)} instead of ${w.formula(s.number)} stands in`,
    })),
  ];
  return sets.flatMap((set) =>
    changes.map(({ to, how }): Variant => ({
      replace: new Map(
        set.map((s) => {
          const number = to(s);
          const gone = number.kind === "const" && number.value === 0;
          return [s.node, gone ? s.rest : b.binary(s.sign, s.rest, number)];
        }),
      ),
      say: (w) =>
        `in the gradient ${how(w, set[0]!)} ${set.map((s) => w.name(s.node)).join(" and ")}, which the forward pass has`,
    })),
  );
}

/** Numerators and denominators that have another number added in the gradient alone. */
function added(base: Expr, x: Expr, written: Expr): Variant[] {
  const own = new Set(topological(base));
  const extra = numbersIn(written).filter((n) => !own.has(n));
  const variants: Variant[] = [];
  for (const e of topological(base)) {
    if (e.kind !== "binary" || e.op !== "div" || !dependsOn(e, x)) continue;
    const [n, d] = [e.args[0]!, e.args[1]!];
    for (const c of extra) {
      const say = (where: string) => (w: Words) =>
        `the gradient adds ${w.formula(c)} to the ${where} of ${w.name(e)}, and the forward pass does not`;
      variants.push(
        { replace: new Map([[e, b.div(n, b.add(d, c))]]), say: say("denominator") },
        { replace: new Map([[e, b.div(b.add(n, c), d)]]), say: say("numerator") },
        {
          replace: new Map([[e, b.div(b.add(n, c), b.add(d, c))]]),
          say: say("numerator and the denominator"),
        },
      );
    }
  }
  return variants;
}

/** Each node replaced, also where its arguments have been: nested smoothing changes together. */
function replaced(base: Expr, replace: ReadonlyMap<Expr, Expr>): Expr {
  return rewrite(base, (e, original) => {
    const to = replace.get(original);
    if (to === undefined) return e;
    if (e === original) return to;
    // An argument changed already: the same change of the node itself, on what it is now.
    return rewrite(to, (y, before) => {
      const k = original.args.indexOf(before);
      return k >= 0 && before.args.length > 0 ? e.args[k]! : y;
    });
  });
}
