/** What may stand between the ratio and the value of a loss, each with its inverse. */
import type { Outer } from "../../losses/spec.ts";
import type { Constants } from "./constants.ts";
import type { Shape } from "./ratio.ts";

const NONE: Outer = { kind: "none" };

/** @param regions number of equal regions that the probe's value may be the sum of */
export function shapesOf(constants: Constants, regions: readonly number[]): Shape[] {
  const own = [1, ...constants.values.filter((v) => v > 0)];
  const factors = [
    ...new Set([
      ...own,
      ...regions,
      ...own.flatMap((v) => regions.map((n) => v * n)),
      ...constants.totals.flatMap((v) => [v, ...regions.map((n) => v / n)]),
    ]),
  ];
  const exponents = new Set<number>();
  for (const v of [...constants.exponents, ...constants.values]) {
    if (v < 0.05 || v > 20 || v === 1) continue;
    exponents.add(v);
    exponents.add(1 / v);
  }
  const plain: Shape = {
    loss: "linear",
    outer: NONE,
    factor: null,
    inverse: (h) => h,
    forward: (y) => y,
  };
  return [
    plain,
    ...[...exponents].map((exponent): Shape => ({
      loss: "linear",
      outer: { kind: "power", exponent },
      factor: null,
      inverse: (h) => h ** (1 / exponent),
      forward: (y) => y ** exponent,
    })),
    ...factors.flatMap((factor): Shape[] => [
      {
        loss: "-log D",
        outer: NONE,
        factor,
        inverse: (h) => Math.exp(-h / factor),
        forward: (y) => -Math.log(y),
      },
      {
        loss: "linear",
        outer: { kind: "log-cosh" },
        factor,
        inverse: (h) => Math.acosh(Math.exp(h / factor)),
        forward: (y) => Math.log(Math.cosh(y)),
      },
      {
        loss: "linear",
        outer: { kind: "log" },
        factor,
        inverse: (h) => Math.exp(h / factor),
        forward: Math.log,
      },
    ]),
    ...factors.flatMap((factor) =>
      [...exponents].map((exponent): Shape => ({
        loss: "-log D",
        outer: { kind: "power", exponent },
        factor,
        inverse: (h) => Math.exp(-((h / factor) ** (1 / exponent))),
        forward: (y) => (-Math.log(y)) ** exponent,
      })),
    ),
  ];
}
