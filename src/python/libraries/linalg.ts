/** numpy.linalg and torch.linalg. */
import { reducedAxes, vectorNorm } from "./common.ts";
import type { Table } from "./signature.ts";

export const linalg: Table = {
  norm: [
    "x, ord=None, axis=None, keepdims=False",
    (c) =>
      vectorNorm(
        c,
        c.tensor("x"),
        c.given("ord") ? c.number("ord") : 2,
        c.dims("axis"),
        c.flag("keepdims"),
      ),
  ],
  vector_norm: [
    "x, ord=2, dim=None, keepdim=False, dtype=None",
    (c) => vectorNorm(c, c.tensor("x"), c.number("ord"), reducedAxes(c), c.flag("keepdim")),
  ],
};
