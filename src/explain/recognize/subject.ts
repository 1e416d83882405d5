/** A loss to be recognized: its expression, and which of its arrays is what. */
import type { AxisRole } from "../../expression/axis.ts";
import type { Expr, Input } from "../../expression/node.ts";
import type { FamilyInputs } from "../../losses/family.ts";

export interface Subject {
  /** A scalar. */
  readonly loss: Expr;
  readonly prediction: Input;
  readonly target: Input;
  /** A further array that masks voxels or weighs classes. */
  readonly mask?: Input;
  readonly classWeights?: Input;
  /** What the prediction's axes stand for; by default what the axes themselves say. */
  readonly roles?: readonly AxisRole[];
}

export type Role = "batch" | "class" | "space";

/** What each axis of the prediction stands for; whatever is neither batch nor class is space. */
export function rolesOf(subject: Subject): Role[] {
  const given = subject.roles ?? subject.prediction.shape.map((a) => a.role);
  return given.map((r) => (r === "batch" || r === "class" ? r : "space"));
}

/** The arrays as the template takes them. */
export function inputsOf(subject: Subject): FamilyInputs {
  const { prediction, target, mask, classWeights } = subject;
  return {
    prediction,
    target,
    roles: rolesOf(subject),
    ...(mask === undefined ? {} : { mask }),
    ...(classWeights === undefined ? {} : { classWeights }),
  };
}
