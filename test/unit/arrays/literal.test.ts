import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseArrayLiteral } from "../../../src/arrays/literal.ts";
import { toFloat64 } from "../../../src/arrays/ndarray.ts";
import { arrayError } from "./expected.ts";

function values(text: string): number[] {
  return [...toFloat64(parseArrayLiteral(text))];
}

describe("parseArrayLiteral", () => {
  const inferred: readonly (readonly [string, string, readonly number[]])[] = [
    ["torch.tensor([0.1, 1])", "float32", [2]],
    ["torch.tensor([1, 0])", "int64", [2]],
    ["torch.tensor([True])", "bool", [1]],
    ["torch.tensor([True, 0.5])", "float32", [2]],
    ["torch.tensor([])", "float32", [0]],
    ["torch.tensor([0.1], dtype=torch.float64)", "float64", [1]],
    ["torch.tensor([0.1], dtype=float)", "float64", [1]],
    ["torch.tensor([0.1], dtype=torch.float)", "float32", [1]],
    ["torch.tensor(0.1, device='cuda:0', requires_grad=True)", "float32", []],
    ["torch.from_numpy(np.array([0.1]))", "float64", [1]],
    ["torch.FloatTensor([1, 2])", "float32", [2]],
    ["torch.zeros(2, 3)", "float32", [2, 3]],
    ["torch.zeros((2, 3), dtype=torch.bool)", "bool", [2, 3]],
    ["torch.zeros(size=(2,))", "float32", [2]],
    ["torch.ones([4])", "float32", [4]],
    ["torch.full((2,), 1)", "int64", [2]],
    ["torch.full((2,), 0.5)", "float32", [2]],
    ["torch.eye(3)", "float32", [3, 3]],
    ["torch.arange(3)", "int64", [3]],
    ["torch.arange(0, 1, 0.25)", "float32", [4]],
    ["torch.linspace(0, 1, steps=5)", "float32", [5]],
    ["torch.tensor([1, 2]).float().view(2, -1)", "float32", [2, 1]],
    ["torch.tensor([[1, 2]]).to('cpu', torch.float16)", "float16", [1, 2]],
    ["torch.tensor([1, 2]).unsqueeze(0).unsqueeze(-1)", "int64", [1, 2, 1]],
    ["torch.ones(2, 3, 4).permute(2, 0, 1)", "float32", [4, 2, 3]],
    ["torch.ones(2, 3, 4).transpose(0, -1)", "float32", [4, 3, 2]],
    ["torch.ones(1, 2).squeeze(1)", "float32", [1, 2]],
    ["torch.tensor([1.0]).double().numpy()", "float64", [1]],
    ["jnp.asarray([0.1])", "float32", [1]],
    ["jax.numpy.array([1, 2])", "int32", [2]],
    ["jnp.array([1.0], dtype=jnp.bfloat16)", "bfloat16", [1]],
    ["jnp.array(np.array([1.0]))", "float32", [1]],
    ["jnp.zeros((2,))", "float32", [2]],
    ["tf.constant([1, 2])", "int32", [2]],
    ["tf.constant([1, 2**40])", "int64", [2]],
    ["tf.constant([0.5], tf.float64)", "float64", [1]],
    ["tf.constant(0.5, shape=[2, 2])", "float32", [2, 2]],
    ["tf.cast([0, 1], tf.float32)", "float32", [2]],
    ["tf.range(3)", "int32", [3]],
    ["tf.reshape(tf.range(6), [2, 3])", "int32", [2, 3]],
    ["[false, true]", "bool", [2]],
  ];
  for (const [text, dtype, shape] of inferred) {
    it(`takes ${text} as ${dtype} of shape (${shape.join(", ")})`, () => {
      const array = parseArrayLiteral(text);
      assert.deepEqual([array.dtype, array.shape], [dtype, shape]);
    });
  }

  it("reads what printing an array leaves", () => {
    const single = Math.fround(0.1);
    assert.deepEqual(values("array([[0.1],\n       [0.2]])"), [0.1, 0.2]);
    assert.deepEqual(
      values("tensor([0.1], dtype=torch.float64, grad_fn=<SigmoidBackward0>)"),
      [0.1],
    );
    assert.deepEqual(values("tensor([0.1], device='cuda:0')"), [single]);
    assert.deepEqual(values("Array([0.1], dtype=float32)"), [single]);
    assert.deepEqual(
      values("<tf.Tensor: shape=(1,), dtype=float32, numpy=array([0.1], dtype=float32)>"),
      [single],
    );
    assert.deepEqual(parseArrayLiteral("array([], shape=(0, 3), dtype=float32)").shape, [0, 3]);
    assert.deepEqual(values("[np.float64(0.1), np.float64(0.2)]"), [0.1, 0.2]);
  });

  it("rounds half precision as each library does: PyTorch through float32", () => {
    // Just above the tie between 1 and the next float16, but by less than float32 can see.
    const text = "[1.00048828125000001e0 + 2.0**-40]";
    assert.deepEqual(values(`np.array(${text}, dtype=np.float16)`), [1 + 2 ** -10]);
    assert.deepEqual(values(`torch.tensor(${text}, dtype=torch.float16)`), [1]);
  });

  it("keeps the place it was given as the array's origin, also after methods", () => {
    const place = { file: "loss.py", line: 3, column: 8 };
    assert.deepEqual(parseArrayLiteral("np.ones(4).reshape(2, 2)", place).origin, {
      kind: "literal",
      ...place,
    });
  });

  it("gives file, line and column of an error, counted from where the text begins", () => {
    const place = { file: "loss.py", line: 10, column: 5 };
    const first = arrayError(() => parseArrayLiteral("[1, x]", place));
    assert.deepEqual(first.where, { file: "loss.py", line: 10, column: 9 });
    const second = arrayError(() => parseArrayLiteral("[1,\r\n  x]", place));
    assert.deepEqual(second.where, { file: "loss.py", line: 11, column: 3 });
  });

  const refused: readonly (readonly [string, number, RegExp])[] = [
    ["", 1, /empty/],
    ["  # only a comment", 1, /empty/],
    ["[[1, 2], [3]]", 10, /row \[1\] has 1 element, row \[0\] has 2/],
    ["[[[1], [2]], [[3], [4, 5]]]", 20, /row \[1, 1\] has 2 elements, row \[0, 0\] has 1/],
    ["[[1, 2], 3]", 10, /Element \[1\] is a number where \[0\] is a list/],
    ["[1, [2]]", 5, /Element \[1\] is a list where \[0\] is a number/],
    ["[[], [1]]", 6, /row \[1\] has 1 element, row \[0\] has 0/],
    ["[np.ones(2), np.ones(3)]", 14, /row \[1\] has 3 elements/],
    ["[0.1 0.2]", 6, /comma is missing/],
    ["[[1, 2] [3, 4]]", 9, /comma is missing/],
    ["[1, 2", 1, /"\[" is never closed/],
    ["np.array([1, 2]", 9, /"\(" is never closed/],
    ["[1, 2]]", 7, /has ended, but "\]"/],
    ["[1, 2)", 6, /"\]" is expected here, not "\)"/],
    ["[1,, 2]", 4, /not ","/],
    ["[1, None]", 5, /None is not a number/],
    ["['0.5']", 2, /is a string, not a number/],
    ["[pred]", 2, /name "pred" is not a number/],
    ["{1, 2}", 1, /dictionary or a set/],
    ["x = [1]", 3, /assignment/],
    ["[i for i in range(3)]", 4, /"for" makes this code/],
    ["[1, ..., 2]", 5, /left out when the array was printed/],
    ["[1 + 2j]", 6, /complex/],
    ["[1.2.3]", 5, /comma is missing before ".3"/],
    ["[012]", 2, /no leading zeros/],
    ["[1f]", 2, /"1f" is not a number/],
    ["[−1]", 2, /U\+2212/],
    ["[1; 2]", 3, /U\+003B/],
    ["1/0", 2, /divides by zero/],
    ["1 // 0.0", 3, /divides by zero/],
    ["0 ** -1", 3, /divides by zero/],
    ["(-8) ** 0.5", 6, /complex/],
    ["9**9**9", 2, /too large/],
    ["10**400 * 1.0", 9, /too large to become a floating-point number/],
    ["[10**30]", 2, /does not fit into uint64/],
    ["[1] * 10**9", 5, /more than 1048576 items/],
    ["np.array([300], dtype=np.uint8)", 11, /300 does not fit into uint8/],
    ["np.array([-1], dtype=np.uint8)", 11, /-1 does not fit into uint8/],
    ["np.array([np.nan], dtype=int)", 11, /NaN is no value of int64/],
    ["np.array([0.5, np.nan]).astype(int)", 25, /Element \[1\] is NaN, which int64 cannot hold/],
    ["np.arange(300, dtype=np.int8)", 1, /Element \[128\] is 128/],
    ["np.array([1], dtype=np.longdouble)", 21, /no dtype/],
    ["np.array([1], dtype='O')", 21, /no dtype/],
    ["np.array([1], fancy=2)", 21, /"fancy"/],
    ["np.array()", 1, /lacks its argument/],
    ["np.zeros((2, -1))", 1, /negative/],
    ["np.zeros((10**6, 10**6))", 1, /larger than a literal may make/],
    ["np.zeros(10**300)", 10, /too large/],
    ["np.arange(0, 1, 0)", 17, /step of a range cannot be zero/],
    ["np.arange(0, 1, 1e-300)", 1, /larger than a literal may make/],
    ["np.arange(np.inf)", 1, /no end/],
    ["np.linspace(0, 1, 10**12)", 1, /larger than a literal may make/],
    ["np.random.rand(3)", 1, /other numbers on every run/],
    ["torch.randn(3)", 1, /other numbers on every run/],
    ["torch.empty(3)", 1, /undefined/],
    ["torch.Tensor(3)", 1, /undefined/],
    ["np.load('a.npy')", 1, /reads a file/],
    ["np.exp([1])", 1, /np\.exp.*not read/],
    ["__import__('os')", 1, /not read in a literal/],
    ["constructor(1)", 1, /not read in a literal/],
    ["np.constructor(1)", 1, /not read in a literal/],
    ["np.ones(2).__class__", 12, /not read in a literal/],
    ["np.ones(2).tofile('x')", 12, /not read in a literal/],
    ["np.ones(6).reshape(4, 2)", 12, /\(6,\) cannot be reshaped to \(4, 2\)/],
    ["np.ones(6).reshape(-1, -1)", 12, /cannot be reshaped/],
    ["np.ones(6).reshape(-1, 0)", 12, /cannot be reshaped/],
    ["np.ones(2).view(np.int8)", 12, /reinterprets/],
    ["np.ones(2)[0]", 11, /Indexing an array/],
    ["[1, 2].T", 7, /needs an array before it/],
    ["np.ones(2) @ np.ones(2)", 12, /matrix product/],
    ["np.ones(2) + np.ones(3)", 12, /shapes \(2,\) and \(3,\)/],
    ["torch.ones(2).half() * 0.1", 22, /float16 rounds differently/],
    ["np.ones(2) ** 2", 12, /not read in a literal/],
    ["'abc", 1, /not closed/],
    ["<object", 1, /never closed/],
  ];
  for (const [text, column, pattern] of refused) {
    it(`refuses ${text || "an empty text"} at column ${String(column)}`, () => {
      const error = arrayError(() => parseArrayLiteral(text));
      assert.match(error.message, pattern);
      assert.deepEqual(error.where, { line: 1, column });
    });
  }

  it("refuses endless nesting and endless digits without running out of anything", () => {
    for (const text of [
      "[".repeat(1e5),
      "(".repeat(1e5),
      "1**".repeat(1e5),
      "np.array(".repeat(1e4),
    ]) {
      assert.match(arrayError(() => parseArrayLiteral(text)).message, /nested|never closed/);
    }
    assert.match(arrayError(() => parseArrayLiteral("9".repeat(1e5))).message, /100000 digits/);
    assert.deepEqual(values(`${"-".repeat(1e5)}1`), [1]);
    assert.deepEqual(values(Array<string>(20_000).fill("1").join("+")), [20_000]);
  });
});
