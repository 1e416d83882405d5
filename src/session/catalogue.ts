/** The catalogue as plain data, for lists and menus, and the mathematics of one entry. */
import { type Shape, UNIT, axis } from "../expression/axis.ts";
import { input } from "../expression/build.ts";
import type { Expr, Input } from "../expression/node.ts";
import { deriveSteps } from "../gradient/steps.ts";
import { type Parameters, buildEntry, factsOf, formatCall, withDefaults } from "../losses/call.ts";
import { entryOf, search } from "../losses/catalogue.ts";
import { type CatalogueEntry, type LossParameter, Settings } from "../losses/entry.ts";
import type { FamilyInputs } from "../losses/family.ts";
import { type PyValue, formatValue } from "../losses/python.ts";
import { FamilyError } from "../losses/spec.ts";
import type { CatalogueArray, CatalogueFormula, CatalogueItem } from "../report/catalogue.ts";
import { trapsOf } from "./traps.ts";

/** Losses that fit all words of `text`, best first; all of them for an empty text. */
export function catalogueList(text: string): CatalogueItem[] {
  return search(text).map(itemOf);
}

function itemOf(entry: CatalogueEntry): CatalogueItem {
  const { source } = entry;
  const parameters = entry.parameters.map((p) => ({
    name: p.name,
    default: p.default === undefined ? null : formatValue(p.default, p.type === "float"),
    about: p.about,
  }));
  const settings = parameters.map((p) => (p.default === null ? p.name : `${p.name}=${p.default}`));
  return {
    id: entry.id,
    call: `${entry.id}(${settings.join(", ")})`,
    title: entry.title,
    library: entry.library,
    about: entry.about,
    source:
      source.kind === "library"
        ? `${source.package} ${source.version}, ${source.file}, ${source.symbol}`
        : `${source.authors}, ${source.title} (${source.year}), ${source.place}`,
    url: source.url,
    parameters,
    traps: trapsOf(entry),
  };
}

/** Numbers of classes to try: any, several, and one for losses that take a single channel. */
const CLASSES = [null, 3, 1] as const;

/**
 * The loss and its gradient with the defaults, and with an example for what has none.
 * @throws FamilyError when the entry fits none of the arrays that are tried
 */
export function catalogueFormula(id: string): CatalogueFormula {
  const entry = entryOf(id);
  const given = Object.fromEntries(
    entry.parameters.filter((p) => p.default === undefined).map((p) => [p.name, exampleOf(p)]),
  );
  let refusal: unknown = new FamilyError(`${id} has no formula`);
  for (const classes of CLASSES) {
    try {
      return formulaOf(entry, given, classes);
    } catch (e) {
      if (!(e instanceof FamilyError)) throw e;
      refusal = e;
    }
  }
  throw refusal;
}

function formulaOf(
  entry: CatalogueEntry,
  given: Parameters,
  classes: number | null,
): CatalogueFormula {
  const parameters = withDefaults(entry, given);
  const inputs = arraysOf(entry, parameters, classes);
  const loss = buildEntry(entry, parameters, inputs);
  const { prediction, target, mask } = inputs;
  const arrays = [prediction, target, ...(mask === undefined ? [] : [mask])] as Input[];
  const name = functionNameOf(entry);
  const derivation = deriveSteps(loss, prediction, {
    functionName: name,
    target,
    argumentOrder: arrays,
  });
  return {
    call: formatCall(entry, parameters),
    layout: entry.layout,
    loss: derivation.loss,
    gradient: derivation.gradient,
    symbols: derivation.symbols,
    inputs: arrays.map((x): CatalogueArray => ({
      name: x.name,
      role: x === prediction ? "prediction" : x === target ? "target" : "other",
      shape: x.shape.map((a) => a.size ?? a.name),
      type: x.type,
    })),
    code: codeOf(derivation.lossPython),
  };
}

/** The written function has the name that its definition says. */
function codeOf(text: string | null): CatalogueFormula["code"] {
  const name = /^def (\w+)\(/m.exec(text ?? "")?.[1];
  return text === null || name === undefined ? null : { name, text };
}

function functionNameOf({ id }: CatalogueEntry): string {
  return id.slice(id.lastIndexOf(".") + 1);
}

/** Arrays of symbolic sizes in the layout that the entry's library has. */
function arraysOf(
  entry: CatalogueEntry,
  parameters: Parameters,
  classes: number | null,
): FamilyInputs {
  const batch = axis("b", null, "batch");
  const space = [axis("h", null, "space"), axis("w", null, "space")];
  // Pictures, with channels first as PyTorch has them: the formula is the same for any layout, and
  // with fewer axes nobody can tell which one the classes are along.
  const laidOut = (channel: Shape): Shape =>
    entry.layout === "flat" ? space : [batch, ...channel, ...space];
  const c = axis("c", classes, "class");
  const prediction = input("prediction", laidOut([c]));
  const like = input("target", laidOut([c]));
  const settings = new Settings(parameters);
  const form = entry.target(settings, {
    ...factsOf({ prediction, target: like }),
    classes: classes ?? 3,
  });
  const target: Expr =
    form === "like the prediction"
      ? like
      : input("target", laidOut(form === "labels" ? [] : [UNIT]), "int");
  const takesMask = entry.arrays.some((a) => a.is === "mask" && a.optional !== true);
  return {
    prediction,
    target,
    ...(takesMask ? { mask: input("mask", laidOut([UNIT])) } : {}),
  };
}

/** A value for a parameter that has no default. */
function exampleOf({ choices, type, name }: LossParameter): PyValue {
  if (choices !== undefined) return choices.find((c) => c === "multilabel") ?? choices[0]!;
  switch (type) {
    case "bool":
      return false;
    case "int":
      return 3;
    case "float":
      return /alpha|beta/.test(name) ? 0.5 : 1;
    case "floats":
    case "ints":
      return [1, 1, 1];
    case "dict":
      return { items: {} };
    case "string":
    case "callable":
      return null;
  }
}
