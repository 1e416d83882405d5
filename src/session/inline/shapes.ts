/** Shapes that the user has set for a loss, as arguments of a trace. */
import { formatShape } from "../../arrays/ndarray.ts";
import type { Argument } from "../../python/program.ts";
import type { Shapes } from "./protocol.ts";

export function argumentsOfShapes(shapes: Shapes[string]): Map<string, Argument> {
  return new Map(
    Object.entries(shapes).map(([parameter, shape]): [string, Argument] => [
      parameter,
      { kind: "array", handle: { shape, type: "float", dtype: "float64", token: null } },
    ]),
  );
}

/** What a report says of them. */
export function statedShapes(shapes: Shapes[string]): string[] {
  const list = Object.entries(shapes).map(([name, sizes]) => `${name} ${formatShape(sizes)}`);
  return list.length === 0 ? [] : [`shapes as set in the settings: ${list.join(", ")}`];
}
