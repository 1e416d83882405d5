"""Losses by areas below curves in NumPy, and by parts of unequal length."""

import numpy as np


# case: area_below_roc(probabilities(24), mask(24))
def area_below_roc(p, t):
    hits = 1 / (1 + np.exp(-(p - np.linspace(1, 0, 9)[:, None]) / 0.1))
    true_rate = np.sum(hits * t, axis=1) / np.sum(t)
    false_rate = np.sum(hits * (1 - t), axis=1) / np.sum(1 - t)
    return 1 - np.trapezoid(true_rate, false_rate)


# case: parts(probabilities(7, 3), mask(7, 3))
def parts(p, t):
    """Dice of parts of unequal length, and of a triangle."""
    total = 0.0
    for a, b in zip(np.array_split(p, 3), np.array_split(t, 3)):
        total = total + 1 - (2 * np.sum(a * b) + 1) / (np.sum(a) + np.sum(b) + 1)
    return total + np.sum(np.tril(p * t)) + np.sum(np.kron(p[0], t[1])) + np.sum(np.split(p, [-2])[1])
