/**
 * Two losses as functions of the same arrays. They need not have been given the same: one takes the
 * arrays in another type of numbers, with other values, or the probabilities of the logits that the
 * other one takes. Other values and probabilities are a step between the gradients, like any
 * difference of the code.
 */
import { type NdArray, formatShape } from "../arrays/ndarray.ts";
import type { GivenStep } from "../explain/reasons/given.ts";
import { onInputs } from "../explain/reasons/inputs.ts";
import * as build from "../expression/build.ts";
import type { Expr, Input, SourceSpan } from "../expression/node.ts";
import { dependsOn, substitute, substituteNodes, topological } from "../expression/walk.ts";
import { gradient } from "../gradient/gradient.ts";
import { compileKernel } from "../numbers/kernel.ts";
import { kernelArray } from "./bindings.ts";
import type { InspectedInput, Inspection, Watch } from "./inspect.ts";
import { chainStep, movedStep } from "./givenWords.ts";
import { type MadeStep, type Twins, madeArrays } from "./madeArrays.ts";
import { type Activation, activationBetween, isShapedLike, sameValues } from "./sameValues.ts";

export interface CommonGround {
  /** The first loss; its inputs are those of both, the second one's own arrays included. */
  readonly first: Inspection;
  /** The second loss and what the program computes as its gradient, of the first one's inputs. */
  readonly second: { readonly loss: Expr; readonly gradient: Expr };
  readonly given: readonly GivenStep[];
}

/** A text where there is none says why not. */
export function commonGround(
  first: Inspection,
  second: Inspection,
  names: readonly [string, string],
  watch: Watch,
): CommonGround | string {
  const twins = twinsOf(first, second);
  const [a, b] = [first.wrt, second.wrt];
  if (twins.get(b) !== a) return apart(a, b, names);
  const logits = activated(first, second);
  const moved = logits === null ? [...twins] : [...twins].filter(([x]) => x !== b);
  const others = moved.filter(([x, y]) => !isSame(x.array, y.array));
  // The first loss comes to the second one's arrays, where there are others.
  let ground = withArrays(first, others);
  const given: GivenStep[] = [];
  if (others.length > 0) given.push(movedStep(first.gradient!, others, names));
  const made = madeArrays(first, second, twins, names);
  const [before, after] = (["first", "second"] as const).map((side) =>
    made.steps.filter((s) => s.side === side),
  );
  if (before!.length > 0) {
    // One step, whatever it is that takes the place of what.
    const gradient = given.length > 0 ? gradientOn(ground, watch) : first.gradient!;
    given.push({ ...joined(before!), gradient });
    ground = withArrays(ground, made.exchanged);
  }
  if (after!.length > 0) given.push({ ...joined(after!), gradient: second.gradient! });
  let other = made.second;
  if (logits?.side === "first") {
    given.push(chainStep(logits, gradientOn(ground, watch), names));
    ground = chained(ground, logits.activation, b.array!);
  } else if (logits?.side === "second") {
    given.push(chainStep(logits, second.gradient!, names));
    other = chained(other, logits.activation, a.array!);
  }
  const pairs = [...twins].map(([x, y]): [Input, Input] => [x.node as Input, y.node as Input]);
  const loss = onInputs(other.loss, pairs);
  const derived = onInputs(other.gradientExpr, pairs);
  if (loss === null || derived === null) return apart(a, b, names);
  const inputs = [...ground.inputs, ...made.own];
  return { first: { ...ground, inputs }, second: { loss, gradient: derived }, given };
}

function joined(steps: readonly MadeStep[]): MadeStep {
  const [first] = steps;
  const sentence = [...new Set(steps.map((s) => s.sentence))].join(" ");
  return { ...first!, sentence };
}

function apart(
  a: InspectedInput,
  b: InspectedInput,
  [nameA, nameB]: readonly [string, string],
): string {
  const shape = (x: InspectedInput): string =>
    x.array === null ? x.name : `${x.name}, ${formatShape(x.array.shape)}`;
  return `${nameA} and ${nameB} are differentiated by different arrays (${shape(a)} and ${shape(b)}), so their gradients are not gradients of the same thing: give both the same array, in the same shape`;
}

const isSame = (a: NdArray | null, b: NdArray | null): boolean =>
  a === b || (a !== null && b !== null && sameValues(a, b));

/**
 * For each input of the second loss the one of the first that it stands for: that with the same
 * numbers, else that with the same role, or the same name, and the same shape. Arrays that the code
 * makes itself stand for others of the same numbers only.
 */
function twinsOf(first: Inspection, second: Inspection): Twins {
  const twins: Twins = new Map();
  const isFree = (y: InspectedInput): boolean => ![...twins.values()].includes(y);
  const match = (isTwin: (x: InspectedInput, y: InspectedInput) => boolean): void => {
    for (const x of second.inputs) {
      const y = twins.has(x) ? undefined : first.inputs.find((y) => isFree(y) && isTwin(x, y));
      if (y !== undefined) twins.set(x, y);
    }
  };
  const bound = (x: InspectedInput, y: InspectedInput): boolean =>
    x.array !== null && y.array !== null;
  const fits = ({ array: a }: InspectedInput, { array: b }: InspectedInput): boolean =>
    a === null || b === null ? a === b : isShapedLike(a, b);
  match((x, y) => bound(x, y) && x.array === y.array);
  match((x, y) => bound(x, y) && x.role === y.role && isSame(x.array, y.array));
  match((x, y) => bound(x, y) && isSame(x.array, y.array));
  const areGiven = (x: InspectedInput, y: InspectedInput): boolean =>
    x.isFixed !== true && y.isFixed !== true;
  match((x, y) => x.role === y.role && x.role !== "other" && fits(x, y));
  match((x, y) => x.name === y.name && areGiven(x, y) && fits(x, y));
  return twins;
}

export interface Chain {
  /** Which of the losses takes the probabilities and is brought to the logits. */
  readonly side: "first" | "second";
  readonly activation: Activation;
  readonly probabilities: NdArray;
}

/**
 * One loss was given the probabilities of the logits that the other one turns into probabilities
 * itself. A loss that takes logits for probabilities is given other values.
 */
function activated(first: Inspection, second: Inspection): Chain | null {
  const [a, b] = [first.wrt.array, second.wrt.array];
  if (a === null || b === null || isSame(a, b)) return null;
  const own = activates(second) ? activationBetween(b, a) : null;
  if (own !== null) return { side: "first", activation: own, probabilities: a };
  const other = activates(first) ? activationBetween(a, b) : null;
  return other === null ? null : { side: "second", activation: other, probabilities: b };
}

function activates({ loss, wrt }: Inspection): boolean {
  return topological(loss).some(
    (e) =>
      (e.kind === "softmax" || (e.kind === "unary" && /sigmoid|exp|tanh/.test(e.op))) &&
      dependsOn(e, wrt.node),
  );
}

/** The inspection on other arrays of the same inputs. */
function withArrays(
  inspection: Inspection,
  others: readonly (readonly [InspectedInput, InspectedInput])[],
): Inspection {
  if (others.length === 0) return inspection;
  const taken = new Map(others.map(([x, y]) => [y, x.array!]));
  const inputs = inspection.inputs.map((y) => (taken.has(y) ? { ...y, array: taken.get(y)! } : y));
  return { ...inspection, inputs, wrt: inputs[inspection.inputs.indexOf(inspection.wrt)]! };
}

/** A loss of probabilities as one of the logits that they come from, by the chain rule. */
function chained(inspection: Inspection, activation: Activation, logits: NdArray): Inspection {
  const { loss, gradientExpr, wrt, report, spans } = inspection;
  const x = wrt.node;
  const probabilities =
    activation.kind === "sigmoid" ? build.sigmoid(x) : build.softmax(x, activation.dim);
  const as = new Map([[x, probabilities]]);
  const nodes = substituteNodes(loss, as);
  const chainedLoss = nodes.get(loss)!;
  const isByHand = report.handwritten?.some((h) => h.inForce) === true;
  const moved = new Map<Expr, SourceSpan>(spans ?? []);
  for (const [before, after] of nodes) {
    const span = spans?.get(before);
    if (span !== undefined && !moved.has(after)) moved.set(after, span);
  }
  const own = { ...wrt, array: logits };
  return {
    ...inspection,
    loss: chainedLoss,
    gradientExpr: isByHand
      ? gradient(probabilities, x, substitute(gradientExpr, as))
      : gradient(chainedLoss, x),
    inputs: inspection.inputs.map((y) => (y === wrt ? own : y)),
    wrt: own,
    spans: moved,
  };
}

function gradientOn({ inputs, gradientExpr }: Inspection, watch: Watch): Float64Array {
  const bindings = new Map(inputs.map((x) => [x.name, kernelArray(x.array!)]));
  const isCancelled = (): boolean => watch.isCancelled();
  return compileKernel([gradientExpr]).run(bindings, { isCancelled }).outputs[0]!.data;
}
