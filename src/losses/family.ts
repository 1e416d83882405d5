/**
 * The template of Dice-family losses: the expression of a spec on given arrays.
 *
 * It builds what the spec says, in the order in which such losses compute (activation, target,
 * sums, ratio, loss of a region, reduction), and leaves simplification to the expression room.
 */
import * as x from "../expression/build.ts";
import type { Expr } from "../expression/node.ts";
import { addendOf } from "./family/addends.ts";
import { times } from "./family/named.ts";
import { type FamilyInputs, prepare } from "./family/prepare.ts";
import { reduceScores } from "./family/reduce.ts";
import { scoreOf } from "./family/score.ts";
import { FamilyError, type FamilySpec, valueOf } from "./spec.ts";

export type { FamilyInputs } from "./family/prepare.ts";

/**
 * The loss that `spec` describes, of the given arrays: a scalar, or with the reduction "none" one
 * entry for each sample and class that has a ratio of its own.
 * @throws FamilyError when the arrays do not fit the spec (a softmax without a class axis, …)
 */
export function buildFamily(spec: FamilySpec, inputs: FamilyInputs): Expr {
  const ready = prepare(spec, inputs);
  const { addends } = spec;
  if (valueOf(spec.factor) === 0 && addends.length > 0) return addAll(spec, ready, inputs, null);
  const reduced = reduceScores(spec, scoreOf(spec, ready, inputs), inputs);
  const loss = times(spec.factor, reduced.expr);
  if (addends.length > 0 && loss.shape.length > 0) {
    throw new FamilyError("a loss with further terms is reduced to one number");
  }
  return addAll(spec, ready, inputs, loss);
}

function addAll(
  spec: FamilySpec,
  ready: ReturnType<typeof prepare>,
  inputs: FamilyInputs,
  loss: Expr | null,
): Expr {
  const terms = spec.addends.map((a) => times(a.weight, addendOf(a, ready, inputs)));
  return terms.reduce((total, term) => (total === null ? term : x.add(total, term)), loss)!;
}
