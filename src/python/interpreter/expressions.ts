/** What each expression is worth. */
import { textOf } from "../callables.ts";
import type {
  Call,
  CallArgument,
  Comparison,
  Comprehension,
  Dictionary,
  Expression,
  FString,
  FStringPart,
  Sequence,
} from "../syntax.ts";
import {
  type CallRequest,
  ELLIPSIS,
  FALSE,
  NONE,
  type RequestName,
  TRUE,
  type Value,
  str,
  tuple,
  typeName,
} from "../values.ts";
import { getAttribute } from "./attributes.ts";
import { call } from "./calls.ts";
import { makeDict, makeList, setOf } from "./collections.ts";
import { display, formatValue } from "./format.ts";
import type { Interpreter } from "./interpreter.ts";
import { iterate, lazyIterator } from "./iterate.ts";
import { isLoss, libraryLoss } from "./losses.ts";
import { binaryOperation, compareOperation, unaryOperation } from "./operators.ts";
import { Scope } from "./scope.ts";
import { shapesRequest } from "./shapesRequest.ts";
import { makeFunction } from "./statements.ts";
import { getItem } from "./subscripts.ts";
import { assignTo, bindVariable } from "./targets.ts";
import { asTensor, nodeOf } from "../tensors/tensor.ts";
import { libraryOfValue } from "../trace/library.ts";
import { truth } from "./truth.ts";

/** Names that Python itself defines and that reach outside of a program, or into its innards. */
const UNMODELLED_BUILTINS = new Set(
  "open eval exec compile input breakpoint globals locals vars memoryview bytearray bytes help id exit quit copyright credits license".split(
    " ",
  ),
);

export function evaluate(vm: Interpreter, node: Expression, scope: Scope): Value {
  const value = evaluateNode(vm, node, scope);
  if (value.kind === "tensor" && node.kind !== "Name") vm.recorder.made(nodeOf(value), node.span);
  if (value.kind === "number" && value.symbol !== null && node.kind !== "Name") {
    vm.recorder.made(value.symbol, node.span);
  }
  return value;
}

const SINGLETONS = { True: TRUE, False: FALSE, None: NONE, Ellipsis: ELLIPSIS } as const;

function evaluateNode(vm: Interpreter, node: Expression, scope: Scope): Value {
  vm.at = node.span;
  switch (node.kind) {
    case "Name":
      return lookupName(vm, node.id, scope);
    case "Number":
      if (node.type === "complex") return vm.unsupported("complex numbers are not supported");
      return { kind: "number", type: node.type, value: node.value, symbol: null, axes: null };
    case "String":
      return str(node.value);
    case "FString":
      return str(formatString(vm, node, scope));
    case "Singleton":
      return SINGLETONS[node.value];
    case "Attribute": {
      const owner = evaluate(vm, node.value, scope);
      vm.at = node.span;
      return getAttribute(vm, owner, node.name);
    }
    case "Subscript": {
      const owner = evaluate(vm, node.value, scope);
      const key = evaluate(vm, node.index, scope);
      vm.at = node.span;
      return getItem(vm, owner, key);
    }
    case "Slice": {
      const bound = (b: Expression | null): Value => (b === null ? NONE : evaluate(vm, b, scope));
      return {
        kind: "slice",
        start: bound(node.lower),
        stop: bound(node.upper),
        step: bound(node.step),
      };
    }
    case "Call":
      return evaluateCall(vm, node, scope);
    case "Binary": {
      // A sum leans to the left, as deep as it has terms.
      const spine = [node];
      for (let at = node.left; at.kind === "Binary"; at = at.left) spine.push(at);
      let value = evaluate(vm, spine.at(-1)!.left, scope);
      for (const at of spine.reverse()) {
        const right = evaluate(vm, at.right, scope);
        vm.at = at.span;
        value = binaryOperation(vm, at.op, value, right);
      }
      return value;
    }
    case "Unary": {
      const operand = evaluate(vm, node.operand, scope);
      vm.at = node.span;
      return unaryOperation(vm, node.op, operand);
    }
    case "Boolean": {
      const spine = [node];
      for (let at = node.left; at.kind === "Boolean"; at = at.left) spine.push(at);
      let value = evaluate(vm, spine.at(-1)!.left, scope);
      for (const at of spine.reverse()) {
        vm.at = at.left.span;
        if (truth(vm, value) === (at.op === "and")) value = evaluate(vm, at.right, scope);
      }
      return value;
    }
    case "Compare":
      return evaluateComparison(vm, node, scope);
    case "Conditional": {
      const test = evaluate(vm, node.test, scope);
      vm.at = node.test.span;
      return evaluate(vm, truth(vm, test) ? node.then : node.otherwise, scope);
    }
    case "Tuple":
    case "List":
    case "Set":
      return evaluateSequence(vm, node, scope);
    case "Dict":
      return evaluateDictionary(vm, node, scope);
    case "Lambda":
      return makeFunction(vm, node.code, scope, null);
    case "Comprehension":
      return evaluateComprehension(vm, node, scope);
    case "Walrus": {
      const value = evaluate(vm, node.value, scope);
      bindVariable(vm, node.name, value, scope.target(node.name));
      return value;
    }
    case "Starred":
      return vm.fail("SyntaxError", "can't use starred expression here");
    case "Yield":
      return vm.unsupported(
        "`yield` inside of a larger expression is not supported",
        "Give it a statement of its own: value = yield item.",
      );
    case "Unsupported":
      return vm.unsupported(`\`${node.construct}\` is not supported`);
  }
}

export function lookupName(vm: Interpreter, name: string, scope: Scope): Value {
  const found = scope.lookup(name);
  if (found === "unbound") {
    return vm.fail(
      "UnboundLocalError",
      `cannot access local variable '${name}' where it is not associated with a value`,
    );
  }
  if (found !== undefined) return found;
  const builtin = vm.libraries.builtins.get(name);
  if (builtin !== undefined) return builtin;
  if (UNMODELLED_BUILTINS.has(name)) {
    vm.fail(
      "Unsupported",
      `Python's ${name}() is not carried out by the inspector: code is read, not run`,
      "Compute what it gives beforehand, and load the result as an array.",
    );
  }
  return vm.fail("NameError", `name '${name}' is not defined`);
}

// Calls

interface EvaluatedArguments {
  readonly positional: Value[];
  readonly keywords: Map<string, Value>;
}

function evaluateCall(vm: Interpreter, node: Call, scope: Scope): Value {
  const callee = evaluate(vm, node.callee, scope);
  if (callee.kind === "builtin" && callee.request !== undefined) {
    return callee.request === "shapes"
      ? shapesRequest(vm, node, scope)
      : makeRequest(vm, callee.request, node, scope);
  }
  const args = evaluateArguments(vm, callee, node.args, scope);
  vm.at = node.span;
  return call(vm, callee, args.positional, args.keywords);
}

/** Callee and arguments of a call, not called yet. */
export function prepareCall(
  vm: Interpreter,
  node: Call,
  scope: Scope,
  callee: Value = evaluate(vm, node.callee, scope),
): { readonly callee: Value } & EvaluatedArguments {
  return { callee, ...evaluateArguments(vm, callee, node.args, scope) };
}

function evaluateArguments(
  vm: Interpreter,
  callee: Value,
  args: readonly CallArgument[],
  scope: Scope,
): EvaluatedArguments {
  const positional: Value[] = [];
  const keywords = new Map<string, Value>();
  // An array made for a function's argument is not called what the function's result will be.
  const { hint } = vm.arrays;
  if (callee.kind !== "builtin") vm.arrays.hint = "";
  for (const a of args) {
    const value = evaluate(vm, a.value, scope);
    vm.at = a.value.span;
    if (a.kind === "positional") positional.push(value);
    else if (a.kind === "star") positional.push(...iterate(vm, value));
    else if (a.kind === "keyword") addKeyword(vm, keywords, a.name!, value);
    else {
      if (value.kind !== "dict") {
        vm.fail("TypeError", `argument after ** must be a mapping, not ${typeName(value)}`);
      }
      for (const { key, value: v } of value.entries.values()) {
        if (key.kind !== "str") vm.fail("TypeError", "keywords must be strings");
        addKeyword(vm, keywords, key.value, v);
      }
    }
  }
  vm.arrays.hint = hint;
  return { positional, keywords };
}

function addKeyword(vm: Interpreter, to: Map<string, Value>, name: string, value: Value): void {
  if (to.has(name)) vm.fail("TypeError", `got multiple values for keyword argument '${name}'`);
  to.set(name, value);
}

/**
 * `compare(f(a, b), g(a, b))` and `check(f, a, b, wrt="a")`: calls written as arguments are taken as
 * they stand, so that the session can derive the functions rather than look at their results.
 */
function makeRequest(vm: Interpreter, request: RequestName, node: Call, scope: Scope): Value {
  const calls: CallRequest[] = [];
  const options = new Map<string, Value>();
  const functions: { readonly value: Value; readonly name: string }[] = [];
  const shared: Value[] = [];
  const standards: string[] = [];
  for (const a of node.args) {
    if (a.kind === "keyword") {
      options.set(a.name!, evaluate(vm, a.value, scope));
      continue;
    }
    if (a.kind !== "positional") return vm.unsupported(`${request}() takes no starred arguments`);
    if (a.value.kind === "Call") {
      const prepared = prepareCall(vm, a.value, scope);
      const asked = requestOf(vm, a.value, prepared);
      if (asked !== null) {
        calls.push(asked);
        continue;
      }
      vm.at = a.value.span;
      const value = call(vm, prepared.callee, prepared.positional, prepared.keywords);
      if (isLoss(value)) functions.push({ value, name: sourceText(vm, a.value) });
      else shared.push(value);
      continue;
    }
    const value = evaluate(vm, a.value, scope);
    if (isLoss(value)) functions.push({ value, name: sourceText(vm, a.value) });
    else if (request === "compare" && value.kind === "str") standards.push(value.value);
    else shared.push(value);
  }
  vm.at = node.span;
  const own = new Set([
    "wrt",
    "tolerance",
    "title",
    ...(request === "precision" ? ["autocast"] : []),
  ]);
  const passed = new Map([...options].filter(([name]) => !own.has(name)));
  for (const f of functions) {
    calls.push({
      callable: f.value,
      name: f.name,
      text: null,
      source: vm.source,
      span: node.span,
      positional: shared,
      keywords: passed,
      changes: [],
    });
  }
  if (calls.length === 0 || (functions.length === 0 && shared.length > 0)) {
    return vm.fail(
      "TypeError",
      `${request}() takes calls of your functions, as in ${request}(f(a, b)${
        request === "compare" ? ", g(a, b)" : ""
      }), or functions and then their arguments`,
    );
  }
  for (const name of passed.keys()) if (functions.length > 0) options.delete(name);
  return { kind: "request", request, calls, standards, options };
}

function hasTensor(args: EvaluatedArguments): boolean {
  const within = (v: Value): boolean =>
    v.kind === "tensor" || ((v.kind === "list" || v.kind === "tuple") && v.items.some(within));
  return [...args.positional, ...args.keywords.values()].some(within);
}

/** What is asked by a call that is not carried out yet; null unless it calls a loss with arrays. */
export function requestOf(
  vm: Interpreter,
  node: Call,
  prepared: { readonly callee: Value } & EvaluatedArguments,
): CallRequest | null {
  if (!isLoss(prepared.callee)) return null;
  const { positional, keywords } = withArrays(vm, prepared);
  if (!hasTensor({ positional, keywords })) return null;
  return {
    callable: prepared.callee,
    name: sourceText(vm, node.callee),
    text: vm.source === null ? null : textOf(node, vm.source),
    source: vm.source,
    span: node.span,
    positional,
    keywords,
    changes: [],
  };
}

/** Keras's own losses take nested lists for arrays. */
function withArrays(
  vm: Interpreter,
  { callee, positional, keywords }: { readonly callee: Value } & EvaluatedArguments,
): EvaluatedArguments {
  const library = libraryLoss(callee) === null ? null : libraryOfValue(callee);
  if (library !== "tensorflow") return { positional, keywords };
  const array = (v: Value): Value => (v.kind === "list" ? asTensor(vm, v, library) : v);
  return {
    positional: positional.map(array),
    keywords: new Map([...keywords].map(([name, v]) => [name, array(v)])),
  };
}

/** The expression as written, if it stands on one line. */
function sourceText(vm: Interpreter, node: Expression): string {
  const { line, column, endLine, endColumn } = node.span;
  const text = vm.source?.lines[line - 1];
  if (text === undefined || endLine !== line || endColumn === undefined) return "function";
  return text.slice(column - 1, endColumn - 1);
}

// Displays and comprehensions

function evaluateSequence(vm: Interpreter, node: Sequence, scope: Scope): Value {
  const items: Value[] = [];
  for (const item of node.items) {
    if (item.kind !== "Starred") {
      items.push(evaluate(vm, item, scope));
      continue;
    }
    const value = evaluate(vm, item.value, scope);
    vm.at = item.span;
    items.push(...iterate(vm, value));
  }
  vm.at = node.span;
  if (node.kind === "Tuple") return tuple(items);
  return node.kind === "List" ? makeList(vm, items) : setOf(vm, items);
}

function evaluateDictionary(vm: Interpreter, node: Dictionary, scope: Scope): Value {
  const pairs: (readonly [Value, Value])[] = [];
  for (const { key, value } of node.items) {
    const v = evaluate(vm, value, scope);
    if (key !== null) {
      pairs.push([evaluate(vm, key, scope), v]);
      continue;
    }
    vm.at = value.span;
    if (v.kind !== "dict") vm.fail("TypeError", `'${typeName(v)}' object is not a mapping`);
    for (const entry of v.entries.values()) pairs.push([entry.key, entry.value]);
  }
  vm.at = node.span;
  return makeDict(vm, pairs);
}

function evaluateComprehension(vm: Interpreter, node: Comprehension, scope: Scope): Value {
  const inner = new Scope("comprehension", scope, vm.epoch);
  const first = node.clauses[0]!;
  // The first iterable is evaluated outside the comprehension, and at once.
  const source = evaluate(vm, first.iterable, scope);
  vm.at = first.iterable.span;
  const entries = comprehended(vm, node, iterate(vm, source), inner);
  if (node.result === "generator") {
    return lazyIterator(vm, () => {
      const step = entries.next();
      return step.done === true ? undefined : step.value[0];
    });
  }
  const made = [...entries];
  vm.at = node.span;
  const items = made.map(([item]) => item);
  if (node.result === "dict") return makeDict(vm, made);
  return node.result === "list" ? makeList(vm, items) : setOf(vm, items);
}

/** Elements of a comprehension one by one; of a dictionary's, keys with their values. */
function* comprehended(
  vm: Interpreter,
  node: Comprehension,
  source: Iterable<Value>,
  inner: Scope,
  k = 0,
): Generator<readonly [Value, Value], void, undefined> {
  const clause = node.clauses[k];
  if (clause === undefined) {
    const element = evaluate(vm, node.element, inner);
    yield [element, node.value === null ? NONE : evaluate(vm, node.value, inner)];
    return;
  }
  for (const item of source) {
    vm.step();
    bindTarget(vm, clause.target, item, inner);
    const passes = clause.conditions.every((c) => {
      const value = evaluate(vm, c, inner);
      vm.at = c.span;
      return truth(vm, value);
    });
    if (!passes) continue;
    const next = node.clauses[k + 1];
    const below = next === undefined ? [] : iterate(vm, evaluate(vm, next.iterable, inner));
    yield* comprehended(vm, node, below, inner, k + 1);
  }
}

/** Loop variables of a comprehension stay inside it. */
function bindTarget(vm: Interpreter, target: Expression, value: Value, scope: Scope): void {
  if (target.kind === "Name") {
    scope.variables.set(target.id, value);
    return;
  }
  const outside = new Scope("function", scope, vm.epoch);
  assignTo(vm, target, value, outside);
  for (const [name, v] of outside.variables) scope.variables.set(name, v);
}

function evaluateComparison(vm: Interpreter, node: Comparison, scope: Scope): Value {
  let left = evaluate(vm, node.first, scope);
  let result: Value = TRUE;
  for (const [k, { op, value }] of node.rest.entries()) {
    // `a < b < c` is `a < b and b < c`, with b evaluated once.
    if (k > 0 && !truth(vm, result)) return result;
    const right = evaluate(vm, value, scope);
    vm.at = node.span;
    result = compareOperation(vm, op, left, right);
    left = right;
  }
  return result;
}

// Strings

function formatString(vm: Interpreter, node: FString, scope: Scope): string {
  return formatParts(vm, node.parts, scope);
}

function formatParts(vm: Interpreter, parts: readonly FStringPart[], scope: Scope): string {
  return parts
    .map((part) => {
      if (typeof part === "string") return part;
      const value = evaluate(vm, part.value, scope);
      const spec = formatParts(vm, part.format, scope);
      vm.at = part.value.span;
      const asRepr = part.conversion === "r" || part.conversion === "a";
      const plain = part.conversion === null && spec === "";
      if (part.shown !== null) {
        return part.shown + (plain ? display(vm, value, true) : formatValue(vm, value, spec));
      }
      if (part.conversion !== null) return formatValue(vm, str(display(vm, value, asRepr)), spec);
      return formatValue(vm, value, spec);
    })
    .join("");
}
