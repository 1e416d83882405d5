"""Losses with HIPS Autograd that turn, pad and join arrays, and leave out NaN."""

import autograd.numpy as np


def soft_dice(p, t, axis=None):
    return 1 - (2 * np.sum(p * t, axis) + 1) / (np.sum(p, axis) + np.sum(t, axis) + 1)


# case: averaged_over_turns(probabilities(5, 5), mask(5, 5))
def averaged_over_turns(p, t):
    views = [np.rot90(p, k) for k in range(4)] + [np.fliplr(p), np.flipud(p)]
    return np.mean(np.array([soft_dice(v, t) for v in views]))


# case: boundary_dice(probabilities(6, 7), mask(6, 7))
def boundary_dice(p, t):
    def edges(m):
        q = np.pad(m, ((1, 1), (1, 1)), "constant")
        around = q[:-2, 1:-1] + q[2:, 1:-1] + q[1:-1, :-2] + q[1:-1, 2:]
        return (m - around / 4) ** 2

    return soft_dice(edges(p), edges(t))


# case: columns(probabilities(9), mask(9))
def columns(p, t):
    q = np.column_stack((p, 1 - p))
    y = np.column_stack((t, 1 - t))
    return np.mean(soft_dice(q, y, axis=0))


# case: bounded(probabilities(2, 8), mask(2, 8))
def bounded(p, t):
    """Half of a gradient goes to each of two equal entries."""
    q = np.fmin(np.fmax(np.where(t > 0, p, 0.5), 0.5), 0.9)
    wave = np.sinc(p - 0.3) + np.tan(np.deg2rad(30 * p)) + np.exp2(p)
    return soft_dice(q, t) + 0.01 * np.mean(wave)


# case: turned_axes(probabilities(3, 4, 5), mask(3, 4, 5))
def turned_axes(p, t):
    p, t = np.rollaxis(p, 2), np.rollaxis(t, 2)
    return np.mean(soft_dice(np.atleast_3d(p), t, axis=(1, 2)))


# case: slopes(probabilities(4, 5), mask(4, 5))
def slopes(p, t):
    gy, gx = np.gradient(p)
    return soft_dice(p, t) + 0.1 * np.mean(gx**2 + gy**2)
