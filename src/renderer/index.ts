/**
 * The notebook renderer: what VS Code loads into the notebook's output frame to draw outputs of
 * type `application/vnd.dice-gradient.report.v1+json`. Outputs are data from a file, so they are
 * read as such (validate.ts) and drawn alike whether or not the workspace is trusted.
 */
import type { ActivationFunction, OutputItem } from "vscode-notebook-renderer";
import { drawComparison } from "./comparison.ts";
import { h } from "./dom.ts";
import { memoryOf } from "./memory.ts";
import type { RendererMessage, Report } from "../report/schema.ts";
import { drawReport, type Drawing } from "./report.ts";
import { loadStyles } from "./styles.ts";
import { readPayload, type Payload } from "./validate.ts";
import { View } from "./view.ts";

/** Larger outputs are not even parsed. */
const MAX_BYTES = 1 << 26;

interface Live {
  readonly element: HTMLElement;
  readonly view: View;
}

export const activate: ActivationFunction<unknown> = (context) => {
  loadStyles();
  const live = new Map<string, Live>();
  // Missing where another program draws the notebook.
  const open =
    context.postMessage === undefined
      ? null
      : (file: string, line: number): void => {
          context.postMessage?.({ kind: "open", file, line } satisfies RendererMessage);
        };

  const end = (id: string): void => {
    live.get(id)?.view.end();
    live.delete(id);
  };

  return {
    async renderOutputItem(item, element, signal) {
      end(item.id);
      // VS Code may hand over an element that another output was drawn into.
      for (const [id, other] of live) if (other.element === element) end(id);
      element.replaceChildren();
      if (signal.aborted) return;
      const payload = read(item);
      const view = new View(memoryOf(context, memoryKeys(item, payload)), open);
      live.set(item.id, { element, view });
      signal.addEventListener("abort", () => {
        view.end();
      });
      const { element: drawn, drawn: complete } = draw(view, payload);
      element.append(
        h(
          "div",
          { class: "dice-gradient", "data-vscode-context": menuContext(item, payload) },
          drawn,
          view.live,
        ),
      );
      await complete;
    },
    disposeOutputItem(id) {
      for (const each of id === undefined ? [...live.keys()] : [id]) end(each);
    },
  };
};

function read(item: OutputItem): Payload {
  const bytes = item.data().byteLength;
  if (bytes > MAX_BYTES) {
    return { kind: "invalid", why: `it has ${bytes} bytes, and at most ${MAX_BYTES} are read` };
  }
  try {
    return readPayload(item.json());
  } catch {
    return { kind: "invalid", why: "it is not JSON" };
  }
}

function draw(view: View, payload: Payload): Drawing {
  switch (payload.kind) {
    case "report":
      return drawReport(view, payload.report);
    case "comparison":
      return drawComparison(view, payload.comparison);
    case "other-schema":
      return message(
        `This report is written in the format ${payload.found}, and the installed version of ` +
          `Dice Gradient Inspector reads ${payload.known.join(" and ")}. Update the extension to ` +
          "see it; until then, Change Presentation in this output's menu offers it as text.",
      );
    case "invalid":
      return message(
        `This output cannot be drawn as a gradient report: ${payload.why}. Run its cell again to ` +
          "make it anew.",
      );
  }
}

function message(text: string): Drawing {
  return { element: h("p", { class: "problem" }, text), drawn: Promise.resolve() };
}

function reportsIn(payload: Payload): readonly Report[] {
  if (payload.kind === "report") return [payload.report];
  return payload.kind === "comparison" ? payload.comparison.reports : [];
}

function memoryKeys(item: OutputItem, payload: Payload): string[] {
  const names = reportsIn(payload).map((r) => `${r.function.name} by ${r.gradient.wrt}`);
  return [`output ${item.id}`, ...(names.length === 0 ? [] : [`loss ${names.join(" and ")}`])];
}

/** What the entries of VS Code's context menu can ask for, and are given. */
function menuContext(item: OutputItem, payload: Payload): string {
  return JSON.stringify({
    webviewSection: "dice-gradient.report",
    preventDefaultContextMenuItems: false,
    reportOutput: item.id,
    reportKind: payload.kind,
    ...(payload.kind === "report" && {
      reportFunction: payload.report.function.name,
      reportWrt: payload.report.gradient.wrt,
    }),
    reports: reportsIn(payload).map((r) => ({
      function: r.function.name,
      wrt: r.gradient.wrt,
      value: r.loss.value,
    })),
  });
}
