"""Places at which no gradient passes, some of them meant, some of them mistakes."""

import numpy as np
import torch
import torch.nn.functional as F


# case: detached_denominator(logits(2, 5), mask(2, 5))
def detached_denominator(logits, target):
    p = logits.sigmoid()
    union = (p.sum() + target.sum()).detach()
    return 1 - 2 * (p * target).sum() / union


# case: data_attribute(logits(2, 5), mask(2, 5))
def data_attribute(logits, target):
    p = logits.sigmoid()
    weight = p.data * 2
    return 1 - 2 * (weight * p * target).sum() / (p.sum() + target.sum())


# case: items(logits(2, 5), mask(2, 5))
def items(logits, target):
    p = logits.sigmoid()
    scale = p.mean().item()
    other = float(p.max())
    return scale * other * (1 - 2 * (p * target).sum() / (p.sum() + target.sum()))


# case: rounded(probabilities(2, 5), mask(2, 5))
def rounded(p, t):
    hard = torch.round(p)
    return 1 - 2 * (hard * t).sum() / (p.sum() + t.sum())


# case: thresholded(probabilities(2, 5), mask(2, 5))
def thresholded(p, t):
    hard = (p > 0.5).float()
    return 1 - 2 * (hard * t).sum() / (p.sum() + t.sum() + hard.sum())


# case: straight_through(probabilities(2, 5), mask(2, 5))
def straight_through(p, t):
    hard = (p > 0.5).float() - p.detach() + p
    return 1 - 2 * (hard * t).sum() / (hard.sum() + t.sum())


# case: hard_classes(logits(2, 3, 4), labels(2, 4, classes=3))
def hard_classes(logits, labels):
    hot = F.one_hot(logits.argmax(1), 3).movedim(-1, 1)
    p = logits.softmax(1)
    return 1 - 2 * (hot * p).sum() / (hot.sum() + p.pow(2).sum()) + 0 * labels.sum()


# case: rebuilt(logits(2, 5), mask(2, 5))
def rebuilt(logits, target):
    """torch.tensor copies the value alone."""
    p = torch.sigmoid(logits)
    copy = torch.tensor(p.sum())
    return 1 - 2 * (p * target).sum() / (copy + target.sum())


# case: through_numpy(logits(2, 5), mask(2, 5))
def through_numpy(logits, target):
    p = torch.sigmoid(logits)
    weight = np.exp(-target.cpu().numpy()) + p.detach().cpu().numpy().mean()
    return 1 - 2 * (torch.from_numpy(weight) * p * target).sum() / (p.sum() + target.sum())


# case: in_no_grad(logits(2, 3, 4), onehot(2, 3, 4))
def in_no_grad(logits, target):
    p = logits.softmax(1)
    with torch.no_grad():
        w = 1 / (p.sum((0, 2)) ** 2 + 1e-6)
    return 1 - 2 * (w * (p * target).sum((0, 2))).sum() / (w * (p + target).sum((0, 2))).sum()


# case: integer_cast(logits(2, 5), mask(2, 5))
def integer_cast(logits, target):
    level = (logits * 2).long().clamp(-3, 3).float()
    p = logits.sigmoid()
    return 1 - 2 * (p * target).sum() / (p.sum() + target.sum()) + level.mean() + torch.floor(p).sum()


# case: clamped(logits(3, 5), mask(3, 5))
def clamped(logits, target):
    p = logits.clamp(0, 1)
    q = F.hardtanh(logits, -0.5, 0.5)
    return 1 - 2 * (p * target).sum() / (p.sum() + target.sum()) + q.mean()


# case: signs(logits(3, 5), mask(3, 5))
def signs(logits, target):
    p = logits.sigmoid()
    return 1 - 2 * (p * target).sum() / (p.sum() + target.sum()) + torch.sign(logits).mean() + torch.ceil(p).mean()
