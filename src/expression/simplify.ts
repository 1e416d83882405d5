/**
 * Simplification: the same value, as a reader would write it. Every rewrite keeps the value
 * wherever the expression is defined, in exact arithmetic; two things are taken for granted: that
 * entries are finite (0·x is 0), and that a named parameter keeps the sign of its value.
 *
 * Rewrites that need more (x/x, √x²) are made only where the condition is certain, or granted by
 * the caller (`nonzero`). Stored precision is no matter of mathematics: casts between float types
 * go. Sums, products and reductions have normal forms, each in a file of its own; views float
 * outwards until a reduction absorbs them; picking entries goes inwards.
 */
import * as b from "./build.ts";
import { spend } from "./effort.ts";
import type { Expr } from "./node.ts";
import { NotRational } from "./rational.ts";
import { type Sign, signOf } from "./signs.ts";
import type { Context } from "./simplifyContext.ts";
import {
  binaryStep,
  castStep,
  clampStep,
  moveViewsOut,
  softmaxStep,
  unaryStep,
  whereStep,
} from "./simplifyFunctions.ts";
import { Skeletons } from "./simplifyLoops.ts";
import { type Monomial, buildProduct, monomialOf } from "./simplifyProduct.ts";
import {
  concatStep,
  expandStep,
  indexStep,
  placeStep,
  reshapeStep,
  sliceStep,
  stackStep,
  transposeStep,
} from "./simplifyRearrange.ts";
import { reduceStep } from "./simplifyReduce.ts";
import { distributed, normalSum } from "./simplifySum.ts";
import { isSumNode, summands } from "./simplifySummands.ts";
import { carryAnnotation } from "./walk.ts";

export interface SimplifyOptions {
  /**
   * Expressions that are not zero wherever the result is looked at, such as the divisors of a loss
   * when its gradient is simplified: they may be cancelled.
   */
  readonly nonzero?: readonly Expr[];
  /** Write x for stop-gradient(x): for an expression that will not be derived any more. */
  readonly dropStops?: boolean;
}

/** `e` in normal form. Deterministic; the form of an equal expression is usually, not always, equal. */
export function simplify(e: Expr, options: SimplifyOptions = {}): Expr {
  return simplifyAll([e], options)[0]!;
}

/** Several expressions in normal form; equal parts of them become one expression. */
export function simplifyAll(roots: readonly Expr[], options: SimplifyOptions = {}): Expr[] {
  const run = new Run(options);
  return roots.map((e) => run.norm(e));
}

/** Rewrites after which a node is left as it is, should the rules ever chase each other. */
const MAX_STEPS = 200;

class Run implements Context {
  readonly products = new Map<string, Expr>();
  readonly sums = new Map<string, Expr>();
  readonly dropStops: boolean;
  readonly skeletons = new Skeletons();
  private readonly done = new Map<Expr, Expr>();
  private readonly signs = new Map<Expr, Sign>();
  private readonly granted = new Set<Expr>();

  constructor(options: SimplifyOptions) {
    this.dropStops = options.dropStops ?? false;
    for (const e of options.nonzero ?? []) {
      this.granted.add(this.norm(e));
      for (const [f, p] of monomialOf(this.norm(e), this).powers)
        if (p.over > 0) this.granted.add(f);
    }
  }

  readonly norm = (root: Expr): Expr => {
    const known = this.done.get(root);
    if (known !== undefined) return known;
    // Operands first, on an explicit stack: unrolled loops make deep graphs.
    const stack = [{ e: root, operands: operandsOf(root), next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const operand = top.operands[top.next++];
      if (operand === undefined) {
        stack.pop();
        if (!this.done.has(top.e)) this.finish(top.e);
      } else if (!this.done.has(operand)) {
        stack.push({ e: operand, operands: operandsOf(operand), next: 0 });
      }
    }
    return this.done.get(root)!;
  };

  private finish(e: Expr): void {
    let current = e;
    let final = false;
    for (let n = 0; n < MAX_STEPS && !final; n++) {
      const step = this.step(current);
      final = step.final || step.e === current;
      current = step.e;
      const known = this.done.get(current);
      if (known !== undefined) {
        current = known;
        break;
      }
    }
    carryAnnotation(e, current);
    this.done.set(e, current);
    this.done.set(current, current);
  }

  /** One rewrite of a node; final when its result is in normal form already. */
  private step(e: Expr): { readonly e: Expr; readonly final: boolean } {
    spend(1);
    try {
      if (isSumNode(e)) return { e: normalSum(e, this), final: true };
      const ready = b.withArgs(e, e.args.map(this.norm));
      if (isProductNode(ready)) {
        const m = monomialOf(ready, this);
        if (m.powers.size !== 1 || !m.powers.has(ready)) {
          return { e: buildProduct(m, ready.shape, this), final: true };
        }
      }
      const next = this.rule(ready);
      return next === null ? { e: ready, final: true } : { e: next, final: false };
    } catch (error) {
      // A number too long to be written as a constant: the node stays as it is.
      if (error instanceof NotRational)
        return { e: b.withArgs(e, e.args.map(this.norm)), final: true };
      throw error;
    }
  }

  private rule(e: Expr): Expr | null {
    switch (e.kind) {
      case "unary":
        return moveViewsOut(e, this) ?? unaryStep(e, this);
      case "binary":
        return moveViewsOut(e, this) ?? binaryStep(e, this);
      case "where":
        return moveViewsOut(e, this) ?? whereStep(e, this);
      case "clamp":
        return moveViewsOut(e, this) ?? clampStep(e);
      case "cast":
        return moveViewsOut(e, this) ?? castStep(e);
      case "stopGradient":
        return this.dropStops || isFixed(e) ? e.args[0]! : moveViewsOut(e, this);
      case "reduce":
        return reduceStep(e, this);
      case "softmax":
        return softmaxStep(e, this);
      case "reshape":
        return reshapeStep(e);
      case "transpose":
        return transposeStep(e);
      case "expand":
        return expandStep(e);
      case "index":
        return indexStep(e);
      case "slice":
        return sliceStep(e);
      case "place":
      case "spread":
      case "slide":
        return placeStep(e, this);
      case "stack":
        return stackStep(e);
      case "concat":
        return concatStep(e);
      default:
        return null;
    }
  }

  readonly isPositive = (e: Expr): boolean => signOf(e, this.signs) === "positive";
  readonly isNonNegative = (e: Expr): boolean => signOf(e, this.signs) !== "unknown";
  readonly distributed = (m: Monomial): Expr | null => distributed(m, this);
  readonly nonzero = (e: Expr): boolean => this.granted.has(e) || this.isPositive(e);
}

function isProductNode(e: Expr): boolean {
  return e.kind === "binary" && (e.op === "mul" || e.op === "div" || e.op === "pow");
}

/** What must be in normal form before a node can be: for a tree of sums, its leaves. */
function operandsOf(e: Expr): readonly Expr[] {
  return isSumNode(e) ? summands(e).map(([leaf]) => leaf) : e.args;
}

/** A stop-gradient of what no input enters, or twice over, stops nothing. */
function isFixed(e: Expr): boolean {
  const x = e.args[0]!;
  return x.kind === "const" || x.kind === "size" || x.kind === "stopGradient";
}
