/** A written gradient and the right one, typeset in the same symbols. */
import type { Expr } from "../../expression/node.ts";
import { annotationOf } from "../../expression/node.ts";
import { namesFor } from "../../expression/names.ts";
import { FormulaTooLong } from "../../expression/notation.ts";
import { latexOf } from "../../expression/latex.ts";
import { simplify } from "../../expression/simplify.ts";
import { textOf, toText } from "../../expression/text.ts";
import type { Written } from "../../gradient/derivation.ts";
import { type Plan, makePlan } from "../../gradient/stepsPlan.ts";
import { Writer, writeRows } from "../../gradient/stepsWriting.ts";
import type { Words } from "./fault.ts";

const L: Written = { latex: "L", text: "L" };
const LONG = 90;

/** The symbols of one gradient's derivation, and formulas written in them. */
export class Formulas implements Words {
  readonly plan: Plan;
  private readonly writer: Writer;

  /** @param base what is differentiated, a scalar; @param target the reference segmentation */
  constructor(base: Expr, x: Expr, target: Expr | null, written: Expr | null) {
    this.plan = makePlan(base, x, { target });
    // What the written gradient alone has, such as an epsilon of another size.
    if (written !== null) namesFor([written], this.plan.names);
    this.writer = new Writer(this.plan.names, this.plan.joint);
  }

  /** ∂L/∂x = e, in the named sums as far as they turn up in it. */
  gradient(e: Expr): Written {
    const { wrt, outline } = this.plan;
    const at = this.writer.letters(wrt);
    const inSums = outline.inSums(this.plan.simplify(e));
    const left = this.writer.derivative(L, wrt, at);
    return writeRows([{ left, rights: [this.writer.term(inSums, at)], pair: null }]);
  }

  /** An expression by itself, at one element of the input. */
  term(e: Expr): Written {
    const { wrt, outline } = this.plan;
    const at = this.writer.letters(wrt);
    const simple = outline.inSums(this.plan.simplify(e));
    const t = this.writer.term(simple, simple.shape.length === wrt.shape.length ? at : undefined);
    return { latex: latexOf(t), text: textOf(t) };
  }

  /** What the named sums stand for. */
  legend(): Written[] {
    const used = this.plan.outline.parts.filter((p) => p.kind === "sum" || p.kind === "activation");
    return used.map((p) => {
      const at = this.writer.letters(p.node);
      const row = { left: this.writer.term(p.node, at), rights: [this.writer.term(p.value, at)] };
      return writeRows([{ ...row, pair: null }]);
    });
  }

  name(e: Expr): string {
    return annotationOf(e)?.label ?? this.formula(e);
  }

  formula(e: Expr): string {
    try {
      const text = toText(simplify(e), this.plan.names);
      return text.length <= LONG ? text : `${text.slice(0, LONG)}…`;
    } catch (error) {
      if (error instanceof FormulaTooLong) return "(a long expression)";
      throw error;
    }
  }
}
