"""Losses by histograms of targets in NumPy."""

import numpy as np


# case: rare_values(probabilities(2, 8), soft(2, 8))
def rare_values(p, t):
    """Errors are weighed by how rare the value is that the target has."""
    n, edges = np.histogram(t, bins=4, range=(0, 1))
    at = np.minimum((t * 4).astype(int), 3)
    shares, _ = np.histogram(t, bins=edges, density=True)
    return np.mean((p - t) ** 2 / n[at]) + np.mean(p * shares[at])
