"""Pixels whose label is to be ignored, found by the values that the labels have."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def encoded(labels, classes):
    """Ones at the labels, written into zeros of a legacy constructor."""
    size = labels.size()
    zeros = torch.FloatTensor(size[0], classes, size[2], size[3]).zero_().to(labels.device)
    return zeros.scatter_(1, labels.data, 1)


class IgnoringDice(nn.Module):
    # case: IgnoringDice()(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
    # case: IgnoringDice(ignored=2)(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
    # case: IgnoringDice(ignored=1, smooth=0.1)(logits(1, 4, 3, 5), labels(1, 3, 5, classes=4))
    """Whether a label occurs is asked of a range between the least and the largest."""

    def __init__(self, smooth=1.0, ignored=255):
        super().__init__()
        self.smooth = smooth
        self.ignored = ignored

    def forward(self, output, target):
        if self.ignored not in range(target.min(), target.max()):
            if (target == self.ignored).sum() > 0:
                target[target == self.ignored] = target.min()
        hot = encoded(target.unsqueeze(dim=1), classes=output.size()[1])
        p = F.softmax(output, dim=1).contiguous().view(-1)
        g = hot.contiguous().view(-1)
        return 1 - (2.0 * (p * g).sum() + self.smooth) / (p.sum() + g.sum() + self.smooth)


# case: classes_by_range(logits(2, 3, 6), labels(2, 6, classes=3))
def classes_by_range(logits, labels):
    """A loop from the least label that occurs to the largest."""
    p = logits.softmax(1)
    total = 0.0
    for c in range(int(labels.min()), labels.max() + 1):
        g = (labels == c).to(p.dtype)
        total = total + 2 * (p[:, c] * g).sum() / (p[:, c].sum() + g.sum())
    return 1 - total / len(range(labels.min(), labels.max() + 1))
