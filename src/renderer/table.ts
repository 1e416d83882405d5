/** A table of numbers that sorts by its column heads and shows its rows a page at a time. */
import { button, h, uniqueId } from "./dom.ts";
import { columnFormat, formatCount, formatIndex, formatNumber } from "./format.ts";
import { icon } from "./icons.ts";
import type { View } from "./view.ts";

export interface TableRow {
  readonly index: readonly number[];
  readonly values: readonly (number | null)[];
}

export interface TableContent {
  readonly caption: string;
  /** Head of the first column, which names the row. */
  readonly indexColumn: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** A row to point out, and the word that does so. */
  readonly marked?: { readonly index: readonly number[]; readonly word: string } | undefined;
}

/** How many rows are drawn at once. */
export const PAGE = 200;

/** Column −1 is the index. */
interface Order {
  readonly column: number;
  readonly descending: boolean;
}

/** Rows in an order; what has no number comes last either way. Equal rows keep their order. */
export function sortRows(rows: readonly TableRow[], order: Order | null): readonly TableRow[] {
  if (order === null) return rows;
  const sign = order.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (order.column < 0) return sign * compareIndices(a.index, b.index);
    const [x, y] = [a.values[order.column] ?? null, b.values[order.column] ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  });
}

function compareIndices(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((x, k) => x !== b[k]);
  return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1);
}

export function drawTable(view: View, content: TableContent): HTMLElement {
  const { rows, columns } = content;
  const formats = columns.map((_, k) => columnFormat(rows.map((row) => row.values[k] ?? null)));
  let order: Order | null = null;
  let shown = Math.min(PAGE, rows.length);

  const body = h("tbody");
  const heads = [content.indexColumn, ...columns].map((label, k) => {
    const head = h("th", { scope: "col", "aria-sort": "none" });
    head.append(
      button(label, { title: `Sort by ${label}` }, () => {
        sortBy(k - 1);
      }),
    );
    head.firstElementChild!.append(icon("chevron"));
    return head;
  });

  const drawRow = (row: TableRow): HTMLElement => {
    const { marked } = content;
    const isMarked = marked !== undefined && compareIndices(marked.index, row.index) === 0;
    return h(
      "tr",
      { class: isMarked ? "marked" : null },
      h(
        "th",
        { scope: "row" },
        formatIndex(row.index),
        isMarked ? h("span", { class: "mark" }, marked.word) : null,
      ),
      ...row.values.map((x, k) =>
        h(
          "td",
          { class: x === null ? "dim" : null, title: x === null ? null : formatNumber(x, 17) },
          formats[k]!(x),
        ),
      ),
    );
  };

  const sortBy = (column: number): void => {
    order =
      order?.column !== column
        ? { column, descending: false }
        : order.descending
          ? null
          : { column, descending: true };
    heads.forEach((head, k) => {
      const sorted = order !== null && order.column === k - 1;
      head.setAttribute(
        "aria-sort",
        !sorted ? "none" : order!.descending ? "descending" : "ascending",
      );
    });
    body.replaceChildren(...sortRows(rows, order).slice(0, shown).map(drawRow));
    const name = column < 0 ? content.indexColumn : columns[column]!;
    view.announce(
      order === null
        ? "Rows in their own order"
        : `Sorted by ${name}, ${order.descending ? "largest" : "smallest"} first`,
    );
  };

  const status = h("span", { class: "dim" });
  const more = button("Show more", {}, () => {
    const next = sortRows(rows, order).slice(shown, shown + PAGE);
    shown += next.length;
    body.append(...next.map(drawRow));
    report();
    view.announce(`${formatCount(shown)} of ${formatCount(rows.length)} rows shown`);
  });
  const foot = h("div", { class: "bar" }, more, status);
  const report = (): void => {
    status.textContent = `${formatCount(shown)} of ${formatCount(rows.length)} rows`;
    foot.hidden = shown >= rows.length;
  };

  body.append(...rows.slice(0, shown).map(drawRow));
  report();
  const caption = uniqueId("caption");
  return h(
    "div",
    { class: "table" },
    h("p", { class: "dim caption", id: caption }, content.caption),
    h(
      "div",
      { class: "table-scroll", tabindex: 0, role: "region", "aria-labelledby": caption },
      h(
        "table",
        { class: "numbers", "aria-labelledby": caption },
        h("thead", {}, h("tr", {}, ...heads)),
        body,
      ),
    ),
    foot,
  );
}
