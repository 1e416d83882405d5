/** Libraries that JAX code uses beside it: Optax's losses, Chex's assertions, annotations of shapes. */
import {
  mul,
  neg,
  reduce,
  sub,
  unary,
  constant,
  add,
  pow,
  softmax,
} from "../../../expression/build.ts";
import { normalizeDim } from "../../../expression/axis.ts";
import type { Expr } from "../../../expression/node.ts";
import { align } from "../../tensors/elementwise.ts";
import { operandExpr, tensor } from "../../tensors/tensor.ts";
import { type ClassValue, NONE, type Value } from "../../values.ts";
import { makeClass } from "../../interpreter/classes.ts";
import { numberExpr } from "../../interpreter/numbers.ts";
import type { OtherNames } from "../model.ts";
import type { CallContext, Table } from "../signature.ts";
import { unchanged } from "../standard/define.ts";

/** Both arguments as expressions that broadcast, and what the result's dtype is. */
function pair(c: CallContext): [logits: Expr, labels: Expr] {
  const exprs = [c.expr("logits"), operandExpr(c.vm, c.value("labels"), "jax")];
  const [x, t] = c.vm.shaped(() => align(exprs));
  return [x!, t!];
}

function result(c: CallContext, make: (x: Expr, t: Expr) => Expr): Value {
  const [x, t] = pair(c);
  return tensor(
    c.vm,
    c.vm.shaped(() => make(x, t)),
    "jax",
    c.tensor("logits").dtype,
  );
}

/** -t·log σ(x) - (1 - t)·log σ(-x) */
function binaryCrossEntropy(x: Expr, t: Expr): Expr {
  const hit = mul(t, unary("logsigmoid", x));
  const miss = mul(sub(constant(1), t), unary("logsigmoid", neg(x)));
  return sub(neg(hit), miss);
}

/** The cross entropy times (1 - p_t)^γ, and times α_t where α is given. */
function focal(c: CallContext): Value {
  const scalar = (name: string): Expr => {
    const v = c.value(name);
    return v.kind === "number" ? numberExpr(v) : c.bad(name, "a number");
  };
  return result(c, (x, t) => {
    const p = unary("sigmoid", x);
    const one = constant(1);
    const ofClass = (a: Expr): Expr => add(mul(a, t), mul(sub(one, a), sub(one, t)));
    const loss = mul(binaryCrossEntropy(x, t), pow(sub(one, ofClass(p)), scalar("gamma")));
    return c.given("alpha") ? mul(ofClass(scalar("alpha")), loss) : loss;
  });
}

function softmaxCrossEntropy(c: CallContext): Value {
  return result(c, (x, t) => {
    const dim = normalizeDim(c.int("axis"), x.shape.length);
    return neg(reduce("sum", mul(t, softmax(x, dim, true)), [dim]));
  });
}

export const optaxLosses: Table = {
  sigmoid_binary_cross_entropy: ["logits, labels", (c) => result(c, binaryCrossEntropy)],
  softmax_cross_entropy: ["logits, labels, axis=-1, !where", softmaxCrossEntropy],
  sigmoid_focal_loss: ["logits, labels, alpha=None, gamma=2.0", focal],
};

const ANNOTATION: ClassValue = makeClass({ name: "Array", bases: [], attributes: new Map() })!;

/** chex.assert_shape and its like check what a trace takes for granted. */
export const chexNames: OtherNames = (name) => {
  if (name.startsWith("assert_"))
    return { kind: "builtin", name: `chex.${name}`, call: () => NONE };
  if (/^(Array|Numeric|Scalar|ArrayTree|PRNGKey|Shape)/.test(name)) return ANNOTATION;
  return undefined;
};

/** jaxtyping, beartype and typeguard check types and shapes while the code runs. */
export const checkingNames: OtherNames = (name) =>
  /^(jaxtyped|beartype|typechecked)$/.test(name) ? unchanged(name) : ANNOTATION;
