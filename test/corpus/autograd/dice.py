"""Dice losses with HIPS Autograd, as people write scripts that check a gradient by hand."""

import autograd.numpy as np
from autograd.scipy.special import expit, logsumexp


# case: dice_loss(probabilities(2, 8), mask(2, 8))
# case: dice_loss(probabilities(3, 4, 4), mask(3, 4, 4), smooth=each(0.0, 1.0))
def dice_loss(y_pred, y_true, smooth=1e-6):
    y_pred = np.reshape(y_pred, -1)
    y_true = np.reshape(y_true, -1)
    intersection = np.sum(y_pred * y_true)
    return 1 - (2.0 * intersection + smooth) / (np.sum(y_pred) + np.sum(y_true) + smooth)


# case: squared_dice(logits(2, 6), soft(2, 6))
# case: squared_dice(logits(2, 3, 3), mask(2, 3, 3))
def squared_dice(z, t):
    p = expit(z)
    return 1.0 - 2.0 * np.dot(p.ravel(), t.ravel()) / (np.sum(p**2) + np.sum(t**2))


# case: softmax_dice(logits(2, 3, 5), onehot(2, 3, 5))
# case: softmax_dice(logits(1, 4, 6), onehot(1, 4, 6), skip_background=True)
def softmax_dice(z, t, skip_background=False):
    p = np.exp(z - logsumexp(z, axis=1, keepdims=True))
    scores = []
    for c in range(int(skip_background), z.shape[1]):
        top = 2 * np.sum(p[:, c] * t[:, c])
        scores.append(top / (np.sum(p[:, c]) + np.sum(t[:, c]) + 1e-7))
    return 1 - np.mean(np.array(scores))


# case: tversky(probabilities(4, 7), mask(4, 7), alpha=each(0.3, 0.5))
def tversky(p, t, alpha=0.7, gamma=0.75):
    tp, fp, fn = [np.sum(x, axis=1) for x in (p * t, p * (1 - t), (1 - p) * t)]
    index = (tp + 1) / (tp + alpha * fp + (1 - alpha) * fn + 1)
    return np.mean((1 - index) ** gamma)


# case: soft_iou(probabilities(2, 2, 4), mask(2, 2, 4))
def soft_iou(p, t):
    axes = tuple(range(1, p.ndim))
    inter = np.sum(p * t, axis=axes)
    union = np.sum(p + t - p * t, axis=axes)
    return np.mean(1 - inter / np.maximum(union, 1e-7))


# case: log_dice(simplex(2, 3, 4), onehot(2, 3, 4))
def log_dice(p, t):
    """Generalized: classes weigh by the inverse square of their volume."""
    volume = np.einsum("bci->c", t)
    w = 1.0 / (volume**2 + 1.0)
    top = np.sum(w * np.einsum("bci,bci->c", p, t))
    bottom = np.sum(w * np.einsum("bci->c", p + t))
    return -np.log(2 * top / bottom)


# case: bce_dice(probabilities(3, 5), mask(3, 5), weight=each(0.25, 1.0))
def bce_dice(p, t, weight=0.5):
    q = np.clip(p, 1e-7, 1 - 1e-7)
    bce = -np.mean(t * np.log(q) + (1 - t) * np.log(1 - q))
    dice = 1 - 2 * np.sum(q * t) / (np.sum(q) + np.sum(t))
    return weight * bce + (1 - weight) * dice


# case: worst_class(probabilities(3, 6), mask(3, 6))
def worst_class(p, t):
    table = np.zeros(3)
    table[1:] = 0.5
    scores = 1 - (2 * np.sum(p * t, axis=1) + 1) / (np.sum(p + t, axis=1) + 1)
    return np.max(scores) + np.dot(table, scores)


# case: per_sample(probabilities(3, 6), mask(3, 6))
def per_sample(p, t):
    def ratios():
        for a, b in zip(p, t):
            yield 2 * np.sum(a * b) / (np.sum(a) + np.sum(b))

    return 1 - sum(ratios()) / len(p)
