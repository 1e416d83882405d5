/** Where temporary files go that are as large as an unpacked array. */
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { ArrayError } from "../arrays/ndarray.ts";

/** What Linux calls a folder that is kept in memory. */
const IN_MEMORY = 0x01021994;

interface Folder {
  readonly path: string;
  /** Bytes. */
  readonly room: number;
  readonly inMemory: boolean;
}

/**
 * A folder with room for so many bytes: the system's own for temporary files (which `TMPDIR` names),
 * unless that is kept in memory and there is another.
 * @throws ArrayError that says how much room there is where
 */
export function folderWithRoom(bytes: number, label: string): string {
  const others = process.platform === "win32" ? [] : ["/var/tmp"];
  const all = [tmpdir(), ...others].flatMap((path) => folderAt(path) ?? []);
  const roomy = all.filter((f) => f.room >= bytes);
  const found = roomy.find((f) => !f.inMemory) ?? roomy[0];
  if (found !== undefined) return found.path;
  const where = all.map((f) => `${f.path} has ${sizeWords(f.room)}`).join(", ");
  throw new ArrayError(
    `There is no room to unpack ${label}: it takes ${sizeWords(bytes)}, and ${where === "" ? "there is no folder for temporary files" : where}.`,
    { remedy: "Make room there, or name another folder by TMPDIR." },
  );
}

function folderAt(path: string): Folder | null {
  try {
    const { bavail, bsize, type } = statfsSync(path);
    return { path, room: bavail * bsize, inMemory: type === IN_MEMORY };
  } catch {
    return null;
  }
}

function sizeWords(bytes: number): string {
  const unit = bytes >= 1e9 ? 1e9 : 1e6;
  return `${(bytes / unit).toFixed(1)} ${unit === 1e9 ? "GB" : "MB"}`;
}
