/** Arrays that are made for a loss where the user has none: random, and the same every time. */
import { fromFloat64 } from "../../arrays/convert.ts";
import type { DerivedInput } from "../../session/inline/protocol.ts";
import { sizesFor, valuesFor } from "../inline/sampleArrays.ts";
import { type PickedArray, pickedFromMemory } from "./pickedArray.ts";

/** An input of the loss with the array that is there for it. */
export interface GivenInput {
  readonly input: DerivedInput;
  readonly shape: readonly number[];
}

/** Sizes of an input where others are given: letters that they share, and equal shapes otherwise. */
export function sizesBeside(input: DerivedInput, given: readonly GivenInput[]): number[] {
  const letters = new Map<string, number>();
  for (const { input: other, shape } of given) {
    if (other.shape.length !== shape.length) continue;
    other.shape.forEach((letter, k) => {
      if (typeof letter === "string") letters.set(letter, shape[k]!);
    });
  }
  const [like] = given;
  // An array whose shape the code leaves open altogether is as the other one is.
  const isOpen = input.shape.every((n) => typeof n === "string" && !letters.has(n));
  if (like !== undefined && (isOpen || input.shape.length === 0)) return [...like.shape];
  const known = input.shape.map((n) => (typeof n === "number" ? n : (letters.get(n) ?? n)));
  return sizesFor({ ...input, shape: known });
}

/**
 * Random values for an input.
 * @param options as for {@link valuesFor}
 */
export function madeFor(
  input: DerivedInput,
  given: readonly GivenInput[],
  lossName: string,
  options: Parameters<typeof valuesFor>[1],
): PickedArray {
  const shape = sizesBeside(input, given);
  const values = Float64Array.from(valuesFor({ ...input, shape }, options));
  const dtype = input.type === "float" ? "float64" : input.type === "int" ? "int64" : "bool";
  const array = fromFloat64(values, dtype, shape);
  return pickedFromMemory(input.name, array, `random, made to fit ${lossName}`);
}
