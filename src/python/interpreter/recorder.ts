/** What is worth knowing about a trace besides its result. */
import { type Expr, type SourceSpan, annotate } from "../../expression/node.ts";
import { substitute, topological } from "../../expression/walk.ts";
import type { HandwrittenUse } from "../handwritten/record.ts";
import type { ElementType, TapeKernel } from "../../expression/tape.ts";
import { TapeRecorder } from "./tape.ts";

/** A place where the gradient is cut off by the code itself. */
export interface Blocker {
  /** As written: "detach()", ".data", "torch.no_grad()", ".item()", … */
  readonly how: string;
  readonly span: SourceSpan;
  readonly node: Expr;
}

/** An array of PyTorch that was changed in place. */
export interface Write {
  readonly span: SourceSpan;
  /** What it held before. */
  readonly before: Expr;
  /** It was a copy, unchanged until then: of what the copied array was used for, it knows nothing. */
  readonly isCopy: boolean;
  /** Nodes made until then that use what it held, also as another shape or stretched. */
  readonly users: readonly Expr[];
}

/** A condition on entries of arrays that decided which way the code went. */
export interface Decision {
  readonly span: SourceSpan;
  readonly condition: Expr;
  /** What it was, or was taken to be. */
  readonly taken: boolean;
}

/** What values decided for good: in which order entries are, or constants that were made of them. */
export interface Fixed {
  /** In words, e.g. "the order in which topk() puts entries". */
  readonly what: string;
  readonly span: SourceSpan;
  /** What the values are of. */
  readonly of: Expr;
  /** The array that holds the constants: no gradient flows from it to `of` any more. */
  readonly constant: Expr | null;
  /** Of what was sorted: 0 at entries that no other equals, else the number of those that are equal. */
  readonly ties?: Int32Array;
}

/** Kinds of node whose result shares the memory of their argument. */
const HANDING_ON: ReadonlySet<Expr["kind"]> = new Set([
  "reshape",
  "transpose",
  "expand",
  "index",
  "slice",
]);

/** Changes in place that are looked at: a loop over entries has no end of them. */
const MOST_WRITES = 100;

export class Recorder {
  readonly assumptions: string[] = [];
  readonly blockers: Blocker[] = [];
  readonly writes: Write[] = [];
  readonly decisions: Decision[] = [];
  readonly fixed: Fixed[] = [];
  /** Nodes that say which entry an operation picks (a maximum's, a sorted one's): no loss of gradient. */
  readonly choices = new Set<Expr>();
  /** Uses of functions whose gradient is written by hand, in order. */
  readonly handwritten: HandwrittenUse[] = [];
  /** Whether a loss is being traced, as against a cell being run. */
  readonly isTrace: boolean;
  /** First place that made each node, in this trace alone (nodes are shared between traces). */
  readonly spans = new Map<Expr, SourceSpan>();
  /** First variable each node was assigned to, in this trace alone. */
  readonly labels = new Map<Expr, string>();
  /** Axes besides the first were asked for where there are none: larger arrays are meant. */
  isFlat = false;

  /** A range of positions was made, perhaps of axes. */
  ranged(start: number, stop: number): void {
    if (start >= 1 && stop <= start) this.isFlat = true;
  }

  /** What nodes that stand for something else (arguments, forward values) stand for. */
  private readonly standing = new Map<Expr, Expr>();

  /** Where the operations' order is wanted: what they make are nodes of its own. */
  readonly tape: TapeRecorder | null;

  constructor(isTrace = false, withTape = false) {
    this.isTrace = isTrace;
    this.tape = withTape ? new TapeRecorder() : null;
  }

  /** What an operation made; on a tape, as a node that stands for it. */
  result(
    e: Expr,
    dtype: ElementType | null,
    span: SourceSpan,
    kernel: TapeKernel | null = null,
  ): Expr {
    if (this.tape === null) return e;
    const node = this.tape.record(e, dtype, span, kernel);
    if (node !== e) this.stand(node, this.spelledOut(e));
    return node;
  }

  /** What an array holds; on a tape, where it is a number that its type may have rounded, as that. */
  held(e: Expr, dtype: ElementType | null, span: SourceSpan): Expr {
    if (this.tape === null || e.kind === "input" || e.type !== "float") return e;
    if (dtype === null || dtype === "float64") return e;
    if (topological(e).some((part) => part.kind === "input")) return e;
    const node = this.tape.number(e, dtype, span);
    this.stand(node, e);
    return node;
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

  /** Nodes have become others: what is known of them goes along. */
  moved(to: ReadonlyMap<Expr, Expr>): void {
    for (const [before, after] of to) {
      const span = this.spans.get(before);
      if (span !== undefined) this.made(after, span);
      const label = this.labels.get(before);
      if (label !== undefined) this.named(after, label);
    }
    for (const b of [...this.blockers]) {
      const after = to.get(b.node);
      if (after !== undefined) this.block(after, b.how, b.span);
    }
  }

  /** @param copy how many nodes there were when the array was made as a copy; null: it was none */
  write(
    before: Expr,
    changed: Expr,
    copy: { readonly since: number } | null,
    span: SourceSpan,
  ): void {
    if (!this.isTrace || this.writes.length >= MOST_WRITES) return;
    const same = new Set([before]);
    const users: Expr[] = [];
    for (const e of [...this.spans.keys()].slice(copy?.since ?? 0)) {
      if (e === changed || !e.args.some((a) => same.has(a))) continue;
      users.push(e);
      if (HANDING_ON.has(e.kind)) same.add(e);
    }
    this.writes.push({ span, before, users, isCopy: copy !== null });
  }

  decide(condition: Expr, taken: boolean, span: SourceSpan): void {
    if (this.isTrace) this.decisions.push({ span, condition, taken });
  }

  fix(fixed: Fixed): void {
    if (this.isTrace) this.fixed.push({ ...fixed, of: this.spelledOut(fixed.of) });
  }

  block(e: Expr, how: string, span: SourceSpan): void {
    if (!this.blockers.some((b) => b.node === e)) this.blockers.push({ how, span, node: e });
  }

  /** From now on `node` stands for `value`, until it is given another. */
  stand(node: Expr, value: Expr): void {
    if (node === value) this.standing.delete(node);
    else this.standing.set(node, value);
  }

  /** In terms of the trace's inputs alone. */
  spelledOut(e: Expr): Expr {
    return substitute(e, this.standing);
  }

  /** Lines and names of what `e` is made of hold for the same in the trace's inputs. */
  carrySpelledOut(e: Expr): void {
    for (const part of topological(e)) {
      const [span, label] = [this.spans.get(part), this.labels.get(part)];
      if (span === undefined && label === undefined) continue;
      const same = this.spelledOut(part);
      if (span !== undefined) this.made(same, span);
      if (label !== undefined) this.named(same, label);
    }
  }

  /** Runs `body`, which autograd does not look into: what cuts or spoils gradients in it does neither. */
  unfollowed<T>(body: () => T): T {
    const { blockers, writes } = this;
    const before = [blockers.length, writes.length] as const;
    try {
      return body();
    } finally {
      [blockers.length, writes.length] = before;
    }
  }
}
