/** A document for the renderer to draw into, and what VS Code gives it. */
import assert from "node:assert/strict";
import { JSDOM, VirtualConsole } from "jsdom";
import type { OutputItem, RendererApi } from "vscode-notebook-renderer";
import { activate } from "../../../src/renderer/index.ts";

/** What the renderer uses of a browser. Node has the rest (Blob, streams, atob). */
const GLOBALS = ["document", "navigator", "HTMLElement", "MutationObserver"] as const;

/** What was activated in this document, to be ended with it. */
const hosts: Host[] = [];

/** A fresh document before each test of the suite, gone after it. */
export function usePage(): void {
  const before = new Map<string, PropertyDescriptor | undefined>();
  beforeEach(() => {
    // Without a listener, what jsdom cannot do (canvases) is not printed.
    const { window } = new JSDOM("<!doctype html><body></body>", {
      pretendToBeVisual: true,
      virtualConsole: new VirtualConsole(),
    });
    for (const name of GLOBALS) {
      before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
      const value: unknown = window[name];
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  });
  afterEach(() => {
    for (const host of hosts.splice(0)) host.api.disposeOutputItem?.();
    document.defaultView?.close();
    for (const name of GLOBALS) {
      const descriptor = before.get(name);
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
  });
}

/** A renderer as one notebook has it, whose state outlives it as in VS Code. */
export class Host {
  state: unknown;
  readonly api: RendererApi;
  /** What the renderer sent to the extension. */
  readonly messages: unknown[] = [];

  /** @param canSend whether there is an extension to send to */
  constructor(state?: unknown, isTrusted = true, canSend = false) {
    this.state = state;
    const api = activate({
      ...(canSend ? { postMessage: (message: unknown) => void this.messages.push(message) } : {}),
      getState: () => this.state,
      setState: (value) => {
        this.state = JSON.parse(JSON.stringify(value)) as unknown;
      },
      getRenderer: () => Promise.resolve(undefined),
      workspace: { isTrusted },
    });
    assert.ok(api !== undefined && !(api instanceof Promise));
    this.api = api;
    hosts.push(this);
  }

  /** Draws a value as the output with this id, and gives its element. */
  async draw(
    value: unknown,
    id = "output-1",
    element = this.element(),
    signal = new AbortController().signal,
  ): Promise<HTMLElement> {
    await this.api.renderOutputItem(item(value, id), element, signal);
    return element;
  }

  element(): HTMLElement {
    const element = document.createElement("div");
    document.body.append(element);
    return element;
  }
}

/** An output item of this value, or of this very text. */
export function item(value: unknown, id = "output-1"): OutputItem {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return {
    id,
    mime: "application/vnd.dice-gradient.report.v1+json",
    metadata: undefined,
    text: () => text,
    json: () => JSON.parse(text) as unknown,
    data: () => new TextEncoder().encode(text),
    blob: () => new Blob([text]),
  };
}

export function draw(value: unknown): Promise<HTMLElement> {
  return new Host().draw(value);
}

/** The one element that matches. */
// As in querySelector, the type says what the selector finds.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function one<E extends Element = HTMLElement>(root: ParentNode, selector: string): E {
  const found = all<E>(root, selector);
  assert.equal(found.length, 1, `elements matching ${selector}`);
  return found[0]!;
}

export function all<E extends Element = HTMLElement>(root: ParentNode, selector: string): E[] {
  return [...root.querySelectorAll<E>(selector)];
}

/** The button with this text. */
export function buttonNamed(root: ParentNode, text: string): HTMLButtonElement {
  const found = all<HTMLButtonElement>(root, "button").filter((b) => b.textContent === text);
  assert.equal(found.length, 1, `buttons named ${text}`);
  return found[0]!;
}

/** What a screen reader was last told. */
export function announced(root: ParentNode): string {
  return one(root, "[aria-live]").textContent;
}

const ALLOWED = new Set(
  (
    "div span p strong code header article section h3 dl dt dd ul li table thead tbody tr th td " +
    "caption details summary button figure figcaption canvas label input output " +
    // Of our plots and icons, and of KaTeX's wide symbols.
    "svg g path rect circle line text title desc " +
    // Of KaTeX's MathML.
    "math semantics annotation mrow mi mo mn mtext mspace msub msup msubsup mfrac msqrt mroot " +
    "munder mover munderover mtable mtr mtd mstyle mpadded mphantom menclose mlabeledtr"
  ).split(" "),
);

/** Fails when anything in the output could act, load something, or reach out of it. */
export function assertHarmless(root: HTMLElement): void {
  const ids = new Set<string>();
  for (const element of all<Element>(root, "*")) {
    const tag = element.localName;
    assert.ok(ALLOWED.has(tag), `an element <${tag}>`);
    for (const { name, value } of element.attributes) {
      assert.doesNotMatch(name, /^on|^src|href$|action$|^srcdoc$|^is$/i, `an attribute ${name}`);
      if (name === "style") assert.doesNotMatch(value, /url\(|position:\s*fixed|z-index/i);
      if (name === "id") {
        assert.match(value, /^dice-gradient-[a-z]+-\d+$/);
        assert.ok(!ids.has(value), `id ${value} twice`);
        ids.add(value);
      }
    }
  }
}
