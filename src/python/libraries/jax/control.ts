/** jax.lax's control flow: carried out where what decides is known, piecewise where it is an array. */
import { elementCount } from "../../../expression/axis.ts";
import { UnknownSizeError } from "../../interpreter/interpreter.ts";
import { call } from "../../interpreter/calls.ts";
import { knownInteger } from "../../interpreter/known.ts";
import { truth } from "../../interpreter/truth.ts";
import { select } from "../../tensors/elementwise.ts";
import { indexTensor } from "../../tensors/indexing.ts";
import { asTensor, stackTensors } from "../../tensors/tensor.ts";
import { NONE, type Value, int, tuple } from "../../values.ts";
import type { CallContext } from "../signature.ts";
import { leavesOf, mapTree } from "./trees.ts";

/** Steps of a loop that is written out into the formula. */
const MOST_STEPS = 4096;

/**
 * The branch that runs. Where an array decides whose values are not known, both, piecewise: as JAX
 * does under vmap. Where they are known it is the branch alone, since a `where` would let infinite
 * slopes of the other one into the gradient.
 */
export function cond(c: CallContext): Value {
  const pred = c.value("pred");
  const operands = c.given("operand") ? [c.value("operand")] : c.list("operands");
  const run = (name: string): Value => call(c.vm, c.value(name), operands);
  if (pred.kind === "tensor" && elementCount(pred.expr.shape) !== 1) {
    return c.vm.fail(
      "TypeError",
      "Pred must be a scalar, got an array of several entries",
      "Use jnp.where, which decides entry by entry.",
    );
  }
  if (isKnown(c, pred)) return run(truth(c.vm, pred) ? "true_fun" : "false_fun");
  const [yes, no] = [run("true_fun"), run("false_fun")];
  return mapTree(c.vm, (a, b) => select(c.vm, pred, a, b, "jax"), yes, no);
}

function isKnown(c: CallContext, pred: Value): boolean {
  if (pred.kind === "tensor") return c.vm.evaluate(pred.expr) !== null;
  return pred.kind !== "number" || pred.value !== null;
}

export function switchOn(c: CallContext): Value {
  const branches = c.list("branches");
  const at = knownInteger(c.vm, c.value("index"), "lax.switch()");
  const chosen = branches[Math.min(Math.max(at, 0), branches.length - 1)]; // as JAX clamps it
  if (chosen === undefined) return c.vm.fail("ValueError", "Empty branch sequence");
  return call(c.vm, chosen, c.list("operands"));
}

export function foriLoop(c: CallContext): Value {
  const lower = knownInteger(c.vm, c.value("lower"), "lax.fori_loop()");
  const upper = knownInteger(c.vm, c.value("upper"), "lax.fori_loop()");
  limit(c, upper - lower);
  let state = c.value("init_val");
  for (let k = lower; k < upper; k++) {
    c.vm.step();
    state = call(c.vm, c.value("body_fun"), [int(k), state]);
  }
  return state;
}

export function whileLoop(c: CallContext): Value {
  let state = c.value("init_val");
  for (let n = 0; truth(c.vm, call(c.vm, c.value("cond_fun"), [state])); n++) {
    c.vm.step();
    limit(c, n);
    state = call(c.vm, c.value("body_fun"), [state]);
  }
  return state;
}

export function scan(c: CallContext): Value {
  const xs = c.value("xs");
  const n = stepsOf(c, xs);
  const order = Array.from({ length: n }, (_, k) => k);
  if (c.flag("reverse")) order.reverse();
  let carry = c.value("init");
  const outputs: Value[] = [];
  for (const k of order) {
    c.vm.step();
    const step = call(c.vm, c.value("f"), [carry, slice(c, xs, k)]);
    if (step.kind !== "tuple" || step.items.length !== 2) {
      return c.vm.fail("TypeError", "scan body output must be a pair (carry, y)");
    }
    carry = step.items[0]!;
    outputs[k] = step.items[1]!;
  }
  return tuple([carry, stacked(c, outputs)]);
}

export function laxMap(c: CallContext): Value {
  const xs = c.value("xs");
  const results = Array.from({ length: stepsOf(c, xs) }, (_, k) =>
    call(c.vm, c.value("f"), [slice(c, xs, k)]),
  );
  return stacked(c, results);
}

/** Size of the first axis, which the arrays share. */
function stepsOf(c: CallContext, xs: Value): number {
  const first = leavesOf(xs)[0];
  if (first === undefined) return c.int("length");
  const axis = asTensor(c.vm, first, "jax").expr.shape[0];
  if (axis === undefined) return c.bad("xs", "arrays with at least one axis");
  if (axis.size === null) {
    return c.vm.unsupported(
      `${c.name}() over axis ${axis.name} needs its size, which is not known`,
      "Bind arrays to the function's parameters, or give their shapes.",
      new UnknownSizeError([axis.name]),
    );
  }
  limit(c, axis.size);
  return axis.size;
}

function slice(c: CallContext, xs: Value, k: number): Value {
  return mapTree(c.vm, (x) => indexTensor(c.vm, asTensor(c.vm, x, "jax"), int(k)), xs);
}

function stacked(c: CallContext, results: readonly Value[]): Value {
  const [first, ...rest] = results;
  if (first === undefined) return NONE;
  const join = (...leaves: Value[]): Value =>
    stackTensors(
      c.vm,
      leaves.map((v) => asTensor(c.vm, v, "jax")),
      0,
      "jax",
    );
  return mapTree(c.vm, join, first, ...rest);
}

function limit(c: CallContext, steps: number): void {
  if (steps <= MOST_STEPS) return;
  c.vm.unsupported(
    `${c.name}() of ${steps} steps would make a formula of that many terms`,
    "Write it with jax.vmap or with sums over axes.",
  );
}
