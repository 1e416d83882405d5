/** Python's exceptions as values, and which handler takes one. */
import type { PythonError } from "../errors.ts";
import { type ClassValue, type InstanceValue, NONE, type Value, str, tuple } from "../values.ts";
import { makeClass } from "./classes.ts";
import { display } from "./format.ts";
import type { Interpreter } from "./interpreter.ts";

/** Name and base of each; those without a line of their own in Python's tree derive from Exception. */
const HIERARCHY: readonly (readonly [string, string])[] = [
  ["Exception", "BaseException"],
  ["KeyboardInterrupt", "BaseException"],
  ["SystemExit", "BaseException"],
  ["ArithmeticError", "Exception"],
  ["ZeroDivisionError", "ArithmeticError"],
  ["OverflowError", "ArithmeticError"],
  ["FloatingPointError", "ArithmeticError"],
  ["AssertionError", "Exception"],
  ["AttributeError", "Exception"],
  ["EOFError", "Exception"],
  ["ImportError", "Exception"],
  ["ModuleNotFoundError", "ImportError"],
  ["LookupError", "Exception"],
  ["IndexError", "LookupError"],
  ["KeyError", "LookupError"],
  ["MemoryError", "Exception"],
  ["NameError", "Exception"],
  ["UnboundLocalError", "NameError"],
  ["OSError", "Exception"],
  ["FileNotFoundError", "OSError"],
  ["PermissionError", "OSError"],
  ["RuntimeError", "Exception"],
  ["NotImplementedError", "RuntimeError"],
  ["RecursionError", "RuntimeError"],
  ["StopIteration", "Exception"],
  ["SyntaxError", "Exception"],
  ["IndentationError", "SyntaxError"],
  ["TabError", "IndentationError"],
  ["TypeError", "Exception"],
  ["ValueError", "Exception"],
  ["Warning", "Exception"],
  ["UserWarning", "Warning"],
  ["DeprecationWarning", "Warning"],
  ["FutureWarning", "Warning"],
  ["RuntimeWarning", "Warning"],
  ["ImportWarning", "Warning"],
  ["PendingDeprecationWarning", "Warning"],
];

function exceptionClasses(): Map<string, ClassValue> {
  const init: Value = {
    kind: "builtin",
    name: "__init__",
    binds: true,
    call: (_vm, { positional }) => {
      const [self, ...args] = positional;
      if (self?.kind === "instance") self.attributes.set("args", tuple(args));
      return NONE;
    },
  };
  const classes = new Map<string, ClassValue>();
  const base = makeClass({
    name: "BaseException",
    bases: [],
    attributes: new Map<string, Value>([
      ["__init__", init],
      ["__traceback__", NONE],
      ["__cause__", NONE],
      ["__context__", NONE],
    ]),
  })!;
  classes.set("BaseException", base);
  for (const [name, parent] of HIERARCHY) {
    const bases = [classes.get(parent)!];
    classes.set(name, makeClass({ name, bases, attributes: new Map() })!);
  }
  return classes;
}

export const EXCEPTIONS: ReadonlyMap<string, ClassValue> = exceptionClasses();

/** The exception object behind an error that `raise` threw. */
const raised = new WeakMap<PythonError, InstanceValue>();

/** `raise value`: a class or an instance. */
export function raise(vm: Interpreter, v: InstanceValue): never {
  const message = messageOf(vm, v);
  const error = vm.error(v.cls.name, message, vm.at);
  raised.set(error, v);
  throw error;
}

export function isException(v: Value): v is InstanceValue {
  return v.kind === "instance" && v.cls.mro.includes(EXCEPTIONS.get("BaseException")!);
}

/** str() of an exception. */
export function messageOf(vm: Interpreter, v: InstanceValue): string {
  const args = v.attributes.get("args");
  if (args?.kind !== "tuple" || args.items.length === 0) return "";
  if (args.items.length > 1) return display(vm, args);
  const isKeyError = v.cls.mro.includes(EXCEPTIONS.get("KeyError")!);
  return display(vm, args.items[0]!, isKeyError);
}

/** What `except … as e` binds. */
export function exceptionValue(vm: Interpreter, error: PythonError): InstanceValue {
  const known = raised.get(error);
  if (known !== undefined) return known;
  const cls = EXCEPTIONS.get(error.type) ?? EXCEPTIONS.get("Exception")!;
  // A KeyError's message is the key's repr; its argument is the key itself.
  const quoted = error.type === "KeyError" ? /^'(.*)'$/s.exec(error.message)?.[1] : undefined;
  const args = tuple([str(quoted ?? error.message)]);
  return { kind: "instance", cls, attributes: new Map([["args", args]]), born: vm.epoch };
}

/** Whether `except type:` takes the error. What cannot be traced is never swallowed. */
export function handles(vm: Interpreter, type: Value | null, error: PythonError): boolean {
  if (error.type === "Unsupported") return false;
  if (type === null) return true;
  if (type.kind === "tuple") return type.items.some((t) => handles(vm, t, error));
  if (type.kind === "opaque") return false;
  if (type.kind !== "class") {
    return vm.fail(
      "TypeError",
      "catching classes that do not inherit from BaseException is not allowed",
    );
  }
  return exceptionValue(vm, error).cls.mro.includes(type);
}
