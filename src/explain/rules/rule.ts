/**
 * What a diagnostics rule is given and what it says. Rules look at the traced expression: at what
 * the loss computes, not at how its text looks. The source is asked only for what to underline and
 * what to edit.
 */
import type { Expr, Input, SourceSpan } from "../../expression/node.ts";
import type { FixEdit } from "../handwritten/fix.ts";

export type Severity = "error" | "warning" | "information";

export interface RuleInput {
  readonly name: string;
  readonly node: Input;
  readonly role: "prediction" | "target" | "other";
  /** Whose arrays it takes: "numpy", "torch", … */
  readonly library: string;
  /** What its entries are stored as, where that is known. */
  readonly dtype: string | null;
}

/** A place where the code itself cuts the gradient. */
export interface Cut {
  /** As written: "detach()", ".data", "torch.no_grad()", … */
  readonly how: string;
  readonly span: SourceSpan;
  readonly node: Expr;
}

/** An array of PyTorch that is changed in place. */
export interface Change {
  readonly span: SourceSpan;
  /** What it held before. */
  readonly before: Expr;
  /** It was a copy of another array, unchanged until then. */
  readonly isCopy: boolean;
  /** Nodes made until then from what it held, also by way of others that share its memory. */
  readonly users: readonly Expr[];
}

/** A condition on entries of arrays that decided which way the code went. */
export interface Decision {
  readonly span: SourceSpan;
  readonly condition: Expr;
  /** Which way it went: what is looked at is the loss where it goes so. */
  readonly taken: boolean;
}

/** What is written at a place. */
export interface Written {
  readonly kind: "binary" | "call" | "attribute" | "other";
  /** The operator, or the last name of what is called or looked up: "/", "log", "data". */
  readonly name: string;
  /** Of an operator its sides; of a call the value it is a method of, if any, and its arguments. */
  readonly parts: readonly SourceSpan[];
  /** Whether the first of `parts` is the value that a method is called on. */
  readonly isMethod: boolean;
  /** The arguments given by name. */
  readonly keywords: ReadonlyMap<string, SourceSpan>;
}

export interface SourceCode {
  /** The text between two places; null where the source is not at hand. */
  textOf(span: SourceSpan): string | null;
  writtenAt(span: SourceSpan): Written | null;
}

export interface RuleSubject {
  /** The function's name. */
  readonly name: string;
  /** Where its name stands, for what is no line's fault in particular. */
  readonly place: SourceSpan;
  /** Where the file trains with it, though its name does not call it a loss. */
  readonly lossUse: SourceSpan | null;
  /** A scalar. */
  readonly loss: Expr;
  readonly inputs: readonly RuleInput[];
  readonly spans: ReadonlyMap<Expr, SourceSpan>;
  readonly cuts: readonly Cut[];
  readonly changes: readonly Change[];
  readonly decisions: readonly Decision[];
  /** By arrays, the code or its author; else the number of axes is only the usual one. */
  readonly areShapesTold: boolean;
  readonly source: SourceCode;
}

export interface Fix {
  readonly title: string;
  readonly edits: readonly FixEdit[];
}

export interface Finding {
  readonly span: SourceSpan;
  /** In plain words, with the values that trigger it. */
  readonly message: string;
  /** What to do; null where the message says it. */
  readonly remedy: string | null;
  readonly related: readonly { readonly span: SourceSpan; readonly message: string }[];
  readonly fix: Fix | null;
  /** Where it differs from the rule's own. */
  readonly severity?: Severity;
}

export function replace(span: SourceSpan, newText: string): FixEdit {
  const { file, line, column, endLine = line, endColumn = column } = span;
  return { file, line, column, endLine, endColumn, newText };
}

/** A line of its own above the one that a place is in. */
export function insertAbove({ file, line }: SourceSpan, text: string): FixEdit {
  return { file, line, column: 1, endLine: line, endColumn: 1, newText: `${text}\n` };
}

/** The text of a place on one line, shortened for a message. */
export function shortText(source: SourceCode, span: SourceSpan): string | null {
  const text = source.textOf(span)?.replace(/\s+/g, " ").trim() ?? "";
  if (text === "") return null;
  return text.length > 70 ? `${text.slice(0, 67)}…` : text;
}
