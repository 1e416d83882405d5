"""Variances of entries that a mask picks, beside Dice."""

import torch
import torch.nn.functional as F


# case: even_inside(logits(2, 1, 5, 5), mask(2, 1, 5, 5))
def even_inside(z, t):
    """Predictions are to be alike inside, and alike outside."""
    p, inside = torch.sigmoid(z), t > 0.5
    dice = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
    return dice + p[inside].var() + 0.5 * p[~inside].std()


# case: biased(logits(2, 3, 4, 4), labels(2, 4, 4, classes=4), ignore=3, correction=each(0, 1))
def biased(z, y, ignore, correction):
    """Of each class over the valid pixels, and of each valid pixel over the classes."""
    p = torch.softmax(z, 1).permute(0, 2, 3, 1)[y != ignore]
    by_class = torch.var(p, dim=0, correction=correction)
    by_pixel = p.std(dim=1, unbiased=False)
    return by_class.sum() - by_pixel.mean() + p.var(unbiased=True)


# case: normalized_entries(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
def normalized_entries(z, t):
    """What is picked is brought to mean 0 and variance 1, and compared with Dice's overlap."""
    inside = t > 0.5
    spread, mean = torch.std_mean(z[inside])
    p = torch.sigmoid((z - mean) / (spread + 1e-3))
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: balanced(logits(2, 3, 4, 4), labels(2, 4, 4, classes=4), ignore=3)
def balanced(z, y, ignore):
    """Classes are weighed by how rare they are among the valid pixels."""
    n = torch.bincount(y[y != ignore].view(-1), minlength=z.shape[1]).float()
    w = n.sum() / (z.shape[1] * n)
    return F.cross_entropy(z, y, weight=w, ignore_index=ignore)


# case: generalized_by_counts(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
def generalized_by_counts(z, y):
    p = torch.softmax(z, 1)
    t = F.one_hot(y).permute(0, 3, 1, 2)
    w = 1 / torch.bincount(y.flatten()).to(z.dtype) ** 2
    inter, total = (p * t).sum((0, 2, 3)), (p + t).sum((0, 2, 3))
    return 1 - 2 * (w * inter).sum() / (w * total).sum()


# case: by_histogram(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
def by_histogram(z, y):
    """The share of each class in each sample."""
    p = torch.softmax(z, 1).mean((2, 3))
    shares = [torch.histc(one.to(z.dtype), bins=3, min=0, max=2) / one.numel() for one in y]
    return (p - torch.stack(shares)).abs().sum()
