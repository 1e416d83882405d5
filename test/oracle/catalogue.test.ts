import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AxisRole, axis } from "../../src/expression/axis.ts";
import { input } from "../../src/expression/build.ts";
import { type BoundArray, evaluateAll } from "../../src/expression/evaluate.ts";
import { derive } from "../../src/gradient/derive.ts";
import { CATALOGUE } from "../../src/losses/catalogue.ts";
import { buildEntry, formatCall, withDefaults } from "../../src/losses/call.ts";
import { type CatalogueEntry, Settings } from "../../src/losses/entry.ts";
import type { FamilyInputs } from "../../src/losses/family.ts";
import { type Filled, type TargetKind, mask, prediction, target } from "./catalogueArrays.ts";
import { type Values, comparisonOf } from "./catalogueGrid.ts";
import { runOracle } from "./environment.ts";

interface Case {
  readonly entry: CatalogueEntry;
  readonly values: Values;
  readonly arrays: Readonly<Record<string, Filled>>;
  readonly kind: TargetKind;
}

type Answer =
  | { readonly loss: (number | string)[]; readonly gradient: (number | string)[] }
  | { readonly error: string };

const KINDS: readonly TargetKind[] = ["hard", "background only", "class missing", "soft"];
const TOLERANCE = 1e-12;
/** Terms of size one are rounded to this: no gradient is known better that is made of such terms. */
const ROUNDING = 1e-15;

function rolesOf(entry: CatalogueEntry, rank: number): AxisRole[] {
  if (entry.layout === "flat") return Array.from({ length: rank }, () => "element");
  const middle = Array.from({ length: rank - 2 }, (): AxisRole => "space");
  return entry.layout === "channels-first"
    ? ["batch", "class", ...middle]
    : ["batch", ...middle, "class"];
}

function casesOf(entry: CatalogueEntry): Case[] {
  const comparison = comparisonOf(entry);
  if (comparison === undefined) return [];
  const cases: Case[] = [];
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

/** Loss and gradient from the catalogue's expression. */
function ours({ entry, values, arrays }: Case): { loss: Float64Array; gradient: Float64Array } {
  const bindings = new Map<string, BoundArray>(Object.entries(arrays));
  const nodes = Object.fromEntries(
    entry.arrays
      .filter(({ name }) => name in arrays)
      .map(({ name, is }) => {
        const { shape, type } = arrays[name]!;
        const axes = shape.map((n, d) => axis(`${is}${d}`, n));
        return [is, input(name, axes, type)];
      }),
  ) as Record<"prediction" | "target" | "mask", FamilyInputs["prediction"]>;
  const { prediction: p } = nodes;
  const inputs: FamilyInputs = { ...nodes, roles: rolesOf(entry, p.shape.length) };
  const loss = buildEntry(entry, values, inputs);
  const [value, gradient] = evaluateAll([loss, derive(loss, p)], bindings);
  return { loss: value!.data, gradient: gradient!.data };
}

const read = (values: readonly (number | string)[]): number[] =>
  values.map((v) => (typeof v === "number" ? v : Number(v.replace("inf", "Infinity"))));

/** Largest error in units of the largest magnitude; entries that are not finite must be the same. */
function distance(mine: ArrayLike<number>, theirs: readonly number[]): number {
  if (mine.length !== theirs.length) return Infinity;
  const scale = Math.max(...theirs.map((x) => (Number.isFinite(x) ? Math.abs(x) : 0)));
  return theirs.reduce((worst, x, k) => {
    const own = mine[k]!;
    if (Object.is(own, x) || own === x) return worst;
    const apart = Math.abs(own - x);
    if (apart <= ROUNDING) return worst;
    return Math.max(worst, Number.isFinite(apart) && scale > 0 ? apart / scale : Infinity);
  }, 0);
}

/** A single library where DICE_GRADIENT_LIBRARY names one. */
const wanted = process.env["DICE_GRADIENT_LIBRARY"];
/** What an entry is checked with: its installed library, or a transcription of its formula. */
function checkedWith({ source }: CatalogueEntry): string {
  return source.kind === "library" && source.transcribed !== true ? source.package : FORMULAS;
}
const FORMULAS = "formulas";
const packages = [...new Set(CATALOGUE.map(checkedWith))];

for (const name of packages) {
  const entries = CATALOGUE.filter((e) => checkedWith(e) === name);
  if (wanted !== undefined && wanted !== name) continue;
  const reference =
    name === FORMULAS
      ? "without an installed library against their formula"
      : `of ${name} against it`;
  describe(`catalogue losses ${reference}, in float64`, function () {
    this.timeout(600_000);
    const folder = mkdtempSync(join(tmpdir(), "dice-gradient-catalogue-"));
    const cases = entries.map((entry) => casesOf(entry));
    let answers: { version: string; answers: Answer[] };

    before(async () => {
      const requests = cases.flat().map(({ entry, values, arrays }) => ({
        call: formatCall(entry, values),
        form: entry.form,
        arrays: Object.entries(arrays).map(([name, array]) => ({ name, ...array })),
        wrt: entry.arrays.find((a) => a.is === "prediction")!.name,
      }));
      const [asked, answered] = [join(folder, "requests.json"), join(folder, "answers.json")];
      writeFileSync(asked, JSON.stringify(requests));
      await runOracle("test/oracle/catalogue.py", [name, asked, answered]);
      answers = JSON.parse(readFileSync(answered, "utf8")) as typeof answers;
    });
    after(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    let start = 0;
    entries.forEach((entry, k) => {
      const own = cases[k]!;
      const from = start;
      start += own.length;
      it(`${entry.id}: loss and gradient agree to 1e-12 in ${own.length} cases`, () => {
        assert.ok(own.length > 0);
        if (entry.source.kind === "library" && entry.source.transcribed !== true) {
          assert.equal(entry.source.version, answers.version);
        }
        own.forEach((one, j) => {
          const answer = answers.answers[from + j]!;
          const where = `${formatCall(entry, one.values)} on ${JSON.stringify(Object.values(one.arrays)[0]!.shape)}, target ${one.kind}`;
          assert.ok(!("error" in answer), `${where}: ${JSON.stringify(answer)}`);
          const mine = ours(one);
          const loss = distance(mine.loss, read(answer.loss));
          const gradient = distance(mine.gradient, read(answer.gradient));
          assert.ok(
            loss <= TOLERANCE && gradient <= TOLERANCE,
            `${where}: loss ${String([...mine.loss])} against ${String(answer.loss)}, gradients apart by ${gradient.toExponential(2)}`,
          );
        });
      });
    });
  });
}
