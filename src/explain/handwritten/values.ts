/**
 * Right formulas with a wrong quantity in them: a sum over other axes, a mean for a sum, thresholded
 * masks in the place of probabilities, prediction and target exchanged.
 */
import { fitsShape } from "../../expression/axis.ts";
import * as b from "../../expression/build.ts";
import type { Expr, Reduce } from "../../expression/node.ts";
import { dependsOn, rewrite, substitute, topological } from "../../expression/walk.ts";
import { derive } from "../../gradient/derive.ts";
import type { Candidate } from "./candidate.ts";
import type { Words } from "./fault.ts";

export function valueCandidates(base: Expr, x: Expr, others: readonly Expr[]): Candidate[] {
  const raw = derive(base, x);
  const sums = topological(base).filter(
    (e): e is Reduce => e.kind === "reduce" && (e.op === "sum" || e.op === "mean"),
  );
  return [
    ...swaps(raw, x, others),
    ...regionCandidates(base, raw, x, sums),
    ...hardCandidates(base, raw, x, sums),
    ...softOfHard(base, x),
  ];
}

function swaps(raw: Expr, x: Expr, others: readonly Expr[]): Candidate[] {
  return others
    .filter((o) => o.type === "float" && fitsShape(o.shape, x.shape))
    .map((o) => ({
      id: "swapped" as const,
      at: null,
      say: (w: Words) => `${w.name(x)} and ${w.name(o)} are exchanged throughout the gradient`,
      gradient: () =>
        substitute(
          raw,
          new Map([
            [x, o],
            [o, x],
          ]),
        ),
    }));
}

interface Instead {
  readonly to: (s: Reduce) => Expr | null;
  readonly say: (w: Words, s: Reduce) => string;
  readonly id: Candidate["id"];
}

function regionCandidates(base: Expr, raw: Expr, x: Expr, sums: readonly Reduce[]): Candidate[] {
  const over = (w: Words, s: Reduce): string =>
    `${w.name(s)} is a ${s.op} over other entries in the gradient than in the forward pass`;
  const choices: Instead[] = [
    {
      id: "region",
      to: (s) => pooled(s, null),
      say: (w, s) => `${over(w, s)}: it runs over the whole batch and all classes`,
    },
    ...[0, 1].map((d): Instead => ({
      id: "region",
      to: (s) => pooled(s, d),
      say: (w, s) => `${over(w, s)}: it runs over axis ${d} as well`,
    })),
    ...[1, 2, 3].map((n): Instead => ({
      id: "region",
      to: (s) => keeping(s, n, "first"),
      say: (w, s) => `${over(w, s)}: it leaves out the first ${n === 1 ? "axis" : `${n} axes`}`,
    })),
    ...[1, 2, 3].map((n): Instead => ({
      id: "region",
      to: (s) => keeping(s, n, "last"),
      say: (w, s) => `${over(w, s)}: it leaves out the last ${n === 1 ? "axis" : `${n} axes`}`,
    })),
    {
      id: "count",
      to: (s) => b.binary(s.op === "sum" ? "div" : "mul", s, sizeOf(s)),
      say: (w, s) =>
        `${w.name(s)} is a ${s.op} in the forward pass and a ${s.op === "sum" ? "mean" : "sum"} in the gradient`,
    },
  ];
  return everywhereAndSingly(base, raw, x, sums, choices);
}

/** The sum taken over further axes, stretched to its shape again. */
function pooled(s: Reduce, dim: number | null): Expr | null {
  if (s.shape.length === 0 || (dim !== null && dim >= s.shape.length)) return null;
  const whole = b.reduce(s.op, s, dim === null ? null : [dim], true);
  return b.expand(whole, s.shape);
}

/** The sum without the first or last of its axes, which stay. */
function keeping(s: Reduce, n: number, side: "first" | "last"): Expr | null {
  if (s.shape.length > 0 || s.dims.length <= n) return null;
  const dims = side === "first" ? s.dims.slice(n) : s.dims.slice(0, -n);
  return b.reduce(s.op, s.args[0]!, dims, true);
}

const sizeOf = (s: Reduce): Expr => b.size(s.dims.map((d) => s.args[0]!.shape[d]!));

function hardCandidates(base: Expr, raw: Expr, x: Expr, sums: readonly Reduce[]): Candidate[] {
  const thresholds = [b.binary("gt", x, b.constant(0.5)), b.unary("round", x)];
  const choices = thresholds.map((hard): Instead => ({
    id: "hard",
    to: (s) => (dependsOn(s, x) ? substitute(s, new Map([[x, b.cast(hard, "float64")]])) : null),
    say: (w, s) =>
      `${w.name(s)} is counted on thresholded predictions in the gradient, and on the predictions themselves in the forward pass`,
  }));
  return everywhereAndSingly(base, raw, x, sums, choices);
}

function everywhereAndSingly(
  base: Expr,
  raw: Expr,
  x: Expr,
  sums: readonly Reduce[],
  choices: readonly Instead[],
): Candidate[] {
  // All together, those of one numerator or denominator, each alone.
  const sides = topological(base).flatMap((e) =>
    e.kind === "binary" && e.op === "div"
      ? e.args.map((side) => sums.filter((s) => dependsOn(side, s)))
      : [],
  );
  const groups = [sums, ...sides].filter((set) => set.length > 1);
  const sets = [...groups, ...sums.map((s) => [s])];
  return choices.flatMap((c) =>
    sets.map((set): Candidate => ({
      id: c.id,
      at: set[0]!,
      say: (w) => c.say(w, set[0]!),
      gradient: () => {
        const to = new Map(set.flatMap((s) => pair(s, c.to(s))));
        if (to.size === 0) return null;
        const e = substitute(raw, to);
        return fitsShape(e.shape, x.shape) ? e : null;
      },
    })),
  );
}

const pair = (s: Expr, to: Expr | null): [Expr, Expr][] => (to === null ? [] : [[s, to]]);

/** The forward pass with its thresholds taken away: what a surrogate gradient may be of. */
export function softened(base: Expr): Expr {
  return rewrite(base, (e) => {
    if (e.kind === "cast" && (e.to === "int" || e.to === "bool")) return e.args[0]!;
    if (e.kind === "unary" && e.op === "round") return e.args[0]!;
    const isThreshold = e.kind === "binary" && (e.op === "gt" || e.op === "ge");
    return isThreshold && e.args[1]!.kind === "const" ? e.args[0]! : e;
  });
}

/** Surrogates for a forward pass that thresholds. */
export function softOfHard(base: Expr, x: Expr): Candidate[] {
  const soft = softened(base);
  if (soft === base) return [];
  const hardOf = new Map<Expr, Expr>();
  for (const e of topological(base)) {
    if (e.kind === "reduce") hardOf.set(softened(e), e);
  }
  const surrogate =
    "the forward pass thresholds the predictions, so that its own gradient is zero; the gradient written is a surrogate:";
  return [
    {
      id: "hard",
      at: null,
      say: () => `${surrogate} that of the same loss on the predictions themselves`,
      gradient: () => derive(soft, x),
    },
    {
      id: "hard",
      at: null,
      say: () =>
        `${surrogate} that of the loss on the predictions themselves, with the sums of the thresholded ones put in`,
      gradient: () => substitute(derive(soft, x), hardOf),
    },
  ];
}
