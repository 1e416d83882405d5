import { type Printed, type Refused, prints, refuses } from "./numpyExpressions.ts";

const ARRAYS = `
import numpy as np
a, b = np.array([1., -2.5, 4., 0.]), np.array([2., 3., -1.5, 5.])
n = np.array([1., float('nan'), 3., 2.])
m, f = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[1., 2., 3.], [4., 5.5, 6.]])
t = np.arange(24).reshape(2, 3, 4)
nn = np.array([[1., float('nan'), 3.], [4., 5., float('nan')]])
o, q = np.array([True, False, True]), np.array([True, True, False])

def listed(v):
    if isinstance(v, (tuple, list)):
        return [listed(x) for x in v]
    return v.tolist() if hasattr(v, "tolist") else v
`;

/** As NumPy prints them. */
const PRINTED: Printed = [
  ["np.flipud(m)", "[[4, 5, 6], [1, 2, 3]]"],
  ["np.fliplr(m)", "[[3, 2, 1], [6, 5, 4]]"],
  ["np.rot90(m)", "[[3, 6], [2, 5], [1, 4]]"],
  ["np.rot90(m, 2)", "[[6, 5, 4], [3, 2, 1]]"],
  ["np.rot90(m, 3)", "[[4, 1], [5, 2], [6, 3]]"],
  ["np.rot90(m, -1)", "[[4, 1], [5, 2], [6, 3]]"],
  ["np.hsplit(m, 3)", "[[[1], [4]], [[2], [5]], [[3], [6]]]"],
  ["np.hsplit(a, 2)", "[[1.0, -2.5], [4.0, 0.0]]"],
  ["np.vsplit(m, 2)", "[[[1, 2, 3]], [[4, 5, 6]]]"],
  ["np.atleast_3d(a)", "[[[1.0], [-2.5], [4.0], [0.0]]]"],
  ["np.atleast_3d(m)", "[[[1], [2], [3]], [[4], [5], [6]]]"],
  ["np.atleast_3d(3.0)", "[[[3.0]]]"],
  ["np.unstack(m)", "[[1, 2, 3], [4, 5, 6]]"],
  ["np.unstack(m, axis=1)", "[[1, 4], [2, 5], [3, 6]]"],
  ["np.pad(a, (1, 2), mode='edge')", "[1.0, 1.0, -2.5, 4.0, 0.0, 0.0, 0.0]"],
  ["np.pad(a, (2, 3), 'reflect')", "[4.0, -2.5, 1.0, -2.5, 4.0, 0.0, 4.0, -2.5, 1.0]"],
  ["np.pad(a, (2, 3), 'symmetric')", "[-2.5, 1.0, 1.0, -2.5, 4.0, 0.0, 0.0, 4.0, -2.5]"],
  ["np.pad(a, (2, 3), 'wrap')", "[4.0, 0.0, 1.0, -2.5, 4.0, 0.0, 1.0, -2.5, 4.0]"],
  ["np.pad(a[:1], (2, 1), 'reflect')", "[1.0, 1.0, 1.0, 1.0]"],
  ["np.delete(a, 1)", "[1.0, 4.0, 0.0]"],
  ["np.delete(m, [0, 2], axis=1)", "[[2], [5]]"],
  ["np.delete(m, slice(None, None, 2), 1)", "[[2], [5]]"],
  ["np.delete(a, -1)", "[1.0, -2.5, 4.0]"],
  ["np.delete(m, 4)", "[1, 2, 3, 4, 6]"],
  ["np.insert(a, 1, 7)", "[1.0, 7.0, -2.5, 4.0, 0.0]"],
  ["np.insert(m, 1, 9, axis=1)", "[[1, 9, 2, 3], [4, 9, 5, 6]]"],
  ["np.insert(m, 0, [7, 8, 9], axis=0)", "[[7, 8, 9], [1, 2, 3], [4, 5, 6]]"],
  ["np.insert(m, 2, [7, 8], axis=1)", "[[1, 2, 7, 3], [4, 5, 8, 6]]"],
  ["np.insert(a, 4, [7., 8.])", "[1.0, -2.5, 4.0, 0.0, 7.0, 8.0]"],
  ["np.resize(m, (3, 4))", "[[1, 2, 3, 4], [5, 6, 1, 2], [3, 4, 5, 6]]"],
  ["np.resize(a, 6)", "[1.0, -2.5, 4.0, 0.0, 1.0, -2.5]"],
  ["np.block([a, b])", "[1.0, -2.5, 4.0, 0.0, 2.0, 3.0, -1.5, 5.0]"],
  ["np.broadcast_shapes((2, 1), (1, 3), (3,))", "[2, 3]"],
  ["np.fmax(a, b)", "[2.0, 3.0, 4.0, 5.0]"],
  ["np.fmin(n, a)", "[1.0, -2.5, 3.0, 0.0]"],
  ["np.fmax(n, a)", "[1.0, -2.5, 4.0, 2.0]"],
  ["np.fmax(n, n)", "[1.0, nan, 3.0, 2.0]"],
  ["np.trunc(a)", "[1.0, -2.0, 4.0, 0.0]"],
  ["np.fix(a)", "[1.0, -2.0, 4.0, 0.0]"],
  ["np.fmod(a, 2)", "[1.0, -0.5, 0.0, 0.0]"],
  ["np.fmod(a, b)", "[1.0, -2.5, 1.0, 0.0]"],
  ["np.fmod(np.array([-7, 7]), -3)", "[-1, 1]"],
  ["np.copysign(a, b)", "[1.0, 2.5, -4.0, 0.0]"],
  ["np.signbit(a)", "[False, True, False, False]"],
  ["np.divmod(a, 2)", "[[0.0, -2.0, 2.0, 0.0], [1.0, 1.5, 0.0, 0.0]]"],
  ["np.modf(a)", "[[0.0, -0.5, 0.0, 0.0], [1.0, -2.0, 4.0, 0.0]]"],
  ["np.bitwise_and(o, q)", "[True, False, False]"],
  ["np.bitwise_or(o, q)", "[True, True, True]"],
  ["np.bitwise_xor(o, q)", "[False, True, True]"],
  ["np.invert(o)", "[False, True, False]"],
  ["np.bitwise_not(o)", "[False, True, False]"],
  ["np.logical_xor(o, q)", "[False, True, True]"],
  ["np.isclose(a, a + 1e-9)", "[True, True, True, True]"],
  ["np.isclose(np.array([1., np.inf, 1., np.nan]), np.array([np.inf, np.inf, 1.1, np.nan]))", "[False, True, False, False]"],
  ["np.allclose(a, a)", "True"],
  ["np.allclose(f, np.ones(3))", "False"],
  ["np.array_equal(a, b)", "False"],
  ["np.array_equal(a, a)", "True"],
  ["np.array_equal(a, m)", "False"],
  ["np.heaviside(a, 0.5)", "[1.0, 0.0, 1.0, 0.5]"],
  ["np.median(a)", "0.5"],
  ["np.median(f)", "3.5"],
  ["np.median(f, axis=0)", "[2.5, 3.75, 4.5]"],
  ["np.median(f, axis=1, keepdims=True)", "[[2.0], [5.5]]"],
  ["np.median(t, axis=(0, 2))", "[7.5, 11.5, 15.5]"],
  ["np.median(t, axis=(1, 2), keepdims=True)", "[[[5.5]], [[17.5]]]"],
  ["np.median(t, axis=(2, 0), keepdims=True)", "[[[7.5], [11.5], [15.5]]]"],
  ["np.median(f, keepdims=True)", "[[3.5]]"],
  ["np.percentile(f, [25, 75])", "[2.25, 5.125]"],
  ["np.percentile(f, (25, 75), axis=1)", "[[1.5, 4.75], [2.5, 5.75]]"],
  ["np.quantile(t, 0.3, axis=(0, 1))", "[6.0, 7.0, 8.0, 9.0]"],
  ["np.quantile(a, np.array([0.1, 0.5]))", "[-1.75, 0.5]"],
  ["np.nanmedian(n)", "2.0"],
  ["np.nanmedian(nn)", "3.5"],
  ["np.nansum(nn, axis=0)", "[5.0, 5.0, 3.0]"],
  ["np.nanmean(nn, axis=1)", "[2.0, 4.5]"],
  ["np.nanmax(nn)", "5.0"],
  ["np.nanmin(nn, axis=0)", "[1.0, 5.0, 3.0]"],
  ["np.nanmax(nn, axis=1, keepdims=True)", "[[3.0], [5.0]]"],
  ["np.nanvar(nn, axis=1)", "[1.0, 0.25]"],
  ["np.nanvar(nn, axis=1, ddof=1, keepdims=True)", "[[2.0], [0.5]]"],
  ["np.nanprod(nn)", "60.0"],
  ["np.nancumsum(n)", "[1.0, 1.0, 4.0, 6.0]"],
  ["np.nancumprod(nn, axis=1)", "[[1.0, 1.0, 3.0], [4.0, 20.0, 20.0]]"],
  ["np.cumulative_sum(a)", "[1.0, -1.5, 2.5, 2.5]"],
  ["np.ptp(f, axis=1)", "[2.0, 2.0]"],
  ["np.gradient(a)", "[-3.5, 1.5, 1.25, -4.0]"],
  ["np.gradient(a, 0.5)", "[-7.0, 3.0, 2.5, -8.0]"],
  ["np.gradient(f, axis=1)", "[[1.0, 1.0, 1.0], [1.5, 1.0, 0.5]]"],
  ["np.gradient(a[:2])", "[-3.5, -3.5]"],
  ["np.convolve(a, [1, 2, 3])", "[1.0, -0.5, 2.0, 0.5, 12.0, 0.0]"],
  ["np.convolve(a, [1, 2, 3], 'same')", "[-0.5, 2.0, 0.5, 12.0]"],
  ["np.convolve(a, [1, 2], mode='same')", "[1.0, -0.5, -1.0, 8.0]"],
  ["np.convolve(a, [1, 2, 3], mode='valid')", "[2.0, 0.5]"],
  ["np.convolve([1., 2.], a, 'same')", "[1.0, -0.5, -1.0, 8.0]"],
  ["np.convolve([1., 2., 3.], a, 'full')", "[1.0, -0.5, 2.0, 0.5, 12.0, 0.0]"],
  ["np.correlate(a, [1, 2, 3])", "[8.0, 5.5]"],
  ["np.correlate(a, [1, 2], 'same')", "[2.0, -4.0, 5.5, 4.0]"],
  ["np.correlate(a, [1, 2, 3, 4], 'same')", "[-7.0, 10.5, 8.0, 5.5]"],
  ["np.correlate(a, [1, 2], 'full')", "[2.0, -4.0, 5.5, 4.0, 0.0]"],
  ["np.correlate([1., 2.], a, 'full')", "[0.0, 4.0, 5.5, -4.0, 2.0]"],
  ["np.correlate([1., 2.], a, 'same')", "[4.0, 5.5, -4.0, 2.0]"],
  ["np.correlate([1., 2., 5.], a, 'same')", "[4.0, 5.5, 16.0, -10.5]"],
  ["np.correlate([1., 2., 5.], a, 'valid')", "[5.5, 16.0]"],
  ["np.searchsorted([1, 2, 3, 4, 5], 3)", "2"],
  ["np.searchsorted([1, 2, 3, 4, 5], 3, side='right')", "3"],
  ["np.searchsorted(np.array([0., 1., 2.]), f)", "[[1, 2, 3], [3, 3, 3]]"],
  ["np.digitize(f, np.array([0., 2., 5.5]))", "[[1, 2, 2], [2, 3, 3]]"],
  ["np.digitize(a, [0., 1., 2.], right=True)", "[1, 0, 3, 0]"],
]; // prettier-ignore

describe("NumPy's functions of shapes, neighbours and statistics", () => {
  prints(ARRAYS, PRINTED);

  /** What is not supported, and what is said of it. */
  const REFUSED: Refused = [
    ["np.pad(a, 1, mode='mean')", /pad\(\) with mode="mean"/, /"reflect"/],
    ["np.insert(a, [0, 2], 1)", /several positions/, /concatenate/],
    ["np.nanmax(np.array([float('nan')]))", /NaN alone/, /Leave out/],
    ["np.nanmedian(nn, axis=0)", /an axis that has NaN/, /rows in turn/],
    ["np.digitize(a, [2., 1.])", /do not increase/, /np.sort/],
    ["np.gradient(a, a)", /no equal distances/, /one distance/],
  ];
  refuses(ARRAYS, REFUSED);
});
