/** grad(f) and value_and_grad(f) of JAX and HIPS Autograd, inside of code that is traced. */
import { call } from "../interpreter/calls.ts";
import { type BuiltinValue, type OpaqueValue, tuple } from "../values.ts";
import type { Entry } from "./signature.ts";

const REASON = "it is a gradient, and gradients are what the inspector derives itself";
const REMEDY =
  "Derive the loss function itself; its gradient is shown beside what the library computes.";

/** `grad(f)`: harmless to have; to call it is to ask for a gradient inside of the traced code. */
export function gradientOf(name: string): Entry {
  return [
    "fun, *rest, **",
    (c): BuiltinValue => ({
      kind: "builtin",
      name,
      call: (vm) => vm.unsupported(`the result of ${name}(…) is not known here: ${REASON}`, REMEDY),
      wraps: c.value("fun"),
    }),
  ];
}

/** `value_and_grad(f)(x)`: the value is f(x); the gradient beside it may be handed on, not used. */
export function valueAndGradient(name: string): Entry {
  return [
    "fun, *rest, **",
    (c): BuiltinValue => ({
      kind: "builtin",
      name,
      wraps: c.value("fun"),
      call: (vm, { positional, keywords }) => {
        const gradient: OpaqueValue = {
          kind: "opaque",
          name: `the gradient of ${name}(…)`,
          reason: REASON,
        };
        return tuple([call(vm, c.value("fun"), positional, keywords), gradient]);
      },
    }),
  ];
}
