/** Walking and rewriting expression graphs. Shared nodes are visited once. */
import { type Axis, type Shape, flattenAxes } from "./axis.ts";
import { size, withArgs } from "./build.ts";
import { spend } from "./effort.ts";
import { type Expr, annotate, annotationOf, internLike } from "./node.ts";

/** Every node `roots` depend on, arguments before their users. */
export function topological(...roots: readonly Expr[]): Expr[] {
  return ordered(roots, () => true);
}

/** The same, without what lies below nodes that are not entered. */
function ordered(roots: readonly Expr[], enter: (e: Expr) => boolean): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  // An explicit stack: unrolled loops make graphs deeper than the call stack allows.
  const stack: { e: Expr; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ e: root, next: 0 });
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const arg = enter(top.e) ? top.e.args[top.next++] : undefined;
      if (arg === undefined) {
        order.push(top.e);
        spend(1);
        stack.pop();
      } else if (!seen.has(arg)) {
        seen.add(arg);
        stack.push({ e: arg, next: 0 });
      }
    }
  }
  return order;
}

/** `root` with each node replaced bottom-up by what `f` makes of it (its arguments done already). */
export function rewrite(root: Expr, f: (e: Expr, original: Expr) => Expr): Expr {
  return rewriteInOrder(topological(root), new Map(), f);
}

function rewriteInOrder(
  order: readonly Expr[],
  done: Map<Expr, Expr>,
  f: (e: Expr, original: Expr) => Expr,
): Expr {
  for (const e of order) {
    if (done.has(e)) continue;
    const rebuilt = withArgs(
      e,
      e.args.map((a) => done.get(a)!),
    );
    const result = f(rebuilt, e);
    carryAnnotation(e, result);
    done.set(e, result);
  }
  return done.get(order.at(-1)!)!;
}

/** `root` with the given nodes replaced, outermost first: what is replaced is not entered. */
export function substitute(root: Expr, replacements: ReadonlyMap<Expr, Expr>): Expr {
  if (replacements.size === 0) return root;
  return substituteNodes(root, replacements).get(root)!;
}

/** What each node of the expression becomes when the given nodes are replaced. */
export function substituteNodes(
  root: Expr,
  replacements: ReadonlyMap<Expr, Expr>,
): Map<Expr, Expr> {
  const order = ordered([root], (e) => !replacements.has(e));
  for (const e of order) carryAnnotation(e, replacements.get(e) ?? e);
  const done = new Map(replacements);
  rewriteInOrder(order, done, (e) => e);
  return done;
}

export function carryAnnotation(from: Expr, to: Expr): void {
  if (from === to || to.args.length === 0) return;
  const known = annotationOf(from);
  if (known === undefined) return;
  for (const span of known.spans) annotate(to, span);
  if (known.label !== undefined) annotate(to, undefined, known.label);
}

/** The inputs and free parameters an expression depends on, in order of first use. */
export function leaves(root: Expr): Expr[] {
  return topological(root).filter((e) => e.kind === "input" || e.kind === "parameter");
}

export function dependsOn(root: Expr, leaf: Expr): boolean {
  return topological(root).includes(leaf);
}

/**
 * The same expression over axes of other sizes, by axis name. Slices and indices keep their
 * positions, so a size must leave them inside (`ShapeError` otherwise).
 */
export function resize(root: Expr, sizes: ReadonlyMap<string, number>): Expr {
  return resizeNodes(root, sizes).get(root)!;
}

/** What each node of the expression becomes over axes of other sizes. */
export function resizeNodes(root: Expr, sizes: ReadonlyMap<string, number>): Map<Expr, Expr> {
  return withAxes(root, (a) => {
    const n = sizes.get(a.name);
    return n === undefined || n === a.size ? a : { ...a, size: n };
  });
}

/** The same expression over other axes in the place of some, by name. They have the same sizes. */
export function renameAxes(root: Expr, axes: ReadonlyMap<string, Axis>): Expr {
  return withAxes(root, (a) => axes.get(a.name) ?? a).get(root)!;
}

/** Nodes that have axes which are not those of their arguments. */
const OWN_AXES: ReadonlySet<Expr["kind"]> = new Set([
  "input",
  "reshape",
  "expand",
  "oneHot",
  "place",
  "spread",
  "slide",
]);

function withAxes(root: Expr, of: (a: Axis) => Axis): Map<Expr, Expr> {
  const axes = (a: Axis): Axis =>
    a.parts.length > 0 ? { ...flattenAxes(a.parts.map(axes)), name: a.name } : of(a);
  const shape = (s: Shape): Shape => s.map(axes);
  const done = new Map<Expr, Expr>();
  for (const e of topological(root)) {
    const args = e.args.map((a) => done.get(a)!);
    if (e.kind === "size") done.set(e, size(e.axes.map(axes)));
    else if (OWN_AXES.has(e.kind)) done.set(e, internLike(e, shape(e.shape), args));
    else done.set(e, withArgs(e, args));
  }
  return done;
}
