/** DG017: Python branches on the entries of arrays. */
import { leaves } from "../../expression/walk.ts";
import { type Finding, shortText } from "./rule.ts";
import type { View } from "./view.ts";

const LIBRARIES: Readonly<Record<string, { readonly cost: string; readonly remedy: string }>> = {
  jax: {
    cost: "jax.jit, vmap and grad under jit stop here with a TracerBoolConversionError",
    remedy: "Write jnp.where(condition, a, b), or jax.lax.cond.",
  },
  tensorflow: {
    cost: "in a tf.function AutoGraph has to rewrite it, and both ways must return alike",
    remedy: "Write tf.where(condition, a, b), or tf.cond.",
  },
  torch: {
    cost: "torch.compile breaks its graph here, and on a GPU every call waits for the value",
    remedy: "Write torch.where(condition, a, b).",
  },
};

export function branches(view: View): Finding[] {
  const { subject, prediction } = view;
  return subject.decisions.flatMap((decision): Finding[] => {
    const used = new Set(leaves(decision.condition));
    const asked = subject.inputs.filter((x) => used.has(x.node));
    const library = LIBRARIES[asked[0]?.library ?? ""];
    const jumps = prediction !== null && used.has(prediction.node);
    // In NumPy a branch costs nothing; what it does to the gradient is worth a word.
    if (asked.length === 0 || (library === undefined && !jumps)) return [];
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
