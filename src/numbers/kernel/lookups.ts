/**
 * Axes of which one entry alone matters: in Σⱼ [kᵢ = j]·xⱼ (entries picked by positions) and in
 * Σᵢ [kᵢ = j]·xᵢ (entries added up at positions, the gradient of the former) the product is zero
 * wherever j is not the place that kᵢ names. Loops over such an axis are spared: an entry is looked
 * up where it stands, which takes as many steps as there are places rather than places times entries.
 */
import { stridesOf } from "../../expression/axis.ts";
import type { ArgReduce, Expr, OneHot, Reduce } from "../../expression/node.ts";
import type { Sizes } from "../typedArrays.ts";
import { Accesses } from "./access.ts";
import {
  type IndexForm,
  ZERO_INDEX,
  addIndex,
  divideIndex,
  scaleIndex,
  variableIndex,
} from "./indexForm.ts";

/** An axis of a sum's argument, and how the array that names its places is reached from there. */
export interface Lookup {
  readonly dim: number;
  readonly size: number;
  /** How far apart two entries along it are. */
  readonly stride: number;
  /** Nodes and which of their arguments; the last one is the one-hot encoding. */
  readonly path: readonly Step[];
}

interface Step {
  readonly of: Expr;
  readonly argument: number;
}

const NONE: readonly Lookup[] = [];

export class Lookups {
  private readonly sizes: Sizes;
  private readonly least: number;
  private readonly known = new Map<Expr, readonly Lookup[]>();

  /** @param least shorter axes are gone through */
  constructor(sizes: Sizes, least: number) {
    this.sizes = sizes;
    this.least = least;
  }

  /** Of a sum, the axes along which entries are looked up, reduced ones and kept ones. */
  of(e: Expr): readonly Lookup[] {
    if (e.kind !== "reduce" || e.op !== "sum") return NONE;
    let found = this.known.get(e);
    if (found === undefined) this.known.set(e, (found = this.find(e)));
    return found;
  }

  /** Those that are reduced: of one entry of the result it is not known which places name it. */
  within(e: Expr): readonly Lookup[] {
    const all = this.of(e);
    return all.length === 0 ? all : all.filter((l) => (e as Reduce).dims.includes(l.dim));
  }

  /** Sizes of the argument with 1 for what is looked up. */
  swept(e: Reduce | ArgReduce): readonly number[] {
    const dims = dimsOf(this.of(e));
    const own = this.sizes.of(e.args[0]!);
    return dims.length === 0 ? own : own.map((n, d) => (dims.includes(d) ? 1 : n));
  }

  private find(e: Reduce): readonly Lookup[] {
    const x = e.args[0]!;
    const own = this.sizes.of(x);
    if (own.every((n) => n < this.least)) return NONE;
    const unknown = own.length;
    // What a division leaves open is some other variable.
    const accesses = new Accesses(
      this.sizes,
      (form, by) =>
        divideIndex(form, by, (v) => [0, (own[v] ?? Infinity) - 1]) ?? {
          quotient: variableIndex(unknown),
          remainder: variableIndex(unknown),
        },
    );
    const strides = stridesOf(own);
    const position = strides.reduce(
      (sum, step, d) => (own[d] === 1 ? sum : addIndex(sum, variableIndex(d, step))),
      ZERO_INDEX,
    );
    const found: (Lookup & { readonly varies: ReadonlySet<number> })[] = [];
    const visit = (f: Expr, at: IndexForm, path: readonly Step[]): void => {
      if (f.kind === "oneHot") {
        const { along } = accesses.around(f, at);
        const [term] = along.terms;
        const dim = term?.variable ?? unknown;
        const isOwn = along.terms.length === 1 && term!.factor === 1 && along.constant === 0;
        if (!isOwn || dim === unknown || own[dim] !== this.sizes.of(f)[f.dim]) return;
        if (own[dim]! < this.least) return;
        const place = accesses.argument(f, 0, at);
        const varies = new Set(place.terms.map((t) => t.variable));
        if (varies.has(dim) || varies.has(unknown)) return;
        const isApart = found.every(
          (l) => l.dim !== dim && !l.varies.has(dim) && !varies.has(l.dim),
        );
        if (isApart)
          found.push({
            dim,
            size: own[dim]!,
            stride: strides[dim]!,
            path: [...path, { of: f, argument: 0 }],
            varies,
          });
        return;
      }
      for (const k of factorsOf(f)) {
        visit(f.args[k]!, accesses.argument(f, k, at), [...path, { of: f, argument: k }]);
      }
    };
    visit(x, position, []);
    return found;
  }
}

/** Arguments of which a zero makes the node zero. */
function factorsOf(e: Expr): readonly number[] {
  switch (e.kind) {
    case "binary":
      return e.op === "mul" ? [0, 1] : e.op === "div" ? [0] : [];
    case "unary":
      return e.op === "neg" || e.op === "abs" ? [0] : [];
    case "where":
      return [1, 2].filter((k) => isZero(e.args[3 - k]!));
    case "cast":
    case "reshape":
    case "expand":
    case "transpose":
    case "stopGradient":
      return [0];
    default:
      return [];
  }
}

function isZero(e: Expr): boolean {
  return e.kind === "const" && e.value === 0;
}

/**
 * A position in a sum's argument with the places along the axes that are looked up.
 * @param start the first position along them
 * @param place what stands for an entry of an array that names places
 */
export function lookedUp(
  lookups: readonly Lookup[],
  accesses: Accesses,
  start: IndexForm,
  place: (e: Expr, at: IndexForm, size: number) => IndexForm,
): IndexForm {
  return lookups.reduce((position, { path, size, stride }) => {
    const at = path.reduce((p, { of, argument }) => accesses.argument(of, argument, p), start);
    const named = (path.at(-1)!.of as OneHot).args[0]!;
    return addIndex(position, scaleIndex(place(named, at, size), stride));
  }, start);
}

export function dimsOf(lookups: readonly Lookup[]): readonly number[] {
  return lookups.map((l) => l.dim);
}
