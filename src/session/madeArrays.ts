/**
 * Arrays that the code of two losses makes itself, such as which entries sorting chose. They are part
 * of what is compared: where they differ, that is a step between the gradients.
 */
import { type NdArray, elementCount } from "../arrays/ndarray.ts";
import type { GivenStep } from "../explain/reasons/given.ts";
import { renamedInput } from "../expression/build.ts";
import type { Expr, Input } from "../expression/node.ts";
import { substitute } from "../expression/walk.ts";
import { formatNumber } from "../report/plain.ts";
import { kernelArray } from "./bindings.ts";
import type { InspectedInput, Inspection } from "./inspect.ts";
import { differenceOf, isShapedLike } from "./sameValues.ts";

export type Twins = Map<InspectedInput, InspectedInput>;

export interface MadeArrays {
  /** The second loss, with names for its own arrays that no input of the first has. */
  readonly second: Inspection;
  /** Those that the first loss has not. */
  readonly own: readonly InspectedInput[];
  /** Inputs of the first loss with those that take their place, and what that changes. */
  readonly exchanged: readonly (readonly [by: InspectedInput, of: InspectedInput])[];
  readonly steps: readonly MadeStep[];
}

/** A step between the gradients, but for the gradient at its far end. */
export type MadeStep = Omit<GivenStep, "gradient">;

/**
 * @param twins inputs of the second loss, each with that of the first that it stands for; arrays of the
 * same name and shape with other values are added, and take the place of the first one's
 */
export function madeArrays(
  first: Inspection,
  second: Inspection,
  twins: Twins,
  names: readonly [string, string],
): MadeArrays {
  const isMade = (x: InspectedInput): boolean => x.isFixed === true && x.array !== null;
  const free = (y: InspectedInput): boolean => isMade(y) && ![...twins.values()].includes(y);
  const exchanged: [InspectedInput, InspectedInput][] = [];
  const steps: MadeStep[] = [];
  for (const x of second.inputs.filter((x) => isMade(x) && !twins.has(x))) {
    const y = first.inputs.find(
      (y) => y.name === x.name && free(y) && isShapedLike(x.array!, y.array!),
    );
    if (y === undefined) continue;
    twins.set(x, y);
    exchanged.push([x, y]);
    steps.push(isChoice(y) ? otherEntries(first, x, y, names) : otherConstants(x, y, names));
  }
  for (const y of first.inputs.filter((y) => free(y) && isChoice(y))) {
    exchanged.push([withAll(y), y]);
    steps.push(allEntries(first, y, "first", names));
  }
  const left = second.inputs.filter((x) => isMade(x) && !twins.has(x));
  const renamed = withOwnNames(first, second, left);
  const own = renamed.own.map((x) => {
    if (!isChoice(x)) return x;
    steps.push(allEntries(second, x, "second", names));
    return withAll(x);
  });
  return { second: renamed.second, own, exchanged, steps };
}

/** Whether an array says which entries count. */
function isChoice({ node }: InspectedInput): boolean {
  return node.type === "bool";
}

function withAll(x: InspectedInput): InspectedInput {
  const { shape, dtype } = x.array!;
  const data = new Uint8Array(elementCount(shape)).fill(1);
  return { ...x, array: { shape, dtype, data } };
}

function withOwnNames(
  first: Inspection,
  second: Inspection,
  own: readonly InspectedInput[],
): { readonly own: readonly InspectedInput[]; readonly second: Inspection } {
  const taken = new Set([...first.inputs, ...second.inputs].map((x) => x.name));
  const names = new Map<Expr, Expr>();
  const renamed = own.map((x) => {
    if (!first.inputs.some((y) => y.name === x.name)) return x;
    let name = `${x.name}_2`;
    for (let k = 3; taken.has(name); k++) name = `${x.name}_${k}`;
    taken.add(name);
    const node = renamedInput(x.node as Input, name);
    names.set(x.node, node);
    return { ...x, name, node };
  });
  if (names.size === 0) return { own, second };
  const loss = substitute(second.loss, names);
  const gradientExpr = substitute(second.gradientExpr, names);
  return { own: renamed, second: { ...second, loss, gradientExpr } };
}

/** Lines of the first loss's file where values decided for good. */
function linesOf({ fixed = [], report }: Inspection): readonly number[] {
  const own = fixed.filter((f) => f.inputs.length > 0 && f.file === report.function.file);
  return [...new Set(own.map((f) => f.line))];
}

const CHOSEN = "Other entries";

function otherEntries(
  first: Inspection,
  x: InspectedInput,
  y: InspectedInput,
  [nameA, nameB]: readonly [string, string],
): MadeStep {
  const [a, b] = [kernelArray(y.array!), kernelArray(x.array!)];
  let common = 0;
  for (let k = 0; k < a.length; k++) if (a[k] !== 0 && b[k] !== 0) common++;
  return {
    id: "other-entries",
    side: "first",
    title: CHOSEN,
    sentence: `${nameA} takes ${countOf(y.array!)} of ${grouped(a.length)} entries and ${nameB} ${countOf(x.array!)}, of which ${grouped(common)} are the same.`,
    fix: "Take as many entries in both, by the same values.",
    lines: linesOf(first),
  };
}

function allEntries(
  of: Inspection,
  x: InspectedInput,
  side: "first" | "second",
  [nameA, nameB]: readonly [string, string],
): MadeStep {
  const [some, all] = side === "first" ? [nameA, nameB] : [nameB, nameA];
  return {
    id: "other-entries",
    side,
    title: CHOSEN,
    sentence: `${some} takes ${countOf(x.array!)} of ${grouped(elementCount(x.array!.shape))} entries, and ${all} all.`,
    fix: "Take all entries, or choose them in both.",
    lines: side === "first" ? linesOf(of) : [],
  };
}

function otherConstants(
  x: InspectedInput,
  y: InspectedInput,
  [nameA, nameB]: readonly [string, string],
): MadeStep {
  const { count, most } = differenceOf(x.array!, y.array!);
  const size = grouped(elementCount(y.array!.shape));
  return {
    id: "other-constants",
    side: "first",
    title: "Other constants",
    sentence: `The constants ${y.name} that ${nameA} makes are not those of ${nameB}: ${grouped(count)} of ${size} differ, by at most ${formatNumber(most, 4)}.`,
    fix: `Make ${y.name} in the same way.`,
  };
}

const grouped = (n: number): string => n.toLocaleString("en");

function countOf(array: NdArray): string {
  const entries = kernelArray(array);
  let count = 0;
  for (const v of entries) if (v !== 0) count++;
  return grouped(count);
}
