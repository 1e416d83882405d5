/**
 * Small shapes on which expressions are compared. An axis may be given another size only if that
 * leaves the expression's meaning alone: not where entries are picked by position, where a stack or
 * a loop fixed the count, or where axes are regrouped in a way their names do not explain.
 */
import { type Axis, type Shape, isUnit, leafAxes } from "./axis.ts";
import type { Expr } from "./node.ts";
import { topological } from "./walk.ts";

/** Sizes by axis name, as `resize` takes them; several such choices. */
export type Sizes = ReadonlyMap<string, number>;

/** Sizes that free axes take in turn, by order of appearance; 1 shows what only broadcasting hid. */
const CHOICES: readonly (readonly number[])[] = [
  [2, 3, 2, 2, 2],
  [3, 2, 4, 1, 2],
  [1, 4, 1, 3, 2],
];

const NONE: ReadonlySet<string> = new Set();

/**
 * Choices of sizes for the axes of all `roots` together.
 * @param kept axes, by name, that stay as they are where their size is known
 */
export function smallSizes(roots: readonly Expr[], kept: ReadonlySet<string> = NONE): Sizes[] {
  const groups = new AxisGroups();
  const nodes = topological(...roots);
  const inputs = new Map<string, Shape>();
  const seen = new Set<Axis>();
  for (const e of nodes) {
    for (const a of e.shape) {
      if (!seen.has(a)) groups.know(a);
      seen.add(a);
    }
    if (e.kind === "input") {
      const other = inputs.get(e.name);
      if (other === undefined) inputs.set(e.name, e.shape);
      else groups.align(other, e.shape);
    }
    for (const a of e.shape) if (kept.has(a.name) && a.size !== null) groups.fix(a);
    constrain(e, groups);
  }
  const free = groups.free();
  const choices = free.length === 0 ? CHOICES.slice(0, 1) : CHOICES;
  return choices.map((choice) => {
    const sizes = new Map<string, number>();
    free.forEach((names, k) => {
      for (const name of names) sizes.set(name, choice[k % choice.length]!);
    });
    for (const [name, size] of groups.fixedSizes()) sizes.set(name, size);
    return sizes;
  });
}

function constrain(e: Expr, groups: AxisGroups): void {
  const x = e.args[0];
  switch (e.kind) {
    case "binary":
    case "where":
    case "clamp":
    case "expand":
      for (const arg of e.args) groups.align(arg.shape, e.shape);
      return;
    case "index":
      groups.fix(x!.shape[e.dim]!);
      return;
    case "slice":
      // What a slice leaves has the size that its positions say.
      groups.fix(x!.shape[e.dim]!);
      groups.fix(e.shape[e.dim]!);
      return;
    case "place":
    case "spread":
    case "oneHot": // labels are whole numbers below its size
      groups.fix(e.shape[e.dim]!);
      return;
    case "slide":
      // As many as it takes for windows to meet entries; outside the array they find zeros.
      groups.fix(e.shape[e.by]!);
      return;
    case "stack":
      for (const arg of e.args) groups.align(arg.shape, e.args[0]!.shape);
      groups.fix(e.shape[e.dim]!);
      return;
    case "concat":
      for (const arg of e.args) {
        groups.align(arg.shape.toSpliced(e.dim, 1), x!.shape.toSpliced(e.dim, 1));
        groups.fix(arg.shape[e.dim]!);
      }
      groups.fix(e.shape[e.dim]!);
      return;
    case "reshape":
      regroup(x!.shape, e.shape, groups);
      return;
    default:
      return;
  }
}

/** A reshape whose axes are the same in the same order, grouped otherwise, may change size. */
function regroup(from: Shape, to: Shape, groups: AxisGroups): void {
  const [have, want] = [ownAxes(from), ownAxes(to)];
  if (have.length === want.length) {
    const sizesMatch = have.every((a, k) => a.size === null || a.size === want[k]!.size);
    if (have.every((a, k) => a.name === want[k]!.name) || sizesMatch) {
      groups.align(have, want);
      return;
    }
  }
  for (const a of [...have, ...want]) groups.fix(a);
}

function ownAxes(shape: Shape): Axis[] {
  return shape.flatMap(leafAxes).filter((a) => !isUnit(a));
}

/** Axis names that must have one size, by union and find. */
class AxisGroups {
  private readonly parent = new Map<string, string>();
  private readonly fixed = new Set<string>();
  private readonly known = new Map<string, number | null>();

  know(a: Axis): void {
    for (const leaf of ownAxes([a])) {
      if (!this.parent.has(leaf.name)) {
        this.parent.set(leaf.name, leaf.name);
        this.known.set(leaf.name, leaf.size);
      } else if (this.known.get(leaf.name) !== leaf.size) {
        // One name for two axes (two stacks): neither can be resized by its name.
        this.fixed.add(leaf.name);
      }
    }
  }

  /** Axes that stand opposite each other, aligned from the right, have one size. */
  align(s: Shape, t: Shape): void {
    for (let k = 1; k <= Math.min(s.length, t.length); k++) {
      const [a, b] = [s.at(-k)!, t.at(-k)!];
      if (a === b || isUnit(a) || isUnit(b)) continue;
      const [p, q] = [ownAxes([a]), ownAxes([b])];
      if (p.length === q.length)
        p.forEach((axis, j) => {
          this.join(axis, q[j]!);
        });
      else for (const axis of [...p, ...q]) this.fix(axis);
    }
  }

  fix(a: Axis): void {
    for (const leaf of ownAxes([a])) {
      this.know(leaf);
      this.fixed.add(leaf.name);
    }
  }

  /** Names of the axes that may change, those of one size together, in order of appearance. */
  free(): string[][] {
    const fixedRoots = new Set([...this.fixed].map((name) => this.find(name)));
    const groups = new Map<string, string[]>();
    for (const name of this.parent.keys()) {
      const root = this.find(name);
      if (fixedRoots.has(root)) continue;
      groups.set(root, [...(groups.get(root) ?? []), name]);
    }
    return [...groups.values()];
  }

  /** Sizes for axes that must stand but have no known size: that of their group, else 3. */
  fixedSizes(): [string, number][] {
    const sizes: [string, number][] = [];
    const members = [...this.parent.keys()];
    for (const name of this.fixed) {
      const root = this.find(name);
      const group = members.filter((m) => this.find(m) === root);
      const size = group.map((m) => this.known.get(m) ?? null).find((n) => n !== null) ?? 3;
      for (const m of group) if (this.known.get(m) === null) sizes.push([m, size]);
    }
    return sizes;
  }

  private join(a: Axis, b: Axis): void {
    this.know(a);
    this.know(b);
    this.parent.set(this.find(a.name), this.find(b.name));
  }

  private find(name: string): string {
    const above = this.parent.get(name) ?? name;
    return above === name ? name : this.find(above);
  }
}
