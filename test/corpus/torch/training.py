"""Losses as they stand in training scripts, on arrays from a handful of pixels to small volumes."""

import torch
import torch.nn as nn
import torch.nn.functional as F


# case: plain(probabilities(7), mask(7))
# case: plain(probabilities(2, 1, 64, 64), mask(2, 1, 64, 64))
# case: plain(probabilities(200000), mask(200000))
def plain(pred, target, eps=1e-7):
    intersection = torch.sum(pred * target)
    return 1 - (2 * intersection + eps) / (torch.sum(pred) + torch.sum(target) + eps)


# case: no_epsilon(probabilities(3, 5), mask(3, 5))
# case: no_epsilon(probabilities(1, 1, 40, 40), mask(1, 1, 40, 40))
def no_epsilon(pred, target):
    return 1 - 2 * (pred * target).sum() / (pred.sum() + target.sum())


# case: from_logits(logits(4, 1, 32, 32), mask(4, 1, 32, 32))
# case: from_logits(logits(1, 1, 16, 48, 48), mask(1, 1, 16, 48, 48))
def from_logits(logits, target, smooth=1.0):
    prob = torch.sigmoid(logits)
    dims = tuple(range(1, prob.dim()))
    tp = (prob * target).sum(dim=dims)
    denominator = prob.sum(dim=dims) + target.sum(dim=dims)
    return (1 - (2 * tp + smooth) / (denominator + smooth)).mean()


# case: squared(logits(2, 1, 24, 24), mask(2, 1, 24, 24))
# case: squared(logits(2, 1, 24, 24), mask(2, 1, 24, 24), smooth=1e-8)
def squared(logits, target, smooth=1e-5):
    prob = logits.sigmoid()
    return 1 - (2 * (prob * target).sum() + smooth) / ((prob**2).sum() + (target**2).sum() + smooth)


# case: batch_dice(logits(2, 4, 20, 20), labels(2, 20, 20, classes=4))
# case: batch_dice(logits(1, 3, 8, 24, 24), labels(1, 8, 24, 24, classes=3))
def batch_dice(net_output, gt, smooth=1e-5):
    """One ratio a class over the batch, the background left out."""
    p = torch.softmax(net_output, 1)
    with torch.no_grad():
        y = torch.zeros_like(p)
        y.scatter_(1, gt.unsqueeze(1), 1)
    axes = [0] + list(range(2, p.ndim))
    intersect = (p * y).sum(axes)
    sum_pred = p.sum(axes)
    sum_gt = y.sum(axes)
    dc = (2 * intersect + smooth) / torch.clip(sum_gt + sum_pred + smooth, 1e-8)
    return -dc[1:].mean()


# case: weighted_classes(logits(2, 3, 12, 12), onehot(2, 3, 12, 12))
def weighted_classes(logits, target):
    w = torch.tensor([0.25, 0.25, 0.5])
    p = F.softmax(logits, dim=1)
    num = 2 * (p * target).sum(dim=(0, 2, 3))
    den = (p + target).sum(dim=(0, 2, 3)) + 1e-6
    return (w.to(p) * (1 - num / den)).sum()


# case: tversky(probabilities(2, 1, 30, 30), mask(2, 1, 30, 30))
# case: tversky(probabilities(2, 1, 30, 30), mask(2, 1, 30, 30), alpha=0.3, beta=0.7)
def tversky(inputs, targets, alpha=0.5, beta=0.5, smooth=1):
    inputs = inputs.reshape(-1)
    targets = targets.reshape(-1)
    tp = (inputs * targets).sum()
    fp = ((1 - targets) * inputs).sum()
    fn = (targets * (1 - inputs)).sum()
    return 1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)


# case: focal_tversky(probabilities(2, 1, 16, 16), mask(2, 1, 16, 16))
# case: focal_tversky(probabilities(40), mask(40), gamma=2)
def focal_tversky(inputs, targets, gamma=0.75):
    return torch.pow(tversky(inputs, targets, 0.3, 0.7), gamma)


# case: ignoring(logits(2, 1, 10, 10), labels(2, 1, 10, 10, classes=3))
def ignoring(logits, target):
    """Label 2 is left out."""
    valid = (target != 2).float()
    y = (target == 1).float() * valid
    p = torch.sigmoid(logits) * valid
    return 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)


# case: with_bce(logits(2, 1, 16, 16), mask(2, 1, 16, 16))
# case: with_bce(logits(9), mask(9), weight=0.3)
def with_bce(logits, target, weight=0.5):
    bce = F.binary_cross_entropy_with_logits(logits, target)
    p = torch.sigmoid(logits)
    dice = 1 - (2.0 * (p * target).sum() + 1.0) / (p.sum() + target.sum() + 1.0)
    return weight * bce + (1 - weight) * dice


# case: log_cosh(probabilities(2, 1, 12, 12), mask(2, 1, 12, 12))
def log_cosh(pred, target):
    x = no_epsilon(pred, target)
    return torch.log((torch.exp(x) + torch.exp(-x)) / 2.0)


# case: generalized(logits(2, 3, 10, 10), onehot(2, 3, 10, 10))
def generalized(logits, target, eps=1e-6):
    p = F.softmax(logits, dim=1)
    w = 1 / (target.sum(dim=(2, 3)) ** 2 + eps)
    num = (w * (p * target).sum(dim=(2, 3))).sum(1)
    den = (w * (p + target).sum(dim=(2, 3))).sum(1)
    return (1 - 2 * num / (den + eps)).mean()


# case: jaccard(logits(3, 1, 14, 14), mask(3, 1, 14, 14))
def jaccard(logits, target, smooth=1e-6):
    p = logits.sigmoid().flatten(1)
    t = target.flatten(1)
    inter = (p * t).sum(1)
    union = (p + t).sum(1) - inter
    return 1 - ((inter + smooth) / (union + smooth)).mean()


# case: einsum_dice(logits(2, 3, 9, 9), onehot(2, 3, 9, 9))
def einsum_dice(logits, target):
    p = logits.softmax(1)
    inter = torch.einsum("bcwh,bcwh->bc", p, target)
    union = torch.einsum("bcwh->bc", p) + torch.einsum("bcwh->bc", target)
    return (1 - (2 * inter + 1e-10) / (union + 1e-10)).mean()


# case: halved(logits(1, 1, 300, 300), mask(1, 1, 300, 300))
def halved(logits, target):
    """All in half precision: the sums overflow at 65,504."""
    p = torch.sigmoid(logits.half())
    t = target.half()
    return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)


# case: kept_in_float32(logits(2, 1, 50, 50), mask(2, 1, 50, 50))
def kept_in_float32(logits, target):
    p = torch.sigmoid(logits).float()
    t = target.float()
    return 1 - (2 * (p * t).sum() + 1e-5) / (p.sum() + t.sum() + 1e-5)


# case: mean_of_pixels(probabilities(3, 33), mask(3, 33))
def mean_of_pixels(pred, target):
    return 1 - 2 * torch.mean(pred * target) / (torch.mean(pred) + torch.mean(target) + 1e-3)


# case: matmul_dice(probabilities(1, 48), mask(1, 48))
def matmul_dice(pred, target):
    inter = torch.matmul(pred, target.t()).squeeze()
    return 1 - 2 * inter / (pred.sum() + target.sum())


# case: clamped(logits(4, 50), mask(4, 50))
def clamped(logits, target):
    p = torch.clamp(torch.sigmoid(logits), 0.1, 0.9)
    return 1 - (2 * (p * target).sum(1) / (p.sum(1) + target.sum(1)).clamp_min(1e-3)).mean()


# case: temperature(logits(2, 4, 6, 6), onehot(2, 4, 6, 6))
def temperature(logits, target, t=2.5):
    p = F.softmax(logits / t, dim=1)
    return 1 - ((2 * (p * target).sum((2, 3)) + 1) / (p.sum((2, 3)) + target.sum((2, 3)) + 1)).mean()


# case: hard_example(logits(8, 1, 6, 6), mask(8, 1, 6, 6))
def hard_example(logits, target):
    p = torch.sigmoid(logits).view(8, -1)
    t = target.view(8, -1)
    each = 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    return each.topk(3).values.mean()


# case: hinge(logits(2, 40), mask(2, 40))
def hinge(logits, target):
    p = F.relu(torch.tanh(logits))
    return 1 - (2 * (p * target).sum() + 0.1) / (p.sum() + target.sum() + 0.1)


# case: label_smoothed(logits(3, 1, 11, 11), mask(3, 1, 11, 11))
def label_smoothed(logits, target, ls=0.1):
    t = target * (1 - ls) + 0.5 * ls
    p = logits.sigmoid()
    return 1 - 2 * (p * t).sum() / ((p * p).sum() + (t * t).sum() + 1e-7)


# case: deep(logits(2, 1, 8, 8), mask(2, 1, 8, 8))
def deep(logits, target):
    """Two scales, pooled."""
    loss = from_logits(logits, target)
    small = F.avg_pool2d(torch.sigmoid(logits), 2)
    other = F.max_pool2d(target, 2)
    return loss + 0.5 * (1 - 2 * (small * other).sum() / (small.sum() + other.sum() + 1e-5))


class CombinedLoss(nn.Module):
    def __init__(self, weights=(1.0, 2.0, 3.0), smooth=1e-5, log=False):
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))
        self.smooth = smooth
        self.log = log

    # case: CombinedLoss()(logits(2, 3, 7, 7), onehot(2, 3, 7, 7))
    # case: CombinedLoss(log=True)(logits(2, 3, 7, 7), onehot(2, 3, 7, 7))
    def forward(self, output, target):
        p = output.log_softmax(dim=1).exp()
        p = p.reshape(*p.shape[:2], -1)
        t = target.reshape(*target.shape[:2], -1)
        num = (p * t).sum(-1)
        den = p.sum(-1) + t.sum(-1)
        score = (2 * num + self.smooth) / (den + self.smooth)
        loss = -torch.log(score) if self.log else 1 - score
        return (loss * self.weights).sum(1).mean() / self.weights.sum()


# case: kahan_free(probabilities(70000), mask(70000))
def kahan_free(pred, target):
    """Sums of more pixels than float16 counts."""
    return 1 - 2 * (pred * target).sum() / (pred.sum() + target.sum() + 1e-8)


# case: cubed(probabilities(2, 1, 9, 9), mask(2, 1, 9, 9))
def cubed(pred, target, p=3):
    num = (pred * target).sum()
    return 1 - 2 * num / (pred.pow(p).sum() + target.pow(p).sum() + 1e-4)


# case: rooted(probabilities(60), mask(60))
def rooted(pred, target):
    return torch.sqrt(1 - 2 * (pred * target).sum() / (pred.sum() + target.sum()) + 1e-3)


# case: normed_sums(logits(2, 1, 13, 13), mask(2, 1, 13, 13))
def normed_sums(logits, target):
    p = torch.sigmoid(logits)
    n = p.numel()
    return 1 - (2 * (p * target).sum() / n + 1e-3) / (p.sum() / n + target.sum() / n + 1e-3)


# case: sensitivity_specificity(probabilities(2, 90), mask(2, 90))
def sensitivity_specificity(pred, target, r=0.05):
    error = (target - pred) ** 2
    sens = (error * target).sum() / (target.sum() + 1e-5)
    spec = (error * (1 - target)).sum() / ((1 - target).sum() + 1e-5)
    return r * sens + (1 - r) * spec


def _assert_no_grad(variable):
    assert not variable.requires_grad, "a criterion has no gradient by its targets"


# case: checked_target(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
def checked_target(input, target):
    """As losses of early PyTorch begin."""
    _assert_no_grad(target)
    p = torch.sigmoid(input)
    assert not p.detach().requires_grad
    if p.requires_grad:
        p = p * 1.0
    with torch.no_grad():
        weight = 1 / (target.sum((0, 2, 3)) + 1)
        assert not weight.requires_grad
    dice = (2 * (p * target).sum((0, 2, 3)) + 1) / (p.sum((0, 2, 3)) + target.sum((0, 2, 3)) + 1)
    return 1 - (weight * dice).sum() / weight.sum()
