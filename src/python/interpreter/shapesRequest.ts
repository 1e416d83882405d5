/** `shapes(dice_loss, y_pred=(2, 1, 64, 64))` in a cell: derive a loss for arrays of these shapes. */
import type { Call } from "../syntax.ts";
import type { RequestValue, Value } from "../values.ts";
import { evaluate } from "./expressions.ts";
import type { Interpreter } from "./interpreter.ts";
import type { Scope } from "./scope.ts";

/** @throws PythonError TypeError if it is not written like that */
export function shapesRequest(vm: Interpreter, node: Call, scope: Scope): RequestValue {
  const [first, ...more] = node.args;
  const usage = (): never =>
    vm.fail(
      "TypeError",
      "shapes() takes a function and the shapes of its arrays by name, " +
        'as in shapes(dice_loss, y_pred=(2, 1, 64, 64)) or shapes(dice_loss, y_pred="b,c,h,w")',
    );
  if (first?.kind !== "positional" || !more.every((a) => a.kind === "keyword")) return usage();
  const callable = evaluate(vm, first.value, scope);
  const given = more.map((a): [string, Value] => [a.name!, evaluate(vm, a.value, scope)]);
  vm.at = node.span;
  const options = new Map(given.filter(([name]) => name === "wrt"));
  const keywords = new Map(given.filter(([name]) => name !== "wrt"));
  const call = {
    callable,
    name: "shapes",
    text: null,
    source: vm.source,
    span: node.span,
    positional: [],
    keywords,
    changes: [],
  };
  return { kind: "request", request: "shapes", calls: [call], standards: [], options };
}
