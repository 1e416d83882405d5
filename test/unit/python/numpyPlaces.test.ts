import { type Printed, prints } from "./numpyExpressions.ts";

const ARRAYS = `
import numpy as np
a = np.array([1., -2.5, 4., 0.])
b = np.array([2., 3., -1.5, 5.])
m = np.array([[1, 2, 3], [4, 5, 6]])
f = np.array([[1., 2., 3.], [4., 5.5, 6.]])
sq = np.arange(9.).reshape(3, 3)
o = np.array([True, False, True])
def filled(x, v):
    x.fill(v)
    return x
def sorted_(x):
    x.sort()
    return x
def diag(x, v):
    np.fill_diagonal(x, v)
    return x
def put(x):
    np.putmask(x, x < 0, 9.0)
    return x
def placed(x):
    np.place(x, x < 0, 9.0)
    return x
def copied(x, **k):
    np.copyto(x, 7.0, **k)
    return x

def listed(v):
    if isinstance(v, (tuple, list)):
        return [listed(x) for x in v]
    return v.tolist() if hasattr(v, "tolist") else v
`;

/** As NumPy prints them. */
const PRINTED: Printed = [
  ["np.select([a > 3, a < 0], [a * 2, -a], default=10)", "[10.0, 2.5, 8.0, 10.0]"],
  ["np.select([a > 0, a > 3], [1, 2])", "[1, 0, 1, 0]"],
  ["np.choose(np.array([0, 1, 1, 0]), [a, b])", "[1.0, 3.0, -1.5, 0.0]"],
  ["np.piecewise(a, [a < 0, a >= 0], [lambda x: -x, lambda x: x * 2])", "[2.0, 2.5, 8.0, 0.0]"],
  ["np.piecewise(a, [a < 0], [0, 5])", "[5.0, 0.0, 5.0, 5.0]"],
  ["np.compress([False, True, True], f, axis=1)", "[[2.0, 3.0], [5.5, 6.0]]"],
  ["np.compress(o, a)", "[1.0, 4.0]"],
  ["np.extract(a > 0, a)", "[1.0, 4.0]"],
  ["filled(np.zeros(3), 2.5)", "[2.5, 2.5, 2.5]"],
  ["sorted_(np.array([3., 1., 2.]))", "[1.0, 2.0, 3.0]"],
  ["sorted_(np.array([[3., 1.], [2., 0.]]))", "[[1.0, 3.0], [0.0, 2.0]]"],
  ["diag(np.zeros((3, 2)), 5)", "[[5.0, 0.0], [0.0, 5.0], [0.0, 0.0]]"],
  ["put(np.array([1., -1.]))", "[1.0, 9.0]"],
  ["placed(np.array([1., -1.]))", "[1.0, 9.0]"],
  ["copied(np.zeros(2))", "[7.0, 7.0]"],
  ["copied(np.array([1., -1.]), where=np.array([True, False]))", "[7.0, -1.0]"],
  ["np.partition(a, 2)[:2].sum()", "-2.5"],
  ["np.tri(2)", "[[1.0, 0.0], [1.0, 1.0]]"],
  ["np.tril_indices(3)", "[[0, 1, 1, 2, 2, 2], [0, 0, 1, 0, 1, 2]]"],
  ["np.triu_indices(3, k=1)", "[[0, 0, 1], [1, 2, 2]]"],
  ["np.triu_indices(2, 0, 3)", "[[0, 0, 0, 1, 1], [0, 1, 2, 1, 2]]"],
  ["np.tril_indices_from(m)", "[[0, 1, 1], [0, 0, 1]]"],
  ["sq[np.triu_indices(3, 1)]", "[1.0, 2.0, 5.0]"],
  ["np.diag_indices(3)", "[[0, 1, 2], [0, 1, 2]]"],
  ["sq[np.diag_indices(3)]", "[0.0, 4.0, 8.0]"],
  ["sq[np.ix_([0, 2], [1, 2])]", "[[1.0, 2.0], [7.0, 8.0]]"],
  ["sq[np.ix_(o, o)]", "[[0.0, 2.0], [6.0, 8.0]]"],
  ["list(np.ndindex(2, 2))", "[[0, 0], [0, 1], [1, 0], [1, 1]]"],
  ["[i for i in np.ndindex((2, 1))]", "[[0, 0], [1, 0]]"],
  ["np.indices((2, 3))", "[[[0, 0, 0], [1, 1, 1]], [[0, 1, 2], [0, 1, 2]]]"],
  ["np.fromfunction(lambda i, j: i + 2 * j, (2, 3))", "[[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]"],
  ["np.logspace(0, 2, 3)", "[1.0, 10.0, 100.0]"],
  ["np.geomspace(1, 8, 4)", "[1.0, 2.0, 4.0, 8.0]"],
  ["np.add.reduce(f)", "[5.0, 7.5, 9.0]"],
  ["np.add.reduce(f, axis=1)", "[6.0, 15.5]"],
  ["np.add.reduce(f, axis=None)", "21.5"],
  ["np.multiply.reduce(a)", "-0.0"],
  ["np.maximum.reduce([a, b])", "[2.0, 3.0, 4.0, 5.0]"],
  ["np.minimum.reduce(f, axis=1, keepdims=True)", "[[1.0], [4.0]]"],
  ["np.logical_and.reduce([a > 0, b > 0])", "[True, False, False, False]"],
  ["np.logical_or.reduce(np.array([[True, False], [False, False]]), axis=1)", "[True, False]"],
  ["np.add.accumulate(a)", "[1.0, -1.5, 2.5, 2.5]"],
  ["np.maximum.accumulate(a)", "[1.0, 1.0, 4.0, 4.0]"],
  ["np.minimum.accumulate(f, axis=1)", "[[1.0, 1.0, 1.0], [4.0, 4.0, 4.0]]"],
  ["np.maximum.accumulate(m, axis=1)", "[[1, 2, 3], [4, 5, 6]]"],
  ["np.maximum.outer(a, b[:1])", "[[2.0], [2.0], [4.0], [2.0]]"],
  ["a.searchsorted(0.5) if False else np.array([1., 2.]).searchsorted(1.5)", "1"],
  ["a.compress(o)", "[1.0, 4.0]"],
  ["a.compress(o)", "[1.0, 4.0]"],
]; // prettier-ignore

describe("NumPy's choices and places, and what its functions do along axes", () => {
  prints(ARRAYS, PRINTED);
});
