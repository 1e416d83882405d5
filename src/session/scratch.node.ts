/** Where temporary files go that are as large as an unpacked array. */
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ArrayError } from "../arrays/ndarray.ts";

/** What Linux calls a folder that is kept in memory. */
const IN_MEMORY = 0x01021994;

/** What folders are called that arrays are unpacked in; the number of their process follows. */
export const UNPACKED = "dice-gradient-unpacked-";

/**
 * A new folder for so many bytes. What ended processes have left beside it is removed: systems that
 * keep the name of an open file keep it when a process is killed.
 * @throws ArrayError as {@link folderWithRoom} does
 */
export function newScratchFolder(bytes: number, label: string): string {
  const where = folderWithRoom(bytes, label);
  removeAbandoned(where);
  return mkdtempSync(join(where, `${UNPACKED}${process.pid}-`));
}

/** A temporary file, without a name where the system lets it go: it is gone when it is closed. */
export interface ScratchFile {
  /** Open for reading and writing. */
  readonly file: number;
  /** Runs what writes to it. @throws ArrayError where the room is used up */
  readonly guarded: (write: () => void) => void;
  readonly close: () => void;
}

/** @throws ArrayError as {@link folderWithRoom} does */
export function newScratchFile(bytes: number, label: string): ScratchFile {
  const folder = newScratchFolder(bytes, label);
  const file = openSync(join(folder, "elements"), "w+");
  // A name is not needed, and where the system lets it go nothing is left behind by a crash.
  if (process.platform !== "win32") rmSync(folder, { recursive: true });
  return {
    file,
    guarded: (write) => {
      try {
        write();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        throw new ArrayError(
          `The room in ${dirname(folder)} was used up while ${label} was unpacked.`,
          {
            remedy: "Make room there, or name another folder by TMPDIR.",
          },
        );
      }
    },
    close: () => {
      closeSync(file);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function removeAbandoned(where: string): void {
  for (const name of readdirSync(where)) {
    const owner = name.startsWith(UNPACKED) ? Number.parseInt(name.slice(UNPACKED.length)) : NaN;
    if (Number.isNaN(owner) || isRunning(owner)) continue;
    try {
      rmSync(join(where, name), { recursive: true, force: true });
    } catch {
      // Another user's, or just being removed.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (e) {
    return (e as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

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
