/**
 * Which statements of a program a definition depends on: what it names, what those name, and the
 * statements that may change any of it. While none of them changes, neither does its meaning.
 */
import { boundBy } from "./interpreter/imports.ts";
import type { Expression, Module, Source, Statement } from "./syntax.ts";
import { walkSyntax } from "./syntaxWalk.ts";

/** A statement at the margin of a file or cell. */
export interface TopLevel {
  readonly file: string;
  /** From 1, with decorators; `lastLine` included. */
  readonly firstLine: number;
  readonly lastLine: number;
  readonly text: string;
  readonly binds: readonly string[];
  readonly names: ReadonlySet<string>;
  readonly isImport: boolean;
  /** May change what other statements have bound. */
  readonly actsAtADistance: boolean;
  /** Only shows a value, as a cell's last line does: `mask.shape`, `dice_loss(mask, p)`. */
  readonly onlyShows: boolean;
  /** `from … import *` */
  readonly bindsAnything: boolean;
}

export function topLevelOf(module: Module): TopLevel[] {
  return module.body.map((statement) => describe(statement, module.source));
}

function describe(statement: Statement, source: Source): TopLevel {
  const names = new Set<string>();
  walkSyntax([statement], (node) => {
    if (node.kind === "Name") names.add(node.id);
  });
  const decorators = "decorators" in statement ? statement.decorators : [];
  const firstLine = Math.min(statement.span.line, ...decorators.map((d) => d.span.line));
  const lastLine = statement.span.endLine ?? statement.span.line;
  return {
    file: source.file,
    firstLine,
    lastLine,
    text: source.lines.slice(firstLine - 1, lastLine).join("\n"),
    binds: boundBy(statement),
    names,
    isImport: statement.kind === "Import" || statement.kind === "ImportFrom",
    actsAtADistance: actsAtADistance(statement),
    onlyShows: onlyShows(statement),
    bindsAnything: statement.kind === "ImportFrom" && statement.names === null,
  };
}

function actsAtADistance(statement: Statement): boolean {
  switch (statement.kind) {
    case "FunctionDef":
    case "ClassDef":
    case "Import":
    case "ImportFrom":
    case "Assert":
    case "Pass":
      return false;
    case "Assign":
      return !statement.targets.every((t) => t.kind === "Name");
    case "AnnAssign":
      return statement.target.kind !== "Name";
    case "If":
      return !isMainGuard(statement.test);
    default:
      return true;
  }
}

/** A method may change its object; a function that is called by its name hardly ever does. */
function onlyShows(statement: Statement): boolean {
  if (statement.kind !== "Expression") return false;
  const { value } = statement;
  return value.kind !== "Call" || value.callee.kind === "Name";
}

/** `if __name__ == "__main__":` is for running the file, which nobody does here. */
function isMainGuard(test: Expression): boolean {
  let guards = false;
  walkSyntax([test], (node) => {
    if (node.kind === "Name" && node.id === "__name__") guards = true;
  });
  return guards;
}

/** The statements that the meaning of `name` depends on, in the program's order. */
export function dependenciesOf(name: string, program: readonly TopLevel[]): TopLevel[] {
  const names = new Set([name]);
  const taken = new Set<TopLevel>();
  for (;;) {
    const before = taken.size;
    for (const s of program) {
      if (taken.has(s)) continue;
      const touches =
        s.bindsAnything ||
        s.binds.some((n) => names.has(n)) ||
        (s.actsAtADistance && [...s.names].some((n) => names.has(n)));
      if (!touches) continue;
      taken.add(s);
      for (const n of s.names) names.add(n);
    }
    if (taken.size === before) return program.filter((s) => taken.has(s));
  }
}
