/** A loss of probabilities and targets as a function that can be called on numbers. */
import { ShapeError, sizesOf } from "../../expression/axis.ts";
import { evaluateAll } from "../../expression/evaluate.ts";
import { smallSizes } from "../../expression/equalitySizes.ts";
import { generator } from "../../expression/equalityPoints.ts";
import type { Expr, Input } from "../../expression/node.ts";
import { leaves, resize } from "../../expression/walk.ts";
import type { Role } from "./subject.ts";

/** How many entries a probe gives axes that may have any: enough for sums that differ. */
const SIZES: Readonly<Record<Role, readonly number[]>> = {
  batch: [2, 3],
  class: [3, 4],
  space: [4, 2],
};

/** Which of two sets of sizes: the second tells what grows with the number of regions. */
export type Scale = 0 | 1;

export class Probe {
  readonly shape: readonly number[];
  readonly roles: readonly Role[];
  readonly count: number;
  private readonly roots: readonly Expr[];
  private readonly sizes: ReadonlyMap<string, number>;
  private readonly names: readonly [string, string];
  private readonly next: () => number;

  /** @param derivatives further expressions to be evaluated beside the loss, e.g. its gradient */
  constructor(
    loss: Expr,
    p: Input,
    t: Input,
    roles: readonly Role[],
    scale: Scale = 0,
    derivatives: readonly Expr[] = [],
  ) {
    const sizes = probeSizes(loss, p, roles, scale);
    this.sizes = sizes;
    this.roots = [loss, ...derivatives].map((e) => resize(e, sizes));
    const own = resize(p, sizes);
    this.shape = sizesOf(own.shape);
    this.roles = roles;
    this.count = this.shape.reduce((n, s) => n * s, 1);
    this.names = [p.name, t.name];
    this.next = generator(7 + scale);
  }

  /** Entries drawn from (0.05, 0.95). */
  draw(count = this.count): Float64Array {
    return Float64Array.from({ length: count }, () => 0.05 + 0.9 * this.next());
  }

  value(p: ArrayLike<number>, t: ArrayLike<number>): number {
    return this.values(p, t)[0]![0]!;
  }

  /** The loss, then each further expression, row-major. */
  values(p: ArrayLike<number>, t: ArrayLike<number>): Float64Array[] {
    return this.valuesOf(this.roots, p, t);
  }

  /**
   * Another scalar of the same arrays as a function of the same numbers; null where it does not
   * allow the sizes of this probe, or has axes that the loss says nothing of.
   */
  other(e: Expr): ((p: ArrayLike<number>, t: ArrayLike<number>) => number) | null {
    const root = this.sized(e);
    return root === null ? null : (p, t) => this.valuesOf([root], p, t)[0]![0]!;
  }

  private sized(e: Expr): Expr | null {
    try {
      const root = resize(e, this.sizes);
      const open = leaves(root).some((x) => x.shape.some((a) => a.size === null));
      return open ? null : root;
    } catch (error) {
      if (error instanceof ShapeError) return null;
      throw error;
    }
  }

  private valuesOf(
    roots: readonly Expr[],
    p: ArrayLike<number>,
    t: ArrayLike<number>,
  ): Float64Array[] {
    const { shape } = this;
    return evaluateAll(
      roots,
      new Map([
        [this.names[0], { shape, data: p }],
        [this.names[1], { shape, data: t }],
      ]),
    ).map((a) => a.data);
  }

  /** Number of entries along the axes with a role; 1 where there are none. */
  along(role: Role): number {
    return this.shape.reduce((n, s, d) => (this.roles[d] === role ? n * s : n), 1);
  }

  /** Coordinates of an entry: its sample, its class, its place in space. */
  coordinates(k: number): Record<Role, number> {
    const found: Record<Role, number> = { batch: 0, class: 0, space: 0 };
    let rest = k;
    const index: number[] = [];
    for (let d = this.shape.length - 1; d >= 0; d--) {
      index.unshift(rest % this.shape[d]!);
      rest = Math.floor(rest / this.shape[d]!);
    }
    index.forEach((i, d) => {
      const role = this.roles[d]!;
      found[role] = found[role] * this.shape[d]! + i;
    });
    return found;
  }

  /** The entry at some coordinates. */
  at(where: Readonly<Record<Role, number>>): number {
    return this.positions.get(`${where.batch},${where.class},${where.space}`)!;
  }

  private indexed: Map<string, number> | null = null;
  private get positions(): Map<string, number> {
    if (this.indexed === null) {
      this.indexed = new Map();
      for (let k = 0; k < this.count; k++) {
        const c = this.coordinates(k);
        this.indexed.set(`${c.batch},${c.class},${c.space}`, k);
      }
    }
    return this.indexed;
  }
}

/** Sizes by axis name: those the expression leaves open are ours, the others stay. */
function probeSizes(
  loss: Expr,
  p: Input,
  roles: readonly Role[],
  scale: Scale,
): Map<string, number> {
  const choices = smallSizes([loss]);
  const sizes = new Map<string, number>(choices[0]);
  const free = (name: string): boolean =>
    new Set(choices.map((c) => c.get(name))).size > 1 && choices.length > 1;
  /** Axes that have one size with this one: theirs is the same in every choice. */
  const along = (name: string): string[] =>
    [...sizes.keys()].filter((n) => choices.every((c) => c.get(n) === c.get(name)));
  let spaces = 0;
  p.shape.forEach((a, d) => {
    const role = roles[d]!;
    const first = role !== "space" || spaces++ === 0;
    if (!free(a.name)) return;
    for (const name of along(a.name)) sizes.set(name, first ? SIZES[role][scale]! : 2);
  });
  return sizes;
}
