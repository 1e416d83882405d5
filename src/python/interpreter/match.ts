/** The `match` statement: which case takes a value, and what its pattern binds. */
import type { Match, MatchCase, Pattern } from "../syntax.ts";
import { type ClassValue, type Value, str, typeName } from "../values.ts";
import { findAttribute } from "./attributes.ts";
import { call } from "./calls.ts";
import { hashKey, makeDict, makeList } from "./collections.ts";
import { evaluate } from "./expressions.ts";
import type { Interpreter } from "./interpreter.ts";
import { compareOperation, equals } from "./operators.ts";
import type { Scope } from "./scope.ts";
import { bindVariable } from "./targets.ts";
import { truth } from "./truth.ts";

/** The first case whose pattern and guard take the subject; its names are bound. */
export function matchingCase(vm: Interpreter, node: Match, scope: Scope): MatchCase | null {
  const subject = evaluate(vm, node.subject, scope);
  for (const c of node.cases) {
    const bound = new Map<string, Value>();
    vm.at = c.pattern.span;
    if (!matches(vm, c.pattern, subject, scope, bound)) continue;
    // Python binds before it asks the guard, and leaves the names bound if the guard says no.
    for (const [name, value] of bound) bindVariable(vm, name, value, scope.target(name));
    if (c.guard === null) return c;
    const guard = evaluate(vm, c.guard, scope);
    vm.at = c.guard.span;
    if (truth(vm, guard)) return c;
  }
  return null;
}

function matches(
  vm: Interpreter,
  p: Pattern,
  v: Value,
  scope: Scope,
  bound: Map<string, Value>,
): boolean {
  vm.at = p.span;
  switch (p.kind) {
    case "ValuePattern": {
      const value = evaluate(vm, p.value, scope);
      const singleton = p.value.kind === "Singleton";
      return truth(vm, singleton ? compareOperation(vm, "is", v, value) : equals(vm, v, value));
    }
    case "CapturePattern":
      if (p.pattern !== null && !matches(vm, p.pattern, v, scope, bound)) return false;
      if (p.name !== null) bound.set(p.name, v);
      return true;
    case "OrPattern":
      return p.alternatives.some((alternative) => {
        const own = new Map<string, Value>();
        if (!matches(vm, alternative, v, scope, own)) return false;
        for (const [name, value] of own) bound.set(name, value);
        return true;
      });
    case "SequencePattern":
      return matchesSequence(vm, p.items, v, scope, bound);
    case "MappingPattern": {
      if (v.kind !== "dict") return false;
      const seen = new Set<string>();
      for (const { key, pattern } of p.items) {
        const k = hashKey(vm, evaluate(vm, key, scope));
        const entry = v.entries.get(k);
        if (entry === undefined || !matches(vm, pattern, entry.value, scope, bound)) return false;
        seen.add(k);
      }
      const rest = [...v.entries].filter(([k]) => !seen.has(k));
      const pairs = rest.map(([, e]) => [e.key, e.value] as const);
      if (p.rest !== null) bound.set(p.rest, makeDict(vm, pairs));
      return true;
    }
    case "ClassPattern":
      return matchesClass(vm, p, v, scope, bound);
    case "StarPattern":
      return vm.fail("SyntaxError", "can't use starred pattern here");
  }
}

/** Strings, dictionaries, sets and arrays are no sequences to `match`. */
function matchesSequence(
  vm: Interpreter,
  patterns: readonly Pattern[],
  v: Value,
  scope: Scope,
  bound: Map<string, Value>,
): boolean {
  if (v.kind !== "list" && v.kind !== "tuple") return false;
  const { items } = v;
  const starAt = patterns.findIndex((p) => p.kind === "StarPattern");
  if (starAt < 0) {
    return (
      items.length === patterns.length &&
      patterns.every((p, k) => matches(vm, p, items[k]!, scope, bound))
    );
  }
  const after = patterns.length - starAt - 1;
  if (items.length < starAt + after) return false;
  return patterns.every((p, k) => {
    if (k < starAt) return matches(vm, p, items[k]!, scope, bound);
    if (k > starAt) return matches(vm, p, items[items.length - patterns.length + k]!, scope, bound);
    const rest = items.slice(starAt, items.length - after);
    if (p.kind === "StarPattern" && p.name !== null) bound.set(p.name, makeList(vm, rest));
    return true;
  });
}

/** Built-in types whose one positional pattern is about the value itself: `int(n)`, `str(s)`. */
const WHOLE = new Set(
  "bool bytearray bytes dict float frozenset int list set str tuple".split(" "),
);

function matchesClass(
  vm: Interpreter,
  p: Pattern & { readonly kind: "ClassPattern" },
  v: Value,
  scope: Scope,
  bound: Map<string, Value>,
): boolean {
  const cls = evaluate(vm, p.cls, scope);
  vm.at = p.span;
  if (cls.kind !== "class") {
    return vm.fail("TypeError", `called match pattern must be a class, not '${typeName(cls)}'`);
  }
  const test = vm.libraries.builtins.get("isinstance")!;
  if (!truth(vm, call(vm, test, [v, cls]))) return false;
  const whole = cls.file === null && WHOLE.has(cls.name);
  const names = whole ? [] : positionalNames(vm, cls, p.positional.length);
  for (const [k, pattern] of p.positional.entries()) {
    if (whole) {
      if (k > 0) vm.fail("TypeError", `${cls.name}() accepts 1 positional sub-pattern`);
      if (!matches(vm, pattern, v, scope, bound)) return false;
    } else if (!matchesAttribute(vm, v, names[k]!, pattern, scope, bound)) return false;
  }
  return p.keywords.every(({ name, pattern }) =>
    matchesAttribute(vm, v, name, pattern, scope, bound),
  );
}

function matchesAttribute(
  vm: Interpreter,
  v: Value,
  name: string,
  pattern: Pattern,
  scope: Scope,
  bound: Map<string, Value>,
): boolean {
  const value = findAttribute(vm, v, name);
  return value !== undefined && matches(vm, pattern, value, scope, bound);
}

function positionalNames(vm: Interpreter, cls: ClassValue, count: number): string[] {
  if (count === 0) return [];
  const given = findAttribute(vm, cls, "__match_args__");
  const names =
    given?.kind === "tuple" ? given.items.flatMap((x) => (x.kind === "str" ? [x.value] : [])) : [];
  if (names.length < count) {
    vm.fail(
      "TypeError",
      `${cls.name}() accepts ${names.length} positional sub-patterns (${count} given)`,
    );
  }
  return names;
}

/** `__match_args__` of a class with these attributes in order. */
export function matchArguments(names: readonly string[]): Value {
  return { kind: "tuple", items: names.map(str) };
}
