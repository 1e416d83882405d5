/** A gradient as an .npy file: float64, the shape of the input it is for. */
import { interruptible, parts } from "../numbers/interruption.ts";
import { type Inspection, InspectionError, type Watch } from "./inspect.ts";
import { createNpy } from "./stored.node.ts";

/**
 * The file is there whole or not at all: one that has its name stays as it was until then.
 * @throws InspectionError when the loss was derived without arrays
 * @throws ArrayError if it cannot be written
 * @throws Cancelled on the way
 */
export function writeGradient(path: string, inspection: Inspection, watch: Watch): void {
  const { gradient, wrt } = inspection;
  if (gradient === null || wrt.array === null) {
    throw new InspectionError("there is no gradient to write: no arrays were given");
  }
  const file = createNpy(path, wrt.array.shape, gradient);
  const isCancelled = (): boolean => watch.isCancelled();
  try {
    interruptible(isCancelled, () => {
      for (const [first, end] of parts(gradient.length)) {
        file.write(first, gradient.subarray(first, end));
      }
    });
    file.finish();
  } finally {
    file.close();
  }
}
