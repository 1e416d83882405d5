/** Shapes that the user has set for a loss, as arguments of a trace. */
import type { Argument } from "../../python/program.ts";
import type { Shapes } from "./protocol.ts";

export function argumentsOfShapes(shapes: Shapes[string]): Map<string, Argument> {
  return new Map(
    Object.entries(shapes).map(([parameter, shape]): [string, Argument] => [
      parameter,
      { kind: "shape", axes: shape, dtype: null },
    ]),
  );
}
