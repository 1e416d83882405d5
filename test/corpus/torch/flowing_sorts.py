"""Sorted entries that meet others, or are summed up to each, with gradient through both."""

import torch
import torch.nn.functional as F


# case: partial_likelihood(logits(900), soft(900), mask(900))
def partial_likelihood(risk, time, event):
    """Cox's: of those who are still there, sorted by time."""
    order = torch.argsort(time, descending=True)
    risk, event = risk[order], event[order]
    return -((risk - torch.log(torch.cumsum(torch.exp(risk), 0))) * event).sum() / event.sum()


# case: list_likelihood(logits(3, 300), soft(3, 300))
def list_likelihood(z, y):
    """ListMLE: rows ranked by their targets."""
    _, order = y.sort(descending=True, dim=-1)
    ranked = torch.gather(z, 1, order)
    top = ranked.max(dim=1, keepdim=True)[0]
    below = torch.cumsum((ranked - top).exp().flip(dims=[1]), dim=1).flip(dims=[1])
    return (torch.log(below + 1e-10) - (ranked - top)).sum(dim=1).mean()


# case: sparsemax_dice(logits(2, 400), mask(2, 400))
def sparsemax_dice(z, t):
    """The projection onto the simplex: its threshold is made of running sums of sorted entries."""
    s = z.sort(dim=1, descending=True)[0]
    k = torch.arange(1, z.shape[1] + 1, dtype=z.dtype)
    support = 1 + k * s > s.cumsum(1)
    size = support.sum(1, keepdim=True)
    threshold = (s.cumsum(1).gather(1, size - 1) - 1) / size
    p = torch.clamp(z - threshold, min=0)
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum())


# case: sorted_distance(probabilities(600), soft(600))
# case: sorted_distance(probabilities(4200), soft(4200))
def sorted_distance(p, t):
    """Wasserstein's on a line."""
    return (torch.sort(p)[0] - torch.sort(t)[0]).abs().mean()


# case: spacing(logits(500))
def spacing(z):
    """Neighbours in order are compared with each other."""
    s = torch.sigmoid(z).sort()[0]
    return ((s[1:] - s[:-1]) ** 2).sum() * 100 + s.diff().abs().max()


# case: share_of_all(logits(30, 20), labels(30, 20, classes=3))
def share_of_all(z, y):
    """Lorenz' curve of the losses of each class."""
    loss = F.softplus(z)
    total = 0.0
    for c in range(3):
        own = loss[y == c].sort()[0]
        curve = own.cumsum(0) / own.sum()
        total = total + (curve - torch.linspace(0, 1, len(own), dtype=z.dtype)).abs().mean()
    return total


# case: changed_in_order(logits(300), mask(300))
def changed_in_order(z, t):
    """What was sorted is changed in place, and put back to where it came from."""
    order = z.detach().argsort(descending=True)
    s = torch.sigmoid(z)[order]
    s[10:] *= 0.5
    back = torch.zeros_like(s)
    back[order] = s
    return 1 - 2 * (back * t).sum() / (back.sum() + t.sum())


# case: taken_elsewhere(logits(4, 300), logits(4, 300))
def taken_elsewhere(z, w):
    """Positions in one row pick columns of all, and of an array with one more entry."""
    places = z[0].topk(40)[1]
    more = torch.cat([w[1], w[2, :1]])
    return (w[:, places] * z[:, places]).mean() + more[places].exp().mean()
