/** Traps as reports name them: with their library and the versions that have them. */
import type { ArrayFacts, CatalogueEntry, Settings, Source, Trap } from "../losses/entry.ts";
import type { TrapNote } from "../report/schema.ts";

/** All traps of a loss, whatever its settings. */
export function trapsOf(entry: CatalogueEntry): TrapNote[] {
  return entry.traps.map((t) => noteOf(entry, t));
}

/** The traps that a loss has with these settings, on arrays of which this is known. */
export function trapsMet(entry: CatalogueEntry, settings: Settings, facts: ArrayFacts): TrapNote[] {
  return entry.traps.filter((t) => t.applies(settings, facts)).map((t) => noteOf(entry, t));
}

function noteOf({ library, source }: CatalogueEntry, trap: Trap): TrapNote {
  return {
    id: trap.id,
    sentence: trap.sentence,
    library: source.kind === "library" ? library : `${source.authors} ${source.year}`,
    versions: trap.versions === "all" ? allOf(source) : trap.versions,
  };
}

/** No one knows what a later version does: "all" goes as far as the version that the entry is of. */
function allOf(source: Source): string {
  if (source.kind === "paper") return "as published";
  const isCommit = /^[0-9a-f]{7,}$/.test(source.version);
  return isCommit ? `as of commit ${source.version}` : `all up to ${source.version}`;
}
