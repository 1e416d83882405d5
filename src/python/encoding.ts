/** Source files' bytes → text, as Python reads them (PEP 263). */

/** Python's names of encodings that the Encoding Standard calls otherwise. */
const ALIASES: Readonly<Record<string, string>> = {
  "latin-1": "latin1",
  "latin1": "latin1",
  "iso-latin-1": "latin1",
  "cp1252": "windows-1252",
  "cp1251": "windows-1251",
  "cp932": "shift_jis",
  "cp936": "gbk",
  "cp949": "euc-kr",
  "cp950": "big5",
  "utf8": "utf-8",
  "utf-8-sig": "utf-8",
  "u8": "utf-8",
}; // prettier-ignore

/** A file's comment names an encoding of which nothing is known. */
export class UnknownEncodingError extends Error {
  readonly encoding: string;
  /** Where the comment stands. */
  readonly line: number;
  constructor(encoding: string, line: number) {
    super(`unknown encoding: ${encoding}`);
    this.encoding = encoding;
    this.line = line;
  }
}

/**
 * UTF-8, unless one of the first two lines is a comment that names another encoding. Bytes that are
 * no text in it become U+FFFD, so that one bad character in a comment does not cost the whole file.
 * @throws UnknownEncodingError if characters beyond ASCII depend on an encoding that is not known
 */
export function decodeSource(bytes: Uint8Array): string {
  const beginning = new TextDecoder("latin1").decode(bytes.subarray(0, 400));
  const cookie = /^([^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/.exec(beginning);
  const hasMark = beginning.startsWith("\u00ef\u00bb\u00bf");
  const name = cookie?.[2]?.toLowerCase().replaceAll("_", "-") ?? "utf-8";
  try {
    return new TextDecoder(hasMark ? "utf-8" : (ALIASES[name] ?? name)).decode(bytes);
  } catch {
    if (bytes.some((b) => b > 127)) {
      throw new UnknownEncodingError(cookie![2]!, cookie![1] === undefined ? 1 : 2);
    }
    return new TextDecoder("utf-8").decode(bytes);
  }
}
