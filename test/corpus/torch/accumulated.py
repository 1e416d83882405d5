"""Losses that add entries up where labels say: sums of classes, of regions, of super-pixels."""

import torch
import torch.nn.functional as F


# case: dice_of_regions(probabilities(2, 1, 4, 4), mask(2, 1, 4, 4), labels(2, 1, 4, 4, classes=4))
def dice_of_regions(p, t, regions):
    """Dice of each region of a label map, all at once."""
    at = regions.view(-1)
    n = int(regions.max()) + 1
    overlap = torch.zeros(n, dtype=p.dtype).scatter_add_(0, at, (p * t).view(-1))
    total = torch.zeros(n, dtype=p.dtype).scatter_add_(0, at, (p + t).view(-1))
    return 1 - ((2 * overlap + 1) / (total + 1)).mean()


# case: sums_of_valid(logits(2, 3, 4), labels(2, 4, classes=4), ignore=3)
def sums_of_valid(z, y, ignore):
    """Rows of what is not ignored, summed by class: the prototypes of a contrastive loss."""
    valid = y != ignore
    rows, at = z.permute(0, 2, 1)[valid], y[valid]
    sums = torch.zeros(3, 3, dtype=z.dtype).index_add(0, at, rows)
    n = torch.zeros(3, dtype=z.dtype).index_add(0, at, torch.ones_like(rows[:, 0]))
    prototypes = F.normalize(sums / n.unsqueeze(1).clamp(min=1), dim=1)
    return (prototypes @ prototypes.T).square().sum()


# case: soft_confusion(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
def soft_confusion(z, y):
    """Rows by label, columns by probability; the loss is what lies beside the diagonal."""
    p = torch.softmax(z, 1).permute(0, 2, 3, 1).reshape(-1, 3)
    matrix = torch.zeros(3, 3, dtype=p.dtype).index_add_(0, y.flatten(), p, alpha=1 / y.numel())
    return 1 - (matrix.diagonal() / matrix.sum(1)).mean()


# case: along_the_classes(probabilities(2, 5, 3), labels(2, 4, 3, classes=5))
def along_the_classes(p, y):
    """An index smaller than the array."""
    votes = torch.ones_like(p).scatter_add(1, y[:, :, :2], (p * p)[:, :4, :2])
    return votes.log().mean() + p.scatter_reduce(1, y, p[:, :4].sqrt(), reduce="sum").std()
