/** Shapes that the user has set for a loss, as arguments of a trace. */
import type { Argument } from "../../python/program.ts";
import { shapeFrom } from "../shapes.ts";
import type { Shapes } from "./protocol.ts";

/** @throws InspectionError for what is no shape */
export function argumentsOfShapes(shapes: Shapes[string]): Map<string, Argument> {
  return new Map(
    Object.entries(shapes).map(([parameter, text]): [string, Argument] => [
      parameter,
      shapeFrom(parameter, text),
    ]),
  );
}
