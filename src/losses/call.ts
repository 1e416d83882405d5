/** Catalogue losses by the call that makes them: `monai.losses.DiceLoss(sigmoid=True)`. */
import { ShapeError } from "../expression/axis.ts";
import { type Expr } from "../expression/node.ts";
import type { ArrayFacts, CatalogueEntry, LossParameter } from "./entry.ts";
import { Settings } from "./entry.ts";
import { type FamilyInputs, buildFamily } from "./family.ts";
import {
  type Argument,
  CallError,
  type PyValue,
  formatValue,
  isDict,
  isName,
  readCall,
} from "./python.ts";
import { FamilyError, type FamilySpec } from "./spec.ts";

export type Parameters = Readonly<Record<string, PyValue>>;

export interface CatalogueCall {
  readonly entry: CatalogueEntry;
  /** A value for every parameter, defaults filled in. */
  readonly parameters: Parameters;
}

/** The entry's parameters with `given` over the defaults. @throws CallError */
export function withDefaults(entry: CatalogueEntry, given: Parameters = {}): Parameters {
  const all: Record<string, PyValue> = {};
  for (const p of entry.parameters) {
    const value = given[p.name] ?? (p.name in given ? null : p.default);
    if (value === undefined) {
      throw new CallError(`${entry.id} needs ${p.name}: ${p.about}`, 0);
    }
    all[p.name] = checked(entry, p, value, 0);
  }
  return all;
}

/** The loss of an entry on given arrays. @throws FamilyError when they or the settings do not fit */
export function buildEntry(
  entry: CatalogueEntry,
  parameters: Parameters,
  inputs: FamilyInputs,
): Expr {
  const settings = new Settings(withDefaults(entry, parameters));
  const facts = factsOf(inputs);
  if (entry.build !== undefined) return built(entry, () => entry.build!(settings, facts, inputs));
  if (entry.spec !== undefined) return buildFamily(entry.spec(settings, facts), inputs);
  throw new FamilyError(`${entry.id} has no formula`);
}

/** A formula of its own on arrays whose shapes need not suit it. */
function built(entry: CatalogueEntry, build: () => Expr): Expr {
  try {
    return build();
  } catch (e) {
    if (!(e instanceof ShapeError)) throw e;
    throw new FamilyError(`${entry.id} does not fit these arrays: ${e.message}`);
  }
}

/** A loss on arrays whose target it may not take as it is. */
export interface Fitted {
  readonly loss: Expr;
  readonly spec: FamilySpec | null;
  /** What is done to the target for it: made channels, or taken as such; null where nothing is. */
  readonly encoding: FamilySpec["targetEncoding"] | null;
}

/**
 * The loss of an entry for the target at hand: a map of classes, or one that has a class axis.
 * @throws FamilyError when the arrays or the settings do not fit all the same
 */
export function fitEntry(
  entry: CatalogueEntry,
  parameters: Parameters,
  inputs: FamilyInputs,
): Fitted {
  const settings = new Settings(withDefaults(entry, parameters));
  const spec = entry.spec?.(settings, factsOf(inputs)) ?? null;
  try {
    return { loss: buildEntry(entry, parameters, inputs), spec, encoding: null };
  } catch (e) {
    if (!(e instanceof FamilyError) || spec === null) throw e;
    const encoding = spec.targetEncoding === "one-hot" ? "as given" : "one-hot";
    const fitted = { ...spec, targetEncoding: encoding } as const;
    return { loss: buildFamily(fitted, inputs), spec: fitted, encoding };
  }
}

/** What a spec may ask: the classes of the prediction (1 without a class axis, 3 if unknown), … */
export function factsOf(inputs: FamilyInputs): ArrayFacts {
  const { prediction, target } = inputs;
  const roles = inputs.roles ?? prediction.shape.map((a) => a.role);
  const at = roles.indexOf("class");
  const classes = at < 0 ? 1 : (prediction.shape[at]?.size ?? 3);
  const fewer = target.shape.length < prediction.shape.length;
  const labels = classes > 1 && (fewer || target.shape[at]?.size === 1);
  return { classes, rank: prediction.shape.length, mask: inputs.mask !== undefined, labels };
}

/**
 * Reads a call as its library writes it. The name may be shortened from the left as imports do, as
 * long as one entry fits; arrays may stand in it by name and are skipped.
 * @throws CallError that says what is wrong and what would be right
 */
export function parseCall(text: string, entries: readonly CatalogueEntry[]): CatalogueCall {
  const call = readCall(text);
  const entry = entryNamed(call.callee, entries);
  const given: Record<string, PyValue> = {};
  const slots = [
    ...(entry.form === "function" ? entry.arrays.map((a) => a.name) : []),
    ...entry.parameters.map((p) => p.name),
  ];
  call.arguments.forEach((argument, k) => {
    const name = argument.keyword ?? slots[k];
    if (name === undefined) {
      throw new CallError(
        `${entry.id} takes ${slots.length} arguments: ${slots.join(", ")}`,
        argument.at,
      );
    }
    if (entry.arrays.some((a) => a.name === name) && entry.form === "function") {
      if (isName(argument.value)) return;
      throw new CallError(`${name} is an array: name it, or leave it out`, argument.at);
    }
    if (name in given) throw new CallError(`${name} is given twice`, argument.at);
    given[name] = accepted(entry, name, argument);
  });
  return { entry, parameters: withDefaults(entry, given) };
}

/** The call that gives these parameters, with those only that are not the default. */
export function formatCall(entry: CatalogueEntry, parameters: Parameters): string {
  const shown = entry.parameters.flatMap((p) => {
    const value = parameters[p.name];
    if (value === undefined) return [];
    const text = formatValue(value, isFloat(p));
    if (p.default !== undefined && text === formatValue(p.default, isFloat(p))) return [];
    const wrap = p.wrapper !== undefined && Array.isArray(value);
    return [`${p.name}=${wrap ? `${p.wrapper}(${text})` : text}`];
  });
  return `${entry.id}(${shown.join(", ")})`;
}

const isFloat = (p: LossParameter): boolean => p.type === "float" || p.type === "floats";

function entryNamed(name: string, entries: readonly CatalogueEntry[]): CatalogueEntry {
  const whole = entries.filter((e) => e.id === name || e.aliases.includes(name));
  if (whole[0] !== undefined) return whole[0];
  const ending = entries.filter((e) =>
    [e.id, ...e.aliases].some((n) => n.endsWith(`.${name}`) || name.endsWith(`.${n}`)),
  );
  if (ending.length === 1) return ending[0]!;
  if (ending.length > 1) {
    throw new CallError(`${name} is the name of several losses: ${listed(ending)}`, 0);
  }
  const last = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const near = entries.filter((e) => e.id.toLowerCase().includes(last));
  const hint = near.length > 0 ? `; near it are ${listed(near)}` : "";
  const known = entries.map((e) => e.id);
  throw new CallError(`${name} is not in the catalogue${hint}`, 0, { name, known });
}

function listed(entries: readonly CatalogueEntry[]): string {
  const names = entries.map((e) => e.id);
  return names.length > 5 ? `${names.slice(0, 5).join(", ")}, …` : names.join(", ");
}

function accepted(entry: CatalogueEntry, name: string, { value, at }: Argument): PyValue {
  const parameter = entry.parameters.find((p) => p.name === name);
  if (parameter === undefined) {
    const names = entry.parameters.map((p) => p.name);
    throw new CallError(
      `${entry.id} has no parameter ${name}` +
        (names.length === 0 ? ": it has none" : `; it has ${names.join(", ")}`),
      at,
      { name, known: names },
    );
  }
  return checked(entry, parameter, value, at);
}

function checked(entry: CatalogueEntry, p: LossParameter, value: PyValue, at: number): PyValue {
  const wrong = (what: string): CallError =>
    new CallError(`${entry.id}: ${p.name} is ${what}, not ${formatValue(value)}`, at);
  if (value === null && (p.nullable === true || p.default === null)) return value;
  if (p.choices !== undefined) {
    const names = p.choices.map((c) => formatValue(c));
    if (names.includes(formatValue(value))) return value;
    throw wrong(names.length === 1 ? `always ${names[0]!}` : `one of ${names.join(", ")}`);
  }
  const numbers = Array.isArray(value) && value.every((v) => typeof v === "number");
  switch (p.type) {
    case "float":
    case "int":
      if (typeof value !== "number" || (p.type === "int" && !Number.isInteger(value))) {
        throw wrong(p.type === "int" ? "a whole number" : "a number");
      }
      return value;
    case "bool":
      if (typeof value !== "boolean") throw wrong("True or False");
      return value;
    case "string":
      if (typeof value !== "string") throw wrong("a string");
      return value;
    case "callable":
      if (!isName(value)) throw wrong("the name of a function");
      return value;
    case "dict":
      if (!isDict(value)) throw wrong("a dictionary");
      return value;
    case "floats":
    case "ints":
      if (!numbers && typeof value !== "number") throw wrong("a list of numbers");
      return value;
  }
}
