/** The gradient of a performed tape as PyTorch's autograd computes it, operation by operation. */
import type { Expr, Input } from "../../expression/node.ts";
import { pull, summedTo } from "./derivatives.ts";
import type { Performance, Performed } from "./forward.ts";
import { type Held, broadcastTo, countOf, mapped, number } from "./held.ts";
import { alongOf, apply, kernelGradients } from "./kernels.ts";
import type { TapeCall, TapeKernel } from "../../expression/tape.ts";
import { nameOf } from "./autocast.ts";

/**
 * The gradient by an input, in the type of that input; zero where nothing flows to it. Contributions
 * are added in the order in which autograd meets them: the last operation first.
 * @param tick called after each operation with the share that is done; what it throws stops the rest
 */
export function gradient(
  performance: Performance,
  wrt: Input,
  tick?: (done: number) => void,
): Held {
  const { performed, values, result } = performance;
  const input = values.get(wrt)!;
  const flowing = flowFrom(performed, wrt);
  const gradients = new Map<Expr, Held>();
  const counts = countsOf(performed);
  const last = performed.at(-1);
  const start = last?.values.get(last.entry.value) === result ? last.entry.node : wrt;
  gradients.set(
    start,
    mapped(result, result.dtype, () => 1),
  );
  for (const [k, one] of [...performed].reverse().entries()) {
    tick?.(k / performed.length);
    const g = gradients.get(one.entry.node);
    if (g !== undefined && flowing.has(one.entry.node))
      spread(one, g, { flowing, gradients, known: values, counts });
  }
  return gradients.get(wrt) ?? mapped(input, input.dtype, () => 0);
}

/** The nodes whose values depend, differentiably, on the input. */
function flowFrom(performed: readonly Performed[], wrt: Input): Set<Expr> {
  const flowing = new Set<Expr>([wrt]);
  for (const { entry, parts } of performed) {
    for (const e of parts) {
      if (e.args.length === 0 || e.kind === "stopGradient" || e.type !== "float") continue;
      if (e.args.some((a) => flowing.has(a))) flowing.add(e);
    }
    if (flowing.has(entry.value)) flowing.add(entry.node);
  }
  return flowing;
}

/** Functions whose kernel divides by the number of entries itself, after all else. */
const DIVIDES = new Set(["binary_cross_entropy", "binary_cross_entropy_with_logits"]);

const WIDENED = new Set<TapeKernel["name"]>(["norm", "variance", "standard deviation"]);

/** By call, how many entries such a function's mean is over. */
function countsOf(performed: readonly Performed[]): Map<TapeCall, number> {
  const counts = new Map<TapeCall, number>();
  for (const { entry, values } of performed) {
    const { call, value } = entry;
    if (call === null || !DIVIDES.has(nameOf(call.name))) continue;
    if (value.kind !== "reduce" || value.op !== "mean") continue;
    counts.set(call, countOf(values.get(value.args[0]!)!.shape));
  }
  return counts;
}

interface Way {
  readonly flowing: ReadonlySet<Expr>;
  readonly gradients: Map<Expr, Held>;
  readonly known: ReadonlyMap<Expr, Held>;
  readonly counts: ReadonlyMap<TapeCall, number>;
}

/** Carries the gradient of one entry's result to what the entry was made of. */
function spread(
  { entry, parts, values }: Performed,
  g: Held,
  { flowing, gradients, known, counts }: Way,
): void {
  const local = new Map<Expr, Held>();
  const give = (to: Expr, own: Held): void => {
    const target = known.get(to) ?? values.get(to)!;
    const into = known.has(to) ? gradients : local;
    const here = summedTo(own, target);
    const before = into.get(to);
    into.set(to, before === undefined ? here : apply("add", before, here));
  };
  const { kernel, call } = entry;
  if (kernel !== null) {
    // The forward pass widens what these are of; the gradient is computed in the array's own type.
    const own = (e: Expr): Held | undefined =>
      WIDENED.has(kernel.name) ? known.get(e) : undefined;
    const operands = kernel.operands.map((e) => own(e) ?? values.get(e)!);
    const result = values.get(entry.value)!;
    const found = kernelGradients(kernel, operands, result, g, alongOf(entry));
    const first = kernel.operands[0]!;
    const n = call === null ? undefined : counts.get(call);
    if (flowing.has(first)) give(first, n === undefined ? found : apply("div", found, number(n)));
  } else if (known.has(entry.value)) give(entry.value, g);
  else local.set(entry.value, g);
  for (const e of [...parts].reverse()) {
    const own = local.get(e);
    if (own === undefined || known.has(e)) continue;
    const args = e.args.map((a) => values.get(a)!);
    const operation = { e, args, result: values.get(e)!, call: call?.name ?? null };
    if (e.kind === "reduce" && e.op === "mean" && call !== null && counts.has(call)) {
      give(e.args[0]!, broadcastTo(own, args[0]!.shape));
      continue;
    }
    const found = pull(operation, own, (k) => flowing.has(e.args[k]!));
    found.forEach((h, k) => {
      if (h !== null && flowing.has(e.args[k]!)) give(e.args[k]!, h);
    });
  }
}
