/** itertools */
import { call } from "../../interpreter/calls.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import {
  iterate,
  iteratorOf,
  iteratorOver,
  lazyIterator,
  nextItem,
} from "../../interpreter/iterate.ts";
import { binaryOperation, equals } from "../../interpreter/operators.ts";
import { truth } from "../../interpreter/truth.ts";
import { type Value, tuple } from "../../values.ts";
import type { CallContext } from "../signature.ts";
import { type Contents, functions, fn } from "./define.ts";

const itemsOf = (c: CallContext, name = "iterable"): Value[] => [...iterate(c.vm, c.value(name))];

const over = (c: CallContext, items: readonly Value[]): Value => iteratorOver(c.vm, items);

/** The iterables one after the other, each only when it is reached. */
function chained(vm: Interpreter, iterables: Value): Value {
  const outer = iteratorOf(vm, iterables);
  let inner: ReturnType<typeof iteratorOf> | null = null;
  return lazyIterator(vm, (running) => {
    for (;;) {
      if (inner === null) {
        const next = nextItem(running, outer);
        if (next === undefined) return undefined;
        inner = iteratorOf(running, next);
      }
      const item = nextItem(running, inner);
      if (item !== undefined) return item;
      inner = null;
    }
  });
}

function product(c: CallContext): Value {
  const given = c.list("iterables").map((v) => [...iterate(c.vm, v)]);
  const columns = Array.from({ length: c.int("repeat") }, () => given).flat();
  const rows = columns.reduce<Value[][]>(
    (all, column) => {
      c.vm.allocate(all.length * column.length * columns.length);
      return all.flatMap((row) => column.map((v) => [...row, v]));
    },
    [[]],
  );
  return over(c, rows.map(tuple));
}

function choices(vm: Interpreter, items: readonly Value[], r: number, ordered: boolean): Value[][] {
  if (r === 0) return [[]];
  return items.flatMap((v, k) => {
    vm.allocate(items.length);
    const rest = ordered ? items.filter((_, j) => j !== k) : items.slice(k + 1);
    return choices(vm, rest, r - 1, ordered).map((more) => [v, ...more]);
  });
}

function islice(c: CallContext): Value {
  const bounds = c.list("bounds").map((v) => (v.kind === "number" ? v.value : null));
  const [start, stop, step] =
    bounds.length === 1 ? [0, bounds[0]!, 1] : [bounds[0] ?? 0, bounds[1] ?? null, bounds[2] ?? 1];
  const items = iteratorOf(c.vm, c.value("iterable"));
  let at = 0;
  let next = start;
  return lazyIterator(c.vm, (vm) => {
    if (stop !== null && next >= stop) return undefined;
    for (;;) {
      const item = nextItem(vm, items);
      if (item === undefined) return undefined;
      if (at++ < next) continue;
      next += step;
      return item;
    }
  });
}

function accumulate(c: CallContext): Value {
  const f = c.optional("func");
  const items = itemsOf(c);
  const start = c.optional("initial");
  if (start !== null) items.unshift(start);
  const sums: Value[] = [];
  for (const v of items) {
    const last = sums.at(-1);
    if (last === undefined) sums.push(v);
    else sums.push(f === null ? binaryOperation(c.vm, "+", last, v) : call(c.vm, f, [last, v]));
  }
  return over(c, sums);
}

function zipLongest(c: CallContext): Value {
  const columns = c.list("iterables").map((v) => [...iterate(c.vm, v)]);
  const rows = Math.max(0, ...columns.map((x) => x.length));
  const filled = Array.from({ length: rows }, (_, k) =>
    tuple(columns.map((x) => x[k] ?? c.value("fillvalue"))),
  );
  return over(c, filled);
}

function groups(c: CallContext): Value {
  const key = c.optional("key");
  const found: { key: Value; items: Value[] }[] = [];
  for (const v of itemsOf(c)) {
    const k = key === null ? v : call(c.vm, key, [v]);
    const last = found.at(-1);
    if (last !== undefined && truth(c.vm, equals(c.vm, last.key, k))) last.items.push(v);
    else found.push({ key: k, items: [v] });
  }
  return over(
    c,
    found.map((g) => tuple([g.key, iteratorOver(c.vm, g.items)])),
  );
}

/** Items while the test holds, or those from where it no longer does. */
function split(c: CallContext, keep: "before" | "after"): Value {
  const items = itemsOf(c);
  const end = items.findIndex((v) => !truth(c.vm, call(c.vm, c.value("predicate"), [v])));
  const at = end < 0 ? items.length : end;
  return over(c, keep === "before" ? items.slice(0, at) : items.slice(at));
}

function cycle(c: CallContext): Value {
  const items = itemsOf(c);
  let k = 0;
  return lazyIterator(c.vm, () => items[k++ % items.length]);
}

function repeat(c: CallContext): Value {
  let left = c.given("times") ? c.int("times") : Infinity;
  return lazyIterator(c.vm, () => (left-- > 0 ? c.value("object") : undefined));
}

function count(c: CallContext): Value {
  let n: Value | null = null;
  return lazyIterator(c.vm, (vm) => {
    n = n === null ? c.value("start") : binaryOperation(vm, "+", n, c.value("step"));
    return n;
  });
}

export const itertools: Contents = {
  ...functions({
    product: ["*iterables, repeat=1", product],
    combinations: [
      "iterable, r",
      (c) => over(c, choices(c.vm, itemsOf(c), c.int("r"), false).map(tuple)),
    ],
    permutations: [
      "iterable, r=None",
      (c) => {
        const items = itemsOf(c);
        const r = c.given("r") ? c.int("r") : items.length;
        return over(c, choices(c.vm, items, r, true).map(tuple));
      },
    ],
    islice: ["iterable, *bounds", islice],
    accumulate: ["iterable, func=None, *, initial=None", accumulate],
    zip_longest: ["*iterables, fillvalue=None", zipLongest],
    groupby: ["iterable, key=None", groups],
    takewhile: ["predicate, iterable", (c) => split(c, "before")],
    dropwhile: ["predicate, iterable", (c) => split(c, "after")],
    filterfalse: [
      "predicate, iterable",
      (c) => {
        const f = c.optional("predicate");
        const fails = (v: Value): boolean => !truth(c.vm, f === null ? v : call(c.vm, f, [v]));
        return over(c, itemsOf(c).filter(fails));
      },
    ],
    compress: [
      "data, selectors",
      (c) => {
        const keep = itemsOf(c, "selectors");
        return over(
          c,
          itemsOf(c, "data").filter((_, k) => k < keep.length && truth(c.vm, keep[k]!)),
        );
      },
    ],
    pairwise: [
      "iterable",
      (c) => {
        const items = itemsOf(c);
        return over(
          c,
          items.slice(1).map((v, k) => tuple([items[k]!, v])),
        );
      },
    ],
    starmap: [
      "function, iterable",
      (c) =>
        over(
          c,
          itemsOf(c).map((v) => call(c.vm, c.value("function"), [...iterate(c.vm, v)])),
        ),
    ],
    cycle: ["iterable", cycle],
    repeat: ["object, times=None", repeat],
    count: ["start=0, step=1", count],
  }),
  chain: {
    ...fn("chain", "*iterables", (c) => chained(c.vm, tuple(c.list("iterables")))),
    attributes: new Map([
      [
        "from_iterable",
        fn("chain.from_iterable", "iterable", (c) => chained(c.vm, c.value("iterable"))),
      ],
    ]),
  },
};
