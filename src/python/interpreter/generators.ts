/**
 * Generator functions. Their bodies run step by step, so that what they see and change is what it
 * would be in Python; statements without a `yield` in them run as everywhere else.
 */
import { PythonError } from "../errors.ts";
import type { Expression, For, Statement, Try, With } from "../syntax.ts";
import { type FunctionValue, type IteratorValue, NONE, type Value } from "../values.ts";
import { enterContext, leaveAfter } from "./contexts.ts";
import { evaluate } from "./expressions.ts";
import type { Interpreter } from "./interpreter.ts";
import { iterate, iteratorOf, nextItem } from "./iterate.ts";
import { matchingCase } from "./match.ts";
import type { Scope } from "./scope.ts";
import { type Completion, handlerFor, runStatement, truthOf } from "./statements.ts";
import { assignTo } from "./targets.ts";

type Steps<T> = Generator<Value, T, undefined>;

interface Running {
  readonly vm: Interpreter;
  readonly scope: Scope;
  /** Frames of the call stack down to its own, while it runs: each `next()` may come from elsewhere. */
  depth: number;
}

/** What calling a generator function gives: nothing of its body has run yet. */
export function makeGenerator(vm: Interpreter, fn: FunctionValue, scope: Scope): IteratorValue {
  const { code } = fn;
  const g: Running = { vm, scope, depth: 0 };
  const steps = block(g, code.body);
  let returned: Value = NONE;
  const resume = (go: () => IteratorResult<Value, Completion>): Value | undefined => {
    if (vm.frames.length >= vm.limits.callDepth) {
      vm.fail("RecursionError", "maximum recursion depth exceeded");
    }
    vm.step();
    vm.frames.push({ name: code.name, source: code.source, calledFrom: vm.at, scope, fn });
    g.depth = vm.frames.length;
    const step = go();
    vm.frames.pop();
    if (step.done !== true) return step.value;
    if (typeof step.value === "object") returned = step.value.value;
    return undefined;
  };
  return {
    kind: "iterator",
    items: [],
    at: 0,
    source: {
      next: () => resume(() => steps.next()),
      throw: (_, error) => resume(() => steps.throw(error)),
      returned: () => returned,
    },
    born: vm.epoch,
  };
}

function* block(g: Running, body: readonly Statement[]): Steps<Completion> {
  const { vm, scope } = g;
  for (const statement of body) {
    const end = yields(statement)
      ? yield* yieldingStatement(g, statement)
      : runStatement(vm, statement, scope);
    if (end !== undefined) return end;
  }
  return undefined;
}

const known = new WeakMap<object, boolean>();

/** Whether a `yield` of this very function is in it. */
function yields(node: object): boolean {
  let found = known.get(node);
  if (found === undefined) {
    found = Object.entries(node).some(([name, child]: [string, unknown]) => {
      // A function inside is another function.
      if (name === "code" || name === "span" || typeof child !== "object" || child === null)
        return false;
      return ("kind" in child && child.kind === "Yield") || yields(child);
    });
    known.set(node, found);
  }
  return found;
}

function* yieldingStatement(g: Running, node: Statement): Steps<Completion> {
  const { vm, scope } = g;
  vm.at = node.span;
  vm.step();
  switch (node.kind) {
    case "Expression":
      yield* valueOf(g, node.value);
      return undefined;
    case "Assign": {
      const value = yield* valueOf(g, node.value);
      for (const target of node.targets) assignTo(vm, target, value, scope);
      return undefined;
    }
    case "Return":
      return {
        kind: "return",
        value: node.value === null ? NONE : yield* valueOf(g, node.value),
      };
    case "If":
      return yield* block(g, truthOf(vm, node.test, scope) ? node.body : node.otherwise);
    case "For":
      return yield* forLoop(g, node);
    case "While":
      while (truthOf(vm, node.test, scope)) {
        vm.step();
        const end = yield* block(g, node.body);
        if (end === "break") return undefined;
        if (typeof end === "object") return end;
      }
      return yield* block(g, node.otherwise);
    case "With":
      return yield* withBlock(g, node, 0);
    case "Match": {
      const chosen = matchingCase(vm, node, scope);
      return chosen === null ? undefined : yield* block(g, chosen.body);
    }
    case "Try":
      return yield* tryBlock(g, node);
    default:
      return runStatement(vm, node, scope); // says that the yield is in the midst of an expression
  }
}

/** A `yield` that is the whole expression. What is sent back is None: only next() asks. */
function* valueOf(g: Running, node: Expression): Steps<Value> {
  const { vm, scope } = g;
  if (node.kind !== "Yield") return evaluate(vm, node, scope);
  const value = node.value === null ? NONE : evaluate(vm, node.value, scope);
  if (!node.from) {
    yield value;
    vm.at = node.span;
    return NONE;
  }
  vm.at = node.span;
  const inner = iteratorOf(vm, value);
  for (;;) {
    const item = nextItem(vm, inner);
    if (item === undefined) return inner.source?.returned?.() ?? NONE;
    yield item;
  }
}

function* forLoop(g: Running, node: For): Steps<Completion> {
  const { vm, scope } = g;
  const iterable = evaluate(vm, node.iterable, scope);
  vm.at = node.iterable.span;
  for (const item of iterate(vm, iterable)) {
    vm.at = node.span;
    vm.step();
    assignTo(vm, node.target, item, scope);
    const end = yield* block(g, node.body);
    if (end === "break") return undefined;
    if (typeof end === "object") return end;
  }
  return yield* block(g, node.otherwise);
}

function* withBlock(g: Running, node: With, k: number): Steps<Completion> {
  const { vm, scope } = g;
  const item = node.items[k];
  if (item === undefined) return yield* block(g, node.body);
  const context = evaluate(vm, item.context, scope);
  vm.at = item.context.span;
  const entered = enterContext(vm, context);
  let end: Completion;
  try {
    if (item.target !== null) assignTo(vm, item.target, entered.value, scope);
    end = yield* withBlock(g, node, k + 1);
  } catch (e) {
    if (!leaveAfter(vm, entered, e, g.depth)) throw e;
    return undefined;
  }
  entered.leave(null);
  return end;
}

function* tryBlock(g: Running, node: Try): Steps<Completion> {
  let end: Completion;
  try {
    end = yield* guardedBlock(g, node);
  } catch (e) {
    if (!(e instanceof PythonError)) throw e; // an interruption
    const instead = yield* block(g, node.finally);
    if (instead === undefined) throw e;
    return instead;
  }
  return (yield* block(g, node.finally)) ?? end;
}

function* guardedBlock(g: Running, node: Try): Steps<Completion> {
  const { vm, scope } = g;
  let end: Completion;
  try {
    end = yield* block(g, node.body);
  } catch (e) {
    if (!(e instanceof PythonError)) throw e;
    vm.frames.length = g.depth;
    const handler = handlerFor(vm, node.handlers, e, scope);
    return yield* block(g, handler.body);
  }
  return end ?? (yield* block(g, node.otherwise));
}
