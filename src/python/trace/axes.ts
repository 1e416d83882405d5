/** Names for the axes of a traced function's inputs. */
import { type Axis, type Shape, UNIT, axis } from "../../expression/axis.ts";
import { type Layout, inputAxes } from "../../expression/inputAxes.ts";

type Sizes = readonly (number | null)[];

const SPARE = ["i", "j", "k", "l", "m", "q"];

/**
 * Axes for each input. Inputs of one shape share all letters; one that lacks an axis of another (a
 * label map without the class axis) or has size 1 there shares the rest. No letter stands for two
 * different sizes.
 */
export function nameAxes(shapes: readonly Sizes[], layout: Layout): Shape[] {
  const widest = shapes.reduce<Sizes>((a, b) => (b.length > a.length ? b : a), []);
  const main = mainAxes(shapes, widest, layout);
  const taken = new Map(main.map((a) => [a.name, a.size]));
  return shapes.map((sizes) => fitTo(sizes, main) ?? ownAxes(sizes, layout, taken));
}

/** The letters of the widest shape, with the larger size where another input has 1 and vice versa. */
function mainAxes(shapes: readonly Sizes[], widest: Sizes, layout: Layout): Shape {
  const stretched = widest.map((n, d) => {
    if (n !== 1) return n;
    const others = shapes.filter((s) => s.length === widest.length).map((s) => s[d]!);
    return others.find((m) => m !== 1) ?? 1;
  });
  return inputAxes(stretched, layout);
}

function fitTo(sizes: Sizes, main: Shape): Axis[] | null {
  if (sizes.length === main.length) {
    const fits = sizes.every((n, d) => n === 1 || n === main[d]!.size);
    return fits ? sizes.map((n, d) => (n === main[d]!.size ? main[d]! : UNIT)) : null;
  }
  const order = withoutClass(main, sizes.length) ?? [];
  if (order.length === sizes.length && order.every((a, d) => a.size === sizes[d])) return order;
  return subsequence(sizes, main);
}

function withoutClass(main: Shape, rank: number): Axis[] | null {
  const rest = main.filter((a) => a.role !== "class");
  return rest.length === rank ? rest : null;
}

/** The first run of axes of `main`, in order, with these (known) sizes. */
function subsequence(sizes: Sizes, main: Shape): Axis[] | null {
  if (sizes.length === 0) return [];
  if (sizes.some((n) => n === null) || sizes.length === 1) return classVector(sizes, main);
  const picked: Axis[] = [];
  for (const a of main) if (a.size === sizes[picked.length]) picked.push(a);
  return picked.length === sizes.length ? picked : null;
}

/** One number a class, such as class weights. */
function classVector(sizes: Sizes, main: Shape): Axis[] | null {
  const own = main.find((a) => a.role === "class" && a.size !== null && a.size === sizes[0]);
  return sizes.length === 1 && own !== undefined ? [own] : null;
}

function ownAxes(sizes: Sizes, layout: Layout, taken: Map<string, number | null>): Axis[] {
  const used = new Set<string>();
  return inputAxes(sizes, layout).map((a) => {
    const free = (name: string): boolean =>
      !used.has(name) && (!taken.has(name) || taken.get(name) === a.size);
    let name = [a.name, ...SPARE].find(free);
    for (let k = 2; name === undefined; k++) {
      if (free(`${a.name}${k}`)) name = `${a.name}${k}`;
    }
    used.add(name);
    taken.set(name, a.size);
    return a.size === 1 ? UNIT : axis(name, a.size, a.role);
  });
}
