/** Shapes as people write them on the command line, in settings and in cells. */
import { isDType } from "../dtypes.ts";
import type { Value } from "../values.ts";
import type { ShapeArgument } from "./plans.ts";

/**
 * `2,3,64,64`, `2 x 3 x 64`, `b,c,h,w`, `b c h w`, `(b, 3, h, w)` or `b,h,w:int64`: of each axis its
 * size, or a letter for one whose size stays open.
 * @returns what is wrong with it, as the end of a sentence, if it is no shape
 */
export function parseShape(text: string): ShapeArgument | string {
  const [, bracketed, plain, dtype] =
    /^\s*(?:[([]([^()[\]]*)[)\]]|([^:()[\]]*))\s*(?::\s*(\w+)\s*)?$/.exec(text) ?? [];
  const inner = (bracketed ?? plain)?.trim().replace(/,$/, "");
  if (inner === undefined) return "is not a shape such as 2,3,64,64 or b,c,h,w";
  if (dtype !== undefined && !isDType(dtype)) return `names no dtype: ${dtype}`;
  const separator = inner.includes(",") ? "," : /^[\d\sx×]*$/.test(inner) ? /[\sx×]+/ : /\s+/;
  const words = inner === "" ? [] : inner.split(separator).map((w) => w.trim());
  const axes = words.map((w) => (/^\d+$/.test(w) ? Number(w) : w));
  return checked({ kind: "shape", axes, dtype: dtype ?? null });
}

/** The same for a value of a cell: `(2, 1, 64, 64)`, `("b", "c", 64, 64)` or `"b,c,h,w"`. */
export function shapeOfValue(v: Value): ShapeArgument | string {
  if (v.kind === "str") return parseShape(v.value);
  if (v.kind !== "tuple" && v.kind !== "list") return "is not a shape such as (2, 3, 64, 64)";
  const axes = v.items.map((x) =>
    x.kind === "number" ? x.value : x.kind === "str" ? x.value : null,
  );
  if (!axes.every((a) => a !== null)) return "has an axis that is neither a number nor a letter";
  return checked({ kind: "shape", axes, dtype: null });
}

function checked(shape: ShapeArgument): ShapeArgument | string {
  const letters = shape.axes.filter((a) => typeof a === "string");
  const bad = shape.axes.find((a) =>
    typeof a === "number" ? !Number.isInteger(a) || a < 1 : !/^[A-Za-z]\w*$/.test(a),
  );
  if (bad !== undefined) return `has an axis that is neither a size nor a letter: ${bad}`;
  if (new Set(letters).size < letters.length) return "has two axes of one letter";
  return shape;
}
