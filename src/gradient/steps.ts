/**
 * The derivation a person reads: the loss; its sums named; the outer function differentiated by
 * each sum; the chain through the elementwise terms; the activation's factor; the gradient of one
 * element. Every equation printed is kept with the expressions it is about, so that nothing is
 * shown which was not computed.
 */
import { isUnit } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { Index } from "../expression/indices.ts";
import type { Expr } from "../expression/node.ts";
import { type Term, multiply, number, sumOf } from "../expression/term.ts";
import { textOf } from "../expression/text.ts";
import { dependsOn, substitute } from "../expression/walk.ts";
import type { Derivation, Equality, Step, Written } from "./derivation.ts";
import { derive } from "./derive.ts";
import { legend } from "./legend.ts";
import type { Part, Quotient } from "./outline.ts";
import { writePython } from "./stepsPython.ts";
import { type Plan, type PlanOptions, localDerivative, makePlan } from "./stepsPlan.ts";
import { type Row, Writer, equalitiesOf, linesOf, writeRows } from "./stepsWriting.ts";
import { stepNotes } from "./stepNotes.ts";

export type { Derivation } from "./derivation.ts";

export interface StepsOptions extends PlanOptions {
  /** The user's name of the loss. */
  readonly functionName: string;
  /** The function's arguments in its own order, for generated code; by default as first used. */
  readonly argumentOrder?: readonly Expr[];
}

const L: Written = { latex: "L", text: "L" };
const lossTerm: Term = {
  kind: "symbol",
  symbol: { ...L, sub: "", primes: 0, python: "loss" },
  indices: [],
};

/** Derives a scalar `loss` by the input `wrt`, step by step. */
export function deriveSteps(loss: Expr, wrt: Expr, options: StepsOptions): Derivation {
  const plan = makePlan(loss, wrt, options);
  const writer = new Writer(plan.names, plan.joint);
  const steps: Step[] = [];
  const equalities: Equality[] = [];
  const notes = stepNotes(plan);
  const add = (id: string, title: string, rows: readonly Row[], from: readonly Expr[]): void => {
    if (rows.length === 0) return;
    const note = notes(id);
    const lines = linesOf(from);
    equalities.push(...equalitiesOf(id, rows));
    steps.push({
      id,
      title,
      ...writeRows(rows),
      ...(note === "" ? {} : { note }),
      ...(lines.length === 0 ? {} : { lines }),
    });
  };
  const { parts } = plan.outline;
  const own = (...kinds: Part["kind"][]): Part[] => parts.filter((p) => kinds.includes(p.kind));
  const originals = (ps: readonly Part[]): Expr[] => ps.map((p) => p.original);

  const asWritten = new Writer(plan.names, plan.joint, true);
  const lossRow: Row = { left: lossTerm, rights: [asWritten.term(loss)], pair: null };
  const lossRows = [lossRow];
  if (plan.base !== loss) {
    const pair = { left: loss, right: plan.base };
    lossRows.push({ left: lossTerm, rights: [writer.term(plan.base)], pair });
  }
  add("loss", "The loss as written", lossRows, [loss]);
  add("sums", "Its sums named", sumRows(plan, writer), originals(parts));
  const sums = own("sum");
  add("outer", "The outer function by each sum", outerRows(plan, writer), [
    ...originals(own("numerator", "denominator")),
    loss,
  ]);
  add("elementwise", "Each sum by one element", elementRows(plan, writer), originals(sums));
  const activations = own("activation");
  add("activation", "The activation", activationRows(plan, writer), originals(activations));
  add("assemble", "Chain rule", assembleRows(plan, writer), []);
  const finalRows = writeFinal(plan, writer);
  add("final", "The gradient for one element", finalRows, []);

  const written = { loss: writeRows([lossRow]), gradient: writeRows(finalRows) };
  const symbols = legend(plan, writer, options.functionName);
  return {
    steps,
    ...written,
    gradientExpr: plan.gradientExpr,
    symbols,
    markdown: markdownOf(steps, symbols),
    ...writePython(plan, options, written),
    namedSums: namedBy(plan, writer, sums),
    named: namedBy(plan, writer, parts),
    equalities,
  };
}

function namedBy(plan: Plan, writer: Writer, parts: readonly Part[]): Derivation["named"] {
  return parts.map((p) => ({
    symbol: writer.written(p.node),
    expr: plan.outline.expand(p.node),
  }));
}

/** p_i = σ(z_i), I = Σ p_i g_i, …, N = 2I + ε, and L as what is left. */
function sumRows(plan: Plan, writer: Writer): Row[] {
  const { outline } = plan;
  if (outline.parts.length === 0) return [];
  const rows = outline.parts.map((part): Row => {
    const at = writer.letters(part.node);
    return {
      left: writer.term(part.node, at),
      rights: [writer.term(part.value, at)],
      pair: { left: part.original, right: outline.expand(part.value) },
    };
  });
  const whole: Row = {
    left: lossTerm,
    rights: [writer.term(outline.loss)],
    pair: { left: plan.loss, right: outline.expand(outline.loss) },
  };
  return [...rows, whole];
}

function outerRows(plan: Plan, writer: Writer): Row[] {
  const { outline, byPart } = plan;
  return outline.parts.flatMap((part): Row[] => {
    const adjoint = byPart.get(part.node);
    if (part.kind !== "sum" || adjoint === undefined) return [];
    const at = writer.letters(part.node);
    const spelled = quotientRule(plan, writer, part.node, at);
    const result = writer.term(adjoint, at);
    return [
      {
        left: writer.derivative(L, part.node, at),
        rights: spelled === null ? [result] : [spelled, result],
        pair: { left: derive(plan.base, part.original), right: outline.expand(adjoint) },
      },
    ];
  });
}

/** (N'U − NU')/U² with the derivatives by one sum filled in, times what the quotient is worth. */
function quotientRule(plan: Plan, writer: Writer, sum: Expr, at: readonly Index[]): Term | null {
  const { outline, names, joint } = plan;
  const q = outline.quotients.find((x) => isOnlyThrough(plan, x, sum));
  if (q === undefined) return null;
  const value = (e: Expr): Expr => outline.parts.find((p) => p.node === e)?.value ?? e;
  const inner = (e: Expr): { term: Term; at: Index[] } | null => {
    if (e === sum) return { term: number(1), at: [...at] };
    if (!dependsOn(value(e), sum)) return { term: number(0), at: [] };
    const local = localDerivative(value(e), sum, names, joint);
    if (local === null) return null;
    return { term: writer.term(plan.simplify(local.value), at), at: local.indexOf(at) };
  };
  const top = inner(q.numerator);
  const bottom = inner(q.denominator);
  if (top === null || bottom === null) return null;
  const place = isZero(top.term) ? bottom.at : top.at;
  // A part without axes beside one that has them is the same for each of their elements.
  const own = (e: Expr): readonly Index[] => place.slice(place.length - e.shape.length);
  if ([q.node, q.numerator, q.denominator].some((e) => e.shape.length > place.length)) return null;
  const whole = quotientNode(q);
  const outer = substitute(outline.loss, new Map([[q.node, whole]]));
  const worth = substitute(derive(outer, whole), new Map([[whole, q.node]]));
  const n = writer.term(q.numerator, own(q.numerator));
  const u = writer.term(q.denominator, own(q.denominator));
  const difference = sumOf([
    { negative: false, term: inOrder(top.term, u) },
    { negative: true, term: inOrder(n, bottom.term) },
  ]);
  const square: Term = { kind: "power", base: u, exponent: number(2) };
  return multiply(writer.term(plan.simplify(worth), place), {
    kind: "product",
    numerator: [difference],
    denominator: [square],
  });
}

/** Stands for a whole quotient. */
function quotientNode(q: Quotient): Expr {
  return b.input("⟨quotient⟩", q.node.shape);
}

/** Whether the sum enters the loss through this quotient alone. */
function isOnlyThrough(plan: Plan, q: Quotient, sum: Expr): boolean {
  const { outline } = plan;
  const outer = substitute(outline.loss, new Map([[q.node, quotientNode(q)]]));
  const through = outline.parts.filter((p) => dependsOn(p.value, sum)).map((p) => p.node);
  const isOwn = (e: Expr): boolean => e === q.numerator || e === q.denominator;
  const enters = [sum, ...through].some((e) => isOwn(e));
  return enters && through.every(isOwn) && ![sum, ...through].some((e) => dependsOn(outer, e));
}

const isZero = (t: Term): boolean => t.kind === "number" && t.value === 0;
const isOne = (t: Term): boolean => t.kind === "number" && t.value === 1;

/** A product that shows its ones and zeros: 2·U, N·0. */
function inOrder(x: Term, y: Term): Term {
  if (isOne(x)) return y;
  if (isOne(y)) return x;
  if (isZero(x) || isZero(y)) return { kind: "product", numerator: [x, y], denominator: [] };
  return multiply(x, y);
}

/** What the loss depends on through its sums: the activations, or the input itself. */
function elements(plan: Plan): { node: Expr; original: Expr }[] {
  const found = plan.outline.parts
    .filter((p) => p.kind === "activation" && plan.byPart.has(p.node))
    .map((p) => ({ node: p.node, original: p.original }));
  const later = plan.outline.parts.filter((p) => p.kind !== "activation");
  const isDirect = [...later.map((p) => p.value), plan.outline.loss].some((e) =>
    dependsOn(e, plan.wrt),
  );
  if (isDirect) found.push({ node: plan.wrt, original: plan.wrt });
  return found;
}

function elementRows(plan: Plan, writer: Writer): Row[] {
  const rows: Row[] = [];
  for (const x of elements(plan)) {
    const at = writer.letters(x.node);
    for (const part of plan.outline.parts) {
      if (part.kind !== "sum" || !plan.byPart.has(part.node)) continue;
      const local = localDerivative(part.value, x.node, plan.names, plan.joint);
      if (local === null) continue;
      const value = plan.simplify(local.value);
      const ones = part.original.shape.length === 0 ? b.ONE : b.expand(b.ONE, part.original.shape);
      rows.push({
        left: writer.derivative(writer.written(part.node, local.indexOf(at)), x.node, at),
        rights: [writer.term(value, at)],
        pair: {
          left: derivePartly(plan, part, x, ones),
          right: plan.outline.expand(value),
        },
      });
    }
  }
  return rows;
}

/** ∂(sum)/∂x in the inputs alone, with the other parts that the sum is made of held fixed. */
function derivePartly(plan: Plan, part: Part, x: { node: Expr }, seed: Expr): Expr {
  return plan.outline.expand(derive(part.value, x.node, seed));
}

function activationRows(plan: Plan, writer: Writer): Row[] {
  const { outline, wrt, inner, names, joint } = plan;
  return outline.parts.flatMap((part): Row[] => {
    if (part.kind !== "activation" || !plan.byPart.has(part.node)) return [];
    const named = new Map([[part.value, part.node]]);
    const local = localDerivative(part.value, wrt, names, joint);
    const at = writer.letters(wrt);
    if (local !== null) {
      const value = plan.simplify(substitute(local.value, named));
      const ones = b.expand(b.ONE, part.original.shape);
      return [
        {
          left: writer.derivative(writer.written(part.node, local.indexOf(at)), wrt, at),
          rights: [writer.term(value, at)],
          pair: {
            left: derive(part.original, wrt, part.original.shape.length === 0 ? b.ONE : ones),
            right: outline.expand(value),
          },
        },
      ];
    }
    if (inner === null) return [];
    return [
      ...jacobianRow(writer, part, wrt),
      {
        left: writer.derivative(L, wrt, at),
        rights: [writer.term(plan.final, at)],
        pair: {
          left: derive(plan.base, wrt),
          right: outline.expand(substitute(plan.final, new Map([[inner.node, inner.value]]))),
        },
      },
    ];
  });
}

/** ∂p_k/∂z_c = p_k ([k = c] − p_c), for a softmax of the input itself. */
function jacobianRow(writer: Writer, part: Part, wrt: Expr): Row[] {
  const e = part.value;
  if (e.kind !== "softmax" || e.log || e.args[0] !== wrt || isUnit(e.shape[e.dim]!)) return [];
  const at = writer.letters(wrt);
  const scope = new Set(at.flatMap((i) => (i.kind === "letter" ? [i.letter] : [])));
  const other = writer.notation.allocate([e.shape[e.dim]!], scope).indices[0]!;
  const there = at.map((i, d) => (d === e.dim ? other : i));
  const same: Term = {
    kind: "bracket",
    of: {
      kind: "relation",
      op: "eq",
      left: { kind: "index", index: other },
      right: { kind: "index", index: at[e.dim]! },
    },
  };
  const bracket = sumOf([
    { negative: false, term: same },
    { negative: true, term: writer.term(part.node, at) },
  ]);
  return [
    {
      left: writer.derivative(writer.written(part.node, there), wrt, at),
      rights: [multiply(writer.term(part.node, there), bracket)],
      pair: null,
    },
  ];
}

function assembleRows(plan: Plan, writer: Writer): Row[] {
  const { outline, byPart, names, joint, wrt, inner } = plan;
  const rows: Row[] = [];
  // Behind a softmax the rest of the chain is the activation's own row.
  const last = inner === null ? [{ node: wrt, original: wrt }] : [];
  const chain = [...elements(plan).filter((x) => x.node !== wrt), ...last];
  for (const x of chain) {
    const at = writer.letters(x.node);
    const symbols: Term[] = [];
    const values: Term[] = [];
    const shares: Expr[] = [];
    const users = outline.parts.filter(
      (p) => byPart.has(p.node) && p.node !== x.node && dependsOn(p.value, x.node),
    );
    for (const part of users) {
      const seed = byPart.get(part.node)!;
      const named = new Map([[part.value, part.node]]);
      const share = substitute(derive(part.value, x.node, seed), named);
      shares.push(share);
      const local = localDerivative(part.value, x.node, names, joint);
      if (local === null) {
        const value = writer.term(plan.simplify(share), at);
        symbols.push(value);
        values.push(value);
        continue;
      }
      const place = local.indexOf(at);
      const factor = plan.simplify(substitute(local.value, named));
      symbols.push(
        multiply(
          writer.derivative(L, part.node, place),
          writer.derivative(writer.written(part.node, place), x.node, at),
        ),
      );
      values.push(multiply(writer.term(seed, place), writer.term(factor, at)));
    }
    if (dependsOn(outline.loss, x.node)) {
      const share = derive(outline.loss, x.node);
      shares.push(share);
      const value = writer.term(plan.simplify(share), at);
      symbols.push(value);
      values.push(value);
    }
    if (shares.length === 0) continue;
    const add = (terms: readonly Term[]): Term =>
      sumOf(terms.filter((t) => !isZero(t)).map((term) => ({ negative: false, term })));
    const rights = [add(symbols), add(values)];
    if (textOf(rights[0]!) === textOf(rights[1]!)) rights.pop();
    rows.push({
      left: writer.derivative(L, x.node, at),
      rights,
      pair: {
        left: derive(plan.base, x.original),
        right: outline.expand(shares.reduce((sum, s) => b.add(sum, s))),
      },
    });
  }
  return rows;
}

function writeFinal(plan: Plan, writer: Writer): Row[] {
  const { wrt, inner, outline } = plan;
  const at = writer.letters(wrt);
  const rows: Row[] = [
    {
      left: writer.derivative(L, wrt, at),
      rights: [writer.term(plan.final, at)],
      pair: { left: derive(plan.loss, wrt), right: plan.gradientExpr },
    },
  ];
  if (inner !== null) {
    const there = writer.letters(inner.of.node);
    rows.push({
      left: writer.derivative(L, inner.of.node, there),
      rights: [writer.term(inner.value, there)],
      pair: {
        left: derive(plan.base, inner.of.original),
        right: outline.expand(inner.value),
      },
    });
  }
  return rows;
}

function markdownOf(steps: readonly Step[], symbols: Derivation["symbols"]): string {
  const sections = steps.flatMap((s, k) => [
    `### ${k + 1}. ${s.title}`,
    "",
    "$$",
    s.latex,
    "$$",
    "",
    ...(s.note === undefined ? [] : [s.note, ""]),
  ]);
  const rows = symbols.map((s) => `| $${s.symbol.latex}$ | ${cell(s.name)} | ${cell(s.meaning)} |`);
  const table = ["| symbol | in the code | meaning |", "| --- | --- | --- |", ...rows];
  return [...sections, ...table, ""].join("\n");
}

/** Text for a table cell: nothing in it may end the cell or start markup. */
function cell(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|$#~]/g, "\\$&").replace(/\s+/g, " ");
}
