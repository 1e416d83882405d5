/** Assignment to names, attributes, subscripts and (starred) tuples of these. */
import type { Expression } from "../syntax.ts";
import type { Value } from "../values.ts";
import { setAttribute, setIn } from "./attributes.ts";
import { makeList } from "./collections.ts";
import { evaluate } from "./expressions.ts";
import type { Interpreter } from "./interpreter.ts";
import { iterate } from "./iterate.ts";
import type { Scope } from "./scope.ts";
import { nodeOf } from "../tensors/tensor.ts";
import { setItem } from "./subscripts.ts";

export function assignTo(vm: Interpreter, target: Expression, value: Value, scope: Scope): void {
  switch (target.kind) {
    case "Name":
      bindVariable(vm, target.id, value, scope.target(target.id));
      return;
    case "Attribute": {
      const owner = evaluate(vm, target.value, scope);
      vm.at = target.span;
      if (value.kind === "tensor") vm.recorder.named(nodeOf(value), target.name);
      setAttribute(vm, owner, target.name, value);
      return;
    }
    case "Subscript": {
      const owner = evaluate(vm, target.value, scope);
      const key = evaluate(vm, target.index, scope);
      vm.at = target.span;
      setItem(vm, owner, key, value);
      return;
    }
    case "Tuple":
    case "List":
      vm.at = target.span;
      unpack(vm, target.items, value, scope);
      return;
    default:
      vm.at = target.span;
      vm.unsupported("this assignment is not supported");
  }
}

export function bindVariable(vm: Interpreter, name: string, value: Value, scope: Scope): void {
  if (value.kind === "tensor") vm.recorder.named(nodeOf(value), name);
  setIn(vm, scope, scope.variables, name, value);
}

function unpack(vm: Interpreter, targets: readonly Expression[], value: Value, scope: Scope): void {
  const items: Value[] = [];
  const starAt = targets.findIndex((t) => t.kind === "Starred");
  for (const item of iterate(vm, value)) {
    items.push(item);
    if (starAt < 0 && items.length > targets.length) break;
  }
  const needed = starAt < 0 ? targets.length : targets.length - 1;
  if (items.length < needed) {
    const least = starAt < 0 ? "" : "at least ";
    vm.fail(
      "ValueError",
      `not enough values to unpack (expected ${least}${needed}, got ${items.length})`,
    );
  }
  if (starAt < 0 && items.length > needed) {
    vm.fail("ValueError", `too many values to unpack (expected ${needed})`);
  }
  targets.forEach((t, k) => {
    if (t.kind !== "Starred") {
      const at = starAt >= 0 && k > starAt ? items.length - (targets.length - k) : k;
      assignTo(vm, t, items[at]!, scope);
      return;
    }
    const rest = items.slice(k, items.length - (targets.length - k - 1));
    assignTo(vm, t.value, makeList(vm, rest), scope);
  });
}
