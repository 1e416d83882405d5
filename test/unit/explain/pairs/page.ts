/** Lines of code as they are written down, each with the reasons that stand on it, or would. */
import type { ReasonId } from "../../../../src/explain/reasons/groups.ts";
import { type Scalar, valueOf } from "../../../../src/losses/spec.ts";
import type { Style } from "./style.ts";

export interface Line {
  readonly indent: number;
  readonly code: string;
  readonly reasons: readonly ReasonId[];
}

export class Page {
  readonly lines: Line[] = [];
  /** Numbers that have a name, by it. */
  readonly constants = new Map<string, number>();
  indent = 1;
  readonly style: Style;

  constructor(style: Style) {
    this.style = style;
  }

  put(code: string, ...reasons: readonly ReasonId[]): void {
    this.lines.push({ indent: this.indent, code, reasons });
  }

  /** A number in the code: a literal, or the name that stands for it. */
  number(s: Scalar, hint: string): string {
    const value = valueOf(s);
    const { numbers } = this.style;
    if (numbers === "literals" || value === 0) return String(value);
    const wanted = numbers === "constants" ? hint.toUpperCase() : hint;
    let name = wanted;
    for (let k = 2; this.constants.has(name) && this.constants.get(name) !== value; k++) {
      name = `${wanted}${k}`;
    }
    this.constants.set(name, value);
    return numbers === "attributes" ? `self.${name}` : name;
  }

  get axes(): { batch: number; class: number; space: readonly number[] } {
    const { rank, dialect } = this.style;
    const spaces = Array.from({ length: rank - 2 }, (_, k) => k);
    return dialect.layout === "channels-first"
      ? { batch: 0, class: 1, space: spaces.map((k) => k + 2) }
      : { batch: 0, class: rank - 1, space: spaces.map((k) => k + 1) };
  }

  /** The letters of the axes, as einsum takes them. */
  get letters(): string {
    const space = ["n", "hw", "dhw"][this.style.rank - 3]!;
    return this.style.dialect.layout === "channels-first" ? `bc${space}` : `b${space}c`;
  }

  /** Some channels of an array. */
  channels(e: string, which: string): string {
    return this.style.dialect.layout === "channels-first"
      ? `${e}[:, ${which}]`
      : `${e}[..., ${which}]`;
  }
}
