/** TensorFlow's control flow: branches, loops over tensors, functions of every row. */
import { call, isCallable } from "../interpreter/calls.ts";
import { iterate } from "../interpreter/iterate.ts";
import { knownInteger } from "../interpreter/known.ts";
import { truth } from "../interpreter/truth.ts";
import { select } from "../tensors/elementwise.ts";
import { itemsOf, stackTensors } from "../tensors/tensor.ts";
import { type Value, tuple, typeName } from "../values.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";
import { ofFirstType } from "./tensorflowShapes.ts";

/** Both branches as one formula where the condition depends on values; else the branch taken. */
export function conditional(c: CallContext, condition: Value, yes: Value, no: Value): Value {
  const { vm } = c;
  const run = (v: Value): Value => (isCallable(v) ? call(vm, v, []) : v);
  if (condition.kind !== "tensor") return run(truth(vm, condition) ? yes : no);
  const [a, b] = [run(yes), run(no)];
  const fits = (v: Value): boolean => v.kind === "tensor" || v.kind === "number";
  if (!fits(a) || !fits(b)) {
    return vm.unsupported(
      `${c.name}() whose branches give ${typeName(a)} and ${typeName(b)} is not supported`,
      "Let both branches return one tensor.",
    );
  }
  return select(vm, condition, a, b, c.library);
}

/** The function applied to each entry along the first axis, whose size must be known. */
export const mapped =
  (fn: string, elems: string): Meaning =>
  (c) => {
    const { vm } = c;
    const results = rowsOf(c, c.value(elems)).map((row) => call(vm, c.value(fn), [row]));
    if (!results.every((v) => v.kind === "tensor" || v.kind === "number")) {
      return vm.unsupported(`${c.name}() of a function that returns more than one tensor`);
    }
    return stackTensors(vm, ofFirstType(c, results), 0, c.library);
  };

/** Row by row; of several tensors their rows together. */
export function rowsOf(c: CallContext, elems: Value): Value[] {
  const rows = (v: Value): Value[] => [...iterate(c.vm, c.asOwn(v))];
  if (elems.kind !== "tuple" && elems.kind !== "list") return rows(elems);
  return zipped(elems.items.map(rows));
}

function zipped(columns: readonly (readonly Value[])[]): Value[] {
  const n = Math.min(...columns.map((x) => x.length));
  return Array.from({ length: n }, (_, k) => tuple(columns.map((x) => x[k]!)));
}

/** The first branch whose condition holds; conditions on values become one formula. */
const firstOf: Meaning = (c) => {
  const pairs = c.list("pred_fn_pairs").map((v) => itemsOf(v) ?? c.bad("pred_fn_pairs", "pairs"));
  const otherwise = c.optional("default") ?? pairs.at(-1)?.[1] ?? c.bad("default", "a function");
  // Later branches first, each a number or a tensor that the ones before it may choose.
  return pairs.reduceRight<Value>(
    (rest, [condition, branch]) => conditional(c, condition!, branch!, rest),
    otherwise,
  );
};

/** The branch that a known number names; another one than there are stands for the last. */
const switched: Meaning = (c) => {
  const branches = c.list("branch_fns");
  const at = knownInteger(c.vm, c.value("branch_index"), "branch_index");
  const chosen = branches[at] ?? c.optional("default") ?? branches.at(-1)!;
  return call(c.vm, chosen, []);
};

/** Loops whose conditions depend on no values, or on known ones, are carried out. */
export const looped: Meaning = (c) => {
  const { vm } = c;
  const most = c.given("maximum_iterations") ? c.int("maximum_iterations") : Infinity;
  const given = c.value("loop_vars");
  let state = itemsOf(given) ?? [given];
  for (let k = 0; k < most && truth(vm, call(vm, c.value("cond"), state)); k++) {
    vm.host.checkpoint();
    const next = call(vm, c.value("body"), state);
    state = itemsOf(next) ?? [next];
  }
  return itemsOf(given) === null ? state[0]! : tuple(state);
};

/** From row to row, with what the rows before it gave. */
function fold(c: CallContext): Value[] {
  const { vm } = c;
  const rows = rowsOf(c, c.value("elems"));
  if (c.flag("reverse")) rows.reverse();
  const start = c.optional("initializer");
  const states: Value[] = start === null ? [rows.shift()!] : [];
  for (const row of rows) states.push(call(vm, c.value("fn"), [states.at(-1) ?? start!, row]));
  return states;
}

const scanned: Meaning = (c) => {
  const states = fold(c);
  if (c.flag("reverse")) states.reverse();
  return stackTensors(c.vm, ofFirstType(c, states), 0, c.library);
};

const folded: Meaning = (c) => fold(c).at(-1) ?? c.value("initializer");

const FOLD = "fn, elems, initializer=None, ~parallel_iterations, ~back_prop, ~swap_memory";

/** Of tf. */
export const tensorflowFlow: Table = {
  cond: [
    "pred, true_fn=None, false_fn=None, ~name, ~strict",
    (c) => conditional(c, c.value("pred"), c.value("true_fn"), c.value("false_fn")),
  ],
  case: ["pred_fn_pairs, default=None, ~exclusive, ~strict, ~name", firstOf],
  switch_case: ["branch_index, branch_fns, default=None, ~name", switched],
  while_loop: [
    "cond, body, loop_vars, ~shape_invariants, ~parallel_iterations, ~back_prop, ~swap_memory, maximum_iterations=None, ~name",
    looped,
  ],
  foldl: [`${FOLD}, ~name, reverse=False`, folded],
  scan: [`${FOLD}, ~infer_shape, reverse=False, ~name`, scanned],
  map_fn: ["fn, elems, **", mapped("fn", "elems")],
  vectorized_map: ["fn, elems, **", mapped("fn", "elems")],
};
