/** Headers of lines of text, as MetaImage and NRRD files begin with. */
import { refusal, type FilePlace } from "../fileErrors.ts";
import { latin1, type ByteSource } from "../source.ts";

/** Key-value pairs of a scanner can be long; no header of an image comes near to this. */
const MAX_HEADER_BYTES = 1 << 20;

/**
 * The header's text, one character a byte.
 *
 * @param end finds where the header ends in the text so far, or undefined if it does not end there.
 * @throws ArrayError with `missing` if it ends nowhere.
 */
export function textHeader(
  source: ByteSource,
  end: (text: string) => number | undefined,
  name: string,
  missing: string,
  remedy: string,
): string {
  for (let size = 4096; ; size *= 16) {
    const text = latin1(source.read(0, Math.min(size, MAX_HEADER_BYTES)));
    const at = end(text);
    if (at !== undefined) return text.slice(0, at);
    if (text.length < size) throw refusal(missing, name, { byteOffset: text.length, remedy });
  }
}

/** Numbers separated by blanks; undefined unless all are. */
export function numbersIn(text: string | undefined): number[] | undefined {
  const words = text?.trim().split(/\s+/u) ?? [];
  const numbers = words.map((word) => (/^[-+.\deE]+$/u.test(word) ? Number(word) : NaN));
  return numbers.length > 0 && numbers.every((value) => Number.isFinite(value))
    ? numbers
    : undefined;
}

/** The lengths of axes; undefined unless there are as many as said, each a whole number. */
export function shapeIn(text: string | undefined, axes: number): number[] | undefined {
  const lengths = numbersIn(text);
  return lengths?.length === axes && lengths.every((n) => Number.isSafeInteger(n) && n >= 0)
    ? lengths
    : undefined;
}

/** Where a field stands in a header, for an error. */
export function placeOfField(header: string, field: string): FilePlace {
  const at = header.toLowerCase().search(new RegExp(`^[ \\t]*${field}[ \\t]*[:=]`, "mu"));
  return at < 0 ? {} : { byteOffset: at };
}
