/** DG016: a loss that computes another ratio than its name says, or one that lacks its factor. */
import { valueOf } from "../../losses/spec.ts";
import { recognize } from "../recognize/recognize.ts";
import type { Finding } from "./rule.ts";
import type { View } from "./view.ts";

/** No loss of the catalogue has as many nodes; the values of such a formula take minutes to try. */
const MOST_NODES = 1000;

/** Recognizing a loss takes longer than all other rules together: it is asked for apart. */
export function misnamed(view: View): Finding[] {
  const { subject, prediction } = view;
  const expected = nameSays(subject.name);
  const target = subject.inputs.find((x) => x.role === "target");
  if (expected === null || prediction === null || target === undefined) return [];
  if (view.order.length > MOST_NODES) return [];
  // One prediction and one target: what further arrays do to the ratio is not this rule's matter.
  if (subject.inputs.length !== 2) return [];
  const found = recognize({
    loss: subject.loss,
    prediction: prediction.node,
    target: target.node,
  });
  if (found === null) return [];
  const { kind } = found.spec.ratio;
  const factor = valueOf(found.spec.overlapFactor);
  if (kind === "dice" && expected === "dice" && factor === 0.5) return [withoutItsTwo(subject)];
  if (kind === "tversky" || kind === expected) return [];
  // A factor of the overlap that is not its own makes it neither of the two.
  if (factor !== 1) return [];
  const [is, formula] =
    kind === "jaccard" ? ["Jaccard (IoU)", "I/(P + T - I)"] : ["Dice", "2I/(P + T)"];
  return [
    {
      span: subject.place,
      message: `${subject.name} is the ${is} loss: its ratio is ${formula}. ${expected === "dice" ? "A Dice loss has 2I/(P + T)" : "A Jaccard (IoU) loss has I/(P + T - I)"}; the two rank predictions alike, but their values and gradients differ.`,
      remedy: `Rename it, or change the ratio.`,
      related: [],
      fix: null,
    },
  ];
}

/** `I/(P + T)`: the 2 of Dice is easily lost where the overlap and the sums are written apart. */
function withoutItsTwo({ name, place }: View["subject"]): Finding {
  return {
    span: place,
    message: `${name} lacks the factor 2 of Dice: its ratio is I/(P + T), smoothing apart, which is 1/2 for a perfect prediction, not 1. The gradient of the overlap is half that of a Dice loss.`,
    remedy: "Multiply the overlap by 2: 2I/(P + T).",
    related: [],
    fix: null,
  };
}

function nameSays(name: string): "dice" | "jaccard" | null {
  const dice = /dice/i.test(name);
  const jaccard = /iou|jaccard/i.test(name);
  return dice === jaccard ? null : dice ? "dice" : "jaccard";
}
