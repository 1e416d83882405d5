"""Losses in NumPy that call functions for each entry or each row."""

import numpy as np


@np.vectorize
def cost(p, t):
    return (1 - p) ** 2 * t + p**3 * (1 - t)


# case: focal(probabilities(3, 5), mask(3, 5))
def focal(p, t):
    return np.mean(cost(p, t)) + 1 - 2 * np.sum(p * t) / np.sum(p + t)


def row_dice(row):
    p, t = row[: len(row) // 2], row[len(row) // 2 :]
    return (2 * np.sum(p * t) + 1) / (np.sum(p) + np.sum(t) + 1)


# case: of_each_row(probabilities(4, 5), mask(4, 5))
def of_each_row(p, t):
    return 1 - np.mean(np.apply_along_axis(row_dice, 1, np.hstack([p, t])))
