/** The rungs of the ladder: the number types in which one loss is performed. */
import type { ElementType } from "../../expression/tape.ts";
import type { Autocast } from "./autocast.ts";

export interface Rung {
  readonly name: string;
  /** What the array is held in that the gradient is by. */
  readonly prediction: ElementType;
  /** What the other float arrays are held in. */
  readonly others: ElementType;
  readonly autocast: Autocast | null;
}

const plain = (name: ElementType): Rung => ({
  name,
  prediction: name,
  others: name,
  autocast: null,
});

/** Every float array in one type. */
export const RUNGS: readonly Rung[] = [
  plain("float64"),
  plain("float32"),
  plain("bfloat16"),
  plain("float16"),
];

/** The types that NumPy has. */
export const NUMPY_RUNGS: readonly Rung[] = RUNGS.filter((r) => r.name !== "bfloat16");

/** Under `torch.autocast`: the network's output in the lower type, the targets in float32. */
export const autocastRungs = (device: Autocast["device"]): Rung[] =>
  (["bfloat16", "float16"] as const).map((lower) => ({
    name: device === "cpu" ? `autocast-${lower}` : `cuda-autocast-${lower}`,
    prediction: lower,
    others: "float32",
    autocast: { device, lower },
  }));
