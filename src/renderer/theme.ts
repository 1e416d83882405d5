/** What VS Code says about the theme: it writes the kind onto the body of the output frame. */

/** Whether things are drawn on a dark ground. */
export function isDark(): boolean {
  const kind = document.body.dataset["vscodeThemeKind"];
  return kind === "vscode-dark" || kind === "vscode-high-contrast";
}

const listeners = new Set<() => void>();
let observer: MutationObserver | null = null;

/** Calls the listener whenever the theme's kind changes, until the returned function is called. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  if (observer === null) {
    observer = new MutationObserver(() => {
      for (const each of [...listeners]) each();
    });
    observer.observe(document.body, { attributeFilter: ["data-vscode-theme-kind"] });
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      observer?.disconnect();
      observer = null;
    }
  };
}
