/**
 * A tape performed as PyTorch or NumPy performs it on the CPU: each operation in the number types
 * that its operands have there, rounded where the library rounds.
 */
import { sizesOf } from "../../expression/axis.ts";
import type { Expr, Input } from "../../expression/node.ts";
import type { ElementType, Tape, TapeEntry, TapeKernel } from "../../expression/tape.ts";
import { topological } from "../../expression/walk.ts";
import { type Arithmetic, TORCH } from "./arithmetic.ts";
import { type Autocast, autocastType, isProduct, nameOf, refuseBelow } from "./autocast.ts";
import { performBinary, selected } from "./binary.ts";
import { unaryFunction } from "./functions.ts";
import { alongOf, performKernel } from "./kernels.ts";
import {
  type Held,
  combined,
  converted,
  countOf,
  isFloat,
  isHalf,
  mapped,
  number,
  positions,
} from "./held.ts";
import { reduceHeld, softmaxHeld } from "./reductions.ts";
import { dense, moved } from "./views.ts";

/** An operation that was performed, with all that its gradient needs. */
export interface Performed {
  readonly entry: TapeEntry;
  /** The parts of its expression, arguments first; the last is the whole. */
  readonly parts: readonly Expr[];
  readonly values: ReadonlyMap<Expr, Held>;
}

export interface Performance {
  readonly performed: readonly Performed[];
  readonly values: ReadonlyMap<Expr, Held>;
  readonly result: Held;
}

/** Functions whose parts PyTorch computes in float32 before it rounds once. */
const FUSED = new Set([
  ...["norm", "vector_norm"],
  ...["softplus", "mish", "hardswish", "selu", "celu", "entr", "logcumsumexp"],
  ...["gelu", "glu", "hardshrink", "softshrink", "prelu", "frac", "tan", "sinc"],
  ...["asinh", "acosh", "atanh", "arcsinh", "arccosh", "arctanh"],
  ...["layer_norm", "group_norm", "instance_norm"],
  ...["instance_norm1d", "instance_norm2d", "instance_norm3d"],
]);

/** And kernels: of one that is several results of a function, each is rounded. */
const FUSED_KERNELS = new Set<TapeKernel["name"] | undefined>(["variance", "standard deviation"]);

/** Functions of two arrays that compute in the wider one's type, where an operator's parts would not. */
const WIDENED = new Set(["xlogy", "xlog1py", "logaddexp", "hypot"]);

export interface PerformOptions {
  readonly autocast?: Autocast | null;
  readonly arithmetic?: Arithmetic;
  /** Only the result is wanted: what came before it is given back as soon as nothing needs it. */
  readonly resultOnly?: boolean;
  /** Called after each part of an operation with the share that is done; what it throws stops the rest. */
  readonly tick?: (done: number) => void;
}

/**
 * Performs a tape.
 * @param arrays its inputs, in the types that the program holds them in
 */
export function perform(
  tape: Tape,
  arrays: ReadonlyMap<Input, Held>,
  { autocast = null, arithmetic = TORCH, resultOnly = false, tick }: PerformOptions = {},
): Performance {
  const known = new Map<Expr, Held>(arrays);
  const performed: Performed[] = [];
  /** The half-precision type of what a fused function works on. */
  let fusedType: ElementType | null = null;
  const within = (k: number) => (share: number) => tick?.((k + share) / (tape.entries.length + 1));
  tape.entries.forEach((entry, k) => {
    const isWhole = FUSED_KERNELS.has(entry.kernel?.name);
    const hasParts = FUSED.has(nameOf(entry.call?.name ?? null));
    const isFused = arithmetic.library === "torch" && (isWhole || hasParts);
    const types = topological(entry.value).flatMap((e) => known.get(e)?.dtype ?? []);
    const isFirst = tape.entries[k - 1]?.call !== entry.call;
    fusedType = isFused ? (types.find(isHalf) ?? (isFirst ? null : fusedType)) : null;
    // A function's intermediate results have its own precision; the last is rounded.
    const isLast = (isWhole && !hasParts) || tape.entries[k + 1]?.call !== entry.call;
    const fused = isFused ? { to: isLast ? fusedType : null } : null;
    const one = performEntry(entry, known, { autocast, arithmetic, fused, tick: within(k) });
    known.set(entry.node, one.values.get(entry.value)!);
    performed.push(one);
  });
  const last: TapeEntry = {
    node: tape.result as Input,
    value: tape.result,
    dtype: null,
    span: { file: "", line: 0, column: 0 },
    call: null,
    kernel: null,
  };
  const { values, parts } = performEntry(last, known, {
    autocast: null,
    arithmetic,
    fused: null,
    resultOnly,
    tick: within(tape.entries.length),
  });
  const result = values.get(tape.result)!;
  if (parts.length > 1) performed.push({ entry: last, parts, values });
  return { performed, values: known, result };
}

interface EntryOptions {
  readonly autocast: Autocast | null;
  readonly arithmetic: Arithmetic;
  /** The half-precision type that a function with a precision of its own rounds to, if it does. */
  readonly fused: { readonly to: ElementType | null } | null;
  readonly resultOnly?: boolean;
  /** Called after each part. */
  readonly tick: (share: number) => void;
}

function performEntry(
  entry: TapeEntry,
  known: ReadonlyMap<Expr, Held>,
  { autocast, arithmetic, fused, resultOnly = false, tick }: EntryOptions,
): Performed {
  const call = entry.call?.name ?? null;
  const { kernel } = entry;
  if (autocast !== null) refuseBelow(call, autocast, entry.span);
  const operands = topological(...(kernel?.operands ?? []));
  const parts = topological(...operands, entry.value);
  const told = autocast === null ? null : autocastType(call, parts, autocast);
  const isWidened = WIDENED.has(nameOf(call)) && arithmetic.library === "torch";
  const isMixed = isWidened && parts.some((e) => known.get(e)?.dtype === "float32");
  const cast = told ?? (isMixed ? "float32" : null);
  const values = new Map<Expr, Held>();
  const lastUse = new Map(resultOnly ? parts.flatMap((e) => e.args.map((a) => [a, e])) : []);
  for (const [k, e] of parts.entries()) {
    if (kernel !== null && k === operands.length) {
      const given = kernel.operands.map((x) => values.get(x)!);
      const made = performKernel(kernel, given, alongOf(entry), arithmetic);
      if (made !== null) {
        values.set(entry.value, made);
        break;
      }
    }
    const own = known.get(e);
    if (own !== undefined) {
      const wide = fused !== null && isHalf(own.dtype) ? converted(own, "float32") : own;
      values.set(e, cast !== null && isFloat(own.dtype) ? converted(own, cast) : wide);
      continue;
    }
    const args = e.args.map((a) => values.get(a)!);
    // A function that autocast runs in float32 gives float32.
    const stays = e.kind === "cast" && cast === "float32" && isHalf(e.to as ElementType);
    values.set(e, stays ? args[0]! : performPart(e, args, call, e === entry.value, arithmetic));
    for (const a of e.args) if (lastUse.get(a) === e) values.delete(a);
    tick((k + 1) / parts.length);
  }
  const result = values.get(entry.value)!;
  const product = isProduct(call) && cast !== null && isHalf(cast) ? cast : null;
  const ordinary = product ?? wantedType(entry, result, autocast !== null, arithmetic);
  const wanted = fused === null ? ordinary : told === "float32" ? null : fused.to;
  if (wanted !== null) values.set(entry.value, arithmetic.convert(result, wanted));
  return { entry, parts, values };
}

/** The type that the program says a result has, where the operation does not decide it. */
function wantedType(
  entry: TapeEntry,
  result: Held,
  autocast: boolean,
  { defaultFloat }: Arithmetic,
): ElementType | null {
  if (entry.dtype === null && result.weak === true) return defaultFloat;
  if (entry.dtype === null || (entry.dtype === result.dtype && result.weak !== true)) return null;
  // What the program takes the operands' types for may be another under autocast.
  const { value } = entry;
  const says = value.args.length === 0 || !topological(value).some((e) => e.kind === "input");
  return autocast && !says && isFloat(result.dtype) ? null : entry.dtype;
}

function performPart(
  e: Expr,
  args: readonly Held[],
  call: string | null,
  isWhole: boolean,
  arithmetic: Arithmetic,
): Held {
  const x = args[0]!;
  const { commonType, convert } = arithmetic;
  switch (e.kind) {
    case "const":
      return number(e.value, weakType(e));
    case "parameter":
      return number(e.value ?? NaN);
    case "size":
      return number(
        sizesOf(e.axes).reduce((n, s) => n * s, 1),
        "int64",
      );
    case "input":
      throw new Error(`there is no array for ${e.name}`);
    case "unary":
      return performUnary(e, x, arithmetic);
    case "binary":
      return performBinary(e.op, args[0]!, args[1]!, call, arithmetic);
    case "where": {
      const dtype = commonType(args.slice(1));
      return selected(x, convert(args[1]!, dtype), convert(args[2]!, dtype));
    }
    case "clamp": {
      const bounds = args.slice(1).filter((b) => b.weak !== true || Number.isFinite(b.data[0]!));
      const dtype = commonType([x, ...bounds]);
      const upper = (a: number, b: number): number => (a !== a || a > b ? a : b);
      const lower = (a: number, b: number): number => (a !== a || a < b ? a : b);
      const raised = combined(convert(x, dtype), convert(args[1]!, dtype), dtype, upper);
      return combined(raised, convert(args[2]!, dtype), dtype, lower);
    }
    case "cast":
      return convert(x, e.to === "int" ? "int64" : e.to);
    case "stopGradient":
      // Inside an operation it is a Python number, as of x.item().
      return isWhole || x.shape.length > 0 ? x : number(x.data[x.offset]!, x.dtype);
    case "reduce":
      return reduceHeld(e.op, x, e.dims, e.keepDims, arithmetic);
    case "argReduce":
      return argReduced(e.op === "argmax", x, e.dim, sizesOf(e.shape));
    case "softmax":
      return softmaxHeld(
        isFloat(x.dtype) ? x : converted(x, "float32"),
        e.dim,
        e.log,
        arithmetic.vectorBytes,
      );
    default:
      return moved(e, args, arithmetic);
  }
}

function weakType(e: Expr): ElementType {
  return e.type === "float" ? "float64" : e.type === "int" ? "int64" : "bool";
}

function performUnary(e: Extract<Expr, { kind: "unary" }>, x: Held, arithmetic: Arithmetic): Held {
  if (e.op === "not" || e.op === "isnan" || e.op === "isfinite") {
    return mapped(x, "bool", unaryFunction(e.op, "bool"));
  }
  if (x.weak === true) return number(unaryFunction(e.op, "float64")(x.data[0]!));
  const keeps = e.type === "int";
  const dtype = isFloat(x.dtype) || keeps ? x.dtype : arithmetic.floatOf(x.dtype);
  return mapped(arithmetic.convert(x, dtype), dtype, unaryFunction(e.op, dtype));
}

function argReduced(largest: boolean, x: Held, dim: number, shape: readonly number[]): Held {
  const kept = x.shape.with(dim, 1);
  const best = new Float64Array(countOf(kept));
  const step = countOf(x.shape.slice(dim + 1));
  const n = x.shape[dim]!;
  const values = dense(
    x,
    x.shape,
    Float64Array.from(positions(x), (at) => x.data[at]!),
  ).data;
  for (let k = 0; k < best.length; k++) {
    const from = Math.floor(k / step) * n * step + (k % step);
    for (let i = 1; i < n; i++) {
      const [now, old] = [values[from + i * step]!, values[from + best[k]! * step]!];
      if (old === old && (now !== now || (largest ? now > old : now < old))) best[k] = i;
    }
  }
  return dense({ dtype: "int64" }, shape, best);
}
