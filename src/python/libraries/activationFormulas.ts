/** Formulas of activations that PyTorch, TensorFlow, Keras and JAX have alike. */
import { type TensorValue, type Value, float } from "../values.ts";
import { axisOf } from "./picking.ts";
import { splitInto } from "./pieces.ts";
import type { CallContext, Meaning } from "./signature.ts";
import { type Arithmetic, arithmetic } from "./torchElementwise.ts";

/** A formula of the array that a function is given. */
export const written =
  (make: (x: TensorValue, a: Arithmetic, c: CallContext) => Value): Meaning =>
  (c) =>
    make(c.tensor("x"), arithmetic(c.vm, c.library), c);

/**
 * GELU by tanh (Hendrycks and Gimpel, 2016): the exact one has the error function, of which there is
 * no formula here.
 * @param isAsked whether it is the one by tanh that is asked for
 * @param exact how the exact one is asked for
 * @param byTanh how the one by tanh is
 */
export const gelu = (
  isAsked: (c: CallContext) => boolean,
  exact: string,
  byTanh: string,
): Meaning =>
  written((x, { add, mul, tanh }, c) => {
    if (!isAsked(c)) {
      return c.vm.unsupported(
        `${c.name}() with ${exact}, which has the error function, is not supported`,
        `Use ${byTanh}.`,
      );
    }
    const cubic = mul(float(0.044715), mul(x, mul(x, x)));
    const inner = mul(float(Math.sqrt(2 / Math.PI)), add(x, cubic));
    return mul(x, mul(float(0.5), add(float(1), tanh(inner))));
  });

/** One half of an axis, let through as far as the other half says; `dim` is what names the axis. */
export const gated = (dim: string): Meaning =>
  written((x, { mul, sigmoid }, c) => {
    const [open, gate] = splitInto(c, x, axisOf(c, x, c.int(dim)), 2);
    return mul(open!, sigmoid(gate!));
  });
