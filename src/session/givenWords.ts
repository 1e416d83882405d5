/** What is said of two losses that were not given the same arrays. */
import type { GivenStep } from "../explain/reasons/given.ts";
import { elementCount } from "../arrays/ndarray.ts";
import { formatNumber } from "../report/plain.ts";
import { kernelArray } from "./bindings.ts";
import type { Chain } from "./commonGround.ts";
import type { InspectedInput } from "./inspect.ts";
import { differenceOf } from "./sameValues.ts";

/** @param others inputs of the second loss, each with the first one's that it stands for */
export function movedStep(
  gradient: ArrayLike<number>,
  others: readonly (readonly [InspectedInput, InspectedInput])[],
  [first, second]: readonly [string, string],
): GivenStep {
  const each = others.map(([x, y]) => {
    const { count, most } = differenceOf(x.array!, y.array!);
    const of = `${String(count)} of ${String(elementCount(y.array!.shape))} entries differ, by at most ${formatNumber(most, 4)}`;
    return `${y.name}${x.name === y.name ? "" : ` and ${x.name}`} (${of})`;
  });
  return {
    id: "other-arrays",
    side: "first",
    gradient,
    title: "Other arrays",
    sentence: `${first} and ${second} were given arrays with other values: ${each.join("; ")}.`,
    fix: "Give both losses the same arrays.",
  };
}

/** @param gradient by the probabilities */
export function chainStep(
  { side, activation, probabilities }: Chain,
  gradient: ArrayLike<number>,
  [first, second]: readonly [string, string],
): GivenStep {
  const [outside, inside] = side === "first" ? [first, second] : [second, first];
  const name = activation.kind;
  const isSigmoid = name === "sigmoid";
  const factor = isSigmoid
    ? `times p·(1 − p), which is ${slopes(kernelArray(probabilities))} here`
    : "through the softmax's derivative, p_c·(g_c − Σ_k g_k·p_k)";
  return {
    id: "chain-rule",
    side,
    gradient,
    title: "The activation's chain rule",
    sentence: `${outside} was given probabilities, the ${name} of the logits that ${inside} was given, and is differentiated by them. By the logits its gradient is that by the probabilities ${factor}.`,
    fix:
      side === "first"
        ? isSigmoid
          ? "Multiply the gradient by p * (1 - p), or apply sigmoid inside the loss and differentiate by the logits."
          : "Apply softmax inside the loss and differentiate by the logits."
        : `Take ${name} out of the loss, give it the probabilities, and differentiate by them.`,
  };
}

function slopes(p: ArrayLike<number>): string {
  let [least, most] = [Infinity, -Infinity];
  for (const v of Array.from(p)) {
    const s = v * (1 - v);
    least = Math.min(least, s);
    most = Math.max(most, s);
  }
  const [low, high] = [formatNumber(least, 3), formatNumber(most, 3)];
  return low === high ? low : `${low} to ${high}`;
}
