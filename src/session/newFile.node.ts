/** Files that are written: whole or not at all. */
import {
  closeSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { ArrayError } from "../arrays/ndarray.ts";

/** @throws Error of the system where there is no room */
export function writeAll(file: number, at: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
  }
}

/**
 * A file that is beside its place, under the ending .partial, until it is finished: until then one
 * that has its name stays as it was. What a killed process leaves there, the next one writes over.
 */
export class NewFile {
  readonly handle: number;
  private readonly path: string;
  private readonly place: Place;
  private isOpen = true;

  /** @throws ArrayError if it cannot be written */
  constructor(path: string) {
    this.path = path;
    this.place = this.tried(() => placeFor(path));
    this.handle = this.tried(() => openSync(this.place.partial, "w+"));
  }

  /** @throws ArrayError */
  write(bytes: Uint8Array, at: number): void {
    this.tried(() => {
      writeAll(this.handle, at, bytes);
    });
  }

  /** Puts it in its place. @throws ArrayError */
  finish(): void {
    const { final, partial } = this.place;
    this.end();
    this.tried(() => {
      if (final !== partial) renameSync(partial, final);
    });
  }

  /** Removes it where it is not finished. */
  close(): void {
    if (!this.isOpen) return;
    const { final, partial } = this.place;
    this.end();
    if (final !== partial) rmSync(partial, { force: true });
  }

  private end(): void {
    if (this.isOpen) closeSync(this.handle);
    this.isOpen = false;
  }

  private tried<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw new ArrayError(`${this.path} cannot be written: ${(cause as Error).message}.`, {
        where: { file: this.path },
        remedy: "Give another place, in a folder that is there and has room.",
        cause,
      });
    }
  }
}

interface Place {
  readonly final: string;
  readonly partial: string;
}

/** What is no regular file, such as a device, is written to where it is. */
function placeFor(path: string): Place {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() === false) return { final: path, partial: path };
  const final = stat === undefined ? path : realpathSync(path);
  return { final, partial: `${final}.partial` };
}
