/**
 * Which statements of a program a definition depends on: what it names, what those name, and the
 * statements that may change any of it. While none of them changes, neither does its meaning.
 */
import { gradientNames } from "./handwritten/pairs.ts";
import { boundBy } from "./interpreter/imports.ts";
import type { Expression, Module, Statement } from "./syntax.ts";
import { walkSyntax } from "./syntaxWalk.ts";

/** A name in a statement: of the module, not of a function's own variables. */
export interface NameUse {
  readonly name: string;
  /** From the statement's first line, which is 0. */
  readonly line: number;
  readonly column: number;
}

/** What a statement at the margin says, wherever it stands. */
interface Described {
  readonly binds: readonly string[];
  readonly names: ReadonlySet<string>;
  /** Where it names what it does not define itself. */
  readonly uses: readonly NameUse[];
  readonly isImport: boolean;
  /** May change what other statements have bound. */
  readonly actsAtADistance: boolean;
  /** Only shows a value, as a cell's last line does: `mask.shape`, `dice_loss(mask, p)`. */
  readonly onlyShows: boolean;
  /** `from … import *` */
  readonly bindsAnything: boolean;
}

/** A statement at the margin of a file or cell. */
export interface TopLevel extends Described {
  readonly file: string;
  /** From 1, with decorators; `lastLine` included. */
  readonly firstLine: number;
  readonly lastLine: number;
  readonly text: string;
  /** The lines of comments directly above: they may say something about it. */
  readonly remarks: string;
}

/** The statements of a program, which may be edited: those that stay are described once. */
export class Statements {
  private described: ReadonlyMap<string, Described> = new Map();

  /** @returns for each file or cell its statements, in order */
  of(program: readonly Module[]): TopLevel[][] {
    const now = new Map<string, Described>();
    const found = program.map(({ source, body }) =>
      body.map((statement): TopLevel => {
        const { file, lines } = source;
        const decorators = "decorators" in statement ? statement.decorators : [];
        const firstLine = Math.min(statement.span.line, ...decorators.map((d) => d.span.line));
        const { line, column, endLine: lastLine = line, endColumn } = statement.span;
        const text = lines.slice(firstLine - 1, lastLine).join("\n");
        // Several may share a line.
        const key = `${column}:${endColumn} ${text}`;
        const known = this.described.get(key) ?? now.get(key) ?? describe(statement, firstLine);
        now.set(key, known);
        const remarks = remarksAbove(lines, firstLine);
        return { ...known, file, firstLine, lastLine, text, remarks };
      }),
    );
    this.described = now;
    return found;
  }
}

export function topLevelOf(module: Module): TopLevel[] {
  return new Statements().of([module])[0]!;
}

function remarksAbove(lines: readonly string[], firstLine: number): string {
  let from = firstLine - 1;
  while (from > 0 && lines[from - 1]!.trimStart().startsWith("#")) from--;
  return lines.slice(from, firstLine - 1).join("\n");
}

function describe(statement: Statement, firstLine: number): Described {
  const names = new Set<string>();
  const found: NameUse[] = [];
  const functions: { names: ReadonlySet<string>; from: number; to: number }[] = [];
  walkSyntax([statement], (node) => {
    if (node.kind === "Name") {
      names.add(node.id);
      const { line, column } = node.span;
      found.push({ name: node.id, line: line - firstLine, column });
    } else if (node.kind === "FunctionDef" || node.kind === "Lambda") {
      const own = [...node.code.locals, ...node.code.parameters.map((p) => p.name)];
      const { line, endLine = line } = node.span;
      functions.push({ names: new Set(own), from: line - firstLine, to: endLine - firstLine });
    }
  });
  // A gradient written beside the loss is judged with it.
  if (statement.kind === "FunctionDef")
    for (const n of gradientNames(statement.code.name)) names.add(n);
  const isOwn = ({ name, line }: NameUse): boolean =>
    functions.some((f) => f.from <= line && line <= f.to && f.names.has(name));
  return {
    binds: boundBy(statement),
    names,
    uses: found.filter((use) => !isOwn(use)),
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
