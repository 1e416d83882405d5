"""`size_average` and `reduce`, which outweigh `reduction`: older code, and nnU-Net's, still uses them."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class RobustCrossEntropyLoss(nn.CrossEntropyLoss):
    def forward(self, input, target):
        if len(target.shape) == len(input.shape):
            assert target.shape[1] == 1
            target = target[:, 0]
        return super().forward(input, target.long())


class TopKLoss(RobustCrossEntropyLoss):
    """nnU-Net's, which asks for the losses one by one in the older way."""

    # case: TopKLoss(k=30)(logits(2, 3, 4, 5), labels(2, 1, 4, 5, classes=3))
    # case: TopKLoss(weight=soft(3), k=50)(logits(2, 3, 4, 3), labels(2, 4, 3, classes=3))
    def __init__(self, weight=None, ignore_index=-100, k=10, label_smoothing=0):
        self.k = k
        super().__init__(weight, False, ignore_index, reduce=False, label_smoothing=label_smoothing)

    def forward(self, inp, target):
        target = target[:, 0].long() if target.ndim == inp.ndim else target.long()
        res = super().forward(inp, target)
        num_voxels = res.numel()
        res, _ = torch.topk(res.view((-1,)), int(num_voxels * self.k / 100), sorted=False)
        return res.mean()


# case: summed(logits(2, 3), mask(2, 3))
# case: summed(logits(2, 3), mask(2, 3), size_average=True)
def summed(logits, target, size_average=False):
    """A sum, whatever `reduction` says, and a mean where both are true."""
    bce = nn.BCEWithLogitsLoss(size_average=size_average, reduction="none")(logits, target)
    p = torch.sigmoid(logits)
    return bce + F.mse_loss(p, target, size_average=size_average, reduce=True)


# case: one_by_one(probabilities(2, 3), mask(2, 3))
def one_by_one(p, target):
    losses = F.binary_cross_entropy(p, target, reduce=False)
    errors = nn.L1Loss(size_average=True, reduce=False)(p, target)
    return (losses * errors).sum()


class Weighed(nn.modules.loss._WeightedLoss):
    # case: Weighed(soft(3), size_average=False)(logits(2, 3), labels(2, classes=3))
    def __init__(self, weight=None, size_average=None, reduce=None):
        super().__init__(weight, size_average, reduce, "mean")

    def forward(self, logits, target):
        return F.cross_entropy(logits, target, weight=self.weight, reduction=self.reduction)
