/** What `explain` adds: how the gradient behaves, with plots, and three claims settled. */
import type { Behaviour, BehaviourFinding, BehaviourLimit, ClaimEntry } from "../report/schema.ts";
import { lineRanges } from "./derivation.ts";
import { h, section, type Child } from "./dom.ts";
import { icon, type Icon } from "./icons.ts";
import { drawLines } from "./linePlot.ts";
import type { View } from "./view.ts";

interface Look {
  readonly word: string;
  readonly icon: Icon;
  /** Coloured as this verdict. */
  readonly as: string;
}

const FINDINGS: Readonly<Record<BehaviourFinding["kind"], Look>> = {
  vanishes: { word: "Vanishes", icon: "empty", as: "undefined" },
  explodes: { word: "Explodes", icon: "warning", as: "differs" },
  steady: { word: "Steady", icon: "check", as: "agrees" },
  undefined: { word: "Undefined", icon: "question", as: "undefined" },
  information: { word: "Measured", icon: "info", as: "not-checked" },
};

const CLAIMS: Readonly<Record<ClaimEntry["verdict"], Look>> = {
  true: { word: "True here", icon: "check", as: "agrees" },
  false: { word: "False", icon: "cross", as: "differs" },
  "true-only-when": { word: "True only when", icon: "corner", as: "not-differentiable" },
  "not-settled": { word: "Not settled here", icon: "question", as: "cannot-be-decided" },
};

export function drawBehaviour(view: View, behaviour: Behaviour | undefined): HTMLElement | null {
  if (behaviour === undefined) return null;
  const { assumed, findings, charts, limits } = behaviour;
  return section(
    "How the gradient behaves",
    "behaviour",
    assumed === null ? null : h("p", { class: "dim" }, `${capital(assumed)}.`),
    findings.length === 0 ? null : h("ul", { class: "diagnostics" }, ...findings.map(drawFinding)),
    charts.length === 0
      ? null
      : h("div", { class: "plots" }, ...charts.map((c) => drawLines(view, c))),
    limits.length === 0 ? null : drawLimits(view, limits),
  );
}

/** Text in which names from code stand between backticks. */
function prose(text: string): Child[] {
  return text.split(/`([^`]*)`/).map((part, k) => (k % 2 === 0 ? part : h("code", {}, part)));
}

function badge({ word, icon: name, as }: Look): HTMLElement {
  return h("span", { class: `badge is-${as}` }, icon(name), h("strong", {}, word));
}

function onLines(lines: readonly number[]): Child {
  return lines.length === 0 ? null : h("span", { class: "dim" }, ` (${lineRanges(lines)})`);
}

function drawFinding(f: BehaviourFinding): HTMLElement {
  return h("li", {}, badge(FINDINGS[f.kind]), ": ", ...prose(f.sentence), onLines(f.lines));
}

function drawLimits(view: View, limits: readonly BehaviourLimit[]): HTMLElement {
  const bare = limits.some((l) => l.without !== null);
  const words = (text: string): HTMLElement => h("th", { scope: "col", class: "words" }, text);
  const cell = (text: string): HTMLElement => h("td", { class: "words" }, text);
  const table = h(
    "div",
    { class: "table-scroll flat" },
    h(
      "table",
      { class: "numbers limits" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          words("Where"),
          words("Of an element of"),
          words("Gradient"),
          bare ? words("Without smoothing") : null,
        ),
      ),
      h(
        "tbody",
        {},
        ...limits.map((l) =>
          h(
            "tr",
            {},
            h("th", { scope: "row", class: "words" }, l.what),
            cell(l.of),
            cell(l.own.words),
            bare ? cell(l.without?.words ?? "") : null,
          ),
        ),
      ),
    ),
  );
  const details = h(
    "details",
    { class: "step limits" },
    h("summary", {}, icon("chevron"), h("span", { class: "step-title" }, "At the ends, exactly")),
    h("div", { class: "step-body" }, table),
  );
  return view.remembersFold(details, "limits", false);
}

export function drawClaims(
  view: View,
  claims: readonly ClaimEntry[] | undefined,
): HTMLElement | null {
  if (claims === undefined || claims.length === 0) return null;
  return section("Three claims", "claims", ...claims.map((c) => drawClaim(view, c)));
}

function drawClaim(view: View, claim: ClaimEntry): HTMLElement {
  const evidence = h(
    "details",
    { class: "step" },
    h("summary", {}, icon("chevron"), h("span", { class: "step-title" }, "What it rests on")),
    h(
      "ul",
      { class: "step-body evidence" },
      ...claim.evidence.map((text) => h("li", {}, ...prose(text))),
    ),
  );
  return h(
    "div",
    { class: "claim" },
    h("p", { class: "claim-text" }, `“${claim.claim}”`),
    h(
      "p",
      { class: "verdict-line" },
      badge(CLAIMS[claim.verdict]),
      ": ",
      ...prose(`${claim.sentence}.`),
      onLines(claim.lines),
    ),
    claim.needs === null
      ? null
      : h("p", { class: "claim-needs" }, h("span", { class: "dim" }, "Needs: "), claim.needs),
    claim.evidence.length === 0 ? null : view.remembersFold(evidence, `claim ${claim.id}`, false),
  );
}

const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1);
