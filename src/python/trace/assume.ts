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

/** Ranks to try, and whether the target lacks the class axis (a map of class numbers). */
const PATTERNS: readonly { readonly rank: number; readonly labelMap: boolean }[] = [
  { rank: 1, labelMap: false },
  { rank: 2, labelMap: false },
  { rank: 4, labelMap: false },
  { rank: 4, labelMap: true },
  { rank: 3, labelMap: false },
  { rank: 5, labelMap: false },
  { rank: 5, labelMap: true },
  { rank: 2, labelMap: true },
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
function patternsFor(args: Arguments): typeof PATTERNS {
  const ranks = [...args.values()].flatMap((a) =>
    a.kind === "array" ? [a.handle.shape.length] : [],
  );
  const rank = Math.max(0, ...ranks);
  if (rank === 0) return PATTERNS;
  return [{ rank, labelMap: false }, ...PATTERNS];
}

function firstThatFits(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  patterns: typeof PATTERNS,
  names: readonly string[],
): Trace {
  let furthest: Attempt | null = null;
  for (const pattern of patterns) {
    const outcome = tryPattern(vm, target, args, library, pattern, names);
    if (!("error" in outcome)) return outcome;
    if (furthest === null || outcome.progress > furthest.progress) furthest = outcome;
  }
  throw furthest!.error;
}

/** One pattern, with sizes and integer types added as the function turns out to need them. */
function tryPattern(
  vm: Interpreter,
  target: TraceTarget,
  args: Arguments,
  library: Library,
  pattern: (typeof PATTERNS)[number],
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
        const labelMap = pattern.labelMap && targets.has(name);
        const rank = labelMap ? pattern.rank - 1 : pattern.rank;
        const isInteger = integers.has(name) || labelMap;
        return {
          sizes: letters(pattern.rank, flavour, labelMap)
            .map((l) => sizes.get(l) ?? null)
            .slice(0, rank),
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
