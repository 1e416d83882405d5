import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseArrayLiteral } from "../../../src/arrays/literal.ts";
import { ArrayError, elementCount } from "../../../src/arrays/ndarray.ts";
import { byEnding, sourceWithNeighbours } from "../../fuzz/corpus.ts";
import { damagedCopy, randomOf } from "../../fuzz/mutations.ts";
import { allocatingAtMost, justified, survives } from "../../fuzz/survival.ts";
import { golden } from "./expected.ts";

/** Of 20,000 in all. */
const RUNS = Math.ceil(20_000 / byEnding.size);

describe("damaged files", () => {
  for (const [ending, files] of byEnding) {
    it(`ending in ${ending} give arrays or an ArrayError, and take no more memory than they justify`, () => {
      const random = randomOf(4);
      let read = 0;
      for (let run = 0; run < RUNS; run += 1) {
        const [name, original] = files[run % files.length]!;
        const bytes = damagedCopy(name, original, random);
        const limit = justified(name, bytes.length);
        try {
          const whole = allocatingAtMost(limit, () =>
            survives(name, sourceWithNeighbours(bytes), limit),
          );
          read += whole ? 1 : 0;
        } catch (cause) {
          throw new Error(`${name}, run ${String(run)}`, { cause });
        }
      }
      assert.ok(read > RUNS / 100 && read < RUNS, `${String(read)} mutations were harmless`);
    });
  }
});

describe("damaged literals", () => {
  it("give an array or an ArrayError with a place inside the text", () => {
    const random = randomOf(6);
    const texts = golden.literals.map(({ text }) => text);
    const pieces = "[](){},.:=+-*/%<>'\"#\\ \n019eEj_xX∞…"
      .split("")
      .concat(["np.", "1e9", "**", "nan", "for "]);
    for (let run = 0; run < 6000; run += 1) {
      const characters = Array.from(texts[run % texts.length]!);
      for (let i = 0; i <= random() * 3; i += 1) {
        const at = Math.floor(random() * (characters.length + 1));
        const drop = Math.floor(random() * 3);
        characters.splice(at, drop, pieces[Math.floor(random() * pieces.length)]!);
      }
      const text = characters.join("");
      try {
        const array = parseArrayLiteral(text);
        assert.ok(array.data.length >= elementCount(array.shape), text);
      } catch (error) {
        if (!(error instanceof ArrayError)) throw new Error(`Text: ${text}`, { cause: error });
        const { line, column } = error.where ?? {};
        const lines = text.split("\n");
        assert.ok(line !== undefined && line >= 1 && line <= lines.length, text);
        assert.ok(column !== undefined && column >= 1, text);
        assert.ok(column <= lines[line - 1]!.length + 1, `${text}: column ${String(column)}`);
      }
    }
  });
});
