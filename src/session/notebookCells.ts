/** The Python cells of a Jupyter notebook's file, as parts of one program. */
import type { Part } from "./inline/protocol.ts";

export const isNotebook = (file: string): boolean => file.toLowerCase().endsWith(".ipynb");

/**
 * @returns parts named `file:cell 3`, counted from 1 over cells of all kinds as editors do; none of a
 *   notebook in another language
 * @throws Error for what is no notebook
 */
export function cellsOf(text: string, file: string): Part[] {
  let notebook: unknown;
  try {
    notebook = JSON.parse(text);
  } catch {
    throw new Error("it is no notebook: its JSON cannot be read");
  }
  const { cells, metadata } = (notebook ?? {}) as { cells?: unknown; metadata?: unknown };
  if (!Array.isArray(cells)) throw new Error("it is no notebook of version 4: it has no cells");
  const { kernelspec, language_info } = (metadata ?? {}) as Record<
    string,
    { language?: string; name?: string } | undefined
  >;
  const language = language_info?.name ?? kernelspec?.language ?? "python";
  if (!/python/i.test(language)) return [];
  return cells.flatMap((cell: unknown, k): Part[] => {
    const { cell_type, source } = (cell ?? {}) as { cell_type?: unknown; source?: unknown };
    if (cell_type !== "code") return [];
    const lines = Array.isArray(source) ? source.map(String).join("") : source;
    return typeof lines === "string" ? [{ file: `${file}:cell ${k + 1}`, text: lines }] : [];
  });
}

/** The file and the cell that a place in a notebook lies in. */
export function placeOfCell(file: string): { readonly file: string; readonly cell: number | null } {
  const [, own, cell] = /^(.*):cell (\d+)$/s.exec(file) ?? [];
  return own === undefined ? { file, cell: null } : { file: own, cell: Number(cell) };
}
