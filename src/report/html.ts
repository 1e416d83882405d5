/**
 * A report as static HTML: what JupyterLab, nbconvert and GitHub show. No script, no style sheet,
 * no network; formulas are MathML, which browsers set by themselves.
 */
import katex from "katex";
import {
  HANDWRITTEN_WORDS,
  VERDICT_WORDS,
  cutsOf,
  formatNumber,
  isComparison,
  matchWords,
  onLines,
  trapPlace,
} from "./plain.ts";
import { behaviourHtml, claimsHtml } from "./behaviourHtml.ts";
import { escape } from "./escape.ts";
import { precisionHtml } from "./precisionPlain.ts";
import { lossValueWords } from "./words.ts";
import type {
  Comparison,
  Difference,
  Formula,
  HandWritten,
  Match,
  Numbers,
  Report,
  ReportOutput,
  TrapNote,
} from "./schema.ts";

export { escape };

export function toHtml(r: ReportOutput): string {
  return `<div class="dice-gradient-report">${isComparison(r) ? comparison(r) : report(r)}</div>`;
}

function report(r: Report): string {
  const parts = [
    `<p><strong>${VERDICT_WORDS[r.check.verdict]}</strong>: ${escape(r.check.sentence)}</p>`,
    `<p><code>${escape(r.function.name)}</code> (${escape(r.function.file)}:${r.function.line}), derivative with respect to <code>${escape(r.gradient.wrt)}</code>` +
      (r.loss.value === null ? "" : `; loss ${lossValueWords(r.loss)}`) +
      `</p>`,
    math(r.loss.latex),
    math(r.gradient.latex),
    `<details><summary>Derivation, step by step</summary><ol>${r.gradient.steps
      .map(
        (s) =>
          `<li>${escape(s.title)}${math(s.latex)}${s.note === undefined ? "" : `<p>${escape(s.note)}</p>`}</li>`,
      )
      .join("")}</ol></details>`,
  ];
  if (r.symbols.length > 0) {
    parts.push(
      `<ul>${r.symbols
        .map(
          (s) =>
            `<li>${math(s.symbol.latex, false)} <code>${escape(s.name)}</code>: ${escape(s.meaning)}</li>`,
        )
        .join("")}</ul>`,
    );
  }
  parts.push(...(r.handwritten ?? []).map(handwritten));
  if (r.claims !== undefined) parts.push(claimsHtml(r.claims));
  if (r.behaviour !== undefined) parts.push(behaviourHtml(r.behaviour));
  if (r.precision !== undefined) parts.push(precisionHtml(r.precision));
  const remarks = [
    ...cutsOf(r).map((d) => d.message),
    ...r.assumptions.map((a) => `Assumed: ${a}`),
    ...r.check.notes,
  ];
  if (remarks.length > 0) {
    parts.push(`<ul>${remarks.map((t) => `<li>${escape(t)}</li>`).join("")}</ul>`);
  }
  if (r.numbers !== undefined) parts.push(numbersTable(r.numbers));
  return parts.join("\n");
}

function handwritten(h: HandWritten): string {
  const formula = (title: string, f: Formula | null): string =>
    f === null ? "" : `<p>${title}:</p>${math(f.latex)}`;
  const faults =
    h.faults.length < 2
      ? ""
      : `<ul>${h.faults.map((f) => `<li>${escape(f.sentence + onLines(f.lines))}</li>`).join("")}</ul>`;
  return (
    `<p><strong>${HANDWRITTEN_WORDS[h.verdict]}</strong>, written by hand: ${escape(h.sentence)}. ${escape(h.use)}.</p>` +
    faults +
    formula("As written", h.written) +
    (h.verdict === "right" ? "" : formula("As derived from the forward pass", h.right)) +
    formula("Written less derived", h.residual)
  );
}

function numbersTable(n: Numbers): string {
  const rows = n.rows.slice(0, 100);
  const head = ["index", ...n.columns].map((c) => `<th scope="col">${escape(c)}</th>`).join("");
  const body = rows
    .map(
      (row) =>
        `<tr><th scope="row">[${row.index.join(", ")}]</th>${row.values
          .map((v) => `<td>${formatNumber(v, 8)}</td>`)
          .join("")}</tr>`,
    )
    .join("");
  const caption =
    rows.length === n.total
      ? `All ${n.total} elements`
      : `${rows.length} of ${n.total} elements${n.complete || !n.columns.includes("error") ? "" : ", the largest errors first"}`;
  return `<table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function comparison(c: Comparison): string {
  const rows = c.reports
    .map(
      (r) =>
        `<tr><th scope="row"><code>${escape(r.function.name)}</code></th><td>${lossValueWords(r.loss)}</td><td>${math(r.gradient.latex)}</td><td>${VERDICT_WORDS[r.check.verdict]}</td></tr>`,
    )
    .join("");
  return (
    `<table><thead><tr><th scope="col">loss</th><th scope="col">value</th><th scope="col">gradient</th><th scope="col">verdict</th></tr></thead><tbody>${rows}</tbody></table>` +
    c.pairs.map(pair).join("") +
    matches(c.matches ?? [], c.reports[0]?.function.name)
  );
}

function pair(p: Comparison["pairs"][number]): string {
  const reasons = p.differences.filter((d) => d.title !== undefined);
  const together =
    p.complete === undefined
      ? ""
      : p.complete
        ? "<p>With all of this changed the two losses are the same function, by the exact test.</p>"
        : "<p>These reasons do not explain all of the difference.</p>";
  const list = reasons.length === 0 ? "" : `<ol>${reasons.map(reason).join("")}</ol>${together}`;
  return `<p>${escape(p.sentence)}</p>${list}${traps(p.traps)}`;
}

function matches(all: readonly Match[], subject?: string): string {
  if (all.length === 0) return "";
  const item = (m: Match): string =>
    `<li>${escape(matchWords(m, subject))} <code>${escape(m.call)}</code> (${escape(m.source)})${traps(m.traps)}</li>`;
  return `<ul>${all.map(item).join("")}</ul>`;
}

function traps(all: readonly TrapNote[] = []): string {
  if (all.length === 0) return "";
  const item = (t: TrapNote): string =>
    `<li><strong>Trap</strong> (${escape(trapPlace(t))}): ${escape(t.sentence)}</li>`;
  return `<ul>${all.map(item).join("")}</ul>`;
}

function reason(d: Difference): string {
  const share = d.share === null ? "" : `, ${formatNumber(100 * d.share, 3)} % of the difference`;
  const formula = (title: string, f: Formula | null | undefined): string =>
    f === null || f === undefined ? "" : `<p>${title}:</p>${math(f.latex)}`;
  return (
    `<li><strong>${escape(d.title ?? d.reason)}</strong>${escape(share + onLines(d.lines))}` +
    `<p>${escape(d.reason)}</p>` +
    formula("As it is", d.before) +
    formula("With the fix", d.formula) +
    (d.fix === null ? "" : `<p>Fix: ${escape(d.fix)}</p>`) +
    "</li>"
  );
}

/** LaTeX as MathML. What KaTeX does not know is shown as its source, never as markup. */
export function math(latex: string, displayMode = true): string {
  try {
    return katex.renderToString(latex, {
      displayMode,
      output: "mathml",
      trust: false,
      maxExpand: 200,
    });
  } catch {
    return `<code>${escape(latex)}</code>`;
  }
}
