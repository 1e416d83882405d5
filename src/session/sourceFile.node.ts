/** Reading a Python file as it lies on the disk, which may be anything. */
import { readFileSync, statSync } from "node:fs";
import { UnknownEncodingError, decodeSource } from "../python/encoding.ts";

/** A file that has no text to be had: what is wrong with it, and what to do. */
export class SourceFileError extends Error {
  override readonly name = "SourceFileError";
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

const MB = 2 ** 20;

/** Longer files are data; what the parser refuses need not be read at all. */
export const LARGEST_SOURCE = 8 * MB;

/**
 * A Python file's text, in the encoding that it names.
 * @param shown what messages call it
 * @param limit bytes
 * @throws SourceFileError
 */
export function readSource(path: string, shown = path, limit = LARGEST_SOURCE): string {
  let bytes: Uint8Array;
  try {
    // Opening a pipe or a device would wait for somebody to write to it.
    const found = statSync(path);
    if (found.isDirectory()) {
      throw new SourceFileError(`${shown} is a folder`, "Name a Python file in it.");
    }
    if (!found.isFile()) {
      throw new SourceFileError(
        `${shown} is a pipe or a device, not a file`,
        "Save the source in a file of its own.",
      );
    }
    if (found.size > limit) {
      throw new SourceFileError(
        `${shown} is too long to be read as Python: ${(found.size / MB).toFixed(0)} MB`,
        "Keep data in a file of arrays (.npy, .npz) and load them from there.",
      );
    }
    bytes = readFileSync(path);
  } catch (e) {
    throw e instanceof SourceFileError ? e : ofSystem(e, shown);
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new SourceFileError(
      `${shown} is in UTF-16, which Python does not read`,
      "Save the file as UTF-8.",
    );
  }
  if (isBinary(bytes)) {
    throw new SourceFileError(
      `${shown} is a binary file, not Python source`,
      "Name the .py file that it was made from.",
    );
  }
  try {
    return decodeSource(bytes);
  } catch (e) {
    if (!(e instanceof UnknownEncodingError)) throw e;
    throw new SourceFileError(
      `${shown}:${e.line}: its encoding ${e.encoding} is not known here`,
      "Save the file as UTF-8, and take the coding comment out.",
    );
  }
}

/** Python refuses null bytes, and they stand near the beginning of every binary format. */
function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 65_536).includes(0);
}

/** Errors of the system, by their codes. */
const SYSTEM: Readonly<Record<string, readonly [problem: string, remedy: string]>> = {
  ENOENT: ["does not exist", "Check its name and folder."],
  ENOTDIR: ["does not exist: a part of its path is a file", "Check its name and folder."],
  EACCES: ["may not be read", "Allow yourself to read it."],
  EPERM: ["may not be read", "Allow yourself to read it."],
  ELOOP: ["is a symbolic link that leads back to itself", "Mend the link."],
  ENAMETOOLONG: ["has a name that is too long for a file", "Check its name."],
  EMFILE: ["cannot be opened: too many files are open", "Close some and try again."],
};

function ofSystem(e: unknown, shown: string): SourceFileError {
  const code = e instanceof Error && "code" in e ? String(e.code) : "";
  const [problem, remedy] = SYSTEM[code] ?? [
    `cannot be read: ${e instanceof Error ? e.message : String(e)}`,
    "Check the file and its disk.",
  ];
  return new SourceFileError(`${shown} ${problem}`, remedy);
}
