/** Nodes that move entries: views merge and cancel, picking one entry goes inwards to the inputs. */
import { type Shape, UNIT, isUnit } from "./axis.ts";
import * as b from "./build.ts";
import type {
  Concat,
  Expand,
  Expr,
  Index,
  Place,
  Reshape,
  Slice,
  Slide,
  Spread,
  Stack,
  Transpose,
} from "./node.ts";
import type { Context } from "./simplifyContext.ts";
import { isElementwise, rolled } from "./simplifyLoops.ts";
import { numbersApart } from "./simplifyTerms.ts";
import { fit, isZero, reshapeBlocks, sameSizes, unstretched } from "./simplifyShape.ts";

export function reshapeStep(e: Reshape): Expr | null {
  const x = e.args[0]!;
  if (sameSizes(x.shape, e.shape)) return x;
  if (x.kind === "reshape") return b.reshape(x.args[0]!, e.shape);
  if (unstretched(e) === x) return b.expand(x, e.shape);
  // Axes of size 1 in front are a matter of broadcasting.
  const lead = e.shape.findIndex((a) => !isUnit(a));
  if (lead !== 0 && e.shape.length > 0) {
    return b.expand(b.reshape(x, lead < 0 ? [] : e.shape.slice(lead)), e.shape);
  }
  if (x.kind === "expand") return reshapedStretch(x, e.shape);
  if (x.kind === "transpose" && onlyMovesUnits(x)) return b.reshape(x.args[0]!, e.shape);
  return null;
}

/** A stretched array under another shape, where the stretch is along whole blocks. */
function reshapedStretch(x: Expand, shape: Shape): Expr | null {
  const y = x.args[0]!;
  if (y.shape.every(isUnit)) {
    return b.expand(y.shape.length === 0 ? y : b.reshape(y, []), shape);
  }
  const blocks = reshapeBlocks(x.shape, shape);
  if (blocks === null) return null;
  const lead = x.shape.length - y.shape.length;
  const target: Shape[number][] = shape.map((a) => a);
  for (const { from, to } of blocks) {
    const stretched = from.filter(
      (d) => !isUnit(x.shape[d]!) && (d < lead || isUnit(y.shape[d - lead]!)),
    );
    const varying = from.filter((d) => d >= lead && !isUnit(y.shape[d - lead]!));
    if (stretched.length > 0 && varying.length > 0) return null;
    if (varying.length === 0) for (const d of to) target[d] = UNIT;
  }
  return b.expand(b.reshape(y, target), shape);
}

function onlyMovesUnits(x: Transpose): boolean {
  const order = x.perm.filter((p) => !isUnit(x.args[0]!.shape[p]!));
  return order.every((p, k) => k === 0 || order[k - 1]! < p);
}

export function transposeStep(e: Transpose): Expr | null {
  const x = e.args[0]!;
  if (e.perm.every((p, d) => p === d)) return x;
  if (x.kind === "transpose")
    return b.transpose(
      x.args[0]!,
      e.perm.map((p) => x.perm[p]!),
    );
  if (onlyMovesUnits(e)) return b.reshape(x, e.shape);
  if (x.kind === "concat") {
    return b.concat(
      x.args.map((part) => b.transpose(part, e.perm)),
      e.perm.indexOf(x.dim),
    );
  }
  if (x.kind === "expand") {
    const y = x.args[0]!;
    if (y.shape.every(isUnit))
      return b.expand(y.shape.length === 0 ? y : b.reshape(y, []), e.shape);
    const lead = e.shape.length - y.shape.length;
    const own = e.perm.filter((p) => p >= lead).map((p) => p - lead);
    const target = e.perm.map((p) => (p < lead ? UNIT : y.shape[p - lead]!));
    return b.expand(b.reshape(b.transpose(y, own), target), e.shape);
  }
  return null;
}

export function expandStep(e: Expand): Expr | null {
  const x = e.args[0]!;
  const y = unstretched(x);
  return sameSizes(y.shape, e.shape) ? y : y === x ? null : b.expand(y, e.shape);
}

export function indexStep(e: Index): Expr | null {
  const x = e.args[0]!;
  const { dim, at } = e;
  const below = (d: number): number => (d > dim ? d - 1 : d);
  if (isElementwise(x)) return throughOperands(x, (arg) => pickedAt(arg, dim, at, x.shape.length));
  switch (x.kind) {
    case "expand":
      return fit(pickedAt(x.args[0]!, dim, at, x.shape.length), e.shape);
    case "stack":
      return x.dim === dim
        ? x.args[at]!
        : b.stack(
            x.args.map((a) => b.index(a, dim > x.dim ? dim - 1 : dim, at)),
            below(x.dim),
            x.shape[x.dim],
          );
    case "place":
      if (x.dim === dim) return x.at === at ? x.args[0]! : fit(b.ZERO, e.shape);
      return b.place(
        b.index(x.args[0]!, dim > x.dim ? dim - 1 : dim, at),
        below(x.dim),
        x.at,
        x.shape[x.dim]!,
      );
    case "slice":
      return x.dim === dim ? b.index(x.args[0]!, dim, x.start + at * x.step) : null;
    case "spread": {
      if (x.dim !== dim) return null;
      const k = (at - x.start) / x.step;
      const inside = Number.isInteger(k) && k >= 0 && k < (x.args[0]!.shape[dim]!.size ?? 0);
      return inside ? b.index(x.args[0]!, dim, k) : fit(b.ZERO, e.shape);
    }
    case "concat": {
      if (x.dim !== dim) return null;
      let rest = at;
      for (const part of x.args) {
        const n = part.shape[dim]!.size;
        if (n === null) return null;
        if (rest < n) return b.index(part, dim, rest);
        rest -= n;
      }
      return null;
    }
    case "transpose": {
      const from = x.perm[dim]!;
      const rest = x.perm.filter((_, d) => d !== dim).map((p) => (p > from ? p - 1 : p));
      return b.transpose(b.index(x.args[0]!, from, at), rest);
    }
    case "reshape": {
      const d = axisBelow(x, dim);
      return d === null ? null : b.reshape(b.index(x.args[0]!, d, at), e.shape);
    }
    case "reduce": {
      const kept = x.args[0]!.shape.flatMap((_, d) => (x.dims.includes(d) ? [] : [d]));
      if (x.keepDims) return null;
      const from = kept[dim]!;
      return b.reduce(
        x.op,
        b.index(x.args[0]!, from, at),
        x.dims.map((d) => (d > from ? d - 1 : d)),
      );
    }
    case "softmax":
      return x.dim === dim ? null : b.softmax(b.index(x.args[0]!, dim, at), below(x.dim), x.log);
    default:
      return null;
  }
}

/** What a position of a view is in what is viewed, where it is one axis there. */
function axisBelow(x: Reshape, dim: number): number | null {
  const y = x.args[0]!;
  const block = reshapeBlocks(y.shape, x.shape)?.find((k) => k.to.includes(dim));
  if (block === undefined || isUnit(x.shape[dim]!)) return null;
  const from = block.from.filter((d) => !isUnit(y.shape[d]!));
  const to = block.to.filter((d) => !isUnit(x.shape[d]!));
  return from.length === 1 && to.length === 1 ? from[0]! : null;
}

/** An elementwise operation on what `pick` takes of each operand. */
function throughOperands(x: Expr, pick: (arg: Expr) => Expr): Expr {
  return b.withArgs(x, x.args.map(pick));
}

/** Entry `at` along position `dim` (of a shape of `rank` axes) of an operand broadcast to it. */
function pickedAt(x: Expr, dim: number, at: number, rank: number): Expr {
  const d = dim - (rank - x.shape.length);
  if (d < 0) return x;
  return b.index(x, d, isUnit(x.shape[d]!) ? 0 : at);
}

export function sliceStep(e: Slice): Expr | null {
  const x = e.args[0]!;
  const { dim } = e;
  if (isElementwise(x)) return throughOperands(x, (arg) => slicedAt(arg, e, x.shape.length));
  if (x.kind === "expand") return fit(slicedAt(x.args[0]!, e, x.shape.length), e.shape);
  if (x.kind === "reshape") {
    const d = axisBelow(x, dim);
    return d === null ? null : b.reshape(sliced(x.args[0]!, d, e), e.shape);
  }
  if (x.kind === "spread" && x.dim === dim && x.start === e.start && x.step === e.step) {
    return x.args[0]!.shape[dim]!.size === e.shape[dim]!.size ? x.args[0]! : null;
  }
  if (x.kind === "stack" && x.dim === dim) {
    const taken = x.args.filter((_, k) => {
      const n = (k - e.start) / e.step;
      return Number.isInteger(n) && n >= 0 && n < e.shape[dim]!.size!;
    });
    return b.stack(taken, dim, e.shape[dim]);
  }
  if (x.kind === "concat" && x.dim === dim && e.step === 1) {
    let offset = 0;
    for (const part of x.args) {
      const n = part.shape[dim]!.size;
      if (n === null) return null;
      if (offset === e.start && n === e.shape[dim]!.size) return part;
      offset += n;
    }
  }
  return null;
}

function slicedAt(x: Expr, e: Slice, rank: number): Expr {
  const d = e.dim - (rank - x.shape.length);
  return d < 0 || isUnit(x.shape[d]!) ? x : sliced(x, d, e);
}

/** What `e` takes, of another array along position `d`. */
function sliced(x: Expr, d: number, e: Slice): Expr {
  const count = e.shape[e.dim]!.size!;
  return b.slice(x, d, e.start, e.start + Math.max(0, count - 1) * e.step + 1, e.step);
}

/** Numbers stand before what is put in place. */
export function placeStep(e: Place | Spread | Slide, ctx: Context): Expr | null {
  const x = e.args[0]!;
  if (isZero(x)) return fit(b.ZERO, e.shape);
  const split = numbersApart(x, ctx);
  return split === null ? null : b.mul(split.front, b.withArgs(e, [split.rest]));
}

export function stackStep(e: Stack): Expr | null {
  const first = e.args[0]!;
  if (e.args.every((a) => a === first)) return b.expand(b.unsqueeze(first, e.dim), e.shape);
  const whole = rolled(e.args);
  if (whole === null) return null;
  // The rolled axis goes where the stack had it.
  const order = e.shape.map((_, d) => (d < e.dim ? d + 1 : d === e.dim ? 0 : d));
  return b.transpose(whole, order);
}

export function concatStep(e: Concat): Expr | null {
  return e.args.length === 1 ? e.args[0]! : null;
}
