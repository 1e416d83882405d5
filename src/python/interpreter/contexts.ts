/** `with`: entering and leaving contexts, of libraries and of the user's own classes. */
import { PythonError } from "../errors.ts";
import { type ContextValue, NONE, type Value, typeName } from "../values.ts";
import { findMethod } from "./attributes.ts";
import { call } from "./calls.ts";
import { exceptionValue } from "./exceptions.ts";
import type { Interpreter } from "./interpreter.ts";
import { truth } from "./truth.ts";

export interface Entered {
  /** What `as` binds. */
  readonly value: Value;
  /** @returns whether the error (`null`: there was none) is swallowed */
  readonly leave: (error: PythonError | null) => boolean;
}

export function enterContext(vm: Interpreter, context: Value): Entered {
  if (context.kind === "context") return enterLibraryContext(vm, context);
  if (context.kind === "opaque") {
    return vm.unsupported(
      `what \`with ${context.name}\` does to the block below it is not known to the inspector`,
      "Take the code out of the block if it has no effect on the result.",
    );
  }
  const enter = findMethod(context, "__enter__");
  const exit = findMethod(context, "__exit__");
  if (enter === null || exit === null) {
    return vm.fail(
      "TypeError",
      `'${typeName(context)}' object does not support the context manager protocol`,
    );
  }
  return {
    value: call(vm, enter, []),
    leave: (error) => {
      if (error === null) {
        call(vm, exit, [NONE, NONE, NONE]);
        return false;
      }
      const raised = exceptionValue(vm, error);
      return truth(vm, call(vm, exit, [raised.cls, raised, NONE]));
    },
  };
}

function enterLibraryContext(vm: Interpreter, context: ContextValue): Entered {
  const { manager } = context;
  if (manager !== undefined) {
    return { value: manager.enter(vm), leave: (error) => manager.leave(vm, error) };
  }
  const before = vm.stopGradientDepth;
  if (context.effect === "stop-gradient") vm.stopGradientDepth++;
  if (context.effect === "allow-gradient") vm.stopGradientDepth = 0;
  return {
    value: NONE,
    leave: () => {
      vm.stopGradientDepth = before;
      return false;
    },
  };
}

/**
 * Runs `body` as inside `with context:`; `undefined` if the context swallowed an error. What cannot
 * be traced is never swallowed.
 */
export function withContext<T>(
  vm: Interpreter,
  context: Value,
  body: (value: Value) => T,
): T | undefined {
  const entered = enterContext(vm, context);
  const depth = vm.frames.length;
  let result: T;
  try {
    result = body(entered.value);
  } catch (e) {
    if (!leaveAfter(vm, entered, e, depth)) throw e;
    return undefined;
  }
  entered.leave(null);
  return result;
}

/** Leaves a context whose block has thrown. @returns whether the context swallows what was thrown */
export function leaveAfter(vm: Interpreter, entered: Entered, e: unknown, depth: number): boolean {
  if (!(e instanceof PythonError) || e.type === "Unsupported") return false;
  vm.frames.length = depth;
  return entered.leave(e);
}
