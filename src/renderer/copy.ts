/** "Copy as": the derivation in the forms that people paste elsewhere. */
import type { Report } from "../report/schema.ts";
import { button, h } from "./dom.ts";
import { formatLoss } from "./format.ts";
import { place } from "./verdict.ts";
import type { View } from "./view.ts";

export interface CopyFormat {
  /** On the button. */
  readonly label: string;
  /** In the announcement and the tooltip. */
  readonly name: string;
  readonly text: string;
}

export function copyFormats(report: Report): readonly CopyFormat[] {
  const { python, markdown } = report.gradient;
  return [
    { label: "LaTeX", name: "LaTeX", text: asLatex(report) },
    { label: "Markdown", name: "Markdown", text: markdown },
    { label: "Text", name: "plain text", text: asText(report) },
    ...(python === null
      ? []
      : [
          { label: "NumPy", name: "Python (NumPy)", text: python.numpy },
          { label: "PyTorch", name: "Python (PyTorch)", text: python.torch },
        ]),
  ];
}

const LABEL = "Copy as";
/** How long "Copied" stands in the label's place, in milliseconds. */
const SAID_FOR = 2_000;

/** A button that copies one text, and says so in its own place. */
export function copyButton(view: View, text: string, title: string): HTMLButtonElement {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const one = button("Copy", { class: "copy-one", title }, () => {
    void copyText(text, one.parentElement ?? one).then((copied) => {
      if (view.ended) return;
      one.textContent = copied ? "Copied" : "Could not copy";
      view.announce(copied ? "Copied" : "The clipboard could not be written to");
      clearTimeout(timer);
      timer = setTimeout(() => {
        one.textContent = "Copy";
      }, SAID_FOR);
    });
  });
  view.onEnd(() => {
    clearTimeout(timer);
  });
  return one;
}

/** A row of buttons, one a format. */
export function drawCopyBar(view: View, report: Report): HTMLElement {
  // What happened is said in the label's own place, so that no button moves away under the mouse.
  const label = h("span", { class: "dim copy-label", "aria-hidden": "true" }, LABEL);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = (text: string): void => {
    label.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      label.textContent = LABEL;
    }, SAID_FOR);
  };
  view.onEnd(() => {
    clearTimeout(timer);
  });
  const bar = h(
    "div",
    { class: "bar copy", role: "group", "aria-label": LABEL },
    label,
    ...copyFormats(report).map((format) =>
      button(format.label, { title: `Copy the derivation as ${format.name}` }, () => {
        void copyText(format.text, bar).then((copied) => {
          if (view.ended) return;
          say(copied ? "Copied" : "Could not copy");
          view.announce(
            copied ? `Copied as ${format.name}` : "The clipboard could not be written to",
          );
        });
      }),
    ),
  );
  return bar;
}

/** Puts text on the clipboard, by the older way where the newer is not allowed. */
export async function copyText(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text, near);
  }
}

function copyBySelection(text: string, near: HTMLElement): boolean {
  const before = document.activeElement;
  const area = h("textarea", {
    class: "unseen",
    "aria-hidden": "true",
    tabindex: -1,
    readonly: true,
  });
  area.value = text;
  near.append(area);
  area.focus();
  area.select();
  try {
    // Deprecated, and the only way where the frame has no clipboard permission.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

function headline(report: Report): string {
  return `${report.function.name} (${place(report.function)}), derivative with respect to ${report.gradient.wrt}`;
}

/** The loss, each step and the gradient as displayed formulas, titles as comments. */
function asLatex(report: Report): string {
  const { loss, gradient } = report;
  const display = (latex: string): string => `\\[\n${latex}\n\\]`;
  const comment = (text: string): string => `% ${text.replace(/\s+/g, " ")}`;
  return [
    comment(headline(report)),
    display(loss.latex),
    ...gradient.steps.flatMap((step, k) => [
      comment(`${k + 1}. ${step.title}`),
      display(step.latex),
    ]),
    comment("The gradient"),
    display(gradient.latex),
    "",
  ].join("\n");
}

function asText(report: Report): string {
  const { loss, gradient, symbols } = report;
  return [
    headline(report),
    "",
    loss.text,
    ...(loss.value === null ? [] : [`  = ${formatLoss(loss)}`]),
    "",
    ...gradient.steps.flatMap((step, k) => [
      `${k + 1}. ${step.title}`,
      ...step.text.split("\n").map((line) => `   ${line}`),
      ...(step.note === undefined ? [] : [`   ${step.note}`]),
      "",
    ]),
    gradient.text,
    ...(symbols.length === 0 ? [] : [""]),
    ...symbols.map((each) => `${each.symbol.text}: ${each.name}, ${each.meaning}`),
    "",
  ].join("\n");
}
