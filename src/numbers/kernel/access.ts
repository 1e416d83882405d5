/**
 * Which entry of its arguments an entry of a node is made from. One place knows this for every node
 * kind; the scheduler's analyses and the builder of loops both ask here.
 */
import type {
  ArgReduce,
  Concat,
  Expr,
  Place,
  Reduce,
  Spread,
  Stack,
} from "../../expression/node.ts";
import type { Sizes } from "../typedArrays.ts";
import {
  type IndexForm,
  ZERO_INDEX,
  addIndex,
  constantIndex,
  scaleIndex,
  shiftIndex,
  stridesOf,
} from "./indexForm.ts";

/** An entry of an array: by its row-major position, by its coordinates, or both. */
export interface Access {
  readonly position: IndexForm | null;
  readonly coordinates: readonly IndexForm[] | null;
}

/** Divides a form that is never negative, inventing a variable where it does not come out even. */
export type Divide = (
  form: IndexForm,
  by: number,
) => { readonly quotient: IndexForm; readonly remainder: IndexForm };

/** Nodes whose entries come from one of several places, or are zero. */
export type Choosing = Place | Spread | Stack | Concat;

/** The entry comes from `arg` at `at` if first ≤ coordinate < end, in steps from `first`. */
export interface Choice {
  readonly coordinate: IndexForm;
  readonly first: number;
  readonly end: number;
  readonly step: number;
  readonly arg: Expr;
  readonly at: Access;
}

export function isChoosing(e: Expr): e is Choosing {
  return e.kind === "place" || e.kind === "spread" || e.kind === "stack" || e.kind === "concat";
}

export function isReduction(e: Expr): e is Reduce | ArgReduce {
  return e.kind === "reduce" || e.kind === "argReduce";
}

export function reducedDims(e: Reduce | ArgReduce): readonly number[] {
  return e.kind === "reduce" ? e.dims : [e.dim];
}

export class Accesses {
  readonly sizes: Sizes;
  private readonly divide: Divide;

  constructor(sizes: Sizes, divide: Divide) {
    this.sizes = sizes;
    this.divide = divide;
  }

  positionOf(e: Expr, at: Access): IndexForm {
    if (at.position !== null) return at.position;
    const strides = stridesOf(this.sizes.of(e));
    return at.coordinates!.reduce(
      (sum, c, d) => addIndex(sum, scaleIndex(c, strides[d]!)),
      ZERO_INDEX,
    );
  }

  coordinatesOf(e: Expr, at: Access): readonly IndexForm[] {
    return at.coordinates ?? this.split(at.position!, this.sizes.of(e));
  }

  /** Coordinates of a row-major position. */
  split(position: IndexForm, sizes: readonly number[]): readonly IndexForm[] {
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

  /** The entry of argument `k` that the entry `at` of `e` needs, whatever its position. */
  argument(e: Expr, k: number, at: Access): Access {
    const arg = e.args[k]!;
    switch (e.kind) {
      case "reshape":
        return { position: this.positionOf(e, at), coordinates: null };
      case "transpose": {
        const from = new Array<IndexForm>(e.perm.length);
        const here = this.coordinatesOf(e, at);
        e.perm.forEach((p, d) => (from[p] = here[d]!));
        return byCoordinates(from);
      }
      case "index":
        return byCoordinates(this.coordinatesOf(e, at).toSpliced(e.dim, 0, constantIndex(e.at)));
      case "slice": {
        const here = this.coordinatesOf(e, at);
        return byCoordinates(
          here.with(e.dim, shiftIndex(scaleIndex(here[e.dim]!, e.step), e.start)),
        );
      }
      case "oneHot":
        return byCoordinates(this.coordinatesOf(e, at).toSpliced(e.dim, 1));
      default:
        return this.broadcast(e, arg, at);
    }
  }

  /** The same entry of an array of the same shape, or of one that stretches to it. */
  private broadcast(e: Expr, arg: Expr, at: Access): Access {
    const want = this.sizes.of(e);
    const have = this.sizes.of(arg);
    if (this.sizes.count(arg) === 1) return { position: ZERO_INDEX, coordinates: null };
    if (this.sizes.count(arg) === this.sizes.count(e)) {
      return have.length === want.length
        ? at
        : { position: this.positionOf(e, at), coordinates: null };
    }
    const here = this.coordinatesOf(e, at);
    const shift = want.length - have.length;
    return byCoordinates(have.map((n, d) => (n === 1 ? ZERO_INDEX : here[d + shift]!)));
  }

  /** Where the entry `at` of a choosing node may come from; nowhere means zero. */
  choices(e: Choosing, at: Access): Choice[] {
    const here = this.coordinatesOf(e, at);
    const coordinate = here[e.dim]!;
    const without = (): Access => byCoordinates(here.toSpliced(e.dim, 1));
    switch (e.kind) {
      case "place":
        return [
          { coordinate, first: e.at, end: e.at + 1, step: 1, arg: e.args[0]!, at: without() },
        ];
      case "stack":
        return e.args.map((arg, k) => ({
          coordinate,
          first: k,
          end: k + 1,
          step: 1,
          arg,
          at: without(),
        }));
      case "spread": {
        const arg = e.args[0]!;
        const n = this.sizes.of(arg)[e.dim]!;
        if (n === 0) return [];
        const from = shiftIndex(coordinate, -e.start);
        return [
          {
            coordinate,
            first: e.start,
            end: e.start + (n - 1) * e.step + 1,
            step: e.step,
            arg,
            at: byCoordinates(
              here.with(e.dim, e.step === 1 ? from : this.divide(from, e.step).quotient),
            ),
          },
        ];
      }
      case "concat": {
        let first = 0;
        const choices: Choice[] = [];
        for (const arg of e.args) {
          const n = this.sizes.of(arg)[e.dim]!;
          const inArgument = byCoordinates(here.with(e.dim, shiftIndex(coordinate, -first)));
          if (n > 0) {
            choices.push({ coordinate, first, end: first + n, step: 1, arg, at: inArgument });
          }
          first += n;
        }
        return choices;
      }
    }
  }

  /** The entries of the argument that one entry of a reduction combines, in row-major order. */
  reduced(e: Reduce | ArgReduce, at: Access): Access[] {
    const arg = e.args[0]!;
    const sizes = this.sizes.of(arg);
    const dims = reducedDims(e);
    const here = this.coordinatesOf(e, at);
    let all: IndexForm[][] = [[]];
    let next = 0;
    sizes.forEach((n, d) => {
      const isReduced = dims.includes(d);
      const kept = here[next]!;
      if (!isReduced || e.keepDims) next++;
      all = isReduced
        ? all.flatMap((c) => Array.from({ length: n }, (_, k) => [...c, constantIndex(k)]))
        : all.map((c) => [...c, kept]);
    });
    return all.map(byCoordinates);
  }
}

export function byCoordinates(coordinates: readonly IndexForm[]): Access {
  return { position: null, coordinates };
}
