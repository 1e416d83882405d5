/** Any error as a face shows it: what is wrong, where, and what to do. Never a stack trace. */
import { ArrayError } from "../arrays/ndarray.ts";
import { ShapeError } from "../expression/axis.ts";
import { FormulaError } from "../formula/parse.ts";
import { PythonError } from "../python/errors.ts";
import { Interrupted } from "./host.ts";
import { InspectionError } from "./inspect.ts";
import { type Failure, NOWHERE } from "./protocol.ts";

export function toFailure(error: unknown): Failure {
  if (error instanceof PythonError) {
    return {
      name: error.type === "Unsupported" ? "Not traceable" : error.type,
      message: error.type === "Unsupported" ? error.message : error.message || error.type,
      file: error.file,
      line: error.line,
      column: error.column,
      caretText: error.caretText || null,
      remedy: error.remedy,
    };
  }
  if (error instanceof FormulaError) {
    const { message, file, line, column, caretText, remedy } = error;
    return { name: "Formula", message, file, line, column, caretText, remedy };
  }
  if (error instanceof ArrayError) {
    const { file, line, column } = error.where ?? {};
    return {
      name: "Array",
      message: error.message,
      file: file ?? null,
      line: line ?? null,
      column: column ?? null,
      caretText: null,
      remedy: error.remedy ?? null,
    };
  }
  if (error instanceof InspectionError) {
    return { ...NOWHERE, name: "Inspection", message: error.message, remedy: error.remedy };
  }
  if (error instanceof ShapeError) {
    return { ...NOWHERE, name: "Shape", message: error.message };
  }
  if (isInterruption(error)) {
    return { ...NOWHERE, name: "Interrupted", message: "stopped on request" };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    ...NOWHERE,
    name: "Internal error",
    message,
    remedy:
      "This is a fault of Dice Gradient Inspector; names and arrays of earlier cells are kept.",
  };
}

export function isInterruption(error: unknown): boolean {
  return error instanceof Interrupted || (error instanceof Error && error.name === "Cancelled");
}
