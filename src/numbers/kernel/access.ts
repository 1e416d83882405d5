/**
 * Which entry of its arguments an entry of a node is made from. One place knows this for every node
 * kind; the scheduler's analyses and the builder of loops both ask here.
 *
 * Entries are named by their row-major positions. Where axes play different parts, the position is
 * split in as few coordinates as the parts need (axes that stay together are one), so that it comes
 * out even where the loops are split there too.
 */
import { stridesOf } from "../../expression/axis.ts";
import { sizeProduct, type Sizes } from "../typedArrays.ts";
import type {
  ArgReduce,
  Concat,
  Expr,
  Place,
  Reduce,
  Slide,
  Spread,
  Stack,
} from "../../expression/node.ts";
import {
  type IndexForm,
  ZERO_INDEX,
  addIndex,
  constantIndex,
  scaleIndex,
  shiftIndex,
} from "./indexForm.ts";

/** Divides a form that is never negative, inventing variables where it does not come out even. */
export type Divide = (
  form: IndexForm,
  by: number,
) => { readonly quotient: IndexForm; readonly remainder: IndexForm };

/** Nodes whose entries come from one of several places, or are zero. */
export type Choosing = Place | Spread | Slide | Stack | Concat;

/** The entry comes from `arg` at `at` if first ≤ coordinate < end, in steps from `first`. */
export interface Choice {
  readonly coordinate: IndexForm;
  readonly first: number;
  readonly end: number;
  readonly step: number;
  readonly arg: Expr;
  readonly at: IndexForm;
}

/** An axis along which an argument is the same for every entry. */
export interface Stretch {
  readonly coordinate: IndexForm;
  readonly size: number;
}

const CHOOSING: ReadonlySet<Expr["kind"]> = new Set([
  "place",
  "spread",
  "slide",
  "stack",
  "concat",
]);

export function isChoosing(e: Expr): e is Choosing {
  return CHOOSING.has(e.kind);
}

export function isReduction(e: Expr): e is Reduce | ArgReduce {
  return e.kind === "reduce" || e.kind === "argReduce";
}

export function reducedDims(e: Reduce | ArgReduce): readonly number[] {
  return e.kind === "reduce" ? e.dims : [e.dim];
}

export class Accesses {
  private readonly sizes: Sizes;
  private readonly divide: Divide;

  constructor(sizes: Sizes, divide: Divide) {
    this.sizes = sizes;
    this.divide = divide;
  }

  /** Coordinates of a row-major position. */
  split(position: IndexForm, sizes: readonly number[]): IndexForm[] {
    const coordinates = new Array<IndexForm>(sizes.length).fill(ZERO_INDEX);
    let rest = position;
    // The outermost axis that is longer than 1 takes what is left: nothing to divide there.
    const outermost = sizes.findIndex((n) => n !== 1);
    for (let d = sizes.length - 1; d > outermost; d--) {
      if (sizes[d] === 1) continue;
      const { quotient, remainder } = this.divide(rest, sizes[d]!);
      coordinates[d] = remainder;
      rest = quotient;
    }
    if (outermost >= 0) coordinates[outermost] = rest;
    return coordinates;
  }

  /** The entry of argument `k` that the entry at `at` of `e` needs, whatever its position. */
  argument(e: Expr, k: number, at: IndexForm): IndexForm {
    const sizes = this.sizes.of(e);
    switch (e.kind) {
      case "reshape":
        return at;
      case "transpose": {
        const from = this.sizes.of(e.args[0]!);
        const strides = stridesOf(from);
        // Axes that stay side by side are one; those of size 1 stand between none.
        const place = (all: readonly number[], d: number): number =>
          all.slice(0, d).filter((n) => n !== 1).length;
        const groups = grouped(sizes, (d) => place(from, e.perm[d]!) - place(sizes, d));
        const coordinates = this.split(
          at,
          groups.map((g) => g.size),
        );
        return weighted(
          coordinates,
          groups.map((g) => strides[e.perm[g.last]!]!),
        );
      }
      case "index": {
        const inner = sizeProduct(sizes.slice(e.dim));
        const length = this.sizes.of(e.args[0]!)[e.dim]!;
        const [o, i] = this.split(at, [sizeProduct(sizes.slice(0, e.dim)), inner]);
        return shiftIndex(weighted([o!, i!], [length * inner, 1]), e.at * inner);
      }
      case "slice": {
        // Along the outermost axis it only moves: nothing to split, however loops are joined.
        const sliced = e.dim === sizes.findIndex((n) => n !== 1) && e.step === 1;
        if (sliced) return shiftIndex(at, e.start * sizeProduct(sizes.slice(e.dim + 1)));
        const { outer, along, inside, inner } = this.around(e, at);
        const from = shiftIndex(scaleIndex(along, e.step), e.start);
        const length = this.sizes.of(e.args[0]!)[e.dim]!;
        return weighted([outer, from, inside], [length * inner, inner, 1]);
      }
      case "oneHot": {
        const { outer, inside, inner } = this.around(e, at);
        return weighted([outer, inside], [inner, 1]);
      }
      default:
        return this.broadcast(e, e.args[k]!, at);
    }
  }

  /** The same entry of an array of the same shape, or of one that stretches to it. */
  private broadcast(e: Expr, arg: Expr, at: IndexForm): IndexForm {
    const count = this.sizes.count(arg);
    if (count === 1) return ZERO_INDEX;
    if (count === this.sizes.count(e)) return at;
    const { groups, coordinates } = this.stretching(e, arg, at);
    let step = count;
    const steps = groups.map((g) => {
      if (g.key === 1) return 0;
      step /= g.size;
      return step;
    });
    return weighted(coordinates, steps);
  }

  /** Axes of `e` along which `arg` is stretched (key 1) and others (key 0). */
  private stretching(
    e: Expr,
    arg: Expr,
    at: IndexForm,
  ): { groups: AxisGroup[]; coordinates: IndexForm[] } {
    const have = this.sizes.of(arg);
    const shift = this.sizes.of(e).length - have.length;
    const groups = grouped(this.sizes.of(e), (d) => ((have[d - shift] ?? 1) === 1 ? 1 : 0));
    return {
      groups,
      coordinates: this.split(
        at,
        groups.map((g) => g.size),
      ),
    };
  }

  /** The axes along which an argument is stretched to `e`. */
  stretches(e: Expr, arg: Expr, at: IndexForm): Stretch[] {
    const { groups, coordinates } = this.stretching(e, arg, at);
    return groups.flatMap(({ key, size }, k) =>
      key === 1 ? [{ coordinate: coordinates[k]!, size }] : [],
    );
  }

  /** The position split around a node's own axis `dim`. */
  around(
    e: Expr & { readonly dim: number },
    at: IndexForm,
  ): { outer: IndexForm; along: IndexForm; inside: IndexForm; inner: number } {
    const sizes = this.sizes.of(e);
    const inner = sizeProduct(sizes.slice(e.dim + 1));
    const [outer, along, inside] = this.split(at, [
      sizeProduct(sizes.slice(0, e.dim)),
      sizes[e.dim]!,
      inner,
    ]);
    return { outer: outer!, along: along!, inside: inside!, inner };
  }

  /** Where the entry at `at` of a choosing node may come from; nowhere means zero. */
  choices(e: Choosing, at: IndexForm): Choice[] {
    if (e.kind === "slide") return this.slid(e, at);
    const { outer, along: coordinate, inside, inner } = this.around(e, at);
    const without = weighted([outer, inside], [inner, 1]);
    switch (e.kind) {
      case "place":
        return [{ coordinate, first: e.at, end: e.at + 1, step: 1, arg: e.args[0]!, at: without }];
      case "stack":
        return e.args.map((arg, k) => ({
          coordinate,
          first: k,
          end: k + 1,
          step: 1,
          arg,
          at: without,
        }));
      case "spread": {
        const arg = e.args[0]!;
        const n = this.sizes.of(arg)[e.dim]!;
        if (n === 0) return [];
        const from = shiftIndex(coordinate, -e.start);
        const along = e.step === 1 ? from : this.divide(from, e.step).quotient;
        return [
          {
            coordinate,
            first: e.start,
            end: e.start + (n - 1) * e.step + 1,
            step: e.step,
            arg,
            at: weighted([outer, along, inside], [n * inner, inner, 1]),
          },
        ];
      }
      case "concat": {
        let first = 0;
        const choices: Choice[] = [];
        for (const arg of e.args) {
          const n = this.sizes.of(arg)[e.dim]!;
          const along = shiftIndex(coordinate, -first);
          const inArgument = weighted([outer, along, inside], [n * inner, inner, 1]);
          if (n > 0) {
            choices.push({ coordinate, first, end: first + n, step: 1, arg, at: inArgument });
          }
          first += n;
        }
        return choices;
      }
    }
  }

  private slid(e: Slide, at: IndexForm): Choice[] {
    const sizes = this.sizes.of(e);
    const [first, second] = [Math.min(e.dim, e.by), Math.max(e.dim, e.by)];
    const parts = [
      sizeProduct(sizes.slice(0, first)),
      sizes[first]!,
      sizeProduct(sizes.slice(first + 1, second)),
      sizes[second]!,
      sizeProduct(sizes.slice(second + 1)),
    ];
    const coordinates = this.split(at, parts);
    const [along, by] = e.dim < e.by ? [1, 3] : [3, 1];
    const shift = shiftIndex(scaleIndex(coordinates[by]!, e.factor), e.start);
    const coordinate = addIndex(coordinates[along]!, shift);
    const arg = e.args[0]!;
    const n = this.sizes.of(arg)[e.dim]!;
    const weights = stridesOf(parts.with(along, n));
    const from = weighted(coordinates.with(along, coordinate), weights);
    return n === 0 ? [] : [{ coordinate, first: 0, end: n, step: 1, arg, at: from }];
  }

  /**
   * The entries of the argument that one entry of a reduction combines, in row-major order.
   * @param still reduced axes along which only the first is meant
   */
  reduced(e: Reduce | ArgReduce, at: IndexForm, still: readonly number[] = []): IndexForm[] {
    const dims = reducedDims(e);
    return this.along(this.sizes.of(e.args[0]!), at, (d) =>
      still.includes(d) ? Along.first : dims.includes(d) ? Along.all : Along.given,
    );
  }

  /** The first position along the axes `still`, given that along all others. */
  opened(sizes: readonly number[], at: IndexForm, still: readonly number[]): IndexForm {
    return this.along(sizes, at, (d) => (still.includes(d) ? Along.first : Along.given))[0]!;
  }

  /** Positions in an array of these sizes, from that along the axes where it is given. */
  private along(
    sizes: readonly number[],
    at: IndexForm,
    which: (d: number) => number,
  ): IndexForm[] {
    const groups = grouped(sizes, which);
    const given = groups.filter((g) => g.key === Along.given);
    const coordinates = this.split(
      at,
      given.map((g) => g.size),
    );
    let positions = [ZERO_INDEX];
    for (const { key, size } of groups) {
      const entries = key === Along.all ? size : 1;
      const steps =
        key === Along.given
          ? [coordinates.shift()!]
          : Array.from({ length: entries }, (_, k) => constantIndex(k));
      positions = positions.flatMap((p) => steps.map((s) => addIndex(scaleIndex(p, size), s)));
    }
    return positions;
  }

  /** Which result an entry of the argument goes into, and where it stands along the last axis. */
  reducing(e: Reduce | ArgReduce, at: IndexForm): { kept: IndexForm; along: IndexForm } {
    const groups = reductionGroups(this.sizes, e);
    const coordinates = this.split(
      at,
      groups.map((g) => g.size),
    );
    let kept = ZERO_INDEX;
    let along = ZERO_INDEX;
    groups.forEach(({ key, size }, k) => {
      if (key === 1) along = coordinates[k]!;
      else kept = addIndex(scaleIndex(kept, size), coordinates[k]!);
    });
    return { kept, along };
  }
}

/** Which positions along an axis are meant. */
const Along = { given: 0, first: 1, all: 2 } as const;

interface AxisGroup {
  readonly key: number;
  readonly size: number;
  /** Its innermost axis. */
  readonly last: number;
}

/** Neighbouring axes with the same key as one; axes of size 1 belong to any. */
function grouped(sizes: readonly number[], keyOf: (d: number) => number): AxisGroup[] {
  const groups: AxisGroup[] = [];
  sizes.forEach((n, d) => {
    if (n === 1) return;
    const key = keyOf(d);
    const outer = groups.at(-1);
    if (outer?.key === key) groups[groups.length - 1] = { key, size: outer.size * n, last: d };
    else groups.push({ key, size: n, last: d });
  });
  return groups;
}

/** Kept (key 0) and reduced (key 1) axes of the argument. */
function reductionGroups(sizes: Sizes, e: Reduce | ArgReduce): AxisGroup[] {
  const dims = reducedDims(e);
  return grouped(sizes.of(e.args[0]!), (d) => (dims.includes(d) ? 1 : 0));
}

function weighted(coordinates: readonly IndexForm[], weights: readonly number[]): IndexForm {
  return coordinates.reduce((sum, c, k) => addIndex(sum, scaleIndex(c, weights[k]!)), ZERO_INDEX);
}
