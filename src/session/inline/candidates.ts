/** Which definitions of a program may be losses, and where their names are used. */
import type { ParameterInfo } from "../../python/callables.ts";
import type { CallableInfo } from "../../python/program.ts";
import type { Module } from "../../python/syntax.ts";
import type { TopLevel } from "../../python/dependencies.ts";
import type { Candidate, Place } from "./protocol.ts";

/** Losses and the overlap measures that they are made of, by the words in their names. */
const LOSS_NAME =
  /loss|dice|iou|jaccard|tversky|criterion|cross_?entropy|bce|focal|f1_?score|f_?score|f_?beta|lovasz|hausdorff/i;
/** What is written about losses, or makes them, and is none itself. */
const NOT_A_LOSS =
  /^(test_|_?(plot|show|log(?!_?(dice|cosh|iou|jaccard|tversky|loss))|print|make|build|create|get|load|save|read|train|fit)_)/i;
const SCALAR = /\b(float|int|bool|str)\b/;

/** Definitions worth deriving, by name and parameters alone; later ones of a name replace earlier. */
export function candidatesOf(
  callables: readonly (readonly CallableInfo[])[],
  program: readonly (readonly TopLevel[])[],
): Candidate[] {
  const found = new Map<string, Candidate>();
  callables.forEach((ofPart, part) => {
    for (const info of ofPart) {
      found.delete(info.name);
      const candidate = candidateOf(info, part, program[part]!);
      if (candidate !== null) found.set(info.name, candidate);
    }
  });
  return [...found.values()];
}

function candidateOf(
  info: CallableInfo,
  part: number,
  statements: readonly TopLevel[],
): Candidate | null {
  const required = info.parameters.filter(
    (p) => p.default === undefined && !p.name.startsWith("*"),
  );
  const arrays = required.filter(
    (p) =>
      p.annotation === undefined ||
      /tensor|array/i.test(p.annotation) ||
      !SCALAR.test(p.annotation),
  );
  const named = isNamedLikeALoss(info.name);
  const mayBe = named ? info.parameters.length >= 1 : arrays.length >= 2;
  if (!mayBe || NOT_A_LOSS.test(info.name)) return null;
  const { line, column } = info.nameSpan;
  const own = statements.find((s) => s.firstLine <= line && line <= s.lastLine);
  return {
    name: info.name,
    kind: info.kind,
    place: { part, line, column },
    firstLine: firstLineOf(own, info),
    lastLine: info.span.endLine ?? info.span.line,
    parameters: required.map((p) => p.name),
    settings: requiredOf(info.settings ?? []).map((p) => p.name),
    named,
    uses: [],
  };
}

function requiredOf(parameters: readonly ParameterInfo[]): ParameterInfo[] {
  return parameters.filter((p) => p.default === undefined && !p.name.startsWith("*"));
}

/** Decorators belong to a definition that is a statement of its own. */
function firstLineOf(own: TopLevel | undefined, info: CallableInfo): number {
  const alone = own?.binds.length === 1 && own.lastLine === info.span.endLine;
  return alone ? own.firstLine : info.span.line;
}

/** Names of losses that a program imports; `known` are those that it defines itself. */
export function importsOf(modules: readonly Module[], known: readonly Candidate[]): Candidate[] {
  const defined = new Set(known.map((c) => c.name));
  const found = new Map<string, Candidate>();
  modules.forEach((module, part) => {
    for (const s of module.body) {
      if (s.kind !== "ImportFrom") continue;
      for (const { name, alias } of s.names ?? []) {
        const own = alias ?? name;
        if (!isNamedLikeALoss(name) || defined.has(own)) continue;
        const { line } = s.span;
        found.set(own, {
          name: own,
          kind: "imported",
          place: placeOf(module, part, own, line, s.span.endLine ?? line),
          firstLine: line,
          lastLine: line,
          parameters: [],
          settings: [],
          named: true,
          uses: [],
        });
      }
    }
  });
  return [...found.values()];
}

/** The word in the lines of an import, behind the module's name; an alias stands last. */
function placeOf(module: Module, part: number, word: string, from: number, to: number): Place {
  for (let line = to; line >= from; line--) {
    const text = module.source.lines[line - 1] ?? "";
    const start = text.search(/\bimport\b/) + 1;
    const at = text.slice(start).search(new RegExp(`\\b${word}\\b`));
    if (at >= 0) return { part, line, column: start + at + 1 };
  }
  return { part, line: from, column: 1 };
}

export function isNamedLikeALoss(name: string): boolean {
  return LOSS_NAME.test(name) && !NOT_A_LOSS.test(name);
}

/** The same candidates with the places that name them, other than where a name means another thing. */
export function withUses(
  candidates: readonly Candidate[],
  program: readonly (readonly TopLevel[])[],
): Candidate[] {
  const uses = new Map<string, Place[]>(candidates.map((c) => [c.name, []]));
  program.forEach((statements, part) => {
    for (const { firstLine, uses: named } of statements) {
      for (const { name, line, column } of named) {
        uses.get(name)?.push({ part, line: firstLine + line, column });
      }
    }
  });
  return candidates.map((c) => ({ ...c, uses: uses.get(c.name)! }));
}
