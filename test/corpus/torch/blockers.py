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


# case: changed_through_data(logits(2, 5), mask(2, 5))
def changed_through_data(logits, target):
    """What is written through .data is in the array itself, whose gradient is that of before."""
    p = logits * 0.5
    weight = p.data
    weight.clamp_(-0.2, 0.3)
    return (weight * target).sum() + (p**2 * (1 - target)).mean()


# case: doubled_behind(logits(2, 5), mask(2, 5))
def doubled_behind(logits, target):
    p = logits / 3
    weight = p.detach()
    weight *= 2
    weight[target == 1] = 0.5
    return (p * p * (target + 1)).sum() / weight.abs().sum()


# case: changed_in_no_grad(logits(2, 5), mask(2, 5))
def changed_in_no_grad(logits, target):
    p = logits * 3
    weight = torch.zeros_like(logits)
    with torch.no_grad():
        p[target == 1] = 0.5
        p.clamp_(-2, 2)
        weight[target == 0] = 2.0
        weight += 1
    return (weight * p**2).sum() + (p[1] * target[0]).mean()


# case: rows_in_no_grad(logits(3, 4), mask(3, 4))
def rows_in_no_grad(logits, target):
    """A row is a view: what it becomes, the whole becomes."""
    p = logits + 1
    with torch.no_grad():
        row = p[1]
        row *= 3
        p[p > 2] -= 1
    return ((p - target) ** 2).mean()


# case: changed_in_numpy(logits(2, 5), mask(2, 5))
def changed_in_numpy(logits, target):
    """NumPy's array shares the tensor's memory."""
    p = logits * 0.5
    values = p.detach().numpy()
    values[values > 0.2] = 0.1
    return (p * p * (target + 1)).sum()
