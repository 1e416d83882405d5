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
    return this.once("intervals", () => this.intervals([])).get(e) ?? ANY;
  }

  /** With every parameter at the value it has, or at 0 as a caller may set it. */
  intervalOfAnySetting(e: Expr): Interval {
    const all = this.once("intervals of any setting", () => {
      const settings = this.order.flatMap((p): [Expr, Interval][] =>
        p.kind === "parameter" && p.value !== null
          ? [[p, { lo: Math.min(p.value, 0), hi: Math.max(p.value, 0) }]]
          : [],
      );
      return this.intervals(settings);
    });
    return all.get(e) ?? ANY;
  }

  private intervals(settings: readonly [Expr, Interval][]): ReadonlyMap<Expr, Interval> {
    const bounds = new Map<Expr, Interval>(settings);
    for (const [node, r] of this.ranges) bounds.set(node, boundsOf(r));
    const { loss, decisions } = this.subject;
    const roots = [...decisions.map((d) => d.condition), loss];
    return new Map(roots.flatMap((root) => [...intervalsOf(root, bounds)]));
  }

  /** Those in which the code goes the way that was followed. */
  get situations(): readonly Situation[] {
    return this.once("situations", () => {
      const { loss, inputs } = this.subject;
      const arrays = new Set<Expr>(inputs.map((x) => x.node));
      // What settings that nobody knows decide tells nothing of the arrays.
      const decisions = this.subject.decisions.filter((d) =>
        leaves(d.condition).every(
          (l) => l.kind !== "parameter" && (l.kind !== "input" || arrays.has(l)),
        ),
      );
      const nodes = [...new Set([...this.order, ...decisions.map((d) => d.condition)])];
      const all = tryOut(loss, nodes, inputs, this.ranges);
      return all.filter((s) =>
        decisions.every((d) => (s.values.get(d.condition)?.[0] !== 0) === d.taken),
      );
    });
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
