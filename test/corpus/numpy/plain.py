"""Dice losses on NumPy arrays."""

import numpy as np

EPS = 1e-7


# case: dice_loss(y_true=mask(2, 3, 8), y_pred=probabilities(2, 3, 8))
# case: dice_loss(y_true=mask(30), y_pred=probabilities(30), smooth=each(0.0, 1.0))
def dice_loss(y_true, y_pred, smooth=1e-6):
    intersection = np.sum(y_true * y_pred)
    return 1 - (2.0 * intersection + smooth) / (np.sum(y_true) + np.sum(y_pred) + smooth)


# case: squared(y_true=mask(4, 5), y_pred=probabilities(4, 5))
def squared(y_true, y_pred):
    y_true_f, y_pred_f = y_true.flatten(), y_pred.ravel()
    num = 2 * np.dot(y_true_f, y_pred_f) + EPS
    return 1 - num / (np.square(y_true_f).sum() + np.power(y_pred_f, 2).sum() + EPS)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# case: on_logits(logits(3, 4), mask(3, 4))
def on_logits(z, t):
    p = sigmoid(z)
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum())


# case: multiclass(logits(2, 4, 4, 3), labels(2, 4, 4, classes=3))
# case: multiclass(logits(1, 6, 4), labels(1, 6, classes=4), background=False)
def multiclass(z, labels, background=True):
    n = z.shape[-1]
    hot = np.eye(n)[labels]
    p = softmax(z)
    axes = tuple(range(z.ndim - 1))
    inter = np.sum(p * hot, axis=axes)
    card = np.sum(p, axis=axes) + np.sum(hot, axis=axes)
    dice = 2 * inter / np.maximum(card, EPS)
    return 1 - np.mean(dice if background else dice[1:])


# case: loop_over_labels(simplex(2, 3, 5), labels(2, 5, classes=3))
def loop_over_labels(p, labels):
    scores = []
    for k in range(p.shape[1]):
        g = (labels == k).astype(np.float64)
        q = p[:, k]
        scores.append((2 * np.sum(q * g) + 1) / (np.sum(q) + np.sum(g) + 1))
    return 1 - np.mean(np.array(scores))


# case: tversky(probabilities(3, 4), mask(3, 4))
# case: tversky(probabilities(3, 4), soft(3, 4), alpha=0.7, gamma=4 / 3)
def tversky(p, g, alpha=0.3, gamma=1.0):
    tp = np.sum(p * g)
    fp = np.sum(p * (1 - g))
    fn = np.sum((1 - p) * g)
    index = tp / (tp + alpha * fp + (1 - alpha) * fn)
    return (1 - index) ** (1 / gamma)


# case: generalized(simplex(2, 3, 4), onehot(2, 3, 4))
def generalized(p, g):
    w = 1.0 / (np.einsum("bcn->bc", g) ** 2 + EPS)
    num = np.einsum("bc,bcn,bcn->b", w, p, g)
    den = np.einsum("bc,bcn->b", w, p + g)
    return np.mean(1 - 2 * num / den)


# case: clipped_cross_entropy(probabilities(3, 4), mask(3, 4))
def clipped_cross_entropy(p, g):
    q = np.clip(p, 0.1, 0.9)
    ce = -np.mean(g * np.log(q) + (1 - g) * np.log(1 - q))
    dice = 2 * np.sum(p * g) / (np.sum(p) + np.sum(g))
    return ce - np.log(dice)


# case: conditional(probabilities(3, 4), mask(3, 4))
def conditional(p, g):
    total = p.sum() + g.sum()
    if total == 0:
        return 1.0
    return 1 - 2 * np.sum(np.multiply(p, g)) / total


# case: guarded(probabilities(3, 4), mask(3, 4))
def guarded(p, g):
    inter = np.sum(p * g, axis=1)
    card = np.sum(p, axis=1) + np.sum(g, axis=1)
    dice = np.where(card > 0, 2 * inter / np.where(card > 0, card, 1.0), 1.0)
    return 1 - dice.mean()


# case: matrix_forms(probabilities(3, 4), mask(3, 4))
def matrix_forms(p, g):
    inter = np.trace(p @ g.T) / len(p)
    norms = np.linalg.norm(p, axis=1) ** 2 + np.sum(g, axis=1)
    both = np.tensordot(p, g, axes=([0, 1], [0, 1])) + np.inner(p[0], g[0]) + np.inner(p, g)[0, 1]
    return 1 - np.mean(2 * inter / norms) + 0.1 * both


# case: joined(probabilities(3, 4), mask(3, 4))
def joined(p, g):
    q = np.concatenate([p[:, None], 1 - p[:, np.newaxis]], axis=1)
    h = np.stack((g, 1 - g), axis=1)
    parts = np.split(q * h, 2, axis=1)
    inter = np.sum(parts[0]) + np.sum(np.swapaxes(parts[1], 0, 2))
    return 1 - 2 * inter / (np.sum(np.transpose(q, (1, 0, 2)).reshape(2, -1)) + h.sum())


class NumpyDice:
    # case: NumpyDice(0.5)(probabilities(3, 4), mask(3, 4))
    # case: NumpyDice(smooth=1.0, power=2)(probabilities(3, 4), mask(3, 4))
    def __init__(self, smooth, power=1):
        self.smooth = smooth
        self.power = power

    def __call__(self, prediction, truth):
        top = 2 * np.dot(prediction.ravel(), truth.ravel()) + self.smooth
        return 1 - top / (np.sum(prediction**self.power + truth**self.power) + self.smooth)


# case: masked(probabilities(3, 4), mask(3, 4), bools(3, 4))
def masked(p, g, valid):
    q, h = p[valid], g[valid]
    return 1 - 2 * (q * h).sum() / (q.sum() + h.sum()) + np.mean(q)


# case: sorted_errors(logits(9), mask(9))
def sorted_errors(z, g):
    errors = 1 - z * (2 * g - 1)
    order = np.argsort(-errors)
    e, h = errors[order], g[order]
    jaccard = 1 - (h.sum() - np.cumsum(h)) / (h.sum() + np.cumsum(1 - h))
    weights = np.concatenate([jaccard[:1], np.diff(jaccard)])
    return np.dot(np.maximum(e, 0), weights)


# case: rolled_edges(probabilities(3, 5), mask(3, 5))
def rolled_edges(p, g):
    """Differences from neighbours, round the ends."""
    a = np.abs(p - np.roll(p, 1, axis=1)) + np.roll(p, -1, axis=0)
    b = np.abs(g - np.roll(g, 1, axis=1)) + np.roll(g, 3)
    return 1 - 2 * np.sum(a * b) / (np.sum(a) + np.sum(b))


# case: on_a_grid(probabilities(3, 4), mask(3, 4))
def on_a_grid(p, t):
    """Dice weighted by coordinates, in NumPy's order and in that of the axes."""
    x, y = np.meshgrid(np.arange(4.0), np.arange(3.0))
    i, j, k = np.meshgrid(np.arange(3.0), np.arange(4.0), [2.0], indexing="ij")
    w = 1 + x + 2 * y + (i * j * k)[:, :, 0]
    return 1 - 2 * np.sum(w * p * t) / (np.sum(w * p) + np.sum(w * t))
