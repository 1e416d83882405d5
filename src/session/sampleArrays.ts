/** Arrays for a loss that is explained without any: a round foreground, and a fair prediction of it. */
import { type Shape, elementCount, sizesOf } from "../expression/axis.ts";
import { generator } from "../expression/equalityPoints.ts";
import type { Expr, Input } from "../expression/node.ts";
import { resize } from "../expression/walk.ts";
import type { TypedArray } from "../numbers/typedArrays.ts";
import type { InspectedInput } from "./inspect.ts";

export interface SampleArrays {
  readonly sizes: ReadonlyMap<string, number>;
  readonly bindings: ReadonlyMap<string, TypedArray>;
}

const BATCH = 2;
const CLASSES = 3;
/** Sizes along space, by how many such axes are open. */
const SPACE = [400, 20, 8];

/** Larger arrays are not made up: they would take longer than they tell. */
const MOST_ENTRIES = 2 ** 22;

/** Whether arrays of these inputs would be too large to be made up. */
export function areTooLarge(inputs: readonly { readonly shape: Shape }[]): boolean {
  return inputs.some((x) => (elementCount(x.shape) ?? 0) > MOST_ENTRIES);
}

/** Sizes for the open axes, and an array for each input, the same every time. */
export function sampleArrays(
  inputs: readonly Pick<InspectedInput, "name" | "node" | "role">[],
  isLogits: boolean,
): SampleArrays {
  const open = inputs.flatMap((x) => x.node.shape.filter((a) => a.size === null));
  const space = new Set(open.filter((a) => !isBatchOrClass(a.role)).map((a) => a.name));
  const along = SPACE[Math.min(space.size, SPACE.length) - 1] ?? 4;
  const sizes = new Map(
    open.map((a) => [a.name, a.role === "batch" ? BATCH : a.role === "class" ? CLASSES : along]),
  );
  const prediction = inputs.find((x) => x.role === "prediction")?.node;
  const classes = prediction?.shape.find((a) => a.role === "class");
  const named = classes === undefined ? 2 : (classes.size ?? CLASSES);
  const bindings = new Map<string, TypedArray>();
  for (const x of inputs) {
    const node = resize(x.node, sizes) as Input;
    bindings.set(x.name, valuesOf(node, x.role, Math.max(2, named), isLogits));
  }
  return { sizes, bindings };
}

function isBatchOrClass(role: string): boolean {
  return role === "batch" || role === "class";
}

function valuesOf(
  node: Input,
  role: InspectedInput["role"],
  classes: number,
  isLogits: boolean,
): TypedArray {
  const sizes = sizesOf(node.shape);
  const count = sizes.reduce((n, s) => n * s, 1);
  const next = generator(role === "target" ? 2 : 1);
  return Float64Array.from({ length: count }, (_, k) => {
    if (role === "other") return 1;
    const { label, ownClass } = placed(node, sizes, k, classes);
    const isOwn = ownClass === null ? label > 0 : ownClass === label;
    if (role === "target") return node.type === "int" && ownClass === null ? label : Number(isOwn);
    const z = (isOwn ? 1.5 : -1.5) + 3 * (next() - 0.5);
    return isLogits ? z : 1 / (1 + Math.exp(-z));
  });
}

/** The class that a place belongs to, and the class that an entry is about, where there is an axis. */
function placed(
  node: Expr,
  sizes: readonly number[],
  at: number,
  classes: number,
): { label: number; ownClass: number | null } {
  let rest = at;
  let [radius, side] = [0, 0];
  let ownClass: number | null = null;
  for (let d = sizes.length - 1; d >= 0; d--) {
    const n = sizes[d]!;
    const k = rest % n;
    rest = (rest - k) / n;
    const { role } = node.shape[d]!;
    if (role === "class") ownClass = n > 1 ? k : null;
    else if (role !== "batch" && n > 1) {
      const x = (k + 0.5) / n - 0.5;
      radius += x * x;
      side = x;
    }
  }
  if (radius > 0.06) return { label: 0, ownClass };
  return { label: classes === 2 || side < 0 ? 1 : Math.min(2, classes - 1), ownClass };
}
