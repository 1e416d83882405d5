/**
 * Shapes that a user sets for the arrays of a loss, wherever they set them: the command line's
 * `--shape y_pred=2,3,64,64`, a setting, a dialog. What comes out goes into `PythonProgram.trace`
 * beside arrays and values. The report says of each "as you set it".
 */
import type { ShapeArgument } from "../python/program.ts";
import { parseShape } from "../python/trace/shapeText.ts";
import { InspectionError } from "./inspectionError.ts";

const REMEDY =
  "give each axis a size or a letter, as in y_pred=2,3,64,64, y_pred=b,c,h,w or y_true=b,h,w:int64";

/** `NAME=SHAPE`. @throws InspectionError that says how shapes are written */
export function namedShape(text: string): [name: string, shape: ShapeArgument] {
  const [, name, shape] = /^\s*([A-Za-z_]\w*)\s*[=:]\s*(.*)$/s.exec(text) ?? [];
  if (name === undefined || shape === undefined) {
    throw new InspectionError(`${text} is not NAME=SHAPE`, REMEDY);
  }
  return [name, shapeFrom(name, shape)];
}

/** What is wrong with a shape as somebody types it, or null. */
export function problemWithShape(text: string): string | null {
  const shape = parseShape(text);
  return typeof shape === "string" ? `This ${shape}` : null;
}

/** `shapes(dice_loss, y_pred=(2, 1, 64, 64))`: the cell that derives a loss for arrays of these shapes. */
export function shapesCell(name: string, shapes: Readonly<Record<string, string>>): string {
  const given = Object.entries(shapes).map(([parameter, text]) => {
    const { axes, dtype } = shapeFrom(parameter, text);
    const isPlain = dtype === null && axes.every((a) => typeof a === "number");
    const comma = axes.length === 1 ? "," : "";
    return `${parameter}=${isPlain ? `(${axes.join(", ")}${comma})` : JSON.stringify(text.trim())}`;
  });
  return `shapes(${[name, ...given].join(", ")})`;
}

/** A shape alone, for the parameter of that name. @throws InspectionError */
export function shapeFrom(name: string, text: string): ShapeArgument {
  const shape = parseShape(text);
  if (typeof shape === "string") throw new InspectionError(`${name}=${text} ${shape}`, REMEDY);
  return shape;
}
