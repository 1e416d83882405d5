/** Reading constants and words off a function's syntax. */
import type { Expression, Statement } from "../syntax.ts";
import { walkSyntax } from "../syntaxWalk.ts";
import type { FunctionValue } from "../values.ts";

/** Variables and parameters that hold integers as long as nobody changes them. */
export type Numbers = ReadonlyMap<string, readonly number[]>;

/** From the defaults of parameters, and from assignments of literals. */
export function constantsOf(fn: FunctionValue): Numbers {
  const numbers = new Map<string, readonly number[]>();
  for (const p of fn.code.parameters) {
    const given = p.default === null ? null : integers(p.default, numbers);
    if (given !== null) numbers.set(p.name, given);
  }
  walkSyntax(fn.code.body, (node) => {
    if (node.kind !== "Assign") return;
    for (const t of node.targets) {
      const given = t.kind === "Name" ? integers(node.value, numbers) : null;
      if (t.kind === "Name" && given !== null) numbers.set(t.id, given);
    }
  });
  return numbers;
}

/** `3`, `(2, 3)`, `[-2, -1]`, `tuple(range(2, 4))`, or a variable that holds one. */
export function integers(e: Expression | undefined, numbers: Numbers): readonly number[] | null {
  switch (e?.kind) {
    case "Number":
      return e.type === "int" ? [e.value] : null;
    case "Unary": {
      const inner = e.op === "-" ? integers(e.operand, numbers) : null;
      return inner?.length === 1 ? [-inner[0]!] : null;
    }
    case "Name":
      return numbers.get(e.id) ?? null;
    case "Tuple":
    case "List": {
      const each = e.items.map((x) => integers(x, numbers));
      return each.every((x) => x?.length === 1) ? each.map((x) => x![0]!) : null;
    }
    case "Call": {
      const name = e.callee.kind === "Name" ? e.callee.id : "";
      if (name === "tuple" || name === "list") return integers(e.args[0]?.value, numbers);
      if (name !== "range") return null;
      const bounds = e.args.map((a) => integers(a.value, numbers)?.[0]);
      if (!bounds.every((n) => n !== undefined) || bounds.length > 2) return null;
      const [from, to] = bounds.length === 1 ? [0, bounds[0]!] : [bounds[0]!, bounds[1]!];
      return Array.from({ length: Math.max(0, Math.min(to - from, 10)) }, (_, k) => from + k);
    }
    default:
      return null;
  }
}

const LONGEST = 60;

/** The source of a node of that function, on one line and not too long. */
export function sourceOf(fn: FunctionValue, node: Expression | Statement): string {
  const { line, column, endLine, endColumn } = node.span;
  const lines = fn.code.source.lines.slice(line - 1, endLine ?? line);
  if (lines.length === 0) return "code";
  if (endColumn !== undefined) lines[lines.length - 1] = lines.at(-1)!.slice(0, endColumn - 1);
  lines[0] = lines[0]!.slice(column - 1);
  const text = lines.map((l) => l.trim()).join(" ");
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
