/** Tracing without arrays: shapes are tried, simplest first, until the function takes them. */
import { leaves } from "../../expression/walk.ts";
import type { Library } from "../dtypes.ts";
import { PythonError } from "../errors.ts";
import {
  BudgetError,
  type Interpreter,
  NeedsIntegerError,
  UnknownMethodError,
  UnknownSizeError,
} from "../interpreter/interpreter.ts";
import { libraryUsed } from "./library.ts";
import {
  ASSUMED_CLASSES,
  type Arguments,
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
  { rank: 5, target: "same" },
  { rank: 5, target: "classes" },
  { rank: 2, target: "classes" },
];

/** Sizes for axes that code insists on knowing. */
const ASSUMED_SIZE = 4;

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
  if (names.length === 0) return firstThatFits(vm, target, args, library, [PATTERNS[0]!], names);
  return firstThatFits(vm, target, args, library, patternsFor(args), names);
}

/** An array that is given tells the rank of the others. */
function patternsFor(args: Arguments): readonly Pattern[] {
  const ranks = [...args.values()].flatMap((a) =>
    a.kind === "array" ? [a.handle.shape.length] : [],
  );
  const rank = Math.max(0, ...ranks);
  if (rank === 0) return PATTERNS;
  return [{ rank, target: "same" }, ...PATTERNS];
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

/** One pattern, with sizes and integer types added as the function turns out to need them. */
function tryPattern(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  pattern: Pattern,
  names: readonly string[],
): Trace | Attempt {
  const sizes = new Map<string, number>();
  const integers = new Set<string>();
  const targets = looksLikeTarget(names, library);
  let flavour = library;
  for (;;) {
    const before = vm.progress;
    try {
      const plan = planOfArguments(vm, target, args, flavour, (name) => {
        const kind = targets.has(name) ? pattern.target : "same";
        const own = letters(pattern.rank, flavour, kind === "classes");
        const isInteger = integers.has(name) || kind !== "same";
        return {
          sizes: own.map((l) =>
            l === "c" && kind === "one channel of classes" ? 1 : (sizes.get(l) ?? null),
          ),
          type: isInteger ? "int" : "float",
        };
      });
      return runTrace(vm, target, plan);
    } catch (e) {
      if (!(e instanceof PythonError) || e.cause instanceof BudgetError) throw e;
      const again =
        learnSizes(e, sizes, pattern.rank, flavour) ||
        learnIntegers(e, integers, names) ||
        learnLibrary(vm, e, flavour);
      if (again === false) return { error: e, progress: vm.progress - before };
      if (typeof again === "string") flavour = again;
    }
  }
}

/** Letters of the axes as `inputAxes` gives them, so that a size asked for by letter can be set. */
function letters(rank: number, library: Library, labelMap: boolean): string[] {
  const space = rank === 4 ? ["h", "w"] : rank === 5 ? ["d", "h", "w"] : [];
  if (rank === 1) return ["i"];
  if (rank === 2) return labelMap ? ["i"] : ["i", "j"];
  if (rank === 3) return labelMap ? ["i", "k"] : ["i", "j", "k"];
  if (labelMap) return ["b", ...space];
  return library === "tensorflow" ? ["b", ...space, "c"] : ["b", "c", ...space];
}

function learnSizes(
  e: PythonError,
  sizes: Map<string, number>,
  rank: number,
  library: Library,
): boolean {
  if (!(e.cause instanceof UnknownSizeError)) return false;
  const known = letters(rank, library, false);
  let learned = false;
  for (const name of e.cause.axes) {
    if (!known.includes(name) || sizes.has(name)) continue;
    const isClass = name === "c" || (rank === 2 && name === "j");
    sizes.set(name, isClass ? ASSUMED_CLASSES : name === "b" ? 2 : ASSUMED_SIZE);
    learned = true;
  }
  return learned;
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
function learnLibrary(vm: Interpreter, e: PythonError, library: Library): Library | false {
  if (!(e.cause instanceof UnknownMethodError) || library !== "numpy") return false;
  return vm.libraries.hasMethod("torch", e.cause.method) ? "torch" : false;
}
