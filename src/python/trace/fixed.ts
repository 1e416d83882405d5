/** What the values of a trace's arrays decided for good, and which inputs' gradient is lost by it. */
import type { Expr, Input, SourceSpan } from "../../expression/node.ts";
import { leaves } from "../../expression/walk.ts";
import type { Fixed } from "../interpreter/recorder.ts";
import { passesGradient } from "./blockers.ts";

export interface TraceFixed {
  /** In words, e.g. "the order in which topk() puts entries". */
  readonly what: string;
  readonly span: SourceSpan;
  /** Names of the inputs whose values decide it. */
  readonly inputs: readonly string[];
  /** Names of those whose gradient would flow through constants, and is not in the loss. */
  readonly lost: readonly string[];
  /** Of what was sorted, where entries are equal: in the loss's nodes, as in the run's record. */
  readonly tied: { readonly of: Expr; readonly groups: Int32Array } | null;
  /** The loss's array that holds the constants. */
  readonly constant: Expr | null;
}

/**
 * @param loss in terms of the trace's own nodes
 * @param fixed in the order of the run: constants may be made of earlier ones
 * @param now what became of a node
 */
export function fixedIn(
  loss: Expr,
  inputs: readonly Expr[],
  fixed: readonly Fixed[],
  now: (e: Expr) => Expr,
): TraceFixed[] {
  if (fixed.length === 0) return [];
  const names = inputs.filter((x): x is Input => x.kind === "input");
  const behind = new Map<Expr, Set<Input>>(names.map((x) => [x, new Set([x])]));
  const lost = new Map<Expr, Set<Input>>(
    names.filter((x) => x.type === "float").map((x) => [x, new Set([x])]),
  );
  const used = reached(loss);
  return fixed.map(({ what, span, of, constant, ties }): TraceFixed => {
    const from = union(behind, leaves(of));
    const gradient = union(lost, constant === null ? [] : reached(of));
    if (constant !== null) {
      behind.set(constant, from);
      lost.set(constant, gradient);
    }
    const isUsed = constant !== null && used.has(constant);
    return {
      what,
      span,
      inputs: namesOf(from),
      lost: isUsed ? namesOf(gradient) : [],
      tied: ties === undefined ? null : { of: now(of), groups: ties },
      constant: isUsed ? now(constant) : null,
    };
  });
}

/** The nodes to which gradient flows from `e`. */
function reached(e: Expr): Set<Expr> {
  const seen = new Set([e]);
  for (const node of seen) {
    node.args.forEach((arg, k) => {
      if (passesGradient(node, k)) seen.add(arg);
    });
  }
  return seen;
}

function union(sets: ReadonlyMap<Expr, ReadonlySet<Input>>, nodes: Iterable<Expr>): Set<Input> {
  return new Set([...nodes].flatMap((e) => [...(sets.get(e) ?? [])]));
}

const namesOf = (inputs: ReadonlySet<Input>): string[] => [...inputs].map((x) => x.name);
