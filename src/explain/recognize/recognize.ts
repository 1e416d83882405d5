/**
 * Which member of the Dice family a loss is. The answer is found by probing the loss, and then decided
 * by the exact test against the template: what is returned is the same function, or nothing is.
 */
import { ShapeError } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import { buildFamily } from "../../losses/family.ts";
import { FamilyError, type FamilySpec, type Region } from "../../losses/spec.ts";
import { splitAddends } from "./addends.ts";
import { type Constants, constantsOf } from "./constants.ts";
import { withClassesCounted } from "./classes.ts";
import { type Cut, cut } from "./cut.ts";
import { type Interruption, withoutInterruptions } from "./interruptions.ts";
import { masked, withoutMask } from "./masks.ts";
import { Probe } from "./probe.ts";
import { type Sums, fitRatio } from "./ratio.ts";
import { refined } from "./refine.ts";
import { pooledRoles, regionOf } from "./regions.ts";
import { Screen } from "./screen.ts";
import { shapesOf } from "./shapes.ts";
import { type Role, type Subject, inputsOf, isLoss, rolesOf } from "./subject.ts";
import { variants } from "./variants.ts";
import { reductionsOf } from "./reductions.ts";
import { weightedBy, weightings, withoutVolumes } from "./volumes.ts";

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
  const known = own.some((r) => r !== "space");
  // Of three axes the middle one or the last may be classes, as of four.
  if (own.length === 3) {
    const others: Role[][] = [
      ["batch", "class", "space"],
      ["batch", "space", "class"],
    ];
    const spaces: Role[][] = known ? [] : [["batch", ...rest]];
    return [own, ...spaces, ...others];
  }
  if (known) return [own];
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
  const { loss, interruptions } = withoutInterruptions(subject);
  const free = { ...subject, loss };
  const unmasked = withoutMask(free);
  const spec = ofAllVoxels(unmasked === null ? free : { ...free, loss: unmasked.loss });
  if (spec === null) return null;
  const roles = rolesOf(subject);
  if (unmasked === null) return { spec, interruptions, roles };
  for (const own of masked(spec, unmasked.ignoredLabel)) {
    if (isSame(free, own)) return { spec: own, interruptions, roles };
  }
  return null;
}

/** Of a loss in which nothing is masked and nothing interrupts the gradient. */
function ofAllVoxels(subject: Subject): FamilySpec | null {
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
  let tests = 0;
  for (const spec of specsOf({ ...parts, loss: ratio }, roles, constants, base)) {
    if (isSame(subject, spec)) return spec;
    if (++tests === MOST_TESTS) return null;
  }
  return null;
}

/** What is not the loss after so many exact tests differs in a way that none of the specs has. */
const MOST_TESTS = 40;

/** Whether the template of a spec is the loss. */
function isSame(subject: Subject, spec: FamilySpec): boolean {
  const built = builtOn(subject, spec);
  return built !== null && isLoss(subject, subject.loss, built).equal === true;
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

/** Specs that the loss allows: with weights that the target makes, where it makes any. */
function* specsOf(
  parts: Cut,
  roles: readonly Role[],
  constants: Constants,
  base: Partial<FamilySpec>,
): Generator<FamilySpec> {
  const screen = new Screen(parts, roles);
  const loss = withoutVolumes(parts.loss, parts.p, parts.t);
  if (loss !== null) {
    const unweighted = { ...parts, loss };
    const plain = ratioSpecs(unweighted, roles, constants, base, new Screen(unweighted, roles));
    yield* weightedSpecs(screen, plain, constants);
  }
  yield* ratioSpecs(parts, roles, constants, base, screen);
}

/** After so many readings of which none fits with any weights, the weights are others. */
const MOST_UNFIT = 3;

function* weightedSpecs(
  screen: Screen,
  plain: Iterable<FamilySpec>,
  constants: Constants,
): Generator<FamilySpec> {
  let fitting = weightings(constants);
  let unfit = 0;
  for (const spec of plain) {
    const own = fitting.filter((w) => screen.isOrdinarily(weightedBy(spec, w)));
    if (own.length > 0) {
      fitting = own;
      yield* screen.passing(own.map((w) => [weightedBy(spec, w)]));
    } else if (++unfit === MOST_UNFIT) return;
  }
}

/** Specs that the values of the loss allow, likeliest first. */
function* ratioSpecs(
  { loss, p, t }: Cut,
  roles: readonly Role[],
  constants: Constants,
  base: Partial<FamilySpec>,
  screen: Screen,
): Generator<FamilySpec> {
  const probe = new Probe(loss, p, t, roles);
  const region = regionOf(probe);
  if (region === null) return;
  const second = new Probe(loss, p, t, roles, 1);
  const shapes = shapesOf(constants, regionCount(probe, region));
  for (const fit of fitRatio(probe, region, shapes, sumChoices(constants))) {
    for (const exact of refined(probe, region, fit)) {
      for (const reduced of reductionsOf(exact, region, [probe, second], constants)) {
        yield* screen.passing(variants({ ...base, ...reduced }, loss, constants, roles));
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
