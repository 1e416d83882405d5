/**
 * What autograd computes for one operation from the gradient of its result: PyTorch's own formulas
 * (derivatives.yaml and FunctionsManual.cpp, measured on 2.13), each of their operations rounded.
 */
import type { Expr } from "../../expression/node.ts";
import { nameOf } from "./autocast.ts";
import { selected } from "./binary.ts";
import {
  arithmeticRounder,
  combined,
  converted,
  countOf,
  isFloat,
  mapped,
  number,
} from "./held.ts";
import { type Held, broadcastTo, valuesOf } from "./held.ts";
import { apply, applyUnary } from "./kernels.ts";
import { sigmoidSlope } from "./loops.ts";
import { computedIn, groupOf, reduceHeld } from "./reductions.ts";
import { dense, moved, reshaped, slid } from "./views.ts";

/** One operation: its part of an expression, what came in, what came out, and whose it is. */
export interface Operation {
  readonly e: Expr;
  readonly args: readonly Held[];
  readonly result: Held;
  readonly call: string | null;
}

const whole = (n: number): Held => number(n, "int64");

/**
 * The gradients of an operation's arguments, by position; `null`: none flows there. They still have
 * the shape that the result has, where an argument was broadcast.
 * @param wanted whether an argument's gradient is needed
 */
export function pull(
  op: Operation,
  g: Held,
  wanted: (k: number) => boolean,
): readonly (Held | null)[] {
  const { e, args, result, call } = op;
  const x = args[0]!;
  const only = (make: () => Held): (Held | null)[] => [wanted(0) ? make() : null];
  switch (e.kind) {
    case "unary":
      return only(() => unaryGradient(e.op, x, result, g)!);
    case "binary":
      return binaryGradient(op, g, wanted);
    case "where": {
      const zero = mapped(g, g.dtype, () => 0);
      return [
        null,
        wanted(1) ? selected(x, g, zero) : null,
        wanted(2) ? selected(x, zero, g) : null,
      ];
    }
    case "clamp": {
      const [, low, high] = args as [Held, Held, Held];
      const inside = apply("and", apply("ge", x, low), apply("le", x, high));
      return only(() =>
        selected(
          inside,
          g,
          mapped(g, g.dtype, () => 0),
        ),
      );
    }
    case "cast":
      return only(() => converted(g, x.dtype));
    case "reduce":
      return only(() => reduceGradient(e, x, result, g, call));
    case "softmax":
      return only(() => softmaxGradient(e.dim, e.log, result, g));
    case "reshape":
      return only(() => reshaped(g, x.shape));
    case "expand":
      return only(() => g);
    case "transpose":
      return only(() => {
        const back = e.perm.map((_, d) => e.perm.indexOf(d));
        return {
          ...g,
          shape: back.map((d) => g.shape[d]!),
          strides: back.map((d) => g.strides[d]!),
        };
      });
    case "index":
    case "slice":
      return only(() => inPlace(e, x, g));
    case "place":
      return only(() => taken(g, e.dim, e.at, 1, 1, true));
    case "spread":
      return only(() => taken(g, e.dim, e.start, e.step, x.shape[e.dim]!, false));
    case "slide":
      return only(() => {
        const back = { dim: e.dim, by: e.by, factor: -e.factor, start: -e.start };
        return slid(g, back, x.shape[e.dim]!);
      });
    case "stack":
      return args.map((_, k) => (wanted(k) ? taken(g, e.dim, k, 1, 1, true) : null));
    case "concat": {
      let from = 0;
      return args.map((a, k) => {
        const n = a.shape[e.dim]!;
        const part = wanted(k) ? taken(g, e.dim, from, 1, n, false) : null;
        from += n;
        return part;
      });
    }
    default:
      return [];
  }
}

function unaryGradient(
  op: Extract<Expr, { kind: "unary" }>["op"],
  x: Held,
  y: Held,
  g: Held,
): Held | null {
  switch (op) {
    case "neg":
      return applyUnary("neg", g);
    case "exp":
      return apply("mul", g, y);
    case "log":
      return apply("div", g, x);
    case "log1p":
      return apply("div", g, apply("add", x, whole(1)));
    case "expm1":
      return apply("mul", g, apply("add", y, whole(1)));
    case "sqrt":
      return apply("div", g, apply("mul", y, whole(2)));
    case "abs":
      return apply("mul", g, applyUnary("sign", x));
    case "sigmoid":
      return sigmoidGradient(y, g);
    case "tanh":
      return inOneGo(g, y, (d, v, single) => single(d * single(1 - single(v * v))));
    case "logsigmoid":
      return logsigmoidGradient(x, g);
    case "softplus":
      return inOneGo(g, x, (d, v, single) => {
        const z = single(Math.exp(v));
        return v > 20 ? d : single(single(d * z) / single(z + 1));
      });
    case "relu":
      return combined(g, x, g.dtype, (d, v) => (v <= 0 ? 0 : d));
    case "cosh":
      return apply("mul", g, applyUnary("sinh", x));
    case "sinh":
      return apply("mul", g, applyUnary("cosh", x));
    case "sin":
      return apply("mul", g, applyUnary("cos", x));
    case "cos":
      return apply("mul", g, applyUnary("neg", applyUnary("sin", x)));
    default:
      return mapped(g, g.dtype, () => 0);
  }
}

/** A kernel that computes in float32 throughout and rounds once. */
function inOneGo(
  g: Held,
  x: Held,
  f: (d: number, v: number, single: (x: number) => number) => number,
): Held {
  const single = arithmeticRounder(computedIn(x.dtype));
  const round = arithmeticRounder(g.dtype);
  return combined(g, x, g.dtype, (d, v) => round(f(d, v, single)));
}

/** g · (1 - y) · y: float16 rounds every step, bfloat16 only the last. */
function sigmoidGradient(y: Held, g: Held): Held {
  const step = arithmeticRounder(y.dtype === "float16" ? "float16" : computedIn(y.dtype));
  const round = arithmeticRounder(g.dtype);
  return combined(g, y, g.dtype, sigmoidSlope(step, round));
}

/** The kernel keeps e^-|x| of the forward pass, in the array's own type. */
function logsigmoidGradient(x: Held, g: Held): Held {
  const single = arithmeticRounder(computedIn(x.dtype));
  const round = arithmeticRounder(x.dtype);
  return combined(g, x, g.dtype, (d, v) => {
    const z = round(Math.exp(-Math.abs(v)));
    const share = single(z / single(1 + z));
    return round(single((v < 0 ? single(1 - share) : share) * d));
  });
}

function binaryGradient(
  { e, args, result }: Operation,
  g: Held,
  wanted: (k: number) => boolean,
): (Held | null)[] {
  const [a, b] = args as [Held, Held];
  const when = (k: number, make: () => Held): Held | null => (wanted(k) ? make() : null);
  switch ((e as Extract<Expr, { kind: "binary" }>).op) {
    case "add":
      return [when(0, () => g), when(1, () => g)];
    case "sub":
      return [when(0, () => g), when(1, () => applyUnary("neg", g))];
    case "mul":
      return [when(0, () => apply("mul", g, b)), when(1, () => apply("mul", g, a))];
    case "div":
      if (a.weak === true) {
        // reciprocal, then times the number
        const inverse = apply("div", whole(1), b);
        const inner = apply("mul", g, a);
        const square = apply("mul", inverse, inverse);
        return [null, when(1, () => apply("mul", applyUnary("neg", inner), square))];
      }
      return [
        when(0, () => apply("div", g, b)),
        when(1, () => apply("mul", applyUnary("neg", g), apply("div", apply("div", a, b), b))),
      ];
    case "pow":
      return powerGradient(a, b, result, g, when);
    case "max":
    case "min": {
      const op = (e as Extract<Expr, { kind: "binary" }>).op;
      const half = apply("div", g, whole(2));
      const zero = mapped(g, g.dtype, () => 0);
      const shared = selected(apply("eq", a, b), half, g);
      const loses = (p: Held, q: Held): Held => apply(op === "max" ? "lt" : "gt", p, q);
      return [
        when(0, () => selected(loses(a, b), zero, shared)),
        when(1, () => selected(loses(b, a), zero, shared)),
      ];
    }
    case "mod":
      return [when(0, () => g), null];
    default:
      return [null, null];
  }
}

function powerGradient(
  a: Held,
  b: Held,
  result: Held,
  g: Held,
  when: (k: number, make: () => Held) => Held | null,
): (Held | null)[] {
  if (b.weak === true) {
    const p = b.data[0]!;
    if (p === 0) return [when(0, () => mapped(g, g.dtype, () => 0)), null];
    return [when(0, () => apply("mul", g, apply("mul", apply("pow", a, number(p - 1)), b))), null];
  }
  return [
    when(0, () => apply("mul", g, apply("mul", b, apply("pow", a, apply("sub", b, whole(1)))))),
    when(1, () => {
      const base = a.weak === true ? number(Math.log(a.data[0]!)) : applyUnary("log", a);
      return apply("mul", g, apply("mul", result, base));
    }),
  ];
}

function reduceGradient(
  e: Extract<Expr, { kind: "reduce" }>,
  x: Held,
  result: Held,
  g: Held,
  call: string | null,
): Held {
  const kept = x.shape.map((n, d) => (e.dims.includes(d) ? 1 : n));
  const along = broadcastTo(reshaped(g, kept), x.shape);
  const wide = (y: Held): Held => broadcastTo(reshaped(y, kept), x.shape);
  switch (e.op) {
    case "sum":
      return along;
    case "mean":
      return apply("div", along, whole(countOf(x.shape) / countOf(kept)));
    case "prod":
      return apply("mul", along, apply("div", wide(result), x));
    case "max":
    case "min": {
      const hits = apply("eq", x, wide(result));
      const zero = mapped(along, along.dtype, () => 0);
      const name = nameOf(call);
      if (name.startsWith("a") || e.dims.length === x.shape.length) {
        const count = wide(reduceHeld("sum", hits, e.dims, true));
        return selected(hits, apply("div", along, count), zero);
      }
      return selected(firstOf(hits, e.dims), along, zero);
    }
    default:
      return mapped(along, along.dtype, () => 0);
  }
}

/** Of the entries that hold, the first along the axes. */
function firstOf(hits: Held, dims: readonly number[]): Held {
  const seen = new Set<number>();
  const to = groupOf(hits.shape, dims);
  const data = Float64Array.from(valuesOf(hits), (hit, k) => {
    if (hit === 0 || seen.has(to[k]!)) return 0;
    seen.add(to[k]!);
    return 1;
  });
  return dense(hits, hits.shape, data);
}

/** y (g - Σ g y), or g - e^y Σ g for logarithms: in float32, rounded once. */
function softmaxGradient(dim: number, log: boolean, y: Held, g: Held): Held {
  const type = computedIn(y.dtype);
  const single = arithmeticRounder(type);
  const round = arithmeticRounder(y.dtype);
  const [ys, gs] = [valuesOf(y), valuesOf(g)];
  const out = new Float64Array(ys.length);
  const inner = countOf(y.shape.slice(dim + 1));
  const n = y.shape[dim]!;
  for (let k = 0; k < ys.length / n; k++) {
    const from = Math.floor(k / inner) * n * inner + (k % inner);
    let total = 0;
    for (let i = 0; i < n; i++) {
      const at = from + i * inner;
      total = single(total + (log ? gs[at]! : single(gs[at]! * ys[at]!)));
    }
    for (let i = 0; i < n; i++) {
      const at = from + i * inner;
      out[at] = log
        ? round(single(gs[at]! - single(single(Math.exp(ys[at]!)) * total)))
        : round(single(ys[at]! * single(gs[at]! - total)));
    }
  }
  return dense(y, y.shape, out);
}

/** The gradient of what was taken out of an array, zero elsewhere. */
function inPlace(e: Extract<Expr, { kind: "index" | "slice" }>, x: Held, g: Held): Held {
  const out = dense(g, x.shape, new Float64Array(countOf(x.shape)));
  const view = moved(e, [out]);
  const at = view.shape.length === 0 ? [view.offset] : positionsOf(view);
  valuesOf(g).forEach((v, k) => (out.data[at[k]!] = v));
  return out;
}

function positionsOf(x: Held): ArrayLike<number> {
  const index = { ...x, data: Float64Array.from(x.data, (_, k) => k) };
  return valuesOf(index);
}

/** `n` entries along an axis, from `start` in steps; the axis goes where `drop` says so. */
function taken(g: Held, dim: number, start: number, step: number, n: number, drop: boolean): Held {
  const offset = g.offset + start * g.strides[dim]!;
  return drop
    ? { ...g, offset, shape: g.shape.toSpliced(dim, 1), strides: g.strides.toSpliced(dim, 1) }
    : {
        ...g,
        offset,
        shape: g.shape.with(dim, n),
        strides: g.strides.with(dim, g.strides[dim]! * step),
      };
}

/** A gradient summed over the axes along which its argument was broadcast, in the argument's type. */
export function summedTo(g: Held, x: Pick<Held, "shape" | "dtype">): Held {
  const lead = g.shape.length - x.shape.length;
  const dims = g.shape.flatMap((n, d) =>
    d < lead || (x.shape[d - lead] === 1 && n !== 1) ? [d] : [],
  );
  const sum = dims.length === 0 ? g : reshaped(reduceHeld("sum", g, dims, true), x.shape);
  return isFloat(x.dtype) ? converted(sum, x.dtype) : sum;
}
