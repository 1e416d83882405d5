/** The bounds that numbers carry, on losses of the corpus. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { loadParserFromDisk } from "../../src/python/parser.node.ts";
import {
  type CorpusCase,
  CorpusProgram,
  TOLERANCE,
  corpusFiles,
  runCorpus,
  worstError,
} from "./corpus.ts";
import { type Answer, type Problem, itHolds, problemsOf, solve, spread } from "./knownErrors.ts";

/** Losses of every library, by the files they are in; so many of each, spread over the file. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  numpy: ["basics", "plain"],
  autograd: ["dice"],
  jax: ["dice", "regions"],
  torch: ["basics", "modules", "masked", "training", "known_values"],
  tensorflow: ["functions"],
  keras: ["losses"],
  libraries: ["monai", "smp", "kornia", "nnunet", "more"],
};
const EACH = 5;
const folder = mkdtempSync(join(tmpdir(), "dice-gradient-known-error-"));

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the error that numbers are said to have", function () {
  this.timeout(1_200_000);

  for (const [library, names] of Object.entries(FILES)) {
    describe(library, () => {
      const solved: [Problem, Answer][] = [];
      const cases = new Map<Problem, CorpusCase>();
      before(async () => {
        const parser = await loadParserFromDisk();
        const files = corpusFiles()
          .get(library)!
          .filter((f) => names.includes(basename(f, ".py")));
        const run = await runCorpus(library, files, folder);
        const problems = files.flatMap((file) => {
          const own = run.filter((c) => file.endsWith(c.file) && c.error === undefined);
          const program = new CorpusProgram(parser, own[0]!.file);
          return spread(own, EACH).flatMap((c) => {
            const { loss, wrt, bindings } = program.expressions(c);
            assert.ok(wrt.kind === "input");
            const name = `${c.file}:${c.line} ${c.case}`;
            const made = problemsOf(name, { loss, wrt, bindings });
            for (const p of made) cases.set(p, c);
            return made;
          });
        });
        solved.push(...(await solve(join(folder, `${library}.json`), problems)));
      });

      itHolds(solved);

      it("is judged by numbers that are the library's own", () => {
        const own = solved.filter(([p]) => p.own);
        assert.ok(own.length > 0);
        for (const [p, a] of own) {
          const values = a.gradient.map((g) => g?.[0] ?? NaN);
          const loss = a.loss?.[0] ?? NaN;
          const worst = worstError(cases.get(p)!, { loss, gradient: Float64Array.from(values) });
          assert.ok(worst <= TOLERANCE, `${p.name}: ${worst}`);
        }
      });
    });
  }
});
