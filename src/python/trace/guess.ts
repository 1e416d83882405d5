/** From what code and words say of a function's arrays to the shapes that are tried first. */
import type { Library } from "../dtypes.ts";
import { type Clue, cluesOf } from "./evidence.ts";
import { type Stated, ofAnnotation, ofComment, ofDocstring } from "./statedShapes.ts";
import type { TraceTarget } from "./target.ts";

export interface ShapeGuess {
  /** Letters of the axes, by parameter; a label map lacks the class axis. */
  readonly letters: ReadonlyMap<string, readonly string[]>;
  /** Parameters that hold class numbers. */
  readonly labelMaps: ReadonlySet<string>;
  /** What each shape was taken from. */
  readonly reasons: ReadonlyMap<string, string>;
}

/**
 * The shapes that the function's own code, annotations, comments and docstring tell of.
 * @param targets parameters that look like targets by their names
 * @returns null if nothing is said
 */
export function guessShapes(
  target: TraceTarget,
  names: readonly string[],
  targets: ReadonlySet<string>,
  library: Library,
): ShapeGuess | null {
  if (names.length === 0) return null;
  const clues = cluesOf(target, names, library).filter(
    (c) => c.rank > 1 || c.labelMap || c.alongOne,
  );
  const stated = statedShapes(target, names, targets);
  if (clues.every((c) => c.rank < 2) && stated.size === 0) return null;
  const common = commonAxes(clues, stated, target.name, library);
  if (common === null) return null;
  const labelMaps = new Set(
    names.filter((n) => isLabelMap(n, clues, stated.get(n), common.letters)),
  );
  const letters = new Map<string, readonly string[]>();
  const reasons = new Map<string, string>();
  for (const n of names) {
    const own = stated.get(n);
    const shape = labelMaps.has(n)
      ? (own?.letters ?? common.letters.filter((l) => l !== "c"))
      : (own?.letters ?? ownRank(n, clues) ?? common.letters);
    letters.set(n, shape);
    const reason = own?.reason ?? reasonFor(n, clues, labelMaps.has(n)) ?? common.reason;
    reasons.set(n, reason);
  }
  return { letters, labelMaps, reasons };
}

function statedShapes(
  target: TraceTarget,
  names: readonly string[],
  targets: ReadonlySet<string>,
): Map<string, Stated> {
  const { fn } = target;
  const cls = target.self?.kind === "instance" ? target.self.cls : null;
  const docstrings = [fn.code.docstring, cls?.definition?.docstring ?? null];
  const found = new Map<string, Stated>();
  for (const text of docstrings.reverse()) {
    if (text === null) continue;
    for (const [n, s] of ofDocstring(text, names, targets)) found.set(n, s);
  }
  for (const p of fn.code.parameters) {
    if (!names.includes(p.name)) continue;
    const own = ofAnnotation(p) ?? ofComment(p, fn.code.source, fn.code.parameters);
    if (own !== null) found.set(p.name, own);
  }
  return found;
}

interface CommonAxes {
  readonly letters: readonly string[];
  readonly reason: string;
}

/** The axes of the widest array: the others share them. */
function commonAxes(
  clues: readonly Clue[],
  stated: ReadonlyMap<string, Stated>,
  name: string,
  library: Library,
): CommonAxes | null {
  const widest = [...stated.values()].sort((a, b) => b.letters.length - a.letters.length)[0];
  const about = clues.filter((c) => !c.labelMap);
  const exact = about.find((c) => c.exact);
  const least = about.reduce<Clue | null>((a, c) => (a === null || c.rank > a.rank ? c : a), null);
  if (widest !== undefined && widest.letters.length >= (least?.rank ?? 0)) return widest;
  const best = exact !== undefined && exact.rank >= (least?.rank ?? 0) ? exact : least;
  if (best === null) return null;
  const unpacked = about.find((c) => c.letters?.length === best.rank);
  if (unpacked?.letters) return { letters: unpacked.letters, reason: unpacked.reason };
  const told = about.find((c) => c.classAxis !== null);
  const classAxis = told?.classAxis ?? (library === "tensorflow" ? "last" : "first");
  const volume = /3d|volum/i.test(name);
  const points = told?.classAxis === "first" && about.some((c) => c.alongOne);
  const rank =
    best.exact || (points && best.rank <= 3)
      ? Math.max(best.rank, points ? 3 : 0)
      : usualRank(best.rank, told !== undefined, volume);
  return { letters: usualLetters(rank, classAxis, told !== undefined), reason: best.reason };
}

/** At least two axes with classes among them are those of an image, or of a volume. */
function usualRank(least: number, hasClasses: boolean, volume: boolean): number {
  if (volume) return Math.max(least, 5);
  return hasClasses || least > 3 ? Math.max(least, 4) : least;
}

function usualLetters(rank: number, classAxis: "first" | "last", told: boolean): string[] {
  if (rank === 2) return ["b", "i"];
  if (rank === 3) return told && classAxis === "first" ? ["b", "c", "i"] : ["b", "h", "w"];
  const space =
    rank === 4
      ? ["h", "w"]
      : rank === 5
        ? ["d", "h", "w"]
        : Array.from({ length: rank - 2 }, (_, k) => `x${k + 1}`);
  return classAxis === "first" ? ["b", "c", ...space] : ["b", ...space, "c"];
}

function isLabelMap(
  name: string,
  clues: readonly Clue[],
  own: Stated | undefined,
  common: readonly string[],
): boolean {
  if (!common.includes("c")) return false;
  if (own !== undefined) return !own.letters.includes("c") && own.letters.length < common.length;
  const mine = clues.filter((c) => c.parameter === name);
  if (mine.some((c) => c.labelMap && c.rank >= common.length)) return false;
  if (mine.some((c) => c.labelMap))
    return !mine.some((c) => !c.labelMap && c.rank >= common.length);
  // With one axis less unpacked or added, it lacks the one for classes.
  return mine.some((c) => c.exact && c.rank === common.length - 1);
}

/** A parameter whose own rank is told, beside wider ones: weights for each class, a mask. */
function ownRank(name: string, clues: readonly Clue[]): readonly string[] | null {
  const own = clues.find((c) => c.parameter === name && c.letters !== null);
  return own?.letters ?? null;
}

function reasonFor(name: string, clues: readonly Clue[], labelMap: boolean): string | null {
  const mine = clues.filter((c) => c.parameter === name);
  const mostRank = mine.reduce<Clue | null>(
    (a, c) => (a === null || c.rank > a.rank ? c : a),
    null,
  );
  const chosen = labelMap
    ? mine.find((c) => c.labelMap)
    : (mine.find((c) => c.letters !== null) ?? mine.find((c) => c.exact) ?? mostRank);
  return chosen?.reason ?? null;
}
