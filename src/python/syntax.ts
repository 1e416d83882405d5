/**
 * Python's syntax as plain objects, named after Python's own `ast` module. The parser's tree lives in
 * WebAssembly memory; it is copied into these once and then freed.
 */
import type { SourceSpan } from "../expression/node.ts";

export interface Source {
  readonly file: string;
  readonly lines: readonly string[];
}

export interface Module {
  readonly source: Source;
  readonly body: readonly Statement[];
}

interface Node {
  readonly span: SourceSpan;
}

// Expressions

export interface Name extends Node {
  readonly kind: "Name";
  readonly id: string;
}
export interface NumberLiteral extends Node {
  readonly kind: "Number";
  readonly value: number;
  readonly type: "int" | "float" | "complex";
}
export interface StringLiteral extends Node {
  readonly kind: "String";
  readonly value: string;
  readonly bytes: boolean;
}
/** True, False, None and `...`. */
export interface Singleton extends Node {
  readonly kind: "Singleton";
  readonly value: "True" | "False" | "None" | "Ellipsis";
}
export type FStringPart =
  | string
  | {
      readonly value: Expression;
      readonly conversion: string | null;
      readonly format: readonly FStringPart[];
      /** Source text before `=` in f"{x=}". */
      readonly shown: string | null;
    };
export interface FString extends Node {
  readonly kind: "FString";
  readonly parts: readonly FStringPart[];
}
export interface Attribute extends Node {
  readonly kind: "Attribute";
  readonly value: Expression;
  readonly name: string;
}
export interface Subscript extends Node {
  readonly kind: "Subscript";
  readonly value: Expression;
  /** Several subscripts are one Tuple, as in Python. */
  readonly index: Expression;
}
export interface SliceNode extends Node {
  readonly kind: "Slice";
  readonly lower: Expression | null;
  readonly upper: Expression | null;
  readonly step: Expression | null;
}
export interface CallArgument {
  readonly kind: "positional" | "star" | "doubleStar" | "keyword";
  readonly name: string | null;
  readonly value: Expression;
}
export interface Call extends Node {
  readonly kind: "Call";
  readonly callee: Expression;
  readonly args: readonly CallArgument[];
}
export type BinaryOperator =
  "+" | "-" | "*" | "/" | "//" | "%" | "**" | "@" | "&" | "|" | "^" | "<<" | ">>";
export interface BinaryOperation extends Node {
  readonly kind: "Binary";
  readonly op: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}
export interface UnaryOperation extends Node {
  readonly kind: "Unary";
  readonly op: "-" | "+" | "~" | "not";
  readonly operand: Expression;
}
export interface BooleanOperation extends Node {
  readonly kind: "Boolean";
  readonly op: "and" | "or";
  readonly left: Expression;
  readonly right: Expression;
}
export type ComparisonOperator =
  "<" | "<=" | ">" | ">=" | "==" | "!=" | "in" | "not in" | "is" | "is not";
export interface Comparison extends Node {
  readonly kind: "Compare";
  readonly first: Expression;
  readonly rest: readonly { readonly op: ComparisonOperator; readonly value: Expression }[];
}
export interface Conditional extends Node {
  readonly kind: "Conditional";
  readonly test: Expression;
  readonly then: Expression;
  readonly otherwise: Expression;
}
export interface Sequence extends Node {
  readonly kind: "Tuple" | "List" | "Set";
  readonly items: readonly Expression[];
}
export interface Dictionary extends Node {
  readonly kind: "Dict";
  /** A `null` key stands for `**value`. */
  readonly items: readonly { readonly key: Expression | null; readonly value: Expression }[];
}
export interface Starred extends Node {
  readonly kind: "Starred";
  readonly value: Expression;
}
export interface Lambda extends Node {
  readonly kind: "Lambda";
  readonly code: Code;
}
export interface ComprehensionClause {
  readonly target: Expression;
  readonly iterable: Expression;
  readonly conditions: readonly Expression[];
}
export interface Comprehension extends Node {
  readonly kind: "Comprehension";
  readonly result: "list" | "set" | "dict" | "generator";
  readonly element: Expression;
  /** The value of a dictionary comprehension, whose key is `element`. */
  readonly value: Expression | null;
  readonly clauses: readonly ComprehensionClause[];
}
export interface Walrus extends Node {
  readonly kind: "Walrus";
  readonly name: string;
  readonly value: Expression;
}
export interface Yield extends Node {
  readonly kind: "Yield";
  readonly value: Expression | null;
  /** `yield from value`. */
  readonly from: boolean;
}
/** A construct that the tracer does not execute; reported only when it is reached. */
export interface Unsupported extends Node {
  readonly kind: "Unsupported";
  readonly construct: string;
}

export type Expression =
  | Name
  | NumberLiteral
  | StringLiteral
  | Singleton
  | FString
  | Attribute
  | Subscript
  | SliceNode
  | Call
  | BinaryOperation
  | UnaryOperation
  | BooleanOperation
  | Comparison
  | Conditional
  | Sequence
  | Dictionary
  | Starred
  | Lambda
  | Comprehension
  | Walrus
  | Yield
  | Unsupported;

// Patterns of `match`

/** Compared by `==`; None, True and False by identity. */
export interface ValuePattern extends Node {
  readonly kind: "ValuePattern";
  readonly value: Expression;
}
/** A name, or `_` with no name: takes anything. `pattern as name` takes what the pattern takes. */
export interface CapturePattern extends Node {
  readonly kind: "CapturePattern";
  readonly name: string | null;
  readonly pattern: Pattern | null;
}
export interface SequencePattern extends Node {
  readonly kind: "SequencePattern";
  readonly items: readonly Pattern[];
}
/** `*rest` in a sequence pattern; `*_` has no name. */
export interface StarPattern extends Node {
  readonly kind: "StarPattern";
  readonly name: string | null;
}
export interface MappingPattern extends Node {
  readonly kind: "MappingPattern";
  readonly items: readonly { readonly key: Expression; readonly pattern: Pattern }[];
  /** The name of `**rest`. */
  readonly rest: string | null;
}
export interface ClassPattern extends Node {
  readonly kind: "ClassPattern";
  readonly cls: Expression;
  readonly positional: readonly Pattern[];
  readonly keywords: readonly { readonly name: string; readonly pattern: Pattern }[];
}
export interface OrPattern extends Node {
  readonly kind: "OrPattern";
  readonly alternatives: readonly Pattern[];
}
export type Pattern =
  | ValuePattern
  | CapturePattern
  | SequencePattern
  | StarPattern
  | MappingPattern
  | ClassPattern
  | OrPattern;

// Statements

export interface Parameter {
  readonly name: string;
  readonly kind: "positionalOnly" | "positional" | "keywordOnly" | "args" | "kwargs";
  readonly default: Expression | null;
  readonly annotation: string | null;
  readonly span: SourceSpan;
}

/** What a `def` or a `lambda` runs. */
export interface Code {
  readonly name: string;
  readonly source: Source;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
  readonly docstring: string | null;
  readonly isAsync: boolean;
  /** Has a `yield`, so calling it makes a generator. */
  readonly isGenerator: boolean;
  /** Names bound somewhere in the body: reading one before that is an error, as in Python. */
  readonly locals: ReadonlySet<string>;
  readonly globals: ReadonlySet<string>;
  readonly nonlocals: ReadonlySet<string>;
}

export interface FunctionDef extends Node {
  readonly kind: "FunctionDef";
  readonly name: string;
  /** The name alone, for editors. */
  readonly nameSpan: SourceSpan;
  readonly code: Code;
  readonly decorators: readonly Expression[];
}
export interface ClassDef extends Node {
  readonly kind: "ClassDef";
  readonly name: string;
  readonly nameSpan: SourceSpan;
  readonly bases: readonly CallArgument[];
  readonly body: readonly Statement[];
  readonly decorators: readonly Expression[];
  readonly docstring: string | null;
}
export interface ExpressionStatement extends Node {
  readonly kind: "Expression";
  readonly value: Expression;
}
export interface Assign extends Node {
  readonly kind: "Assign";
  readonly targets: readonly Expression[];
  readonly value: Expression;
}
/** `x: int = 3`, or a bare `x: int`. */
export interface AnnotatedAssign extends Node {
  readonly kind: "AnnAssign";
  readonly target: Expression;
  readonly annotation: string;
  readonly value: Expression | null;
}
export interface AugmentedAssign extends Node {
  readonly kind: "AugAssign";
  readonly target: Expression;
  readonly op: BinaryOperator;
  readonly value: Expression;
}
export interface If extends Node {
  readonly kind: "If";
  readonly test: Expression;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
}
export interface For extends Node {
  readonly kind: "For";
  readonly target: Expression;
  readonly iterable: Expression;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
}
export interface While extends Node {
  readonly kind: "While";
  readonly test: Expression;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
}
export interface With extends Node {
  readonly kind: "With";
  readonly items: readonly { readonly context: Expression; readonly target: Expression | null }[];
  readonly body: readonly Statement[];
}
export interface MatchCase {
  readonly pattern: Pattern;
  readonly guard: Expression | null;
  readonly body: readonly Statement[];
}
export interface Match extends Node {
  readonly kind: "Match";
  readonly subject: Expression;
  readonly cases: readonly MatchCase[];
}
export interface ExceptHandler {
  readonly type: Expression | null;
  readonly name: string | null;
  readonly body: readonly Statement[];
}
export interface Try extends Node {
  readonly kind: "Try";
  readonly body: readonly Statement[];
  readonly handlers: readonly ExceptHandler[];
  readonly otherwise: readonly Statement[];
  readonly finally: readonly Statement[];
}
export interface Return extends Node {
  readonly kind: "Return";
  readonly value: Expression | null;
}
export interface Raise extends Node {
  readonly kind: "Raise";
  readonly value: Expression | null;
  /** `raise value from cause`. */
  readonly cause: Expression | null;
}
export interface Assert extends Node {
  readonly kind: "Assert";
  readonly test: Expression;
  readonly message: Expression | null;
  /** Source text of the condition, to state it as an assumption. */
  readonly text: string;
}
export interface Delete extends Node {
  readonly kind: "Delete";
  readonly targets: readonly Expression[];
}
export interface ImportedName {
  readonly name: string;
  readonly alias: string | null;
}
export interface Import extends Node {
  readonly kind: "Import";
  readonly names: readonly ImportedName[];
}
export interface ImportFrom extends Node {
  readonly kind: "ImportFrom";
  /** Leading dots count packages upwards, as written: `..metrics`. */
  readonly module: string;
  /** `null` is `*`. */
  readonly names: readonly ImportedName[] | null;
}
/** pass, break, continue, and declarations (global, nonlocal) that `Code` has taken note of. */
export interface SimpleStatement extends Node {
  readonly kind: "Pass" | "Break" | "Continue";
}

export type Statement =
  | FunctionDef
  | ClassDef
  | ExpressionStatement
  | Assign
  | AnnotatedAssign
  | AugmentedAssign
  | If
  | For
  | While
  | With
  | Match
  | Try
  | Return
  | Raise
  | Assert
  | Delete
  | Import
  | ImportFrom
  | SimpleStatement
  | Unsupported;
