/** The first thing to read: what was found, in a word, a sentence, and its numbers. */
import type { Autograd, Check, Report, Verdict } from "../report/schema.ts";
import { h, type Child } from "./dom.ts";
import { formatIndex, formatNumber } from "./format.ts";
import { icon, type Icon } from "./icons.ts";

const VERDICTS: Readonly<Record<Verdict, { readonly word: string; readonly icon: Icon }>> = {
  agrees: { word: "Agrees", icon: "check" },
  differs: { word: "Differs", icon: "cross" },
  "cannot-be-decided": { word: "Cannot be decided", icon: "question" },
  undefined: { word: "Undefined", icon: "empty" },
  "not-differentiable": { word: "Not differentiable", icon: "corner" },
  "not-checked": { word: "Not checked", icon: "dash" },
};

/** The verdict as icon and word; the colour only repeats what they say. */
export function verdictBadge(verdict: Verdict): HTMLElement {
  const { word, icon: name } = VERDICTS[verdict];
  return h("span", { class: `badge is-${verdict}` }, icon(name), h("strong", {}, word));
}

export function verdictWord(verdict: Verdict): string {
  return VERDICTS[verdict].word;
}

export function drawVerdict(report: Report): HTMLElement {
  const { check } = report;
  return h(
    "header",
    { class: "verdict" },
    h(
      "p",
      { class: "verdict-line" },
      verdictBadge(check.verdict),
      ": ",
      h("span", {}, check.sentence),
    ),
    h(
      "p",
      { class: "dim subject" },
      h("code", {}, report.function.name),
      " in ",
      place(report.function),
      ", differentiated with respect to ",
      h("code", {}, report.gradient.wrt),
    ),
  );
}

/** "Cell 3, line 4", "losses.py, line 12"; a typed formula has no line. */
export function place(at: { readonly file: string; readonly line?: number }): string {
  return at.line === undefined || at.line === 0 ? at.file : `${at.file}, line ${at.line}`;
}

/** The figures behind the verdict, as terms and values. */
export function checkFacts(report: Report): readonly Fact[] {
  const { check, autograd, autogradRuns } = report;
  const runs = autogradRuns ?? (autograd === null ? [] : [autograd]);
  return [...errorFacts(check), ...runs.map(autogradFact)];
}

export interface Fact {
  readonly term: string;
  readonly value: readonly Child[];
}

export function drawFacts(facts: readonly Fact[], name = "facts"): HTMLElement {
  return h(
    "dl",
    { class: name },
    ...facts.map((fact) => h("div", {}, h("dt", {}, fact.term), h("dd", {}, ...fact.value))),
  );
}

function errorFacts(check: Check): Fact[] {
  const facts: Fact[] = [];
  if (check.maxAbsError !== null) {
    const relative =
      check.maxRelError === null ? "" : `, relative ${formatNumber(check.maxRelError, 3)}`;
    facts.push({ term: "Largest error", value: [formatNumber(check.maxAbsError, 3), relative] });
  }
  if (check.maxScaledError !== null && check.bound !== null) {
    // The element of the most units need not be that of the largest error.
    const where = check.worst === null ? "" : `, at ${formatIndex(check.worst.index)}`;
    facts.push({
      term: "In rounding units",
      value: [
        `${formatNumber(check.maxScaledError, 3)} of ${formatNumber(check.bound, 3)} allowed`,
        where,
      ],
    });
  }
  return facts;
}

/** How far its gradient is from the derived one where that is furthest in numbers of its own type. */
function inUlps({ maxUlps }: Autograd): string {
  return maxUlps === undefined || maxUlps === null
    ? ""
    : `, at most ${formatNumber(maxUlps, 3)} ulp`;
}

function autogradFact(a: Autograd): Fact {
  const term = [a.library, a.version, "autograd"].filter((part) => part !== "").join(" ");
  if (a.failure !== undefined && a.failure !== null) {
    const [message, ...rest] = a.failure.split("\n");
    const more =
      rest.length === 0
        ? null
        : h("details", {}, h("summary", {}, "What Python said"), h("pre", {}, rest.join("\n")));
    return { term, value: [`could not be run: ${message ?? ""}`, more] };
  }
  const units =
    a.maxScaledError === undefined || a.maxScaledError === null
      ? ""
      : ` (${formatNumber(a.maxScaledError, 3)} rounding units of ${formatNumber(a.bound ?? null, 3)})`;
  const difference =
    a.maxAbsError === null
      ? ""
      : `, largest difference ${formatNumber(a.maxAbsError, 3)}${inUlps(a)}${units}`;
  const where = [a.dtype, a.device, a.python === undefined ? "" : `Python ${a.python}`];
  return {
    term,
    value: [
      verdictBadge(a.verdict),
      `, loss ${formatNumber(a.loss, 17)}${difference}; ${where.filter((w) => w !== "").join(", ")}`,
      a.verdict === "cannot-be-decided" && a.sentence !== undefined ? `; ${a.sentence}` : null,
      a.note === undefined || a.note === null ? null : `; ${a.note}`,
    ],
  };
}
