"""Losses in NumPy with small matrices: moments of masks, norms, and products."""

import numpy as np


def soft_dice(p, t):
    return 1 - (2 * np.sum(p * t) + 1) / (np.sum(p) + np.sum(t) + 1)


def moments(m):
    """How a mask spreads along both axes, as a matrix."""
    y, x = np.indices(m.shape)
    total = np.sum(m) + 1e-3
    cy, cx = np.sum(y * m) / total, np.sum(x * m) / total
    a, b = np.sum((y - cy) ** 2 * m) / total, np.sum((y - cy) * (x - cx) * m) / total
    d = np.sum((x - cx) ** 2 * m) / total
    return np.array([[a + 0.1, b], [b, d + 0.1]])


# case: spread(probabilities(4, 5), mask(4, 5))
def spread(p, t):
    """The divergence of two Gaussians as wide as the masks."""
    a, b = moments(p), moments(t)
    trace = np.trace(np.linalg.inv(b) @ a)
    _, log = np.linalg.slogdet(a)
    return soft_dice(p, t) + 0.5 * (trace - 2 - log + np.log(np.linalg.det(b)))


# case: norms(probabilities(3, 4), mask(3, 4))
def norms(p, t):
    d = p - t + 0.25
    rows = np.linalg.norm(d, axis=1)
    return soft_dice(p, t) + np.mean(rows) + np.linalg.norm(d, "fro") / 10


# case: chained(probabilities(3, 4), mask(3, 4))
def chained(p, t):
    gram = p @ t.T
    return soft_dice(p, t) + np.linalg.det(gram + 2 * np.eye(3)) / 100
