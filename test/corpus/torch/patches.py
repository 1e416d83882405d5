"""Losses of patches and windows, and of medians and histograms."""

import torch
import torch.nn.functional as F


# case: patch_dice(logits(2, 1, 8, 8), mask(2, 1, 8, 8), each(2, 4), each(None, 2))
# case: patch_dice(logits(1, 3, 9, 10), mask(1, 3, 9, 10), each(3, 5), each(None, 1))
# case: patch_dice(logits(1, 1, 40, 36), mask(1, 1, 40, 36), 18, each(None, 6))
def patch_dice(z, t, size, stride):
    """Dice of each patch, and the mean of them."""
    stride = size if stride is None else stride
    p = F.unfold(torch.sigmoid(z), kernel_size=size, stride=stride)
    g = F.unfold(t, size, stride=stride)
    inter = (p * g).sum(dim=1)
    return 1 - ((2 * inter + 1) / (p.sum(dim=1) + g.sum(dim=1) + 1)).mean()


# case: padded_columns(logits(2, 3, 6, 7), mask(2, 3, 6, 7))
def padded_columns(z, t):
    """Padded, dilated windows of different sizes, of one channel after the other."""
    p = F.unfold(z.sigmoid(), (3, 2), dilation=(2, 1), padding=(1, 2), stride=(1, 3))
    g = F.unfold(t, (3, 2), dilation=(2, 1), padding=(1, 2), stride=(1, 3))
    weights = torch.arange(1.0, p.shape[1] + 1, dtype=p.dtype).view(1, -1, 1)
    return (((p - g) ** 2) * weights).sum(1).sqrt().mean()


# case: blocks(logits(2, 8, 12), mask(2, 8, 12))
# case: blocks_of_volume(probabilities(1, 1, 4, 6, 8), mask(1, 1, 4, 6, 8))
def blocks(z, t):
    """Patches that lie side by side, by the method of tensors."""
    p = z.sigmoid().unfold(1, 4, 4).unfold(2, 3, 3)
    g = t.unfold(1, 4, 4).unfold(2, 3, 3)
    inter, total = (p * g).sum((-1, -2)), (p + g).sum((-1, -2))
    worst = (1 - 2 * inter / (total + 1e-5)).flatten(1).topk(2)[0]
    return worst.mean() + p.shape[1] * 0.01


def blocks_of_volume(p, t):
    def split(x):
        return x.unfold(2, 2, 2).unfold(3, 3, 3).unfold(4, 4, 4).contiguous().view(-1, 2 * 3 * 4)

    p, t = split(p), split(t)
    return 1 - ((2 * (p * t).sum(1) + 1) / (p.pow(2).sum(1) + t.pow(2).sum(1) + 1)).mean()


# case: neighbours(logits(3, 30), each(2, 20), each(1, 3))
def neighbours(z, size, step):
    """Windows along a line, that overlap."""
    w = torch.tanh(z).unfold(-1, size, step)
    return ((w - w.mean(-1, keepdim=True)) ** 2).sum(-1).mean() + w[..., 0].std()


# case: around_the_median(probabilities(5, 7), mask(5, 7))
# case: around_the_median(probabilities(6, 6), mask(6, 6))
def around_the_median(p, t):
    return ((p - p.median()).abs() * (1 + t)).mean() + p.median() ** 2


# case: shared_by_ties(logits(300), labels(300, classes=4))
# case: shared_by_ties(logits(21), labels(21, classes=4))
def shared_by_ties(z, y):
    """Of rectified entries most are 0: all that equal the median share its gradient."""
    middle = F.relu(z - 0.5).median() + torch.clamp(z, -1, 0.1).median()
    return middle + (z[y > 0].clamp(max=0.3).median() - z.median()) ** 2


# case: matched_histogram(probabilities(40), soft(40))
def matched_histogram(p, t):
    """The counts carry no gradient, and weigh what does."""
    counts = torch.histc(p, bins=8) - torch.histc(t.detach(), bins=8, min=0, max=1)
    weights = counts.abs()[(p.detach() * 7.99).long()]
    return (weights * (p - t) ** 2).mean()
