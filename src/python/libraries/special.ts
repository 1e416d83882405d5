/** The special functions that SciPy, JAX and HIPS Autograd have under the same names. */
import {
  binary,
  constant,
  div,
  exp,
  log,
  mul,
  reduce,
  sub,
  unary,
  where,
} from "../../expression/build.ts";
import type { Value } from "../values.ts";
import { promote } from "../dtypes.ts";
import { align, elementwise, floatFunction } from "../tensors/elementwise.ts";
import { logSumExp, softmaxOf } from "../tensors/reduce.ts";
import { libraryOf, operandExpr, operandOf, tensor } from "../tensors/tensor.ts";
import * as m from "./common.ts";
import type { CallContext, Table } from "./signature.ts";

/** log(p / (1 - p)). */
export function logit(c: CallContext): Value {
  const x = c.tensor("x");
  const e = c.vm.shaped(() => log(div(x.expr, sub(constant(1), x.expr))));
  return tensor(c.vm, e, x.library, x.dtype);
}

/** x·log(y), and 0 where x is 0 and log(y) is not finite. */
export function xlogy(c: CallContext, shifted = false): Value {
  const given = [c.value("x"), c.value("y")];
  const library = libraryOf(given, c.library);
  const exprs = given.map((v) => operandExpr(c.vm, v, library));
  const e = c.vm.shaped(() => {
    const [x, y] = align(exprs);
    const product = mul(x!, unary(shifted ? "log1p" : "log", y!));
    const edge = constant(shifted ? -1 : 0);
    const empty = binary("and", binary("eq", x!, constant(0)), binary("le", y!, edge));
    return where(empty, constant(0), product);
  });
  const dtype = promote(
    given.map((v, k) => operandOf(v, exprs[k]!)),
    library,
  );
  return tensor(c.vm, e, library, dtype);
}

/** log(exp(a) + exp(b)), as a + softplus(b - a). */
export function logAddExp(c: CallContext, a = c.tensor("x"), b = c.tensor("y")): Value {
  const excess = floatFunction(c.vm, "softplus", elementwise(c.vm, "sub", b, a), c.library);
  return elementwise(c.vm, "add", a, excess);
}

/** logsumexp, with weights b inside the sum. */
export function logSumExpWeighted(c: CallContext): Value {
  if (!c.given("b")) return m.logSumExpOf(c);
  const [x, b] = [c.tensor("x"), c.tensor("b")];
  const e = c.vm.shaped(() => {
    const [a, w] = align([x.expr, b.expr]);
    return log(reduce("sum", mul(w!, exp(a!)), c.dims("dim"), c.flag("keepdim")));
  });
  return tensor(c.vm, e, x.library, logSumExp(c.vm, x, c.dims("dim"), c.flag("keepdim")).dtype);
}

/** softmax over one axis; without one, over all entries. */
export function softmaxAlong(c: CallContext, logarithm: boolean): Value {
  const x = c.tensor("x");
  const dims = c.dims("dim") ?? x.expr.shape.map((_, d) => d);
  if (dims.length !== 1) {
    return c.vm.unsupported(
      `${c.name}() over several axes at once is not supported`,
      "Flatten them into one axis first.",
    );
  }
  return softmaxOf(c.vm, x, dims[0]!, logarithm);
}

const OUT = "!out, !where";

/** scipy.special; HIPS Autograd wraps the same functions, JAX has signatures of its own. */
export const specialFunctions: Table = {
  expit: [`x, ${OUT}`, m.real("sigmoid")],
  log_expit: [`x, ${OUT}`, m.real("logsigmoid")],
  logit: [`x, ${OUT}`, logit],
  xlogy: [`x, y, ${OUT}`, (c) => xlogy(c)],
  xlog1py: [`x, y, ${OUT}`, (c) => xlogy(c, true)],
  logsumexp: ["a, axis=None, b=None, keepdims=False, !return_sign", logSumExpWeighted],
  softmax: ["x, axis=None", (c) => softmaxAlong(c, false)],
  log_softmax: ["x, axis=None", (c) => softmaxAlong(c, true)],
};
