/** All losses of the catalogue, and how to find one. */
import { KERAS } from "./catalogue/keras.ts";
import { KORNIA } from "./catalogue/kornia.ts";
import { MONAI } from "./catalogue/monai.ts";
import { NNUNET } from "./catalogue/nnunet.ts";
import { OPENMMLAB } from "./catalogue/openmmlab.ts";
import { PAPERS } from "./catalogue/papers.ts";
import { PROJECTS } from "./catalogue/projects.ts";
import { SEGMENTATION_MODELS } from "./catalogue/smp.ts";
import { TORCH_LIBRARIES } from "./catalogue/torchLibraries.ts";
import { type CatalogueCall, parseCall as parseAmong } from "./call.ts";
import type { CatalogueEntry } from "./entry.ts";

export const CATALOGUE: readonly CatalogueEntry[] = [
  ...MONAI,
  ...SEGMENTATION_MODELS,
  ...NNUNET,
  ...KORNIA,
  ...KERAS,
  ...OPENMMLAB,
  ...TORCH_LIBRARIES,
  ...PROJECTS,
  ...PAPERS,
];

/** Reads a call of a catalogue loss, as its library writes it. @throws CallError */
export function parseCall(text: string): CatalogueCall {
  return parseAmong(text, CATALOGUE);
}

/** The entry whose call is `id`. @throws when there is none */
export function entryOf(id: string): CatalogueEntry {
  const found = CATALOGUE.find((e) => e.id === id);
  if (found === undefined) throw new Error(`no catalogue entry ${id}`);
  return found;
}

/**
 * Entries that fit all words of `text`, best first: words in the name count more than words in the
 * library, the aliases and the parameters, and those more than words of the description.
 */
export function search(
  text: string,
  entries: readonly CatalogueEntry[] = CATALOGUE,
): CatalogueEntry[] {
  const words = text
    .toLowerCase()
    .split(/[\s,()]+/)
    .filter((w) => w !== "");
  if (words.length === 0) return [...entries];
  const scored = entries.map((entry, order) => {
    const scores = words.map((word) => scoreOf(entry, word));
    return { entry, order, score: scores.includes(0) ? 0 : scores.reduce((a, b) => a + b, 0) };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map(({ entry }) => entry);
}

function scoreOf(entry: CatalogueEntry, word: string): number {
  const has = (...texts: readonly string[]): boolean =>
    texts.some((t) => t.toLowerCase().includes(word));
  if (has(entry.id, entry.title)) return 4;
  if (has(entry.library, ...entry.aliases)) return 3;
  if (has(...entry.parameters.map((p) => p.name))) return 2;
  const paper = entry.source.kind === "paper" ? [entry.source.authors, entry.source.title] : [];
  return has(entry.about, ...paper, ...entry.traps.map((t) => t.sentence)) ? 1 : 0;
}
