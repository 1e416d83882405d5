/** One loss performed in several number types: arrays and tapes from the traces of a program. */
import { type NdArray, toFloat64 } from "../arrays/ndarray.ts";
import type { Input } from "../expression/node.ts";
import type { ElementType } from "../expression/tape.ts";
import { type Performance, perform } from "../numbers/precision/forward.ts";
import { type Held, converted, held, isFloat } from "../numbers/precision/held.ts";
import type { Rung } from "../numbers/precision/rungs.ts";
import type { Trace } from "../python/program.ts";
import type { SessionHost } from "./host.ts";
import { InspectionError } from "./inspect.ts";

/** A trace's inputs and other arrays in the types that it was traced with. */
export function heldArrays(trace: Trace, host: SessionHost): Map<Input, Held> {
  const arrays = new Map<Input, Held>();
  const tape = trace.tape!;
  for (const x of trace.inputs) {
    const array =
      x.argument === null
        ? host.arrayOf(x.node)
        : host.materialize(x.argument, `argument ${x.parameter}`, x.dtype);
    if (array === null || x.node.kind !== "input") {
      throw new InspectionError(
        `the precision of ${trace.name} can be seen only on arrays, and ${x.parameter} has none`,
        `Give ${x.parameter} an array.`,
      );
    }
    arrays.set(x.node, asHeld(array, (x.dtype ?? array.dtype) as ElementType));
  }
  for (const [node, dtype] of tape.arrays) {
    const array = host.arrayOf(node);
    if (array !== null) arrays.set(node, asHeld(array, dtype ?? (array.dtype as ElementType)));
  }
  return arrays;
}

function asHeld(array: NdArray, dtype: ElementType): Held {
  const own = isFloat(dtype) ? "float64" : dtype;
  return converted(held(own, array.shape, toFloat64(array)), dtype);
}

/** The loss as that rung computes it. */
export function performTrace(trace: Trace, host: SessionHost, rung: Rung): Performance {
  return perform(trace.tape!, heldArrays(trace, host), rung.autocast);
}
