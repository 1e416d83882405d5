/**
 * The gradient that a program really computes where some of its functions bring their own. Reverse
 * mode as the libraries do it: an adjoint that arrives at such a function's output goes on through
 * the gradient that was written for it, not through what the function computes.
 */
import { type Shape, UNIT, formatShape, sameShape } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { dependsOn, substitute } from "../expression/walk.ts";
import { adjoints } from "./derive.ts";

/** One use of a function with a gradient of its own. */
export interface CustomUse {
  /** What the forward pass and the gradient are written in, and what was passed for each. */
  readonly inputs: readonly { readonly node: Expr }[];
  readonly passed: readonly Expr[];
  readonly outputs: readonly Expr[];
  /** The nodes that stand for the outputs in everything computed from them. */
  readonly stands: readonly Expr[];
  readonly upstream: readonly Expr[];
  /** For each input, in terms of inputs and upstream; null where nothing is passed on. */
  readonly gradients: readonly (Expr | null)[];
}

/**
 * The gradient of `loss` by `wrt`, in the trace's inputs alone.
 *
 * @param loss with the nodes that stand for the outputs of `uses`
 * @param uses in the order of their use: later ones may be given what earlier ones returned
 */
export function gradientInForce(loss: Expr, wrt: Expr, uses: readonly CustomUse[]): Expr {
  const stands = uses.flatMap((u) => u.stands);
  const arrived = adjoints(loss, [wrt, ...stands]);
  const receive = (node: Expr, share: Expr): void => {
    arrived.set(node, b.add(arrived.get(node)!, share));
  };
  for (const [k, use] of [...uses.entries()].reverse()) {
    if (!use.stands.some((s) => dependsOn(loss, s) || uses.some((u) => usedBy(u, s)))) continue;
    const bindings = new Map<Expr, Expr>([
      ...use.inputs.map((x, n): [Expr, Expr] => [x.node, use.passed[n]!]),
      ...use.upstream.map((u, n): [Expr, Expr] => [u, arrived.get(use.stands[n]!)!]),
    ]);
    const earlier = uses.slice(0, k).flatMap((u) => u.stands);
    use.gradients.forEach((g, n) => {
      const argument = use.passed[n]!;
      if (g === null || argument.type !== "float") return;
      const nodes = [wrt, ...earlier].filter((x) => dependsOn(argument, x));
      const seed = fitted(substitute(g, bindings), argument.shape);
      for (const [node, share] of adjoints(argument, nodes, seed)) receive(node, share);
    });
  }
  return spelledOut(arrived.get(wrt)!, uses);
}

const usedBy = (use: CustomUse, stand: Expr): boolean =>
  use.passed.some((e) => dependsOn(e, stand));

/** `e` with the outputs' values in the place of what stands for them. */
export function spelledOut(e: Expr, uses: readonly CustomUse[]): Expr {
  const values = new Map<Expr, Expr>();
  for (const use of uses) {
    const bindings = new Map(
      use.inputs.map((x, n): [Expr, Expr] => [x.node, substitute(use.passed[n]!, values)]),
    );
    use.stands.forEach((s, n) => values.set(s, substitute(use.outputs[n]!, bindings)));
  }
  return substitute(e, values);
}

/** A seed must have its node's shape, axis by axis; one that is a number holds for every entry. */
function fitted(seed: Expr, shape: Shape): Expr {
  if (seed.shape.length === shape.length) return seed;
  if (seed.shape.length < shape.length) return b.expand(seed, shape);
  const lead = seed.shape.length - shape.length;
  const rest = seed.shape.slice(lead);
  if (!sameShape(rest, shape) || seed.shape.slice(0, lead).some((a) => a.size !== UNIT.size)) {
    throw new Error(`a gradient of shape ${formatShape(seed.shape)} for ${formatShape(shape)}`);
  }
  return b.reshape(seed, shape);
}
