/** Where a loss computes in a coarser number type than its arrays have. */
import type { BinaryOp, Expr, ReduceOp, SourceSpan, UnaryOp } from "../../expression/node.ts";
import type { ElementType, TapeEntry } from "../../expression/tape.ts";
import { leaves, topological } from "../../expression/walk.ts";
import { type GradientType, ROUNDING } from "../../gradient/compareGradients.ts";
import type { TraceTape } from "../../python/program.ts";

export interface Narrower {
  readonly type: GradientType;
  /** The first operation whose result, or one of whose arrays, is of that type. */
  readonly span: SourceSpan;
}

/**
 * The coarsest type in which anything is held that the loss is made of, if it is coarser than `type`.
 * Whole numbers are left out: a mask of 0 and 1 and its sum are not rounded in float32.
 */
export function narrowerOf(tape: TraceTape, type: GradientType): Narrower | null {
  const { arrays } = tape;
  const whole = new Set<Expr>();
  let found: Narrower | null = null;
  for (const { node, value, dtype, span } of entriesOf(tape)) {
    const isExact = topological(value).every((e) => isWhole(e, whole));
    if (isExact) whole.add(node);
    const held = [
      isExact ? null : dtype,
      ...leaves(value).map((x) => (x.kind === "input" ? (arrays.get(x) ?? null) : null)),
    ];
    for (const own of held.filter(isGradientType)) {
      if (ROUNDING[own].unit > ROUNDING[found?.type ?? type].unit) found = { type: own, span };
    }
  }
  return found;
}

function isGradientType(dtype: ElementType | null): dtype is GradientType {
  return dtype !== null && Object.hasOwn(ROUNDING, dtype);
}

/** Operations that make fractions of whole numbers, or may. */
const MAKING_FRACTIONS: ReadonlySet<BinaryOp | ReduceOp | UnaryOp> = new Set([
  ...(["div", "pow", "mean"] as const),
  ...(["exp", "log", "log1p", "expm1", "sqrt", "sigmoid", "logsigmoid"] as const),
  ...(["softplus", "tanh", "cosh", "sinh", "sin", "cos"] as const),
]);

/** @param known nodes that hold whole numbers; the arguments of `e` are known to be whole */
function isWhole(e: Expr, known: ReadonlySet<Expr>): boolean {
  switch (e.kind) {
    case "const":
      return Number.isInteger(e.value);
    case "input":
      return e.type !== "float" || known.has(e);
    case "parameter":
    case "softmax":
      return false;
    case "unary":
    case "binary":
    case "reduce":
      return !MAKING_FRACTIONS.has(e.op);
    default:
      return true;
  }
}

/** Those that the result is made of, in their order. */
function entriesOf({ entries, result }: TraceTape): readonly TapeEntry[] {
  const needed = new Set<Expr>(leaves(result));
  return entries
    .toReversed()
    .filter(({ node, value }) => {
      if (!needed.has(node)) return false;
      for (const leaf of leaves(value)) needed.add(leaf);
      return true;
    })
    .reverse();
}
