/** What the parts of one output share: its remembered state, its announcements, its end. */
import { h } from "./dom.ts";
import type { Memory } from "./memory.ts";

export class View {
  readonly #cleanups: (() => void)[] = [];
  readonly #live: HTMLElement;
  readonly #memory: Memory;
  readonly #prefix: string;
  /** Opens a line of the source; null where nobody could. */
  readonly open: ((file: string, line: number) => void) | null;
  #ended = false;

  /** `live` is the element whose text a screen reader speaks when it changes. */
  constructor(
    memory: Memory,
    open: View["open"] = null,
    live: HTMLElement = liveRegion(),
    prefix = "",
  ) {
    this.#memory = memory;
    this.open = open;
    this.#live = live;
    this.#prefix = prefix;
  }

  /** The element to put into the output so that announcements are heard. */
  get live(): HTMLElement {
    return this.#live;
  }

  /** The same output, with a state of its own for a part of it. */
  part(name: string): View {
    const part = new View(this.#memory, this.open, this.#live, `${this.#prefix}${name}/`);
    this.onEnd(() => {
      part.end();
    });
    return part;
  }

  /** Speaks to a screen reader. */
  announce(text: string): void {
    this.#live.textContent = text;
  }

  /** What was remembered under this name, or the fall-back when it is of another type. */
  recall<T extends boolean | number>(name: string, fallback: T): T {
    const value = this.#memory.read(this.#prefix + name);
    return typeof value === typeof fallback ? (value as T) : fallback;
  }

  remember(name: string, value: boolean | number): void {
    this.#memory.write(this.#prefix + name, value);
  }

  /** A foldable whose state is remembered. */
  remembersFold(details: HTMLDetailsElement, name: string, open: boolean): HTMLDetailsElement {
    details.open = this.recall(name, open);
    let last = details.open;
    details.addEventListener("toggle", () => {
      if (details.open === last) return;
      last = details.open;
      this.remember(name, last);
    });
    return details;
  }

  /** True once the output was disposed of or its drawing cancelled. */
  get ended(): boolean {
    return this.#ended;
  }

  onEnd(cleanup: () => void): void {
    if (this.#ended) cleanup();
    else this.#cleanups.push(cleanup);
  }

  end(): void {
    this.#ended = true;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
  }
}

function liveRegion(): HTMLElement {
  return h("div", { class: "unseen", "aria-live": "polite" });
}
