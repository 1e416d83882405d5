/** A loss to be recognized: its expression, and which of its arrays is what. */
import type { AxisRole } from "../../expression/axis.ts";
import { type Equality, type InputRange, decideEqual } from "../../expression/equality.ts";
import * as x from "../../expression/build.ts";
import {
  type Expr,
  type Input,
  type SourceSpan,
  annotationOf,
  withAnnotations,
} from "../../expression/node.ts";
import { substitute, topological } from "../../expression/walk.ts";
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

/**
 * Whether a loss is the subject's, or another that stands for it. The number of classes is part of
 * what a loss is where it is known: code holds it as a constant, in label smoothing or a mean.
 */
export function isLoss(subject: Subject, a: Expr, b: Expr): Equality {
  const keep = subject.prediction.shape.filter((_, d) => rolesOf(subject)[d] === "class");
  return decideEqual(a, b, { keep: keep.map((axis) => axis.name), ranges: rangesOf(subject) });
}

/** A mask says yes or no, so that it may be multiplied once or twice. */
export function rangesOf({ mask }: Subject): Record<string, InputRange> {
  return mask === undefined ? {} : { [mask.name]: "binary" };
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

/** A small array that stands in the code, such as class weights. */
export interface Literal {
  readonly node: Input;
  readonly values: ArrayLike<number>;
}

/** Entries beyond which an array is data and no list of numbers that somebody wrote. */
export const MOST_LITERALS = 64;

/** A loss with the numbers of its literal arrays in it, and where its nodes stand. */
export function withLiterals(
  loss: Expr,
  literals: readonly Literal[],
  spans: ReadonlyMap<Expr, SourceSpan>,
): { readonly loss: Expr; readonly spans: ReadonlyMap<Expr, SourceSpan> } {
  const written = literals.filter(({ values }) => values.length <= MOST_LITERALS);
  if (written.length === 0) return { loss, spans };
  return withAnnotations(spans, new Map(), () => {
    const replaced = substitute(loss, new Map(written.map((l) => [l.node, numbersOf(l)])));
    const places = new Map(spans);
    for (const e of topological(replaced)) {
      const span = annotationOf(e)?.spans[0];
      if (span !== undefined && !places.has(e)) places.set(e, span);
    }
    return { loss: replaced, spans: places };
  });
}

function numbersOf({ node, values }: Literal): Expr {
  const numbers = Array.from(values, (v) => x.constant(v));
  const { shape } = node;
  if (shape.length === 0) return numbers[0]!;
  if (shape.length === 1) return x.stack(numbers, 0, shape[0]);
  return x.reshape(x.stack(numbers, 0), shape);
}
