/**
 * How much rounding error right code may make: the scale S and the bound K of a verdict in units of
 * u·S, where u is the unit roundoff of the type that was computed in.
 *
 * S is the expression with absolute values in place of its terms, so that what cancels in the value
 * does not cancel in the scale. It obeys, for every operation, the first-order rule of rounding
 * error propagation (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.3): if
 * each operand has error at most d·u·S of its own, the result has error at most (d + c)·u·S, c
 * being the roundings of the operation itself. A whole evaluation therefore stays within
 * (`operationDepth` + depth of the sums)·u·S, and a pairwise sum of n terms has depth ⌈log2 n⌉.
 *
 * Comparisons, roundings to whole numbers and the branches that hang on them are taken as float64
 * makes them: S says nothing of the branch that exact arithmetic would take where they differ.
 *
 * K = max(8, operationDepth) + 2·⌈log2 n⌉ (`errorBound`): the 8 covers what other people's
 * equivalent forms of the same formula add, and long chains of operations bring their own depth
 * along, so that the bound is never below what the expression as written needs. It is a bound for
 * sums in pairs, in blocks or compensated; adding one by one needs n instead of log2 n.
 */
import * as b from "../expression/build.ts";
import { sizesOf } from "../expression/axis.ts";
import type { Binary, Expr, Reduce, Softmax, Unary } from "../expression/node.ts";
import { topological } from "../expression/walk.ts";
import { type RunOptions, compileKernel } from "./kernel.ts";
import { type Bindings, sizeProduct } from "./typedArrays.ts";

/**
 * S of every element of `e`.
 * @throws BindingError, ShapeError and Cancelled as kernels do
 */
export function errorScale(
  e: Expr,
  bindings: Bindings,
  options: RunOptions = {},
): { shape: number[]; data: Float64Array } {
  return compileKernel([magnitude(e)]).run(bindings, options).outputs[0]!;
}

/** S as an expression, to be evaluated together with others. */
export function magnitude(root: Expr): Expr {
  const done = new Map<Expr, Expr>();
  const exact = exactNodes(root);
  const steep = steepNodes(root, exact);
  for (const e of topological(root)) {
    const size = exact.has(e) ? sizeOf(e) : magnitudeOf(e, done, { exact, steep });
    done.set(e, size);
  }
  return done.get(root)!;
}

/** Truth values count as 0 and 1. */
const sizeOf = (e: Expr): Expr => (e.type === "bool" ? e : b.abs(e));

/** Largest number of terms that one element is a sum of; sums of sums multiply. */
export function reductionDepth(root: Expr): number {
  const terms = new Map<Expr, number>();
  for (const e of topological(root)) {
    const below = Math.max(1, ...e.args.map((a) => terms.get(a)!));
    terms.set(e, below * Math.max(1, reducedEntries(e)));
  }
  return terms.get(root)!;
}

/** Roundings that add up in the expression, those of sums not counted. */
export function operationDepth(root: Expr): number {
  const exact = exactNodes(root);
  const depths = new Map<Expr, number>();
  for (const e of topological(root)) {
    const below = e.args.map((a) => depths.get(a)!);
    depths.set(e, exact.has(e) ? 0 : depthOf(e, below));
  }
  return depths.get(root)!;
}

/**
 * K: the largest error of right code in units of u·S, for sums of up to `terms` terms and chains of
 * up to `operations` roundings.
 */
export function errorBound(terms: number, operations = 0): number {
  return Math.max(8, operations) + 2 * Math.ceil(Math.log2(Math.max(1, terms)));
}

/** The largest error of a value in float64, in units of S (not of u·S). */
export function float64Bound(e: Expr): number {
  return errorBound(reductionDepth(e), operationDepth(e)) * 2 ** -53;
}

/**
 * How far a scalar evaluated in float64 may be off; null where no bound is known.
 * @param size its `magnitude`
 */
export function float64Error(e: Expr, size: number): number | null {
  const error = float64Bound(e) * size;
  return Number.isFinite(error) ? error : null;
}

/**
 * The largest error of the reference in double-double, in units of S (not of u·S): its functions are
 * right to 1e-30 < 2^-99, and its sums of `terms` terms, added one by one, to 3n·2^-106.
 */
export function referenceBound(terms: number, operations = 0): number {
  return Math.max(8, operations) * 2 ** -99 + 3 * terms * 2 ** -106;
}

/** Nodes that every implementation computes without rounding: data, and what only picks or moves. */
function exactNodes(root: Expr): Set<Expr> {
  const exact = new Set<Expr>();
  for (const e of topological(root)) {
    const picks = PICKING.has(e.kind) || (e.kind === "unary" && PICKING_UNARY.has(e.op));
    const chooses = e.kind === "binary" && (e.op === "max" || e.op === "min");
    const selects = e.kind === "reduce" && e.op !== "sum" && e.op !== "mean" && e.op !== "prod";
    const isLeaf = e.args.length === 0;
    const allExact = e.args.every((a) => exact.has(a));
    // Counts and indices are whole numbers; comparisons of rounded numbers are taken as they are.
    if (isLeaf || e.type !== "float" || (allExact && (picks || chooses || selects))) exact.add(e);
  }
  return exact;
}

/** Nodes whose error may be infinite: roots and logarithms of computed numbers that may be 0. */
function steepNodes(root: Expr, exact: ReadonlySet<Expr>): Set<Expr> {
  const steep = new Set<Expr>();
  for (const e of topological(root)) {
    const [x, q] = e.args;
    const isRoot =
      (e.kind === "unary" && (e.op === "log" || e.op === "log1p" || e.op === "sqrt")) ||
      (e.kind === "binary" && e.op === "pow" && !(q!.kind === "const" && q.value >= 1));
    if ((isRoot && !exact.has(x!)) || e.args.some((a) => steep.has(a))) steep.add(e);
  }
  return steep;
}

const PICKING = new Set<Expr["kind"]>([
  "where",
  "clamp",
  "cast",
  "stopGradient",
  "argReduce",
  "reshape",
  "transpose",
  "expand",
  "index",
  "slice",
  "place",
  "spread",
  "slide",
  "stack",
  "concat",
  "oneHot",
]);
const PICKING_UNARY = new Set(["neg", "abs", "sign", "relu", "round", "floor", "ceil"]);

function reducedEntries(e: Expr): number {
  if (e.kind === "softmax") return sizesOf(e.shape)[e.dim]!;
  if (e.kind !== "reduce" || (e.op !== "sum" && e.op !== "mean")) return 1;
  const sizes = sizesOf(e.args[0]!.shape);
  return sizeProduct(e.dims.map((d) => sizes[d]!));
}

/** A constant or a parameter: the same number everywhere. */
function isFixed(e: Expr): boolean {
  return (
    e.kind === "const" || e.kind === "parameter" || (e.kind === "unary" && isFixed(e.args[0]!))
  );
}

/** Made of numbers that are the same everywhere, such as γ − 1. */
function isFromFixed(e: Expr): boolean {
  return isFixed(e) || (e.kind === "binary" && e.args.every(isFromFixed));
}

/** Errors of factors add up; of several terms the largest counts. */
function depthOf(e: Expr, below: readonly number[]): number {
  const deepest = Math.max(0, ...below);
  if (e.kind !== "binary") return deepest + roundings(e);
  switch (e.op) {
    case "mul":
    case "div":
      return below[0]! + below[1]! + 1;
    case "pow": {
      const q = e.args[1]!;
      const power = q.kind === "const" ? Math.max(1, Math.abs(q.value)) : 1;
      return power * below[0]! + below[1]! + 2;
    }
    default:
      return deepest + roundings(e);
  }
}

function roundings(e: Expr): number {
  switch (e.kind) {
    case "unary":
      if (PICKING_UNARY.has(e.op)) return 0;
      if (e.op === "sqrt") return 1;
      return e.op === "sigmoid" || e.op === "softplus" || e.op === "logsigmoid" ? 4 : 2;
    case "binary":
      if (e.op === "max" || e.op === "min") return 0;
      return e.op === "pow" ? 2 : 1;
    case "softmax":
      return 5;
    case "reduce":
      if (e.op === "mean") return 1;
      if (e.op !== "prod") return 0;
      return sizeProduct(e.dims.map((d) => sizesOf(e.args[0]!.shape)[d]!));
    default:
      return 0;
  }
}

type Done = ReadonlyMap<Expr, Expr>;

interface Kinds {
  readonly exact: ReadonlySet<Expr>;
  readonly steep: ReadonlySet<Expr>;
}

const INFINITE = b.constant(Infinity);

function magnitudeOf(e: Expr, done: Done, kinds: Kinds): Expr {
  const { exact } = kinds;
  const args = e.args.map((a) => done.get(a)!);
  const m = args[0]!;
  const x = e.args[0]!;
  switch (e.kind) {
    case "unary":
      return unaryMagnitude(e, x, m, exact.has(x));
    case "binary":
      return binaryMagnitude(e, args, kinds);
    case "where":
      return b.where(x, args[1]!, args[2]!);
    case "clamp": {
      const [, low, high] = e.args as [Expr, Expr, Expr];
      // A number without any digit, such as log(1 − p) where p has become 1, is cut by accident.
      const known = (bound: Expr): Expr =>
        exact.has(x) ? bound : b.where(b.binary("lt", m, INFINITE), bound, m);
      const inside = b.where(b.binary("gt", x, high), known(args[2]!), m);
      return b.where(b.binary("lt", x, low), known(args[1]!), inside);
    }
    case "reduce":
      return reduceMagnitude(e, m);
    case "softmax":
      return softmaxMagnitude(e, x, exact.has(x) ? null : m);
    case "argReduce":
    case "oneHot":
      return e;
    default:
      // What only moves entries moves their magnitudes.
      return b.withArgs(e, args);
  }
}

/**
 * The larger of |f(x)| and |f′(x)|·mag x; the first alone where x is known exactly. The larger, not
 * the sum: where nothing cancels, S stays the sum of absolute terms however long the formula.
 */
function unaryMagnitude(e: Unary, x: Expr, m: Expr, isExact: boolean): Expr {
  const value = b.abs(e);
  const atLeast = (other: Expr): Expr => (isExact ? value : b.binary("max", value, other));
  const steep = (slope: Expr): Expr => atLeast(b.mul(slope, m));
  switch (e.op) {
    case "neg":
    case "abs":
      return m;
    case "relu":
      return b.where(b.binary("gt", x, b.ZERO), m, b.ZERO);
    case "exp":
      return steep(e);
    case "expm1":
      return steep(b.exp(x));
    case "log":
      return atLeast(b.div(m, b.abs(x)));
    case "log1p":
      return atLeast(b.div(m, b.abs(b.add(b.ONE, x))));
    case "sqrt":
      return atLeast(share(m, b.mul(b.constant(2), e)));
    case "sigmoid":
      return steep(b.mul(e, b.sigmoid(b.neg(x))));
    case "logsigmoid":
      return steep(b.sigmoid(b.neg(x)));
    case "softplus":
      return steep(b.sigmoid(x));
    case "tanh":
      return steep(b.sub(b.ONE, b.mul(e, e)));
    case "cosh":
      return steep(b.abs(b.unary("sinh", x)));
    case "sinh":
      return steep(b.unary("cosh", x));
    case "sin":
      return steep(b.abs(b.unary("cos", x)));
    case "cos":
      return steep(b.abs(b.unary("sin", x)));
    case "sign":
    case "round":
    case "floor":
    case "ceil":
    case "not":
    case "isnan":
    case "isfinite":
      return value;
  }
}

/** m/d, and 0 where m is 0 whatever d is. */
function share(m: Expr, d: Expr): Expr {
  return unlessZero(m, b.div(m, d));
}

/** A product that x is a factor of, and 0 where x is 0 though another factor be infinite. */
function unlessZero(x: Expr, product: Expr): Expr {
  return b.where(b.binary("eq", x, b.ZERO), b.ZERO, product);
}

/** |∂pᑫ/∂p|. */
function slopeOf(p: Expr, q: Expr): Expr {
  return b.mul(b.abs(q), b.pow(b.abs(p), b.sub(q, b.ONE)));
}

function binaryMagnitude(e: Binary, args: readonly Expr[], { exact, steep }: Kinds): Expr {
  const [p, q] = e.args as [Expr, Expr];
  const [m, n] = args as [Expr, Expr];
  switch (e.op) {
    case "add":
    case "sub":
      return b.add(m, n);
    case "mul": {
      // A factor that is nothing but 0 makes nothing of the other one's error.
      const product = steep.has(q) ? unlessZero(m, b.mul(m, n)) : b.mul(m, n);
      return steep.has(p) ? unlessZero(n, product) : product;
    }
    case "div": {
      // mag p · mag q / q², without the square that could leave the range of float64.
      const quotient = b.div(m, b.abs(q));
      return exact.has(q) ? quotient : b.mul(quotient, b.div(n, b.abs(q)));
    }
    case "pow": {
      const value = b.abs(e);
      // A fixed power multiplies the relative error; what is no cancellation its depth counts.
      if (isFixed(q)) {
        if (exact.has(p)) return value;
        const excess = b.mul(b.abs(q), b.sub(b.div(m, b.abs(p)), b.ONE));
        const grown = b.mul(value, b.add(b.ONE, excess));
        // At 0 itself the slope says what an error of the base does.
        const atZero = b.add(value, unlessZero(q, b.mul(slopeOf(p, q), m)));
        return b.where(b.binary("eq", p, b.ZERO), atZero, grown);
      }
      const base = unlessZero(q, b.mul(slopeOf(p, q), m));
      // A power such as γ − 1 that is 0 is 0 in everybody's program, with no error of its own.
      const power = isFromFixed(q) ? unlessZero(q, n) : n;
      const steep = b.mul(b.mul(value, b.abs(b.log(b.abs(p)))), power);
      const exponent = unlessZero(value, unlessZero(power, steep));
      const withBase = exact.has(p) ? value : b.add(value, base);
      return exact.has(q) ? withBase : b.add(withBase, exponent);
    }
    case "max":
      return b.where(b.binary("ge", p, q), m, n);
    case "min":
      return b.where(b.binary("le", p, q), m, n);
    case "mod":
      return b.add(m, b.mul(b.abs(b.binary("floordiv", p, q)), n));
    default:
      return b.abs(e);
  }
}

function reduceMagnitude(e: Reduce, m: Expr): Expr {
  switch (e.op) {
    case "sum":
    case "mean":
    case "prod":
      return b.reduce(e.op, m, e.dims, e.keepDims);
    case "max":
    case "min":
      // Whichever entry is picked has no larger one.
      return b.reduce("max", m, e.dims, e.keepDims);
    case "any":
    case "all":
      return e;
  }
}

/**
 * The largest entry is taken off first, which rounds: x − max is wrong by u·|x − max|, and its
 * power relatively by as much. `m` is the magnitude of x where x itself is rounded.
 */
function softmaxMagnitude(e: Softmax, x: Expr, m: Expr | null): Expr {
  const distance = b.abs(b.sub(x, b.reduce("max", x, [e.dim], true)));
  const w = m === null ? distance : b.add(distance, m);
  const p = e.log ? b.softmax(x, e.dim) : e;
  const relative = b.add(b.add(b.ONE, w), b.sum(b.mul(p, w), [e.dim], true));
  return e.log ? b.add(b.abs(e), relative) : b.mul(p, relative);
}
