/** jax.jit, jax.grad, jax.tree, …: what wraps functions. */
import { call } from "../../interpreter/calls.ts";
import { makeList } from "../../interpreter/collections.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { type BuiltinValue, NONE, type Value } from "../../values.ts";
import { gradientOf, valueAndGradient } from "../gradients.ts";
import type { CallContext, Table } from "../signature.ts";
import { leavesOf, mapTree } from "./trees.ts";
import { vmap } from "./vmap.ts";

const tree: Table = {
  map: [
    "f, tree, *rest, !is_leaf",
    (c) =>
      mapTree(
        c.vm,
        (...leaves) => call(c.vm, c.value("f"), leaves),
        c.value("tree"),
        ...c.list("rest"),
      ),
  ],
  leaves: ["tree, !is_leaf", (c) => makeList(c.vm, leavesOf(c.value("tree")))],
  reduce: ["function, tree, *initializer, !is_leaf", reduceTree],
};

function reduceTree(c: CallContext): Value {
  const leaves = leavesOf(c.value("tree"));
  const start = c.list("initializer")[0] ?? leaves.shift();
  if (start === undefined) return c.vm.fail("TypeError", "reduce() of a tree without leaves");
  return leaves.reduce((acc, v) => call(c.vm, c.value("function"), [acc, v]), start);
}

export const treeFunctions = tree;

export const treeUtilFunctions: Table = {
  tree_map: tree["map"]!,
  tree_leaves: tree["leaves"]!,
  tree_reduce: tree["reduce"]!,
};

const GRADIENTS = ["grad", "jacfwd", "jacrev", "jacobian", "hessian", "jvp", "vjp", "linearize"];

export const jaxFunctions: Table = {
  vmap: ["fun, in_axes=0, out_axes=0, ~axis_name, ~axis_size, ~spmd_axis_name, ~sum_match", vmap],
  ...Object.fromEntries(GRADIENTS.map((name) => [name, gradientOf(`jax.${name}`)])),
  value_and_grad: valueAndGradient("jax.value_and_grad"),
  device_put: ["x, ~device, ~src", (c) => c.value("x")],
  device_get: ["x", (c) => c.value("x")],
  block_until_ready: ["x", (c) => c.value("x")],
  devices: ["~backend", (c) => makeList(c.vm, [])],
};

/** A function of a module that only talks to people or to the runtime. */
export const silent = (name: string): BuiltinValue => ({ kind: "builtin", name, call: () => NONE });

/** `with jax.named_scope("loss"):`, which is a decorator too. */
export const quietContext = (name: string): BuiltinValue => ({
  kind: "builtin",
  name,
  call: (_vm: Interpreter): Value => ({ kind: "context", name: `${name}()`, effect: "none" }),
});
