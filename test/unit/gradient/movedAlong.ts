/** The entries of an input along a path, which losses get as an expression. */
import * as b from "../../../src/expression/build.ts";
import { axis } from "../../../src/expression/axis.ts";
import type { Path } from "../../../src/gradient/paths.ts";
import { compileKernel } from "../../../src/numbers/kernel.ts";
import type { TypedArray } from "../../../src/numbers/typedArrays.ts";

/** By the step, from -1 to 1. */
export function movedAlong(path: Path, base: TypedArray): (step: number) => Float64Array {
  const shape = [axis("i", base.length)];
  const [input, velocity] = [b.input("entries", shape), b.input("velocity", shape)];
  const kernel = compileKernel([path.moved(input, velocity, b.parameter("step", null))]);
  const arrays = new Map<string, TypedArray | number>();
  arrays.set("entries", base).set("velocity", path.velocity);
  return (step) => kernel.run(arrays.set("step", step)).outputs[0]!.data;
}
