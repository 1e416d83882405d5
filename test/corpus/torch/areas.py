"""Losses by running products, by areas below curves and by distances of points."""

import torch
import torch.nn.functional as F


# case: stick_breaking(logits(3, 5), labels(3, classes=5))
def stick_breaking(z, y):
    """Ordinal classes: each is reached with the share that those before it leave."""
    p = torch.sigmoid(z)
    left = torch.cumprod(1 - p, dim=1)
    before = torch.cat([torch.ones_like(left[:, :1]), left[:, :-1]], 1)
    return -(p * before).gather(1, y.unsqueeze(1)).clamp(min=1e-6).log().mean()


# case: area_below_roc(probabilities(24), mask(24))
def area_below_roc(p, t):
    """Soft rates at many thresholds, and the area below the curve that they draw."""
    at = torch.linspace(1, 0, 9, dtype=p.dtype).unsqueeze(1)
    hits = torch.sigmoid((p - at) / 0.1)
    true_rate = (hits * t).sum(1) / t.sum()
    false_rate = (hits * (1 - t)).sum(1) / (1 - t).sum()
    return 1 - torch.trapezoid(true_rate, false_rate) + torch.trapz(true_rate, dx=0.1)


# case: list_of_scores(logits(2, 6), soft(2, 6))
def list_of_scores(z, t):
    """The likelihood of an order: each against those that are left, from the end on."""
    left = torch.logcumsumexp(z.flip(1), dim=1).flip(1)
    return (left - z)[:, :-1].mul(t[:, :-1]).sum(1).mean()


# case: chamfer(logits(2, 4, 3), soft(2, 5, 3), each(1, 2))
def chamfer(z, t, p):
    """The distance of each point from the nearest of the other set, both ways, and of its own."""
    d = torch.cdist(z, t, p=p)
    return d.amin(2).mean() + d.amin(1).mean() - 0.1 * torch.cdist(z, z).mean()


# case: blocks_of_weights(logits(4, 6), mask(4, 6))
def blocks_of_weights(z, t):
    """A coarse map of weights, blown up to the size of the pixels; halves weigh differently."""
    coarse = torch.tensor([[1.0, 2.0, 0.5], [0.5, 1.5, 1.0]], dtype=z.dtype)
    w = torch.kron(coarse, torch.ones(2, 2, dtype=z.dtype))
    losses = w * F.binary_cross_entropy_with_logits(z, t, reduction="none")
    top, bottom = losses.tensor_split(2)
    return top.mean() + 2 * bottom.mean() + losses.tensor_split([2, -1], dim=1)[1].sum()
