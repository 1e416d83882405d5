/**
 * A loss of the family written out as Python, in one of many styles. The writer knows nothing of the
 * engine's templates: it writes down what people write, and on which line each thing stands.
 */
import type { ReasonId } from "../../../../src/explain/reasons/groups.ts";
import { type Line, Page } from "./page.ts";
import { MASK, prepare } from "./prepare.ts";
import { reduce } from "./reduce.ts";
import { RATIO } from "./score.ts";
import type { Content, Style } from "./style.ts";

export interface WrittenLoss {
  readonly source: string;
  /** What makes the loss a callable: a name, or a class called without arguments. */
  readonly callable: string;
  /** Lines (from 1) on which each reason stands, or would. */
  readonly lines: ReadonlyMap<string, ReadonlySet<number>>;
  readonly style: Style;
  /** Whether it is given a mask besides prediction and target. */
  readonly takesMask: boolean;
}

/** @throws when the style cannot hold the loss */
export function write(content: Content, style: Style): WrittenLoss {
  const page = new Page(style);
  prepare(page, content);
  const split = page.lines.length;
  reduce(page, content);
  const takesMask = content.spec.mask !== "none" && content.spec.ignoredLabel === null;
  const file = new Layout(page, split, takesMask).write(content);
  const lines = new Map<ReasonId, Set<number>>();
  file.forEach((l, k) => {
    for (const id of l.reasons) lines.set(id, (lines.get(id) ?? new Set()).add(k + 1));
  });
  const source = file.map((l) => "    ".repeat(l.code === "" ? 0 : l.indent) + l.code).join("\n");
  const callable = style.numbers === "attributes" ? "Loss()" : "loss";
  return { source: `${source}\n`, callable, lines, style, takesMask };
}

/** The whole file around the lines of the body. */
class Layout {
  private readonly file: Line[] = [];
  private readonly page: Page;
  /** Lines of the body before those that go into a helper. */
  private readonly split: number;
  private readonly takesMask: boolean;

  constructor(page: Page, split: number, takesMask: boolean) {
    this.page = page;
    this.split = split;
    this.takesMask = takesMask;
  }

  write({ wrongQuotient }: Content): readonly Line[] {
    const { dialect, helper, numbers, ownQuotient } = this.page.style;
    for (const code of dialect.imports) this.put(0, code);
    this.put(0, "");
    if (ownQuotient || wrongQuotient !== null) {
      for (const [indent, code, is] of dialect.quotient!.define(wrongQuotient)) {
        this.put(indent, code, is === "wrong" ? ["hand-written"] : is === null ? [] : RATIO);
      }
      this.put(0, "");
    }
    if (numbers === "constants") {
      for (const [name, v] of this.page.constants) this.put(0, `${name} = ${v}`);
      this.put(0, "");
    }
    if (numbers === "attributes") this.module();
    else {
      if (helper) this.helper(0, numbers === "arguments" ? this.defaults() : "");
      const own = numbers === "arguments" ? this.defaults() : "";
      this.put(0, `def loss(${this.arguments()}${own}):`);
      this.body(0);
    }
    return this.file;
  }

  private module(): void {
    const { base, method } = this.page.style.dialect.module!;
    this.put(0, `class Loss(${base}):`);
    this.put(1, `def __init__(self${this.defaults()}):`);
    this.put(2, "super().__init__()");
    for (const name of this.page.constants.keys()) this.put(2, `self.${name} = ${name}`);
    this.put(0, "");
    this.put(1, `def ${method}(self, ${this.arguments()}):`);
    this.body(1);
    if (this.page.style.helper) {
      this.put(0, "");
      this.helper(1, "");
    }
  }

  /** The body, or what of it is not in the helper and a call of that. */
  private body(shift: number): void {
    const { helper, numbers } = this.page.style;
    this.shifted(helper ? this.page.lines.slice(0, this.split) : this.page.lines, shift);
    if (!helper) return;
    const keys = [...this.page.constants.keys()];
    const passed = numbers === "arguments" ? keys.map((n) => `, ${n}=${n}`).join("") : "";
    const self = numbers === "attributes" ? "self." : "";
    this.put(1 + shift, `return ${self}region_loss(${this.passed()}${passed})`);
  }

  private helper(shift: number, own: string): void {
    const self = shift > 0 ? "self, " : "";
    this.put(shift, `def region_loss(${self}${this.passed()}${own}):`);
    this.shifted(this.page.lines.slice(this.split), shift);
    if (shift === 0) this.put(0, "");
  }

  private shifted(lines: readonly Line[], by: number): void {
    for (const l of lines) this.file.push({ ...l, indent: l.indent + by });
  }

  private put(indent: number, code: string, reasons: readonly ReasonId[] = []): void {
    this.file.push({ indent, code, reasons });
  }

  private defaults(): string {
    return [...this.page.constants].map(([name, v]) => `, ${name}=${v}`).join("");
  }

  private arguments(): string {
    const { dialect, names } = this.page.style;
    const arrays =
      dialect.layout === "channels-last"
        ? [names.target, names.prediction]
        : [names.prediction, names.target];
    return [...arrays, ...(this.takesMask ? [MASK] : [])].join(", ");
  }

  private passed(): string {
    const { names } = this.page.style;
    const mask = this.takesMask ? [MASK] : [];
    return [names.p, names.t, names.prediction, names.target, ...mask].join(", ");
  }
}
