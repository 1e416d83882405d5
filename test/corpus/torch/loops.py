"""Loops over classes, samples and predictions."""

import torch
import torch.nn as nn
import torch.nn.functional as F


# case: over_samples(logits(3, 1, 4, 4), mask(3, 1, 4, 4))
# case: over_samples(logits(1, 2, 5), mask(1, 2, 5))
def over_samples(input, target):
    """zip over the batch, accumulating into a tensor of one entry."""
    s = torch.FloatTensor(1).zero_()
    i = -1
    for i, c in enumerate(zip(input, target)):
        p, t = torch.sigmoid(c[0]), c[1]
        inter = torch.dot(p.view(-1), t.view(-1))
        s = s + (2 * inter + 1e-4) / (p.sum() + t.sum() + 1e-4)
    return 1 - s / (i + 1)


# case: weighted_classes(logits(2, 3, 4, 4), onehot(2, 3, 4, 4))
# case: weighted_classes(logits(2, 3, 5), onehot(2, 3, 5), weights=[0.2, 0.3, 0.5])
def weighted_classes(pred, target, weights=None):
    pred = F.softmax(pred, dim=1)
    C = target.shape[1]
    if weights is None:
        weights = [1] * C
    total = 0
    per_class = []
    for c in range(C):
        score = 1 - binary_dice(pred[:, c], target[:, c])
        per_class.append(score.item())
        total += score * weights[c]
    return total / C


def binary_dice(p, t, smooth=1e-5):
    p = p.contiguous().view(p.shape[0], -1)
    t = t.contiguous().view(t.shape[0], -1)
    num = 2 * torch.sum(torch.mul(p, t), dim=1) + smooth
    den = torch.sum(p.pow(2) + t.pow(2), dim=1) + smooth
    return (num / den).mean()


# case: list_then_stack(simplex(2, 4, 3), onehot(2, 4, 3))
# case: list_then_stack(simplex(2, 4, 3), onehot(2, 4, 3), skip=(0, 2))
def list_then_stack(p, t, skip=()):
    losses = []
    for k in range(p.size(1)):
        if k in skip:
            continue
        a, b = p[:, k].reshape(-1), t[:, k].reshape(-1)
        losses.append(1 - (2 * (a * b).sum() + 1) / (a.sum() + b.sum() + 1))
    return torch.stack(losses).mean()


# case: unbound_mask(simplex(2, 3, 4, 4), onehot(2, 3, 4, 4), bools(2, 1, 4, 4))
def unbound_mask(p, t, valid):
    """Each channel times the mask, by a generator over unbind."""
    tp, fp, fn = p * t, p * (1 - t), (1 - p) * t
    tp = torch.stack(tuple(x * valid[:, 0] for x in torch.unbind(tp, dim=1)), dim=1)
    fp = torch.stack(tuple(x * valid[:, 0] for x in torch.unbind(fp, dim=1)), dim=1)
    fn = torch.stack(tuple(x * valid[:, 0] for x in torch.unbind(fn, dim=1)), dim=1)
    tp, fp, fn = (x.sum((2, 3)) for x in (tp, fp, fn))
    dc = (2 * tp + 1) / (2 * tp + fp + fn + 1e-8 + 1)
    return -dc[:, 1:].mean()


# case: batch_and_class(probabilities(2, 3, 4), mask(2, 3, 4), bools(2, 4))
# case: batch_and_class(probabilities(1, 2, 5), mask(1, 2, 5), bools(1, 5))
def batch_and_class(x, target, roi):
    """Nested loops; the region of interest picks entries before the products."""
    d = 0.
    batch_size, classes = x.shape[:2]
    for i in range(batch_size):
        for c in range(classes):
            x_i = x[i, c][roi[i]]
            t_i = target[i, c][roi[i]]
            inter = torch.dot(x_i, t_i)
            sets_sum = torch.sum(x_i) + torch.sum(t_i)
            if sets_sum == 0:
                sets_sum = 2 * inter
            d += (2 * inter + 1e-6) / (sets_sum + 1e-6)
    return 1 - d / (batch_size * classes)


# case: rebinding_target(logits(2, 3, 4), labels(2, 4, classes=3))
def rebinding_target(output, mask):
    """A loop that binds its own argument anew: the second class sees the first one's mask."""
    probs = torch.zeros_like(output)
    for c in range(output.size(1)):
        probs[:, c] = torch.sigmoid(output[:, c])
    loss = 0
    for c in range(output.size(1)):
        mask = (mask == c).long()
        num = (probs[:, c] * mask).sum()
        loss = loss + 1 - 2 * (num + 1e-4) / (probs[:, c].sum() + mask.sum() + 1e-4)
    return loss / output.size(1)


class DeepSupervision(nn.Module):
    # case: DeepSupervision()([logits(2, 1, 4, 4), logits(2, 1, 4, 4)], mask(2, 1, 4, 4))
    # case: DeepSupervision(factors=(1, 0.5, 0.25))((logits(1, 1, 3), logits(1, 1, 3), logits(1, 1, 3)), mask(1, 1, 3))
    """Weighted sum over the outputs at several depths."""

    def __init__(self, factors=None):
        super().__init__()
        self.factors = factors
        self.loss = nn.BCEWithLogitsLoss()

    def forward(self, outputs, target):
        factors = self.factors or [0.5 ** i for i in range(len(outputs))]
        total = sum(factors)
        factors = [f / total for f in factors]
        result = factors[0] * self.one(outputs[0], target)
        for i, out in enumerate(outputs[1:], start=1):
            if factors[i] != 0.0:
                result += factors[i] * self.one(out, target)
        return result

    def one(self, out, target):
        p = out.sigmoid()
        dice = (2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1)
        return self.loss(out, target) + 1 - dice


# case: pyramid(logits(1, 1, 4, 4), logits(1, 1, 2, 2), mask(1, 1, 4, 4))
def pyramid(fine, coarse, target):
    """Predictions of several sizes against the target shrunk to each."""
    loss = 0.0
    for p, w in zip([fine, coarse], (1.0, 0.5)):
        t = F.interpolate(target, size=p.shape[2:], mode="nearest")
        q = p.sigmoid()
        loss = loss + w * (1 - 2 * (q * t).sum() / (q.sum() + t.sum()))
    up = F.interpolate(coarse, scale_factor=2, mode="nearest")
    return loss + 0.1 * (up - fine).pow(2).mean()


# case: while_loop(logits(2, 3, 4), mask(2, 3, 4))
def while_loop(logits, target):
    p = logits.sigmoid()
    k, total = 0, 0.0
    while k < p.shape[1]:
        total = total + (p[:, k] * target[:, k]).sum() / (p[:, k] + target[:, k]).sum()
        k += 1
    else:
        total = 2 * total / k
    return 1 - total


# case: dictionary_of_heads(logits(2, 1, 4), logits(2, 3, 4), mask(2, 1, 4), onehot(2, 3, 4))
def dictionary_of_heads(tumor, organ, t1, t2):
    predictions = {"tumor": tumor.sigmoid(), "organ": organ.softmax(1)}
    targets = dict(tumor=t1, organ=t2)
    losses = {}
    for name, p in predictions.items():
        t = targets[name]
        losses[f"{name}_loss"] = 1 - 2 * (p * t).sum() / (p.sum() + t.sum())
    losses["loss"] = sum(losses.values())
    return losses
