/**
 * Which member of the Dice family a loss is. The answer is found by probing the loss, and then decided
 * by the exact test against the template: what is returned is the same function, or nothing is.
 */
import { ShapeError } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import { buildFamily } from "../../losses/family.ts";
import {
  type AbsentWeight,
  FamilyError,
  type FamilySpec,
  type Region,
  familySpec,
} from "../../losses/spec.ts";
import { splitAddends } from "./addends.ts";
import { type Constants, constantsOf, named } from "./constants.ts";
import { withClassesCounted } from "./classes.ts";
import { type Cut, type Interruption, cut, withoutCut } from "./cut.ts";
import { Probe } from "./probe.ts";
import { type Sums, fitRatio } from "./ratio.ts";
import { refined } from "./refine.ts";
import { pooledRoles, regionOf } from "./regions.ts";
import { screened } from "./screen.ts";
import { shapesOf } from "./shapes.ts";
import { type Role, type Subject, inputsOf, isLoss, rolesOf } from "./subject.ts";
import { variants } from "./variants.ts";
import { reductionsOf } from "./reductions.ts";

export interface Recognition {
  /** The loss as a member of the family, interruptions of the gradient aside. */
  readonly spec: FamilySpec;
  /** Where the code keeps the gradient from the prediction. */
  readonly interruptions: readonly Interruption[];
  /** The roles of the prediction's axes under which the spec holds. */
  readonly roles: readonly Role[];
}

/** The spec of a loss, or null when it is none of the family (or not seen to be one). */
export function recognize(subject: Subject): Recognition | null {
  for (const roles of rolesToTry(subject)) {
    const found = recognizeWith({ ...subject, roles });
    if (found !== null) return found;
  }
  return null;
}

/**
 * Two losses of the same arrays under one reading of the axes: the first under which both are of the
 * family. Where there is none, what the first loss is by itself.
 * @param known the second as a member of the family, where that is known
 */
export function recognizeBoth(
  subject: Subject,
  other: Expr,
  known: FamilySpec | null,
): { readonly own: Recognition | null; readonly other: FamilySpec | null } {
  let first: Recognition | null = null;
  for (const roles of rolesToTry(subject)) {
    const own = recognizeWith({ ...subject, roles });
    if (own === null) continue;
    first ??= own;
    const second = known ?? recognizeWith({ ...subject, loss: other, roles })?.spec ?? null;
    if (second !== null) return { own, other: second };
  }
  return { own: first, other: null };
}

/**
 * Two axes may be samples and voxels as well as the two sides of a picture; and nothing but the sums
 * tells where the classes stand: second, as in PyTorch, or last, as in Keras.
 */
function rolesToTry(subject: Subject): Role[][] {
  const own = rolesOf(subject);
  if (subject.roles !== undefined || own.length === 1) return [own];
  const rest = own.slice(1);
  const at = own.indexOf("class");
  if (at >= 0 && own.length > 2) {
    const spaces = rest.filter((r) => r !== "class");
    const other: Role[] = at === 1 ? [...spaces, "class"] : ["class", ...spaces];
    return [own, [own[0]!, ...other]];
  }
  if (own.some((r) => r !== "space")) return [own];
  return [own, ["batch", ...rest], ...(own.length === 2 ? [["batch", "class"] as Role[]] : [])];
}

/** Null also where the loss's shapes do not allow this reading, or fix sizes that no member fixes. */
function recognizeWith(subject: Subject): Recognition | null {
  try {
    return recognition(withClassesCounted(subject).subject);
  } catch (e) {
    if (e instanceof ShapeError) return null;
    throw e;
  }
}

function recognition(subject: Subject): Recognition | null {
  const parts = cut(subject);
  if (parts === null) return null;
  const roles = rolesOf(subject);
  const constants = constantsOf(subject.loss);
  const { ratio, addends } = splitAddends(parts, subject, constants);
  if (ratio === null) return null;
  const base: Partial<FamilySpec> = {
    activation: parts.activation,
    targetEncoding: parts.encoding,
    predictionClip: parts.predictionClip,
    targetSmoothing: parts.targetSmoothing,
    addends,
  };
  for (const spec of ratioSpecs({ ...parts, loss: ratio }, roles, constants, base)) {
    if (isSame(subject, parts, spec)) {
      return { spec, interruptions: parts.interruptions, roles };
    }
  }
  return null;
}

/**
 * Whether the template of a spec is the loss. Where the code interrupts the gradient, what is left
 * without the interruptions is compared: they are reasons of their own.
 */
export function isSame(subject: Subject, parts: Cut, spec: FamilySpec): boolean {
  const built = builtOn(subject, spec);
  if (built === null) return false;
  if (parts.interruptions.length === 0) return isLoss(subject, subject.loss, built).equal === true;
  if (parts.interruptions.every((i) => i.kind === "detached")) {
    return isLoss(subject, parts.uninterrupted, built).equal === true;
  }
  const { p, t } = parts;
  const plain = withoutCut(spec);
  const inner = builtOn({ ...subject, prediction: p, target: t, roles: rolesOf(subject) }, plain);
  return inner !== null && isLoss(subject, parts.loss, inner).equal === true;
}

/** The template on the subject's arrays; null when it does not fit them. */
export function builtOn(subject: Subject, spec: FamilySpec): Expr | null {
  try {
    return buildFamily(spec, inputsOf(subject));
  } catch (e) {
    if (e instanceof FamilyError || e instanceof ShapeError) return null;
    throw e;
  }
}

/** Specs that the values of the loss allow, likeliest first. */
function* ratioSpecs(
  parts: Cut,
  roles: readonly Role[],
  constants: Constants,
  base: Partial<FamilySpec>,
): Generator<FamilySpec> {
  const { loss, p, t } = parts;
  const probe = new Probe(loss, p, t, roles);
  const region = regionOf(probe);
  if (region === null) return;
  const second = new Probe(loss, p, t, roles, 1);
  const shapes = shapesOf(constants, regionCount(probe, region));
  for (const fit of fitRatio(probe, region, shapes, sumChoices(constants))) {
    for (const exact of refined(probe, region, fit)) {
      for (const reduced of reductionsOf(exact, region, [probe, second], constants)) {
        yield* screened(parts, roles, variants({ ...base, ...reduced }, loss, constants, roles));
      }
    }
  }
  yield* screened(
    parts,
    roles,
    Array.from(generalized(base, constants), (spec) => [spec]),
  );
}

/** Generalized Dice: its weights are made of the target's sums, so no ratio of one region shows. */
function* generalized(base: Partial<FamilySpec>, constants: Constants): Generator<FamilySpec> {
  const small = constants.values.filter((v) => v > 0 && v < 10).map((v) => named(v, constants));
  const smoothing = [0, ...small];
  const absent: AbsentWeight[] = [
    { kind: "largest finite" },
    { kind: "infinite" },
    ...small.flatMap((at): AbsentWeight[] => [
      { kind: "floor", at },
      { kind: "added", epsilon: at },
    ]),
  ];
  for (const volumePower of [2, 1]) {
    for (const loss of ["1 - D", "-D"] as const) {
      for (const region of ["space", "batch and space"] as const) {
        for (const absentWeight of absent) {
          for (const smoothNumerator of smoothing) {
            for (const smoothDenominator of smoothing) {
              yield familySpec({
                ...base,
                classWeighting: "volume",
                volumePower,
                loss,
                region,
                absentWeight,
                smoothNumerator,
                smoothDenominator,
              });
            }
          }
        }
      }
    }
  }
}

/** Into how many parts of equal content the sums may fall. */
function regionCount(probe: Probe, region: Region): number[] {
  const pooled = pooledRoles(region);
  const free = (["batch", "class", "space"] as const).filter((r) => !pooled.has(r));
  const counts = free.map((r) => probe.along(r));
  return [...counts, counts.reduce((a, b) => a * b, 1)];
}

function sumChoices(constants: Constants): Sums[] {
  const powers = [...new Set([1, 2, ...constants.exponents.filter((e) => e > 0)])];
  const of = (fields: Partial<Sums>): Sums => ({
    overlap: "product",
    predictionPower: 1,
    targetPower: 1,
    errorPower: 0,
    ...fields,
  });
  return [
    ...powers.flatMap((predictionPower) =>
      powers.map((targetPower) => of({ predictionPower, targetPower })),
    ),
    of({ overlap: "l1" }),
    ...powers.filter((e) => e !== 1).map((errorPower) => of({ errorPower })),
    of({ overlap: "squared product", errorPower: 2 }),
  ];
}
