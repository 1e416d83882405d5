/** The derivation's result as Python. */
import {
  type CodeRequest,
  toNumPy,
  toTorchFunction,
  toTorchLoss,
} from "../expression/pythonCode.ts";
import { leaves } from "../expression/walk.ts";
import type { Derivation, Written } from "./derivation.ts";
import type { StepsOptions } from "./steps.ts";
import { type Plan, positionsTaken } from "./stepsPlan.ts";

export function writePython(
  plan: Plan,
  options: StepsOptions,
  written: { readonly loss: Written; readonly gradient: Written },
): Pick<Derivation, "python" | "lossPython"> {
  const { outline, wrt, inner, loss } = plan;
  const used = leaves(loss);
  const ordered = [...(options.argumentOrder ?? []), ...(used.includes(wrt) ? [] : [wrt]), ...used];
  const args = [...new Set(ordered)].filter((e) => plan.names.symbolOf(e) !== undefined);
  const definitions = outline.parts.map((p) => ({ node: p.node, value: p.value }));
  if (inner !== null) {
    definitions.push({ node: inner.node, value: plan.byPart.get(inner.of.node)! });
  }
  const request: CodeRequest = {
    functionName: options.functionName,
    loss: outline.loss,
    gradient: inner === null ? plan.gradient : plan.final,
    wrt,
    inputs: args.filter((e) => e.kind === "input"),
    parameters: args.filter((e) => e.kind === "parameter"),
    definitions,
    names: plan.names,
    fixedAxes: plan.base === loss ? [] : [...positionsTaken(loss).keys()],
    lossText: written.loss.text,
    gradientText: written.gradient.text,
  };
  const numpy = toNumPy(request);
  const torch = toTorchFunction(request);
  return {
    python: numpy === null || torch === null ? null : { numpy, torch },
    lossPython: toTorchLoss(request),
  };
}
