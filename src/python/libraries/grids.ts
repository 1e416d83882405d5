/** Arrays made of lines: outer products, and the coordinates of a grid. */
import { type Axis, UNIT, axis } from "../../expression/axis.ts";
import { expand, reshape } from "../../expression/build.ts";
import { einsum } from "../tensors/contraction.ts";
import { flattenRange } from "../tensors/reshape.ts";
import { freshLetter, itemsOf, rankOf, tensor } from "../tensors/tensor.ts";
import { sizeAlong } from "../tensors/windows.ts";
import { type TensorValue, type Value, tuple } from "../values.ts";
import type { CallContext, Table } from "./signature.ts";

/** torch.outer: of two arrays of one axis. */
function outer(c: CallContext): Value {
  const [a, b] = [c.tensor("input"), c.tensor("vec2")];
  for (const [name, t] of [
    ["self", a],
    ["vec2", b],
  ] as const) {
    if (rankOf(t) !== 1) {
      c.vm.fail("RuntimeError", `outer: Expected 1-D argument ${name}, but got ${rankOf(t)}-D`);
    }
  }
  return einsum(c.vm, "i,j->ij", [a, b], "torch");
}

/**
 * The k-th array's entries along the k-th axis of a grid; in NumPy the first two change places
 * unless `indexing` is "ij".
 */
function meshgrid(c: CallContext, usual: "ij" | "xy"): Value {
  const { vm } = c;
  const given = c.list("arrays");
  const items = given.length === 1 ? (itemsOf(given[0]!) ?? given) : given;
  const indexing = c.given("indexing") ? c.text("indexing") : usual;
  if (indexing !== "ij" && indexing !== "xy") {
    return c.bad("indexing", '"xy" or "ij"');
  }
  const lines = items.map((v) => {
    const t = c.asOwn(v);
    if (c.library === "torch" && rankOf(t) > 1) {
      vm.fail(
        "RuntimeError",
        `torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${rankOf(t)} axes`,
      );
    }
    return flattenRange(vm, t, 0, -1);
  });
  const order = lines.map((_, k) => (indexing === "xy" && k < 2 && lines.length > 1 ? 1 - k : k));
  const along = order.reduce<readonly Axis[]>((axes, k) => {
    const n = sizeAlong(vm, lines[k]!, 0, "meshgrid()");
    return [...axes, axis(freshLetter(axes), n, "element")];
  }, []);
  const grids = lines.map((t, k): TensorValue => {
    const own = order.indexOf(k);
    const e = vm.shaped(() =>
      expand(
        reshape(
          t.expr,
          along.map((a, d) => (d === own ? a : UNIT)),
        ),
        along,
      ),
    );
    return tensor(vm, e, t.library, t.dtype);
  });
  return tuple(grids);
}

/** Functions of torch and methods of its tensors. */
export const torchOuter: Table = {
  outer: ["input, vec2, !out", outer],
  ger: ["input, vec2, !out", outer],
};

export const torchGrids: Table = {
  meshgrid: ["*arrays, indexing=None", (c) => meshgrid(c, "ij")],
};

export const numpyGrids: Table = {
  meshgrid: ["*arrays, ~copy, !sparse, indexing=None", (c) => meshgrid(c, "xy")],
};

/** TensorFlow's, whose first two change places as NumPy's do. */
export const tensorflowGrids: Table = {
  meshgrid: ["*arrays, indexing=None, ~name", (c) => meshgrid(c, "xy")],
};
