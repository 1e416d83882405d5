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
