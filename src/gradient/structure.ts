/**
 * What kind of function of one step a loss is along a path through one of its inputs, read from its
 * graph: a quotient of polynomials of known degree, or merely smooth; and where it has kinks and
 * steps. The probe trusts a degree only when two unused values confirm it, so a bound that is too
 * high costs accuracy and one that is too low is loud; neither gives a wrong verdict.
 */
import { elementCount } from "../expression/axis.ts";
import type { BinaryOp, Expr, Input, UnaryOp } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import type { FitDegree } from "./probe.ts";

/**
 * The variable that moves in a straight line. For probabilities it is the input itself; where the
 * loss applies a sigmoid or softmax to its input first (and uses the input nowhere else), it is the
 * activation's result, and the input moves along the curve that produces it.
 */
export interface Moving {
  readonly kind: "line" | "sigmoid" | "softmax";
  /** Node whose entries move linearly in the step. */
  readonly node: Expr;
  /** Axis over which a softmax normalises; -1 otherwise. */
  readonly dim: number;
}

/**
 * Denominators that each depend on part of the input only (one per sample, per class, …): along a
 * direction inside one such part the loss is a quotient of low degree though it has many
 * denominators.
 */
export interface Cells {
  /** Denominators of equal shape: entry k of each belongs to part k. */
  readonly nodes: readonly Expr[];
  /** The other denominators, which must not move. */
  readonly others: readonly Expr[];
  readonly degree: FitDegree;
}

export interface Structure {
  readonly moving: Moving;
  /** Degree along every straight line of `moving`; null where only `cells` or nothing applies. */
  readonly degree: FitDegree | null;
  readonly cells: readonly Cells[];
  /** Nodes with a slope that jumps: abs, clamp, max, … of something that depends on the input. */
  readonly kinks: readonly Expr[];
  /** Nodes whose value jumps: comparisons, rounding, argmax, … */
  readonly steps: readonly Expr[];
  /** The first node that keeps the loss from being a quotient of polynomials. */
  readonly smooth: Expr | null;
}

/** Reads the structure of a scalar `loss` as a function of `wrt`. */
export function structureOf(loss: Expr, wrt: Input): Structure {
  const order = topological(loss);
  const moving = movingNode(order, wrt);
  const depends = dependents(order, wrt);
  const kinks = order.filter((e) => depends.has(e) && isKink(e, depends));
  const steps = order.filter((e) => depends.has(e) && isStep(e));
  const general = degrees(order, moving.node, new Set());
  if (general.form === null) {
    return { moving, degree: null, cells: [], kinks, steps, smooth: general.culprit };
  }
  const denominators = [...general.form.den.keys()];
  const single = denominators.every((e) => elementCount(e.shape) === 1);
  const degree = single ? fitDegree(general.form, general.degreeOf) : null;
  const cells: Cells[] = [];
  if (degree === null) {
    const aligned = alignedCells(denominators, fitDegree(general.form, general.degreeOf));
    if (aligned !== null) cells.push(aligned);
    for (const node of denominators.slice(0, MAX_DENOMINATORS)) {
      if (aligned !== null && denominators.length === 1) break;
      const others = denominators.filter((e) => e !== node);
      const part = degrees(order, moving.node, new Set(others));
      const fit = part.form === null ? null : fitDegree(part.form, part.degreeOf);
      if (fit !== null) cells.push({ nodes: [node], others, degree: fit });
    }
  }
  return { moving, degree, cells, kinks, steps, smooth: null };
}

/** All denominators together, where they have an entry for each part. */
function alignedCells(nodes: readonly Expr[], degree: FitDegree | null): Cells | null {
  const counts = new Set(nodes.map((e) => elementCount(e.shape)));
  const aligned = counts.size === 1 && !counts.has(1) && !counts.has(null);
  return aligned && degree !== null ? { nodes, others: [], degree } : null;
}

/** More than this many separate denominators (an unrolled loop over samples) are not all tried. */
const MAX_DENOMINATORS = 16;
const MAX_DEGREE = 12;

/** Nodes whose value depends on `leaf`. */
export function dependents(order: readonly Expr[], leaf: Expr): Set<Expr> {
  const found = new Set<Expr>([leaf]);
  for (const e of order) if (e.args.some((a) => found.has(a))) found.add(e);
  return found;
}

function movingNode(order: readonly Expr[], wrt: Input): Moving {
  // The activation may be applied to a reshaped input: the entries keep their order.
  const same = new Set<Expr>([wrt]);
  const users: Expr[] = [];
  for (const e of order) {
    if (!e.args.some((a) => same.has(a))) continue;
    if (e.kind === "reshape") same.add(e);
    else users.push(e);
  }
  const only = users[0];
  if (users.length === 1 && only !== undefined && !same.has(order.at(-1)!)) {
    if (only.kind === "unary" && only.op === "sigmoid") {
      return { kind: "sigmoid", node: only, dim: -1 };
    }
    if (only.kind === "softmax" && !only.log) {
      return { kind: "softmax", node: only, dim: only.dim };
    }
  }
  return { kind: "line", node: wrt, dim: -1 };
}

const STEP_UNARY = new Set<UnaryOp>(["sign", "round", "floor", "ceil", "not", "isnan", "isfinite"]);
const KINK_UNARY = new Set<UnaryOp>(["abs", "relu"]);
const STEP_BINARY = new Set<BinaryOp>([
  "floordiv",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "and",
  "or",
]);
const KINK_BINARY = new Set<BinaryOp>(["max", "min", "mod"]);

/** Value is piecewise constant in its arguments, so that no gradient passes. */
export function isStep(e: Expr): boolean {
  switch (e.kind) {
    case "unary":
      return STEP_UNARY.has(e.op);
    case "binary":
      return STEP_BINARY.has(e.op);
    case "cast":
      return e.to === "int" || e.to === "bool";
    case "reduce":
      return e.op === "any" || e.op === "all";
    case "argReduce":
    case "oneHot":
      return true;
    default:
      return false;
  }
}

/** Gradient passes, but the slope jumps somewhere. */
function isKink(e: Expr, depends: ReadonlySet<Expr>): boolean {
  switch (e.kind) {
    case "unary":
      return KINK_UNARY.has(e.op);
    case "binary":
      return KINK_BINARY.has(e.op);
    case "clamp":
      return true;
    case "where":
      return depends.has(e.args[0]!);
    case "reduce":
      return e.op === "max" || e.op === "min";
    default:
      return false;
  }
}

/**
 * A quotient of polynomials in the step: numerator degree, and its denominators with their powers.
 * An array-valued denominator counts once: the form describes the loss while one entry of it moves.
 */
interface Form {
  readonly num: number;
  readonly den: ReadonlyMap<Expr, number>;
}

const CONSTANT: Form = { num: 0, den: new Map() };

interface Degrees {
  /** Null where the loss is not a quotient of polynomials of moderate degree. */
  readonly form: Form | null;
  readonly culprit: Expr | null;
  readonly degreeOf: ReadonlyMap<Expr, number>;
}

/** Degree analysis with the denominators in `held` taken for constants. */
function degrees(order: readonly Expr[], variable: Expr, held: ReadonlySet<Expr>): Degrees {
  const degreeOf = new Map<Expr, number>();
  const forms = new Map<Expr, Form>();
  const depends = dependents(order, variable);
  let culprit: Expr | null = null;
  for (const e of order) {
    if (!depends.has(e)) continue;
    if (e === variable) {
      forms.set(e, { num: 1, den: new Map() });
      continue;
    }
    const args = e.args.map((a) => (depends.has(a) ? forms.get(a) : CONSTANT));
    const known = args.every((f) => f !== undefined);
    const form = known ? combine(e, args, degreeOf, held) : null;
    if (form !== null && form.num <= MAX_DEGREE) forms.set(e, form);
    else if (known) culprit ??= e;
  }
  const root = order.at(-1)!;
  return { form: depends.has(root) ? (forms.get(root) ?? null) : CONSTANT, culprit, degreeOf };
}

function combine(
  e: Expr,
  args: readonly Form[],
  degreeOf: Map<Expr, number>,
  held: ReadonlySet<Expr>,
): Form | null {
  const x = args[0]!;
  switch (e.kind) {
    case "unary":
      return unaryForm(e.op, x);
    case "binary":
      return binaryForm(e, x, args[1]!, degreeOf, held);
    case "where":
      return join(args.slice(1), degreeOf);
    case "clamp":
    case "stack":
    case "concat":
      return join(args, degreeOf);
    case "cast":
    case "argReduce":
    case "oneHot":
      return isStep(e) ? CONSTANT : x;
    case "stopGradient":
      return CONSTANT;
    case "reduce": {
      if (e.op === "any" || e.op === "all") return CONSTANT;
      if (e.op === "prod") {
        const n = elementCount(e.dims.map((d) => e.args[0]!.shape[d]!));
        return n === null ? null : power(x, n);
      }
      // Of a sum of quotients one moves; the rest add a constant, a multiple of the denominator.
      return { num: Math.max(x.num, denDegree(x.den, degreeOf)), den: x.den };
    }
    case "softmax":
      return null;
    default:
      return x;
  }
}

function unaryForm(op: UnaryOp, x: Form): Form | null {
  if (STEP_UNARY.has(op)) return CONSTANT;
  return op === "neg" || KINK_UNARY.has(op) ? x : null;
}

function binaryForm(
  e: Expr & { readonly kind: "binary" },
  a: Form,
  b: Form,
  degreeOf: Map<Expr, number>,
  held: ReadonlySet<Expr>,
): Form | null {
  if (STEP_BINARY.has(e.op)) return CONSTANT;
  const divisor = e.args[1]!;
  switch (e.op) {
    case "add":
    case "sub":
    case "max":
    case "min":
      return join([a, b], degreeOf);
    case "mul":
      return product(a, b);
    case "div":
      // Where a denominator does not move, the numerator over it hardly ever does.
      if (held.has(divisor)) return a.den.size === 0 ? CONSTANT : a;
      return product(a, reciprocal(divisor, b, degreeOf));
    case "pow": {
      const n = scalarValue(divisor);
      if (b !== CONSTANT || n === null || !Number.isInteger(n) || Math.abs(n) > 4) return null;
      const base = e.args[0]!;
      return n >= 0
        ? power(a, n)
        : held.has(base)
          ? CONSTANT
          : power(reciprocal(base, a, degreeOf), -n);
    }
    case "mod":
      return b === CONSTANT ? a : null;
    default:
      return null;
  }
}

/** 1/e, where e itself is `form`: its numerator becomes a denominator, named after e. */
function reciprocal(e: Expr, form: Form, degreeOf: Map<Expr, number>): Form {
  if (form.num === 0 && form.den.size === 0) return CONSTANT;
  degreeOf.set(e, form.num);
  const den = new Map<Expr, number>([...form.den].map(([f, m]) => [f, -m]));
  den.set(e, (den.get(e) ?? 0) + 1);
  return normal(0, den);
}

function power(x: Form, n: number): Form {
  return { num: x.num * n, den: new Map([...x.den].map(([e, m]) => [e, m * n])) };
}

function product(a: Form, b: Form): Form {
  const den = new Map(a.den);
  for (const [e, m] of b.den) den.set(e, (den.get(e) ?? 0) + m);
  return normal(a.num + b.num, den);
}

/** Factors that cancelled are dropped; those left over in the numerator stay as negative powers. */
function normal(num: number, den: ReadonlyMap<Expr, number>): Form {
  return { num, den: new Map([...den].filter(([, m]) => m !== 0)) };
}

/** A form that every one of `forms`, and their sum, has: over the common denominator. */
function join(forms: readonly Form[], degreeOf: ReadonlyMap<Expr, number>): Form {
  const moving = forms.filter((f) => f !== CONSTANT);
  if (moving.length === 0) return CONSTANT;
  const den = new Map<Expr, number>();
  for (const f of forms) {
    for (const [e, m] of f.den) den.set(e, Math.max(den.get(e) ?? 0, m));
  }
  const total = denDegree(den, degreeOf);
  const num = Math.max(...forms.map((f) => f.num + total - denDegree(f.den, degreeOf)));
  return normal(num, den);
}

function denDegree(den: ReadonlyMap<Expr, number>, degreeOf: ReadonlyMap<Expr, number>): number {
  let total = 0;
  for (const [e, m] of den) total += m * (degreeOf.get(e) ?? 0);
  return total;
}

/** Smallest fit that covers the form; null when none does. */
function fitDegree(form: Form, degreeOf: ReadonlyMap<Expr, number>): FitDegree | null {
  // Negative powers stand in the numerator.
  let num = form.num;
  let den = 0;
  for (const [e, m] of form.den) {
    const d = m * (degreeOf.get(e) ?? 0);
    if (m > 0) den += d;
    else num -= d;
  }
  const degree = Math.max(num, den, 1);
  return degree === 1 || degree === 2 ? degree : null;
}

/** Value of a scalar that is known without arrays. */
function scalarValue(e: Expr): number | null {
  if (e.kind === "const" || e.kind === "parameter") return e.value;
  if (e.kind === "unary" && e.op === "neg") {
    const v = scalarValue(e.args[0]!);
    return v === null ? null : -v;
  }
  if (e.kind === "binary" && (e.op === "div" || e.op === "sub" || e.op === "add")) {
    const a = scalarValue(e.args[0]!);
    const b = scalarValue(e.args[1]!);
    if (a === null || b === null) return null;
    return e.op === "div" ? a / b : e.op === "sub" ? a - b : a + b;
  }
  return e.kind === "cast" || e.kind === "expand" ? scalarValue(e.args[0]!) : null;
}
