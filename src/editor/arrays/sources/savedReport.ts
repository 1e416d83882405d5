/**
 * What a saved report says of its arrays. A notebook may be anybody's, so every field that is used is
 * looked at first; what is not as it should be counts as not there.
 */

/** A report, as far as arrays are concerned. */
export interface SavedReport {
  readonly function: string;
  readonly wrt: string;
  readonly value: number | null;
  readonly arrays: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Of the gradient; null without arrays. */
  readonly shape: readonly number[] | null;
  /** Elements by column, where the report shows all of them. */
  readonly columns: ReadonlyMap<string, Float64Array>;
}

/** Larger outputs are not read: their arrays are not in them anyway. */
const MOST_BYTES = 2 ** 26;
const MOST_ELEMENTS = 2 ** 20;
const GRADIENT = "analytic gradient";

/** The reports of an output: one, or those of a comparison. Never throws. */
export function savedReports(data: Uint8Array): SavedReport[] {
  if (data.byteLength > MOST_BYTES) return [];
  let payload: unknown;
  try {
    payload = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return [];
  }
  const { reports } = object(payload);
  const all: readonly unknown[] = Array.isArray(reports) ? reports : [payload];
  return all.flatMap((r) => reportFrom(r) ?? []);
}

/** Elements of the gradient, or of an array that is as long; null where the report has not all. */
export function gradientIn(report: SavedReport, array: string | null): Float64Array | null {
  return report.shape === null ? null : (report.columns.get(array ?? GRADIENT) ?? null);
}

function reportFrom(value: unknown): SavedReport | null {
  const report = object(value);
  const name = object(report["function"])["name"];
  const wrt = object(report["gradient"])["wrt"];
  const loss = object(report["loss"])["value"];
  if (typeof name !== "string" || typeof wrt !== "string") return null;
  const arrays = list(report["arrays"]).flatMap((a) => {
    const { name: own, shape } = object(a);
    return typeof own === "string" && isShape(shape) ? [{ name: own, shape }] : [];
  });
  const shape = arrays.find((a) => a.name === wrt)?.shape ?? null;
  return {
    function: name,
    wrt,
    value: typeof loss === "number" ? loss : null,
    arrays,
    shape,
    columns: shape === null ? new Map() : columnsOf(object(report["numbers"]), shape),
  };
}

function columnsOf(
  numbers: Record<string, unknown>,
  shape: readonly number[],
): Map<string, Float64Array> {
  const found = new Map<string, Float64Array>();
  const rows = list(numbers["rows"]);
  const count = shape.reduce((n, m) => n * m, 1);
  if (numbers["complete"] !== true || rows.length !== count || count > MOST_ELEMENTS) return found;
  list(numbers["columns"]).forEach((column, k) => {
    if (typeof column !== "string") return;
    const values = new Float64Array(count).fill(NaN);
    for (const row of rows) {
      const { index, values: own } = object(row);
      const at = flat(list(index), shape);
      const value = list(own)[k];
      if (at === null || typeof value !== "number") return;
      values[at] = value;
    }
    if (!values.some(Number.isNaN)) found.set(column, values);
  });
  return found;
}

function flat(index: readonly unknown[], shape: readonly number[]): number | null {
  if (index.length !== shape.length) return null;
  let at = 0;
  for (const [axis, n] of shape.entries()) {
    const k = index[axis];
    if (typeof k !== "number" || !Number.isInteger(k) || k < 0 || k >= n) return null;
    at = at * n + k;
  }
  return at;
}

function isShape(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= 32 &&
    value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)
  );
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
