/** How a file uses a class with a hand-written backward: through the library, or around it. */
import type { PythonParser } from "../parser.ts";
import type { Expression, Source } from "../syntax.ts";
import { walkSyntax } from "../syntaxWalk.ts";
import type { CallSite, HowUsed } from "./record.ts";

/** Calls of the class in the file that `source` is of, in the order of their lines. */
export function callSitesOf(parser: PythonParser, source: Source, className: string): CallSite[] {
  const { body } = parser.parse(source.lines.join("\n"), source.file);
  const isClass = (e: Expression): boolean => e.kind === "Name" && e.id === className;
  const makes = (e: Expression): boolean => e.kind === "Call" && isClass(e.callee);
  const instances = new Set<string>();
  walkSyntax(body, (node) => {
    if (node.kind !== "Assign" || !makes(node.value)) return;
    for (const t of node.targets) {
      const name = t.kind === "Name" ? t.id : t.kind === "Attribute" ? t.name : null;
      if (name !== null) instances.add(name);
    }
  });
  const isInstance = (e: Expression): boolean =>
    makes(e) ||
    (e.kind === "Name" && instances.has(e.id)) ||
    (e.kind === "Attribute" && instances.has(e.name));
  const sites: CallSite[] = [];
  const found = (how: HowUsed, line: number): void => {
    if (!sites.some((s) => s.how === how && s.line === line)) sites.push({ how, line });
  };
  walkSyntax(body, (node) => {
    // `dice = DiceCoeff.apply` counts as well: there is no other use of it.
    if (node.kind === "Attribute" && (isClass(node.value) || isInstance(node.value))) {
      if (node.name === "apply") found("called", node.span.line);
      if (node.name === "forward") found("forward called directly", node.span.line);
    }
    if (node.kind === "Call" && isInstance(node.callee)) found("instance called", node.span.line);
  });
  return sites.sort((a, b) => a.line - b.line);
}
