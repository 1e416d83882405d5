/** Visiting every part of a piece of syntax. */
import type { Code, Expression, Statement } from "./syntax.ts";

type AnyNode = Expression | Statement;

/** Calls `visit` for every statement and expression below `nodes`, also in nested functions. */
export function walkSyntax(nodes: readonly AnyNode[], visit: (node: AnyNode) => void): void {
  const stack: unknown[] = [...nodes].reverse();
  while (stack.length > 0) {
    const at = stack.pop();
    if (typeof at !== "object" || at === null || at instanceof Set) continue;
    if (Array.isArray(at)) {
      for (let k = at.length - 1; k >= 0; k--) stack.push(at[k]);
      continue;
    }
    if ("kind" in at && "span" in at && !("default" in at)) visit(at as AnyNode);
    // A body that is still to be read is no property of its own.
    if ("code" in at) {
      const { body, parameters } = at.code as Code;
      stack.push(body, parameters);
    }
    for (const [name, child] of Object.entries(at)) {
      if (name === "code") continue;
      if (name !== "span" && name !== "nameSpan" && name !== "source") stack.push(child);
    }
  }
}
