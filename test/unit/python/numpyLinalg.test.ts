import { type Printed, type Refused, prints, refuses } from "./numpyExpressions.ts";

const ARRAYS = `
import numpy as np
a = np.array([1., -2., 4.])
b = np.array([2., 3., -1.5])
f = np.array([[1., 2., 3.], [4., 5.5, 6.]])
s2 = np.array([[2., 1.], [1., 3.]])
s3 = np.array([[2., 1., 0.], [1., 3., -1.], [0.5, 2., 1.]])
st = np.array([[[2., 1.], [1., 3.]], [[1., 0.], [4., -2.]]])

def listed(v):
    if isinstance(v, (tuple, list)):
        return [listed(x) for x in v]
    return v.tolist() if hasattr(v, "tolist") else v
`;

/** As NumPy prints them. */
const PRINTED: Printed = [
  ["np.linalg.norm(f, 1)", "9.0"],
  ["np.linalg.norm(f, np.inf)", "15.5"],
  ["np.linalg.norm(f, -1)", "5.0"],
  ["np.linalg.norm(f, -np.inf)", "6.0"],
  ["np.linalg.norm(f, 1, axis=1)", "[6.0, 15.5]"],
  ["np.linalg.norm(st, 1, axis=(1, 2))", "[4.0, 5.0]"],
  ["np.linalg.norm(st, np.inf, axis=(1, 2), keepdims=True)", "[[[4.0]], [[6.0]]]"],
  ["np.linalg.det(s2)", "5.0"],
  ["np.linalg.det(s3)", "8.5"],
  ["np.linalg.det(st)", "[5.0, -2.0]"],
  ["np.linalg.inv(st)", "[[[0.6, -0.2], [-0.2, 0.4]], [[1.0, 0.0], [2.0, -0.5]]]"],
  ["np.linalg.inv(np.array([[4.]]))", "[[0.25]]"],
  ["np.linalg.matrix_power(s2, 3)", "[[15.0, 20.0], [20.0, 35.0]]"],
  ["np.linalg.matrix_power(s2, 0)", "[[1.0, 0.0], [0.0, 1.0]]"],
  ["np.linalg.multi_dot([f, s3, a])", "[-16.5, -46.5]"],
  ["np.linalg.outer(a, b)", "[[2.0, 3.0, -1.5], [-4.0, -6.0, 3.0], [8.0, 12.0, -6.0]]"],
  ["np.linalg.cross(a, b)", "[-9.0, 9.5, 7.0]"],
  ["np.cross(a, b)", "[-9.0, 9.5, 7.0]"],
  ["np.cross(f, f[::-1] if False else s3[:2])", "[[-3.0, 6.0, -3.0], [-23.5, 10.0, 6.5]]"],
  ["np.vecdot(f, f)", "[14.0, 82.25]"],
  ["np.linalg.vecdot(f, a)", "[9.0, 17.0]"],
  ["np.vecdot(s3, s3, axis=0)", "[5.25, 14.0, 2.0]"],
  ["np.matvec(f, a)", "[9.0, 17.0]"],
  ["np.vecmat(a, s3)", "[2.0, 3.0, 6.0]"],
  ["np.linalg.trace(st)", "[5.0, -1.0]"],
  ["np.linalg.diagonal(st)", "[[2.0, 3.0], [1.0, -2.0]]"],
  ["np.linalg.matrix_transpose(st)", "[[[2.0, 1.0], [1.0, 3.0]], [[1.0, 4.0], [0.0, -2.0]]]"],
  ["np.issubdtype(f.dtype, np.floating)", "True"],
  ["np.issubdtype(np.int32, np.integer)", "True"],
  ["np.issubdtype(np.float32, np.float64)", "False"],
  ["np.issubdtype(np.bool_, np.number)", "False"],
  ["np.issubdtype(np.uint8, np.unsignedinteger)", "True"],
  ["str(np.result_type(np.float32, np.float64))", "float64"],
  ["str(np.result_type(np.int32, np.float32))", "float64"],
  ["str(np.promote_types(np.int8, np.uint8))", "int16"],
  ["np.testing.assert_allclose(a, a)", "None"],
]; // prettier-ignore

describe("NumPy's linear algebra and kinds of dtypes", () => {
  prints(ARRAYS, PRINTED);

  /** What is not supported, and what is said of it. */
  const REFUSED: Refused = [
    ["np.linalg.norm(f, 2)", /singular values/, /Frobenius/],
    ["np.linalg.norm(f, 'nuc')", /singular values/, /flatten/],
    ["np.linalg.inv(np.eye(4))", /larger than 3 by 3/, /Write the formula/],
  ];
  refuses(ARRAYS, REFUSED);
});
