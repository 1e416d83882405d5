/** Shapes that people state in words: annotations, comments behind parameters, docstrings. */
import type { Parameter, Source } from "../syntax.ts";
import { lettersIn } from "./letters.ts";

export interface Stated {
  readonly letters: readonly string[];
  readonly reason: string;
}

/** `Float[Tensor, "b c h w"]`, as jaxtyping writes it. */
export function ofAnnotation(p: Parameter): Stated | null {
  const quoted = /\[[^\]]*["']([^"']+)["']\s*\]/.exec(p.annotation ?? "")?.[1];
  const letters = quoted === undefined ? null : lettersIn(quoted);
  return letters === null ? null : { letters, reason: `its annotation on line ${p.span.line}` };
}

/** `y_pred,  # (B, C, H, W)`, if the parameter is the last on its line. */
export function ofComment(p: Parameter, source: Source, all: readonly Parameter[]): Stated | null {
  const { line, column } = p.span;
  if (all.some((q) => q.span.line === line && q.span.column > column)) return null;
  const comment = /#(.*)$/.exec(source.lines[line - 1]?.slice(column) ?? "")?.[1];
  const letters = comment === undefined ? null : shapeIn(comment);
  return letters === null ? null : { letters, reason: `the comment on line ${line}` };
}

const BRACKETED =
  /[([]\s*((?:[A-Za-z_*.…][\w.]*|\d+)(?:\s*[,×]\s*|\s+x\s+|\s*\*\s*)[^()[\]]*?)\s*,?\s*[)\]]/g;
/** `(N)` and `[P]`: a letter that stands for nothing but a number of samples or points. */
const SINGLE = /[([]\s*([NBP])\s*,?\s*[)\]]/;
const CROSSED = /\b[A-Za-z]\w*(?:\s*[×x*]\s*[A-Za-z]\w*){2,}/g;

/** The first shape that a line of prose names. */
export function shapeIn(text: string): string[] | null {
  for (const m of text.matchAll(BRACKETED)) {
    const letters = lettersIn(m[1]!);
    if (letters !== null) return letters;
  }
  const single = SINGLE.exec(text)?.[1];
  if (single !== undefined) return [single];
  for (const m of text.matchAll(CROSSED)) {
    const letters = /\s/.test(m[0]) ? lettersIn(m[0]) : lettersIn(m[0].split(/[×x*]/i).join(" "));
    if (letters !== null) return letters;
  }
  return null;
}

/** What a docstring's "Shape:" section calls the arguments, whatever their names. */
const INPUT = /^\s*[-*]?\s*:?\s*(inputs?|predictions?|preds?|logits|output)\b/i;
const TARGET = /^\s*[-*]?\s*:?\s*(targets?|labels?|ground[ _]?truth|masks?)\b/i;

/** `y_pred: (N, 1, H, W), y_true: (N, H, W)` is one statement for each. */
function statements(line: string, names: readonly string[]): string[] {
  const starts = names.flatMap((n) => {
    const at = line.search(new RegExp(`\\b${n}\\b\\s*[:=(]`));
    return at < 0 ? [] : [at];
  });
  if (starts.length < 2) return [line];
  const cuts = [0, ...starts.sort((a, b) => a - b).slice(1), line.length];
  return cuts.slice(1).map((end, k) => line.slice(cuts[k], end));
}

/**
 * Shapes by parameter: stated in the parameter's own lines, or in those for "Input" and "Target", or
 * once for all.
 */
export function ofDocstring(
  docstring: string,
  names: readonly string[],
  targets: ReadonlySet<string>,
): Map<string, Stated> {
  const found = new Map<string, Stated>();
  const said = (letters: readonly string[]): Stated => ({ letters, reason: "its docstring" });
  let current: readonly string[] = [];
  let forAll: readonly string[] | null = null;
  let indent = 0;
  for (const line of docstring.split("\n").flatMap((l) => statements(l, names))) {
    const own = names.filter((n) =>
      new RegExp(`^[\\s:\`*-]*(?:param\\s+(?:\\w+\\s+)?)?${n}\\b`).test(line),
    );
    const depth = line.search(/\S/);
    if (own.length > 0) current = own;
    else if (TARGET.test(line)) current = names.filter((n) => targets.has(n));
    else if (INPUT.test(line)) current = names.filter((n) => !targets.has(n));
    else if (depth >= 0 && depth <= indent) current = [];
    if (current.length > 0 && (own.length > 0 || TARGET.test(line) || INPUT.test(line)))
      indent = depth;
    const letters = shapeIn(line);
    if (letters === null) continue;
    if (current.length === 0) forAll ??= letters;
    for (const n of current) if (!found.has(n)) found.set(n, said(letters));
  }
  if (found.size === 0 && forAll !== null) for (const n of names) found.set(n, said(forAll));
  // One axis tells something only beside more of them: (N, C) logits with (N) labels.
  if ([...found.values()].every(({ letters }) => letters.length === 1)) found.clear();
  return found;
}
