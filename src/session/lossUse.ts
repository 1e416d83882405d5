/** Whether a file trains with something that its name does not call a loss. */
import type { SourceSpan } from "../expression/node.ts";
import type { Expression, Module } from "../python/syntax.ts";
import { walkSyntax } from "../python/syntaxWalk.ts";

const LOSS_NAME = /loss|criterion|objective/i;

/**
 * Where a function or class is made a loss: `loss = 1 - dice(p, t)`, `criterion = Dice()` or
 * `model.compile(loss=dice)`; null where the file does no such thing.
 * @param name without the class that a method belongs to
 */
export function lossUse(module: Module | undefined, name: string): SourceSpan | null {
  if (module === undefined) return null;
  const { lines } = module.source;
  // Bodies are read when they are looked at, so the others are left alone.
  const likely = module.body.filter(({ span: { line, endLine = line } }) =>
    lines.slice(line - 1, endLine).some((l) => LOSS_NAME.test(l) && l.includes(name)),
  );
  let found: SourceSpan | null = null;
  walkSyntax(likely, (node) => {
    if (found !== null) return;
    if (node.kind === "Assign" && node.targets.some(isLossName) && makes(node.value, name)) {
      found = node.span;
    }
    if (node.kind !== "Call") return;
    const given = node.args.find(
      (a) => a.kind === "keyword" && LOSS_NAME.test(a.name ?? "") && makes(a.value, name),
    );
    found = given?.value.span ?? null;
  });
  return found;
}

function isLossName(e: Expression): boolean {
  return (
    (e.kind === "Name" && LOSS_NAME.test(e.id)) ||
    (e.kind === "Attribute" && LOSS_NAME.test(e.name))
  );
}

/** The name itself, its value for some arguments, or what arithmetic makes of that. */
function makes(e: Expression, name: string): boolean {
  switch (e.kind) {
    case "Name":
      return e.id === name;
    case "Attribute":
      return e.name === name;
    case "Call":
      return makes(e.callee, name);
    case "Binary":
      return makes(e.left, name) || makes(e.right, name);
    case "Unary":
      return makes(e.operand, name);
    default:
      return false;
  }
}
