/** `dice-gradient catalogue`: the losses that others can be compared with. */
import { catalogueList } from "../session/catalogue.ts";

/** Prints the losses that fit all words, best first; exit code 1 when there is none. */
export function printCatalogue(words: readonly string[], json: boolean): number {
  const entries = catalogueList(words.join(" "));
  if (json) console.log(JSON.stringify(entries, null, 2));
  else {
    for (const e of entries) {
      console.log(`${e.call}\n    ${e.title}: ${e.about}\n    ${e.source}`);
      for (const t of e.traps) console.log(`    trap (${t.library}, ${t.versions}): ${t.sentence}`);
    }
    if (entries.length === 0) console.error(`No loss of the catalogue fits ${words.join(" ")}.`);
  }
  return entries.length === 0 ? 1 : 0;
}
