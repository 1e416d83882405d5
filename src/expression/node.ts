/**
 * The expression graph: the spine of the product. What is printed, derived, evaluated and compared
 * is always this one graph, so a formula shown cannot drift from the numbers beside it.
 *
 * Nodes are immutable and interned: building the same thing twice gives the same object, so equal
 * sub-expressions are shared and `===` is structural equality. Build them only through `build.ts`.
 */
import type { Axis, Shape } from "./axis.ts";
import { spend } from "./effort.ts";

/** Kind of value, as far as mathematics cares. A stored precision is a `cast` node's business. */
export type ScalarType = "float" | "int" | "bool";

export type Precision = "float64" | "float32" | "float16" | "bfloat16";
export type CastTarget = Precision | "int" | "bool";

export type UnaryOp =
  | "neg"
  | "exp"
  | "log"
  | "log1p"
  | "expm1"
  | "sqrt"
  | "abs"
  | "sign"
  | "sigmoid"
  | "logsigmoid"
  | "softplus"
  | "tanh"
  | "relu"
  | "cosh"
  | "sinh"
  | "sin"
  | "cos"
  | "round" // half to even, as NumPy, PyTorch and TensorFlow do
  | "floor"
  | "ceil"
  | "not"
  | "isnan"
  | "isfinite";

export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "pow"
  | "max"
  | "min"
  | "mod"
  | "floordiv"
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "and"
  | "or";

export type ReduceOp = "sum" | "mean" | "prod" | "max" | "min" | "any" | "all";

interface Base {
  /** Unique per distinct node, in order of creation: arguments have smaller ids than their users. */
  readonly id: number;
  readonly shape: Shape;
  readonly type: ScalarType;
  readonly args: readonly Expr[];
}

export interface Const extends Base {
  readonly kind: "const";
  readonly value: number;
}
/** A named scalar such as `epsilon`: printed by its name, evaluated with its value. */
export interface Parameter extends Base {
  readonly kind: "parameter";
  readonly name: string;
  readonly value: number | null;
}
/** An array the loss is a function of (prediction, target, logits, weights). */
export interface Input extends Base {
  readonly kind: "input";
  readonly name: string;
  /** Its entries are the positions 0, 1, … along its only axis, whatever that axis' size. */
  readonly positions?: true;
}
/** The number of entries over some axes, e.g. the N of a mean. Its value is `elementCount(axes)`. */
export interface Size extends Base {
  readonly kind: "size";
  readonly axes: readonly Axis[];
}
export interface Unary extends Base {
  readonly kind: "unary";
  readonly op: UnaryOp;
}
export interface Binary extends Base {
  readonly kind: "binary";
  readonly op: BinaryOp;
}
/** args: condition, value where true, value where false. */
export interface Where extends Base {
  readonly kind: "where";
}
/** args: x, lower bound, upper bound (constants -Infinity/Infinity when open). */
export interface Clamp extends Base {
  readonly kind: "clamp";
}
export interface Cast extends Base {
  readonly kind: "cast";
  readonly to: CastTarget;
}
/** Value of its argument; no gradient flows (detach, .data, no_grad, stop_gradient). */
export interface StopGradient extends Base {
  readonly kind: "stopGradient";
}
export interface Reduce extends Base {
  readonly kind: "reduce";
  readonly op: ReduceOp;
  /** Reduced positions of the argument, ascending. */
  readonly dims: readonly number[];
  readonly keepDims: boolean;
}
/** Index of the largest (smallest) entry along `dim`; ties take the first. */
export interface ArgReduce extends Base {
  readonly kind: "argReduce";
  readonly op: "argmax" | "argmin";
  readonly dim: number;
  readonly keepDims: boolean;
}
export interface Softmax extends Base {
  readonly kind: "softmax";
  readonly dim: number;
  readonly log: boolean;
}
/** Same entries in row-major order under another shape. */
export interface Reshape extends Base {
  readonly kind: "reshape";
}
/** Position d of the result is position perm[d] of the argument. */
export interface Transpose extends Base {
  readonly kind: "transpose";
  readonly perm: readonly number[];
}
/** Broadcast to `shape` (NumPy alignment). */
export interface Expand extends Base {
  readonly kind: "expand";
}
/** One entry along `dim`, which disappears. */
export interface Index extends Base {
  readonly kind: "index";
  readonly dim: number;
  readonly at: number;
}
/** Entries start, start+step, … along `dim`; the result's axis says how many. */
export interface Slice extends Base {
  readonly kind: "slice";
  readonly dim: number;
  readonly start: number;
  readonly step: number;
}
/** Adjoint of `index`: the argument stands at `at` of a new axis `dim`, zero elsewhere. */
export interface Place extends Base {
  readonly kind: "place";
  readonly dim: number;
  readonly at: number;
}
/** Adjoint of `slice`: entries go to start, start+step, …, zero elsewhere. */
export interface Spread extends Base {
  readonly kind: "spread";
  readonly dim: number;
  readonly start: number;
  readonly step: number;
}
/**
 * Entries that slide along `dim` with the position along `by`: the one at i, k is the argument's at
 * i + factor·k + start, k, or zero where there is none. Its adjoint is of the same kind.
 */
export interface Slide extends Base {
  readonly kind: "slide";
  readonly dim: number;
  readonly by: number;
  readonly factor: number;
  readonly start: number;
}
export interface Stack extends Base {
  readonly kind: "stack";
  readonly dim: number;
}
export interface Concat extends Base {
  readonly kind: "concat";
  readonly dim: number;
}
/** 1 where the (integer) argument equals the position along the new axis `dim`, else 0. */
export interface OneHot extends Base {
  readonly kind: "oneHot";
  readonly dim: number;
}

export type Expr =
  | Const
  | Parameter
  | Input
  | Size
  | Unary
  | Binary
  | Where
  | Clamp
  | Cast
  | StopGradient
  | Reduce
  | ArgReduce
  | Softmax
  | Reshape
  | Transpose
  | Expand
  | Index
  | Slice
  | Place
  | Spread
  | Slide
  | Stack
  | Concat
  | OneHot;

export type ExprKind = Expr["kind"];

/** A place in somebody's source. Lines and columns start at 1, columns count UTF-16 units. */
export interface SourceSpan {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** What is known of a node besides its mathematics. Not part of its identity. */
export interface Annotation {
  /** Every place that wrote it; the first is the one reported. */
  readonly spans: SourceSpan[];
  /** The variable it was assigned to first, e.g. `intersection`. */
  label?: string;
}

let annotations = new WeakMap<Expr, Annotation>();

export function annotate(e: Expr, span?: SourceSpan, label?: string): Expr {
  let a = annotations.get(e);
  if (a === undefined) annotations.set(e, (a = { spans: [] }));
  if (
    span !== undefined &&
    !a.spans.some((s) => s.file === span.file && s.line === span.line && s.column === span.column)
  ) {
    a.spans.push(span);
  }
  if (label !== undefined) a.label ??= label;
  return e;
}

/**
 * Runs `body` with only these annotations. Nodes are shared by everything that was ever written
 * alike, so without this a derivation would name the lines and variables of another function.
 */
export function withAnnotations<T>(
  spans: ReadonlyMap<Expr, SourceSpan>,
  labels: ReadonlyMap<Expr, string>,
  body: () => T,
): T {
  const saved = annotations;
  annotations = new WeakMap();
  try {
    for (const [e, span] of spans) annotate(e, span);
    for (const [e, label] of labels) annotate(e, undefined, label);
    return body();
  } finally {
    annotations = saved;
  }
}

export function annotationOf(e: Expr): Annotation | undefined {
  return annotations.get(e);
}

// Interning. Weak references let a long session drop what nobody holds any more.
const interned = new Map<string, WeakRef<Expr>>();
const registry = new FinalizationRegistry<string>((key) => {
  if (interned.get(key)?.deref() === undefined) interned.delete(key);
});
let nextId = 1;

type Fields<T> = T extends Expr ? Omit<T, "id"> : never;

/** Whether the entries are the positions along an axis, which need no array and have no name. */
export function isPositions(e: Expr): e is Input & { readonly positions: true } {
  return e.kind === "input" && e.positions === true;
}

/** The node with these fields, new or already known. Only `build.ts` calls this. */
export function intern(fields: Fields<Expr>): Expr {
  spend(1);
  const key = keyOf(fields);
  const known = interned.get(key)?.deref();
  if (known !== undefined) return known;
  const node = Object.freeze({ id: nextId++, ...fields });
  interned.set(key, new WeakRef(node));
  registry.register(node, key);
  return node;
}

/** The same kind of node with the same payload, another shape and other arguments. */
export function internLike(e: Expr, shape: Shape, args: readonly Expr[]): Expr {
  const { id: _id, ...rest } = e;
  return intern({ ...rest, shape, args });
}

function keyOf(f: Fields<Expr>): string {
  let own: string;
  switch (f.kind) {
    case "const":
      own = Object.is(f.value, -0) ? "-0" : String(f.value);
      break;
    case "parameter":
      own = `${f.name}=${f.value}`;
      break;
    case "input":
      own = f.positions === true ? `${f.name}#` : f.name;
      break;
    case "size":
      own = f.axes.map(axisKey).join();
      break;
    case "unary":
    case "binary":
      own = f.op;
      break;
    case "cast":
      own = f.to;
      break;
    case "reduce":
      own = `${f.op}[${f.dims.join()}]${f.keepDims}`;
      break;
    case "argReduce":
      own = `${f.op}${f.dim}${f.keepDims}`;
      break;
    case "softmax":
      own = `${f.dim}${f.log}`;
      break;
    case "transpose":
      own = f.perm.join();
      break;
    case "index":
    case "place":
      own = `${f.dim}@${f.at}`;
      break;
    case "slice":
    case "spread":
      own = `${f.dim}@${f.start}:${f.step}`;
      break;
    case "slide":
      own = `${f.dim}/${f.by}@${f.start}:${f.factor}`;
      break;
    case "stack":
    case "concat":
    case "oneHot":
      own = String(f.dim);
      break;
    default:
      own = "";
  }
  return `${f.kind}|${own}|${f.args.map((a) => a.id).join()}|${f.shape.map(axisKey).join(";")}|${f.type}`;
}

const axisKeys = new WeakMap<Axis, string>();

function axisKey(a: Axis): string {
  let key = axisKeys.get(a);
  if (key === undefined) {
    key = `${a.name}:${a.size}:${a.parts.map(axisKey).join("*")}`;
    axisKeys.set(a, key);
  }
  return key;
}
