"""Losses in NumPy with SciPy's filters: blurred masks, edges, and borders found by morphology."""

import numpy as np
from scipy import ndimage
from scipy.ndimage import gaussian_filter


def soft_dice(p, t):
    return 1 - (2 * np.sum(p * t) + 1) / (np.sum(p) + np.sum(t) + 1)


# case: blurred(probabilities(6, 7), mask(6, 7), sigma=each(0.5, 1.0))
def blurred(p, t, sigma):
    """The target is softened, and so is the prediction."""
    return soft_dice(p, gaussian_filter(t, sigma)) + soft_dice(gaussian_filter(p, sigma), t)


# case: edges(probabilities(6, 7), mask(6, 7), mode=each("reflect", "nearest", "constant"))
def edges(p, t, mode):
    def squared(m):
        return ndimage.sobel(m, axis=0, mode=mode) ** 2 + ndimage.sobel(m, axis=1, mode=mode) ** 2

    return soft_dice(p, t) + np.mean((squared(p) - squared(t)) ** 2) / 100


# case: curvature(probabilities(6, 7), mask(6, 7))
def curvature(p, t):
    return soft_dice(p, t) + 0.1 * np.mean((ndimage.laplace(p) - ndimage.laplace(t)) ** 2)


KERNEL = np.array([[0.0, 0.125, 0.0], [0.25, 0.5, 0.125], [0.0, 0.0, 0.0]])


# case: own_kernel(probabilities(5, 6), mask(5, 6), mode=each("mirror", "wrap"))
def own_kernel(p, t, mode):
    smooth = ndimage.convolve(p, KERNEL, mode=mode)
    other = ndimage.correlate(p, KERNEL, mode=mode)
    line = ndimage.convolve1d(p, [0.25, 0.5, 0.25], axis=0)
    return soft_dice(smooth, t) + soft_dice(other, t) + soft_dice(line, t)


# case: border_weighted(probabilities(7, 8), mask(7, 8))
def border_weighted(p, t):
    """Voxels near the border of the mask weigh more."""
    grown = ndimage.maximum_filter(t, size=3)
    shrunk = ndimage.minimum_filter(t, size=3)
    w = 1 + 4 * (grown - shrunk)
    w = w + ndimage.binary_closing(t) + ndimage.binary_fill_holes(t)
    return 1 - 2 * np.sum(w * p * t) / np.sum(w * (p + t))
