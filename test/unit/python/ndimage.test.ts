import assert from "node:assert/strict";
import { PythonError } from "../../../src/python/errors.ts";
import { session, traceOf } from "./session.ts";

/** Printed for m = [[0, 1, 1], [0, 1, 0], [1, 0, 0]], as SciPy prints it. */
const PRINTED: readonly (readonly [expression: string, printed: string])[] = [
  ["ndimage.distance_transform_edt(m) ** 2", "[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]"],
  [
    "ndimage.distance_transform_edt(m, sampling=[1, 3])",
    "[[0.0, 2.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]",
  ],
  ["ndimage.distance_transform_edt(m, 2)[0]", "[0.0, 2.0, 2.0]"],
  ["edt(m[0] > 5)", "[0.0, 0.0, 0.0]"],
  ["ndimage.label(m)[0]", "[[0, 1, 1], [0, 1, 0], [2, 0, 0]]"],
  ["ndimage.label(m, structure=np.ones((3, 3)))[0]", "[[0, 1, 1], [0, 1, 0], [1, 0, 0]]"],
  ["np.array(ndimage.label(m)[1])", "2"],
  ["ndimage.binary_dilation(m[:1], border_value=0)", "[[True, True, True]]"],
  [
    "ndimage.binary_erosion(m[:2], border_value=1)",
    "[[False, False, False], [False, False, False]]",
  ],
  [
    "ndimage.binary_opening(m, structure=np.ones((2, 1)))",
    "[[False, True, False], [False, True, False], [False, False, False]]",
  ],
  [
    "ndimage.binary_closing(m)",
    "[[False, False, False], [False, True, False], [False, False, False]]",
  ],
  [
    "ndimage.binary_fill_holes(np.pad(1 - m[:1, :1] * m[:1, :1], 1))",
    "[[False, False, False], [False, True, False], [False, False, False]]",
  ],
  [
    "ndimage.generate_binary_structure(2, 1)",
    "[[False, True, False], [True, True, True], [False, True, False]]",
  ],
  ["ndimage.maximum_filter(m, 3)", "[[1, 1, 1], [1, 1, 1], [1, 1, 1]]"],
  ["ndimage.minimum_filter(m, size=(1, 2))", "[[0, 0, 1], [0, 0, 0], [1, 0, 0]]"],
  ["ndimage.grey_dilation(m, size=(2, 2))", "[[1, 1, 1], [1, 1, 0], [1, 0, 0]]"],
  [
    "ndimage.convolve(m * 1.0, np.array([[0, 1.0], [2, 4]]), mode='constant')",
    "[[2.0, 7.0, 4.0], [3.0, 4.0, 0.0], [4.0, 0.0, 0.0]]",
  ],
  [
    "ndimage.correlate1d(m * 1.0, [1.0, 2.0], axis=0, mode='mirror')",
    "[[0.0, 3.0, 2.0], [0.0, 3.0, 1.0], [2.0, 1.0, 0.0]]",
  ],
  ["ndimage.sobel(m * 1.0, 0)", "[[0.0, -1.0, -3.0], [2.0, -2.0, -4.0], [2.0, -1.0, -1.0]]"],
  [
    "ndimage.laplace(m * 1.0, mode='nearest')",
    "[[1.0, -1.0, -1.0], [2.0, -3.0, 2.0], [-2.0, 2.0, 0.0]]",
  ],
  [
    "ndimage.uniform_filter(m * 3.0, size=(1, 3), mode='wrap')",
    "[[2.0, 2.0, 2.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]",
  ],
  ["ndimage.gaussian_filter(m * 1.0, 0.1)", "[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]"],
];

describe("scipy.ndimage", () => {
  for (const [expression, printed] of PRINTED) {
    it(`${expression} is ${printed}`, async () => {
      const { run, host } = await session();
      run(`
import numpy as np
from scipy import ndimage
from scipy.ndimage.morphology import distance_transform_edt as edt
m = np.array([[0, 1, 1], [0, 1, 0], [1, 0, 0]])
print((${expression}).tolist())`);
      assert.equal(host.printed.join("").trim(), printed);
    });
  }

  it("takes arrays that are known, and says so where they are not", async () => {
    const source =
      "from scipy import ndimage\n\ndef loss(p, t):\n    return (p * ndimage.distance_transform_edt(t)).sum()\n";
    await assert.rejects(traceOf(source, "loss"), (e) => {
      assert.ok(e instanceof PythonError);
      assert.match(
        e.message,
        /^the result of scipy\.ndimage\.distance_transform_edt\(\) depends on values/,
      );
      assert.match(e.remedy ?? "", /Bind arrays/);
      return true;
    });
  });

  it("writes distances into an array that it is given", async () => {
    const { run, host } = await session();
    run(`import numpy as np
from scipy import ndimage
out = np.zeros((2, 3))
ndimage.distance_transform_edt(np.array([0, 1, 1]), distances=out[1])
print(out.tolist())`);
    assert.equal(host.printed.join("").trim(), "[[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]");
  });

  it("refuses a sampling and a structure of another rank", async () => {
    const { run } = await session();
    const asked = (call: string) => () =>
      run(`import numpy as np\nfrom scipy import ndimage\nndimage.${call}`);
    assert.throws(
      asked("distance_transform_edt(np.ones((2, 2)), sampling=[1])"),
      /sequence argument/,
    );
    assert.throws(asked("label(np.ones((2, 2)), structure=np.ones(3))"), /same dimensionality/);
  });

  it("says which modes and shapes of windows are not supported", async () => {
    const { run } = await session();
    const asked = (call: string) => () =>
      run(`import numpy as np\nfrom scipy import ndimage\nndimage.${call}`);
    assert.throws(asked("sobel(np.ones((2, 2)), mode='mirrored')"), /with this mode/);
    assert.throws(
      asked("maximum_filter(np.ones((3, 3)), footprint=np.eye(3))"),
      /other shapes than boxes/,
    );
    assert.throws(asked("gaussian_filter(np.ones(5), 1, order=3)"), /order above 2/);
  });
});
