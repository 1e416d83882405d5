"""Sums up to a position, as in distances between distributions, beside Dice."""

import torch


# case: cumulative(logits(2, 1, 4, 5), mask(2, 1, 4, 5))
# case: cumulative(logits(1, 1, 2, 150), mask(1, 1, 2, 150))
def cumulative(z, t):
    """The squared distance of running sums along rows."""
    p = torch.sigmoid(z)
    dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
    return dice + ((p.cumsum(-1) - t.cumsum(-1)) ** 2).mean()


# case: earth_mover(probabilities(2, 3, 40), soft(2, 3, 40))
def earth_mover(p, t):
    """Of all entries of a class, whatever axes they lie on."""
    p, t = p.flatten(1), t.flatten(1)
    p, t = p / p.sum(1, keepdim=True), t / t.sum(1, keepdim=True)
    return (torch.cumsum(p, dim=1) - torch.cumsum(t, dim=1)).abs().mean()


# case: ordinal(logits(2, 5, 3, 3), labels(2, 3, 3, classes=5))
def ordinal(z, y):
    """Classes are in an order: the shares of those up to each are compared."""
    below = torch.softmax(z, 1).cumsum(1)
    target = torch.nn.functional.one_hot(y, 5).permute(0, 3, 1, 2).cumsum(1)
    return ((below - target) ** 2).sum(1).mean()
