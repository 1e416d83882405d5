/** Trees of sums as they were written: what is added up, and how often. */
import { spend } from "./effort.ts";
import type { Expr } from "./node.ts";
import * as q from "./rational.ts";

export function isSumNode(e: Expr): boolean {
  return (
    (e.kind === "binary" && (e.op === "add" || e.op === "sub")) ||
    (e.kind === "unary" && e.op === "neg")
  );
}

/**
 * What a tree of sums adds up and how often, in order of appearance. The tree may share parts (a
 * running total added to itself), so that each of its nodes is entered once.
 */
export function summands(root: Expr): [Expr, q.Rational][] {
  const times = new Map<Expr, q.Rational>([[root, q.R1]]);
  const leaves: Expr[] = [];
  const order = sumOrder(root);
  for (const e of order.toReversed()) {
    const c = times.get(e)!;
    e.args.forEach((arg, k) => {
      const share = e.kind === "unary" || (k === 1 && isSub(e)) ? q.negate(c) : c;
      times.set(arg, q.plus(times.get(arg) ?? q.R0, share));
    });
  }
  const seen = new Set<Expr>();
  const visit = [root];
  for (let e = visit.pop(); e !== undefined; e = visit.pop()) {
    if (seen.has(e)) continue;
    seen.add(e);
    if (isSumNode(e)) visit.push(...e.args.toReversed());
    else leaves.push(e);
  }
  return leaves.map((e) => [e, times.get(e)!]);
}

const isSub = (e: Expr): boolean => e.kind === "binary" && e.op === "sub";

/** The sum nodes of a tree of sums, arguments before their users. */
function sumOrder(root: Expr): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>([root]);
  const stack = isSumNode(root) ? [{ e: root, next: 0 }] : [];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const arg = top.e.args[top.next++];
    if (arg === undefined) {
      order.push(top.e);
      spend(1);
      stack.pop();
    } else if (isSumNode(arg) && !seen.has(arg)) {
      seen.add(arg);
      stack.push({ e: arg, next: 0 });
    }
  }
  return order;
}
