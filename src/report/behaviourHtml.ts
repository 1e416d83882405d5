/**
 * What `explain` adds to a report, as static HTML: findings, claims, and each plot as a table that
 * folds out.
 */
import { escape } from "./escape.ts";
import type { Behaviour, BehaviourChart, ClaimEntry } from "./schema.ts";
import { CLAIM_WORDS, FINDING_WORDS, chartRows, onLines } from "./words.ts";

export function claimsHtml(claims: readonly ClaimEntry[]): string {
  const one = (c: ClaimEntry): string =>
    `<dt>“${escape(c.claim)}”</dt><dd><strong>${CLAIM_WORDS[c.verdict]}</strong>: ${prose(c.sentence + onLines(c.lines))}.` +
    `<ul>${[...c.evidence, ...(c.needs === null ? [] : [`Needs: ${c.needs}`])].map((e) => `<li>${prose(e)}</li>`).join("")}</ul></dd>`;
  return `<p><strong>Three claims</strong></p><dl>${claims.map(one).join("")}</dl>`;
}

export function behaviourHtml(b: Behaviour): string {
  const findings = b.findings
    .map(
      (f) =>
        `<li><strong>${FINDING_WORDS[f.kind]}</strong>: ${prose(f.sentence + onLines(f.lines))}</li>`,
    )
    .join("");
  return [
    `<p><strong>How the gradient behaves</strong>${b.assumed === null ? "" : ` (${escape(b.assumed)})`}</p>`,
    `<ul>${findings}</ul>`,
    limits(b),
    ...b.charts.map(chart),
  ].join("\n");
}

function limits(b: Behaviour): string {
  if (b.limits.length === 0) return "";
  const bare = b.limits.some((l) => l.without !== null);
  const head = ["where", "of", "gradient", ...(bare ? ["without smoothing"] : [])];
  const rows = b.limits.map(
    (l) =>
      `<tr><th scope="row">${escape(l.what)}</th><td>${l.of}</td><td>${escape(l.own.words)}</td>${bare ? `<td>${escape(l.without?.words ?? "")}</td>` : ""}</tr>`,
  );
  return `<table><caption>At the ends: the gradient of one element</caption>${headOf(head)}<tbody>${rows.join("")}</tbody></table>`;
}

function chart(c: BehaviourChart): string {
  const { head, rows } = chartRows(c, 21);
  const body = rows
    .map(
      ([first, ...rest]) =>
        `<tr><th scope="row">${escape(first!)}</th>${rest.map((v) => `<td>${escape(v)}</td>`).join("")}</tr>`,
    )
    .join("");
  return `<details><summary>${escape(c.title)}</summary><p>${escape(c.note)}</p><table>${headOf(head)}<tbody>${body}</tbody></table></details>`;
}

function headOf(cells: readonly string[]): string {
  return `<thead><tr>${cells.map((t) => `<th scope="col">${escape(t)}</th>`).join("")}</tr></thead>`;
}

/** Text in which names from code stand between backticks. */
function prose(text: string): string {
  return text
    .split(/`([^`]*)`/)
    .map((part, k) => (k % 2 === 0 ? escape(part) : `<code>${escape(part)}</code>`))
    .join("");
}
