/** Catalogue losses with settings and arrays: the cases of their comparison with libraries. */
import { type AxisRole, axis } from "../../src/expression/axis.ts";
import { input } from "../../src/expression/build.ts";
import type { Expr, Input } from "../../src/expression/node.ts";
import { buildEntry, formatCall, withDefaults } from "../../src/losses/call.ts";
import { type CatalogueEntry, Settings } from "../../src/losses/entry.ts";
import type { FamilyInputs } from "../../src/losses/family.ts";
import { type Filled, type TargetKind, mask, prediction, target } from "./catalogueArrays.ts";
import { type Values, comparisonOf } from "./catalogueGrid.ts";

export interface CatalogueCase {
  readonly entry: CatalogueEntry;
  readonly values: Values;
  readonly arrays: Readonly<Record<string, Filled>>;
  readonly kind: TargetKind;
}

const KINDS: readonly TargetKind[] = ["hard", "background only", "class missing", "soft"];
function rolesOf(entry: CatalogueEntry, rank: number): AxisRole[] {
  if (entry.layout === "flat") return Array.from({ length: rank }, () => "element");
  const middle = Array.from({ length: rank - 2 }, (): AxisRole => "space");
  return entry.layout === "channels-first"
    ? ["batch", "class", ...middle]
    : ["batch", ...middle, "class"];
}

/** Its settings of the grid on every shape and kind of target; every third where they are many. */
export function casesOf(entry: CatalogueEntry): CatalogueCase[] {
  const comparison = comparisonOf(entry);
  if (comparison === undefined) return [];
  const cases: CatalogueCase[] = [];
  // Of a large grid every third case, so that each setting still meets each shape or target kind.
  const step = comparison.settings.length > 40 ? 3 : 1;
  for (const [j, shape] of comparison.shapes.entries()) {
    for (const [k, chosen] of comparison.settings.entries()) {
      if (comparison.only?.(chosen, shape) === false) continue;
      const values = withDefaults(entry, chosen);
      const settings = new Settings(values);
      const channel = rolesOf(entry, shape.length).indexOf("class");
      const classes = channel < 0 ? 1 : shape[channel]!;
      const form = entry.target(settings, { classes });
      const labelled = form !== "like the prediction";
      const facts = { classes, rank: shape.length, labels: labelled && classes > 1 };
      const all = comparison.kinds ?? KINDS;
      const kinds = labelled ? all.filter((k) => k !== "soft") : all;
      const ignored = values["ignore_index"];
      const spec = entry.spec?.(settings, facts);
      const activated =
        spec !== undefined && spec.activation !== "none" && spec.addends.length === 0;
      const logits = activated || (spec?.addends.some((a) => a.takes === "logits") ?? false);
      const extra = typeof ignored === "number" && labelled ? (["ignored labels"] as const) : [];
      for (const [m, kind] of [...kinds, ...extra].entries()) {
        if ((j + k + m) % step !== 0) continue;
        const seed = 1 + cases.length;
        const made = {
          prediction: () => prediction(shape, logits ? "logits" : "probabilities", seed),
          target: () =>
            target(shape, channel, form, kind, seed + 7777, ignored as number | undefined),
          mask: () => mask(shape, channel, seed + 5555),
        };
        // An optional array is given in every second case.
        const given = entry.arrays.filter((a) => a.optional !== true || cases.length % 2 === 0);
        const arrays = Object.fromEntries(given.map((a) => [a.name, made[a.is]()]));
        cases.push({ entry, values, arrays, kind });
      }
    }
  }
  return cases;
}

/** The case as a reader would write it. */
export function titleOf({ entry, values, arrays, kind }: CatalogueCase): string {
  const { shape } = Object.values(arrays)[0]!;
  return `${formatCall(entry, values)} on ${JSON.stringify(shape)}, target ${kind}`;
}

/** The catalogue's expression of the loss, which may have axes, and the input it is derived by. */
export function expressionOf({ entry, values, arrays }: CatalogueCase): {
  readonly loss: Expr;
  readonly wrt: Input;
} {
  const nodes = Object.fromEntries(
    entry.arrays
      .filter(({ name }) => name in arrays)
      .map(({ name, is }) => {
        const { shape, type } = arrays[name]!;
        const axes = shape.map((n, d) => axis(`${is}${d}`, n));
        return [is, input(name, axes, type)];
      }),
  ) as Record<"prediction" | "target" | "mask", Input>;
  const { prediction: wrt } = nodes;
  const inputs: FamilyInputs = { ...nodes, roles: rolesOf(entry, wrt.shape.length) };
  return { loss: buildEntry(entry, values, inputs), wrt };
}
