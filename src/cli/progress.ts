/** Progress on the last line of a terminal. */
import type { Watch } from "../session/inspect.ts";

/** Runs that are over by then show none. */
const QUIET_MS = 300;

const ERASE = "\r\x1b[K";

export interface ProgressLine extends Watch {
  /** Erases the line, so that something else can be printed. */
  clear(): void;
}

/**
 * A line that says which step a run is at, and how far.
 * @param write to the terminal, at once; null where nobody looks
 * @param now in milliseconds
 */
export function progressLine(
  write: ((text: string) => void) | null,
  isCancelled: () => boolean,
  now: () => number = () => performance.now(),
): ProgressLine {
  const began = now();
  let shown = "";
  return {
    isCancelled,
    onProgress(fraction, what) {
      if (write === null || now() - began < QUIET_MS) return;
      const text = fraction === null ? what : `${what} ${(100 * fraction).toFixed(0)} %`;
      if (text === shown) return;
      shown = text;
      write(`${ERASE}${text}`);
    },
    clear() {
      if (shown !== "") write?.(ERASE);
      shown = "";
    },
  };
}
