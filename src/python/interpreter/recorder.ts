/** What is worth knowing about a trace besides its result. */
import { type Expr, type SourceSpan, annotate } from "../../expression/node.ts";

/** A place where the gradient is cut off by the code itself. */
export interface Blocker {
  /** As written: "detach()", ".data", "torch.no_grad()", ".item()", … */
  readonly how: string;
  readonly span: SourceSpan;
  readonly node: Expr;
}

export class Recorder {
  readonly assumptions: string[] = [];
  readonly blockers: Blocker[] = [];
  /** First place that made each node, in this trace alone (nodes are shared between traces). */
  readonly spans = new Map<Expr, SourceSpan>();
  /** First variable each node was assigned to, in this trace alone. */
  readonly labels = new Map<Expr, string>();
  /** Axes from the third on were asked for where there are none. */
  isFlat = false;

  /** A range of positions was made, perhaps of axes. */
  ranged(start: number, stop: number): void {
    if (start >= 2 && stop <= start) this.isFlat = true;
  }

  assume(text: string): void {
    if (!this.assumptions.includes(text)) this.assumptions.push(text);
  }

  /** Leaves are no one's in particular: the 1 in many lines is one node. */
  made(e: Expr, span: SourceSpan): void {
    if (e.args.length === 0) return;
    annotate(e, span);
    if (!this.spans.has(e)) this.spans.set(e, span);
  }

  named(e: Expr, name: string): void {
    if (e.args.length === 0) return;
    annotate(e, undefined, name);
    if (!this.labels.has(e)) this.labels.set(e, name);
  }

  block(e: Expr, how: string, span: SourceSpan): void {
    if (!this.blockers.some((b) => b.node === e)) this.blockers.push({ how, span, node: e });
  }
}
