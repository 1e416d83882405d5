/** Names in folders, read once as long as the folder says that it has not changed. */
import { readdirSync, statSync } from "node:fs";

/** File systems note the time of a change no finer than this. */
const TICK_MS = 100;

/** Folders kept; those used longest ago go first. */
const REMEMBERED = 2000;

export class Folders {
  private readonly known = new Map<string, { changed: number; names: ReadonlySet<string> }>();

  /** Names as they are written, whatever the file system makes of case; empty if it is no folder. */
  names(folder: string): ReadonlySet<string> {
    const known = this.known.get(folder);
    const changed = changeOf(folder);
    if (known?.changed === changed) return known.names;
    this.known.delete(folder);
    if (changed === null) return new Set();
    const now = Date.now();
    const names = new Set(list(folder));
    // What was changed just now may change again within the same tick.
    if (now - changed > TICK_MS) this.remember(folder, changed, names);
    return names;
  }

  private remember(folder: string, changed: number, names: ReadonlySet<string>): void {
    this.known.set(folder, { changed, names });
    if (this.known.size <= REMEMBERED) return;
    const [oldest] = this.known.keys();
    if (oldest !== undefined) this.known.delete(oldest);
  }
}

/** `null` for what is no folder that can be read. */
function changeOf(folder: string): number | null {
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    return found?.isDirectory() === true ? found.mtimeMs : null;
  } catch {
    return null;
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
