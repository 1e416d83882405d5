"""Medians, extremes and spreads in NumPy, also of what is no NaN, and functions near Dice."""

import numpy as np


def soft_dice(p, t, axis=None):
    return 1 - (2 * np.sum(p * t, axis) + 1) / (np.sum(p, axis) + np.sum(t, axis) + 1)


# case: median_of_samples(probabilities(5, 6), mask(5, 6))
# case: median_of_samples(probabilities(4, 6), mask(4, 6))
def median_of_samples(p, t):
    return np.median(soft_dice(p, t, axis=1)) + 0.1 * np.median(p)


# case: centred(probabilities(2, 3, 5), mask(2, 3, 5))
def centred(p, t):
    weight = p - np.median(p, axis=(1, 2), keepdims=True)
    return soft_dice(p, t) + np.mean(weight**2)


# case: absent_classes(probabilities(3, 6), mask(3, 6))
def absent_classes(p, t):
    """Classes that no mask has are left out of the mean, by NaN."""
    t = t * np.array([[1.0], [0.0], [1.0]])
    dice = np.where(t.sum(1) > 0, 2 * (p * t).sum(1) / (p + t).sum(1), np.nan)
    loss = 1 - np.nanmean(dice)
    return loss + np.nanmax(dice) - np.nanmin(dice) + 0.1 * np.nanprod(dice)


# case: nan_median(probabilities(3, 6), mask(3, 6))
def nan_median(p, t):
    t = t * np.array([[1.0], [0.0], [1.0]])
    dice = np.where(t.sum(1) > 0, 2 * (p * t).sum(1) / (p + t).sum(1), np.nan)
    return 1 - np.nanmedian(dice)


# case: bounded(probabilities(2, 8), mask(2, 8))
def bounded(p, t):
    q = np.fmin(np.fmax(p, 0.1), 0.9)
    wave = np.sinc(p - 0.3) + np.tan(np.pi / 6 * p)
    return soft_dice(q, t) + 0.01 * np.mean(wave * np.exp2(p))


# case: agreeing(probabilities(3, 5), mask(3, 5))
def agreeing(p, t):
    """Voxels are weighed by whether the mask agrees with a threshold."""
    hard = p > 0.5
    both = np.bitwise_and(hard, t.astype(bool))
    off = np.bitwise_xor(hard, np.isclose(t, 1.0))
    w = 1 + 0.5 * both + 2.0 * off + np.invert(hard)
    return 1 - 2 * np.sum(w * p * t) / np.sum(w * (p + t))


# case: binned(probabilities(3, 6), soft(3, 6))
def binned(p, t):
    """Weights by how sure the annotators were, in steps."""
    weights = np.array([1.0, 0.75, 0.5, 0.25])
    w = weights[np.digitize(t, [0.25, 0.5, 0.75])]
    return 1 - 2 * np.sum(w * p * t) / np.sum(w * (p + t))
