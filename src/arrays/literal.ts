/** Arrays written as text: Python and JSON lists, and the calls that wrap them. */
import { ArrayError, type ArrayErrorPlace, type ArrayOrigin, type NdArray } from "./ndarray.ts";
import type { Tick } from "./source.ts";
import { collect } from "./literal/collect.ts";
import { parseValue } from "./literal/parser.ts";

/** Where a literal's text begins in its file; lines and columns count from 1. */
export interface LiteralPlace {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/**
 * Reads an array literal: nested lists or tuples of numbers, `np.array`, `torch.tensor`,
 * `jnp.asarray`, `tf.constant`, constructors like `np.zeros` and `torch.linspace`, what printing an
 * array leaves, and methods such as `.reshape` and `.astype` after those. Nothing is executed: only
 * numbers, constant arithmetic and the calls listed in the tables of literal/ are understood.
 *
 * The dtype is the one that the library would choose with its default settings (torch.tensor of
 * floats is float32; JAX without its 64-bit mode has no 64-bit types unless one is named); a bare
 * list is read as NumPy reads it.
 *
 * @param text the literal alone, without an assignment.
 * @param tick told of how much of the text has been read.
 * @throws ArrayError at the line and column of whatever is wrong.
 */
export function parseArrayLiteral(text: string, place: LiteralPlace = {}, tick?: Tick): NdArray {
  const origin: ArrayOrigin = { kind: "literal", ...place };
  const fail = (offset: number, message: string, remedy?: string): never => {
    throw new ArrayError(message, {
      where: placeAt(text, offset, place),
      ...(remedy === undefined ? {} : { remedy }),
    });
  };
  const context = { fail, origin, tick };
  return collect(parseValue(text, context), undefined, "python", context);
}

function placeAt(text: string, offset: number, start: LiteralPlace): ArrayErrorPlace {
  const before = text.slice(0, offset);
  const lineBreaks = before.split("\n").length - 1;
  const inLine = offset - (before.lastIndexOf("\n") + 1);
  return {
    ...(start.file === undefined ? {} : { file: start.file }),
    line: (start.line ?? 1) + lineBreaks,
    column: lineBreaks === 0 ? (start.column ?? 1) + inLine : inLine + 1,
  };
}
