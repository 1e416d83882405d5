/** What each statement does. */
import { PythonError } from "../errors.ts";
import type {
  Assert,
  Assign,
  AugmentedAssign,
  ClassDef,
  ExceptHandler,
  Expression,
  For,
  FunctionDef,
  If,
  Raise,
  Statement,
  Try,
  While,
  With,
} from "../syntax.ts";
import { type FunctionValue, type InstanceValue, NONE, type Value, typeName } from "../values.ts";
import { deleteAttribute, getAttribute, setIn } from "./attributes.ts";
import { call } from "./calls.ts";
import { withContext } from "./contexts.ts";
import { defineClass } from "./definitions.ts";
import { exceptionValue, handles, isException, raise } from "./exceptions.ts";
import { display } from "./format.ts";
import { evaluate } from "./expressions.ts";
import { runImport, runImportFrom } from "./imports.ts";
import { walkSyntax } from "../syntaxWalk.ts";
import { type Interpreter, UnknownSizeError, UnknownValueError } from "./interpreter.ts";
import { iterate } from "./iterate.ts";
import { matchingCase } from "./match.ts";
import { asConstant } from "./naming.ts";
import { copyOf } from "../tensors/picked.ts";
import { augmented } from "./operators.ts";
import type { Scope } from "./scope.ts";
import { deleteItem, getItem, setItem } from "./subscripts.ts";
import { assignTo } from "./targets.ts";
import { nodeOf } from "../tensors/tensor.ts";
import { truth } from "./truth.ts";

/** How a statement ended, where not by going on to the next one. */
export type Completion =
  undefined | "break" | "continue" | { readonly kind: "return"; readonly value: Value };

/** A function's body. @returns the value that it returns */
export function runBody(vm: Interpreter, body: readonly Statement[], scope: Scope): Value {
  const end = runBlock(vm, body, scope);
  return typeof end === "object" ? end.value : NONE;
}

export function runBlock(vm: Interpreter, body: readonly Statement[], scope: Scope): Completion {
  for (const statement of body) {
    const end = runStatement(vm, statement, scope);
    if (end !== undefined) return end;
  }
  return undefined;
}

export function runStatement(vm: Interpreter, node: Statement, scope: Scope): Completion {
  vm.at = node.span;
  vm.step();
  switch (node.kind) {
    case "Expression":
      evaluate(vm, node.value, scope);
      return undefined;
    case "Assign":
      assign(vm, node, scope);
      return undefined;
    case "AnnAssign":
      if (node.value !== null) {
        const value = evaluateNamed(vm, node.target, node.value, scope);
        assignTo(vm, node.target, value, scope);
      }
      return undefined;
    case "AugAssign":
      augmentedAssign(vm, node, scope);
      return undefined;
    case "Return":
      return {
        kind: "return",
        value: node.value === null ? NONE : evaluate(vm, node.value, scope),
      };
    case "If":
      return runBlock(vm, branchOf(vm, node, scope), scope);
    case "For":
      return runFor(vm, node, scope);
    case "While":
      return runWhile(vm, node, scope);
    case "FunctionDef":
      defineFunction(vm, node, scope);
      return undefined;
    case "ClassDef":
      classStatement(vm, node, scope);
      return undefined;
    case "With":
      return runWith(vm, node, scope, 0);
    case "Match": {
      const chosen = matchingCase(vm, node, scope);
      return chosen === null ? undefined : runBlock(vm, chosen.body, scope);
    }
    case "Try":
      return runTry(vm, node, scope);
    case "Raise":
      return runRaise(vm, node, scope);
    case "Assert":
      runAssert(vm, node, scope);
      return undefined;
    case "Delete":
      for (const target of node.targets) runDelete(vm, target, scope);
      return undefined;
    case "Import":
      runImport(vm, node, scope);
      return undefined;
    case "ImportFrom":
      runImportFrom(vm, node, scope);
      return undefined;
    case "Break":
      return "break";
    case "Continue":
      return "continue";
    case "Pass":
      return undefined;
    case "Unsupported":
      return vm.unsupported(`the statement \`${node.construct}\` is not supported`);
  }
}

/** The statements of the branch that is taken: of `elif`s in a row without recursion. */
function branchOf(vm: Interpreter, node: If, scope: Scope): readonly Statement[] {
  for (let at = node; ;) {
    const isTaken = onlyRefuses(at)
      ? checked(vm, at.test, scope, false, "is taken not to hold")
      : truthOf(vm, at.test, scope);
    if (isTaken) return at.body;
    const [next, ...more] = at.otherwise;
    if (next?.kind !== "If" || more.length > 0) return at.otherwise;
    vm.at = next.span;
    vm.step();
    at = next;
  }
}

/** It raises an error about what is wrong, or prints a warning, and changes nothing else. */
function onlyRefuses({ body, otherwise }: If): boolean {
  if (body.length === 1 && body[0]!.kind === "Raise") return true;
  return otherwise.length === 0 && body.every(isMessage);
}

function isMessage(s: Statement): boolean {
  if (s.kind === "Pass") return true;
  if (s.kind !== "Expression" || s.value.kind !== "Call") return false;
  const { callee } = s.value;
  if (callee.kind === "Name") return callee.id === "print" || callee.id === "warn";
  return callee.kind === "Attribute" && MESSAGES.has(callee.name);
}
const MESSAGES = new Set(["warn", "warning", "info", "debug", "error"]);

export function truthOf(vm: Interpreter, test: Expression, scope: Scope): boolean {
  const value = evaluate(vm, test, scope);
  vm.at = test.span;
  return truth(vm, value);
}

/** The value, knowing the name that it is about to get. */
function evaluateNamed(
  vm: Interpreter,
  target: Expression | undefined,
  value: Expression,
  scope: Scope,
): Value {
  const name =
    target?.kind === "Name" ? target.id : target?.kind === "Attribute" ? target.name : "";
  const before = vm.arrays.hint;
  vm.arrays.hint = name;
  try {
    const result = evaluate(vm, value, scope);
    const literal =
      value.kind === "Number" || (value.kind === "Unary" && value.operand.kind === "Number");
    return literal && name !== "" ? asConstant(name, result) : result;
  } finally {
    vm.arrays.hint = before;
  }
}

export function bindName(vm: Interpreter, name: string, value: Value, scope: Scope): void {
  const target = scope.target(name);
  setIn(vm, target, target.variables, name, value);
}

function assign(vm: Interpreter, node: Assign, scope: Scope): void {
  const value = evaluateNamed(vm, node.targets[0], node.value, scope);
  for (const target of node.targets) assignTo(vm, target, value, scope);
}

function augmentedAssign(vm: Interpreter, node: AugmentedAssign, scope: Scope): void {
  const { target } = node;
  if (target.kind === "Name") {
    const before = evaluate(vm, target, scope);
    const by = evaluate(vm, node.value, scope);
    vm.at = node.span;
    const result = augmented(vm, node.op, before, by);
    if (result.kind === "tensor") vm.recorder.made(nodeOf(result), node.span);
    assignTo(vm, target, result, scope);
    return;
  }
  if (target.kind === "Attribute") {
    const owner = evaluate(vm, target.value, scope);
    vm.at = target.span;
    const before = getAttribute(vm, owner, target.name);
    const by = evaluate(vm, node.value, scope);
    vm.at = node.span;
    const result = augmented(vm, node.op, before, by);
    if (result.kind === "tensor") vm.recorder.made(nodeOf(result), node.span);
    assignTo(vm, target, result, scope);
    return;
  }
  if (target.kind !== "Subscript") return vm.unsupported("this augmented assignment");
  const owner = evaluate(vm, target.value, scope);
  const key = evaluate(vm, target.index, scope);
  vm.at = target.span;
  const isPicked = owner.kind === "tensor" && owner.selection !== null;
  const found = getItem(vm, owner, key);
  // Of picked entries, some are a copy.
  const before = isPicked && found.kind === "tensor" ? copyOf(vm, found) : found;
  const by = evaluate(vm, node.value, scope);
  vm.at = node.span;
  const result = augmented(vm, node.op, before, by);
  // A view that has changed in place has already changed the array it is part of; picked entries are a copy.
  const copied = isPicked || (before.kind === "tensor" && before.selection !== null);
  if (result !== before || copied || owner.kind !== "tensor") setItem(vm, owner, key, result);
  if (result.kind === "tensor") vm.recorder.made(nodeOf(result), node.span);
}

function runFor(vm: Interpreter, node: For, scope: Scope): Completion {
  const iterable = evaluate(vm, node.iterable, scope);
  vm.at = node.iterable.span;
  for (const item of iterate(vm, iterable)) {
    vm.at = node.span;
    vm.step();
    assignTo(vm, node.target, item, scope);
    const end = runBlock(vm, node.body, scope);
    if (end === "break") return undefined;
    if (typeof end === "object") return end;
  }
  return runBlock(vm, node.otherwise, scope);
}

function runWhile(vm: Interpreter, node: While, scope: Scope): Completion {
  while (truthOf(vm, node.test, scope)) {
    vm.step();
    const end = runBlock(vm, node.body, scope);
    if (end === "break") return undefined;
    if (typeof end === "object") return end;
  }
  return runBlock(vm, node.otherwise, scope);
}

export function makeFunction(
  vm: Interpreter,
  code: FunctionValue["code"],
  scope: Scope,
  definition: FunctionDef | null,
): FunctionValue {
  const defaults = new Map<string, Value>();
  for (const p of code.parameters) {
    if (p.default !== null) defaults.set(p.name, evaluate(vm, p.default, scope));
  }
  return {
    kind: "function",
    code,
    scope,
    defaults,
    definition,
    owner: null,
    attributes: new Map(),
    born: vm.epoch,
  };
}

function defineFunction(vm: Interpreter, node: FunctionDef, scope: Scope): void {
  const fn = makeFunction(vm, node.code, scope, node);
  bindName(vm, node.name, decorated(vm, fn, node.decorators, scope), scope);
}

function decorated(
  vm: Interpreter,
  v: Value,
  decorators: readonly Expression[],
  scope: Scope,
): Value {
  let value = v;
  // The nearest decorator is applied first; all are evaluated in the order they are written.
  const evaluated = decorators
    .filter((d) => !isDeprecation(d))
    .map((d) => ({ node: d, value: evaluate(vm, d, scope) }));
  for (const d of evaluated.reverse()) {
    vm.at = d.node.span;
    value =
      d.value.kind === "opaque"
        ? {
            kind: "opaque",
            name: v.kind === "function" ? v.code.name : typeName(v),
            reason: `its decorator @${d.value.name} is not known`,
          }
        : call(vm, d.value, [value]);
  }
  return value;
}

/**
 * `@deprecated`, `@deprecated_arg(…)`: warn where they are called, and pass on what they are given
 * (PEP 702). Libraries find out by their version whether to warn, which needs more than reading.
 */
function isDeprecation(decorator: Expression): boolean {
  const named = decorator.kind === "Call" ? decorator.callee : decorator;
  if (named.kind === "Attribute") return /^deprecat/iu.test(named.name);
  return named.kind === "Name" && /^deprecat/iu.test(named.id);
}

function classStatement(vm: Interpreter, node: ClassDef, scope: Scope): void {
  const cls = defineClass(vm, node, scope);
  bindName(vm, node.name, decorated(vm, cls, node.decorators, scope), scope);
}

function runWith(vm: Interpreter, node: With, scope: Scope, k: number): Completion {
  const item = node.items[k];
  if (item === undefined) return runBlock(vm, node.body, scope);
  const context = evaluate(vm, item.context, scope);
  vm.at = item.context.span;
  return withContext(vm, context, (value) => {
    if (item.target !== null) assignTo(vm, item.target, value, scope);
    return runWith(vm, node, scope, k + 1);
  });
}

function runTry(vm: Interpreter, node: Try, scope: Scope): Completion {
  let end: Completion;
  try {
    end = runGuarded(vm, node, scope);
  } catch (e) {
    if (!(e instanceof PythonError)) throw e; // an interruption
    const instead = runBlock(vm, node.finally, scope);
    if (instead === undefined) throw e;
    return instead;
  }
  return runBlock(vm, node.finally, scope) ?? end;
}

function runGuarded(vm: Interpreter, node: Try, scope: Scope): Completion {
  let end: Completion;
  try {
    end = guarded(vm, node, () => runBlock(vm, node.body, scope));
  } catch (e) {
    if (!(e instanceof PythonError)) throw e;
    return runHandlers(vm, node.handlers, e, scope);
  }
  return end ?? runBlock(vm, node.otherwise, scope);
}

/** Inside a `try` that handles failing imports, a missing module is an error and not opaque. */
function guarded<T>(vm: Interpreter, node: Try, body: () => T): T {
  const catches = node.handlers.length > 0;
  const depth = vm.frames.length;
  const { stopGradientDepth } = vm;
  if (catches) vm.importGuards++;
  try {
    return body();
  } finally {
    if (catches) vm.importGuards--;
    vm.frames.length = depth;
    vm.stopGradientDepth = stopGradientDepth;
  }
}

function runHandlers(
  vm: Interpreter,
  handlers: readonly ExceptHandler[],
  error: PythonError,
  scope: Scope,
): Completion {
  const handler = handlerFor(vm, handlers, error, scope);
  vm.handling.push(error);
  try {
    return runBlock(vm, handler.body, scope);
  } finally {
    vm.handling.pop();
  }
}

/** The handler that takes the error, its name bound. @throws the error itself if there is none */
export function handlerFor(
  vm: Interpreter,
  handlers: readonly ExceptHandler[],
  error: PythonError,
  scope: Scope,
): ExceptHandler {
  for (const handler of handlers) {
    const type = handler.type === null ? null : evaluate(vm, handler.type, scope);
    if (!handles(vm, type, error)) continue;
    if (handler.name !== null) bindName(vm, handler.name, exceptionValue(vm, error), scope);
    return handler;
  }
  throw error;
}

function runRaise(vm: Interpreter, node: Raise, scope: Scope): never {
  if (node.value === null) {
    const current = vm.handling.at(-1);
    if (current !== undefined) throw current;
    return vm.fail("RuntimeError", "No active exception to reraise");
  }
  let value = evaluate(vm, node.value, scope);
  vm.at = node.span;
  if (value.kind === "class") value = call(vm, value, []);
  vm.at = node.span;
  if (!isException(value)) {
    return vm.fail("TypeError", "exceptions must derive from BaseException");
  }
  if (node.cause !== null) setCause(vm, value, evaluate(vm, node.cause, scope));
  vm.at = node.span;
  return raise(vm, value);
}

function setCause(vm: Interpreter, error: InstanceValue, cause: Value): void {
  const made = cause.kind === "class" ? call(vm, cause, []) : cause;
  setIn(vm, error, error.attributes, "__cause__", made);
}

/**
 * A test that refuses what is wrong: where it depends on values that are not known, they are taken
 * to be right, and that is said.
 */
function checked(
  vm: Interpreter,
  test: Expression,
  scope: Scope,
  right: boolean,
  said: string,
): boolean {
  const { recorder, undecided } = vm;
  const before = recorder.assumptions.length;
  const decided = recorder.decisions.length;
  vm.undecided = null;
  try {
    const holds = truthOf(vm, test, scope);
    // That the bound arrays are right narrows nothing.
    recorder.assumptions.length = before;
    return holds;
  } catch (e) {
    if (!(e instanceof PythonError) || e.type !== "Unsupported") throw e;
    if (!(e.cause instanceof UnknownSizeError) && !(e.cause instanceof UnknownValueError)) throw e;
    const text = vm.source?.lines[test.span.line - 1]?.trim() ?? "the check";
    recorder.assume(`line ${test.span.line}: \`${text}\` ${said}`);
    return right;
  } finally {
    vm.undecided = undecided;
    recorder.decisions.length = decided;
  }
}

function runAssert(vm: Interpreter, node: Assert, scope: Scope): void {
  if (checked(vm, node.test, scope, true, "is taken to hold")) return;
  vm.at = node.span;
  const message = node.message === null ? NONE : evaluate(vm, node.message, scope);
  vm.at = node.span;
  if (message.kind !== "none") vm.fail("AssertionError", display(vm, message));
  vm.fail("AssertionError", "", `${checkText(vm, node.test, scope)}.`);
}

/** What a failed check says, and the plain values of the names in it. */
function checkText(vm: Interpreter, test: Expression, scope: Scope): string {
  const { line, column, endLine, endColumn } = test.span;
  const code = vm.source?.lines[line - 1] ?? "";
  const end = endLine === undefined || endLine === line ? endColumn : undefined;
  const names = new Set<string>();
  walkSyntax([test], (n) => {
    if (n.kind === "Name") names.add(n.id);
  });
  const values = [...names].flatMap((name) => {
    const v = scope.lookup(name);
    if (v === undefined || v === "unbound") return [];
    const isPlain = v.kind === "number" || v.kind === "str" || v.kind === "none";
    return isPlain ? [`${name} is ${display(vm, v, true)}`] : [];
  });
  const text = `\`${code.slice(column - 1, end === undefined ? undefined : end - 1)}\` must hold`;
  return values.length === 0 ? text : `${text}; here ${values.join(", ")}`;
}

function runDelete(vm: Interpreter, target: Expression, scope: Scope): void {
  vm.at = target.span;
  switch (target.kind) {
    case "Name": {
      const owner = scope.target(target.id);
      if (!owner.variables.has(target.id)) {
        vm.fail("NameError", `name '${target.id}' is not defined`);
      }
      setIn(vm, owner, owner.variables, target.id, null);
      return;
    }
    case "Attribute":
      deleteAttribute(vm, evaluate(vm, target.value, scope), target.name);
      return;
    case "Subscript": {
      const owner = evaluate(vm, target.value, scope);
      const key = evaluate(vm, target.index, scope);
      vm.at = target.span;
      deleteItem(vm, owner, key);
      return;
    }
    case "Tuple":
    case "List":
      for (const item of target.items) runDelete(vm, item, scope);
      return;
    default:
      vm.unsupported("this `del` is not supported");
  }
}
