/** A quotient n / d whose gradient is written by hand: rightly, or with a known mistake. */
import type { WrongQuotient } from "./style.ts";

/** A line, and whether it is the quotient, or the mistake in its gradient. */
type CodeLine = readonly [indent: number, code: string, is: "quotient" | "wrong" | null];

export interface Quotient {
  readonly call: (n: string, d: string) => string;
  readonly define: (wrong: WrongQuotient | null) => readonly CodeLine[];
}

/** The gradients for n and d, when `g` arrives. */
function gradients(g: string, zeros: string, wrong: WrongQuotient | null): string {
  const second = {
    right: `-${g} * n / d ** 2`,
    "no second term": `${zeros}(d)`,
    "no square": `-${g} * n / d`,
    sign: `${g} * n / d ** 2`,
  }[wrong ?? "right"];
  return `${g} / d, ${second}`;
}

export const TORCH_QUOTIENT: Quotient = {
  call: (n, d) => `Quotient.apply(${n}, ${d})`,
  define: (wrong) => [
    [0, "class Quotient(torch.autograd.Function):", null],
    [1, "@staticmethod", null],
    [1, "def forward(ctx, n, d):", null],
    [2, "ctx.save_for_backward(n, d)", null],
    [2, "return n / d", "quotient"],
    [0, "", null],
    [1, "@staticmethod", null],
    [1, "def backward(ctx, grad_output):", null],
    [2, "n, d = ctx.saved_tensors", null],
    [
      2,
      `return ${gradients("grad_output", "torch.zeros_like", wrong)}`,
      wrong === null ? null : "wrong",
    ],
  ],
};

export const JAX_QUOTIENT: Quotient = {
  call: (n, d) => `quotient(${n}, ${d})`,
  define: (wrong) => [
    [0, "@jax.custom_vjp", null],
    [0, "def quotient(n, d):", null],
    [1, "return n / d", "quotient"],
    [0, "", null],
    [0, "def quotient_forward(n, d):", null],
    [1, "return n / d, (n, d)", null],
    [0, "", null],
    [0, "def quotient_backward(saved, g):", null],
    [1, "n, d = saved", null],
    [1, `return ${gradients("g", "jnp.zeros_like", wrong)}`, wrong === null ? null : "wrong"],
    [0, "", null],
    [0, "quotient.defvjp(quotient_forward, quotient_backward)", null],
  ],
};

export const TENSORFLOW_QUOTIENT: Quotient = {
  call: (n, d) => `quotient(${n}, ${d})`,
  define: (wrong) => [
    [0, "@tf.custom_gradient", null],
    [0, "def quotient(n, d):", null],
    [1, "def grad(upstream):", null],
    [2, `return ${gradients("upstream", "tf.zeros_like", wrong)}`, wrong === null ? null : "wrong"],
    [1, "return n / d, grad", "quotient"],
  ],
};
