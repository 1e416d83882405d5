/** Random expressions, small, with every node kind, and arrays to evaluate them on. */
import fc from "fast-check";
import { type Axis, UNIT, axis, elementCount, sizesOf } from "../../../src/expression/axis.ts";
import * as b from "../../../src/expression/build.ts";
import type { BinaryOp, Expr, ReduceOp, UnaryOp } from "../../../src/expression/node.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";

export interface RandomCase {
  readonly outputs: readonly Expr[];
  readonly arrays: ReadonlyMap<string, TypedArray>;
}

/** A source of choices, spread evenly whatever the numbers on its tape are. */
class Choices {
  private next = 0;
  private readonly tape: readonly number[];
  constructor(tape: readonly number[]) {
    this.tape = tape;
  }
  upTo(n: number): number {
    const at = this.next++;
    const mixed = Math.imul((this.tape[at % this.tape.length]! + at) ^ 0x2545f491, 0x9e3779b1);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % n;
  }
  of<T>(items: readonly T[]): T {
    return items[this.upTo(items.length)]!;
  }
}

/** `exact`: whole multiples of 1/64 of moderate size, so that comparisons cannot be close calls. */
interface Item {
  readonly e: Expr;
  readonly exact: boolean;
}

const SMOOTH: readonly UnaryOp[] = [
  "exp",
  "sigmoid",
  "tanh",
  "softplus",
  "logsigmoid",
  "sin",
  "cos",
];
const POSITIVE: readonly UnaryOp[] = ["log", "sqrt", "log1p"];
const EXACT: readonly UnaryOp[] = [
  "neg",
  "abs",
  "sign",
  "relu",
  "round",
  "floor",
  "ceil",
  "not",
  "isnan",
  "isfinite",
];
const COMPARISONS: readonly BinaryOp[] = ["eq", "ne", "lt", "le", "gt", "ge", "and", "or"];
const WHOLE: readonly BinaryOp[] = ["mod", "floordiv"];
const MOST_ENTRIES = 3000;

export const randomCase: fc.Arbitrary<RandomCase> = fc
  .array(fc.nat(1 << 20), { minLength: 40, maxLength: 160 })
  .map((tape) => build(new Choices(tape)));

function build(pick: Choices): RandomCase {
  const rank = pick.upTo(5);
  const sizes = Array.from({ length: rank }, () => pick.of([2, 3, 4, 1, 5, 2, 0, 7]));
  if (sizes.filter((n) => n === 0).length > 0 && pick.upTo(4) > 0) sizes.fill(3);
  const axes = sizes.map((n, d) => axis("abcdefg"[d]!, n));
  const arrays = new Map<string, TypedArray>();
  const items: Item[] = [];
  const addInput = (shape: readonly Axis[]): void => {
    const name = `x${arrays.size}`;
    const n = elementCount(shape)!;
    const values = Array.from({ length: n }, () => pick.upTo(33) / 8 - 2);
    const type = pick.upTo(6);
    const array =
      type === 0
        ? Uint8Array.from(values, (v) => Math.abs(Math.round(v)))
        : type === 1
          ? Float32Array.from(values)
          : type === 2
            ? Int16Array.from(values, Math.round)
            : type === 3
              ? Uint8ClampedArray.from(values, Math.abs)
              : Float64Array.from(values);
    arrays.set(name, array);
    items.push({ e: b.input(name, shape), exact: true });
  };
  addInput(axes);
  addInput(axes);
  addInput(axes.map((a) => (pick.upTo(2) === 0 ? UNIT : a)));
  addInput(axes.slice(pick.upTo(rank + 1)));
  items.push({ e: b.parameter("p", 0.375), exact: true });
  items.push({ e: b.constant(pick.upTo(9) / 4 - 1), exact: true });
  const steps = 4 + pick.upTo(14);
  for (let k = 0; k < steps; k++) {
    const item = step(pick, items);
    if (item !== null && (elementCount(item.e.shape) ?? 0) <= MOST_ENTRIES) items.push(item);
  }
  const made = items.slice(6);
  const last = made.at(-1)?.e ?? items[0]!.e;
  const outputs = [last, pick.of(items).e, pick.of(items).e, b.sum(last)];
  return { outputs, arrays };
}

function step(pick: Choices, items: readonly Item[]): Item | null {
  // Recent results more often than old ones, so that expressions grow deep.
  const any = (): Item => items[Math.max(pick.upTo(items.length), pick.upTo(items.length))]!;
  const exactOne = (): Item => {
    const x = any();
    return x.exact ? x : items[pick.upTo(6)]!;
  };
  const x = any();
  const shape = x.e.shape;
  const rank = shape.length;
  const dim = rank === 0 ? 0 : pick.upTo(rank);
  const bounded = (y: Item): Expr => b.unary("tanh", y.e);
  const isEmpty = elementCount(shape) === 0;
  switch (pick.upTo(26)) {
    case 0:
      return { e: b.unary(pick.of(SMOOTH), bounded(x)), exact: false };
    case 1:
      return { e: b.unary(pick.of(POSITIVE), b.add(b.abs(x.e), b.constant(0.5))), exact: false };
    case 2: {
      const y = exactOne();
      return { e: b.unary(pick.of(EXACT), y.e), exact: true };
    }
    case 3:
    case 4:
    case 5: {
      const y = any();
      const e = fitting(x.e, y.e, (p, q) => b.binary(pick.of(["add", "sub"]), p, q));
      return e === null ? null : { e, exact: x.exact && y.exact && depth(e) < 6 };
    }
    case 6:
    case 7: {
      const y = any();
      const e = fitting(bounded(x), y.e, b.mul);
      return e === null ? null : { e, exact: false };
    }
    case 8: {
      const y = any();
      const e = fitting(x.e, b.add(b.abs(y.e), b.constant(0.5)), b.div);
      return e === null ? null : { e, exact: false };
    }
    case 9: {
      const exponent = pick.of([0, 1, 2, 3, -1, -2, 0.5, 4, 2.5, 7]);
      const base = b.add(b.abs(bounded(x)), b.constant(0.5));
      return { e: b.pow(base, b.constant(exponent)), exact: false };
    }
    case 10: {
      const p = exactOne();
      const q = exactOne();
      const e = fitting(p.e, q.e, (u, v) => b.binary(pick.of(COMPARISONS), u, v));
      return e === null ? null : { e, exact: true };
    }
    case 11: {
      const p = exactOne();
      const q = exactOne();
      const e = fitting(p.e, q.e, (u, v) => b.binary(pick.of(WHOLE), u, v));
      return e === null || isEmpty
        ? null
        : { e: b.where(b.unary("isfinite", e), e, b.ZERO), exact: true };
    }
    case 12: {
      const p = exactOne();
      const q = exactOne();
      const e = fitting(p.e, q.e, (u, v) => b.binary(pick.of(["max", "min"]), u, v));
      return e === null ? null : { e, exact: true };
    }
    case 13: {
      const c = exactOne();
      const y = any();
      const e = fitting(c.e, x.e, (u, v) => fitting(u, y.e, (u2, w) => b.where(u2, v, w)) ?? v);
      return e === null ? null : { e, exact: x.exact && y.exact };
    }
    case 14:
      return {
        e: b.clamp(x.e, pick.of([null, b.constant(-0.5)]), pick.of([null, b.constant(1)])),
        exact: x.exact,
      };
    case 15: {
      const y = exactOne();
      return {
        e: b.cast(y.e, pick.of(["int", "bool", "float32", "float64", "bfloat16"])),
        exact: true,
      };
    }
    case 16:
    case 17: {
      if (isEmpty) return null;
      const dims = shape.flatMap((_, d) => (pick.upTo(2) === 0 ? [d] : []));
      const op: ReduceOp = pick.of(["sum", "mean", "max", "min", "sum", "any", "all", "prod"]);
      const y = op === "any" || op === "all" ? exactOne() : x;
      if (y !== x) return { e: b.reduce(op, y.e, null, pick.upTo(2) === 0), exact: true };
      const arg = op === "prod" ? b.add(bounded(x), b.constant(1.25)) : x.e;
      const exact = x.exact && op !== "prod" && op !== "mean" && op !== "sum";
      return { e: b.reduce(op, arg, dims, pick.upTo(2) === 0), exact };
    }
    case 18: {
      const y = exactOne();
      const r = y.e.shape.length;
      if (r === 0 || elementCount(y.e.shape) === 0) return null;
      return {
        e: b.argReduce(pick.of(["argmax", "argmin"]), y.e, pick.upTo(r), pick.upTo(2) === 0),
        exact: true,
      };
    }
    case 19:
      return rank === 0 || isEmpty
        ? null
        : { e: b.softmax(x.e, dim, pick.upTo(2) === 0), exact: false };
    case 20: {
      const n = elementCount(shape)!;
      const splits = [2, 3, 4, 5, 7].filter((f) => n > 0 && n % f === 0);
      const f = splits.length === 0 || pick.upTo(3) === 0 ? null : pick.of(splits);
      const to = f === null ? [axis("r", n)] : [axis("r", f), axis("s", n / f)];
      return { e: b.reshape(x.e, pick.upTo(2) === 0 ? to : to.toReversed()), exact: x.exact };
    }
    case 21: {
      const perm = shape.map((_, d) => d);
      for (let d = rank - 1; d > 0; d--) {
        const o = pick.upTo(d + 1);
        [perm[d], perm[o]] = [perm[o]!, perm[d]!];
      }
      return { e: b.transpose(x.e, perm), exact: x.exact };
    }
    case 22: {
      if (rank === 0 || isEmpty) return null;
      const n = sizesOf(shape)[dim]!;
      return pick.upTo(2) === 0
        ? { e: b.index(x.e, dim, pick.upTo(n)), exact: x.exact }
        : { e: b.slice(x.e, dim, pick.upTo(n), null, 1 + pick.upTo(3)), exact: x.exact };
    }
    case 23: {
      if (pick.upTo(2) === 0 || rank === 0) {
        const along = axis("k", 1 + pick.upTo(4));
        return {
          e: b.place(x.e, pick.upTo(rank + 1), pick.upTo(along.size!), along),
          exact: x.exact,
        };
      }
      const n = sizesOf(shape)[dim]!;
      if (rank > 1 && pick.upTo(3) === 0) {
        const by = (dim + 1 + pick.upTo(rank - 1)) % rank;
        const factor = pick.of([-2, -1, 1, 3]);
        const count = axis("k", 1 + pick.upTo(n + 3));
        return { e: b.slide(x.e, dim, by, factor, pick.upTo(7) - 3, count), exact: x.exact };
      }
      const start = pick.upTo(3);
      const stride = 1 + pick.upTo(3);
      const along = axis("k", start + n * stride + pick.upTo(2));
      return { e: b.spread(x.e, dim, start, stride, along), exact: x.exact };
    }
    case 24: {
      const y = fitting(x.e, any().e, (p, q) =>
        sameSizes(p, q) ? b.stack([p, q, p], pick.upTo(rank + 1)) : p,
      );
      const parts = rank === 0 ? null : b.concat([x.e, b.neg(x.e), x.e], dim);
      const e = pick.upTo(2) === 0 ? y : parts;
      return e === null ? null : { e, exact: false };
    }
    default: {
      const y = exactOne();
      const along = axis("h", 1 + pick.upTo(4));
      const e = b.oneHot(b.cast(y.e, "int"), along, pick.upTo(y.e.shape.length + 1));
      return pick.upTo(2) === 0
        ? { e, exact: true }
        : {
            e: b.stopGradient(b.expand(x.e, [axis("m", 1 + pick.upTo(3)), ...shape])),
            exact: x.exact,
          };
    }
  }
}

function sameSizes(p: Expr, q: Expr): boolean {
  return sizesOf(p.shape).join() === sizesOf(q.shape).join();
}

/** The operation, if the two broadcast; otherwise with the second one's largest entry. */
function fitting(p: Expr, q: Expr, f: (p: Expr, q: Expr) => Expr): Expr | null {
  try {
    return f(p, q);
  } catch {
    return f(p, elementCount(q.shape) === 0 ? b.ZERO : b.reduce("max", q, null));
  }
}

function depth(e: Expr): number {
  return e.args.length === 0 ? 0 : 1 + Math.max(...e.args.map(depth));
}
