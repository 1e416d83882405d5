/** Arrays that losses of the catalogue are built on in these tests. */
import { type Shape, axis } from "../../../src/expression/axis.ts";
import { input } from "../../../src/expression/build.ts";
import type { Expr } from "../../../src/expression/node.ts";
import { buildEntry } from "../../../src/losses/call.ts";
import { parseCall } from "../../../src/losses/catalogue.ts";
import { Settings } from "../../../src/losses/entry.ts";
import type { FamilyInputs } from "../../../src/losses/family.ts";
import type { FamilySpec } from "../../../src/losses/spec.ts";

/** (b, c, i) with three classes, or (b, c, i) with `classes`. */
export function channelsFirst(classes: number | null = 3): FamilyInputs {
  const shape: Shape = [
    axis("b", null, "batch"),
    axis("c", classes, "class"),
    axis("i", null, "space"),
  ];
  return { prediction: input("prediction", shape), target: input("target", shape) };
}

/** The same with class numbers of shape (b, i) as the target. */
export function labelled(classes = 3): FamilyInputs {
  const { prediction } = channelsFirst(classes);
  const [b, , i] = prediction.shape;
  return { prediction, target: input("labels", [b!, i!], "int") };
}

/** The loss of a call, on the arrays that fit it. */
export function lossOf(call: string, inputs: FamilyInputs = channelsFirst()): Expr {
  const { entry, parameters } = parseCall(call);
  return buildEntry(entry, parameters, inputs);
}

/** The spec of a call for three classes. */
export function specOf(call: string, classes = 3): FamilySpec {
  const { entry, parameters } = parseCall(call);
  return entry.spec!(new Settings(parameters), { classes });
}
