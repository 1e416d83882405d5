/**
 * The typed formula language: mathjs syntax, elementwise operators with a dot.
 *
 *     p = probability
 *     g = mask
 *     eps = 1e-7
 *     1 - (2*sum(p .* g) + eps) / (sum(p) + sum(g) + eps)
 *
 * Lines may bind names; the last line is the loss. README.md, "Formulas", documents the functions.
 */
import { type ConstantNode, type MathNode, create, parseDependencies } from "mathjs";
import { ShapeError, axis } from "../expression/axis.ts";
import { inputAxes } from "../expression/inputAxes.ts";
import * as build from "../expression/build.ts";
import { type Expr, type ScalarType, annotate } from "../expression/node.ts";
import { type Argument, FUNCTIONS, OPERATORS } from "./functions.ts";

const { parse } = create({ parseDependencies: parseDependencies! });

export class FormulaError extends Error {
  override readonly name = "FormulaError";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly remedy: string | null;
  /** The offending line, with a caret under the place. */
  readonly caretText: string;

  constructor(
    message: string,
    at: { file: string; line: number; column: number; source: string; remedy?: string },
  ) {
    super(message);
    this.file = at.file;
    this.line = at.line;
    this.column = at.column;
    this.remedy = at.remedy ?? null;
    this.caretText = `${at.source}\n${" ".repeat(Math.max(0, at.column - 1))}^`;
  }
}

/** A name the surroundings know: an array of the notebook, an argument of the command line. */
export type Known =
  | { readonly kind: "array"; readonly shape: readonly number[]; readonly type: ScalarType }
  | { readonly kind: "number"; readonly value: number };

export interface FormulaTrace {
  readonly loss: Expr;
  /** Arrays of the formula, in order of first use: `source` is the name it was bound to. */
  readonly inputs: readonly {
    readonly symbol: string;
    readonly source: string;
    readonly node: Expr;
  }[];
  /** Line of the loss, from 1. */
  readonly line: number;
  readonly assumptions: readonly string[];
}

/** Names which stand for a scalar when nothing else is known of them. */
const SCALAR_NAMES = /^(eps(ilon)?|smooth\w*|alpha|beta|gamma|delta|lambda|s|s_nr|s_dr|k|w)$/i;

/**
 * @param lookup what a name means outside the formula; `null` where nothing is known: such a name
 *   is an array of unknown length `(i,)`, or a scalar parameter if it is called like one.
 * @throws FormulaError with line, column and remedy
 */
export function parseFormula(
  text: string,
  lookup: (name: string) => Known | null,
  file = "formula",
): FormulaTrace {
  const reader = new Reader(lookup, file);
  const lines = text.split(/\r?\n/);
  let loss: { value: Argument; line: number } | null = null;
  for (const [k, source] of lines.entries()) {
    const code = source.replace(/[#].*$/, "").trimEnd();
    if (code.trim() === "") continue;
    const value = reader.statement(code, k + 1);
    loss = value === null ? null : { value, line: k + 1 };
  }
  if (loss === null) {
    const last = lines.length;
    throw new FormulaError("the formula has no last line that is the loss", {
      file,
      line: last,
      column: 1,
      source: lines[last - 1] ?? "",
      remedy: "end with an expression, e.g. 1 - 2*sum(p .* g) / (sum(p) + sum(g))",
    });
  }
  if (typeof loss.value === "string") throw reader.error(`"${loss.value}" is not a loss`);
  return {
    loss: loss.value,
    inputs: reader.inputs,
    line: loss.line,
    assumptions: reader.assumptions,
  };
}

class Reader {
  readonly inputs: { symbol: string; source: string; node: Expr }[] = [];
  readonly assumptions: string[] = [];
  private readonly names = new Map<string, Expr>();
  private readonly lookup: (name: string) => Known | null;
  private readonly file: string;
  private source = "";
  private line = 1;

  constructor(lookup: (name: string) => Known | null, file: string) {
    this.lookup = lookup;
    this.file = file;
  }

  /** Value of a line, or null when it only binds a name. */
  statement(code: string, line: number): Argument | null {
    this.source = code;
    this.line = line;
    let node: MathNode;
    try {
      node = parse(code);
    } catch (e) {
      const { message, char } = e as { message: string; char?: number };
      throw this.error(message.replace(/ \(char \d+\)$/, ""), char ?? 1);
    }
    if (!isType(node, "AssignmentNode")) return this.value(node);
    const { object, value, index } = node as unknown as {
      object: MathNode & { name: string };
      value: MathNode;
      index: unknown;
    };
    if (index !== null && index !== undefined) {
      throw this.error("only a plain name can be bound", 1);
    }
    this.bind(object.name, value);
    return null;
  }

  private bind(name: string, value: MathNode): void {
    if (isType(value, "SymbolNode")) {
      const source = (value as MathNode & { name: string }).name;
      const known = this.names.has(source) ? null : this.lookup(source);
      if (known?.kind === "array") {
        this.names.set(name, this.array(name, source, known));
        return;
      }
      if (known?.kind === "number") {
        this.names.set(name, build.parameter(name, known.value));
        return;
      }
    }
    if (isType(value, "ConstantNode")) {
      const literal: unknown = (value as ConstantNode).value;
      if (typeof literal === "number") {
        this.names.set(name, build.parameter(name, literal));
        return;
      }
    }
    const result = this.value(value);
    if (typeof result === "string") throw this.error(`"${result}" cannot be bound to ${name}`);
    this.names.set(name, annotate(result, undefined, name));
  }

  private array(symbol: string, source: string, known: Known & { kind: "array" }): Expr {
    const node = build.input(symbol, inputAxes(known.shape), known.type);
    this.inputs.push({ symbol, source, node });
    return node;
  }

  private value(node: MathNode): Argument {
    const result = this.valueOf(node);
    if (typeof result !== "string") {
      annotate(result, { file: this.file, line: this.line, column: 1 });
    }
    return result;
  }

  private valueOf(node: MathNode): Argument {
    switch (node.type) {
      case "ParenthesisNode":
        return this.value((node as unknown as { content: MathNode }).content);
      case "ConstantNode": {
        const value: unknown = (node as ConstantNode).value;
        if (typeof value === "string") return value;
        if (typeof value === "boolean") return build.constant(value ? 1 : 0, "bool");
        if (typeof value !== "number") throw this.error(`${String(value)} is not a number`);
        return build.constant(value);
      }
      case "SymbolNode":
        return this.symbol((node as MathNode & { name: string }).name);
      case "OperatorNode":
        return this.operator(node as unknown as { op: string; fn: string; args: MathNode[] });
      case "RelationalNode":
        return this.relational(node as unknown as { conditionals: string[]; params: MathNode[] });
      case "ConditionalNode": {
        const c = node as unknown as Record<"condition" | "trueExpr" | "falseExpr", MathNode>;
        return this.applied("where", [c.condition, c.trueExpr, c.falseExpr]);
      }
      case "FunctionNode": {
        const f = node as unknown as { fn: { name?: string }; args: MathNode[] };
        return this.applied(f.fn.name ?? node.toString(), f.args);
      }
      default:
        throw this.error(
          `${describe(node)} cannot be used in a formula`,
          this.columnOf(node.toString()),
          "write it with elementwise operators, sum(…) and the functions of the README",
        );
    }
  }

  private symbol(name: string): Argument {
    const bound = this.names.get(name);
    if (bound !== undefined) return bound;
    if (name === "keep") return "keep";
    if (name === "pi") return build.constant(Math.PI);
    if (name === "true" || name === "false") return build.constant(name === "true" ? 1 : 0, "bool");
    const known = this.lookup(name);
    const node = this.known(name, known);
    this.names.set(name, node);
    return node;
  }

  private known(name: string, known: Known | null): Expr {
    if (known?.kind === "array") return this.array(name, name, known);
    if (known?.kind === "number") return build.parameter(name, known.value);
    if (SCALAR_NAMES.test(name)) {
      this.assumptions.push(`${name} is taken to be a scalar`);
      return build.parameter(name, null);
    }
    this.assumptions.push(`${name} is taken to be an array of any length, indexed by i`);
    const node = build.input(name, [axis("i", null)]);
    this.inputs.push({ symbol: name, source: name, node });
    return node;
  }

  private operator({ op, args }: { op: string; args: MathNode[] }): Argument {
    const values = args.map((a) => this.number(a));
    if (values.length === 1) {
      const x = values[0]!;
      if (op === "-") return build.neg(x);
      if (op === "+") return x;
      if (op === "not") return build.unary("not", x);
      if (op === "'") {
        if (x.shape.length !== 2) throw this.error("' transposes an array with two axes only");
        return build.transpose(x, [1, 0]);
      }
    }
    const make = OPERATORS[op];
    if (make === undefined || values.length !== 2) {
      throw this.error(
        `the operator ${op} is not known`,
        this.columnOf(op),
        "use + - .* ./ .^ and the functions of the README",
      );
    }
    const [a, b] = [values[0]!, values[1]!];
    if ((op === "*" || op === "/" || op === "^") && b.shape.length > 0) {
      // In the matrix languages this syntax comes from, these are matrix operations: refuse to guess.
      if (op !== "*" || a.shape.length > 0) {
        throw this.error(
          `${op} between arrays is ambiguous`,
          this.columnOf(op),
          `write .${op} for each element${op === "*" ? ", or dot(p, g) for the sum of products" : ""}`,
        );
      }
    }
    if (op === "^" && a.shape.length > 0) {
      throw this.error(
        "^ of an array is ambiguous",
        this.columnOf("^"),
        "write .^ for each element",
      );
    }
    return this.guarded(() => make(a, b), op);
  }

  private relational({
    conditionals,
    params,
  }: {
    conditionals: string[];
    params: MathNode[];
  }): Expr {
    const names: Record<string, "lt" | "le" | "gt" | "ge" | "eq" | "ne"> = {
      smaller: "lt",
      smallerEq: "le",
      larger: "gt",
      largerEq: "ge",
      equal: "eq",
      unequal: "ne",
    };
    const values = params.map((p) => this.number(p));
    const parts = conditionals.map((c, k) => build.binary(names[c]!, values[k]!, values[k + 1]!));
    return parts.reduce((a, b) => build.binary("and", a, b));
  }

  private applied(name: string, args: readonly MathNode[]): Argument {
    const make = FUNCTIONS[name];
    if (make === undefined) {
      throw this.error(
        `the function ${name} is not known`,
        this.columnOf(name),
        `known functions: ${Object.keys(FUNCTIONS).join(", ")}`,
      );
    }
    const values = args.map((a) => this.value(a));
    return this.guarded(() => make(values), name);
  }

  private guarded(make: () => Expr, name: string): Expr {
    try {
      return make();
    } catch (e) {
      if (e instanceof ShapeError || e instanceof TypeError) {
        throw this.error(`${name}: ${e.message}`, this.columnOf(name));
      }
      throw e;
    }
  }

  private number(node: MathNode): Expr {
    const v = this.value(node);
    if (typeof v === "string") throw this.error(`"${v}" is not a number`, this.columnOf(v));
    return v;
  }

  /** mathjs keeps no positions, so the first place where the text stands in the line is taken. */
  private columnOf(text: string): number {
    return Math.max(0, this.source.indexOf(text)) + 1;
  }

  error(message: string, column = 1, remedy?: string): FormulaError {
    return new FormulaError(message, {
      file: this.file,
      line: this.line,
      column,
      source: this.source,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

function isType(node: MathNode, type: string): boolean {
  return node.type === type;
}

function describe(node: MathNode): string {
  const names: Record<string, string> = {
    ArrayNode: "a matrix literal",
    AccessorNode: "an index such as p[1]",
    BlockNode: "several expressions in one line",
    FunctionAssignmentNode: "a function definition",
    ObjectNode: "an object",
    RangeNode: "a range",
  };
  return names[node.type] ?? node.type;
}
