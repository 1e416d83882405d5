/** Equations as rows of LaTeX and of text, each with the two expressions that it says are equal. */
import { type Index, cutOf, affine, shownIndices } from "../expression/indices.ts";
import { latexOf, latexSymbol } from "../expression/latex.ts";
import type { Names } from "../expression/names.ts";
import { FormulaTooLong, Notation } from "../expression/notation.ts";
import { type Expr, annotationOf } from "../expression/node.ts";
import type { Term } from "../expression/term.ts";
import { textOf, textSymbol } from "../expression/text.ts";
import type { Equality, Written } from "./derivation.ts";

/** One or more rows; the equality chain of a row is broken where it gets long. */
export interface Row {
  readonly left: Term;
  readonly rights: readonly Term[];
  /** What left and right sides are, in the inputs alone; null where the left is only a name. */
  readonly pair: { readonly left: Expr; readonly right: Expr } | null;
}

const LONG_LATEX = 130;
/** With a little air, so that fractions below each other do not touch. */
const ROW_BREAK = " \\\\[4pt] ";

export class Writer {
  readonly notation: Notation;
  private readonly names: Names;

  constructor(names: Names, joint: readonly (readonly string[])[], asWritten = false) {
    this.names = names;
    this.notation = new Notation(names, { joint, asWritten });
  }

  /** Letters for the axes of an expression. */
  letters(e: Expr): Index[] {
    return this.notation.allocate(e.shape, new Set()).indices;
  }

  /** The element of `e`, or a remark in its place when it is too long to be read. */
  term(e: Expr, indices: readonly Index[] = this.letters(e)): Term {
    try {
      return this.notation.element(e, indices);
    } catch (error) {
      if (!(error instanceof FormulaTooLong)) throw error;
      const remark = {
        latex: "\\text{(too long to be written out)}",
        text: "(too long to be written out)",
      };
      return {
        kind: "symbol",
        symbol: { ...remark, sub: "", primes: 0, python: "_" },
        indices: [],
      };
    }
  }

  /** ∂of/∂(element of x). */
  derivative(of: Written, x: Expr, indices: readonly Index[] = this.letters(x)): Term {
    const symbol = this.names.symbolOf(x)!;
    return {
      kind: "symbol",
      symbol: { ...of, sub: "", primes: 0, python: "_", derivativeOf: symbol },
      indices: this.shown(x, indices),
    };
  }

  /** The symbol of a named node with its indices, as the "of" of a derivative. */
  written(x: Expr, indices: readonly Index[] = this.letters(x)): Written {
    const symbol = this.names.symbolOf(x)!;
    const shown = this.shown(x, indices);
    return { latex: latexSymbol(symbol, shown), text: textSymbol(symbol, shown) };
  }

  private shown(x: Expr, indices: readonly Index[]): Index[] {
    const whole = indices.map((i, d) => {
      const cut = cutOf(x.shape[d]!);
      return cut?.step === 1 ? affine(i, 1, cut.start) : i;
    });
    return shownIndices(x.shape, whole);
  }
}

/** Rows below each other, aligned at their equals signs. */
export function writeRows(rows: readonly Row[]): Written {
  const latex = rows.flatMap(latexRows);
  const text = rows.map((r) => sidesOf(r).join(" = "));
  return {
    latex:
      latex.length === 1
        ? latex[0]!.replace(" &= ", " = ")
        : `\\begin{aligned} ${latex.join(ROW_BREAK)} \\end{aligned}`,
    text: text.join("\n"),
  };
}

function sidesOf(row: Row): string[] {
  return [textOf(row.left), ...row.rights.map(textOf)];
}

function latexRows(row: Row): string[] {
  const lines: string[] = [];
  let line = `${latexOf(row.left)} &= ${latexOf(row.rights[0]!)}`;
  for (const right of row.rights.slice(1)) {
    const next = latexOf(right);
    if (line.length + next.length > LONG_LATEX) {
      lines.push(line);
      line = `&= ${next}`;
    } else line += ` = ${next}`;
  }
  return [...lines, line];
}

export function equalitiesOf(step: string, rows: readonly Row[]): Equality[] {
  return rows.flatMap((r) => (r.pair === null ? [] : [{ step, sides: sidesOf(r), ...r.pair }]));
}

/** Lines of the source that wrote these nodes, ascending; those of one file, the first's. */
export function linesOf(nodes: readonly Expr[]): number[] {
  const spans = nodes.flatMap((e) => annotationOf(e)?.spans ?? []);
  const file = spans[0]?.file;
  const lines = spans.filter((s) => s.file === file).map((s) => s.line);
  return [...new Set(lines)].sort((a, b) => a - b);
}
