/** The tape of a trace: see expression/tape.ts. */
import { input } from "../../expression/build.ts";
import type { Expr, Input, SourceSpan } from "../../expression/node.ts";
import type { ElementType, TapeCall, TapeEntry, TapeKernel } from "../../expression/tape.ts";

export class TapeRecorder {
  readonly entries: TapeEntry[] = [];
  /** Arrays that the run started from, as far as it has used them. */
  readonly leaves = new Map<Input, ElementType | null>();
  /** Functions whose gradient is written by hand, by name: what autograd does in them is not here. */
  readonly handwritten: string[] = [];
  private readonly known = new Map<Expr, ElementType | null>();
  private readonly numbers = new Map<Expr, Map<ElementType, Expr>>();
  private call: TapeCall | null = null;

  /**
   * What an operation made, as one new node, so that nothing is shared but what the code shares.
   * Numbers stay what they are.
   */
  record(
    value: Expr,
    dtype: ElementType | null,
    span: SourceSpan,
    kernel: TapeKernel | null,
  ): Expr {
    if (value.kind === "parameter" || value.kind === "size") return value;
    if (value.kind === "input") {
      const own = this.known.get(value);
      if (own === undefined) {
        this.known.set(value, dtype);
        this.leaves.set(value, dtype);
        return value;
      }
      if (own === dtype || dtype === null) return value;
    }
    // A name that no Python variable can have.
    const node = input(`%${this.entries.length}`, value.shape, value.type) as Input;
    this.known.set(node, dtype);
    this.entries.push({ node, value, dtype, span, call: this.call, kernel });
    return node;
  }

  /** A number that an array holds from before the run, which its type may have rounded. */
  number(value: Expr, dtype: ElementType, span: SourceSpan): Expr {
    const known = this.numbers.get(value)?.get(dtype);
    if (known !== undefined) return known;
    const node = this.record(value, dtype, span, null);
    const ofTypes = this.numbers.get(value) ?? new Map<ElementType, Expr>();
    this.numbers.set(value, ofTypes.set(dtype, node));
    return node;
  }

  /** Runs a library function; what it does inside belongs to this call. */
  within<T>(name: string, body: () => T): T {
    const outer = this.call;
    this.call = { name };
    try {
      return body();
    } finally {
      this.call = outer;
    }
  }
}
