/** `x.at[index].set(y)` and its like: a changed copy, since JAX's arrays never change. */
import { where } from "../../../expression/build.ts";
import { makeClass } from "../../interpreter/classes.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { binaryOperation } from "../../interpreter/operators.ts";
import { call } from "../../interpreter/calls.ts";
import { align, asBoolean, elementwise, keepingFunction } from "../../tensors/elementwise.ts";
import { assignIndex } from "../../tensors/assigning.ts";
import { indexTensor } from "../../tensors/indexing.ts";
import { operandExpr, tensor } from "../../tensors/tensor.ts";
import type { ClassValue, InstanceValue, TensorValue, Value } from "../../values.ts";
import { addedAtPositions } from "../accumulating.ts";
import { copyOf, inLibrary } from "../convert.ts";
import { type CallContext, type Meaning, builtin } from "../signature.ts";

function methods(table: Readonly<Record<string, readonly [string, Meaning]>>): Map<string, Value> {
  return new Map(
    Object.entries(table).map(([name, entry]) => [
      name,
      { ...builtin("Array.at[…].", name, entry, "jax"), binds: true },
    ]),
  );
}

type Change = (c: CallContext, old: TensorValue, v: Value) => Value;

const SETTINGS =
  "~indices_are_sorted, ~unique_indices, ~mode, ~wrap_negative_indices, ~out_sharding";

const change = (how: Change): readonly [string, Meaning] => [
  `self, values, *, ${SETTINGS}`,
  (c) => changed(c, (old) => how(c, old, c.value("values"))),
];

/** Where arrays of positions name an entry several times, all of its values are added to it. */
const adding = (op: "+" | "-"): readonly [string, Meaning] => [
  `self, values, *, ${SETTINGS}`,
  (c) => {
    const v = c.value("values");
    const signed = op === "+" ? v : keepingFunction(c.vm, "neg", v, "jax");
    return (
      addedAtPositions(c, array(c), key(c), signed) ??
      changed(c, (old) => binaryOperation(c.vm, op, old, v))
    );
  },
];

const PLACE: ClassValue = makeClass({
  name: "_IndexUpdateRef",
  bases: [],
  attributes: methods({
    set: change((_, __, v) => v),
    add: adding("+"),
    subtract: adding("-"),
    multiply: change((c, old, v) => binaryOperation(c.vm, "*", old, v)),
    mul: change((c, old, v) => binaryOperation(c.vm, "*", old, v)),
    divide: change((c, old, v) => binaryOperation(c.vm, "/", old, v)),
    power: change((c, old, v) => binaryOperation(c.vm, "**", old, v)),
    min: change((c, old, v) => elementwise(c.vm, "min", old, v, "jax")),
    max: change((c, old, v) => elementwise(c.vm, "max", old, v, "jax")),
    apply: [
      `self, func, *, ${SETTINGS}`,
      (c) => changed(c, (old) => call(c.vm, c.value("func"), [old])),
    ],
    get: [`self, *, ${SETTINGS}, ~fill_value`, (c) => indexTensor(c.vm, array(c), key(c))],
  }),
})!;

const INDEXER: ClassValue = makeClass({
  name: "_IndexUpdateHelper",
  bases: [],
  attributes: methods({
    __getitem__: ["self, key", (c) => part(c.vm, PLACE, array(c), c.value("key"))],
  }),
})!;

function part(vm: Interpreter, cls: ClassValue, of: TensorValue, index?: Value): InstanceValue {
  const attributes = new Map<string, Value>([["array", of]]);
  if (index !== undefined) attributes.set("index", index);
  return { kind: "instance", cls, attributes, born: vm.epoch };
}

function attribute(c: CallContext, name: string): Value {
  const self = c.value("self");
  const v = self.kind === "instance" ? self.attributes.get(name) : undefined;
  return v ?? c.bad("self", "an array's .at[…]");
}

function array(c: CallContext): TensorValue {
  const v = attribute(c, "array");
  return v.kind === "tensor" ? v : c.bad("self", "an array's .at[…]");
}

const key = (c: CallContext): Value => attribute(c, "index");

/** A copy of the array with the entries at the index made anew from what they were. */
function changed(c: CallContext, made: (old: TensorValue) => Value): Value {
  const { vm } = c;
  const x = array(c);
  const at = key(c);
  if (at.kind === "tensor" && at.expr.type === "bool") return whereTrue(c, x, at, made(x));
  const copy = copyOf(vm, x);
  assignIndex(vm, copy, at, made(inLibrary(vm, indexTensor(vm, x, at), "jax")));
  return copy;
}

/** A mask picks entries: each takes its new value where the mask is true. */
function whereTrue(c: CallContext, x: TensorValue, mask: TensorValue, v: Value): Value {
  const { vm } = c;
  const value = operandExpr(vm, v, "jax");
  if (value.shape.length !== 0 && value.shape.length !== x.expr.shape.length) {
    return vm.unsupported(
      "setting the entries that a mask picks from an array",
      "Write jnp.where(mask, new, old).",
    );
  }
  if (mask.expr.shape.length !== x.expr.shape.length) {
    return vm.unsupported(
      "a mask with fewer axes than the array that it picks from",
      "Give it the missing axes: mask[..., None].",
    );
  }
  const e = vm.shaped(() => {
    const [m, a, b] = align([asBoolean(mask.expr), value, x.expr]);
    return where(m!, a!, b!);
  });
  return tensor(vm, e, "jax", x.dtype);
}

/** `x.at` */
export function indexUpdates(vm: Interpreter, x: TensorValue): Value {
  return part(vm, INDEXER, x);
}
