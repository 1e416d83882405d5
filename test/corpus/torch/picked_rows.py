"""Rows and entries that a condition picks, and functions of each row: what ignore_index becomes."""

import torch
import torch.nn.functional as F


def rows_of(p):
    return p.permute(0, 2, 3, 1).reshape(-1, p.shape[1])


def dice_of_rows(p, t):
    inter = (p * t).sum(0)
    return 1 - ((2 * inter + 1) / (p.sum(0) + t.sum(0) + 1)).mean()


# case: one_hot_of_valid(logits(2, 3, 3, 3), labels(2, 3, 3, classes=3), ignore=1)
# case: one_hot_of_valid(logits(2, 3, 5, 4), labels(2, 5, 4, classes=4), ignore=3)
def one_hot_of_valid(z, y, ignore):
    p, y = rows_of(z.softmax(1)), y.reshape(-1)
    valid = y != ignore
    t = F.one_hot(y[valid], p.shape[1]).float()
    return dice_of_rows(p[valid], t)


# case: softmax_of_valid(logits(2, 3, 3, 3), labels(2, 3, 3, classes=3), ignore=1)
def softmax_of_valid(z, y, ignore):
    """Three axes are picked from, and the classes stand beside them."""
    valid = y != ignore
    z = z.permute(0, 2, 3, 1)[valid]
    p = F.softmax(z, dim=-1)
    return dice_of_rows(p, F.one_hot(y[valid], z.shape[-1]))


# case: by_positions(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def by_positions(z, y, ignore):
    p, y = rows_of(z.softmax(1)), y.view(-1)
    at = torch.nonzero(y != ignore).squeeze(1)
    return dice_of_rows(p[at], F.one_hot(y[at], p.shape[1]))


# case: by_positions_of_each_axis(logits(2, 3, 4, 3), labels(2, 4, 3, classes=4), ignore=3)
def by_positions_of_each_axis(z, y, ignore):
    b, h, w = torch.where(y != ignore)
    p = torch.softmax(z.permute(0, 2, 3, 1)[b, h, w], 1)
    return dice_of_rows(p, F.one_hot(y[b, h, w], p.shape[1]))


# case: by_columns_of_positions(logits(2, 3, 4, 3), labels(2, 4, 3, classes=4), ignore=3)
def by_columns_of_positions(z, y, ignore):
    at = (y != ignore).nonzero()
    p = torch.softmax(z.permute(0, 2, 3, 1)[at[:, 0], at[:, 1], at[:, 2]], 1)
    return dice_of_rows(p, F.one_hot(y[at[:, 0], at[:, 1], at[:, 2]], p.shape[1]))


# case: cross_entropy_of_valid(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def cross_entropy_of_valid(z, y, ignore):
    """Labels that are not picked name no class."""
    valid = y != ignore
    return F.cross_entropy(z.permute(0, 2, 3, 1)[valid], y[valid])


# case: weighted_cross_entropy(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
# case: weighted_cross_entropy(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3, smoothing=0.1)
def weighted_cross_entropy(z, y, ignore, smoothing=0.0):
    z, y = rows_of(z), y.view(-1)
    valid = y != ignore
    w = torch.tensor([0.2, 0.3, 0.5], dtype=z.dtype)
    return F.cross_entropy(z[valid], y[valid], weight=w, label_smoothing=smoothing)


# case: likelihood(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def likelihood(z, y, ignore):
    z, y = rows_of(z), y.view(-1)
    valid = y != ignore
    return F.nll_loss(F.log_softmax(z, 1)[valid], y[valid], reduction="sum") / valid.sum()


# case: gathered(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def gathered(z, y, ignore):
    """The probability of the class that each label names."""
    z, y = rows_of(z), y.view(-1)
    valid = y != ignore
    p = torch.softmax(z[valid], 1).gather(1, y[valid].unsqueeze(1)).squeeze(1)
    return 1 - (2 * p.sum() + 1) / (p.sum() + valid.sum() + 1)


# case: looked_up(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def looked_up(z, y, ignore):
    """Rows of the identity, and a weight for each label."""
    z, y = rows_of(z), y.view(-1)
    valid = y != ignore
    t = torch.eye(3, dtype=z.dtype)[y[valid]]
    w = torch.tensor([0.2, 0.3, 0.5], dtype=z.dtype)[y[valid]]
    p = torch.softmax(z[valid], 1)
    inter = (w[:, None] * p * t).sum()
    return 1 - 2 * inter / (w.unsqueeze(-1) * (p + t)).sum()


# case: shapes_of_rows(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def shapes_of_rows(z, y, ignore):
    """Axes that are moved, added and dropped beside the picked one."""
    z, y = rows_of(z), y.view(-1)
    valid = y != ignore
    p = torch.softmax(z[valid], 1).view(-1, 3).t()
    t = F.one_hot(y[valid], 3).transpose(0, 1)
    inter = (p * t).unsqueeze(0).sum(-1).squeeze(0)
    return 1 - (2 * inter / (p.sum(1) + t.sum(1))).mean()


# case: largest_of_rows(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def largest_of_rows(z, y, ignore):
    """The likeliest class of each row, as a constant, and its probability."""
    z, y = rows_of(z), y.view(-1)
    valid = y != ignore
    p = torch.softmax(z[valid], 1)
    top, place = p.max(1)
    hit = (place == y[valid]).float()
    return 1 - (2 * (top * hit).sum() + 1) / (top.sum() + hit.sum() + (p.argmax(1) > 0).sum() + 1)


# case: picked_twice(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def picked_twice(z, y, ignore):
    z, y = rows_of(z), y.view(-1)
    valid = y != ignore
    p, y = torch.softmax(z[valid], 1)[:, 1], y[valid]
    foreground = y > 0
    t = (y[foreground] == 1).float()
    q = p[foreground]
    return 1 - (2 * (q * t).sum() + 1) / (q.sum() + t.sum() + 1)


# case: none_is_valid(logits(1, 3, 2, 2), labels(1, 2, 2, classes=1))
def none_is_valid(z, y):
    """Nothing is picked at all."""
    z, y = rows_of(z), y.view(-1)
    valid = y != 0
    return dice_of_rows(torch.softmax(z[valid], 1), F.one_hot(y[valid], 3))
