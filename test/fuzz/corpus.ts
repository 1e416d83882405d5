/** The files that damaged copies are made of: every golden file, of what is read and what is refused. */
import { readFileSync, readdirSync } from "node:fs";
import { readerFor } from "../../src/arrays/readers.ts";
import { sourceOf, type ByteSource } from "../../src/arrays/source.ts";
import { ArrayError } from "../../src/arrays/ndarray.ts";

const FOLDERS = ["../golden/arrays/", "../golden/files/"].map(
  (path) => new URL(path, import.meta.url),
);

const files = new Map(
  FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name !== "expected.json")
      .map((name) => [name, new Uint8Array(readFileSync(new URL(name, folder)))] as const),
  ),
);

/** Each file's name and bytes, a row a file, those that readers take. */
export const corpus = [...files].filter(([name]) => readerFor(name) !== undefined);

/** The endings in the corpus, each with its files. */
export const byEnding = new Map<string, typeof corpus>();
for (const file of corpus) {
  const ending = /\.[^.]+$/u.exec(file[0])![0];
  byEnding.set(ending, [...(byEnding.get(ending) ?? []), file]);
}

/** A source with the golden files as its neighbours. */
export function sourceWithNeighbours(bytes: Uint8Array): ByteSource {
  return {
    ...sourceOf(bytes),
    beside: (name) => {
      const neighbour = files.get(name);
      if (neighbour === undefined) throw new ArrayError(`There is no file ${name}.`);
      return sourceOf(neighbour);
    },
  };
}
