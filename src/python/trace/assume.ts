/** Tracing without arrays: shapes are tried, simplest first, until the function takes them. */
import { leaves } from "../../expression/walk.ts";
import type { Library } from "../dtypes.ts";
import { PythonError } from "../errors.ts";
import {
  BudgetError,
  type Interpreter,
  NeedsIntegerError,
  TooFewEntriesError,
  UnknownMethodError,
  UnknownSizeError,
} from "../interpreter/interpreter.ts";
import { type ShapeGuess, guessShapes } from "./guess.ts";
import { sizeOf } from "./letters.ts";
import { libraryUsed } from "./library.ts";
import {
  ASSUMED_CLASSES,
  type Argument,
  type Arguments,
  type AssumedArray,
  arrayParameters,
  looksLikeTarget,
  planOfArguments,
} from "./plans.ts";
import type { TraceTarget } from "./target.ts";
import { type Trace, runTrace } from "./trace.ts";

/** Rank of the arrays, and what the target is: shaped as they are, or a map of class numbers. */
interface Pattern {
  readonly rank: number;
  /** A map of class numbers lacks the class axis, or has one of size 1. */
  readonly target: "same" | "classes" | "one channel of classes";
}

/** In the order in which they are tried. */
const PATTERNS: readonly Pattern[] = [
  { rank: 1, target: "same" },
  { rank: 2, target: "same" },
  { rank: 4, target: "same" },
  { rank: 4, target: "classes" },
  { rank: 4, target: "one channel of classes" },
  { rank: 3, target: "same" },
  { rank: 3, target: "classes" },
  { rank: 5, target: "same" },
  { rank: 5, target: "classes" },
  { rank: 2, target: "classes" },
];

/** Sizes for axes that code insists on knowing. */
const ASSUMED_SIZE = 4;
/** Larger sizes make no formula that is worth reading, and where entries are compared a long wait. */
const MOST_ASSUMED = 4096;

interface Attempt {
  readonly error: PythonError;
  /** How far it got, to tell which failure says most. */
  readonly progress: number;
}

/** @throws PythonError of the attempt that got furthest, if none succeeds */
export function traceArguments(vm: Interpreter, target: TraceTarget, args: Arguments): Trace {
  vm.resetBudget();
  const library = libraryUsed(target);
  const names = arrayParameters(target, args).map((p) => p.name);
  const guess = guessShapes(target, names, looksLikeTarget(names, library), library);
  if (guess !== null && givenShapes(args).length === 0) {
    const outcome = tryGuess(vm, target, args, library, guess);
    if (!("error" in outcome) && !outcome.isFlat) return outcome;
  }
  if (names.length === 0) return firstThatFits(vm, target, args, library, [PATTERNS[0]!], names);
  return firstThatFits(vm, target, args, library, patternsFor(args), names);
}

/** An array that is given tells the rank of the others. */
function patternsFor(args: Arguments): readonly Pattern[] {
  const rank = Math.max(0, ...givenShapes(args).map((g) => g.sizes.length));
  if (rank === 0) return PATTERNS;
  return [{ rank, target: "same" }, ...PATTERNS];
}

interface GivenShape {
  readonly name: string;
  readonly sizes: readonly (number | null)[];
  /** "" for an axis that nobody has named. */
  readonly letters: readonly string[];
}

function givenShapes(args: Arguments): GivenShape[] {
  return [...args].flatMap(([name, a]): GivenShape[] => {
    const axes = a.kind === "array" ? a.handle.shape : a.kind === "shape" ? a.axes : null;
    if (axes === null) return [];
    return [
      {
        name,
        sizes: axes.map((x) => (typeof x === "number" ? x : null)),
        letters: axes.map((x) => (typeof x === "string" ? x : "")),
      },
    ];
  });
}

/** The shapes that the code tells of. */
function tryGuess(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  guess: ShapeGuess,
): Trace | Attempt {
  const names = [...guess.letters.keys()];
  const known = new Set([...guess.letters.values()].flat());
  return attempt(vm, target, args, library, { names, known, classes: "c" }, (name, learned) => {
    const letters = guess.letters.get(name)!;
    return {
      sizes: letters.map((l) => sizeOf(l) ?? learned.sizes.get(l) ?? null),
      type: learned.integers.has(name) || guess.labelMaps.has(name) ? "int" : "float",
      letters: letters.map((l) => (sizeOf(l) === null ? l : "")),
      reason: guess.reasons.get(name)!,
    };
  });
}

function firstThatFits(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  patterns: readonly Pattern[],
  names: readonly string[],
): Trace {
  let furthest: Attempt | null = null;
  // The formula of a matrix is right, but says little of a loss that sums over axes from the third.
  let flat: Trace | null = null;
  for (const pattern of patterns) {
    const outcome = tryPattern(vm, target, args, library, pattern, names);
    if ("error" in outcome) {
      if (furthest === null || outcome.progress > furthest.progress) furthest = outcome;
    } else if (!outcome.isFlat) return outcome;
    else flat ??= outcome;
  }
  if (flat !== null) return flat;
  throw furthest!.error;
}

/** One of the usual shapes. */
function tryPattern(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  pattern: Pattern,
  names: readonly string[],
): Trace | Attempt {
  const targets = looksLikeTarget(names, library);
  const known = new Set(letters(pattern.rank, library, false));
  const classes = pattern.rank === 2 ? "j" : "c";
  const given = givenShapes(args).find((g) => g.sizes.length === pattern.rank);
  return attempt(vm, target, args, library, { names, known, classes }, (name, learned) => {
    const kind = targets.has(name) ? pattern.target : "same";
    if (given !== undefined && kind === "same") {
      const type = learned.integers.has(name) ? "int" : "float";
      return { sizes: given.sizes, letters: given.letters, type, reason: `as ${given.name}` };
    }
    const own = letters(pattern.rank, learned.library, kind === "classes");
    return {
      sizes: own.map((l) =>
        l === "c" && kind === "one channel of classes" ? 1 : (learned.sizes.get(l) ?? null),
      ),
      // Points, as against an image: arrays of three axes that are given may be either.
      ...(pattern.rank === 3 ? { letters: own } : {}),
      type: learned.integers.has(name) || kind !== "same" ? "int" : "float",
    };
  });
}

interface Axes {
  readonly names: readonly string[];
  /** Letters whose size may be set. */
  readonly known: ReadonlySet<string>;
  /** The letter of the class axis. */
  readonly classes: string;
}

/** What failed attempts have shown the function to need. */
interface Learned {
  readonly sizes: Map<string, number>;
  readonly integers: Set<string>;
  library: Library;
}

/** Traces again as long as something is learned: sizes, integer types, the library. */
function attempt(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  axes: Axes,
  assume: (name: string, learned: Learned) => AssumedArray,
): Trace | Attempt {
  const learned: Learned = { sizes: new Map(), integers: new Set(), library };
  const set = givenShapes(args).flatMap((g) => g.letters);
  const known = new Set([...axes.known, ...set]);
  for (;;) {
    const before = vm.progress;
    try {
      const given = settled(args, learned.sizes);
      const plan = planOfArguments(vm, target, given, learned.library, (name) =>
        assume(name, learned),
      );
      return runTrace(vm, target, plan);
    } catch (e) {
      if (!(e instanceof PythonError) || e.cause instanceof BudgetError) throw e;
      const again =
        learnSizes(e, learned.sizes, { ...axes, known }) ||
        learnMoreEntries(e, learned.sizes) ||
        learnIntegers(e, learned.integers, axes.names) ||
        learnLibrary(vm, e, learned);
      if (!again) return { error: e, progress: vm.progress - before };
    }
  }
}

/** Shapes that were set, with the sizes that letters in them have turned out to need. */
function settled(args: Arguments, sizes: ReadonlyMap<string, number>): Arguments {
  if (sizes.size === 0) return args;
  return new Map(
    [...args].map(([name, a]): [string, Argument] => {
      if (a.kind !== "shape") return [name, a];
      const axes = a.axes.map((x) => (typeof x === "string" ? (sizes.get(x) ?? x) : x));
      return [name, { ...a, axes }];
    }),
  );
}

/** Letters of the axes as `inputAxes` gives them, so that a size asked for by letter can be set. */
function letters(rank: number, library: Library, labelMap: boolean): string[] {
  const space = rank === 3 ? ["i"] : rank === 4 ? ["h", "w"] : rank === 5 ? ["d", "h", "w"] : [];
  if (rank === 1) return ["i"];
  if (rank === 2) return labelMap ? ["i"] : ["i", "j"];
  if (labelMap) return ["b", ...space];
  return library === "tensorflow" ? ["b", ...space, "c"] : ["b", "c", ...space];
}

function learnSizes(e: PythonError, sizes: Map<string, number>, axes: Axes): boolean {
  if (!(e.cause instanceof UnknownSizeError)) return false;
  let learned = false;
  for (const name of e.cause.axes) {
    if (!axes.known.has(name) || sizes.has(name)) continue;
    sizes.set(name, e.cause.atLeast || usualSize(name, axes));
    learned = true;
  }
  return learned;
}

/** Sizes that were assumed are raised until the axes have twice the entries that are taken of them. */
function learnMoreEntries(e: PythonError, sizes: Map<string, number>): boolean {
  if (!(e.cause instanceof TooFewEntriesError)) return false;
  const { axes, atLeast } = e.cause;
  const raised = axes.findLast((name) => sizes.has(name));
  if (raised === undefined) return false;
  const others = axes.filter((name) => name !== raised);
  const size = Math.ceil((2 * atLeast) / others.reduce((n, name) => n * (sizes.get(name) ?? 1), 1));
  if (size <= sizes.get(raised)! || size > MOST_ASSUMED) return false;
  sizes.set(raised, size);
  return true;
}

function usualSize(name: string, axes: Axes): number {
  if (name === "c" || name === axes.classes) return ASSUMED_CLASSES;
  return name === "b" ? 2 : ASSUMED_SIZE;
}

function learnIntegers(e: PythonError, integers: Set<string>, names: readonly string[]): boolean {
  if (!(e.cause instanceof NeedsIntegerError)) return false;
  let learned = false;
  for (const leaf of leaves(e.cause.expr)) {
    if (leaf.kind !== "input" || !names.includes(leaf.name) || integers.has(leaf.name)) continue;
    integers.add(leaf.name);
    learned = true;
  }
  return learned;
}

/** A method that the assumed library's arrays lack may be another's. */
function learnLibrary(vm: Interpreter, e: PythonError, learned: Learned): boolean {
  if (!(e.cause instanceof UnknownMethodError) || learned.library !== "numpy") return false;
  if (!vm.libraries.hasMethod("torch", e.cause.method)) return false;
  learned.library = "torch";
  return true;
}
