/** A report in every form that a notebook output carries. */
import { toHtml } from "../report/html.ts";
import { toLatex, toMarkdown, toPlain } from "../report/plain.ts";
import type { ReportOutput } from "../report/schema.ts";
import type { Drawn } from "./protocol.ts";

export function draw(report: ReportOutput): Drawn {
  return {
    report,
    html: toHtml(report),
    latex: toLatex(report),
    markdown: toMarkdown(report),
    plain: toPlain(report),
  };
}
