/**
 * How the loops of a pass are arranged: which axes there are, in which order they run, and where
 * one is split in segments so that the pieces of a stack or the places of a sum of class gradients
 * need no test for each entry.
 */
import { stridesOf } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import { Accesses, isChoosing, isReduction } from "./access.ts";
import {
  type IndexForm,
  ZERO_INDEX,
  addIndex,
  divideIndex,
  indexKey,
  variableIndex,
} from "./indexForm.ts";
import { type Lookup, dimsOf, lookedUp } from "./lookups.ts";
import { PassTooLong, type PassPlan, type Schedule, overOf } from "./plan.ts";

export interface Arrangement {
  /** Axes of the sweep in row-major order; the product is the total. */
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  /** Row-major position as a function of the axes. */
  readonly position: IndexForm;
  /** Axes in the order of their loops, outermost first. */
  readonly order: readonly number[];
  /** Axes written out entry by entry inside all other loops. */
  readonly unrolled: ReadonlySet<number>;
  /** For each axis, consecutive ranges [from, to) that get a loop each. */
  readonly segments: readonly (readonly (readonly [number, number])[])[];
  /** How many of the outer loops have bounds that the run gives, so that it can stop between. */
  readonly boundedLoops: number;
}

/** An unrolled axis is at most this long. */
const LONGEST_UNROLLED = 16;
const MOST_COPIES = 64;
const MOST_FUNCTIONS = 256;
const MOST_INSTRUCTIONS = 5000;

export function arrange(schedule: Schedule, plan: PassPlan): Arrangement {
  const { total, cuts } = plan;
  const sizes: number[] = [];
  for (const [k, cut] of [...cuts, total].entries())
    sizes.unshift(cut / (k === 0 ? 1 : cuts[k - 1]!));
  if (total === 1) sizes.length = 0;
  const strides = stridesOf(sizes);
  const position = strides.reduce(
    (sum, step, a) => addIndex(sum, variableIndex(a, step)),
    ZERO_INDEX,
  );
  const survey = new Survey(schedule, plan, sizes, position);
  const unrolled = survey.unrolled;
  const order = [
    ...innermostLast(
      sizes.flatMap((_, a) => (unrolled.has(a) ? [] : [a])),
      sizes,
      survey,
    ),
    ...unrolled,
  ];
  const bounded = boundedLoops(order, sizes, unrolled, schedule.limits.leastChunk);
  return {
    sizes,
    strides,
    position,
    order,
    unrolled,
    segments: segmentsOf(sizes, survey, order.slice(0, bounded)),
    boundedLoops: bounded,
  };
}

/** Goes through everything the pass computes once, to see how it is accessed. */
class Survey {
  readonly unrolled = new Set<number>();
  readonly breaks: Set<number>[];
  readonly positions: IndexForm[] = [];
  nodes = 0;
  private readonly schedule: Schedule;
  private readonly stage: number;
  private readonly sizes: readonly number[];
  private readonly accesses: Accesses;
  private readonly seen = new Set<string>();
  private readonly gathering = new Map<Expr, boolean>();
  private readonly stretched = new Set<string>();
  private readonly ranges: (readonly [number, number])[];
  private copies = 1;

  constructor(schedule: Schedule, plan: PassPlan, sizes: readonly number[], position: IndexForm) {
    this.schedule = schedule;
    this.stage = plan.stage;
    this.sizes = sizes;
    this.breaks = sizes.map(() => new Set<number>());
    const ranges: (readonly [number, number])[] = sizes.map((n) => [0, n - 1]);
    this.ranges = ranges;
    this.accesses = new Accesses(schedule.sizes, (form, by) => {
      const even = divideIndex(form, by, (v) => ranges[v] ?? [0, Infinity]);
      if (even !== null) return even;
      const variable = ranges.length;
      ranges.push([0, Infinity], [0, by - 1]);
      return { quotient: variableIndex(variable), remainder: variableIndex(variable + 1) };
    });
    for (const root of plan.roots) {
      const over = overOf(root);
      const lookups = root.kind === "reduce" ? schedule.lookups.of(root.node) : [];
      const sizes = schedule.sizes.of(over);
      const start = this.accesses.opened(sizes, position, dimsOf(lookups));
      this.visit(over, this.lookedUp(lookups, start));
      if (root.kind === "store") this.positions.push(position);
    }
  }

  private isStored(e: Expr): boolean {
    const stored = this.schedule.stored.get(e);
    return stored !== undefined && stored.stage < this.stage;
  }

  /** A position with what places say, which the loops do not know; the places are visited too. */
  private lookedUp(lookups: readonly Lookup[], start: IndexForm): IndexForm {
    return lookedUp(lookups, this.accesses, start, (e, at, size) => {
      this.visit(e, at);
      return variableIndex(this.ranges.push([0, size - 1]) - 1);
    });
  }

  private visit(e: Expr, position: IndexForm): void {
    if (e.kind === "const" || e.kind === "parameter") return;
    const key = `${e.id}@${indexKey(position)}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    if (++this.nodes > this.schedule.limits.mostInstructions) throw new PassTooLong();
    if (e.kind === "input" || this.isStored(e)) {
      this.positions.push(position);
      return;
    }
    if (isChoosing(e)) {
      for (const choice of this.accesses.choices(e, position)) {
        this.breakAt(choice.coordinate, choice.first, choice.end);
        // Which of the steps an entry is on is known where the axis is split there.
        if (choice.step > 1) {
          this.unroll(remainderOf(choice.coordinate, choice.step));
        }
        this.visit(choice.arg, choice.at);
      }
    } else if (isReduction(e)) {
      // The other entries are reached in the same way as the first.
      const lookups = this.schedule.lookups.within(e);
      const first = this.accesses.reduced(e, position, dimsOf(lookups))[0]!;
      this.visit(e.args[0]!, this.lookedUp(lookups, first));
    } else {
      e.args.forEach((arg, k) => {
        this.unrollFor(e, arg, position);
        this.visit(arg, this.accesses.argument(e, k, position));
      });
    }
  }

  /** Along these axes an inlined reduction is the same for every entry, and must not be repeated. */
  private unrollFor(e: Expr, arg: Expr, at: IndexForm): void {
    const sizes = this.schedule.sizes;
    if (sizes.count(arg) >= sizes.count(e) || isRearranging(e) || !this.gathers(arg)) return;
    const pair = `${e.id},${arg.id}`;
    if (this.stretched.has(pair)) return;
    this.stretched.add(pair);
    for (const { coordinate } of this.accesses.stretches(e, arg, at)) this.unroll(coordinate);
  }

  /** Writes out the axis along which this coordinate moves, if that is one alone. */
  private unroll({ terms }: IndexForm): void {
    const [only, another] = terms;
    const size = this.sizes[only?.variable ?? Infinity];
    if (another !== undefined || size === undefined || this.unrolled.has(only!.variable)) return;
    if (size > LONGEST_UNROLLED || this.copies * size > MOST_COPIES) return;
    this.copies *= size;
    this.unrolled.add(only!.variable);
  }

  /** Whether computing `e` includes an inlined reduction. */
  private gathers(e: Expr): boolean {
    const before = this.gathering.get(e);
    if (before !== undefined) return before;
    const found =
      !this.isStored(e) && (this.schedule.inlined.has(e) || e.args.some((a) => this.gathers(a)));
    this.gathering.set(e, found);
    return found;
  }

  private breakAt(coordinate: IndexForm, first: number, end: number): void {
    const axis = this.axisOf(coordinate);
    if (axis === null) return;
    for (const at of [first - coordinate.constant, end - coordinate.constant]) {
      if (at > 0 && at < this.sizes[axis]!) this.breaks[axis]!.add(at);
    }
  }

  /** The axis whose index this form is, up to a shift. */
  private axisOf(form: IndexForm): number | null {
    const only = form.terms[0];
    return form.terms.length === 1 && only!.factor === 1 && only!.variable < this.sizes.length
      ? only!.variable
      : null;
  }
}

/** The terms that decide what is left when the form is divided. */
function remainderOf({ constant, terms }: IndexForm, by: number): IndexForm {
  return { constant, terms: terms.filter((t) => t.factor % by !== 0) };
}

function isRearranging(e: Expr): boolean {
  return e.kind === "index" || e.kind === "slice" || e.kind === "oneHot";
}

/** An axis of so many entries in the innermost loop takes twice as long as vectors alone would. */
const SHORT = 16;

/**
 * Moves the axis along which most lies close together into the innermost loop. Arrays count by what
 * they have of the sweep's entries: it does not matter how the results of sums are gone through.
 */
function innermostLast(
  axes: readonly number[],
  sizes: readonly number[],
  survey: Survey,
): readonly number[] {
  const score = (axis: number): number => {
    let sum = 0;
    for (const { terms } of survey.positions) {
      const factor = Math.abs(terms.find((t) => t.variable === axis)?.factor ?? 0);
      const others = sizes.filter((_, a) => !terms.some((t) => t.variable === a));
      const share = 1 / others.reduce((n, size) => n * size, 1);
      const isKnown = terms.every((t) => t.variable < sizes.length);
      const atRest = isKnown ? 1 : 0;
      sum += share * (factor === 0 ? atRest : factor === 1 ? 2 : 1 / factor);
    }
    return (sum * sizes[axis]!) / (sizes[axis]! + SHORT);
  };
  const last = axes.at(-1);
  if (last === undefined) return axes;
  const best = axes.reduce((b, a) => (score(a) > score(b) ? a : b), last);
  return best === last ? axes : [...axes.filter((a) => a !== best), best];
}

/**
 * Segments of loops whose bounds the run gives get functions of their own, of which there may be
 * many; segments of the loops inside make one function longer.
 */
function segmentsOf(
  sizes: readonly number[],
  survey: Survey,
  bounded: readonly number[],
): (readonly (readonly [number, number])[])[] {
  const points = sizes.map((n, a) =>
    survey.unrolled.has(a)
      ? Array.from({ length: n - 1 }, (_, k) => k + 1)
      : [...survey.breaks[a]!].sort((p, q) => p - q),
  );
  const outside = points.filter((_, a) => bounded.includes(a));
  const inside = points.filter((_, a) => !bounded.includes(a));
  const copies = (of: readonly number[][]): number => of.reduce((n, p) => n * (p.length + 1), 1);
  const tooMuch = (): boolean => copies(inside) * survey.nodes > MOST_INSTRUCTIONS;
  // Where it would be too much code, tests inside the loop do.
  shorten(outside, () => copies(outside) > MOST_FUNCTIONS);
  shorten(
    points.map((p, a) => (survey.unrolled.has(a) || bounded.includes(a) ? [] : p)),
    () => copies(inside) > MOST_COPIES || tooMuch(),
  );
  return sizes.map((n, a) => {
    const at = [0, ...points[a]!, n];
    return at.slice(1).map((to, k) => [at[k]!, to] as const);
  });
}

/** Empties the longest list until it is no longer too much. */
function shorten(lists: readonly number[][], isTooMuch: () => boolean): void {
  while (isTooMuch()) {
    const longest = lists.reduce((l, p) => (p.length > l.length ? p : l), []);
    if (longest.length === 0) return;
    longest.length = 0;
  }
}

/** As many loops as it takes for the rest to be a small piece of work. */
function boundedLoops(
  order: readonly number[],
  sizes: readonly number[],
  unrolled: ReadonlySet<number>,
  leastChunk: number,
): number {
  const candidates = order.filter((a) => !unrolled.has(a)).length;
  for (let k = 0; k < candidates; k++) {
    const inside = order.slice(k + 1).reduce((n, a) => n * sizes[a]!, 1);
    if (inside <= leastChunk) return k + 1;
  }
  return candidates;
}
