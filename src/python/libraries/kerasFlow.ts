/** keras.ops' control flow: branches, and loops that are carried out. */
import { call } from "../interpreter/calls.ts";
import { stackTensors } from "../tensors/tensor.ts";
import { NONE, type Value, int, tuple } from "../values.ts";
import { range } from "./common.ts";
import type { Meaning, Table } from "./signature.ts";
import { conditional, looped, mapped, rowsOf } from "./tensorflowFlow.ts";
import { ofFirstType } from "./tensorflowShapes.ts";

/** The branch that a known number names, the nearest one where there is none of that number. */
const switched: Meaning = (c) => {
  const branches = c.list("branches");
  const at = Math.min(Math.max(c.int("index"), 0), branches.length - 1);
  return call(c.vm, branches[at]!, c.list("operands"));
};

const counted: Meaning = (c) => {
  const numbers = range(c.int("lower"), c.int("upper"));
  return numbers.reduce<Value>(
    (state, k) => call(c.vm, c.value("body_fun"), [int(k), state]),
    c.value("init_val"),
  );
};

/** From row to row: the last state, and what was given at every row. */
const scanned: Meaning = (c) => {
  const { vm } = c;
  const rows = c.given("xs")
    ? rowsOf(c, c.value("xs"))
    : range(0, c.int("length")).map((): Value => NONE);
  if (c.flag("reverse")) rows.reverse();
  let state = c.value("init");
  const given = rows.map((row) => {
    const result = call(vm, c.value("f"), [state, row]);
    const [next, y] = result.kind === "tuple" || result.kind === "list" ? result.items : [];
    if (next === undefined || y === undefined)
      return c.bad("f", "a function that gives two values");
    state = next;
    return y;
  });
  if (c.flag("reverse")) given.reverse();
  const none = given.every((v) => v.kind === "none");
  return tuple([state, none ? NONE : stackTensors(vm, ofFirstType(c, given), 0, c.library)]);
};

export const kerasLoops: Table = {
  cond: [
    "pred, true_fn, false_fn",
    (c) => conditional(c, c.value("pred"), c.value("true_fn"), c.value("false_fn")),
  ],
  switch: ["index, branches, *operands", switched],
  while_loop: ["cond, body, loop_vars, maximum_iterations=None", looped],
  fori_loop: ["lower, upper, body_fun, init_val", counted],
  map: ["f, xs", mapped("f", "xs")],
  vectorized_map: ["function, elements", mapped("function", "elements")],
  scan: ["f, init, xs=None, length=None, reverse=False, ~unroll", scanned],
};
