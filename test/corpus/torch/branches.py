"""Decisions that depend on the arrays: each is followed, and stated as an assumption."""

import torch


# case: already_probabilities(probabilities(2, 4), mask(2, 4))
# case: already_probabilities(logits(3, 6), mask(3, 6))
def already_probabilities(pred, target):
    """A sigmoid only where the values look like logits."""
    if pred.max() > 1 or pred.min() < 0:
        pred = torch.sigmoid(pred)
    return 1 - 2 * (pred * target).sum() / (pred.sum() + target.sum())


# case: empty_target(probabilities(2, 4), mask(2, 4))
def empty_target(pred, target):
    union = pred.sum() + target.sum()
    if union == 0:
        return pred.sum() * 0
    if target.sum().item() == 0:
        return pred.mean()
    return 1 - 2 * (pred * target).sum() / union


# case: skipping_absent(simplex(2, 4, 3), onehot(2, 4, 3))
def skipping_absent(p, t):
    total, count = 0, 0
    for c in range(p.shape[1]):
        if t[:, c].sum() < 1:
            continue
        total += 1 - 2 * (p[:, c] * t[:, c]).sum() / (p[:, c].sum() + t[:, c].sum())
        count += 1
    return total / max(count, 1)


# case: conditional_expression(probabilities(2, 4), mask(2, 4))
def conditional_expression(p, t):
    weight = 2.0 if t.mean() > 0.5 else 1.0
    flag = bool((t > 1).any())
    return weight * (1 - 2 * (p * t).sum() / (p.sum() + t.sum())) + float(flag)


# case: stated_by_tensor(probabilities(3, 4), mask(3, 4))
def stated_by_tensor(p, t):
    """torch.where keeps both branches in the formula."""
    union = p.sum(1) + t.sum(1)
    score = torch.where(union > 0, 2 * (p * t).sum(1) / union, torch.ones_like(union))
    return 1 - score.mean()
