import assert from "node:assert/strict";
import { type Printed, prints } from "./numpyExpressions.ts";
import { session } from "./session.ts";

const ARRAYS = `
import numpy as np
a = np.array([1., -2., 4.])
f = np.array([[1., 2., 3.], [4., 5.5, 6.]])
sq = np.vectorize(lambda x: x * x + 1)
two = np.vectorize(lambda x, y: x - 2 * y)
one = np.vectorize(lambda x: 1)
t = np.arange(24.).reshape(2, 3, 4)
`;

/** As NumPy prints them. */
const PRINTED: Printed = [
  ["sq(a)", "[2.0, 5.0, 17.0]"],
  ["sq([1, 2])", "[2, 5]"],
  ["two(f, a)", "[[-1.0, 6.0, -5.0], [2.0, 9.5, -2.0]]"],
  ["one(f)", "[[1, 1, 1], [1, 1, 1]]"],
  ["np.apply_along_axis(np.sum, 1, f)", "[6.0, 15.5]"],
  ["np.apply_along_axis(lambda r: r[::2].sum(), 2, t)", "[[2.0, 10.0, 18.0], [26.0, 34.0, 42.0]]"],
  ["np.interp([-1., 0.5, 1.5, 2.0, 7.], [0., 1., 2.], [3., 5., -1.])", "[3.0, 4.0, 2.0, -1.0, -1.0]"],
  ["np.interp(1.25, [0., 1., 2.], [3., 5., -1.])", "3.5"],
  ["np.interp(f, [0., 4., 5.], [0., 1., 9.], left=-1, right=10)", "[[0.25, 0.5, 0.75], [1.0, 10.0, 10.0]]"],

]; // prettier-ignore

describe("NumPy's functions that call others", () => {
  prints(ARRAYS, PRINTED, (e) => `(${e}).tolist()`);

  it("np.vectorize says what to write where a function asks for a number's value", async () => {
    const { run } = await session();
    assert.throws(
      () => run(`${ARRAYS}\nnp.vectorize(lambda x: x if x > 0 else 0)(a)`),
      /supported only for functions that work on arrays as well: .*truth value/,
    );
  });
});
