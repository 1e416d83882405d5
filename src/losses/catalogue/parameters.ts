/** Parameters, arrays and settings that several libraries share. */
import type { ArrayParameter, LossParameter } from "../entry.ts";
import type { PyValue } from "../python.ts";

export function float(name: string, value: number | undefined, about: string): LossParameter {
  return { name, type: "float", ...(value === undefined ? {} : { default: value }), about };
}

export function int(name: string, value: number, about: string): LossParameter {
  return { name, type: "int", default: value, about };
}

export function flag(name: string, value: boolean, about: string): LossParameter {
  return { name, type: "bool", default: value, about };
}

export function choice(
  name: string,
  choices: readonly PyValue[],
  about: string,
  value: PyValue | undefined = choices[0],
): LossParameter {
  return {
    name,
    type: "string",
    ...(value === undefined ? {} : { default: value }),
    choices,
    about,
  };
}

/** A parameter that may be None, and is by default. */
export function optional(name: string, type: LossParameter["type"], about: string): LossParameter {
  return { name, type, default: null, nullable: true, about };
}

/** A function passed by its name, among those that are known. */
export function callable(
  name: string,
  names: readonly string[],
  about: string,
  value: PyValue = null,
): LossParameter {
  const choices = names.map((n) => ({ name: n }));
  return { name, type: "callable", default: value, nullable: true, choices, about };
}

export const REDUCTION = choice(
  "reduction",
  ["mean", "sum", "none"],
  "how the losses of samples and classes become one number",
);

/** Arrays in the order (prediction, target), under a library's names. */
export function arrays(prediction: string, target: string, mask?: string): ArrayParameter[] {
  return [
    { name: prediction, is: "prediction" },
    { name: target, is: "target" },
    ...(mask === undefined ? [] : [{ name: mask, is: "mask" } as const]),
  ];
}
