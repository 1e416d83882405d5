/** A gradient as the bytes of an .npy file: float64, the shape of the input it is for. */
import { writeNpy } from "../arrays/npy.ts";
import { type Inspection, InspectionError } from "./inspect.ts";

/** @throws InspectionError when the loss was derived without arrays */
export function gradientFile(inspection: Inspection): Uint8Array {
  const { gradient, wrt } = inspection;
  if (gradient === null || wrt.array === null) {
    throw new InspectionError("there is no gradient to write: no arrays were given");
  }
  return writeNpy({ dtype: "float64", shape: wrt.array.shape, data: gradient });
}
