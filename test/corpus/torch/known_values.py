"""What values decide: sets of axes and classes, positions, entries that conditions pick."""

import numpy as np
import torch
import torch.nn.functional as F


def sum_over(x, axes, keepdim=False):
    axes = np.unique(axes).astype(int)
    if keepdim:
        for ax in axes:
            x = x.sum(int(ax), keepdim=True)
    else:
        for ax in sorted(axes, reverse=True):
            x = x.sum(int(ax))
    return x


# case: sums_axis_by_axis(probabilities(2, 3, 4, 5), mask(2, 3, 4, 5))
# case: sums_axis_by_axis(probabilities(2, 3, 4, 5), mask(2, 3, 4, 5), batch=True)
def sums_axis_by_axis(net, gt, batch=False):
    """Axes as a set of NumPy's, summed over from the last one."""
    axes = ([0] if batch else []) + list(range(2, net.dim()))
    tp = sum_over(net * gt, axes)
    fp = sum_over(net * (1 - gt), axes, keepdim=False)
    fn = sum_over((1 - net) * gt, axes, keepdim=True).reshape(tp.shape)
    return -((2 * tp + 1) / (2 * tp + fp + fn + 1)).mean()


# case: classes_that_occur(simplex(2, 4, 3, 3), labels(2, 3, 3, classes=4))
def classes_that_occur(p, y):
    """A loop over the labels that occur."""
    losses = []
    for c in torch.unique(y):
        hot = (y == c).float()
        q = p[:, int(c)]
        losses.append(1 - (2 * (q * hot).sum() + 1) / (q.sum() + hot.sum() + 1))
    return torch.stack(losses).mean()


def lovasz_grad(sorted_truth):
    total = sorted_truth.sum()
    intersection = total - sorted_truth.cumsum(0)
    union = total + (1 - sorted_truth).cumsum(0)
    jaccard = 1.0 - intersection / union
    jaccard[1:] = jaccard[1:] - jaccard[:-1]
    return jaccard


# case: lovasz_of_valid(logits(2, 3, 3), labels(2, 3, 3, classes=3), ignore=2)
# case: lovasz_of_valid(logits(2, 3, 3), labels(2, 3, 3, classes=2), ignore=5)
def lovasz_of_valid(z, y, ignore):
    """Entries that are not ignored are picked, then sorted."""
    z, y = z.view(-1), y.view(-1)
    valid = y != ignore
    z, y = z[valid], y[valid]
    if len(y) == 0:
        return z.sum() * 0.0
    signs = 2.0 * y.float() - 1.0
    errors = 1.0 - z * signs
    errors_sorted, perm = torch.sort(errors, dim=0, descending=True)
    return torch.dot(F.relu(errors_sorted), lovasz_grad(y[perm.data].float()))


# case: positions_of_valid(simplex(2, 3, 3, 3), labels(2, 3, 3, classes=3), ignore=1)
def positions_of_valid(p, y, ignore):
    """The same by positions: rows of the prediction, entries of the labels."""
    p = p.permute(0, 2, 3, 1).contiguous().view(-1, p.size(1))
    y = y.view(-1)
    valid = y != ignore
    q = p[valid.nonzero().squeeze()]
    t = F.one_hot(y[valid], p.size(1))
    inter = (q * t).sum(0)
    return 1 - (2 * inter / (q.sum(0) + t.sum(0) + 1e-6)).mean()


# case: one_for_the_worst(probabilities(3, 4), mask(3, 4))
def one_for_the_worst(p, t):
    """What the mask picks gets an array of one entry."""
    dice = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    dice[dice < dice.mean()] = dice.new_tensor([1.0])
    return 1 - dice.mean()


# case: assigned_in_turn(probabilities(3, 4), mask(3, 4))
def assigned_in_turn(p, t):
    """As many values as the mask picks, in its order."""
    w = torch.ones_like(p)
    inside = t > 0.5
    w[inside] = torch.arange(int(inside.sum())).to(p.dtype) + 2.0
    return 1 - (2 * (w * p * t).sum() + 1) / ((w * p).sum() + (w * t).sum() + 1)


# case: set_at_positions(probabilities(2, 3, 3), mask(2, 3, 3))
def set_at_positions(p, t):
    """Positions where a condition holds get a number."""
    w = torch.zeros(t.size())
    w[torch.where((t > 0.5) | (p > 0.8))] = 1
    w[t.nonzero(as_tuple=True)] = 2
    rows = torch.argwhere(t)
    return (1 - (2 * (w * p * t).sum() + 1) / ((w * p).sum() + t.sum() + 1)) * len(rows)


# case: larger_of_two_numbers(probabilities(3, 4), mask(3, 4))
def larger_of_two_numbers(p, t):
    """torch.max of two tensors without axes is no maximum along one."""
    top = 2 * torch.sum(torch.mul(p, t), dtype=float)
    bottom = torch.sum(p, dtype=float) + torch.sum(t, dtype=float)
    bottom = torch.max(bottom, torch.ones_like(bottom, dtype=float) * 1e-5)
    return -1 * (top / bottom)


# case: several_labels_a_place(simplex(2, 3, 4), labels(2, 2, 4, classes=3))
def several_labels_a_place(p, y):
    """scatter_ of one number at several positions along the class axis."""
    hot = torch.zeros(p.shape)
    hot.scatter_(1, y, 1)
    return 1 - (2 * (p * hot).sum() + 1) / (p.sum() + hot.sum() + 1)


# case: above_the_median(probabilities(2, 5), mask(2, 5))
def above_the_median(p, t):
    """The median of each row, and of all."""
    rows = torch.median(p, dim=1)
    total = (p - rows.values.unsqueeze(1)).relu().sum() + torch.median(p) * rows.indices.sum()
    return 1 - (2 * (p * t).sum() + 1) / (total + t.sum() + 1)


# case: certain_pixels(simplex(2, 3, 4, 4), soft(2, 3, 4, 4))
# case: certain_pixels(simplex(2, 3, 4, 5), soft(2, 3, 4, 5), share=0.77)
# case: certain_pixels(simplex(2, 3, 4, 5), soft(2, 3, 4, 5), share=0.5, how="midpoint")
def certain_pixels(p, t, share=0.8, how="linear"):
    """Pixels whose entropy lies below a quantile of all."""
    entropy = -(p * torch.log(p + 1e-8)).sum(1)
    limit = torch.quantile(entropy, share, interpolation=how)
    q, u = p[:, 1][entropy < limit], t[:, 1][entropy < limit]
    spread = entropy.quantile(0.3, dim=-1, keepdim=True)
    return 1 - 2 * (q * u).sum() / (q.sum() + u.sum()) + spread.mean()


# case: rolled_edges(probabilities(2, 3, 4, 5), soft(2, 3, 4, 5))
def rolled_edges(p, t):
    """Differences from neighbours, round the ends."""
    a = (p - torch.roll(p, 1, dims=-1)).abs() + (p - p.roll((2, -1), (2, 3))) ** 2
    b = (t - torch.roll(t, -1, 2)).abs() + torch.roll(t, 7)
    return 1 - (2 * (a * b).sum() + 1) / (a.sum() + b.sum() + 1)
