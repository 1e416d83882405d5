/** Operations that only move entries, or only say where they are. */
import { sizesOf } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import { type Arithmetic, TORCH } from "./arithmetic.ts";
import { type Held, broadcastTo, contiguousStrides, countOf, positions, valuesOf } from "./held.ts";

export type Moving = Extract<
  Expr,
  {
    kind:
      | "reshape"
      | "transpose"
      | "expand"
      | "index"
      | "slice"
      | "place"
      | "spread"
      | "slide"
      | "stack"
      | "concat"
      | "oneHot";
  }
>;

/** Row-major values in an array of its own. */
export function dense(x: Pick<Held, "dtype">, shape: readonly number[], data: Float64Array): Held {
  return { dtype: x.dtype, shape, strides: contiguousStrides(shape), offset: 0, data };
}

/** The result of a node that moves entries; a view wherever PyTorch makes one. */
export function moved(e: Moving, args: readonly Held[], arithmetic: Arithmetic = TORCH): Held {
  const x = args[0]!;
  switch (e.kind) {
    case "reshape":
      return reshaped(x, sizesOf(e.shape));
    case "transpose":
      return {
        ...x,
        shape: e.perm.map((d) => x.shape[d]!),
        strides: e.perm.map((d) => x.strides[d]!),
      };
    case "expand":
      return broadcastTo(x, sizesOf(e.shape));
    case "index":
      return {
        ...x,
        shape: x.shape.toSpliced(e.dim, 1),
        strides: x.strides.toSpliced(e.dim, 1),
        offset: x.offset + e.at * x.strides[e.dim]!,
      };
    case "slice":
      return {
        ...x,
        shape: sizesOf(e.shape),
        strides: x.strides.with(e.dim, x.strides[e.dim]! * e.step),
        offset: x.offset + e.start * x.strides[e.dim]!,
      };
    case "place":
    case "spread":
      return scattered(e, x);
    case "slide":
      return slid(x, e, sizesOf(e.shape)[e.dim]!);
    case "stack":
      return joined(
        args.map((a) => reshaped(a, a.shape.toSpliced(e.dim, 0, 1))),
        e.dim,
        arithmetic,
      );
    case "concat":
      return joined(args, e.dim, arithmetic);
    case "oneHot": {
      const shape = sizesOf(e.shape);
      const out = new Float64Array(countOf(shape));
      const step = countOf(shape.slice(e.dim + 1));
      const n = shape[e.dim]!;
      valuesOf(x).forEach((k, at) => {
        if (k >= 0 && k < n) out[Math.floor(at / step) * n * step + k * step + (at % step)] = 1;
      });
      return dense({ dtype: "int64" }, shape, out);
    }
  }
}

function scattered(e: Extract<Moving, { kind: "place" | "spread" }>, x: Held): Held {
  const out = dense(x, sizesOf(e.shape), new Float64Array(countOf(sizesOf(e.shape))));
  const { strides, shape } = out;
  const into =
    e.kind === "place"
      ? { shape: shape.toSpliced(e.dim, 1), strides: strides.toSpliced(e.dim, 1) }
      : { shape: x.shape, strides: strides.with(e.dim, strides[e.dim]! * e.step) };
  const start = e.kind === "place" ? e.at : e.start;
  const at = positions({ ...into, offset: start * strides[e.dim]! });
  valuesOf(x).forEach((v, k) => (out.data[at[k]!] = v));
  return out;
}

/**
 * A view of the array with zeros around it, in which a step along `by` moves along `dim` as well.
 * @param count entries of the result along `dim`
 */
export function slid(
  x: Held,
  e: { readonly dim: number; readonly by: number; readonly factor: number; readonly start: number },
  count: number,
): Held {
  const reach = e.factor * (x.shape[e.by]! - 1);
  const before = Math.max(0, -(e.start + Math.min(0, reach)));
  const after = Math.max(0, e.start + Math.max(0, reach) + count - x.shape[e.dim]!);
  // Where all along `by` is the same, one of it is enough.
  const isAlike = x.strides[e.by] === 0;
  const own = isAlike ? { ...x, shape: x.shape.with(e.by, 1) } : x;
  const wide = own.shape.with(e.dim, before + x.shape[e.dim]! + after);
  const out = dense(x, wide, new Float64Array(countOf(wide)));
  const step = out.strides[e.dim]!;
  const at = positions({ shape: own.shape, strides: out.strides, offset: before * step });
  valuesOf(own).forEach((v, k) => (out.data[at[k]!] = v));
  return {
    ...out,
    shape: x.shape.with(e.dim, count),
    strides: out.strides.with(e.by, (isAlike ? 0 : out.strides[e.by]!) + e.factor * step),
    offset: (before + e.start) * step,
  };
}

function joined(parts: readonly Held[], dim: number, arithmetic: Arithmetic): Held {
  const dtype = arithmetic.commonType(parts);
  const first = parts[0]!;
  const shape = first.shape.with(
    dim,
    parts.reduce((n, p) => n + p.shape[dim]!, 0),
  );
  const out = dense({ dtype }, shape, new Float64Array(countOf(shape)));
  let from = 0;
  for (const p of parts) {
    const at = positions({
      shape: p.shape,
      strides: out.strides,
      offset: from * out.strides[dim]!,
    });
    valuesOf(arithmetic.convert(p, dtype)).forEach((v, k) => (out.data[at[k]!] = v));
    from += p.shape[dim]!;
  }
  return out;
}

/** Another shape: a view where the steps allow it, else a copy in row-major order. */
export function reshaped(x: Held, shape: readonly number[]): Held {
  const strides = viewStrides(x, shape);
  return strides === null ? dense(x, shape, valuesOf(x).slice()) : { ...x, shape, strides };
}

/** The steps of a view in another shape (PyTorch's computeStride); `null` if there is none. */
function viewStrides(x: Held, shape: readonly number[]): number[] | null {
  if (countOf(x.shape) === 0) return contiguousStrides(shape);
  const strides: number[] = [];
  let to = shape.length - 1;
  let base = x.strides.at(-1) ?? 1;
  let chunk = 1;
  let viewed = 1;
  for (let d = x.shape.length - 1; d >= 0; d--) {
    chunk *= x.shape[d]!;
    const ends = d === 0 || (x.shape[d - 1] !== 1 && x.strides[d - 1] !== chunk * base);
    if (!ends) continue;
    while (to >= 0 && (viewed < chunk || shape[to] === 1)) {
      strides[to] = viewed * base;
      viewed *= shape[to]!;
      to--;
    }
    if (viewed !== chunk) return null;
    if (d > 0) {
      base = x.strides[d - 1]!;
      chunk = 1;
      viewed = 1;
    }
  }
  for (; to >= 0; to--) strides[to] = base;
  return strides;
}
