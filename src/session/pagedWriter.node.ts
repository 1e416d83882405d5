/** Writing a file in many small runs, as the rows of tiny chunks are, a page at a time. */
import { readFrom } from "../arrays/loadArray.node.ts";
import { writeAll } from "./newFile.node.ts";

const PAGE_BYTES = 1 << 15;
/** 4 MiB in all: the rows that a band of chunks touches at once. */
const MOST_PAGES = 128;

export class PagedWriter {
  private readonly file: number;
  /** By their numbers, the one that was not used for longest first. */
  private readonly pages = new Map<number, Uint8Array>();
  /** The one that was used last: most pixels that come one by one are in it. */
  private latest: { readonly number: number; readonly page: Uint8Array } | undefined;

  /** @param file open for reading and writing */
  constructor(file: number) {
    this.file = file;
  }

  /** @throws Error of the system where there is no room */
  put(at: number, bytes: Uint8Array): void {
    if (bytes.length >= PAGE_BYTES) {
      this.flush();
      writeAll(this.file, at, bytes);
      return;
    }
    for (let done = 0; done < bytes.length;) {
      const number = Math.floor((at + done) / PAGE_BYTES);
      const from = at + done - number * PAGE_BYTES;
      const room = PAGE_BYTES - from;
      // Most fit: single pixels come by the million.
      const part = done === 0 && bytes.length <= room ? bytes : bytes.subarray(done, done + room);
      this.page(number).set(part, from);
      done += part.length;
    }
  }

  /** Writes what is held back. @throws Error of the system where there is no room */
  flush(): void {
    for (const [number, page] of this.pages) writeAll(this.file, number * PAGE_BYTES, page);
    this.pages.clear();
    this.latest = undefined;
  }

  private page(number: number): Uint8Array {
    if (this.latest?.number !== number) this.latest = { number, page: this.pageOf(number) };
    return this.latest.page;
  }

  private pageOf(number: number): Uint8Array {
    const known = this.pages.get(number);
    if (known !== undefined) {
      // The latest is the last of the map.
      this.pages.delete(number);
      this.pages.set(number, known);
      return known;
    }
    let page: Uint8Array;
    const oldest = this.pages.size < MOST_PAGES ? undefined : this.pages.entries().next().value;
    if (oldest === undefined) page = new Uint8Array(PAGE_BYTES);
    else {
      const [gone, bytes] = oldest;
      writeAll(this.file, gone * PAGE_BYTES, bytes);
      this.pages.delete(gone);
      page = bytes;
    }
    // What was written there before stays; beyond the end of the file there are zeros.
    page.fill(0, readFrom(this.file, number * PAGE_BYTES, page));
    this.pages.set(number, page);
    return page;
  }
}
