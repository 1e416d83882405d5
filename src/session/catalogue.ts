/** The catalogue as plain data, for lists and menus, and the mathematics of one entry. */
import { type Shape, UNIT, axis } from "../expression/axis.ts";
import { input } from "../expression/build.ts";
import type { Expr, Input } from "../expression/node.ts";
import { deriveSteps } from "../gradient/steps.ts";
import { type Parameters, buildEntry, factsOf, formatCall, withDefaults } from "../losses/call.ts";
import { entryOf, parseCall, search } from "../losses/catalogue.ts";
import { type CatalogueEntry, type LossParameter, Settings } from "../losses/entry.ts";
import type { FamilyInputs } from "../losses/family.ts";
import { type PyValue, formatValue } from "../losses/python.ts";
import { FamilyError } from "../losses/spec.ts";
import type {
  CatalogueArray,
  CatalogueArrays,
  CatalogueFormula,
  CatalogueItem,
} from "../report/catalogue.ts";
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
 * The loss of an id or a call, and its gradient, with an example for what has no default.
 * @param arrays those that it is for; without them, of symbolic sizes that fit
 * @throws FamilyError when the entry fits none of the arrays that are tried
 * @throws CallError when the text names no loss, or settings that it has not
 */
export function catalogueFormula(text: string, arrays?: CatalogueArrays): CatalogueFormula {
  const { entry, parameters } = text.includes("(")
    ? parseCall(text)
    : { entry: entryOf(text), parameters: {} };
  const given = {
    ...Object.fromEntries(
      entry.parameters.filter((p) => p.default === undefined).map((p) => [p.name, exampleOf(p)]),
    ),
    ...parameters,
  };
  if (arrays !== undefined) return formulaOf(entry, given, (e) => arraysLike(e, arrays));
  let refusal: unknown = new FamilyError(`${entry.id} has no formula`);
  for (const classes of CLASSES) {
    try {
      return formulaOf(entry, given, (e, p) => arraysOf(e, p, classes));
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
  make: (entry: CatalogueEntry, parameters: Parameters) => FamilyInputs,
): CatalogueFormula {
  const parameters = withDefaults(entry, given);
  const inputs = make(entry, parameters);
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

/** Arrays of certain sizes, their axes as the entry's library takes them. */
function arraysLike(entry: CatalogueEntry, { prediction, target }: CatalogueArrays): FamilyInputs {
  const like = axesOf(entry.layout, prediction);
  const ranks = target.shape.length;
  const hasClasses = ranks === prediction.length;
  const own = hasClasses ? target.shape.map((n, k) => ({ ...like[k]!, size: n })) : [];
  const rest = like.filter((a) => a.role !== "class");
  const shape = hasClasses
    ? own.map((a, k) => (a.size === 1 && like[k]!.size !== 1 ? UNIT : a))
    : target.shape.map((n, k) =>
        axis(rest[k]?.name ?? `t${String(k)}`, n, rest[k]?.role ?? "space"),
      );
  return {
    prediction: input("y_pred", like),
    target: input("y_true", shape, target.type),
  };
}

function axesOf(layout: CatalogueEntry["layout"], shape: readonly number[]): Shape {
  const last = shape.length - 1;
  const space = ["d", "h", "w"].slice(-Math.max(1, Math.min(3, last - 1)));
  let next = 0;
  return shape.map((n, k) => {
    if (layout !== "flat" && k === 0) return axis("b", n, "batch");
    const isClass =
      layout === "channels-first" ? k === 1 : layout === "channels-last" && k === last;
    if (isClass) return axis("c", n, "class");
    return axis(space[next++] ?? `s${String(k)}`, n, "space");
  });
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
