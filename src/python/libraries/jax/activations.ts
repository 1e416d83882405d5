/** jax.nn's activations beyond sigmoid and softmax, with JAX's own gradients where pieces meet. */
import { elementwise, keepingFunction } from "../../tensors/elementwise.ts";
import { reduction } from "../../tensors/reduce.ts";
import { type TensorValue, type Value, float } from "../../values.ts";
import { gated, gelu, written } from "../activationFormulas.ts";
import type { CallContext, Table } from "../signature.ts";
import { type Arithmetic, curvedActivations } from "../torchElementwise.ts";

/** min(max(x, 0), 6): a bound that is met gets half of the gradient. */
function relu6(c: CallContext, x: Value): TensorValue {
  const above = elementwise(c.vm, "max", x, float(0), "jax");
  return elementwise(c.vm, "min", above, float(6), "jax");
}

const hardSigmoid = (c: CallContext, x: TensorValue, { add, div }: Arithmetic): TensorValue =>
  div(relu6(c, add(x, float(3))), float(6));

const hardSilu = written((x, a, c) => a.mul(x, hardSigmoid(c, x, a)));

/** Without its mean, and divided by its deviation. */
const standardized = written((x, { add, sub, mul, div, sqrt }, c) => {
  if (c.text("algorithm") !== "fast") c.vm.unsupported(`standardize() with another algorithm`);
  const dims = c.dims("axis");
  const meanOf = (t: TensorValue): TensorValue => reduction(c.vm, "mean", t, dims, true);
  const mean = c.optional("mean") ?? meanOf(x);
  const variance = c.optional("variance") ?? sub(meanOf(mul(x, x)), mul(mean, mean));
  return div(sub(x, mean), sqrt(add(variance, c.value("epsilon"))));
});

/** Source: JAX 0.10, `jax.nn`. */
export const activations: Table = {
  leaky_relu: [
    "x, negative_slope=0.01",
    written((x, { mul, is, choose }, c) =>
      choose(is("ge", x, 0), x, mul(c.value("negative_slope"), x)),
    ),
  ],
  elu: ["x, alpha=1.0", curvedActivations["elu"]![1]],
  selu: ["x", curvedActivations["selu"]![1]],
  celu: ["x, alpha=1.0", curvedActivations["celu"]![1]],
  mish: ["x", curvedActivations["mish"]![1]],
  relu6: ["x", (c) => relu6(c, c.tensor("x"))],
  hard_sigmoid: ["x", written((x, a, c) => hardSigmoid(c, x, a))],
  hard_silu: ["x", hardSilu],
  hard_swish: ["x", hardSilu],
  hard_tanh: [
    "x",
    written((x, { is, choose }) =>
      choose(is("gt", x, 1), float(1), choose(is("lt", x, -1), float(-1), x)),
    ),
  ],
  soft_sign: [
    "x",
    written((x, { add, div }, c) => div(x, add(keepingFunction(c.vm, "abs", x), float(1)))),
  ],
  squareplus: [
    "x, b=4",
    written((x, { add, mul, div, sqrt }, c) =>
      div(add(x, sqrt(add(mul(x, x), c.value("b")))), float(2)),
    ),
  ],
  sparse_plus: [
    "x",
    written((x, { add, mul, div, is, choose }) => {
      const next = add(x, float(1));
      const curve = div(mul(next, next), float(4));
      return choose(is("le", x, -1), float(0), choose(is("ge", x, 1), x, curve));
    }),
  ],
  gelu: [
    "x, approximate=True",
    gelu((c) => c.flag("approximate"), "approximate=False", "approximate=True"),
  ],
  glu: ["x, axis=-1", gated("axis")],
  standardize: [
    "x, axis=-1, mean=None, variance=None, epsilon=1e-05, !where, *, algorithm='fast'",
    standardized,
  ],
};
