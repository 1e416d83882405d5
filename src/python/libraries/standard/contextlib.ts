/** contextlib */
import type { PythonError } from "../../errors.ts";
import { call } from "../../interpreter/calls.ts";
import { handles } from "../../interpreter/exceptions.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { nextItem } from "../../interpreter/iterate.ts";
import { type ContextValue, NONE, type Value, tuple, typeName } from "../../values.ts";
import { type Contents, fn } from "./define.ts";

function context(name: string, manager: NonNullable<ContextValue["manager"]>): ContextValue {
  return { kind: "context", name, effect: "none", manager };
}

/** What is before the function's `yield` runs at the start of the block, the rest at its end. */
function managed(
  vm: Interpreter,
  f: Value,
  positional: readonly Value[],
  keywords: ReadonlyMap<string, Value>,
): Value {
  const generator = call(vm, f, positional, keywords);
  if (generator.kind !== "iterator") {
    return vm.fail("TypeError", `'${typeName(generator)}' object is not an iterator`);
  }
  const end = (item: Value | undefined, what: string): void => {
    if (item !== undefined) vm.fail("RuntimeError", `generator didn't stop${what}`);
  };
  return context(f.kind === "function" ? f.code.name : "contextmanager", {
    enter: (inner) =>
      nextItem(inner, generator) ?? inner.fail("RuntimeError", "generator didn't yield"),
    leave: (inner, error: PythonError | null) => {
      if (error === null) {
        end(nextItem(inner, generator), "");
        return false;
      }
      try {
        end(generator.source?.throw?.(inner, error), " after throw()");
      } catch (e) {
        if (e === error) return false; // it let the error pass
        throw e;
      }
      return true;
    },
  });
}

export const contextlib: Contents = {
  suppress: fn("suppress", "*exceptions", (c) =>
    context("contextlib.suppress()", {
      enter: () => NONE,
      leave: (vm, error) => error !== null && handles(vm, tuple(c.list("exceptions")), error),
    }),
  ),
  nullcontext: fn("nullcontext", "enter_result=None", (c) =>
    context("contextlib.nullcontext()", {
      enter: () => c.value("enter_result"),
      leave: () => false,
    }),
  ),
  contextmanager: fn("contextmanager", "func", (c) => {
    const f = c.value("func");
    return {
      kind: "builtin",
      name: "contextmanager",
      wraps: f,
      binds: true,
      call: (vm, { positional, keywords }) => managed(vm, f, positional, keywords),
    };
  }),
};
