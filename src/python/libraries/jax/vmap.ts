/** jax.vmap: the function is run once, on one example, and its formula lifted to the batch. */
import { type Axis, normalizeDim } from "../../../expression/axis.ts";
import { expand, input, transpose } from "../../../expression/build.ts";
import type { Expr } from "../../../expression/node.ts";
import { topological } from "../../../expression/walk.ts";
import { call } from "../../interpreter/calls.ts";
import { makeDict } from "../../interpreter/collections.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { asTensor, freshLetter, renameAxes, tensor } from "../../tensors/tensor.ts";
import { type BuiltinValue, NONE, type TensorValue, type Value, int, tuple } from "../../values.ts";
import { inLibrary } from "../convert.ts";
import type { CallContext } from "../signature.ts";
import { leavesOf, mapTree } from "./trees.ts";
import { liftOver } from "./lift.ts";

export function vmap(c: CallContext): Value {
  const f = c.value("fun");
  const inAxes = c.value("in_axes");
  const outAxes = c.value("out_axes");
  return mapped(f, inAxes, outAxes);
}

function mapped(f: Value, inAxes: Value, outAxes: Value): BuiltinValue {
  return {
    kind: "builtin",
    name: "vmap",
    wraps: f,
    binds: true,
    call: (vm, { positional, keywords }) => {
      const perArgument = inAxes.kind === "tuple" || inAxes.kind === "list" ? inAxes.items : null;
      if (perArgument !== null && perArgument.length !== positional.length) {
        vm.fail(
          "ValueError",
          `vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional ` +
            `arguments passed to the function, but got ${perArgument.length} for ${positional.length}`,
        );
      }
      const batch = new Batch(vm);
      const examples = positional.map((v, k) => batch.example(v, perArgument?.[k] ?? inAxes));
      // Arguments given by name are always mapped over their first axis.
      const named = [...keywords].map(([k, v]) => [k, batch.example(v, int(0))] as const);
      if (batch.axis === null) {
        return vm.fail("ValueError", "vmap must have at least one non-None value in in_axes");
      }
      if (batch.isOfNumbers) vm.recorder.isFlat = true;
      const result = call(vm, f, examples, new Map(named));
      return batch.lifted(result, outAxes);
    },
  };
}

/** What `in_axes` or `out_axes` says of one value: one entry for all, or a tree of entries. */
function axesFor(vm: Interpreter, v: Value, axes: Value): Value {
  if (axes.kind === "none" || axes.kind === "number") {
    return mapTree(vm, () => (axes.kind === "none" ? KEPT : axes), v);
  }
  if (v.kind === "dict" && axes.kind === "dict") {
    const pairs = [...v.entries].map(
      ([k, e]) => [e.key, axesFor(vm, e.value, axes.entries.get(k)?.value ?? NONE)] as const,
    );
    return makeDict(vm, pairs);
  }
  const both =
    (v.kind === "tuple" || v.kind === "list") && (axes.kind === "tuple" || axes.kind === "list");
  if (both && v.items.length === axes.items.length) {
    return tuple(v.items.map((x, k) => axesFor(vm, x, axes.items[k]!)));
  }
  return vm.fail("ValueError", "vmap: in_axes or out_axes do not have the structure of the values");
}

/** Stands for None, which as a part of a tree would have no leaves. */
const KEPT: Value = { kind: "ellipsis" };

class Batch {
  /** The axis that examples are taken along; `null` until the first mapped array. */
  axis: Axis | null = null;
  private readonly vm: Interpreter;
  private readonly inputs = new Map<Expr, Expr>();

  constructor(vm: Interpreter) {
    this.vm = vm;
  }

  /** Each example is a number. */
  get isOfNumbers(): boolean {
    return [...this.inputs.keys()].every((x) => x.shape.length === 0);
  }

  /** The value for one example. */
  example(v: Value, axes: Value): Value {
    return mapTree(
      this.vm,
      (leaf, at) => (at.kind === "number" ? this.one(leaf, at.value ?? 0) : leaf),
      v,
      axesFor(this.vm, v, axes),
    );
  }

  private one(v: Value, along: number): TensorValue {
    const { vm } = this;
    const t = inLibrary(vm, asTensor(vm, v, "jax"), "jax");
    const rank = t.expr.shape.length;
    if (rank === 0) {
      return vm.fail(
        "ValueError",
        "vmap was requested to map an array that has no axes",
        "Say in_axes=None for it.",
      );
    }
    const d = vm.shaped(() => normalizeDim(along, rank));
    const axis = t.expr.shape[d]!;
    if (this.axis !== null && this.axis.size !== axis.size) {
      const sizes = `${this.axis.size} and ${axis.size}`;
      vm.fail("ValueError", `vmap got inconsistent sizes for array axes to be mapped: ${sizes}`);
    }
    this.axis ??= axis;
    const others = t.expr.shape.map((_, k) => k).filter((k) => k !== d);
    const many = d === 0 ? t.expr : transpose(t.expr, [d, ...others]);
    const node = input(vm.arrays.freshName("example"), many.shape.slice(1), many.type);
    this.inputs.set(node, many);
    return tensor(vm, node, "jax", t.dtype);
  }

  /** The result for the whole batch. */
  lifted(result: Value, outAxes: Value): Value {
    const { vm } = this;
    const exprs = leavesOf(result).map((v) => this.leaf(v).expr);
    const axis = this.distinctAxis(exprs);
    const inputs = new Map(
      [...this.inputs].map(([node, many]): [Expr, Expr] => [
        node,
        many.shape[0]!.name === axis.name ? many : renameAxes(many, new Map([[0, axis.name]])),
      ]),
    );
    const moved = vm.shaped(() => liftOver(exprs, inputs, axis));
    vm.recorder.moved(moved);
    return mapTree(
      vm,
      (leaf, at) => {
        const t = this.leaf(leaf);
        const kept = at.kind !== "number";
        const many = moved.get(t.expr);
        if (kept && many !== undefined) {
          return vm.fail("ValueError", "vmap has mapped output but out_axes is None");
        }
        if (kept) return t;
        const whole = many ?? vm.shaped(() => expand(t.expr, [axis, ...t.expr.shape]));
        return tensor(vm, toPlace(vm, whole, at.value ?? 0), "jax", t.dtype);
      },
      result,
      axesFor(vm, result, outAxes),
    );
  }

  private leaf(v: Value): TensorValue {
    return asTensor(this.vm, v, "jax");
  }

  /** The batch axis, under a name that no axis inside has. */
  private distinctAxis(roots: readonly Expr[]): Axis {
    const axis = this.axis!;
    const inside = roots.flatMap((r) => topological(r)).flatMap((e) => e.shape);
    if (!inside.some((a) => a.name === axis.name)) return axis;
    return { name: freshLetter(inside), size: axis.size, role: axis.role, parts: [axis] };
  }
}

/** The batch axis from the front to where `out_axes` wants it. */
function toPlace(vm: Interpreter, e: Expr, at: number): Expr {
  const d = vm.shaped(() => normalizeDim(at, e.shape.length));
  if (d === 0) return e;
  const others = e.shape.map((_, k) => k).slice(1);
  return transpose(e, others.toSpliced(d, 0, 0));
}
