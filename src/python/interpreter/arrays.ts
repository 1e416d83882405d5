/** The arrays that a program has loaded or written out, and the inputs that stand for them. */
import { type Axis, axis } from "../../expression/axis.ts";
import type { Expr } from "../../expression/node.ts";
import type { ArrayHandle } from "../host.ts";
import type { Order } from "../values.ts";

/**
 * Letters for the axes of a program's own arrays. They are none of those that a traced function's
 * inputs get (expression/inputAxes.ts), so that an equal name never means two different axes.
 */
const LETTERS = ["n", "m", "r", "s", "u", "v"];

/** What an array of positions was found from, by `nonzero` and the like. */
export interface Found {
  /** The array whose entries are not zero there. */
  readonly mask: Expr;
  /** The mask's axis that they are positions along; null for a row of positions for each entry. */
  readonly axis: number | null;
}

/** What the positions count that sorting found. */
export interface Places {
  /** The mask whose picked entries they count; null: they count all. */
  readonly among: Expr | null;
}

/** Orders by their content, so that the same one is one object, with the mask of its entries. */
export class OrderRegistry {
  private readonly known = new Map<string, Order[]>();
  readonly masks = new Map<Order, Expr>();

  of(positions: Int32Array, count: number, along: number | null): Order {
    let hash = 0;
    for (const p of positions) hash = (Math.imul(hash, 31) + p) | 0;
    const key = `${positions.length},${count},${String(along)},${hash}`;
    const alike = this.known.get(key) ?? [];
    const same = alike.find((o) => o.positions.every((p, k) => p === positions[k]));
    if (same !== undefined) return same;
    const order: Order = { positions, count, along };
    this.known.set(key, [...alike, order]);
    return order;
  }
}

export class ArrayRegistry {
  readonly handles = new Map<Expr, ArrayHandle>();
  /** Of arrays that hold the positions of all entries of another that are not zero. */
  readonly found = new Map<Expr, Found>();
  /** Of arrays that hold, for each entry of another, where it is: sorted, they are what sorting found. */
  readonly places = new Map<Expr, Places>();
  readonly orders = new OrderRegistry();
  readonly byContent = new Map<string, Expr>();
  /** The variable about to be assigned: a good name for an array that is being made. */
  hint = "";
  private count = 0;
  private readonly sizes = new Map<string, number>();

  /** `@` keeps these apart from the inputs of a traced function, which bear its parameters' names. */
  freshName(hint: string): string {
    return `${hint === "" ? "array" : hint}@${++this.count}`;
  }

  axesFor(shape: readonly number[]): Axis[] {
    const used = new Set<string>();
    return shape.map((n) => {
      const name = this.letter(n, used);
      used.add(name);
      this.sizes.set(name, n);
      return axis(name, n);
    });
  }

  private letter(n: number, used: ReadonlySet<string>): string {
    const fits = (name: string): boolean => !used.has(name) && (this.sizes.get(name) ?? n) === n;
    for (let round = 1; ; round++) {
      for (const letter of LETTERS) {
        const name = round === 1 ? letter : `${letter}${round}`;
        if (fits(name)) return name;
      }
    }
  }
}
