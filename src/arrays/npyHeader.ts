/**
 * The header of a .npy file, versions 1.0, 2.0 and 3.0. The dictionary in it is read by a parser for
 * just what can stand there; nothing is evaluated. Source: NumPy's format specification
 * (numpy.lib.format).
 */
import type { DType } from "./dtype.ts";
import { ArrayError } from "./ndarray.ts";
import { Tokens } from "./pythonTokens.ts";
import { parseTypeString } from "./typeString.ts";

/** What a .npy header says. */
export interface NpyHeader {
  readonly version: readonly [major: number, minor: number];
  readonly dtype: DType;
  readonly littleEndian: boolean;
  /** Whether the first axis varies fastest in the file. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin, in bytes from the start of the file. */
  readonly dataOffset: number;
}

/** The first bytes of every .npy file. */
export const NPY_MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;

/** Longest header read: what version 1.0 can hold; numeric arrays need some 128 bytes. */
const MAX_HEADER_BYTES = 65_535;
/** The bytes that surely hold a header which is read. */
export const MAX_NPY_HEADER_BYTES = 12 + MAX_HEADER_BYTES;
/** NumPy's own limit. */
const MAX_AXES = 64;
const MAX_NESTING = 16;

/** Whether the bytes from `offset` on begin as a .npy file does. */
export function startsAsNpy(bytes: Uint8Array, offset = 0): boolean {
  return NPY_MAGIC.every((value, i) => bytes[offset + i] === value);
}

/**
 * Reads the header of a .npy file; the bytes may end right after it.
 *
 * @throws ArrayError if it is no such file, is damaged, or holds something other than numbers.
 */
export function readNpyHeader(bytes: Uint8Array, name = "The file"): NpyHeader {
  const { version, text, textOffset } = headerText(bytes, name);
  const fields = new HeaderParser(text, name, textOffset).dictionary();
  for (const key of ["descr", "fortran_order", "shape"]) {
    if (!fields.has(key)) throw damaged(name, `its header has no "${key}"`, textOffset);
  }
  const fortranOrder = fields.get("fortran_order");
  if (typeof fortranOrder !== "boolean") {
    throw damaged(name, `"fortran_order" in its header is neither True nor False`, textOffset);
  }
  const { dtype, littleEndian } = elementType(fields.get("descr"), name, textOffset);
  return {
    version,
    dtype,
    littleEndian,
    fortranOrder,
    shape: checkedShape(fields.get("shape"), name, textOffset),
    dataOffset: textOffset + text.length,
  };
}

function headerText(
  bytes: Uint8Array,
  name: string,
): { version: readonly [number, number]; text: string; textOffset: number } {
  if (!startsAsNpy(bytes)) {
    const why = bytes.length === 0 ? "it is empty" : "it does not begin with \\x93NUMPY";
    throw new ArrayError(`${name} is not a .npy file: ${why}.`, {
      where: { file: name, byteOffset: 0 },
      remedy: "np.save(path, arr) writes one.",
    });
  }
  const major = bytes[6];
  const minor = bytes[7];
  const lengthBytes = major === 1 ? 2 : 4;
  if (major === undefined || minor === undefined || bytes.length < 8 + lengthBytes) {
    throw cutShort(name, `${String(8 + lengthBytes)} bytes before its header`, bytes.length);
  }
  if (major < 1 || major > 3 || minor !== 0) {
    throw new ArrayError(
      `${name} is a .npy file of version ${String(major)}.${String(minor)}; versions 1.0, 2.0 and 3.0 can be read.`,
      { where: { file: name, byteOffset: 6 } },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = lengthBytes === 2 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) {
    throw new ArrayError(
      `${name} has a header of ${String(length)} bytes; an array of numbers needs about 128, and at most ${String(MAX_HEADER_BYTES)} are read.`,
      { where: { file: name, byteOffset: 8 } },
    );
  }
  const textOffset = 8 + lengthBytes;
  if (bytes.length < textOffset + length) {
    throw cutShort(name, `a header of ${String(length)} bytes`, bytes.length - textOffset);
  }
  // One character a byte, so that offsets in the text are offsets in the file. Version 3.0 is UTF-8,
  // but only in field names, which matter for the refusal of such a file alone.
  const text = Array.from(bytes.subarray(textOffset, textOffset + length), (byte) =>
    String.fromCharCode(byte),
  ).join("");
  return { version: [major, minor], text, textOffset };
}

type HeaderValue = string | number | boolean | null | HeaderValue[] | Map<string, HeaderValue>;

/** Parses the header's dictionary of strings, numbers, booleans, tuples and lists. */
class HeaderParser {
  private readonly tokens: Tokens;
  private readonly fail: (offset: number, message: string) => never;

  constructor(text: string, name: string, textOffset: number) {
    this.fail = (offset, message) => {
      throw damaged(name, `its header cannot be read: ${message}`, textOffset + offset);
    };
    // Python 2 wrote lengths as 3L; the blank keeps the offsets.
    this.tokens = new Tokens(text.replace(/(\d)L\b/gu, "$1 "), this.fail);
  }

  dictionary(): Map<string, HeaderValue> {
    const value = this.value(0);
    if (!(value instanceof Map)) return this.fail(0, "it is no dictionary");
    if (this.tokens.ahead.kind !== "end") return this.unexpected();
    return value;
  }

  private value(depth: number): HeaderValue {
    if (depth > MAX_NESTING) return this.fail(this.tokens.ahead.start, "it is nested too deeply");
    const token = this.tokens.ahead;
    if (token.kind === "string") return this.tokens.next().text;
    if (token.kind === "number" && /^\d+$/u.test(token.text))
      return Number(this.tokens.next().text);
    if (token.kind === "name" && NAMED_VALUES.has(token.text)) {
      return NAMED_VALUES.get(this.tokens.next().text)!;
    }
    if (this.tokens.take("{")) return this.entries(depth);
    if (this.tokens.take("[")) return this.items("]", depth).items;
    if (this.tokens.take("(")) {
      const { items, trailingComma } = this.items(")", depth);
      return items.length === 1 && !trailingComma ? items[0]! : items;
    }
    return this.unexpected();
  }

  private entries(depth: number): Map<string, HeaderValue> {
    const entries = new Map<string, HeaderValue>();
    while (!this.tokens.take("}")) {
      const key = this.tokens.next();
      if (key.kind !== "string") return this.fail(key.start, "a key is no string");
      if (!this.tokens.take(":")) return this.unexpected();
      entries.set(key.text, this.value(depth + 1));
      if (!this.tokens.take(",") && !this.tokens.at("}")) return this.unexpected();
    }
    return entries;
  }

  private items(close: string, depth: number): { items: HeaderValue[]; trailingComma: boolean } {
    const items: HeaderValue[] = [];
    let trailingComma = false;
    while (!this.tokens.take(close)) {
      items.push(this.value(depth + 1));
      trailingComma = this.tokens.take(",");
      if (!trailingComma && !this.tokens.at(close)) return this.unexpected();
    }
    return { items, trailingComma };
  }

  private unexpected(): never {
    return this.fail(
      this.tokens.ahead.start,
      `${this.tokens.describeAhead()} was not expected there`,
    );
  }
}

const NAMED_VALUES: ReadonlyMap<string, boolean | null> = new Map([
  ["True", true],
  ["False", false],
  ["None", null],
]);

function elementType(
  descr: HeaderValue | undefined,
  name: string,
  byteOffset: number,
): { dtype: DType; littleEndian: boolean } {
  if (Array.isArray(descr)) throw refuseStructured(descr, name);
  const type = typeof descr === "string" ? parseTypeString(descr) : undefined;
  if (type === undefined) {
    const shown = typeof descr === "string" ? `"${descr.slice(0, 40)}"` : "given";
    throw damaged(name, `the element type ${shown} in its header is unknown`, byteOffset);
  }
  if ("reason" in type) {
    throw new ArrayError(`${name} ${type.reason}; only numbers can be read.`, {
      where: { file: name },
      remedy: type.remedy,
    });
  }
  return { dtype: type.dtype, littleEndian: type.littleEndian ?? true };
}

function refuseStructured(descr: readonly HeaderValue[], name: string): ArrayError {
  const fields = descr.map((field) => {
    const title = Array.isArray(field) ? field[0] : undefined;
    const plain = Array.isArray(title) ? title[1] : title;
    return typeof plain === "string" && plain !== "" ? plain : "(unnamed)";
  });
  const shown = fields.slice(0, 8).join(", ") + (fields.length > 8 ? ", …" : "");
  const first = fields.find((field) => field !== "(unnamed)") ?? "field";
  return new ArrayError(
    `${name} holds records with the fields ${shown} (a structured dtype); one array of numbers is needed.`,
    { where: { file: name }, remedy: `np.save(path, arr[${JSON.stringify(first)}])` },
  );
}

function checkedShape(
  shape: HeaderValue | undefined,
  name: string,
  byteOffset: number,
): readonly number[] {
  // NumPy accepts no bare number here, and neither do the files that it wrote.
  if (!Array.isArray(shape) || !shape.every((length) => typeof length === "number")) {
    throw damaged(name, "the shape in its header is no tuple of numbers", byteOffset);
  }
  if (shape.length > MAX_AXES) {
    throw damaged(
      name,
      `its header gives ${String(shape.length)} axes; at most ${String(MAX_AXES)} are possible`,
      byteOffset,
    );
  }
  if (!shape.every(Number.isSafeInteger)) {
    throw damaged(name, "a length in its shape is too large to be true", byteOffset);
  }
  return shape;
}

function damaged(name: string, what: string, byteOffset: number): ArrayError {
  return new ArrayError(`${name} is damaged: ${what}.`, {
    where: { file: name, byteOffset },
    remedy: "Save it again with np.save(path, arr).",
  });
}

function cutShort(name: string, expected: string, found: number): ArrayError {
  return new ArrayError(
    `${name} is cut short: it should have ${expected}, and ${String(found)} bytes are there.`,
    { where: { file: name, byteOffset: 8 }, remedy: "Copy or save the file again." },
  );
}
