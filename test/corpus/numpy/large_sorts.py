"""Sorting of arrays with more entries than are compared with each other in a formula."""

import numpy as np


# case: worst_errors(probabilities(72, 60), mask(72, 60))
def worst_errors(p, t):
    errors = np.abs(t - p).ravel()
    ranked = np.sort(errors)[::-1]
    order = np.argsort(-errors)[:300]
    return ranked[:400].mean() + (errors[order] * p.ravel()[order]).sum() + ranked[10]


# case: lovasz(logits(4320), mask(4320))
def lovasz(z, t):
    errors = 1.0 - z * (2.0 * t - 1.0)
    order = np.argsort(-errors)
    truth = t[order]
    total = truth.sum()
    jaccard = 1.0 - (total - np.cumsum(truth)) / (total + np.cumsum(1.0 - truth))
    weights = np.concatenate([jaccard[:1], np.diff(jaccard)])
    return np.dot(np.maximum(errors[order], 0.0), weights)
