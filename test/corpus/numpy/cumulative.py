"""Sums up to a position in NumPy."""

import numpy as np


# case: cumulative(probabilities(2, 4, 5), mask(2, 4, 5))
# case: cumulative(probabilities(2, 90), mask(2, 90))
def cumulative(p, t):
    return np.mean((np.cumsum(p, axis=-1) - t.cumsum(axis=-1)) ** 2)
