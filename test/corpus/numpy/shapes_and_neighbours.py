"""Losses in NumPy that turn, pad, join and split arrays, or look at neighbours along an axis."""

import numpy as np


def soft_dice(p, t, eps=1.0):
    return 1 - (2 * np.sum(p * t) + eps) / (np.sum(p) + np.sum(t) + eps)


# case: averaged_over_turns(probabilities(5, 5), mask(5, 5))
def averaged_over_turns(p, t):
    """Test-time augmentation: the same mask seen from four sides, and mirrored."""
    views = [np.rot90(p, k) for k in range(4)] + [np.fliplr(p), np.flipud(p)]
    return np.mean([soft_dice(v, t) for v in views])


# case: boundary_dice(probabilities(6, 7), mask(6, 7), mode=each("edge", "reflect", "symmetric"))
# case: boundary_dice(probabilities(6, 7), mask(6, 7), mode=each("wrap", "constant"))
def boundary_dice(p, t, mode):
    """Where a mask differs from its neighbours above, below, left and right."""

    def edges(m):
        q = np.pad(m, 1, mode=mode)
        around = q[:-2, 1:-1] + q[2:, 1:-1] + q[1:-1, :-2] + q[1:-1, 2:]
        return (m - around / 4) ** 2

    return soft_dice(edges(p), edges(t))


# case: background_first(probabilities(4, 4), mask(4, 4))
def background_first(p, t):
    both = np.dstack([1 - p, p])
    wanted = np.dstack([1 - t, t])
    inter = (both * wanted).sum(axis=(0, 1))
    return 1 - np.mean((2 * inter + 1) / (both.sum((0, 1)) + wanted.sum((0, 1)) + 1))


# case: columns(probabilities(9), mask(9))
def columns(p, t):
    q = np.column_stack((p, 1 - p))
    y = np.column_stack((t, 1 - t))
    return 1 - np.mean(2 * np.sum(q * y, 0) / np.sum(q + y, 0))


# case: halves(probabilities(4, 6), mask(4, 6))
def halves(p, t):
    left = zip(np.hsplit(p, 2), np.hsplit(t, 2))
    upper = zip(np.vsplit(p, [1]), np.vsplit(t, [1]))
    return sum(soft_dice(a, b) for a, b in [*left, *upper]) / 4


# case: gradient_dice(probabilities(5, 6), mask(5, 6))
def gradient_dice(p, t):
    """Dice of a mask and of its slopes."""
    gy, gx = np.gradient(p)
    ty, tx = np.gradient(t)
    slopes = np.mean(np.hypot(gx - tx, gy - ty + 0.125))
    return soft_dice(p, t) + 0.1 * slopes


# case: smoothed(probabilities(12), mask(12), mode=each("same", "full", "valid"))
def smoothed(p, t, mode):
    kernel = np.array([0.25, 0.5, 0.25])
    return soft_dice(np.convolve(p, kernel, mode), np.convolve(t, kernel, mode=mode))


# case: blocks(probabilities(2, 3), mask(2, 3))
def blocks(p, t):
    q = np.block([[p, 1 - p], [np.zeros((1, 3)), np.ones((1, 3))]])
    y = np.block([[t, 1 - t], [np.zeros((1, 3)), np.ones((1, 3))]])
    return soft_dice(q, y)


# case: without_background(simplex(2, 4, 3, 3), onehot(2, 4, 3, 3))
def without_background(p, t):
    p, t = np.delete(p, 0, axis=1), np.delete(t, 0, axis=1)
    axes = (0, 2, 3)
    return 1 - np.mean(2 * np.sum(p * t, axes) / np.sum(p + t, axes))


# case: with_background(probabilities(3, 4, 4), mask(3, 4, 4))
def with_background(p, t):
    p = np.insert(p, 0, 1 - p.max(axis=0), axis=0)
    t = np.insert(t, 0, 1 - t.max(axis=0), axis=0)
    return 1 - np.mean(2 * np.sum(p * t, (1, 2)) / np.sum(p + t, (1, 2)))


# case: channels_last(probabilities(3, 4, 5), mask(3, 4, 5))
def channels_last(p, t):
    p, t = np.rollaxis(p, 0, 3), np.rollaxis(t, 0, 3)
    p, t = np.broadcast_arrays(p, t)
    return soft_dice(np.matrix_transpose(p), np.matrix_transpose(t))
