/**
 * Exponents that parameters decide, as the γ of a focal loss. Small whole ones are products, which
 * take a tenth of the time of a power and have a reference on vectors; but which code is right is
 * known only with the parameters' values, so kernels are compiled by those.
 */
import * as b from "../expression/build.ts";
import type { Expr, Parameter } from "../expression/node.ts";
import { leaves, substitute, topological } from "../expression/walk.ts";
import { isSmallInteger } from "./kernel/cost.ts";
import { type Bindings, boundValue } from "./typedArrays.ts";

export class Exponents {
  /** Scalars of parameters and constants alone. */
  private readonly exponents: readonly Expr[];
  private readonly parameters: readonly Parameter[];

  constructor(outputs: readonly Expr[]) {
    const found = topological(...outputs).flatMap((e) =>
      e.kind === "binary" && e.op === "pow" ? [e.args[1]!] : [],
    );
    const isOfParameters = (e: Expr): boolean =>
      e.kind !== "const" && e.shape.length === 0 && leaves(e).every((x) => x.kind === "parameter");
    this.exponents = [...new Set(found)].filter(isOfParameters);
    const all = new Set(this.exponents.flatMap(leaves));
    this.parameters = [...all].filter((e) => e.kind === "parameter");
  }

  get none(): boolean {
    return this.exponents.length === 0;
  }

  /** Whether every parameter has a value of its own. */
  get areGiven(): boolean {
    return this.parameters.every((p) => p.value !== null);
  }

  /**
   * The exponents that are small whole numbers, with their values.
   * @param valuesOf evaluates all exponents, always the same ones
   */
  small(
    bindings: Bindings,
    valuesOf: (exponents: readonly Expr[], bindings: Bindings) => number[],
  ): Map<Expr, number> {
    const own = new Map(this.parameters.map((p) => [p.name, boundValue(p, bindings)]));
    const values = valuesOf(this.exponents, own);
    const all = this.exponents.map((e, k) => [e, values[k]!] as const);
    return new Map(all.filter(([, value]) => isSmallInteger(b.constant(value))));
  }
}

/** The outputs with these exponents. */
export function withExponents(
  outputs: readonly Expr[],
  exponents: ReadonlyMap<Expr, number>,
): Expr[] {
  const constants = new Map([...exponents].map(([e, value]) => [e, b.constant(value)]));
  return outputs.map((e) => substitute(e, constants));
}
