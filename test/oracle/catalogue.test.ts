import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BoundArray, evaluateAll } from "../../src/expression/evaluate.ts";
import { derive } from "../../src/gradient/derive.ts";
import { CATALOGUE } from "../../src/losses/catalogue.ts";
import { formatCall } from "../../src/losses/call.ts";
import type { CatalogueEntry } from "../../src/losses/entry.ts";
import { type CatalogueCase, casesOf, expressionOf, titleOf } from "./catalogueCases.ts";
import { runOracle } from "./environment.ts";

type Answer =
  | { readonly loss: (number | string)[]; readonly gradient: (number | string)[] }
  | { readonly error: string };

const TOLERANCE = 1e-12;
/** Terms of size one are rounded to this: no gradient is known better that is made of such terms. */
const ROUNDING = 1e-15;

/** Loss and gradient from the catalogue's expression. */
function ours(c: CatalogueCase): { loss: Float64Array; gradient: Float64Array } {
  const bindings = new Map<string, BoundArray>(Object.entries(c.arrays));
  const { loss, wrt } = expressionOf(c);
  const [value, gradient] = evaluateAll([loss, derive(loss, wrt)], bindings);
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
          const where = titleOf(one);
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
