"""Losses in NumPy that choose by conditions, by places, or by what comes along an axis."""

import numpy as np


def soft_dice(p, t, axis=None):
    return 1 - (2 * np.sum(p * t, axis) + 1) / (np.sum(p, axis) + np.sum(t, axis) + 1)


# case: weighted_by_place(probabilities(4, 5), mask(4, 5))
def weighted_by_place(p, t):
    """Weights that grow towards the middle, one voxel at a time."""
    w = np.zeros(p.shape)
    for i, j in np.ndindex(p.shape):
        w[i, j] = 1 + min(i, p.shape[0] - 1 - i) + min(j, p.shape[1] - 1 - j)
    return 1 - 2 * np.sum(w * p * t) / np.sum(w * (p + t))


# case: by_size(probabilities(3, 6), mask(3, 6))
def by_size(p, t):
    """Small structures weigh more."""
    sizes = t.sum(axis=1)
    w = np.select([sizes < 2, sizes < 3], [4.0, 2.0], default=1.0)
    return np.sum(w * soft_dice(p, t, axis=1)) / np.sum(w)


# case: focal_pieces(probabilities(2, 7), mask(2, 7))
def focal_pieces(p, t):
    wrong = np.where(t > 0.5, 1 - p, p)
    cost = np.piecewise(wrong, [wrong < 0.5, wrong >= 0.5], [lambda e: e**2, lambda e: e - 0.25])
    return np.mean(cost) + soft_dice(p, t)


# case: pairs(probabilities(4, 6), mask(4, 6))
def pairs(p, t):
    """Classes must not overlap."""
    overlap = p @ p.T / p.shape[1]
    upper = overlap[np.triu_indices(4, k=1)]
    own = overlap[np.diag_indices(4)]
    return np.mean(soft_dice(p, t, axis=1)) + np.mean(upper) / np.mean(own)


# case: block_of_classes(probabilities(4, 5), mask(4, 5))
def block_of_classes(p, t):
    rows, columns = [0, 2], [1, 3, 4]
    return soft_dice(p[np.ix_(rows, columns)], t[np.ix_(rows, columns)])


# case: hardest(probabilities(12), mask(12))
def hardest(p, t):
    losses = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    worst = np.partition(-losses, 4)[:4]
    return -np.mean(worst) + soft_dice(p, t)


# case: without_ignored(probabilities(3, 4), mask(3, 4))
def without_ignored(p, t):
    keep = np.array([True, False, True, True])
    p, t = np.compress(keep, p, axis=1), np.compress(keep, t, axis=1)
    return soft_dice(p, t) + np.mean(np.extract(t > 0.5, p))
