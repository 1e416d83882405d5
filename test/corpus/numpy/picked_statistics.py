"""Variances of entries that a mask picks in NumPy, beside Dice."""

import numpy as np


# case: even_inside(probabilities(2, 5, 5), mask(2, 5, 5), ddof=each(0, 1))
def even_inside(p, t, ddof):
    inside = t > 0.5
    dice = 1 - (2 * np.sum(p * t) + 1) / (np.sum(p) + np.sum(t) + 1)
    return dice + np.var(p[inside], ddof=ddof) + 0.5 * p[~inside].std()


# case: of_each_class(probabilities(2, 3, 4, 4), labels(2, 4, 4, classes=4), ignore=3)
def of_each_class(p, y, ignore):
    rows = np.moveaxis(p, 1, -1)[y != ignore]
    return rows.var(axis=0).sum() + rows.std(axis=1, ddof=1).mean()


# case: balanced(probabilities(2, 3, 4, 4), labels(2, 4, 4, classes=4), ignore=3)
def balanced(p, y, ignore):
    valid = y != ignore
    n = np.bincount(y[valid], minlength=3)
    w = (n.sum() / (3 * n)).astype(p.dtype)
    rows, t = np.moveaxis(p, 1, -1)[valid], np.eye(3, dtype=p.dtype)[y[valid]]
    return 1 - np.mean(w * (2 * (rows * t).sum(0) + 1) / (rows.sum(0) + t.sum(0) + 1))
