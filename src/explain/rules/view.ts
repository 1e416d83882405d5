/** What rules share about one loss: computed when first asked for. */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import { leaves, topological } from "../../expression/walk.ts";
import { ANY, type Interval, intervalsOf } from "./intervals.ts";
import type { RuleInput, RuleSubject } from "./rule.ts";
import { type Ranges, type Situation, boundsOf, rangesOf, tryOut } from "./situations.ts";

export class View {
  readonly subject: RuleSubject;
  /** Every node of the loss, arguments before their users. */
  readonly order: readonly Expr[];
  readonly prediction: RuleInput | null;
  private readonly memo = new Map<string, unknown>();

  constructor(subject: RuleSubject) {
    this.subject = subject;
    this.order = topological(subject.loss);
    const used = new Set(leaves(subject.loss));
    this.prediction =
      subject.inputs.find((x) => x.role === "prediction" && used.has(x.node)) ?? null;
  }

  get ranges(): Ranges {
    return this.once("ranges", () => rangesOf(this.subject.loss, this.subject.inputs));
  }

  interval(e: Expr): Interval {
    const all = this.once("intervals", () => {
      const bounds = [...this.ranges].map(([node, r]) => [node, boundsOf(r)] as const);
      return intervalsOf(this.subject.loss, new Map(bounds));
    });
    return all.get(e) ?? ANY;
  }

  get situations(): readonly Situation[] {
    return this.once("situations", () =>
      tryOut(this.subject.loss, this.order, this.subject.inputs, this.ranges),
    );
  }

  /** Nodes whose value depends on the prediction. */
  get onPrediction(): ReadonlySet<Expr> {
    return this.once("dependent", () => {
      const found = new Set<Expr>(this.prediction === null ? [] : [this.prediction.node]);
      for (const e of this.order) if (e.args.some((a) => found.has(a))) found.add(e);
      return found;
    });
  }

  /** Nodes that use a node's value, directly. */
  usersOf(e: Expr): readonly Expr[] {
    const users = this.once("users", () => {
      const found = new Map<Expr, Expr[]>();
      for (const user of this.order) {
        for (const a of new Set(user.args)) found.set(a, [...(found.get(a) ?? []), user]);
      }
      return found;
    });
    return users.get(e) ?? [];
  }

  /** Where a node was written; inside a library's function, where that is called. */
  spanOf(e: Expr): SourceSpan | undefined {
    const above = [e];
    for (const at of above) {
      const span = this.subject.spans.get(at);
      if (span !== undefined || above.length > 50) return span;
      above.push(...this.usersOf(at));
    }
    return undefined;
  }

  private once<T>(name: string, make: () => T): T {
    if (!this.memo.has(name)) this.memo.set(name, make());
    return this.memo.get(name) as T;
  }
}
