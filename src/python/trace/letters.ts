/** Axes by the letters that people write: in code, comments, docstrings and on the command line. */
import { type Axis, type AxisRole, axis } from "../../expression/axis.ts";

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(b|n|bs|batch(_?size)?|num_?samples|n_?samples)$/i, "b"],
  [/^(c|k|ch|nc|chn|channels?|class(es)?|(n|num)_?(class(es)?|channels?|labels)|out_?channels|n_?cls)$/i, "c"],
  [/^(h|height|rows?|img_?h|height_?size)$/i, "h"],
  [/^(w|width|cols?|columns?|img_?w)$/i, "w"],
  [/^(d|depth|slices?)$/i, "d"],
  [/^(x|y|z|t|l|s)$/i, ""],
]; // prettier-ignore

/** `batch_size` → b, `H` → h, `dim1` and a size → itself; null for a word that names no axis. */
export function letterOf(word: string): string | null {
  if (sizeOf(word) !== null) return word;
  for (const [pattern, letter] of WORDS) {
    if (pattern.test(word)) return letter === "" ? word.toLowerCase() : letter;
  }
  return /^(d|dim|x|s)_?\d$/i.test(word) ? word.toLowerCase() : null;
}

/** The size that stands in the place of an axis's letter, as in (N, 1, H, W); else null. */
export function sizeOf(letter: string): number | null {
  return /^[1-9]\d{0,8}$/.test(letter) ? Number(letter) : null;
}

export function roleOf(letter: string): AxisRole {
  if (letter === "b" || letter === "n") return "batch";
  return letter === "c" || letter === "k" ? "class" : "space";
}

export function letterAxis(letter: string, size: number | null): Axis {
  return axis(letter, size, roleOf(letter));
}

/**
 * The axes in `(N, C, H, W)`, `[batch, height, width, channels]`, `B x C x H x W` or `b c h w`; null
 * if that is no shape. `*` and `...` stand for two axes of space.
 */
export function lettersIn(text: string): string[] | null {
  const inner = text.trim().replace(/^[([]|[)\]]$/g, "");
  const separator = inner.includes(",") ? /\s*,\s*/ : /\s*[×*]\s*|\s+x\s+|\s+/;
  const words = inner.split(separator).filter((w) => w !== "");
  const letters: string[] = [];
  for (const word of words) {
    if (word === "*" || word === "..." || word === "…") {
      letters.push("h", "w");
      continue;
    }
    const letter = letterOf(word.replace(/^[*#_]+(?=\w)/, ""));
    if (letter === null) return null;
    // N behind B counts points: (B, C, N).
    letters.push(/^n$/i.test(word) && letters.includes("b") ? "i" : letter);
  }
  const named = letters.filter((l) => sizeOf(l) === null);
  const isShape = letters.length > 1 && named.length > 0;
  return isShape && new Set(named).size === named.length ? letters : null;
}
