/**
 * The outer function of a loss, a scalar function of a few named sums, differentiated a second time
 * by mathjs. The two derivatives are compared to 50 digits: what a reader is shown for the quotient
 * rule has been reached in two ways that share no code.
 */
import { type MathNode, create, derivativeDependencies, parseDependencies } from "mathjs";
import { ShapeError } from "../expression/axis.ts";
import * as b from "../expression/build.ts";
import { decideEqual } from "../expression/equality.ts";
import type { Expr, UnaryOp } from "../expression/node.ts";
import { simplify } from "../expression/simplify.ts";
import { substitute, topological } from "../expression/walk.ts";
import { adjoints } from "./derive.ts";

export interface OuterDerivative {
  /** The symbol it was differentiated by, a node of the outer function. */
  readonly by: Expr;
  /** Simplified, in terms of the symbols. */
  readonly derivative: Expr;
  /** `mathjs` when its derivative was the same function; else ours alone stands. */
  readonly engine: "mathjs" | "own";
  /** Why mathjs's derivative was not used; null when it was. */
  readonly note: string | null;
}

/**
 * The partial derivatives of `outer` by each of `symbols` (nodes in it, taken as independent
 * variables of one number each: `outer` must be a scalar, or the same function of each entry).
 */
export function scalarDerivatives(outer: Expr, symbols: readonly Expr[]): OuterDerivative[] {
  const scalars = standIns(outer, symbols);
  const back = new Map([...scalars].map(([s, x]) => [x, s]));
  const inScalars = substituted(outer, scalars);
  if (inScalars === null) {
    return ownDerivatives(outer, symbols, "the outer function is not one of single numbers");
  }
  const own = adjoints(
    inScalars,
    symbols.map((by) => scalars.get(by)!),
  );
  return symbols.map((by) => {
    const x = scalars.get(by)!;
    const ours = simplify(own.get(x)!);
    const second = mathjsDerivative(inScalars, x);
    const derivative = (e: Expr): Expr => simplify(substitute(e, back));
    if (second instanceof Error) {
      return { by, derivative: derivative(ours), engine: "own", note: second.message };
    }
    const theirs = simplify(second);
    if (decideEqual(ours, theirs, { parameters: "valued", degenerate: false }).equal !== true) {
      const note = "mathjs's derivative is another function; ours is shown";
      return { by, derivative: derivative(ours), engine: "own", note };
    }
    return { by, derivative: derivative(theirs), engine: "mathjs", note: null };
  });
}

/** A number for each symbol, and for each sum or array that no symbol enters. */
function standIns(outer: Expr, symbols: readonly Expr[]): Map<Expr, Expr> {
  const chosen = new Set(symbols);
  const found = new Map<Expr, Expr>();
  const varying = new Set<Expr>();
  for (const e of topological(outer)) {
    if (chosen.has(e) || e.args.some((a) => varying.has(a))) varying.add(e);
    const written = WRITTEN.has(e.kind);
    if (chosen.has(e) || !(varying.has(e) || written)) {
      found.set(e, b.input(`number ${found.size}`, []));
    }
  }
  return found;
}
const WRITTEN = new Set(["const", "parameter", "size", "unary", "binary"]);

/** `null` where the outer function does more than arithmetic with its numbers. */
function substituted(outer: Expr, scalars: ReadonlyMap<Expr, Expr>): Expr | null {
  try {
    const e = substitute(outer, scalars);
    return topological(e).every((node) => node.shape.length === 0) ? e : null;
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}

function ownDerivatives(outer: Expr, symbols: readonly Expr[], note: string): OuterDerivative[] {
  const own = adjoints(outer, symbols);
  return symbols.map((by) => ({ by, derivative: simplify(own.get(by)!), engine: "own", note }));
}

/** Thrown for what mathjs cannot differentiate, or what it answers with that we cannot read. */
class Untranslatable extends Error {
  override readonly name = "Untranslatable";
}

let engine: { parse: (text: string) => MathNode; derivative: Derivative } | undefined;
type Derivative = (f: MathNode, by: string, options: { simplify: boolean }) => MathNode;

function mathjs(): NonNullable<typeof engine> {
  // Made on first use: most derivations never need it.
  engine ??= create({
    ...parseDependencies,
    ...derivativeDependencies,
  }) as unknown as NonNullable<typeof engine>;
  return engine;
}

/** d f / d x by mathjs, unsimplified (its simplifications are not all sound), as an expression. */
function mathjsDerivative(f: Expr, x: Expr): Expr | Untranslatable {
  try {
    const words = new Words();
    const { parse, derivative } = mathjs();
    const text = words.write(f);
    const slope = derivative(parse(text), words.write(x), { simplify: false });
    return words.read(slope);
  } catch (error) {
    if (error instanceof Untranslatable) return error;
    return new Untranslatable(error instanceof Error ? error.message : String(error));
  }
}

const OPERATORS: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  pow: "^",
};
const FUNCTIONS = new Set<UnaryOp>(["exp", "log", "sqrt", "tanh", "cosh", "sinh", "sin", "cos"]);

/** What mathjs's own functions of one argument are in ours. */
const READABLE: Readonly<Record<string, (x: Expr) => Expr>> = {
  ...Object.fromEntries([...FUNCTIONS].map((op) => [op, (x: Expr) => b.unary(op, x)])),
  sech: (x) => b.div(b.ONE, b.unary("cosh", x)),
  sec: (x) => b.div(b.ONE, b.unary("cos", x)),
};

/** The parts of mathjs's nodes that are read. */
interface Tree {
  readonly type: string;
  readonly op?: string;
  readonly fn?: { readonly name: string } | string;
  readonly name?: string;
  readonly value?: unknown;
  readonly args?: readonly Tree[];
  readonly content?: Tree;
}

/** Expressions in mathjs's words and back. Leaves and decimals get names, so that none is altered. */
class Words {
  private readonly names = new Map<Expr, string>();
  private readonly known = new Map<string, Expr>();

  write(e: Expr): string {
    const args = e.args.map((a) => this.write(a));
    switch (e.kind) {
      case "const":
        return Number.isInteger(e.value) ? `(${e.value})` : this.nameFor(e);
      case "input":
      case "parameter":
      case "size":
        return this.nameFor(e);
      case "unary":
        if (e.op === "neg") return `(-${args[0]!})`;
        if (e.op === "sigmoid") return `(1 / (1 + exp(-${args[0]!})))`;
        if (FUNCTIONS.has(e.op)) return `${e.op}(${args[0]!})`;
        throw new Untranslatable(`mathjs cannot differentiate ${e.op}`);
      case "binary": {
        const op = OPERATORS[e.op];
        if (op === undefined) throw new Untranslatable(`mathjs cannot differentiate ${e.op}`);
        return `(${args[0]!} ${op} ${args[1]!})`;
      }
      default:
        throw new Untranslatable(`mathjs cannot differentiate ${e.kind}`);
    }
  }

  read(node: Tree): Expr {
    const args = (node.args ?? []).map((a) => this.read(a));
    switch (node.type) {
      case "ParenthesisNode":
        return this.read(node.content!);
      case "ConstantNode":
        if (typeof node.value !== "number") break;
        return b.constant(node.value);
      case "SymbolNode": {
        const leaf = this.known.get(node.name ?? "");
        if (leaf !== undefined) return leaf;
        break;
      }
      case "OperatorNode":
        return this.readOperator(node, args);
      case "FunctionNode": {
        const name = typeof node.fn === "string" ? node.fn : (node.fn?.name ?? "");
        const made = READABLE[name];
        if (made !== undefined && args.length === 1) return made(args[0]!);
        break;
      }
    }
    throw new Untranslatable(`mathjs answered with a ${node.type} that is not known here`);
  }

  private readOperator(node: Tree, args: readonly Expr[]): Expr {
    const [x, y] = args;
    if (x !== undefined && y === undefined && node.op === "-") return b.neg(x);
    const op = Object.entries(OPERATORS).find(([, sign]) => sign === node.op)?.[0];
    if (op === undefined || x === undefined || y === undefined) {
      throw new Untranslatable(`mathjs answered with the operator ${node.op ?? "?"}`);
    }
    return b.binary(op as "add" | "sub" | "mul" | "div" | "pow", x, y);
  }

  private nameFor(e: Expr): string {
    let name = this.names.get(e);
    if (name === undefined) {
      name = `v${this.names.size}`;
      this.names.set(e, name);
      this.known.set(name, e);
    }
    return name;
  }
}
