/** The diagnostics rules on a traced loss, with its source at hand. */
import { type Found, QUICK_RULES, type Rule, findings } from "../explain/rules/table.ts";
import type { RuleInput, SourceCode, Written } from "../explain/rules/rule.ts";
import type { Input, SourceSpan } from "../expression/node.ts";
import { sum } from "../expression/build.ts";
import { SHAPES_TAKEN } from "../python/trace/plans.ts";
import { PythonError } from "../python/errors.ts";
import { UnknownValueError } from "../python/interpreter/interpreter.ts";
import type { Arguments, PythonProgram, Trace } from "../python/program.ts";
import type { Expression, Module, Statement } from "../python/syntax.ts";
import { walkSyntax } from "../python/syntaxWalk.ts";
import type { Diagnostic, SourceLocation } from "../report/schema.ts";
import { isIgnored } from "./ignored.ts";
import { lossUse } from "./lossUse.ts";

/** Whether a trace ended because values that are not known decide which way the code goes. */
export function isUndecided(error: unknown): boolean {
  return error instanceof PythonError && error.cause instanceof UnknownValueError;
}

/**
 * A loss as the rules see it: where its way depends on values that are not known, one that it can
 * take. Most such branches guard against an empty mask, so they are passed by if that is possible.
 * @throws PythonError as `trace` does
 */
export function traceForRules(
  program: PythonProgram,
  name: string,
  shapes: Arguments = new Map(),
): Trace {
  try {
    return program.trace(name, shapes);
  } catch (error) {
    if (!isUndecided(error)) throw error;
    for (const undecided of [false, true]) {
      try {
        return program.trace(name, shapes, undecided);
      } catch {
        // The first error is the one that tells.
      }
    }
    throw error;
  }
}

/**
 * What the rules find about a traced loss.
 * @param rules those that are asked
 */
export function diagnose(trace: Trace, rules: readonly Rule[] = QUICK_RULES): Diagnostic[] {
  const place = { file: trace.file, line: trace.line, column: 1 };
  const found = findings(
    {
      name: trace.name,
      place: nameIn(trace.syntax, trace.name, place),
      lossUse: lossUse(trace.syntax.get(trace.file), trace.name.split(".").at(-1)!),
      loss: trace.loss.shape.length === 0 ? trace.loss : sum(trace.loss),
      inputs: trace.inputs.map((x): RuleInput => ({
        name: x.parameter,
        node: x.node as Input,
        role: x.role,
        library: x.library,
        dtype: x.dtype,
      })),
      spans: trace.spans,
      cuts: trace.blockers.filter((b) => !b.partial),
      changes: trace.writes,
      decisions: trace.decisions,
      areShapesTold: !trace.assumptions.some(isGuess),
      source: sourceCode(trace.syntax),
    },
    rules,
  );
  return found.filter((f) => !isIgnored(f.rule.code, f.span, trace.syntax)).map(toDiagnostic);
}

/** Whether an assumption gives an array a shape that its author has not stated. */
function isGuess(assumption: string): boolean {
  if (assumption.startsWith(SHAPES_TAKEN)) return true;
  return assumption.includes(" is taken to be (") && !STATED.test(assumption);
}
const STATED = /: (its docstring|its annotation|the comment on|as you set it)/;

function toDiagnostic(f: Found): Diagnostic {
  return {
    code: f.rule.code,
    severity: f.severity ?? f.rule.severity,
    message: f.message,
    location: locationOf(f.span),
    remedy: f.remedy,
    ...(f.related.length === 0
      ? {}
      : {
          related: f.related.map((r) => ({ location: locationOf(r.span), message: r.message })),
        }),
    ...(f.fix === null ? {} : { fix: f.fix }),
  };
}

function locationOf(span: SourceSpan): SourceLocation {
  const { file, line, column, endLine, endColumn } = span;
  return {
    file,
    line,
    column,
    ...(endLine === undefined ? {} : { endLine }),
    ...(endColumn === undefined ? {} : { endColumn }),
  };
}

/** Where a function's or class's name stands in its definition. */
function nameIn(syntax: ReadonlyMap<string, Module>, name: string, place: SourceSpan): SourceSpan {
  const text = syntax.get(place.file)?.source.lines[place.line - 1] ?? "";
  const own = name.split(".").at(-1) ?? name;
  const column = text.search(new RegExp(`\\b${own.replace(/\W/g, "\\$&")}\\b`)) + 1;
  if (column === 0) return place;
  return { ...place, column, endLine: place.line, endColumn: column + own.length };
}

/** The source as rules see it: the text of a place, and what operation is written there. */
export function sourceCode(syntax: ReadonlyMap<string, Module>): SourceCode {
  const known = new Map<string, Written | null>();
  return {
    textOf: (span) => {
      const lines = syntax.get(span.file)?.source.lines;
      return lines === undefined ? null : textBetween(lines, span);
    },
    writtenAt: (span) => {
      const key = keyOf(span);
      if (!known.has(key)) known.set(key, find(syntax.get(span.file), span));
      return known.get(key)!;
    },
  };
}

function textBetween(lines: readonly string[], span: SourceSpan): string {
  const { line, column, endLine = line, endColumn = column } = span;
  const within = lines.slice(line - 1, endLine);
  return within
    .map((text, k) =>
      text.slice(k === 0 ? column - 1 : 0, k === within.length - 1 ? endColumn - 1 : undefined),
    )
    .join("\n");
}

function keyOf(s: SourceSpan): string {
  return [s.file, s.line, s.column, s.endLine, s.endColumn].join(":");
}

function find(module: Module | undefined, span: SourceSpan): Written | null {
  const last = module?.body.findLast((s) => s.span.line <= span.line);
  if (last === undefined) return null;
  const key = keyOf(span);
  const found: Operation[] = [];
  walkSyntax([last], (node) => {
    if (keyOf(node.span) === key && isOperation(node)) found.push(node);
  });
  const innermost = found.at(-1);
  return innermost === undefined ? null : written(innermost);
}

type Operation = Extract<Expression, { kind: "Binary" | "Call" | "Attribute" }>;

function isOperation(node: Expression | Statement): node is Operation {
  return node.kind === "Binary" || node.kind === "Call" || node.kind === "Attribute";
}

function written(node: Operation): Written {
  const none = new Map<string, SourceSpan>();
  if (node.kind === "Binary") {
    const parts = [node.left.span, node.right.span];
    return { kind: "binary", name: node.op, parts, isMethod: false, keywords: none };
  }
  if (node.kind === "Attribute") {
    const parts = [node.value.span];
    return { kind: "attribute", name: node.name, parts, isMethod: true, keywords: none };
  }
  const { callee, args } = node;
  const name = callee.kind === "Attribute" ? callee.name : callee.kind === "Name" ? callee.id : "";
  const positional = args.flatMap((a) => (a.kind === "positional" ? [a.value.span] : []));
  const isMethod = callee.kind === "Attribute" && !isModule(callee.value);
  return {
    kind: "call",
    name,
    parts: isMethod ? [callee.value.span, ...positional] : positional,
    isMethod,
    keywords: new Map(
      args.flatMap((a) => (a.kind === "keyword" ? [[a.name!, a.value.span] as const] : [])),
    ),
  };
}

/** Names that modules are imported by; `x.log()` is a method, `np.log(x)` is none. */
function isModule(e: Expression): boolean {
  if (e.kind === "Attribute") return isModule(e.value);
  return e.kind === "Name" && MODULES.has(e.id);
}
const MODULES = new Set(
  "np numpy anp jnp jax torch F nn tf tensorflow keras K ops backend math scipy special lax autograd functional".split(
    " ",
  ),
);
