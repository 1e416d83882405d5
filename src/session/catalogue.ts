/** The catalogue as plain data, for lists and menus. */
import { search } from "../losses/catalogue.ts";
import type { CatalogueEntry } from "../losses/entry.ts";
import { formatValue } from "../losses/python.ts";

export interface CatalogueItem {
  readonly id: string;
  /** The call with every default written out. */
  readonly call: string;
  readonly title: string;
  readonly library: string;
  readonly about: string;
  readonly source: string;
  readonly url: string;
  readonly parameters: readonly { readonly name: string; readonly about: string }[];
  readonly traps: readonly { readonly sentence: string; readonly versions: string }[];
}

/** Losses that fit all words of `text`, best first; all of them for an empty text. */
export function catalogueList(text: string): CatalogueItem[] {
  return search(text).map(itemOf);
}

function itemOf(entry: CatalogueEntry): CatalogueItem {
  const { source } = entry;
  const settings = entry.parameters.map((p) =>
    p.default === undefined ? p.name : `${p.name}=${formatValue(p.default, p.type === "float")}`,
  );
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
    parameters: entry.parameters.map(({ name, about }) => ({ name, about })),
    traps: entry.traps.map(({ sentence, versions }) => ({ sentence, versions })),
  };
}
