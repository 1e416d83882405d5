/** DG017: Python branches on the entries of arrays. */
import { receivesGradient } from "../../gradient/derive.ts";
import type { Expr } from "../../expression/node.ts";
import { leaves } from "../../expression/walk.ts";
import { type Finding, shortText } from "./rule.ts";
import type { View } from "./view.ts";

interface Cost {
  readonly cost: string;
  readonly remedy: string;
  /** Also where the gradient is right whichever way it goes. */
  readonly always: boolean;
}

const LIBRARIES: Readonly<Record<string, Cost>> = {
  jax: {
    cost: "jax.jit, vmap and grad under jit stop here with a TracerBoolConversionError",
    remedy: "Write jnp.where(condition, a, b), or jax.lax.cond.",
    always: true,
  },
  tensorflow: {
    cost: "in a tf.function AutoGraph has to rewrite it, and both ways must return alike",
    remedy: "Write tf.where(condition, a, b), or tf.cond.",
    always: true,
  },
  torch: {
    cost: "torch.compile breaks its graph here, and on a GPU every call waits for the value",
    remedy: "Write torch.where(condition, a, b), and see that both ways meet.",
    always: false,
  },
};

export function branches(view: View): Finding[] {
  const { subject, prediction } = view;
  const isTrained = prediction !== null && receivesGradient(subject.loss, prediction.node);
  return subject.decisions.flatMap((decision): Finding[] => {
    const used = new Set(leaves(decision.condition));
    const asked = subject.inputs.filter((x) => used.has(x.node));
    const library = LIBRARIES[asked[0]?.library ?? ""];
    const jumps = isTrained && used.has(prediction.node) && !isGuard(view, decision.condition);
    // Where a branch costs nothing, what it may do to the gradient is worth a word.
    if (asked.length === 0 || !(jumps || library?.always === true)) return [];
    const names = asked.map((x) => x.name).join(" and ");
    const text = shortText(subject.source, decision.span) ?? "This condition";
    const effect = jumps
      ? `the loss may jump where it changes, which no gradient shows`
      : `each call has the gradient of the way it takes`;
    return [
      {
        span: decision.span,
        message: `\`${text}\` decides on values of ${names}: ${effect}${library === undefined ? "" : `; ${library.cost}`}.`,
        remedy: library?.remedy ?? "Write np.where(condition, a, b), and see that both ways meet.",
        related: [],
        fix: null,
        ...(jumps || library === LIBRARIES["jax"] ? { severity: "warning" } : {}),
      },
    ];
  });
}

/**
 * Whether a condition sets apart what a formula cannot do: an empty union (`total == 0`), a value
 * at the very end of its range (`total > 0`), what is no number. No prediction crosses it.
 */
function isGuard(view: View, condition: Expr): boolean {
  const at = condition;
  const [a, b] = at.args;
  switch (at.kind) {
    case "unary":
      if (at.op === "not") return isGuard(view, a!);
      return at.op === "isnan" || at.op === "isfinite";
    case "reduce":
    case "cast":
    case "reshape":
      return isGuard(view, a!);
    case "binary":
      break;
    default:
      // The truth of a number: whether it is 0.
      return at.type !== "bool";
  }
  switch (at.op) {
    case "and":
    case "or":
      return isGuard(view, a!) && isGuard(view, b!);
    case "eq":
    case "ne":
      return true;
    case "lt":
    case "le":
    case "gt":
    case "ge": {
      const [x, y] = [view.interval(a!), view.interval(b!)];
      return x.lo >= y.hi || x.hi <= y.lo;
    }
    default:
      return at.type !== "bool";
  }
}
